"""Axes of plots over time: their look, their colours, what is drawn on a logarithmic scale."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgrad.curve import number
from symgrad.plots.panel import GRID, MUTED, TEXT
from symgrad.plots.typeset import outline, put, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Numbers = Sequence[float | None]
STEEP = 30.0  # a series that spans a larger factor is drawn on a logarithmic scale
FLOOR = 1e-12  # of the largest value: below, a logarithmic scale shows nothing of use
NAMED = 7  # so many lines can be told apart by colour and dashes; more are a ramp


def boxes(
    figure: "Figure", columns: int, rows: int, room: Sequence[float], gap: tuple[float, float]
) -> "list[Axes]":
    """Make a grid of panels, row by row; `room` is left, bottom, right and top in inches."""
    across, high = figure.get_size_inches()
    left, bottom, right, top = room
    width = (across - left - right - gap[0] * (columns - 1)) / columns
    height = (high - bottom - top - gap[1] * (rows - 1)) / rows
    return [
        figure.add_axes((
            (left + c * (width + gap[0])) / across,
            (bottom + (rows - 1 - r) * (height + gap[1])) / high,
            width / across,
            height / high,
        ))
        for r in range(rows)
        for c in range(columns)
    ]  # fmt: skip


def dress(axes: "Axes", title: str, across: str = "") -> None:
    """Give axes the look of all plots, a title at the upper left and a name for x."""
    axes.grid(True, color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", length=0, colors=MUTED, pad=5)
    for side in axes.spines.values():
        side.set_visible(False)
    figure = axes.figure
    box, (wide, high) = axes.get_position(), figure.get_figure().get_size_inches()  # type: ignore[union-attr]
    whole = figure.get_figure()
    assert whole is not None
    drawn = outline(short(title), False)
    size = min(11.0, 11.0 * box.width * wide * 72 / max(drawn.width * 11.0, 1e-9))
    put(whole, drawn, (box.x0 * wide, box.y1 * high + 0.1), size, TEXT, weight=0.2)  # type: ignore[arg-type]
    if across:
        axes.set_xlabel(across, color=MUTED, fontsize=9, labelpad=2, loc="right")


def colours(count: int) -> list[tuple[Any, Any]]:
    """Choose colours and dashes for lines in an order: apart if they are few, else a ramp.

    >>> colours(2)[0][0], len(colours(30))
    ('#1F5FA8', 30)
    """
    from matplotlib import colormaps

    from symgrad.plots.curves import SERIES

    if count <= NAMED:
        return list(SERIES[:count])
    ramp = colormaps["viridis"]
    return [(ramp(0.88 * k / (count - 1)), "solid") for k in range(count)]


def cleaned(values: Numbers, positive: bool = False) -> Array:
    """Turn what is missing, not finite or, on a logarithmic scale, not positive into NaN.

    >>> cleaned([1.0, None, 0.0], True).tolist()
    [1.0, nan, nan]
    """
    found = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
    found[~np.isfinite(found)] = np.nan
    if positive:
        found[~(found > 0)] = np.nan
    return found


def lines(
    axes: "Axes",
    x: Sequence[float],
    series: Mapping[str, Numbers],
    logarithmic: bool | None = None,
) -> bool:
    """Draw series over x; say whether there was anything to draw. None: choose the scale.

    A series without a number keeps its colour, so that panels side by side agree.
    """
    found = {name: cleaned(v) for name, v in series.items()}
    every = np.concatenate([*found.values(), np.zeros(0)])
    every = every[np.isfinite(every)]
    if not every.size:
        axes.text(0.5, 0.5, "no numbers", transform=axes.transAxes, ha="center", color=MUTED)
        axes.set_yticks([])
        return False
    positive = every[every > 0]
    if logarithmic is None:
        low = positive.min() if positive.size else 0.0
        logarithmic = positive.size == every.size and every.max() > STEEP * low
    if logarithmic and positive.size:
        _logarithmic(axes, positive)
        found = {name: cleaned(series[name], True) for name in found}
    for (name, y), (colour, dash) in zip(found.items(), colours(len(found)), strict=True):
        if not np.isfinite(y).any():
            continue
        # A single record has no line.
        mark = "o" if np.isfinite(y).sum() < 2 else None
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=1.8, marker=mark, markersize=4,
                  label=short(name), solid_capstyle="round")  # fmt: skip
    if len(x) > 1:
        axes.set_xlim(min(x), max(x))
    return True


def _logarithmic(axes: "Axes", positive: Array) -> None:
    """Set a logarithmic scale with ticks at 1, 2 and 5, or at powers of ten, that are legible."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = max(float(positive.min()), FLOOR * float(positive.max())), float(positive.max())
    axes.set_yscale("log")
    axes.set_ylim(low / 1.25, high * 1.25)
    subs = (1.0,) if high > 50 * low else (1.0, 2.0, 5.0)
    axes.yaxis.set_major_locator(LogLocator(10, subs, numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(float(f"{v:.1g}"))))
    axes.yaxis.set_minor_formatter(NullFormatter())


def widely(axes: "Axes", curves: Sequence[Array]) -> None:
    """Bend the y axis where a few values are far larger than the others."""
    every = np.abs(np.concatenate([*curves, np.zeros(0)]))
    every = every[np.isfinite(every)]
    usual = float(np.median(every)) if every.size else 0.0
    if usual and every.max() > STEEP * usual:
        axes.set_yscale("symlog", linthresh=10.0 ** math.ceil(math.log10(usual)))


def key(figure: "Figure", axes: "Axes", left: float, count: int) -> None:
    """Name the lines of a panel below everything; of many the first, the middle and the last."""
    handles, names = axes.get_legend_handles_labels()
    if not handles:
        return
    if count > NAMED:
        chosen = sorted({0, len(handles) // 2, len(handles) - 1})
        handles, names = [handles[k] for k in chosen], [names[k] for k in chosen]
        names[1:] = [f"… {n}" for n in names[1:]]
    drawn = figure.legend(handles, names, loc="lower left", frameon=False, ncols=len(handles),
                          bbox_to_anchor=(left / figure.get_size_inches()[0], 0.005),
                          borderaxespad=0, borderpad=0.1, fontsize=9, labelcolor=TEXT,
                          handlelength=2.6, columnspacing=1.6)  # fmt: skip
    for text in drawn.get_texts():
        text.set_parse_math(False)  # what a user typed is no mathematics
