"""Rows beside columns, sums as products with ones, products of stacks and of several arrays."""

import numpy as np
import pytest

import symgrad as sg

SIZES = dict(zip("NTDHCKIJLRB", (7, 5, 4, 6, 3, 4, 3, 4, 2, 5, 3), strict=True))
BESIDE = "X: data[N, D]; W: param[D, C]; Y: data[N, C]; P = softmax(X @ W); mean((P - Y)**2)"
POOLED = "X: data[N, T, D]; W: param[D, H]; v: param[H]; sum((mean(tanh(X @ W), 1) @ v)**2)"
BIAS = "X: data[N, T, D]; W: param[D, H]; b: param[H]; sum(tanh(X @ W + b)**2)"
ROWS = "X: data[N, D]; W: param[D, H]; sum(sqrt(1 + sum(sin(X @ W)**2, 1)))"
ATTENTION = """X: data[B, T, D]; Wq: param[D, K]; Wk: param[D, K]; Wv: param[D, K]
Q = X @ Wq; S = softmax(Q @ transpose(X @ Wk, (0, 2, 1))/2, 2); sum((S @ (X @ Wv))**2)"""
TENSORS = [
    'A: param[I, R]; B: param[J, R]; C: param[K, R]; Y: data[I, J, K]\n'
    'sum((einsum("ir,jr,kr->ijk", A, B, C) - Y)**2)',
    'A: param[I, R]; B: param[J, R]; C: param[K, R]; D: param[L, R]\n'
    'sum(einsum("ir,jr,kr,lr->ijkl", A, B, C, D)**2)',
    'A: param[N, N]; sum(einsum("ij,jk,kl->il", A, A, A)**2)',
    'A: param[N, N]; v: param[N]; einsum("i,ij,j->", v, A, v)',
    'X: data[B, H, T, D]; W: param[H, D, D]; sum(tanh(einsum("bhtd,hde,bhse->bhts", X, W, X)))',
    'A: param[I, J]; B: param[I, J]; C: param[I, J]; sum(tanh(einsum("ij,ij,ij->i", A, B, C)))',
    'a: param[I]; b: param[J]; c: param[K]; sum(tanh(einsum("i,j,k->ijk", a, b, c)))',
]  # fmt: skip
MOVED = [
    "X: data[B, T, D]; W: param[H, D, K]; c: param[K]\n"
    'sum(tanh(einsum("btd,hdk->bhtk", X, W) + c)**2)',
    "X: data[B, T, D]; W: param[H, D, K]; c: param[H]\n"
    'sum(relu(einsum("btd,hdk->bhtk", X, W) + c[:, None, None])**3)',
    "X: data[B, T, D]; W: param[H, D, K]; c: param[H, K]\n"
    'mean(sum(sin(einsum("btd,hdk->bhtk", X, W)*c[:, None, :]), axis=(1, 3))**2)',
    'X: data[B, T, D]; W: param[H, D, K]; Q: param[H, D, K]\nq = einsum("btd,hdk->bhtk", X, W)\n'
    'k = tanh(einsum("btd,hdk->bhtk", X, Q)); A = softmax(einsum("bhtk,bhsk->bhts", sin(q), k))\n'
    'sum(einsum("bhts,bhsk->bhtk", A, q*k)**2)',
    "X: param[B, T, D]; sum(exp(transpose(X, (2, 0, 1))*transpose(tanh(X), (2, 0, 1)) + 1)**2)",
    "X: param[B, T, D]; Y: data[D, B, T]; v: param[D, 1, T]; S = transpose(sin(X), (2, 0, 1))\n"
    "sum(exp(S*Y) + v*S)",
    "X: param[B, T, D]\nsum(sum(transpose(sin(X), (2, 1, 0)), axis=0)**2)"
    " + sum(max(transpose(cos(X), (1, 2, 0)), axis=1))",
]
PROGRAMS = [BESIDE, POOLED, BIAS, ROWS, ATTENTION, *TENSORS, *MOVED]


def inputs(graph, sizes=SIZES):
    rng = np.random.default_rng(1)
    return {n.attrs["name"]: rng.normal(size=[sizes.get(d, d) for d in n.shape])
            for n in graph.inputs}  # fmt: skip


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("accurate", [False, True])
def test_as_backpropagation_computes(text, dtype, accurate):
    graph = sg.parse(text)
    at = inputs(graph)
    f = sg.compile(graph, dtype=dtype, accurate=accurate)
    found, close = sg.backprop(graph, at), 1e-11 if dtype == "float64" else 2e-5
    for _ in range(2):  # with a new workspace, and with a used one
        value, gradients = f(**at)
        assert value == pytest.approx(float(found.value), rel=close)
        for name in f.wrt:
            scale = np.abs(found.grad[name]).max()
            np.testing.assert_allclose(gradients[name], found.grad[name], atol=10 * close * scale)


def source(text, **options):
    return sg.compile(text, **options).program


def test_rows_of_an_input_are_copied_into_columns_once():
    text = source(BESIDE)
    assert text.count('Y_columns = np.asarray(Y_rows, order="F" if C <= NARROW else "C")') == 1
    assert 'np.vdot(t_1.ravel("K"), t_1.ravel("K"))' in text


def test_many_rows_and_wide_ones_give_the_same():
    graph = sg.parse(BESIDE)
    rng = np.random.default_rng(0)
    for rows, classes in ((5000, 3), (300, 40), (1, 1)):
        at = {"X": rng.normal(size=(rows, 4)), "W": rng.normal(size=(4, classes)),
              "Y": np.asfortranarray(rng.normal(size=(rows, classes)))}  # fmt: skip
        value, gradients = sg.compile(graph)(**at)
        expected, others = sg.compile(graph, style="readable")(**at)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(gradients["W"], others["W"], atol=1e-12)


def test_sums_along_rows_are_products_with_ones_unless_accurate():
    assert ".dot(ones_H" in source(ROWS) or "matmul(tile0, ones_H" in source(ROWS)
    assert "matmul(ones_T, " in source(POOLED)
    assert "np.add.reduce(matmul(ones_T, " in source(BIAS)
    for text in (ROWS, POOLED, BIAS):
        assert "ones_T" not in source(text, accurate=True)
        assert "ones_H" not in source(text, accurate=True)


def test_a_stack_times_a_matrix_is_one_product_and_so_is_its_slope():
    text = source(BIAS)
    assert "X.reshape(N*T, D).dot(W" in text
    assert "X.reshape((N*T, D)).T.dot(" in text
    assert ")).transpose(" not in source(ATTENTION)


@pytest.mark.parametrize("text", [BIAS, ATTENTION, *TENSORS])
def test_views_are_taken_by_methods(text):
    """NumPy's functions look for overrides first, which takes longer than a small product."""
    assert "np.reshape(" not in source(text) and "np.transpose(" not in source(text)


def test_products_of_several_arrays_share_what_is_common():
    text = source(TENSORS[0])
    assert "optimize=True" not in text
    assert text.count("buf2.reshape((I*J, K)).dot(C, ") == 1  # serves both slopes, in A and B
    assert text.count("multiply(A[:, None], B, ") == 1  # serves the value and the slope in C


def test_a_sum_whose_slope_is_one():
    """A row that is spread over others and added up has a number for its slope."""
    text = "A: param[N, D, K]; w: param[K]; logsumexp(sum(A + w, axis=2))"
    at = {"A": [[[-1.25, 0.5]]], "w": [0.75, 2.0]}
    for how in ({"style": "fast"}, {"style": "readable"}, {"accurate": True}):
        assert sg.compile(text, **how)(**at)[1]["w"].tolist() == [1.0, 1.0]


# An axis that both factors are stretched over; weights of fewer axes than the stack; a product of
# stacks whose result is handed out as it is; a mark of the largest that labels spread.
ODD = [
    "x: data[K, D]; a: param[D]; b: param[C]\n"
    "P[j, k] = min(x[j, i]*a[q] for q in D for i in D) + b[k]\nsum(tanh(P))",
    "a: param[C]; y: labels[C, C]; x: param[D, C, N]\n"
    "V[i] = max(sum(a[y[q]]*x[i, q, p] for p in N) for q in C)\nmean(V)",
    "x: data[B, H, T]; w: param[H, 3]\n"
    "R[n, m, i] = sum(w[m, k]*x[n, m, k+i] for k in 3)\nsum(tanh(R))",
    "a: param[K]; x: param[N]; y: labels[N, K]\n"
    "P[k] = sum(x[n] for n in N if k == y[n]) + a[k]\nmax(P)",
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("sizes", [{}, {"D": 1, "C": 1, "B": 1}], ids=["", "1"])
@pytest.mark.parametrize("how", [{}, {"reuse": True}, {"accurate": True}, {"style": "readable"}])
def test_odd_sums_of_products(text, sizes, how):
    for d, n in sizes.items():
        for before in ("[", ", ", "in "):
            text = text.replace(before + d, f"{before}{n}")
    graph = sg.parse(text)
    shapes = {n: tuple(SIZES.get(d, d) for d in n.shape) for n in graph.inputs}
    rng = np.random.default_rng(2)
    at = {n.attrs["name"]: rng.normal(size=s) if n.dtype == "float" else np.arange(s[0]) % 2 % s[0]
          for n, s in shapes.items()}  # fmt: skip
    f = sg.compile(graph, **how)
    found, along = sg.backprop(graph, at), {k: np.ones_like(at[k]) for k in f.wrt}
    for _ in range(2):
        gradients = f(**at)[1]
        for name, got in gradients.items():
            assert got.shape == np.shape(at[name])
            np.testing.assert_allclose(got, found.grad[name], rtol=1e-10, atol=1e-12)
    moved = [sg.backprop(graph, at | {k: at[k] + h for k in f.wrt}) for h in (1e-6, -1e-6)]
    for name, got in f.hvp(along, **at).items():
        want = (moved[0].grad[name] - moved[1].grad[name]) / 2e-6
        np.testing.assert_allclose(got, want, atol=1e-6)


WINDOWS = """X: data[N, C, H, V]; K: param[P, C, 3, 3]; Q: param[B, P, 2, 2]
A[n, p, i, j] = sum(K[p, c, k, l]*X[n, c, i+k, j+l] for c in C for k in 3 for l in 3)
F = tanh(A)
G[n, b, i, j] = sum(Q[b, p, k, l]*F[n, p, i+k, j+l] for p in P for k in 2 for l in 2)
sum(sin(G))"""


def test_axes_stay_where_they_are_stored():
    text = source(WINDOWS)
    assert "tanh(buf0_rows, buf0_rows)" in text  # of rows as the product has left them
    assert ".transpose((0, 2, 3, 1)).reshape(" not in text


def test_rows_of_windows_are_copied_once_and_gone_before_their_slope_is_made():
    text = source(WINDOWS)
    text = text[text.index("held = ") :]
    copies = [line for line in text.split("\n") if "windows" not in line and "reshape(t" in line]
    assert len(copies) == 2  # for the value and for the slopes in K and in Q
    assert all(".transpose((0, 1, 4, 5, 2, 3))" in line for line in copies)  # of long rows
    named = copies[1].split(" = ")[0].strip()
    gone = text.index(f"{named} = None")
    assert text.index(f"{named}.transpose((0, 2, 1))") < gone < text.rindex("matmul(Q")
    graph = sg.parse(WINDOWS)
    at = inputs(graph, {**SIZES, 2: 2, 3: 3, "N": 2, "H": 6, "V": 5, "P": 3})
    value, gradients = sg.compile(graph)(**at)
    found = sg.backprop(graph, at)
    assert value == pytest.approx(float(found.value), rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, found.grad[name], atol=1e-11)
