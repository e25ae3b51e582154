"""Rows with a 1 at the label, subtracted where the 1 is: P - e_y in a pass, not in four."""

from collections.abc import Iterable

from symgrad.graph import Node, rebuild, topological, unchanged
from symgrad.ops import make, remake


def at_labels(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: P - e_y is a copy of P, changed at the labels.

    >>> from symgrad.ops import leaf
    >>> p, y = leaf("P", ("N", "C")), leaf("y", ("N",))
    >>> less = make("sub", p, make("onehot", y, size="C"))
    >>> at_labels([less])[less].op
    'minus_one_hot'
    """
    roots = tuple(roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if fresh.op == "transpose" and fresh.args[0].op == "onehot":
            return fresh.args[0] if _identity(fresh.args[0]) else fresh
        for whole, hot in (fresh.args, fresh.args[::-1]) if fresh.op == "sub" else ():
            fits = hot.op == "onehot" and len(hot.shape) == 2 and whole.shape == hot.shape
            if fits and whole.dtype == "float":
                found = make("minus_one_hot", whole, hot.args[0])
                return found if hot is fresh.args[1] else make("neg", found)
        return fresh

    found = any(n.op == "onehot" for n in topological(roots))
    return rebuild(roots, change, only=("sub", "transpose")) if found else unchanged(roots)


def _identity(hot: Node) -> bool:
    """Say whether row i has its 1 at i."""
    square = len(hot.shape) == 2 and hot.shape[0] == hot.shape[1]
    return square and hot.args[0].op == "arange"


def slopes_at_labels(roots: Iterable[Node]) -> dict[Node, Node]:
    """Write c e_y (1 - P) - P (c - c e_y), the slope of c log P[y], as -c (P - e_y).

    1 - P is taken at the labels only, from the shares of the others, so that it keeps its digits.

    >>> from symgrad.ops import leaf
    >>> s, y, c = leaf("S", ("N", "C")), leaf("y", ("N",)), leaf("c")
    >>> p, left = (make(op, s, axis=-1) for op in ("softmax", "softmax_rest"))
    >>> hot = make("mul", c, make("onehot", y, size="C"))
    >>> rest = make("mul", p, make("sub", c, hot))
    >>> slope = make("sub", rest, make("mul", hot, left))
    >>> slopes_at_labels([slope])[slope].args[1].op
    'shares_minus_hot'
    """
    roots = tuple(roots)
    if not any(n.op == "softmax_rest" for n in topological(roots)):
        return unchanged(roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if fresh.op != "sub" or len(fresh.shape) != 2:
            return fresh
        for k, (own, other) in enumerate((fresh.args, fresh.args[::-1])):
            found = _of_entries(own, other)
            if found is not None:
                c, less = found
                product = make("mul", c, less)
                return make("neg", product) if k == 0 else product
        return fresh

    return rebuild(roots, change, only=("sub",))


def _of_entries(own: Node, other: Node) -> tuple[Node, Node] | None:
    """Read c e_y (1 - P) and P (c - c e_y); give c and P - e_y."""
    if own.op != "mul" or other.op != "mul":
        return None
    for hot, left in (own.args, own.args[::-1]):
        for shares, rest in (other.args, other.args[::-1]):
            pair = left.op == "softmax_rest" and shares.op == "softmax" and rest.op == "sub"
            if not pair or left.args != shares.args or left.attrs != shares.attrs:
                continue
            c, same = rest.args
            if same is hot and hot.op == "mul" and c in hot.args and _by_rows(left):
                mark = hot.args[hot.args[0] is c]
                if mark.op == "onehot" and mark.shape == left.shape:
                    (y,) = mark.args
                    return c, make("shares_minus_hot", shares, y, make("pick", left, y))
    return None


def _by_rows(shares: Node) -> bool:
    return shares.attrs["axis"] in (-1, len(shares.shape) - 1)
