r"""The words and numbers beside matrices: shapes, ranges, notes; and how blocks are stacked.

>>> shape_block((4, 2)).items[0].outline.text
'4{\\times}2'
"""

from symgrad.diagram import measure
from symgrad.diagram.cards import Block, text_block
from symgrad.diagram.scene import Item
from symgrad.formula.arrays import size

SHAPE = 15.0  # em of a shape
NOTE = 13.0  # em of words, whose x-height is large
FIGURE = 15.0  # em of numbers among words
STACK = 4.0  # between stacked blocks


def shape_block(shape: tuple[object, ...]) -> Block:
    """Typeset a shape: 4×2, N×H; a vector has one dimension."""
    parts = [str(d) if isinstance(d, int) else _side(str(d)) for d in shape]
    outline = measure.math(r"{\times}".join(parts))
    return text_block(outline, "shape", SHAPE, "value")


def _side(name: str) -> str:
    """Typeset a dimension beside others: N, (N - 1)."""
    return size(name, True) if name.isidentifier() else f"({size(name, True)})"


def words(text: str, colour: str, role: str = "note") -> Block:
    """Set plain words."""
    return text_block(measure.plain(text), role, NOTE, colour)


def figures(latex: str, colour: str, role: str = "range") -> Block:
    """Set a number or a short formula."""
    return text_block(measure.math(latex), role, FIGURE, colour)


def stacked(*blocks: Block | None, gap: float = STACK) -> Block:
    """Stack blocks, centred, the first on top."""
    shown = [b for b in blocks if b is not None]
    width = max(b.width for b in shown)
    items: list[Item] = []
    y = 0.0
    for block in shown:
        items += block.at((width - block.width) / 2, y)
        y += block.height + gap
    return Block(tuple(items), width, y - gap)


def beside(*blocks: Block | None, gap: float = 8.0) -> Block:
    """Put blocks side by side, their lower edges level."""
    shown = [b for b in blocks if b is not None]
    height = max(b.height for b in shown)
    items: list[Item] = []
    x = 0.0
    for block in shown:
        items += block.at(x, height - block.height)
        x += block.width + gap
    return Block(tuple(items), x - gap, height)


def spread(rows: list[tuple[Block, Block]], gap: float = 12.0, line: float = 18.0) -> Block:
    """Set rows of a word at the left and a number at the right."""
    width = max(a.width + b.width for a, b in rows) + gap
    items: list[Item] = []
    for k, (word, number) in enumerate(rows):
        bottom = (k + 1) * line - 3.0
        items += word.at(0.0, bottom - word.height)
        items += number.at(width - number.width, bottom - number.height)
    return Block(tuple(items), width, line * len(rows))
