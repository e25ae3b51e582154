"""Huber's loss and its slope by one clipped residual, in place of both branches of a case."""

import math
from collections.abc import Iterable

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.signs import positive

WITHIN, BEYOND = ("le", "lt"), ("gt", "ge")


def clipped(roots: Iterable[Node]) -> dict[Node, Node]:
    """Write {u^2/2 if |u| <= c, else c (|u| - c/2)} as k (u - k/2), k = clip(u, -c, c).

    So too its slope, {u if |u| <= c, else c sign(u)}, which is k, and multiples of both.

    >>> from symgrad.ops import const, leaf
    >>> u, c = leaf("u", ("N",)), const(2)
    >>> beyond = make("mul", c, make("sign", u))
    >>> slope = make("where", make("gt", make("abs", u), c), beyond, u)
    >>> clipped([slope])[slope].op
    'clip'
    """
    order = topological(roots)
    if not any(n.shape for n in having(order, "where")):
        return unchanged(order)
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
    if _halved(near, u) and _beyond(far, size, c):
        return make("mul", k, make("sub", u, make("div", k, const(2))))
    return _by_numbers(u, k, _number(c), near, far) or node


def _halved(node: Node, u: Node) -> bool:
    """Say whether a node is half the square of u, however it is spelled."""
    return node.op in ("div", "mul") and _line(node, u, squares=True) == (0.5, 0)


def _beyond(far: Node, size: Node, c: Node) -> bool:
    """Say whether a node is c (|u| - c/2), or c |u| - c²/2."""
    if far.op == "sub":
        return _product(far.args[0], c, size) and _halved(far.args[1], c)
    halves = (make("div", c, const(2)), make("mul", const(0.5), c), make("mul", c, const(0.5)))
    return any(_product(far, c, make("sub", size, h)) for h in halves)


def _by_numbers(u: Node, k: Node, c: float | None, near: Node, far: Node) -> Node | None:
    """Write multiples of both where c is a number, and what it is multiplied by is multiplied out.

    {u^2 if |u| <= 1, else 2|u| - 1} is 2k (u - k/2).
    """
    if c is None:
        return None
    square, beyond = _line(near, u, squares=True), _line(far, make("abs", u))
    if square is not None and beyond is not None and not square[1] and square[0]:
        m = square[0]
        if math.isclose(beyond[0], 2 * m * c) and math.isclose(beyond[1], -m * c * c):
            return _times(2 * m, make("mul", k, make("sub", u, make("div", k, const(2)))))
    slope, level = _line(near, u), _line(far, make("sign", u))
    if slope is not None and level is not None and not (slope[1] or level[1]) and slope[0]:
        return _times(slope[0], k) if math.isclose(level[0], slope[0] * c) else None
    return None


def _times(number: float, node: Node) -> Node:
    return node if number == 1 else make("mul", const(number), node)


def _line(node: Node, x: Node, squares: bool = False) -> tuple[float, float] | None:
    """Give a and b where a node is a x + b, or a x² + b; None where it is neither.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x")
    >>> _line(make("mul", const(3), make("sub", x, const(0.5))), x)
    (3.0, -1.5)
    """
    if (squared(node) if squares else node) is x:
        return 1.0, 0.0
    value = _number(node)
    if value is not None:
        return 0.0, value
    if node.op == "neg":
        node = make("mul", const(-1), *node.args)
    if node.op not in ("add", "sub", "mul", "div"):
        return None
    one, two = (_line(a, x, squares) for a in node.args)
    if one is None or two is None:
        return None
    if node.op in ("add", "sub"):
        sign = 1 if node.op == "add" else -1
        return one[0] + sign * two[0], one[1] + sign * two[1]
    if node.op == "div":
        return None if two[0] or not two[1] else (one[0] / two[1], one[1] / two[1])
    if one[0] and two[0]:
        return None
    number, line = (one[1], two) if not one[0] else (two[1], one)
    return number * line[0], number * line[1]


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
