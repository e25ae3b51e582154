"""Readable code adds up and takes largest entries along rows as fast as arrays by columns."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.ops import OPS


def body(text: str, **options: object) -> str:
    """Give the function of a readable module, of a program whose gradients are right."""
    assert sg.check(text)
    return sg.compile(text, style="readable", **options).program.split('    """\n')[-1]


SQUARES = "X: data[N, D]; W: param[D, K]; E = X @ W; "


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (SQUARES + "mean(E**2)", "np.vdot(E, E) / E.size"),
        (SQUARES + "sum(sqrt(sum(E**2, 1) + 1))", "np.vecdot(E, E)"),
        (SQUARES + "sum(sqrt(mean(E**2, 0) + 1))", 'np.einsum("ij,ij->j", E, E) / E.shape[0]'),
        (SQUARES + "sum((E/sqrt(sum(E**2, 1, True) + 1))**3)", "np.vecdot(E, E, keepdims=True)"),
        ("x: param[N]; y: data[N]; e = x - y; mean(e**2) + sum(exp(e))", "e @ e / e.size"),
    ],
)
@pytest.mark.parametrize("accurate", [False, True])
def test_sums_of_products_make_no_array_of_them(text: str, there: str, accurate: bool) -> None:
    assert there in body(text, accurate=accurate)


def test_float32_adds_up_rows_at_most() -> None:
    """A million numbers that BLAS adds one after the other lose digits."""
    assert "np.sum(np.vecdot(E, E)) / E.size" in body(SQUARES + "mean(E**2)", dtype="float32")
    text = "x: param[N]; y: data[N]; e = x - y; sum(e**2) + sum(exp(e))"
    assert "np.sum(e ** 2)" in body(text, dtype="float32")


def test_what_is_no_product_of_whole_arrays_stays() -> None:
    text = "X: param[N, D]; v: data[D]; c: data; sum(exp(sum(c*X, 1))) + sum((X > 0)*X*v)"
    written = body(text)
    assert "vecdot" not in written and "vdot" not in written


@pytest.mark.parametrize("name", ["max_along", "sum_along"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((5,), 0), ((5,), -1), ((7, 4), 1), ((7, 4), 0), ((7, 4), -1), ((3, 80), 1), ((3, 80), 0),
     ((4, 5, 6), 1), ((4, 5, 6), 0), ((4, 5, 6), -1), ((4, 5, 6), -2), ((4, 5, 6), (0, 2)),
     ((4, 5), None), ((4, 1), 1)],
)  # fmt: skip
def test_along_any_axis(name: str, shape: tuple[int, ...], axis: int) -> None:
    space: dict[str, object] = {"np": np}
    exec(OPS[name].helper, space)
    plain = np.max if name == "max_along" else np.sum
    x = np.random.default_rng(0).normal(size=shape)
    for special in (x, np.where(x > 1, np.inf, x), np.where(x < -1, np.nan, -np.inf)):
        found = space[name](special, axis)
        np.testing.assert_allclose(found, plain(special, axis=axis, keepdims=True), rtol=1e-14)


@pytest.mark.parametrize("text", ["sum(exp(1 + erf(x/sqrt(2))))", "sum(y*(1 - erf(x)))"])
def test_one_plus_erf_is_the_normal_distribution(text: str) -> None:
    written = body(f"x: param[N]; y: data[N]; {text}")
    assert "normal_cdf(" in written and " erf(" not in written
    f = sg.compile(f"x: param[N]; y: data[N]; {text}", style="readable")
    at = {"x": np.array([-3.0, 0.2, 2.0]), "y": np.array([1.0, 2.0, 3.0])}
    found = sg.backprop(f"x: param[N]; y: data[N]; {text}", at)
    value, gradients = f(**at)
    assert value == pytest.approx(float(found.value), rel=1e-14)
    np.testing.assert_allclose(gradients["x"], found.grad["x"], rtol=1e-13)


def test_numbers_multiply_once_where_digits_are_kept() -> None:
    text = "X: data[N, D]; w: param[D]; y: data[N]; mean((X @ w - y)**2)/2"
    assert "1 / N * t_1" in body(text, accurate=True)
    text = "X: param[N, D]; u: data[D]; h: data[N]; sum(tanh(X @ u)*h)"
    assert "np.sum(" not in body(text, accurate=True)


def test_rows_times_vectors_are_products_where_digits_are_kept() -> None:
    text = "h: param[N]; u: param[D]; Z: data[N, D]; sum((Z + h[:, None]*u)**4)"
    written = body(text, accurate=True)
    assert " @ u" in written and " @ h" in written


NEIGHBOURS = """u: param[H, W]; f: data[H, W]
sum((u - f)**2) + 0.5*(sum((u[1:] - u[:-1])**2) + sum((u[:, 1:] - u[:, :-1])**2))"""
BENDING = "c: param[N]; x: data[N]; c @ x + sum((c[2:] - 2*c[1:-1] + c[:-2])**2)"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (NEIGHBOURS, ["grad_u[:, :-1] -= t_", "grad_u[:, 1:] += t_", "grad_u[1:, :] += "]),
        (BENDING, ["grad_c = np.array(x, ", "grad_c[:-2] += delta", "grad_c[1:-1] -= 2 * delta"]),
        ("t: param[2, N]; sum(sin(t[0])*t[1])", ["grad_t = np.zeros((2, N)", "grad_t[0, :] += "]),
    ],
)
def test_parts_of_a_gradient_are_added_in_place(text: str, lines: list[str], dtype: str) -> None:
    written = body(text, dtype=dtype)
    assert all(f"\n    {line}" in written for line in lines) and "unslice(" not in written
    graph = sg.parse(text)
    rng = np.random.default_rng(1)
    sizes = {"H": 5, "W": 4, "N": 6}
    at = {n.attrs["name"]: rng.normal(size=[sizes.get(d, d) for d in n.shape]).astype(dtype)
          for n in graph.inputs}  # fmt: skip
    before = {name: value.copy() for name, value in at.items()}
    value, gradients = sg.compile(text, style="readable", dtype=dtype)(**at)
    found = sg.backprop(graph, at)
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    assert value == pytest.approx(float(found.value), rel=tolerance)
    for name in gradients:
        assert gradients[name].dtype == dtype
        np.testing.assert_allclose(gradients[name], found.grad[name], atol=10 * tolerance)
    for name, value in before.items():
        np.testing.assert_array_equal(at[name], value)  # what the caller has is not changed


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_tables_of_stacks_may_have_no_columns(style: str) -> None:
    text = "X: data[N, T, C]; W: param[C, F]; D: data[N, T, F]; sum((X @ W - D)**2)"
    f = sg.compile(text, style=style)
    for rows, columns in ((3, 0), (0, 2)):
        shapes = {"X": (rows, 4, columns), "W": (columns, 2), "D": (rows, 4, 2)}
        value, grads = f(**{name: np.ones(shape) for name, shape in shapes.items()})
        assert value == rows * 8 and grads["W"].shape == (columns, 2)
