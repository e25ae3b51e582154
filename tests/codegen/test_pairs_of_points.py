"""Distances of all pairs of points: stacks by columns, their sums without products, no diagonal."""

import re

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_stacks_and_sums import inputs

RBF = """X: data[N, D]; c: param[M, D]; s: param[M]; w: param[M]
phi[n, m] = exp(-sum((X[n, d] - c[m, d])**2 for d in D)/(2*s[m]**2))
sum((phi @ w)**2)"""
KERNEL = """X: data[N, D]; W: param[D, K]; Z = X @ W
q[i, j] = exp(-sum((Z[i, k] - Z[j, k])**2 for k in K))
sum(q[i, j]*cos(i - j) for i in N for j in N)"""
SCALED = """X: data[N, D]; mu: param[M, D]; s: positive[M, D]
lp[n, m] = -sum(((X[n, d] - mu[m, d])/s[m, d])**2/2 + log(s[m, d]) for d in D)
-sum(logsumexp(lp, axis=1))/N"""
OTHERS = """Z: param[N, K]
q[i, j] = exp(-sum((Z[i, k] - Z[j, k])**2 for k in K))
sum(log(sum(q[i, j] for j in N if j != i)) for i in N)"""
SHARES = """Z: param[N, K]; P: data[N, N]
q[i, j] = 1/(1 + sum((Z[i, k] - Z[j, k])**2 for k in K))
T = sum(q[i, j] for i in N for j in N if j != i)
-sum(P[i, j]*log(q[i, j]/T) for i in N for j in N if j != i)"""
ABSOLUTE = "x: data[N, D]; c: param[M, D]; sum(exp(-sum(abs(x[:, None] - c), 2)))"
BOTH_WAYS = """x: data[N, D]; c: param[M, D]; d = x[:, None] - c; t = d*tanh(d)
sum(sum(t, 2)**2) + sum(sum(t, 1)**3) + sum(sum(t, 0)**2)"""
STORED = """x: data[N, D]; c: param[M, D]; d = x[:, None] - c; t = d*tanh(d)
sum(sum(t, 2)**2) + sum(sqrt(1 + t))"""
PROGRAMS = [RBF, KERNEL, SCALED, OTHERS, SHARES, ABSOLUTE, BOTH_WAYS, STORED]
SMALL = {"N": 5, "M": 4, "D": 3, "K": 2}
LONG = {"N": 700, "M": 60, "D": 5, "K": 3}  # several tiles
WIDE = {"N": 40, "M": 30, "D": 50, "K": 40}  # by rows: the last axis is not narrow


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
@pytest.mark.parametrize("sizes", [SMALL, LONG, WIDE], ids=["small", "long", "wide"])
@pytest.mark.parametrize("options", [{}, {"accurate": True}, {"dtype": "float32"}], ids=str)
def test_as_backpropagation_computes(text, sizes, options):
    graph = sg.parse(text)
    at = {k: np.abs(v) + 0.3 if k == "s" else v / 4 for k, v in inputs(graph, sizes).items()}
    f = sg.compile(graph, **options)
    found, close = sg.backprop(graph, at), 1e-11 if "dtype" not in options else 2e-5
    for _ in range(2):
        value, gradients = f(**at)
        assert value == pytest.approx(float(found.value), rel=close)
        for name in f.wrt:
            scale = np.abs(found.grad[name]).max()
            np.testing.assert_allclose(gradients[name], found.grad[name], atol=20 * close * scale)


def source(text, **options):
    text = sg.compile(text, **options).program
    return text[text.index("IDLE = {}") :]


def weighted(text):
    """Weigh the coordinates of sums: what is no square of a difference keeps its stack."""
    text = text.replace("- c[", "+ c[").replace("- mu[", "+ mu[").replace("- Z[", "+ Z[")
    return "v: data[D]\n" + text.replace("sum((X", "sum(v[d]*(X").replace("sum((Z", "sum(k*(Z")


WEIGHTED = [(weighted(RBF), "c"), (weighted(KERNEL), "Z"), (weighted(SCALED), "mu")]


@pytest.mark.parametrize(("text", "points"), WEIGHTED)
def test_points_stand_in_columns_as_the_stack_does(text, points):
    written = source(text)
    assert f"{points}_columns = np.asarray({points}, order=" in written
    assert written.index(f"{points}_columns = ") < written.index("[:, None], " + points)
    assert f", {points}, tile" not in written


@pytest.mark.parametrize("text", [RBF, SCALED, KERNEL, OTHERS, *(t for t, _ in WEIGHTED)])
def test_no_stack_is_stored_whole(text):
    made = source(text)
    made = made[: made.index("def value_and_grad")]
    assert not re.search(r"(empty|aligned)\(\(N, (M, D|N, K)\)", made)
    assert "N*M*D" not in made and "N*N*K" not in made


def test_sums_of_products_go_without_the_product():
    sums = OTHERS.replace("Z[i, k] - Z", "Z[i, k] + Z")  # no distances
    text = source(sums)
    assert re.search(r'np.einsum\("abc,abc->ab", (t_\d), \1', text)
    assert text.count('np.einsum("ab,abc->ac"') == text.count('+= np.einsum("ab,abc->bc"') == 1
    assert "np.einsum(" not in source(sums, accurate=True)


def test_a_product_that_is_read_otherwise_is_stored():
    assert "np.einsum(" not in source(STORED, wrt=[])
    assert source(BOTH_WAYS, wrt=[]).count("np.einsum(") == 4  # one begins a sum


def test_the_diagonal_is_set_to_zero_without_a_mask():
    text = source(OTHERS.replace("log(", "sqrt("))
    assert "_rows] = 0" in text and "kept(" not in text and "not_equal" not in text
    kept = "x: data[N]; W: param[N, N]; M = arange(N)[:, None] != arange(N); sum(exp(W)*M + M)"
    assert "not_equal" in source(kept)


def test_what_rows_have_in_common_leaves_their_sum():
    text = source("A: param[N, K]; s: data[K]; sum(sum(tanh(A)/s, 0)**3) + sum(sum(A*A/s, 0)**3)")
    assert text.count("divide(tile") == 0 and text.count("divide(w1") == 1
    assert text.count("divide(w2") == 1
    stack = source(SCALED)
    # (x - mu)/s is a product with 1/s, made once; its slopes divide once, at the end
    assert stack.count("divide(c1, s_rows") == 1 and "divide(t" not in stack


def test_a_divisor_of_each_row_stays():
    text = source("A: param[N, K]; r: data[N]; sum(sum(A/r[:, None], 0)**3)")
    assert "divide(" in text and "divide(w1" not in text


def test_rows_are_multiplied_by_reciprocals_of_what_divides_them():
    text = source(RBF)
    assert "divide(t" not in text and "negative(" not in text[: text.index("phi = exp")]
    narrow = "x: data[N, M]; s: param[M]; sum(exp(-x/(2*s**2)))"
    text = source(narrow)
    assert "divide(cm1, s" in text and "divide(t" not in text


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_reciprocals_of_a_row_are_not_multiplied_with_one_another(dtype):
    x, s = np.array([[0.0, 1.0], [2.0, 0.0]] * 40), np.array([1e-200, 1.0])
    s[0] = 1e-25 if dtype == "float32" else s[0]
    text = "x: data[N, M]; s: param[M]; sum(exp(-x/(2*s**2)), 0)"
    value, _ = sg.compile(text, wrt=[], dtype=dtype)(x=x.astype(dtype), s=s.astype(dtype))
    np.testing.assert_allclose(value, [40, 40 * (1 + np.exp(-0.5))], rtol=1e-6)


def test_tables_of_distances_are_stored_by_columns_up_to_more_of_them():
    text = "X: data[N, D]; C: param[M, D]; sum(min(sum((X[:, None] - C)**2, axis=2), axis=1))"
    assert "NARROW = 64 " in sg.compile(text).program
    assert "NARROW = 32 " in sg.compile("X: param[N, D]; sum(min(exp(X), axis=1))").program
