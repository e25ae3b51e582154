"""Captions as rows of pieces: each typeset by itself, in one colour, numbers exchangeable."""

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.diagram import measure
from symgrad.diagram.measure import Outline
from symgrad.diagram.scene import Item, Label, Path, extent
from symgrad.diagram.style import NUMBER

SPACE, TIGHT = 9.0, 2.0  # between pieces, and between those that belong together
BESIDE = 56.0  # between equations of one line
BELOW = 22.0  # between lines
WIDEST = 70.0  # of the usual numbers, with brackets
WORD = 14.0  # em of "local" and "upstream"


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold a piece of an equation: LaTeX in one colour, a number's part, a word under a brace."""

    latex: str
    colour: str = "text"
    part: str = ""
    word: str = ""
    tight: bool = False  # no space before it

    @property
    def outline(self) -> Outline:
        """Typeset the piece."""
        return measure.decimal(self.latex) if self.part else measure.math(self.latex)

    @property
    def width(self) -> float:
        """Give the width in pixels, with the word below it."""
        word = measure.plain(self.word).width * WORD if self.word else 0.0
        return max(self.outline.width * NUMBER, word)


Equation = tuple[Piece, ...]


def written(equation: Equation) -> str:
    r"""Write an equation as one line of LaTeX.

    >>> written((Piece("a", word="local"), Piece(r"\cdot"), Piece("2", "gradient")))
    '\\underbrace{a}_{\\text{local}} \\cdot \\textcolor{gradient}{2}'
    """
    parts = []
    for piece in equation:
        text = piece.latex
        if piece.colour != "text":
            text = rf"\textcolor{{{piece.colour}}}{{{text}}}"
        if piece.word:
            text = rf"\underbrace{{{text}}}_{{\text{{{piece.word}}}}}"
        parts.append(text)
    return " ".join(parts)


def row(equation: Equation) -> tuple[tuple[Item, ...], float]:
    """Lay an equation out from x = 0 on the baseline y = 0; give its items and its width."""
    items: list[Item] = []
    x = 0.0
    for k, piece in enumerate(equation):
        outline, width = piece.outline, piece.width
        x += (TIGHT if piece.tight else SPACE) if k else 0.0
        left = x + (width - outline.width * NUMBER) / 2 - outline.left * NUMBER
        colour = "warning" if piece.part and _odd(piece.latex) else piece.colour
        label = Label("caption", outline, left, 0.0, NUMBER, colour, part=piece.part)
        items.append(label)
        x += width
        if piece.word:
            items += _braced(label, piece.word)
    return tuple(items), x


def _odd(latex: str) -> bool:
    """Say whether a number is no number, as the wires say it by their colour."""
    return "infty" in latex or "NaN" in latex


def _braced(label: Label, word: str) -> tuple[Item, ...]:
    """Draw a brace under a piece and a word under the brace."""
    left, _, right, bottom = label.extent()
    middle, y = (left + right) / 2, bottom + 5.0
    left, right = min(left, middle - 11), max(right, middle + 11)
    brace = Path(
        "brace",
        (
            ("M", (left, y)),
            ("C", (left, y + 6, middle, y + 1, middle, y + 7)),
            ("C", (middle, y + 1, right, y + 6, right, y)),
        ),
        "muted",
        "",
        1.2,
    )
    outline = measure.plain(word)
    x = middle - (outline.left + outline.right) / 2 * WORD
    return brace, Label("word", outline, x, y + 8 + 0.76 * WORD, WORD, "muted")


def stacked(equations: Sequence[Equation], width: float) -> tuple[Item, ...]:
    """Set equations side by side while they fit into a width, then below each other.

    The origin is the middle of the upper edge.
    """
    lines: list[list[tuple[tuple[Item, ...], float]]] = []
    room = 0.0
    for equation in equations:
        # Where lines break must not depend on the numbers, which a page may change.
        spare = sum(max(0.0, WIDEST - p.width) for p in equation if p.part)
        items, wide = row(equation)
        if lines and wide + spare <= room:
            lines[-1].append((items, wide))
            room -= wide + spare + BESIDE
        else:
            lines.append([(items, wide)])
            room = width - wide - spare - BESIDE
    placed: list[Item] = []
    top = 0.0
    for line in lines:
        x = -(sum(w for _, w in line) + BESIDE * (len(line) - 1)) / 2
        set_items: list[Item] = []
        for items, wide in line:
            set_items += (item.moved(x, 0.0) for item in items)
            x += wide + BESIDE
        _, above, _, below = extent(set_items)
        placed += (item.moved(0.0, top - above) for item in set_items)
        top += below - above + BELOW
    return tuple(placed)
