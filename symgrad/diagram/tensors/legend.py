"""The legend: what the colours and marks of a figure mean, and only of those that occur."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from symgrad.diagram import measure
from symgrad.diagram.cards import DASH, Block
from symgrad.diagram.from_graph import Drawing
from symgrad.diagram.scene import Box, Item, Label, Path
from symgrad.diagram.style import LINE, Theme
from symgrad.diagram.tensors.cells import FRAME, STEPS, Palette, hatch, slashes
from symgrad.diagram.tensors.slopes import SATURATED

LEGEND = 14.0
KEY = 14.0  # side of a key
APART = 28.0  # between entries
ROW = 26.0  # between lines
WIDEST = 1100.0  # of a legend whose figure is not known


class Graded(Protocol):
    """Describe what the legend asks of the view."""

    low: int
    high: int
    graded: bool
    theme: Theme

    @property
    def palette(self) -> Palette:
        """Give the colours of cells."""

    def blocks(self) -> Iterable[Block]:
        """List the blocks of the figure."""

    def graded_stroke(self, share: float) -> tuple[str, float]:
        """Give colour and width at a place of the scale of the wires."""


Entry = tuple[tuple[Item, ...], float]
Roles = Mapping[str, None]


def legend_block(matrices: Graded, drawing: Drawing, width: float | None = None) -> Block | None:
    """Explain frames, colours, marks and wires; lines break at `width`, that of the figure."""
    if not drawing.numbers:
        return None
    roles = dict.fromkeys(item.role for block in matrices.blocks() for item in block.items)
    found = dict.fromkeys(draw for role, draw in KEYS.items() if role in roles)
    entries = [*_frames(matrices.theme), *(draw(matrices, roles) for draw in found)]
    if any(n.grad is None for n in drawing.nodes if n.kind != "constant"):
        wire = (("M", (0.0, -5.0)), ("L", (30.0, -5.0)))
        key = Path("key", wire, "pruned", "", LINE, DASH)
        entries.append(_entry((key,), 36.0, "no gradient asked for"))
    if matrices.graded:
        entries.append(_wires(matrices))
    return _flowed(entries, WIDEST if width is None else width)


def _flowed(entries: Sequence[Entry], width: float) -> Block:
    """Set entries in lines that are no wider than asked for."""
    items: list[Item] = []
    x = y = widest = 0.0
    for shown, length in entries:
        if x and x + length > width:
            x, y = 0.0, y + ROW
        items += [item.moved(x, y + KEY) for item in shown]
        widest = max(widest, x + length)
        x += length + APART
    return Block(tuple(items), widest, y + ROW)


def _entry(key: tuple[Item, ...], x: float, text: str) -> Entry:
    """Put a text behind a key; the baseline is at 0."""
    outline = measure.plain(text)
    label = Label("legend", outline, x - outline.left * LEGEND, 0.0, LEGEND, "text")
    return (*key, label), x + outline.width * LEGEND


def _box(role: str, x: float = 0.0, fill: str = "", stroke: str = "", line: float = 0.0) -> Box:
    return Box(role, x, -12.0, KEY, KEY, 2.0 if stroke and line > 1 else 0.0, fill, stroke, line)


def _frames(theme: Theme) -> list[Entry]:
    """Explain the frames by their colours, or by their places where they have one colour."""
    parts = (("value", "value (forward)"), ("gradient", "gradient (backward)"))
    if theme.marks:
        parts = (("value", "above the wire: value"), ("gradient", "below it: gradient"))
    return [_entry((_box(c, 0.0, "", c, FRAME),), 20.0, text) for c, text in parts]


def _cells(matrices: Graded, _: Roles) -> Entry:
    """Show the colours of cells between the least and the greatest."""
    fills = matrices.palette.fills
    steps = range(-STEPS, STEPS + 1, STEPS // 5)
    side = 9.0
    minus = measure.math("-m")
    plus = measure.math("+m")
    x = minus.width * LEGEND + 6.0
    items: list[Item] = [Label("legend", minus, -minus.left * LEGEND, 0.0, LEGEND, "text")]
    items += [Box("scale", x + i * side, -11.0, side + 0.3, 12.0, fill=fills[k])
              for i, k in enumerate(steps)]  # fmt: skip
    end = x + len(steps) * side
    items.append(Box("scale.frame", x, -11.0, end - x, 12.0, 0.0, "", "muted", 0.8))
    items.append(Label("legend", plus, end + 6.0, 0.0, LEGEND, "text"))
    start = end + plus.width * LEGEND + 20.0
    return _entry(tuple(items), start, "m: largest |cell| of each matrix")


def _off(_: Graded, __: Roles) -> Entry:
    strokes = slashes([(2.5, -0.5, 11.5, -9.5)])
    key = (_box("key", fill="off.fill"), *strokes)
    return _entry(key, 20.0, "unit off for this sample")


def _dead(_: Graded, __: Roles) -> Entry:
    key = (_box("key", fill="dead.fill"), hatch(0.0, -12.0, KEY, 2.0))
    return _entry(key, 20.0, "dead unit: off for all samples")


def _saturated(_: Graded, __: Roles) -> Entry:
    key = Box("key", 0.8, -11.2, 12.4, 12.4, 0.0, "", "saturated", 1.6)
    return _entry((key,), 20.0, f"saturated: |f′| < {SATURATED:g}")


def _mask(_: Graded, roles: Roles) -> Entry:
    keys = (_box("key", 0.0, "mask.on", "muted", 0.8), _box("key", 18.0, "mask.off", "muted", 0.8))
    found = [role.partition(".") for role in roles]
    parts = ["true, false"] if any(f[0] == "mask" for f in found) else []
    parts += ["gate passes, blocks"] if any(f[0] == "local" for f in found) else []
    parts += ["grey: share of a block"] if any(f[2] == "shares" for f in found) else []
    return _entry(keys, 38.0, "; ".join(parts))


def _wrong(_: Graded, __: Roles) -> Entry:
    strokes = (("M", (2.0, -10.0)), ("L", (12.0, 0.0)), ("M", (2.0, 0.0)), ("L", (12.0, -10.0)))
    cross = Path("key", strokes, "background", "", 1.2)
    return _entry((_box("key", fill="warning"), cross), 20.0, "not finite")


def _sums(_: Graded, __: Roles) -> Entry:
    return _entry((), 0.0, "↧ broadcast, Σ gradients of the repeats added up")


def _wires(matrices: Graded) -> Entry:
    """Draw the scale of the wires between its two ends, in steps of colour and width."""
    items, x = _entry((), 0.0, "wire: size of the gradient (rms)")
    low, high = (measure.math(f"10^{{{k}}}") for k in (matrices.low, matrices.high))
    size = LEGEND + 1
    shown = [*items, Label("legend", low, x + 10.0, 0.0, size, "text")]
    x += 18.0 + low.width * size
    steps, length = 24, 120.0
    for i in range(steps):
        colour, width = matrices.graded_stroke(i / (steps - 1))
        left = x + i * length / steps
        shown.append(Box("scale", left, -5.0 - width / 2, length / steps + 0.3, width, fill=colour))
    shown.append(Label("legend", high, x + length + 8.0, 0.0, size, "text"))
    return tuple(shown), x + length + 8.0 + high.width * size


# What is explained, by the role of the items that show it.
KEYS: dict[str, Callable[[Graded, Roles], Entry]] = {
    "cell": _cells,
    "slash": _off,
    "hatch": _dead,
    "saturated": _saturated,
    "bars.saturated": _saturated,
    "mask": _mask,
    "local": _mask,
    "mask.shares": _mask,
    "local.shares": _mask,
    "wrong": _wrong,
    "sum": _sums,
}
