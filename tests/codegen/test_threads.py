"""Loops over tiles in several threads: the same bits, whatever the sizes, names and callers."""

import builtins
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.cli import main
from symgrad.codegen import build
from symgrad.codegen.fast import pool
from symgrad.codegen.fast.costs import Costs
from symgrad.errors import SymgradError, UsageError

pytest.importorskip("threadpoolctl")

# tiles of a few rows, shared from the first row on
SHARED = Costs(
    threaded=1, untiled_bytes=64, tile_bytes=2048, shortest_tile=16, longest_tile=64, piece=8
)
CHAIN = (
    "x: param[n]; a: param; b: param; sum(softplus(a*x)*tanh(b*x) + silu(x)*exp(-x**2)) + a*mean(x)"
)
PROGRAMS = {
    "chain": CHAIN,
    "rows": "X: data[N, D]; t: data[N]; w: param[D]; b: param; bce_with_logits(X @ w + b, t)",
    "head": "X: data[N, D]; y: labels[N, D]; b: param[D]; cross_entropy(X*b + b, y)",
    "norm": "X: data[N, D]; W: param[D, D]; g: param[D]; b: param[D]\n"
    "sum(tanh(batch_norm(X @ W, g, b))**3)",
    "parts": "x: param[N]; sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)",
    "two": "x: param[N]; y: param[M]; sum(exp(x)*tanh(x)) * sum(sin(y)*cos(y)**2)",
    "cube": "x: data[N, 3, 4]; w: param[3, 4]; p = tanh(x*w); sum(sum(p*p*x, axis=0)**2)",
    "whole": "x: param[N]; s = sum(exp(x)); sum((exp(x)/s)**2*x) + sum(x*tanh(x))",
    # what loops read is let go of
    "running": "x: param[N]; t: data[N]; sum(exp(cumsum(x)/99 - t)*tanh(x))",
    "table": "r: data[N]; i: labels[N, D]; P: param[D, 4]; sum((r - sum(P[i]**2, axis=1))**2)",
    "solved": "A: data[N, N]; b: param[N]; t: data[N]\n"
    "sum((tanh(solve(A @ A.T + eye(N), b)) - t)**2)",
    "names": "k: param[N]; lane: param; one_tile: param; added: param; parts: param; os: param\n"
    "sum(exp(k*lane)*tanh(k + one_tile)*(k + added)*(os + k)**2*parts)",
    "dims": "x: param[lanes]; y: data[lanes, THREADS]; k = exp(x)*tanh(x); sum((y.T @ k)**2)",
}
SIZES: dict[str, Any] = {"D": 3, "THREADS": 3, "M": 50}


def given(graph: sg.Graph, rows: int, seed: int = 0) -> dict[str, Any]:
    """Make inputs with so many rows."""
    rng, found = np.random.default_rng(seed), {}
    for node in graph.inputs:
        shape = [d if isinstance(d, int) else SIZES.get(str(d), rows) for d in node.shape]
        labels = node.attrs["kind"] == "labels"
        name = node.attrs["name"]
        found[name] = rng.integers(3, size=shape) if labels else 0.6 * rng.normal(size=shape)
    return found


def names(f: sg.Compiled) -> dict[str, Any]:
    """Give the names of a compiled module."""
    return f._function.__wrapped__.__globals__  # type: ignore[attr-defined, no-any-return]


def lanes_used(f: sg.Compiled) -> list[int]:
    """Note in the list that is returned how many lanes each loop of later calls has."""
    space = names(f)
    seen: list[int] = []
    run = space["run_tiles"]

    def noted(body: Any, lanes: Any, count: int) -> None:
        seen.append(min(len(lanes), count))
        run(body, lanes, count)

    space["run_tiles"] = noted
    return seen


def assert_same(found: tuple[Any, Any], expected: tuple[Any, Any]) -> None:
    assert found[0] == expected[0]
    assert list(found[1]) == list(expected[1])
    for name, gradient in expected[1].items():
        assert type(found[1][name]) is type(gradient)
        assert found[1][name].dtype == gradient.dtype
        np.testing.assert_array_equal(found[1][name], gradient)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_same_bits_with_any_number_of_threads(name: str, dtype: str) -> None:
    graph = sg.parse(PROGRAMS[name])
    alone = build(graph, dtype=dtype, costs=SHARED)
    plain = build(graph, dtype=dtype, style="readable")
    for threads in (2, 3):
        for reuse in (False, True):
            f = build(graph, dtype=dtype, costs=SHARED, threads=threads, reuse=reuse)
            seen = lanes_used(f)
            for rows in (2, 97, 400, 97):
                inputs = given(graph, rows)
                assert_same(f(**inputs), alone(**inputs))
            assert max(seen) == threads
    value, gradients = plain(**inputs)
    tolerance = 1e-10 if dtype == "float64" else 1e-3
    assert f(**inputs)[0] == pytest.approx(value, rel=tolerance)
    for k, gradient in f(**inputs)[1].items():
        size = float(np.max(np.abs(gradients[k])))
        np.testing.assert_allclose(gradient, gradients[k], rtol=0, atol=tolerance * size)


def test_results_are_fresh() -> None:
    f = build(sg.parse(PROGRAMS["rows"]), costs=SHARED, threads=2)
    inputs = given(f.graph, 100)
    _, first = f(**inputs)
    kept = first["w"].copy()
    _, second = f(**{**inputs, "w": inputs["w"] + 1})
    assert not np.shares_memory(first["w"], second["w"])
    np.testing.assert_array_equal(first["w"], kept)


def test_little_work_is_not_shared() -> None:
    f = sg.compile(CHAIN, threads=2)
    seen = lanes_used(f)
    for rows in (1, 1000, 40_000):
        f(**given(f.graph, rows))
    assert seen == [1, 1, 1]
    few = sg.compile("p: data[n]; q: param[n]; mean((p - q)**2)", threads=2)
    seen = lanes_used(few)
    few(**given(few.graph, 300_000))
    assert seen == [1]  # three passes
    few(**given(few.graph, 1_000_000))
    assert seen == [1, 2]


def test_many_entries_of_sums_are_not_kept_by_tile() -> None:
    f = build(sg.parse(PROGRAMS["rows"]), costs=SHARED, threads=2)
    alone = build(f.graph, costs=SHARED)
    seen = lanes_used(f)
    rng = np.random.default_rng(0)
    inputs = {"X": rng.normal(size=(9, 500)), "t": rng.random(9), "w": rng.normal(size=500), "b": 1}
    assert_same(f(**inputs), alone(**inputs))
    assert seen == [1]
    workspace = next(iter(names(f)["IDLE"].values()))
    assert all(a.shape[0] == 1 for a in workspace if isinstance(a, np.ndarray) and a.ndim == 2)


def test_one_thread_is_the_module_without_threads() -> None:
    graph = sg.parse(CHAIN)
    assert sg.compile(graph, threads=1).source == sg.compile(graph).source
    assert "thread" not in sg.compile(graph).source
    no_loop = sg.compile("A: param[N, N]; det(A)", threads=2)
    assert "threadpoolctl" not in no_loop.source
    assert no_loop.source == sg.compile(no_loop.graph).source


def test_many_callers_at_a_time() -> None:
    f = build(sg.parse(PROGRAMS["norm"]), costs=SHARED, threads=2)
    inputs = [given(f.graph, rows, seed) for seed, rows in enumerate((60, 60, 200, 333))]
    expected = [f(**i) for i in inputs]
    failed: list[Any] = []

    def caller(k: int) -> None:
        try:
            for _ in range(10):
                assert_same(f(**inputs[k]), expected[k])
        except BaseException as error:
            failed.append(error)

    callers = [threading.Thread(target=caller, args=(k,)) for k in range(4)]
    for one in callers:
        one.start()
    for one in callers:
        one.join(60)
    assert not failed


def test_what_is_not_finite_passes_silently() -> None:
    f = build(sg.parse("x: param[N]; sum(log(x)*tanh(x))"), costs=SHARED, threads=2)
    x = np.ones(400)
    good = f(x=x)
    for place in (0, 399):  # a tile of this thread, a tile of the other
        bad = x.copy()
        bad[place] = -1
        with np.errstate(invalid="raise"):  # NaN is an answer, of this thread and of the others
            assert np.isnan(f(x=bad)[0])
    assert_same(f(x=x), good)


def test_derived_functions_use_the_threads() -> None:
    f, alone = sg.compile(CHAIN, threads=2), sg.compile(CHAIN)
    inputs = given(f.graph, 30)
    v = {"x": inputs["x"], "a": 1.0}
    product, expected = f.hvp(v, **inputs), alone.hvp(v, **inputs)
    for name in expected:
        np.testing.assert_array_equal(product[name], expected[name])
    assert next(iter(f._products.values())).function.threads == 2


def test_it_travels() -> None:
    f = build(sg.parse(CHAIN), costs=SHARED, threads=3)
    again = pickle.loads(pickle.dumps(f))
    assert again.threads == 3
    assert again.source == f.source
    inputs = given(f.graph, 150)
    assert_same(again(**inputs), f(**inputs))


def test_the_module_stands_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "model.py"
    command = ["code", CHAIN, "--style", "fast", "--threads", "2", "-o", str(path)]
    assert main(command) == 0
    assert "THREADS = 2" in path.read_text(encoding="utf-8")
    code = "import model, numpy as np; print(model.value_and_grad(x=np.ones(300000), a=1, b=1)[0])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True,
                          text=True, timeout=60)  # fmt: skip
    assert done.stderr == ""
    assert float(done.stdout) == sg.compile(CHAIN, threads=2)(x=np.ones(300_000), a=1, b=1)[0]
    checked = subprocess.run([sys.executable, "model.py", "--check"], cwd=tmp_path, timeout=60)
    assert checked.returncode == 0
    capsys.readouterr()
    assert main(["code", CHAIN, "--threads", "2"]) != 0
    assert "threads=2 is for style='fast'" in capsys.readouterr().err


def test_bad_requests_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="threads=2 is for style='fast'"):
        sg.compile(CHAIN, style="readable", threads=2)
    with pytest.raises(UsageError, match="threads=0 is not a number of threads"):
        sg.compile(CHAIN, threads=0)
    travelling = pickle.dumps(sg.compile(CHAIN, threads=2))
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "threadpoolctl":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for bring in (lambda: sg.compile(CHAIN, threads=2), lambda: pickle.loads(travelling)):
        with pytest.raises(UsageError, match=r"^threads need .*symgrad\[threads\]'.*$"):
            bring()
    assert sg.compile(CHAIN)(x=[1.0], a=1, b=1)[0] > 0


def test_what_is_not_the_known_text_is_refused() -> None:
    source = sg.compile(CHAIN, threads=2).program
    pool.executed(source)
    for before, after in (("os.getpid()", "os.getppid()"), ("THREADS = 2", "os.abort()")):
        assert before in source
        with pytest.raises(SymgradError, match="the generated module contains"):
            pool.executed(source.replace(before, after))
