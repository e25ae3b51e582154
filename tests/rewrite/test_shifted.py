"""Differences of large numbers keep their digits: no rule divides them term by term."""

import numpy as np
import pytest

import symgrad as sg

DECLARED = (
    "X: data[N, D]; mu: param[D]; v: param[D]; x: param[n]; y: param[n]; m: param; s: param\n"
)
TEXTS = [
    "sum(((X - mu)/exp(v))**2)",
    "sum(X*1.0 - mu)/exp(s)",
    "sum((x - y)/cosh(s))",
    "sum((x - m)/(1 + exp(s)))",
    "sum((x - y + m - m)/(exp(s) + exp(-s)))",
    "sum(s*(x - m) + 2*(x - y)*s)",
    "sum(huber((x - m)/exp(s), 0))",
    "(mean(x) - mean(y))*exp(s)",
    "sum((x - m)**2/(2*s**2) + log(s))",
    "sum((x[1:] - x[:-1])*exp(-s))",
]
SHIFT = 1e8


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("accurate", [False, True])
def test_as_exact_as_it_is_typed(text: str, style: str, accurate: bool) -> None:
    rng = np.random.default_rng(4)
    given = {"X": SHIFT + rng.normal(size=(6, 3)), "mu": SHIFT + rng.normal(size=3),
             "v": rng.normal(size=3), "x": SHIFT + rng.normal(size=7), "s": 1.3,
             "y": SHIFT + rng.normal(size=7), "m": SHIFT + 0.25}  # fmt: skip
    graph = sg.parse(DECLARED + text)
    at = {n.attrs["name"]: given[n.attrs["name"]] for n in graph.inputs}
    typed = sg.backprop(graph, at)
    value, grads = sg.compile(graph, style=style, accurate=accurate)(**at)
    scale = max(1.0, abs(float(typed.value)))
    np.testing.assert_allclose(value, typed.value, rtol=1e-13, atol=1e-13 * scale)
    for name, slope in grads.items():
        np.testing.assert_allclose(slope, typed.grad[name], rtol=1e-12, atol=1e-13 * scale)
