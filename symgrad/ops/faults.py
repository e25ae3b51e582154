"""What a program takes for granted about sizes that have no number yet.

`x[1:]` of a named axis has N - 1 entries if N is at least 1, and a window slides over K - L + 1
places if it is the shorter one. This is checked when arrays arrive, before anything is computed.
"""

from collections.abc import Iterable, Mapping

from symgrad.dims import evaluated, times
from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops import slices
from symgrad.shapes import text

ASSUMING = ("slice", "reshape", "correlate", "convolve")


def assuming(order: Iterable[Node]) -> tuple[Node, ...]:
    """List the nodes that take something for granted about named dimensions."""
    return tuple(
        n for n in order
        if n.op in ASSUMING and any(isinstance(d, str) for a in n.args for d in a.shape)
    )  # fmt: skip


def check(nodes: Iterable[Node], sizes: Mapping[str, int]) -> None:
    """Raise ShapeError where the numbers are not as was taken for granted."""
    for node in nodes:
        found = _fault(node, sizes)
        if found:
            raise ShapeError(found)


def _fault(node: Node, sizes: Mapping[str, int]) -> str:
    shape = node.args[0].shape
    if node.op == "slice":
        return slices.fault(node.attrs["key"], shape, sizes)
    if node.op == "reshape":
        before, after = (evaluated(times(*s), sizes) for s in (shape, node.shape))
        if None not in (before, after) and before != after:
            return f"{before} entries do not fill the shape {text(node.shape)}"
        return ""
    n, k = (evaluated(a.shape[0], sizes) for a in node.args)
    if n is not None and k is not None and k > n and node.attrs.get("mode") != "full":
        return f"a window of {k} does not fit into {n} entries"
    return ""
