"""The tensor view: shapes, small matrices entry by entry, larger ones as heat maps or statistics.

Wires show the strength of gradients; gates that switch entries on and off show their mask.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from math import ceil, floor, inf, log10

import numpy as np

from symgrad.diagram import cards as make
from symgrad.diagram.cards import Annotator, Block, Card, Numbers
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import Array, DrawEdge, Drawing, DrawNode
from symgrad.diagram.scene import Box, Item, extent, tagged
from symgrad.diagram.style import GATE, LINE, PAD, Theme, blend
from symgrad.diagram.tensors.arrays import Arrays
from symgrad.diagram.tensors.cells import ENTRY as ENTRY
from symgrad.diagram.tensors.cells import FRAME, Palette, framed, mask_block, pictured
from symgrad.diagram.tensors.legend import legend_block as legend_block
from symgrad.diagram.tensors.numbers import means, percent
from symgrad.diagram.tensors.numbers import peaks as peaks
from symgrad.diagram.tensors.numbers import rms as rms
from symgrad.diagram.tensors.repeats import Repeat, repeat
from symgrad.diagram.tensors.texts import beside, figures, stacked, words
from symgrad.diagram.tensors.texts import shape_block as shape_block
from symgrad.diagram.tensors.units import Gates
from symgrad.diagram.tensors.vectors import columns
from symgrad.formula.names import latex_name

THIN, THICK = 1.6, 4.6  # pixels of wires with the weakest and the strongest gradient
DECADES = 4  # the strengths that the wires tell apart
MASK = 16  # rows and columns of a gate's mask
MASK_SIDE, MASK_CELL = 48.0, 9.0  # its longer side, and the side of its cells at most
ADDEND = 8.0  # height of a row that is added up
NARROW, SPARE = 64.0, 30.0  # how wide a note may be, and how much wider than its block
ADDENDS = 16  # rows and columns that are shown to be added up


class Matrices:
    """Show arrays as blocks, and the strength of gradients as colour and width of the wires.

    `compose(drawing, matrices, options, legend, matrices.card)` draws the masks of gates, too.
    """

    stub = 46.0

    def __init__(self, decimals: Decimals, theme: Theme, drawing: Drawing) -> None:
        self.decimals, self.theme, self.drawing = decimals, theme, drawing
        self.numbers = Numbers(decimals, theme.marks)
        self.arrays, self.gates = Arrays(decimals, theme), Gates(drawing)
        self.upright = columns(drawing)
        self.leaving: dict[int, list[DrawEdge]] = {}
        for edge in drawing.edges:
            self.leaving.setdefault(edge.source, []).append(edge)
        sizes = [s for s in (self.size(g) for g in self._gradients()) if 0 < s < inf]
        self.high = ceil(log10(max(sizes))) if sizes else 0
        self.low = max(floor(log10(min(sizes))), self.high - DECADES) if sizes else -1
        if self.low == self.high:
            self.low -= 1
        self.graded = bool(sizes)
        self._made = lru_cache(maxsize=None)(self._make)

    @property
    def palette(self) -> Palette:
        """Give the colours of cells."""
        return self.arrays.palette

    def _gradients(self) -> list[Array]:
        found = [n.grad for n in self.drawing.nodes] + [e.grad for e in self.drawing.edges]
        return [g for g in found if g is not None]

    def size(self, grad: Array) -> float:
        """Measure a gradient."""
        return rms(grad)

    def value(self, node: DrawNode) -> Block | None:
        """Show the value under its shape; without numbers, the shape alone."""
        return self._made("value", node.id)

    def gradient(self, node: DrawNode) -> Block | None:
        """Show the gradient; the sum over a broadcast axis with what is added up."""
        return self._made("gradient", node.id)

    def branch(self, edge: DrawEdge) -> Block | None:
        """Show what one branch contributes."""
        return self._made("branch", edge.id)

    def mask(self, node: DrawNode) -> Block | None:
        """Show the local derivative of a gate that passes some entries and blocks the others."""
        return self._made("mask", node.id)

    def _make(self, what: str, number: int) -> Block | None:
        if what == "branch":
            return self._branch(self.drawing.edges[number])
        node = self.drawing.nodes[number]
        return {"value": self._value, "gradient": self._gradient, "mask": self._mask}[what](node)

    def blocks(self) -> Iterable[Block]:
        """List all blocks of the figure, for the legend."""
        nodes, edges = self.drawing.nodes, [e for e in self.drawing.edges if e.forked]
        found = [f(n) for n in nodes for f in (self.value, self.gradient, self.mask)]
        return [b for b in (*found, *(self.branch(e) for e in edges)) if b is not None]

    def _value(self, node: DrawNode) -> Block | None:
        repeated = self._repeat(node)
        note = words(repeated.forward, "muted") if repeated is not None else None
        if node.value is None:
            return beside(shape_block(node.shape), note) if node.shape else note
        if not node.value.shape:
            return stacked(note, self.numbers.value(node))
        units = self.gates.units(node.id)
        block = self.arrays.block(node.value, "value", self._cell(node), self._up(node), units)
        return stacked(beside(shape_block(node.value.shape), note), block)

    def _gradient(self, node: DrawNode) -> Block | None:
        if node.grad is None:
            return None
        block = self._array(node.grad, node, self.numbers.gradient(node))
        edges = [e for e in self.leaving.get(node.id, []) if e.grad is not None]
        return self._summed(block, edges[0]) if len(edges) == 1 else block

    def _branch(self, edge: DrawEdge) -> Block | None:
        if edge.grad is None:
            return None
        node = self.drawing.nodes[edge.source]
        return self._summed(self._array(edge.grad, node, self.numbers.branch(edge)), edge)

    def _array(self, grad: Array, node: DrawNode, number: Block | None) -> Block | None:
        if not grad.shape:
            return number
        return self.arrays.block(grad, "gradient", self._cell(node), self._up(node))

    def _repeat(self, node: DrawNode) -> Repeat | None:
        """Find how a value is broadcast, if it is the same on all its edges."""
        found = [repeat(self.drawing, e) for e in self.leaving.get(node.id, [])]
        return found[0] if found and all(r == found[0] for r in found) else None

    def _summed(self, block: Block | None, edge: DrawEdge) -> Block | None:
        """Say over what a gradient is summed, and show the rows that are added up."""
        repeated = repeat(self.drawing, edge)
        if repeated is None or block is None:
            return block
        note = words(repeated.backward, "gradient", "sum")
        if note.width > max(block.width + SPARE, NARROW):
            note = words(repeated.brief, "gradient", "sum")
        target = self.drawing.nodes[edge.target]
        rows, axes = target.grad, repeated.axes
        addends = rows is not None and rows.ndim == 2 and rows.size and max(rows.shape) <= ADDENDS
        if rows is None or not addends or target.op != "add" or axes != (0,):
            return stacked(block, note)
        width = max(block.width - 2 * FRAME, 9.0 * rows.shape[1])
        picture = pictured(rows, width / rows.shape[1], ADDEND, self.palette)
        return stacked(block, note, framed(picture, "pruned"))

    def _up(self, node: DrawNode) -> bool:
        return node.id in self.upright

    def _cell(self, node: DrawNode) -> float:
        """Give the width of a printed entry, the same for value and gradients."""
        shares = [e.grad for e in self.leaving.get(node.id, []) if e.forked]
        return self.arrays.cell([node.value, node.grad, *shares])

    def _mask(self, node: DrawNode) -> Block | None:
        found = self.gates.mask(node.id)
        if found is None or not found[0].size:
            return None
        mask, owner = found
        if mask.ndim == 1 and mask.size > MASK:
            # A long vector is folded into a square, row by row.
            side = min(MASK, ceil(mask.size**0.5))
            edges = np.linspace(0, mask.size, side * side + 1).astype(int)
            sums = np.concatenate([[0], np.cumsum(mask)])
            shares = (np.diff(sums[edges]) / np.maximum(1, np.diff(edges))).reshape(side, side)
        else:
            grid = mask.reshape((-1, mask.shape[-1]) if self._wide(node) else (-1, 1))
            shares = means(grid, MASK, MASK)[0] if mask.any() else np.zeros((1, 1))
            shares = shares if mask.any() else grid[:MASK, :MASK].astype(float)
        side = min(MASK_CELL, MASK_SIDE / max(shares.shape))
        picture = framed(mask_block(shares, side, side, self.palette, "local"), "local")
        latex = rf"{percent(float(mask.mean()))}\,\%"
        if owner:
            name = words(owner, "local") if owner == "1st" else figures(latex_name(owner), "local")
            line = beside(name, figures(latex, "local"), gap=6.0)
        else:
            line = figures(latex + r"\,\mathrm{pass}", "local")
        return stacked(picture, line, gap=3.0)

    def _wide(self, node: DrawNode) -> bool:
        return node.value is not None and (node.value.ndim > 1 or not self._up(node))

    def card(
        self, number: int, node: DrawNode, annotator: Annotator, pruned: bool, titled: bool
    ) -> Card:
        """Build the card of a node, with its mask under the gate."""
        card = make.node_card(number, node, annotator, pruned, titled)
        mask, gate = self.mask(node), card.items[0]
        if mask is None or not isinstance(gate, Box):
            return card
        # Wires may come in at the left third of the gate, and the gradient stands at its right.
        right = card.face + PAD - 4.0
        x = max(gate.x + GATE / 2 - 4.0, min(-mask.width / 2, right - mask.width))
        items: tuple[Item, ...] = tagged(mask.at(x, GATE / 2 + 7.0), "value")
        everything = (*card.items, *items)
        left, top, _, bottom = extent(everything)
        return replace(card, items=everything, left=-left, up=-top, down=bottom)

    def stroke(self, grad: Array | None) -> tuple[str, float]:
        """Grade the wire by the decimal logarithm of its gradient's root mean square."""
        if grad is None or not self.graded:
            return "edge", LINE
        return self.graded_stroke(self.strength(self.size(grad)))

    def strength(self, size: float) -> float:
        """Give the place of a size on the scale of the wires, from 0 to 1."""
        if not size > 0:
            return 0.0 if size == 0 else 1.0
        return min(1.0, max(0.0, (log10(size) - self.low) / (self.high - self.low)))

    def graded_stroke(self, share: float) -> tuple[str, float]:
        """Give colour and width at a place of the scale."""
        weak, strong = self.theme.colour("weak"), self.theme.colour("gradient")
        return blend(weak, strong, share), THIN + (THICK - THIN) * share
