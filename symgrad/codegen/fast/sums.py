"""Write sums by cheaper equal ones: what all terms have in common is taken out of them.

Here a value may be larger on the way than at the end: sum(a*x) is infinite for entries of x near
the largest number, whatever a is.
"""

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node
from symgrad.ops import make
from symgrad.rewrite.scaled import split_off


def reduction(node: Node, fired: dict[str, int]) -> Node | None:
    """Take signs and numbers out of sums; write sums of products as dot products.

    >>> from symgrad.ops import leaf
    >>> A, s = leaf("A", ("N", "K")), leaf("s", ("K",))
    >>> reduction(make("sum", make("div", A, s), axis=0), {}).op
    'div'
    """
    axis, inner = node.attrs["axis"], node.args[0]
    if not inner.shape or node.op != "sum":
        return None
    if inner.op == "neg":
        return make("neg", make("sum", inner.args[0], axis=axis))
    if inner.op == "add" and not node.shape and all(_whole_product(a, inner) for a in inner.args):
        count(fired, "the sum of products as dot products", node)
        return make("add", *(make("sum", a, axis=axis) for a in inner.args))
    if inner.op in ("mul", "div") and len(inner.shape) > 1 and axis in (0, (0,)):
        found = _across(inner, fired) if inner.op == "mul" else _over(inner, fired)
        if found is not None:
            return found
    number, rest = numbered(inner)
    if number is not None and rest.dtype == "float":
        count(fired, "numbers are taken out of sums", node)
        return make("mul", number, make("sum", rest, axis=axis))
    if inner.op == "div" and not inner.args[1].shape and inner.args[0].dtype == "float":
        count(fired, "numbers are taken out of sums", node)
        return make("div", make("sum", inner.args[0], axis=axis), inner.args[1])
    return None


def numbered(node: Node) -> tuple[Node | None, Node]:
    """Take a product with a number apart."""
    return split_off(node) if node.op == "mul" and node.shape else (None, node)


def bare(node: Node) -> Node:
    """Leave numbers out of a product."""
    number, node = numbered(node)
    while number is not None:
        number, node = numbered(node)
    return node


def _across(product: Node, fired: dict[str, int]) -> Node | None:
    """Take what is the same in all rows out of their sum: sum(g*A, 0) = g*sum(A, 0)."""
    for k in (0, 1):
        row, rest = product.args[k], product.args[1 - k]
        if row.op == "expand" and row.attrs["axes"] == (0,):
            row = row.args[0]
        same = row.shape == product.shape[1:]
        if same and rest.shape == product.shape and rest.dtype == row.dtype == "float":
            count(fired, "what all rows have in common is taken out of their sum", product)
            return make("mul", row, make("sum", rest, axis=0))
        inner = rest if rest.op == "mul" and rest.shape == product.shape else None
        if inner is not None and product.args[k].shape == product.shape:
            for j in (0, 1):
                factor, other = inner.args[j], inner.args[1 - j]
                if factor.shape == product.shape[1:] and other.shape == product.shape:
                    return make("mul", factor, make("sum", make("mul", other, row), axis=0))
        if rest.op == "div" and rest.shape == row.shape == product.shape:
            top, low = rest.args
            if top.shape == rest.shape and low.shape == product.shape[1:] and low.dtype == "float":
                count(fired, "what all rows have in common is taken out of their sum", product)
                return make("div", make("sum", make("mul", top, row), axis=0), low)
    return None


def _over(quotient: Node, fired: dict[str, int]) -> Node | None:
    """Divide a sum of rows once, not every row."""
    top, low = quotient.args
    if low.op == "expand" and low.attrs["axes"] == (0,):
        low = low.args[0]
    if low.shape != quotient.shape[1:] or top.shape != quotient.shape or top.dtype != "float":
        return None
    count(fired, "what all rows have in common is taken out of their sum", quotient)
    return make("div", make("sum", top, axis=0), low)


def _whole_product(node: Node, whole: Node) -> bool:
    """Say whether a term is a product of two arrays, whose sum is a dot product."""
    node = bare(node)
    return node.op == "mul" and node.shape == whole.shape and all(a.shape for a in node.args)
