"""Add and multiply fractions of polynomials; where both are polynomials, without cancelling.

SymPy cancels after every operation, by a greatest common divisor. Sums and products of polynomials
have the denominator 1, so there is nothing to cancel: the result is the same, several times sooner.
"""

from typing import Any

Quotient = Any  # an element of a field of SymPy


def _polynomials(a: Quotient, b: Quotient) -> bool:
    one = a.field.ring.one
    return bool(a.denom == one and b.denom == one)


def plus(a: Quotient, b: Quotient) -> Quotient:
    """Add.

    >>> from sympy import QQ, field
    >>> _, x, y = field("x, y", QQ)
    >>> plus(x, y) == x + y, plus(x, 1/y) == x + 1/y
    (True, True)
    """
    return a.raw_new(a.numer + b.numer, a.denom) if _polynomials(a, b) else a + b


def minus(a: Quotient, b: Quotient) -> Quotient:
    """Subtract."""
    return a.raw_new(a.numer - b.numer, a.denom) if _polynomials(a, b) else a - b


def times(a: Quotient, b: Quotient) -> Quotient:
    """Multiply.

    >>> from sympy import QQ, field
    >>> _, x, y = field("x, y", QQ)
    >>> times(x, x - y) == x*(x - y), times(x, y/x) == y
    (True, True)
    """
    return a.raw_new(a.numer * b.numer, a.denom) if _polynomials(a, b) else a * b


def over(a: Quotient, b: Quotient) -> Quotient:
    """Divide.

    >>> from sympy import QQ, field
    >>> _, x, y = field("x, y", QQ)
    >>> over(x*y, x) == y, over(x, 1/x/x) == x**3
    (True, True)
    """
    one = a.field.ring.one
    return a if b.numer == one and b.denom == one else a / b


def constant(field: Any, numerator: int, denominator: int) -> Quotient:
    """Make the number numerator/denominator, which is in lowest terms."""
    ring = field.ring
    return field.one.raw_new(ring.ground_new(numerator), ring.ground_new(denominator))
