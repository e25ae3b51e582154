"""Roots of sums of two squares: fast where the squares are right, and right where they are not."""

import numpy as np
import pytest

import symgrad as sg

TEXTS = ["x: param[N]; y: param[N]; sum(sqrt(x**2 + y**2))", "x: param[N]; sum(sqrt(x**2 + 0.001))"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text", TEXTS)
def test_extremes_among_many(text: str, style: str, dtype: str) -> None:
    f = sg.compile(text, style=style, dtype=dtype)
    far = 1e200 if dtype == "float64" else 1e25
    for odd in (0.0, 1 / far, far, -far, np.inf, np.nan):
        x = np.linspace(1, 2, 5000).astype(dtype)
        x[77] = odd
        given = {"x": x, "y": np.where(x == odd, 0, x)} if "y" in f.inputs else {"x": x}
        other = given.get("y", np.sqrt(0.001))
        root = np.hypot(x.astype(np.float64), other)
        value, grads = f(**given)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = np.where(root == 0, 0, x / root)
        rough = 1e-12 if dtype == "float64" else 1e-5
        assert np.isclose(value, np.sum(root), rtol=rough, equal_nan=True)
        assert np.allclose(grads["x"], slope, rtol=rough, equal_nan=True)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_few_and_none(style: str) -> None:
    f = sg.compile(TEXTS[0], style=style)
    value, grads = f(x=np.array([3.0]), y=np.array([4.0]))
    assert value == 5 and grads["x"] == [0.6]
    value, grads = f(x=np.zeros(0), y=np.zeros(0))
    assert value == 0 and grads["x"].shape == (0,)


def test_parts_are_added_in_place() -> None:
    """In readable code, too, a stencil's slope takes no zeros around each of its parts."""
    text = "u: param[N, M]; f: data[N, M]; sum(exp(u[1:] - u[:-1])) + sum((u - f)**4)"
    f = sg.compile(text, style="readable")
    assert "unslice(" not in f.program and "np.zeros" not in f.program
    assert "grad_u[1:, :] += t_1" in f.program and "grad_u[:-1, :] -= t_1" in f.program
    rng = np.random.default_rng(0)
    u, at = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    kept = u.copy()
    expected = 4 * (u - at) ** 3
    step = np.exp(u[1:] - u[:-1])
    expected[1:] += step
    expected[:-1] -= step
    assert np.allclose(f(u=u, f=at)[1]["u"], expected)
    assert np.array_equal(u, kept)
    g = sg.compile("u: param[N]; v: param[N]; sum(u*v) + sum(u[1:]**2)", style="readable")
    v = rng.normal(size=4)
    given = v.copy()
    assert np.allclose(g(u=v, v=v)[1]["u"], v + np.r_[0, 2 * v[1:]])
    assert np.array_equal(v, given)  # what is added to is a copy


def test_opposite_parts_are_subtracted() -> None:
    """Fast code has no array for -δ: what is put at the left neighbours is subtracted there."""
    text = "u: param[N, M]; sum(exp(u[1:] - u[:-1])) + sum(exp(u[:, 1:] - u[:, :-1])) + sum(u**4)"
    f = sg.compile(text, style="fast")
    assert "subtract(grad_u_rows" in f.program and "negative(" not in f.program
    u = np.random.default_rng(3).normal(size=(300, 40))
    down, across = np.exp(u[1:] - u[:-1]), np.exp(u[:, 1:] - u[:, :-1])
    expected = 4 * u**3
    expected[1:] += down
    expected[:-1] -= down
    expected[:, 1:] += across
    expected[:, :-1] -= across
    assert np.allclose(f(u=u)[1]["u"], expected)
    one = sg.compile("x: param[N]; sum((x[1:] - x[:-1])**3)", style="fast")
    x = u.ravel()
    d = 3 * (x[1:] - x[:-1]) ** 2
    assert np.allclose(one(x=x)[1]["x"], np.r_[0, d] - np.r_[d, 0])
