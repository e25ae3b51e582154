"""No program computes an array twice in two forms, such as (x/2) @ A beside x @ A.

Nothing is assumed of how a program is written: its values are computed at two points, and where two
costly ones agree at both, up to a factor, one of them is wasted.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.codegen.fast import written
from symgrad.codegen.plan import plan
from symgrad.evaluate import bind, extend
from symgrad.graph import Node, topological

BOOK = json.loads((Path(__file__).parents[1] / "formulas/gradients.json").read_text("utf8"))[
    "cases"
]
ROWS = {
    r["id"]: r["program"] for r in BOOK
    if ("symmetric[" in r["program"] or "@ " in r["program"]) and " for " not in r["program"]
}  # fmt: skip
MODELS = {
    "leaky": "X: data[N, D]; y: data[N]; W: param[D, H]; v: param[H]\n"
    "mean((leaky_relu(X @ W, 0.2) @ v - y)**2)",
    "kernel": "q: data[N]; X: data[N, D]; y: data[N]; s: param\n"
    "K = exp(-s*(q[:, None] + q - 2*X @ X.T))\ny @ solve(K + eye(N), y)",
    "scores": "Q: param[N, D]; K: param[N, D]; c: param; sum(exp((c*Q) @ K.T))",
    "process": "X: data[N, D]; y: data[N]; l: param; s: param; q = sum(X**2, axis=1)\n"
    "K = exp(2*s - (q[:, None] + q - 2*X @ X.T)*exp(-2*l)/2) + eye(N)\n"
    "dot(y, solve(K, y))/2 + logdet(K)/2",
    "two heads": "X: data[N, D]; W: param[D, H]; V: param[H]; U: param[H]\n"
    "mean(softplus(tanh(X @ W/3) @ V)) + mean(exp(-(tanh(X @ W/3) @ U)**2/2))",
}
COSTLY = ("matmul", "einsum", "three", "outer", "exp", "expm1", "log", "log1p", "tanh", "sigmoid",
          "softplus", "softmax", "log_softmax", "logsumexp", "sin", "cos", "sqrt")  # fmt: skip


def made(graph: sg.Graph, style: str) -> tuple[Node, ...]:
    """List what a module computes."""
    if style == "fast" and any(n.shape for n in graph.inputs):
        return tuple(written.made(plan(graph, None, lazy=False, pairs=True)).schedule.order)
    program = plan(graph, None, plain=True, pairs=True)
    return topological([program.value, *program.grads.values()])


def arrays(text: str, style: str, seed: int) -> dict[Node, np.ndarray]:
    """Compute the costly arrays of a program at a random point."""
    graph = sg.parse(text)
    order = made(graph, style)
    known, sizes = bind(graph, point(graph, seed))
    found = extend(order, known, sizes)
    return {n: np.asarray(found[n]) for n in order if n.shape and n.op in COSTLY}


def form(a: np.ndarray) -> tuple[object, ...]:
    """Describe an array up to a factor; () for what is too plain to tell."""
    if a.size < 2 or not np.isfinite(a).all() or len(np.unique(np.abs(a))) < 3:
        return ()
    return a.shape, *np.round(np.abs(a).ravel() / np.abs(a).max(), 9).tolist()


def twins(text: str, style: str) -> Iterator[tuple[Node, Node]]:
    """Pair each array with one that was there."""
    one, other = arrays(text, style, 1), arrays(text, style, 2)
    seen: dict[tuple[object, ...], Node] = {}
    for node, value in one.items():
        key = (form(value), form(other[node]))
        if () not in key and seen.setdefault(key, node) is not node:
            yield seen[key], node


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", [*MODELS, *ROWS])
@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
def test_each_array_is_computed_once(name: str, style: str) -> None:
    assert not list(twins(MODELS.get(name) or ROWS[name], style))
