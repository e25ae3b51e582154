"""Typeset mathematics and plain text into outlines whose size is known before the layout.

>>> two = math("2.00")
>>> round(two.width, 2), two.text
(1.67, '2.00')
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element, ParseError

EM = 1000  # outlines are integers in 1/1000 em: 0.02 px at the size of a number
TALL = 12.0  # a formula taller than this many em is a typesetting accident
BEARING = 30  # between a digit and a bracket
LONGEST = 40  # characters of a name that are drawn; data attributes keep the whole

Segment = tuple[str, tuple[int, ...]]
_LOCK = threading.Lock()  # ziamath has global configuration and caches without locks


@dataclass(frozen=True, slots=True)
class Outline:
    """Hold the outline of a typeset text and the box of its ink, in em, baseline at y = 0.

    `text` is what was typeset: LaTeX if `latex`, else plain characters.
    """

    text: str
    latex: bool
    path: tuple[Segment, ...]
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Give the width of the ink in em."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Give the height of the ink in em."""
        return self.bottom - self.top


@lru_cache(maxsize=8192)
def math(latex: str) -> Outline:
    """Typeset LaTeX mathematics; text that is no LaTeX is set as plain text."""
    try:
        with _LOCK:
            drawn = _typeset(latex)
        outline = _outline(latex, True, drawn)
    except _not_latex():
        return plain(latex)
    return outline if outline.path and outline.height < TALL else plain(latex)


@lru_cache(maxsize=1)
def _not_latex() -> tuple[type[Exception], ...]:
    """List what ziamath and its LaTeX parser raise on text that is no LaTeX."""
    from latex2mathml import exceptions

    own = tuple(c for c in vars(exceptions).values() if isinstance(c, type))
    return (AttributeError, LookupError, TypeError, ValueError, ParseError, *own)


@lru_cache(maxsize=8192)
def decimal(text: str) -> Outline:
    """Typeset a number such as 12.50 or {-}0.53 from its digits, far faster than as a formula.

    >>> decimal("{-}0.53").width == math("{-}0.53").width
    True
    """
    if text.startswith("(") and text.endswith(")"):
        return _bracketed(text)
    sign, digits = ("{-}", text[3:]) if text.startswith("{-}") else ("", text)
    if not digits or not set(digits) <= set("0123456789."):
        return math(text)
    head = math(sign + "0")
    zero = math("0")
    # Where the zero behind the sign begins, and how far each character moves the pen.
    pen = round((head.right - zero.right) * EM) if sign else 0
    segments = list(head.path[: len(head.path) - len(zero.path)])
    for c in digits:
        segments += [(k, _shifted(xs, pen)) for k, xs in math(c).path]
        pen += _advance(c)
    return _boxed(text, True, segments)


def _bracketed(text: str) -> Outline:
    """Put a number into brackets."""
    inner = decimal(text[1:-1])
    pen = _advance("(")
    behind = pen + round(inner.right * EM) + BEARING
    segments = list(math("(").path)
    segments += [(k, _shifted(xs, pen)) for k, xs in inner.path]
    segments += [(k, _shifted(xs, behind)) for k, xs in math(")").path]
    return _boxed(text, True, segments)


def _shifted(numbers: tuple[int, ...], dx: int) -> tuple[int, ...]:
    return tuple(v if i % 2 else v + dx for i, v in enumerate(numbers))


@lru_cache(maxsize=16)
def _advance(c: str) -> int:
    return round((math(f"0{c}0").right - math("00").right) * EM)


@lru_cache(maxsize=1024)
def plain(text: str) -> Outline:
    """Set plain text in the sans-serif face, letter by letter as it stands."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    with _LOCK:
        return _boxed(text, False, _face().line(shown))


class _Face:
    """Read single glyphs of a font; unlike ziafont, without its tables for whole scripts (1 s)."""

    def __init__(self, file: BinaryIO) -> None:
        from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

        font = TTFont(file, lazy=True)
        self.names, self.glyphs = font.getBestCmap(), font.getGlyphSet()
        self.scale = EM / font["head"].unitsPerEm

    def line(self, text: str) -> list[Segment]:
        """Outline a line of text."""
        from fontTools.pens.basePen import (  # type: ignore[import-untyped]
            decomposeQuadraticSegment,
        )
        from fontTools.pens.recordingPen import (  # type: ignore[import-untyped]
            DecomposingRecordingPen,
        )

        segments: list[Segment] = []
        pen = 0.0
        for c in text:
            glyph = self.glyphs[self.names.get(ord(c), ".notdef")]
            recording = DecomposingRecordingPen(self.glyphs)
            glyph.draw(recording)
            for verb, points in recording.value:
                if verb == "qCurveTo":
                    pieces = [("Q", piece) for piece in decomposeQuadraticSegment(points)]
                else:
                    pieces = [(_VERBS[verb], points)]
                segments += [(letter, self._scaled(piece, pen)) for letter, piece in pieces]
            pen += glyph.width
        return segments

    def _scaled(self, points: Sequence[tuple[float, float]], pen: float) -> tuple[int, ...]:
        return tuple(round(v * self.scale) for x, y in points for v in (x + pen, -y))


_VERBS = {"moveTo": "M", "lineTo": "L", "curveTo": "C", "closePath": "Z", "endPath": "Z"}


@lru_cache(maxsize=1)
def _face() -> _Face:
    # The face comes with ziafont, so that the picture is the same on every machine.
    return _Face(BytesIO((files("ziafont.fonts") / "DejaVuSans.ttf").read_bytes()))


def shorten(text: str, longest: int = LONGEST) -> str:
    """Cut a long text for display.

    >>> shorten("abcdefgh", 5)
    'abcd…'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _typeset(latex: str) -> Element:
    import ziamath

    before, ziamath.config.svg2 = ziamath.config.svg2, False
    try:
        element: Element = ziamath.Latex(latex, size=EM, inline=True).svgxml()
        return element
    finally:
        ziamath.config.svg2 = before


_TOKEN = re.compile(r"[A-Za-z]|-?[0-9.]+(?:e-?[0-9]+)?")


def _outline(text: str, latex: bool, drawn: Element) -> Outline:
    segments: list[Segment] = []
    for element in drawn.iter():
        if element.tag == "path":
            segments += _read_path(element.attrib["d"])
        elif element.tag == "rect":
            segments += _read_bar(element.attrib)
    return _boxed(text, latex, segments)


def _boxed(text: str, latex: bool, segments: list[Segment]) -> Outline:
    xs = [v for _, c in segments for v in c[0::2]] or [0]
    ys = [v for _, c in segments for v in c[1::2]] or [0]
    box = (min(xs) / EM, min(ys) / EM, max(xs) / EM, max(ys) / EM)
    return Outline(text, latex, tuple(segments), *box)


def _read_path(d: str) -> list[Segment]:
    segments: list[Segment] = []
    letter, numbers = "", []
    for token in [*_TOKEN.findall(d), "end"]:
        if not token[0].isalpha():
            numbers.append(round(float(token)))
            continue
        if letter and not (letter == "L" and segments[-1] == ("M", tuple(numbers))):
            segments.append((letter, tuple(numbers)))
        letter, numbers = token, []
    return segments


def _read_bar(rect: dict[str, Any]) -> list[Segment]:
    """Read the bar of a fraction, a root or an overline."""
    x, y = float(rect["x"]), float(rect["y"])
    right, bottom = round(x + float(rect["width"])), round(y + float(rect["height"]))
    left, top = round(x), round(y)
    corners = [("M", (left, top)), ("L", (right, top)), ("L", (right, bottom))]
    return [*corners, ("L", (left, bottom)), ("Z", ())]
