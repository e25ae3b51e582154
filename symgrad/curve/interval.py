"""Intervals of the real line and their numbers, as people write them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

CLOSE = 1e-8  # relative; two places nearer than that are one place
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Interval:
    """Hold an interval with its ends, and whether each end belongs to it.

    >>> str(Interval(-math.inf, 0.0, False, True))
    '(−∞, 0]'
    """

    low: float
    high: float
    low_in: bool = False
    high_in: bool = False

    def __str__(self) -> str:
        left, right = "[" if self.low_in else "(", "]" if self.high_in else ")"
        return f"{left}{number(self.low)}, {number(self.high)}{right}"

    @property
    def unbounded(self) -> bool:
        """Say whether it reaches infinity."""
        return math.isinf(self.low) or math.isinf(self.high)

    @property
    def width(self) -> float:
        """Give its length."""
        return self.high - self.low

    def holds(self, x: float) -> bool:
        """Say whether a number lies in it."""
        above = x >= self.low if self.low_in else x > self.low
        return above and (x <= self.high if self.high_in else x < self.high)


def nice(x: float) -> float:
    """Snap a computed place to the short number that it means, if there is one.

    >>> nice(2.9999999999), nice(1e-17), nice(1.2784645)
    (3.0, 0.0, 1.2784645)
    """
    if not math.isfinite(x):
        return x
    if abs(x) < 1e-9:
        return 0.0
    for digits in range(1, 7):
        short = float(f"{x:.{digits}g}")
        if abs(short - x) <= CLOSE * abs(x):
            return short
    return x


def number(x: float, digits: int = 4) -> str:
    """Write a number with a few digits, fractions of π by name.

    >>> number(-0.27846), number(math.pi / 2), number(250000), number(-math.inf), number(3e-5)
    ('−0.2785', 'π/2', '250000', '−∞', '3·10⁻⁵')
    """
    sign = "−" if x < 0 else ""
    x = abs(x)
    if math.isinf(x):
        return f"{sign}∞"
    for part in (1, 2, 3, 4, 6):
        times = x * part / math.pi
        if 0.5 < times < 99.5 and abs(times - round(times)) < 1e-6 * times:
            top = "" if round(times) == 1 else str(round(times))
            return f"{sign}{top}π" + (f"/{part}" if part > 1 else "")
    if x == int(x) and x < 1e6:
        return f"{sign}{int(x)}"
    text = f"{x:.{digits}g}"
    if "e" in text:
        front, _, power = text.partition("e")
        text = (
            ("" if front == "1" else f"{front}·") + "10" + str(int(power)).translate(_SUPERSCRIPT)
        )
    return sign + text


def listed(parts: Iterable[object]) -> str:
    """Join texts: a, b and c.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    texts = [str(p) for p in parts]
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def union(intervals: Sequence[Interval]) -> str:
    """Write a union of intervals.

    >>> union([Interval(-math.inf, -1.0), Interval(1.0, math.inf)])
    '(−∞, −1) ∪ (1, ∞)'
    """
    return " ∪ ".join(map(str, intervals))


def places(xs: Sequence[float]) -> str:
    """List places; many in equal steps are written as a sequence.

    >>> places([0.0, 1.0]), places([float(k) for k in range(-9, 10)])
    ('0 and 1', '…, −2, −1, 0, 1, 2, …')
    """
    if len(xs) <= 6:
        return listed(number(x) for x in xs)
    inner = sorted(sorted(xs, key=abs)[:5])
    step = inner[1] - inner[0]
    text = ", ".join(number(nice(x)) for x in inner)
    regular = all(abs(b - a - step) < 1e-6 * step for a, b in pairwise(inner))
    known = not regular or all(x == int(x) for x in inner)
    return f"…, {text}, …" + ("" if known else f" (every {number(nice(step))})")
