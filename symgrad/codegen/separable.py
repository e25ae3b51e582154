"""Say whether a loss is a sum or a mean over its examples, so that one of them has a gradient.

A value is FREE of the examples, has a row for EACH of them, is a TOTAL over them (which is linear
in the terms), or is UNKNOWN here. Rows that meet, as in a table of pairs, and what is not linear
in a total, as a root or a variance, mix the examples.
"""

from symgrad.graph import Node, topological
from symgrad.ops import OPS
from symgrad.shapes import axes_of

FREE, EACH, TOTAL, UNKNOWN = "free", "each", "total", "unknown"
LINEAR = ("add", "sub", "neg", "sum", "mean", "transpose", "expand", "broadcast", "reshape",
          "as_is", "stack", "concatenate", "slice", "diag", "trace")  # fmt: skip
OVER = ("sum", "mean")  # of all examples: their total
PRODUCTS = ("mul", "matmul", "outer", "sum_of_products")
PAIRED = ("own_distances", "own_lengths", "own_scaled_distances", "own_pulls", "differences")
CUT = ("slice", "windows", "correlate", "convolve", "filtered", "smeared", "pooled", "box_filter")


def mixing(value: Node, size: str) -> Node | None:
    """Find the first node that mixes examples; None where the value is known to have no such.

    >>> from symgrad.parse import parse
    >>> text = "X: data[N, D]; w: param[D]; u = X @ w; L = "
    >>> mixing(parse(text + "mean(u**2) + sum(w**2)").output, "N") is None
    True
    >>> mixing(parse(text + "sqrt(mean(u**2))").output, "N").op
    'sqrt'
    """
    found: dict[Node, str] = {}
    for node in topological([value]):
        state = _state(node, [found[a] for a in node.args], size)
        if state is None:
            return node
        found[node] = state
    return None


def _state(node: Node, args: list[str], size: str) -> str | None:
    """Say what a value is, from what its operands are; None if examples meet in it."""
    if not node.args:
        return (UNKNOWN if node.op in ("arange", "eye") else EACH) if size in node.shape else FREE
    if EACH not in args and TOTAL not in args:
        if UNKNOWN in args:
            return UNKNOWN
        return EACH if size in node.shape else FREE  # a number that stands at each example
    if UNKNOWN in args:
        return UNKNOWN
    if TOTAL in args:
        return TOTAL if _linear(node, args) else None
    return _of_rows(node, args, size)


def _linear(node: Node, args: list[str]) -> bool:
    """Say whether a value is linear in totals, beside which nothing else depends on examples."""
    if EACH in args:
        return False
    if node.op in LINEAR:
        return True
    if node.op in PRODUCTS:
        return args.count(TOTAL) == 1
    return node.op in ("div", "over") and args[1] == FREE


def _of_rows(node: Node, args: list[str], size: str) -> str | None:
    """Say what comes of rows of examples."""
    row = OPS[node.op]
    if node.op in PAIRED:
        return None
    if row.shape == "elementwise":
        rows = [a for a, state in zip(node.args, args, strict=True) if state == EACH]
        places = {len(a.shape) - a.shape.index(size) for a in rows}
        return EACH if len(places) == node.shape.count(size) == 1 else None
    operand = node.args[0]
    if row.shape in ("reduce", "like a") and size in operand.shape:
        along = axes_of(node.attrs["axis"], len(operand.shape))
        if operand.shape.index(size) not in along:
            return EACH
        return TOTAL if node.op in OVER else None
    if node.op in ("matmul", "outer", "sum_of_products"):
        return _product(node, args, size)
    if node.op in CUT and size not in node.shape:
        return None  # some of the examples, or neighbours
    if args.count(EACH) == node.shape.count(size) == 2:
        return None  # all pairs
    return EACH if node.shape.count(size) == 1 else UNKNOWN


def _product(node: Node, args: list[str], size: str) -> str | None:
    """Say what a product of matrices is: examples that are contracted are added up."""
    if args.count(EACH) == node.shape.count(size) == 2:
        return None
    if node.shape.count(size) == 1:
        return EACH if args.count(EACH) == 1 else UNKNOWN
    return TOTAL if size not in node.shape else UNKNOWN
