"""Write a value that depends on conditions by cases: one condition, or pieces of an interval."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from symgrad.graph import Node
from symgrad.ops import const, make, value_of
from symgrad.ops.spec import MIRRORED
from symgrad.rewrite.tidy import tidy

if TYPE_CHECKING:
    from symgrad.rewrite.forms import Forms

UP, DOWN = ("gt", "ge"), ("lt", "le")
COMPLEMENT = {"le": "gt", "ge": "lt", "ne": "eq"}
BELOW = {"gt": "le", "le": "le", "ge": "lt", "lt": "lt"}  # what holds left of the threshold
MAX_SPLIT = 4  # conditions that are tried as the outermost one
MARKS = ("onehot", "winner")
NESTED = 3  # conditions, beyond which no case is split again


def usual(mask: Node) -> Node:
    """Write a condition with its number on the right: 0 < x as x > 0."""
    if mask.op in MIRRORED and value_of(mask.args[0]) is not None:
        return make(MIRRORED[mask.op], *reversed(mask.args))
    return mask


def opposites(atoms: list[Node]) -> dict[Node, tuple[Node, bool]]:
    """Map conditions to (base, opposite?): a <= b is not a > b, s >= x is not x > s."""
    bases: dict[Node, tuple[Node, bool]] = {}
    for node in atoms:
        mask = usual(node)
        if mask.op in COMPLEMENT:
            bases[node] = (make(COMPLEMENT[mask.op], *mask.args), True)
        elif mask.op in ("gt", "lt"):
            bases[node] = (mask, False)
    known = dict.fromkeys(base for base, _ in bases.values())
    for node, (base, opposite) in bases.items():
        if base.op not in ("gt", "lt"):
            continue
        if threshold(base) is None:
            turned = make(MIRRORED[base.op], *reversed(base.args))
            if turned in known and (base.op == "lt" or base not in atoms):
                bases[node] = (turned, opposite)
        elif base.op == "lt" and make("gt", *base.args) in known:
            # 1[x < c] beside 1[x > c]: the pieces meet at c, where either slope will do
            bases[node] = (make("gt", *base.args), not opposite)
    return bases


def threshold(mask: Node) -> float | None:
    """Give the number that a condition compares with: 3 in x < 3."""
    if mask.op not in UP + DOWN:
        return None
    found = value_of(mask.args[1])
    return None if found is None else float(found)


def product(a: Node, b: Node) -> tuple[Node | None, bool]:
    """Multiply two conditions on one variable: (which of them it is, or zero, whether known)."""
    p, q = threshold(a), threshold(b)
    if p is None or q is None or a.args[0] is not b.args[0]:
        return None, False
    if (a.op in UP) == (b.op in UP):
        if p == q:
            return (a if a.op in ("gt", "lt") else b), True
        return (a if (p > q) == (a.op in UP) else b), True
    low, high = (p, q) if a.op in UP else (q, p)
    return None, high < low or (high == low and {a.op, b.op} != {"ge", "le"})


def picked(atoms: list[Node], masks: list[int]) -> list[tuple[int, int, int]]:
    """List, by place, unit vectors e_y, vectors p, and p_y: p e_y is p_y e_y.

    >>> from symgrad.ops import leaf
    >>> p, y = leaf("p", (3,)), leaf("y", (3,), "label")
    >>> picked([p, make("onehot", y, size=3), make("pick", p, y)], [1])
    [(1, 0, 2)]
    """
    hot = [(k, atoms[k].args[0]) for k in masks if atoms[k].op == "onehot"]
    found = []
    for place, atom in enumerate(atoms) if hot else ():
        entry = atom.args[0] if atom.op == "expand" else atom
        if entry.op == "pick" and entry.args[0] in atoms:
            vector, label = entry.args
            found += [(k, atoms.index(vector), place) for k, y in hot if y is label]
    return found


def interval(masks: list[Node]) -> list[Node]:
    """Join two conditions to one, 0 < x < 6, where they bound the same value."""
    for k, a in enumerate(masks):
        for j, b in enumerate(masks):
            bounds = a.op in UP and b.op in DOWN and a.args[0] is b.args[0]
            if bounds and threshold(a) is not None and threshold(b) is not None:
                rest = [m for i, m in enumerate(masks) if i not in (j, k)]
                return interval([*rest, between(a, b)])
    return masks


def between(low: Node, high: Node) -> Node:
    """Write c < x < d, or |x| < d where c is -d."""
    u, c, d = low.args[0], threshold(low), threshold(high)
    assert c is not None and d is not None
    if c == -d and MIRRORED[low.op] == high.op:
        return tidy(high.op, (tidy("abs", (u,), {}), high.args[1]), {})
    return make("both", make(MIRRORED[low.op], low.args[1], u), high)


def by_cases(forms: "Forms", value: Any, nested: bool = False) -> Iterator[Node]:
    """List the ways to write a value by cases; a case may be split again.

    What marks one entry of many is no case: that entry is set or changed.
    """
    masks = [k for k in forms.masks if any(m[k] for m in value.numer.itermonoms())]
    masks = [k for k in masks if forms.atoms[k].op not in MARKS]
    if not masks or any(m[k] for m in value.denom.itermonoms() for k in masks):
        return
    for found in (_pieces(forms, value, masks), _outer(forms, value, masks)):
        if found is not None:
            yield found
            return
    for k in masks[:MAX_SPLIT]:
        on, off = forms.at(value, k, 1), forms.at(value, k, 0)
        if not off or not on:
            continue
        yield tidy("where", (forms.atoms[k], forms.quotient(on), forms.quotient(off)), {})
        shared = None if nested else _shared(forms, on, off)
        if shared is not None:
            yield _outside(forms, k, on, off, shared)
        if not nested and 1 < len(masks) <= NESTED and forms.atoms[k].op in UP + DOWN:
            for a in by_cases(forms, on, True):
                yield tidy("where", (forms.atoms[k], a, forms.quotient(off)), {})
            for b in by_cases(forms, off, True):
                yield tidy("where", (forms.atoms[k], forms.quotient(on), b), {})


def _outside(forms: "Forms", k: int, on: Any, off: Any, shared: Any) -> Node:
    """Write a case distinction times (over) what its cases share."""
    parts = (forms.quotient(on / shared), forms.quotient(off / shared))
    result = tidy("where", (forms.atoms[k], *parts), {})
    one = forms.field.ring.one
    if shared.numer != one:
        result = tidy("mul", (forms.quotient(forms.field(shared.numer)), result), {})
    if shared.denom != one:
        result = tidy("div", (result, forms.quotient(forms.field(shared.denom))), {})
    return result


def _shared(forms: "Forms", on: Any, off: Any) -> Any:
    """Give what both cases have in common, above or below the line; None if nothing."""
    top = on.numer.gcd(off.numer)
    low = on.denom.gcd(off.denom)
    shared = forms.field(top) / forms.field(low)
    return None if shared.numer.is_ground and shared.denom.is_ground else shared


def _pieces(forms: "Forms", value: Any, masks: list[int]) -> Node | None:
    """Write a function that is piecewise in one variable: its pieces, from left to right."""
    atoms = [forms.atoms[k] for k in masks]
    if len(masks) < 2 or any(threshold(a) is None for a in atoms):
        return None
    if any(a.args[0] is not atoms[0].args[0] for a in atoms):
        return None
    edges = sorted({threshold(a) or 0.0 for a in atoms})
    values = []
    for place in range(len(edges) + 1):
        piece = value
        for k, atom in zip(masks, atoms, strict=True):
            right = place > edges.index(threshold(atom) or 0.0)
            piece = forms.at(piece, k, int(right == (atom.op in UP)))
        values.append(piece)
    marks = [next(a for a in atoms if (threshold(a) or 0.0) == e) for e in edges]
    for k in reversed(range(len(marks))):  # where nothing changes
        if values[k] == values[k + 1]:
            del values[k], marks[k]
    return _joined(forms, values, marks)


def _outer(forms: "Forms", value: Any, masks: list[int]) -> Node | None:
    """Write cases for x > c and for x < -c that are equal as one, |x| > c."""
    if len(masks) != 2:
        return None
    high, low = sorted((forms.atoms[k] for k in masks), key=lambda a: a.op != "gt")
    opposite = low.op == "lt" and low.args[1].op == "neg" and low.args[1].args[0] is high.args[1]
    if high.op != "gt" or not opposite or high.args[0] is not low.args[0]:
        return None
    a, b = masks
    one, other = forms.at(value, a, 1), forms.at(value, b, 1)
    inside = forms.at(forms.at(value, a, 0), b, 0)
    outside = forms.at(one, b, 0)
    if outside != forms.at(one, b, 1) or outside != forms.at(other, a, 0):
        return None
    far = make("gt", tidy("abs", (high.args[0],), {}), high.args[1])
    if not inside:
        return tidy("mul", (far, forms.quotient(outside)), {})
    return tidy("where", (far, forms.quotient(outside), forms.quotient(inside)), {})


def _joined(forms: "Forms", values: list[Any], marks: list[Node]) -> Node | None:
    if len(marks) < 2:
        return None
    written = [forms.quotient(v) if v else const(0) for v in values]
    if len(marks) == 2 and values[0] == values[2]:
        above = make({"le": "gt", "lt": "ge"}[BELOW[marks[0].op]], *marks[0].args)
        inside = between(above, make(BELOW[marks[1].op], *marks[1].args))
        piece = written[1]
        if not values[0] and piece.op == "div" and value_of(piece.args[0]) == 1:
            return tidy("div", (inside, piece.args[1]), {})
        if not values[0]:
            return tidy("mul", (inside, piece), {})
        return tidy("where", (inside, written[1], written[0]), {})
    result = written[-1]
    for mark, piece in zip(reversed(marks), reversed(written[:-1]), strict=True):
        result = make("where", make(BELOW[mark.op], *mark.args), piece, result)
    return result
