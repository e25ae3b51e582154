"""Marks at arrowheads, where the operands of a gate do not come in from top to bottom.

A − stands at the subtrahend, a ÷ at the divisor, as at the summing points of a control diagram;
other operators get numbers. A mark takes the first place near its arrowhead that is free.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil, cos, hypot, radians, sin

import numpy as np
from numpy.typing import NDArray

from symgrad.diagram import measure
from symgrad.diagram.from_graph import DrawEdge, Drawing
from symgrad.diagram.order import COMMUTE
from symgrad.diagram.scene import Box, Command, Group, Label, Path, Point, extent, tagged
from symgrad.diagram.style import GATE
from symgrad.ops import OPS

SIZE = 17.0  # em of a mark
WORD = 14.0  # em of a mark that is a word
CLEAR = 4.0  # pixels between a mark and anything else: wires at work are wider
DENSE = 3.0  # pixels between the points that stand for a line

# operator -> operand -> mark
_MARKS: Mapping[str, Mapping[int, str]] = {
    "sub": {1: "-"},
    "div": {1: r"\div"},
    "over": {1: r"\div"},
    "pow": {1: "n"},
    "where": {0: "?", 1: "\N{CHECK MARK}", 2: "\N{MULTIPLICATION X}"},  # asks; if so, if not
}
_WORDS = ("?", "\N{CHECK MARK}", "\N{MULTIPLICATION X}")


def ordered(op: str) -> bool:
    """Say whether the operands of an operator may not change places.

    >>> ordered("sub"), ordered("add")
    (True, False)
    """
    return op in OPS and op not in COMMUTE


def marked(edges: Sequence[Group], others: Sequence[Group], drawing: Drawing) -> list[Group]:
    """Add marks to the groups of the edges; `edges` has one group for each edge of the drawing."""
    found = list(edges)
    wrong = _out_of_order(edges, drawing)
    if not wrong:
        return found
    room = _Room([*edges, *others])
    shapes = {n.id: g.items[0] for n, g in zip(drawing.nodes, others, strict=True)}
    for edge in wrong:
        op = drawing.nodes[edge.target].op
        text = _MARKS[op].get(edge.operand, "") if op in _MARKS else str(edge.operand + 1)
        shape = shapes[edge.target]
        if not text or not isinstance(shape, Box) or shape.role != "gate":
            continue
        word = text in _WORDS
        outline = measure.plain(text) if word else measure.math(text)
        mark = Label("operand", outline, 0.0, 0.0, WORD if word else SIZE, "text")
        group = found[edge.id]
        placed = room.place(mark, group, shape)
        found[edge.id] = replace(group, items=group.items + tagged((placed,), "operand"))
    return found


def _out_of_order(edges: Sequence[Group], drawing: Drawing) -> list[DrawEdge]:
    """List the edges into gates whose operands do not come in from top to bottom."""
    arrivals: dict[int, list[DrawEdge]] = {}
    for edge in drawing.edges:
        arrivals.setdefault(edge.target, []).append(edge)
    wrong = []
    for target, found in arrivals.items():
        heights = [_tip(edges[e.id])[1] for e in sorted(found, key=lambda e: e.operand)]
        if ordered(drawing.nodes[target].op) and heights != sorted(heights):
            wrong += found
    return wrong


def _tip(group: Group) -> Point:
    head = group.items[1]
    assert isinstance(head, Path)
    x, y = head.commands[0][1]
    return x, y


class _Room:
    """Know what stands where, and find free places."""

    def __init__(self, groups: Sequence[Group]) -> None:
        items = [item for group in groups for item in group.items]
        gates = [i for i in items if isinstance(i, Box) and i.role == "gate"]
        solid = [i.extent() for i in items if not isinstance(i, Path) and i not in gates]
        # Gates are round: their rims count, not their corners.
        self.boxes = np.array(solid).reshape(-1, 4)
        lines = [i.commands for i in items if isinstance(i, Path)]
        rims = [_rim(g) for g in gates]
        self.points = np.concatenate([np.zeros((0, 2)), *map(sampled, lines), *rims])

    def place(self, mark: Label, group: Group, gate: Box) -> Label:
        """Put a mark into the first free place at its arrowhead, else where least is in its way."""
        best, least = mark, -1
        left, top, right, bottom = extent((mark,))
        middle = (left + right) / 2, (top + bottom) / 2
        for x, y in _places(group, gate, hypot(right - left, bottom - top) / 2):
            moved = mark.moved(x - middle[0], y - middle[1])
            hits = self._hits(moved)
            if least < 0 or hits < least:
                best, least = moved, hits
            if not hits:
                break
        self.boxes = np.concatenate([self.boxes, [best.extent()]])
        return best

    def _hits(self, mark: Label) -> int:
        left, top, right, bottom = mark.extent()
        left, top, right, bottom = left - CLEAR, top - CLEAR, right + CLEAR, bottom + CLEAR
        a, b, c, d = self.boxes.T
        x, y = self.points.T
        boxes = (a < right) & (left < c) & (b < bottom) & (top < d)
        inside = (left < x) & (x < right) & (top < y) & (y < bottom)
        return 10 * int(boxes.sum()) + int(inside.sum())


def _rim(gate: Box) -> NDArray[np.float64]:
    """Sample the rim of a circle or pill."""
    t = np.linspace(0, 2 * np.pi, 48)
    r = gate.height / 2
    middle = gate.x + gate.width / 2 + np.sign(np.cos(t)) * (gate.width / 2 - r)
    return np.stack([middle + r * np.cos(t), gate.y + r + r * np.sin(t)], axis=1)


def _places(group: Group, gate: Box, reach: float) -> Iterator[Point]:
    """Propose places: beside the arrowhead, on its outer side first, then further back."""
    tip = _tip(group)
    centre = gate.x + GATE / 2, gate.y + gate.height / 2
    u, v = (tip[0] - centre[0]) / (GATE / 2), (tip[1] - centre[1]) / (GATE / 2)
    outer = 1 if v < 0 else -1  # turns towards the vertical
    # Outside of the halo that a gate at work has.
    for distance in (GATE / 2 + reach + d for d in (8.0, 12.0, 18.0)):
        for turn in (26, 32, 38, 46, 54):
            for side in (outer, -outer):
                c, s = cos(radians(turn * side)), sin(radians(turn * side))
                yield centre[0] + distance * (c * u - s * v), centre[1] + distance * (s * u + c * v)
    line = group.items[0]
    assert isinstance(line, Path)
    for x, y in reversed(list(sampled(line.commands))):
        for side in (1, -1):
            for away in (reach + 3.0, reach + 7.0):
                yield x, y + side * away


def sampled(commands: Sequence[Command]) -> NDArray[np.float64]:
    """Sample lines and curves densely, as an array of points.

    >>> len(sampled((("M", (0.0, 0.0)), ("L", (30.0, 0.0)))))
    12
    """
    parts, at = [], np.zeros(2)
    for letter, numbers in commands:
        ends = np.array(numbers).reshape(-1, 2)
        if letter in "LC":
            corners = np.concatenate([[at], ends])
            length = float(np.hypot(*np.diff(corners, axis=0).T).sum())
            t = np.linspace(0, 1, max(2, ceil(length / DENSE) + 2))[:, None]
            parts.append(_curve(t, corners))
        if len(ends):
            at = ends[-1]
    return np.concatenate(parts) if parts else np.zeros((0, 2))


def _curve(t: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    s = 1 - t
    if len(p) == 2:
        return np.asarray(s * p[0] + t * p[1])
    return np.asarray(s**3 * p[0] + 3 * s * s * t * p[1] + 3 * s * t * t * p[2] + t**3 * p[3])
