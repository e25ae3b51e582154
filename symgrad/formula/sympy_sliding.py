"""Windows and convolutions in SymPy, entry by entry."""

from collections.abc import Callable, Generator
from typing import Any

import sympy

from symgrad.graph import Node

Index = tuple[Any, ...]
Request = Generator[tuple[Node, Index], Any, Any]
ZERO = sympy.Integer(0)


def _windows(pen: Any, node: Node, index: Index) -> Request:
    axis = node.attrs["along"]
    place = node.attrs["step"] * index[axis] + node.attrs["gap"] * index[-1]
    return (yield node.args[0], (*index[:axis], place, *index[axis + 1 : -1]))


def _overlapped(pen: Any, node: Node, index: Index) -> Request:
    (g,), axis = node.args, node.attrs["along"]
    row, column = pen.bound(), pen.bound()
    value = yield g, (*index[:axis], row, *index[axis + 1 :], column)
    place = node.attrs["step"] * row + node.attrs["gap"] * column
    total = pen.number(value) * sympy.KroneckerDelta(place, index[axis])
    return pen.sum_of(pen.sum_of(total, column, g.shape[-1]), row, g.shape[axis])


def _correlate(pen: Any, node: Node, index: Index) -> Request:
    a, b = node.args
    inner = pen.bound()
    first = yield a, (index[0] + inner,)
    second = yield b, (inner,)
    return pen.sum_of(pen.number(first) * pen.number(second), inner, b.shape[0])


def _convolve(pen: Any, node: Node, index: Index) -> Request:
    a, b = node.args
    short = pen.size(b.shape[0])
    shift = {"full": ZERO, "same": (short - 1) // 2, "valid": short - 1}[node.attrs["mode"]]
    inner = pen.bound()
    place = index[0] + shift - inner
    first = yield a, (place,)
    second = yield b, (inner,)
    inside = sympy.And(place >= 0, place < pen.size(a.shape[0]))
    term = sympy.Piecewise((pen.number(first) * pen.number(second), inside), (0, True))
    return pen.sum_of(term, inner, b.shape[0])


def _skewed(pen: Any, node: Node, index: Index) -> Request:
    row, column = index
    return (yield node.args[0], (row, column + pen.size(node.shape[0]) - 1 - row))


def _unskewed(pen: Any, node: Node, index: Index) -> Request:
    (a,), (row, column) = node.args, index
    place = column + row + 1 - pen.size(a.shape[0])
    value = yield a, (row, place)
    inside = sympy.And(place >= 0, place < pen.size(a.shape[1]))
    return sympy.Piecewise((pen.number(value), inside), (0, True))


SLIDING: dict[str, Callable[[Any, Node, Index], Request]] = {
    "windows": _windows, "overlapped": _overlapped, "correlate": _correlate, "convolve": _convolve,
    "skewed": _skewed, "unskewed": _unskewed,
}  # fmt: skip
