"""Conditions as indicators: 1[V > 0] and 1[V = 0], in a normal form that signs do not change."""

from fractions import Fraction

from symgrad.formula.equality.build import by_cases, content, is_nonnegative, is_positive, sure
from symgrad.formula.equality.terms import Atom, Poly, atom, mode, number


def absolute(value: Poly) -> Poly:
    """Give |V| = V·(2·1[V > 0] − 1)."""
    if is_nonnegative(value):
        return value
    return value * (positive(value).scaled(Fraction(2)) - number(1))


def positive(value: Poly) -> Poly:
    """Give 1[V > 0]."""
    return by_cases(_positive, value)


def _positive(value: Poly) -> Poly:
    if (c := value.constant) is not None:
        return number(int(c > 0))
    value = cleared(value)
    if is_positive(value):
        return number(1)
    if is_positive(-value):
        return number(0)
    c, _, rest = content(value, only_sure=True)
    holds = atom(Atom("positive", parts=(rest,)))
    return holds if c > 0 else number(1) - holds - zero(rest)


def cleared(value: Poly) -> Poly:
    """Multiply by positive denominators: the sign stays."""
    for _ in range(6):
        low = {a: e for m in value.terms for a, e in m if a.head == "base" and e < 0 and sure(a)}
        if not low:
            break
        for a in sorted(low, key=lambda b: b.key):
            least = min(dict(m).get(a, Fraction(0)) for m in value.terms)
            if least < 0:
                value = value * atom(a, -least)
    return value


def zero(value: Poly) -> Poly:
    """Give 1[V = 0]."""
    return by_cases(_zero, value)


def _zero(value: Poly) -> Poly:
    if (c := value.constant) is not None:
        return number(int(c == 0))
    found = _places(value)
    if found is not None:
        return found
    if is_positive(value) or is_positive(-value):
        return number(0)
    if mode().almost and not all(a.head == "place" or a.tag[1:] == ("int",) for a in value.atoms()):
        return Poly({})
    return atom(Atom("zero", parts=(content(value, only_sure=True)[2],)))


def _places(value: Poly) -> Poly | None:
    """Write 1[i − j = 0], of indices, labels or a fixed place, as a delta."""
    from symgrad.formula.equality.sums import delta

    plain: list[tuple[Atom, Fraction]] = []
    shift = Fraction(0)
    for m, c in value:
        if not m:
            shift = c
        elif len(m) == 1 and m[0][1] == 1 and abs(c) == 1:
            plain.append((m[0][0], c))
        else:
            return None
    whole = [a for a, _ in plain if a.head == "place" or a.tag[1:] == ("int",)]
    if not whole or len(whole) != len(plain) or len(plain) > 2:
        return None
    ends = [a.idx[0] if a.head == "place" else a for a, _ in plain]
    if len(plain) == 2:
        return delta(ends[0], ends[1]) if plain[0][1] == -plain[1][1] and not shift else None
    place = -shift / plain[0][1]
    if place.denominator != 1 or place < 0:
        return number(0)
    return delta(ends[0], f"#{place}")
