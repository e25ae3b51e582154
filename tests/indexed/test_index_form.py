"""Index form: entries, sums, deltas and cases; what it prints, and that it is right."""

import numpy as np
import pytest
from programs import PROGRAMS, agrees, at_point

import symgrad as sg
from symgrad.formula import Formula
from symgrad.indexed import delta, entries, entry, index, total
from symgrad.indexed.tensors import array
from symgrad.ops import const, leaf, make

N = "N"


def gradient(text: str, wrt: str) -> Formula:
    return sg.gradient(text, wrt)[wrt]


PRINTED = [
    ("s: real[C]; y: label[C]; p = softmax(s); L = -log(p[y])", "s",
     "∂L/∂sᵢ = pᵢ − 1[i = y] = {p_y − 1 if i = y; pᵢ if i ≠ y}"),
    ("z: real[K]; t: onehot[K]; p = softmax(z); L = -sum(t*log(p))", "z", "∂L/∂zᵢ = pᵢ − tᵢ"),
    ("X: data[N, D]; W: param[D, K]; Y: onehot[N, K]; P = softmax(X@W); L = -sum(Y*log(P))/N", "W",
     "∂L/∂Wⱼₖ = 1/N Σᵢ Xᵢⱼ(Pᵢₖ − Yᵢₖ)"),
    ("x: real[N]; L = sum(i*x[i] for i in N)", "x", "∂L/∂xᵢ = i"),
    ("A: real[D, D]; x: real[D]; f = x @ A @ x", "x", "∂f/∂xᵢ = Σⱼ (Aᵢⱼ + Aⱼᵢ) xⱼ"),
    ("p: real[N]; y: binary[N]; L = -sum(y*log(p) + (1-y)*log(1-p))", "p",
     "∂L/∂pᵢ = {−1/pᵢ if yᵢ = 1; 1/(1 − pᵢ) if yᵢ = 0}"),
    ("p: real[N]; t: real[N]; L = sum(abs(p - t))", "p",
     "∂L/∂pᵢ = sign(pᵢ − tᵢ) = {1 if pᵢ > tᵢ; −1 if pᵢ < tᵢ}"),
    ("s: real[N, C]; y: labels[N, C]; L[i] = sum(max(0, s[i,j] - s[i,y[i]] + Delta) for j in C"
     " if j != y[i]); loss = mean(L[i] for i in N)", "s",
     "∂loss/∂sᵢⱼ = {−1/N Σ_{k ≠ yᵢ} 1[sᵢₖ − s_{i,yᵢ} + Δ > 0] if j = yᵢ; "
     "1[sᵢⱼ − s_{i,yᵢ} + Δ > 0]/N if j ≠ yᵢ}"),
    ("X: data[N, D]; W1: param[D, H]; w: param[H]; h = tanh(X@W1); L = sum(h@w)", "W1",
     "∂L/∂(W₁)ⱼₖ = wₖ Σᵢ Xᵢⱼ(1 − (hᵢₖ)²)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "expected"), PRINTED, ids=[p[1] for p in PRINTED])
def test_printed(text: str, wrt: str, expected: str) -> None:
    F = gradient(text, wrt)
    head, _, body = expected.partition(" = ")
    assert F.entry_head(tex=False) == head
    assert F.unicode("index") == body


def test_latex() -> None:
    F = gradient("s: real[C]; y: label[C]; p = softmax(s); L = -log(p[y])", "s")
    assert F.latex_head == r"\frac{\partial L}{\partial s}"
    assert F.entry_head() == r"\frac{\partial L}{\partial s_{i}}"
    assert F.latex("index") == (
        r"p_{i} - \mathbb{1}[i = y] = "
        r"\begin{cases} p_{y} - 1 & i = y \\ p_{i} & i \ne y \end{cases}"
    )
    with pytest.raises(sg.UsageError, match="one of matrix, index"):
        F.latex("tensor")


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.parametrize("seed", [0, 1])
def test_value(text: str, seed: int) -> None:
    """The entries, and the cases, have the numbers of the matrix form."""
    graph = sg.parse(text)
    known, sizes = at_point(graph, seed)
    for F in sg.gradient(graph).values():
        agrees(F, known, sizes)


def test_sums_with_deltas() -> None:
    i, j = index("i", N), index("j", N)
    x = leaf("x", (N,))
    picked = total(make("mul", entry(x, j), make("sub", delta(i, j), const(1))), j)
    assert picked is make("sub", entry(x, i), total(entry(x, j), j))
    assert total(const(1), j).op == "dim"
    simplex = leaf("p", (N,), "simplex")
    assert total(entry(simplex, j), j) is const(1)
    # a sum is the same whatever its index was called
    assert total(entry(x, j), j) is total(entry(x, i), i)


def test_matrix_form_again() -> None:
    """Index form and back: what is a chain of products comes back as one."""
    A, B, v = leaf("A", ("N", "D")), leaf("B", ("D", "K")), leaf("v", ("D",))
    product = make("matmul", make("matmul", A, make("diag", v)), B)
    i, k = index("i", "N"), index("k", "K")
    assert array(entries(product, (i, k)), (i, k)) is product
    y = leaf("y", ("N",))
    j = index("j", "N")
    assert array(entries(make("outer", y, y), (i, j)), (i, j)) is make("outer", y, y)


def test_letters_avoid_names() -> None:
    F = gradient("i: real[N]; j: real[M]; k: real; L = k*sum(i**2) + sum(j)", "i")
    assert F.unicode("index") == "2k iₗ"


def test_columns_have_no_index() -> None:
    text = "X: data[N, D]; mu = mean(X, axis=1, keepdims=True); w: param[D]; L = sum((X - mu)@w)"
    F = gradient(text, "w")
    known, sizes = at_point(sg.parse(text), 0)
    agrees(F, known, sizes)
    assert np.shape(F.index.free) == (1,)
