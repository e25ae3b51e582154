"""Indices: replacing them, deltas, and sums over them, whose bound indices have canonical names."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import permutations

from symgrad.dims import terms as dim_terms
from symgrad.formula.equality.build import call, entry, exp, log, power
from symgrad.formula.equality.conditions import absolute, positive, zero
from symgrad.formula.equality.pieces import pieces, split_pieces
from symgrad.formula.equality.terms import (
    Atom,
    Index,
    Mono,
    Poly,
    Undecided,
    atom,
    dim_of,
    index_key,
    mode,
    number,
)

FEW = 4  # entries of an axis that are written out, if that is asked for
BOUND = 7
ONE = Fraction(1)
Places = Mapping[str, Index]


# -- replacing -------------------------------------------------------------------------------


def replaced(value: Poly, places: Places) -> Poly:
    """Put other indices in the place of free ones, everywhere."""
    if not any(i in places for i in value.free):
        return value
    total = Poly({})
    for m, c in value:
        term = number(c)
        for a, e in m:
            term = term * _replaced_atom(a, e, places)
        total = total + term
    return total


def _replaced_atom(a: Atom, e: Fraction, places: Places) -> Poly:
    if not any(i in places for i in a.free):
        return atom(a, e) * number(1)
    mode().spend(3)
    if a.head == "exp":
        return exp(replaced(a.parts[0], places).scaled(e))
    return power(_again(a, places), e)


def _again(a: Atom, places: Places) -> Poly:
    """Build an atom again over other indices; what the rules say may change."""
    idx = tuple(_place(i, places) for i in a.idx)
    if a.head == "delta":
        return delta(idx[0], idx[1])
    if a.head == "sum":
        fresh = {b: mode().fresh(dim_of(b)) for b in a.bound}
        return total(replaced(a.parts[0], {**places, **fresh}), list(fresh.values()))
    if a.head == "array" or not a.parts:
        return leaf(a, idx)
    inner = replaced(a.parts[0], places)
    if a.head == "base":
        return inner
    if len(a.parts) > 1:
        return call(str(a.tag[0]), tuple(replaced(p, places) for p in a.parts))
    if a.head in ("entry", "sin"):
        return entry(str(a.tag[0]), inner, a.tag[1:])
    if a.head == "abs":
        return absolute(inner)
    return {"log": log, "positive": positive, "zero": zero}[a.head](inner)


def _place(i: Index, places: Places) -> Index:
    if isinstance(i, str):
        return places.get(i, i)
    return label(replaced(atom(i), places))


def label(value: Poly) -> Atom:
    """Give the index that a label stands for."""
    single = value.single()
    if single is None or len(single[0]) != 1 or single[1] != 1 or single[0][0][1] != 1:
        raise Undecided
    return single[0][0][0]


def leaf(a: Atom, idx: tuple[Index, ...]) -> Poly:
    """Give an entry of an input; those of a symmetric one are written in one order."""
    if a.head == "leaf" and a.tag[1] == "symmetric":
        idx = tuple(sorted(idx, key=index_key))
    if a.head == "place" and isinstance(idx[0], str) and idx[0][0] == "#":
        return number(int(idx[0][1:]))
    if a.head == "place" and isinstance(idx[0], Atom):
        return atom(idx[0])
    if a.head == "array" and a.tag[0] == "pieces":
        return pieces(int(str(a.tag[1])), a.tag[2], a.parts, idx)  # type: ignore[arg-type]
    return atom(Atom(a.head, a.tag, idx, a.parts))


def delta(i: Index, j: Index) -> Poly:
    """Give 1 where two indices are equal, else 0."""
    if i == j:
        return number(1)
    if isinstance(i, str) and isinstance(j, str):
        if i[0] == j[0] == "#":
            return number(0)
        if i[0] == "#" or (j[0] != "#" and index_key(j) < index_key(i)):
            i, j = j, i
        return atom(Atom("delta", (), (i, j)))
    if isinstance(i, Atom) and (isinstance(j, str) or j.key < i.key):
        i, j = j, i
    return atom(Atom("delta", (), (i, j)))


def size(dim: int | str) -> Poly:
    """Give the number of places of a dimension."""
    found = Poly({})
    for factors, c in dim_terms(dim):
        term = number(c)
        for factor in factors:
            term = term * atom(Atom("dim", (factor,)))
        found = found + term
    return found


# -- sums ------------------------------------------------------------------------------------


def total(value: Poly, over: list[str]) -> Poly:
    """Sum over indices."""
    for index in over:
        dim = dim_of(index)
        if mode().expand and isinstance(dim, int) and dim <= FEW:
            parts = [replaced(value, {index: f"#{k}"}) for k in range(dim)]
            value = Poly({})
            for part in parts:
                value = value + part
            continue
        result = Poly({})
        for m, c in value:
            mode().spend()
            result = result + _one(m, index).scaled(c)
        value = result
    return value


def _one(mono: Mono, index: str) -> Poly:
    """Sum a product over one index."""
    inside = [(a, e) for a, e in mono if index in a.free]
    outside = Poly({tuple((a, e) for a, e in mono if index not in a.free): ONE})
    if not inside:
        return outside * size(dim_of(index))
    for a, _ in inside:
        if a.head == "delta" and index in a.idx:
            other = a.idx[1] if a.idx[0] == index else a.idx[0]
            rest = Poly({tuple(p for p in inside if p[0] != a): ONE})
            return outside * replaced(rest, {index: other})
    joined = _joined(inside, [index])
    if joined is None:
        opened, bound = _opened(inside)
        return outside * total_of(opened, [index, *bound])
    return outside * joined


def _opened(inside: list[tuple[Atom, Fraction]]) -> tuple[Poly, list[str]]:
    """Take inner sums apart, so that all bound indices stand together."""
    value, bound = number(1), []
    for a, e in inside:
        if a.head == "sum" and e in (1, 2, 3):
            for _ in range(int(e)):
                fresh = {b: mode().fresh(dim_of(b)) for b in a.bound}
                bound += list(fresh.values())
                value = value * replaced(a.parts[0], fresh)
        else:
            value = value * atom(a, e)
    return value, bound


def total_of(value: Poly, bound: list[str]) -> Poly:
    """Sum products, each split into factors that share no bound index."""
    if len(bound) > BOUND:
        raise Undecided
    result = Poly({})
    for m, c in value:
        term, left = number(c), list(m)
        todo = list(bound)
        if any(a.head == "delta" and any(i in bound for i in a.idx) for a, _ in m):
            term = total(Poly({m: c}), todo)
            result = result + term
            continue
        shorter = _cancelled(m, bound)
        if shorter is not None:
            result = result + total_of(*shorter).scaled(c)
            continue
        while todo:
            group, part = _component(todo, left)
            todo = [b for b in todo if b not in group]
            left = [p for p in left if p not in part]
            if not part:
                term = term * size(dim_of(group[0]))
                continue
            joined = _joined(part, group)
            term = term * (joined if joined is not None else _closed(part, group))
        result = result + term * Poly({tuple(left): ONE})
    return result


def _cancelled(mono: Mono, bound: list[str]) -> tuple[Poly, list[str]] | None:
    """Carry out a sum that stands below, too: that of exp(s[i, j])/Σ exp(s[i, k]) over j."""
    below = [a for a, e in mono if a.head == "sum" and e < 0]
    for b in bound if below else ():
        inside = [p for p in mono if b in p[0].free]
        if not inside or any(a in below for a, _ in inside):
            continue
        inner = _closed(inside, [b])
        if any(a in below for a in inner.atoms()):
            rest = Poly({tuple(p for p in mono if p not in inside): ONE})
            return rest * inner, [i for i in bound if i != b]
    return None


def _component(
    bound: list[str], mono: list[tuple[Atom, Fraction]]
) -> tuple[list[str], list[tuple[Atom, Fraction]]]:
    """Collect the indices and factors that hang together with the first index."""
    group, part = [bound[0]], [p for p in mono if bound[0] in p[0].free]
    grown = True
    while grown:
        grown = False
        for b in bound:
            if b not in group and any(b in a.free for a, _ in part):
                group.append(b)
                part += [p for p in mono if b in p[0].free and p not in part]
                grown = True
    return group, part


def _closed(part: list[tuple[Atom, Fraction]], bound: list[str]) -> Poly:
    """Make a sum over indices that hang together, with canonical names for them."""
    first = 1 + max(a.height for a, _ in part)
    best: Poly | None = None
    for chosen in _orders(part, bound):
        mode().spend(5)
        names = {b: f"b{first + k}:{dim_of(b)}" for k, b in enumerate(chosen)}
        value = replaced(Poly({tuple(part): ONE}), names)
        if best is None or value.key < best.key:
            best, kept = value, tuple(names.values())
    assert best is not None
    result = Poly({})
    for m, c in best:
        missing = [b for b in kept if not any(b in a.free for a, _ in m)]
        if missing:
            raise Undecided
        result = result + atom(Atom("sum", (), (), (Poly({m: ONE}),), kept)).scaled(c)
    return result


def _orders(part: list[tuple[Atom, Fraction]], bound: list[str]) -> list[tuple[str, ...]]:
    """List the orders of bound indices worth trying: by dimension and by where they stand."""

    def looks(b: str) -> str:
        texts = []
        for a, e in part:
            if b in a.free:
                text = a.key
                for other in bound:
                    mark = "‹*›" if other == b else "‹?›"
                    text = text.replace(index_key(other), mark)
                if "'symmetric'" in text:  # either order of the indices
                    text = text.replace("‹?›‹*›", "‹*›‹?›")
                texts.append(f"{text}^{e}")
        return f"{dim_of(b)} {sorted(texts)}"

    groups: dict[str, list[str]] = {}
    for b in bound:
        groups.setdefault(looks(b), []).append(b)
    orders: list[tuple[str, ...]] = [()]
    for key in sorted(groups):
        orders = [o + p for o in orders for p in permutations(groups[key])]
        if len(orders) > 24:
            raise Undecided
    return orders


def _joined(part: list[tuple[Atom, Fraction]], bound: list[str]) -> Poly | None:
    """Use that rows of a simplex sum to 1, and split a sum over concatenated parts."""
    if len(part) == 1 and len(bound) == 1:
        ((a, e),) = part
        simplex = a.head == "leaf" and a.tag[1] == "simplex" and e == 1
        if simplex and a.idx[-1] == bound[0] and bound[0] not in map(str, a.idx[:-1]):
            return number(1)
    if len(bound) != 1:
        return None
    return split_pieces(part, bound[0])
