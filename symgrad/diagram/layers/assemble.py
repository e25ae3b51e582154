"""Make the groups of a scene of cards: frames of blocks, wires, stubs with labels, the frame."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil

from symgrad.diagram import measure
from symgrad.diagram.cards import DASH, Block, name_outline, text_block
from symgrad.diagram.compose import Options
from symgrad.diagram.layers.card import HEAD, STACK, Tile
from symgrad.diagram.layers.fold import Plan
from symgrad.diagram.layers.grid import AROUND, Grid
from symgrad.diagram.route import arrowhead
from symgrad.diagram.scene import Box, Group, Item, Label, Path, Point, Scene, extent, tagged
from symgrad.diagram.style import LINE, MARGIN, TITLE

NUMBER = 20.0  # em of shapes and gradients on the wires
SAYS = 19.0  # em of the line that says what is to be seen
GAP = 9.0  # between a label and its wire
FREE = 34.0  # the arrow behind an output
LEAST = 620.0  # width in which a legend is broken into lines


def label_block(latex: str | None, role: str, number: float | None = None) -> Block | None:
    """Typeset a label of a wire; a number that is none takes the warning colour."""
    if latex is None:
        return None
    odd = number is not None and number - number != 0
    block = text_block(measure.math(latex), role, NUMBER, "warning" if odd else role)
    asked = role == "gradient" or number is not None
    return replace(block, items=tagged(block.items, role)) if asked else block


def blocks(made: Plan, grid: Grid, tiles: Sequence[Tile]) -> list[Group]:
    """Draw a frame around every block that repeats, with the number of repeats."""
    groups = []
    members: dict[int, list[int]] = {}
    for k, piece in enumerate(made.pieces):
        if piece.block >= 0:
            members.setdefault(piece.block, []).append(k)
    for number, inside in members.items():
        left = min(grid.x[k] for k in inside) - AROUND
        right = max(grid.stub[k] for k in inside) + 3.0
        top = min(grid.y[k] - tiles[k].up for k in inside) - AROUND + 4.0
        bottom = max(grid.y[k] + tiles[k].down for k in inside) + AROUND
        outline = measure.plain(f"× {made.pieces[inside[0]].count}")
        x = right - 12.0 - outline.right * HEAD
        if x < max(grid.x[k] + tiles[k].width for k in inside) + 4.0:
            bottom += HEAD - 2.0  # below the cards where there is no room behind the last one
        width, height = right - left, bottom - top
        items: list[Item] = [
            Box("stack", left + d, top + d, width, height, 14.0, "gate.fill", "dead.line", 1.2)
            for d in (2 * STACK, STACK)
        ]
        items.append(
            Box("block", left, top, width, height, 14.0, "constant.fill", "constant.line", LINE)
        )
        count = made.pieces[inside[0]].count
        items.append(Label("title", outline, x, bottom - 9.0, HEAD, "text"))
        label = f"a block that repeats {count} times"
        groups.append(Group(f"b{number}", "block", label, tuple(items)))
    return groups


def measured(size: float) -> str:
    """Write a mean over many numbers with the digits that are the same with every BLAS.

    >>> measured(0.1 + 0.2)
    '0.3'
    """
    return f"{size:.9g}"


def wired(
    number: int, ends: tuple[str, str], items: tuple[Item, ...], size: float | None, pruned: bool
) -> Group:
    """Make the group of a wire; it is dashed where nobody asked for the gradient."""
    data = [("from", ends[0]), ("to", ends[1])]
    if size is not None:
        data.append(("gradient-rms", measured(size)))
    shown = tuple(_faded(item) for item in items) if pruned else items
    return Group(f"e{number}", "edge", f"edge from {ends[0]} to {ends[1]}", shown, tuple(data))


def _faded(item: Item) -> Item:
    if not isinstance(item, Path):
        return item
    if item.fill:
        return replace(item, fill="pruned")
    return replace(item, stroke="pruned", width=LINE, dash=DASH)


def stubbed(
    span: tuple[float, float, float],
    y: float,
    labels: tuple[Block | None, Block | None],
    stroke: tuple[str, float],
    pruned: bool,
) -> tuple[Item, ...]:
    """Draw a stub with the shape above and the gradient below, from the second x of `span` on."""
    line = Path("stub", (("M", (span[0], y)), ("L", (span[2], y))), stroke[0], "", stroke[1])
    items: tuple[Item, ...] = (_faded(line) if pruned else line,)
    middle = (span[1] + span[2]) / 2
    above, below = labels
    if above is not None:
        items += above.at(middle - above.width / 2, y - GAP - above.height)
    if below is not None:
        items += below.at(middle - below.width / 2, y + GAP)
    return items


def output(
    number: int, key: str, start: Point, stroke: tuple[str, float], pruned: bool, name: str
) -> Group:
    """Draw the free arrow behind an output, with its name at the tip."""
    x, y = start
    tip = x + FREE, y
    items: tuple[Item, ...] = (
        Path("edge", (("M", (x - 1.0, y)), ("L", (tip[0] - 8.0, y))), stroke[0], "", stroke[1]),
        arrowhead(tip, (1.0, 0.0), stroke[0], 1 + (stroke[1] - LINE) / 7),
    )
    if pruned:
        items = tuple(_faded(item) for item in items)
    if name:
        outline = name_outline(measure.shorten(name, 20))
        place = tip[0] + 8.0 - outline.left * NUMBER, y + 0.22 * NUMBER
        items += (Label("name", outline, *place, NUMBER, "text"),)
    return Group(f"o{number}", "output", f"output {key}", items, (("output", key),))


def framed(
    groups: Sequence[Group],
    options: Options,
    said: str,
    legend: Callable[[float], Block | None],
    notes: Sequence[str],
) -> Scene:
    """Put title and headline above, the legend below, and everything into the picture."""
    left, top, right, bottom = extent(item for group in groups for item in group.items)
    extra = []
    y = top - 26.0
    lines = [(options.title, "title", TITLE * 0.86), (said, "headline", SAYS)]
    shown = [line for line in lines if line[0]]
    for text, role, size in reversed(shown):
        outline = measure.plain(measure.shorten(text, 110))
        # Without a title the headline takes its place.
        kind = "title" if len(shown) == 1 else role
        drawn = "title" if kind == "title" else "note"
        part = "gradient" if role == "headline" else ""
        label = Label(drawn, outline, 0.0, 0.0, size, "text", part=part)
        extra.append(Group(role, kind, text, (label.moved(left - outline.left * size, y),)))
        y -= size + 10.0
    key = legend(max(LEAST, right - left))
    if key is not None:
        extra.append(Group("legend", "legend", "legend", key.at(left, bottom + 30.0)))
    everything = [*reversed(extra), *groups]
    left, top, right, bottom = extent(item for group in everything for item in group.items)
    dx, dy = MARGIN - left, MARGIN - top
    moved = tuple(
        replace(g, items=tuple(item.moved(dx, dy) for item in g.items)) for g in everything
    )
    told = ". ".join(t for t in (options.description, said, *notes) if t)
    return Scene(
        float(ceil(right - left + 2 * MARGIN)),
        float(ceil(bottom - top + 2 * MARGIN)),
        options.theme,
        moved,
        options.title or said,
        told,
        "symgrad",
    )
