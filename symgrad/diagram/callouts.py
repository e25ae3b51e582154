"""Call-outs: short texts under the boxes of a drawing, marks on zero gradients, and the notes.

A call-out is a part of its node's card, so the layout keeps room for it. What is still (its
gradient is exactly 0) has thin grey wires and a frame around its gradient.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from symgrad.diagram import measure
from symgrad.diagram.cards import Block, Card
from symgrad.diagram.from_graph import DrawEdge, Drawing, DrawNode
from symgrad.diagram.scene import Box, Item, Label, Path, extent, tagged
from symgrad.diagram.style import LINE

SMALL = 14.0  # em of a call-out
NOTE = 15.0  # em of a note
LEADING = 1.3  # from line to line, in em
NARROW = 136.0  # pixels of a call-out's line, about a gate and its stub
INSET = 14.0  # from the left end of the box, clear of edges that come in from below
THIN = 1.1  # width of a wire without a gradient
HAIR = 1.2  # width of the frame around a zero
LEAST = 460.0  # pixels of the band of notes, even below a narrow diagram
SHORT = 16  # characters of a name in a call-out


@dataclass(frozen=True, slots=True)
class Remarks:
    """Hold what is pointed out: texts below nodes, what is still, and the notes."""

    texts: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    still: Mapping[int, None] = field(default_factory=dict)
    still_edges: Mapping[int, None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def merged(parts: Iterable[Remarks]) -> Remarks:
    """Put remarks of several kinds together."""
    texts: dict[int, tuple[str, ...]] = {}
    still: dict[int, None] = {}
    edges: dict[int, None] = {}
    notes: dict[str, None] = {}
    for part in parts:
        for node, lines in part.texts.items():
            texts[node] = texts.get(node, ()) + lines
        still.update(part.still)
        edges.update(part.still_edges)
        notes.update(dict.fromkeys(part.notes))
    return Remarks(texts, still, edges, tuple(notes))


@dataclass(frozen=True, slots=True)
class Wiring:
    """Know the edges at both ends of every node."""

    drawing: Drawing
    into: Mapping[int, tuple[DrawEdge, ...]]
    out: Mapping[int, tuple[DrawEdge, ...]]

    @classmethod
    def of(cls, drawing: Drawing) -> "Wiring":
        """Sort the edges by their ends; those that come in, by operand."""
        into: dict[int, list[DrawEdge]] = {n.id: [] for n in drawing.nodes}
        out: dict[int, list[DrawEdge]] = {n.id: [] for n in drawing.nodes}
        for edge in drawing.edges:
            into[edge.target].append(edge)
            out[edge.source].append(edge)
        return cls(
            drawing,
            {n: tuple(sorted(edges, key=lambda e: e.operand)) for n, edges in into.items()},
            {n: tuple(edges) for n, edges in out.items()},
        )

    def sources(self, node: int) -> tuple[DrawNode, ...]:
        """List the operands that come in on edges."""
        return tuple(self.drawing.nodes[edge.source] for edge in self.into[node])


def short(name: str) -> str:
    """Cut a user's name for a call-out."""
    return measure.shorten(name, SHORT)


def annotated(card: Card, node: DrawNode, remarks: Remarks) -> Card:
    """Add to a card what is pointed out at its node."""
    items = card.items
    if node.id in remarks.still:
        items = tuple(thinned(item) for item in items)
        grads = [item for item in items if item.part == "gradient"]
        if grads:
            left, top, right, bottom = extent(grads)
            box = left - 5, top - 4, right - left + 10, bottom - top + 8
            items += tagged((Box("zero", *box, 4.0, "", "muted", HAIR),), "gradient")
    down = max(card.down, extent(items)[3]) if items else card.down
    right = card.right
    lines = [line for text in remarks.texts.get(node.id, ()) for line in wrapped(text, NARROW)]
    start = extent(items[:1])[0] + INSET
    for line in lines:
        outline = measure.plain(line)
        y = down + 3 + SMALL
        label = Label("remark", outline, start - outline.left * SMALL, y, SMALL, "muted")
        items += tagged((label,), "remark")
        down += SMALL * LEADING
        right = max(right, start + outline.width * SMALL)
    return replace(card, items=items, right=right, down=down + (3 + 4 if lines else 0))


def thinned(item: Item) -> Item:
    """Draw a wire or an arrowhead that carries a zero gradient: thin, grey, not dashed."""
    if not isinstance(item, Path) or item.role not in ("edge", "stub", "arrowhead"):
        return item
    if item.role == "arrowhead":
        return replace(item, fill="pruned")
    return replace(item, stroke="pruned", width=min(THIN, item.width or LINE))


def wrapped(text: str, width: float, size: float = SMALL) -> list[str]:
    """Break a text into lines of at most a width; a longer word is broken where it must be.

    >>> wrapped("nothing flows back from here", 100.0)
    ['nothing flows', 'back from', 'here']
    """
    lines: list[str] = []
    line = ""
    for word in re.split(r"(?<![<>=]) ", text):  # a sign stays with its number
        joined = f"{line} {word}" if line else word
        if not line or _wide(joined, size) <= width:
            line = joined
        else:
            lines.append(line)
            line = word
        while _wide(line, size) > width and len(line) > 1:
            fits = max(1, int(len(line) * width / _wide(line, size)))
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines


def _wide(text: str, size: float) -> float:
    return measure.plain(text).width * size


def note_block(notes: Iterable[str], width: float) -> Block:
    """Set notes as lines below each other, wrapped to a width; each begins with a dot."""
    items: list[Item] = []
    y, indent, width = 0.0, 16.0, max(LEAST, width)
    for note in notes:
        items.append(Box("bullet", 2.0, y + NOTE * 0.62 - 2.0, 4.0, 4.0, 2.0, "muted"))
        for line in wrapped(note, width - indent, NOTE):
            outline = measure.plain(line)
            x = indent - outline.left * NOTE
            items.append(Label("note", outline, x, y + NOTE * 0.9, NOTE, "text"))
            y += NOTE * LEADING
        y += 5.0
    return Block(tuple(items), width, y)
