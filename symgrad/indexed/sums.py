"""Sums among the factors of a product: their terms, and when they are multiplied out."""

from symgrad.graph import Node, summands
from symgrad.indexed.symbols import factors, free, is_delta, product, total
from symgrad.ops import const, make

Axes = tuple[Node, ...]
MOST = 8  # longer sums are not multiplied out


def signed(root: Node) -> list[tuple[int, Node]]:
    """List the terms of a sum with their signs."""
    found: list[tuple[int, Node]] = []
    for node, less in summands(root):
        below_0 = node.op == "const" and node.attrs["value"] < 0
        positive = const(-node.attrs["value"]) if below_0 else node
        found.append((1 if less == below_0 else -1, positive))
    return found


def distributed(root: Node, axes: Axes) -> Node | None:
    """Multiply out a sum whose terms are no matrices of one kind: p_i (delta_ij - p_j)."""
    sign, above, under = factors(root)
    for k, factor in enumerate(above):
        spread = factor if factor.op in ("add", "sub") else _split_total(factor, axes)
        if spread is None or not _mixed(spread, axes):
            continue
        others = [f for n, f in enumerate(above) if n != k]
        parts = [product([*others, part], under, sign) for part in spread.args]
        return make(spread.op, *parts)
    return None


def _split_total(factor: Node, axes: Axes) -> Node | None:
    """Sum the terms one by one where the body has a factor that is such a sum."""
    if factor.op != "total" or len(axes) != 2:
        return None
    body = distributed(factor.args[0], axes)
    if body is None:
        return None
    return make(body.op, *(total(part, factor.args[1]) for part in body.args))


def _mixed(factor: Node, axes: Axes) -> bool:
    """Say whether a sum has deltas, or products or vectors, among its terms."""
    terms = [term for _, term in signed(factor)]
    if any(_between(t) for t in terms):
        return True
    own = free(factor)
    if len(axes) != 2 or len(own) < 2 or len(terms) > MOST:
        return False
    return any(_compound(t, len(own)) for t in terms)


def _compound(term: Node, rank: int) -> bool:
    indexed = [f for f in factors(term)[1] if free(f)]
    return len(free(term)) < rank or len(indexed) > 1 or any(f.op == "total" for f in indexed)


def _between(term: Node) -> bool:
    """Say whether a term has a delta of two indices as a factor."""
    return any(is_delta(f) and f.args[1].op == "index" for f in factors(term)[1])
