"""What the rows or columns of a table are scaled by comes behind the sums that are made of it."""

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_fast import agree_with_backprop

NETWORK = """X: data[N, D]; y: data[N]
C: param[K, D]; s: param[K]; w: param[K]
phi[n,k] = exp(-sum((X[n,j] - C[k,j])**2 for j in D)/(2*s[k]**2))
sum((phi @ w - y)**2)/N"""
ONE_WIDTH = NETWORK.replace("s: param[K]", "s: param").replace("s[k]", "s")
SPLINE = """x: data[N]; y: data[N]; k: param[K]; c: param[K]
mean((y - relu(x[:, None] - k)**3 @ c)**2)"""
WEIGHTED = """A: param[N, K]; r: param[N]; v: param[K]; u: param[K]
T = tanh(A)*v*r[:, None]
sum(sin(sum(T, axis=0))) + sum(sin(T.T @ r)) + sum(cos(-r @ T)*u)"""
BOTH = """A: param[N, K]; v: param[K]; u: param[K]; c: data
T = exp(-A)*v
sum(sin(sum(c*T, axis=0))) + sum(cos(T @ u))"""
TEXTS = {
    "network": NETWORK,
    "one width": ONE_WIDTH,
    "spline": SPLINE,
    "weighted": WEIGHTED,
    "both": BOTH,
    "rows": "A: param[N, N]; r: param[N]; u: data[N]; B = (u*tanh(A))*r[:, None]\n"
    "sum(sin(sum(B, axis=1))) + sum(cos(sum(-2*B*A, axis=1)))",
    "read whole too": WEIGHTED + " + sum(T**2)",
}
SIZES = {"N": 7, "D": 2, "K": 4}


def body(text: str) -> str:
    return sg.compile(text, style="fast").program.split('    """\n')[-1]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_as_backpropagation_computes(text: str, dtype: str) -> None:
    graph, rng = sg.parse(text), np.random.default_rng(4)
    at = {n.attrs["name"]: rng.uniform(0.4, 1.5, [SIZES[d] for d in n.shape]) for n in graph.inputs}
    agree_with_backprop(graph, at, dtype)


def test_a_width_of_each_centre_divides_what_is_added_up() -> None:
    """Of the slopes' tables there are g phi and g phi d: weights and widths come behind."""
    statements = body(NETWORK).split("exp(")[-1].split("# f =")[0]
    assert statements.count("multiply(") == 3  # with the slope of f, a column
    assert "negative(" not in body(ONE_WIDTH).split("pulls(")[0]


def test_columns_of_slopes_make_products() -> None:
    statements = body(SPLINE)
    assert "[:, None], tile" not in statements and "multiply(c," not in statements
