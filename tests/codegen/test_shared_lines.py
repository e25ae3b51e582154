"""Readable modules compute once what the value and the gradients have in common."""

import math

import numpy as np
import pytest

import symgrad as sg


def body(text: str, wrt: list[str] | None = None) -> str:
    return sg.compile(text, wrt, style="readable").program


def test_a_sum_that_is_also_a_gradient_is_computed_once() -> None:
    text = "w: real[D]; lam: real; lam*sum(abs(w)**3)"
    source = body(text)
    assert source.count("np.sum(") == 1
    value, grads = sg.compile(text, style="readable")(w=[1.0, -2.0], lam=0.5)
    assert (value, grads["lam"]) == (4.5, 9.0)
    np.testing.assert_allclose(grads["w"], [1.5, -6.0])


def test_short_numbers_stay_written_out() -> None:
    assert body("f = 1/(1 + exp(-(w*x + b)))").count("f * (1 - f)") == 3
    assert body("x: real; y: real; z: real; x*y*z").count("t_1") == 0


def test_the_slope_of_a_sigmoid_uses_the_sigmoid() -> None:
    text = "x: real; b: real; s = sigmoid(b*x); x*s"
    source = body(text)
    assert "s * sigmoid(-t_1)" in source
    f = sg.compile(text, style="readable")
    for b in (-800.0, -3.0, 0.0, 2.0, 800.0):
        slope = f(x=1.0, b=b)[1]["b"]
        expected = math.exp(-abs(b)) / (1 + math.exp(-abs(b))) ** 2
        assert slope == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.parametrize(("x", "sign"), ((2.0, 1.0), (-1e-300, -1.0), (0.0, 0.0), (math.inf, 1.0),
                                         (-math.inf, -1.0)))  # fmt: skip
def test_the_sign_of_a_number(x: float, sign: float) -> None:
    assert sg.compile("x: real; abs(x)", style="readable")(x=x)[1]["x"] == sign


def test_the_sign_of_what_is_no_number_is_none() -> None:
    with np.errstate(all="ignore"):
        found = sg.compile("x: real; y: data; abs(x*y)", style="readable")(x=1.0, y=math.nan)
    assert math.isnan(found[1]["x"])


@pytest.mark.parametrize("style", ("readable", "fast"))
def test_the_slope_of_sinc_of_a_number_is_that_of_an_array(style: str) -> None:
    one = sg.compile("x: real; sinc(x)", style=style)
    many = sg.compile("x: real[n]; sum(sinc(x))", style="readable")
    at = np.r_[np.linspace(-3, 3, 41), 1e-9, -1e-9, 0.4, -0.4, 1e5 + 0.3, 2.0**53, 1e300]
    expected = many(x=at)[1]["x"]
    found = [one(x=x)[1]["x"] for x in at]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-17)
    assert math.isnan(one(x=math.inf)[1]["x"])


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("accurate", [False, True])
def test_the_other_factors_come_from_the_product_that_is_there(style: str, accurate: bool) -> None:
    f = sg.compile("x: param[n]; prod(x)", style=style, accurate=accurate)
    calls = [line for line in f.program.splitlines() if "= others(x, 0, np.float64, " in line]
    assert len(calls) == 1
    for x in ([2.0, 3.0, 5.0], [2.0, 0.0, 5.0], [0.0, 0.0, 5.0]):
        value, grads = f(x=np.array(x))
        others = [np.prod(x[:k] + x[k + 1 :]) for k in range(3)]
        assert value == np.prod(x)
        np.testing.assert_allclose(grads["x"], others)
