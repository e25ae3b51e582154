"""What is finite stays so: cases whose other branch overflows, erf near 0."""

import math

import numpy as np
import pytest

import symgrad as sg

STYLES = [{"style": "fast"}, {"style": "readable"}, {"accurate": True}]


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "x", "slope"),
    [
        ("where(x > 9, x, exp(x) - exp(x/2))", 2000.0, 1.0),
        ("where(abs(x) > 5, x, exp(x) - exp(-x))", -1000.0, 1.0),
        ("where(x <= 9, exp(x) - exp(x/2), x)", 2000.0, 1.0),
    ],
)
def test_the_branch_that_is_not_taken_may_overflow(text, x, slope, how):
    """Both terms of the other branch stay in it, also under the opposite condition."""
    f = sg.compile(f"x: param[N]; sum({text})", **how)
    assert f(x=[x, 1.0])[1]["x"][0] == slope


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_erf_keeps_its_digits_near_0(dtype):
    """It is odd, and 0 at 0: slopes of norms, magnitudes and logarithms of it depend on that."""
    near = [0.0, 1e-20, -1e-17, 1e-9, 0.3, -0.99, 1.01, -3.0, 40.0]
    f = sg.compile("x: param[N]; c: param[N]; sum(c*erf(x))", dtype=dtype)
    values = f(x=near, c=np.ones(len(near)))[1]["c"]
    truth = [math.erf(x) for x in near]
    assert np.allclose(values, truth, rtol=4 * np.finfo(dtype).eps, atol=0)
    assert f(x=[0.0], c=[1.0])[0] == 0
    assert not sg.compile("x: param[N]; norm(erf(x))", dtype=dtype)(x=[0.0, 0.0])[1]["x"].any()
