"""Numbers that were computed, read as what they come from: 6.283185307179586 is 2 pi."""

import math
from fractions import Fraction
from functools import lru_cache

from symgrad.ops import const

PI = const(math.pi)
ULPS = 4  # by which a product of several numbers may be off
SHORT = 10**13  # denominators of decimal numbers that somebody may have typed
LARGEST = 360  # denominators of multiples of pi
MOST = 10**4  # numerators of multiples of pi


@lru_cache(maxsize=4096)
def multiple_of_pi(value: float) -> tuple[Fraction, int] | None:
    """Write a number as a fraction times pi, or over pi (-1); None if it is neither.

    >>> multiple_of_pi(4 / 3 * math.pi), multiple_of_pi(0.5 / math.pi), multiple_of_pi(3.1416)
    ((Fraction(4, 3), 1), (Fraction(1, 2), -1), None)
    """
    if not isinstance(value, float) or not 1e-6 < abs(value) < 1e6:
        return None
    if Fraction(repr(value)).denominator < SHORT:
        return None
    for power in (1, -1):
        unit = math.pi**power
        found = Fraction(value / unit).limit_denominator(LARGEST)
        near = abs(float(found) * unit - value) <= ULPS * math.ulp(value)
        if near and 0 < abs(found.numerator) <= MOST:
            return found, power
    return None


@lru_cache(maxsize=4096)
def typed(value: float) -> float | Fraction:
    """Read a computed number as the decimal or the simple fraction that was meant.

    >>> typed(0.7 - 1), typed(1 / 3), typed(0.123456789012345)
    (-0.3, Fraction(1, 3), 0.123456789012345)
    """
    exact = Fraction(repr(value))
    if exact.denominator < SHORT:
        return value
    short = float(f"{value:.12g}")
    if abs(short - value) <= ULPS * math.ulp(value):
        return short
    near = exact.limit_denominator(1000)
    return near if abs(float(near) - value) <= ULPS * math.ulp(value) else value
