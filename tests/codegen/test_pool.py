"""Threads over tiles: same bits as without, whatever happens in a tile."""

import builtins
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from symgrad.codegen import safety
from symgrad.codegen.fast import costs, pool, sizes
from symgrad.errors import SymgradError, UsageError

threadpoolctl = pytest.importorskip("threadpoolctl")

Call = Callable[[], tuple[Any, Any]]


def module(**more: Any) -> dict[str, Any]:
    """Execute the text as a generated module would carry it."""
    text = sizes.texts("rows_per_tile")
    constants = costs.Costs().constants("float64") | more
    space: dict[str, Any] = {"np": np}
    exec(pool.HEAD + sizes.assignments(text, constants) + text + pool.TEXT, space)
    return space


def program(space: dict[str, Any], n: int, threads: int) -> Call:
    """Give sum(tanh(x) x) and its gradient, tile by tile, as a generated module computes it."""
    x = np.linspace(-3, 3, n)
    rows = space["rows_per_tile"](n, 1, 8, 5)
    count = -(-n // rows)
    lanes = [[np.empty(rows) for _ in range(2)] for _ in range(threads)]
    sums, slope = np.empty(count), np.empty(n)

    def body(lane: list[Any], k: int) -> None:
        part = x[k * rows : (k + 1) * rows]
        y, z = (buffer[: len(part)] for buffer in lane)
        np.tanh(part, y)
        sums[k] = np.add.reduce(y * part)
        np.multiply(y, y, z)
        np.subtract(1.0, z, z)
        np.multiply(z, part, z)
        np.add(z, y, slope[k * rows : (k + 1) * rows])

    def call() -> tuple[Any, Any]:
        space["run_tiles"](body, lanes, count)
        return np.add.reduce(sums), slope.copy()

    return call


@pytest.mark.parametrize("n", [1, 5000, 300_001])
def test_same_bits_with_any_number_of_threads(n: int) -> None:
    space = module(UNTILED_BYTES=1000)
    value, slope = program(space, n, 1)()
    x = np.linspace(-3, 3, n)
    assert value == pytest.approx(np.sum(np.tanh(x) * x), rel=1e-12)
    for threads in (2, 3, 8):
        other, slopes = program(space, n, threads)()
        assert other == value
        np.testing.assert_array_equal(slopes, slope)


def test_every_tile_once_and_each_lane_in_one_thread() -> None:
    space = module()
    seen: list[tuple[int, str, int]] = []
    for count in (0, 1, 2, 7):
        seen.clear()
        space["run_tiles"](
            lambda lane, k: seen.append((k, lane, threading.get_ident())), "abc", count
        )
        assert sorted(k for k, _, _ in seen) == list(range(count))
        used = {lane: {t for _, other, t in seen if other == lane} for _, lane, _ in seen}
        assert all(len(threads) == 1 for threads in used.values())
        if "a" in used:
            assert used["a"] == {threading.get_ident()}


def test_what_a_module_adds_is_checked() -> None:
    source = f"import numpy as np\n{pool.HEAD}{pool.TEXT}\nrun_tiles(1, 2, 3)\n"
    with pytest.raises(SymgradError):
        safety.check(source)
    safety.check(pool.without(source))
    for more in ("import os\n", "workers(2)\n"):
        with pytest.raises(SymgradError):
            safety.check(pool.without(source + more))


def test_one_lane_needs_no_thread() -> None:
    space = module()
    space["run_tiles"](lambda lane, k: None, [None], 5)
    assert space["WORKERS"] == {}


@pytest.mark.parametrize("bad", [0, 6])  # a tile of this thread, a tile of the other
def test_errors_come_through_when_all_have_stopped(bad: int) -> None:
    space, done = module(), threading.Event()

    def body(lane: int, k: int) -> None:
        if k == bad:
            raise ZeroDivisionError(k)
        if k == 3 and bad == 6:
            done.set()

    with pytest.raises(ZeroDivisionError, match=str(bad)):
        space["run_tiles"](body, [0, 1], 8)
    assert bad == 0 or done.is_set()
    assert space["WORKERS"][os.getpid()]["running"] == []
    space["run_tiles"](lambda lane, k: None, [0, 1], 8)


def test_floating_point_settings_hold_in_every_thread() -> None:
    space = module()

    def body(lane: int, k: int) -> None:
        np.exp(np.full(4, 1e4))

    with np.errstate(over="ignore"):
        space["run_tiles"](body, [0, 1], 4)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        space["run_tiles"](body, [0, 1], 4)


def blas_threads() -> list[int]:
    return [p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]


def test_blas_gets_its_threads_back() -> None:
    space, inside = module(), []

    def nested(lane: int, k: int) -> None:
        inside.extend(blas_threads())

    def body(lane: int, k: int) -> None:  # what another user of the same pool does meanwhile
        space["one_blas_thread"](space["workers"](2)[1])
        space["more_blas_threads"](space["workers"](2)[1])
        nested(lane, k)

    with threadpoolctl.threadpool_limits(2, "blas"):
        before = blas_threads()
        space["run_tiles"](body, [0, 1], 4)
        assert set(inside) <= {1}
        assert blas_threads() == before


def test_many_callers_at_a_time() -> None:
    space = module(UNTILED_BYTES=1000)
    expected = program(space, 100_000, 1)()
    found: list[tuple[Any, Any]] = []

    def caller() -> None:
        call = program(space, 100_000, 2)
        found.extend(call() for _ in range(5))

    callers = [threading.Thread(target=caller) for _ in range(4)]
    with threadpoolctl.threadpool_limits(2, "blas"):
        before = blas_threads()
        for one in callers:
            one.start()
        for one in callers:
            one.join(60)
        assert blas_threads() == before
    assert len(found) == 20
    assert all(v == expected[0] and (g == expected[1]).all() for v, g in found)


def test_compiled_functions_share_their_threads() -> None:
    first, second = module(), module()
    for space in (first, second, {}):
        pool.shared(space)
    second["run_tiles"](lambda lane, k: None, [0, 1], 4)
    assert first["WORKERS"] is second["WORKERS"] is pool.WORKERS
    assert first["workers"](2)[0] is second["workers"](2)[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_makes_its_own_threads() -> None:
    code = """
import os, sys, warnings
warnings.simplefilter("ignore")
from symgrad.codegen.fast import pool
space = {}
exec(pool.HEAD + pool.TEXT, space)
seen = []
space["run_tiles"](lambda lane, k: seen.append(k), [0, 1], 6)
child = os.fork()
if child == 0:
    space["run_tiles"](lambda lane, k: seen.append(k), [0, 1], 6)
    os._exit(0 if len(seen) == 12 else 1)
sys.exit(os.waitpid(child, 0)[1])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", 257, None])
def test_what_is_no_number_of_threads(threads: Any) -> None:
    with pytest.raises(UsageError, match="is not a number of threads"):
        pool.checked(threads)


def test_missing_library_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *rest: Any) -> Any:
        if name == "threadpoolctl":
            raise ImportError(name)
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without)
    assert pool.checked(1) == 1
    with pytest.raises(UsageError, match=r"^threads need .*pip install 'symgrad\[threads\]'.*$"):
        pool.checked(2)
