"""Dimensions that are made of names: N - 1, N*D, (N + 1)//2.

A dimension is an `int` or a text: a name, or a polynomial of names with whole coefficients, in
which a floor division counts as a name. Equal polynomials have one text, so dimensions are
compared as they stand.

>>> minus(plus("N", "K", -1), "K")
'N - 1'
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from math import gcd

from symgrad.errors import LimitError, ShapeError

Dim = int | str
Terms = tuple[tuple[tuple[str, ...], int], ...]  # (factors, coefficient), as they are written
TOKEN = re.compile(r"\s*(//|\d+|[^\W\d]\w*|[()*+-])\s*")
MAX_TERMS = 64
INVOLVED = "the sizes of these slices are too involved"
MAX_FACTOR = 2**63  # of a number in a dimension: no array is larger
MAX_SUM = 500  # terms of a sum: what is written out in full at every use
KEPT = 400  # characters of a text that is read once for all
DIGITS = 20  # of a number in a dimension; those of MAX_FACTOR


def plus(*sizes: Dim) -> Dim:
    """Add dimensions.

    >>> plus("N", "M", "N", 3), plus("N", -1)
    ('M + 2*N + 3', 'N - 1')
    """
    return written([term for size in sizes for term in terms(size)])


def minus(a: Dim, b: Dim) -> Dim:
    """Subtract dimensions."""
    return written([*terms(a), *((m, -c) for m, c in terms(b))])


def times(*sizes: Dim) -> Dim:
    """Multiply dimensions.

    >>> times("N", "D", 2), times("N", 0)
    ('2*D*N', 0)
    """
    found: Dim = 1
    for size in sizes:
        pairs = [(p, q) for p in terms(found) for q in terms(size)]
        if len(pairs) > MAX_TERMS:
            listed = ", ".join(map(str, sizes))
            raise ShapeError(f"the product of the dimensions {listed[:120]} is too involved",
                             hint="name parts of it as dimensions of their own")  # fmt: skip
        found = written([((*m, *n), c * d) for (m, c), (n, d) in pairs])
    return found


def quotient(a: Dim, b: Dim) -> Dim | None:
    """Divide dimensions; None where that leaves a rest or cannot be told.

    >>> quotient(times("N", "D", 2), "N"), quotient("N", "D"), quotient(12, 4)
    ('2*D', None, 3)
    """
    if a == b:
        return 1
    below = terms(b)
    if len(below) != 1:
        return None
    (factors, c), found = below[0], []
    for monomial, d in terms(a):
        rest = list(monomial)
        for factor in factors:
            if factor not in rest:
                return None
            rest.remove(factor)
        if d % c:
            return None
        found.append((tuple(rest), d // c))
    return written(found)


def negative(size: Dim) -> bool:
    """Say whether a size is below 0, whatever its names stand for, but for a few numbers.

    >>> negative("2 - N"), negative("N - 2"), negative(-1)
    (True, False, True)
    """
    named = [c for factors, c in terms(size) if factors]
    return max(named) < 0 if named else int(size) < 0


def solved(made: Dim, name: str) -> tuple[Dim, int] | None:
    """Give the a and k of made = a + k*name; None if the name stands in no such place.

    >>> solved("4*H + N - 1", "H"), solved("M//2", "M")
    (('N - 1', 4), None)
    """
    slope = [c for factors, c in terms(made) if factors == (name,)]
    rest = written([(factors, c) for factors, c in terms(made) if factors != (name,)])
    return (rest, slope[0]) if slope and name not in names_in(rest) else None


def halved(size: Dim, k: int = 2) -> Dim:
    """Divide by a number and round down.

    >>> halved("N"), halved(plus(times("N", 4), 6), 4), halved(7), halved(plus("N//2", 1), 3)
    ('N//2', 'N + 1', 3, '(N + 2)//6')
    """
    whole = [(m, c // k) for m, c in terms(size) if not c % k or not m]
    rest = written([(m, c if m else c % k) for m, c in terms(size) if c % k])
    if isinstance(rest, int):
        return written(whole)
    common = gcd(k, *(c for m, c in terms(rest) if m))
    if common > 1:  # (2 N + 1)//4 = N//2
        rest, k = written([(m, c // common) for m, c in terms(rest)]), k // common
        return written([*whole, *terms(halved(rest, k))])
    (factors, c), *others = terms(rest)
    floor = split(factors[0]) if len(factors) == 1 else None
    if floor and c == 1 and not any(m for m, _ in others):
        # (a//m + b)//k = (a + b m)//(k m)
        inner = plus(floor[0], *(d * floor[1] for _, d in others))
        return written([*whole, *terms(halved(inner, k * floor[1]))])
    if rest.count("//") > MAX_TERMS:
        raise ShapeError(INVOLVED)
    atom = f"{rest}//{k}" if rest.isidentifier() else f"({rest})//{k}"
    return written([*whole, ((atom,), 1)])


def split(factor: str) -> tuple[str, int] | None:
    """Split (N + 1)//2 into N + 1 and 2; None for a name."""
    above, slashes, below = factor.rpartition("//")
    if not slashes:
        return None
    return (above if above.isidentifier() else above[1:-1]), int(below)


def names_in(size: Dim) -> list[str]:
    """List the names in a dimension.

    >>> names_in("N*D - 1"), names_in(3)
    (['N', 'D'], [])
    """
    return [] if isinstance(size, int) else list(_names(size))


@lru_cache(maxsize=4096)
def _names(size: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"[^\W\d]\w*", size)))


def evaluated(size: Dim, sizes: Mapping[str, int]) -> int | None:
    """Give the number that a dimension comes to; None if a name in it has none.

    >>> evaluated("N - 1", {"N": 5}), evaluated("(N + 1)//2", {"N": 4}), evaluated("N", {})
    (4, 2, None)
    """
    total = 0
    for factors, c in terms(size):
        for factor in factors:
            floor = split(factor)
            value = evaluated(floor[0], sizes) if floor else sizes.get(factor)
            if value is None:
                return None
            c *= value // floor[1] if floor else value
        total += c
    return total


def proper(size: object) -> bool:
    """Say whether this is a dimension, written as this module writes it."""
    if isinstance(size, int) and not isinstance(size, bool):
        return True
    try:
        return isinstance(size, str) and written(list(terms(size))) == size
    except (ShapeError, LimitError):
        return False


def written(terms: list[tuple[tuple[str, ...], int]]) -> Dim:
    """Write a sum of products in the one way that equal sums share."""
    total: dict[tuple[str, ...], int] = {}
    for factors, c in terms:
        key = tuple(sorted(factors))
        total[key] = total.get(key, 0) + c
    left = [(m, c) for m, c in total.items() if c]
    if any(abs(c) > MAX_FACTOR or len(m) > MAX_TERMS for m, c in left):
        raise ShapeError("a dimension of these sizes is too large")
    if len(left) > MAX_SUM:
        raise LimitError(f"a dimension is a sum of {len(left)} sizes; the limit is {MAX_SUM}",
                         hint="give the sizes as numbers in shapes=")  # fmt: skip
    if not left or not any(m for m, _ in left):
        return sum(c for _, c in left)
    left.sort(key=lambda t: (not t[0], t[1] < 0, t[0]))
    if left[0][1] < 0 < left[-1][1]:
        left = [left[-1], *left[:-1]]  # 3 - N
    result = ""
    for factors, c in left:
        sign = (" - " if c < 0 else " + ") if result else "-" if c < 0 else ""
        # -N//2 is (-N)//2 in Python, and 2*N//2 is (2*N)//2
        bound = len(factors) > 1 or abs(c) != 1 or sign == "-"
        shown = [f"({f})" if bound and not f.isidentifier() else f for f in factors]
        result += sign + "*".join([str(abs(c))] * (abs(c) != 1 or not factors) + shown)
    return result


def terms(size: Dim) -> Terms:
    """Read a dimension; raise ShapeError for anything that is none.

    >>> terms("2*N - 1")
    ((('N',), 2), ((), -1))
    """
    if isinstance(size, int):
        return (((), size),) if size else ()
    if size.isidentifier():
        return (((size,), 1),)
    return _kept(size) if len(size) <= KEPT else _read(size)


def _read(size: str) -> Terms:
    tokens = TOKEN.findall(size)
    reading = _Tokens(tokens, size)
    if "".join(tokens) != "".join(size.split()):
        raise reading.error()
    found = reading.sum()
    if reading.next():
        raise reading.error()
    return tuple(found)


_kept = lru_cache(maxsize=4096)(_read)


class _Tokens:
    """Go through the tokens of a dimension."""

    def __init__(self, tokens: list[str], size: str) -> None:
        self.tokens, self.size = [*tokens, ""], size
        self.place = self.depth = 0

    def next(self) -> str:
        """Give the next token, "" after the last, and step over it."""
        token = self.tokens[self.place]
        self.place += token != ""
        return token

    def took(self, wanted: str) -> bool:
        """Step over the next token if it is the wanted one; say whether it was."""
        found = self.tokens[self.place] == wanted
        self.place += found
        return found

    def sum(self) -> list[tuple[tuple[str, ...], int]]:
        """Read a sum of products, up to a closing bracket or what is none of it."""
        found: list[tuple[tuple[str, ...], int]] = []
        while self.tokens[self.place]:
            c = 1 if self.took("+") or not self.took("-") else -1
            factors: list[str] = []
            while True:
                factor = self.factor()
                if isinstance(factor, int):
                    c *= factor
                else:
                    factors.append(factor)
                if not self.took("*"):
                    break
            found.append((tuple(factors), c))
            if self.tokens[self.place] not in ("+", "-"):
                break
        return found

    def factor(self) -> Dim:
        """Read a number, a name or a sum in brackets, with a floor division."""
        first = self.next()
        if first.isdigit():
            return int(first) if len(first) <= DIGITS else MAX_FACTOR + 1
        factor: Dim = first
        if first == "(":
            self.depth += 1
            if self.depth > MAX_TERMS:
                raise ShapeError(INVOLVED)
            factor = written(self.sum())
            self.depth -= 1
            if not self.took(")") or isinstance(factor, int):
                raise self.error()
        elif not first.isidentifier():
            raise self.error()
        if self.took("//"):
            below = self.next()
            if not below.isdigit() or len(below) > DIGITS or int(below) < 2:
                raise self.error()
            return f"{factor}//{below}" if first != "(" else f"({factor})//{below}"
        if first == "(" and "//" not in str(factor):
            raise self.error()
        return factor

    def error(self) -> ShapeError:
        """Say that the text is no dimension."""
        return ShapeError(f"not a dimension: {self.size[:80]!r}")
