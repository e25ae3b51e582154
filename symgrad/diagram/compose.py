"""Compose the scene: choose the cards, let them be laid out, and draw them with their edges."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from symgrad.diagram import cards as make
from symgrad.diagram import measure
from symgrad.diagram.balance import Placed, balance
from symgrad.diagram.callouts import Remarks, annotated, note_block, thinned
from symgrad.diagram.cards import Annotator, Block, Card
from symgrad.diagram.from_graph import Array, DrawEdge, Drawing, DrawNode
from symgrad.diagram.layout import Ranked, arrange
from symgrad.diagram.operands import marked, ordered
from symgrad.diagram.order import Link
from symgrad.diagram.remarks import find
from symgrad.diagram.route import aim, arrowhead, entry, trace
from symgrad.diagram.scene import Group, Item, Label, Path, Point, Scene, extent
from symgrad.diagram.style import LINE, MARGIN, NUMBER, TITLE, Theme
from symgrad.errors import LimitError

MOST_NODES = 1000
MOST_BOXES = 2500  # with the bends of long edges
FREE_ARROW = 26.0  # the output's arrow
NARROW = 420.0  # width that a legend may take under any figure
Legend = Callable[[float], Block | None]
CardMaker = Callable[[int, DrawNode, Annotator, bool, bool], Card]
WRITTEN = 1024  # entries of an array that a data attribute spells out


@dataclass(frozen=True, slots=True)
class Options:
    """Say how to draw: what does not depend on the numbers.

    `remarks` names what is pointed out ("patterns", "zeros", "signs", "all"); with `align` "left",
    all inputs and parameters stand in the first column; `tight` narrows the gaps between columns.
    """

    theme: Theme
    title: str = ""
    engine: str = "auto"
    description: str = ""
    remarks: tuple[str, ...] = ()
    align: str = "compact"
    tight: bool = False


def compose(
    drawing: Drawing,
    annotator: Annotator,
    options: Options,
    legend: Legend | None = None,
    card: CardMaker = make.node_card,
) -> Scene:
    """Lay a drawing out and draw it; `card` builds the card of a node.

    `legend` makes the legend for the width of the figure.
    """
    if len(drawing.nodes) > MOST_NODES:
        raise LimitError(
            f"a diagram of {len(drawing.nodes)} nodes is larger than the limit of {MOST_NODES}",
            hint="draw a part of it, or use renderer='graphviz'",
        )
    remarks = find(drawing, options.remarks)
    boxes = [_card(node, drawing, annotator, card, remarks) for node in drawing.nodes]
    ranked = _rank(drawing, annotator, options, boxes)
    sources = {edge.id: edge.source for edge in drawing.edges}
    placed = balance(ranked, sources, options.tight)
    edges = _edge_groups(drawing, ranked, placed, annotator, remarks)
    outputs = _output_groups(drawing, ranked, placed, annotator)
    stubs = _stubs(drawing, ranked, placed)
    nodes = [_node_group(n, ranked.cards[n.id], placed, stubs[n.id]) for n in drawing.nodes]
    groups = [*marked(edges, nodes, drawing), *outputs, *nodes]
    return _framed(groups, options, ranked.engine, legend, remarks.notes)


def _card(
    node: DrawNode, drawing: Drawing, annotator: Annotator, card: CardMaker, remarks: Remarks
) -> Card:
    pruned = drawing.numbers and node.grad is None
    made = card(node.id, node, annotator, pruned, node.id not in drawing.outputs)
    return annotated(made, node, remarks)


def _rank(
    drawing: Drawing, annotator: Annotator, options: Options, nodes: Sequence[Card]
) -> Ranked:
    edges, boxes = drawing.edges, list(nodes)
    links = []
    for edge in edges:
        tail = edge.source
        if edge.forked:
            tap = make.tap_card(len(boxes), edge, annotator)
            boxes.append(tap)
            links.append(Link(tail, tap.id, edge.id))
            tail = tap.id
        fixed = ordered(drawing.nodes[edge.target].op)
        links.append(Link(tail, edge.target, edge.id, edge.operand, fixed))

    def bend(number: int, edge: int) -> Card:
        if number > MOST_BOXES:
            raise LimitError(
                f"the long edges of this diagram need more than {MOST_BOXES} boxes",
                hint="draw a part of it, or use renderer='graphviz'",
            )
        return make.bend_card(number, edges[edge])

    first = [
        node.id
        for node in drawing.nodes
        if options.align == "left" and node.kind in ("input", "parameter")
    ]
    return arrange(boxes, links, bend, options.engine, first)


def _edge_groups(
    drawing: Drawing,
    ranked: Ranked,
    placed: Placed,
    annotator: Annotator,
    remarks: Remarks,
) -> list[Group]:
    chains: dict[int, list[Link]] = {edge.id: [] for edge in drawing.edges}
    arrivals: dict[int, list[Link]] = {}
    for link in ranked.links:
        chains[link.edge].append(link)
        if ranked.cards[link.head].node >= 0:
            arrivals.setdefault(link.head, []).append(link)
    stubs = _stubs(drawing, ranked, placed)
    ends: dict[int, tuple[Point, Point]] = {}
    for target, links in arrivals.items():
        card, at = ranked.cards[target], (placed.x[target], placed.y[target])
        starts = [(placed.column[k.tail][1], placed.y[k.tail]) for k in links]
        for link, angle, start in zip(links, aim(card, at, starts), starts, strict=True):
            ends[link.edge] = entry(card, at, angle, start)
    groups = []
    for edge in drawing.edges:
        chain, stroke = chains[edge.id], annotator.stroke(edge.grad)
        arrival, stub = ends[edge.id], stubs[edge.source]
        items: tuple[Item, ...] = trace(chain, placed, arrival, stroke, stub)
        if drawing.numbers and edge.grad is None:
            items = tuple(_faded(item) for item in items)
        elif edge.id in remarks.still_edges:
            items = tuple(thinned(item) for item in items)
        for link in chain:
            card = ranked.cards[link.head]
            if card.node < 0:
                place = placed.x[card.id], placed.y[card.id]
                items += tuple(item.moved(*place) for item in card.items)
        groups.append(_edge_group(edge, drawing, items))
    return groups


def _stubs(drawing: Drawing, ranked: Ranked, placed: Placed) -> dict[int, float]:
    """Find where each stub ends: a stub that branches reaches to the side of its column."""
    fans: dict[int, int] = {}
    for edge in drawing.edges:
        fans[edge.source] = fans.get(edge.source, 0) + 1
    return {
        n.id: placed.column[n.id][1]
        if fans.get(n.id, 0) > 1
        else placed.x[n.id] + ranked.cards[n.id].right
        for n in drawing.nodes
    }


def _faded(item: Item) -> Item:
    if not isinstance(item, Path):
        return item
    if item.fill:
        return replace(item, fill="pruned")
    return replace(item, stroke="pruned", width=LINE, dash=make.DASH)


def _edge_group(edge: DrawEdge, drawing: Drawing, items: tuple[Item, ...]) -> Group:
    source, target = drawing.nodes[edge.source], drawing.nodes[edge.target]
    data = [("from", source.key), ("to", target.key), ("operand", str(edge.operand))]
    data += numbers(edge.value, edge.grad)
    label = f"edge from {_told(source)} to {_told(target)}"
    return Group(f"e{edge.id}", "edge", label, items, tuple(data))


def _output_groups(
    drawing: Drawing, ranked: Ranked, placed: Placed, annotator: Annotator
) -> list[Group]:
    """Draw the free arrow behind each output, with the output's name at its tip."""
    groups = []
    for number in drawing.outputs:
        node, card = drawing.nodes[number], ranked.cards[number]
        x, y = placed.x[number] + card.right, placed.y[number]
        tip = (max(placed.column[number][1], x) + FREE_ARROW, y)
        colour, width = annotator.stroke(node.grad)
        line = Path("edge", (("M", (x, y)), ("L", (tip[0] - 8, y))), colour, "", width)
        head = arrowhead(tip, (1.0, 0.0), colour, 1 + (width - LINE) / 5)
        items: tuple[Item, ...] = (line, head)
        if drawing.numbers and node.grad is None:
            items = tuple(_faded(item) for item in items)
        if node.name and node.kind == "gate":
            name = make.name_outline(node.name)
            place = tip[0] + 8 - name.left * NUMBER, y + 0.22 * NUMBER
            items += (Label("name", name, *place, NUMBER, "text"),)
        data = (("output", node.key), *numbers(node.value, node.grad))
        groups.append(Group(f"o{number}", "output", f"output {_told(node)}", items, data))
    return groups


def _node_group(node: DrawNode, card: Card, placed: Placed, stub: float) -> Group:
    x, y = placed.x[card.id], placed.y[card.id]
    items = tuple(_stretched(item, card, stub - x).moved(x, y) for item in card.items)
    data = [("node", node.key), ("op", node.op)]
    if node.shape:
        data.append(("shape", " ".join(str(d) for d in node.shape)))
    data += numbers(node.value, node.grad)
    label = _spoken(node)
    for word, key in (("value", "value"), ("gradient", "grad")):
        number = dict(data).get(key, "")
        label += f", {word} {number}" if number and len(number) < 40 else ""
    return Group(f"n{node.id}", "node", label, items, tuple(data))


def _spoken(node: DrawNode) -> str:
    """Say in plain words what a node is."""
    if node.kind != "gate":
        return f"{node.kind} {node.key}"
    name = node.name or node.letter
    return f"gate {node.spoken or node.op}" + (f", named {name}" if name else "")


def _told(node: DrawNode) -> str:
    return node.name or node.letter or node.key


def _stretched(item: Item, card: Card, end: float) -> Item:
    """Draw the stub as long as the layout made it."""
    if not isinstance(item, Path) or item.role != "stub":
        return item
    return replace(item, commands=(("M", (card.face, 0.0)), ("L", (end, 0.0))))


def numbers(value: Array | None, grad: Array | None) -> list[tuple[str, str]]:
    """Spell a value and a gradient at full precision, as machines read them."""
    pairs = (("value", value), ("grad", grad))
    return [(key, spell(array)) for key, array in pairs if array is not None]


def spell(array: Array) -> str:
    """Write an array as JSON at full precision; a large one as its shape and range.

    >>> import numpy as np
    >>> spell(np.float64(0.1)), spell(np.array([[1.0, 2.0]]))
    ('0.1', '[[1.0, 2.0]]')
    """
    if array.size > WRITTEN:
        low, mean, high = float(array.min()), float(array.mean()), float(array.max())
        shape = "x".join(str(n) for n in array.shape)
        return f"shape {shape}, min {low!r}, mean {mean!r}, max {high!r}"
    if not array.shape:
        return repr(array.item())
    return json.dumps(array.tolist())


def _framed(
    groups: Sequence[Group],
    options: Options,
    engine: str,
    legend: Legend | None,
    notes: Sequence[str],
) -> Scene:
    """Add title, notes and legend, and move everything into the picture."""
    left, top, right, bottom = extent(item for group in groups for item in group.items)
    extra = []
    if options.title:
        outline = measure.plain(options.title)
        size = TITLE * 0.86
        place = left - outline.left * size, top - 22.0
        title = Label("title", outline, *place, size, "text")
        extra.append(Group("title", "title", options.title, (title,)))
    if notes:
        block = note_block(notes, right - left)
        extra.append(Group("notes", "notes", " ".join(notes), block.at(left, bottom + 24.0)))
        bottom += 24.0 + block.height
    keys = legend(max(right - left, NARROW)) if legend is not None else None
    if keys is not None:
        extra.append(Group("legend", "legend", "legend", keys.at(left, bottom + 24.0)))
    everything = [*extra, *groups]
    left, top, right, bottom = extent(item for group in everything for item in group.items)
    dx, dy = MARGIN - left, MARGIN - top
    moved = tuple(
        replace(g, items=tuple(item.moved(dx, dy) for item in g.items)) for g in everything
    )
    return Scene(
        float(ceil(right - left + 2 * MARGIN)),
        float(ceil(bottom - top + 2 * MARGIN)),
        options.theme,
        moved,
        options.title,
        options.description,
        engine,
    )
