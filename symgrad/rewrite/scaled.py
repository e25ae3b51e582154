"""Multiples for code: products of multiples are made once, multiples of one value are added up."""

from collections.abc import Collection, Iterable
from math import frexp, isfinite
from typing import NamedTuple

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.graph.parts import SUMS, summands
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.matrices import symmetric
from symgrad.rewrite.simplify import simplify

MOST = 12  # terms of a sum that are compared
Key = tuple[Node, bool, Node]


class Multiple(NamedTuple):
    """Hold an array and what it is multiplied by: a number, values without axes over others."""

    base: Node
    number: float = 1
    over: tuple[Node, ...] = ()
    under: tuple[Node, ...] = ()

    @property
    def bare(self) -> bool:
        """Say whether it is the array itself."""
        return self.number == 1 and not self.over and not self.under

    def times(self, other: "Multiple", base: Node) -> "Multiple":
        """Multiply the factors of two multiples."""
        return Multiple(base, self.number * other.number, self.over + other.over,
                        self.under + other.under)  # fmt: skip

    def by(self, other: "Multiple", base: Node) -> Node | None:
        """Write this one as a multiple of `base`, which is `other`; None if factors are missing."""
        over, under = _less(self.over, other.over), _less(self.under, other.under)
        if over is None or under is None:
            return None
        number = self.number / other.number
        found = base
        for factor in over:
            found = make("mul", factor, found)
        for factor in under:
            found = make("div", found, factor)
        if number == 1:
            return found
        if frexp(number)[0] not in (0.5, -0.5) and (1 / number).is_integer():
            return make("div", found, const(int(1 / number)))  # 1/3 is rounded
        factor = const(int(number) if number.is_integer() else number)
        return make("neg", found) if number == -1 else make("mul", factor, found)


def _less(factors: tuple[Node, ...], others: tuple[Node, ...]) -> list[Node] | None:
    """Take factors away; None if one is not there."""
    rest = list(factors)
    for factor in others:
        if factor not in rest:
            return None
        rest.remove(factor)
    return rest


def multiple(node: Node, named: Collection[Node] = ()) -> Multiple:
    """Split off the numbers that an array is multiplied by; named values stay whole.

    >>> from symgrad.ops import leaf
    >>> x, g = leaf("x", ("N",)), leaf("g")
    >>> found = multiple(make("neg", make("div", make("mul", g, x), const(2))))
    >>> found.base is x, found.number, found.over == (g,)
    (True, -0.5, True)
    """
    number = 1.0
    over: list[Node] = []
    under: list[Node] = []
    while node.shape and node not in named:
        if node.op == "neg":
            number, node = -number, node.args[0]
            continue
        factor, rest = split_off(node)
        value = None if factor is None else value_of(factor)
        if factor is None or (value is not None and not (value and isfinite(value))):
            break
        if value is None:
            (under if node.op == "div" else over).append(factor)
        else:
            number = number / value if node.op == "div" else number * value
        node = rest
    return Multiple(node, number, tuple(over), tuple(under))


def scaled(node: Node) -> bool:
    """Say whether an array is some value times a number."""
    return node.op == "neg" or split_off(node)[0] is not None


def split_off(node: Node) -> tuple[Node | None, Node]:
    """Split off one value without axes that an array is multiplied with, or divided by."""
    if node.op in ("mul", "div") and not node.args[1].shape:
        return node.args[1], node.args[0]
    if node.op == "mul" and not node.args[0].shape:
        return node.args[0], node.args[1]
    return None, node


def of_product(node: Node) -> tuple[Key | None, Multiple]:
    """Read the product of matrices that a product of multiples is one of.

    With a vector, uᵀ K and Kᵀ (2 u) have the same entries but for the number, and of a symmetric
    matrix K u, too.
    """
    if not node.shape or len(node.args[0].shape) > 2 or len(node.args[1].shape) > 2:
        return None, Multiple(node)
    a, b = node.args
    whole = Multiple(node)
    if scaled(a) or scaled(b):
        one, two = multiple(a), multiple(b)
        whole, a, b = one.times(two, node), one.base, two.base
    if len(a.shape) == len(b.shape):
        return (a, False, b), whole
    turned = len(a.shape) == 1
    matrix, vector = (b, a) if turned else (a, b)
    while matrix.op == "transpose":
        matrix, turned = matrix.args[0], not turned
    return (matrix, turned and not symmetric(matrix), vector), whole


def product(key: Key) -> Node:
    """Write a product of matrices, or with a vector."""
    matrix, turned, other = key
    return make("matmul", other, matrix) if turned else make("matmul", matrix, other)


def like_terms(roots: Iterable[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Add up the terms of sums that are multiples of one value: P/2 + P/2 is P.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",))
    >>> half = make("div", make("exp", x), const(2))
    >>> y = make("add", half, half)
    >>> like_terms([y], ())[y].op
    'exp'
    """
    roots = tuple(roots)
    order = topological(roots)
    sums = [n for n in having(order, *SUMS) if n.shape]
    inside = {a for n in sums for a in n.args if a.op in SUMS and a not in named}
    looked = (n for n in sums if n not in inside and any(map(_compared, n.args)))
    alike = {n for n in looked if _alike(n, named)}
    if not alike:
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node not in alike:
            return fresh
        return simplify([fresh], {n: None for n in named if n is not fresh})[fresh]

    return rebuild(roots, change)


def _compared(term: Node) -> bool:
    return term.op in SUMS or scaled(term)


def _alike(total: Node, named: Collection[Node]) -> bool:
    """Say whether terms of a sum are multiples of one value."""
    terms = [n for n, _ in summands(total, lambda n: n is total or n not in named, MOST)]
    bases = [(m.base, frozenset(m.over), frozenset(m.under)) for m in map(multiple, terms)]
    return len(set(bases)) < len(bases)
