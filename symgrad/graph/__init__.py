"""The graph: interned nodes, the networkx view of them, iterative walks, exchange."""

from symgrad.graph.exchange import from_graphml, from_json, to_graphml, to_json
from symgrad.graph.graph import Graph
from symgrad.graph.node import Node, intern
from symgrad.graph.walk import consumers, depends, rebuild, topological

__all__ = [
    "Graph",
    "Node",
    "consumers",
    "depends",
    "from_graphml",
    "from_json",
    "intern",
    "rebuild",
    "to_graphml",
    "to_json",
    "topological",
]
