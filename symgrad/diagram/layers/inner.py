"""Draw a layer gate by gate, in a frame among the cards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgrad.diagram import measure
from symgrad.diagram.cards import Annotator, Block, Numbers, text_block
from symgrad.diagram.compose import Options, compose
from symgrad.diagram.from_graph import Array, DrawEdge, DrawNode, Result, draw
from symgrad.diagram.layers.card import HEAD, INSIDE, Tile
from symgrad.diagram.layers.find import Unit
from symgrad.diagram.layers.flow import Flow
from symgrad.diagram.layers.print import Grades, Printer
from symgrad.diagram.layers.says import side
from symgrad.diagram.scene import Box, Group, Item, Label, Path, extent
from symgrad.diagram.style import LINE
from symgrad.diagram.tensor import Matrices, rms
from symgrad.graph import Graph, Node, intern

EM = 20.0  # em of shapes and gradients
SMALL = 4  # rows and columns up to which arrays are printed
LEFT = 10.0  # more room at the left, where the wire comes in


@dataclass(frozen=True, slots=True)
class Numbered:
    """Hold the numbers of a cut-out piece of a graph."""

    values: Mapping[Node, Any]
    grads: Mapping[Node, Any]
    contributions: Mapping[tuple[Node, int], Any]
    local: Mapping[tuple[Node, int], Any]


class Moved(Mapping[tuple[Node, int], Any]):
    """Look local derivatives up by the nodes of the piece; they are computed when asked for."""

    def __init__(self, origin: Mapping[Node, Node], local: Mapping[tuple[Node, int], Any]) -> None:
        self.origin, self.local = origin, local

    def __getitem__(self, key: tuple[Node, int]) -> Any:
        return self.local[self.origin[key[0]], key[1]]

    def __iter__(self) -> Iterator[tuple[Node, int]]:
        back = {old: new for new, old in self.origin.items()}
        return ((back[node], k) for node, k in self.local if node in back)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Shapes:
    """Show shapes and the size of gradients on the wires, as between cards."""

    stub = 46.0

    def __init__(self, printer: Printer, grades: Grades) -> None:
        self.printer, self.grades = printer, grades

    def value(self, node: DrawNode) -> Block | None:
        """Show the shape; the value of a single number."""
        if node.shape:
            shape = node.shape if node.value is None else node.value.shape
            latex = r"{\times}".join(side(d) for d in shape)
        elif node.value is not None:
            latex = self.printer.value(float(node.value))
        else:
            return None
        return text_block(measure.math(latex), "value", EM, "value")

    def gradient(self, node: DrawNode) -> Block | None:
        """Show the root mean square of the gradient."""
        return self._size(node.grad, EM)

    def branch(self, edge: DrawEdge) -> Block | None:
        """Show that of one branch, smaller."""
        return self._size(edge.grad, EM - 2)

    def _size(self, grad: Array | None, em: float) -> Block | None:
        if grad is None:
            return None
        size = rms(grad)
        colour = "gradient" if size - size == 0 else "warning"
        return text_block(measure.math(self.printer.size(size)), "gradient", em, colour)

    def stroke(self, grad: Array | None) -> tuple[str, float]:
        """Grade the wire."""
        return self.grades.stroke(None if grad is None else rms(grad))


def cut(flow: Flow, unit: Unit, result: Result | None) -> tuple[Graph, Numbered | None]:
    """Make a graph of one unit; what it reads becomes inputs that carry the names of the values."""
    values: dict[Node, Any] = {}
    grads: dict[Node, Any] = {}
    shares: dict[tuple[Node, int], Any] = {}
    image: dict[Node, Node] = {}
    inside = dict.fromkeys(unit.nodes)
    names: dict[str, Node] = {}
    for node in unit.nodes:
        for operand in node.args:
            if operand not in inside and operand not in image:
                image[operand] = _leaf(flow, operand, names)
        image[node] = intern(
            node.op, tuple(image[a] for a in node.args), node.attrs, node.shape, node.dtype
        )
        name = flow.graph.name(node)
        if name:
            names[name] = image[node]
    graph = Graph.of([image[unit.exit]], names=names, dims=flow.graph.dims)
    if result is None:
        return graph, None
    for old, new in image.items():
        if old in result.values:
            values[new] = result.values[old]
        if old in result.grads and old in inside:
            grads[new] = result.grads[old]
    for node in unit.nodes:
        for k, operand in enumerate(node.args):
            share = result.contributions.get((node, k))
            if share is None or operand not in result.grads:
                continue
            shares[image[node], k] = share
            if operand not in inside:
                new = image[operand]
                grads[new] = grads[new] + np.asarray(share) if new in grads else np.asarray(share)
    origin = {image[node]: node for node in unit.nodes}
    return graph, Numbered(values, grads, shares, Moved(origin, result.local))


def _leaf(flow: Flow, node: Node, names: dict[str, Node]) -> Node:
    """Make an input of a value that comes from elsewhere."""
    if not node.args:
        return node
    name = flow.graph.name(node) or "input"
    taken = [n for n in names if n == name or n.rstrip("_") == name]
    attrs = {"name": name + "_" * len(taken), "kind": "real"}
    leaf = intern("input", (), attrs, node.shape, node.dtype)
    names[str(attrs["name"])] = leaf
    return leaf


def inner_tile(
    flow: Flow, unit: Unit, result: Result | None, options: Options, style: tuple[Printer, Grades]
) -> Tile:
    """Draw the gates of a unit in a frame; its wire runs on the level of the last gate.

    Arrays of few entries are printed, of others the shape and the size of the gradient.
    """
    graph, numbers = cut(flow, unit, result)
    drawing = draw(graph, numbers)
    decimals = style[0].decimals
    annotator: Annotator
    if not any(n.shape for n in drawing.nodes):
        annotator = Numbers(decimals, options.theme.marks, drawing.arrays())
    elif numbers is not None and all(max(a.shape, default=1) <= SMALL for a in drawing.arrays()):
        annotator = Matrices(decimals, options.theme, drawing)
    else:
        annotator = Shapes(*style)
    scene = compose(drawing, annotator, Options(options.theme, engine=options.engine))
    box = extent(item for group in scene.groups for item in group.items)
    level = _level(scene.groups)
    dx, dy = INSIDE + LEFT - box[0], -level
    groups = tuple(
        replace(g, items=tuple(item.moved(dx, dy) for item in g.items)) for g in scene.groups
    )
    width = box[2] - box[0] + 2 * INSIDE + LEFT
    up, down = level - box[1] + 2 * INSIDE + HEAD, box[3] - level + INSIDE
    title = measure.plain(unit.title or "operations")
    label = Label("title", title, INSIDE, INSIDE + HEAD * 0.8 - up, HEAD, "text")
    frame = Box("block", 0.0, -up, width, up + down, 14.0, "background", "constant.line", LINE)
    items: tuple[Item, ...] = (frame, label)
    wide = max(width, title.width * HEAD + 2 * INSIDE)
    items = (replace(frame, width=wide), label)
    return Tile(items, wide, up, down, up, inner=groups)


def _level(groups: tuple[Group, ...]) -> float:
    """Find the height at which the output leaves."""
    for group in groups:
        if group.role == "output":
            for item in group.items:
                if isinstance(item, Path):
                    return item.commands[0][1][1]
    return 0.0
