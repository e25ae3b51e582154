"""Find the places of a function where something happens: edges, poles, jumps, kinks, turns.

All searches are the same idea: sample on a fixed symmetric grid, then halve the cells in which
something happens, all at once, until they are as narrow as floats allow.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symgrad.curve.function import Array
from symgrad.curve.interval import Interval, nice

REACH, STEP = 32, 1 / 64  # the window with cells of equal width; both are exact in binary
FAR = 1e30  # far points, logarithmic; x**9 is still a float there
TRUSTED = 1e8  # a NaN beyond is inf − inf or 0·inf, and not the edge of the domain
JUMP = 1e-6  # relative; a change that stays when its cell has shrunk to nothing

Curve = Callable[[Array], Array]
NDBool = NDArray[np.bool_]


def grid() -> Array:
    """Give the sample points: a window of equal steps and far points on both sides."""
    window = np.arange(-REACH, REACH + STEP, STEP)
    far = np.geomspace(REACH, FAR, 1200)[1:]
    return np.concatenate([-far[::-1], window, far])


@dataclass(frozen=True, slots=True)
class Break:
    """Hold a place where f or f′ is not continuous: what is on its left, at it, on its right."""

    at: float
    left: float
    chosen: float
    right: float


def shrink(curve: Curve, a: Array, b: Array, rounds: int) -> tuple[Array, Array, Array, Array]:
    """Halve cells, keeping the half over which the curve changes more; return ends and values."""
    fa, fb = curve(a), curve(b)
    with np.errstate(all="ignore"):
        for _ in range(rounds):
            m = a + (b - a) / 2
            fm = curve(m)
            left = np.abs(fm - fa) >= np.abs(fb - fm)
            a, fa = np.where(left, a, m), np.where(left, fa, fm)
            b, fb = np.where(left, m, b), np.where(left, fm, fb)
    return a, b, fa, fb


def breaks(curve: Curve, x: Array, y: Array) -> list[float]:
    """Find where a curve jumps or has a pole, within the window."""
    inside = np.flatnonzero(np.isfinite(y[:-1]) & np.isfinite(y[1:]) & (np.abs(x[:-1]) <= REACH))
    a, b = x[inside], x[inside + 1]
    for rounds in (12, 80):  # most cells are smooth, and are dropped before it gets narrow
        a, b, fa, fb = shrink(curve, a, b, rounds)
        with np.errstate(all="ignore"):
            kept = np.abs(fb - fa) > JUMP * (1 + np.minimum(np.abs(fa), np.abs(fb)))
        a, b = a[kept], b[kept]
    found = [nice(float(v)) for v in (a + b) / 2]
    isolated = ~np.isfinite(y[1:-1]) & np.isfinite(y[:-2]) & np.isfinite(y[2:])
    found += [nice(float(v)) for v in x[1:-1][isolated]]
    return merged(found)


def merged(xs: list[float]) -> list[float]:
    """Sort places and drop those that stand twice."""
    result: list[float] = []
    for x in sorted(xs, key=lambda v: (v, len(repr(v)))):
        if not result or x - result[-1] > 1e-9 * max(1.0, abs(x)):
            result.append(x)
    return result


def beside(x: float, side: int) -> float:
    """Give a point so near to x that a continuous curve has the same value there."""
    return x + side * 1e-9 * max(1.0, abs(x))


def around(curve: Curve, at: float) -> Break:
    """Read a curve on both sides of a place and at it."""
    y = curve(np.array([beside(at, -1), at, beside(at, 1)]))
    return Break(at, *map(float, y))


def bisect(holds: Callable[[Array], NDBool], a: float, b: float) -> float:
    """Find where a condition that holds at a stops holding towards b."""
    for _ in range(200):
        m = a + (b - a) / 2
        if m in (a, b):
            break
        if bool(holds(np.array([m]))[0]):
            a = m
        else:
            b = m
    return a


def runs(mask: NDBool) -> list[tuple[int, int]]:
    """List the runs of true entries as index pairs, the last one inclusive.

    >>> runs(np.array([True, False, True, True]))
    [(0, 0), (2, 3)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(i), int(j) - 1) for i, j in zip(edges[::2], edges[1::2], strict=True)]


def stretches(
    holds: Callable[[Array], NDBool], x: Array, mask: NDBool
) -> list[tuple[float, float]]:
    """Turn runs of a condition on the grid into intervals; the grid's ends mean infinity."""
    result = []
    for i, j in runs(mask):
        low = -np.inf if i == 0 else nice(bisect(holds, float(x[i]), float(x[i - 1])))
        last = j == len(x) - 1
        high = np.inf if last else nice(bisect(holds, float(x[j]), float(x[j + 1])))
        result.append((float(low), float(high)))
    return result


def closed(low: float, high: float, holds: Callable[[Array], NDBool]) -> Interval:
    """Make an interval, closed at the finite ends at which the condition holds."""
    ends = [bool(np.isfinite(e) and holds(np.array([e]))[0]) for e in (low, high)]
    return Interval(low, high, ends[0], ends[1])
