"""Slopes take products of matrices, and arrays that are slopes themselves, from the value."""

import numpy as np
import pytest

import symgrad as sg

GAUSS = "X: real[N, D]\nm: real[D]\nS: symmetric[D, D]\nL = sum((X - m)*((X - m)@inv(S)))/2"


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_slope_of_a_quadratic_form_takes_its_product(style: str) -> None:
    f = sg.compile(GAUSS, style=style)
    rng = np.random.default_rng(5)
    x, m, a = rng.normal(size=(7, 3)), rng.normal(size=3), rng.normal(size=(3, 3))
    s = a @ a.T + np.eye(3)
    value, grads = f(X=x, m=m, S=s)
    t = (x - m) @ np.linalg.inv(s)
    assert value == pytest.approx(np.sum((x - m) * t) / 2)
    np.testing.assert_allclose(grads["X"], t, atol=1e-12)
    np.testing.assert_allclose(grads["m"], -t.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(grads["S"], -t.T @ t / 2, atol=1e-12)
    if style == "readable":
        assert f.program.count(" @ ") == 2
        assert "δ" not in f.program  # no product of the value is called an adjoint


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("z: real[K]; u: real[K]; sum(u*log_softmax(z))", "= log_softmax("),
        ("a: real[N]; X: real[N, D]; b: real[D]; a@X@b", "a @ X"),
        ("c: real[T]; y: positive; P = sum(c[t]*exp(-y*t) for t in T)", "np.exp("),
    ],
)
def test_an_array_that_is_a_slope_is_computed_once(text: str, call: str) -> None:
    f = sg.compile(text, style="readable")
    assert f.program.count(call) == 1
    assert sg.check(text)


def test_products_of_other_factors_stay() -> None:
    text = "A: real[N, D]; B: real[D, K]; C: real[K, N]; sum((A@B)*(A@B)) + trace(A@B@C)"
    assert sg.check(text)
    f = sg.compile(text, style="readable")
    rng = np.random.default_rng(6)
    a, b, c = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=(2, 4))
    _, grads = f(A=a, B=b, C=c)
    np.testing.assert_allclose(grads["C"], (a @ b).T, atol=1e-12)
    np.testing.assert_allclose(grads["A"], 2 * a @ b @ b.T + (b @ c).T, atol=1e-12)
