"""Stacks of matrices with a vector each, slopes of shared weights, labels of whole sequences."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_stacks_and_sums import inputs

POOL = """X: data[N, T, D]; u: param[D]; V: param[D, C]; Y: data[N, C]
H = tanh(X); a = softmax(H @ u); mse(sum(a[:, :, None]*X, axis=1) @ V, Y)"""
EXPERTS = """X: data[N, D]; Y: data[N, C]; G: param[D, K]; W: param[K, D, C]; g = softmax(X @ G)
mse(einsum("nk,nd,kdc->nc", g, X, W), Y)"""
SLOPE = "X: data[N, T, D]; W: param[D, H]; sum(tanh(X @ W)**2)"
TAGS = (
    "X: data[N, T, D]; y: labels[N, T, C]; W: param[D, C]; b: param[C]; cross_entropy(X @ W + b, y)"
)
TREES = TAGS.replace("N, T", "N, T, B")
PROGRAMS = [POOL, EXPERTS, SLOPE, TAGS, TREES]


def lines(text: str, *wrt: str, **options: Any) -> str:
    program = sg.compile(text, *wrt, **options).program
    return program[program.index("    Returns ") :]


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("accurate", [False, True])
def test_as_backpropagation_computes(text: str, style: str, accurate: bool) -> None:
    graph = sg.parse(text)
    at = inputs(graph)
    if "y: labels" in text:
        at["y"] = np.random.default_rng(2).integers(0, 3, at["y"].shape)
    f = sg.compile(graph, style=style, accurate=accurate)
    found = sg.backprop(graph, at)
    for value, gradients in (f(**at), f(**at)):
        assert value == pytest.approx(float(found.value), rel=1e-11)
        for name in f.wrt:
            scale = np.abs(found.grad[name]).max()
            np.testing.assert_allclose(gradients[name], found.grad[name], atol=1e-10 * scale)


@pytest.mark.parametrize("accurate", [False, True])
def test_matrices_with_a_vector_each_are_multiplied_by_blas(accurate: bool) -> None:
    text = lines(POOL, style="readable", accurate=accurate)
    assert "np.einsum(" not in text and text.count("np.matmul(") == 2
    # the slope in u, along both axes
    assert "delta_2.reshape(N*T) @ H.reshape(N*T, D)" in text
    text = lines(EXPERTS, style="readable", accurate=accurate)
    assert "optimize=True" not in text and text.count("np.matmul(") == 2
    moved = "X: data[T, N]; v: param[N, D]; W: data[D, T, N]; sum(einsum('tn,dtn->tn', X, W)**2)"
    assert "matmul" not in lines(moved, "X", style="readable", accurate=accurate)


def test_a_stack_that_is_there_is_not_gone_through_to_be_added_up() -> None:
    """tanh(X) stays whole for H @ u: its slope is a product too, not a pass and a sum."""
    assert "np.matmul(ones_T, buf0_rows)" not in lines(POOL)
    assert "t_1.reshape((N*T, D))" in lines(POOL) or "H.reshape((N*T, D))" in lines(POOL)


def test_experts_are_a_stack_that_begins_with_the_batch() -> None:
    text = lines(EXPERTS)
    assert "np.einsum(" not in text and text.count("np.matmul(") == 2


@pytest.mark.parametrize("accurate", [False, True])
def test_the_slope_of_shared_weights_is_one_product(accurate: bool) -> None:
    text = lines(SLOPE, style="readable", accurate=accurate)
    assert "X.reshape(N*T, D).T @ " in text and "np.transpose(X" not in text


@pytest.mark.parametrize("text", [TAGS, TREES])
def test_labels_of_sequences_are_looked_up_in_one_table(text: str) -> None:
    for style in ("readable", "fast"):
        assert "take_along_axis" not in lines(text, style=style)
    assert "np.arange(C) ==" not in lines(text)  # no rows of zeros and ones: the entry is changed
