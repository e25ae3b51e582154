"""The graph: interned nodes, the networkx view of them, iterative walks, exchange."""

from symgrad.graph.collecting import uncollected
from symgrad.graph.exchange import from_graphml, from_json, to_graphml, to_json
from symgrad.graph.graph import Graph
from symgrad.graph.node import Node, intern
from symgrad.graph.spans import Spans, line_of, moved
from symgrad.graph.walk import consumers, depends, dimensions, rebuild, remembered, topological

__all__ = [
    "Graph",
    "Node",
    "Spans",
    "consumers",
    "depends",
    "dimensions",
    "from_graphml",
    "from_json",
    "intern",
    "line_of",
    "moved",
    "rebuild",
    "remembered",
    "to_graphml",
    "to_json",
    "topological",
    "uncollected",
]
