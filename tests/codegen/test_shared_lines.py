"""Readable modules compute once what the value and the gradients have in common."""

import math
import re

import numpy as np
import pytest

import symgrad as sg


def body(text: str, wrt: list[str] | None = None, style: str = "readable") -> str:
    return sg.compile(text, wrt, style=style).program


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


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_product_and_its_transposed_one_are_computed_once(style: str) -> None:
    text = "X: data[N, D]; V: param[D, K]; A: param[N, N]; sum(tanh(A @ (X @ V)))"
    lines = body(text, style=style)
    assert "V.T" not in lines  # the slope in A is δ (X V)ᵀ
    assert len(re.findall(r"X @ V|X\.dot\(V", lines)) == 1
    rng = np.random.default_rng(0)
    at = {"X": rng.normal(size=(5, 3)), "V": rng.normal(size=(3, 2)), "A": rng.normal(size=(5, 5))}
    expected = sg.backprop(sg.parse(text), at)
    for name, grad in sg.compile(text, style=style)(**at)[1].items():
        np.testing.assert_allclose(grad, expected.grad[name], rtol=1e-12)


def test_the_mean_of_sums_is_one_sum() -> None:
    head = "x: param[N, D]; "
    assert "np.sum(np.abs(x)) / N" in body(head + "mean(sum(abs(x), axis=1))")
    named = body(head + "s = sum(abs(x), axis=1); mean(s)")
    assert "np.mean(s)" in named  # what has a name is there anyway
    assert "np.mean" in body(head + "mean(amax(x, axis=1))")


def test_a_number_scales_the_smallest_factor() -> None:
    text = "x: param[N, H, W]; t: data[N]; sum((mean(relu(x), axis=(1, 2)) - t)**2)"
    assert re.search(r"\(2 / \(H \* W\) \* t_1\)\[:, None, None\] \*", body(text))


def test_a_condition_is_written_as_a_number_once() -> None:
    text = "s: param[N, C]; y: labels[N, C]; svm(s, y)"
    lines = body(text)
    assert lines.count("astype") == 1 and "M = (t_1 > 0).astype(np.float64)" in lines


def test_a_multiple_of_a_named_value_is_no_line() -> None:
    lines = body("X: data[N, D]; m: param[D]; z = X - m; sum(z**2)")
    assert "grad_z" not in lines and "np.sum(z, axis=0)" in lines
    text = "R: data[M, N]; B: binary[M, N]; U: param[M, K]; V: param[N, K]; E = B*(R - U @ V.T)"
    assert "delta = -2 * E" in body(text + "; sum(E**2)")


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("accurate", [False, True])
def test_a_typed_condition_stays_what_it_is(style: str, accurate: bool) -> None:
    """It guards the quotient; the sum of the other order is 0 where this one is not."""
    text = "sum(relu(b - c + a)) + sum(where(a + b - c > 0, 1/(a + b - c), 0))"
    f = sg.compile("a: param[N]; b: data[N]; c: data[N]\n" + text, style=style, accurate=accurate)
    value, grads = f(a=np.array([1e-17]), b=np.array([1.0]), c=np.array([1.0]))
    assert value == 1e-17 and grads["a"] == [1.0]


def test_numbers_that_may_be_anything_keep_their_place() -> None:
    head = "a: data[N]; b: data[N, D]; V: param[N, D]; c: data[1]; "
    f = sg.compile(head + "c[0]*sum(a[:, None]*b*V)", "V", style="readable", dtype="float32")
    one = np.ones((1, 1), np.float32)
    grad = f(a=one[0] * 1e25, b=one * 1e-25, V=one, c=one[0] * 1e20)[1]["V"]
    np.testing.assert_allclose(grad, [[1e20]], rtol=1e-5)


def test_products_of_large_arrays_are_not_stored_to_be_added() -> None:
    text = "X: data[N, H, W]; k: param; b: param[N, H, W]; z = k*X + b; sum(tanh(z)*X) + sum(z*b)"
    program = sg.compile(text, style="readable").program
    assert program.count('np.einsum("ijk,ijk->", ') >= 2
    assert "np.einsum" not in sg.compile(text, style="readable", accurate=True).program
    flat = text.replace("[N, H, W]", "[N, H]")
    assert "np.einsum" not in sg.compile(flat, style="readable").program
    rng = np.random.default_rng(0)
    at = {"X": rng.normal(size=(2, 3, 4)), "k": 0.3, "b": rng.normal(size=(2, 3, 4))}
    value, grads = sg.compile(text, style="readable")(**at)
    passes = sg.backprop(text, at)
    np.testing.assert_allclose(value, passes.value, rtol=1e-13)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, passes.grad[name], rtol=1e-12)


def test_products_that_are_used_again_are_stored() -> None:
    head = "X: data[N, H, W]; b: param[N, H, W]; k: param[N, 1, W]"
    text = f"{head}; p = X*b; sum(p) + mean(exp(p)) + sum(X*k)"
    assert "np.einsum" not in sg.compile(text, style="readable").program
