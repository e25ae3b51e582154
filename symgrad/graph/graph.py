"""`Graph`: a frozen `networkx.MultiDiGraph` whose keys are the interned nodes.

The edge (u, v, key=k) means "u is operand k of v". Truth lives in `Node.args`; the edges are
derived from it in one bulk call, the first time that somebody looks at them (the stages of a
program walk `Node.args`), and `Graph.check` proves that they agree.
"""

import threading
from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import networkx as nx

from symgrad.errors import Span, SymgradError
from symgrad.graph.node import Node
from symgrad.graph.spans import Spans, moved
from symgrad.graph.walk import topological

_LOCK = threading.RLock()


class _Table:
    """Hold a table of networkx: that of nodes, successors or predecessors, filled on first use."""

    def __init__(self, name: str) -> None:
        self.name, self.plain = name, getattr(nx.MultiDiGraph, name)

    def __get__(self, graph: Any, owner: type) -> Any:
        if graph is None:
            return self
        own = graph.__dict__
        if "_unfilled" in own:
            graph._fill()
        if self.name not in own:
            raise AttributeError(self.name)
        return own[self.name]

    def __set__(self, graph: Any, value: Any) -> None:
        self.plain.__set__(graph, value)


class Graph(nx.MultiDiGraph):  # type: ignore[misc]
    """Hold an expression as a graph; made by `symgrad.parse` and by every stage after it.

    `output` is the value of the last line, `names` maps the user's names to nodes (in order of
    definition), `dims` maps dimension names to numbers where these are known, `functions` lists
    the abstract functions that are not bound.

    >>> import symgrad as sg
    >>> g = sg.parse("x*x")
    >>> g.number_of_edges(), g.output.op
    (2, 'mul')
    """

    output: Node
    names: Mapping[str, Node]
    spans: Mapping[Node, Span]
    dims: Mapping[str, int]
    source: str
    outputs: tuple[Node, ...]
    extra_inputs: tuple[Node, ...]
    notes: tuple[str, ...]
    dtype: str
    functions: tuple[str, ...]
    _order: tuple[Node, ...]
    _labels: dict[Node, str]
    _unfilled: tuple[Node, ...]  # until its nodes and edges are in the tables of networkx
    _node, _pred = _Table("_node"), _Table("_pred")
    _adj, _succ = _Table("_adj"), _Table("_succ")

    @classmethod
    def of(
        cls,
        outputs: Iterable[Node],
        *,
        names: Mapping[str, Node] | None = None,
        spans: Mapping[Node, Span] | None = None,
        dims: Mapping[str, int] | None = None,
        source: str = "",
        extra_inputs: Iterable[Node] = (),
        notes: Iterable[str] = (),
        dtype: str = "",
        functions: Iterable[str] = (),
        order: tuple[Node, ...] | None = None,
    ) -> "Graph":
        """Build the graph below `outputs` (the last one is `output`); `order` may be known."""
        graph = cls()
        graph.outputs = tuple(outputs)
        graph.output = graph.outputs[-1]
        graph.extra_inputs = tuple(extra_inputs)
        graph._order = order or topological((*graph.extra_inputs, *graph.outputs))
        graph.names = MappingProxyType(dict(names or {}))
        lazy = isinstance(spans, Spans)
        graph.spans = spans if lazy else MappingProxyType(dict(spans or {}))  # type: ignore[assignment]
        graph.dims = MappingProxyType(dict(dims or {}))
        graph.source = source
        graph.notes = tuple(notes)
        graph.dtype = dtype
        applied = (n.attrs["name"] for n in graph._order if n.op == "apply")
        graph.functions = tuple(dict.fromkeys([*functions, *applied]))
        graph._labels = {}
        for name, node in graph.names.items():
            graph._labels.setdefault(node, name)
        for node in graph._order:
            if node.op == "input":
                graph._labels[node] = node.attrs["name"]
        nx.freeze(graph)
        graph._unfilled = graph._order
        return graph

    def _fill(self) -> None:
        """Tell networkx the nodes and the edges."""
        with _LOCK:
            own = self.__dict__
            if "_unfilled" not in own:
                return
            plain, order = nx.MultiDiGraph(), self._unfilled
            plain.add_nodes_from((n, self._facts(n)) for n in order)
            plain.add_edges_from((a, n, k) for n in order for k, a in enumerate(n.args))
            own["_node"], own["_pred"] = plain._node, plain._pred
            own["_adj"] = own["_succ"] = plain._adj
            del own["_unfilled"]

    def _facts(self, node: Node) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        if node in self._labels:
            facts["name"] = self._labels[node]
        if node in self.spans:
            facts["span"] = self.spans[node]
        return facts

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """List the inputs: as declared or first used, then those that the text never uses."""
        found = {n.attrs["name"]: n for n in self._order if n.op == "input"}
        first = [found[n] for n in self.names if n in found and self.names[n] is found[n]]
        return tuple(dict.fromkeys([*first, *found.values()]))

    def order(self) -> tuple[Node, ...]:
        """List all nodes, operands before their consumers."""
        return self._order

    @cached_property
    def places(self) -> Mapping[Node, int]:
        """Map each node to its position in the order."""
        return {n: k for k, n in enumerate(self._order)}

    def name(self, node: Node) -> str | None:
        """Give the user's (first) name of a node, or None."""
        return self._labels.get(node)

    def mapped(self, image: Mapping[Node, Node], functions: Iterable[str] | None = None) -> "Graph":
        """Rebuild the graph with other nodes in the place of its own; names and lines stay.

        `image` has a node for every output, and for names that change; `functions` are those left.
        """
        return Graph.of(
            [image[n] for n in self.outputs],
            names={name: image.get(n, n) for name, n in self.names.items()},
            spans=moved(self.spans, image),
            dims=self.dims,
            source=self.source,
            extra_inputs=self.inputs,
            notes=self.notes,
            dtype=self.dtype,
            functions=self.functions if functions is None else functions,
        )

    def check(self) -> None:
        """Raise SymgradError unless nodes and edges are exactly those that `Node.args` imply."""
        implied = [(a, n, k) for n in self._order for k, a in enumerate(n.args)]
        actual = list(self.edges(keys=True))
        if len(actual) != len(implied) or dict.fromkeys(actual) != dict.fromkeys(implied):
            raise SymgradError("the graph's edges do not agree with the operands of its nodes")
        if list(self.nodes) != list(self._order):
            raise SymgradError("the graph's nodes do not agree with what its outputs reach")

    def __reduce__(self) -> tuple[Any, ...]:
        from symgrad.graph.exchange import from_json, to_json

        return from_json, (to_json(self),)
