"""Weighted squares are added up by the products that their slopes have; numbers come behind."""

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_fast import agree_with_backprop

WEIGHTED = "X: data[N, D]; y: data[N]; w: data[N]; b: param[D]; mean(w*(X @ b - y)**2)"
MASKED = "X: param[N, D]; M: binary[N, D]; T: data[N, D]; sum(M*(tanh(X) - T)**2)/sum(M)"
PAIRS = """Z: param[N, D]; S: data[N, N]; m: data
d = sqrt(sum((Z[:, None] - Z)**2, axis=2) + 1e-9)
mean((1 - S)*max(0, m - d)**2 + S*d**2)"""
TEXTS = {
    "weighted": WEIGHTED,
    "masked": MASKED,
    "pairs": PAIRS,
    "roots": "X: param[N, D]; T: data[N, D]; c: data\nsum(T*(sqrt(X**2 + c + 1) - 1)**2)",
    "squares too": WEIGHTED + " + sum((X @ b - y)**2)",
    "value": WEIGHTED.replace("w: data", "w: param").replace("b: param", "b: data"),
    "cubes": "x: param[N]; w: param[N]; sum(w*x**2) + sum(x**3) - sum(w*x*x/2)",
}
SIZES = {"N": 8, "D": 3}


def body(text: str) -> str:
    return sg.compile(text, style="fast").program.split('    """\n')[-1]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_as_backpropagation_computes(text: str, dtype: str) -> None:
    graph, rng = sg.parse(text), np.random.default_rng(7)
    at = {n.attrs["name"]: rng.uniform(0.2, 1.5, [SIZES[d] for d in n.shape]) for n in graph.inputs}
    if "M" in at:
        at["M"] = np.round(at["M"] / 1.5)
    agree_with_backprop(graph, at, dtype)


def test_residuals_are_not_squared() -> None:
    assert "multiply(t_1, t_1" not in body(WEIGHTED)
    assert "multiply(w_rows, t_1" in body(WEIGHTED)


def test_a_root_is_not_doubled_in_its_slope() -> None:
    """Nor are tables of pairs multiplied by 1/N² on the way to their points."""
    statements = body(PAIRS.replace(" + S*d**2", ""))
    assert "multiply(c2, d" not in statements and statements.count("_array, buf0_rows") == 0
