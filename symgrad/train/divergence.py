"""Find where a loss or a gradient first stopped to be finite: the node, its line, and why.

What is evaluated is the recognised graph, from which generated code comes too: a softmax that is
typed out overflows as it is written, but not in the code. A value that is not finite counts only
if it reaches the loss: the branch of a case that is not taken does no harm.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from symgrad.autodiff import Backprop, Certificate, backprop, wanted
from symgrad.autodiff.backprop import Local
from symgrad.errors import DataError, SymgradWarning
from symgrad.evaluate import Array, bind, extend
from symgrad.graph import Graph, Node, consumers, topological
from symgrad.rewrite import recognise
from symgrad.train.wording import Wording

TIMES = 1e3  # a loss of more than so many times the least has exploded
BESIDE = "beside the point the output is not finite: differences say nothing there"
EDGES = 2000  # local derivatives that are looked at in float32


@dataclass(frozen=True, slots=True)
class Found:
    """Say where the first value that is not finite arose.

    `node` is that of the recognised graph, `operator` its name, `name` the user's name of its value
    (or of the value that it is a part of), `line` its line in the source. `where` is "forward" or
    "backward"; `parameter` is the first parameter whose gradient is not finite, "" if the loss
    already is not. `message` says it in two to four lines, and so does `str`.
    """

    node: Node
    name: str
    line: int | None
    operator: str
    where: str
    parameter: str
    message: str

    def __str__(self) -> str:
        return self.message


def trace(
    graph: Graph,
    inputs: Mapping[str, Any],
    wrt: str | Iterable[str] | None = None,
    dtype: Any = "float64",
    written: bool = False,
) -> Found | None:
    r"""Find the first node that is not finite although its operands are: forward, then backward.

    `inputs` gives every input of the graph its array; others are ignored. With `dtype` float32
    every value is rounded to it, so what overflows or vanishes there is found. `written` looks at
    the graph as written instead of the one that code is generated from. Returns None if the output
    and the gradients are finite.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; w: param[D]; p = X @ w\nloss = -mean(log(p))")
    >>> print(trace(g, {"X": [[1.0], [2.0]], "w": [0.0]}))
    log(p) is −∞ at [0]: log(0)  (in loss, line 2:  loss = -mean(log(p)))
    needed is p > 0; p is 0 throughout
    keep it there with clip or maximum, or add a small constant; cross_entropy and bce_with_logits
    take scores and need no log
    """
    graph = graph if written else recognise(graph, "code")[0]
    known = {n.attrs["name"] for n in graph.inputs}
    at = {name: value for name, value in inputs.items() if name in known}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", SymgradWarning)
        scene = _Scene(graph, at, dtype)
        if scene.failed is not None:
            node, error = scene.failed
            return _found(scene, node, "forward", "", scene.words.failed(node, error))
        if scene.bad(graph.output):
            return _forward(scene, graph.output)
        if graph.output.shape or not wanted(graph, wrt):
            return None
        return _backward(scene, backprop(graph, at, wrt))


def explained(
    certificate: Certificate, graph: Graph, at: Mapping[str, Any], wrt: Iterable[str]
) -> Certificate:
    """Say in a certificate where the first value that is not finite arises, if there is one."""
    if certificate.finite:
        return certificate
    cause = trace(graph, at, wrt, written=True)
    return replace(certificate, cause=BESIDE if cause is None else str(cause))


def exploded(loss: float, least: float, first: float) -> bool:
    """Say whether a loss is not finite, or more than a thousand times the least one so far.

    `first` is the loss at the start: what has become tiny may well grow so much again, up to there.
    Where the least is 0 or below it is no measure; the larger of the two is, without its sign.

    >>> exploded(1001.0, 1.0, 2.0), exploded(1.5, 1e-9, 2.0), exploded(5.0, -2.0, 0.5)
    (True, False, False)
    """
    if not isfinite(loss):
        return True
    if least > 0:
        return loss > max(TIMES * least, first)
    scale = max(abs(first), abs(least))
    return scale > 0 and loss > TIMES * scale


class _Scene:
    """Hold a graph's values at a point, rounded to the dtype of the run."""

    def __init__(self, graph: Graph, at: Mapping[str, Any], dtype: Any) -> None:
        self.graph, self.dtype = graph, np.dtype(dtype)
        self.largest = float(np.finfo(self.dtype).max)
        self.users = consumers(graph.order())
        self.failed: tuple[Node, DataError] | None = None
        self.values, self.sizes = bind(graph, at)
        self.words = Wording(graph, self.users, self.values, self.largest)
        for node in graph.order():
            try:
                self._compute(node, self.values)
            except DataError as error:  # a singular matrix
                self.failed = node, error
                break

    def _compute(self, node: Node, values: dict[Node, Array]) -> Array:
        value = extend([node], values, self.sizes)[node]
        if node.dtype == "float" and self.dtype != np.float64:
            value = np.asarray(value).astype(self.dtype).astype(np.float64)[()]
        values[node] = value
        return value

    def wrong(self, value: Array) -> Array:
        """Mark the entries that the dtype cannot hold."""
        return ~(np.abs(np.asarray(value, dtype=np.float64)) <= self.largest)

    def bad(self, node: Node) -> bool:
        """Say whether a value has an entry that is not finite."""
        return bool(self.wrong(self.values[node]).any())

    def origin(self, node: Node) -> Node:
        """Go down from a value that is not finite to the first one, in order of evaluation."""
        found, stack, seen = [], [node], {node: None}
        while stack:
            at = stack.pop()
            causes = self._causes(at)
            if not causes:
                found.append(at)
            stack += [c for c in causes if c not in seen]
            seen.update(dict.fromkeys(causes))
        return min(found, key=self.graph.places.__getitem__)

    def _causes(self, node: Node) -> list[Node]:
        """List the operands that make a value not finite, each on its own.

        With the others mended: so a branch that is not taken is no cause.
        """
        suspects = [a for a in dict.fromkeys(node.args) if self.bad(a)]
        if len(suspects) < 2:
            return suspects
        mended = {a: np.where(self.wrong(self.values[a]), 1.0, self.values[a])[()]
                  for a in suspects}  # fmt: skip
        plain = {a: self.values[a] for a in node.args}
        alone = {s: self._compute(node, {**plain, **mended, s: plain[s]}) for s in suspects}
        return [s for s in suspects if self.wrong(alone[s]).any()]


def _found(scene: _Scene, node: Node, where: str, parameter: str, message: str) -> Found:
    name, line = scene.words.place(node)
    return Found(node, name, line, node.op, where, parameter, message)


def _forward(scene: _Scene, node: Node) -> Found:
    origin = scene.origin(node)
    return _found(scene, origin, "forward", "", scene.words.forward(origin))


def _backward(scene: _Scene, back: Backprop) -> Found | None:
    """Go up from the gradients that are not finite to where the first of them arose."""
    wrong = {n for n, g in back.grads.items() if scene.wrong(g).any()}
    reached = [name for name in back.grad if _node(scene.graph, name) in wrong]
    if not reached:
        return _vanished(scene, back) if scene.dtype != np.float64 else None
    place = {n: k for k, n in enumerate(back.grads)}  # the output first
    stack = [_node(scene.graph, name) for name in reached]
    seen, origins = dict.fromkeys(stack), []
    while stack:
        node = stack.pop()
        uses = [(u, k) for u, k in scene.users.get(node, ()) if (u, k) in back.contributions]
        uses = [use for use in uses if scene.wrong(back.contributions[use]).any()]
        if not uses:  # the sum of what its uses contribute
            origins.append((place[node], node, -1))
        for user, k in uses:
            if user not in wrong:
                origins.append((place[user], user, k))
            elif user not in seen:
                seen[user] = None
                stack.append(user)
    _, node, k = min(origins, key=lambda o: (o[0], o[2]))
    return _edge(scene, back, node, k, reached)


def _edge(scene: _Scene, back: Backprop, node: Node, k: int, reached: list[str]) -> Found:
    """Describe what flows back from a node to operand k; k = -1 is the sum at the node itself."""
    below = dict.fromkeys(topological([node if k < 0 else node.args[k]]))
    reached = [name for name in reached if _node(scene.graph, name) in below]
    if k < 0:
        message = scene.words.total(node, back.grads[node], reached)
        return _found(scene, node, "backward", reached[0], message)
    steep = bool(scene.wrong(back.local[node, k]).any())
    message = scene.words.backward(
        node, k, back.contributions[node, k], back.grads[node], steep, reached
    )
    return _found(scene, node, "backward", reached[0], message)


def _vanished(scene: _Scene, back: Backprop) -> Found | None:
    """Find a derivative that is not finite where a value is rounded: a root of what became 0."""
    if len(back.contributions) > EDGES:
        return None
    local = Local(scene.values, scene.sizes, back.contributions)
    for (node, k), share in back.contributions.items():
        lost = scene.wrong(local[node, k])
        if lost.any() and np.any(np.broadcast_to(share, np.shape(lost))[lost] != 0):
            g = back.grads[node]
            message = scene.words.backward(node, k, local[node, k], g, True, list(back.grad))
            return _found(scene, node, "backward", next(iter(back.grad)), message)
    return None


def _node(graph: Graph, name: str) -> Node:
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    return inputs.get(name) or graph.names[name]
