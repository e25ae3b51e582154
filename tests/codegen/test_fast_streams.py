"""Passes over long arrays in style fast: exponentials, constants beside rows, stencils, sums."""

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.codegen.fast import sizes, texts
from symgrad.codegen.fast.costs import Costs

TINY = Costs(tile_bytes=1, untiled_bytes=1, shortest_tile=1, longest_tile=5, piece=1,
             small_product=64, fewest_rows=1, fewest_terms=1)  # fmt: skip


def alike(text: str, at: dict[str, np.ndarray], dtype: str = "float64") -> str:
    """Compare tiny tiles, threads and kept results with the readable style; give the source."""
    graph = sg.parse(text)
    value, grads = sg.compile(graph, style="readable", dtype=dtype)(**at)
    functions = [build(graph, None, dtype, "fast", costs=TINY), sg.compile(graph, dtype=dtype)]
    functions += [
        sg.compile(graph, dtype=dtype, reuse=True),
        build(graph, None, dtype, "fast", threads=2, costs=TINY),
    ]
    tolerance = 1e-12 if dtype == "float64" else 2e-5
    for f in functions:
        for _ in range(2):
            found, others = f(**at)
            assert found == pytest.approx(value, rel=tolerance, abs=tolerance)
            for k, grad in grads.items():
                np.testing.assert_allclose(others[k], grad, rtol=tolerance, atol=tolerance)
    return functions[1].source


# -- exponentials --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("softplus(x)", True),
        ("sigmoid(x)", True),
        ("exp(-x**2)", True),
        ("exp(-3*abs(x))", True),
        ("exp(x)", False),  # a large result would lose digits
        ("exp(-x)", False),
        ("sum(softmax(x)*x)", True),
    ],
)
def test_powers_of_two_in_single_precision_where_results_are_small(
    text: str, expected: bool
) -> None:
    program = f"x: real[N]; sum({text})"
    quick = Costs(exp2=(0.1, 0.1))  # a processor whose NumPy has a fast exp2
    assert ("np.exp2" in source(program, "float32", quick)) == expected
    assert "np.exp2" not in source(program, "float64", quick)
    assert "np.exp2" not in source(program, "float32", Costs())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sigmoid(x)", True),
        ("1/(3 + exp(x))", True),
        ("x/(1 + exp(-x)) + 2/(1 + exp(-x))", True),
        ("1/(1 + exp(x)) + exp(x)", False),
        ("softplus(x)", False),
        ("log(1 + exp(x)) + exp(x)", False),
    ],
)
def test_one_and_an_exponential_in_a_quotient(text: str, expected: bool) -> None:
    program = f"x: data[N]; w: real[N]; sum(w*({text}))"
    assert ("np.expm1" in source(program, "float32", Costs())) == expected
    assert "np.expm1" not in source(program, "float64", Costs())
    dear = Costs(expm1=(9.0, 9.0))
    assert "np.expm1" not in source(program, "float32", dear)
    x = np.float32([-85, -20, -1, -1e-4, 0, 1e-4, 1, 20, 80])
    found = sg.compile(program, dtype="float32")(x=x, w=np.ones(9))[1]["w"]
    truth = sg.compile(program, accurate=True)(x=x, w=np.ones(9))[1]["w"]
    np.testing.assert_allclose(found, truth, rtol=64 * np.finfo("float32").eps, atol=0)


def source(program: str, dtype: str, costs: Costs) -> str:
    return build(sg.parse(program), None, dtype, "fast", costs=costs).source


@pytest.mark.parametrize("text", ["sigmoid(x)", "softplus(x)", "exp(-x**2)", "exp(-abs(x))*x"])
def test_they_keep_the_stated_accuracy(text: str) -> None:
    x = np.float32(
        [-1e30, -200, -88.5, -50.25, -17, -1, -1e-3, 0, 1e-9, 0.3, 2, 9, 30, 88, 104, 1e30]
    )
    f = sg.compile(f"x: real[N]; w: real[N]; sum(w*({text}))", dtype="float32")
    truth = {
        "sigmoid(x)": lambda v: 1 / (1 + mpmath.exp(-v)),
        "softplus(x)": lambda v: mpmath.log1p(mpmath.exp(-abs(v))) + max(v, 0),
        "exp(-x**2)": lambda v: mpmath.exp(-(v**2)),
        "exp(-abs(x))*x": lambda v: mpmath.exp(-abs(v)) * v,
    }[text]
    _, grads = f(x=x, w=np.ones(len(x)))  # the gradient in w is the value of each entry
    for v, found in zip(x, grads["w"], strict=True):
        true = truth(mpmath.mpf(float(v)))
        assert abs(float(found) - true) <= 64 * np.finfo("float32").eps * max(1, abs(true))


def test_a_power_of_two_that_is_typed() -> None:
    at = {"x": np.array([-3.0, 0, 0.5, 10])}
    assert "np.exp2" in alike("x: real[N]; sum(2**x)", at)
    value, _ = sg.compile("n: data[N]; x: real; x*sum(2**n)", wrt="x")(n=np.arange(5), x=1.0)
    assert value == pytest.approx(31.0)


# -- constants beside rows -----------------------------------------------------------------------


def test_constants_are_compared_as_rows() -> None:
    x = np.linspace(-3, 9, 37)
    for text in ("relu(x)*x", "hardtanh(x)*x", "relu6(x + 1)*x", "minimum(x, 2)*maximum(x, -1)"):
        source = alike(f"x: param[N]; sum({text})", {"x": x})
        assert "False, 0.0)" in source or "False, -1.0)" in source
    matrix = {"X": x.reshape(-1, 37).T, "W": np.ones((1, 4)), "v": np.arange(4.0)}
    alike("X: data[N, D]; W: param[D, H]; v: param[H]; sum((relu(X @ W) @ v)**2)", matrix)
    found, _ = sg.compile("x: param[N]; sum(relu(x)*x)")(x=np.array([1.0, np.nan]))
    assert np.isnan(found)


# -- stencils ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [4, 5, 6, 11, 23])
@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("x: param[n]; sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", True),
        ("x: param[n]; sum((x[2:] - 2*x[1:-1] + x[:-2])**2*x[1:-1])", True),
        ("p: param[n]; x = tanh(p); sum((x[1:]*x[:-1])**2)", True),
        ("x: param[n]; sum((x[1:]-x[:-1])**2) + sum((x[2:]-x[:-2])**2)", False),
        ("x: param[n]; sum(x[-3:]**3) + sum(exp(x[:3]))", True),
        ("x: param[n]; y: param[n]; sum(tanh(x[1:]*y[:-1])) + sum(x[:-1]*y[1:])", True),
    ],
)
def test_overlapping_parts_are_added_in_the_loop(text: str, inside: bool, n: int) -> None:
    rng = np.random.default_rng(n)
    at = {name: rng.normal(size=n) for name in [n.attrs["name"] for n in sg.parse(text).inputs]}
    source = alike(text, at)
    assert ("] += " not in source) == inside


def test_parts_of_matrices() -> None:
    u = np.random.default_rng(0).normal(size=(9, 7))
    alike(
        "u: param[n, m]; c = u[:-1, :-1]; "
        "sum(sqrt(1e-3 + (u[1:, :-1] - c)**2 + (u[:-1, 1:] - c)**2))",
        {"u": u},
    )
    alike("u: param[n, m]; sum((u[1:] - u[:-1])**4) + sum((u[:, 1:] - u[:, :-1])**2)", {"u": u})
    alike("u: param[n]; sum(u[::2]**3) + sum(exp(-u[1::2]**2))", {"u": u[0]})


# -- products and sums ---------------------------------------------------------------------------


def test_what_is_equal_is_computed_once() -> None:
    source = alike(
        "x: param[N]; y: param[N]; sum(sin(x*y) + exp(-(y*x)**2))",
        {"x": np.ones(3), "y": np.arange(3.0)},
    )
    assert source.count("multiply(x_rows, y_rows") == 1 and "multiply(y_rows, x_rows" not in source


def test_the_sum_of_a_product_that_is_there() -> None:
    text = (
        "X: data[N, D]; t: data[N, H]; W: param[D, H]; b: param[H]; mean((tanh(X @ W + b) - t)**2)"
    )
    rng = np.random.default_rng(0)
    at = {
        "X": rng.normal(size=(8, 3)),
        "t": rng.normal(size=(8, 4)),
        "W": rng.normal(size=(3, 4)),
        "b": rng.normal(size=4),
    }
    alike(text, at)


@pytest.mark.parametrize("terms", [2, 3, 8])
@pytest.mark.parametrize("order", ["C", "F"])
def test_sums_over_blocks_take_the_room_of_one(terms: int, order: str) -> None:
    space: dict[str, object] = {"np": np}
    exec(texts.ALIGNED + texts.WITHIN + texts.PRODUCT + texts.TURNED, space)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(24, 5)), np.array(rng.normal(size=(24, 3)), order=order)
    parts = space["parts_of"](5, 3, terms, "float64")
    assert parts[1].nbytes == 15 * 8
    out = np.empty((5, 3))
    for _ in range(2):
        space["turned_product"](a, b, out, parts, 1)
        np.testing.assert_allclose(out, a.T @ b, rtol=1e-12)


def test_tiles_are_longer_where_most_arrays_are_vectors() -> None:
    space: dict[str, object] = dict(Costs().constants("float64"))
    exec(sizes.ROWS_PER_TILE, space)
    rows = space["rows_per_tile"]
    assert (
        rows(100_000, 5, 8, 6)
        < 8_000
        <= rows(100_000, 5, 8, 6, True)
        <= 2 * rows(100_000, 5, 8, 6) + 4_096
    )
    assert rows(100_000, 1, 8, 6, True) == rows(100_000, 1, 8, 6)
    assert rows(100_000, 300, 8, 6, True) <= 2 * rows(100_000, 300, 8, 6)


def test_stacks_that_meet_an_input_are_stored_as_it_is() -> None:
    text = (
        "X: data[N, H, W]; k: param[2]; z = k[0]*X[:, :-1, :-1] + k[1]*X[:, 1:, 1:]; "
        "sum(mean(relu(z), axis=(1, 2))**2)"
    )
    X = np.random.default_rng(0).normal(size=(6, 5, 4))
    assert "W - 1 <= NARROW, 0.0" not in alike(text, {"X": X, "k": np.array([0.5, -1.0])})
