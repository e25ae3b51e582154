"""Gradients of matrix calculus, as Petersen & Pedersen, Boyd and Bishop print them."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.evaluate import bind, values

GAUSS = "x: real[D]; mu: real[D]; S: symmetric[D, D]; "
ROWS = "X: real[N, D]; mu: real[D]; P: symmetric[D, D]; "
TABLE = "U: real[K, D]; v: real[D]; o: label[K]; "
PRINTED = [
    # traces, diagonals and inner products of matrices of rank one
    ("K: symmetric[N, N]; y: real[N]; l: real; y@inv(K + l*eye(N))@y", "l",
     "−t₁ᵀ t₁ where t₁ = (K + l 𝐈)⁻¹ y"),
    ("A: symmetric[N, N]; B: symmetric[N, N]; x: real[N]; t: real; x@inv(A + t*B)@x", "t",
     "−t₁ᵀ B t₁ where t₁ = (A + t B)⁻¹ x"),
    ("A: real[N, N]; B: real[N, N]; x: real[N]; t: real; x@inv(A + t*B)@x", "t",
     "−xᵀ t₁ B t₁ x where t₁ = (A + t B)⁻¹"),
    ("A: real[N, N]; B: real[N, N]; t: real; logdet(A + t*B)", "t", "tr((A + t B)⁻¹ B)"),
    ("A: symmetric[N, N]; B: real[N, N]; t: real; logdet(A + t*B)", "t", "tr((A + t B)⁻¹ B)"),
    ("K: symmetric[N, N]; y: real[N]; v: positive; y@inv(v*K)@y/2 + logdet(v*K)/2", "v",
     "(v N − yᵀ K⁻¹ y)/(2v²)"),
    ("K: symmetric[N, N]; y: real[N]; s: real; "
     "0.5*y@inv(K + s*eye(N))@y + 0.5*logdet(K + s*eye(N))", "s",
     "(tr(t₁) − t₂ᵀ t₂)/2 where t₁ = (K + s 𝐈)⁻¹ t₂ = t₁ y"),
    ("x: real[D]; d: real[D]; x@diag(d)@x", "d", "x²"),
    ("x: real[D]; y: real[D]; A: real[D, D]; d: real[D]; x@A@diag(d)@y", "d", "(Aᵀ x) ⊙ y"),
    ("X: real[N, D]; w: real[D]; z: real[N]; r: real[N]; 0.5*(z - X@w)@diag(r)@(z - X@w)", "r",
     "(z − X w)²/2"),
    # what is typed entry by entry stays so, and traces of other matrices
    ("S: real[N, N]; W: real[N, N]; t: real; t*sum(S*W)", "t", "Σ(S ⊙ W)"),
    ("X: real[N, D]; A: real[D, D]; B: real[N, D]; t: real; sum((X@(A*t))*B)", "t",
     "Σ((Xᵀ B) ⊙ A)"),
    ("A: real[N, N]; B: real[N, N]; t: real; sum(inv(A)*t*B)", "t", "Σ(B ⊙ A⁻¹)"),
    ("A: real[N, N]; s: real; trace(A)*s", "s", "tr(A)"),
    # one row of a table
    (TABLE + "-(U[o]@v - logsumexp(U@v))", "U", "(p − e_o) vᵀ where p = softmax(U v)"),
    (TABLE + "(1 - U[o]@v)**2", "U", "2(U[o]ᵀ v − 1) e_o vᵀ"),
    ("U: real[D, K]; v: real[D]; o: label[K]; U[:, o]@v", "U", "v e_oᵀ"),
    ("U: real[N, D]; V: real[M, D]; u: label[N]; i: label[M]; j: label[M]; "
     "-log(sigmoid(U[u]@V[i] - U[u]@V[j]))", "V",
     "σ(U[u]ᵀ δ)(e_j − e_i) U[u]ᵀ where δ = V[j] − V[i]"),
    ("P: real[N, K]; Q: real[M, K]; u: label[N]; i: label[M]; r: real; lam: real; "
     "e = r - P[u]@Q[i]; e**2 + lam*(P[u]@P[u] + Q[i]@Q[i])", "P",
     "2e_u (λ P[u] − e Q[i])ᵀ where e = r − P[u]ᵀ Q[i]"),
    ("E: real[V, D]; o: labels[N, V]; x: real[N, D]; sum((E[o] - x)**2)", "E",
     "2e_oᵀ (E[o] − x)"),
    # equal terms
    ("X: real[N, K]; A: symmetric[N, N]; logdet(X.T@A@X)", "X", "2A X (Xᵀ A X)⁻¹"),
    ("X: real[D, D]; A: symmetric[D, D]; logdet(X.T@A@X)", "X", "2X⁻ᵀ"),
    ("X: real[D, D]; A: symmetric[D, D]; logdet(X.T@A@X)", "A", "A⁻¹"),
    ("X: real[N, D]; A: symmetric[N, N]; logdet(X.T@A@X)", "A", "X (Xᵀ A X)⁻¹ Xᵀ"),
    ("X: real[N, D]; y: real[N]; b = inv(X.T@X)@X.T@y; y@X@b", "y",
     "2X b where b = (Xᵀ X)⁻¹ Xᵀ y"),
    ("F: real[K, N]; A: real[K, K]; G = F@F.T; sum((G - A)**2)", "F",
     "2δ F where G = F Fᵀ δ = 2G − A − Aᵀ"),
    ("F: real[K, N]; A: symmetric[K, K]; G = F@F.T; sum((G - A)**2)", "F",
     "4(G − A) F where G = F Fᵀ"),
    ("x: real[D]; W: real[D, D]; -0.5*x@W@x", "x", "−(W + Wᵀ) x/2"),
    ("x: real[D]; W: real[D, D]; -2.5*x@W@x", "x", "−2.5(W + Wᵀ) x"),
    # differences that stand twice
    (GAUSS + "0.5*(x - mu)@inv(S)@(x - mu) + 0.5*logdet(S)", "S",
     "(S⁻¹ − S⁻¹ (x − μ) (x − μ)ᵀ S⁻¹)/2"),
    (GAUSS + "-(x - mu)@inv(S)@(x - mu)", "S", "S⁻¹ (x − μ) (x − μ)ᵀ S⁻¹"),
    (GAUSS + "0.5*logdet(S) - 0.5*(x - mu)@S@(x - mu)", "S", "(S⁻¹ − (x − μ) (x − μ)ᵀ)/2"),
    (GAUSS + "0.5*logdet(S) - 0.5*(x - mu)@S@(x - mu)", "mu", "S (x − μ)"),
    (ROWS + "N/2*logdet(P) - 0.5*sum(((X - mu)@P)*(X - mu))", "P",
     "(N P⁻¹ − (X − μ)ᵀ(X − μ))/2"),
    ("X: real[N, D]; w: real[D]; y: real[N]; -0.5*(y - X@w)@(y - X@w)", "w", "Xᵀ(y − X w)"),
    # fractions
    ("x: real[D]; W: real[D, D]; -0.5*x@W@x", "W", "−x xᵀ/2"),
    ("x: real[D]; W: real[D, D]; -2*x@W@x", "W", "−2x xᵀ"),
    ("x: real[N]; y: real[N]; -3*x@y", "x", "−3y"),
    ("x: real; y: real; 0.25*x*y", "x", "y/4"),
    ("x: real; y: real; 0.1*x*y", "x", "0.1y"),
    ("x: real; 0.5*sin(0.5*x)", "x", "cos(x/2)/4"),
    ("x: real[N]; w: real[N]; w@tanh(0.25*x - 0.5)", "w", "tanh(0.25x − 0.5)"),
    # an inverse that stands in other terms too stays whole
    ("X: real[N, N]; y: real[N]; y@inv(X.T@X)@X.T@y", "X",
     "(t₁ y yᵀ − t₂ Xᵀ)ᵀ − X t₂ where t₁ = (Xᵀ X)⁻¹ t₂ = t₁ y yᵀ X t₁"),
    ("X: real[N, N]; y: real[N]; y@inv(X.T@X)@X.T@y", "y", "(t₁ + t₁ᵀ) y where t₁ = X⁻¹"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "expected"), PRINTED, ids=[p[0] for p in PRINTED])
def test_as_in_a_book(text, name, expected):
    formula = sg.gradient(text, [name])[name]
    assert " ".join(str(formula).split(" = ", 1)[1].split()) == expected


@pytest.mark.parametrize(("text", "name"), [p[:2] for p in PRINTED], ids=range(len(PRINTED)))
def test_the_printed_formula_has_the_numbers_of_the_gradient(text, name):
    graph = sg.parse(text)
    at = point(graph, 3)
    known, sizes = bind(graph, at)
    node = sg.gradient(text, [name])[name].node
    expected = sg.backprop(graph, at).grad[name]
    np.testing.assert_allclose(values([node], known, sizes)[node], expected, rtol=1e-8, atol=1e-10)


def test_second_derivatives_have_one_sign():
    text = "x: real[N]; mu: real; s: positive; N*log(s) + sum((x - mu)**2)/(2*s**2)"
    found = sg.hessian(text, ["mu", "s"])
    assert str(found["mu", "s"]).endswith("= 2Σ(x − μ)/s³")
    assert str(found["s", "mu"]).endswith("= 2Σ(x − μ)/s³")


@pytest.mark.parametrize(("kind", "expected"), [("real", "2(s K)⁻¹ y"), ("positive", "2K⁻¹ y/s")])
def test_an_inverse_is_divided_by_what_cannot_be_zero(kind, expected):
    text = f"K: symmetric[N, N]; y: real[N]; s: {kind}; y@inv(s*K)@y"
    assert str(sg.gradient(text, ["y"])["y"]).split(" = ", 1)[1] == expected


@pytest.mark.parametrize(("text", "line"), [
    ("U: param[K, D]; v: data[D]; o: label[K]; U[o]@v", "scatter("),
    ("K: symmetric[N, N]; y: data[N]; l: param; y@inv(K + l*eye(N))@y", "np.dot(t_1, t_1)"),
])  # fmt: skip
def test_a_program_keeps_what_it_has(text, line):
    assert line in sg.compile(text).source


def test_a_difference_with_a_number_keeps_its_order_inside_a_formula():
    formula = sg.gradient("S: param[2, 2]; t = 1/((S - max(S))**2 + 1); sum(t)", ["S"])["S"]
    assert "max(S) − S" not in str(formula)


def test_a_product_around_an_inverse_of_fewer_columns_stays():
    text = "X: real[N, D]; A: symmetric[N, N]; logdet(X.T@A@X)"
    assert "(Xᵀ A X)⁻¹" in str(sg.gradient(text, ["X"])["X"])
