"""Chains of matrices are multiplied in the cheapest order."""

import re

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.fast.matrices import _cheapest

D = "A: param[M, K]; B: param[K, L]; C: param[L, N]; v: param[N]; w: param[M]; x: data[L]\n"
CHAINS = [
    "sum(tanh((A @ B) @ x))",
    "w @ (A @ B @ C) @ v",
    "w @ ((A @ B) @ x)",
    "sum(((A @ B) @ C @ v)**2)",
    "sum(tanh((A @ B).T @ w))",
    "sum(sin(((A @ B) @ C).T @ w)*v)",
    "sum((w[:, None]*x[None, :]) @ C)",
    "sum(((A @ B) @ x)**2) + sum(A @ B)",  # A B is read twice
    "s = A @ B; sum(tanh(s @ x)) + sum(s**2)",
    "trace((A @ B @ C) @ (A @ B @ C).T)",
    "sum(((A @ B)*2) @ x)",
    "P = B.T @ B/(K - 1); sum(tanh(P @ (P @ x)))",
    "P = B.T @ B/K; dot(x, P @ x) + sum(P.T @ tanh(P @ x))",
]
SIZES = {"M": 5, "K": 4, "L": 3, "N": 6}


def body(text: str) -> str:
    program = sg.compile(text, style="fast").program
    return program[program.index("def value_and_grad") :]


@pytest.mark.parametrize("text", CHAINS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_order_changes_rounding_only(text: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    graph = sg.parse(D + text)
    at = {n.attrs["name"]: rng.normal(size=[SIZES[d] for d in n.shape]) for n in graph.inputs}
    value, grads = sg.compile(graph, style="fast", dtype=dtype)(**at)
    expected = sg.backprop(graph, at)
    near = {"rtol": 1e-12, "atol": 1e-11} if dtype == "float64" else {"rtol": 2e-4, "atol": 1e-3}
    np.testing.assert_allclose(value, expected.value, **near)
    for name, slope in grads.items():
        np.testing.assert_allclose(slope, expected.grad[name], **near)


def test_a_chain_that_ends_in_a_vector_has_no_product_of_matrices() -> None:
    statements = body("A: param[M, K]; B: param[K, L]; x: data[L]; sum(tanh((A @ B) @ x))")
    assert "block1" not in statements and "A.dot(B" not in statements
    outer = re.findall(r"multiply\(.*\[:, None\]", statements)
    assert len(outer) == 2  # both gradients: a column times a row
    shared = body("A: param[M, K]; B: param[K, L]; x: data[L]; s = A @ B; sum(s @ x) + sum(s**2)")
    assert "A.dot(B" in shared and "B.dot(x" not in shared
    low = body("U: param[N, R]; V: param[M, R]; x: data[M]; sum(tanh((U @ V.T) @ x))")
    assert "block1" not in low and "U.dot(V" not in low  # the slope of V too, by a transpose
    assert len(re.findall(r"multiply\(.*\[:, None\]", low)) == 2


def test_a_number_of_a_matrix_multiplies_what_it_makes_of_vectors() -> None:
    """A covariance that a portfolio's weights are multiplied by is not made."""
    text = (
        "R: data[T, N]; w: param[N]; mu = mean(R, axis=0)\n"
        "S = (R - mu).T @ (R - mu)/(T - 1); dot(w, S @ w) - dot(mu, w)"
    )
    statements = body(text)
    assert "block1" not in statements and "turned_product" not in statements
    whole = "centred = subtract(R, mu"
    assert whole not in statements and "R_rows = R[rows]" in statements  # differences by tiles
    assert sg.check(text)
    read_else = text.replace("dot(mu, w)", "sum(exp(S))")
    assert "turned_product" in body(read_else)


def test_sizes_decide_where_they_are_known() -> None:
    wide = "A: param[500, 500]; B: param[500, 500]; C: data[500, 2]; sum((A @ B @ C)**2)"
    assert "B.dot(C" in body(wide) and "A.dot(B" not in body(wide)
    thin = "A: param[2, 500]; B: param[500, 500]; C: data[500, 500]; sum((A @ B @ C)**2)"
    assert "A.dot(B" in body(thin)
    named = "A: param[M, K]; B: param[K, L]; C: data[L, N]; sum((A @ B @ C)**2)"
    assert "three(A, B, C)" in body(named) and "A.dot(B" not in body(named)  # the call will know


def test_accurate_keeps_the_order() -> None:
    text = "A: param[M, K]; B: param[K, L]; x: data[L]; sum(tanh((A @ B) @ x))"
    assert "A.dot(B" in sg.compile(text, style="fast", accurate=True).program


@pytest.mark.parametrize("sizes", [(7, 3, 9, 2), (1, 50, 50, 50), (30, 35, 15, 5, 10, 20, 25)])
def test_the_order_is_the_best_of_all(sizes: tuple[int, ...]) -> None:
    def best(*s: int) -> int:
        ends = [
            best(*s[: k + 1]) + best(*s[k:]) + s[0] * s[k] * s[-1] for k in range(1, len(s) - 1)
        ]
        return min(ends, default=0)

    assert _cheapest(sizes)[0] == best(*sizes)


@pytest.mark.parametrize("text", [
    "A: param[N, N]; S = tanh(A)*A; sum((S + S.T)**2*exp(A))",
    "A: param[N, N]; S = tanh(A)*A; sum((S @ S.T)*exp(A)) + sum(sin(S - 2*S.T))",
    "u: param[N, D]; k: param[N, D]\nS[i,j] = sum(k[i,d]*tanh(u[i,d] - u[j,d]) for d in D)\n"
    "sum((S + S.T)**2)",
])  # fmt: skip
def test_a_matrix_that_is_read_beside_its_transpose_is_there_before(text: str) -> None:
    """A loop has some of its rows, and none of its columns."""
    graph, rng = sg.parse(text), np.random.default_rng(2)
    sizes = {"N": 7, "D": 3}
    at = {n.attrs["name"]: rng.normal(size=[sizes[d] for d in n.shape]) for n in graph.inputs}
    expected = sg.backprop(graph, at)
    value, grads = sg.compile(graph, style="fast")(**at)
    np.testing.assert_allclose(value, expected.value, rtol=1e-12)
    for name, slope in grads.items():
        np.testing.assert_allclose(slope, expected.grad[name], rtol=1e-10, atol=1e-12)
