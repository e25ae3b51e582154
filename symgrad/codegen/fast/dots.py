"""Find sums of products that are computed without the product: dot products, sums of stacks."""

from collections.abc import Iterable, Mapping

from symgrad.graph import Node, Users


def products(
    order: Iterable[Node], users: Users, roots: Mapping[Node, object], accurate: bool
) -> dict[Node, tuple[Node, ...]]:
    """Give the factors of sums whose product nothing else reads; `accurate` adds pairwise.

    >>> from symgrad.graph import topological
    >>> from symgrad.graph.walk import consumers
    >>> from symgrad.ops import leaf, make
    >>> g, d = leaf("g", ("N", "M")), leaf("d", ("N", "M", "K"))
    >>> total = make("sum", make("mul", make("expand", g, axes=(2,)), d), axis=1)
    >>> order = topological([total])
    >>> [a.shape for a in products(order, consumers(order), {total: None}, False)[total]]
    [('N', 'M', 1), ('N', 'M', 'K')]
    """
    found: dict[Node, tuple[Node, ...]] = {}
    for node in order:
        if node.op != "mul" or node in roots or not users[node]:
            continue
        sums = [u for u, _ in users[node]]
        whole = len(sums) == 1 and not sums[0].shape and all(_alike(a, node) for a in node.args)
        stacks = len(node.shape) == 3 and all(fills(a, node) for a in node.args)
        stacks = stacks and not set.intersection(*map(_stretched, node.args))
        rows = stacks and not accurate and all(len(u.shape) == 2 for u in sums)
        if (whole or rows) and all(u.op == "sum" for u in sums):
            found |= dict.fromkeys(sums, node.args)
    return found


def _alike(factor: Node, product: Node) -> bool:
    return factor.shape == product.shape and factor.dtype == "float"


def _stretched(factor: Node) -> set[int]:
    return set(factor.attrs["axes"]) if factor.op == "expand" else set()


def fills(factor: Node, product: Node) -> bool:
    """Say whether a factor is as large as a product, or stretched along its rows."""
    if factor.op != "expand" or factor.dtype != "float" or 0 in factor.attrs["axes"]:
        return _alike(factor, product)
    axes = [k for k, _ in enumerate(product.shape) if k not in factor.attrs["axes"]]
    return factor.args[0].shape == tuple(product.shape[k] for k in axes)
