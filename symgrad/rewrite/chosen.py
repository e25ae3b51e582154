"""Sums of the entries that a condition on their places chooses: those of a class, those up to i.

sum(x[n, d] for n in N if y[n] == c) is typed for every class c, and as it stands it looks at every
sample once for each class. It adds x_n up at the places y_n. sum(x[j] for j in N if j <= i) is a
running sum.
"""

from collections.abc import Callable
from typing import NamedTuple

from symgrad.graph import Node, topological
from symgrad.ops import OPS, const, make, value_of
from symgrad.ops.slices import BACKWARDS, FULL
from symgrad.ops.spec import MIRRORED
from symgrad.rewrite.contraction import own_axes
from symgrad.shapes import Dim, Shape, axes_of

PARTS = ("slice", "part", "take", "reshape", "transpose")
MOST = 60  # nodes of a value that is taken at a label
EITHER_WAY = {**MIRRORED, "eq": "eq"}


class Chosen(NamedTuple):
    """Hold a sum of `value`, whose axes are `axes` of the sum's, where `left op right` holds."""

    op: str
    left: tuple[Node, int]  # an array and its one axis
    right: tuple[Node, int]
    value: Node
    axes: tuple[int, ...]
    over: tuple[int, ...]
    shape: Shape

    @property
    def kept(self) -> list[int]:
        """List the axes that are not summed."""
        return [k for k in range(len(self.shape)) if k not in self.over]

    def classes(self) -> tuple[tuple[Node, int], int] | None:
        """Give labels with their axis, and the axis of all classes that they are compared with.

        Whole numbers that are no labels may be outside of these classes.
        """
        sides = (self.left, self.right)
        labels, (numbers, c) = sides if self.right[0].op == "arange" else sides[::-1]
        base = labels[0]
        while base.op in PARTS:
            base = base.args[0]
        known = self.op == "eq" and numbers.op == "arange" and base.op == "input"
        return (labels, c) if known and base.attrs.get("classes") == self.shape[c] else None


def sum_of_class(node: Node) -> Node | None:
    """Write a sum over those whose label is c, for all c, as what is added up at the labels.

    >>> from symgrad.ops import leaf
    >>> x, y = leaf("x", ("N",)), leaf("y", ("N", "C"), "labels")
    >>> same = make("eq", y, make("expand", make("arange", size="C"), axes=(1,)))
    >>> sum_of_class(make("sum", make("where", same, x, const(0)), axis=1)).op
    'scatter'
    """
    found = _chosen(node)
    pair = None if found is None else found.classes()
    if found is None or pair is None:
        return None
    (labels, n), c = pair
    if n not in found.over or c in found.over or c in found.axes:
        return None
    order = [n, *(k for k in range(len(found.shape)) if k not in (n, c))]
    value = _laid(found, order)
    within = tuple(j for j, k in enumerate(order) if j and k in found.over)
    if within:
        value = make("sum", value, axis=within if len(within) > 1 else within[0])
    total = make("scatter", value, labels, axis=0, size=found.shape[c])
    return _turned(total, [c, *(k for k in order[1:] if k not in found.over)], node)


def entry_of_class(node: Node) -> Node | None:
    """Write a sum over the classes c of what counts if y_n is c as the value at c = y_n.

    >>> from symgrad.ops import leaf
    >>> x, m, y = leaf("x", ("N",)), leaf("m", ("C",)), leaf("y", ("N", "C"), "labels")
    >>> same = make("eq", make("expand", y, axes=(1,)), make("arange", size="C"))
    >>> apart = make("sub", make("expand", x, axes=(1,)), m)
    >>> rows = make("sub", x, make("take", m, y, axis=0))
    >>> entry_of_class(make("sum", make("where", same, apart, const(0)), axis=1)) is rows
    True
    """
    found = _chosen(node)
    pair = None if found is None else found.classes()
    if found is None or pair is None:
        return None
    (labels, n), c = pair
    if c not in found.over or node.args[0].args[1].dtype != "float":
        return None
    frame = [k for k in range(len(found.shape)) if k != c]
    value = _at_label(node.args[0].args[1], len(found.shape), labels, n, c)
    if value is None:
        return None
    shape = tuple(found.shape[k] for k in frame)
    value = value if value.shape == shape else make("broadcast", value, shape=shape)
    within = tuple(j for j, k in enumerate(frame) if k in found.over)
    if within:
        axis = None if len(within) == len(frame) else within if len(within) > 1 else within[0]
        value = make("sum", value, axis=axis)
    return value if value.shape == node.shape else None


def _at_label(value: Node, rank: int, labels: Node, n: int, c: int) -> Node | None:
    """Give a value, part by part, at c = y_n, without the axis c; None where a part has no such."""
    order = topological([value], stop=lambda v: not _opens(v, rank, c))
    if len(order) > MOST:
        return None
    images: dict[Node, Node] = {}
    for part in order:
        if _opens(part, rank, c):
            images[part] = make(part.op, *(images[a] for a in part.args), **part.attrs)
            continue
        array, axes = own_axes(part, rank)
        while array.op == "transpose":
            turn = array.attrs["axes"] or tuple(range(len(axes)))[::-1]
            axes = tuple(axes[turn.index(k)] for k in range(len(axes)))
            array = array.args[0]
        if any(d == 1 for d in array.shape) or (c in axes and n in axes and axes != (n, c)):
            return None
        if axes == (n, c):
            array, axes = make("pick", array, labels), (n,)
        elif c in axes:
            array = make("take", array, labels, axis=axes.index(c))
            axes = tuple(n if k == c else k for k in axes)
        images[part] = _placed(array, axes, [k for k in range(rank) if k != c])
    return images[value]


def _opens(value: Node, rank: int, c: int) -> bool:
    """Say whether a value is worked out entry by entry, along the axis c too."""
    row = OPS.get(value.op)
    along = c >= rank - len(value.shape) and value.shape[c - rank] != 1
    return bool(value.args) and row is not None and row.shape == "elementwise" and along


def _placed(array: Node, axes: tuple[int, ...], frame: list[int]) -> Node:
    """Put the axes of an array in order, and insert those that it lacks behind its first."""
    turn = tuple(sorted(range(len(axes)), key=lambda j: axes[j]))
    if turn != tuple(range(len(axes))):
        array = make("transpose", array, axes=turn)
    wanted = frame[frame.index(min(axes)) :] if axes else []
    missing = tuple(j for j, k in enumerate(wanted) if k not in axes)
    return make("expand", array, axes=missing) if missing else array


def running_sum(node: Node) -> Node | None:
    """Write a sum over all j up to i, for all i, as a running sum.

    >>> from symgrad.ops import leaf
    >>> x, j = leaf("x", ("N",)), make("arange", size="N")
    >>> below = make("le", j, make("expand", j, axes=(1,)))
    >>> running_sum(make("sum", make("where", below, x, const(0)), axis=1)).op
    'cumsum'
    """
    found = _chosen(node)
    if found is None or found.op == "eq" or len(found.over) != 1:
        return None
    (j,), op = found.over, found.op
    (left, a), (right, b) = found.left, found.right
    if a != j:
        op, a, b = EITHER_WAY[op], b, a
    if not left.op == right.op == "arange" or left is not right or a != j or b in found.axes:
        return None
    if j not in found.axes:
        return None
    order = [k for k in range(len(found.shape)) if k != b]
    value = _laid(found, order)
    place, rank = order.index(j), len(order)
    behind = op in ("ge", "gt")

    def part(of: Node, entry: tuple[object, ...]) -> Node:
        return make("slice", of, key=tuple(entry if k == place else FULL for k in range(rank)))

    total = make("cumsum", part(value, BACKWARDS) if behind else value, axis=place)
    if op in ("lt", "gt"):  # without the entry itself: one place on
        edge = (*value.shape[:place], 1, *value.shape[place + 1 :])
        zero = make("broadcast", const(0), shape=edge)
        total = make("concatenate", zero, part(total, (0, -1)), axis=place)
    if behind:
        total = part(total, BACKWARDS)
    return _turned(total, [b if k == j else k for k in order], node)


def _chosen(node: Node) -> Chosen | None:
    """Take a sum of a case apart that compares two rows of places or labels."""
    (body,) = node.args
    rank = len(body.shape)
    if body.op != "where" or node.attrs["keepdims"] or value_of(body.args[2]) != 0 or rank < 2:
        return None
    mask, places = own_axes(body.args[0], rank)
    if mask.op not in EITHER_WAY:
        return None
    sides = []
    for side in mask.args:
        array, own = own_axes(side, len(mask.shape))
        if len(own) != 1:
            return None
        sides.append((array, places[own[0]]))
    value, axes = own_axes(body.args[1], rank)
    if sides[0][1] == sides[1][1] or any(d == 1 for d in value.shape):
        return None
    over = axes_of(node.attrs["axis"], rank)
    return Chosen(mask.op, sides[0], sides[1], value, tuple(axes), over, body.shape)


def _laid(found: Chosen, order: list[int]) -> Node:
    """Give the value the axes of `order`, all of them and in this order."""
    value, axes = found.value, found.axes
    present = [k for k in order if k in axes]
    turn = tuple(axes.index(k) for k in present)
    if turn != tuple(range(len(turn))):
        value = make("transpose", value, axes=turn)
    lacking = tuple(j for j, k in enumerate(order) if k not in axes)
    if not lacking:
        return value
    full: tuple[Dim, ...] = tuple(found.shape[k] for k in order)
    return make("broadcast", make("expand", value, axes=lacking) if present else value, shape=full)


def _turned(total: Node, axes: list[int], node: Node) -> Node | None:
    """Put the axes of a result into their order."""
    turn = tuple(sorted(range(len(axes)), key=lambda k: axes[k]))
    if turn != tuple(range(len(turn))):
        total = make("transpose", total, axes=None if turn == (1, 0) else turn)
    return total if total.shape == node.shape else None


CHOSEN: list[tuple[str, Callable[[Node], Node | None]]] = [
    ("entry of a class", entry_of_class),
    ("sum over a class", sum_of_class),
    ("running sum", running_sum),
]
