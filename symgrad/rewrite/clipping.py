"""Huber's loss and its slope by one clipped residual, in place of both branches of a case."""

from collections.abc import Iterable

from symgrad.graph import Node, rebuild, topological
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.signs import positive

WITHIN, BEYOND = ("le", "lt"), ("gt", "ge")


def clipped(roots: Iterable[Node]) -> dict[Node, Node]:
    """Write {u^2/2 if |u| <= c, else c (|u| - c/2)} as k (u - k/2), k = clip(u, -c, c).

    So too its slope, {u if |u| <= c, else c sign(u)}, which is k.

    >>> from symgrad.ops import const, leaf
    >>> u, c = leaf("u", ("N",)), const(2)
    >>> beyond = make("mul", c, make("sign", u))
    >>> slope = make("where", make("gt", make("abs", u), c), beyond, u)
    >>> clipped([slope])[slope].op
    'clip'
    """
    order = topological(roots)
    if not any(n.op == "where" and n.shape for n in order):
        return {n: n for n in order}
    return rebuild(roots, lambda node, args: _clipped(remake(node, args)))


def _clipped(node: Node) -> Node:
    if node.op != "where" or not node.shape or node.args[0].op not in (*WITHIN, *BEYOND):
        return node
    mask, near, far = node.args
    if mask.op in BEYOND:
        near, far = far, near
    size, c = mask.args
    if size.op != "abs" or size.shape != node.shape or c.shape or not positive(c):
        return node
    (u,) = size.args
    k = make("clip", u, make("neg", c), c)
    if near is u and _product(far, c, make("sign", u)):
        return k
    if near.op == "div" and value_of(near.args[1]) == 2 and squared(near.args[0]) is u:
        two = near.args[1]
        if _product(far, c, make("sub", size, make("div", c, two))):
            return make("mul", k, make("sub", u, make("div", k, two)))
    return node


def _product(node: Node, c: Node, b: Node) -> bool:
    """Say whether a node is c times b; 3/2 is 1.5."""
    pairs = (node.args, node.args[::-1]) if node.op == "mul" else ()
    number = _number(c)
    return any(
        second is b and (first is c or (number is not None and _number(first) == number))
        for first, second in pairs
    )


def _number(node: Node) -> float | None:
    if node.op != "div":
        return value_of(node)
    top, low = map(value_of, node.args)
    return top / low if top is not None and low else None
