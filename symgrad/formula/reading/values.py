"""What a formula evaluates to while it is read: a node, and what its notation leaves open.

A value may be a row (x^T), have axes that are named by index letters (A_ij), or be **loose**: ones,
a unit matrix, an index j have no size of their own. Then the node holds a scalar mark in their
place, and `Loose` makes the array once the shape is known from what stands beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad import shapes
from symgrad.errors import ShapeError
from symgrad.formula.placing import inserted, joined, placed
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import leaf, make, remake
from symgrad.shapes import Shape

Maker = Callable[[Shape], Node]
MARK = "loose_"


@dataclass(frozen=True, slots=True)
class Value:
    """Hold a node; `free` names its axes by letters, `needs` lists axes whose size is open."""

    node: Node
    row: bool = False
    free: tuple[str, ...] = ()
    needs: tuple[int, ...] = ()
    ones: bool = False
    beside: Shape = ()  # what is known of the shape of a loose value

    @property
    def shape(self) -> Shape:
        """Give the shape of the node."""
        return self.node.shape


@dataclass
class Loose:
    """Keep what marks stand for until a shape is known."""

    makers: dict[Node, Maker] = field(default_factory=dict)

    def mark(self, maker: Maker, needs: tuple[int, ...]) -> Value:
        """Make a loose value."""
        node = leaf(f"{MARK}{len(self.makers)}")
        self.makers[node] = maker
        return Value(node, needs=needs)

    def known(self, value: Value, shape: Shape) -> bool:
        """Say whether a shape says enough about a loose value."""
        rank = len(shape)
        return bool(shape) and all(-rank <= k < rank and shape[k] != 1 for k in value.needs)

    def resolve(self, value: Value, shape: Shape) -> Value:
        """Put arrays that fit a shape in the place of the marks."""
        if not value.needs:
            return value
        if not self.known(replace(value, needs=tuple(k for k in value.needs if k < 0)), shape):
            raise ShapeError("nothing says how large this is: ones, a unit matrix or an index")
        order = topological([value.node])
        memo = {n: self.makers[n](shape) for n in order if n in self.makers}
        return replace(value, node=rebuild([value.node], remake, memo)[value.node], needs=())


def plain(value: Value) -> Value:
    """Turn index letters into axes, in the order of the alphabet."""
    if not value.free:
        return value
    order = tuple(sorted(range(len(value.free)), key=value.free.__getitem__))
    node = value.node
    if order != tuple(range(len(order))):
        node = make("transpose", node, axes=order)
    return Value(node)


def stand(node: Node, full: Shape) -> Node:
    """Insert the axes that an operand needs to stand at its place in a shape."""
    axes = placed(node.shape, full)
    gaps = inserted(axes, len(full))
    return make("expand", node, axes=tuple(g - min(axes) for g in gaps)) if gaps else node


def lettered(values: Sequence[Value]) -> tuple[list[Node], tuple[str, ...]]:
    """Give values with index letters common axes."""
    union = tuple(sorted(dict.fromkeys(c for v in values for c in v.free)))
    nodes = []
    for value in values:
        node = plain(value).node
        own = [union.index(c) for c in sorted(value.free)]
        gaps = inserted(own, len(union))
        nodes.append(make("expand", node, axes=tuple(g - min(own) for g in gaps)) if gaps else node)
    return nodes, union


class Arithmetic:
    """Combine values as the printed notation means it."""

    def __init__(self) -> None:
        self.loose = Loose()

    def elementwise(self, op: str, values: Sequence[Value], **params: Any) -> Value:
        """Apply an elementwise operator; operands find their places by their sizes."""
        if any(v.free for v in values) and all(v.free or not v.shape for v in values):
            nodes, union = lettered(values)
            return Value(make(op, *nodes, **params), free=union)
        values = [plain(v) for v in values]
        full = joined([v.shape for v in values])
        values = [self.loose.resolve(v, full) if self.loose.known(v, full) else v for v in values]
        needs = tuple(dict.fromkeys(k for v in values for k in v.needs))
        row = any(v.row for v in values) and all(v.row or len(v.shape) != 1 for v in values)
        nodes = [self._held(v) if needs else stand(v.node, full) for v in values]
        node = make(op, *nodes, **params)
        if not needs:
            return Value(node, row=row)
        full = max([full, *(v.beside for v in values if v.needs)], key=len)
        return Value(node, needs=needs, beside=full)

    def _held(self, value: Value) -> Node:
        """Keep an array beside a loose value until their common shape is known."""
        if not value.shape:
            return value.node
        return self.loose.mark(lambda shape: stand(value.node, shape), ()).node

    def times(self, a: Value, b: Value) -> Value:
        """Multiply what stands side by side: numbers, vectors, matrices, by their ranks."""
        if a.free or b.free:
            if all(v.free or not v.shape for v in (a, b)):
                return self.elementwise("mul", [a, b])
            a, b = plain(a), plain(b)
        if b.ones and b.row and len(a.shape) == 1:  # x 1^T
            return Value(make("expand", a.node, axes=(1,)))
        if a.ones and not a.row and b.row and len(b.shape) == 1:  # 1 x^T
            return Value(make("expand", b.node, axes=(0,)))
        a, b = self._sized(a, b), self._sized(b, a, left=False)
        if not a.shape or not b.shape:
            product = self.elementwise("mul", [a, b])
            return replace(product, row=a.row or b.row)
        left, right = len(a.shape), len(b.shape)
        if left == 1 and right == 1 and not a.row:
            if not b.row:
                raise ShapeError("two columns side by side; an outer product is a b^{\\top}")
            return Value(make("outer", a.node, b.node))
        if left == 1 and not a.row:
            raise ShapeError("a column before a matrix")
        if right == 1 and b.row:
            raise ShapeError("a row behind a matrix or a row")
        return Value(make("matmul", a.node, b.node), row=left == 1 and right > 1)

    def _sized(self, value: Value, other: Value, left: bool = True) -> Value:
        """Give loose factors of matrix products the size of the other factor."""
        if not value.needs or not other.shape or other.needs:
            return value
        inner = other.shape[0 if len(other.shape) == 1 else -2] if left else other.shape[-1]
        if value.needs == (-1,):
            return self.loose.resolve(value, (inner,))
        if value.needs == (-2, -1):
            return self.loose.resolve(value, (inner, inner))
        return value

    def turned(self, value: Value) -> Value:
        """Transpose."""
        value = plain(value)
        if value.needs:
            return replace(value, row=not value.row)
        rank = len(value.shape)
        if rank < 2:
            return replace(value, row=not value.row)
        axes = None if rank == 2 else (*range(rank - 2), rank - 1, rank - 2)
        return Value(make("transpose", value.node, axes=axes))

    def summed(self, op: str, value: Value, letters: Sequence[str], index: str) -> Value:
        """Reduce over index letters: of entries, or of the axes in their order; all without."""
        if value.free and letters:
            axes = tuple(value.free.index(c) for c in letters if c in value.free)
            rest = tuple(c for c in value.free if c not in letters)
            return Value(make(op, value.node, axis=axes), free=rest)
        value = self.loose.resolve(plain(value), value.beside)
        if not letters:
            return Value(make(op, value.node))
        axes = tuple(index.index(c) for c in letters)
        axes_ = shapes.axes_of(axes, len(value.shape))
        node = make(op, value.node, axis=axes_[0] if len(axes_) == 1 else axes_)
        return Value(node, row=False)
