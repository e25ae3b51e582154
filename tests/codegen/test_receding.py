"""What vanishes with exp(v): its logarithm, its root and its quotients far below 0."""

from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg

STYLES: dict[str, dict[str, Any]] = {
    "fast": {"style": "fast"}, "readable": {"style": "readable"}, "accurate": {"accurate": True},
}  # fmt: skip
PLACES = [-5e4, -800.0, -120.0, -40.0, -39.0, -3.0, 0.5]
M = mpmath
TEXTS: dict[str, Any] = {
    "log(tanh(exp(x)))": lambda x: M.log(M.tanh(M.exp(x))),
    "log(2*sin(exp(x)))": lambda x: M.log(2 * M.sin(M.exp(x))),
    "log(erf(exp(x)))": lambda x: M.log(M.erf(M.exp(x))),
    "log(arctan(exp(x)))": lambda x: M.log(M.atan(M.exp(x))),
    "log(asinh(exp(x)))": lambda x: M.log(M.asinh(M.exp(x))),
    "log(1 - cos(exp(x)))": lambda x: M.log(2 * M.sin(M.exp(x) / 2) ** 2),
    "log(log(1 + exp(x)))": lambda x: M.log(M.log1p(M.exp(x))),
    "log(1 - exp(-exp(x)))": lambda x: M.log(-M.expm1(-M.exp(x))),
    "log(expm1(exp(x)))": lambda x: M.log(M.expm1(M.exp(x))),
    "sqrt(log(1 + exp(x)))": lambda x: M.sqrt(M.log1p(M.exp(x))),
    "tanh(exp(x))**0.3": lambda x: M.tanh(M.exp(x)) ** M.mpf("0.3"),
    "sigmoid(x)/softplus(x)": lambda x: M.exp(x) / (1 + M.exp(x)) / M.log1p(M.exp(x)),
    "log(1 + exp(x))/exp(x)": lambda x: M.log1p(M.exp(x)) / M.exp(x),
    "exp(-x)*log(1 + exp(x))": lambda x: M.log1p(M.exp(x)) / M.exp(x),
    "log((exp(-x) - 1)/(-x))": lambda x: M.log(M.expm1(-x) / -x),
    "log(x/(1 - exp(-x)))": lambda x: M.log(x / -M.expm1(-x)),
    "log(4*pi*sinh(x)/x)": lambda x: M.log(4 * M.pi * M.sinh(x) / x),
    "log(x/sinh(x))": lambda x: M.log(x / M.sinh(x)),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", TEXTS)
def test_value_and_slope(text: str, how: str, dtype: str) -> None:
    array = sg.compile(f"x: param[N]; c: data[N]; sum(c*({text}))", dtype=dtype, **STYLES[how])
    number = sg.compile(text, dtype=dtype, **STYLES[how])
    near = 64 * float(np.finfo(dtype).eps)
    with M.workdps(400):
        for x in PLACES:
            value = float(TEXTS[text](M.mpf(x)))
            slope = float(M.diff(TEXTS[text], M.mpf(x), h=M.mpf(10) ** -130))
            for found, grads in (array(x=[x], c=[1.0]), number(x=x)):
                loss = near * max(1, abs(x) if x > -100 else 1)
                assert abs(found - value) <= loss * max(1, abs(value)), x
                assert abs(np.ravel(grads["x"])[0] - slope) <= loss * max(1, abs(slope)), x
