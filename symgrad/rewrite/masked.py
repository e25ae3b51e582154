"""Conditions by which what is 0 without them is multiplied once more: slopes of masked softmaxes.

With s = {x if c, else -inf} the shares P = softmax(s) are 0 where c does not hold, and the slope in
x, P (g - Pᵀg) 1[c], needs no condition.
"""

from collections.abc import Collection, Iterable

from symgrad.graph import Graph, Node, rebuild, topological, unchanged
from symgrad.ops import make, remake, value_of
from symgrad.ops.spec import MIRRORED

LESS = -float("inf")
DEPTH = 8  # operators that are looked through
ROUND = {**MIRRORED, "eq": "eq", "ne": "ne"}
SHARES = ("softmax", "exp", "exp_less", "shares")


def without_masks(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: conditions go that another factor is 0 without.

    >>> from symgrad.ops import const, leaf, make
    >>> c, x = make("gt", leaf("m", ("N",)), const(0)), leaf("x", ("N",))
    >>> P = make("softmax", make("where", c, x, const(LESS)))
    >>> slope = make("mul", make("mul", P, x), c)
    >>> without_masks([slope])[slope] is slope.args[0]
    True
    """
    roots = tuple(roots)
    order = topological(roots)
    masks = {n.args[0]: None for n in order if _masked(n)}
    if not masks:
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "mul":
            for c, other in (args, args[::-1]):
                if c in masks and other.shape == node.shape and _vanishes(other, c, DEPTH):
                    return other
                inner = _freed(other, c, masks)
                if inner is not None:
                    return remake(node, (c, inner))
        return remake(node, args)

    return rebuild(roots, change)


def one_way(graph: Graph) -> Graph:
    """Write a condition that is typed both ways round, i != j and j != i, in one of them.

    >>> from symgrad.parse import parse
    >>> g = one_way(parse("x: real[N]; y: real[N]; sum((x < y)*x) + sum((y > x)*y)"))
    >>> len({n for n in g.order() if n.op in ("lt", "gt")})
    1
    """
    order = graph.order()
    known: dict[Node, None] = {}
    image: dict[Node, Node] = {}
    for node in order:
        if node.op in ROUND and node.shape:
            twin = make(ROUND[node.op], *node.args[::-1])
            if twin in known and twin.shape == node.shape:
                image[node] = twin
            known[node] = None
    if not image:
        return graph
    rebuild(graph.outputs, remake, image)
    return graph.mapped(image)


def _masked(node: Node) -> bool:
    """Say whether a node is {x if c, else -inf}."""
    if node.op != "where":
        return False
    other = node.args[2]
    below = other.op == "neg" and value_of(other.args[0]) == -LESS
    return below or value_of(other) == LESS


def _freed(product: Node, other: Node, masks: Collection[Node]) -> Node | None:
    """Take a condition out of a product that stands beside a factor which is 0 without it."""
    if product.op != "mul":
        return None
    for c, rest in (product.args, product.args[::-1]):
        fits = c in masks and rest.dtype == "float" and _over(other, c)
        if fits and _vanishes(other, c, DEPTH):
            return rest
    return None


def _over(node: Node, c: Node) -> bool:
    """Say whether an array has the axes of a condition as its last ones."""
    return bool(c.shape) and node.shape[-len(c.shape) :] == c.shape


def _vanishes(node: Node, c: Node, depth: int) -> bool:
    """Say whether a value is 0 where a condition does not hold."""
    if not depth or not _over(node, c):
        return False
    if node.op == "mul":
        return any(_vanishes(a, c, depth - 1) for a in node.args)
    if node.op in ("neg", "div"):
        return _vanishes(node.args[0], c, depth - 1)
    if node.op in SHARES:
        return _lowest(node.args[0], c, depth - 1)
    return node.op == "where" and node.args[0] is c and value_of(node.args[2]) == 0


def _lowest(node: Node, c: Node, depth: int) -> bool:
    """Say whether an exponent is -inf where a condition does not hold."""
    if not depth or not _over(node, c):
        return False
    if node.op in ("sub", "add"):
        return any(_lowest(a, c, depth - 1) for a in node.args[: 1 if node.op == "sub" else 2])
    return _masked(node) and node.args[0] is c
