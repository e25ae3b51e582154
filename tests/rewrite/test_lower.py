"""What accurate code computes instead: one exponential for all tails, and every digit kept."""

from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import exact

LOGITS = (0.0, -0.0, 0.3, -0.3, 5.0, -5.0, 40.0, -40.0, 86.0, -86.0, 1e4, -1e4)
PAIR = "a: param[N]; u: data[N]; v: data[N]; sum(u*softplus(a) + v*softplus(-a))"
BCE = "a: param[N]; t: data[N]; bce_with_logits(a, t, reduction='sum')"
SCORES = ((0.5, -1.0, 2.0), (80.0, 0.0, -3.0), (1.0, 1.0, 1.0), (7.0, 7.0, -60.0), (1e4, 0.0, 1.0))


def program(text: str, dtype: str = "float64") -> Any:
    return sg.compile(text, style="readable", accurate=True, dtype=dtype)


def close(found: float, true: mpmath.mpf, dtype: str, limit: float) -> bool:
    """Say whether a number is right to so many units in the last place."""
    return float(exact.ulps(float(found), true, dtype)) <= limit


@pytest.mark.parametrize(
    ("text", "once"),
    [
        (PAIR, ["np.exp(", "np.log1p("]),
        (BCE, ["np.exp(", "np.log1p(", "np.sign("]),
        ("a: param[N]; sum(a*silu(a))", ["np.exp("]),
        ("S: param[N, C]; y: labels[N, C]; cross_entropy(S, y)", ["np.exp(", "S - max_along(S)"]),
    ],
)
def test_what_belongs_together_is_computed_once(text: str, once: list[str]) -> None:
    source = program(text).source
    for call in once:
        assert source.count(call) == 1, source
    assert "def sigmoid" not in source and "def softmax" not in source


def test_what_stands_alone_stays() -> None:
    source = sg.compile("a: real[N]; sum(sigmoid(a))", [], style="readable", accurate=True).source
    assert "np.sum(sigmoid(a))" in source


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sigmoids_of_both_signs(dtype: str) -> None:
    f, a = program(PAIR, dtype), np.array(LOGITS, dtype)
    for u, v in ((1.0, 0.0), (0.0, 1.0)):
        weights = {"u": np.full(a.size, u, dtype), "v": np.full(a.size, v, dtype)}
        _, grads = f(a=a, **weights)
        for x, got in zip(a.tolist(), grads["a"].tolist(), strict=True):
            sign = 1 if u else -1
            true = sign / (1 + mpmath.exp(-sign * mpmath.mpf(x)))
            assert close(got, true, dtype, 4), (x, got)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["softplus", "silu"])
def test_a_function_beside_its_slope(name: str, dtype: str) -> None:
    f = program(f"a: param[N]; sum({name}(a))", dtype)
    for x in (*LOGITS, 40.5, 39.5):
        value, grads = f(a=np.array([x], dtype))
        with mpmath.workdps(60):
            z = mpmath.mpf(float(np.array(x, dtype)))
            s = 1 / (1 + mpmath.exp(-z))
            if name == "silu":
                true, slope = z * s, s * (1 + z / (1 + mpmath.exp(z)))
            else:
                true, slope = mpmath.log1p(mpmath.exp(z)), s
            assert close(value, true, dtype, 4), (x, value)
            assert close(grads["a"][0], slope, dtype, 6), (x, grads)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("t", [0.0, 1.0, 0.25])
def test_the_logistic_loss(dtype: str, t: float) -> None:
    f = program(BCE, dtype)
    with mpmath.workdps(60):
        for x in LOGITS:
            at = {"a": np.array([x], dtype), "t": np.array([t], dtype)}
            value, grads = f(**at)
            z = mpmath.mpf(float(at["a"][0]))
            true = t * mpmath.log1p(mpmath.exp(-z)) + (1 - t) * mpmath.log1p(mpmath.exp(z))
            assert close(value, true, dtype, 4), (x, value)
            slope = (1 - t) / (1 + mpmath.exp(-z)) - t / (1 + mpmath.exp(z))
            assert close(grads["a"][0], slope, dtype, 6), (x, grads)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_softmax_beside_its_logarithm(dtype: str) -> None:
    f = program("S: param[N, C]; y: labels[N, C]; cross_entropy(S, y)", dtype)
    for row in SCORES:
        for label in range(3):
            value, grads = f(S=np.array([row], dtype), y=np.array([label]))
            with mpmath.workdps(60):
                powers = [mpmath.exp(mpmath.mpf(s) - max(row)) for s in row]
                rest = [sum(powers) - p for p in powers]
                loss = mpmath.log1p(rest[label] / powers[label])
                assert close(value, loss, dtype, 4), (row, label)
                for k, got in enumerate(grads["S"][0].tolist()):
                    top = -rest[k] if k == label else powers[k]
                    assert close(got, top / sum(powers), dtype, 6), (row, label, k)


@pytest.mark.parametrize(("dtype", "far"), [("float64", 365.0), ("float32", 46.0)])
def test_the_slope_of_tanh_far_out(dtype: str, far: float) -> None:
    f = program("x: param[N]; sum(tanh(x))", dtype)
    x = np.array([far, -far, 20.0, 0.1, 1e4, -np.inf], dtype)
    _, grads = f(x=x)
    for at, got in zip(x[:4].tolist(), grads["x"].tolist(), strict=False):
        assert close(got, mpmath.sech(mpmath.mpf(at)) ** 2, dtype, 8), (at, got)
    assert grads["x"][4:].tolist() == [0, 0]


def test_the_second_derivative_of_tanh_far_out() -> None:
    f = program("x: param[N]; sum(tanh(x))")
    moved = f.hvp({"x": np.ones(3)}, x=np.array([800.0, -30.0, 0.5]))["x"]
    with mpmath.workdps(60):
        true = [-2 * mpmath.tanh(t) * mpmath.sech(t) ** 2 for t in (800, -30, mpmath.mpf("0.5"))]
    assert moved[0] == 0 and all(close(moved[k], true[k], "float64", 8) for k in (1, 2))


def test_the_slope_of_tanh_typed_by_hand() -> None:
    f = program("x: param[N]; sum(1 - tanh(x)**2)")
    for x in (0.5, 25.0):
        assert close(f(x=np.array([x]))[0], mpmath.sech(x) ** 2, "float64", 4)


def test_numbers_are_joined_where_that_is_exact() -> None:
    assert "= 200 * x" in program("x: param[N]; sum(100*x**2)").source
    assert "0.1 * (0.3 * " in program("x: param[N]; sum(sin(0.1*(0.3*x)))").source


def test_cross_entropy_takes_the_entry_before_the_difference() -> None:
    text = "s: param[N, C]; y: labels[N, C]; cross_entropy(s, y)"
    f = sg.compile(text, style="readable", accurate=True)
    body = f.source[: f.source.index("SHAPES")]
    assert "[np.arange(N), y] - " in body and "= -(" not in body
    s, y = np.array([[800.0, 0.0, -3.0], [0.1, 0.2, 0.3]]), np.array([0, 2])
    value, grads = f(s=s, y=y)
    share = np.exp(s[1]) / np.exp(s[1]).sum()
    assert value == pytest.approx(-np.log(share[2]) / 2, rel=1e-15)
    np.testing.assert_allclose(grads["s"][1], (share - [0, 0, 1]) / 2, rtol=1e-15)
    np.testing.assert_array_equal(grads["s"][0], 0)
