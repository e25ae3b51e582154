"""What a power or a sum has computed is taken again: x^(k - 1) is x^k/x, y + x is x + y."""

import re

import numpy as np
import pytest

import symgrad as sg


def body(source: str) -> str:
    """Return the lines that compute, without comments."""
    start = source.index("def _value_and_grad" if "def _value_and_grad" in source
                         else "def value_and_grad")  # fmt: skip
    return re.sub("#.*", "", source[start : source.index("\n\n\n", start)])


HILL = "K: positive\nn: real\nx: positive\ny = x**n/(K**n + x**n)"


def test_powers_of_a_positive_base_are_made_once() -> None:
    text = body(sg.compile(HILL).source)
    assert text.count("pow(") == 2 and " if " not in text
    value, grads = sg.compile(HILL)(K=2.0, n=1.5, x=3.0)
    assert value == pytest.approx(3**1.5 / (2**1.5 + 3**1.5), rel=1e-15)
    share = value * (1 - value)
    expected = {"K": -1.5 / 2 * share, "n": share * np.log(1.5), "x": 1.5 / 3 * share}
    assert grads == pytest.approx(expected, rel=1e-14)


def test_at_an_exponent_of_zero() -> None:
    value, grads = sg.compile("x: positive\nk: real\ny = x**k")(x=1e-310, k=0.0)
    assert value == 1 and grads["x"] == 0 and grads["k"] == pytest.approx(np.log(1e-310))


def test_a_base_that_may_be_zero_keeps_its_power() -> None:
    f = sg.compile("x: real\nk: real\ny = x**k")
    assert f(x=0.0, k=2.0)[1] == {"x": 0.0, "k": 0.0}
    assert f(x=0.0, k=1.0)[1]["x"] == 1.0


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_powers_of_arrays(style: str) -> None:
    text = "x: positive[N]\nk: real\nL = sum(x**k)"
    f = sg.compile(text, style=style)
    assert len(re.findall(r"power\(|\*\* k", body(f.source))) == 1
    x = np.array([0.5, 1.0, 3.0])
    value, grads = f(x=x, k=2.5)
    assert value == pytest.approx(np.sum(x**2.5), rel=1e-15)
    np.testing.assert_allclose(grads["x"], 2.5 * x**1.5, rtol=1e-15)
    assert grads["k"] == pytest.approx(np.sum(x**2.5 * np.log(x)), rel=1e-14)


@pytest.mark.parametrize("options", [{}, {"accurate": True}, {"style": "fast"}], ids=str)
def test_a_sum_is_made_once_in_either_order(options: dict[str, object]) -> None:
    text = "x: real\ny: real\nz = sin(x + y)*exp(x*y) + cos(y + x)*exp(-y*x)"
    lines = body(sg.compile(text, **options).source)  # type: ignore[arg-type]
    assert len(re.findall(r"\by \+ x\b|\bx \+ y\b", lines)) == 1


def test_lines_of_the_user_stay_in_either_order() -> None:
    text = "x: real[N]\ny: real[N]\na = x + y\nb = y + x\nL = sum(exp(a)*sin(b))"
    lines = body(sg.compile(text, style="readable").source)
    assert " a = " in lines and " b = " in lines
