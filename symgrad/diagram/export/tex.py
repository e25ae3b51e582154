"""LaTeX: one beamer frame with one TikZ picture, its steps as overlays, captions set by LaTeX."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from symgrad.diagram import measure
from symgrad.diagram.measure import shorten
from symgrad.diagram.scene import Frame, Group, Scene, extent
from symgrad.diagram.slides.runs import clean
from symgrad.diagram.tikz.drawing import Pen
from symgrad.diagram.tikz.text import escape, formula

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

LONGEST = 110  # characters of a title
NOTES = 2000
LINE = 58  # characters of a title that fit on a line
WORD = 24  # characters of a word that are kept together
WIDTH, HEIGHT = 15.0, 9.0  # centimetres of a 16:9 frame of beamer between its margins
ROW, BETWEEN = 40.0, 2.0  # em of a row of equations, and from one to the next
SLIM = 0.8  # points that a pixel of a small diagram has at most
SMALL = 0.76  # of captions beside a diagram that needs the height
ROOM = 2.0  # pixels around the diagram
POINTS = 28.45  # to the centimetre
FIT = r"""\providecommand\sgfit[1]{{\sbox0{$\displaystyle #1$}%
  \ifdim\wd0>\textwidth\resizebox{\textwidth}{!}{\usebox0}\else\usebox0\fi}\par\smallskip}"""
PREAMBLE = r"""% Compile with pdflatex; needs beamer and TikZ, nothing else.
\documentclass[aspectratio=169]{beamer}
\usefonttheme{professionalfonts}
\usepackage{tikz}
\setbeamersize{text margin left=5mm,text margin right=5mm}
\setbeamertemplate{navigation symbols}{}
% \setbeameroption{show notes on second screen=right}"""
LOOK = r"""\setbeamercolor{background canvas}{bg=sgbackground}
\setbeamercolor{normal text}{fg=sgtext}
\setbeamercolor{frametitle}{fg=sgtext}
\setbeamercolor{framesubtitle}{fg=sgmuted}
\begin{document}"""
FRAGMENT = r"""% A frame to \input into a beamer document, whose preamble needs
%   \usepackage{tikz}
%   \usefonttheme{professionalfonts}"""


def export(diagram: "Diagram", *, fragment: bool = False) -> bytes:
    """Write a diagram as LaTeX: a whole document, or with `fragment` the frame alone."""
    return render(diagram.scene, not fragment).encode()


def render(scene: Scene, standalone: bool = True) -> str:
    """Write a scene as a beamer frame."""
    drawn = closed_up(scene.groups)
    left, top, right, bottom = extent(item for group in drawn for item in group.items)
    width, height = right - left + 2 * ROOM, bottom - top + 2 * ROOM
    pen = Pen(left - ROOM, top - ROOM, max(width, height), scene.count)
    picture = [line for group in drawn for line in pen.group(group)]
    captions = [rows(frame.caption) for frame in scene.frames]
    band = max((_height(lines) for lines in captions), default=0.0)
    free = HEIGHT - _headed(scene)
    small = band > 0 and _tall(width, height, free - _under(band))
    band *= SMALL if small else 1.0
    free -= _under(band)
    corner = f"({width * pen.scale:.1f},{height * pen.scale:.1f})"
    body = [
        *_titles(scene),
        r"\centering",
        rf"\resizebox{_size(width, height, free)}{{%",
        r"\begin{tikzpicture}[x=1pt,y=-1pt,every node/.style={anchor=base,inner sep=0pt,",
        r"  outer sep=0pt,font=\fontsize{10}{12}\selectfont}]",
        rf"\useasboundingbox (0,0) rectangle {corner};",
        *picture,
        r"\end{tikzpicture}}\par",
        *_captions(captions, band, small),
        *_notes(scene.frames),
    ]
    frame = [r"\begin{frame}", *("  " + line for line in body), r"\end{frame}"]
    for role in ("background", "text", "muted"):
        pen.colour(role)
    for line in (line for lines in captions for row in lines for line in row):
        for role in re.findall(r"\\textcolor\{([^{}]*)\}", line):
            pen.colour(role)
    top_lines = [*_colours(scene, pen), FIT]
    if standalone:
        return "\n".join([PREAMBLE, *top_lines, LOOK, *frame, r"\end{document}", ""])
    return "\n".join([FRAGMENT, *top_lines, *frame, ""])


def closed_up(groups: Sequence[Group]) -> list[Group]:
    """Leave title and captions to LaTeX, and move up what stands below the captions."""
    captions = [item for group in groups if group.role == "caption" for item in group.items]
    _, top, _, bottom = extent(captions)
    found = []
    for group in groups:
        if group.role in ("title", "caption"):
            continue
        if captions and extent(group.items)[1] >= top:
            group = replace(group, items=tuple(i.moved(0.0, top - bottom) for i in group.items))
        found.append(group)
    return found


def _colours(scene: Scene, pen: Pen) -> list[str]:
    """Define the colours; what the theme does not know is written like text."""
    known = scene.theme.colours
    found = []
    for name, role in sorted(pen.colours.items()):
        literal = role if re.fullmatch("#[0-9A-Fa-f]{6}", role) else known.get(role, known["text"])
        found.append(rf"\definecolor{{{name}}}{{HTML}}{{{literal[1:].upper()}}}")
    return found


def _titles(scene: Scene) -> list[str]:
    """Write the diagram's title, and below it those of the frames, or these in its place."""
    title = _shown(_common(scene))
    lines = [rf"\frametitle{{{title}}}"] if title else []
    command = "framesubtitle" if title else "frametitle"
    for k, frame in enumerate(scene.frames, 1):
        # Every frame has its title, so that beamer makes a page of each.
        lines.append(rf"\{command}<{k}>{{{_shown(frame.title) or '~'}}}")
    return lines


def _common(scene: Scene) -> str:
    """Give the title that all frames share; none if they say it themselves."""
    said = any(frame.title.startswith(scene.title) for frame in scene.frames)
    return "" if said else scene.title


def _shown(text: str, longest: int = LONGEST) -> str:
    """Write a line of text; a very long word may be broken anywhere."""
    words = clean(shorten(text, longest)).split(" ")
    pieces = ([w[k : k + WORD] for k in range(0, len(w), WORD)] or [""] for w in words)
    return " ".join(r"\allowbreak{}".join(map(escape, piece)) for piece in pieces)


def _size(width: float, height: float, free: float) -> str:
    """Give the diagram the width of the page, or what the caption leaves of its height."""
    if _tall(width, height, free):
        return rf"{{!}}{{{free / HEIGHT:.3f}\paperheight}}"
    wide = min(WIDTH, width * SLIM / POINTS)
    return rf"{{{wide / WIDTH:.3f}\textwidth}}{{!}}"


def _headed(scene: Scene) -> float:
    """Give the height in centimetres that titles need."""
    above = _common(scene)
    longest = max((len(f.title) for f in scene.frames), default=0) if not above else len(above)
    return 1.3 + 0.6 * (min(longest, LONGEST) > LINE)


def _under(band: float) -> float:
    """Give the height in centimetres that captions take, with the gap above them."""
    return band + (0.5 if band else 0.0)


def _tall(width: float, height: float, free: float) -> bool:
    """Say whether a diagram as wide as the page would be too high for it."""
    return min(WIDTH, width * SLIM / POINTS) * height / width > free


def rows(caption: tuple[str, ...]) -> list[list[str]]:
    r"""Set short equations side by side, others below each other.

    >>> rows((r"a = \frac{b}{c}", "d = e"))
    [['a = \\frac{b}{c}', 'd = e']]
    """
    made: list[list[str]] = []
    room = 0.0
    for line in caption:
        size = measure.math(re.sub(r"\\textcolor\{[^{}]*\}", "", line)).width + BETWEEN
        if made and room >= size:
            made[-1].append(line)
            room -= size
        else:
            made.append([line])
            room = ROW - size
    return made


def _height(lines: list[list[str]]) -> float:
    """Estimate how many centimetres rows of equations need."""
    return min(sum(_high(" ".join(row)) for row in lines), 0.55 * HEIGHT)


def _high(row: str) -> float:
    """Estimate the height of a row of equations, in centimetres; measured in 11 points."""
    high = 1.27 if "frac" in row else 0.75
    high += 0.4 if r"\frac{\dfrac" in row else 0.0
    braced = "brace" in row
    return high + 0.5 * braced + 0.15 * (braced and r"\sum_" in row)


def _captions(captions: list[list[list[str]]], band: float, small: bool) -> list[str]:
    """Write the captions into an area of constant height, so that nothing jumps."""
    if not band:
        return []
    lines = [r"\bigskip", rf"\begin{{overlayarea}}{{\textwidth}}{{{band:.2f}cm}}\centering"]
    lines += [r"\footnotesize"] if small else []
    for k, equations in enumerate(captions, 1):
        for row in equations:
            joined = r" \qquad ".join(formula(equation) for equation in row)
            lines.append(rf"\only<{k}>{{\sgfit{{{joined}}}}}%")
    return [*lines, r"\end{overlayarea}"]


def _notes(frames: tuple[Frame, ...]) -> list[str]:
    found = []
    for k, frame in enumerate(frames, 1):
        if frame.notes:
            found.append(rf"\note<{k}>{{{_shown(frame.notes, NOTES)}}}")
    return found
