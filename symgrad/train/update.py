"""Clip a flat gradient in place, before an optimiser takes its step."""

import math
from typing import Any

import numpy as np

from symgrad.errors import UsageError

Array = np.ndarray[Any, np.dtype[Any]]
PIECE = 8192  # OpenBLAS sums longer vectors in several threads


def norm(g: Array) -> float:
    """Give the Euclidean norm of a flat gradient; it does not overflow before its result does.

    >>> norm(np.array([3.0, 4.0])), round(norm(np.array([3e200, 4e200])) / 1e200, 9)
    (5.0, 5.0)
    """
    with np.errstate(all="ignore"):
        square = sum(float(np.dot(p, p)) for p in _pieces(g))
    tiny, huge = (1e-30, 1e38) if g.dtype == np.float32 else (1e-290, math.inf)
    if tiny < square < huge:
        return math.sqrt(square)
    largest = float(np.max(np.abs(g))) if g.size else 0.0
    if largest == 0 or not math.isfinite(largest):
        return largest
    scaled = g.astype(np.float64) / largest
    return largest * math.sqrt(float(np.dot(scaled, scaled)))


def _pieces(g: Array) -> list[Array]:
    """Cut a vector so short that BLAS takes one thread: no waiting, the same sum on any machine."""
    return [g[k : k + PIECE] for k in range(0, g.size, PIECE)]


def clip_norm(g: Array, limit: float) -> float:
    """Scale a gradient down to the norm `limit` if it is longer; give its norm before.

    A gradient that is not finite is left as it is.

    >>> g = np.array([3.0, 4.0])
    >>> clip_norm(g, 1.0), g
    (5.0, array([0.6, 0.8]))
    """
    limit = _limit(limit)
    before = norm(g)
    if before > limit and math.isfinite(before):
        np.multiply(g, limit / before, out=g)
    return before


def _limit(limit: float) -> float:
    """Check a limit: a number above 0, as Python's float, which leaves float32 as it is."""
    good = isinstance(limit, int | float | np.floating) and not isinstance(limit, bool)
    if not good or not limit > 0:
        raise UsageError(f"a gradient is clipped to a number above 0, not {limit!r}"[:200])
    return float(limit)
