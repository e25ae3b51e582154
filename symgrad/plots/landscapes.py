"""A loss along one direction or over two, as a picture."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.arguments import checked
from symgrad.curve import number
from symgrad.errors import UsageError
from symgrad.formula.names import latex_name
from symgrad.graph import Graph
from symgrad.plots.directions import Span
from symgrad.plots.panel import MUTED, SLOPE, TEXT, VALUE, frame
from symgrad.plots.picture import Picture, matplotlib
from symgrad.plots.relief import BESIDE, SQUARE, contours, surface
from symgrad.plots.section import HUGE, Section, section
from symgrad.plots.typeset import fitted, heading, outline, put, short, width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = ("both", "contour", "surface")
SIZE = (9.0, 4.6)  # inches
LEFT, RIGHT, TOP = 0.78, 0.42, 1.02
BOTTOM = (0.78, 0.95)  # with one row of the key, and with two
KEY = 0.43  # from the axis down to the key
LISTED = 6  # so many parameters are named in the formula
STEEP = 6.0  # a curve is cut where it is so many times higher than four fifths of it are
ROW = 115  # characters of a row of the key
FAINT = "#9CCBC5"  # of single samples
SIDE = 0.3  # of the range: how far the tangent reaches on both sides


class Landscape(Picture):
    """Hold a picture of a loss, and in `section` the numbers behind it."""

    def __init__(self, found: Section, kind: str, title: str):
        self.section = found
        one = len(found.directions) == 1
        size = SIZE if one else BESIDE if kind == "both" else SQUARE
        default = f"{found.loss.name} {'along one direction' if one else 'over two directions'}"
        super().__init__(lambda figure: _draw(figure, self, kind), size, title or default)


def landscape(
    source: str | Graph,
    at: Mapping[str, Any],
    along: str | Iterable[str] | None = None,
    *,
    directions: int = 1,
    direction: Any = "auto",
    towards: Any = None,
    span: float | Span | None = None,
    points: int | None = None,
    seed: int = 0,
    kind: str = "both",
    title: str = "",
) -> Landscape:
    """Draw a loss where its parameters are W + αD, or W + αD + βE, around a point W.

    - `at`: every input by name. A value with one more leading axis than declared is a list of
      samples: their mean is drawn, and along one direction their standard deviation.
    - `along`: the inputs that are moved; all parameters if left out.
    - `direction`: "random" (each parameter moved by its own norm, as in Li et al. 2018),
      "gradient" (the negative one), "axes" (the parameters are one number, or two), arrays by name
      (then D is these), or a list of two of them. "auto" is "axes" where that is possible, else
      "random". A second direction that is not said is random.
    - `towards`: arrays by name: a second point, reached at α = 1, as in Goodfellow et al. 2015; or
      a list of two such points.
    - `span`: the range of α: −span … span, or a pair; `points`: how many for each direction.
    - `kind`: for two directions "contour", "surface" or "both".

    The tangent (one direction) and the arrow (two: the negative gradient, projected on the plane)
    are computed by backpropagation. The numbers are in `section`. Raises `UsageError`,
    `DataError`, `ShapeError`, `LimitError`, and `NotDifferentiableError` if the output is no
    scalar.

    >>> drawn = landscape("w: param; loss = (w*x - 1)**2", {"w": 2, "x": 1})
    >>> drawn, drawn.section.slopes
    (<Picture: loss along one direction>, (2.0,))
    """
    checked(landscape, {"directions": directions, "kind": kind, "title": title})
    if kind not in KINDS:
        raise UsageError(f"kind={str(kind)[:40]!r} is not known", hint=f"one of {', '.join(KINDS)}")
    matplotlib()
    found = section(source, at, along, directions=directions, direction=direction,
                    towards=towards, span=span, points=points, seed=seed)  # fmt: skip
    return Landscape(found, kind, str(title))


def _draw(figure: "Figure", drawn: Landscape, kind: str) -> None:
    found = drawn.section
    across, high = figure.get_size_inches()
    heading(figure, drawn.title, LEFT, across - LEFT - RIGHT)
    formulas = _formulas(found)
    text, size = fitted(formulas, across - LEFT - RIGHT, 14, 9, 0.3)
    put(figure, text, (LEFT, high - 0.72), size, VALUE)
    said = _said(found)
    if said:
        behind = LEFT + width(text, size) + 0.3
        note = outline(said, False)
        if behind + width(note, 9.5) < across - RIGHT / 2:
            put(figure, note, (behind, high - 0.72), 9.5, MUTED)
    if len(found.directions) == 1:
        _curve(figure, found)
    elif kind == "both":
        contours(figure, found, (0.0, 0.0, across / 2, high - 0.85))
        surface(figure, found, (across / 2, 0.0, across / 2, high - 0.85))
    else:
        {"contour": contours, "surface": surface}[kind](
            figure, found, (0.0, 0.0, across, high - 0.85)
        )


def _formulas(found: Section) -> list[str]:
    """Write what is drawn, the most telling first: loss(W + αD)."""
    loss = latex_name(found.loss.name)
    names = [latex_name(name) for name in found.loss.start]
    steps = [rf"{d.letter} {'DE'[k]}" for k, d in enumerate(found.directions)]
    if found.directions[0].said == "":
        names = [d.letter for d in found.directions]
        formula = rf"{loss}({', '.join(names)})"
    else:
        whole = names[0] if len(names) == 1 else r"\theta"
        formula = rf"{loss}({whole} + {' + '.join(steps)})"
    if found.loss.count > 1:
        formula = rf"\overline{{{formula}}}"
    listed = ", ".join(names)
    longer = rf"{formula},\quad \theta = ({listed})"
    told = r"\theta" in formula and len(names) <= LISTED
    return [longer, formula, loss] if told else [formula, loss]


def _said(found: Section) -> str:
    said = [d.said for d in found.directions if d.said]
    parts = [f"{'DE'[k]}: {text}" for k, text in enumerate(said)]
    if len(said) == 2 and said[0] == said[1]:
        parts = [f"D, E: {said[0]}"]
    if found.loss.count > 1 and len(found.directions) == 2:
        parts.append(f"mean of {found.loss.count} samples")
    return ";  ".join(parts)


# -- one direction ---------------------------------------------------------------------------


def _limits(found: Section) -> Span:
    """Choose the limits of the axis: all values, unless the ends leave for infinity."""
    band = found.deviation if found.loss.count > 1 else np.zeros(1)
    values = np.concatenate([(found.values - band).ravel(), (found.values + band).ravel()])
    values = values[np.abs(values) < HUGE]
    if not len(values):
        return -1.0, 1.0
    low, high = float(values.min()), float(values.max())
    usual = low + STEEP * (float(np.quantile(values, 0.8)) - low)
    if usual > low:
        high = min(high, usual)
    if 0 <= low < 0.4 * high:
        low = 0.0
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    margin = 0.07 * (high - low)
    return low - margin, high + margin


def _curve(figure: "Figure", found: Section) -> None:
    across, high = figure.get_size_inches()
    room, bottom = across - LEFT - RIGHT, BOTTOM[found.loss.count > 1]
    axes = figure.add_axes((LEFT / across, bottom / high, room / across,
                            (high - bottom - TOP) / high))  # fmt: skip
    d = found.directions[0]
    x = d.origin + found.alphas[0]
    frame(axes, (float(x[0]), float(x[-1])), _limits(found))
    put(figure, outline(d.letter), (LEFT + room + 0.14, bottom - 0.19), 12, MUTED)
    handles = _lines(axes, found, x) + _marks(axes, found)
    one_row = sum(len(h.get_label()) + 6 for h in handles) < ROW
    figure.legend(handles=handles, loc="upper left",
                  bbox_to_anchor=(LEFT / across, (bottom - KEY) / high),
                  borderaxespad=0, borderpad=0, ncols=len(handles) if one_row else 3,
                  frameon=False, fontsize=9.5,
                  labelcolor=TEXT, handlelength=2.4, columnspacing=2.2)  # fmt: skip


def _lines(axes: "Axes", found: Section, x: Any) -> list[Any]:
    """Draw the mean, the band of a standard deviation and the samples; return the key."""
    from matplotlib.lines import Line2D

    values = np.where(np.abs(found.values) < HUGE, found.values, np.nan)
    axes.plot(x, values, color=VALUE, linewidth=2.4, zorder=3)
    if found.loss.count == 1:
        handles: list[Any] = [
            Line2D([], [], color=VALUE, linewidth=2.4, label=short(found.loss.name))
        ]
    else:
        mean = f"mean of {found.loss.count} samples"
        handles = [Line2D([], [], color=VALUE, linewidth=2.4, label=mean)]
        low, high = values - found.deviation, values + found.deviation
        handles.append(axes.fill_between(x, low, high, color=VALUE, alpha=0.13, linewidth=0,
                                         zorder=1.7, label="± one standard deviation"))  # fmt: skip
        shown = np.where(np.abs(found.single) < HUGE, found.single, np.nan)
        axes.plot(x, shown.T, color=FAINT, linewidth=0.7, zorder=2)
        some = "single samples" if len(shown) == found.loss.count else f"{len(shown)} of them"
        handles.append(Line2D([], [], color=FAINT, linewidth=0.9, label=some))
    if found.gaps:
        handles.append(Line2D([], [], linestyle="none", label=f"{found.gaps} of {values.size} "
                              "values are not finite: left out"))  # fmt: skip
    return handles


def _marks(axes: "Axes", found: Section) -> list[Any]:
    """Draw the point, the tangent at it and the second point; return the key."""
    from matplotlib.lines import Line2D

    d, slope = found.directions[0], found.slopes[0]
    handles: list[Any] = []
    if not abs(found.here) < HUGE:
        return handles
    dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 8, "color": TEXT,
                           "zorder": 5, "markeredgecolor": "white"}  # fmt: skip
    axes.plot([d.origin], [found.here], clip_on=False, **dot)
    handles.append(Line2D([], [], label="the given point", **dot))
    if abs(slope) < HUGE:
        reach = SIDE * (found.alphas[0][-1] - found.alphas[0][0])
        ends = np.array([-reach, reach])
        style: dict[str, Any] = {"color": SLOPE, "linewidth": 1.8, "linestyle": (0, (5, 2.5))}
        axes.plot(d.origin + ends, found.here + slope * ends, zorder=4, **style)
        label = f"slope by backpropagation: {number(float(f'{slope:.4g}'))}"
        handles.append(Line2D([], [], label=label, **style))
    if d.target is not None:
        there = float(found.loss.values({k: v + d.target * d.step[k]
                                         for k, v in found.loss.start.items()}).mean())  # fmt: skip
        if abs(there) < HUGE:
            dot |= {"marker": "D", "markersize": 7}
            axes.plot([d.origin + d.target], [there], **dot)
            handles.append(Line2D([], [], label="the second point", **dot))
    return handles
