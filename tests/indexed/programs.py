"""Programs of every kind, and how an index form is compared with its matrix form."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.autodiff import point
from symgrad.evaluate import bind, values
from symgrad.formula import Formula
from symgrad.graph import Graph, Node
from symgrad.indexed.numbers import value
from symgrad.indexed.symbols import below

PROGRAMS = [
    "x: real; y: real; L = x*y + sin(x)",
    "X: data[N, D]; w: param[D]; y: data[N]; L = sum((X@w - y)**2)/N + lam*sum(w**2)",
    "X: data[N, D]; W: param[D, K]; b: param[K]; y: labels[N, K]; L = cross_entropy(X@W + b, y)",
    "X: data[N, D]; W: param[D, K]; y: labels[N, K]; L = svm(X@W, y)",
    "X: data[N, D]; W1: param[D, H]; b1: param[H]; W2: param[H, K]; Y: onehot[N, K]\n"
    "h = relu(X@W1 + b1); P = softmax(h@W2); L = -sum(Y*log(P))/N",
    "x: real[N, D]; g: param[D]; b: param[D]; G: data[N, D]\n"
    "mu = mean(x, axis=0); v = mean((x - mu)**2, axis=0); xh = (x - mu)/sqrt(v + 1e-3)\n"
    "L = sum(G*(g*xh + b))",
    "A: param[D, D]; b: data[D]; L = b @ inv(A) @ b + logdet(A @ A.T)",
    "A: param[D, D]; B: param[D, D]; L = trace(A @ B @ A.T)",
    "x: real[N]; L = sum(cumsum(x)**2)",
    "x: real[N]; L = x[0]*x[1] + sum(x[1:]*x[:-1])",
    "x: real[N]; c: real; L = sum(where(x > c, x**2, c*x)) + max(x)",
    "E: param[V, D]; k: labels[N, V]; w: param[D]; L = sum(tanh(take(E, k, axis=0) @ w))",
    "A: param[I, J]; B: param[J, K]; v: data[I, K]; L = sum(einsum('ij,jk->ik', A, B)*v)",
    "f: real[N]; y: sign[N]; L = sum(maximum(0, 1 - y*f))",
    "p: positive[N]; y: binary[N]; L = sum(kl(y + p, p))",
    "x: real[N]; y = x/norm(x); t: data[N]; L = sum((y - t)**2)",
    "x: param[N]; L = sum((x[i+1] - 2*x[i] + x[i-1])**2 for i in range(1, N-1))",
    "x: param[T, K]; A: param[K, K]; L = sum(sum((x[t+1] - A @ x[t])**2) for t in T-1)",
    "x: param[N]; S[i] = sum(x[j] for j in range(i+1)); L = sum(S**2)",
    "x: param[N, D]; m: param[C, D]; y: labels[N, C]\n"
    "s[c, d] = sum(x[n, d] for n in N if y[n] == c); L = sum(s*m)",
    "Q: param[N, D]; K: param[N, D]; V: param[N, D]\n"
    "P = softmax(Q @ K.T/sqrt(D)); L = sum((P @ V)**2)",
]


def at_point(graph: Graph, seed: int) -> tuple[dict[Node, Any], Mapping[str, int]]:
    """Choose numbers for a program; abstract functions are left to those who bind them."""
    return bind(graph, point(graph, seed))


def agrees(F: Formula, known: Mapping[Node, Any], sizes: Mapping[str, int]) -> None:
    """Compare the index form of a formula, and its cases, with its matrix form."""
    want = np.asarray(values([F.node], known, sizes)[F.node], dtype=float)
    form = F.index
    arrays = _arrays([form.root], known, sizes)
    got = value(form.root, form.free, arrays, sizes)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11, err_msg=F.unicode("index"))
    if not form.cases:
        return
    parts = [n for case in form.cases for n in (case.value, *case.conditions)]
    arrays = _arrays(parts, known, sizes)
    left = np.ones(want.shape, dtype=bool)
    for case in form.cases:
        here = left.copy()
        for condition in case.conditions:
            here &= value(condition, form.free, arrays, sizes) > 0
        branch = value(case.value, form.free, arrays, sizes)
        np.testing.assert_allclose(branch[here], want[here], rtol=1e-9, atol=1e-11)
        left &= ~here
    assert not left.any()


def _arrays(
    roots: list[Node], known: Mapping[Node, Any], sizes: Mapping[str, int]
) -> dict[Node, Any]:
    bases = dict.fromkeys(n.args[0] for r in roots for n in below(r) if n.op == "entry")
    return values(bases, known, sizes)
