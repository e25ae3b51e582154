"""Roots of powers and norms of any order: finite at 0, and where the powers leave the range."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.exact import value_and_gradient

STYLES: dict[str, dict[str, Any]] = {
    "fast": {"style": "fast"}, "readable": {"style": "readable"}, "accurate": {"accurate": True},
}  # fmt: skip


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("sum(abs(x)**3)**(1/3)", 3),
        ("sum(x**4)**(1/4)", 4),
        ("sum(abs(x)**2.5)**0.4", 2.5),
        ("p = 1.5; sum(abs(x)**p)**(1/p)", 1.5),
        ("sum(abs(x)**q)**(1/q)", 3),
    ],
)
def test_norms_of_any_order(text: str, order: float, how: str) -> None:
    *before, last = text.split("; ")
    head = "\n".join(["x: param[N]; q: data", *before, ""])
    f = sg.compile(f"{head}{last}", **STYLES[how])
    at = {"q": 3.0}
    value, grads = f(x=np.zeros(3), **at)
    assert value == 0
    assert not grads["x"].any()
    plain = np.array([3.0, -1.0, 0.0, 2.0])
    size = np.sum(np.abs(plain) ** order) ** (1 / order)
    slope = np.sign(plain) * (np.abs(plain) / size) ** (order - 1)
    for scale in (1.0, 1e150, 1e-200):
        value, grads = f(x=scale * plain, **at)
        assert value == pytest.approx(scale * size, rel=1e-14)
        np.testing.assert_allclose(grads["x"], slope, rtol=1e-13)


@pytest.mark.parametrize("how", STYLES)
def test_norms_of_rows(how: str) -> None:
    f = sg.compile("X: param[N, D]; sum(sum(abs(X)**3, axis=1)**(1/3))", **STYLES[how])
    value, grads = f(X=np.array([[0.0, 0.0], [3e200, -4e200]]))
    size = (27 + 64) ** (1 / 3)
    assert value == pytest.approx(1e200 * size)
    np.testing.assert_allclose(grads["X"], [[0, 0], [(3 / size) ** 2, -((4 / size) ** 2)]])


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "value", "slope"),
    [
        ("(x**4)**(1/4)", np.abs, np.sign),
        ("(abs(x)**3)**(1/3)", np.abs, np.sign),
        ("sqrt(x**4)", lambda x: x**2, lambda x: 2 * x),
        ("(x**2)**0.75", lambda x: np.abs(x) ** 1.5, lambda x: 1.5 * np.sign(x) * abs(x) ** 0.5),
        ("sqrt(x**4 + x**2)", lambda x: np.hypot(x**2, x), lambda x: x / np.hypot(x, 1) * 2),
    ],
)
def test_roots_of_powers(text: str, value: Any, slope: Any, how: str) -> None:
    f = sg.compile(f"x: param[N]; c: data[N]; sum(c*{text})", **STYLES[how])
    far = [1e-120, -1e-90] if "+" in text else [1e-120, -1e-90, 1e100, -1e140]
    x = np.array([0.0, *far])
    for k, unit in enumerate(np.eye(len(x))):
        found, grads = f(x=x, c=unit)
        assert found == pytest.approx(value(x[k]), rel=1e-14)
        true = np.sign(x[k]) if "+" in text else slope(x[k])  # sqrt(x**4 + x**2) is |x| near 0
        assert grads["x"][k] == pytest.approx(true, rel=1e-14)


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", ["sqrt(x**2 + exp(2*k))", "(exp(2*k) + x**2)**0.5"])
def test_hypotenuses_with_an_exponential(text: str, how: str) -> None:
    f = sg.compile(f"x: param; k: param; {text}", **STYLES[how])
    for x, k in ((1e200, 1.0), (3.0, 400.0), (0.0, -400.0), (4.0, np.log(3.0)), (1e-200, -460.0)):
        value, grads = f(x=x, k=k)
        size = np.hypot(x, np.exp(k))
        assert value == pytest.approx(size, rel=1e-13)
        assert grads["x"] == pytest.approx(x / size, rel=1e-13)
        assert grads["k"] == pytest.approx(np.exp(k) * (np.exp(k) / size), rel=1e-13)


@pytest.mark.parametrize(
    "text", ["x/(k + x)", "5*x/(k + x)", "(x/k)**4/2/(1 + (x/k)**4)", "x**n/(k**n + x**n)"]
)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_accurate_slopes_of_shares_keep_their_digits(text: str, style: str) -> None:
    """1 - x/(k + x) would be 0 where x is large beside k."""
    inputs = "".join(f"{name}: real[N]\n" for name in "xkn" if name in text)
    f = sg.compile(f"{inputs}sum({text})", style=style, accurate=True)
    at = {"x": 3e7, "k": 2.0, "n": 1.5}
    _, slopes = f(**{name: np.array([at[name]]) for name in "xkn" if name in text})
    _, true = value_and_gradient(sg.parse(text), {name: at[name] for name in slopes})
    for name, slope in slopes.items():
        assert slope[0] == pytest.approx(float(true[name]), rel=1e-14, abs=0), name
