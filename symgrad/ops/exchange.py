"""Read graphs that were written to files: each node is what its operator makes of its operands."""

from symgrad import graph as graphs
from symgrad.arguments import checked
from symgrad.graph import Graph
from symgrad.ops.verified import verify


def from_json(text: str) -> Graph:
    """Read a graph that `graph.to_json` wrote; raise `DataError` on anything else.

    >>> import symgrad as sg
    >>> from symgrad.graph import to_json
    >>> g = sg.parse("x + y")
    >>> sg.from_json(to_json(g)).output is g.output
    True
    """
    checked(from_json, locals())
    graph = graphs.from_json(text)
    verify(graph.order())
    return graph


def from_graphml(text: str) -> Graph:
    """Read a graph that `graph.to_graphml` wrote; raise `DataError` on anything else."""
    checked(from_graphml, locals())
    graph = graphs.from_graphml(text)
    verify(graph.order())
    return graph
