"""Long sums of float32: running sums, which NumPy adds one by one, and those of fast code."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import symgrad as sg

EPS = float(np.finfo(np.float32).eps)
RNG = np.random.default_rng(0)
ROWS = RNG.random((400_000, 3))


def error(text: str, at: Mapping[str, Any], **options: Any) -> float:
    """Compare float32 with float64: the largest error, in eps of max(1, |true|)."""
    single = {name: np.asarray(value, np.float32) for name, value in at.items()}
    double = {name: value.astype(np.float64) for name, value in single.items()}
    value, grads = sg.compile(text, dtype="float32", **options)(**single)
    true, slopes = sg.compile(text)(**double)
    found = [abs(float(value) - true) / max(1.0, abs(true))]
    for name, slope in slopes.items():
        assert grads[name].dtype == np.float32
        off = np.abs(grads[name].astype(np.float64) - slope) / np.maximum(1, np.abs(slope))
        found.append(float(np.max(off)))
    return max(found) / EPS


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text", ["x: param[N]; mean(cumsum(x))", "x: param[N]; cumsum(x)[N - 1]"])
def test_running_sums(text: str, style: str, accurate: bool) -> None:
    assert error(text, {"x": RNG.random(100_000)}, style=style, accurate=accurate) < 64


def test_running_sums_along_an_axis() -> None:
    text = "x: param[N,D]; mean(cumsum(x, axis=0)**2)"
    assert error(text, {"x": ROWS[:50_000]}, style="readable") < 64


def test_sums_over_rows_of_fast_code() -> None:
    text = "X: data[N,D]; b: param[D]; sum((X + b)**2)/N"
    assert error(text, {"X": ROWS, "b": np.ones(3)}, style="fast", accurate=True) < 16


def test_float64_and_sums_along_rows_are_spelled_plainly() -> None:
    text = "X: data[N,D]; b: param[D]; sum((X + b)**2)/N + sum(b*cumsum(b))"
    plain = sg.compile(text, style="readable", accurate=True).program
    assert "dtype=np.float64)." not in plain and "np.cumsum(b)" in plain
    along = "X: data[N,D]; v: param[N]; sum(v*sum(X, axis=1)) + sum(v)"
    single = sg.compile(along, style="readable", accurate=True, dtype="float32").program
    assert "np.float64" not in single
