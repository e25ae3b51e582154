"""Arrays as small images: digits, and what a network looks at in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import DataError, UsageError
from symgrad.plots.panel import SLOPE
from symgrad.plots.picture import Picture
from symgrad.plots.series import boxes, dress
from symgrad.plots.typeset import heading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE, LEFT, RIGHT, TOP, BOTTOM, GAP = 1.0, 0.3, 0.3, 0.85, 0.25, (0.3, 0.45)  # inches
POSITIVE, NEGATIVE = "#1F5FA8", SLOPE


def images(
    arrays: Sequence[Any], titles: Sequence[str], title: str = "Images", columns: int = 7
) -> Picture:
    """Draw matrices as images, row by row, `columns` in each.

    Without negative entries an image goes from white to black; with them from vermillion (the
    least) through white (0) to blue. Each has its own scale.

    >>> images([[[0, 1], [1, 0]], [[0, -1], [1, 0]]], ["a", "b"])
    <Picture: Images>
    """
    found = [np.asarray(a, dtype=np.float64) for a in arrays]
    if not found or len(found) != len(titles):
        raise UsageError(f"there are {len(found)} images and {len(titles)} titles")
    bad = [a.shape for a in found if a.ndim != 2 or not a.size]
    if bad:
        raise DataError(f"an image is a matrix; one has the shape {bad[0]}")
    across = min(columns, len(found))
    down = -(-len(found) // across)
    size = (LEFT + RIGHT + across * SIDE + (across - 1) * GAP[0],
            TOP + BOTTOM + down * SIDE + (down - 1) * GAP[1])  # fmt: skip

    def draw(figure: "Figure") -> None:
        heading(figure, title, LEFT, size[0] - LEFT - RIGHT)
        grid = boxes(figure, across, down, (LEFT, BOTTOM, RIGHT, TOP), GAP)
        for axes, array, name in zip(grid, found, titles, strict=False):
            axes.imshow(coloured(array), interpolation="none")
            dress(axes, name)
            axes.grid(False)
            axes.set_xticks([])
            axes.set_yticks([])
        for axes in grid[len(found) :]:
            axes.remove()

    return Picture(draw, size, title)


def coloured(array: Any) -> Any:
    """Give the colour of each entry, as red, green and blue from 0 to 255.

    >>> coloured(np.array([[0.0, 2.0]])).tolist()
    [[[255, 255, 255], [0, 0, 0]]]
    """
    from matplotlib.colors import to_rgb

    largest = float(np.abs(array).max()) or 1.0
    share = array[..., None] / largest
    if (array >= 0).all():
        ends = np.zeros(3), np.zeros(3)
    else:
        ends = np.array(to_rgb(POSITIVE)), np.array(to_rgb(NEGATIVE))
    tint = np.where(share >= 0, ends[0], ends[1])
    return np.round(255 * (1 - np.abs(share) * (1 - tint))).astype(np.uint8)
