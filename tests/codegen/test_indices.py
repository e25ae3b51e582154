"""Sums that are typed with indices: products of matrices, rows of tables, no array of all terms."""

import numpy as np
import pytest

import symgrad as sg

SIZES = {"N": 6, "P": 4, "Q": 3, "K": 5, "D": 3, "C": 4, "T": 5}
BILINEAR = """A: data[N, P]; B: data[N, Q]; y: data[N]; W: param[P, Q]
s[n] = sum(A[n,p]*W[p,q]*B[n,q] for p in P for q in Q)
sum((s[n] - y[n])**2 for n in N)"""
CLASSES = """A: data[N, P]; B: data[N, Q]; W: param[K, P, Q]
s[n,k] = sum(A[n,p]*W[k,p,q]*B[n,q] for p in P for q in Q)
sum(tanh(s))"""
DUAL = """a: param[N]; y: data[N]; G: data[N, N]
sum(a[i] for i in N) - 0.5*sum(a[i]*a[j]*y[i]*y[j]*G[i,j] for i in N for j in N)"""
CAUSAL = """x: data[T, D]; W: param[D, D]; w: param[D]
q = x @ W
e[t,s] = exp(sum(q[t,d]*x[s,d] for d in D)/sqrt(D))
o[t,d] = sum(e[t,s]*x[s,d] for s in T if s <= t)/sum(e[t,s] for s in T if s <= t)
mean((o @ w)**2)"""
RATED = """U: param[N, K]; V: param[P, K]; u: labels[T, N]; i: labels[T, P]; r: data[T]
sum((r[t] - sum(U[u[t],k]*V[i[t],k] for k in K))**2 for t in T)"""
CENTRES = """X: data[N, D]; mu: param[C, D]; y: labels[N, C]
sum((X[n,d] - mu[y[n],d])**2 for n in N for d in D)"""
TURNED = """mu: param[C, D]; y: labels[N, C]; w: data[D, N]
sum(w[d,n]*tanh(mu[y[n],d]) for d in D for n in N)"""
OUTER = "a: param[N]; G: data[N, N]; b: param[N]; sum(outer(a*b, b)*G)"
EINSUM = "x: data[N, D]; A: param[D, D]; sum(tanh(einsum('ni,ij,nj->n', x, A, x)))"
FOUR = """A: param[N, P]; B: param[P, Q]; a: param[N]; c: param[Q]
sum(-2*a[i]*A[i,p]*B[p,q]*c[q] for i in N for p in P for q in Q)"""
CHAIN = """A: param[N, P]; B: param[P, Q]; C: param[Q, K]
O[i,l] = sum(0.5*A[i,j]*B[j,k]*-C[k,l] for j in P for k in Q)
sum(O**2)"""
GRAPH = """A: data[N, N]; X: data[N, D]; W: param[D, K]; b: param[K]
H[i,h] = relu(b[h] + sum(A[i,j]*X[j,d]*W[d,h] for j in N for d in D))
mean(H**2)"""
HEADS = """S: param[K, N, N]; X: data[N, D]; V: param[K, D, P]; W: param[K, P, Q]
O[i,q] = sum(S[g,i,j]*X[j,d]*V[g,d,p]*W[g,p,q] for g in K for j in N for d in D for p in P)
sum(tanh(O))"""
TRACE = """A: param[N, P]; B: param[P, Q]; C: param[Q, N]
sum(A[i,j]*B[j,k]*C[k,i] for i in N for j in P for k in Q)"""
STENCIL = """u: param[T, N]; c: param
e[t, i] = u[t+1, i+1] - u[t, i+1] - c*(u[t, i+2] - 2*u[t, i+1] + u[t, i])
mean(e[t, i]**2 for t in T-1 for i in N-2)"""
MEANS = """X: data[N, D]; y: labels[N, C]; W: param[D, D]; mu: param[C, D]
Z = tanh(X @ W)
m[c, d] = sum(Z[n, d] for n in N if y[n] == c)/(1 + sum(1 for n in N if y[n] == c))
sum((m - mu)**2)"""
RUNNING = """X: param[N, D]; w: data[N]
S[i, d] = sum(w[j]*X[j, d] for j in N if j <= i)
sum(tanh(S))"""
PROGRAMS = [STENCIL, MEANS, RUNNING, BILINEAR, CLASSES, DUAL, CAUSAL, RATED, CENTRES, TURNED, OUTER,
            EINSUM, FOUR, CHAIN, GRAPH, HEADS, TRACE]  # fmt: skip


def inputs(graph):
    rng = np.random.default_rng(0)
    at = {}
    for n in graph.inputs:
        shape = [SIZES[d] for d in n.shape]
        labels = n.attrs["kind"] == "labels"
        at[n.attrs["name"]] = (
            rng.integers(0, SIZES[n.attrs["classes"]], shape) if labels else rng.normal(size=shape)
        )
    return at


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("accurate", [False, True])
def test_as_backpropagation_computes(text, style, accurate):
    graph = sg.parse(text)
    at = inputs(graph)
    found = sg.backprop(graph, at)
    value, gradients = sg.compile(graph, style=style, accurate=accurate)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-11)
    for name, array in gradients.items():
        scale = np.abs(found.grad[name]).max()
        np.testing.assert_allclose(array, found.grad[name], atol=1e-11 * scale)


def body(text, **options):
    text = sg.compile(text, **options).program
    return text[text.index("    Returns ") :]


@pytest.mark.parametrize("text", [BILINEAR, DUAL, CAUSAL, OUTER, EINSUM, FOUR, CHAIN, GRAPH, TRACE],
                         ids=range(9))  # fmt: skip
def test_products_of_matrices_are_products(text):
    found = body(text, style="readable")
    assert "einsum" not in found and ("@" in found or "three(" in found)


@pytest.mark.parametrize("text", [BILINEAR, CLASSES, CAUSAL, CHAIN, GRAPH, TRACE], ids=range(6))
def test_no_array_of_all_terms(text):
    assert ", None, :" not in body(text, style="readable")
    assert "[:, None, None]" not in body(text, style="readable")


@pytest.mark.parametrize("text", [RATED, CENTRES, TURNED], ids=range(3))
def test_rows_of_tables_are_looked_up(text):
    code = body(text, style="readable")
    assert "take_along_axis" not in code and "scatter(" in code


MASKED = ["-log(x)", "2 - 1/x", "a - log(x)", "x**-2 - x**-1", "log(x) - 1/x", "-(1/x**3)",
          "1/x - sqrt(x)", "log(x/a)", "1/(x*x) - 1/x"]  # fmt: skip


@pytest.mark.parametrize("branch", MASKED)
@pytest.mark.parametrize("form", ["where(M, {}, 0)", "where(M > 0, {}, 1)"])
@pytest.mark.parametrize("style", ["fast", "readable"])
def test_what_a_case_leaves_out_may_fail(branch, form, style):
    text = f"x: param[N]; M: binary[N]; a: data[N]; sum({form.format(branch)})"
    at = {"x": np.array([2.0, 0.0, 3.0]), "M": np.array([1.0, 0, 1]), "a": np.ones(3)}
    value, gradients = sg.compile(text, ["x"], style=style)(**at)
    assert np.isfinite(value) and gradients["x"][1] == 0
    assert np.isfinite(gradients["x"]).all()


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_pairs_of_one_point_are_left_out(style):
    text = """x: param[N, 3]
d[i,j] = sum((x[i,k] - x[j,k])**2 for k in 3)
E = sum(4*(1/d[i,j]**6 - 1/d[i,j]**3) for i in N for j in N if i < j)"""
    x = np.random.default_rng(0).normal(size=(5, 3))
    value, gradients = sg.compile(text, style=style)(x=x)
    found = sg.backprop(text, {"x": x})
    assert value == pytest.approx(float(found.value))
    np.testing.assert_allclose(gradients["x"], found.grad["x"], rtol=1e-9)


@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-4), ("float32", 1e-3)])
@pytest.mark.parametrize("style", ["fast", "readable"])
def test_the_normal_tail_keeps_its_digits(style, dtype, rtol):
    f = sg.compile("z: param[N]; sum(log(normal_cdf(z)))", style=style, dtype=dtype)
    z = np.linspace(-12, 3, 61).astype(dtype)
    norm = pytest.importorskip("scipy.stats").norm
    expected = norm.logcdf(z.astype(float))
    value, gradients = f(z=z)
    assert value == pytest.approx(expected.sum(), rel=1e-5)
    slope = np.exp(norm.logpdf(z.astype(float)) - expected)
    np.testing.assert_allclose(gradients["z"], slope, rtol=rtol)
