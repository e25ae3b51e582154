"""Signs that make no difference: |-a| is |a|, (-a)**2 is a**2, 0 - a is -a, a - (-b) is a + b."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of

SUMS = ("add", "sub")
EVEN = ("abs", "square", "cosh", "cos", "gaussian", "sech_squared")
SIGNED = (*SUMS, *EVEN, "pow", "neg")


def without_signs(roots: Iterable[Node], named: Collection[Node] = ()) -> dict[Node, Node]:
    """Map every node to its image, in which functions that are even see no sign.

    What was computed for a and for -a is the same then, and computed once. What is `named` stays.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",)); size = make("abs", make("neg", x))
    >>> without_signs([size])[size].args[0] is x
    True
    """
    roots = tuple(roots)
    order = topological(roots)
    if all(_plain(n) is None for n in having(order, *SIGNED)):
        return unchanged(order)
    alone = read_once(order, [*roots, *named])

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if fresh.op in SUMS and fresh.args[1].op == "mul" and node.args[1] not in alone:
            return fresh
        found = _plain(fresh)
        return fresh if found is None or found.shape != fresh.shape else found

    return rebuild(roots, change)


def _plain(node: Node) -> Node | None:
    """Write one node without a sign that it need not have; None where it has none."""
    if node.op in EVEN and node.args[0].op == "neg":
        return make(node.op, node.args[0].args[0], **node.attrs)
    if node.op == "pow" and node.args[0].op == "neg" and (value_of(node.args[1]) or 1) % 2 == 0:
        return make("pow", node.args[0].args[0], node.args[1])
    if node.op == "neg":
        return node.args[0].args[0] if node.args[0].op == "neg" else None
    if node.op not in SUMS:
        return None
    a, b = node.args
    if node.op == "sub" and value_of(a) == 0:
        return make("neg", b)
    less = None if a.op == b.op == "neg" else _less(b)
    return None if less is None else make("sub" if node.op == "add" else "add", a, less)


def _less(node: Node) -> Node | None:
    """Give b of -b and 2 b of -2 b, else None."""
    if node.op == "neg":
        return node.args[0]
    number = value_of(node.args[0]) if node.op == "mul" else None
    if number is None or not number < 0:
        return None
    return make("mul", const(-number), node.args[1]) if number != -1 else node.args[1]
