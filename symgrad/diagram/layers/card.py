"""Draw the cards: layers with histogram and numbers, gates, losses, inputs, groups of operations.

A tile's origin is the middle of its left side, where the wire comes in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from symgrad.diagram import measure
from symgrad.diagram.cards import Block, name_outline, text_block
from symgrad.diagram.layers.figures import Spread
from symgrad.diagram.measure import Outline
from symgrad.diagram.scene import Box, Group, Item, Label, Path
from symgrad.diagram.style import GATE, LEAF, LINE, SYMBOL
from symgrad.formula.names import latex_name

HEAD = 18.0  # em of a card's title
TEXT = 16.0  # em of words on a card
MATHS = 20.0  # em of numbers on a card and beside it
LEADING = 24.0  # from one line to the next
INSIDE = 13.0  # from a card's frame to what stands in it
LEAST, BREAK = 132.0, 176.0  # width of a card; a title wider than this is broken
BARS = 48.0  # height of a histogram
STACK = 6.0  # offset of the cards behind a folded one
ALARM = 0.3  # share of saturated or dead units that gives the card an orange frame


@dataclass(frozen=True, slots=True)
class Tile:
    """Hold a drawn card; it reaches `up` above and `down` below the wire.

    A wire from above lands at `top`; a round tile takes all wires at its rim. Cards behind it jut
    out by `back`; `inner` are the gates of a layer that is drawn in a frame.
    """

    items: tuple[Item, ...]
    width: float
    up: float
    down: float
    top: float
    round: bool = False
    back: float = 0.0
    inner: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """Say what a card shows, in the order of its lines; empty lines keep their place."""

    parts: tuple[str, ...]
    count: int
    name: str
    dims: str
    spreads: tuple[Spread, ...]
    status: str
    about: str
    numbers: str
    alarm: bool = False
    formula: str = ""  # in place of the title

    @property
    def titles(self) -> list[Outline]:
        """Typeset the title, or the formula in its place."""
        return [measure.math(self.formula)] if self.formula else heads(self.parts, self.count)

    @property
    def heads(self) -> int:
        """Count the lines that the title takes; a fraction takes two."""
        titles = self.titles
        return max(len(titles), ceil(max((o.height for o in titles), default=1.0) * HEAD / LEADING))


@dataclass(frozen=True, slots=True)
class Lines:
    """Say which lines the cards of a picture have, so that all are alike."""

    heads: int
    dims: bool
    bars: bool
    status: bool
    about: bool
    numbers: bool

    @classmethod
    def suited(cls, texts: Sequence[Text]) -> "Lines":
        """Leave out the lines that no card needs."""
        return cls(
            max((t.heads for t in texts), default=1),
            any(t.dims for t in texts),
            any(t.spreads for t in texts),
            any(t.status for t in texts),
            any(t.about for t in texts),
            any(t.numbers for t in texts),
        )

    @property
    def height(self) -> float:
        """Give the height of a card."""
        lines = self.heads + self.dims + self.status + self.about + self.numbers
        return 2 * INSIDE + LEADING * lines - 6.0 + (BARS + 12.0 if self.bars else 0.0)


def heads(parts: Sequence[str], count: int) -> list[Outline]:
    """Break a title into lines: Dense + BN / + ReLU × 4."""
    lines: list[str] = []
    for k, part in enumerate(parts):
        word = measure.shorten(part, 16)
        joined = f"{lines[-1]} + {word}" if k else word
        if k and measure.plain(joined).width * HEAD > BREAK:
            lines.append(f"+ {word}")
        else:
            lines[-1:] = [joined]
    if count > 1:
        lines[-1:] = [f"{lines[-1] if lines else ''} × {count}".strip()]
    return [measure.plain(line) for line in lines]


def layer_tile(text: Text, lines: Lines) -> Tile:
    """Draw the card of a layer or of a group of operations."""
    titles = text.titles
    dims = measure.math(text.dims) if text.dims else None
    status = measure.plain(text.status) if text.status else None
    about = measure.math(text.about) if text.about else None
    figures = measure.math(text.numbers) if text.numbers else None
    need = [o.width * (MATHS if o.latex else HEAD) for o in titles] + [
        o.width * size
        for o, size in ((dims, MATHS), (status, TEXT), (about, MATHS - 2), (figures, MATHS))
        if o is not None
    ]
    width = max(LEAST, max(need, default=0.0) + 2 * INSIDE)
    height = lines.height
    top = -height / 2
    items = list(_frame(width, top, height, text))
    items += _titled(titles, width, top, lines.heads)
    y = top + INSIDE + 13.0 + LEADING * lines.heads
    if dims is not None:
        items.append(_middle("shape", dims, width, y, MATHS, "text"))
    y += LEADING * lines.dims - 10.0
    if lines.bars:
        items += _bars(text.spreads, INSIDE, y, width - 2 * INSIDE)
        y += BARS + 12.0
    y += 10.0
    for used, line, size, colour, part in (
        (lines.status, status, TEXT, "layer.alarm" if text.alarm else "muted", ""),
        (lines.about, about, MATHS - 2, "gradient", ""),
        (lines.numbers, figures, MATHS, "gradient", "gradient"),
    ):
        if line is not None:
            x = INSIDE - line.left * size
            items.append(Label("figure", line, x, y, size, colour, part=part))
        y += LEADING * used
    back = 2 * STACK if text.count > 1 else 0.0
    items += _named(text.name, top - back)
    up = height / 2 + back + (26.0 if text.name else 0.0)
    return Tile(tuple(items), width, up, height / 2, height / 2 + back, back=back)


def _titled(titles: Sequence[Outline], width: float, top: float, lines: int) -> list[Item]:
    """Set the title, or a formula; one line stands in the middle of two."""
    items: list[Item] = []
    y = top + INSIDE + 13.0 + LEADING * (lines - len(titles)) / 2
    for outline in titles:
        # A formula is centred by its ink, whatever stands above and below its line.
        lift = 0.33 * HEAD + (outline.top + outline.bottom) / 2 * HEAD if outline.latex else 0.0
        role, size = ("shape", MATHS) if outline.latex else ("title", HEAD)
        items.append(_middle(role, outline, width, y - lift, size, "text"))
        y += LEADING
    return items


def _frame(width: float, top: float, height: float, text: Text) -> tuple[Item, ...]:
    """Draw the card, and those behind it if it stands for several."""
    behind = tuple(
        Box("stack", k * STACK, top - k * STACK, width, height, 10.0, "gate.fill", "dead.line", 1.2)
        for k in (2, 1)
        if text.count > 1
    )
    line, pen = ("layer.alarm", 3.4) if text.alarm else ("gate.line", LINE + 0.4)
    front = Box("gate", 0.0, top, width, height, 10.0, "gate.fill", line, pen)
    return *behind, front


def _named(name: str, top: float) -> tuple[Label, ...]:
    """Set the user's name above the upper left corner."""
    if not name:
        return ()
    ends = name.split(" … ")
    if all(len(end) <= 8 and end.isidentifier() for end in ends):
        outline = measure.math(r"\,\ldots\,".join(latex_name(end) for end in ends))
    else:
        outline = measure.plain(measure.shorten(name, 16))
    return (Label("name", outline, 2.0, top - 8.0, MATHS - 2, "muted"),)


def _middle(role: str, outline: Outline, width: float, y: float, size: float, colour: str) -> Label:
    x = width / 2 - (outline.left + outline.right) / 2 * size
    return Label(role, outline, x, y, size, colour)


def _bars(spreads: Sequence[Spread], x: float, y: float, width: float) -> list[Item]:
    """Draw histograms beside each other on one base line."""
    items: list[Item] = []
    between = 12.0
    share = (width - between * (len(spreads) - 1)) / max(1, len(spreads))
    for k, spread in enumerate(spreads):
        left = x + k * (share + between)
        step = share / len(spread.counts)
        # The bar of what is switched off may be far higher than the rest: it ends at the top.
        rest = spread.counts[1:] if spread.zero else spread.counts
        high = max(rest) or max(spread.counts) or 1
        for i, count in enumerate(spread.counts):
            height = min(1.0, count / high) * BARS
            if not count:
                continue
            off = spread.zero and i == 0
            fill = "dead.fill" if off else "layer.saturated" if spread.marked[i] else "layer.bar"
            height = max(height, 1.5)
            bar = Box("bar", left + i * step + 0.5, y + BARS - height, step - 1.0, height, 0, fill)
            items.append(bar)
            if off:
                items.append(_slash(bar))
        base = (("M", (left, y + BARS)), ("L", (left + share, y + BARS)))
        items.append(Path("axis", base, "muted", "", 1.2))
    return items


def _slash(bar: Box) -> Path:
    """Hatch a bar."""
    left, top, right, bottom = bar.extent()
    commands: list[tuple[str, tuple[float, ...]]] = []
    y = bottom
    while y - (right - left) > top:
        commands += [("M", (left, y)), ("L", (right, y - (right - left)))]
        y -= 6.0
    commands = commands or [("M", (left, bottom)), ("L", (right, top))]
    return Path("slash", tuple(commands), "dead.line", "", 1.0)


def gate_tile(symbol: str, count: int, name: str = "") -> Tile:
    """Draw a gate: a circle for one glyph, else a pill; its name stands below it."""
    outline = measure.math(symbol)
    wide = outline.width * SYMBOL + 22
    width = GATE if wide <= GATE else wide + 4
    half = GATE / 2
    box = Box("gate", 0.0, -half, width, GATE, half, "gate.fill", "gate.line", LINE + 0.2)
    lift = -(outline.top + outline.bottom) / 2
    items: list[Item] = [box, _middle("symbol", outline, width, lift * SYMBOL, SYMBOL, "text")]
    down = half
    if count > 1:
        times = measure.plain(f"× {count}")
        items.append(_middle("title", times, width, half + 24.0, HEAD, "text"))
        down += 32.0
    elif name:
        above = _named(name, 0.0)[0]
        # A long name begins below the gate: what stands on its left may be another thing's.
        space = max(0.0, (width - above.outline.width * above.size) / 2)
        items.append(replace(above, x=space - above.outline.left * above.size, y=half + 24.0))
        down += 32.0
    return Tile(tuple(items), width, half, down, half, round=True)


def leaf_tile(names: Sequence[str]) -> Tile:
    """Draw an input, or several that are read alike: the first … the last."""
    ends = [
        name_outline(measure.shorten(n, 16))
        for n in (names[:1] if len(names) == 1 else (names[0], names[-1]))
    ]
    middle = measure.plain("…" if len(names) > 2 else ",")
    parts = [ends[0]] if len(ends) == 1 else [ends[0], middle, ends[1]]
    gap = 7.0
    inner = sum(p.width * SYMBOL for p in parts) + gap * (len(parts) - 1)
    width = max(LEAF + 4, inner + 22)
    box = Box("input", 0.0, -LEAF / 2, width, LEAF, 8.0, "input.fill", "input.line", LINE)
    items: list[Item] = [box]
    x = (width - inner) / 2
    for part in parts:
        items.append(Label("symbol", part, x - part.left * SYMBOL, 0.23 * SYMBOL, SYMBOL, "text"))
        x += part.width * SYMBOL + gap
    return Tile(tuple(items), width, LEAF / 2, LEAF / 2, LEAF / 2)


def small_tile(title: str, line: str) -> Tile:
    """Draw the card of a penalty: a title and one line of mathematics."""
    head = text_block(measure.plain(title), "title", HEAD - 2, "text")
    below = text_block(measure.math(line), "shape", MATHS - 2, "muted") if line else None
    blocks: list[Block] = [head] if below is None else [head, below]
    width = max(b.width for b in blocks) + 26.0
    height = sum(b.height for b in blocks) + 8.0 * (len(blocks) - 1) + 20.0
    box = Box(
        "gate", 0.0, -height / 2, width, height, 8.0, "parameter.fill", "parameter.line", LINE
    )
    items: list[Item] = [box]
    y = -height / 2 + 10.0
    for block in blocks:
        items += block.at((width - block.width) / 2, y)
        y += block.height + 8.0
    return Tile(tuple(items), width, height / 2, height / 2, height / 2)
