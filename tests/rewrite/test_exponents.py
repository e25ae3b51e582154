"""Quotients over a number and exponentials: one sigmoid, and nothing that overflows."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg

POINTS = [-800.0, -40, -1, 0, 1, 5, 40, 500, 800]
QUOTIENTS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "1/(3 + exp(x))": (
        lambda v: 1 / (3 + mpmath.exp(v)),
        lambda v: -mpmath.exp(v) / (3 + mpmath.exp(v)) ** 2,
    ),
    "2/(0.25 + exp(-x))": (
        lambda v: 2 / (0.25 + mpmath.exp(-v)),
        lambda v: 2 * mpmath.exp(-v) / (0.25 + mpmath.exp(-v)) ** 2,
    ),
    "exp(x)/(3 + exp(x))": (
        lambda v: mpmath.exp(v) / (3 + mpmath.exp(v)),
        lambda v: 3 * mpmath.exp(v) / (3 + mpmath.exp(v)) ** 2,
    ),
    "1/(3 + exp(x) + exp(2*x))": (
        lambda v: 1 / (3 + mpmath.exp(v) + mpmath.exp(2 * v)),
        lambda v: (
            -(mpmath.exp(v) + 2 * mpmath.exp(2 * v)) / (3 + mpmath.exp(v) + mpmath.exp(2 * v)) ** 2
        ),
    ),
}


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text", QUOTIENTS)
def test_nothing_overflows(text: str, style: str, accurate: bool) -> None:
    value, slope = QUOTIENTS[text]
    program = f"x: real[N]; w: data[N]; sum(w*({text}))"
    f = sg.compile(program, wrt="x", style=style, accurate=accurate)
    with mpmath.workdps(50):
        values = [float(value(mpmath.mpf(v))) for v in POINTS]
        slopes = [float(slope(mpmath.mpf(v))) for v in POINTS]
    found = [f(x=[v], w=[1.0])[0] for v in POINTS]
    np.testing.assert_allclose(found, values, rtol=1e-12, atol=1e-307)
    grads = f(x=POINTS, w=np.ones(len(POINTS)))[1]["x"]
    near = 1e-307 if accurate else 1e-15  # as in sigmoid's own slope, 1 - sigmoid has few digits
    np.testing.assert_allclose(grads, slopes, rtol=1e-12, atol=near)


def test_one_exponential_serves_for_all() -> None:
    program = sg.compile("x: real[N]; sum(1/(3 + exp(x)))", style="readable").program
    statements = program[program.index("np.asarray(x") :]
    assert statements.count("sigmoid(") == 1 and "exp" not in statements
    typed = sg.compile("x: data[N]; w: real[N]; sum(w*(1/(3 + exp(x))))", style="readable").program
    assert "1 *" not in typed and "1exp" not in typed


def test_what_is_printed_stays_as_it_was_typed() -> None:
    slope = sg.gradient("x: real; 1/(3 + exp(x))")["x"]
    assert slope.unicode() == "−exp(x)/(3 + exp(x))²"
