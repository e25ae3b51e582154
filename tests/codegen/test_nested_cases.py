"""Cases inside one another: a branch that is not taken is shielded, and modules stay short."""

import numpy as np
import pytest

import symgrad as sg


def layers(count: int) -> str:
    """Write an activation by cases, again and again: no product of matrices is between."""
    lines = ["h = where(h > 0, h*h, exp(h) - 1)"] * count
    return "\n".join(["x: param[N]", "h = x", *lines, "sum(h)"])


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_modules_grow_by_the_same_amount_with_each_case(style: str) -> None:
    six, eight, ten = (len(sg.compile(layers(k), style=style).program) for k in (6, 8, 10))
    assert ten - eight < 1.1 * (eight - six)


def test_gradients_through_many_cases() -> None:
    x = np.linspace(-2, 1.1, 7)
    f = sg.compile(layers(9))
    value, grads = f(x=x)
    h, slope = x, np.ones_like(x)
    for _ in range(9):
        slope = slope * np.where(h > 0, 2 * h, np.exp(np.minimum(h, 0)))
        h = np.where(h > 0, h * h, np.expm1(np.minimum(h, 0)))
    np.testing.assert_allclose(value, h.sum(), rtol=1e-13)
    np.testing.assert_allclose(grads["x"], slope, rtol=1e-12)


def test_what_stands_in_two_cases_is_shielded_from_both() -> None:
    text = "x: param[N]\ny = where(x > 0, log(x), 1)\nsum(where(x > -1, sqrt(1 + x)*y, 0))"
    value, grads = sg.compile(text, style="readable")(x=np.array([-3.0, -0.5, 2.0]))
    assert np.isfinite(value) and np.isfinite(grads["x"]).all()
