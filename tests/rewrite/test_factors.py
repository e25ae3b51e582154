"""Factors that are known without a search are those that a search finds."""

import random
from typing import Any

import pytest
from sympy import QQ
from sympy.polys.rings import ring

from symgrad.rewrite import factors

RING, *LETTERS = ring("a,b,c", QQ)


def polynomial(chance: random.Random, terms: int) -> Any:
    """Make a sum of random terms, of degree at most 2 in each letter."""
    total = RING.zero
    for _ in range(terms):
        term = RING(QQ(chance.randint(-6, 6), chance.randint(1, 4)))
        for letter in LETTERS:
            term *= letter ** chance.choice([0, 0, 0, 1, 1, 2])
        total += term
    return total


@pytest.mark.parametrize("seed", range(4))
def test_what_is_known_has_the_factors_that_a_search_finds(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    several = [polynomial(chance, chance.randint(1, 4)) for _ in range(120)]
    several += [p * polynomial(chance, chance.randint(1, 2)) for p in several[:40]]
    squares = [RING(1), *LETTERS]
    several += [a**2 - b**2 for a in squares for b in squares]  # a difference of two squares
    several = [p for p in several if p]
    quick = [factors.factors_of.__wrapped__(p) for p in several]
    monkeypatch.setattr(factors, "_irreducible", lambda poly: False)
    monkeypatch.setattr(factors, "_of_squares", lambda poly: None)
    assert quick == [factors.factors_of.__wrapped__(p) for p in several]


def test_the_short_cut_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, c = LETTERS
    monkeypatch.setattr(type(a), "factor_list", None)  # the search would fail
    for poly in (a * b - c**2, a * b**2 - 3, a**2 * b + a - c**2, 1 - a * b):
        assert factors.factors_of.__wrapped__(poly)[1] in ([(poly, 1)], [(-poly, 1)])
    assert factors.factors_of.__wrapped__(1 - b**2)[1] == [(b - 1, 1), (b + 1, 1)]
    for poly in (a**2 - 4 * b**2, a * b + a * c + b**2 + b * c):
        with pytest.raises(TypeError):
            factors.factors_of.__wrapped__(poly)
