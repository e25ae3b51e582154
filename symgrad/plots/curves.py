"""f and f′ side by side: one function with all that is known about it, or several to compare."""

import math
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from symgrad.arguments import called, checked
from symgrad.curve import THRESHOLD, Facts, Function, number, of_graph, of_operator, one_variable
from symgrad.errors import UsageError
from symgrad.formula import gradients
from symgrad.formula.latex import write
from symgrad.graph import Graph
from symgrad.ops import OPS, leaf, lookup, make
from symgrad.parse import filed, formula, parse
from symgrad.plots.figures import FIGURES, Comparison
from symgrad.plots.panel import MUTED, SLOPE, TEXT, VALUE, Line, draw, frame, heights, points, shade
from symgrad.plots.picture import Picture
from symgrad.plots.typeset import INCH, fitted, heading, outline, put, short, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Span = tuple[float, float]
SIZE = (9.0, 4.0)  # inches
LEFT, GAP, RIGHT, BOTTOM, TOP = 0.58, 0.75, 0.3, 0.62, 1.02
ROW, LONG = 0.2, 70  # the height of a second row of the key; so many characters fit into one row
PRIME = r"|$f\,'$|"
ROOM = 0.12  # of the panel, above or below a line that is named
HIGH = 0.47  # inches, of a formula above a panel
LETTER = re.compile(r"(?<!\w)[ab](?!\w)")  # of the rows' own language
# Colours that stay apart for every kind of colour vision (those of diagrams, then Okabe and Ito's),
# and dashes as well.
SERIES = (
    ("#1F5FA8", "solid"),
    ("#D1350F", (0, (6, 2))),
    ("#00796B", (0, (1.5, 1.2))),
    ("#CC79A7", (0, (6, 2, 1.5, 2))),
    ("#E69F00", (0, (9, 2.5))),
    ("#56B4E9", (0, (3, 1.2))),
    ("#1B1F24", (0, (6, 2, 1.5, 2, 1.5, 2))),
)
COMMON = 6.0  # the greatest half width where several functions are compared
REACH = (4.0, 10.0)  # the least and the greatest half width that is chosen by itself


def plot(sources: str | Sequence[str], span: Span | None = None) -> Picture:
    """Plot functions and their derivatives side by side.

    A source is an operator of one variable (`"gelu"`), a program of one scalar input
    (`"x**2*exp(-x)"`), or the name of a figure (`"margins"`, `"powers"`, `"exponentials"`). `span`
    is the range of the variable. The result is saved by `save("x.svg")`, `.png` or `.pdf`.

    >>> plot("sigmoid")
    <Picture: sigmoid and its derivative>
    """
    checked(plot, locals())
    listed = [sources] if isinstance(sources, str) else list(sources)
    for text in listed:
        if not isinstance(text, str):
            raise UsageError(f"a source is a text; given is {called(text)}", hint=filed.hint(text))
    span = None if span is None else _range(span)
    if len(listed) == 1 and listed[0] in FIGURES:
        return _comparison(FIGURES[listed[0]], span)
    lines = [_line(text) for text in listed]
    if not lines:
        raise UsageError("there is nothing to plot")
    if len(lines) == 1:
        return _single(lines[0], span or _span([lines[0].facts]))
    if len(lines) > len(SERIES):
        raise UsageError(f"{len(lines)} curves are too many for one picture",
                         hint=f"at most {len(SERIES)}")  # fmt: skip
    title = ", ".join(line.label for line in lines[:-1]) + f" and {lines[-1].label}"
    low, high = _span([line.facts for line in lines])
    return _several(lines, span or (max(low, -COMMON), min(high, COMMON)), title)


def _range(span: Any) -> Span:
    """Read the range of the variable: two numbers, the lower one first."""
    try:
        low, high = (float(v) for v in span)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"the range is two numbers, (low, high); given is {called(span)}"
                         ) from None  # fmt: skip
    if not (low < high and math.isfinite(low) and math.isfinite(high)):
        raise UsageError(f"the range {low:g} to {high:g} is empty")
    return low, high


def _line(text: str) -> Line:
    row = lookup(text.strip())
    if row is not None:
        if not one_variable(row):
            raise UsageError(
                f"'{text.strip()}' is not an operator of one variable",
                hint="plot a program of one scalar input, such as x**2*exp(-x)",
            )
        return Line(of_operator(row.name), row.name)
    name = text.strip()
    near = get_close_matches(name, [*OPS, *FIGURES], 1) if name.isidentifier() else []
    if near:
        raise UsageError(f"there is no function '{name}'", hint=f"did you mean '{near[0]}'?")
    function = of_graph(parse(text))
    lines = [part.strip() for part in text.strip().splitlines()]
    return Line(function, lines[-1] if lines else "")


def _span(found: Sequence[Facts]) -> Span:
    """Choose the range: what is special about the functions, and a margin."""
    special = [4.0 / 1.25]
    for f in found:
        ends = [e for i in f.saturated for e in (i.low, i.high) if math.isfinite(e)]
        places = [
            *(b.at for b in (*f.kinks, *f.jumps)),
            *(x for x, _ in (*f.minima, *f.maxima)),
            *ends,
        ]
        near = [abs(x) for x in places if abs(x) <= REACH[1] / 1.25]
        special += near if len(places) < 9 else sorted(near)[:4]
    half = float(min(REACH[1], math.ceil(1.25 * max(special))))
    low = min((d.low for f in found for d in f.domain), default=-math.inf)
    high = max((d.high for f in found for d in f.domain), default=math.inf)
    cut = half / 8  # of the part where nothing is defined
    return max(-half, low - cut), min(half, high + cut)


# -- formulas --------------------------------------------------------------------------------


def _texts(function: Function) -> tuple[list[str], list[str]]:
    """Write candidates for the titles of f and f′, the most telling first."""
    name = function.variable.attrs["name"]
    f, slope = rf"f({name})", rf"f'({name})"
    graph, settings = _lettered(function)
    whole = write(graph.output, {})
    inner = formula(graph.output) if function.row else None
    meant = write(inner, {}) if inner is not None else ""
    values = [f"{f} = {whole} = {meant}"] if meant and meant != whole else []
    values += [f"{f} = {t}" for t in (meant, whole) if t] + [f]
    values[:-1] = [text + settings for text in values[:-1]]
    found = gradients(graph, name)[name]
    return list(map(_short, values)), [_short(f"{slope} = {write(found.node, {})}"), slope]


def _lettered(function: Function) -> tuple[Graph, str]:
    """Put letters for operands that have defaults, and say their values: swish(x, β), β = 1."""
    row = function.row
    if row is None or not row.defaults:
        return function.graph, ""
    letters = [leaf(name) for name in row.operands[-len(row.defaults) :]]
    node = make(row.name, function.variable, *letters)
    values = ",\\; ".join(
        f"{write(letter, {})} = {value}"
        for letter, value in zip(letters, row.defaults, strict=True)
    )
    return Graph.of([node], names={}), rf",\quad {values}"


def _short(latex: str) -> str:
    """Cut long decimal fractions to four places, which is enough for a title."""
    return re.sub(r"\d+\.\d{5,}", lambda m: f"{float(m[0]):.4f}", latex)


# -- pictures --------------------------------------------------------------------------------


def _panels(figure: "Figure", bottom: float = BOTTOM) -> "tuple[Axes, Axes, float]":
    """Make the two panels; return them and their width in inches."""
    across, high = figure.get_size_inches()
    room = (across - LEFT - GAP - RIGHT) / 2
    boxes = [
        (x / across, bottom / high, room / across, (high - bottom - TOP) / high)
        for x in (LEFT, LEFT + room + GAP)
    ]
    left, right = (figure.add_axes(box) for box in boxes)
    return left, right, room


def _single(line: Line, span: Span) -> Picture:
    title = f"{line.label} and its derivative"
    return Picture(lambda figure: _draw_single(figure, line, span), SIZE, title)


def _draw_single(figure: "Figure", line: Line, span: Span) -> None:
    found = line.facts
    left, right, room = _panels(figure)
    titles = [
        fitted(texts, room, 14, least, HIGH)
        for texts, least in zip(_texts(line.function), (10, 9), strict=True)
    ]
    size = min(size for _, size in titles)
    for k, (axes, colour) in enumerate(((left, VALUE), (right, SLOPE))):
        here = Line(line.function, line.label, colour=colour)
        here.facts = found
        _, y = points(here, span, bool(k))
        frame(axes, span, heights([y], span))
        if k:
            _steepest(axes, line, span)
        shade(axes, found, span)
        draw(axes, here, span, bool(k))
        drawn, at = titles[k][0], LEFT + k * (room + GAP)
        base = max(0.22, 0.1 + drawn.bottom * size / INCH)
        put(figure, drawn, (at, SIZE[1] - TOP + base), size, colour)
        _variable(figure, line.function, at + room)
    row = line.function.row
    if row:
        called = outline(line.label, False)
        put(figure, called, (LEFT, SIZE[1] - 0.34), 14, TEXT, weight=0.5)
        if not LETTER.search(row.doc):
            behind = LEFT + width(called, 14) + 0.18
            put(figure, outline(row.doc, False), (behind, SIZE[1] - 0.34), 9.5, MUTED)
    _key(figure, found, span)


def _variable(figure: "Figure", function: Function, right: float, bottom: float = BOTTOM) -> None:
    """Name the variable at the end of its axis."""
    name = write(function.variable, {})
    put(figure, outline(name), (right + 0.14, bottom - 0.19), 11, MUTED)


def _steepest(axes: "Axes", line: Line, span: Span) -> None:
    """Mark the largest |f′|, and name it on the side of the line where no curve can be."""
    size, _ = line.facts.steepest
    low, high = axes.get_ylim()
    levels = [v for v in (size, -size) if low < v < high]
    if math.isinf(size) or size == 0 or not levels:
        return
    for level in levels:
        axes.axhline(level, color=SLOPE, linewidth=0.9, linestyle=(0, (2, 2)), zorder=2)
    up = levels[0] > 0
    room = ROOM * (high - low)
    axes.set_ylim(low if up else min(low, -size - room), max(high, size + room) if up else high)
    axes.annotate(
        f"max {PRIME} = {number(size)}",
        (span[1], levels[0]),
        xytext=(-3, 3 if up else -4),
        textcoords="offset points",
        ha="right",
        va="bottom" if up else "top",
        color=MUTED,
        fontsize=9,
        zorder=2.5,
    )


def _key(figure: "Figure", found: Facts, span: Span) -> None:
    """Say below the panels what shading, rings and dots mean, where there are any."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from symgrad.plots.panel import AXIS, SHADE

    handles: list[Line2D | Patch] = []
    if any(i.low < span[1] and i.high > span[0] for i in found.saturated):
        label = f"saturated: {PRIME} < {number(THRESHOLD)}"
        handles.append(Patch(facecolor=SHADE, edgecolor=AXIS, linewidth=0.5, label=label))
    broken = [b for b in (*found.kinks, *found.jumps) if span[0] < b.at < span[1]]
    if broken:
        style: dict[str, Any] = {
            "linestyle": "none",
            "marker": "o",
            "color": MUTED,
            "markersize": 5.5,
        }
        handles.append(Line2D([], [], label="the value that is taken", **style))
        handles.append(Line2D([], [], label="one-sided value", markerfacecolor="white",
                              markeredgewidth=1.4, **style))  # fmt: skip
    _legend(figure, handles, 9, handle=1.8)


def _legend(
    figure: "Figure",
    handles: "Sequence[object]",
    size: float,
    columns: int = 3,
    handle: float = 3.0,
    literal: bool = False,
) -> None:
    if not handles:
        return
    key = figure.legend(handles=list(handles), loc="lower left",
                        bbox_to_anchor=(LEFT / SIZE[0], 0.012), borderaxespad=0, borderpad=0,
                        ncols=columns, frameon=False, fontsize=size, labelcolor=TEXT,
                        handlelength=handle, columnspacing=2.2)  # fmt: skip
    for text in key.get_texts():
        text.set_parse_math(not literal)  # what a user typed is no mathematics


def _comparison(figure: Comparison, span: Span | None) -> Picture:
    lines = [Line(of_graph(parse(text)), label) for label, text in figure.programs.items()]
    return _several(lines, span or figure.span, figure.title, figure)


def _several(lines: list[Line], span: Span, title: str, given: Comparison | None = None) -> Picture:
    for line, (colour, dash) in zip(lines, SERIES, strict=False):
        line.colour, line.dash = colour, dash
    return Picture(lambda figure: _draw_several(figure, lines, span, title, given), SIZE, title)


def _draw_several(
    figure: "Figure", lines: list[Line], span: Span, title: str, given: Comparison | None
) -> None:
    from matplotlib.lines import Line2D

    rows = 1 + (sum(len(short(line.label)) for line in lines) > LONG)
    bottom = BOTTOM + ROW * (rows - 1)
    left, right, room = _panels(figure, bottom)
    heads = given.heads if given else (r"f", r"f'")
    for k, axes in enumerate((left, right)):
        curves = [points(line, span, bool(k))[1] for line in lines]
        frame(axes, span, given.heights[k] if given else heights(curves, span))
        for line in lines:
            draw(axes, line, span, bool(k))
        at = LEFT + k * (room + GAP)
        put(figure, outline(heads[k]), (at, SIZE[1] - TOP + 0.16), 13, TEXT)
        _variable(figure, lines[0].function, at + room, bottom)
    heading(figure, title, LEFT, SIZE[0] - LEFT - RIGHT)
    handles = [
        Line2D([], [], color=n.colour, linestyle=n.dash, linewidth=2.2, label=short(n.label))
        for n in lines
    ]
    _legend(figure, handles, 9.5, math.ceil(len(handles) / rows), literal=True)
