"""Add up w r² by the products w r that a slope has: no array of squares is made for it."""

from collections.abc import Collection, Mapping

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake

Pair = tuple[Node, Node]
Pairs = Mapping[frozenset[Node], Pair]


def weighted_squares(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write sum(w*r²) as sum((w*r)*r) where w*r, or c*w*r for a number c, is there.

    >>> from symgrad.ops import leaf
    >>> w, r = leaf("w", ("N",)), leaf("r", ("N",))
    >>> slope, value = make("mul", w, r), make("sum", make("mul", w, make("mul", r, r)))
    >>> weighted_squares([value, slope], {}, False, "float64")[value].args[0].args[0] is slope
    True
    """
    order = topological(roots)
    whole = [n for n in having(order, "sum") if not n.shape and n.args[0].op == "mul"]
    whole = [n for n in whole if "mul" in [a.op for a in n.args[0].args]]
    alone = read_once(order, roots) if whole else {}
    sums = {n: pair for n in whole if (pair := _weighted(n, alone))}
    wanted = {frozenset(pair): pair for pair in sums.values()}
    products = {n: found for n in order if sums and (found := _scaled(n, wanted, alone))}
    there = {frozenset(pair) for _, pair in products.values()}
    image: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in products:
            number, (w, r) = products[node]
            product = make("mul", image[w], image[r])
            return product if number is None else make("mul", image[number], product)
        if node in sums and frozenset(sums[node]) in there:
            count(fired, "weighted squares by the products that a slope has", node)
            w, r = (image[a] for a in sums[node])
            return make("sum", make("mul", make("mul", w, r), r), **node.attrs)
        return remake(node, args)

    return rebuild(roots, change, image) if there else unchanged(order)


def _weighted(total: Node, alone: Collection[Node]) -> Pair | None:
    """Give the weights and what is squared, of a sum of squares."""
    (product,) = total.args
    if product not in alone:
        return None
    for square, w in (product.args, product.args[::-1]):
        squared = square.op == "mul" and square.args[0] is square.args[1] and square in alone
        if squared and w.shape == square.shape == product.shape and w is not square.args[0]:
            return (w, square.args[0]) if w.dtype == square.dtype == "float" else None
    return None


def _scaled(
    product: Node, wanted: Pairs, alone: Collection[Node]
) -> tuple[Node | None, Pair] | None:
    """See a product as a number times one of these pairs."""
    if product.op != "mul" or not product.shape:
        return None
    if (pair := wanted.get(frozenset(product.args))) is not None:
        return None, pair
    for part, other in (product.args, product.args[::-1]):
        for number, inner in (part.args, part.args[::-1]) if part.op == "mul" else ():
            pair = wanted.get(frozenset((inner, other)))
            if pair is not None and not number.shape and part in alone:
                return number, pair
    return None
