"""Losses that are typed with indices have gradients as books print them."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import bind, values
from tests.formula.test_round_trip import round_trip

SIZES = {"N": 5, "M": 4, "D": 3, "K": 2}
PRINTED = [
    # sums of products of three and more factors
    ("A: real[D, D]; x: real[D]; L = sum(A[i,j]*x[i]*x[j] for i in D for j in D)",
     {"x": "(A + Aᵀ) x", "A": "x xᵀ"}),
    ("A: symmetric[D, D]; x: real[D]; L = sum(A[i,j]*x[i]*x[j] for i in D for j in D)/2",
     {"x": "A x"}),
    ("v: real[N]; W: real[N, D]; h: real[D]; a: real[N]; "
     "E = -sum(a[i]*v[i] for i in N) - sum(v[i]*W[i,j]*h[j] for i in N for j in D)",
     {"v": "−W h − a", "W": "−v hᵀ", "h": "−Wᵀ v"}),
    ("J: symmetric[N, N]; s: real[N]; h: real[N]; "
     "E = -0.5*sum(J[i,j]*s[i]*s[j] for i in N for j in N) - sum(h[i]*s[i] for i in N)",
     {"s": "−(h + J s)"}),
    ("J: symmetric[N, N]; s: real[N]; "
     "E = -0.5*sum(J[i,j]*s[i]*s[j] for i in N for j in N if i != j)",
     {"s": "−(J ⊙ 1[i ≠ j]) s"}),
    ("a: real[N]; y: sign[N]; K: symmetric[N, N]; L = sum(a[i] for i in N) "
     "- 0.5*sum(a[i]*a[j]*y[i]*y[j]*K[i,j] for i in N for j in N)",
     {"a": "1 − (K (a ⊙ y)) ⊙ y"}),
    ("X: real[N, D]; S: real[N, N]; "
     "L = sum(S[i,j]*X[i,d]*X[j,d] for i in N for j in N for d in D)",
     {"X": "(S + Sᵀ) X", "S": "X Xᵀ"}),
    ("u: real[N]; v: real[D]; A: real[N, D]; L = sum(A[i,j]*u[i]*v[j]/2 for i in N for j in D)",
     {"u": "A v/2", "v": "Aᵀ u/2", "A": "u vᵀ/2"}),
    ("A: real[N, D]; B: real[D, K]; C: real[K, M]; "
     "Z[i,m] = sum(A[i,j]*B[j,k]*C[k,m] for j in D for k in K); L = sum(Z**2)",
     {"A": "2Z Cᵀ Bᵀ", "B": "2Aᵀ Z Cᵀ", "C": "2Bᵀ Aᵀ Z"}),
    ("A: real[N, D]; x: real[D]; u: real[N]; "
     "z[i] = sum(A[i,j]*x[j]*u[i] for j in D); L = sum(z**2)",
     {"u": "2z ⊙ (A x)"}),
    # a transpose of a transpose, in the definition of a name
    ("X: real[N, D]; W: real[D, K]; s[i,k] = sum(X[i,d]*W[d,k] for d in D); L = sum(s**2)",
     {"W": "2Xᵀ s\n  where s = X W"}),
    # vectors that are stretched over a matrix: outer products, products with a vector
    ("R: real[N, D]; u: real[N]; v: real[D]; "
     "L = sum((R[i,j] - u[i]*v[j])**2 for i in N for j in D)",
     {"u": "2(u vᵀ − R) v", "v": "2(u vᵀ − R)ᵀ u", "R": "2(R − u vᵀ)"}),
    ("a: real[N]; y: sign[N]; K: real[N, N]; "
     "L = sum(a[i]*a[j]*y[i]*y[j]*tanh(K[i,j]) for i in N for j in N)",
     {"K": "((a ⊙ y) (a ⊙ y)ᵀ) ⊙ (1 − tanh(K)²)"}),
    ("a: real[K]; B: real[K, M]; L = log(sum(a[i]*exp(B[i,j]) for i in K for j in M))",
     {"B": "t₁/Σ(t₁)"}),
    ("A: real[N, D]; x: real[D]; L = sum(A[i,j]*x[j]/2 for i in N for j in D)",
     {"A": "𝟏 xᵀ/2"}),
    # differences of stretched vectors
    ("x: real[N]; L = sum((x[i] - x[j])**2 for i in N for j in N)", {"x": "4(N x − Σ(x))"}),
    ("W: symmetric[N, N]; f: real[N]; "
     "L = 0.5*sum(W[i,j]*(f[i] - f[j])**2 for i in N for j in N)",
     {"f": "2(f ⊙ Σⱼ(W) − W f)"}),
    ("W: real[N, D]; f: real[N]; g: real[D]; "
     "L = sum(W[i,j]*(f[i] - g[j])**2 for i in N for j in D)",
     {"f": "2(f ⊙ Σⱼ(W) − W g)", "g": "2(g ⊙ Σᵢ(W) − Wᵀ f)"}),
    ("R: real[N, K]; X: real[N, D]; M: real[K, D]; "
     "L = sum(R[n,k]*(X[n,d] - M[k,d])**2 for n in N for k in K for d in D)",
     {"X": "2(X ⊙ Σⱼ(R) − R M)", "M": "2(M ⊙ Σᵢ(R) − Rᵀ X)"}),
    # diagonals
    ("S: real[N, N]; P = softmax(S); L = -sum(log(P[i,i]) for i in N)/N",
     {"S": "(P − 𝐈)/N"}),
    ("S: real[N, N]; P = softmax(S); L = -trace(log_softmax(S))/N", {"S": "(P − 𝐈)/N"}),
    ("S: real[N, N]; P = softmax(S); L = cross_entropy(S, eye(N))", {"S": "(P − 𝐈)/N"}),
    ("C: real[D, D]; L = sum(C[i,i]**2 for i in D)", {"C": "2C ⊙ 𝐈"}),
    ("C: real[D, D]; x: real[D]; L = sum(C[i,i]*x[i] for i in D)",
     {"C": "diag(x)", "x": "diag(C)"}),
    ("C: real[D, D]; lam: real; L = sum((1 - C[i,i])**2 for i in D) "
     "+ lam*sum(C[i,j]**2 for i in D for j in D if j != i)",
     {"C": "2(λ C ⊙ 1[j ≠ i] + (C − 1) ⊙ 𝐈)"}),
    ("C: real[D, D]; L = sum((C[i,j] - (i == j))**2 for i in D for j in D)",
     {"C": "2(C − 𝐈)"}),
    ("S: real[N, N]; K = exp(S); L = -sum(log(K[i,i]/sum(K[i,j] for j in N)) for i in N)/N",
     {"S": "(P − 𝐈)/N"}),
    ("C: real[D, D]; P = log(C**2); L = sum(P[i,i]**2 for i in D)",
     {"C": "4C ⊙ diag(log(D₂)/D₂)"}),
    # beside a condition on i and j it is said which axis a vector has
    ("C: real[D, D]; lam: real; L = sum((1 - sum(C[i,j] for j in D if j != i))**2 for i in D) "
     "+ lam*sum(C[i,j]**2 for i in D for j in D)",
     {"C": "2(λ C + ((Σⱼ(C ⊙ 1[j ≠ i]) − 1) 𝟏ᵀ) ⊙ 1[j ≠ i])"}),
    # in three axes it is said which of them a vector has, in LaTeX of two alike ones too
    ("A: real[N, D]; x: real[N]; L = sum(x[k]*A[i,j]**2*x[i] for i in N for j in D for k in N)",
     {"A": "2A ⊙ Σₖ(expandⱼₖ(x) ⊙ x)"}),
    ("G: real[N, N]; u: real[N]; x: real[N]; "
     "L = sum(sum(u[i]*(x[i] + u[j]) for j in N)**2 for i in N) "
     "+ sum(x[i]*G[j,i] for i in N for j in N)",
     {}),
    ("A: real[N, D]; v: real[D]; x: real[N]; "
     "L = sum(sum(x[i]*2**2*(A[i,j] - v[j]) for i in N)**2 for j in D)", {}),
]  # fmt: skip
STAYS = [
    # no product of matrices: a tensor, and named values stay whole
    ("T: real[D, D, D]; x: real[D]; "
     "L = sum(T[i,j,k]*x[i]*x[j]*x[k] for i in D for j in D for k in D)",
     {"T": "xₖ xⱼ xᵢ"}),
    ("A: real[N, D]; x: real[D]; L = sum(A[i,j]*x[j] for i in N for j in D)",
     {"x": "Σᵢ(A)"}),
    ("A: real[N, D]; x: real[D]; u: real[N]; V[i,j] = A[i,j]*x[j]; "
     "L = sum(V[i,j]*x[j]*u[i] for i in N for j in D) + sum(V**2)",
     {"u": "V x\n  where V = A ⊙ x"}),
    # no stretched vector alone: the residual stays
    ("P: real[N, K]; Q: real[M, K]; R: real[N, M]; b: real[N]; "
     "L = sum((R[i,j] - b[i] - sum(P[i,k]*Q[j,k] for k in K))**2 for i in N for j in M)",
     {"b": "2Σⱼ(P Qᵀ − (R − b))"}),
    ("x: real[N]; L = sum(exp(-(x[i] - x[j])**2) for i in N for j in N)", {}),
    ("A: real[N, D]; u: real[N]; B: real[N, D]; L = sum(A[i,j]*u[i]*B[i,j] for i in N for j in D)",
     {"A": "B ⊙ u"}),
    # a condition that is no diagonal
    ("C: real[D, D]; L = sum(sum(C[i,j]**2 for i in D if i <= j) for j in D)",
     {"C": "2(Cᵀ ⊙ 1[j ≤ i])ᵀ"}),
]  # fmt: skip
ALL = [*PRINTED, *STAYS]


@pytest.mark.parametrize(("text", "expected"), ALL, ids=range(len(ALL)))
def test_as_in_a_book(text, expected):
    graph = sg.parse(text.replace("; ", "\n"))
    for name, formula in sg.gradient(graph, list(expected) or None).items():
        if name not in expected:
            continue
        shown = str(formula).split(" = ", 1)[1]
        wanted = expected[name]
        assert (shown if "\n" in wanted else shown.split("\n")[0]) == wanted


@pytest.mark.parametrize("text", [p[0] for p in ALL], ids=range(len(ALL)))
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_printed_formula_and_the_code_are_right(text, style):
    graph = sg.parse(text.replace("; ", "\n"))
    rng = np.random.default_rng(1)
    at = {n.attrs["name"]: rng.normal(size=[SIZES[d] for d in n.shape]) for n in graph.inputs}
    for n in graph.inputs:
        if n.attrs["kind"] == "symmetric":
            at[n.attrs["name"]] += at[n.attrs["name"]].T
        if n.attrs["kind"] == "sign":
            at[n.attrs["name"]] = np.sign(at[n.attrs["name"]])
    found = sg.backprop(graph, at)
    _, gradients = sg.compile(graph, style=style)(**at)
    for name, value in gradients.items():
        np.testing.assert_allclose(value, found.grad[name], rtol=1e-9, atol=1e-11)
    assert sg.check(graph, at=at).ok
    if style == "readable":
        known, sizes = bind(graph, at)
        for name, formula in sg.gradient(graph).items():
            value = values([formula.node], known, sizes)[formula.node]
            value = np.broadcast_to(value, found.grad[name].shape)
            np.testing.assert_allclose(value, found.grad[name], rtol=1e-9, atol=1e-11)
        round_trip(graph)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("term", ["log(C[i,i])", "sqrt(C[i,i])", "1/C[i,i]", "exp(1/C[i,i])"])
def test_what_may_fail_beside_the_diagonal_is_not_met(term, style):
    text = f"C: real[D, D]; P = {term.replace('[i,i]', '')}; L = sum(P[i,i] for i in D)"
    at = {"C": np.diag([1.0, 2.0, 3.0])}
    with np.errstate(all="ignore"):
        _, gradients = sg.compile(text.replace("; ", "\n"), style=style)(**at)
    assert np.isfinite(gradients["C"]).all()
