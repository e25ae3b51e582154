"""Huber's loss as people type it: one clipped residual, whatever numbers are multiplied into."""

import numpy as np
import pytest

import symgrad as sg

HEAD = "y: data[N]; m: param[N]; d: positive; r = y - m; "
SPELLINGS = [
    "where(abs(r) <= 1.5, 0.5*r**2, 1.5*(abs(r) - 0.75))",
    "where(abs(r) <= 1.5, r*r/2, 1.5*abs(r) - 1.125)",
    "where(abs(r) <= 1, r**2, 2*abs(r) - 1)",
    "where(abs(r) > 2, 2*abs(r) - 2, r**2/2)",
    "where(abs(r) < d, 0.5*r**2, d*(abs(r) - 0.5*d))",
    "where(abs(r) < d, r**2/2, d*(abs(r) - d/2))",
    "where(abs(r) < d, r**2/2, d*abs(r) - d**2/2)",
    "where(abs(r) >= d, d*abs(r) - 0.5*d**2, 0.5*r**2)",
]
OTHERS = [
    "where(abs(r) <= 1.5, 0.5*r**2, 1.5*(abs(r) - 0.5))",  # with a step
    "where(abs(r) <= 1, r**2, abs(r))",
    "where(abs(r) <= 1, r, 2*abs(r) - 1)",
    "where(abs(r) < d, r**2/2, abs(r)*d - d/2)",
]


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("loss", SPELLINGS + OTHERS)
def test_as_backpropagation_computes(loss, style):
    graph = sg.parse(f"{HEAD}sum({loss})")
    y = np.array([-1e200, -3.0, -1.2, -0.3, 0.0, 0.7, 1.4, 5.0, 1e200])
    at = {"y": y, "m": np.full(9, 0.1), "d": 0.9}
    found = sg.backprop(graph, at)
    value, gradients = sg.compile(graph, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-13)
    np.testing.assert_allclose(gradients["m"], found.grad["m"], rtol=1e-13)


@pytest.mark.parametrize("loss", SPELLINGS)
def test_there_is_no_case(loss):
    text = sg.compile(f"{HEAD}sum({loss})", style="readable").program
    assert "np.clip(" in text and "np.where" not in text


@pytest.mark.parametrize("loss", OTHERS)
def test_other_cases_stay(loss):
    text = sg.compile(f"{HEAD}sum({loss})", style="readable", wrt=[]).program
    assert "np.where" in text
