"""Entries of what arrays do, for the export to SymPy: products, sums, blocks, lookups.

Each writer yields (operand, index) for the entries that it needs and returns its own entry.
"""

from collections.abc import Callable, Generator
from typing import Any

import sympy

from symgrad.errors import UsageError
from symgrad.formula.sympy_sliding import SLIDING
from symgrad.graph import Node
from symgrad.ops.slices import extent
from symgrad.ops.words import subscripts
from symgrad.shapes import axes_of

Index = tuple[Any, ...]
Request = Generator[tuple[Node, Index], Any, Any]
Entry = Callable[[Any, Node, Index], Request]
ZERO = sympy.Integer(0)


def _matmul(pen: Any, node: Node, index: Index) -> Request:
    a, b = node.args
    inner = pen.bound()
    row, column = len(a.shape) > 1, len(b.shape) > 1
    lead = index[: len(index) - row - column]
    left = (*_lead(a, lead), *((index[-1 - column],) if row else ()), inner)
    right = (*_lead(b, lead), inner, *((index[-1],) if column else ()))
    first = yield a, left
    second = yield b, right
    return pen.sum_of(pen.number(first) * pen.number(second), inner, a.shape[-1])


def _lead(node: Node, lead: Index) -> Index:
    """Give the leading index of a stack of matrices."""
    sizes = node.shape[:-2]
    own = lead[len(lead) - len(sizes) :]
    return tuple(ZERO if d == 1 else i for i, d in zip(own, sizes, strict=True))


def _outer(pen: Any, node: Node, index: Index) -> Request:
    first = yield node.args[0], index[:1]
    second = yield node.args[1], index[1:]
    return pen.number(first) * pen.number(second)


def _transpose(pen: Any, node: Node, index: Index) -> Request:
    axes = node.attrs["axes"] or tuple(reversed(range(len(index))))
    return (yield node.args[0], tuple(index[axes.index(k)] for k in range(len(index))))


def _expand(pen: Any, node: Node, index: Index) -> Request:
    kept = tuple(i for k, i in enumerate(index) if k not in node.attrs["axes"])
    return (yield node.args[0], kept)


def _broadcast(pen: Any, node: Node, index: Index) -> Request:
    (arg,) = node.args
    own = index[len(index) - len(arg.shape) :]
    return (yield arg, tuple(ZERO if d == 1 else i for i, d in zip(own, arg.shape, strict=True)))


def _reduced(pen: Any, node: Node, index: Index) -> tuple[list[tuple[Any, Any]], Index]:
    """Make the indices that are summed over, and the index of the operand."""
    (arg,) = node.args
    axes = axes_of(node.attrs["axis"], len(arg.shape))
    left = list(index)
    bound, own = [], []
    for k, d in enumerate(arg.shape):
        if k in axes:
            bound.append((pen.bound(), d))
            own.append(bound[-1][0])
            if node.attrs["keepdims"]:
                left.pop(0)
        else:
            own.append(left.pop(0))
    return bound, tuple(own)


def _sum(pen: Any, node: Node, index: Index) -> Request:
    bound, own = _reduced(pen, node, index)
    value = yield node.args[0], own
    value = pen.number(value)
    for k, d in reversed(bound):
        value = pen.sum_of(value, k, d)
    return value


def _prod(pen: Any, node: Node, index: Index) -> Request:
    bound, own = _reduced(pen, node, index)
    value = yield node.args[0], own
    value = pen.number(value)
    for k, d in reversed(bound):
        value = pen.product_of(value, k, d)
    return value


def _listed(node: Node) -> tuple[tuple[int, ...], list[dict[int, int]]]:
    """List the places along the axes of a maximum; their sizes have to be numbers."""
    shape = node.args[0].shape
    axes = axes_of(node.attrs["axis"], len(shape))
    places: list[dict[int, int]] = [{}]
    for k in axes:
        d = shape[k]
        if not isinstance(d, int):
            raise UsageError("a maximum over an axis of an unknown size has no form in SymPy",
                             hint="give the sizes as numbers in shapes=")  # fmt: skip
        places = [{**p, k: n} for p in places for n in range(d)]
    return axes, places


def _largest(pen: Any, node: Node, index: Index) -> Request:
    """Take the largest of entries that can be listed."""
    _, places = _listed(node)
    _, own = _reduced(pen, node, index)
    found = []
    for place in places:
        here = tuple(sympy.Integer(place[k]) if k in place else i for k, i in enumerate(own))
        value = yield node.args[0], here
        found.append(pen.number(value))
    return sympy.Max(*found) if node.op == "amax" else sympy.Min(*found)


def _counted(entry: Any) -> Any:
    """Take a condition for 0 or 1: of conditions, the first that holds wins."""
    holds = isinstance(entry, sympy.logic.boolalg.Boolean)
    return sympy.Piecewise((1, entry), (0, True)) if holds else entry


def _winner(pen: Any, node: Node, index: Index) -> Request:
    """Compare an entry with all others; of equal ones the first wins."""
    axes, places = _listed(node)
    own = _counted((yield node.args[0], index))
    rank: Any = ZERO
    for k in axes:
        rank = rank * pen.size(node.shape[k]) + index[k]
    conditions = []
    for n, place in enumerate(places):
        here = tuple(sympy.Integer(place[k]) if k in place else i for k, i in enumerate(index))
        other = _counted((yield node.args[0], here))
        conditions.append(sympy.Or(sympy.And(rank <= n, own >= other), own > other))
    return sympy.And(*conditions)


def _attained(pen: Any, node: Node, index: Index) -> Request:
    """Give the place of the entry that all before are below, and none behind above."""
    _, places = _listed(node)
    _, own = _reduced(pen, node, index)
    entries = []
    for place in places:
        here = tuple(sympy.Integer(place[k]) if k in place else i for k, i in enumerate(own))
        value = pen.number((yield node.args[0], here))
        entries.append(-value if node.attrs["least"] else value)
    found: Any = ZERO
    for n, top in enumerate(entries):
        above = [*(top > e for e in entries[:n]), *(top >= e for e in entries[n + 1 :])]
        found += n * sympy.Piecewise((1, sympy.And(*above)), (0, True))
    return found


def _cumsum(pen: Any, node: Node, index: Index) -> Request:
    axis = node.attrs["axis"] % len(index)
    inner = pen.bound()
    value = yield node.args[0], (*index[:axis], inner, *index[axis + 1 :])
    return sympy.Sum(pen.number(value), (inner, 0, index[axis]))


def _others(pen: Any, node: Node, index: Index) -> Request:
    axis = node.attrs["axis"]
    inner = pen.bound()
    value = yield node.args[0], (*index[:axis], inner, *index[axis + 1 :])
    rest = sympy.Piecewise((1, sympy.Eq(inner, index[axis])), (pen.number(value), True))
    return pen.product_of(rest, inner, node.shape[axis])


def _einsum(pen: Any, node: Node, index: Index) -> Request:
    words, result = subscripts(node.attrs["subscripts"])
    places: dict[str, Any] = dict(zip(result, index, strict=True))
    bound = []
    for word, arg in zip(words, node.args, strict=True):
        for letter, d in zip(word, arg.shape, strict=True):
            if letter not in places:
                places[letter] = pen.bound()
                bound.append((places[letter], d))
    total: Any = sympy.Integer(1)
    for word, arg in zip(words, node.args, strict=True):
        value = yield arg, tuple(places[c] for c in word)
        total *= pen.number(value)
    for k, d in reversed(bound):
        total = pen.sum_of(total, k, d)
    return total


# -- units, diagonals --------------------------------------------------------------------------


def _eye(pen: Any, node: Node, index: Index) -> Request:
    yield from ()
    return sympy.KroneckerDelta(*index)


def _arange(pen: Any, node: Node, index: Index) -> Request:
    yield from ()
    return index[0]


def _onehot(pen: Any, node: Node, index: Index) -> Request:
    label = yield node.args[0], index[:-1]
    return sympy.Eq(label, index[-1])


def _trace(pen: Any, node: Node, index: Index) -> Request:
    inner = pen.bound()
    value = yield node.args[0], (*index, inner, inner)
    return pen.sum_of(value, inner, node.args[0].shape[-1])


def _diag(pen: Any, node: Node, index: Index) -> Request:
    if len(index) == 1:
        return (yield node.args[0], (*index, *index))
    value = yield node.args[0], index[:1]
    return pen.number(value) * sympy.KroneckerDelta(*index)


# -- parts and blocks --------------------------------------------------------------------------


def _slice(pen: Any, node: Node, index: Index) -> Request:
    left, own = list(index), []
    for entry, d in zip(node.attrs["key"], node.args[0].shape, strict=True):
        if len(entry) == 2 and entry[1] is None:
            own.append(entry[0] + (pen.size(d) if entry[0] < 0 else 0))
            continue
        step = (entry[2] or 1) if len(entry) == 3 else 1
        own.append(pen.size(extent(entry, d)[0]) + step * left.pop(0))
    return (yield node.args[0], tuple(own))


def _unslice(pen: Any, node: Node, index: Index) -> Request:
    own, conditions = [], []
    for entry, d, i in zip(node.attrs["key"], node.attrs["shape"], index, strict=True):
        if len(entry) == 2 and entry[1] is None:
            conditions.append(sympy.Eq(i, entry[0] + (pen.size(d) if entry[0] < 0 else 0)))
            continue
        begin, length = extent(entry, d)
        step = (entry[2] or 1) if len(entry) == 3 else 1
        place = (i - pen.size(begin)) / step
        if abs(step) > 1:
            conditions.append(sympy.Eq(sympy.Mod(i - pen.size(begin), abs(step)), 0))
            place = sympy.floor(place)
        if length != d:
            conditions += [place >= 0, place < pen.size(length)]
        own.append(place)
    value = yield node.args[0], tuple(own)
    return sympy.Piecewise((pen.number(value), sympy.And(*conditions)), (0, True))


def _part(pen: Any, node: Node, index: Index) -> Request:
    axis = node.attrs["axis"]
    place = index[axis] + pen.size(node.attrs["start"])
    return (yield node.args[0], (*index[:axis], place, *index[axis + 1 :]))


def _concatenate(pen: Any, node: Node, index: Index) -> Request:
    axis, begin, cases = node.attrs["axis"], ZERO, []
    for arg in node.args:
        place = index[axis] - begin
        value = yield arg, (*index[:axis], place, *index[axis + 1 :])
        begin = begin + pen.size(arg.shape[axis])
        cases.append((pen.number(value), index[axis] < begin))
    return sympy.Piecewise(*cases[:-1], (cases[-1][0], True))


def _stack(pen: Any, node: Node, index: Index) -> Request:
    axis, cases = node.attrs["axis"], []
    for k, arg in enumerate(node.args):
        value = yield arg, (*index[:axis], *index[axis + 1 :])
        cases.append((pen.number(value), sympy.Eq(index[axis], k)))
    return sympy.Piecewise(*cases[:-1], (cases[-1][0], True))


def _reshape(pen: Any, node: Node, index: Index) -> Request:
    flat: Any = ZERO
    for i, d in zip(index, node.shape, strict=True):
        flat = flat * pen.size(d) + i
    own = []
    for d in reversed(node.args[0].shape):
        own.append(sympy.Mod(flat, pen.size(d)))
        flat = sympy.floor(flat / pen.size(d))
    return (yield node.args[0], tuple(reversed(own)))


# -- lookups, windows ----------------------------------------------------------------------------


def _pick(pen: Any, node: Node, index: Index) -> Request:
    table, labels = node.args
    own = tuple(ZERO if d == 1 else i for i, d in zip(index, labels.shape, strict=True))
    label = yield labels, own
    return (
        yield (
            table,
            (*(ZERO if d == 1 else i for i, d in zip(index, table.shape, strict=False)), label),
        )
    )


def _take(pen: Any, node: Node, index: Index) -> Request:
    table, places = node.args
    axis = node.attrs["axis"]
    behind = axis + len(places.shape)
    place = yield places, index[axis:behind]
    return (yield table, (*index[:axis], place, *index[behind:]))


def _scatter(pen: Any, node: Node, index: Index) -> Request:
    parts, places = node.args
    axis = node.attrs["axis"]
    bound = tuple(pen.bound() for d in places.shape)
    place = yield places, bound
    value = yield parts, (*index[:axis], *bound, *index[axis + 1 :])
    total = pen.number(value) * sympy.KroneckerDelta(place, index[axis])
    for k, d in zip(reversed(bound), reversed(places.shape), strict=True):
        total = pen.sum_of(total, k, d)
    return total


ENTRIES: dict[str, Entry] = {
    "matmul": _matmul, "outer": _outer, "transpose": _transpose, "expand": _expand,
    "broadcast": _broadcast, "sum": _sum, "prod": _prod, "amax": _largest, "amin": _largest,
    "winner": _winner, "attained": _attained,
    "cumsum": _cumsum, "others": _others, "einsum": _einsum, "eye": _eye, "arange": _arange,
    "onehot": _onehot, "trace": _trace, "diag": _diag, "slice": _slice, "unslice": _unslice,
    "part": _part, "concatenate": _concatenate, "stack": _stack, "reshape": _reshape,
    "pick": _pick, "take": _take, "scatter": _scatter,
    **SLIDING,
}  # fmt: skip
