"""What a classifier says in the plane of its two features: regions, boundaries, the rows.

Anything with `predict` will do, a trained model or an estimator of scikit-learn.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgrad.arguments import called, checked
from symgrad.errors import DataError, UsageError
from symgrad.ops.numbers import floats, numbers
from symgrad.plots.curves import SERIES
from symgrad.plots.panel import TEXT
from symgrad.plots.picture import Picture
from symgrad.plots.series import boxes, dress
from symgrad.plots.typeset import heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]
Panel = tuple[Any, Any, Any, str]  # a model, its rows, their classes, a title
POINTS = 141  # on each side of the grid
MOST = 2000
MARGIN = 0.12  # of the rows' extent, on each side
PALEST, FULLEST, STEPS = 0.06, 0.5, 7  # how strongly a region is coloured, in so many steps
COLOURS = tuple(colour for colour, _ in SERIES)
SIDE, LEFT, RIGHT, TOP, BOTTOM, GAP = 3.1, 0.45, 0.2, 0.85, 0.35, 0.45  # inches


def boundary(m: Any, X: Any, y: Any, title: str = "", points: int = POINTS) -> Picture:
    """Draw the regions that a classifier gives to its classes, over two features, and the rows.

    The stronger the colour, the farther the probability of the class is ahead of the next one; the
    black line is where two are equal. `y` holds the classes of the rows X, of shape (N, 2).

    >>> import symgrad as sg
    >>> net = "X: data[N, 2]; y: binary[N]; w: param[2]; b: param; bce_with_logits(X @ w + b, y)"
    >>> X, y = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [2.0, 1.0]], [0, 1, 0, 1]
    >>> boundary(sg.train(net, (X, y), epochs=5), X, y)
    <Picture: Decision boundary>
    """
    checked(boundary, locals())
    if not (hasattr(m, "predict") or hasattr(m, "predict_proba")):
        raise UsageError(f"a boundary is drawn of a trained model; given is {called(m)}")
    if not 2 <= points <= MOST:
        raise UsageError(f"points={points}: from 2 to {MOST} are drawn")
    return boundaries([(m, X, y, "")], title or "Decision boundary", points)


def boundaries(panels: Sequence[Panel], title: str, points: int = POINTS) -> Picture:
    """Draw decision boundaries side by side: (model, X, y, title) for each panel."""
    if not panels:
        raise UsageError("there is no model to draw")
    found = [(*_regions(m, rows(X), points), rows(X), _classes(m, y), name)
             for m, X, y, name in panels]  # fmt: skip
    count = len(found)
    size = (LEFT + RIGHT + count * SIDE + (count - 1) * GAP, TOP + BOTTOM + SIDE)

    def draw(figure: "Figure") -> None:
        heading(figure, title, LEFT, size[0] - LEFT - RIGHT)
        grid = boxes(figure, count, 1, (LEFT, BOTTOM, RIGHT, TOP), (GAP, 0.0))
        for axes, (a, b, lead, X, classes, name) in zip(grid, found, strict=True):
            _region(axes, a, b, lead)
            _rows(axes, X, classes)
            dress(axes, name)
            axes.grid(False)

    return Picture(draw, size, title)


def rows(X: Any) -> Array:
    """Check that rows have two numbers each."""
    array: Array = floats("X", numbers("X", X))
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise DataError(f"a boundary is drawn over two features; X has the shape {array.shape}")
    return array


def _classes(m: Any, y: Any) -> Array:
    """Give the number of each row's class, in the order of the model."""
    known = list(np.asarray(m.classes_).tolist()) if hasattr(m, "classes_") else []
    given = np.asarray(y).ravel()
    order = known or sorted(set(given.tolist()))
    unknown = [v for v in given.tolist() if v not in order]
    if unknown:
        raise DataError(f"{unknown[0]!r} is no class of the model",
                        hint=f"it has {', '.join(map(str, order))}")  # fmt: skip
    return np.array([order.index(v) for v in given.tolist()])


def _regions(m: Any, X: Array, points: int) -> tuple[Array, Array, list[Array]]:
    """Compute for each class how far it is ahead of the best other one, on a grid."""
    low, high = X.min(axis=0), X.max(axis=0)
    wide = MARGIN * np.maximum(high - low, 1e-9)
    a, b = (np.linspace(low[k] - wide[k], high[k] + wide[k], points) for k in (0, 1))
    grid = np.stack([v.ravel() for v in np.meshgrid(a, b)], axis=1)
    share = _shares(m, grid)
    lead = []
    for k in range(share.shape[1]):
        others = np.delete(share, k, axis=1).max(axis=1)
        lead.append((share[:, k] - others).reshape(points, points))
    return a, b, lead


def _shares(m: Any, grid: Array) -> Array:
    """Give the probability of each class; 0 and 1 where a model knows its decisions only."""
    if hasattr(m, "predict_proba"):
        return np.asarray(m.predict_proba(grid), dtype=np.float64)
    if not hasattr(m, "classes_"):
        raise UsageError("a boundary is drawn between classes; this model predicts values",
                         hint="symgrad.plots.fit draws values over one feature")  # fmt: skip
    found = np.asarray(m.predict(grid))
    return np.stack([found == c for c in m.classes_], axis=1).astype(np.float64)


def _region(axes: "Axes", a: Array, b: Array, lead: Sequence[Array]) -> None:
    """Colour the regions and draw the lines between them."""
    from matplotlib.colors import to_rgb

    base = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(len(lead))])
    ahead = np.stack(lead)
    lead_of = np.clip(ahead.max(axis=0), 0, 1)[..., None]
    strength = PALEST + (FULLEST - PALEST) * np.round(STEPS * lead_of) / STEPS
    image = 1 - strength * (1 - base[ahead.argmax(axis=0)])
    half = (a[1] - a[0]) / 2, (b[1] - b[0]) / 2
    extent = (a[0] - half[0], a[-1] + half[0], b[0] - half[1], b[-1] + half[1])
    axes.imshow(np.round(255 * image).astype(np.uint8), extent=extent, origin="lower",
                aspect="auto", interpolation="none")  # fmt: skip
    axes.set_xlim(a[0], a[-1])
    axes.set_ylim(b[0], b[-1])
    for one in lead[:1] if len(lead) == 2 else lead:
        if one.min() < 0 < one.max():
            axes.contour(a, b, one, levels=[0.0], colors=[TEXT], linewidths=1.4)


def _rows(axes: "Axes", X: Array, classes: Array) -> None:
    """Draw the rows as dots in the colours of their classes."""
    for k in range(int(classes.max()) + 1):
        own = X[classes == k]
        axes.plot(own[:, 0], own[:, 1], linestyle="none", marker="o", markersize=3.6,
                  markerfacecolor=COLOURS[k % len(COLOURS)], markeredgecolor="white",
                  markeredgewidth=0.5, zorder=4)  # fmt: skip
