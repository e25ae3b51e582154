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


LEFT_OUT = "S: param[N, N]; "
SCORES = np.array([[0.0, 900.0, 3.0], [1.0, 2.0, 3.0], [3.0, 900.0, 900.0]])
SMALL = np.array([[0.0, 1.0, 3.0], [1.0, -2.0, 3.0], [3.0, 0.5, -1.0]])


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("sum(log(1 + sum(exp(S[i,j] - S[i,i]) for j in N if j != i)) for i in N)",
         902.100753145004),
        ("sum(log(sum(exp(S[i,j]) for j in N if j != i)) for i in N)", 1803.12692801104),
        ("sum(-log(exp(S[i,i])/sum(exp(S[i,j]) for j in N if j != i)) for i in N)",
         901.126928011043),
        ("a[i,j] = exp(S[i,j])/sum(exp(S[i,l]) for l in N if l > 0); sum(a[:, 1])", 1.76894142137),
        ("w = exp(S)*(1 - eye(N)); sum(log(sum(w, axis=1)))", 1803.12692801104),
        ("b = exp(S); sum((b @ S)/sum(b, axis=1, keepdims=True))", 2192.69542166119),
    ],
)  # fmt: skip
def test_sums_of_exponentials_with_entries_left_out(body, value, how):
    """They are computed from their logarithms, as whole sums are."""
    f = sg.compile(LEFT_OUT + body, **how)
    found, slopes = f(S=SCORES)
    assert found == pytest.approx(value, rel=1e-9)
    assert np.isfinite(slopes["S"]).all()
    usual = sg.backprop(LEFT_OUT + body, at={"S": SMALL})
    value, slopes = f(S=SMALL)
    assert value == pytest.approx(float(usual.value), rel=1e-12)
    assert np.allclose(slopes["S"], usual.grad["S"], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "at", "value"),
    [
        ("m: binary[N]; x: param[N]; log(sum(m*exp(x)))",
         {"m": [1, 0], "x": [1000.0, 0.0]}, 1000.0),
        ("w: param[N]; x: param[N]; log(sum(softmax(w)*exp(-x**2)))",
         {"w": [0.0, 1.0], "x": [40.0, 50.0]}, -1601.3132616875),
        ("x: param[N]; v: data[N]; (exp(x) @ v)/sum(exp(x))",
         {"x": [0.0, 1000.0], "v": [1.0, 2.0]}, 2.0),
    ],
)  # fmt: skip
def test_mixtures_and_averages_of_exponentials(text, at, value, how):
    """Weights and averages keep what is finite finite."""
    found, slopes = sg.compile(text, **how)(**at)
    assert found == pytest.approx(value, rel=1e-12)
    assert all(np.isfinite(g).all() for g in slopes.values())
