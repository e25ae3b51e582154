"""Where an operand stands that is printed without its axes of length 1.

A column of row sums beside a matrix is printed as `S - sum_j S`, without saying that its axis is
the first one, because readers find its place by its size. Printers and reader share the rule by
which they do; where it would lead elsewhere, the printers say the axes.
"""

from collections.abc import Sequence
from itertools import combinations

from symgrad import shapes
from symgrad.errors import ShapeError
from symgrad.shapes import Shape


def placed(shape: Shape, full: Shape) -> tuple[int, ...]:
    """Say which axes of `full` those of a smaller operand are: the only ones of these sizes.

    Where sizes leave a choice, or axes of length 1 are written out, they are the last ones.

    >>> placed(("N",), ("N", "C")), placed(("C",), ("N", "C")), placed(("N",), ("N", "N"))
    ((0,), (1,), (1,))
    """
    last = tuple(range(len(full) - len(shape), len(full)))
    if len(shape) >= len(full) or not shape or 1 in full or 1 in shape:
        return last
    found = [
        axes
        for axes in combinations(range(len(full)), len(shape))
        if all(full[a] == d for a, d in zip(axes, shape, strict=True))
    ]
    return found[0] if len(found) == 1 else last


def joined(given: Sequence[Shape]) -> Shape:
    """Give the shape that operands have together: that of those with the most axes."""
    rank = max((len(s) for s in given), default=0)
    return shapes.broadcast([s for s in given if len(s) == rank])


def places(given: Sequence[Shape]) -> list[tuple[int, ...]] | None:
    """Say for each operand which axes of the joint shape it has; None if they do not fit.

    >>> places([("N", "C"), ("N",)]), places([("N",), ("C",)])
    ([(0, 1), (0,)], None)
    """
    try:
        full = joined(given)
    except ShapeError:
        return None
    return [placed(s, full) for s in given]


def fitted(shape: Shape, full: Shape) -> tuple[int, ...] | None:
    """Say how a whole formula that reads as `shape` fills an array of the shape `full`.

    >>> fitted(("N",), ("N", 1)), fitted(("C",), ("N", "C")), fitted(("N",), ("C", "D"))
    ((0,), (1,), None)
    """
    long = tuple(k for k, d in enumerate(full) if d != 1)
    if len(shape) < len(full) and shape == tuple(full[k] for k in long):
        return long
    found = placed(shape, full)
    if len(shape) > len(full) or any(
        d not in (1, full[k]) for d, k in zip(shape, found, strict=True)
    ):
        return None
    return found


def inserted(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """List the axes that have to be inserted, up to the first one that is there."""
    lead = min(axes, default=rank)
    return tuple(k for k in range(lead, rank) if k not in axes)
