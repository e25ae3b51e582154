"""The tensor view: shapes, small matrices entry by entry, larger ones as heat maps or ranges."""

from math import ceil, floor, log10

import numpy as np

from symgrad.diagram import measure
from symgrad.diagram.cards import Block, Numbers, text_block
from symgrad.diagram.digits import Decimals, constant
from symgrad.diagram.from_graph import Array, DrawEdge, Drawing, DrawNode
from symgrad.diagram.scene import Box, Item, Label, Path
from symgrad.diagram.style import DIGIT, LINE, Theme, blend, contrast
from symgrad.formula.arrays import size

PRINTED = 4  # rows and columns up to which every entry is printed
PICTURED = 16  # rows and columns up to which every entry is a coloured cell
CELL = 19.0  # height of a printed cell
PIXEL = 9.0  # side of a cell of a heat map
ENTRY = 14.0  # em of a printed entry
SHAPE = 15.0  # em of a shape
FRAME = 1.8
SEAM = 0.4
THIN, THICK = 1.6, 4.6  # pixels of wires with the weakest and the strongest gradient
DECADES = 4  # the strengths that the wires tell apart
LEGEND = 14.0


class Matrices:
    """Show arrays as blocks, and the strength of gradients as colour and width of the wires."""

    stub = 46.0

    def __init__(self, decimals: Decimals, theme: Theme, drawing: Drawing) -> None:
        self.decimals, self.theme = decimals, theme
        self.numbers = Numbers(decimals, theme.marks)
        grads = [n.grad for n in drawing.nodes] + [e.grad for e in drawing.edges]
        sizes = [s for s in (rms(g) for g in grads if g is not None) if 0 < s < float("inf")]
        self.high = ceil(log10(max(sizes))) if sizes else 0
        self.low = max(floor(log10(min(sizes))), self.high - DECADES) if sizes else -1
        if self.low == self.high:
            self.low -= 1
        self.graded = bool(sizes)

    def value(self, node: DrawNode) -> Block | None:
        """Show the value under its shape; without numbers, the shape alone."""
        if node.value is None:
            return shape_block(node.shape) if node.shape else None
        if not node.value.shape:
            return self.numbers.value(node)
        block = self.block(node.value, "value", self.cell(node), inactive=node.op == "relu")
        return stacked(shape_block(node.value.shape), block)

    def gradient(self, node: DrawNode) -> Block | None:
        """Show the gradient."""
        if node.grad is None or not node.grad.shape:
            return self.numbers.gradient(node)
        return self.block(node.grad, "gradient", self.cell(node))

    def branch(self, edge: DrawEdge) -> Block | None:
        """Show what one branch contributes."""
        if edge.grad is None or not edge.grad.shape:
            return self.numbers.branch(edge)
        return self.block(edge.grad, "gradient", self._cell(edge.grad))

    def cell(self, node: DrawNode) -> float:
        """Give the width of a printed entry, the same for value and gradient."""
        return max(self._cell(a) for a in (node.value, node.grad) if a is not None)

    def _cell(self, array: Array) -> float:
        if not array.size or max(np.atleast_2d(array).shape) > PRINTED:
            return 0.0
        widest = max(measure.decimal(self._entry(v, array)).width for v in array.ravel())
        return max(34.0, widest * ENTRY + 9.0)

    def stroke(self, grad: Array | None) -> tuple[str, float]:
        """Grade the wire by the decimal logarithm of its gradient's root mean square."""
        if grad is None or not self.graded:
            return "edge", LINE
        return self.graded_stroke(self.strength(rms(grad)))

    def strength(self, size: float) -> float:
        """Give the place of a size on the scale of the wires, from 0 to 1."""
        if not size > 0:
            return 0.0 if size == 0 else 1.0
        return min(1.0, max(0.0, (log10(size) - self.low) / (self.high - self.low)))

    def graded_stroke(self, share: float) -> tuple[str, float]:
        """Give colour and width at a place of the scale."""
        weak, strong = self.theme.colour("weak"), self.theme.colour("gradient")
        return blend(weak, strong, share), THIN + (THICK - THIN) * share

    def block(self, array: Array, role: str, cell: float, inactive: bool = False) -> Block:
        """Show an array as printed entries, as a heat map, or as its range."""
        grid = np.atleast_2d(array)
        rows, columns = grid.shape[-2:]
        if grid.ndim == 2 and grid.size and max(rows, columns) <= PICTURED:
            small = max(rows, columns) <= PRINTED
            shown = self._printed(grid, cell, inactive) if small else self._pictured(grid, inactive)
            return framed(shown, role)
        return self._range(array, role)

    def _printed(self, grid: Array, width: float, inactive: bool) -> Block:
        outlines = [[measure.decimal(self._entry(v, grid)) for v in row] for row in grid]
        items: list[Item] = []
        for r, row in enumerate(outlines):
            for c, outline in enumerate(row):
                x, y = c * width, r * CELL
                fill, ink, dead = self._shade(grid, r, c, inactive)
                items.append(_cell_box(x, y, width, CELL, fill))
                if dead:
                    items.append(slash(x + 4, y + 3, width - 8, CELL - 6))
                left = x + (width - outline.width * ENTRY) / 2 - outline.left * ENTRY
                baseline = y + (CELL + DIGIT * ENTRY) / 2
                items.append(Label("entry", outline, left, baseline, ENTRY, ink))
        return Block(tuple(items), width * grid.shape[1], CELL * grid.shape[0])

    def _entry(self, value: float, grid: Array) -> str:
        if grid.dtype.kind in "iub":
            return constant(int(value))
        return self.decimals.latex(float(value), tiny=False)

    def _pictured(self, grid: Array, inactive: bool) -> Block:
        rows, columns = grid.shape
        items: list[Item] = []
        for r in range(rows):
            for c in range(columns):
                fill, _, dead = self._shade(grid, r, c, inactive)
                items.append(_cell_box(c * PIXEL, r * PIXEL, PIXEL, PIXEL, fill))
                if dead:
                    items.append(slash(c * PIXEL + 2, r * PIXEL + 2, PIXEL - 4, PIXEL - 4))
        return Block(tuple(items), columns * PIXEL, rows * PIXEL)

    def _shade(self, grid: Array, r: int, c: int, inactive: bool) -> tuple[str, str, bool]:
        """Choose fill and ink of a cell, and whether it is a unit that is switched off."""
        value = float(grid[r, c])
        if not np.isfinite(value):
            return "cell", "warning", False
        if inactive and value == 0:
            return "dead.fill", "cell.text", True
        finite = np.abs(np.where(np.isfinite(grid), grid, 0).astype(float))
        share = abs(value) / float(finite.max() or 1.0)
        side = "cell.high" if value > 0 else "cell.low"
        fill = blend(self.theme.colour("cell"), self.theme.colour(side), 0.85 * share)
        inks = ("cell.text", "cell.inverse")
        return fill, max(inks, key=lambda ink: contrast(self.theme.colour(ink), fill)), False

    def _range(self, array: Array, role: str) -> Block:
        if not array.size:
            return text_block(measure.plain("empty"), "range", ENTRY, role)
        numbers = array.astype(float)
        parts = (("min", numbers.min()), ("mean", numbers.mean()), ("max", numbers.max()))
        lines = [
            text_block(
                measure.math(rf"\mathrm{{{word}}}\;{self.decimals.latex(float(number))}"),
                "range",
                ENTRY + 2,
                role,
            )
            for word, number in parts
        ]
        return stacked(*lines)


def _cell_box(x: float, y: float, width: float, height: float, fill: str) -> Box:
    # A little larger than its place, so that no seam shows between neighbours of one colour.
    return Box("cell", x, y, width + SEAM, height + SEAM, fill=fill)


def rms(array: Array) -> float:
    """Give the root mean square of an array."""
    if not array.size:
        return 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean(np.square(array.astype(float)))))


def shape_block(shape: tuple[object, ...]) -> Block:
    """Typeset a shape: 4×2, N×H; a vector has one dimension."""
    parts = [str(d) if isinstance(d, int) else _side(str(d)) for d in shape]
    outline = measure.math(r"{\times}".join(parts))
    return text_block(outline, "shape", SHAPE, "value")


def _side(name: str) -> str:
    """Typeset a dimension beside others: N, (N - 1)."""
    return size(name, True) if name.isidentifier() else f"({size(name, True)})"


def stacked(*blocks: Block) -> Block:
    """Stack blocks, centred, the first on top."""
    width = max(b.width for b in blocks)
    items: list[Item] = []
    y = 0.0
    for block in blocks:
        items += block.at((width - block.width) / 2, y)
        y += block.height + 5.0
    return Block(tuple(items), width, y - 5.0)


def framed(block: Block, colour: str) -> Block:
    """Draw a frame around a block, in the colour of its role."""
    frame = Box(
        "frame",
        FRAME / 2,
        FRAME / 2,
        block.width + FRAME,
        block.height + FRAME,
        2.0,
        "",
        colour,
        FRAME,
    )
    return Block(
        (*block.at(FRAME, FRAME), frame), block.width + 2 * FRAME, block.height + 2 * FRAME
    )


def slash(x: float, y: float, width: float, height: float) -> Path:
    """Draw the stroke that marks a unit which is switched off."""
    line = (("M", (x, y + height)), ("L", (x + width, y)))
    return Path("slash", line, "dead.line", "", 1.0)


def legend_block(matrices: Matrices, drawing: Drawing) -> Block | None:
    """Explain frames, switched-off units and the scale of the wires."""
    if not drawing.numbers:
        return None
    items: list[Item] = []
    x = 0.0
    for colour, text in (("value", "value (forward)"), ("gradient", "gradient (backward)")):
        key = Box(colour, x, -12.0, 14.0, 14.0, 2.0, "", colour, FRAME)
        x = _entry(items, (key,), x + 20.0, text)
    if any(n.op == "relu" and n.value is not None and n.value.shape for n in drawing.nodes):
        box = Box("dead", x, -12.0, 14.0, 14.0, fill="dead.fill")
        x = _entry(items, (box, slash(x + 2, -10, 10, 10)), x + 20.0, "ReLU switched off")
    if any(n.grad is None for n in drawing.nodes if n.kind != "constant"):
        line = Path(
            "key", (("M", (x, -5.0)), ("L", (x + 30, -5.0))), "pruned", "", LINE, (4.0, 4.0)
        )
        x = _entry(items, (line,), x + 36.0, "no gradient asked for")
    if matrices.graded:
        _scale(items, x, matrices)
    return Block(tuple(item.moved(0, 12.0) for item in items), x, 30.0)


def _entry(items: list[Item], key: tuple[Item, ...], x: float, text: str) -> float:
    """Add a key and its text; give the place of the next."""
    outline = measure.plain(text)
    items += key
    items.append(Label("legend", outline, x, 0.0, LEGEND, "text"))
    return x + outline.width * LEGEND + 28.0


def _scale(items: list[Item], x: float, matrices: Matrices) -> None:
    """Draw the scale of the wires between its two ends, in steps of colour and width."""
    x = _entry(items, (), x, "wire: size of the gradient (rms)") - 18.0
    low = measure.math(f"10^{{{matrices.low}}}")
    high = measure.math(f"10^{{{matrices.high}}}")
    items.append(Label("legend", low, x, 0.0, LEGEND + 1, "text"))
    x += low.width * LEGEND + 10.0
    steps, length = 24, 120.0
    for i in range(steps):
        colour, width = matrices.graded_stroke(i / (steps - 1))
        left = x + i * length / steps
        items.append(Box("scale", left, -5.0 - width / 2, length / steps + 0.3, width, fill=colour))
    items.append(Label("legend", high, x + length + 8.0, 0.0, LEGEND + 1, "text"))
