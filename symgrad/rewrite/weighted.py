"""Sums of weighted rows and columns: the weights come after the sum, or make it a product."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, consumers, having, rebuild, topological, unchanged
from symgrad.ops import make, remake
from symgrad.rewrite.contraction import contracted, own_axes
from symgrad.shapes import axes_of


def weighted_sums(roots: Iterable[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Add up A*b along rows and along columns without A*b, if nothing else reads it.

    With a row b these are A @ b and b*sum(A, 0), with a column b @ A and b*sum(A, 1). A product
    that is `named` stays.

    >>> from symgrad.ops import leaf
    >>> A, b = leaf("A", ("N", "D")), leaf("b", ("D",))
    >>> sums = [make("sum", make("mul", A, b), axis=k) for k in (0, 1)]
    >>> [weighted_sums(sums, ())[n].op for n in sums]
    ['mul', 'matmul']
    """
    roots = tuple(roots)
    order = topological(roots)
    products = [n for n in having(order, "mul") if len(n.shape) == 2 and _weights(n)]
    if not products:
        return unchanged(order)
    users, kept = consumers(order), dict.fromkeys([*roots, *named])
    wanted = {
        u: None
        for n in products
        if n not in kept and len(users[n]) == 2 and all(_along_one(u) for u, _ in users[n])
        for u, _ in users[n]
    }

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        return (_weighted(fresh) if node in wanted else None) or fresh

    return rebuild(roots, change)


def _along_one(node: Node) -> bool:
    return node.op == "sum" and len(node.shape) == 1


def _weights(product: Node) -> tuple[Node, int, Node] | None:
    """Give the weights of rows or columns, their axis, and what is weighted."""
    for weights, rest in (product.args, product.args[::-1]):
        vector, own = own_axes(weights, 2)
        if len(own) == 1 and vector.dtype == rest.dtype == "float" and rest.shape == product.shape:
            return (vector, own[0], rest) if vector.shape == (product.shape[own[0]],) else None
    return None


def _weighted(total: Node) -> Node | None:
    """Weight the sum, or write it as a product."""
    (product,) = total.args
    found = _weights(product) if product.op == "mul" and len(product.shape) == 2 else None
    if found is None:
        return None
    vector, axis, rest = found
    if axes_of(total.attrs["axis"], 2) == (axis,):
        return contracted(total)
    return make("mul", vector, make("sum", rest, axis=total.attrs["axis"]))
