"""Multiply the smallest factor of a product by a number: (2/N)(a b) as ((2/N) a) b."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, consumers, rebuild, topological
from symgrad.ops import make, remake

SPREAD = ("expand", "broadcast")


def small_first(roots: Iterable[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Take numbers that scale a product to a factor with fewer axes; named products stay.

    >>> from symgrad.ops import const, leaf
    >>> a, b = leaf("a", ("N",)), leaf("b", ("N", "D"))
    >>> spread = make("expand", a, axes=(1,))
    >>> top = make("mul", const(2), make("mul", spread, b))
    >>> [x.op for x in small_first([top], ())[top].args]
    ['expand', 'input']
    """
    roots = tuple(roots)
    order = topological(roots)
    if not any(n.op in ("mul", "div") and _scales(n) for n in order):
        return {n: n for n in order}
    users = consumers(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op in ("mul", "div") and node.shape:
            for k, number in enumerate(node.args):
                product = node.args[1 - k]
                single = len(users[product]) == 1 and product not in named
                if single and (k or node.op == "mul") and _moderate(number):
                    found = _scaled(node.op, args[k], args[1 - k], named)
                    if found is not None and found.shape == node.shape:
                        return found
        return remake(node, args)

    return rebuild(roots, change)


def _scales(node: Node) -> bool:
    """Say whether a product is multiplied by such a number, or divided."""
    return bool(node.shape) and any(
        node.args[1 - k].op == "mul" and _moderate(node.args[k]) for k in (0, 1)
    )


def _moderate(number: Node) -> bool:
    """Say whether a number is made of constants and sizes: with others the order may overflow."""
    return not number.shape and all(
        n.args or n.op in ("const", "dim") for n in topological([number])
    )


def _scaled(op: str, number: Node, product: Node, named: Collection[Node]) -> Node | None:
    """Multiply or divide the factor with the fewest axes; None if all have as many."""
    if product.op != "mul" or product in named:
        return None
    for k, factor in enumerate(product.args):
        other = product.args[1 - k]
        if factor.op in SPREAD and len(factor.args[0].shape) < len(product.shape):
            small = factor.args[0]
            scaled = make(op, small, number) if op == "div" else make(op, number, small)
            changed = make(factor.op, scaled, **factor.attrs)
        elif 0 < len(factor.shape) < len(product.shape):
            changed = make(op, factor, number) if op == "div" else make(op, number, factor)
        else:
            continue
        return make("mul", *((changed, other) if k == 0 else (other, changed)))
    return None
