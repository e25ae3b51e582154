"""The card of a large array: a thumbnail of block means, a histogram, its range and its size."""

from typing import Protocol

import numpy as np

from symgrad.diagram.cards import Block
from symgrad.diagram.from_graph import Array
from symgrad.diagram.scene import Command, Item, Path
from symgrad.diagram.style import Theme, blend
from symgrad.diagram.tensors.cells import Palette, Units, framed, pictured
from symgrad.diagram.tensors.numbers import BINS, counts, finite_entries, means, percent, summary
from symgrad.diagram.tensors.texts import figures, spread, stacked, words

THUMB = 16  # rows and columns of a thumbnail
SIDE = 72.0  # the longer side of a thumbnail
LEAST, MOST = 4.5, 9.0  # sides of its cells
STRIP, STRIP_WIDTH, STRIP_HEIGHT = 32, 160.0, 14.0  # of a vector
BARS = 26.0  # height of a histogram
PALE = 0.55  # of the colour of bars


class Style(Protocol):
    """Describe how numbers are printed and cells coloured."""

    theme: Theme
    palette: Palette

    def number(self, value: float) -> str:
        """Print one number as LaTeX."""

    def faults(self, nans: int, infinite: int) -> list[Block]:
        """Count what is not finite."""


def card(style: Style, array: Array, grid: Array | None, role: str, units: Units) -> Block:
    """Show an array by its statistics; `grid` is the matrix that a thumbnail shows, if any."""
    found = summary(array)
    faults = style.faults(found.nans, found.infinite)
    if found.constant:
        return framed(_padded(figures(rf"\mathrm{{all}}\;{style.number(found.low)}", role)), role)
    if found.low != found.low:
        return framed(_padded(stacked(*faults)), role)
    names = (("min", found.low), ("mean", found.mean), ("max", found.high), ("rms", found.rms))
    rows = [(words(name, role), figures(style.number(number), role)) for name, number in names]
    rows += [(words(name, role), words(text, role)) for name, text in _units(units)]
    note = None
    if grid is None:
        table = spread(rows)
    elif min(grid.shape) == 1 and grid.shape[0] == 1:
        strip, note = _thumbnail(style, grid, role)
        half = (len(rows) + 1) // 2
        table = stacked(strip, _level(spread(rows[:half]), spread(rows[half:])))
    else:
        thumb, note = _thumbnail(style, grid, role)
        table = _level(thumb, spread(rows))
    bars = histogram(style.theme, array, units.saturated, role, max(table.width, 96.0))
    return framed(_padded(stacked(table, bars, note, *faults)), role)


def _units(units: Units) -> list[tuple[str, str]]:
    """Count what is off, dead or saturated."""
    found = []
    if units.off is not None and units.off.any():
        found.append(("off", percent(float(units.off.mean())) + " %"))
    if units.dead is not None and units.dead.any():
        columns = units.dead.all(axis=0)
        found.append(("dead", f"{int(columns.sum())} of {columns.size}"))
    if units.saturated is not None and units.saturated.any():
        found.append(("saturated", percent(float(units.saturated.mean())) + " %"))
    return found


def _padded(block: Block, by: float = 5.0) -> Block:
    return Block(block.at(by, by), block.width + 2 * by, block.height + 2 * by)


def _level(left: Block, right: Block, gap: float = 10.0) -> Block:
    """Put two blocks side by side, their upper edges level."""
    items = (*left.at(0.0, 0.0), *right.at(left.width + gap, 0.0))
    return Block(items, left.width + gap + right.width, max(left.height, right.height))


def _thumbnail(style: Style, grid: Array, role: str) -> tuple[Block, Block | None]:
    """Average blocks of a matrix, and say how large they are."""
    row, column = grid.shape[0] == 1, grid.shape[1] == 1
    small, (high, wide) = means(grid, STRIP if column else THUMB, STRIP if row else THUMB)
    rows, columns = small.shape
    width, height = (max(LEAST, min(MOST, SIDE / n)) for n in (columns, rows))
    if row:
        width, height = STRIP_WIDTH / columns, STRIP_HEIGHT
    elif column:
        width, height = STRIP_HEIGHT, SIDE / rows
    size = f"{high * wide}" if row or column else f"{high}×{wide}"
    note = None if high * wide == 1 else words(f"cell = mean of {size}", role, "mean")
    return pictured(small, width, height, style.palette), note


def histogram(theme: Theme, array: Array, marked: Array | None, role: str, width: float) -> Block:
    """Draw how the finite entries are distributed, those that are marked in another colour."""
    numbers = finite_entries(array)
    span = float(numbers.min()), float(numbers.max())
    total = counts(numbers, BINS, span)
    pale = blend(theme.colour("background"), theme.colour(role), PALE)
    items = _bars(total, int(total.max()), width, pale, "histogram")
    if marked is not None and marked.any():
        special = counts(np.asarray(array).ravel()[marked.ravel()], BINS, span)
        items += _bars(special, int(total.max()), width, "saturated", "bars.saturated")
    items.append(Path("axis", (("M", (0.0, BARS)), ("L", (width, BARS))), role, "", 1.0))
    if span[0] < 0 < span[1]:
        x = width / (1 + span[1] / -span[0])
        items.append(Path("zero", (("M", (x, BARS)), ("L", (x, BARS + 4.0))), role, "", 1.2))
    return Block(tuple(items), width, BARS + 4.0)


def _bars(tally: Array, most: int, width: float, fill: str, role: str) -> list[Item]:
    """Draw the bars of a histogram as one path; a bin that is not empty is at least 1 high."""
    step = width / BINS
    commands: list[Command] = []
    for k, n in enumerate(tally.tolist()):
        if n:
            left, right = k * step + 0.4, (k + 1) * step - 0.4
            top = BARS - max(1.0, n * BARS / most)
            commands += [("M", (left, BARS)), ("L", (left, top)), ("L", (right, top))]
            commands += [("L", (right, BARS)), ("Z", ())]
    return [Path(role, tuple(commands), fill=fill)] if commands else []
