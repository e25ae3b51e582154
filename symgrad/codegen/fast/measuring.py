"""Measure what choices cost on this machine.

Alternatives are timed in turn, round by round, so that a busy machine hits all alike; a figure is
the median of the rounds. Every limit is where the faster alternative changes.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np

from symgrad.codegen.fast import pool, texts, wide
from symgrad.codegen.fast.costs import DEFAULTS, DTYPES, Costs

Report = Callable[[str], None]
GAIN = 0.95  # what is taken must be faster by 5 %: less is noise
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS",
                    "VECLIB_MAXIMUM_THREADS")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effort:
    """Say how long to measure: rounds, seconds that one alternative gets in each, by which clock.

    With one thread, CPU time: other programs hardly disturb it.
    """

    rounds: int
    seconds: float
    clock: Callable[[], float] = time.perf_counter


QUICK, FULL = Effort(21, 0.002), Effort(41, 0.003)


class Race:
    """Time alternatives in turn, `rounds` times; `times` holds seconds per call by alternative."""

    def __init__(self, cases: Mapping[Any, Callable[[], Any]], effort: Effort) -> None:
        loops: dict[Any, int] = {}
        for name, run in cases.items():
            run()
            start = effort.clock()
            run()
            loops[name] = max(1, int(effort.seconds / max(effort.clock() - start, 1e-7)))
        self.times: dict[Any, list[float]] = {name: [] for name in cases}
        for _ in range(effort.rounds):
            for name, run in cases.items():
                start = effort.clock()
                for _ in range(loops[name]):
                    run()
                seconds = max(effort.clock() - start, 1e-9)  # a coarse clock may stand still
                self.times[name].append(seconds / loops[name])

    def seconds(self, name: Any) -> float:
        """Give the seconds of a call when nothing else disturbs: the lower quartile."""
        return statistics.quantiles(self.times[name], n=4, method="inclusive")[0]

    def ratio(self, name: Any, other: Any) -> float:
        """Give the median over the rounds of one alternative's time over another's."""
        pairs = zip(self.times[name], self.times[other], strict=True)
        return statistics.median(a / b for a, b in pairs)


def measure(quick: bool = True, report: Report = lambda step: None) -> Costs:
    """Measure in some seconds; with quick=False longer. `report` hears each step's name."""
    effort = QUICK if quick else FULL
    found: dict[str, Any] = {}
    with one_thread() as threads:
        found["blas_threads"] = threads
        if threads == 1 and os.name == "posix":
            effort = replace(effort, clock=time.process_time)
        for step, measured in STEPS.items():
            report(step)
            found |= measured(effort, found)
    return Costs(**found)


@contextmanager
def one_thread() -> Iterator[int]:
    """Keep BLAS on one thread, or on as many as the environment asks for; give their number."""
    asked = next((os.environ[v] for v in THREAD_VARIABLES if os.environ.get(v, "").isdigit()), "")
    threads = max(int(asked or 1), 1)
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield threads if asked else os.cpu_count() or 1
        return
    with threadpool_limits(limits=threads, user_api="blas"):
        yield threads


def _numbers(*shape: int, dtype: str = "float64") -> Any:
    """Give numbers of both signs in no order, so that no branch can be foretold."""
    values = np.linspace(-2.0, 2.0, int(np.prod(shape)))
    return np.random.default_rng(0).permutation(values).reshape(shape).astype(dtype)


def _significant(value: float) -> float:
    return float(f"{value:.2g}")


# -- calls and entries -------------------------------------------------------------------------


def _calls(effort: Effort, found: dict[str, Any]) -> dict[str, Any]:
    a, w, row = _numbers(16, 16), _numbers(16, 16), _numbers(16)
    out, line = np.empty_like(a), np.empty_like(row)
    timed = Race({
        "call_ufunc": lambda: np.add(a, w, out),
        "call_broadcast": lambda: np.add(a, row, out),
        "call_dot": lambda: a.dot(w, out),
        "call_matmul": lambda: np.matmul(a, w, out),
        "call_reduce": lambda: np.add.reduce(a, 0, None, line),
    }, effort)  # fmt: skip
    return {name: _significant(timed.seconds(name) * 1e9) for name in timed.times}


def _entries(effort: Effort, found: dict[str, Any]) -> dict[str, Any]:
    """Time ufuncs on 16 384 entries, without the call itself."""
    size, call = 16_384, found["call_ufunc"]
    timed = [Race(_ufuncs(_numbers(size, dtype=d)), effort) for d in DTYPES]

    def entry(name: str, one: Race) -> float:
        return max(_significant((one.seconds(name) * 1e9 - call) / size), 0.01)

    return {name: tuple(entry(name, one) for one in timed) for name in timed[0].times}


def _ufuncs(x: Any) -> dict[str, Callable[[], Any]]:
    y, out, mask = np.abs(x) + x.dtype.type(0.5), np.empty_like(x), x > 0
    zero, three, truth = np.zeros((), x.dtype), np.array(3, x.dtype), np.empty(x.shape, bool)
    one = ("sqrt", "square", "sign", "exp", "exp2", "expm1", "log", "log1p", "tanh", "sin")
    wide, turned = y[:10_240].reshape(1024, 10), np.empty((10, 1024), x.dtype)
    cases: dict[str, Callable[[], Any]] = {name: partial(getattr(np, name), y, out) for name in one}
    return cases | {
        "add": partial(np.add, x, y, out),
        "multiply": partial(np.multiply, x, y, out),
        "divide": partial(np.divide, x, y, out),
        "maximum": partial(np.maximum, x, zero, out=out),
        "greater": partial(np.greater, x, zero, truth),
        "logaddexp": partial(np.logaddexp, x, zero, out),
        "power": partial(np.power, x, three, out),
        "where": partial(np.where, mask, x, y),
        "transpose": partial(np.copyto, turned, wide.T),
    }


# -- tiles -------------------------------------------------------------------------------------

TOUCHED = 5  # arrays of a chain: two inputs, two buffers, a result


def _chain(x: Any, y: Any, out: Any, tile: int) -> Callable[[], None]:
    """Make eight passes over five arrays, tile by tile."""
    n = len(x)
    first, second = np.empty(min(tile, n), x.dtype), np.empty(min(tile, n), x.dtype)
    cut = [(slice(i, i + tile), first[: n - i], second[: n - i]) for i in range(0, n, tile)]

    def run() -> None:
        for rows, p, q in cut:
            u, v = x[rows], y[rows]
            np.add(u, v, p)
            for _ in range(3):
                np.multiply(p, u, q)
                np.add(q, v, p)
            np.multiply(p, v, out[rows])

    return run


def _tiles(effort: Effort, found: dict[str, Any]) -> dict[str, Any]:
    """Find the tile, then the size from which on it pays; both in bytes of the arrays touched."""
    n, entry = 1 << 21, 8 * TOUCHED
    x, y, out = np.linspace(0, 1e-3, n), np.linspace(0, 1e-3, n), np.empty(n)
    tiles = [8_192, 12_288, 16_384, 24_576, 32_768, 49_152, 65_536]
    timed = Race({t: _chain(x, y, out, t) for t in tiles}, replace(effort, seconds=0.0))
    best = min(tiles, key=timed.seconds)
    tile = next(t for t in tiles if timed.ratio(t, best) <= 1.03)
    untiled = tile * entry
    for size in (1 << k for k in range(20, 15, -1)):
        u, v, w = x[:size], y[:size], out[:size]
        pair = {"whole": _chain(u, v, w, size), "tiled": _chain(u, v, w, tile)}
        if Race(pair, effort).ratio("tiled", "whole") > GAIN:
            untiled = max(untiled, size * entry)
            break
    shortest = found["call_ufunc"] / (0.15 * found["add"][0])  # calls take 15 % of a pass
    shortest_tile = 1 << min(max(round(np.log2(shortest)), 10), 15)
    return {"tile_bytes": tile * entry, "untiled_bytes": untiled, "shortest_tile": shortest_tile}


# -- products ----------------------------------------------------------------------------------


def _gains(m: int, k: int, n: int, rows: list[int], dtype: str, effort: Effort,
           turned: bool = False) -> dict[int, float]:  # fmt: skip
    """Compare (m, k) @ (k, n) in blocks of rows with one product; below 1, blocks are faster."""
    x, w, out = _numbers(m, k, dtype=dtype), _numbers(k, n, dtype=dtype), np.empty((m, n), dtype)
    cases: dict[int, Callable[[], Any]] = {0: partial(x.dot, w, out)}
    for count in rows:
        blocks = x.reshape(-1, count, k)
        if turned:
            part = np.empty((n, m), dtype).reshape(n, -1, count).transpose(1, 0, 2)
            left = np.ascontiguousarray(w.T)
            cases[count] = partial(np.matmul, left, blocks.transpose(0, 2, 1), part)
        else:
            cases[count] = partial(np.matmul, blocks, w, out.reshape(-1, count, n))
    timed = Race(cases, effort)
    return {count: timed.ratio(count, 0) for count in rows}


def _products(effort: Effort, found: dict[str, Any]) -> dict[str, Any]:
    """Find up to which product, result and width blocks pay."""
    k, n = 250, 10
    gains = _gains(3200, k, n, [100, 200, 400, 800, 1600], "float64", effort)
    rows = _up_to(gains)
    if not rows:
        return {"skinny_float64": 0, "skinny_float32": 0} | _rates(effort)
    small = rows * k * n
    gains = _gains(1920, k, n, [60, 120, 160, 240, 480], "float32", effort, turned=True)
    turned = max(_up_to(gains) * n, 1)
    widths = {f"skinny_{d}": _width(small, d, effort) for d in DTYPES}
    return {"small_product": small, "turned_result": turned} | widths | _rates(effort)


def _up_to(gains: dict[int, float]) -> int:
    """Give the largest number of rows up to which blocks are clearly faster, else 0."""
    return max((r for r, _ in takewhile(lambda g: g[1] < 0.9, gains.items())), default=0)


def _width(small: int, dtype: str, effort: Effort) -> int:
    """Find the widest right operand up to which blocks pay, all narrower ones too."""
    k, widest = 256, 0
    for n in (2, 4, 8, 16, 32, 64, 128):
        rows = min(1 << int(np.log2(max(small // (k * n), 1))), 1024)
        if rows < DEFAULTS.fewest_rows:
            break
        if all(_gains(2048, k, n, [rows], dtype, effort)[rows] > GAIN for _ in range(2)):
            break  # twice: one disturbed race does not end the search
        widest = n
    return widest


def _rates(effort: Effort) -> dict[str, Any]:
    """Give the GFLOP/s of a wide and of a skinny product in one call."""
    rates: dict[str, list[float]] = {"wide": [], "skinny": []}
    for dtype in DTYPES:
        for name, (m, k, n) in {"wide": (128, 784, 512), "skinny": (1024, 784, 10)}.items():
            a, b = _numbers(m, k, dtype=dtype), _numbers(k, n, dtype=dtype)
            timed = Race({0: partial(a.dot, b, np.empty((m, n), dtype))}, effort)
            rates[name].append(_significant(2e-9 * m * k * n / timed.seconds(0)))
    return {name: tuple(pair) for name, pair in rates.items()}


def _wide(effort: Effort, found: dict[str, Any]) -> dict[str, Any]:
    """Find up to which operands wide products in blocks pay; none where BLAS may have threads."""
    if found["blas_threads"] != 1 or not wide.library().small_kernels:
        return wide.WHOLE | {"short": 0}
    cuts = {f"cut_{dtype}": _cut(dtype, effort, found) for dtype in DTYPES}
    return cuts | {"short": _short(found["small_product"], effort)}


def _short(small: int, effort: Effort) -> int:
    """Find up to how many terms blocks of rows of a wide product pay, in both precisions."""
    most, n = 0, 200
    for k in (8, 16, 32, 64, 128):
        rows = 1 << int(np.log2(max(small // (k * n), 1)))
        if any(_gains(4 * rows, k, n, [rows], dtype, effort)[rows] > GAIN for dtype in DTYPES):
            break
        most = k
    return most


def _cut(dtype: str, effort: Effort, found: dict[str, Any]) -> int:
    """Find the bytes of the operands up to which a wide product of a float type is cut.

    Several products take turns, so that their operands come from the cache behind the nearest.
    """
    known = {f"skinny_{d}": 0 for d in DTYPES} | found | dict.fromkeys(wide.CUT, 1 << 40)
    space = texts.executed(["product", "product_block"], Costs(**known), dtype)
    m, n, most, width = 128, 256, 0, np.dtype(dtype).itemsize
    for k in (256, 400, 512, 784, 1024):
        size = width * (m + n) * k
        turns = [
            (_numbers(m, k, dtype=dtype), _numbers(k, n, dtype=dtype), np.empty((m, n), dtype))
            for _ in range(2**24 // size)
        ]
        cut = partial(space["product"], block=space["product_block"](m, k, n, width))
        pair = {"whole": partial(_each, np.dot, turns), "cut": partial(_each, cut, turns)}
        if Race(pair, effort).ratio("cut", "whole") > GAIN:
            break
        most = size
    return most


def _each(product: Callable[..., Any], turns: list[tuple[Any, Any, Any]]) -> None:
    for a, b, out in turns:
        product(a, b, out)


# -- threads -----------------------------------------------------------------------------------


def _threads(effort: Effort, found: dict[str, Any]) -> dict[str, Any]:
    """Find the size from which on a second thread pays; on a busy or small machine, keep it."""
    try:
        space: dict[str, Any] = {}
        exec(pool.HEAD + pool.TEXT, space)
    except ImportError:
        return {}
    if (os.cpu_count() or 1) < 2:
        return {}
    pool.shared(space)
    tile = max(found["tile_bytes"] // (8 * TOUCHED), DEFAULTS.piece)
    x, lanes = _numbers(1 << 20), [np.empty(tile), np.empty(tile)]

    def body(lane: Any, k: int) -> None:
        part = x[k * tile : (k + 1) * tile]
        for f in (np.exp, np.tanh, np.square, np.negative):
            f(part, lane[: len(part)])

    for count in (4, 8, 16, 32):
        if count * tile > len(x):
            break
        run = space["run_tiles"]
        pair = {t: partial(run, body, lanes[:t], count) for t in (1, 2)}
        if Race(pair, replace(effort, clock=time.perf_counter)).ratio(2, 1) < 0.85:
            return {"threaded": count * tile}
    return {}


STEPS: dict[str, Callable[[Effort, dict[str, Any]], dict[str, Any]]] = {
    "calls": _calls,
    "entries": _entries,
    "tiles": _tiles,
    "products": _products,
    "wide products": _wide,
    "threads": _threads,
}
