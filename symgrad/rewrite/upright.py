"""Go along the other axis of an array, not along an axis of its transpose: softmax(S.T) by columns.

Rows of a transpose are columns of what is stored: NumPy reads them one entry here and one there.
"""

from symgrad.graph import Graph, Node, rebuild
from symgrad.ops import OPS, make, remake
from symgrad.shapes import axes_of

ALONG = ("like a", "reduce")


def upright(graph: Graph) -> Graph:
    """Take transposes out of what goes along an axis, as softmax and sums do, and of diagonals.

    >>> from symgrad.parse import parse
    >>> g = upright(parse("S: param[N, M]; sum(logsumexp(S.T, axis=1))"))
    >>> [(n.op, n.attrs.get("axis")) for n in g.order()]
    [('input', None), ('logsumexp', 0), ('sum', None)]
    """
    order = graph.order()
    if not any(n.args and n.args[0].op == "transpose" and _turns(n) for n in order):
        return graph
    image: dict[Node, Node] = {}
    rebuild(graph.outputs, lambda n, args: _changed(remake(n, args)), image)
    return graph.mapped(image)


def _turns(node: Node) -> bool:
    """Say whether a node may go along an axis of what a transpose is of."""
    row = OPS.get(node.op)
    if node.op in ("diag", "trace"):
        return len(node.args[0].shape) == 2
    return row is not None and row.shape in ALONG and "axis" in row.params and len(node.args) == 1


def _changed(node: Node) -> Node:
    if not node.args or node.args[0].op != "transpose" or not _turns(node):
        return node
    (turned,) = node.args
    (a,), rank = turned.args, len(turned.shape)
    if node.op in ("diag", "trace"):
        return make(node.op, a)
    order = turned.attrs["axes"] or tuple(reversed(range(rank)))
    axes = tuple(order[k] for k in axes_of(node.attrs["axis"], rank))
    every = node.attrs["axis"] is None
    axis = None if every else axes[0] if len(axes) == 1 else axes
    found = make(node.op, a, **{**node.attrs, "axis": axis})
    left = order
    if OPS[node.op].shape == "reduce" and not node.attrs.get("keepdims"):
        rest = sorted(k for k in range(rank) if k not in axes)
        left = tuple(rest.index(k) for k in order if k not in axes)
    if left != tuple(range(len(left))):
        found = make("transpose", found, axes=None if left == (1, 0) else left)
    return found if found.shape == node.shape else node
