"""From a graph and its numbers to what is drawn: nodes with symbols, edges with contributions."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symgrad.diagram.digits import constant
from symgrad.diagram.gates import constant_latex, gate
from symgrad.graph import Graph, Node
from symgrad.shapes import Shape

Array = NDArray[Any]


class Result(Protocol):
    """Describe the numbers of a backpropagation, as `symgrad.autodiff` gives them."""

    @property
    def values(self) -> Mapping[Node, Any]:
        """Map every node to its value."""

    @property
    def grads(self) -> Mapping[Node, Any]:
        """Map the nodes that were asked for, and those on the way, to their gradient."""

    @property
    def contributions(self) -> Mapping[tuple[Node, int], Any]:
        """Map (consumer, operand index) to what flows back along that edge."""


@dataclass(frozen=True, slots=True)
class DrawNode:
    """Describe a drawn node; `key` names it without doubt: the user's name, or operator#number.

    `kind` is gate, input, parameter or constant; `name` is what the user calls it, `symbol` the
    LaTeX in a gate or constant. Numbers are None where there are none.
    """

    id: int
    key: str
    kind: str
    op: str
    symbol: str
    name: str
    shape: Shape
    value: Array | None = None
    grad: Array | None = None


@dataclass(frozen=True, slots=True)
class DrawEdge:
    """Describe a drawn edge; `forked` tells that its source has other edges with numbers."""

    id: int
    source: int
    target: int
    operand: int
    value: Array | None = None
    grad: Array | None = None
    forked: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold what is drawn; with `numbers`, a gradient that is missing was not asked for."""

    nodes: tuple[DrawNode, ...]
    edges: tuple[DrawEdge, ...]
    outputs: tuple[int, ...]
    numbers: bool

    def scalars(self) -> Iterator[float]:
        """Yield every number of the drawing."""
        for array in self.arrays():
            yield from (float(v) for v in array.ravel())

    def arrays(self) -> list[Array]:
        """List every value and gradient, and the contributions of the edges."""
        pairs = [(n.value, n.grad) for n in self.nodes] + [(None, e.grad) for e in self.edges]
        return [array for pair in pairs for array in pair if array is not None]


def draw(graph: Graph, result: Result | None = None) -> Drawing:
    r"""Choose nodes and edges: constants fold into gates, others become leaves of their own.

    >>> import symgrad as sg
    >>> d = draw(sg.parse("1/(1 + exp(-x))"))
    >>> [n.symbol for n in d.nodes[1:]]
    ['\\times{-}1', '\\exp', '+1', '1/x']
    """
    return _Builder(graph, result).run()


class _Builder:
    """Collect drawn nodes and edges in the order of the graph."""

    def __init__(self, graph: Graph, result: Result | None) -> None:
        self.graph, self.result = graph, result
        self.nodes: list[DrawNode] = []
        self.arrows: list[tuple[int, int, int, Node, Node]] = []
        self.ids: dict[Node, int] = {}

    def run(self) -> Drawing:
        roots = dict.fromkeys(getattr(self.graph, "outputs", None) or (self.graph.output,))
        wanted = self._needed(tuple(roots))
        for node in self.graph.order():
            if node not in wanted:
                continue
            if node.op not in ("const", "dim") or node in roots:
                self.ids[node] = self._add(node)
                self._connect(node)
        outputs = tuple(self.ids[node] for node in roots)
        return Drawing(tuple(self.nodes), self._edges(), outputs, self.result is not None)

    def _needed(self, roots: tuple[Node, ...]) -> dict[Node, None]:
        needed = dict.fromkeys(roots)
        for node in reversed(self.graph.order()):
            if node in needed:
                needed.update(dict.fromkeys(node.args))
        return needed

    def _connect(self, node: Node) -> None:
        if not node.args:
            return
        for k in gate(node).operands:
            operand = node.args[k]
            # A constant that no gate swallows is a small leaf beside its consumer, one per use.
            source = self.ids.get(operand)
            if source is None:
                source = self._add(operand)
            self.arrows.append((source, self.ids[node], k, operand, node))

    def _add(self, node: Node) -> int:
        number = len(self.nodes)
        name = self.graph.name(node) or ""
        kind, symbol, op = "gate", "", node.op
        if node.op in ("const", "dim"):
            kind, name = "constant", ""
            symbol = constant_latex(node) or constant(node.attrs.get("value", math.nan))
        elif node.op == "input":
            kind = "parameter" if node.attrs.get("kind") == "param" else "input"
            name = str(node.attrs["name"])
        else:
            symbol = gate(node).symbol
            op = node.attrs["name"] if op == "apply" else op
        key = name or f"{op}#{number}"
        numbers = (self._value(node), self._grad(node)) if kind != "constant" else (None, None)
        self.nodes.append(DrawNode(number, key, kind, op, symbol, name, node.shape, *numbers))
        return number

    def _value(self, node: Node) -> Array | None:
        return _array(self.result.values.get(node)) if self.result else None

    def _grad(self, node: Node) -> Array | None:
        return _array(self.result.grads.get(node)) if self.result else None

    def _edges(self) -> tuple[DrawEdge, ...]:
        fans: dict[int, int] = {}
        for source, *_ in self.arrows:
            fans[source] = fans.get(source, 0) + 1
        edges = []
        for i, (source, target, k, operand, consumer) in enumerate(self.arrows):
            grad = self._contribution(self.nodes[source], consumer, k)
            forked = fans[source] > 1 and grad is not None
            edges.append(DrawEdge(i, source, target, k, self._value(operand), grad, forked))
        return tuple(edges)

    def _contribution(self, source: DrawNode, consumer: Node, operand: int) -> Array | None:
        """Find what the edge adds to its source; nothing if nobody asked for that gradient."""
        if self.result is None or source.grad is None:
            return None
        return _array(self.result.contributions.get((consumer, operand)))


def _array(number: Any) -> Array | None:
    return None if number is None else np.asarray(number)
