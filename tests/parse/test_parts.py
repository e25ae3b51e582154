"""Slices whose ends are dimensions, z[:, H:2*H], and entries at two labels, R[u, i]."""

import numpy as np
import pytest

import symgrad as sg

GATES = """z: param[N, M]
c: param[N, H]
loss = sum(tanh(z[:, :H])*sigmoid(z[:, H:2*H])*c + z[:, -H:]**2)"""
RATINGS = """U: param[N, K]
V: param[M, K]
u: labels[B, N]
i: labels[B, M]
r: data[B]
loss = mean(((U @ V.T)[u, i] - r)**2)"""


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    gates = {"z": rng.normal(size=(3, 7)), "c": rng.normal(size=(3, 2))}
    rated = {
        "U": rng.normal(size=(4, 3)), "V": rng.normal(size=(5, 3)), "r": rng.normal(size=6),
        "u": np.array([0, 3, 3, 1, 0, 0]), "i": np.array([4, 4, 0, 2, 1, 4]),
    }  # fmt: skip
    return gates, rated


def test_slices_between_dimensions_are_numpys():
    z, c = arrays()[0].values()
    value, _ = sg.compile(GATES)(z=z, c=c)
    gate = 1 / (1 + np.exp(-z[:, 2:4]))
    assert value == pytest.approx(np.sum(np.tanh(z[:, :2]) * gate * c + z[:, -2:] ** 2))


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("k", [0, 1])
def test_gradients_agree_with_backpropagation(style, k):
    text, at = (GATES, RATINGS)[k], arrays()[k]
    graph = sg.parse(text)
    found = sg.backprop(graph, at)
    value, gradients = sg.compile(graph, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-12)
    for name in gradients:
        np.testing.assert_allclose(gradients[name], found.grad[name], atol=1e-12)
    assert sg.check(graph, at=at).ok


def test_what_is_asked_of_the_numbers_is_checked():
    graph = sg.parse(GATES)
    with pytest.raises(sg.ShapeError, match=r"\[3:6\] does not fit a dimension of 5"):
        sg.compile(graph)(z=np.ones((2, 5)), c=np.ones((2, 3)))
    with pytest.raises(sg.ShapeError, match=r"\[2:6\] does not fit a dimension of 5"):
        sg.parse("A: real[N, 5]\nB: real[2, H]\nsum(A[:, 2:6*1])")


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("A[:, ::K]", "plain integers"),
        ("A[:, :K:2]", "no step"),
        ("A[:, x:]", "plain integers"),
        ("A[y, :K]", "slice beside an index"),
    ],
)
def test_other_ends_are_refused(index, said):
    with pytest.raises(sg.ParseError, match=said) as error:
        sg.parse(f"A: real[N, M]\nB: real[K]\nx: real\ny: labels[L, N]\nsum({index})")
    assert error.value.span.line == 5


@pytest.mark.parametrize("typed", ["R[u, i]", "R[u][arange(B), i]"])
def test_an_entry_for_each_pair_of_labels(typed):
    text = f"R: param[N, M]; u: labels[B, N]; i: labels[B, M]; sum(tanh({typed}))"
    R, u, i = np.arange(12.0).reshape(3, 4) / 9, np.array([0, 2, 2, 2]), np.array([3, 1, 1, 0])
    value, gradients = sg.compile(text)(R=R, u=u, i=i)
    assert value == pytest.approx(np.tanh(R[u, i]).sum())
    expected = np.zeros_like(R)
    np.add.at(expected, (u, i), 1 - np.tanh(R[u, i]) ** 2)
    np.testing.assert_allclose(gradients["R"], expected, atol=1e-14)
    formula = sg.gradient(text)["R"]
    assert "R[u, i]" in str(formula) and "R_{u, i}" in formula.latex()


def test_an_index_on_both_labels_is_the_same():
    head = "R: param[N, M]; u: labels[B, N]; i: labels[B, M]; "
    assert sg.equal(head + "sum(R[u, i])", head + "sum(R[u[b], i[b]] for b in B)")


@pytest.mark.parametrize(
    "text",
    ["R: real[4, 5]; u: labels[B, 4]; sum(R[u, u])",
     "R: real[4, 5]; u: labels[B, 4]; i: labels[C, 5]; sum(R[u, i])"],
)  # fmt: skip
def test_labels_that_do_not_belong_together(text):
    with pytest.raises(sg.ShapeError):
        sg.parse(text)


def test_entries_of_a_product_need_no_product():
    text = sg.compile(RATINGS, style="readable").program
    body = text[text.index("    Returns ") :]
    assert "U[u]" in body and "V[i]" in body and ".T" not in body
