"""Vectors: which of them a reader expects to see as columns.

A vector is a column where it stands to the right of a matrix or is such a product (y = W x), and
so is every vector of the same length that meets it in an elementwise gate; others are rows.
"""

from symgrad.diagram.from_graph import Drawing
from symgrad.ops import OPS


def columns(drawing: Drawing) -> frozenset[int]:
    """Find the nodes whose vectors stand upright.

    >>> import symgrad as sg
    >>> from symgrad.diagram.from_graph import draw
    >>> sorted(columns(draw(sg.parse("W: real[4, 3]; x: real[3]; b: real[4]; W @ x + b"))))
    [1, 2, 3, 4]
    """
    nodes = drawing.nodes
    neighbours: dict[int, list[int]] = {}
    upright: list[int] = []
    lefts = {e.target: len(nodes[e.source].shape) for e in drawing.edges if e.operand == 0}
    for edge in drawing.edges:
        source, target = nodes[edge.source], nodes[edge.target]
        row = OPS.get(target.op)
        if target.op == "matmul":
            if edge.operand == 0 and len(source.shape) == 2 and len(target.shape) == 1:
                upright.append(target.id)
            if edge.operand == 1 and len(source.shape) == 1 and lefts.get(target.id) == 2:
                upright.append(source.id)
        elif row is not None and row.shape == "elementwise" and source.shape == target.shape:
            neighbours.setdefault(source.id, []).append(target.id)
            neighbours.setdefault(target.id, []).append(source.id)
    found: dict[int, None] = {}
    while upright:
        number = upright.pop()
        if number not in found and len(nodes[number].shape) == 1:
            found[number] = None
            upright += neighbours.get(number, [])
    return frozenset(found)
