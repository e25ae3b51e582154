"""a log b, a log(1 + b) and a/b of a number a beside an array b: the number decides, not arrays."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import targets

GAMMA = "x: param[N]; k: param; sum((k - 1)*log(x) - x)"
STUDENT = "x: param[N]; v: param; mean((v + 1)/2*log(1 + x**2/v))"


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", [GAMMA, STUDENT])
def test_no_array_is_compared(text: str, dtype: str, accurate: bool) -> None:
    f = sg.compile(text, style="readable", dtype=dtype, accurate=accurate)
    assert "np.where" not in f.program
    name = f.inputs[1]
    at: dict[str, Any] = {"x": np.array([0.5, 2.0, 3.0], dtype), name: 2.5}
    value, grads = f(**at)
    wide = sg.compile(text, style="fast")(**{k: np.float64(v) for k, v in at.items()})
    assert grads["x"].dtype == value.dtype == np.dtype(dtype)
    np.testing.assert_allclose(grads["x"], wide[1]["x"], rtol=1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_0_times_a_logarithm_is_0(dtype: str) -> None:
    f = sg.compile(GAMMA, wrt="x", style="readable", dtype=dtype)
    value, grads = f(x=np.array([0.0, 2.0], dtype), k=1.0)
    assert value == -2.0
    np.testing.assert_array_equal(grads["x"], [-1.0, -1.0])
    assert grads["x"].dtype == np.dtype(dtype)
    alone = sg.compile("x: param[N]; k: real; prod(x)**0*sum(k*log(x))", style="readable")
    np.testing.assert_array_equal(alone(x=[0.0, 2.0], k=0.0)[1]["x"], [0.0, 0.0])


def test_a_traced_number_decides_nothing() -> None:
    written = targets.source(sg.parse(GAMMA), target="jax")
    assert " else " not in written[written.index("# ") : written.index("    return ")]
