"""Cards: every node with its output stub and labels as one box, so that nothing can overlap.

A card's origin is the centre of its gate on the wire. The layout only knows its four extents.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from symgrad.diagram import measure
from symgrad.diagram.digits import Decimals, constant
from symgrad.diagram.from_graph import Array, DrawEdge, DrawNode
from symgrad.diagram.measure import Outline
from symgrad.diagram.scene import Box, Item, Label, Path, extent, tagged
from symgrad.diagram.style import BRANCH, DIGIT, GAP, GATE, LEAF, LINE, NAME, NUMBER, PAD, SYMBOL
from symgrad.formula.names import escape, latex_name

# Words share a baseline, whatever their letters; other symbols are centred by their ink.
WORD = re.compile(r"\\mathrm\{\w+\}|\\(?!times|sigma|top|wedge|otimes|div)[a-z]{2,}")
WORD_AXIS = 0.27
DASH = (4.0, 4.0)  # of wires without a gradient


@dataclass(frozen=True, slots=True)
class Block:
    """Hold items in a box of their own, the origin at its upper left corner."""

    items: tuple[Item, ...]
    width: float
    height: float

    def at(self, x: float, y: float) -> tuple[Item, ...]:
        """Place the upper left corner at (x, y)."""
        return tuple(item.moved(x, y) for item in self.items)


@dataclass(frozen=True, slots=True)
class Card:
    """Hold a box of the layout: a node, a tap on a branch, or a bend of a long edge.

    `node` and `edge` are ids of the drawing or -1; `face` is the distance from the origin to the
    gate's rim (0 without a gate).
    """

    id: int
    items: tuple[Item, ...]
    left: float
    right: float
    up: float
    down: float
    node: int = -1
    edge: int = -1
    face: float = 0.0

    @property
    def width(self) -> float:
        """Give the width of the box."""
        return self.left + self.right


class Annotator(Protocol):
    """Turn numbers into blocks: printed numbers in the scalar view, small matrices in another."""

    def value(self, node: DrawNode) -> Block | None:
        """Show what stands above the stub."""

    def gradient(self, node: DrawNode) -> Block | None:
        """Show what stands below the stub."""

    def branch(self, edge: DrawEdge) -> Block | None:
        """Show the contribution of one branch of a fan-out."""

    def stroke(self, grad: Array | None) -> tuple[str, float]:
        """Choose the colour and width of a wire by the gradient that it carries."""

    @property
    def stub(self) -> float:
        """Give the least length of a stub."""


class Numbers:
    """Print scalar values and gradients."""

    def __init__(self, decimals: Decimals, marks: bool, arrays: Sequence[Array] = ()) -> None:
        self.decimals, self.marks = decimals, marks
        widths = [measure.decimal(decimals.latex(float(a.ravel()[0]))).width for a in arrays]
        # One stub length for the figure, unless a power of ten needs more.
        usual = sorted(widths)[len(widths) * 9 // 10] if widths else 0.6
        self.stub = usual * NUMBER + 2 * PAD

    def value(self, node: DrawNode) -> Block | None:
        """Print the forward value."""
        return None if node.value is None else self.block(node.value, "value", NUMBER)

    def gradient(self, node: DrawNode) -> Block | None:
        """Print the gradient."""
        return None if node.grad is None else self.block(node.grad, "gradient", NUMBER)

    def branch(self, edge: DrawEdge) -> Block | None:
        """Print the contribution of a branch, smaller."""
        return None if edge.grad is None else self.block(edge.grad, "gradient", BRANCH)

    def stroke(self, grad: Array | None) -> tuple[str, float]:
        """Draw all wires alike."""
        return "edge", LINE

    def block(self, array: Array, role: str, size: float) -> Block:
        """Print one number; a NaN or an infinity takes the warning colour."""
        number = float(array.ravel()[0])
        latex = self.decimals.latex(number) if array.dtype.kind == "f" else constant(int(number))
        if self.marks and role == "gradient":
            latex = r"{\leftarrow}\," + latex
        colour = role if number - number == 0 else "warning"
        return text_block(measure.decimal(latex), role, size, colour)


def text_block(outline: Outline, role: str, size: float, colour: str) -> Block:
    """Make a block of one label; digits of all labels share their baseline."""
    top = max(DIGIT, -outline.top) * size
    below = max(0.0, outline.bottom - 0.03) * size
    label = Label(role, outline, -outline.left * size, top, size, colour)
    return Block((label,), outline.width * size, top + below)


def node_card(
    number: int, node: DrawNode, annotator: Annotator, pruned: bool, titled: bool
) -> Card:
    """Build the card of a node: gate or leaf, stub, value above and gradient below.

    `titled` puts the user's name above a gate; an output has it at the tip of its arrow.
    """
    items = gate_items(node, titled, pruned)
    face = items[0].extent()[2]
    value, grad = annotator.value(node), annotator.gradient(node)
    shown = [b for b in (value, grad) if b is not None]
    length = max([annotator.stub, *(b.width + 2 * PAD for b in shown)])
    right = face + length
    middle = face + length / 2
    if value is not None:
        items += tagged(value.at(middle - value.width / 2, -GAP - value.height), "value")
    if grad is not None:
        items += tagged(grad.at(middle - grad.width / 2, GAP), "gradient")
    items += (wire(face, right, *annotator.stroke(node.grad), pruned),)
    left, top, _, bottom = extent(items)
    return Card(number, items, -left, right, -top, bottom, node=node.id, face=face)


def tap_card(number: int, edge: DrawEdge, annotator: Annotator) -> Card:
    """Build the card of a branch: a piece of wire with its contribution below."""
    block = annotator.branch(edge)
    if block is None:
        return bend_card(number, edge)
    half = block.width / 2 + PAD / 2
    items = tagged(block.at(-block.width / 2, GAP - 1), "gradient")
    return Card(number, items, half, half, 6.0, GAP + block.height, edge=edge.id)


def bend_card(number: int, edge: DrawEdge) -> Card:
    """Build the card that keeps a place for a long edge among the nodes it passes."""
    return Card(number, (), 4.0, 4.0, 5.0, 5.0, edge=edge.id)


def wire(start: float, end: float, colour: str, width: float, pruned: bool) -> Path:
    """Draw the stub; dashed and grey where no gradient flows."""
    dash = DASH if pruned else ()
    line = (("M", (start, 0.0)), ("L", (end, 0.0)))
    return Path("stub", line, "pruned" if pruned else colour, "", LINE if pruned else width, dash)


def gate_items(node: DrawNode, titled: bool, pruned: bool = False) -> tuple[Item, ...]:
    """Draw the shape of a node around its origin, its symbol, and the name above the gate.

    A gate through which no gradient flows, `pruned`, has a thin grey outline.
    """
    if node.kind == "gate":
        symbol = measure.math(node.symbol)
        above = (_above(node.name),) if node.name and titled else ()
        axis = WORD_AXIS if WORD.fullmatch(node.symbol) else None
        return (_gate(symbol, pruned), _centred(symbol, "symbol", SYMBOL, "text", axis), *above)
    if node.kind == "constant":
        symbol = measure.math(node.symbol)
        width = max(30.0, symbol.width * NUMBER + 14)
        box = _leaf("constant", width, 30.0, 15.0)
        return (box, _centred(symbol, "symbol", NUMBER, "text"))
    name = name_outline(node.name)
    box = _leaf(node.kind, max(LEAF + 4, name.width * SYMBOL + 20), LEAF, 8.0)
    return (box, _centred(name, "symbol", SYMBOL, "text", axis=0.23))


def name_outline(name: str) -> Outline:
    """Typeset a user's name; what is no identifier is set as it stands, letter by letter."""
    shown = measure.shorten(name)
    if not shown.rstrip("…").isidentifier():
        return measure.plain(shown)
    return measure.math(latex_name(name) if shown == name else rf"\mathrm{{{escape(shown)}}}")


def _gate(symbol: Outline, pruned: bool) -> Box:
    wide = symbol.width * SYMBOL + 20
    width = GATE if wide <= GATE else wide + 4
    colour, line = ("pruned", LINE - 0.4) if pruned else ("gate.line", LINE + 0.2)
    return Box("gate", -width / 2, -GATE / 2, width, GATE, GATE / 2, "gate.fill", colour, line)


def _leaf(kind: str, width: float, height: float, radius: float) -> Box:
    fill, line = f"{kind}.fill", f"{kind}.line"
    return Box(kind, -width / 2, -height / 2, width, height, radius, fill, line, LINE)


def _centred(
    outline: Outline, role: str, size: float, colour: str, axis: float | None = None
) -> Label:
    """Centre a symbol on the wire: by its ink, or by the height of an axis for letters."""
    x = -(outline.left + outline.right) / 2 * size
    lift = -(outline.top + outline.bottom) / 2 if axis is None else axis
    return Label(role, outline, x, lift * size, size, colour)


def _above(name: str) -> Label:
    outline = name_outline(name)
    x = -(outline.left + outline.right) / 2 * NAME
    y = -GATE / 2 - 9 - max(0.0, outline.bottom) * NAME
    return Label("name", outline, x, y, NAME, "muted")
