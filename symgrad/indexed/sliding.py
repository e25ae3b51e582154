"""The entries of windows, convolutions and parts of arrays: their places move with indices."""

from collections.abc import Callable
from typing import Any

from symgrad.dims import Dim, halved, minus, plus
from symgrad.graph import Node
from symgrad.indexed.places import linear, of_size, shifted, together
from symgrad.indexed.symbols import delta, product, total
from symgrad.ops import dim, make

At = tuple[Node, ...]


def _windows(reader: Any, node: Node, at: At) -> Node:
    """Write the entry step*i + gap*k."""
    axis = node.attrs["along"]
    place = _sum(node, at[axis], at[-1])
    return _entry(reader, node.args[0], (*at[:axis], place, *at[axis + 1 : -1]))


def _sum(node: Node, row: Node, column: Node) -> Node:
    return together((node.attrs["step"], linear(row)), (node.attrs["gap"], linear(column)))


def _entry(reader: Any, node: Node, at: At) -> Node:
    found: Node = reader.at(node, at)
    return found


def _overlapped(reader: Any, node: Node, at: At) -> Node:
    """Sum over the windows that have a place: those of g_(p-k, k) where there is such a row."""
    (g,), axis, attrs = node.args, node.attrs["along"], node.attrs
    p = at[axis]
    if attrs["step"] == 1 or attrs["gap"] == 1:
        by_rows = attrs["step"] == 1  # which are then p - gap*k
        rows, columns = g.shape[axis], g.shape[-1]
        k = reader.bound(columns if by_rows else rows)
        times_ = attrs["gap"] if by_rows else attrs["step"]
        other = together((1, linear(p)), (-times_, linear(k)))
        row, column = (other, k) if by_rows else (k, other)
        body = _entry(reader, g, (*at[:axis], row, *at[axis + 1 :], column))
        inside = _inside(p, together((times_, linear(k))), other, rows if by_rows else columns)
        return total(product([body, *inside]), k)
    i, k = reader.bound(g.shape[axis]), reader.bound(g.shape[-1])
    body = _entry(reader, g, (*at[:axis], i, *at[axis + 1 :], k))
    return total(total(product([body, delta(p, _sum(node, i, k))]), k), i)


def _inside(p: Node, k: Node, place: Node, size: Dim) -> list[Node]:
    """Say that the place p - k is there."""
    return [make("ge", p, k), make("lt", place, dim(size))]


def _correlate(reader: Any, node: Node, at: At) -> Node:
    """Write the sum over k of a_(i+k) b_k."""
    a, b = node.args
    k = reader.bound(b.shape[0])
    place = together((1, linear(at[0])), (1, linear(k)))
    return total(product([_entry(reader, a, (place,)), _entry(reader, b, (k,))]), k)


def _convolve(reader: Any, node: Node, at: At) -> Node:
    """Write the sum over k of a_(i-k) b_k; in the mode valid all places are there."""
    (a, b), mode = node.args, node.attrs["mode"]
    k, less = reader.bound(b.shape[0]), minus(b.shape[0], 1)
    start: Dim = {"full": 0, "same": halved(less), "valid": less}[mode]
    row = shifted(at[0], start)
    place = together((1, linear(row)), (-1, linear(k)))
    inside = [] if mode == "valid" else _inside(row, k, place, a.shape[0])
    factors = [_entry(reader, a, (place,)), _entry(reader, b, (k,)), *inside]
    return total(product(factors), k)


def _part(reader: Any, node: Node, at: At) -> Node:
    axis = node.attrs["axis"]
    place = shifted(at[axis], node.attrs["start"])
    return _entry(reader, node.args[0], (*at[:axis], place, *at[axis + 1 :]))


def backwards(at: Node, size: Dim) -> Node:
    """Give the place of an entry that is read from behind."""
    return together((-1, linear(at)), (1, of_size(plus(size, -1))))


SLIDING: dict[str, Callable[[Any, Node, At], Node]] = {
    "windows": _windows, "overlapped": _overlapped, "correlate": _correlate,
    "convolve": _convolve, "part": _part,
}  # fmt: skip
