"""What is flat over what overflows: the slope is 0, and not 0 times infinity."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.exact import value_and_gradient

STYLES: dict[str, dict[str, Any]] = {
    "fast": {"style": "fast"}, "readable": {"style": "readable"}, "accurate": {"accurate": True},
}  # fmt: skip
FAR = [-1000.0, -100.0, -30.0, -2.0, -0.3, 0.0, 0.7, 3.0, 30.0, 89.0, 800.0]
NEAR = [-3.0, -0.5, -0.1, -1e-3, 1e-3, 0.02, 0.3, 2.0]
GROWING = (
    "tanh(sinh(x))",
    "tanh(2*cosh(x/3) - 1)",
    "sigmoid(sinh(x))",
    "softsign(3*sinh(x))",
    "exp(-cosh(x))*x",
    "relu(1.5 - cosh(x))",
    "exp(-x*exp(x))",
    "tanh(x*exp(x))",
    "exp(-3*exp(-2*x))",
)
POLES = {  # with the value on either side of 0
    "exp(-1/x**2)": 0,
    "x*exp(-1/x**2)": 0,
    "exp(-1/abs(x))": 0,
    "exp(1 - x**(-2)/3)": 0,
    "exp(-(1/x)**2)": 0,
    "sigmoid(1/x**2)": 1,
    "tanh(2/x**4)": 1,
}


def judge(text: str, points: list[float], dtype: str, how: str) -> None:
    """Compare values and slopes of numbers and of arrays with the truth."""
    at = np.array(points, dtype)
    graph = sg.parse(text)
    found = [value_and_gradient(graph, {"x": float(x)}, digits=20) for x in at]
    true = np.array([[float(v), float(g["x"])] for v, g in found]).T
    values = sg.compile(f"x: param[N]; {text}", wrt=[], dtype=dtype, **STYLES[how])(x=at)[0]
    slopes = sg.compile(f"x: param[N]; sum({text})", dtype=dtype, **STYLES[how])(x=at)[1]["x"]
    single = [sg.compile(text, dtype=dtype, **STYLES[how])(x=x) for x in at]
    eps = 64 * float(np.finfo(dtype).eps)
    for got in ((values, slopes), ([v for v, _ in single], [g["x"] for _, g in single])):
        np.testing.assert_allclose(got, true, rtol=eps, atol=eps)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", GROWING)
def test_far_out(text: str, how: str, dtype: str) -> None:
    judge(text, FAR, dtype, how)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", POLES)
def test_at_a_pole(text: str, how: str, dtype: str) -> None:
    judge(text, NEAR, dtype, how)
    at = np.array([0.0, -0.0, 1e-30, -1e-12, 1e-4], dtype)
    values = sg.compile(f"x: param[N]; {text}", wrt=[], dtype=dtype, **STYLES[how])(x=at)[0]
    np.testing.assert_array_equal(values, POLES[text])
    slopes = sg.compile(f"x: param[N]; sum({text})", dtype=dtype, **STYLES[how])(x=at)[1]["x"]
    np.testing.assert_array_equal(slopes, 0)
    value, grads = sg.compile(text, dtype=dtype, **STYLES[how])(x=0.0)
    assert (value, grads["x"]) == (POLES[text], 0)


@pytest.mark.parametrize("how", STYLES)
def test_the_sides_of_a_pole_keep_their_signs(how: str) -> None:
    at = np.array([-1e-3, -1e-40, 1e-40, 1e-3])
    f = sg.compile("x: param[N]; tanh(1/x)", wrt=[], **STYLES[how])
    np.testing.assert_array_equal(f(x=at)[0], [-1, -1, 1, 1])


def test_what_others_read_is_not_capped() -> None:
    value, _ = sg.compile("x: param; c = cosh(x); c + tanh(c)")(x=800.0)
    assert value == np.inf
    assert sg.compile("x: param; exp(cosh(x))")(x=800.0)[0] == np.inf
    for text in (
        "s: positive; d: data[N]; sum(exp(-1/s*d))",
        "x: param[N]; sum(exp(-1/(1 + x**2)))",
    ):
        assert "1e-30" not in sg.compile(text, style="readable").program
