"""Windows that are multiplied by a vector: correlations and convolutions."""

from symgrad.graph import Node
from symgrad.ops import make
from symgrad.ops.slices import BACKWARDS, FULL


def slid(node: Node) -> Node | None:
    """Write windows of a vector times a vector as x ⋆ w, or x ∗ w where they are read from behind.

    >>> from symgrad.ops import leaf
    >>> x, w = leaf("x", ("N",)), leaf("w", ("K",))
    >>> slid(make("matmul", make("windows", x, width="K", axis=0), w)).op
    'correlate'
    """
    rows, weights = node.args
    turned = rows.op == "slice" and rows.attrs["key"] == (FULL, BACKWARDS)
    view = rows.args[0] if turned else rows
    if view.op != "windows" or len(view.shape) != 2 or len(weights.shape) != 1:
        return None
    if view.attrs["step"] != 1 or view.attrs["gap"] != 1:
        return None
    if turned:
        return make("convolve", view.args[0], weights, mode="valid")
    return make("correlate", view.args[0], weights)
