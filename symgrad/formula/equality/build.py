"""Functions of polynomials in their normal form: powers, exponentials, logarithms, conditions.

Every rule holds wherever both sides are defined: log(ab) = log|a| + log|b| and √(ab) = |a|^½|b|^½
need no signs, since the left sides are defined for positive ab only. A function of a case
distinction is a case distinction of functions.
"""

from collections.abc import Callable
from fractions import Fraction

from symgrad.formula.equality.relations import HIGH, MARKS
from symgrad.formula.equality.terms import (
    DEPTH,
    Atom,
    Mono,
    Poly,
    Undecided,
    atom,
    mode,
    number,
    summed,
)

CASES = 4  # conditions that are looked through
ODD = ("sin", "erf", "arctan", "asinh")
ONE, HALF = Fraction(1), Fraction(1, 2)
LARGEST = 10**9  # numbers whose roots and logarithms are split into primes


# -- cases -----------------------------------------------------------------------------------


def by_cases(function: Callable[[Poly], Poly], value: Poly) -> Poly:
    """Apply a function to a value that may hold indicators: f(c·a + (1 − c)·b)."""
    marks = [a for a in value.atoms() if a.head in MARKS]
    state = mode()
    if not marks:
        state.spend(4)
        state.depth += 1
        if state.depth > DEPTH:
            raise Undecided
        try:
            return function(value)
        finally:
            state.depth -= 1
    if len(marks) > CASES:
        raise Undecided
    mark = atom(marks[0])
    yes, no = assumed(value, marks[0], True), assumed(value, marks[0], False)
    if yes.key == no.key:
        return by_cases(function, yes)
    return mark * by_cases(function, yes) + (number(1) - mark) * by_cases(function, no)


def assumed(value: Poly, mark: Atom, holds: bool) -> Poly:
    """Set an indicator to 1 or 0; 1[V > 0] and 1[V = 0] exclude each other."""
    gone = {mark: holds}
    if holds and mark.head in ("positive", "zero"):
        other = "zero" if mark.head == "positive" else "positive"
        gone[Atom(other, parts=mark.parts)] = False
    terms: dict[Mono, Fraction] = {}
    for m, c in value:
        if any(a in gone and not gone[a] for a, _ in m):
            continue
        kept = tuple((a, e) for a, e in m if a not in gone)
        terms[kept] = terms.get(kept, Fraction(0)) + c
    return Poly(terms)


# -- signs -----------------------------------------------------------------------------------


def sure(a: Atom) -> bool:
    """Say whether an atom is positive."""
    if a.head in ("exp", "dim", "root", "constant"):
        return True
    if a.head == "leaf":
        return a.tag[1] == "positive"
    if a.head in ("base", "sum"):
        return is_positive(a.parts[0])
    return False


def is_positive(value: Poly) -> bool:
    """Say whether a sum is certainly positive: no term is negative, and one is not 0."""
    strict = False
    for m, c in value:
        if c < 0 or not all(_no_sign(a, e) for a, e in m):
            return False
        strict = strict or all(sure(a) for a, _ in m)
    return strict


def is_nonnegative(value: Poly) -> bool:
    """Say whether a sum is certainly not negative."""
    return all(c >= 0 and all(_no_sign(a, e) for a, e in m) for m, c in value)


def _no_sign(a: Atom, e: Fraction) -> bool:
    squares = a.head == "sum" and is_nonnegative(a.parts[0])
    return sure(a) or a.head in (*MARKS, "abs") or squares or _even(e)


def _even(e: Fraction) -> bool:
    return e.denominator == 1 and e.numerator % 2 == 0


def content(value: Poly, *, only_sure: bool = False) -> tuple[Fraction, Mono, Poly]:
    """Split a sum into a number, what all terms share, and a sum that begins with coefficient 1."""
    shared: dict[Atom, Fraction] = {}
    for a in value.atoms():
        if a.head in MARKS or (only_sure and not sure(a)):
            continue
        least = min(dict(m).get(a, Fraction(0)) for m in value.terms)
        if least:
            shared[a] = least
    mono = tuple(sorted(shared.items(), key=lambda p: p[0].key))
    if mono:
        value = value * Poly({tuple((a, -e) for a, e in mono): ONE})
        if any(e < 0 for m in value.terms for a, e in m if a in shared):
            raise Undecided
    c = value.terms[value.lead()]
    return c, mono, value.scaled(1 / c)


# -- powers ----------------------------------------------------------------------------------


def power(value: Poly, e: Fraction) -> Poly:
    """Raise to a fixed power."""
    if e == 0:
        return number(1)
    if e == 1:
        return value
    if e.denominator == 1 and 0 < e <= HIGH and (len(value.terms) > 1 or _marked(value)):
        result = value
        for _ in range(int(e) - 1):
            result = result * value
        return result
    return by_cases(lambda v: _power(v, e), value)


def _marked(value: Poly) -> bool:
    return any(a.head in MARKS for a in value.atoms())


def _power(value: Poly, e: Fraction) -> Poly:
    if not value:
        if e < 0:
            raise Undecided
        return value
    single = value.single()
    if single is None:
        c, shared, rest = content(value)
        if len(rest.terms) == 1:
            return _power(Poly({shared: c}), e) * _power(rest, e)
        whole = e.denominator == 1
        head = "base" if whole or is_nonnegative(rest) else "abs"
        return _power(Poly({shared: c}), e) * Poly({((Atom(head, parts=(rest,)), e),): ONE})
    mono, c = single
    result = number(c**e.numerator) if e.denominator == 1 else _number_power(abs(c), e)
    for a, k in mono:
        result = result * _atom_power(a, k, e)
    return result


def _atom_power(a: Atom, k: Fraction, e: Fraction) -> Poly:
    """Raise a^k to the power e: |a|^(k e) unless that is a whole power of a^k."""
    if e.denominator == 1 or sure(a) or a.head == "abs" or _no_sign(a, ONE):
        return Poly({((a, k * e),): ONE}) * number(1)
    return Poly({((Atom("abs", parts=(atom(a),)), k * e),): ONE}) * number(1)


def _number_power(c: Fraction, e: Fraction) -> Poly:
    result = number(1)
    for prime, k in primes(c):
        result = result * Poly({((Atom("root", (prime,)), k * e),): ONE})
    return result


def primes(c: Fraction) -> list[tuple[int, int]]:
    """Split a positive number into primes and their powers; what is large stays whole."""
    found: list[tuple[int, int]] = []
    for n, sign in ((c.numerator, 1), (c.denominator, -1)):
        p = 2
        while n > 1 and p * p <= n <= LARGEST:
            k = 0
            while n % p == 0:
                n, k = n // p, k + 1
            if k:
                found.append((p, sign * k))
            p += 1
        if n > 1:
            found.append((n, sign))
    return found


def inverse(value: Poly) -> Poly:
    """Give 1/V."""
    return power(value, Fraction(-1))


# -- exponentials and logarithms -------------------------------------------------------------


def exp(value: Poly) -> Poly:
    """Exponentiate: a product with one factor per term of V."""
    return by_cases(_exp, value)


def _exp(value: Poly) -> Poly:
    from symgrad.formula.equality.conditions import absolute

    result = number(1)
    for m, c in value:
        if len(m) == 1 and m[0][0].head == "log" and m[0][1] == 1:
            # exp(c log V) = |V|^c
            inner = m[0][0].parts[0] if m[0][0].parts else number(int(str(m[0][0].tag[0])))
            result = result * power(inner if _even(c) else absolute(inner), c)
        else:
            result = result * Poly({((Atom("exp", parts=(Poly({m: ONE}),)), c),): ONE})
    return result


def log(value: Poly) -> Poly:
    """Take log|V|, which is the logarithm of V wherever V has one."""
    return by_cases(_log, value)


def _log(value: Poly) -> Poly:
    if not value:
        raise Undecided
    single = value.single()
    if single is None:
        c, shared, rest = content(value)
        if len(rest.terms) == 1:
            return _log(Poly({shared: c})) + _log(rest)
        return _log(Poly({shared: c})) + atom(Atom("log", parts=(rest,)))
    mono, c = single
    parts = [_log_atom(a).scaled(e) for a, e in mono]
    parts += [atom(Atom("log", (p,))).scaled(Fraction(k)) for p, k in primes(abs(c))]
    return summed(parts)


def _log_atom(a: Atom) -> Poly:
    if a.head == "exp":
        return a.parts[0]
    if a.head in ("base", "abs"):
        inner = a.parts[0]
        known = len(inner.terms) > 1
        return atom(Atom("log", parts=(inner,))) if known else _log(inner)
    if a.head == "root":
        return atom(Atom("log", a.tag))
    return atom(Atom("log", parts=(atom(a),)))


# -- other functions of entries --------------------------------------------------------------

AT_ZERO = {"sin": 0, "cos": 1, "erf": 0, "arctan": 0, "asinh": 0, "floor": 0}


def entry(op: str, value: Poly, tag: tuple[object, ...] = ()) -> Poly:
    """Give a function about which little is known: even or odd, its value at 0."""

    def made(v: Poly) -> Poly:
        if not v and op in AT_ZERO:
            return number(AT_ZERO[op])
        flip = (op in ODD or op == "cos") and bool(v) and v.terms[v.lead()] < 0
        inner = -v if flip else v
        found = atom(Atom("sin" if op == "sin" else "entry", (op, *tag), parts=(inner,)))
        return -found if flip and op in ODD else found

    return by_cases(made, value)


def call(op: str, values: tuple[Poly, ...]) -> Poly:
    """Give a function of several variables about which nothing is known."""
    return atom(Atom("entry", (op,), parts=values))
