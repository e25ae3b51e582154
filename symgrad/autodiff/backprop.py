"""Backpropagation with numbers on the graph as written: what a diagram shows."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from symgrad.autodiff.sweep import local, unbroadcast
from symgrad.autodiff.wanted import scalar_output, wanted
from symgrad.errors import SymgradWarning
from symgrad.evaluate import Array, bind, extend, values
from symgrad.graph import Graph, Node, depends, intern, rebuild, topological
from symgrad.ops import const, faults, make, remake
from symgrad.shapes import Bindings


class Gradients(Mapping[Any, Array]):
    """Look gradients up by input name, intermediate name or Node."""

    def __init__(self, graph: Graph, grads: dict[Node, Array], names: tuple[str, ...]) -> None:
        self._graph, self._grads, self._names = graph, grads, names

    def __getitem__(self, key: str | Node) -> Array:
        node = key
        if isinstance(key, str):
            inputs = {n.attrs["name"]: n for n in self._graph.inputs}
            node = inputs.get(key) or self._graph.names[key]
        return self._grads[node]  # type: ignore[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, key: object) -> bool:
        try:
            self[key]  # type: ignore[index]
        except KeyError:
            return False
        return True


class Local(Mapping[tuple[Node, int], Array]):
    """Look local derivatives up by (node, operand index); each is computed when asked for."""

    def __init__(self, known: dict[Node, Array], sizes: Bindings, edges: Iterable[Any]) -> None:
        self._known, self._sizes, self._edges = known, sizes, tuple(edges)

    def __getitem__(self, key: tuple[Node, int]) -> Array:
        if key not in self._edges:
            raise KeyError(key)
        node, k = key
        one = const(1)
        g = make("broadcast", one, shape=node.shape) if node.shape else one
        share = local(node, k, g)
        if share is None:
            return np.zeros_like(self._known[node.args[k]])
        return values([share], self._known, self._sizes)[share]

    def __iter__(self) -> Iterator[tuple[Node, int]]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)


class Backprop:
    """Hold one forward and one backward pass.

    `value` is the output; `grad` maps names (and nodes) to gradients; `values`, `grads` map nodes
    to numbers; `contributions` maps (node, operand index) to what flows back along that edge;
    `local` maps the same to the local derivative.
    """

    def __init__(
        self,
        graph: Graph,
        known: dict[Node, Array],
        grads: dict[Node, Array],
        contributions: dict[tuple[Node, int], Array],
        names: tuple[str, ...],
        sizes: Bindings,
    ) -> None:
        self.graph, self.values, self.grads = graph, known, grads
        self.contributions, self.sizes = contributions, sizes
        self.value = known[graph.output]
        self.grad = Gradients(graph, grads, names)
        self.local = Local(known, sizes, contributions)


def backprop(
    graph: Graph, at: Mapping[str, Any], wrt: str | Iterable[str] | None = None
) -> Backprop:
    """Run forward and backward at a point, on the graph as written.

    `at` gives every input a number or an array. Raises DataError or ShapeError where they do not
    fit, NotDifferentiableError for an output that is no scalar.

    >>> from symgrad.parse import parse
    >>> b = backprop(parse("(x + y)*z"), {"x": -2, "y": 5, "z": -4})
    >>> float(b.value), float(b.grad["z"])
    (-12.0, 3.0)
    """
    targets = wanted(graph, wrt)
    output = scalar_output(graph)
    found, sizes = bind(graph, at)
    if faults.single(graph.order(), sizes):
        warnings.warn(faults.ALONE, SymgradWarning, stacklevel=3)
    for doubt in faults.doubts(faults.aimed(graph.order()), at):
        warnings.warn(doubt, SymgradWarning, stacklevel=3)
    known = values(graph.outputs, found, sizes)
    active = depends(graph.order(), targets.values())
    grads: dict[Node, Array] = {}
    shares: dict[tuple[Node, int], Array] = {}
    pending: dict[Node, Array] = {output: np.float64(1.0)}
    for node in reversed(topological([output])):
        if node not in pending or node not in active:
            continue
        g = grads[node] = pending.pop(node)
        for k, operand in enumerate(node.args):
            if operand in active:
                share = _share(node, k, g, known, sizes)
                if share is not None:
                    shares[node, k] = share
                    pending[operand] = pending[operand] + share if operand in pending else share
    for node in targets.values():
        value = known[node] if node in known else found[node]
        grads.setdefault(node, np.zeros(np.shape(value))[()])
    return Backprop(graph, known, grads, shares, tuple(targets), sizes)


def _share(node: Node, k: int, g: Array, known: dict[Node, Array], sizes: Bindings) -> Array | None:
    """Compute what flows back along one edge: nothing where nothing comes in.

    0 times an infinite local derivative is 0, and so is an infinite gradient times a local
    derivative of 0: the branch that is not taken, sqrt(x**2) at 0. So is 0/0 within the derivative
    of an operator that its formula defines: the target factor 0 of an entropy.
    """
    upstream = intern("input", (), {"name": "\0g", "kind": "real"}, node.shape)
    symbolic = local(node, k, upstream, "code")
    if symbolic is None:
        return None
    like = known[node.args[k]]
    symbolic = unbroadcast(symbolic, node.args[k].shape)
    share = _shaped(_with(symbolic, upstream, g, known, sizes), like)
    if np.any(np.isnan(share)) and node.op not in ("div", "xdivy"):
        symbolic = rebuild([symbolic], _over, {})[symbolic]
        share = _shaped(_with(symbolic, upstream, g, known, sizes), like)
    if np.any(np.isnan(share)) and np.shape(g) == np.shape(share) and not np.any(np.isnan(g)):
        alone = _shaped(_with(symbolic, upstream, np.ones_like(g), known, sizes), like)
        share = np.where(np.isnan(share) & ((g == 0) | (alone == 0)), 0.0, share)[()]
    return share


def _over(node: Node, args: tuple[Node, ...]) -> Node:
    """Make a node anew, a quotient so that it is 0 where what is divided is 0."""
    return make("xdivy", *args) if node.op == "div" else remake(node, args)


def _with(
    symbolic: Node, upstream: Node, g: Array, known: dict[Node, Array], sizes: Bindings
) -> Array:
    """Evaluate an edge's expression; what it computes beside the graph's values is dropped."""
    before = len(known)
    known[upstream] = g
    result = extend([symbolic], known, sizes)[symbolic]
    while len(known) > before:
        known.popitem()
    return result


def _shaped(value: Array, like: Array) -> Array:
    """Give a gradient the shape of what it belongs to."""
    return np.broadcast_to(np.asarray(value, dtype=np.float64), np.shape(like)).copy()[()]
