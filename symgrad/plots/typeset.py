"""Mathematics on a matplotlib figure, from the outlines that diagrams use too."""

from typing import TYPE_CHECKING, Any

from symgrad.diagram.measure import EM, Outline, math, plain, shorten
from symgrad.plots.picture import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCH = 72  # points
LONGEST = 100  # characters of a title
TEXT = "#1B1F24"
_CODES = {"M": 1, "L": 2, "Q": 3, "C": 4, "Z": 79}  # of matplotlib.path.Path


def outline(text: str, latex: bool = True) -> Outline:
    """Typeset LaTeX, or plain text."""
    return math(text) if latex else plain(text)


def width(drawn: Outline, size: float) -> float:
    """Give the width in inches of an outline set in `size` points."""
    return drawn.width * size / INCH


def put(
    figure: "Figure",
    drawn: Outline,
    place: tuple[float, float],
    size: float,
    colour: str,
    align: str = "left",
    weight: float = 0.15,
) -> None:
    """Put an outline on a figure: `place` in inches from the lower left, at the baseline."""
    from matplotlib.patches import PathPatch
    from matplotlib.transforms import Affine2D

    if not drawn.path:  # an empty text
        return
    shift = {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * width(drawn, size)
    scale = size / INCH / EM
    move = Affine2D().scale(scale, -scale)
    move.translate(place[0] - shift - drawn.left * size / INCH, place[1])
    patch = PathPatch(
        _path(drawn),
        facecolor=colour,
        edgecolor=colour,
        linewidth=weight,
        transform=move + figure.dpi_scale_trans,
        clip_on=False,
    )
    figure.add_artist(patch)


def _path(drawn: Outline) -> Any:
    from matplotlib.path import Path

    vertices: list[tuple[float, float]] = []
    codes: list[int] = []
    for letter, numbers in drawn.path:
        points = list(zip(numbers[0::2], numbers[1::2], strict=True)) or [(0, 0)]
        vertices += points
        codes += [_CODES[letter]] * len(points)
    return Path(vertices, codes)


def short(text: str) -> str:
    """Cut a label, and show what is no character on paper as such.

    >>> short("x" * 99)[-3:]
    'xx…'
    """
    return printable(shorten(text))


def heading(figure: "Figure", title: str, left: float, room: float) -> None:
    """Put the title of a figure above everything, smaller if it is long."""
    drawn = outline(shorten(title, LONGEST), False)
    size = min(13.0, 13.0 * room / max(width(drawn, 13), 1e-9))
    put(figure, drawn, (left, figure.get_size_inches()[1] - 0.34), size, TEXT, weight=0.4)


def fitted(
    candidates: list[str], room: float, size: float, least: float, tall: float = 9.0
) -> tuple[Outline, float]:
    """Choose the first formula that fits, at `least` points if need be.

    `room` is the width in inches and `tall` the height.

    >>> drawn, size = fitted(["f(x) = " + "x + " * 99 + "x", "f(x)"], 4.0, 12, 9)
    >>> drawn.text, size
    ('f(x)', 12)
    """
    for text in candidates:
        drawn = outline(text)
        fits = [room / max(drawn.width, 1e-9), tall / max(drawn.height, 1e-9)]
        size_here = min(size, *(f * INCH for f in fits))
        if size_here >= least and drawn.latex:
            return drawn, size_here
    drawn = outline(candidates[-1])
    return drawn, size
