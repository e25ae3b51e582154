"""Jacobians, Hessians and their products with vectors: as printed in books, and right."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.evaluate import bind, helpers, values
from symgrad.formula import Formula, hessians, jacobians
from symgrad.graph import Graph, Node
from symgrad.indexed.numbers import value
from symgrad.indexed.symbols import below

JACOBIANS = [
    ("z: real[K]; p = softmax(z)", "z", "diag(p) − p pᵀ", "pᵢ(δᵢⱼ − pⱼ)"),
    ("z: real[K]; T: real; p = softmax(z/T)", "z", "(diag(p) − p pᵀ)/T", "pᵢ(δᵢⱼ − pⱼ)/T"),
    ("z: real[K]; logp = log_softmax(z)", "z", "𝐈 − 𝟏 pᵀ", "δᵢⱼ − pⱼ"),
    ("x: real[N]; y = relu(x)", "x", "diag(1[x > 0])", "1[xᵢ > 0] δᵢⱼ = {1[xᵢ > 0] if i = j; 0 "),
    ("x: real[N]; y = tanh(x)", "x", "diag(1 − y²)", "(1 − (yᵢ)²) δᵢⱼ ="),
    ("A: real[M, N]; x: real[N]; b: real[M]; y = A@x + b", "x", "A", "Aᵢⱼ"),
    ("A: real[M, N]; x: real[N]; b: real[M]; y = A@x + b", "b", "𝐈", "δᵢₖ"),
    ("A: real[M, N]; x: real[N]; y = A@x", "A", "δᵢₖ xⱼ", "δᵢₖ xⱼ"),
    ("W: real[H, D]; x: real[D]; y = sigmoid(W@x)", "x", "D₂ W", "yᵢ(1 − yᵢ) Wᵢⱼ"),
    ("X: real[N, D]; W: real[D, H]; Y = X@W", "W", "δₖₗ Xᵢⱼ", "δₖₗ Xᵢⱼ"),
    ("A: real[M, N]; X: real[N, D]; B: real[D, K]; Y = A@X@B", "X", "Bₖₗ Aᵢⱼ", "Bₖₗ Aᵢⱼ"),
    ("A: real[D, D]; Y = inv(A)", "A", "−Yᵢₖ Yₗⱼ", "−Yᵢₖ Yₗⱼ"),
    ("x: real[N]; y: real[N]; z = x*y", "x", "diag(y)", "yᵢ δᵢⱼ ="),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "matrix", "entry"), JACOBIANS)
def test_jacobian_printed(text: str, wrt: str, matrix: str, entry: str) -> None:
    F = sg.jacobian(text, wrt)
    assert isinstance(F, Formula)
    assert F.unicode() == matrix or (not F.has_matrix_form and F.unicode().startswith(matrix))
    assert F.unicode("index").startswith(entry), F.unicode("index")


HESSIANS = [
    ("z: real[K]; L = log(sum(exp(z)))", "z", "diag(p) − p pᵀ"),
    ("z: real[K]; t: onehot[K]; L = -sum(t*log(softmax(z)))", "z", "diag(p) − p pᵀ"),
    ("A: data[N, D]; x: real[D]; b: data[N]; L = sum((A@x - b)**2)", "x", "2Aᵀ A"),
    ("A: symmetric[D, D]; x: real[D]; L = x@A@x", "x", "2A"),
    ("w: real[D]; L = lam*sum(w**2)", "w", "2λ 𝐈"),
    ("p: real[N]; t: real[N]; L = mean((p - t)**2)", "p", "2𝐈/N"),
    ("X: data[N, D]; w: real[D]; y: binary[N]; p = sigmoid(X@w);"
     "L = -sum(y*log(p) + (1-y)*log(1-p))", "w", "Xᵀ D₂ X"),
    ("f: real[N]; y: sign[N]; L = sum(maximum(0, 1 - y*f))", "f", "𝟎"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "matrix"), HESSIANS)
def test_hessian_printed(text: str, wrt: str, matrix: str) -> None:
    F = sg.hessian(text, wrt)
    assert isinstance(F, Formula)
    assert F.unicode() == matrix


def test_heads() -> None:
    J = sg.jacobian("z: real[K]; p = softmax(z)", "z")
    assert (J.head, J.entry_head(False)) == ("∂p/∂z", "∂pᵢ/∂zⱼ")
    assert J.latex_head == r"\frac{\partial p}{\partial z}"
    H = sg.hessian("a: real[N]; B: real[N, M]; c: real[M]; L = a@B@c", ["a", "c"])
    assert list(H) == [("a", "a"), ("a", "c"), ("c", "a"), ("c", "c")]
    assert [F.unicode() for F in H.values()] == ["𝟎", "B", "Bᵀ", "𝟎"]
    assert H["a", "c"].head == "∂²L/∂a∂c"
    assert H["a", "a"].latex_head == r"\frac{\partial^{2} L}{\partial a^{2}}"
    assert H["a", "c"].entry_head() == r"\frac{\partial^{2} L}{\partial a_{i}\, \partial c_{j}}"
    many = sg.jacobian("X: real[N, D]; W: real[D, H]; Y = X@W", ["X", "W"])
    assert list(many) == ["X", "W"]
    # no product of matrices says it: the left side has indices too
    assert many["W"].head == "∂Yᵢₖ/∂Wⱼₗ"


PROGRAMS = [
    "z: real[K]; p = softmax(z)",
    "z: real[K]; q: real[K]; p = log_softmax(z*q)",
    "X: real[N, D]; W: real[D, H]; b: real[H]; Y = tanh(X@W + b)",
    "X: real[N, D]; y = X.T @ (X @ sum(X, axis=0))",
    "x: real[N]; y = x/norm(x)",
    "x: real[N]; y = (x - mean(x))/sqrt(var(x) + 0.1)",
    "x: real[N, D]; y = (x - mean(x, axis=0))/sqrt(var(x, axis=0) + 0.1)",
    "x: real[N]; y = x[0]*x + exp(-x)",
    "A: real[D, D]; Y = inv(A)",
    "A: real[D, D]; f = logdet(A)",
    "x: real[N]; y: real[N]; f = x@y + sum(sin(x)*y**2)",
    "X: data[N, D]; w: real[D]; y: binary[N]; p = sigmoid(X@w); L = bce(p, y)",
    "X: data[N, D]; W: real[D, K]; y: labels[N, K]; L = cross_entropy(X@W, y)",
    "s: real[N, C]; y: labels[N, C]; L = svm(s, y)",
    "x: real[D]; A: real[D, D]; L = exp(-x@A@x/4)",
    "x: real[D]; V: real[D, H]; u: real[H]; L = sigmoid(tanh(x@V)@u)",
    "x: real[N]; L = sum(log(1 + x**2))/N + prod(x)",
    "x: real; y: real; f = x**2*y + exp(x*y)",
    "Q: real[N, D]; K: real[M, D]; P = softmax(Q@K.T)",
    "E: real[V, D]; k: labels[N, V]; Y = take(E, k, axis=0)",
    "x: real[N]; y = x[1:] - x[:-1]",
    "x: real[N]; L = sum((x[1:] - x[:-1])**2)",
]


def differences(node: Node, x: Node, known: Mapping[Node, Any], sizes: Mapping[str, int]) -> Any:
    """Differentiate an array in another by central differences."""
    at = np.asarray(known[x], dtype=float)
    base = np.shape(values([node], known, sizes)[node])
    result = np.zeros((*base, *at.shape))
    for place in np.ndindex(*at.shape):
        step = np.zeros_like(at)
        step[place] = 1e-6
        sides = [
            np.asarray(values([node], {**known, x: at + s * step}, sizes)[node], dtype=float)
            for s in (1, -1)
        ]
        result[(..., *place)] = (sides[0] - sides[1]) / 2e-6
    return result


def all_forms(F: Formula, at: Mapping[str, Any], known: Any, sizes: Any) -> list[Any]:
    """Compute a formula from its node, its NumPy text and its entries."""
    space: dict[str, Any] = {"np": np, **sizes, **at}
    for source in helpers().values():
        exec(source, space)
    for name, part in F.where.items():
        space[name] = eval(part.numpy(), space)
    form = F.index
    bases = dict.fromkeys(n.args[0] for n in below(form.root) if n.op == "entry")
    entries = value(form.root, form.free, values(bases, known, sizes), sizes)
    return [values([F.node], known, sizes)[F.node], eval(F.numpy(), space), entries]


def prepared(text: str) -> tuple[Graph, dict[str, Any], Any, Any]:
    graph = sg.parse(text)
    at = point(graph, 1)
    return graph, at, *bind(graph, at)


@pytest.mark.parametrize("text", PROGRAMS)
def test_right(text: str) -> None:
    """Every Jacobian and Hessian agrees with differences, in all its forms."""
    graph, at, known, sizes = prepared(text)
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    found = [(F, graph.output, name) for name, F in jacobians(graph).items()]
    if not graph.output.shape:
        first = sg.gradient(graph)
        found += [(F, first[a].node, b) for (a, b), F in hessians(graph).items()]
    for F, node, name in found:
        want = differences(node, inputs[name], known, sizes)
        for got in all_forms(F, at, known, sizes):
            assert np.shape(got) == want.shape, F.head
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-6, err_msg=F.head)


PRODUCTS = [
    ("z: real[K]; v: data[K]; p = softmax(z)", "z", "p ⊙ (v − vᵀ p)"),
    ("X: data[N, D]; W: real[D, K]; v: data[D, K]; Y = relu(X@W)", "W", None),
    ("x: real[N]; v: data[N]; y = cumsum(x)**2", "x", None),
    ("a: real; v: data; f = a**3", "a", "3a²v"),
]


@pytest.mark.parametrize(("text", "wrt", "printed"), PRODUCTS)
def test_jacobian_vector_product(text: str, wrt: str, printed: str | None) -> None:
    graph, at, known, sizes = prepared(text)
    F = sg.jvp(graph, wrt, "v")
    if printed:
        assert F.unicode() == printed
    x = next(n for n in graph.inputs if n.attrs["name"] == wrt)
    J = differences(graph.output, x, known, sizes)
    want = np.tensordot(J, at["v"], np.ndim(at["v"])) if np.ndim(at["v"]) else J * at["v"]
    for got in all_forms(F, at, known, sizes):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", [
    "X: data[N, D]; w: real[D]; v: data[D]; y: sign[N]; L = sum(log(1 + exp(-y*(X@w))))",
    "X: data[N, D]; w: real[D, K]; v: data[D, K]; y: labels[N, K]; L = cross_entropy(X@w, y)",
    "w: real[N]; v: data[N]; L = sum(cumsum(w)**3)",
])  # fmt: skip
def test_hessian_vector_product(text: str) -> None:
    graph, at, known, sizes = prepared(text)
    F = sg.hvp(graph, "w", "v")
    w = next(n for n in graph.inputs if n.attrs["name"] == "w")
    H = differences(sg.gradient(graph, "w")["w"].node, w, known, sizes)
    want = np.tensordot(H, at["v"], np.ndim(at["v"]))
    for got in all_forms(F, at, known, sizes):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_errors() -> None:
    with pytest.raises(sg.UsageError, match="declare it:  v: real\\[N\\]"):
        sg.hvp("x: real[N]; L = sum(x**2)", "x", "v")
    with pytest.raises(sg.ShapeError, match=r"'v' is \(M,\), but x is \(N,\)"):
        sg.jvp("x: real[N]; v: data[M]; y = x**2", "x", "v")
    with pytest.raises(sg.NotDifferentiableError, match="a gradient needs a scalar"):
        sg.hessian("x: real[N]; y = x**2", "x")
    with pytest.raises(sg.UsageError, match="no name of this program"):
        sg.jacobian("x: real[N]; y = x**2", "u")
    with pytest.raises(sg.UsageError, match="jvp and hvp give the product"):
        sg.jacobian("x: real[N]; y = reshape(x, (N, 1))", "x")
    with pytest.raises(sg.UsageError, match="only a gradient has steps"):
        sg.jacobian("x: real[N]; y = x**2", "x").steps()


def test_intermediate_values() -> None:
    F = sg.hessian("x: real; y = x**2; z = y**3 + x", "y")
    assert isinstance(F, Formula)
    assert F.unicode() == "6y"
    found = sg.jacobian("X: data[N, D]; w: param[D]; y = X@w; z = y**2", ["y", "w"])
    assert [G.unicode() for G in found.values()] == ["2diag(y)", "2diag(y) X"]
    with pytest.raises(sg.UsageError, match="ask for it alone"):
        sg.hessian("x: real; y = x**2; z = y**3 + x", ["x", "y"])


def test_says_when_there_is_no_matrix_form() -> None:
    F = sg.jacobian("X: data[N, D]; W: param[D, K]; Y = X@W", "W")
    assert F.notes == ("∂Yᵢₖ/∂Wⱼₗ has no matrix form; its entries are given",)
    assert F.latex() == F.latex("index")


def test_declared_facts() -> None:
    F = sg.hessian("f: real[N]; y: sign[N]; L = sum(log(1 + exp(-y*f)))", "f")
    assert [part.unicode() for part in F.where.values()] == ["σ(f ⊙ y)"]
    assert "y" not in F.unicode()  # y² = 1
    # a sum keeps it: 2(f − y) would be shorter, and no lecturer's formula
    G = sg.gradient("f: real; y: sign; L = (1 - y*f)**2", "f")["f"]
    assert "y f" in G.unicode()


def test_what_has_no_gradient() -> None:
    with pytest.raises(sg.ParseError, match=r"'argmax' gives places, which have no derivative"):
        sg.gradient("x: real[N]; y = argmax(x)")
    with pytest.raises(sg.NotDifferentiableError, match="ask for one of s"):
        sg.gradient("s: real[C]; y: label[C]; L = -log(softmax(s)[y])", "y")
    with pytest.raises(sg.NotDifferentiableError, match="an array has a Jacobian"):
        sg.gradient("x: real[N]; y = x**2")
    with pytest.warns(sg.SymgradWarning, match="zero almost everywhere"):
        assert sg.gradient("s: real[C]; y: label[C]; L = zero_one(s, y)")["s"].unicode() == "𝟎"
