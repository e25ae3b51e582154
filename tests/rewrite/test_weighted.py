"""Sums of weighted rows and columns, without the weighted matrix where nothing else reads it."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.ops import leaf, make
from symgrad.rewrite.weighted import weighted_sums
from tests.codegen.test_stacks_and_sums import inputs

A, B = leaf("A", ("N", "D")), leaf("B", ("N", "D"))
b, r = leaf("b", ("D",)), leaf("r", ("N",))
COLUMN = make("expand", r, axes=(1,))
ITEMS = """Y: data[S, I]; theta: param[S]; a: param[I]; b: param[I]
P[s, i] = sigmoid(a[i]*(theta[s] - b[i]))
-sum(Y[s, i]*log(P[s, i]) + (1 - Y[s, i])*log(1 - P[s, i]) for s in S for i in I)/S"""
NAMED = "A: param[N, D]; b: param[D]; z = A*b; sum(sum(z, 0)**2) + sum(sum(z, 1)**3)"


def sums(product):
    return [make("sum", product, axis=k) for k in (0, 1)]


@pytest.mark.parametrize("weights", [b, COLUMN], ids=["row", "column"])
@pytest.mark.parametrize("turned", [False, True])
def test_no_product_is_left(weights, turned):
    product = make("mul", *((A, weights) if turned else (weights, A)))
    images = weighted_sums(sums(product), ())
    assert sorted(images[n].op for n in sums(product)) == ["matmul", "mul"]
    assert [images[n].shape for n in sums(product)] == [("D",), ("N",)]


def test_what_else_is_read_or_is_no_weight_stays():
    product = make("mul", A, b)
    for roots, named in [
        ([*sums(product), product], ()),
        ([*sums(product), make("exp", product)], ()),
        (sums(product), [product]),
        (sums(product)[:1], ()),
        (sums(make("mul", A, B)), ()),
        ([*sums(product), make("sum", product)], ()),
    ]:
        images = weighted_sums(roots, named)
        assert all(images[n] is n for n in roots)


@pytest.mark.parametrize("text", [ITEMS, NAMED])
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("accurate", [False, True])
def test_as_backpropagation_computes(text, style, accurate):
    graph = sg.parse(text)
    at = inputs(graph, {"S": 7, "I": 4, "N": 5, "D": 3})
    found = sg.backprop(graph, at)
    value, gradients = sg.compile(graph, style=style, accurate=accurate)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-11)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, found.grad[name], rtol=1e-9, atol=1e-12)


def test_slopes_in_weights_are_read_as_people_write_them():
    text = sg.compile(ITEMS, style="readable").program
    assert "delta @ a" in text and "a * np.sum(delta, axis=0)" in text and "delta_2" not in text
    assert "delta @ a" not in sg.compile(ITEMS, style="readable", accurate=True).program
    assert "z = A * b" in sg.compile(NAMED, style="readable").program  # the user's line


KERNEL = """Z: param[N, K]
q[i, j] = exp(-sum((Z[i, k] - Z[j, k])**2 for k in K))
sum(q[i, j]*cos(i - j) for i in N for j in N)"""
KEPT = (
    "A: param[N, M]; d: data[N, M, K]; z = A[:, :, None]*d; sum(sum(z, 0)**2) + sum(sum(z, 1)**3)"
)


def test_stacks_are_added_up_along_both_axes_without_their_product():
    sums = KERNEL.replace("] - ", "] + ")  # of differences it would be distances
    text = sg.compile(sums, style="readable").program
    assert "np.matmul(t_1[..., None, :], t_2)" in text and 'np.einsum("ab,abc->bc"' in text
    assert "delta" not in text and "[:, :, None]" not in text
    assert "z = A[:, :, None] * d" in sg.compile(KEPT, style="readable").program
    assert "np.einsum" not in sg.compile(sums, style="readable", accurate=True).program


@pytest.mark.parametrize("text", [KERNEL, KEPT])
def test_stacks_as_backpropagation_computes(text):
    graph = sg.parse(text)
    at = inputs(graph, {"N": 5, "M": 4, "K": 3})
    found = sg.backprop(graph, at)
    value, gradients = sg.compile(graph, style="readable")(**at)
    assert value == pytest.approx(float(found.value), rel=1e-11)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, found.grad[name], rtol=1e-9, atol=1e-12)
