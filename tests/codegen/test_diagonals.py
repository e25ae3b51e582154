"""Diagonals are read and changed at their places: no array is kept or made for them."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.codegen.fast.costs import Costs
from tests.codegen.test_fast import agree
from tests.codegen.test_in_place import SHORT
from tests.codegen.test_memory import peak

CONTRAST = """U: param[N, K]; V: param[N, K]
S = U @ V.T/0.1
mean(logsumexp(S, axis=1) - diag(S))"""
BOTH = """U: param[N, K]; V: param[N, K]
S = U @ V.T/0.1
(mean(logsumexp(S, axis=1)) + mean(logsumexp(S, axis=0)))/2 - trace(S)/N"""
TEXTS = {
    "contrast": CONTRAST,
    "both sides": BOTH,
    "by index": """U: param[N, K]; V: param[N, K]
s[i,j] = sum(U[i,k]*V[j,k] for k in K)
mean(log(sum(exp(s[i,j]) for j in N)) - s[i,i] for i in N)""",
    "weights": """U: param[N, K]; V: param[N, K]; w: data[N]
S = tanh(U @ V.T)
sum(w*diag(S)**2) + sum(S**3)""",
    "covariance": """U: param[N, N]; V: data[N, K]; c: param
S = U @ U.T + exp(c)*eye(N)
logdet(S) + sum(V*solve(S, V))""",
    "less": "U: param[N, N]; V: data[N, K]; w: param[N]\nsum(cos(sin(U) - diag(w**2)) @ V)",
    "unit": "U: param[N, N]; V: data[N, K]\nsum(tanh(U @ U.T - eye(N))**2) + sum(V)",
    "alone": "U: param[N, N]; V: param[N, K]; sum(diag(exp(U))**2) + sum(V**2)",
    "returned": "U: param[N, N]; V: param[N, K]; sum(U**4) + sum(diag(U)**3) + sum(V**2)",
}


def inputs(text: str, n: int, k: int = 3) -> dict[str, Any]:
    rng = np.random.default_rng(n)
    square = "U: param[N, N]" in text
    at: dict[str, Any] = {"U": rng.normal(size=(n, n if square else k)),
                          "V": rng.normal(size=(n, k))}  # fmt: skip
    at |= {"w": rng.normal(size=n)} if "w: " in text else {}
    return at | ({"c": 0.3} if "c: " in text else {})


@pytest.mark.parametrize("n", [1, 2, 7, 40])
@pytest.mark.parametrize("costs", [None, SHORT])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_both_styles_agree(text: str, costs: Costs | None, n: int) -> None:
    at = inputs(text, n)
    for dtype in ("float64", "float32"):
        fast = build(sg.parse(text), None, dtype, "fast", costs=costs)
        given = {k: np.asarray(v, dtype) for k, v in at.items()}
        for _ in range(2):  # the second call finds what the first has left
            agree(fast(**given), sg.compile(text, dtype=dtype, style="readable")(**given),
                  dtype, scale=n * 100.0)  # fmt: skip


@pytest.mark.parametrize(("text", "arrays"), [(CONTRAST, 1.2), (BOTH, 3.3)])
def test_scores_are_not_kept_for_their_diagonal(text: str, arrays: float) -> None:
    n, f = 400, sg.compile(text)
    assert "np.diag" not in f.program and "np.eye" not in f.program
    assert peak(f, inputs(text, n)) < arrays * 8 * n * n


def test_no_unit_matrix_is_made() -> None:
    f, n = sg.compile("K: param[N, N]; y: data[N]; y @ inv(exp(K) + 0.5*eye(N)) @ y"), 200
    assert "np.eye" not in f.program and "+= c0p5" in f.program
    rng = np.random.default_rng(3)
    at = {"K": -((rng.normal(size=n)[:, None] - rng.normal(size=n)) ** 2), "y": np.ones(n)}
    want = sg.compile("K: param[N, N]; y: data[N]; y @ inv(exp(K) + 0.5*eye(N)) @ y",
                      style="readable")(**at)  # fmt: skip
    agree(f(**at), want, scale=1e5)
