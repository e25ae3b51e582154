"""Exchange: node-link JSON and GraphML, and the flat table that pickling uses.

A round trip gives the identical nodes, because reading interns them again.
"""

import json
import keyword
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import networkx as nx

from symgrad.dims import proper
from symgrad.errors import DataError, LimitError, Span
from symgrad.graph.graph import Graph
from symgrad.graph.node import Node, intern
from symgrad.graph.walk import consumers, topological

FORMAT = "symgrad-graph"
VERSION = 1
MALFORMED = (ArithmeticError, ValueError, LookupError, TypeError, RecursionError,
             nx.NetworkXException)  # fmt: skip
MAX_TEXT = 256 * 1024 * 1024
MAX_GRAPHML = 16 * 1024 * 1024  # characters; networkx takes its time
MOST_GRAPHML = 10_000  # nodes
MAX_NAME = 400  # characters, as in a program
MAX_SIZE = 2**31  # of a dimension that is a number
MAX_LINE = 10**7

Row = tuple[str, tuple[int, ...], tuple[tuple[str, Any], ...], tuple[int | str, ...], str]
Table = tuple[tuple[Row, ...], tuple[int, ...]]  # rows, and which of them are roots


def flatten(roots: Iterable[Node]) -> Table:
    """Write nodes as rows (op, operand positions, attributes, shape, dtype), operands first."""
    roots = tuple(roots)
    order = topological(roots)
    place = {n: k for k, n in enumerate(order)}
    rows = tuple(
        (n.op, tuple(place[a] for a in n.args), tuple(n.attrs.items()), n.shape, n.dtype)
        for n in order
    )
    return rows, tuple(place[r] for r in roots)


def unflatten(table: Table) -> Node:
    """Read the rows back; return the (first) root."""
    return roots_of(table)[0]


def roots_of(table: Table) -> list[Node]:
    """Read the rows back; return all roots."""
    nodes: list[Node] = []
    for op, args, attrs, shape, dtype in table[0]:
        nodes.append(intern(op, tuple(nodes[k] for k in args), dict(attrs), shape, dtype))
    return [nodes[k] for k in table[1]]


def _plain(graph: Graph) -> "nx.MultiDiGraph[int]":
    """Give the nodes numbers and write every attribute as text that JSON and GraphML can carry."""
    place = graph.places
    plain: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    plain.graph.update(_heading(graph))
    for n in graph.order():
        plain.add_node(place[n], **_facts(graph, n))
    plain.add_edges_from(
        (place[a], place[n], k, {"operand": k}) for n in graph.order() for k, a in enumerate(n.args)
    )
    return plain


def _heading(graph: Graph) -> dict[str, Any]:
    """Say what is true of the whole graph."""
    place = graph.places
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
    return {"format": FORMAT, "version": VERSION, "meta": json.dumps(meta)}


def _facts(graph: Graph, n: Node) -> dict[str, Any]:
    """Say what is true of a node."""
    span = graph.spans.get(n)
    return {
        "op": n.op,
        "attrs": json.dumps(dict(n.attrs)) if n.attrs else "{}",
        "shape": json.dumps(list(n.shape)) if n.shape else "[]",
        "dtype": n.dtype,
        "span": f"[{span.line}, {span.column}, {span.end}]" if span else "null",
    }


def to_json(graph: Graph) -> str:
    """Write a graph as networkx node-link JSON, with format and version.

    >>> from symgrad.graph.node import intern
    >>> to_json(Graph.of([intern("const", attrs={"value": 1})])).count('"id"')
    1
    """
    # what json.dumps(networkx.node_link_data(...), indent=1) writes, without a table of everything
    place = graph.places
    head: dict[str, Any] = {"directed": True, "multigraph": True, "graph": _heading(graph)}
    nodes = [_entry({**_facts(graph, n), "id": k}) for n, k in place.items()]
    edges = [
        f'  {{\n   "operand": {k},\n   "source": {place[n]},\n   "target": {place[user]},\n'
        f'   "key": {k}\n  }}'
        for n, users in consumers(graph.order()).items() for user, k in users
    ]  # fmt: skip
    text = json.dumps(head, indent=1).removesuffix("\n}")
    return f'{text},\n "nodes": {_listed(nodes)},\n "edges": {_listed(edges)}\n}}'


def _entry(facts: Mapping[str, Any]) -> str:
    body = ",\n   ".join([f'"{key}": {json.dumps(value)}' for key, value in facts.items()])
    return f"  {{\n   {body}\n  }}"


def _listed(entries: list[str]) -> str:
    return "[\n" + ",\n".join(entries) + "\n ]" if entries else "[]"


def to_graphml(graph: Graph) -> str:
    """Write a graph as GraphML, for programs such as yEd, Gephi or networkx itself.

    Raises LimitError beyond what such programs show: 10,000 nodes.
    """
    if len(graph.order()) > MOST_GRAPHML:
        raise LimitError(f"a graph of {len(graph.order())} nodes is too large for GraphML; the "
                         f"limit is {MOST_GRAPHML}", hint="to_json has no such limit")  # fmt: skip
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
    if len(text) > MAX_GRAPHML or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DataError("the GraphML text is too long or carries entities")
    try:
        with warnings.catch_warnings():  # of keys that are not declared: they are looked at below
            warnings.simplefilter("ignore")
            found = nx.parse_graphml(text, node_type=int, force_multigraph=True)
        return _revive(found)
    except (*MALFORMED, AttributeError, SyntaxError) as error:
        raise DataError(f"not a symgrad graph in GraphML: {error}") from None


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _expect(good: bool, what: str, value: object) -> None:
    """Raise ValueError, which names the value, unless it is good."""
    if not good:
        raise ValueError(f"{str(value)[:80]!r} is no {what}")


def _is_name(value: object) -> bool:
    """Say whether this may be called a value, an input, a dimension or a function."""
    plain = isinstance(value, str) and value.isidentifier() and not keyword.iskeyword(value)
    return plain and len(str(value)) <= MAX_NAME and not str(value).startswith("__")


def _is_whole(value: object, most: int = MAX_SIZE) -> bool:
    return type(value) is int and 0 <= value <= most


def _node(facts: Mapping[str, Any], args: tuple[Node, ...]) -> Node:
    """Read one node; what its operator is and takes is checked by `symgrad.ops.verify`."""
    attrs = {str(a): _tuples(v) for a, v in json.loads(facts["attrs"]).items()}
    shape, op, dtype = _tuples(json.loads(facts["shape"])), str(facts["op"]), str(facts["dtype"])
    for d in shape if isinstance(shape, tuple) else (shape,):
        _expect(proper(d) if isinstance(d, str) else _is_whole(d), "size", d)
    if op in ("input", "dim", "apply"):
        _expect(_is_name(attrs.get("name")), "name", attrs.get("name"))
    if op == "input":
        usual = "int" if "classes" in attrs else "float"
        _expect(dtype == usual, f"dtype of the input {attrs['name']}", dtype)
        _expect("classes" not in attrs or _is_name(attrs["classes"]) or
                _is_whole(attrs["classes"]), "number of classes", attrs.get("classes"))  # fmt: skip
    if op == "const":
        value = attrs.get("value")
        _expect(type(value) in (int, float), "number", value)
    return intern(op, args, attrs, shape, dtype)


def _meta(text: str) -> dict[str, Any]:
    """Read what is said of the whole graph, and check its types."""
    meta: dict[str, Any] = json.loads(text)
    _expect(isinstance(meta, dict), "table", meta)
    meta.setdefault("functions", [])
    for key in ("names", "dims"):
        _expect(isinstance(meta[key], dict), f"table of {key}", meta[key])
        for name in meta[key]:
            _expect(_is_name(name), "name", name)
    for name, size in meta["dims"].items():
        _expect(_is_whole(size), f"size for {name}", size)
    for key in ("outputs", "extra", "notes", "functions"):
        _expect(isinstance(meta[key], list), f"list of {key}", meta[key])
    _expect(bool(meta["outputs"]), "list of outputs", meta["outputs"])
    for text in (meta["source"], meta["dtype"], *meta["notes"]):
        _expect(isinstance(text, str), "text", text)
    _expect(not meta["dtype"] or _is_name(meta["dtype"]), "dtype", meta["dtype"])
    for name in meta["functions"]:
        _expect(_is_name(name), "name of a function", name)
    return meta


def _distinct(nodes: Iterable[Node], names: Mapping[str, Node]) -> None:
    """Refuse two inputs of one name, and an input that goes by the name of something else."""
    inputs: dict[str, Node] = {}
    for node in nodes:
        if node.op == "input":
            name = node.attrs["name"]
            same = inputs.setdefault(name, node) is node and names.get(name, node) is node
            _expect(same, "name of one value only", name)


def _revive(plain: Any) -> Graph:
    if plain.graph.get("format") != FORMAT or plain.graph.get("version") not in (1, "1"):
        raise ValueError(f"format and version must be {FORMAT} {VERSION}")
    meta = _meta(plain.graph["meta"])
    nodes: dict[int, Node] = {}
    spans: dict[Node, Span] = {}
    for k in sorted(plain.nodes):
        facts = plain.nodes[k]
        operands = sorted((data["operand"], u) for u, _, data in plain.in_edges(k, data=True))
        if [p for p, _ in operands] != list(range(len(operands))):
            raise ValueError(f"node {k} has gaps among its operands")
        nodes[k] = _node(facts, tuple(nodes[u] for _, u in operands))
        span = json.loads(facts["span"])
        if span:
            _expect(all(_is_whole(n, MAX_LINE) for n in span), "place in the source", span)
            spans[nodes[k]] = Span(*span)
    names = {n: nodes[k] for n, k in meta["names"].items()}
    _distinct(nodes.values(), names)
    return Graph.of(
        [nodes[k] for k in meta["outputs"]],
        names=names,
        spans=spans,
        dims=meta["dims"],
        source=meta["source"],
        extra_inputs=[nodes[k] for k in meta["extra"]],
        notes=meta["notes"],
        dtype=meta["dtype"],
        functions=meta["functions"],
    )
