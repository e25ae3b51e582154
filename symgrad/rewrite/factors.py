"""Factors of polynomials: found, joined again where that is shorter, and led by a 1."""

from collections.abc import Collection
from fractions import Fraction
from functools import lru_cache
from typing import Any

from symgrad.rewrite.tidy import printed
from symgrad.rewrite.writing import fraction

MAX_FACTORED = 12  # longer polynomials are not worth the search for factors
MAX_NUMBER = 1000  # greater coefficients are written as decimals


@lru_cache(maxsize=4096)
def factors_of(poly: Any) -> tuple[Any, list[tuple[Any, int]]]:
    """Factor a polynomial; the frequent cases without a search: monomials, and linear rests.

    >>> from sympy import QQ, ring
    >>> _, a, b = ring("a, b", QQ)
    >>> factors_of(3*a**2 - 3*a*b)[1], factors_of(b - a*b**2)[1]
    ([(a, 1), (a - b, 1)], [(b, 1), (a*b - 1, 1)])
    """
    ring = poly.ring
    coefficient, rest = poly.primitive()
    monomials = list(rest.itermonoms())
    common = tuple(map(min, zip(*monomials, strict=True)))
    found = [(ring.gens[k], e) for k, e in enumerate(common) if e]
    if any(common):
        terms = {tuple(a - b for a, b in zip(m, common, strict=True)): c for m, c in rest.terms()}
        rest = ring.from_dict(terms)
    if len(rest) == 1:
        return coefficient * rest.LC, found
    degrees = [sum(m) for m in rest.itermonoms()]
    if max(degrees) == 1 or len(rest) > MAX_FACTORED:
        return coefficient, [*found, (rest, 1)]
    if _irreducible(rest):  # a factor has a positive leading coefficient, as SymPy's have
        sign = -1 if rest.LC < 0 else 1
        return coefficient * sign, [*found, (rest * sign, 1)]
    more, others = _of_squares(rest) or rest.factor_list()
    return coefficient * more, [*found, *others]


def _irreducible(poly: Any) -> bool:
    """Say of some polynomials p = a x + b without a monomial factor that nothing divides them.

    Of two factors of p one would be free of x, so it would divide a and b. Where one of these is a
    single term it would be a monomial. That is decided here for each x; False says nothing.
    """
    monomials = list(poly.itermonoms())
    for powers in zip(*monomials, strict=True):
        if max(powers) == 1 and (sum(powers) == 1 or sum(powers) == len(monomials) - 1):
            return True
    return False


def _of_squares(poly: Any) -> tuple[Any, list[tuple[Any, int]]] | None:
    """Factor a^2 - b^2 where a and b are generators or 1, as SymPy does, but at once."""
    if len(poly) != 2:
        return None
    (m, c), (n, d) = poly.terms()  # the greater monomial first
    if c + d or max(sum(m), sum(n)) > 2 or any(e % 2 for e in (*m, *n)):
        return None
    ring = poly.ring
    a, b = (ring({tuple(e // 2 for e in powers): ring.domain.one}) for powers in (m, n))
    return c, [(a - b, 1), (a + b, 1)]


def conjugates(factors: list[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """Join (1 - a)(1 + a) to 1 - a^2, and for people (a - 1)(a^2 + a + 1) to a^3 - 1: shorter.

    >>> from sympy import QQ, ring
    >>> _, a = ring("a", QQ)
    >>> conjugates([(1 - a, 1), (1 + a, 1)])
    [(-a**2 + 1, 1)]
    >>> from symgrad.rewrite.tidy import keeping
    >>> with keeping((), {}, printed=True):
    ...     conjugates([(a - 1, 1), (a**2 + a + 1, 1)])
    [(a**3 - 1, 1)]
    """
    found: list[tuple[Any, int]] = []
    for poly, power in factors:
        for k, (other, exponent) in enumerate(found):
            sizes = sorted((len(poly), len(other)))
            if exponent == power and (sizes == [2, 2] or (sizes[0] == 2 and printed())):
                product = poly * other
                if len(product) == 2 and product.coeff(1):
                    found[k] = (product, power)
                    break
        else:
            found.append((poly, power))
    return found


def led(
    factors: list[tuple[Any, int]], typed: Collection[Fraction] = ()
) -> tuple[list[tuple[Any, int]], Fraction]:
    """Write 200000 + 26829 x^2 as 200000 (1 + 0.134145 x^2): what was typed as decimals.

    So too 3 - 2 x as 2 (1.5 - x), if 1.5 is a `typed` number.
    """
    found, by = [], Fraction(1)
    for poly, power in factors:
        constant = poly.coeff(1)
        sizes = {abs(c) for m, c in poly.iterterms() if any(m)} if typed and constant else ()
        if len(sizes) == 1 and abs(fraction(constant) / fraction(size := min(sizes))) in typed:
            by *= fraction(size) ** power
            poly = poly.quo_ground(size)
        elif len(poly) > 1 and constant and max(abs(c) for c in poly.coeffs()) > MAX_NUMBER:
            by *= fraction(constant) ** power
            poly = poly.quo_ground(constant)
        found.append((poly, power))
    return found, by
