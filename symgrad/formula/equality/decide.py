"""Decide exactly whether two expressions are equal, where the normal form can tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product as combinations

from symgrad.formula.equality.build import assumed
from symgrad.formula.equality.conditions import positive
from symgrad.formula.equality.entrywise import ENTRIES as OPERATIONS
from symgrad.formula.equality.placed import place
from symgrad.formula.equality.reading import read
from symgrad.formula.equality.relations import MARKS
from symgrad.formula.equality.sums import FEW, replaced
from symgrad.formula.equality.terms import (
    BUDGET,
    Atom,
    Mode,
    Mono,
    Poly,
    Undecided,
    atom,
    comparing,
    number,
    rank,
)
from symgrad.graph import Node, topological
from symgrad.ops import OPS, make
from symgrad.rewrite.tidy import number as exact_number

DISCRETE = ("onehot", "sign", "binary")
FACTS = (*DISCRETE, "simplex", "positive", "symmetric")
CLEARED = 12
ENTRIES = 32
ROWS = 60
CASES = ("where", "maximum", "minimum", "clip", "sign", "abs")
CHOOSING = ("where", "slice", "pick", "take", "part", "xlogy", "xdivy", "over")
LEVELS = 6  # choices of intermediates that are taken for unknowns


@dataclass(frozen=True, slots=True)
class Proof:
    """Say on what a proof rests: facts about inputs, by name; apart from kinks or not."""

    facts: tuple[str, ...] = ()
    almost: bool = False


def prove(
    left: Node,
    right: Node,
    named: Mapping[Node, str],
    sizes: Mapping[str, int],
) -> Proof | None:
    """Prove that two nodes of one shape are equal; None if the rules do not show it.

    `named` are intermediates that may be taken for unknowns: what holds for any values holds.
    """
    if left is right:
        return Proof()
    order = topological([left, right])
    declared = [
        str(n.attrs["name"])
        for n in order
        if n.op == "input" and n.attrs["kind"] in FACTS and n.dtype == "float"
    ]
    discrete = [n.attrs["name"] for n in order if n.op == "input" and n.attrs["kind"] in DISCRETE]
    tries = [(frozenset[str](), False)]
    if declared:
        tries.append((frozenset(declared), False))
    if any(_conditional(n) for n in order):
        tries.append((frozenset(declared), True))
    for facts, almost in tries:
        if not _equal(left, right, named, sizes, facts, almost):
            continue
        for name in declared:  # which of them are needed
            fewer = facts - {name}
            needed = almost and name in discrete
            if name not in facts or needed:
                continue
            if _equal(left, right, named, sizes, fewer, almost):
                facts = fewer
        return Proof(tuple(n for n in declared if n in facts), almost)
    return None


def _equal(
    left: Node,
    right: Node,
    named: Mapping[Node, str],
    sizes: Mapping[str, int],
    facts: frozenset[str],
    almost: bool,
) -> bool:
    """Compare under some facts, first with intermediates as unknowns."""
    budget = BUDGET
    nodes = topological([left, right])
    few = any(isinstance(d, int) and 1 < d <= FEW for n in nodes for d in n.shape)
    small = [d for d in left.shape if isinstance(d, int) and 1 < d <= FEW]
    for unknowns in _unknowns(left, right, named):
        for expand in (False, True) if few else (False,):
            how = Mode(facts, almost, expand, sizes, budget, _above(left, right))
            try:
                with comparing(how):
                    difference = read(left, unknowns) - read(right, unknowns)
                    if vanishes(difference):
                        return True
                    if expand and small and _everywhere(difference, left):
                        return True
            except (Undecided, RecursionError):
                continue
            finally:
                budget = max(how.left, budget // 2)
    return False


def _conditional(node: Node) -> bool:
    """Say whether a condition decides about a value, so that there may be a kink."""
    row = OPS.get(node.op)
    return node.dtype == "bool" or node.op in CASES or (row is not None and bool(row.kinks))


def _above(left: Node, right: Node) -> frozenset[str]:
    """Collect the inputs that are positive wherever both sides are defined: log x stands in one.

    Where entries or branches are chosen, what is not chosen need not be defined.
    """
    order = topological([left, right])
    if any(n.op in CHOOSING for n in order):
        return frozenset()
    inner = [n.args[0] for n in order if n.op in ("log", "sqrt")]
    return frozenset(n.attrs["name"] for n in inner if n.op == "input")


def _unknowns(left: Node, right: Node, named: Mapping[Node, str]) -> list[dict[Node, str]]:
    """Choose which intermediates to take for unknowns: all, those of both sides, some, none."""
    both = dict.fromkeys(topological([left]))
    shared = [n for n in topological([right]) if n in both and n is not left and n is not right]
    names = {n: named[n] for n in shared if n in named}
    for k, node in enumerate(n for n in shared if n.op == "softmax" and n not in names):
        names[node] = f"softmax {k}"
    found = [dict(named), names, {}]
    order = list(names)
    found += [{n: names[n] for n in order[:k]} for k in range(len(order) - 1, 0, -1)]
    found += [{n: names[n]} for n in order[1:]]
    distinct: list[dict[Node, str]] = []
    for choice in found[:LEVELS]:
        if choice not in distinct:
            distinct.append(choice)
    return distinct


def _everywhere(difference: Poly, node: Node) -> bool:
    """Compare entry by entry, along the axes of few entries."""
    axes = [
        (place(k, d), [f"#{j}" for j in range(d)])
        for k, d in enumerate(node.shape)
        if isinstance(d, int) and 1 < d <= FEW
    ]
    found = list(combinations(*(choices for _, choices in axes)))
    if not axes or len(found) > ENTRIES:
        return False
    names = [name for name, _ in axes]
    return all(
        vanishes(replaced(difference, dict(zip(names, chosen, strict=True)))) for chosen in found
    )


def vanishes(value: Poly) -> bool:
    """Say whether a sum is 0: as it stands, without denominators, case by case."""
    value = _without_denominators(value)
    if not value:
        return True
    return _summands(value) or _cases(value)


def _without_denominators(value: Poly) -> Poly:
    """Multiply by what stands below.

    Not beside 1[V = 0], though: V·1[V = 0] = 0 says nothing about 1[V = 0] itself.
    """
    for _ in range(CLEARED):
        if not value or any(a.head == "zero" for a in value.atoms()):
            return value
        low: dict[Atom, Fraction] = {}
        for m in value.terms:
            for a, e in m:
                if a.head == "base" and e < 0:
                    low[a] = min(e, low.get(a, e))
        if not low:
            return value
        first = max(low, key=lambda a: (len(a.key), a.key))
        value = value * atom(first, -low[first])
    return value


def _summands(value: Poly) -> bool:
    """Join sums over indices of the same ranges, and compare what is summed."""
    groups: dict[str, tuple[Atom, Poly]] = {}
    rest: dict[Mono, Fraction] = {}
    for m, c in value:
        inner = [a for a, e in m if a.head == "sum" and e == 1]
        if len(inner) != 1:
            rest[m] = c
            continue
        (a,) = inner
        outside = Poly({tuple(p for p in m if p[0] != a): c})
        key = f"{sorted(b.split(':')[1] for b in a.bound)}"
        first = groups.setdefault(key, (a, Poly({})))[0]
        moves = dict(zip(_sorted(a), _sorted(first), strict=True))
        body = replaced(a.parts[0], moves) * outside
        groups[key] = (first, groups[key][1] + body)
    if rest or not groups:
        return False
    return all(not _without_denominators(body) for _, body in groups.values())


def _sorted(a: Atom) -> list[str]:
    """List bound indices by their ranges."""
    return sorted(a.bound, key=lambda b: (b.split(":")[1], b))


def _cases(value: Poly) -> bool:
    """Try every truth of the conditions that can hold together."""
    marks = [a for a in value.atoms() if a.head in MARKS]
    if not marks or len(marks) > 7:
        return False
    todo: list[tuple[Poly, int, tuple[tuple[Atom, bool], ...]]] = [(value, 0, ())]
    while todo:
        part, k, chosen = todo.pop()
        if not part or not _without_denominators(part):
            continue
        if k == len(marks):
            if not _contradictory(chosen):
                return False
            continue
        for holds in (True, False):
            todo.append((assumed(part, marks[k], holds), k + 1, (*chosen, (marks[k], holds))))
    return True


def _contradictory(chosen: tuple[tuple[Atom, bool], ...]) -> bool:
    """Say whether linear conditions exclude each other: x > 6 and not x > 0; x > y > z > x.

    Fourier and Motzkin: two bounds of one quantity, taken together, are free of it.
    """
    rows: list[tuple[Poly, bool]] = []  # value > 0 if strict, else value >= 0
    for mark, holds in chosen:
        if mark.head == "positive":
            rows.append((mark.parts[0], True) if holds else (-mark.parts[0], False))
        elif mark.head == "zero" and holds:
            rows += [(mark.parts[0], False), (-mark.parts[0], False)]
    quantities = sorted({m for value, _ in rows for m in value.terms if m}, key=rank)
    for x in quantities:
        up = [(v.scaled(1 / v.terms[x]), s) for v, s in rows if v.terms.get(x, 0) > 0]
        down = [(v.scaled(-1 / v.terms[x]), s) for v, s in rows if v.terms.get(x, 0) < 0]
        rows = [row for row in rows if x not in row[0].terms]
        rows += [(v + w, s or t) for v, s in up for w, t in down]
        if len(rows) > ROWS:
            return False
    constants = [(v.constant or Fraction(0), strict) for v, strict in rows]
    return any(c < 0 or (c == 0 and strict) for c, strict in constants)


def solved(condition: Node) -> Node | None:
    """Write a condition on one input x by itself: 0.01x > x as x < 0; None if it is not linear."""
    inputs = [n for n in topological([condition]) if n.op == "input"]
    if len(inputs) != 1 or condition.args[0].shape != inputs[0].shape:
        return None
    with comparing(Mode()):
        try:
            a, b = (read(x) for x in condition.args)
            found = OPERATIONS[condition.op](a, b)
            own = read(inputs[0])
            bound = _bound(found, own)
            if bound is None:
                return None
            c, up = bound
            same = positive(own - number(c)) if up else positive(number(c) - own)
            if same.key != found.key:
                return None
        except Undecided:
            return None
    return make("gt" if up else "lt", inputs[0], exact_number(c))


def _bound(found: Poly, own: Poly) -> tuple[Fraction, bool] | None:
    """Read x > c off 1[x − c > 0], and x < c off 1 − 1[x − c > 0] − 1[x − c = 0]."""
    marks = [a for a in found.atoms() if a.head == "positive"]
    if len(marks) != 1:
        return None
    rest = marks[0].parts[0] - own
    c = rest.constant
    return None if c is None else (-c, len(found.terms) == 1)
