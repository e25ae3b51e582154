"""Macros of the rows of `ops.arrays` and `ops.matrices`: what their rules say about shapes."""

import ast
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from symgrad.dims import halved, minus, plus
from symgrad.graph import Node
from symgrad.ops import const, make
from symgrad.ops.slices import BACKWARDS, FULL
from symgrad.ops.words import subscripts
from symgrad.parse.einsum import einsum
from symgrad.parse.values import Val
from symgrad.shapes import Dim, Shape, axes_of

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def zeros(shape: Shape) -> Node:
    """Make zeros of a shape."""
    return make("broadcast", const(0), shape=shape) if shape else const(0)


# -- matrices --------------------------------------------------------------------------------


def _top(reader: "Reader", tree: ast.AST, a: Val) -> Val:
    """Transpose the last two axes."""
    rank = len(a.node.shape)
    axes = None if rank == 2 else (*range(rank - 2), rank - 1, rank - 2)
    return Val(make("transpose", a.node, axes=axes))


def _lift(reader: "Reader", tree: ast.AST, g: Val) -> Val:
    """Give the numbers of a stack of matrices two axes of length 1."""
    rank = len(g.node.shape)
    return Val(make("expand", g.node, axes=(rank, rank + 1)) if rank else g.node)


def _unit(reader: "Reader", tree: ast.AST, a: Val) -> Val:
    return Val(make("eye", size=a.node.shape[-1]))


# -- products and sums -----------------------------------------------------------------------


def _left_out(reader: "Reader", tree: ast.AST, a: Val, axis: Any = None) -> Val:
    """Multiply all entries but one: those of its own row, and the products of the other rows."""
    axes = axes_of(axis, len(a.node.shape))
    result, rest = None, a.node
    for k in reversed(axes):
        factor = make("others", rest, axis=k)
        result = factor if result is None else make("mul", result, factor)
        rest = make("prod", rest, axis=k, keepdims=True) if k != axes[0] else rest
    return Val(const(1) if result is None else result)


def _punctured(reader: "Reader", tree: ast.AST, a: Val, axis: int) -> Val:
    """Write the product of the others as that of a square's rows whose own entry is 1."""
    rank, size = len(a.node.shape), a.node.shape[axis]
    places = make("arange", size=size)
    own = make("eq", make("expand", places, axes=(1,)), places)
    if rank - 1 - axis:
        own = make("expand", own, axes=tuple(range(2, 2 + rank - 1 - axis)))
    square = make("where", own, const(1), make("expand", a.node, axes=(axis,)))
    return Val(make("prod", square, axis=axis + 1))


def _flip(reader: "Reader", tree: ast.AST, a: Val, axis: int) -> Val:
    return Val(flipped(a.node, axis))


def flipped(node: Node, axis: int) -> Node:
    """Reverse an axis."""
    rank = len(node.shape)
    key = tuple(BACKWARDS if k == axis % rank else FULL for k in range(rank))
    return make("slice", node, key=key)


# -- parts -----------------------------------------------------------------------------------


def _shaped(reader: "Reader", tree: ast.AST, g: Val, a: Val) -> Val:
    return Val(make("reshape", g.node, shape=a.node.shape))


def _piece(reader: "Reader", tree: ast.AST, g: Val, y: Val, k: int) -> Val:
    """Cut out of a gradient what belongs to one of the arrays that were put together."""
    if len(y.node.args) == 1:
        return g
    start, stop = _offsets(y.node)[k : k + 2]
    return Val(make("part", g.node, axis=y.node.attrs["axis"], start=start, stop=stop))


@lru_cache(maxsize=32)
def _offsets(node: Node) -> tuple[Dim, ...]:
    """Give where each array of a concatenation begins, and where the last one ends."""
    sizes = [a.shape[node.attrs["axis"]] for a in node.args]
    return tuple(accumulate(sizes, plus, initial=0))


def _put_back(
    reader: "Reader", tree: ast.AST, g: Val, a: Val, axis: int, start: Dim, stop: Dim
) -> Val:
    """Put a part between zeros."""
    before, after = start, minus(a.node.shape[axis], stop)
    return Val(between(g.node, axis, before, after))


def between(node: Node, axis: int, before: Dim, after: Dim) -> Node:
    """Put an array between zeros along an axis."""

    def gap(size: Dim) -> list[Node]:
        shape = (*node.shape[:axis], size, *node.shape[axis + 1 :])
        return [zeros(shape)] if size != 0 else []

    parts = [*gap(before), node, *gap(after)]
    return make("concatenate", *parts, axis=axis) if len(parts) > 1 else node


def _layer(reader: "Reader", tree: ast.AST, g: Val, y: Val, k: int) -> Val:
    """Cut one array out of a stack."""
    axis = y.node.attrs["axis"]
    key = tuple((k, None) if j == axis else FULL for j in range(len(g.node.shape)))
    return Val(make("slice", g.node, key=key))


def _scattered(reader: "Reader", tree: ast.AST, g: Val, b: Val, a: Val, axis: int) -> Val:
    return Val(make("scatter", g.node, b.node, axis=axis, size=a.node.shape[axis]))


def _overlap(
    reader: "Reader", tree: ast.AST, g: Val, a: Val, axis: int, step: int, gap: int
) -> Val:
    """Add windows up to an array as it was."""
    size = a.node.shape[axis]
    return Val(make("overlapped", g.node, size=size, along=axis, step=step, gap=gap))


def _slide(reader: "Reader", tree: ast.AST, g: Val, a: Val, axis: int, step: int, gap: int) -> Val:
    """Cut windows out of an array, as they were."""
    width = a.node.shape[-1]
    return Val(make("windows", g.node, width=width, along=axis, step=step, gap=gap))


# -- einsum and convolution ------------------------------------------------------------------


def _einsum_back(reader: "Reader", tree: ast.AST, g: Val, y: Val, k: int) -> Val:
    """Exchange an operand and the result; what was summed over this operand alone is spread."""
    words, result = subscripts(y.node.attrs["subscripts"])
    operand, others = y.node.args[k], [a for j, a in enumerate(y.node.args) if j != k]
    known = result + "".join(w for j, w in enumerate(words) if j != k)
    kept = "".join(letter for letter in words[k] if letter in known)
    given = [result, *(w for j, w in enumerate(words) if j != k)]
    node = einsum(f"{','.join(given)}->{kept}", [g.node, *others])
    missing = tuple(j for j, letter in enumerate(words[k]) if letter not in kept)
    if missing:
        node = make("expand", node, axes=missing) if node.shape else node
        node = make("broadcast", node, shape=operand.shape)
    return Val(node)


def _widened(reader: "Reader", tree: ast.AST, g: Val, b: Val, mode: str) -> Val:
    """Put a gradient of the modes same and valid between zeros, as of the mode full."""
    less = minus(b.node.shape[0], 1)
    if mode == "full":
        return g
    before = less if mode == "valid" else halved(less)
    return Val(between(g.node, 0, before, less if mode == "valid" else minus(less, before)))


def _against(reader: "Reader", tree: ast.AST, g: Val, a: Val, b: Val, mode: str) -> Val:
    """Give the slope in the second array: of the mode valid, from behind, without zeros."""
    if mode == "valid":
        return Val(flipped(make("correlate", a.node, g.node), 0))
    return Val(make("correlate", _widened(reader, tree, g, b, mode).node, a.node))


def _unsqueeze(reader: "Reader", tree: ast.AST, a: Val, from_end: Val) -> Val:
    """Insert an axis of length 1, counted from the end of the result (1 is the last)."""
    if not a.node.shape:
        return a  # a scalar broadcasts as it is
    k = len(a.node.shape) + 1 - int(from_end.node.attrs["value"])
    return Val(make("expand", a.node, axes=(max(k, 0),)))


def _swap(reader: "Reader", tree: ast.AST, a: Val) -> Val:
    rank = len(a.node.shape)
    return Val(make("transpose", a.node, axes=(*range(rank - 2), rank - 1, rank - 2)))


def _untranspose(reader: "Reader", tree: ast.AST, g: Val, axes: Any) -> Val:
    if axes is None:
        return Val(make("transpose", g.node))
    back = tuple(sorted(range(len(axes)), key=lambda k: axes[k]))
    return Val(make("transpose", g.node, axes=back))


SHAPING: dict[str, Any] = {
    "top": _top,
    "lift": _lift,
    "unit": _unit,
    "left_out": _left_out,
    "punctured": _punctured,
    "flip": _flip,
    "shaped": _shaped,
    "piece": _piece,
    "put_back": _put_back,
    "layer": _layer,
    "overlap": _overlap,
    "slide": _slide,
    "scattered": _scattered,
    "einsum_back": _einsum_back,
    "widened": _widened,
    "against": _against,
    "unsqueeze": _unsqueeze,
    "swap": _swap,
    "untranspose": _untranspose,
}
