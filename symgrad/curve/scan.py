"""A function sampled once, and what follows: domain, poles, jumps, kinks, turns, limits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np

from symgrad.curve.function import Array, Function
from symgrad.curve.interval import Interval, nice
from symgrad.curve.places import (
    REACH,
    TRUSTED,
    Break,
    NDBool,
    around,
    beside,
    bisect,
    breaks,
    closed,
    grid,
    merged,
    runs,
    stretches,
)

TINY = 1e-10  # slopes below are taken for rounding when signs are compared
BLOWS_UP = 50  # how much larger a value is 1000 times nearer to a pole; a logarithm stays below


@dataclass(frozen=True, slots=True)
class End:
    """Hold an end of the domain (or a side of a pole): where, from which side, limits of f and f′.

    A limit is NaN where the function oscillates.
    """

    at: float
    side: int
    value: float
    slope: float


@dataclass(frozen=True, slots=True)
class Plateau:
    """Hold an interval on which f′ is one number."""

    interval: Interval
    slope: float


class Scan:
    """Sample a function and find its places, each when it is first asked for."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.x = grid()
        self.y, self.s = function.value(self.x), function.slope(self.x)

    @cached_property
    def defined(self) -> NDBool:
        """Mark the sample points at which f is a number or an infinity."""
        return ~np.isnan(self.y)

    def _is_defined(self, x: Array) -> NDBool:
        return ~np.isnan(self.function.value(x))

    def _is_finite(self, x: Array) -> NDBool:
        return np.isfinite(self.function.value(x))

    @cached_property
    def domain(self) -> tuple[Interval, ...]:
        """Find where f is defined, poles not taken out."""
        near = np.abs(self.x) <= TRUSTED
        found = stretches(self._is_defined, self.x[near], self.defined[near])
        return tuple(closed(low, high, self._is_finite) for low, high in found if high > low)

    @cached_property
    def _breaks(self) -> tuple[list[float], list[float]]:
        inner = [e for d in self.domain for e in (d.low, d.high) if np.isfinite(e)]
        found = []
        for curve, sampled in ((self.function.value, self.y), (self.function.slope, self.s)):
            at = breaks(curve, self.x, sampled)
            found.append([a for a in at if all(abs(a - e) > 1e-9 for e in inner)])
        return found[0], found[1]

    @cached_property
    def poles(self) -> tuple[float, ...]:
        """List where f grows beyond all bounds between points of its domain."""
        return tuple(a for a in merged([*self._breaks[0], *self._breaks[1]]) if self._is_pole(a))

    def _is_pole(self, at: float) -> bool:
        for side in (-1, 1):
            x = np.array([at + side * 1e-6 * max(1.0, abs(at)), beside(at, side)])
            far, near = np.abs(self.function.value(x))
            if near > BLOWS_UP * max(far, 1.0):
                return True
        return bool(np.isinf(self.function.value(np.array([at])))[0])

    @cached_property
    def jumps(self) -> tuple[Break, ...]:
        """List where f jumps."""
        return tuple(around(self.function.value, a) for a in self._breaks[0] if a not in self.poles)

    @cached_property
    def kinks(self) -> tuple[Break, ...]:
        """List where f is continuous and f′ is not."""
        taken = [*self.poles, *(j.at for j in self.jumps)]
        return tuple(self._kink(a) for a in self._breaks[1] if a not in taken)

    def _kink(self, at: float) -> Break:
        """Read f′ around a kink; a side on which it keeps growing is infinite."""
        found = around(self.function.slope, at)
        nearer = self.function.slope(at + np.array([-1e-13, 1e-13]) * max(1.0, abs(at)))
        pairs = zip((found.left, found.right), map(float, nearer), strict=True)
        left, right = (
            math.copysign(math.inf, near) if abs(near) > BLOWS_UP * max(abs(far), 1.0) else far
            for far, near in pairs
        )
        return Break(at, left, found.chosen, right)

    @cached_property
    def turns(self) -> tuple[tuple[float, float, int], ...]:
        """List local extrema in the window as (x, f(x), 1 for a maximum or -1 for a minimum)."""
        window = np.abs(self.x) <= REACH
        x, s = self.x[window], self.s[window]
        signed = np.flatnonzero((np.abs(s) > TINY) & ~np.isnan(s))
        found = []
        for i, j in pairwise(signed):
            rises = bool(s[i] > 0)
            if rises == bool(s[j] > 0) or j - i > 3:  # a wide gap is flat, not a turn
                continue
            at = nice(bisect(partial(self._sign, rises), float(x[i]), float(x[j])))
            if all(abs(at - p) > 1e-9 for p in self.poles):
                value = float(self.function.value(np.array([at]))[0])
                found.append((at, value, 1 if rises else -1))
        return tuple(found)

    def _sign(self, rises: bool, x: Array) -> NDBool:
        s = self.function.slope(x)
        return s > 0 if rises else s < 0

    @cached_property
    def plateaus(self) -> tuple[Plateau, ...]:
        """Find the intervals on which f′ is one number, exactly and not by rounding."""
        found = []
        same = (self.s[1:] == self.s[:-1]) & np.isfinite(self.s[1:])
        for i, j in runs(same):
            if j - i < 3:
                continue
            slope = self.s[i]
            mask = np.zeros(len(self.x), dtype=bool)
            mask[i : j + 2] = True
            holds = partial(self._has_slope, float(slope))
            for low, high in stretches(holds, self.x, mask):
                interval = closed(low, high, holds)
                if self._is_straight(interval, float(slope)):
                    found.append(Plateau(interval, float(slope)))
        return tuple(found)

    def _has_slope(self, slope: float, x: Array) -> NDBool:
        return np.asarray(self.function.slope(x) == slope, dtype=bool)

    def _is_straight(self, interval: Interval, slope: float) -> bool:
        """Say with many digits whether f′ is constant: near an end rounding would show."""
        low, high = interval.low, interval.high
        step = min(1.0, high - low)
        points = [low + step * k for k in (1e-3, 0.03) if np.isfinite(low)]
        points += [high - step * k for k in (1e-3, 0.03) if np.isfinite(high)]
        slopes = [self.function.exact(float(p))[1] for p in points or (-2.25, 0.75, 2.5)]
        if slope == 0:
            return all(s == 0 for s in slopes)
        return bool(max(abs(s - slopes[0]) for s in slopes) <= 1e-40 * abs(slopes[0]))

    @cached_property
    def flat(self) -> tuple[Interval, ...]:
        """List the intervals on which f′ is exactly 0."""
        return tuple(p.interval for p in self.plateaus if p.slope == 0)

    @cached_property
    def ends(self) -> tuple[End, ...]:
        """Find the limits of f and f′ at the ends of the domain and on both sides of poles."""
        return tuple(self._end(at, side) for at, side in self._end_places())

    def _end_places(self) -> Iterator[tuple[float, int]]:
        for part in self.domain:
            yield part.low, 1
            yield part.high, -1
        for pole in self.poles:
            yield pole, 1
            yield pole, -1

    def _end(self, at: float, side: int) -> End:
        if np.isinf(at):
            x = -side * np.geomspace(1e2, 1e30, 57)
        else:
            x = at + side * np.geomspace(0.1, 1e-30 if at == 0 else 1e-13 * max(1, abs(at)), 57)
        return End(at, side, limit(self.function.value(x)), limit(self.function.slope(x)))


def limit(values: Array) -> float:
    """Guess the limit of a sequence in equal steps of the logarithm; NaN if it oscillates.

    >>> limit(np.arange(57.0)), limit(2 - 0.5 ** np.arange(57.0))
    (inf, 2.0)
    """
    v = values[~np.isnan(values)]
    if len(v) < 30 or np.isinf(v[-1]):
        return float(v[-1]) if len(v) and np.isinf(v[-1]) else np.nan
    if np.isinf(v).any():
        return np.nan
    if np.max(np.abs(v[-10:] - v[-1])) <= 1e-6 * (1 + abs(v[-1])):
        return nice(float(v[-1]))
    steps = np.diff(v[-20:])
    if not (np.all(steps >= 0) or np.all(steps <= 0)):
        return np.nan
    late, early = v[-1] - v[-10], v[-10] - v[-19]
    return float(np.sign(late) * np.inf) if abs(late) > 0.5 * abs(early) else nice(float(v[-1]))
