"""From a graph and its numbers to what is drawn: nodes with symbols, edges with contributions."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from symgrad.diagram.digits import constant
from symgrad.diagram.gates import DOT, Gate, constant_latex, expression, gate
from symgrad.diagram.grouping import Group, groups
from symgrad.diagram.lettering import letters
from symgrad.graph import Graph, Node
from symgrad.shapes import Shape

Array = NDArray[Any]
NUMBERS = ("const", "dim")
FEW = 12  # nodes of an expression of constants that is drawn like a constant


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

    @property
    def local(self) -> Mapping[tuple[Node, int], Any]:
        """Map the same to the local derivative."""


@dataclass(frozen=True, slots=True)
class DrawNode:
    """Describe a drawn node; `key` names it without doubt: the user's name, or operator#number.

    `kind` is gate, input, parameter or constant; `name` is what the user calls it (empty where the
    gate itself shows the name of its line), `symbol` the LaTeX in a gate or constant, `letter` what
    formulas call it, `spoken` what the gate does in words. Numbers are None where there are none.
    `node` is the node of the graph whose value this is, `members` all that it stands for.
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
    letter: str = ""
    spoken: str = ""
    node: Node | None = None
    members: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawEdge:
    """Describe a drawn edge; `forked` tells that its source has other edges with numbers.

    `uses` lists the operands that it stands for, as (consumer, operand index): several where a
    collapsed gate uses its source more than once; `operand` counts what comes into the gate.
    """

    id: int
    source: int
    target: int
    operand: int
    value: Array | None = None
    grad: Array | None = None
    forked: bool = False
    uses: tuple[tuple[Node, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold what is drawn; with `numbers`, a gradient that is missing was not asked for."""

    nodes: tuple[DrawNode, ...]
    edges: tuple[DrawEdge, ...]
    outputs: tuple[int, ...]
    numbers: bool

    def arrays(self) -> list[Array]:
        """List every value and gradient, and the contributions of the edges."""
        pairs = [(n.value, n.grad) for n in self.nodes] + [(None, e.grad) for e in self.edges]
        return [array for pair in pairs for array in pair if array is not None]


def draw(graph: Graph, result: Result | None = None, collapse: str | Iterable[str] = ()) -> Drawing:
    r"""Choose nodes and edges: constants fold into gates, others become leaves of their own.

    `collapse` names lines, or operators that are spelled out by hand, to be one gate each; "all"
    means every line. Raises UsageError for an unknown name.

    >>> import symgrad as sg
    >>> g = sg.parse("1/(1 + exp(-x*y))")
    >>> [n.symbol for n in draw(g).nodes[3:]]
    ['\\times', '\\exp', '+1', '1/(\\cdot)']
    >>> [n.symbol for n in draw(g, collapse="sigmoid").nodes]
    ['', '', '\\sigma(x y)']
    """
    return _Builder(graph, result, groups(graph, collapse) if collapse else {}).run()


@dataclass(frozen=True, slots=True)
class _Arrow:
    """Hold an edge before its numbers: where from, where to, and the operands it stands for."""

    source: int
    target: int
    operand: int
    uses: tuple[tuple[Node, int], ...]


class _Builder:
    """Collect drawn nodes and edges in the order of the graph."""

    def __init__(
        self, graph: Graph, result: Result | None, collapsed: Mapping[Node, Group]
    ) -> None:
        self.graph, self.result, self.collapsed = graph, result, collapsed
        self.inside = {n: root for root, group in collapsed.items() for n in group.members}
        self.nodes: list[DrawNode] = []
        self.arrows: list[_Arrow] = []
        self.ids: dict[Node, int] = {}
        self.letters: dict[Node, str] = {}
        self.fixed: dict[Node, str] = {}
        named = (*graph.names, *graph.functions, *(n.attrs["name"] for n in graph.inputs))
        self.operand = DOT if "x" in named else "x"

    def run(self) -> Drawing:
        roots = dict.fromkeys(getattr(self.graph, "outputs", None) or (self.graph.output,))
        self.fixed = self._fixed(roots)
        wanted = self._needed(tuple(roots))
        drawn = [
            n
            for n in self.graph.order()
            if n in wanted
            and self.inside.get(n, n) is n
            and (n in roots or not (n.op in NUMBERS or n in self.fixed))
        ]
        self.letters = letters(self.graph, [n for n in drawn if n.op not in NUMBERS])
        for node in drawn:
            self.ids[node] = self._add(node)
            self._connect(node)
        outputs = tuple(self.ids[node] for node in roots)
        return Drawing(tuple(self.nodes), self._edges(), outputs, self.result is not None)

    def _needed(self, roots: tuple[Node, ...]) -> dict[Node, None]:
        needed = dict.fromkeys(roots)
        for node in reversed(self.graph.order()):
            if node in needed and node not in self.fixed:
                needed.update(dict.fromkeys(node.args))
        return needed

    def _fixed(self, roots: Mapping[Node, None]) -> dict[Node, str]:
        """Typeset what constants alone give, unless the user named it: ÷√2 is one gate."""
        found: dict[Node, str] = {}
        sizes: dict[Node, int] = {}  # of expressions that have constants only
        for node in self.graph.order():
            if node.op in NUMBERS or (node.args and all(a in sizes for a in node.args)):
                sizes[node] = 1 + sum(sizes[a] for a in node.args)
            kept = node in roots or self.graph.name(node) or node in self.inside
            if kept or not 1 < sizes.get(node, 0) <= FEW or node.shape or node.dtype != "float":
                continue
            text = expression(node)
            found |= {node: text} if text is not None else {}
        return found

    def _connect(self, node: Node) -> None:
        if node in self.collapsed:
            for k, (operand, uses) in enumerate(_uses(self.collapsed[node]).items()):
                self.arrows.append(_Arrow(self.ids[operand], self.ids[node], k, tuple(uses)))
            return
        for k in self._gate(node).operands if node.args else ():
            operand = node.args[k]
            # A constant that no gate swallows is a small leaf beside its consumer, one per use.
            source = self.ids.get(operand)
            if source is None:
                source = self._add(operand)
            self.arrows.append(_Arrow(source, self.ids[node], k, ((node, k),)))

    def _gate(self, node: Node) -> Gate:
        group = self.collapsed.get(node)
        if group:
            return group.gate(self.graph.name, self.operand)
        return gate(node, self.operand, self.fixed)

    def _add(self, node: Node) -> int:
        number = len(self.nodes)
        name = self.graph.name(node) or ""
        kind, symbol, op, spoken = "gate", "", node.op, ""
        group = self.collapsed.get(node)
        if node.op in NUMBERS or node in self.fixed:
            kind, name = "constant", ""
            symbol = self.fixed.get(node) or constant_latex(node) or _number(node)
        elif node.op == "input":
            kind = "parameter" if node.attrs.get("kind") == "param" else "input"
            name = str(node.attrs["name"])
        else:
            found = self._gate(node)
            symbol, spoken = found.symbol, found.spoken
            op = node.attrs["name"] if op == "apply" else op
            op = group.call.op if group is not None and group.call is not None else op
        name = group.line if group is not None and group.line else name
        key = name or f"{op}#{number}"
        shown = "" if group is not None and group.line else name
        numbers = (self._value(node), self._grad(node)) if kind != "constant" else (None, None)
        members = group.members if group is not None else (node,)
        letter = self.letters.get(node, "") if kind != "constant" else ""
        members = group.members if group is not None else (node,)
        drawn = DrawNode(number, key, kind, op, symbol, shown, node.shape, *numbers)
        drawn = replace(drawn, letter=letter, spoken=spoken, node=node, members=members)
        self.nodes.append(drawn)
        return number

    def _value(self, node: Node) -> Array | None:
        return _array(self.result.values.get(node)) if self.result else None

    def _grad(self, node: Node) -> Array | None:
        return _array(self.result.grads.get(node)) if self.result else None

    def _edges(self) -> tuple[DrawEdge, ...]:
        fans: dict[int, int] = {}
        for arrow in self.arrows:
            fans[arrow.source] = fans.get(arrow.source, 0) + 1
        edges = []
        for i, arrow in enumerate(self.arrows):
            grad = self._contribution(arrow)
            forked = fans[arrow.source] > 1 and grad is not None
            consumer, k = arrow.uses[0]
            value = self._value(consumer.args[k])
            edges.append(
                DrawEdge(
                    i, arrow.source, arrow.target, arrow.operand, value, grad, forked, arrow.uses
                )
            )
        return tuple(edges)

    def _contribution(self, arrow: _Arrow) -> Array | None:
        """Find what the edge adds to its source; nothing if nobody asked for that gradient.

        Several uses are added from the last to the first, in the order of backpropagation, so that
        one edge carries the very gradient of its source.
        """
        if self.result is None or self.nodes[arrow.source].grad is None:
            return None
        total: Any = None
        for use in arrow.uses:
            share = self.result.contributions.get(use)
            if share is not None:
                total = share if total is None else total + share
        return _array(total)


def _uses(group: Group) -> dict[Node, list[tuple[Node, int]]]:
    """Map what comes into a collapsed gate to its uses inside, the last consumer first."""
    found: dict[Node, list[tuple[Node, int]]] = {source: [] for source in group.sources}
    for member in reversed(group.members):
        for k, operand in enumerate(member.args):
            if operand in found:
                found[operand].append((member, k))
    return found


def _number(node: Node) -> str:
    return constant(node.attrs.get("value", math.nan))


def _array(number: Any) -> Array | None:
    return None if number is None else np.asarray(number)
