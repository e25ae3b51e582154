"""What weights that slide over arrays stand for, in windows."""

import ast
from typing import TYPE_CHECKING, Any

from symgrad.graph import Node
from symgrad.ops import make
from symgrad.ops.filters import places
from symgrad.parse.values import Val

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def _windows(x: Node, weights: Node, along: str) -> Node:
    """Make windows of all axes along which weights slide."""
    listed = places(along)
    widths = weights.shape[len(weights.shape) - len(listed) :]
    for (axis, step, gap), width in zip(listed, widths, strict=True):
        x = make("windows", x, width=width, along=axis, step=step, gap=gap)
    return x


def _behind(g: Node, along: str) -> Node:
    """Insert the axes of the weights that slide behind those of an array."""
    rank = len(g.shape)
    return make("expand", g, axes=tuple(range(rank, rank + len(places(along)))))


def _filtering(reader: "Reader", tree: ast.AST, a: Val, b: Val, along: str) -> Val:
    """Add up windows times their weights."""
    terms = make("mul", _windows(a.node, b.node, along), b.node)
    rank = len(a.node.shape)
    return Val(make("sum", terms, axis=tuple(range(rank, len(terms.shape)))))


def _smearing(reader: "Reader", tree: ast.AST, a: Val, b: Val, c: Val, along: str) -> Val:
    """Add up windows where they overlap."""
    found = make("mul", _behind(a.node, along), b.node)
    return Val(_overlapped(found, c.node, along))


def _tapping(reader: "Reader", tree: ast.AST, a: Val, b: Val, c: Val, along: str) -> Val:
    """Take inner products with windows, but along the axes that weights vary along."""
    terms = make("mul", _windows(a.node, c.node, along), _behind(b.node, along))
    rank, lead = len(a.node.shape), len(c.node.shape) - len(places(along))
    varies = [k for k in range(lead) if c.node.shape[k] != 1]
    kept = [rank - lead + k for k in varies]
    total = make("sum", terms, axis=tuple(k for k in range(rank) if k not in kept))
    ones = tuple(k for k in range(lead) if k not in varies)
    return Val(make("expand", total, axes=ones) if ones else total)


def _in_windows(x: Node, along: str, width: tuple[int, ...]) -> tuple[Node, tuple[int, ...]]:
    """Make windows of widths, and say which their axes are."""
    for (axis, step, gap), count in zip(places(along), width, strict=True):
        x = make("windows", x, width=count, along=axis, step=step, gap=gap)
    return x, tuple(range(len(x.shape) - len(width), len(x.shape)))


def _pooling(reader: "Reader", tree: ast.AST, a: Val, along: str, width: tuple[int, ...]) -> Val:
    """Take the largest entries of windows."""
    x, axes = _in_windows(a.node, along, width)
    return Val(make("amax", x, axis=axes))


def _unpooling(
    reader: "Reader", tree: ast.AST, a: Val, b: Val, c: Val, along: str, width: tuple[int, ...]
) -> Val:
    """Add up what the first entries that are the largest of windows are sent back."""
    x, axes = _in_windows(b.node, along, width)
    hot = make("winner", make("eq", x, make("expand", c.node, axes=axes)), axis=axes)
    found = make("mul", make("expand", a.node, axes=axes), hot)
    return Val(_overlapped(found, b.node, along))


def _adding(reader: "Reader", tree: ast.AST, a: Val, along: str, width: tuple[int, ...]) -> Val:
    """Add up the entries of windows."""
    x, axes = _in_windows(a.node, along, width)
    return Val(make("sum", x, axis=axes))


def _unadding(
    reader: "Reader", tree: ast.AST, a: Val, b: Val, along: str, width: tuple[int, ...]
) -> Val:
    """Add up what all entries of windows are sent back."""
    x, axes = _in_windows(b.node, along, width)
    found = make("broadcast", make("expand", a.node, axes=axes), shape=x.shape)
    return Val(_overlapped(found, b.node, along))


def _overlapped(found: Node, x: Node, along: str) -> Node:
    """Add windows of x up where they overlap, those that were made last first."""
    for axis, step, gap in reversed(places(along)):
        size = x.shape[axis]
        found = make("overlapped", found, size=size, along=axis, step=step, gap=gap)
    return found


FILTERS: dict[str, Any] = {
    "filtering": _filtering, "smearing": _smearing, "tapping": _tapping,
    "pooling": _pooling, "unpooling": _unpooling, "adding": _adding, "unadding": _unadding,
}  # fmt: skip
