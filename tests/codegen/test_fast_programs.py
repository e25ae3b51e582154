"""Style fast against style readable on random programs, in short tiles and in long ones.

A failure names its number; `python tests/fuzz.py --show --seed NUMBER` prints the program.
"""

import re
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point as sample
from symgrad.codegen import build
from symgrad.codegen.fast.costs import DEFAULTS
from symgrad.graph import Graph
from tests.codegen.test_fast import ODD, PROGRAMS, SINGLE, TINY, agree, fresh, numbers, results
from tests.programs import place, program
from tests.rewrite.test_random_programs import DECLARED, ONCE_WRONG, point

COUNT, GROUP = 125, 25
COSTS = (TINY, DEFAULTS, SINGLE)


def same(graph: Graph, at: dict[str, Any], seed: int, **options: Any) -> None:
    """Compare within rounding, or within what the readable style itself is off from double."""
    dtype = options["dtype"]
    options["wrt"] = [] if graph.output.shape else None
    readable = build(graph, style="readable", **options)
    fast = build(graph, style="fast", costs=COSTS[seed % 3], **options)
    with warnings.catch_warnings(record=True) as before:
        warnings.simplefilter("always")
        expected = exact = readable(**at)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if before else "error", RuntimeWarning)
        found, again = fast(**at), fast(**at)
    with np.errstate(all="ignore"):
        if dtype == "float32":
            double = {
                k: np.float64(v) if np.asarray(v).dtype.kind == "f" else v for k, v in at.items()
            }
            exact = build(graph, style="readable", **{**options, "dtype": "float64"})(**double)
    fresh([*results(found), *results(again)], at)
    eps = float(np.finfo(dtype).eps)
    rows = zip(results(found), results(again), results(expected), results(exact), strict=True)
    for (name, a), (_, twice), (_, b), (_, c) in rows:
        assert np.array_equal(a, twice, equal_nan=True), name
        assert np.asarray(a).dtype == np.dtype(dtype) and np.shape(a) == np.shape(b), name
        a, b, c = (np.asarray(v, np.float64) for v in (a, b, c))
        with np.errstate(all="ignore"):
            off = np.nan_to_num(np.abs(b - c), posinf=0.0)
            near = 64 * eps * max(1.0, float(np.nanmax(np.abs(b), initial=0.0))) + 8 * np.max(
                off, initial=0.0
            )
        np.testing.assert_allclose(a, b, rtol=64 * eps, atol=near, err_msg=name)


@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@pytest.mark.parametrize("first", range(0, COUNT, GROUP))
def test_random_programs(first: int) -> None:
    for seed in range(first, first + GROUP):
        p = program(seed, nasty=False)
        dtype, accurate = ("float64", "float32")[seed % 4 == 1], seed % 5 == 2
        try:
            graph = sg.parse(p.text)
            same(graph, given(graph, place(p), dtype), seed, dtype=dtype, accurate=accurate)
        except Exception as error:
            raise AssertionError(f"program {seed}:\n{p.text}") from error


def given(graph: Graph, at: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Give what the graph reads, in a float type."""
    at = {n.attrs["name"]: at[n.attrs["name"]] for n in graph.inputs}
    return {n: np.asarray(v, dtype)[()] if np.asarray(v).dtype.kind == "f" else v
            for n, v in at.items()}  # fmt: skip


@pytest.mark.parametrize("text", ONCE_WRONG)
def test_programs_on_which_other_ways_once_disagreed(text: str) -> None:
    same(sg.parse(DECLARED + text), point(1), 0, dtype="float64")


ONCE_WRONG_HERE = {
    "a result over an array that is also read transposed": "U: param[C, N]\nsum((U.T @ (2*U))**3)",
    "the same where that is not symmetric": "U: param[C, N]\nV: data[N, N]\n"
    "sum((V*(U.T @ (2*U)))**3)",
    "a matrix beside itself transposed": "U: param[N, N]\nV: data[N, N]\nB = tanh(U)\n"
    "sum((V*(B + B.T))**3)",
    "the same in a sum": "X: param[N, D]\nx: param\n"
    "sum((X @ X.T) @ (where(X <= x, X/2, tanh(X)) - x)**2)",
    "the sine of a condition, in float16": "A: param[C, N]\nmean(sin(max(A, axis=0) > 0.3))",
    "the sum of two conditions": "X: param[N, D]\nm = X > 0\nk = X > 0.5\n"
    "sum(where(m, X, 0) + where(k, 1, X)) + sum(tanh(m + k))",
    "a product of two conditions": "X: data[N, D]\nR: data[N, C]\nV: param[C, D]\n"
    "sum(minimum(((X > 0)*1.5) @ V.T, R))",
    "a transposed result": "A: param[C, D]\nmean(hardswish(A.T))",
    "a diagonal, which is a view": "W: param[C, D]\nA: param[D, D]\nd = diag(W.T @ W)*W\n"
    "logsumexp(d) + norm(A**2) + sum(diag(A @ A)*A)",
    "two statements in one": "c: param[D, D]\nS: labels[N, D]\nX: param[N, D]\n"
    "sum((X**2)**3) + cross_entropy((X*2)**3, S)",
    "a condition on a number, as a factor": "X: param[N]\nmaximum(min(X), 0)",
    "an array of a quotient of sizes": "A: param[D, D]\nsum(mean(A @ A, axis=0))",
    "the same, added up": "A: param[N, D]\nmean(cumsum(A**2, axis=1))",
    "a case of two such quotients": "A: param[N, C]\nmean(leaky_relu(2/A))",
    "numbers alone on both sides": "x: param\nu: param[N]\nx*(0 >= 1) + sum(u)*(2 > 1)",
    "a named condition on numbers": "W: param[N, D]\nr: param\nt = ((W - W) == 1e-3)*r\nnorm(t)",
    "a branch that is never taken": "x: param\nwhere(x - x < -0.1, 1/(x - x), 0)*sigmoid(x)",
    "an array that nothing uses": "x: param\nu: data[N]\nx**2",
    "a value called _": "_: param[N, D]\nq = tanh(_**3)\nsum(q*softmax(q))",
    "a turned product by columns": "U: param[C, N]\nB: data[C, D]\n"
    "sum(log_softmax(U.T @ B, axis=1)*(U.T @ B))",
}  # fmt: skip


@pytest.mark.parametrize("what", ONCE_WRONG_HERE)
@pytest.mark.parametrize(("number", "dtype"), [(0, "float64"), (1, "float32"), (2, "float64")])
def test_programs_that_once_went_wrong(what: str, number: int, dtype: str) -> None:
    graph = sg.parse(ONCE_WRONG_HERE[what])
    same(graph, given(graph, sample(graph), dtype), number, dtype=dtype)


TAKEN = (
    "rows tile0 buf0 loop0 held sizes IDLE workspace np add exp c0 c1 v1 w1 ones_N product "
    "tiles out self multiply terms1 blocks1 loop0_1 float len range PIECE NARROW value_and_grad "
    "with_rows rows_per_tile v11 grad_W W_rows part_rows tile0_rows maximum sum_blocks N D C "
    "turned_product SMALL_PRODUCT ones_D buf1 buf0_rows value grads slice min max "
)
NAMES = TAKEN.split()


@pytest.mark.parametrize("first", range(0, len(NAMES), 7))
@pytest.mark.parametrize("turn", range(0, 7, 3))
def test_names_that_the_module_uses_itself(first: int, turn: int) -> None:
    """As inputs, as dimensions, and as names of values, seven of them at a time."""
    plain = ("X0: data[N0, D0]\nW0: param[D0, K]\nu0: param[N0]\nh0 = X0 @ W0\n"
             "q0 = softmax(h0)*u0[:, None]\n"
             "sum(tanh(q0)*h0 + 2*relu(q0)) + sum(q0.T @ X0)")  # fmt: skip
    old = ("X0", "W0", "u0", "h0", "q0", "N0", "D0")
    new = dict(zip(old, (NAMES * 2)[first + turn : first + turn + 7], strict=True))
    at = numbers(sg.parse(plain), {**ODD, "N0": 7, "D0": 5}, 3)
    expected = sg.compile(plain, style="readable")(**at)
    text = re.sub(r"\b\w0\b", lambda m: new[m[0]], plain)
    value, grads = build(sg.parse(text), style="fast", costs=TINY)(
        **{new[k]: v for k, v in at.items()}
    )
    agree((value, {k: grads[new[k]] for k in expected[1]}), expected, scale=64.0)


def test_a_wrong_result_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from symgrad.codegen.fast.storage import Storage

    monkeypatch.setattr(Storage, "by_rows", lambda *_: True)
    text = ONCE_WRONG_HERE["a matrix beside itself transposed"]
    with pytest.raises(AssertionError, match="Not equal"):
        same(sg.parse(text), sample(sg.parse(text)), 2, dtype="float64")


def test_it_runs_alone_with_short_tiles(tmp_path: Any) -> None:
    """In a process where only NumPy can be imported, with warnings as errors; the same bits."""
    code = "import sys, warnings\nwarnings.simplefilter('error')\nimport numpy as np\n"
    for k, name in enumerate(PROGRAMS):
        f = build(sg.parse(PROGRAMS[name]), style="fast", costs=TINY)
        (tmp_path / f"m{k}.py").write_text(f.program, encoding="utf-8")
        at = numbers(f.graph, ODD)
        found = {f"out_{n}": v for n, v in results(f(**at))}
        np.savez(tmp_path / f"m{k}.npz", **{f"in_{n}": v for n, v in at.items()}, **found)
        code += (
            f"space, data = {{}}, np.load({str(tmp_path / f'm{k}.npz')!r})\n"
            f"exec(open({str(tmp_path / f'm{k}.py')!r}, encoding='utf-8').read(), space)\n"
            "f = space['value_and_grad']\n"
            "given = {n[3:]: data[n] for n in data.files if n.startswith('in_')}\n"
            "value, grads = f(**given)\n"
            "assert all(np.array_equal(dict(grads, value=value)[n[4:]], data[n])"
            " for n in data.files if n.startswith('out_'))\n"
        )
    code += "assert 'symgrad' not in sys.modules and 'networkx' not in sys.modules\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
