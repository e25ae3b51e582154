"""Polynomials over atoms with indices: the arithmetic by which two expressions are compared.

One entry of an array is a sum of products of atoms: entries of inputs x[i, j], exponentials,
logarithms, indicators 1[V > 0], Kronecker deltas, sums over bound indices, and denominators. An
index is a text such as `p0:N` (place 0 of the result, running over N), `#2` (the place 2), or the
atom of a label. Equal values that the rules know have one form, so that comparing is subtracting.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Union

Index = Union[str, "Atom"]
Mono = tuple[tuple["Atom", Fraction], ...]

BUDGET = 40_000  # products of monomials: about a second
MAX_TERMS = 1500
DEPTH = 60  # of atoms within atoms
LONGEST = 20_000  # characters of the text of an atom: what is shared is written as often as used


class Undecided(Exception):
    """Leave the exact comparison: it would take too long, or divides by zero."""


@dataclass
class Mode:
    """Say how to compare: with which facts, apart from kinks or not, sums spelled out or not."""

    facts: frozenset[str] = frozenset()  # names of the inputs whose kinds may be used
    almost: bool = False  # leave out where a condition changes: x = 0 for 1[x > 0]
    expand: bool = False  # write sums over few entries out
    sizes: Mapping[str, int] = field(default_factory=dict)  # of dimensions, where known
    left: int = BUDGET
    above: frozenset[str] = frozenset()  # inputs whose logarithm or root is taken: positive
    depth: int = 0
    counter: int = 0

    def fresh(self, dim: int | str) -> str:
        """Give an index that nothing else uses."""
        self.counter += 1
        return f"t{self.counter}:{dim}"

    def spend(self, amount: int = 1) -> None:
        """Count work; stop when the budget is spent."""
        self.left -= amount
        if self.left < 0:
            raise Undecided


_MODE: ContextVar[Mode] = ContextVar("mode")


def mode() -> Mode:
    """Give the rules of the comparison that is going on."""
    return _MODE.get()


@contextmanager
def comparing(chosen: Mode) -> Iterator[Mode]:
    """Compare by these rules."""
    token = _MODE.set(chosen)
    try:
        yield chosen
    finally:
        _MODE.reset(token)


def index_key(index: Index) -> str:
    """Give the text of an index inside keys, with brackets that keep it apart from others."""
    return f"‹{index}›" if isinstance(index, str) else f"‹@{index.key}›"


def dim_of(index: Index) -> int | str:
    """Give the dimension over which an index runs."""
    assert isinstance(index, str)
    name = index.split(":", 1)[1]
    return int(name) if name.isdigit() else name


class Atom:
    """Hold one atom: its head says what it is, `key` is equal for equal atoms only."""

    __slots__ = ("bound", "free", "head", "height", "idx", "key", "parts", "tag")
    free: frozenset[str]

    def __init__(
        self,
        head: str,
        tag: tuple[object, ...] = (),
        idx: tuple[Index, ...] = (),
        parts: tuple["Poly", ...] = (),
        bound: tuple[str, ...] = (),
    ) -> None:
        self.head, self.tag, self.idx, self.parts, self.bound = head, tag, idx, parts, bound
        inner = "".join(map(index_key, idx)) + "".join(f"({p.key})" for p in parts)
        self.key = f"{head}{tag if tag else ''}{''.join(map(index_key, bound))}{inner}"
        if len(self.key) > LONGEST:
            raise Undecided
        found: dict[str, None] = {}
        for i in idx:
            found.update(dict.fromkeys([i] if isinstance(i, str) else i.free))
        if head != "array":  # its parts have places of their own
            for p in parts:
                found.update(dict.fromkeys(p.free))
        self.free = frozenset(i for i in found if i not in bound and i[0] != "#")
        self.height = max([0, *(int(i[1:].split(":")[0]) for i in bound)])
        for p in parts:
            self.height = max(self.height, p.height)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return self.key


class Poly:
    """Hold a sum of products of powers of atoms with exact coefficients."""

    __slots__ = ("__dict__", "terms")

    def __init__(self, terms: Mapping[Mono, Fraction]) -> None:
        self.terms = {m: c for m, c in terms.items() if c}
        if len(self.terms) > MAX_TERMS:
            raise Undecided

    @cached_property
    def key(self) -> str:
        """Give a text that only equal polynomials have."""
        mode().spend(sum(len(a.key) for m in self.terms for a, _ in m) // 2000)
        shown = sorted("·".join(f"{a.key}^{e}" for a, e in m) + f"*{c}" for m, c in self)
        return " + ".join(shown)

    @cached_property
    def free(self) -> frozenset[str]:
        """Collect the indices that are not bound."""
        return frozenset(i for m in self.terms for a, _ in m for i in a.free)

    @cached_property
    def height(self) -> int:
        """Give the largest number of a bound index."""
        return max((a.height for m in self.terms for a, _ in m), default=0)

    def __iter__(self) -> Iterator[tuple[Mono, Fraction]]:
        return iter(self.terms.items())

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __add__(self, other: "Poly") -> "Poly":
        total = dict(self.terms)
        for m, c in other:
            total[m] = total.get(m, Fraction(0)) + c
        return Poly(total)

    def __sub__(self, other: "Poly") -> "Poly":
        return self + other.scaled(Fraction(-1))

    def __neg__(self) -> "Poly":
        return self.scaled(Fraction(-1))

    def scaled(self, by: Fraction) -> "Poly":
        """Multiply by a number."""
        return Poly({m: c * by for m, c in self})

    def __mul__(self, other: "Poly") -> "Poly":
        from symgrad.formula.equality.relations import product

        total: dict[Mono, Fraction] = {}
        for m, c in self:
            for n, d in other:
                mode().spend()
                for k, e in product(m, n):
                    total[k] = total.get(k, Fraction(0)) + c * d * e
        return Poly(total)

    @property
    def constant(self) -> Fraction | None:
        """Give the number that the polynomial is, or None."""
        if not self.terms:
            return Fraction(0)
        return self.terms.get(()) if len(self.terms) == 1 else None

    def single(self) -> tuple[Mono, Fraction] | None:
        """Give the only term, or None."""
        return next(iter(self)) if len(self.terms) == 1 else None

    def lead(self) -> Mono:
        """Give the term that comes first: of highest degree, then by its key."""
        return max(self.terms, key=rank)

    def atoms(self) -> list[Atom]:
        """List the atoms of all terms, in order."""
        found = {a for m in self.terms for a, _ in m}
        return sorted(found, key=lambda a: a.key)

    def __repr__(self) -> str:
        return self.key or "0"


def rank(mono: Mono) -> tuple[Fraction, str]:
    """Order monomials: by degree, then by their text."""
    degree = sum((e for _, e in mono), Fraction(0))
    return degree, "·".join(f"{a.key}^{e}" for a, e in mono)


def ordered(powers: Mapping[Atom, Fraction]) -> Mono:
    """Make a monomial of atoms and their powers."""
    return tuple(sorted(((a, e) for a, e in powers.items() if e), key=lambda p: p[0].key))


def number(value: int | Fraction) -> Poly:
    """Make a constant."""
    return Poly({(): Fraction(value)})


def atom(made: Atom, power: int | Fraction = 1) -> Poly:
    """Make a power of one atom."""
    return Poly({((made, Fraction(power)),): Fraction(1)})


def summed(parts: Iterable[Poly]) -> Poly:
    """Add polynomials."""
    total = Poly({})
    for part in parts:
        total = total + part
    return total
