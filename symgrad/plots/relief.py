"""A loss over two directions: filled contours, and the surface above the plane."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgrad.curve import number
from symgrad.plots.panel import AXIS, GRID, MUTED, SLOPE, TEXT
from symgrad.plots.section import HUGE, Section
from symgrad.plots.typeset import outline, put

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, bottom, width and height in inches
BESIDE, SQUARE = (9.0, 4.9), (6.0, 5.6)  # sizes of figures in inches
RAMP = ("#00332D", "#00594F", "#1E8578", "#5DB0A3", "#A6D6CB", "#E3F3EE")  # dark is low
LEVELS = 14
SERIES = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))  # levels of a decade
STEEP = 60.0  # losses that differ by this factor are drawn on a logarithmic scale
QUADS = 30  # of the surface, for each direction
ARROW = 0.36  # of half the range
FOOT = 0.4  # below the panels, for the key
LIFT = 0.2  # the names of axes stand below a surface's own box


def _scale(found: Section) -> tuple[Array, bool]:
    """Give the values, as logarithms if they are positive and far apart; NaN where not finite."""
    values = np.where(np.abs(found.values) < HUGE, found.values, np.nan)
    low, high = np.nanmin(values), np.nanmax(values)
    logarithmic = bool(low > 0 and high > STEEP * low)
    return (np.log10(values) if logarithmic else values), logarithmic


def _levels(values: Array, logarithmic: bool) -> Array:
    """Choose round levels that cover the values; logarithms are those of 1, 2, 5, 10, …"""
    from matplotlib.ticker import MaxNLocator

    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if logarithmic:
        steps = next(s for s in SERIES if (high - low) * len(s) <= LEVELS or s == SERIES[-1])
        apart = math.ceil((high - low) / LEVELS) if steps == SERIES[-1] else 1
        decades = range(math.floor(low), math.ceil(high) + 1 + apart, apart)
        found = np.array([d + math.log10(s) for d in decades for s in steps])
        first = int(np.searchsorted(found, low, side="right")) - 1
        last = int(np.searchsorted(found, high)) + 1
        return found[max(first, 0) : max(last, first + 2)]
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    locator = MaxNLocator(LEVELS, steps=[1, 2, 2.5, 5, 10])
    return np.asarray(locator.tick_values(low, high), dtype=np.float64)


def _colours(levels: Array) -> Any:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    ramp = LinearSegmentedColormap.from_list("symgrad", list(RAMP))
    return ScalarMappable(Normalize(float(levels[0]), float(levels[-1])), ramp)


def _label(value: float, logarithmic: bool) -> str:
    return number(float(f"{10**value if logarithmic else value:.3g}"))


# -- contours --------------------------------------------------------------------------------


def contours(figure: "Figure", found: Section, box: Box) -> None:
    """Draw filled contours with the point, the descent and a bar of colours."""
    across, high = figure.get_size_inches()
    side = min(box[2] - 1.75, box[3] - 0.5 - FOOT)
    left, bottom = box[0] + 0.72, box[1] + 0.42 + FOOT
    axes = figure.add_axes((left / across, bottom / high, side / across, side / high))
    x, y = (d.origin + a for d, a in zip(found.directions, found.alphas, strict=True))
    values, logarithmic = _scale(found)
    levels = _levels(values, logarithmic)
    colours = _colours(levels)
    axes.contourf(x, y, values.T, levels, cmap=colours.cmap, norm=colours.norm, zorder=1)
    axes.contour(x, y, values.T, levels, colors="white", linewidths=0.6, zorder=2,
                 linestyles="solid", alpha=0.75)  # fmt: skip
    _ticks(axes, (axes.xaxis, axes.yaxis))
    axes.set_facecolor(GRID)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.add_axes(((left + side + 0.12) / across, bottom / high, 0.13 / across,
                           side / high))  # fmt: skip
    _bar(figure, bar, colours, levels, logarithmic)
    names = [outline(d.letter) for d in found.directions]
    put(figure, names[0], (left + side / 2, bottom - 0.4), 12, MUTED, "centre")
    put(figure, names[1], (left - 0.5, bottom + side / 2), 12, MUTED, "centre")
    _marks(figure, axes, found)


def _ticks(axes: "Axes", both: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axis in both:
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.6g}".replace("-", "−")))
    axes.tick_params(length=0, colors=MUTED, pad=4)


def _bar(figure: "Figure", bar: "Axes", colours: Any, levels: Array, logarithmic: bool) -> None:
    """Draw the key of the colours, with every second level named."""
    key = figure.colorbar(colours, cax=bar, ticks=levels[::2])
    key.ax.set_yticklabels([_label(float(v), logarithmic) for v in levels[::2]])
    key.ax.tick_params(length=0, colors=MUTED, pad=4)
    key.outline.set_visible(False)
    if logarithmic:
        key.ax.set_title("log scale", fontsize=8, color=MUTED, pad=6)
    bar.hlines(levels[1:-1], 0, 1, colors="white", linewidth=0.6,
               transform=bar.get_yaxis_transform())  # fmt: skip


def _marks(figure: "Figure", axes: "Axes", found: Section) -> None:
    """Mark the given point, further points that directions lead to, and the way down."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    first, second = found.directions
    here = (first.origin, second.origin)
    dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 8, "color": TEXT,
                           "markeredgecolor": "white", "markeredgewidth": 1.4}  # fmt: skip
    handles = [Line2D([], [], label="the given point", **dot)]
    step = np.array(found.descent)
    if np.isfinite(step).all() and np.any(step):
        half = np.array([(a[-1] - a[0]) / 2 for a in found.alphas])
        tip = np.array(here) + ARROW * step / np.linalg.norm(step / half)
        arrow = axes.annotate("", (tip[0], tip[1]), here, zorder=6, annotation_clip=False,
                              arrowprops={"arrowstyle": "-|>,head_length=0.5,head_width=0.28",
                                          "color": SLOPE, "linewidth": 2.4, "shrinkA": 0,
                                          "shrinkB": 0})  # fmt: skip
        assert arrow.arrow_patch is not None
        arrow.arrow_patch.set_path_effects([withStroke(linewidth=4.6, foreground="white")])
        handles.append(Line2D([], [], color=SLOPE, linewidth=2.4,
                              label="negative gradient, projected"))  # fmt: skip
    axes.plot(*([v] for v in here), zorder=7, clip_on=False, **dot)
    ends = [(d.origin + d.target, 0.0) if k == 0 else (0.0, d.origin + d.target)
            for k, d in enumerate(found.directions) if d.target is not None]  # fmt: skip
    if ends:
        dot |= {"marker": "D", "markersize": 7}
        axes.plot(*zip(*ends, strict=True), zorder=7, clip_on=False, **dot)
        handles.append(Line2D([], [], label="other points", **dot))
    if found.gaps:
        left_out = f"not finite ({found.gaps} of {found.values.size})"
        handles.append(Line2D([], [], linestyle="none", marker="s", markersize=8, color=GRID,
                              label=left_out))  # fmt: skip
    across, _ = figure.get_size_inches()
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.72 / across, 0.02),
                  borderaxespad=0, borderpad=0.2, ncols=4, frameon=False, fontsize=9.5,
                  labelcolor=TEXT, handlelength=1.8, columnspacing=2.0)  # fmt: skip


# -- surface ---------------------------------------------------------------------------------


def surface(figure: "Figure", found: Section, box: Box) -> None:
    """Draw the surface in three dimensions, with the point on it."""
    from mpl_toolkits.mplot3d import Axes3D  # type: ignore[import-untyped]
    from mpl_toolkits.mplot3d.art3d import (  # type: ignore[import-untyped]
        Poly3DCollection,
    )

    across, high = figure.get_size_inches()
    foot = FOOT + LIFT
    place = (box[0] / across, (box[1] + foot) / high, box[2] / across, (box[3] - foot) / high)
    axes = figure.add_axes(place, projection="3d", computed_zorder=False)
    assert isinstance(axes, Axes3D)
    values, logarithmic = _scale(found)
    levels = _levels(values, logarithmic)
    corners, heights = _quads(found, values)
    colours = _colours(levels).to_rgba(heights)
    axes.add_collection3d(Poly3DCollection(corners, facecolors=colours, edgecolors="white",
                                           linewidths=0.3, zorder=1))  # fmt: skip
    x, y = (d.origin + a for d, a in zip(found.directions, found.alphas, strict=True))
    axes.set_xlim(x[0], x[-1])
    axes.set_ylim(y[0], y[-1])
    axes.set_zlim(levels[0], levels[-1])
    _three(axes, found, levels, logarithmic)
    if logarithmic:
        axes.set_zlabel("log scale", fontsize=8, color=MUTED)
    if abs(found.here) < HUGE and not (logarithmic and found.here <= 0):
        z = np.log10(found.here) if logarithmic else found.here
        axes.plot(*([d.origin] for d in found.directions), [z], linestyle="none", marker="o",
                  markersize=8, color=TEXT, markeredgecolor="white", markeredgewidth=1.4,
                  zorder=5)  # fmt: skip


def _quads(found: Section, values: Array) -> tuple[Array, Array]:
    """Cut the surface into quadrilaterals with finite corners; return them and mean heights."""
    picks = [np.unique(np.linspace(0, len(a) - 1, min(len(a), QUADS + 1)).round().astype(int))
             for a in found.alphas]  # fmt: skip
    x, y = (d.origin + a[i] for d, a, i in zip(found.directions, found.alphas, picks, strict=True))
    z = values[np.ix_(*picks)]
    grid = np.stack([*np.meshgrid(x, y, indexing="ij"), z], axis=-1)
    around = [grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]]
    corners = np.stack(around, axis=2).reshape(-1, 4, 3)
    corners = corners[np.isfinite(corners).all(axis=(1, 2))]
    return corners, corners[:, :, 2].mean(axis=1)


def _three(axes: Any, found: Section, levels: Array, logarithmic: bool) -> None:
    """Set the view and the axes of the surface."""
    axes.view_init(elev=32, azim=-58)
    axes.set_box_aspect((1, 1, 0.72), zoom=1.08)
    _ticks(axes, (axes.xaxis, axes.yaxis))
    named = levels[:: max(1, len(levels) // 4)]
    axes.set_zticks(named)
    axes.set_zticklabels([_label(float(v), logarithmic) for v in named])
    axes.tick_params(colors=MUTED, pad=1)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_color(AXIS)
        axis._axinfo["grid"].update({"color": GRID, "linewidth": 0.7})
    style = {"color": MUTED, "fontsize": 12, "math_fontfamily": "stix"}
    axes.set_xlabel(f"${found.directions[0].letter}$", **style)
    axes.set_ylabel(f"${found.directions[1].letter}$", **style)
