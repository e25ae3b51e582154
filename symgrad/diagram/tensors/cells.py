"""Matrices cell by cell: printed entries, heat maps and masks, and the marks upon them.

Colours lie on a scale of each matrix of its own, symmetric around 0: blue, white, orange.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symgrad.diagram.cards import Block
from symgrad.diagram.from_graph import Array
from symgrad.diagram.measure import Outline
from symgrad.diagram.scene import Box, Command, Item, Label, Path
from symgrad.diagram.style import DIGIT, Theme, blend, contrast
from symgrad.diagram.tensors.numbers import peak

STEPS = 20  # colours on each side of 0
DEEPEST = 0.92  # how far the largest entry goes towards the end of the scale
CELL = 19.0  # height of a printed cell
ENTRY = 14.0  # em of a printed entry
SEAM = 0.4
FRAME = 1.8
NARROWEST = 34.0  # width of a printed cell
HATCH = 6.0  # between the strokes of a hatched cell
WRONG = STEPS + 1  # the level of an entry that is not finite
INKS = ("ink.dark", "ink.light")


@dataclass(frozen=True, slots=True)
class Units:
    """Tell which entries are switched off, belong to a dead unit, or are saturated."""

    off: Array | None = None
    dead: Array | None = None
    saturated: Array | None = None

    def panel(self, k: int) -> "Units":
        """Give the marks of one slice."""
        parts = (self.off, self.dead, self.saturated)
        return Units(*(None if a is None else a[k] for a in parts))

    def shaped(self, shape: tuple[int, ...]) -> "Units":
        """Give the marks in another shape."""
        parts = (self.off, self.dead, self.saturated)
        return Units(*(None if a is None else a.reshape(shape) for a in parts))


NO_UNITS = Units()


class Palette:
    """Choose fill and ink of a cell by its level, from -STEPS to STEPS.

    On every fill, black or white has a contrast of at least 4.5.
    """

    def __init__(self, theme: Theme) -> None:
        self.theme, self.signs = theme, theme.marks
        cell = theme.colour("cell")
        ends = {k: theme.colour("heat.high" if k > 0 else "heat.low") for k in (-1, 1)}
        self.fills = {
            k: blend(cell, ends[1 if k > 0 else -1], DEEPEST * abs(k) / STEPS)
            for k in range(-STEPS, STEPS + 1)
        }
        self.fills[WRONG] = theme.colour("warning")

    def ink(self, fill: str) -> str:
        """Choose the ink of text upon a fill."""
        shown = self.theme.colour(fill)
        return max(INKS, key=lambda ink: contrast(self.theme.colour(ink), shown))

    def shares(self, counts: int) -> dict[int, str]:
        """Give the fills of a mask whose cells hold shares of 0 to `counts`."""
        off, on = self.theme.colour("mask.off"), self.theme.colour("mask.on")
        return {k: blend(off, on, k / counts) for k in range(counts + 1)}


def levels(grid: Array, top: float | None = None) -> Array:
    """Place entries on the scale up to `top`; what is not finite gets a level of its own.

    >>> levels(np.array([[0.0, 2.0, -1.0, np.nan]]))
    array([[  0,  20, -10,  21]])
    """
    numbers = np.asarray(grid, dtype=float)
    finite = np.isfinite(numbers)
    share = np.where(finite, numbers, 0.0) / ((peak(numbers) if top is None else top) or 1.0)
    return np.where(finite, np.rint(STEPS * share), WRONG).astype(int)


def raster(
    grid: Array, fills: Mapping[int, str], width: float, height: float, role: str = "cell"
) -> tuple[Path, ...]:
    """Paint cells by level: one path for each colour, neighbours in a row joined."""
    columns = grid.shape[1]
    pieces: dict[int, list[Command]] = {}
    for r, row in enumerate(grid.tolist()):
        start = 0
        for c in range(1, columns + 1):
            if c < columns and row[c] == row[start]:
                continue
            box = start * width, r * height, c * width, (r + 1) * height
            pieces.setdefault(row[start], []).extend(_rectangle(*box))
            start = c
    return tuple(Path(role, tuple(pieces[k]), fill=fills[k]) for k in sorted(pieces))


def _rectangle(left: float, top: float, right: float, bottom: float) -> list[Command]:
    # A little larger than its place, so that no seam shows between neighbours of one colour.
    right, bottom = right + SEAM, bottom + SEAM
    corners: list[Command] = [("M", (left, top)), ("L", (right, top)), ("L", (right, bottom))]
    return [*corners, ("L", (left, bottom)), ("Z", ())]


def printed(
    grid: Array,
    texts: Sequence[Sequence[Outline]],
    width: float,
    palette: Palette,
    units: Units,
    top: float | None = None,
) -> Block:
    """Print every entry in a coloured cell."""
    rows, columns = grid.shape
    size = columns * width, rows * CELL
    items: list[Item] = [Box("cell", 0.0, 0.0, *size, fill="cell")]
    labels: list[Item] = []
    for (r, c), level in np.ndenumerate(levels(grid, top)):
        x, y = c * width, r * CELL
        fill = _fill(level, palette, units, (r, c))
        if fill != "cell":
            items.append(Box("cell", x, y, width + SEAM, CELL + SEAM, fill=fill))
        outline = texts[r][c]
        left = x + (width - outline.width * ENTRY) / 2 - outline.left * ENTRY
        ink = "warning" if level == WRONG else palette.ink(fill)
        labels.append(Label("entry", outline, left, y + (CELL + DIGIT * ENTRY) / 2, ENTRY, ink))
    items += unit_marks(units, width, CELL)
    return Block((*items, *labels), *size)


def _fill(level: int, palette: Palette, units: Units, at: tuple[int, int]) -> str:
    if units.dead is not None and units.dead[at]:
        return "dead.fill"
    if units.off is not None and units.off[at]:
        return "off.fill"
    return "cell" if level in (0, WRONG) else palette.fills[level]


def pictured(
    grid: Array,
    width: float,
    height: float,
    palette: Palette,
    units: Units = NO_UNITS,
    top: float | None = None,
) -> Block:
    """Show every entry as a coloured cell."""
    found = levels(grid, top)
    fills: dict[int, str] = {**palette.fills, STEPS + 2: "off.fill", STEPS + 3: "dead.fill"}
    if units.off is not None:
        found = np.where(units.off, STEPS + 2, found)
    if units.dead is not None:
        found = np.where(units.dead, STEPS + 3, found)
    items: list[Item] = list(raster(found, fills, width, height))
    if palette.signs:
        items += _minus_signs(found, width, height, palette)
    items += _warnings(found == WRONG, width, height)
    items += unit_marks(units, width, height)
    return Block(tuple(items), grid.shape[1] * width, grid.shape[0] * height)


def _minus_signs(found: Array, width: float, height: float, palette: Palette) -> list[Item]:
    """Mark negative cells where colour says nothing."""
    strokes: dict[str, list[Command]] = {ink: [] for ink in INKS}
    for r, c in np.argwhere(found < 0).tolist():
        y = (r + 0.5) * height
        commands = strokes[palette.ink(palette.fills[int(found[r, c])])]
        commands += [("M", ((c + 0.25) * width, y)), ("L", ((c + 0.75) * width, y))]
    return [Path("minus", tuple(done), ink, "", 1.0) for ink, done in strokes.items() if done]


def _warnings(wrong: Array, width: float, height: float) -> list[Item]:
    """Cross out entries that are not finite."""
    commands: list[Command] = []
    for r, c in np.argwhere(wrong).tolist():
        left, top = c * width + 1.5, r * height + 1.5
        right, bottom = left + width - 3, top + height - 3
        commands += [("M", (left, top)), ("L", (right, bottom))]
        commands += [("M", (left, bottom)), ("L", (right, top))]
    return [Path("wrong", tuple(commands), "background", "", 1.2)] if commands else []


def unit_marks(units: Units, width: float, height: float) -> list[Item]:
    """Draw a slash through entries that are off, hatch dead units, frame saturated entries."""
    items: list[Item] = []
    dead = np.zeros((0, 0), bool) if units.dead is None else units.dead
    if units.off is not None:
        alone = units.off & ~dead if dead.size else units.off
        strokes = [_stroke(c * width, r * height, width, height) for r, c in np.argwhere(alone)]
        items += slashes(strokes)
    for top, left, bottom, right in _blocks(dead):
        box = left * width, top * height, right * width, bottom * height
        items.append(hatch(*box))
    if units.saturated is not None and units.saturated.any():
        items += _rings(units.saturated, width, height)
    return items


def _stroke(x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
    inset = min(4.0, width / 5)
    # In a printed cell, the stroke stands to the right of the number.
    start = x + inset if width < NARROWEST else x + width - 8.0
    return start, y + height - inset, x + width - min(inset, 2.5), y + inset


def slashes(strokes: Iterable[tuple[float, float, float, float]]) -> list[Item]:
    """Draw the strokes that mark entries which are switched off."""
    commands: list[Command] = []
    for x1, y1, x2, y2 in strokes:
        commands += [("M", (float(x1), float(y1))), ("L", (float(x2), float(y2)))]
    return [Path("slash", tuple(commands), "off.line", "", 1.0)] if commands else []


def _blocks(dead: Array) -> list[tuple[int, int, int, int]]:
    """Find runs of dead columns, as (top, left, bottom, right)."""
    if not dead.size or not dead.any():
        return []
    columns = np.flatnonzero(np.diff(np.concatenate([[0], dead.all(axis=0).astype(int), [0]])))
    rows = dead.shape[0]
    return [(0, int(a), rows, int(b)) for a, b in columns.reshape(-1, 2)]


def hatch(left: float, top: float, right: float, bottom: float) -> Path:
    """Hatch a rectangle with strokes that rise to the right, cut at its rim."""
    commands: list[Command] = []
    # A stroke lies on x + y = s; it enters and leaves where that meets the rim.
    for k in range(1, int((right - left + bottom - top) / HATCH) + 1):
        s = left + top + k * HATCH
        x1, x2 = max(left, s - bottom), min(right, s - top)
        if x2 - x1 > 0.5:
            commands += [("M", (x1, s - x1)), ("L", (x2, s - x2))]
    return Path("hatch", tuple(commands), "dead.line", "", 1.0)


def _rings(where: Array, width: float, height: float) -> list[Item]:
    """Frame saturated entries, on a light line so that the frame shows on every fill."""
    inset = 1.8
    commands: list[Command] = []
    for r, c in np.argwhere(where).tolist():
        left, top = c * width + inset, r * height + inset
        right, bottom = left + width - 2 * inset, top + height - 2 * inset
        commands += [("M", (left, top)), ("L", (right, top)), ("L", (right, bottom))]
        commands += [("L", (left, bottom)), ("Z", ())]
    under = Path("saturated.ground", tuple(commands), "cell", "", 3.0)
    return [under, Path("saturated", tuple(commands), "saturated", "", 1.4)]


def mask_block(
    mask: Array, width: float, height: float, palette: Palette, role: str = "mask"
) -> Block:
    """Show truth as white and falsehood as black; cells may hold shares between 0 and 1."""
    steps = 8
    shares = np.asarray(mask, dtype=float)
    found = np.rint(shares * steps).astype(int)
    painted = raster(found, palette.shares(steps), width, height, role)
    grey = [0 < level < steps for level in np.unique(found).tolist()]
    items = tuple(
        replace(item, role=f"{role}.shares") if mixed else item
        for item, mixed in zip(painted, grey, strict=True)
    )
    return Block(items, mask.shape[1] * width, mask.shape[0] * height)


def framed(block: Block, colour: str) -> Block:
    """Draw a frame around a block, in the colour of its role."""
    size = block.width + FRAME, block.height + FRAME
    frame = Box("frame", FRAME / 2, FRAME / 2, *size, 2.0, "", colour, FRAME)
    outer = block.width + 2 * FRAME, block.height + 2 * FRAME
    return Block((*block.at(FRAME, FRAME), frame), *outer)
