"""One panel of a figure: axes, curves without false verticals, breaks, saturation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.curve import Facts, Function, facts
from symgrad.curve.function import Array
from symgrad.curve.places import Break, around

if TYPE_CHECKING:
    from matplotlib.axes import Axes

VALUE, SLOPE = "#00796B", "#D1350F"  # of diagrams: teal and vermillion
TEXT, MUTED, AXIS, GRID, SHADE = "#1B1F24", "#5B6470", "#8A929C", "#E6E9ED", "#E9ECF0"
POINTS = 601
CORNER = 0.03  # of the height: a number there would touch those of the other axis
WIDE = 2.0  # a curve that leaves the picture is cut at so many half widths of it


@dataclass(eq=False)
class Line:
    """Hold a function that is drawn: how it is called, its colour and its dashes."""

    function: Function
    label: str
    latex: bool = False
    colour: str = VALUE
    dash: Any = "solid"

    @cached_property
    def facts(self) -> Facts:
        """Give the facts of the function."""
        return facts(self.function)


def points(line: Line, span: tuple[float, float], slope: bool) -> tuple[Array, Array]:
    """Sample a curve; NaN stands where it is broken."""
    x = np.linspace(*span, POINTS)
    found = line.facts
    gaps = [
        *found.poles,
        *(j.at for j in found.jumps),
        *((k.at for k in found.kinks) if slope else ()),
    ]
    corners = [k.at for k in found.kinks]
    inside = np.array([g for g in gaps if span[0] <= g <= span[1]])
    edges = np.array([e for d in found.domain for e in (d.low, d.high) if math.isfinite(e)])
    near = 1e-9 * np.maximum(1, np.abs(inside))
    beside = np.maximum(1e-9, 1e-6 * np.abs(edges))
    x = np.unique(np.concatenate([x, corners, edges, edges + beside, edges - beside,
                                  inside - near, inside, inside + near]))  # fmt: skip
    x = x[(x >= span[0]) & (x <= span[1])]
    y = line.function.slope(x) if slope else line.function.value(x)
    y = np.where(np.isin(x, inside), np.nan, y)
    return x, np.where(np.isfinite(y), y, np.nan)


def heights(curves: Sequence[Array], span: tuple[float, float]) -> tuple[float, float]:
    """Choose the limits of y: all of it, unless it leaves for infinity."""
    values = np.concatenate([c[np.isfinite(c)] for c in curves])
    reach = WIDE * (span[1] - span[0]) / 2
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -reach or high > reach:
        far = float(np.quantile(np.abs(values), 0.85))
        reach = min(reach, max(far, (span[1] - span[0]) / 2))
        low, high = max(low, -reach), min(high, reach)
    if high - low < 1e-9:
        low, high = low - 0.5, high + 1
    margin = 0.07 * (high - low)
    return low - margin, high + margin


def frame(axes: "Axes", span: tuple[float, float], limits: tuple[float, float]) -> None:
    """Draw the grid and the two axes through zero."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlim(*span)
    axes.set_ylim(*limits)
    axes.xaxis.set_major_locator(MaxNLocator(10, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    corner = limits[0] + CORNER * (limits[1] - limits[0])
    for axis, least in ((axes.xaxis, -math.inf), (axes.yaxis, corner)):
        axis.set_major_formatter(FuncFormatter(partial(_tick, least)))
    axes.grid(True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=MUTED, pad=6)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.axhline(0, color=AXIS, linewidth=0.9, zorder=1.5)
    axes.axvline(0, color=AXIS, linewidth=0.9, zorder=1.5)


def _tick(least: float, value: float, _: object) -> str:
    return f"{value:.6g}".replace("-", "−") if value >= least else ""


def draw(axes: "Axes", line: Line, span: tuple[float, float], slope: bool) -> None:
    """Draw a curve with its breaks and poles."""
    x, y = points(line, span, slope)
    axes.plot(x, y, color=line.colour, linestyle=line.dash, linewidth=2.2, zorder=3,
              solid_capstyle="butt", solid_joinstyle="round")  # fmt: skip
    found = line.facts
    for pole in found.poles:
        if span[0] < pole < span[1]:
            axes.axvline(pole, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1.6)
    curve = line.function.slope if slope else line.function.value
    for b in (*found.jumps, *(found.kinks if slope else ())):
        if span[0] < b.at < span[1]:
            _ends(axes, around(curve, b.at), line.colour)
    if not slope:
        at = np.array([k.at for k in found.kinks if span[0] < k.at < span[1]])
        _dots(axes, at, line.function.value(at) if len(at) else at, line.colour, line.colour)


def _ends(axes: "Axes", b: Break, colour: str) -> None:
    """Mark one-sided values with rings and the value that is taken with a dot."""
    sides = np.array([v for v in (b.left, b.right) if abs(v - b.chosen) > 1e-6])
    if not len(sides) or not np.isfinite([*sides, b.chosen]).all() or np.abs(sides).max() > 1e3:
        return
    _dots(axes, np.full(sides.shape, b.at), sides, colour, "white")
    _dots(axes, np.array([b.at]), np.array([b.chosen]), colour, colour)


def _dots(axes: "Axes", x: Array, y: Array, colour: str, fill: str) -> None:
    axes.plot(x, y, linestyle="none", marker="o", markersize=5.6, markerfacecolor=fill,
              markeredgecolor=colour, markeredgewidth=1.5, zorder=4, clip_on=False)  # fmt: skip


def shade(axes: "Axes", found: Facts, span: tuple[float, float]) -> bool:
    """Shade where the function saturates; say whether any of it is in the picture."""
    shown = False
    for interval in found.saturated:
        low, high = max(interval.low, span[0]), min(interval.high, span[1])
        if low < high:
            axes.axvspan(low, high, facecolor=SHADE, edgecolor="none", zorder=0.5)
            shown = True
    return shown
