"""Look at the units of a layer one by one: whose gradients share a sign, who is whose twin."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
ALIKE = 1e-7  # of the largest entry: products of large matrices differ between equal columns
FEW = 4  # weights of a unit below which one sign may well be chance: 1 in 8 for four


def locked(gradient: Array) -> float | None:
    """Give the share of units (columns) all of whose weights have gradients of one sign.

    Zeros do not count. None where that would say nothing: no gradient, or few weights.

    >>> locked(np.array([[1.0, 1.0]] * 5 + [[2.0, -1.0]]))
    0.5
    """
    up, down = np.sum(gradient > 0, axis=0), np.sum(gradient < 0, axis=0)
    counted = up + down > FEW
    if not counted.any():
        return None
    return float(np.mean((np.minimum(up, down) == 0)[counted]))


def twins(weight: Array, gradient: Array | None) -> tuple[int, ...]:
    """List the units (columns) that have the weights and the gradients of another one.

    Such units stay alike for ever; equal weights alone do not: the gradients may part them.

    >>> w = np.array([[1.0, 1.0, 2.0], [3.0, 3.0, 4.0]])
    >>> twins(w, w), twins(w, np.array([[0.0, 1.0, 0.0]] * 2))
    ((0, 1), ())
    """
    both = _scaled(weight)
    if gradient is not None:
        both = np.concatenate([both, _scaled(gradient)])
    if both.shape[1] < 2 or not np.isfinite(both).all():
        return ()
    # Equal columns have equal projections, so they are neighbours once sorted.
    order = np.argsort(_direction(len(both)) @ both, kind="stable")
    near = np.max(np.abs(np.diff(both[:, order], axis=1)), axis=0) <= ALIKE
    marked = np.zeros(len(order), bool)
    marked[order[:-1][near]] = marked[order[1:][near]] = True
    return tuple(int(k) for k in np.flatnonzero(marked))


def _scaled(matrix: Array) -> Array:
    with np.errstate(all="ignore"):
        return matrix / (float(np.max(np.abs(matrix), initial=0.0)) or 1.0)


def _direction(size: int) -> Array:
    """Choose a direction, always the same, in which columns that differ hardly coincide."""
    return np.random.default_rng(0).normal(size=size)
