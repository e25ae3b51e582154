"""Ranges that are a part of a dimension, and indices that are shifted: slices, never loops."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import bind, values

X = np.random.default_rng(0).normal(size=6)
A = np.random.default_rng(1).normal(size=(6, 4))
E = np.random.default_rng(2).normal(size=(4, 4))
U = np.random.default_rng(3).normal(size=(6, 6))
y = np.array([3, 0, 2, 2, 1, 3])
AT = {"x": X, "A": A, "E": E, "U": U, "y": y}
DECLARED = "x: real[N]\nA: real[N, K]\nE: real[K, K]\nU: real[N, N]\ny: labels[N, K]\n"
n, k = range(6), range(4)
CASES: list[tuple[str, Any]] = [
    ("sum((x[i+1] - x[i])**2 for i in N-1)", np.sum(np.diff(X) ** 2)),
    ("mean((x[i+1] - x[i])**2 for i in range(N - 1))", np.mean(np.diff(X) ** 2)),
    ("sum((x[i+1] - 2*x[i] + x[i-1])**2 for i in range(1, N-1))", np.sum(np.diff(X, n=2) ** 2)),
    ("sum(x[i] for i in range(2))", X[:2].sum()),
    ("sum(i*x[i] for i in range(2, N))", sum(i * X[i] for i in range(2, 6))),
    ("sum(x[i - 2] for i in range(N - 2, N))", X[2:4].sum()),
    ("sum(x[i] for i in N//2)", X[:3].sum()),
    ("sum(x[i]*x[N - 1 - i] for i in N)", X @ X[::-1]),
    ("sum(x[i]*x[N - i] for i in range(1, N))", sum(X[i] * X[6 - i] for i in range(1, 6))),
    ("sum(x[-i + N - 1]*A[i, 0] for i in N)", X[::-1] @ A[:, 0]),
    ("sum(x[2*i + 1] for i in N//2)", X[1::2].sum()),
    ("max(x[i+1] - x[i] for i in N-1 if i > 1)", np.diff(X)[2:].max()),
    ("prod(x[i+1] for i in N-1)", X[1:].prod()),
    ("d[i] = x[i+1] - x[i]\nd", np.diff(X)),
    ("r[i] = x[N - 1 - i]\nr", X[::-1]),
    ("d[i, j] = A[i+1, j] - A[i, j+1]\nd", A[1:, :-1] - A[:-1, 1:]),
    ("L[t] = sum(A[t+1, j]*E[j, l]*A[t, l] for j in K for l in K)\nL",
     [A[t + 1] @ E @ A[t] for t in range(5)]),
    ("sum(sum((A[t+1] - E @ A[t])**2) for t in N-1)",
     sum(((A[t + 1] - E @ A[t]) ** 2).sum() for t in range(5))),
    ("sum((A[i+1, j] + A[i-1, j] + A[i, j+1] + A[i, j-1] - 4*A[i, j])**2"
     " for i in range(1, N-1) for j in range(1, K-1))",
     sum((A[i + 1, j] + A[i - 1, j] + A[i, j + 1] + A[i, j - 1] - 4 * A[i, j]) ** 2
         for i in range(1, 5) for j in range(1, 3))),
    ("sum(U[i, i+1] for i in N-1)", np.trace(U, 1)),
    ("sum(U[i+1, i] for i in N-1)", np.trace(U, -1)),
    ("sum(A[t, y[t]] for t in N) + sum(E[y[t-1], y[t]] for t in range(1, N))",
     sum(A[t, y[t]] for t in n) + sum(E[y[t - 1], y[t]] for t in range(1, 6))),
    ("sum(U[i, j] for i in N for j in range(i))", np.tril(U, -1).sum()),
    ("sum(U[i, j] for i in N for j in range(i + 1))", np.tril(U).sum()),
    ("sum(U[i, j] for i in N for j in range(i+1, N))", np.triu(U, 1).sum()),
    ("sum(U[i, j] for i in N for j in range(i, N))", np.triu(U).sum()),
    ("sum(U[i, j] for i in N-1 for j in range(i + 2))", np.tril(U, 1)[:-1].sum()),
    ("sum(U[i, j] for i in range(2, N) for j in range(i - 2, i))",
     sum(U[i, j] for i in range(2, 6) for j in range(i - 2, i))),
    ("S[i] = sum(x[j] for j in N if j <= i)\nS", np.cumsum(X)),
    ("S[i] = sum(x[j] for j in range(i))\nS", np.cumsum(X) - X),
    ("S[i] = sum(x[j] for j in N if i < j)\nS", np.cumsum(X[::-1])[::-1] - X),
    ("S[i] = sum(x[j] for j in range(i, N))\nS", np.cumsum(X[::-1])[::-1]),
    ("S[i, c] = sum(A[j, c] for j in N if i >= j)\nS", np.cumsum(A, axis=0)),
    ("S[c, i] = sum(A[j, c] for j in N if i > j)\nS", (np.cumsum(A, axis=0) - A).T),
    ("m[c] = sum(x[n] for n in N if y[n] == c)\nm", [X[y == c].sum() for c in k]),
    ("m[c, d] = sum(A[n, d] for n in N if y[n] == c)/sum(1 for n in N if c == y[n])\nm",
     [A[y == c].mean(0) for c in k]),
    ("m[d, c] = sum(A[n, d]**2 for n in N if y[n] == c)\nm",
     np.transpose([(A[y == c] ** 2).sum(0) for c in k])),
    ("m[c] = sum(A[n, d] for n in N for d in K if y[n] == c)\nm", [A[y == c].sum() for c in k]),
    ("m[c] = sum(E[c, d]*A[n, d] for n in N for d in K if y[n] == c)\nm",
     [sum(E[c] @ A[n] for n in n if y[n] == c) for c in k]),
    ("sum((A[n, d] - E[c, d])**2 for n in N for d in K for c in K if y[n] == c)",
     ((A - E[y]) ** 2).sum()),
    ("sum((A[n, d] - E[c, d])**2 for c in K for d in K for n in N if c == y[n])",
     ((A - E[y]) ** 2).sum()),
    ("L[n] = sum(A[n, c]*(E[c, c] + 1) for c in K if y[n] == c)\nL",
     [A[i, y[i]] * (E[y[i], y[i]] + 1) for i in n]),
    ("L[n] = sum(c*A[n, c]**2 for c in K if y[n] == c)\nL", [y[i] * A[i, y[i]] ** 2 for i in n]),
    ("L[d, n] = sum(E[d, c]*x[n] for c in K if y[n] == c)\nL", E[:, y] * X),
    ("sum(E[c, d]*E[d, c] for n in N for c in K for d in K if y[n] == c)",
     sum((E[c] * E[:, c]).sum() for c in y)),
    ("sum(x[n + 1]*E[c, 0] for n in N-1 for c in K if y[n + 1] == c)", X[1:] @ E[y[1:], 0]),
    ("m[c] = max(x[n] for n in N if y[n] == c)\nm", [X[y == c].max() for c in k]),
]  # fmt: skip
IDS = [case[0] for case in CASES]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=IDS)
def test_ranges_against_loops(text: str, expected: Any) -> None:
    graph = sg.parse(DECLARED + text)
    known, sizes = bind(graph, AT)
    got = values([graph.output], known, sizes)[graph.output]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    assert np.shape(got) == np.shape(expected)
    for style in ("fast", "readable"):
        compiled, _ = sg.compile(graph, wrt=[], style=style)(**AT)
        np.testing.assert_allclose(compiled, expected, rtol=1e-12, atol=1e-12)
        assert np.shape(compiled) == np.shape(expected)


@pytest.mark.parametrize(("text", "expected"), CASES, ids=IDS)
def test_gradients_of_ranges(text: str, expected: Any) -> None:
    lines = text.split("\n")
    last = f"sum({lines[-1]}**2)" if np.ndim(expected) else f"({lines[-1]})**2"
    program, wrt = DECLARED + "\n".join([*lines[:-1], last]), ["x", "A", "E", "U"]
    assert sg.check(program, AT, wrt=wrt, tolerance=1e-6).ok
    passes = sg.backprop(program, AT, wrt=wrt)
    graph = sg.parse(program)
    known, sizes = bind(graph, AT)
    for style in ("fast", "readable"):
        function = sg.compile(program, wrt=wrt, style=style)
        body = function.source[function.source.index("def value_and_grad") :]
        assert style == "fast" or "    for " not in body[: body.index("    return f, ")]
        _, grads = function(**AT)
        for name in wrt:
            np.testing.assert_allclose(grads[name], passes.grad[name], rtol=1e-9, atol=1e-11)
    for name, F in sg.gradient(program, wrt).items():
        got = values([F.node], known, sizes)[F.node]
        np.testing.assert_allclose(got, passes.grad[name], rtol=1e-9, atol=1e-11, err_msg=str(F))


P, S = sg.ParseError, sg.ShapeError
REFUSED = [
    ("x: real[N]\nsum(x[i+1] for i in N)", S, 2, 7, "i+1 is out of range", "for i in N - 1"),
    ("x: real[N]\nsum(x[i - 1] for i in N)", S, 2, 7, "out of range", "for i in range(1, N)"),
    ("x: real[N]\nsum(x[i] for i in range(1, N+1))", S, 2, 7, "axis of N", "for i in range(1, N)"),
    ("x: real[5]\nsum(x[i+3] for i in range(3))", S, 2, 7, "axis of 5", "for i in 2"),
    ("x: real[N]\nd[i] = x[i] - x[i-1]", S, 2, 17, "i-1", "of a definition begins at 0"),
    ("x: real[N]\nz: real[M]\nsum(x[i+1]*z[i] for i in M)", P, 3, 7, "nothing says that i+1",
     "i goes from 0 to M - 1"),
    ("x: real[N]\nsum(x[i+j] for i in N for j in N)", P, 2, 7, "nothing says that i+j",
     "j goes from 0 to N - 1"),
    ("x: real[N]\nsum(x[i*i] for i in N)", P, 2, 7, "not i*i", "labels"),
    ("x: real[N]\nsum(x[2*i] for i in N//2)", P, 2, 7, "has a place 2*i for each i", "[::2]"),
    ("x: real[N]\nsum(x[i] for i in range(3, 3))", P, 2, 19, "over nothing", "range(1, N)"),
    ("x: real[N]\nsum(x[i] for i in range(N, 2))", P, 2, 19, "over nothing", "range(1, N)"),
    ("x: real[N]\nsum(x[i] for i in range(-1, N))", P, 2, 19, "begins below 0", "from 0"),
    ("x: real[N]\nsum(x[i] for i in range(0, N, 2))", P, 2, 19, "not over range", "x[2*i]"),
    ("x: real[N]\nsum(x[i] for i in range())", P, 2, 19, "not over range()", "range(1, N)"),
    ("x: real[N]\nsum(x[i] for i in range(i))", P, 2, 19, "not over range(i)", "range(1, N)"),
    ("x: real[N]\nsum(x[i] for i in N*M)", P, 2, 19, "not over N*M", "real[M]"),
    ("x: real[N]\nsum(x[i] for i in N//0)", S, 2, 19, "not by 0", "N//2"),
    ("x: real[N]\nS[i] = sum(1 for j in N if j**2 <= i)", P, 2, 36, "is not known", "x[i]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "line", "column", "said", "hint"), REFUSED)
def test_ranges_that_are_refused(
    text: str, kind: type[sg.SymgradError], line: int, column: int, said: str, hint: str
) -> None:
    with pytest.raises(kind) as caught:
        sg.parse(text)
    assert caught.value.span is not None
    assert (caught.value.span.line, caught.value.span.column) == (line, column)
    assert said in caught.value.message and hint in caught.value.hint


def test_an_axis_that_is_too_short_is_found_when_arrays_arrive() -> None:
    text = "x: param[N]\nsum(x[i + 3] for i in range(2))"
    function = sg.compile(text)
    assert float(function(x=np.arange(5.0))[0]) == 7
    with pytest.raises(sg.SymgradError, match="does not fit"):
        function(x=np.arange(4.0))


KMEANS = """x: data[N, D]; y: labels[N, C]; mu: param[C, D]
sum((x[n, d] - mu[c, d])**2 for n in N for d in D for c in C if y[n] == c)"""


def test_a_range_of_fewer_than_no_places_is_found_when_arrays_arrive() -> None:
    text = "x: param[N]\nsum(i*x[0] for i in N-3)"
    assert float(sg.compile(text)(x=np.ones(5))[0]) == 1
    for style in ("fast", "readable"):
        with pytest.raises(sg.ShapeError, match="N - 3 places, which is -1"):
            sg.compile(text, style=style)(x=np.ones(2))
    with pytest.raises(sg.ShapeError, match="which is -1"):
        sg.backprop(text, {"x": np.ones(2)})


SHOWN = {
    "x: param[N]; S[i] = sum(x[j] for j in N if j <= i); sum(S**2)": "2cumsum(S[::-1])[::-1]",
    "x: param[N]; d[i] = x[i+1] - x[i]; sum(d**2)": "2(d e[1:] − d e[:-1])",
    "x: data[N]; y: labels[N, C]; m: param[C]; s[c] = sum(x[n] for n in N if y[n] == c)\n"
    "sum(s*m)": "s",
    KMEANS: "2e_yᵀ (μ[y] − x)",
    "z: param[N, C]; y: labels[N, C]; p = softmax(z)\n"
    "-sum(log(p[n, c]) for n in N for c in C if y[n] == c)/N": "(p − e_y)/N",
    "K: param[N, N]; sum(K[i, j] for i in N for j in range(i+1, N))": "1[j > i]",
    "x: param[N]; sum(i*x[i] for i in range(2, N))": "(j + 2) e[2:]",
    "x: param[N]; sum(((arange(N) + 1)[:, None] >= arange(N))*x)": "Σᵢ(1[i + 1 ≥ j])",
}


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_how_gradients_of_ranges_are_printed(text: str, shown: str) -> None:
    (F,) = sg.gradient(text.replace("; ", "\n")).values()
    assert F.unicode() == shown


@pytest.mark.parametrize("text", [
    "S[i] = sum(x[j] for j in N if j <= i if j > 1)",  # two conditions
    "S[i] = sum(U[i, j] for j in N if j <= i)",  # entries that depend on i
    "S[i] = sum(x[j] for j in N if j != i)",
    "S[i] = sum(x[j]*(j + 1) for j in N if x[j] <= x[i])",
    "S[i] = max(x[j] for j in N if j <= i)",
    "S[n] = sum(E[c, 0] for c in K if y[n] != c)",
    "S[c] = sum(E[c, j] for n in N for j in K if y[n] == c)",
])  # fmt: skip
def test_other_conditions_are_no_running_sums(text: str) -> None:
    notes = sg.gradient(f"{DECLARED}{text}\nsum(S**2)", ["x", "U", "E"])["x"].notes
    assert not any("running sum" in note or "class" in note for note in notes)


def test_whole_numbers_that_are_no_labels_may_be_none_of_the_classes() -> None:
    given = np.array([-1, 0, 2, 7, 1, 2])
    text = "x: param[N]\nE: param[K, K]\nsum(x[n]*E[c, 0] for n in N for c in K if k[n] == c)"
    f = sg.compile(sg.parse(text, {"k": given}))
    want = sum(X[i] * E[given[i], 0] for i in range(6) if 0 <= given[i] < 4)
    np.testing.assert_allclose(f(x=X, E=E, k=given)[0], want)
