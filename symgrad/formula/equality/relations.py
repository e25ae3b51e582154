"""Products of monomials: powers add up, and what the atoms say about each other is used.

1[c]² = 1[c], V·1[V = 0] = 0, δᵢⱼ aⱼ = δᵢⱼ aᵢ, sin² = 1 − cos², D·D⁻¹ = 1: each is one rule, from a
monomial to the polynomial that takes its place.
"""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from symgrad.formula.equality.terms import Atom, Mono, Poly, Undecided, atom, mode, number, ordered

ONE = Fraction(1)
HIGH = 6  # powers of sums above this are not multiplied out
MARKS = ("positive", "zero", "bit", "delta")  # 0 or 1
SPECIAL = (*MARKS, "base", "abs", "root", "sin")
Powers = dict[Atom, Fraction]


def product(m: Mono, n: Mono) -> Iterable[tuple[Mono, Fraction]]:
    """Multiply two monomials; the result may have several terms."""
    powers: Powers = dict(m)
    for a, e in n:
        powers[a] = powers.get(a, Fraction(0)) + e
    return reduced(powers)


def reduced(powers: Powers) -> Iterable[tuple[Mono, Fraction]]:
    """Apply the rules to a product of powers until none applies."""
    mono = ordered(powers)
    special = [(a, e) for a, e in mono if a.head in SPECIAL]
    for a, e in special:
        changed = RULES[a.head](a, e, powers)
        if changed is not None:
            mode().spend()
            return list(changed)
    return [(mono, ONE)]


def _without(powers: Powers, *atoms: Atom) -> Poly:
    return Poly(dict(reduced({a: e for a, e in powers.items() if a not in atoms})))


def _mark(a: Atom, e: Fraction, powers: Powers) -> Poly | None:
    """Use that an indicator is 0 or 1."""
    if e < 0 or e.denominator != 1:
        raise Undecided
    if e > 1:
        return Poly(dict(reduced({**powers, a: ONE})))
    if a.head == "positive" and Atom("zero", parts=a.parts) in powers:
        return Poly({})
    if a.head == "zero":
        return _nothing(a, powers)
    return _same(a, powers) if a.head == "delta" else None


def _nothing(a: Atom, powers: Powers) -> Poly | None:
    """Use V·1[V = 0] = 0, by the first term of V."""
    (value,) = a.parts
    lead = value.lead()
    if not lead or not all(powers.get(b, Fraction(0)) >= e > 0 for b, e in lead):
        return None
    rest = {b: e - dict(lead).get(b, Fraction(0)) for b, e in powers.items()}
    other = (Poly({lead: value.terms[lead]}) - value).scaled(1 / value.terms[lead])
    return Poly(dict(reduced(rest))) * other


def _same(a: Atom, powers: Powers) -> Poly | None:
    """Use that both indices of a delta are equal: write the first one everywhere else."""
    from symgrad.formula.equality.sums import replaced

    i, j = a.idx
    gone, kept = (j, i) if isinstance(j, str) and j[0] != "#" else (i, j)
    if not isinstance(gone, str) or gone[0] == "#":
        return None
    if isinstance(kept, Atom) and gone in kept.free:
        return None
    if not any(gone in b.free for b in powers if b != a):
        return None
    rest = _without(powers, a)
    return replaced(rest, {gone: kept}) * atom(a)


def _power_of(value: Poly, times: int) -> Poly:
    result = number(1)
    for _ in range(times):
        result = result * value
    return result


def _base(a: Atom, e: Fraction, powers: Powers) -> Poly | None:
    """Multiply a sum out; of a denominator D, use first term·D⁻¹ = 1 − rest·D⁻¹."""
    (value,) = a.parts
    if e >= 1:
        whole = math.floor(e)
        if whole > HIGH:
            return None
        powers = {**powers, a: e - whole}
        return Poly(dict(reduced(powers))) * _power_of(value, whole)
    if e > 0:
        return None
    lead = value.lead()
    if not all(powers.get(b, Fraction(0)) >= k > 0 for b, k in lead):
        return None
    c = value.terms[lead]
    left = {b: k - dict(lead).get(b, Fraction(0)) for b, k in powers.items()}
    raised = Poly(dict(reduced({**left, a: e + 1})))
    rest = (value - Poly({lead: c})) * Poly(dict(reduced(left)))
    return (raised - rest).scaled(1 / c)


def _absolute(a: Atom, e: Fraction, powers: Powers) -> Poly | None:
    """Leave a power between 0 and 1 of |V|; whole powers are those of V, odd ones with a sign."""
    from symgrad.formula.equality.build import power
    from symgrad.formula.equality.conditions import absolute

    whole = math.floor(e)
    if not whole:
        return None
    (value,) = a.parts
    odd = whole % 2
    result = _without(powers, a) * power(value, Fraction(whole - odd))
    result = result * absolute(value) if odd else result
    return result * atom(a, e - whole) if e != whole else result


def _root(a: Atom, e: Fraction, powers: Powers) -> Poly | None:
    """Take whole powers of a number out of its root."""
    whole = math.floor(e)
    if not whole:
        return None
    (prime,) = a.tag
    assert isinstance(prime, int)
    rest = Poly(dict(reduced({**powers, a: e - whole})))
    return rest.scaled(Fraction(prime) ** whole)


def _sine(a: Atom, e: Fraction, powers: Powers) -> Poly | None:
    """Use sin² = 1 − cos²."""
    if e < 2 or e.denominator != 1:
        return None
    cosine = atom(Atom("entry", ("cos",), parts=a.parts))
    rest = Poly(dict(reduced({**powers, a: e - 2})))
    return rest * (number(1) - cosine * cosine)


RULES: dict[str, Callable[[Atom, Fraction, Powers], Poly | None]] = {
    **dict.fromkeys(MARKS, _mark),
    "base": _base, "abs": _absolute, "root": _root, "sin": _sine,
}  # fmt: skip
