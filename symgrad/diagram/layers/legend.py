"""The legend of layer cards: histograms, saturation, folding, and the scale of the wires."""

from collections.abc import Sequence

from symgrad.diagram import measure
from symgrad.diagram.cards import DASH, Block
from symgrad.diagram.layers.card import Tile
from symgrad.diagram.layers.print import Grades
from symgrad.diagram.scene import Box, Item, Label, Path, extent
from symgrad.diagram.style import LINE

EM = 16.0
LINES = 27.0  # from one line of the legend to the next
BETWEEN = 30.0
Entry = tuple[tuple[Item, ...], float]  # a key with its text, and its width


def legend(
    tiles: Sequence[Tile], grades: Grades, notes: Sequence[str], dashed: bool, width: float
) -> Block | None:
    """Explain what the tiles show, in lines that are at most so wide; then the notes."""
    items = [item for tile in tiles for item in tile.items]
    bars = {b.fill: b for b in items if isinstance(b, Box) and b.role == "bar"}
    entries: list[Entry] = []
    if bars:
        entries.append(keyed(_columns("layer.bar"), "how the values spread"))
    if "layer.saturated" in bars:
        said = "saturated: slope below 1/10 of the steepest"
        entries.append(keyed(_columns("layer.saturated"), said))
    if "dead.fill" in bars:
        entries.append(keyed(_off(), "switched off; dead: on every sample"))
    if dashed:
        line = (("M", (0.0, -5.0)), ("L", (30.0, -5.0)))
        entries.append(
            keyed((Path("key", line, "pruned", "", LINE, DASH),), "no gradient asked for")
        )
    if grades.graded:
        entries.append(_scale(grades))
    return stacked(entries, notes, width)


def stacked(entries: Sequence[Entry], notes: Sequence[str], width: float) -> Block | None:
    """Break keys into lines that are at most so wide; each note has a line of its own."""
    rows: list[list[Entry]] = []
    for entry in entries:
        used = sum(w + BETWEEN for _, w in rows[-1]) if rows else 0.0
        if not rows or used + entry[1] > width:
            rows.append([])
        rows[-1].append(entry)
    placed: list[Item] = []
    for number, row in enumerate([*rows, *([keyed((), note)] for note in notes)]):
        x = 0.0
        for content, wide in row:
            placed += (item.moved(x, number * LINES) for item in content)
            x += wide + BETWEEN
    if not placed:
        return None
    _, top, right, bottom = extent(placed)
    return Block(tuple(i.moved(0.0, -top) for i in placed), right, bottom - top)


def _columns(colour: str) -> tuple[Item, ...]:
    heights = (6.0, 12.0, 9.0)
    return tuple(Box("key", 5.0 * i, -h + 1.0, 4.0, h, fill=colour) for i, h in enumerate(heights))


def _off() -> tuple[Item, ...]:
    line = (("M", (2.0, -1.0)), ("L", (12.0, -11.0)))
    box = Box("key", 0.0, -13.0, 14.0, 14.0, fill="dead.fill")
    return box, Path("slash", line, "dead.line", "", 1.0)


def keyed(key: tuple[Item, ...], text: str) -> Entry:
    """Set a key before its text."""
    outline = measure.plain(text)
    x = extent(key)[2] + 8.0 if key else 0.0
    label = Label("legend", outline, x - outline.left * EM, 0.0, EM, "text")
    return (*key, label), x + outline.width * EM


def _scale(grades: Grades) -> Entry:
    """Draw the scale of the wires between its two ends, in steps of colour and width."""
    (content, x), steps, length = keyed((), "wire: gradient (rms)"), 24, 130.0
    items = list(content)
    for number, gap in ((grades.low, 10.0), (grades.high, 8.0)):
        outline = measure.math(f"10^{{{number}}}")
        x += gap
        items.append(Label("legend", outline, x - outline.left * (EM + 2), 0.0, EM + 2, "text"))
        x += outline.width * (EM + 2)
        if number == grades.low:
            x += 8.0
            for i in range(steps):
                colour, width = grades.at(i / (steps - 1))
                left = x + i * length / steps
                box = Box("scale", left, -5.5 - width / 2, length / steps + 0.3, width, fill=colour)
                items.append(box)
            x += length
    return tuple(items), x
