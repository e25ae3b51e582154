"""Take a factor that all terms have out of a sum of sums: sum(a*x - a*y) is a dot product."""

from collections.abc import Collection
from functools import reduce

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, factors_of, having, rebuild, summands, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake

MOST = 20  # terms and factors that are compared
Terms = list[tuple[list[Node], bool]]  # factors, and whether their product is subtracted


def common_factors(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write sum(a*x - (a*c + a*y)) as sum(a*(x - c - y)): a pass for each term less.

    Terms that are only added become dot products of their own (`parted`).

    >>> from symgrad.ops import leaf
    >>> a, x, y = (leaf(name, ("N",)) for name in "axy")
    >>> total = make("sum", make("sub", make("mul", a, x), make("mul", y, a)))
    >>> [n.op for n in common_factors([total], {}, False, "float64")[total].args[0].args]
    ['input', 'sub']
    """
    order = topological(roots)
    sums = [n for n in having(order, "sum") if not n.shape and n.args[0].op in ("add", "sub")]
    alone = read_once(order, roots) if sums and not accurate else {}
    found = {n: parts for n in sums if (parts := _factored(n.args[0], alone)) is not None}
    image: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in found:
            return remake(node, args)
        count(fired, "a factor of all terms is taken out of their sum", node)
        factor, terms = found[node]
        products = [(_product([image[f] for f in rest]), less) for rest, less in terms]
        (total, _), *others = sorted(products, key=lambda term: (term[1], not term[0].shape))
        for term, less in others:
            total = make("sub" if less else "add", total, term)
        return make("sum", make("mul", image[factor], total), **node.attrs)

    return rebuild(roots, change, image) if found else unchanged(order)


def _factored(total: Node, alone: Collection[Node]) -> tuple[Node, Terms] | None:
    """Give the array that is a factor of all terms, and what is left of them."""
    if total not in alone or total.dtype != "float":
        return None
    terms = summands(total, lambda n: n is total or n in alone, MOST)
    signs = {less for _, less in terms}
    if len(signs) < 2 or any(n not in alone or n.op != "mul" for n, _ in terms):
        return None
    parts = [(factors_of(n, alone.__contains__, MOST), less) for n, less in terms]
    for a in parts[0][0]:
        if a.shape == total.shape and a.dtype == "float" and all(a in f for f, _ in parts):
            return a, [(f[: f.index(a)] + f[f.index(a) + 1 :], less) for f, less in parts]
    return None


def _product(factors: list[Node]) -> Node:
    """Multiply what is left; a product has two factors at least."""
    return reduce(lambda a, b: make("mul", a, b), factors)
