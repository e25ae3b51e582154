"""Index notation: the lectures' sums become vectorised code, equal to the last bit."""

import ast
import itertools
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import bind, values

HINGE = (
    "X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\ns = X @ W\n"
    "L[i] = sum(max(0, s[i, j] - s[i, y[i]] + 1) for j in C if j != y[i])\n"
    "loss = mean(L[i] for i in N)"
)
SCORES = (
    "s: param[N, C]\ny: labels[N, C]\n"
    "L[i] = sum(max(0, s[i,j] - s[i,y[i]] + Delta) for j in C if j != y[i])\n"
    "loss = mean(L[i] for i in N)"
)


def by_hand(X: Any, y: Any, W: Any) -> tuple[Any, Any]:
    """Compute the vectorised hinge of the lecture's exercise."""
    n = len(X)
    s = X @ W
    margins = np.maximum(s - s[np.arange(n), y][:, None] + 1, 0)
    margins[np.arange(n), y] = 0
    value = np.mean(np.sum(margins, axis=1))
    mask = (margins > 0).astype(float)
    mask[np.arange(n), y] = -np.sum(mask, axis=1)
    return value, X.T @ mask / n


@pytest.mark.parametrize("seed", range(5))
def test_the_hinge_equals_a_hand_vectorised_one_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(64, 20)), rng.normal(size=(20, 10))
    y = rng.integers(0, 10, 64)
    value, grads = sg.compile(HINGE, style="readable")(X=X, y=y, W=W)
    expected, gradient = by_hand(X, y, W)
    assert np.array_equal(value, expected)
    assert np.array_equal(grads["W"], gradient)


def test_the_scores_form_equals_the_named_loss_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    s, y = rng.normal(size=(16, 5)), rng.integers(0, 5, 16)
    typed = sg.compile(SCORES, wrt="s", style="readable")(s=s, y=y, Delta=1.0)
    named = sg.compile("s: param[N, C]\ny: labels[N, C]\nloss = svm(s, y)", style="readable")(
        s=s, y=y
    )
    assert np.array_equal(typed[0], named[0])
    assert np.array_equal(typed[1]["s"], named[1]["s"])


@pytest.mark.parametrize(
    "text", [HINGE, SCORES, "A: param[N, D]\nsum(A[i, j]*A[i, k] for i in N for j in D for k in D)"]
)
def test_there_is_no_python_loop(text: str) -> None:
    tree = ast.parse(sg.compile(text, style="readable").source)
    (function,) = [
        n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "value_and_grad"
    ]
    loops = (
        ast.For,
        ast.While,
        ast.ListComp,
        ast.SetComp,
        ast.DictComp,
        ast.GeneratorExp,
        ast.AsyncFor,
    )
    assert not [n for n in ast.walk(function) if isinstance(n, loops)]
    assert "vectorize" not in ast.unparse(function) and "apply_along" not in ast.unparse(function)


A = np.random.default_rng(1).normal(size=(3, 4))
B = np.random.default_rng(2).normal(size=(4, 3))
Q = np.random.default_rng(3).normal(size=(3, 3))
y = np.array([3, 0, 2])
DECLARED = "A: real[N, D]\nB: real[D, N]\nQ: real[N, N]\ny: labels[N, D]\nv: real[N]\n"
V = np.array([1.0, -2, 3])
n, d = range(3), range(4)
CASES: list[tuple[str, Any]] = [
    ("sum(A[i, j] for i in N for j in D)", A.sum()),
    ("sum(A[i, j]*B[j, i] for i in N for j in D)", np.trace(A @ B)),
    ("L[i] = sum(A[i, j] for j in D)\nL", A.sum(1)),
    ("L[i, k] = sum(A[i, j]*B[j, k] for j in D)\nL", A @ B),
    ("L[k, i] = sum(A[i, j]*B[j, k] for j in D)\nL", (A @ B).T),
    ("L[j, i] = A[i, j]\nL", A.T),
    ("max(A[i, j] for i in N for j in D)", A.max()),
    ("min(A[i, j] for i in N for j in D)", A.min()),
    ("mean(A[i, j] for i in N for j in D)", A.mean()),
    ("logsumexp(A[i, j] for i in N for j in D)", np.log(np.exp(A).sum())),
    (
        "L[i] = max(A[i, j] for j in D if j != y[i])\nL",
        [max(A[i, j] for j in d if j != y[i]) for i in n],
    ),
    (
        "L[i] = min(A[i, j] for j in D if j > y[i] - 1)\nL",
        [min(A[i, j] for j in d if j > y[i] - 1) for i in n],
    ),
    ("sum(A[i, j] for i in N for j in D if i < j)", sum(A[i, j] for i in n for j in d if i < j)),
    (
        "sum(A[i, j] for i in N for j in D if i < j if j < 3)",
        sum(A[i, j] for i in n for j in d if i < j < 3),
    ),
    ("sum(Q[i, i] for i in N)", np.trace(Q)),
    ("sum(i*v[i] for i in N)", sum(i * V[i] for i in n)),
    (
        "sum(v[i]*v[k] for i in N for k in N if i != k)",
        sum(V[i] * V[k] for i in n for k in n if i != k),
    ),
    (
        "sum((A[i, y[i]] - A[k, y[k]])**2 for i in N for k in N)",
        sum((A[i, y[i]] - A[k, y[k]]) ** 2 for i in n for k in n),
    ),
    ("sum(A[i, y[k]] for i in N for k in N)", sum(A[i, y[k]] for i in n for k in n)),
    ("L[i] = A[i, y[i]]\nL", A[np.arange(3), y]),
    ("A[arange(N), y]", A[np.arange(3), y]),
    (
        "L[i, j] = exp(A[i, j])/sum(exp(A[i, k]) for k in D)\nL",
        np.exp(A) / np.exp(A).sum(1, keepdims=True),
    ),
    ("sum(A[i, j]*v[i] for j in D for i in N)", (A * V[:, None]).sum()),
    ("sum(2.0 for i in N)", 6.0),
    ("sum(v[0] for i in N for j in D)", 12.0),
    ("sum(A[i] @ B[:, i] for i in N)", np.trace(A @ B)),
    ("L[i] = logsumexp(A[i])\nL", np.log(np.exp(A).sum(1))),
    ("L[i] = sum(A[i] @ B)\nL", (A @ B).sum(1)),
    ("L[i] = norm(A[i])\nL", np.linalg.norm(A, axis=1)),
    ("L[j] = max(A[:, j])\nL", A.max(0)),
    ("L[i] = where(v[i] > 0, v[i], 0)\nL", np.maximum(V, 0)),
    ("L[i] = max(v[i], 0)*(i != 1)\nL", [1, 0, 3]),
    ("sum(v[i] for i in 3)", V.sum()),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [c for c in CASES if c[1] is not None],
    ids=[c[0] for c in CASES if c[1] is not None],
)
def test_index_notation_against_loops(text: str, expected: Any) -> None:
    graph = sg.parse(DECLARED + text)
    at = {"A": A, "B": B, "Q": Q, "y": y, "v": V}
    known, sizes = bind(graph, at)
    got = values([graph.output], known, sizes)[graph.output]
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    assert np.shape(got) == np.shape(expected)
    compiled, _ = sg.compile(graph, wrt=[])(**at)
    np.testing.assert_allclose(compiled, expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("text", "expected"),
    [c for c in CASES if c[1] is not None],
    ids=[c[0] for c in CASES if c[1] is not None],
)
def test_gradients_of_index_notation(text: str, expected: Any) -> None:
    lines = text.split("\n")
    last = f"sum({lines[-1]}**2)" if np.ndim(expected) else f"({lines[-1]})**2"
    program = DECLARED + "\n".join([*lines[:-1], last])
    at = {"A": A, "B": B, "Q": Q, "y": y, "v": V}
    assert sg.check(program, at, wrt=["A", "B", "Q", "v"], tolerance=1e-6).ok
    passes = sg.backprop(program, at, wrt=["A", "B", "Q", "v"])
    _, grads = sg.compile(program, wrt=["A", "B", "Q", "v"])(**at)
    for name in grads:
        np.testing.assert_allclose(grads[name], passes.grad[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("order", list(itertools.permutations(["i in N", "j in D"])))
def test_the_order_of_ranges_does_not_matter(order: tuple[str, ...]) -> None:
    text = DECLARED + f"u = B[:, 0]\nsum(A[i, j]*v[i]*u[j] for {' for '.join(order)})"
    at = {"A": A, "B": B, "Q": Q, "y": y, "v": V}
    assert sg.backprop(text, at, wrt=[]).value == pytest.approx((A * V[:, None] * B[:, 0]).sum())


@pytest.mark.parametrize("body", ["sum((c[y[i]] - f[i])**2 for i in N)", "sum((c[y] - f)**2)"])
def test_entries_of_a_vector_at_labels_with_an_index(body: str) -> None:
    """c[y[i]], the cut point of a class, is looked up as rows of a table are."""
    text = f"c: param[K]; f: param[N]; y: labels[N, K]; {body}"
    at = {"c": [-8.0, 0.5, 9.0], "f": [1.0, 2.0, 3.0, 4.0], "y": [0, 2, 2, 1]}
    for style in ("readable", "fast"):
        value, grads = sg.compile(text, style=style)(**at)
        assert value == 81 + 49 + 36 + 12.25
        assert grads["c"].tolist() == [-18, -7, 26]
