"""Diagonal matrices scale rows and columns; diagonals of products need no product of matrices."""

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_fast import agree_with_backprop

D = "A: param[N, M]; B: data[M, N]; S: data[N, N]; v: param[N]; u: param[M]; w: data[M]; c: data\n"
TEXTS = {
    "rows": "sum(sin(diag(v) @ A))",
    "columns": "sum(sin(A @ diag(u)) + cos(A @ diag(u).T/2))",
    "both": "sum(sin(diag(v) @ A @ diag(u)))",
    "weighted": "sum(sin(A.T @ diag(v) @ A @ w))",
    "hat": "sum(tanh(diag(A @ diag(u) @ B)))",
    "diagonal": "sum(tanh(diag(A @ B))) + sum(tanh(diag(B @ A)))",
    "of a transpose": "sum(tanh(diag(A @ A.T))) + sum(tanh(diag(B.T @ A.T)))",
    "units": "sum(sin((c*eye(N)) @ S @ A)) + sum(sin(A @ (eye(M)/2)))",
    "of vectors": "dot(w, diag(u) @ w) + sum(exp(u @ diag(w)))",
    "read twice": "P = A @ B; sum(tanh(diag(P))) + sum(P**2)",
    "scaled": "sum(tanh((A*u) @ w)) + sum(tanh((v[:, None]*A*2) @ w)) + sum(tanh(w @ (A*u).T))",
    "outer": "sum(tanh(diag(S @ (v[:, None]*v[None, :]))))",
}
SIZES = {"N": 5, "M": 3}


def body(text: str) -> str:
    return sg.compile(D + text, style="fast").program.split('    """\n')[-1]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_as_backpropagation_computes(text: str, dtype: str) -> None:
    graph, rng = sg.parse(D + text), np.random.default_rng(5)
    at = {n.attrs["name"]: rng.normal(size=[SIZES[d] for d in n.shape]) for n in graph.inputs}
    agree_with_backprop(graph, at, dtype)


@pytest.mark.parametrize("name", ["rows", "columns", "both", "weighted", "of vectors", "scaled"])
def test_no_product_of_matrices_is_left(name: str) -> None:
    statements = body(TEXTS[name])
    assert "block" not in statements and "np.diag" not in statements


def test_what_is_there_is_looked_at() -> None:
    assert "block" in body(TEXTS["read twice"])
    assert "np.eye" not in body(TEXTS["units"])
