"""Functions of one variable that were fitted to rows: curves, their uncertainty, marks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgrad.errors import DataError, UsageError
from symgrad.plots.panel import AXIS, MUTED
from symgrad.plots.picture import Picture
from symgrad.plots.series import boxes, colours, dress, key
from symgrad.plots.typeset import heading, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 9.0, 4.0, 0.62, 0.26, 0.6, 0.68
POINTS = 601
DOT = "#C4CAD1"
MARGIN = 0.05  # of the rows' extent, on each side
BANDS = (2.0, 1.0)  # standard deviations


def fit(
    models: Mapping[str, Any],
    X: Any,
    y: Any,
    title: str = "Fit",
    *,
    samples: int = 0,
    marks: Mapping[str, Sequence[float]] | None = None,
    span: tuple[float, float] | None = None,
) -> Picture:
    """Draw what models of one feature predict, over the rows X (N,) or (N, 1) and their values y.

    With `samples` a model with dropout is asked so often, and bands of one and two standard
    deviations are drawn around its mean. `marks` are places on the curve of a model that are
    dotted, such as the kinks of its units.

    >>> import symgrad as sg
    >>> line = "x: data[N, 1]; t: data[N]; w: param[1]; b: param; mse(x @ w + b, t)"
    >>> x, t = [[0.0], [1.0], [2.0]], [1.0, 2.9, 5.1]
    >>> fit({"line": sg.train(line, (x, t), epochs=5)}, x, t)
    <Picture: Fit>
    """
    if not models:
        raise UsageError("there is no model to draw")
    rows = np.asarray(X, dtype=np.float64).reshape(len(np.asarray(X)), -1)
    if rows.shape[1] != 1:
        raise DataError(f"a curve is drawn over one feature; X has the shape {np.shape(X)}")
    low, high = float(rows.min()), float(rows.max())
    wide = MARGIN * (high - low)
    x = np.linspace(*(span or (low - wide, high + wide)), POINTS)
    found = {name: _through(m, x, samples) for name, m in models.items()}
    dots = {name: (np.asarray(at, dtype=np.float64), _through(models[name], at, 0)[0])
            for name, at in (marks or {}).items()}  # fmt: skip

    def draw(figure: "Figure") -> None:
        heading(figure, title, LEFT, WIDE - LEFT - RIGHT)
        (axes,) = boxes(figure, 1, 1, (LEFT, BOTTOM, RIGHT, TOP), (0.0, 0.0))
        axes.plot(rows[:, 0], np.asarray(y).ravel(), linestyle="none", marker="o",
                  markersize=3.8, markerfacecolor=DOT, markeredgecolor=MUTED,
                  markeredgewidth=0.5)  # fmt: skip
        _curves(axes, x, found, dots)
        dress(axes, "")
        axes.set_xlim(x[0], x[-1])
        axes.axhline(0, color=AXIS, linewidth=0.9, zorder=0.9)
        key(figure, axes, LEFT, len(found))

    return Picture(draw, (WIDE, HIGH), title)


def _through(m: Any, at: Any, samples: int) -> tuple[Array, Array | None]:
    """Predict at some places: values, and standard deviations if they are asked for."""
    rows = np.asarray(at, dtype=np.float64).reshape(-1, 1)
    if samples:
        mean, deviation = m.uncertainty(rows, samples)
        return np.asarray(mean).ravel(), np.asarray(deviation).ravel()
    return np.asarray(m.predict(rows), dtype=np.float64).ravel(), None


def _curves(
    axes: "Axes",
    x: Array,
    found: Mapping[str, tuple[Array, Array | None]],
    dots: Mapping[str, tuple[Array, Array]],
) -> None:
    """Draw curves with their bands and dots."""
    for (name, (y, deviation)), (colour, dash) in zip(
        found.items(), colours(len(found)), strict=True
    ):
        if deviation is not None:
            for times in BANDS:
                axes.fill_between(x, y - times * deviation, y + times * deviation, color=colour,
                                  alpha=0.16, linewidth=0)  # fmt: skip
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=2.0, label=short(name), zorder=3)
        if name in dots:
            axes.plot(*dots[name], linestyle="none", marker="o", markersize=6, zorder=4,
                      markerfacecolor="white", markeredgecolor=colour,
                      markeredgewidth=1.6)  # fmt: skip
