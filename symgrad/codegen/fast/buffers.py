"""Describe buffers: whole arrays of the workspace, and tiles that a loop takes row by row."""

from dataclasses import dataclass, field
from typing import NamedTuple

from symgrad.graph import Node
from symgrad.ops import value_of
from symgrad.shapes import Dim, Shape, axes_of


class Kind(NamedTuple):
    """Describe a buffer: its shape (of a row, in a tile), its type, whether columns come first."""

    shape: Shape
    dtype: str
    columns: Dim | None = None  # stored by columns where this dimension is small
    value: float | None = None  # all its entries are this number, and stay so


SEAT = Kind((), "seat")  # 0, 1, 2, … along the rows of a tile
ONES = Kind((), "ones")  # as many ones, which sum the rows of a tile by a product
# the same for vectors: none for one long tile, which NumPy adds as fast
ADDS = Kind((), "ones_or_none")
COUNTS = (SEAT, ONES, ADDS)


@dataclass(slots=True)
class Loop:
    """Hold the tile buffers that the loops over the same rows share, and what a row reads."""

    dim: Dim
    slots: list[Kind] = field(default_factory=list)
    reads: tuple[Shape, ...] = ()

    def touched(self) -> list[Shape]:
        """List the shapes of a row in buffers, inputs and results."""
        return [*(s.shape for s in self.slots if s not in COUNTS), *self.reads]

    @property
    def live(self) -> int:
        """Count the arrays that are touched."""
        return max(len(self.touched()), 1)


def beside_rows(node: Node, columns: Dim | None) -> Kind | None:
    """Describe an array full of the constant that maximum or minimum takes.

    NumPy compares two arrays three times as fast as an array and a number.
    """
    value = next((v for a in node.args if (v := value_of(a)) is not None), None)
    if node.op not in ("maximum", "minimum") or value is None:
        return None
    return Kind(node.shape[1:], "float", columns, float(value))


def by_ones(node: Node) -> bool:
    """Say whether a node sums the rows of a matrix: ones @ A is several times faster."""
    if node.op != "sum" or len(node.args[0].shape) > 2:
        return False
    return axes_of(node.attrs["axis"], len(node.args[0].shape)) == (0,)


def along_rows(node: Node) -> bool:
    """Say whether a node sums one of the last two axes, or all but the last: a product with ones.

    BLAS adds up short rows several times faster than NumPy, which starts a loop for each, and long
    ones twice as fast.
    """
    (inner,) = node.args
    rank = len(inner.shape)
    if node.op != "sum" or inner.dtype != "float" or rank < 2:
        return False
    axes = axes_of(node.attrs["axis"], rank)
    wanted = [(rank - 1,), *([(rank - 2,), tuple(range(rank - 1))] if rank > 2 else [])]
    return axes in wanted and inner.shape[axes[-1]] != 1
