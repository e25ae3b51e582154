"""Triangles of matrices, and einsum whose result or whose axes are not all named."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import bind, values

A = np.random.default_rng(0).normal(size=(4, 5))
B = np.random.default_rng(1).normal(size=(5, 3))
S = np.random.default_rng(2).normal(size=(2, 4, 5))
Q = np.random.default_rng(3).normal(size=(4, 4))
AT = {"A": A, "B": B, "S": S, "Q": Q}
DECLARED = "A: param[N, M]\nB: param[M, K]\nS: param[P, N, M]\nQ: param[N, N]\n"
TEXTS: list[tuple[str, Any]] = [
    *((f"tril(A, {k})", np.tril(A, k)) for k in range(-3, 4)),
    *((f"triu(A, k={k})", np.triu(A, k)) for k in range(-3, 4)),
    ("tril(S)", np.tril(S)), ("triu(Q)", np.triu(Q)),
    ("einsum('ij,jk', A, B)", A @ B), ("einsum('kj,ji', A, B)", (A @ B).T),
    ("einsum('ii', Q)", np.trace(Q)), ("einsum('ij', A)", A), ("einsum('ba', A)", A.T),
    ("einsum('...j,jk->...k', S, B)", S @ B), ("einsum('...j,jk', S, B)", S @ B),
    ("einsum('...j->...', S)", S.sum(-1)), ("einsum('i...->...i', S)", np.moveaxis(S, 0, -1)),
    ("einsum('...,...->...', S, A)", S * A), ("einsum('i...,i...', A, A)", (A * A).sum(0)),
    ("einsum('...', Q)", Q), ("einsum('a...,b...->ab...', A, A)", A[:, None] * A),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[t for t, _ in TEXTS])
def test_against_numpy(text: str, expected: Any) -> None:
    graph = sg.parse(DECLARED + text)
    known, sizes = bind(graph, AT)
    np.testing.assert_allclose(values([graph.output], known, sizes)[graph.output], expected)
    program = f"{DECLARED}sum(sin({text}))"
    assert sg.check(program, AT, tolerance=1e-6).ok
    passes = sg.backprop(program, AT)
    for style in ("fast", "readable"):
        _, grads = sg.compile(program, style=style)(**AT)
        for name in grads:
            np.testing.assert_allclose(grads[name], passes.grad[name], rtol=1e-10, atol=1e-12)


SHOWN = {
    "sum(tril(A, -1))": "1[i > j]", "sum(tril(A))": "1[i ≥ j]", "sum(tril(A, 2))": "1[i ≥ j − 2]",
    "sum(triu(A, 1))": "1[i < j]", "sum(triu(A, 2))": "1[i < j − 1]",
    "sum(triu(A, -1))": "1[i ≤ j + 1]",
}  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_how_a_triangle_is_printed(text: str, shown: str) -> None:
    assert sg.gradient(DECLARED + text, "A")["A"].unicode() == shown


REFUSED = [
    ("tril(A[0])", "tril of an array (M,)"), ("triu(A, 0.5)", "k=0.5 is no diagonal"),
    ("triu(A, 1, 2)", "arguments of triu"), ("einsum('...j->j', A)", "both sides"),
    ("einsum('ij->...i', A)", "both sides"), ("einsum('......', A)", "once in a group"),
    ("einsum('...ij', A[0])", "einsum of"), ("einsum('ij,jk', A)", "2 operands are named"),
    ("sum(tril(A[i]) for i in N)", "tril of a value with indices"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(sg.SymgradError) as caught:
        sg.parse(DECLARED + text)
    assert said in str(caught.value) and caught.value.span is not None
