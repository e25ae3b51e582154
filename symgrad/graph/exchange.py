"""Exchange: node-link JSON and GraphML, and the flat table that pickling uses.

A round trip gives the identical nodes, because reading interns them again.
"""

import json
from collections.abc import Iterable
from typing import Any

import networkx as nx

from symgrad.errors import DataError, Span
from symgrad.graph.graph import Graph
from symgrad.graph.node import Node, intern
from symgrad.graph.walk import topological

FORMAT = "symgrad-graph"
VERSION = 1
MALFORMED = (ValueError, LookupError, TypeError, RecursionError, nx.NetworkXException)
MAX_TEXT = 256 * 1024 * 1024

Row = tuple[str, tuple[int, ...], tuple[tuple[str, Any], ...], tuple[int | str, ...], str]


def flatten(roots: Iterable[Node]) -> tuple[tuple[Row, ...], tuple[int, ...]]:
    """Write nodes as rows (op, operand positions, attributes, shape, dtype), operands first."""
    roots = tuple(roots)
    order = topological(roots)
    place = {n: k for k, n in enumerate(order)}
    rows = tuple(
        (n.op, tuple(place[a] for a in n.args), tuple(n.attrs.items()), n.shape, n.dtype)
        for n in order
    )
    return rows, tuple(place[r] for r in roots)


def unflatten(table: tuple[tuple[Row, ...], tuple[int, ...]]) -> Node:
    """Read the rows back; return the (first) root."""
    nodes: list[Node] = []
    for op, args, attrs, shape, dtype in table[0]:
        nodes.append(intern(op, tuple(nodes[k] for k in args), dict(attrs), shape, dtype))
    return nodes[table[1][0]]


def _plain(graph: Graph) -> "nx.MultiDiGraph[int]":
    """Give the nodes numbers and write every attribute as text that JSON and GraphML can carry."""
    order = graph.order()
    place = {n: k for k, n in enumerate(order)}
    plain: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    meta = {
        "names": {k: place[v] for k, v in graph.names.items() if v in place},
        "outputs": [place[n] for n in graph.outputs],
        "extra": [place[n] for n in graph.extra_inputs],
        "dims": dict(graph.dims),
        "source": graph.source,
        "notes": list(graph.notes),
        "dtype": graph.dtype,
        "functions": list(graph.functions),
    }
    plain.graph.update(format=FORMAT, version=VERSION, meta=json.dumps(meta))
    for n in order:
        span = graph.spans.get(n)
        facts = {
            "op": n.op,
            "attrs": json.dumps(dict(n.attrs)),
            "shape": json.dumps(list(n.shape)),
            "dtype": n.dtype,
            "span": json.dumps([span.line, span.column, span.end] if span else None),
        }
        plain.add_node(place[n], **facts)
    plain.add_edges_from(
        (place[a], place[n], k, {"operand": k}) for n in order for k, a in enumerate(n.args)
    )
    return plain


def to_json(graph: Graph) -> str:
    """Write a graph as networkx node-link JSON, with format and version."""
    return json.dumps(nx.node_link_data(_plain(graph), edges="edges"), indent=1)


def to_graphml(graph: Graph) -> str:
    """Write a graph as GraphML, for programs such as yEd, Gephi or networkx itself."""
    return "\n".join(nx.generate_graphml(_plain(graph)))


def from_json(text: str) -> Graph:
    """Read what `to_json` wrote; raise DataError on anything else."""
    if len(text) > MAX_TEXT:
        raise DataError(f"the JSON text has {len(text)} characters; the limit is {MAX_TEXT}")
    try:
        return _revive(nx.node_link_graph(json.loads(text), edges="edges"))
    except (*MALFORMED, AttributeError) as error:
        raise DataError(f"not a symgrad graph in JSON: {error}") from None


def from_graphml(text: str) -> Graph:
    """Read what `to_graphml` wrote; raise DataError on anything else."""
    if len(text) > MAX_TEXT or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError("the GraphML text is too long or carries entities")
    try:
        return _revive(nx.parse_graphml(text, node_type=int, force_multigraph=True))
    except (*MALFORMED, SyntaxError) as error:
        raise DataError(f"not a symgrad graph in GraphML: {error}") from None


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _revive(plain: Any) -> Graph:
    if plain.graph.get("format") != FORMAT or int(plain.graph.get("version", 0)) != VERSION:
        raise ValueError(f"format and version must be {FORMAT} {VERSION}")
    meta = json.loads(plain.graph["meta"])
    nodes: dict[int, Node] = {}
    spans: dict[Node, Span] = {}
    for k in sorted(plain.nodes):
        facts = plain.nodes[k]
        operands = sorted((data["operand"], u) for u, _, data in plain.in_edges(k, data=True))
        if [p for p, _ in operands] != list(range(len(operands))):
            raise ValueError(f"node {k} has gaps among its operands")
        node = intern(
            str(facts["op"]),
            tuple(nodes[u] for _, u in operands),
            {str(a): _tuples(v) for a, v in json.loads(facts["attrs"]).items()},
            _tuples(json.loads(facts["shape"])),
            str(facts["dtype"]),
        )
        nodes[k] = node
        span = json.loads(facts["span"])
        if span:
            spans[node] = Span(*span)
    return Graph.of(
        [nodes[k] for k in meta["outputs"]],
        names={n: nodes[k] for n, k in meta["names"].items()},
        spans=spans,
        dims=meta["dims"],
        source=meta["source"],
        extra_inputs=[nodes[k] for k in meta["extra"]],
        notes=meta["notes"],
        dtype=meta["dtype"],
        functions=meta.get("functions", ()),
    )
