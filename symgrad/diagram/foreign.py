"""Graphviz's own drawing as a scene, so that PNG and PDF of it need no fonts and no `dot`."""

import json
from collections.abc import Iterator
from typing import Any

from symgrad.diagram import measure
from symgrad.diagram.scene import Command, Group, Item, Label, Path, Point, Scene
from symgrad.diagram.style import MARGIN, Theme

FACE = 0.9  # our sans-serif face is that much wider than the one Graphviz reckons with


def foreign_scene(output: bytes, theme: Theme, title: str, engine: str) -> Scene:
    """Translate Graphviz's JSON with its drawing operations into a scene."""
    drawn: dict[str, Any] = json.loads(output)
    left, bottom, right, top = (float(v) for v in drawn["bb"].split(","))
    groups = [Group("title", "title", title, _items(drawn, theme))] if title else []
    for number, edge in enumerate(drawn.get("edges", ())):
        label = f"edge from {edge['tail']} to {edge['head']}"
        groups.append(Group(f"e{number}", "edge", label, _items(edge, theme)))
    for node in drawn.get("objects", ()):
        if "_draw_" in node or "_ldraw_" in node:
            groups.append(Group(f"n{node['name']}", "node", node["name"], _items(node, theme)))
    moved = tuple(
        Group(g.id, g.role, g.label, tuple(i.moved(MARGIN - left, MARGIN + top) for i in g.items))
        for g in groups
    )
    width, height = right - left + 2 * MARGIN, top - bottom + 2 * MARGIN
    return Scene(width, height, theme, moved, title, "", engine)


def _items(thing: dict[str, Any], theme: Theme) -> tuple[Item, ...]:
    """Run the drawing operations of a node or an edge; y points upwards there."""
    items: list[Item] = []
    stroke, fill, size = "text", "", 14.0
    dash: tuple[float, ...] = ()
    for part in ("_draw_", "_hdraw_", "_ldraw_"):
        for op in thing.get(part, ()):
            kind = op["op"]
            if kind == "c":
                stroke = _colour(op, theme)
            elif kind == "C":
                fill = _colour(op, theme)
            elif kind == "F":
                size = float(op["size"]) * FACE
            elif kind == "S":
                dash = (4.0, 4.0) if op["style"] == "dashed" else dash if "(" in op["style"] else ()
            elif kind == "T":
                items.append(_text(op, size, stroke))
            elif kind in "eE":
                items.append(_ellipse(op, stroke, fill if kind == "E" else ""))
            elif kind in "bBpPL":
                items.append(_path(op, stroke, fill if kind in "BP" else "", dash))
    return tuple(items)


def _colour(op: dict[str, Any], theme: Theme) -> str:
    colour = str(op.get("color", ""))
    if colour.startswith("#") and len(colour) in (7, 9):
        return "" if colour[7:] == "00" else colour[:7].upper()
    return theme.colour("text")


def _text(op: dict[str, Any], size: float, colour: str) -> Label:
    # Graphviz escapes backslashes once more than JSON asks for.
    text = str(op["text"]).replace("\\\\", "\\")
    outline = measure.plain(text)
    width = (outline.left + outline.right) * size
    x = float(op["pt"][0]) - {"c": width / 2, "r": width}.get(op["align"], 0.0)
    return Label("label", outline, x, -float(op["pt"][1]), size, colour)


def _ellipse(op: dict[str, Any], stroke: str, fill: str) -> Path:
    x, y, a, b = (float(v) for v in op["rect"])
    y, k = -y, 0.5523  # distance of the control points of a quarter of a circle
    commands: tuple[Command, ...] = (
        ("M", (x + a, y)),
        ("C", (x + a, y + k * b, x + k * a, y + b, x, y + b)),
        ("C", (x - k * a, y + b, x - a, y + k * b, x - a, y)),
        ("C", (x - a, y - k * b, x - k * a, y - b, x, y - b)),
        ("C", (x + k * a, y - b, x + a, y - k * b, x + a, y)),
        ("Z", ()),
    )
    return Path("gate", commands, stroke, fill, 1.4)


def _path(op: dict[str, Any], stroke: str, fill: str, dash: tuple[float, ...]) -> Path:
    points = [(float(x), -float(y)) for x, y in op["points"]]
    commands: list[Command] = [("M", points[0])]
    if op["op"] in "bB":
        commands += [("C", (*a, *b, *c)) for a, b, c in _triples(points)]
    else:
        commands += [("L", point) for point in points[1:]]
    if op["op"] in "pPB":
        commands.append(("Z", ()))
    return Path("line", tuple(commands), stroke, fill, 1.4, dash)


def _triples(points: list[Point]) -> Iterator[tuple[Point, Point, Point]]:
    """Yield the two control points and the end of each Bézier curve behind the first point."""
    return zip(points[1::3], points[2::3], points[3::3], strict=True)
