"""Conditions that keep a place inside of its axis: x[t - k] for k in K if k <= t.

An array that is read outside of its axis under such a condition is put between zeros first. A sum
of products with it needs the condition no more: what it leaves out is 0.
"""

import ast
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from symgrad.dims import Dim, minus, negative, plus
from symgrad.graph import Node, leaves, topological
from symgrad.parse.affine import Affine, affine, check_gap, growing, reached

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

AHEAD: dict[type, tuple[bool, int]] = {  # a < b is b - a - 1 >= 0
    ast.Lt: (True, 1), ast.LtE: (True, 0), ast.Gt: (False, 1), ast.GtE: (False, 0),
}  # fmt: skip


def inequalities(reader: "Reader", test: ast.expr, more: Sequence[str] = ()) -> list[Affine]:
    """Read a condition as sums of indices that are at least 0; [] where it is something else."""
    if not isinstance(test, ast.Compare):
        return []
    sides = [affine(reader, side, more) for side in (test.left, *test.comparators)]
    found: list[Affine] = []
    for sign, (a, b) in zip(test.ops, pairwise(sides), strict=True):
        if type(sign) not in AHEAD or a is None or b is None:
            return []
        upwards, gap = AHEAD[type(sign)]
        found.append(ahead(*((b, a) if upwards else (a, b)), gap))
    return found


def ahead(a: Affine, b: Affine, gap: int) -> Affine:
    """Give a - b - gap.

    >>> ahead(Affine("N"), Affine(0, {"i": 1}), 1)
    Affine(rest='N - 1', slopes={'i': -1})
    """
    slopes = dict(a.slopes)
    for name, c in b.slopes.items():
        slopes[name] = slopes.get(name, 0) - c
    return Affine(minus(minus(a.rest, b.rest), gap), {n: c for n, c in slopes.items() if c})


def follows(guards: Sequence[Affine], wanted: Affine) -> list[Affine]:
    """List the inequalities from which it follows that a sum is at least 0."""
    alike = [g for g in guards if g.slopes == wanted.slopes]
    more = [(g, minus(wanted.rest, g.rest)) for g in alike]
    return [g for g, gap in more if isinstance(gap, int) and gap >= 0]


def ends(found: Affine, length: Dim) -> tuple[Affine, Affine]:
    """Give what is at least 0 where a place is on its axis."""
    return found, ahead(Affine(minus(length, 1)), found, 0)


def inside(
    reader: "Reader", item: ast.expr, found: Affine, length: Dim
) -> tuple[Dim, Dim, Dim, Dim]:
    """Give the least and the greatest place, and how many zeros go before and behind the axis.

    Places are counted from the first zero. Raises where nothing says that a place is on the axis.
    """
    low, high = reached(reader, found)
    lacking: list[Dim] = []
    for wanted, gap in zip(ends(found, length), (low, minus(minus(length, 1), high)), strict=True):
        lack = _lack(gap) if follows(reader.guards, wanted) else None
        if lack is None:
            check_gap(reader, item, found, length, gap)
        lacking.append(lack or 0)
    before, behind = lacking
    return plus(low, before), plus(high, before), before, behind


def _lack(gap: Dim) -> Dim | None:
    """Say how many entries are lacking at an end; None where that cannot be told."""
    if isinstance(gap, int):
        return max(-gap, 0)
    if negative(gap):
        return minus(0, gap)
    return 0 if growing(gap) else None


def tight(reader: "Reader", found: Affine, length: Dim) -> list[Affine]:
    """List the conditions that hold where a place is on its axis, and nowhere else."""
    return [g for g in reader.guards if any(g == wanted for wanted in ends(found, length))]


def needless(reader: "Reader", conditions: Sequence[Affine], terms: Node) -> bool:
    """Say whether a product is 0 where conditions do not hold, and finite."""
    if not conditions or not reader.padded:
        return False
    inside = ("mul", "neg", "expand", "transpose")
    factors = leaves(terms, lambda n: n.args if n.op in inside else ())
    zero = [f for f in factors if all(c in reader.padded.get(f, ()) for c in conditions)]
    return bool(zero) and not any(n.op == "arange" for n in topological(factors))
