"""Products of matrices that the value has, in slopes: of t = X A, (X/2) A is t/2, Aᵀ Xᵀ is tᵀ."""

from symgrad.graph import Node, rebuild, topological, unchanged
from symgrad.ops import make, remake
from symgrad.rewrite.joining import Turned, sided
from symgrad.rewrite.matrices import symmetric
from symgrad.rewrite.scaled import Multiple, multiple


def products_reused(roots: list[Node]) -> dict[Node, Node]:
    """Map every node to its image: a product of the value's two factors is the value's product.

    >>> from symgrad.ops import leaf
    >>> a, b = leaf("a", ("N", "D")), leaf("b", ("D", "K"))
    >>> there = make("matmul", a, b)
    >>> slope = make("matmul", make("neg", a), b)
    >>> products_reused([there, slope])[slope].args[0] is there
    True
    """
    there = dict.fromkeys(topological(roots[:1]))
    inner = {a for n in there if n.op == "matmul" for a in n.args}  # of a chain in any order
    known = [n for n in there if _of_matrices(n) and n not in inner]
    order = topological(roots)
    if not known or not any(_of_matrices(n) for n in order if n not in there):
        return unchanged(order)
    products = _Products(known)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node in there or not _of_matrices(fresh):
            return fresh
        return products.reused(fresh) or fresh

    return rebuild(roots, change, only=("matmul",))


def _of_matrices(node: Node) -> bool:
    return node.op == "matmul" and len(node.args[0].shape) == len(node.args[1].shape) == 2


class _Products:
    """Hold products that are known, by their factors."""

    def __init__(self, known: list[Node]) -> None:
        self.known: dict[tuple[Turned, Turned], Node] = {}
        for node in known:
            a, b = map(_side, node.args)
            self.known[a, b] = node
        self.factors = {side[0] for pair in self.known for side in pair}

    def reused(self, product: Node) -> Node | None:
        """Find a product, or two neighbours of a chain, among the products that are known."""
        a, b = product.args
        found = self._found(a, b)
        if found is None and _of_matrices(a) and (last := self._found(a.args[1], b)) is not None:
            found = make("matmul", a.args[0], last)
        if found is None and _of_matrices(b) and (first := self._found(a, b.args[0])) is not None:
            found = make("matmul", first, b.args[1])
        return found

    def _found(self, a: Node, b: Node) -> Node | None:
        (one, first), (two, second) = self._split(a), self._split(b)
        if one[0] not in self.factors or two[0] not in self.factors:
            return None
        result = self.known.get((one, two))
        if result is None:
            other = self.known.get((_turned(two), _turned(one)))
            result = None if other is None else make("transpose", other, axes=None)
        return None if result is None else first.times(second, result).by(Multiple(result), result)

    def _split(self, node: Node) -> tuple[Turned, Multiple]:
        """Take signs and numbers off a matrix, also that of b - a where a - b is a factor."""
        found = multiple(node)
        base, turned = _side(found.base)
        if turned:
            inner = multiple(base)
            found, base = found.times(inner, inner.base), inner.base
        if base.op == "sub" and (other := make("sub", *base.args[::-1])) in self.factors:
            found, base = found.times(Multiple(other, -1), other), other
        return (base, turned), found


def _side(node: Node) -> Turned:
    """Read a matrix or its transpose; a symmetric one is its own."""
    matrix, turned = sided(node)
    return matrix, turned and not symmetric(matrix)


def _turned(side: Turned) -> Turned:
    matrix, turned = side
    return matrix, not turned and not symmetric(matrix)
