"""What people ask about an activation: range, saturation, steepest place, whether it can die.

Everything is read off the function's values and slopes. Where floats cannot tell, whether a slope
is 0 or only too small for a float, it is computed with 50 digits.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from symgrad.curve.function import Array, Function
from symgrad.curve.interval import Interval, nice, number, places
from symgrad.curve.places import REACH, Break, NDBool, stretches
from symgrad.curve.scan import Scan

THRESHOLD = 1e-3  # a unit whose |f′| is smaller hardly learns: it is called saturated
NARROW = 0.1  # a shorter interval of small slope surrounds a stationary point
SAME = 1e-9
UNSEEN = 1e12  # a slope that is found larger has no bound, as that of sin(1/x)


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what was found about a function f of one variable.

    `range` is the smallest interval that holds all values, or lists them if they are few;
    `steepest` is the supremum of |f′| and says where it is; on `flat` f′ is exactly 0; `kinks`
    are those of f (breaks of f′), `jumps` breaks of f itself.
    """

    domain: tuple[Interval, ...]
    poles: tuple[float, ...]
    range: str
    steepest: tuple[float, str]
    saturated: tuple[Interval, ...]
    flat: tuple[Interval, ...]
    kinks: tuple[Break, ...]
    jumps: tuple[Break, ...]
    minima: tuple[tuple[float, float], ...]
    maxima: tuple[tuple[float, float], ...]
    monotone: str
    centred: str

    @property
    def dead(self) -> tuple[Interval, ...]:
        """List the intervals to infinity on which f′ is exactly 0: a unit there cannot recover."""
        return tuple(i for i in self.flat if i.unbounded)


def facts(function: Function) -> Facts:
    """Work out the facts of a function.

    >>> from symgrad.curve.function import of_operator
    >>> found = facts(of_operator("relu"))
    >>> found.range, found.steepest, [str(i) for i in found.dead]
    ('[0, ∞)', (1.0, 'on (0, ∞)'), ['(−∞, 0]'])
    """
    scan = Scan(function)
    return Facts(
        domain=scan.domain,
        poles=scan.poles,
        range=_range(scan),
        steepest=_steepest(scan),
        saturated=_saturated(scan),
        flat=scan.flat,
        kinks=scan.kinks,
        jumps=scan.jumps,
        minima=tuple((x, y) for x, y, kind in scan.turns if kind < 0),
        maxima=tuple((x, y) for x, y, kind in scan.turns if kind > 0),
        monotone=_monotone(scan),
        centred=_centred(scan),
    )


# -- range -----------------------------------------------------------------------------------


def _range(scan: Scan) -> str:
    if scan.flat and all(p.slope == 0 for p in scan.plateaus) and not np.any(scan.s):
        values = sorted({nice(float(v)) for v in scan.y[np.abs(scan.x) <= REACH]})
        if len(values) < 7:
            return "{" + ", ".join(map(number, values)) + "}"
        return "{" + places(values) + "}"
    low, low_in = _supremum(scan, -1)
    high, high_in = _supremum(scan, 1)
    if not low_in and not high_in and math.isinf(low) and math.isinf(high):
        return "ℝ"
    return str(Interval(-low, high, low_in, high_in))


def _supremum(scan: Scan, sign: int) -> tuple[float, bool]:
    """Give the supremum of sign·f and whether it is attained."""
    attained = [sign * y for _, y, _ in scan.turns]
    ends = [
        e for d in scan.domain for e, inside in ((d.low, d.low_in), (d.high, d.high_in)) if inside
    ]
    spots = [*ends, *(k.at for k in scan.kinks), *(_inner(i) for i in scan.flat)]
    attained += (sign * scan.function.value(np.array(spots, dtype=float))).tolist()
    attained += [sign * j.chosen for j in scan.jumps]
    open_ = [sign * e.value for e in scan.ends if not math.isnan(e.value)]
    open_ += [sign * v for j in scan.jumps for v in (j.left, j.right)]
    sampled = sign * scan.y[np.isfinite(scan.y)]
    best = max([*attained, *open_, -math.inf])
    if len(sampled) and sampled.max() > best + 1e-6 * (1 + abs(best)):
        best = float(sampled.max())
        return (math.inf, False) if best > 1e6 else (best, True)
    reached = any(a >= best - SAME * (1 + abs(best)) for a in attained)
    return nice(best), reached and math.isfinite(best)


def _inner(interval: Interval) -> float:
    """Give a point inside an interval."""
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        return (interval.low + interval.high) / 2
    if math.isfinite(interval.low):
        return interval.low + 1
    return interval.high - 1 if math.isfinite(interval.high) else 0.5


# -- slope -----------------------------------------------------------------------------------


def _steepest(scan: Scan) -> tuple[float, str]:
    limits = [(abs(e.slope), e) for e in scan.ends if not math.isnan(e.slope)]
    wild = [e for size, e in limits if math.isinf(size)]
    wild += [e for e in scan.ends if e.at in scan.poles and e not in wild]
    vertical = [k.at for k in scan.kinks if math.inf in (abs(k.left), abs(k.right))]
    if wild or vertical:
        return math.inf, _towards([*(e.at for e in wild), *vertical])
    peaks = _peaks(scan)
    peaks += [(k.at, abs(v)) for k in scan.kinks for v in (k.left, k.chosen, k.right)]
    best = max([size for _, size in peaks] + [size for size, _ in limits] + [0.0])
    if best > UNSEEN:
        return math.inf, _towards(x for x, size in peaks if size > UNSEEN)
    level = best - 1e-7 * best
    straight = [p.interval for p in scan.plateaus if abs(p.slope) >= level]
    if straight:
        return nice(best), "on " + " ∪ ".join(map(str, straight))
    spots = sorted({x for x, size in peaks if size >= level})
    reached = [e.at for size, e in limits if size >= best * (1 - SAME)]
    sharp = [x for x, size in peaks if size > max([s for s, _ in limits] + [0]) * (1 + SAME)]
    if spots and (sharp or not reached):
        return nice(best), f"at x = {places(spots)}"
    return nice(best), _towards(reached)


def _towards(ends: Iterable[float]) -> str:
    ats = sorted(set(ends))
    if [-math.inf, math.inf] == ats:
        return "as x → ±∞"
    return f"as x → {places(ats)}"


def _peaks(scan: Scan) -> list[tuple[float, float]]:
    """Find the places in the window where |f′| is largest, and its values."""
    window = np.abs(scan.x) <= REACH
    x, size = scan.x[window], np.abs(scan.s[window])
    size = np.where(np.isfinite(size), size, -1.0)
    padded = np.concatenate([[-1.0], size, [-1.0]])
    top = (size >= padded[:-2]) & (size >= padded[2:]) & (size >= 0.98 * size.max())
    at, best = x[top], size[top]
    width = np.full(at.shape, 1 / 64)
    for _ in range(14):
        points = at[:, None] + width[:, None] * np.linspace(-1, 1, 17)
        sizes = np.abs(scan.function.slope(points))
        sizes = np.where(np.isfinite(sizes), sizes, -1.0)
        k = np.argmax(sizes, axis=1)
        rows = np.arange(len(at))
        better = sizes[rows, k] > best * (1 + 1e-13)  # else the round number of the grid stays
        at = np.where(better, points[rows, k], at)
        best = np.where(better, sizes[rows, k], best)
        width = width / 6
    found: list[tuple[float, float]] = []
    for x0, size0 in zip(map(float, at), map(float, best), strict=True):
        if not found or x0 - found[-1][0] > 1e-3:
            found.append((nice(x0), size0))
    return found


def _saturated(scan: Scan) -> tuple[Interval, ...]:
    def low(x: Array) -> NDBool:
        return np.abs(scan.function.slope(x)) < THRESHOLD

    corners = [b.at for b in (*scan.kinks, *scan.jumps)]
    rng = np.random.default_rng(0)
    found = []
    for a, b in stretches(low, scan.x, np.abs(scan.s) < THRESHOLD):
        found_at = (a, b)
        if math.isinf(a) != math.isinf(b):
            a, b = _tail(a, b, low, rng)
        bounded = math.isfinite(a) and math.isfinite(b)
        if (bounded and (b - a < NARROW or abs(a) > REACH)) or not low(_inside(a, b, rng)).all():
            continue
        # A tail that was moved oscillates: no cancellation is behind it.
        if (a, b) == found_at and not _truly_low(scan, a, b):
            continue
        sides = [
            any(abs(e - c) < SAME for c in corners) and bool(low(np.array([e]))[0]) for e in (a, b)
        ]
        found.append(Interval(a, b, *sides))
    return tuple(found)


def _truly_low(scan: Scan, a: float, b: float) -> bool:
    """Ask with many digits far inside: 1 + x − x is 0 for a float x that is large."""
    low, high = max(a, -1e18) + 1e-3, min(b, 1e18) - 1e-3
    points = [p for p in (low, (low + high) / 2, high) if a < p < b]
    return all(abs(scan.function.exact(p)[1]) < THRESHOLD * 1.1 for p in points)


def _tail(
    a: float, b: float, low: Callable[[Array], NDBool], rng: np.random.Generator
) -> tuple[float, float]:
    """Move the finite end of a tail out to where an oscillating slope stays small, rounded up."""
    end, side = (a, 1) if math.isinf(b) else (b, -1)
    away = 10 ** rng.uniform(-3, 6, 20000)
    failing = away[~low(end + side * away)]
    if not len(failing):
        return a, b
    moved = (end + side * failing.max()) * 1.05
    moved = (
        float(f"{moved:.1g}") if abs(float(f"{moved:.1g}")) >= abs(moved) else float(f"{moved:.2g}")
    )
    return (moved, b) if side > 0 else (a, moved)


def _inside(low: float, high: float, rng: np.random.Generator) -> Array:
    """Draw points of an interval, far ones too."""
    if math.isfinite(low) and math.isfinite(high):
        return rng.uniform(low, high, 999)
    away = 10 ** rng.uniform(-3, 30, 999)
    if math.isfinite(low):
        return low + away
    return high - away if math.isfinite(high) else np.concatenate([-away, away])


# -- shape -----------------------------------------------------------------------------------


def _monotone(scan: Scan) -> str:
    y, s = scan.y[scan.defined], scan.s[scan.defined]
    s = s[~np.isnan(s)]
    with np.errstate(all="ignore"):
        slack = 1e-9 * (1 + np.minimum(np.abs(y[1:]), np.abs(y[:-1])))
        slack = np.where(np.isfinite(slack), slack, 0)
        rises = bool(np.all(s >= -1e-12) and np.all(y[1:] >= y[:-1] - slack))
        falls = bool(np.all(s <= 1e-12) and np.all(y[1:] <= y[:-1] + slack))
    if rises and falls:
        return "constant"
    if not (rises or falls):
        rising, falling = bool(np.all(s > 0)), bool(np.all(s < 0))
        one_way = bool(scan.poles) and (rising or falling)
        return f"{'increasing' if rising else 'decreasing'} between its poles" if one_way else "no"
    if scan.flat:
        return "yes, never decreasing" if rises else "yes, never increasing"
    return "yes, increasing" if rises else "yes, decreasing"


def _centred(scan: Scan) -> str:
    inside = scan.x[(np.abs(scan.x) <= REACH)]
    y, mirrored = scan.function.value(inside), scan.function.value(-inside)
    with np.errstate(all="ignore"):
        odd = np.abs(y + mirrored) <= SAME * (1 + np.abs(y))
    odd |= np.isnan(y) & np.isnan(mirrored) | (np.isinf(y) & np.isinf(mirrored))
    if odd.all():
        return "yes: f(−x) = −f(x)"
    low, low_in = _supremum(scan, -1)
    high, high_in = _supremum(scan, 1)
    if -low >= 0:
        return "no: " + (
            "no value is negative" if low == 0 and low_in else "all values are positive"
        )
    if high <= 0:
        return "no: " + (
            "no value is positive" if high == 0 and high_in else "all values are negative"
        )
    return "no: values of both signs, but f(−x) ≠ −f(x)"
