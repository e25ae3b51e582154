"""Mathematics on a matplotlib figure, from the outlines that diagrams use too."""

from typing import TYPE_CHECKING, Any

from symgrad.diagram.measure import EM, Outline, math, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCH = 72  # points
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


def fitted(candidates: list[str], room: float, size: float, least: float) -> tuple[Outline, float]:
    """Choose the first formula that fits into `room` inches, at `least` points if need be.

    >>> drawn, size = fitted(["f(x) = " + "x + " * 99 + "x", "f(x)"], 4.0, 12, 9)
    >>> drawn.text, size
    ('f(x)', 12)
    """
    for text in candidates:
        drawn = outline(text)
        size_here = min(size, size * room / max(width(drawn, size), 1e-9))
        if size_here >= least and drawn.latex:
            return drawn, size_here
    drawn = outline(candidates[-1])
    return drawn, size
