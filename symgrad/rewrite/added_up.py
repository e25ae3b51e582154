"""Sums over arrays in code: numbers come after the sum, and a weighted square is no array."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.scaled import split_off

SUMS = ("sum", "mean")
DEEP = 6  # sums in one another whose terms are looked at
Outside = tuple[str, Node | None]  # a number by which is multiplied or divided; None: a sign


def added_up(roots: Iterable[Node], kept: Collection[Node] = ()) -> dict[Node, Node]:
    """Map every node to its image: k sum(x) for sum(k x), sum((a x) x) for sum(a x**2).

    Numbers and signs that all terms of a sum have in common are taken out, too. A product that is
    `kept`, or that something else reads, stays as it is.

    >>> from symgrad.ops import leaf
    >>> k, x, y = leaf("k"), leaf("x", ("N",)), leaf("y", ("N",))
    >>> total = make("sum", make("sub", make("mul", k, x), make("mul", k, y)))
    >>> images = added_up([total])
    >>> images[total].op, images[total].args[1].args[0].op
    ('mul', 'sub')
    """
    roots = tuple(roots)
    order = topological(roots)
    if not any(n.op in SUMS and n.args[0].shape for n in order):
        return unchanged(order)
    alone = read_once(order, [*roots, *kept])

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op not in SUMS or node.args[0] not in alone or fresh.op != node.op:
            return fresh
        inner = fresh.args[0]
        if inner.dtype != "float" or inner.shape != node.args[0].shape:
            return fresh
        outside, rest = _split(inner, alone)
        return _put_back(outside, make(node.op, _weighted(rest, alone) or rest, **node.attrs))

    return rebuild(roots, change, only=SUMS)


def _split(node: Node, alone: Collection[Node], deep: int = DEEP) -> tuple[list[Outside], Node]:
    """Split off numbers and signs, those that all terms of a sum have too, outermost first."""
    found: list[Outside] = []
    while True:
        if node.op == "neg":
            found.append(("neg", None))
            node = node.args[0]
            continue
        number, rest = _number_of(node, alone)
        if number is not None and rest.dtype == "float" and rest.shape == node.shape:
            found.append((node.op, number))
            node = rest
            continue
        if node.op not in ("add", "sub") or not deep:
            return found, node
        parts = [_split(t, alone, deep - 1) if t in alone else ([], t) for t in node.args]
        common = next((one for one in parts[0][0] if one in parts[1][0]), None)
        if common is None:
            return found, node
        found.append(common)
        node = make(node.op, *(_put_back(_without(common, o), rest) for o, rest in parts))


def _number_of(node: Node, alone: Collection[Node]) -> tuple[Node | None, Node]:
    """Split off a number, of a factor too: of x (k y)."""
    number, rest = split_off(node)
    if number is not None or node.op != "mul":
        return number, rest
    for k, factor in enumerate(node.args):
        number, bare = split_off(factor)
        whole = factor.op == "mul" and factor in alone and bare.shape == factor.shape
        if number is not None and whole:
            return number, make("mul", *(bare if j == k else a for j, a in enumerate(node.args)))
    return None, node


def _without(one: Outside, others: list[Outside]) -> list[Outside]:
    """Leave out one number."""
    place = others.index(one)
    return others[:place] + others[place + 1 :]


def _put_back(outside: list[Outside], node: Node) -> Node:
    """Multiply by the numbers that were split off."""
    for op, number in reversed(outside):
        if number is None:
            node = make("neg", node)
        else:
            node = make("div", node, number) if op == "div" else make("mul", number, node)
    return node


def _weighted(product: Node, alone: Collection[Node]) -> Node | None:
    """Write a x**2 as (a x) x, an inner product."""
    if product.op != "mul" or not all(a.shape == product.shape for a in product.args):
        return None
    for weight, square in (product.args, product.args[::-1]):
        power = square.op == "pow" and value_of(square.args[1]) == 2
        if power and square in alone and weight.dtype == square.dtype == "float":
            x = square.args[0]
            return make("mul", make("mul", weight, x), x)
    return None
