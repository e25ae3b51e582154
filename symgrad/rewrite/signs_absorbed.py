"""Signs that need no array: a - d for a + (-d), -(d e) for (-d) e, -sum(d) for sum(-d)."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, consumers, rebuild, topological
from symgrad.ops import make, remake

LINEAR = ("sum", "mean", "expand", "broadcast", "reshape", "transpose", "slice", "take")
TAKERS = ("neg", "mul", "div", "add", "sub", "matmul", "outer", *LINEAR)


def signs_absorbed(roots: Iterable[Node], kept: Collection[Node] = ()) -> dict[Node, Node]:
    """Map every node to its image, in which fewer arrays are negatives; what is `kept` stays.

    >>> from symgrad.ops import leaf
    >>> d, e = leaf("d", ("N",)), leaf("e", ("N",))
    >>> less = make("neg", d)
    >>> total, number = make("add", e, less), make("sum", less)
    >>> images = signs_absorbed([total, number])
    >>> images[total].op, images[number].op
    ('sub', 'neg')
    """
    roots = tuple(roots)
    order = topological(roots)
    fixed = dict.fromkeys([*roots, *kept])
    users = consumers(order)
    starts = {
        n: None
        for n in order
        if n.op == "neg" and n.shape and n not in fixed
        and all(u.op in TAKERS for u, _ in users[n])
    }  # fmt: skip
    if not starts:
        return {n: n for n in order}
    negated: dict[Node, None] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = _outside(fresh, negated)
        moved = node in starts or (found is not fresh and node not in fixed)
        if moved and found.op == "neg":
            negated[found] = None
        return found

    images = rebuild(roots, change)
    return images if _negatives(images[r] for r in roots) < _negatives(roots) else {
        n: n for n in order
    }  # fmt: skip


def _negatives(roots: Iterable[Node]) -> int:
    """Count the arrays that are made to turn a sign."""
    return sum(n.op == "neg" and bool(n.shape) for n in topological(list(roots)))


def _outside(node: Node, negated: Collection[Node]) -> Node:
    """Take the signs of operands to the outside of a product or sum."""
    signs = [a in negated for a in node.args]
    if True not in signs or node.op not in TAKERS:
        return node
    bare = [a.args[0] if sign else a for a, sign in zip(node.args, signs, strict=True)]
    if node.op == "neg":
        return bare[0]
    if node.op == "take" and signs[1]:
        return node
    if node.op in ("add", "sub"):
        first, second = signs[0], signs[1] != (node.op == "sub")  # of +-a +-b
        if first and second:
            return make("neg", make("add", *bare))
        return (
            make("sub", *(bare[::-1] if first else bare)) if first or second else make("add", *bare)
        )
    found = make(node.op, *bare, **node.attrs)
    return make("neg", found) if sum(signs) % 2 else found
