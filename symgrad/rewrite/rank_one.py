"""Inner products with matrices of rank one: Σ((a bᵀ) ⊙ R) is aᵀ R b, without the matrix a bᵀ."""

from collections.abc import Collection
from functools import reduce

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake

Pair = tuple[Node, Node]  # a and b of a bᵀ
MOST = 4  # terms of a sum of such matrices, each a product with R


def inner_of_rank_one(roots: list[Node], asked: Collection[Node]) -> dict[Node, Node]:
    """Write sums of such a matrix times others by products with vectors; so too of a few of them.

    Lines that are asked for stay, and so does a matrix that something else reads.

    >>> from symgrad.ops import leaf
    >>> a, b, R = leaf("a", ("N",)), leaf("b", ("M",)), leaf("R", ("N", "M"))
    >>> total = make("sum", make("mul", make("outer", a, b), R))
    >>> inner_of_rank_one([total], ())[total] is make("matmul", a, make("matmul", R, b))
    True
    """
    order = topological(roots)
    sums = [n for n in having(order, "sum") if not n.shape and len(n.args[0].shape) == 2]
    if not sums or not having(order, "outer"):
        return unchanged(roots)
    alone = read_once(order, [*roots, *asked])

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        found = _inner(node.args[0], alone) if node in known else None
        return found or remake(node, args)

    known = dict.fromkeys(sums)
    return rebuild(roots, change)


def _inner(product: Node, alone: Collection[Node]) -> Node | None:
    factors = _factors(product, alone)
    whole = all(f.shape == product.shape and f.dtype == "float" for f in factors)
    if len(factors) < 2 or not whole:
        return None
    for k, factor in enumerate(factors):
        pairs = _pairs(factor, alone)
        if pairs and len(pairs) <= MOST:
            rest = reduce(lambda a, b: make("mul", a, b), factors[:k] + factors[k + 1 :])
            terms = [make("matmul", a, make("matmul", rest, b)) for a, b in pairs]
            return reduce(lambda a, b: make("add", a, b), terms)
    return None


def _factors(product: Node, alone: Collection[Node]) -> list[Node]:
    """List the factors of a product that nothing else reads."""
    if product.op != "mul" or product not in alone:
        return [product]
    return [f for a in product.args for f in _factors(a, alone)]


def _pairs(matrix: Node, alone: Collection[Node]) -> list[Pair]:
    """List a and b of the terms a bᵀ that a matrix is the sum of; none where it is another one."""
    if matrix not in alone:
        return []
    if matrix.op == "outer":
        a, b = matrix.args
        return [(a, b)] if len(a.shape) == len(b.shape) == 1 else []
    if matrix.op in ("add", "sub"):
        one, two = (_pairs(a, alone) for a in matrix.args)
        if matrix.op == "sub":
            two = [(make("neg", a), b) for a, b in two]
        return [*one, *two] if one and two else []
    if matrix.op == "neg":
        return [(make("neg", a), b) for a, b in _pairs(matrix.args[0], alone)]
    if matrix.op in ("mul", "div"):
        k = 0 if matrix.args[0].shape else 1
        number = matrix.args[1 - k]
        if number.shape or (matrix.op == "div" and k):
            return []
        pairs = _pairs(matrix.args[k], alone)
        return [(make(matrix.op, *((number, a) if k else (a, number))), b) for a, b in pairs]
    return []
