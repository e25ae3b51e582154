"""One array as a block: printed entries, a heat map, a mask, slices, or a card of statistics."""

from collections.abc import Iterable
from math import floor, log10

import numpy as np

from symgrad.diagram import measure
from symgrad.diagram.cards import Block
from symgrad.diagram.digits import Decimals, constant
from symgrad.diagram.from_graph import Array
from symgrad.diagram.measure import Outline
from symgrad.diagram.style import Theme
from symgrad.diagram.tensors.cells import (
    ENTRY,
    NARROWEST,
    NO_UNITS,
    Palette,
    Units,
    framed,
    mask_block,
    pictured,
    printed,
)
from symgrad.diagram.tensors.numbers import means, peak, percent, summary
from symgrad.diagram.tensors.stats import card
from symgrad.diagram.tensors.texts import beside, figures, stacked, words

PRINTED = 4  # rows and columns up to which every entry is printed
PICTURED = 16  # rows and columns up to which every entry is a coloured cell
PANELS = 4  # slices that stand side by side
ACROSS = 8  # printed columns of all slices together
MAP = 96.0  # the longer side of a heat map
LEAST, MOST = 6.0, 12.0  # side of a cell of a heat map
ROUNDING = 1e-15
RANGE = 1e6  # between the least and the greatest entry with one power of ten
HUGE = 1e5  # entries from here on are printed with a common power of ten


class Arrays:
    """Draw arrays in the decimals and the theme of a figure."""

    def __init__(self, decimals: Decimals, theme: Theme) -> None:
        self.decimals, self.theme, self.palette = decimals, theme, Palette(theme)
        self.fixed = Decimals(decimals.decimals)

    def block(
        self,
        array: Array,
        role: str,
        cell: float = 0.0,
        upright: bool = False,
        units: Units = NO_UNITS,
    ) -> Block:
        """Show an array in the way that suits its size; `cell` is the width of a printed entry."""
        if not array.size:
            return words("no entries", role)
        if array.dtype.kind == "b":
            return self._mask(array, role, upright)
        if array.ndim == 1:
            shape = (-1, 1) if upright else (1, -1)
            return self._matrix(array.reshape(shape), role, cell, units.shaped(shape), array)
        if array.ndim == 2:
            return self._matrix(array, role, cell, units, array)
        return self._slices(array, role, cell, units) or card(self, array, None, role, units)

    def _matrix(self, grid: Array, role: str, cell: float, units: Units, array: Array) -> Block:
        if max(grid.shape) > PICTURED:
            return card(self, array, grid, role, units)
        if prints(array):
            return stacked(
                framed(self.entries(grid, cell, units, grid), role), self._unit(grid, role)
            )
        if units is NO_UNITS and summary(array).constant:
            return card(self, array, None, role, units)
        side = min(MOST, max(LEAST, MAP / max(grid.shape)))
        picture = pictured(grid, side, side, self.palette, units)
        return stacked(framed(picture, role), *self.span(grid, role))

    def entries(self, grid: Array, cell: float, units: Units, whole: Array) -> Block:
        """Print the entries of a matrix, which may be a slice of the whole array."""
        texts = self._texts(grid, whole)
        if grid.dtype.kind in "iu" and min(grid.shape) == 1:
            # Integers in a row are labels, not sizes, and get no colours.
            grid = np.zeros(grid.shape)
        return printed(grid, texts, cell or self.cell([whole]), self.palette, units, peak(whole))

    def _texts(self, grid: Array, whole: Array) -> list[list[Outline]]:
        if grid.dtype.kind in "iu":
            return [[measure.decimal(constant(int(v))) for v in row] for row in grid]
        power, wide = self.power(whole), _wide(whole)
        with np.errstate(all="ignore"):
            scaled = grid / 10.0**power if power else grid
        return [
            [measure.decimal(self.fixed.latex(float(v), tiny=wide)) for v in row] for row in scaled
        ]

    def power(self, array: Array) -> int:
        """Choose the common power of ten of printed entries; 0 where their own digits suffice."""
        top = 0.0 if array.dtype.kind in "iu" else peak(array)
        small = top < 5 * 10.0**-self.decimals.decimals
        if not top or _wide(array) or not (self.decimals.scientific or small or top >= HUGE):
            return 0
        return max(-300, floor(log10(top)))

    def _unit(self, grid: Array, role: str) -> Block | None:
        power = self.power(grid)
        return figures(rf"\times 10^{{{power}}}", role, "unit") if power else None

    def cell(self, arrays: Iterable[Array | None]) -> float:
        """Give the width of a printed entry that suits all of these; 0 if none is printed."""
        widths = [0.0]
        for array in arrays:
            if array is None or not prints(array):
                continue
            grid = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
            widest = max(o.width for row in self._texts(grid, grid) for o in row)
            integers = array.dtype.kind in "iu"
            widths.append(max(20.0 if integers else NARROWEST, widest * ENTRY + 9.0))
        return max(widths)

    def number(self, value: float) -> str:
        """Print one number of a range as LaTeX."""
        return self.decimals.latex(float(value))

    def span(self, array: Array, role: str) -> list[Block]:
        """Say from where to where the entries of a heat map reach."""
        found = summary(array)
        low, high = self.number(found.low), self.number(found.high)
        latex = low if found.low == found.high else rf"{low}\;\ldots\;{high}"
        lines = [figures(latex, role)] if found.low == found.low else []
        return lines + self.faults(found.nans, found.infinite)

    def faults(self, nans: int, infinite: int) -> list[Block]:
        """Count the entries that are not finite, in the warning colour."""
        parts = ((nans, "NaN"), (infinite, "infinite"))
        return [words(f"{n} {word}", "warning", "warning") for n, word in parts if n]

    def _mask(self, array: Array, role: str, upright: bool) -> Block:
        """Show truth values as black and white cells, many of them as shares of blocks."""
        grid = array.reshape((-1, 1) if upright or not array.ndim else (1, -1))
        grid = array.reshape(-1, array.shape[-1]) if array.ndim >= 2 else grid
        share = float(array.mean())
        line = figures(rf"{percent(share)}\,\%\;\mathrm{{true}}", role)
        if max(grid.shape) <= PICTURED:
            side = 16.0 if max(grid.shape) <= PRINTED else min(MOST, MAP / max(grid.shape))
            return stacked(framed(mask_block(grid, side, side, self.palette), role), line)
        shares, (rows, columns) = means(grid, PICTURED, PICTURED)
        sides = [min(MOST, 80.0 / n) for n in shares.shape[::-1]]
        block = framed(mask_block(shares, sides[0], sides[1], self.palette), role)
        return stacked(block, words(f"cell = {rows}×{columns} entries", role), line)

    def _slices(self, array: Array, role: str, cell: float, units: Units) -> Block | None:
        """Put the slices of a small array side by side, under their indices."""
        count = int(np.prod(array.shape[:-2]))
        rows, columns = array.shape[-2:]
        if count > PANELS or max(rows, columns) > PICTURED:
            return None
        if units is NO_UNITS and not prints(array) and summary(array).constant:
            return None
        flat = array.reshape(count, rows, columns)
        marks = units.shaped(flat.shape)
        side = min(MOST, max(LEAST, MAP / max(rows, columns)))
        top, panels = peak(array), []
        for k, index in enumerate(np.ndindex(*array.shape[:-2])):
            if prints(array):
                panel = self.entries(flat[k], cell, marks.panel(k), array)
            else:
                panel = pictured(flat[k], side, side, self.palette, marks.panel(k), top)
            name = words(f"[{', '.join(map(str, index))}]", "muted", "index")
            panels.append(stacked(name, framed(panel, role), gap=3.0))
        below = [] if prints(array) else self.span(array, role)
        if prints(array):
            below = [b for b in (self._unit(array, role),) if b is not None]
        return stacked(beside(*panels, gap=6.0), *below)


def _wide(array: Array) -> bool:
    """Say whether entries differ so much that each needs its own power of ten."""
    sizes = np.abs(np.asarray(array, dtype=float))
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if not sizes.size:
        return False
    # What is smaller than the rounding of the largest entry is rounding itself.
    top = float(sizes.max())
    return float(sizes[sizes >= top * ROUNDING].min()) < top / RANGE


def prints(array: Array) -> bool:
    """Say whether every entry of an array is printed."""
    if not array.size or array.dtype.kind == "b":
        return False
    if array.ndim <= 1 and array.dtype.kind in "iu":
        return array.size <= PICTURED
    if array.ndim <= 2:
        return max(array.shape, default=1) <= PRINTED
    count = int(np.prod(array.shape[:-2]))
    small = max(array.shape[-2:]) <= PRINTED and count <= PANELS
    return small and count * array.shape[-1] <= ACROSS
