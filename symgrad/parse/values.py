"""What an expression evaluates to while it is read: a node and its index axes.

In index notation `s[i, j]` is the node of `s` whose leading axes stand for i and j. Arithmetic
aligns these axes, which is how a comprehension becomes vectorised code without a loop.
"""

import ast
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops import make
from symgrad.shapes import Dim

# What reads a piece of syntax: it yields the sub-expressions it needs and returns their value.
Visit = Generator[ast.expr, Any, Any]


class Val(NamedTuple):
    """Hold a node whose first `len(axes)` axes stand for index variables."""

    node: Node
    axes: tuple[str, ...] = ()

    @property
    def rest(self) -> int:
        """Count the axes that are not index variables."""
        return len(self.node.shape) - len(self.axes)


def reorder(value: Val, order: Sequence[str]) -> Val:
    """Permute the index axes of a value into the order of `order`."""
    axes = tuple(v for v in order if v in value.axes)
    if axes == value.axes:
        return value
    lead = [value.axes.index(v) for v in axes]
    rest = range(len(axes), len(value.node.shape))
    return Val(make("transpose", value.node, axes=(*lead, *rest)), axes)


def align(values: Sequence[Val], order: Sequence[str]) -> tuple[list[Node], tuple[str, ...]]:
    """Give the values a common list of index axes, inserting length-1 axes where needed."""
    union = tuple(v for v in order if any(v in value.axes for value in values))
    if not union:
        return [v.node for v in values], ()
    rest = max(v.rest for v in values)
    nodes = []
    for value in values:
        value = reorder(value, union)
        if not value.axes and not value.rest:
            nodes.append(value.node)
            continue
        slots: list[str | None] = [v if v in value.axes else None for v in union]
        slots += [None] * (rest - value.rest)
        while slots and slots[0] is None and value.rest in (0, rest):
            slots.pop(0)  # NumPy adds leading axes by itself
        missing = tuple(k for k, v in enumerate(slots) if v is None)
        nodes.append(make("expand", value.node, axes=missing) if missing else value.node)
    return nodes, union


def spread_over(value: Val, order: Sequence[str], sizes: dict[str, Dim | None]) -> Val:
    """Broadcast a value so that it has every index of `order` as an axis."""
    if set(order) <= set(value.axes):
        return reorder(value, order)
    keep = [v for v in order if v in value.axes] + [v for v in value.axes if v not in order]
    value = reorder(value, keep)
    axes = (*order, *(v for v in keep if v not in order))
    missing = tuple(k for k, v in enumerate(axes) if v not in value.axes)
    shape: list[Dim] = []
    for v in axes:
        size = sizes[v]
        if size is None:
            raise ShapeError(f"the range of the index {v} is not known",
                             hint=f"use {v} as an index on the right: x[{v}]")  # fmt: skip
        shape.append(size)
    grown = make("expand", value.node, axes=missing) if value.node.shape else value.node
    full = (*shape, *value.node.shape[len(value.axes) :])
    return Val(make("broadcast", grown, shape=full), axes)
