"""What goes along an axis of a transpose goes along the other axis of what is stored."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.rewrite.upright import upright
from tests.codegen.test_stacks_and_sums import inputs

SIZES = {"N": 5, "M": 4, "K": 3}
MATRIX = "S: param[N, M]; w: data[M, N]; v: data[M]; u: data[N]\n"
STACK = "S: param[N, M, K]\n"
TEXTS = [
    MATRIX + "sum(softmax(S.T)*w)",
    MATRIX + "sum(log_softmax(S.T, axis=0)*w)",
    MATRIX + "sum(logsumexp(S.T, axis=1)*v)",
    MATRIX + "sum(max(S.T, axis=0)*u) + sum(mean(S.T, axis=1)*v)",
    MATRIX + "sum(sum(S.T**2, axis=1, keepdims=True)*w)",
    MATRIX + "sum(cumsum(S.T, axis=0)*w)",
    MATRIX + "var(S.T)",
    STACK + "sum(max(transpose(S, (2, 0, 1)), axis=1)**2)",
    STACK + "sum(tanh(sum(transpose(S, (2, 1, 0)), axis=(0, 1))))",
    STACK + "sum(softmax(transpose(S, (1, 2, 0)), axis=1)**2)",
    STACK + "sum(tanh(mean(transpose(S, (1, 2, 0)), axis=2, keepdims=True))**2)",
    "S: param[N, N]\nsum(diag(S.T)**2) + trace(S.T)",
    "S: param[N, N]\n-mean(diag(log_softmax(S))) - mean(diag(log_softmax(S.T)))",
]


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text", TEXTS)
def test_values_and_slopes_stay(text: str, style: str) -> None:
    graph = sg.parse(text)
    at = inputs(graph, SIZES)
    f = sg.compile(graph, style=style)
    found = sg.backprop(graph, at)
    value, grads = f(**at)
    assert value == pytest.approx(float(found.value))
    assert np.allclose(grads["S"], found.grad["S"])


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_goes_along_an_axis_of_a_transpose(text: str) -> None:
    order = upright(sg.parse(text)).order()
    along = [n for n in order if "axis" in n.attrs or n.op in ("diag", "trace")]
    assert along and not any(n.args[0].op == "transpose" for n in along)


def test_the_slopes_of_both_directions_of_a_contrast() -> None:
    """(P + Q - 2 I)/N: no row sums of a diagonal matrix, no transposes."""
    program = sg.compile(TEXTS[-1], style="readable").program
    body = program.split("def value_and_grad")[1]
    assert ".T" not in body and "np.sum(" not in body
    assert "(P + P_2) / N" in body


def test_each_column_of_labels_across_adds_up_to_one() -> None:
    text = "S: param[N, N]; y: labels[N, N]\ncross_entropy(S, y) + cross_entropy(S.T, y)"
    body = sg.compile(text, style="readable").program.split("def value_and_grad")[1]
    assert "np.sum(" not in body and "(P + P_2 - " in body


@pytest.mark.parametrize(("n", "k"), [(3, 4), (90, 8), (110, 8), (190, 40), (230, 40)])
def test_slopes_at_places_whatever_their_number(n: int, k: int) -> None:
    """Few places are added up row by row, many column by column."""
    rng = np.random.default_rng(n)
    at = {"y": rng.integers(0, 7, n), "E": rng.normal(size=(7, k)), "T": rng.normal(size=(n, k))}
    text = "y: labels[N, V]; E: param[V, K]; T: data[N, K]\nsum(E[y]*T)"
    expected = np.zeros((7, k))
    np.add.at(expected, at["y"], at["T"])
    for style in ("readable", "fast"):
        assert np.allclose(sg.compile(text, style=style)(**at)[1]["E"], expected)
