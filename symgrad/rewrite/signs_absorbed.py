"""Signs that need no array: a - d for a + (-d), -(d e) for (-d) e, b - a for -(a - b)."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, consumers, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake
from symgrad.rewrite.scaled import split_off

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
    signs = {
        n: [u.op in TAKERS for u, _ in users[n]]
        for n in order
        if n.op == "neg" and n.shape and n not in fixed
    }
    found = []
    for every in (all, any):  # where some cannot take a sign, it is an array for the others, too
        starts = {n: None for n, takers in signs.items() if every(takers)}
        if starts:
            images = _moved(roots, starts, fixed)
            found.append((_size(images[r] for r in roots), images))
    size, images = min(found, key=lambda one: one[0], default=((0, 0, 0), {}))
    return images if found and size[:2] < _size(roots)[:2] else unchanged(order)


def _moved(
    roots: Iterable[Node], starts: Collection[Node], fixed: Collection[Node]
) -> dict[Node, Node]:
    """Move signs outwards, from where they are to what cannot take them."""
    negated: dict[Node, None] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = _outside(fresh, negated)
        moved = node in starts or (found is not fresh and node not in fixed)
        if moved and found.op == "neg":
            negated[found] = None
        return found

    return rebuild(roots, change)


def lines_turned(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: a slope that is the negative of a difference alone is turned.

    >>> from symgrad.ops import const, leaf
    >>> a, b = leaf("a", ("N",)), leaf("b", ("N",))
    >>> slope = make("neg", make("div", make("sub", a, b), const(2)))
    >>> lines_turned([make("sum", a), slope])[slope] is make("div", make("sub", b, a), const(2))
    True
    """
    roots = tuple(roots)
    order = topological(roots)
    alone = read_once(order, roots)
    images = {}
    for root in roots:
        if root.op == "neg" and root.shape and (found := _turned(root.args[0], alone)) is not None:
            images[root] = found
    return rebuild(roots, remake, images) if images else unchanged(order)


def _turned(node: Node, alone: Collection[Node]) -> Node | None:
    """Give the negative of a difference that one node reads, which numbers may multiply."""
    if node not in alone:
        return None
    if node.op == "sub":
        return make("sub", *node.args[::-1])
    factor, rest = split_off(node)
    found = None if factor is None else _turned(rest, alone)
    return None if found is None else make(node.op, *(found if a is rest else a for a in node.args))


def _size(roots: Iterable[Node]) -> tuple[int, int, int]:
    """Count the axes of arrays that are made to turn a sign, all arrays, and readers of turned."""
    arrays = [n for n in topological(list(roots)) if n.shape]
    turned = {n: None for n in arrays if n.op == "neg"}
    readers = sum(a in turned for n in arrays for a in n.args)
    return sum(len(n.shape) for n in turned), len(arrays), readers


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
