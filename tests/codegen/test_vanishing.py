"""Slopes at 0 of a value times its own logarithm: x**2 log x, entropies of squares, splines."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg

STYLES: dict[str, dict[str, Any]] = {
    "fast": {"style": "fast"}, "readable": {"style": "readable"}, "accurate": {"accurate": True},
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("x**2*log(x)", lambda x: 2 * x * np.log(x) + x),
        ("x**2*log(x**2)", lambda x: 4 * x * np.log(x) + 2 * x),
        ("x**2*(log(abs(x)) - 1)/2", lambda x: x * np.log(x) - x / 2),
        ("abs(x)**3*log(abs(x))", lambda x: 3 * x**2 * np.log(x) + x**2),
        ("sin(x)**2*log(sin(x)**2)",
         lambda x: 2 * np.sin(x) * np.cos(x) * (2 * np.log(np.sin(x)) + 1)),
    ],
)  # fmt: skip
def test_squares_times_their_logarithm(text: str, slope: Any, how: str, dtype: str) -> None:
    f = sg.compile(f"x: param[N]; sum({text})", dtype=dtype, **STYLES[how])
    x = np.array([0.0, 0.3, 0.7, 2.0])
    value, grads = f(x=x)
    assert np.isfinite(value) and grads["x"][0] == 0
    near = 1e-13 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(grads["x"][1:], slope(x[1:]), rtol=near, atol=near)


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("p = sin(x)**2; sum(p*log(p))", np.sin(2) * (1 + np.log(np.sin(1) ** 2))),
        ("p = x**2; -sum(p*log(p))", -2.0),
        ("p = cos(x)**2; q = sin(x)**2; -sum(p*log(p) + q*log(q))",
         np.sin(2) * np.log(np.cos(1) ** 2 / np.sin(1) ** 2)),
    ],
)  # fmt: skip
def test_a_square_with_a_name(text: str, slope: float, how: str) -> None:
    value, grads = sg.compile(f"x: param[N]; {text}", **STYLES[how])(x=[0.0, 1.0])
    assert np.isfinite(value)
    np.testing.assert_allclose(grads["x"], [0, slope], rtol=1e-14)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_a_logarithm_below_the_line_stays(style: str) -> None:
    f = sg.compile("x: param[N]; sum(x**2/log(x))", style=style)
    assert f(x=[0.0])[1]["x"] == [0.0]


def test_a_slope_that_is_infinite_stays_so() -> None:
    for how in STYLES.values():
        assert sg.compile("x: param[N]; sum(x*log(x))", **how)(x=[0.0])[1]["x"][0] == -np.inf
        assert sg.compile("x: param[N]; sum(log(x))", **how)(x=[0.0])[1]["x"][0] == np.inf


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    "body",
    [
        "r[i,j] = sqrt(sum((A[i,k]-A[j,k])**2 for k in D)); "
        "sum(r[i,j]**2*log(r[i,j]) for i in N for j in N)",
        "d[i,j] = sum((A[i,k]-A[j,k])**2 for k in D); "
        "sum(d[i,j]*log(d[i,j])/2 for i in N for j in N)",
        "r[i,j] = norm(A[i]-A[j]); sum(r[i,j]**2*log(r[i,j]) for i in N for j in N)",
    ],
)
def test_thin_plates(body: str, how: str) -> None:
    """Each point has the distance 0 from itself."""
    A = np.random.default_rng(0).normal(size=(4, 2))
    f = sg.compile(f"A: param[N, D]; {body}", **STYLES[how])
    apart = A[:, None] - A
    r = np.sqrt((apart**2).sum(-1)) + np.eye(4)
    expected = 2 * ((2 * np.log(r) + 1)[:, :, None] * apart).sum(1)
    value, grads = f(A=A)
    assert value == pytest.approx(np.sum(r**2 * np.log(r)))
    np.testing.assert_allclose(grads["A"], expected, rtol=1e-12)


@pytest.mark.parametrize("how", STYLES)
def test_pairs_of_atoms(how: str) -> None:
    """Two powers under one condition: both are left out where it does not hold."""
    text = (
        "A: param[N, D]; sum(4*((1/sqrt(sum((A[i,k]-A[j,k])**2 for k in D)))**12 "
        "- (1/sqrt(sum((A[i,k]-A[j,k])**2 for k in D)))**6) for i in N for j in N if i < j)"
    )
    A = np.random.default_rng(1).normal(size=(4, 3))
    value, grads = sg.compile(text, **STYLES[how])(A=A)
    apart = A[:, None] - A
    s = (apart**2).sum(-1) + np.eye(4)
    upper = np.triu(np.ones((4, 4)), 1)
    assert value == pytest.approx(np.sum(4 * (s**-6 - s**-3) * upper), rel=1e-12)
    slope = 4 * (-12 * s**-7 + 6 * s**-4)
    np.testing.assert_allclose(grads["A"], (slope[:, :, None] * apart).sum(1), rtol=1e-10)
