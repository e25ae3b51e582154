"""Sums of exponentials from the largest exponent: mixtures, quotients, roots, at a hand's price."""

import math
import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.exact import value_and_gradient

STYLES: dict[str, dict[str, Any]] = {
    "fast": {"style": "fast"}, "readable": {"style": "readable"}, "accurate": {"accurate": True},
}  # fmt: skip
TWO = "f1 = exp((-(x-m)**2)/(2*s**2))/(sqrt(2*pi)*s); f2 = exp((-(x-k)**2)/(2*r**2))/(sqrt(2*pi)*r)"
MIXTURE = (
    "x: data[N]; m: param; s: param; k: param; r: param; p: param; "
    f"{TWO}; mean(-log(p*f1 + (1 - p)*f2))"
)
LOGITS = (
    "x: data[N]; m: param; a: param; k: param; b: param; c: param; "
    f"p = sigmoid(c); s = exp(a); r = exp(b); {TWO}; mean(-log(p*f1 + (1 - p)*f2))"
)
NUMBERS = (
    "x: data[N]; m: param; k: param; "
    "mean(-log(0.3*exp(-(x-m)**2/2)/sqrt(2*pi) + 0.7*exp(-(x-k)**2/2)/sqrt(2*pi)))"
)
X = [-60.0, -1.0, 0.3, 2.0, 90.0]
MIXTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "weights": (MIXTURE, {"x": X, "m": -1.0, "s": 0.5, "k": 1.5, "r": 0.8, "p": 0.3}),
    "logits": (LOGITS, {"x": X, "m": -1.0, "a": -0.7, "k": 1.5, "b": -0.2, "c": 0.3}),
    "sure": (LOGITS, {"x": X, "m": -1.0, "a": -0.7, "k": 1.5, "b": -0.2, "c": 900.0}),
    "numbers": (NUMBERS, {"x": X, "m": -1.0, "k": 1.5}),
    "scaled": ("x: param[N]; p: data[N]; sum(log(0.5*(p*exp(x) + exp(2*x)/3)))",
               {"x": [-900.0, 1.0, 800.0], "p": [1.0, 2.0, 0.5]}),
    "three": ("x: param[N]; p: param; q: param; "
              "-sum(log(p*normal_pdf(x) + q*normal_pdf(x - 3) + (1 - p - q)*normal_pdf(x/2)))",
              {"x": X, "p": 0.2, "q": 0.5}),
    "background": ("x: param[N]; u: data[N]; sum(log(u + exp(x)))",
                   {"x": [-1000.0, 0.0, 1000.0], "u": [1e-3, 2.0, 3.0]}),
    "number": ("x: param[N]; u: data[N]; sum(log(2 + u*exp(x)))",
               {"x": [-1000.0, 0.0, 1000.0], "u": [1e-3, 2.0, 3.0]}),
    "numbers alike": ("x: param[N]; u: data[N]; sum(log(2 + 2*exp(x) + u*exp(2*x)))",
                      {"x": [-700.0, 0.3, 500.0], "u": [0.7, 2.0, 1.0]}),
    "outliers": ("x: param[N]; e: param; sum(log(e/20 + (1 - e)*exp(-x**2/2)/sqrt(2*pi)))",
                 {"x": X, "e": 0.1}),
    "logaddexp": ("x: param[N]; y: param[N]; sum(logaddexp(logaddexp(x, y), 2*x - y))",
                  {"x": [1000.0, -1000.0, 3.0], "y": [1001.0, 800.0, 3.0]}),
    "simplex": ("x: data[N]; q: simplex[K]; u: param[K]; r: param[K]; "
                "-mean(log(sum(q[k]*exp(-(x[i]-u[k])**2/(2*exp(2*r[k])))/(sqrt(2*pi)*exp(r[k])) "
                "for k in K)) for i in N)",
                {"x": X, "q": [0.5, 0.25, 0.25], "u": [-1.0, 0.0, 2.0], "r": [0.1, -0.5, 0.0]}),
    "rows": ("x: param[N]; q: param[K]; u: param[K]; sum(log(exp(-(x[:, None] - u)**2/2) @ q))",
             {"x": X, "q": [0.5, 0.25, 0.25], "u": [-1.0, 0.0, 2.0]}),
    "shares": ("x: data[N]; u: param; k: param; q: param; f = q*exp(-(x-u)**2/2); "
               "g = (1-q)*exp(-(x-k)**2/2); sum(f/(f+g)*(x-u))",
               {"x": [-60.0, -1.0, 0.3, 50.0], "u": -1.0, "k": 0.7, "q": 0.3}),
    "Elo": ("x: param[N]; -sum(log(1/(1 + 10**(-x/400))) + 10**(x/9)/(1 + 10**(x/9)))",
            {"x": [-4e5, -30.0, 0.0, 7.0, 3e5]}),
    "affinity": ("x: param[N]; q: param[N]; sum((sqrt(softmax(x)) - q)**2)",
                 {"x": [-1000.0, 1.0, 3.0], "q": [0.5, 0.1, 0.7]}),
    "levels": ("x: param[N]; u: positive[N]; sum(exp(x)/(exp(x) + exp(2*x) + u))",
               {"x": [-800.0, -1.0, 0.0, 2.0, 800.0], "u": [1.0, 2.0, 0.5, 1e-3, 7.0]}),
    "root": ("x: param[N]; sum(sqrt(3 + 2*exp(x)))", {"x": [-800.0, -1.0, 0.0, 2.0, 1200.0]}),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("name", MIXTURES)
def test_they_are_right_far_out(name: str, how: str, dtype: str) -> None:
    text, at = MIXTURES[name]
    point = {k: np.asarray(v, dtype) for k, v in at.items()}
    if dtype == "float32":
        point = {k: np.clip(v, -80, 80) for k, v in point.items()}
    wrt = [k for k in at if f"{k}: data" not in text]
    true, slopes = value_and_gradient(
        sg.parse(text), {k: v.astype(float) for k, v in point.items()}, wrt, digits=20
    )
    found, grads = sg.compile(text, wrt=wrt, dtype=dtype, **STYLES[how])(**point)
    near = 1e-12 if dtype == "float64" else 1e-4
    assert found == pytest.approx(float(true), rel=near)
    for k, slope in slopes.items():
        whole = np.asarray(slope).astype(float)
        assert np.allclose(grads[k], whole, rtol=near, atol=near * np.abs(whole).max()), k


@pytest.mark.parametrize("name", ["weights", "logits", "numbers", "three", "levels"])
def test_each_exponential_is_computed_once(name: str) -> None:
    """Value and slopes share them; np.logaddexp and np.where would take ten times as long."""
    text, _ = MIXTURES[name]
    arrays = 3 if name in ("three", "levels") else 2
    body = code(sg.compile(text, style="readable").program)
    assert sum(body.count(f"np.exp({a}") for a in ("t_", "-t_", "x -")) == arrays
    assert not any(word in body for word in ("logaddexp", "where", "fmax", "stack", "e-1"))
    assert len(re.findall(r" exp\((?:tile|grad_x)", code(sg.compile(text).program))) == arrays


def code(program: str) -> str:
    """Give the lines that compute, without what is said about them."""
    lines = program.split("np.asarray(x", 1)[1].split("\n")
    return "\n".join(line.partition("#")[0] for line in lines)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_a_root_is_made_of_one_exponential(style: str) -> None:
    program = sg.compile("x: param[N]; sum(sqrt(1 + exp(x)))", style=style).program
    body = program.split("def value_and_grad")[1]
    assert "log1p" not in body and body.count("exp(") - body.count("exp(x)") == 1


@pytest.mark.parametrize("how", STYLES)
def test_second_derivatives_do_not_see_what_is_taken_off(how: str) -> None:
    for name in ("weights", "background", "levels", "root"):
        text, at = MIXTURES[name]
        f = sg.compile(text, **STYLES[how])
        point = {k: np.asarray(v, float) for k, v in at.items()}
        if point["x"].size == len(X):
            point["x"] = np.array([-3.0, -1.0, 0.3, 2.0, 4.0])
        wrt = list(f(**point)[1])
        v = {k: np.ones_like(point[k]) for k in wrt}
        h = 1e-5
        moved = [f(**(point | {k: point[k] + s * h for k in wrt}))[1] for s in (1, -1)]
        for k, found in f.hvp(v, **point).items():
            expected = (moved[0][k] - moved[1][k]) / (2 * h)
            assert np.allclose(found, expected, rtol=1e-6, atol=1e-6), (name, k)


def test_what_cannot_overflow_stays() -> None:
    program = sg.compile("x: param[N]; y: param[N]; sum(log(y + exp(-x**2)))", style="readable")
    assert "np.maximum" not in program.program
    assert math.isfinite(program(x=[1000.0], y=[1.0])[0])


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("logaddexp(u, u)", 1.0),
        ("log(exp(u) + 2*exp(u))", 1.0),
        ("logaddexp(u, logaddexp(u, u))", 1.0),
        ("logaddexp(u + 1, u)", 1.0),
        ("exp(u)/(exp(u) + 2*exp(u))", 0.0),
        ("exp(2*u)/(exp(u) + exp(u))", None),
    ],
)
def test_a_single_exponent_is_no_constant_of_the_value(
    text: str, slope: float | None, style: str
) -> None:
    """With one exponent the largest is that one: its slope was counted twice."""
    u = np.array([0.3, -1.0, 2.0])
    _, grads = sg.compile(f"u: param[N]; sum({text})", style=style)(u=u)
    np.testing.assert_allclose(grads["u"], np.exp(u) / 2 if slope is None else slope, atol=1e-14)
