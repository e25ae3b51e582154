"""Quotients that are 0/0 at one place: value and slope are finite there and right beside it."""

from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.exact import value_and_gradient

STYLES: dict[str, dict[str, Any]] = {
    "fast": {"style": "fast"}, "readable": {"style": "readable"}, "accurate": {"accurate": True},
}  # fmt: skip
NEAR = [-3.0, -0.6, -0.3, -0.05, -1e-4, -1e-9, 1e-17, 1e-5, 1e-2, 0.2, 0.26, 0.49, 0.7, 2.5]
TEXTS = (
    "x/tanh(x)",
    "sinh(x)/x",
    "x/sinh(x)",
    "sin(2*x)/x",
    "x/sin(x)",
    "tan(x/3)/x",
    "(1 - cos(x))/x",
    "(1 - cos(x))/x**2",
    "(cosh(x) - 1)/x**2",
    "(exp(x) - 1 - x)/x**2",
    "(x - 1 + exp(-x))/x**2",
    "(1 - x*exp(-x) - exp(-x))/x**2",
    "(1 - exp(-x**2))/x**2",
    "arctan(x)/x",
    "x/arctan(x)",
    "asinh(x)/x",
    "erf(x)/x",
    "(x - sin(x))/x**3",
    "(sin(x) - x*cos(x))/x**3",
    "(x - arctan(x))/x**3",
    "(x*cosh(x) - sinh(x))/x**2",
    "1/tanh(x) - 1/x",
    "x*(1/tanh(x) - 1)",
    "x**2/sinh(x)**2",
    "sinh(2*x)/sinh(3*x)",
    "sin(x)**2/(1 - cos(x))",
    "sin(x)/x**2*x",
    "log(1 + x**2)/x",
    "log(cosh(x))/x",
    "(softplus(x) - log(2))/x",
    "(1 - sqrt(1 - x/4))/x",
    "((1 + x/4)**0.3 - 1)/x",
    "(sqrt(1 + x**2) - 1)/x",
)


def limits(text: str) -> tuple[float, float]:
    """Take value and slope at 0 for those at a point close to it."""
    value, grads = value_and_gradient(sg.parse(text), {"x": 1e-18}, digits=60)
    return float(value), float(grads["x"])


@pytest.fixture(scope="module")
def truth() -> Any:
    """Values and slopes of a text, computed once."""
    known: dict[str, tuple[list[float], list[float]]] = {}

    def of(text: str) -> tuple[list[float], list[float]]:
        if text not in known:
            graph = sg.parse(text)
            found = [value_and_gradient(graph, {"x": x}, digits=25) for x in NEAR]
            zero = limits(text)
            known[text] = ([zero[0], *(float(v) for v, _ in found)],
                           [zero[1], *(float(g["x"]) for _, g in found)])  # fmt: skip
        return known[text]

    return of


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", TEXTS)
def test_arrays(text: str, how: str, truth: Any) -> None:
    values, slopes = truth(text)
    x = np.array([0.0, *NEAR])
    f = sg.compile(f"x: param[N]; c: data[N]; sum(c*({text}))", **STYLES[how])
    for k, unit in enumerate(np.eye(len(x))):
        value, grads = f(x=x, c=unit)
        assert abs(value - values[k]) <= 64 * 2.3e-16 * max(1, abs(values[k])), x[k]
        assert abs(grads["x"][k] - slopes[k]) <= 64 * 2.3e-16 * max(1, abs(slopes[k])), x[k]


@pytest.mark.parametrize("text", TEXTS)
def test_numbers_and_single_precision(text: str, truth: Any) -> None:
    values, slopes = truth(text)
    single = sg.compile(f"x: param[N]; sum({text})", dtype="float32")
    for how in STYLES.values():
        f = sg.compile(text, **how)
        for x, value, slope in zip([0.0, *NEAR], values, slopes, strict=True):
            found, grads = f(x=x)
            assert abs(found - value) <= 64 * 2.3e-16 * max(1, abs(value)), x
            assert abs(grads["x"] - slope) <= 64 * 2.3e-16 * max(1, abs(slope)), x
    found = single(x=np.array([0.0, *NEAR], np.float32))[1]["x"]
    np.testing.assert_allclose(found, slopes, rtol=2e-5, atol=2e-5)


def test_second_derivatives() -> None:
    """The series is differentiated again."""
    x = np.array([0.0, 1e-6, 0.1, 0.24])
    for text, second in (("sinh(x)/x", lambda x: mpmath.diff(lambda u: mpmath.sinh(u) / u, x, 2)),
                         ("x/tanh(x)", lambda x: mpmath.diff(lambda u: u / mpmath.tanh(u), x, 2)),
                         ):  # fmt: skip
        found = sg.compile(f"x: param[N]; sum({text})").hvp({"x": np.ones(4)}, x=x)["x"]
        true = [float(second(mpmath.mpf(v or 1e-9))) for v in x]
        np.testing.assert_allclose(found, true, rtol=1e-12)


@pytest.mark.parametrize("how", STYLES)
def test_rotations(how: str) -> None:
    """Rodrigues' formula, whose angle is a norm: no rotation at all has a slope."""
    text = "\n".join([
        "w: param[3]; v: data[3]; c: data[3]",
        "W = stack([stack([0*w[0], -w[2], w[1]]), stack([w[2], 0*w[0], -w[0]]),"
        " stack([-w[1], w[0], 0*w[0]])])",
        "t = norm(w)",
        "sum(c*(v + sin(t)/t*(W @ v) + (1 - cos(t))/t**2*(W @ (W @ v))))",
    ])  # fmt: skip
    f = sg.compile(text, **STYLES[how])
    v, c = np.array([1.0, 2.0, -0.5]), np.array([0.3, -1.0, 2.0])
    value, grads = f(w=np.zeros(3), v=v, c=c)
    assert value == pytest.approx(v @ c)
    np.testing.assert_allclose(grads["w"], np.cross(v, c), rtol=1e-14)


def test_other_divisors_stay() -> None:
    for text in ("sin(x)/y", "exp(x)/x", "(1 - cos(x))/(x*y)", "x/(1 + x**2)"):
        program = sg.compile(f"x: param[N]; y: param[N]; sum({text} + 0*y)").program
        assert "power_series" not in program, text


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "at", "value", "slopes"),
    [
        ("(1 - exp(-k*t))/k", {"k": 0.0, "t": 2.0}, 2, {"k": -2, "t": 1}),
        ("(1 - exp(-k*t))/k", {"k": 1e-9, "t": 2.0}, 2 - 2e-9, {"k": -2 + 8e-9 / 3, "t": 1 - 2e-9}),
        ("(1 - cos(t*k))/k**2", {"k": 0.0, "t": 2.0}, 2, {"k": 0, "t": 2}),
        ("sin(t*k)/k", {"k": 1e-9, "t": 2.0}, 2, {"k": -8e-9 / 3, "t": 1}),
        ("(t**k - 1)/k", {"k": 0.0, "t": 2.0}, np.log(2), {"k": np.log(2) ** 2 / 2, "t": 0.5}),
        ("(t**k - 1)/k", {"k": 2.0, "t": 3.0}, 4, {"k": 9 * np.log(3) / 2 - 2, "t": 3}),
        ("(t**k - 1)/k", {"k": 2.0, "t": 0.0}, -0.5, {"k": 0.25}),
        ("(k - 1)*(1 - exp(-t))/t", {"k": 3.0, "t": 0.0}, 2, {"k": 1, "t": -1}),
        ("arctan(k/t)", {"k": 1.0, "t": 0.0}, np.pi / 2, {"k": 0, "t": -1}),
        ("arctan(k/t)", {"k": 1e-300, "t": -1e-300}, -np.pi / 4, {"k": -5e299, "t": -5e299}),
    ],
)
def test_parameters_that_may_be_0(text: str, at: Any, value: Any, slopes: Any, how: str) -> None:
    """The divisor is a factor of what the function is taken of: Box and Cox, decay, angles."""
    number = sg.compile(f"k: param; t: param; {text}", **STYLES[how])
    array = sg.compile(f"k: param[N]; t: param[N]; sum({text})", **STYLES[how])
    for found, grads in (number(**at), array(**{name: [v] for name, v in at.items()})):
        assert found == pytest.approx(value, rel=1e-13)
        for name, slope in slopes.items():
            assert float(np.ravel(grads[name])[0]) == pytest.approx(slope, rel=1e-13)
