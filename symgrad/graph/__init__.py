"""The graph: interned nodes, the networkx view of them, iterative walks, exchange."""

from symgrad.graph.collecting import uncollected
from symgrad.graph.exchange import from_graphml, from_json, to_graphml, to_json
from symgrad.graph.graph import Graph
from symgrad.graph.node import Node, intern
from symgrad.graph.parts import (
    SUMS,
    Signed,
    above_line,
    addends,
    factors_of,
    leaves,
    over_and_under,
    summands,
)
from symgrad.graph.spans import Spans, line_of, moved
from symgrad.graph.walk import (
    Users,
    consumers,
    depends,
    dimensions,
    having,
    nearby,
    rebuild,
    remembered,
    topological,
    unchanged,
)

__all__ = [
    "SUMS",
    "Graph",
    "Node",
    "Signed",
    "Spans",
    "Users",
    "above_line",
    "addends",
    "consumers",
    "depends",
    "dimensions",
    "factors_of",
    "from_graphml",
    "from_json",
    "having",
    "intern",
    "leaves",
    "line_of",
    "moved",
    "nearby",
    "over_and_under",
    "rebuild",
    "remembered",
    "summands",
    "to_graphml",
    "to_json",
    "topological",
    "unchanged",
    "uncollected",
]
