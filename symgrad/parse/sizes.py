"""How large an array may be: checked where it is written, before anything is built."""

from collections.abc import Iterable

from symgrad.errors import LimitError
from symgrad.graph import Node, topological
from symgrad.parse.limits import MAX_AXES, MAX_CONSTANTS, MAX_ENTRIES
from symgrad.shapes import Shape, text


def entries(shape: Shape) -> int:
    """Count the entries of an array as far as its sizes are numbers.

    >>> entries((3, "N", 4))
    12
    """
    total = 1
    for size in shape:
        if isinstance(size, int):
            total *= size
    return total


def check_sizes(nodes: Iterable[Node]) -> None:
    """Raise LimitError for arrays that no machine should make.

    >>> from symgrad.ops import make
    >>> check_sizes([make("arange", size=10)])
    """
    for node in nodes:
        shape = node.shape
        if len(shape) > MAX_AXES:
            raise LimitError(f"an array of {len(shape)} axes; the limit is {MAX_AXES}",
                             hint="use fewer indices or dimensions")  # fmt: skip
        total = entries(shape) if shape else 1
        if total <= MAX_CONSTANTS:
            continue
        if total > MAX_ENTRIES:
            raise LimitError(f"an array {_shown(shape)} has {total} entries; the limit is "
                             f"{MAX_ENTRIES}", hint="use smaller dimensions")  # fmt: skip
        if not any(n.op == "input" and n.shape for n in topological([node])):
            raise LimitError(f"an array of constants {_shown(shape)} has {total} entries; the "
                             f"limit is {MAX_CONSTANTS}",
                             hint="name the dimension: X: data[N], then arange(N)")  # fmt: skip


def _shown(shape: Shape) -> str:
    return text(shape)[:60]
