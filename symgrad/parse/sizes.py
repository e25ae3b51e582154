"""How large an array may be: checked where it is written, before anything is built."""

import os
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from math import prod

from symgrad.dims import evaluated
from symgrad.errors import LimitError
from symgrad.graph import Graph, Node, topological
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


def check_bound(
    graph: Graph, sizes: Mapping[str, int], made: Collection[Shape] | None = None,
    passed: Collection[Shape] = (),
) -> None:  # fmt: skip
    """Raise LimitError for values that become too large where names of dimensions have numbers.

    It is called before anything is computed, so that nothing of this size is ever allocated. What
    is larger than every input must also fit into memory: an operating system may promise more.
    `made` lists the shapes of the arrays that are made, where those are not the graph's own: code
    has no array for a sum that is recognised as a running one, and tiles for what it adds up. What
    is `passed` through tile by tile takes time, but no memory: the limit holds for it.

    >>> from symgrad.parse import parse
    >>> check_bound(parse("x: real[N]; x[:, None]*x"), {"N": 1000})
    """
    if not sizes:
        return
    if made is None:
        made = [n.shape for n in graph.order() if n.op != "input"]
    shapes = dict.fromkeys(s for s in (*(n.shape for n in graph.inputs), *made) if len(s) > 1)
    large: dict[Shape, int] = {}
    held = min(MAX_ENTRIES, memory() // 8)
    for shape in shapes:
        known = [evaluated(d, sizes) for d in shape]
        total = prod(d for d in known if d is not None)
        if total > held:
            large[shape] = total
    held = max([held, *(large.get(n.shape, 0) for n in graph.inputs)])
    large = {shape: total for shape, total in large.items() if total > min(held, MAX_ENTRIES)}
    limit = "memory holds" if held < MAX_ENTRIES else f"the limit, {MAX_ENTRIES}"
    for shape in passed:
        total = prod(evaluated(d, sizes) or 0 for d in shape)
        if total > MAX_ENTRIES and shape not in large:
            large[shape], limit = total, f"the limit, {MAX_ENTRIES}"
    for shape in (*made, *passed) if large else ():
        if shape not in large:
            continue
        node = next((n for n in graph.order() if n.shape == shape and n.op != "input"), None)
        raise LimitError(
            f"this value, an array {_shown(shape)}, has {large[shape]} entries, more "
            f"than {limit}",
            span=graph.spans.get(node) if node else None, source=graph.source,
            hint="give smaller arrays, or sum before the axes are put together",
        )  # fmt: skip


@lru_cache(maxsize=1)
def memory() -> int:
    """Give the bytes of memory that the machine has; 2**62 where it does not say so."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on Windows
        return 2**62


def _shown(shape: Shape) -> str:
    return text(shape)[:60]
