"""Traces, diagonals and inner products of matrices, as the books on matrix calculus print them.

The trace of the rank-one matrix a bᵀ is bᵀ a, its diagonal a ⊙ b, its inner product with B aᵀ B b.
"""

from collections.abc import Callable, Collection
from functools import partial, reduce

from symgrad.graph import Node, Signed, having, rebuild, summands, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake
from symgrad.rewrite.matrices import links
from symgrad.rewrite.tidy import kind, printed, tidy

MOST = 8  # terms of a sum that are looked at
SCALED = ("mul", "div")


def short_trace(a: Node) -> Node | None:
    """Write tr(P a bᵀ Q) as bᵀ Q P a, also as a term of a sum; None for another trace.

    >>> from symgrad.ops import leaf
    >>> from symgrad.rewrite.tidy import keeping
    >>> a, b = leaf("a", ("N",)), leaf("b", ("N",))
    >>> with keeping((), {}, printed=True):
    ...     short_trace(make("outer", a, b)) is make("matmul", a, b)
    True
    """
    if not printed() or len(a.shape) != 2:
        return None
    parts = _rank_one(a)
    return _bilinear(parts, None) if parts else _split(a, lambda term: tidy("trace", (term,), {}))


def short_diagonal(a: Node) -> Node | None:
    """Write diag(P a bᵀ Q) as (P a) ⊙ (Qᵀ b)."""
    parts = _rank_one(a) if printed() else None
    if parts is None:
        return None
    left, right = _columns(*parts)
    square = left is right
    return make("pow", left, const(2)) if square else tidy("mul", (left, right), {})


def short_inner(node: Node) -> Node | None:
    """Write Σ((a bᵀ) ⊙ B) as aᵀ B b, and Σ(A⁻ᵀ ⊙ B) as tr(A⁻¹ B)."""
    (product,) = node.args
    if not printed() or node.shape or kind(product) != "mul" or len(product.shape) != 2:
        return None
    for one, other in (product.args, product.args[::-1]):
        whole = one.shape == other.shape and {one.dtype, other.dtype} == {"float"}
        if not whole or kind(other) in ("broadcast", "expand"):
            continue
        parts = _rank_one(one)
        if parts:
            return _bilinear(parts, other)
        found = _split(one, partial(_sum, other)) or _as_trace(one, other)
        if found is not None:
            return found
    return None


def _sum(a: Node, b: Node) -> Node:
    return tidy("sum", (tidy("mul", (a, b), {}),), {"axis": None, "keepdims": False})


# -- products with a bᵀ ------------------------------------------------------------------------

Parts = tuple[list[Node], Node, Node, list[Node]]


def _rank_one(matrix: Node) -> Parts | None:
    """Read P a bᵀ Q as (P, a, b, Q); None for another matrix."""
    factors = links(matrix)
    for k, factor in enumerate(factors):
        if kind(factor) == "outer" and all(len(a.shape) == 1 for a in factor.args):
            a, b = factor.args
            return factors[:k], a, b, factors[k + 1 :]
    return None


def _columns(before: list[Node], a: Node, b: Node, behind: list[Node]) -> tuple[Node, Node]:
    """Give P a and Qᵀ b."""
    left = reduce(lambda v, m: tidy("matmul", (m, v), {}), reversed(before), a)
    return left, reduce(lambda v, m: tidy("matmul", (v, m), {}), behind, b)


def _bilinear(parts: Parts, middle: Node | None) -> Node:
    """Write the inner product of P a bᵀ Q and B, bᵀ Q Bᵀ P a, from the side with less to turn."""
    before, a, b, behind = parts
    left, right = _columns(*parts)
    if left is right:  # vᵀ B v, where v may get a name
        return _dot(left, right if middle is None else _times([middle], right))
    inner = [] if middle is None else [middle]
    ways = [([*map(_turned, reversed(before)), *inner, *map(_turned, reversed(behind))], a, b),
            ([*behind, *map(_turned, inner), *before], b, a)]  # fmt: skip
    matrices, row, column = min(ways, key=lambda way: sum(map(_is_turned, way[0])))
    return tidy("matmul", (row, _times(matrices, column)), {})


def _dot(a: Node, b: Node) -> Node:
    """Multiply two columns, the plain one first: yᵀ A x, not (A x)ᵀ y."""
    plain = kind(a) == "matmul" != kind(b)
    return tidy("matmul", (b, a) if plain else (a, b), {})


def _times(matrices: list[Node], vector: Node) -> Node:
    return reduce(lambda v, m: tidy("matmul", (m, v), {}), reversed(matrices), vector)


def _turned(matrix: Node) -> Node:
    return tidy("transpose", (matrix,), {"axes": None})


def _is_turned(matrix: Node) -> bool:
    return kind(matrix) == "transpose"


# -- sums and inverses -------------------------------------------------------------------------


def _split(matrix: Node, each: Callable[[Node], Node]) -> Node | None:
    """Take a sum apart where at least half of its terms have rank one: tr(A) - bᵀ a."""
    terms = _terms(matrix)
    ones = sum(_rank_one(_bare(term)) is not None for term, _ in terms)
    if len(terms) < 2 or 2 * ones < len(terms):
        return None
    terms.sort(key=lambda term: term[1])  # stable: what is subtracted comes last
    total = tidy("neg", (each(terms[0][0]),), {}) if terms[0][1] else each(terms[0][0])
    for term, less in terms[1:]:
        total = tidy("sub" if less else "add", (total, each(term)), {})
    return total


def _terms(matrix: Node) -> list[Signed]:
    """List the terms of a sum of matrices, and whether each is subtracted."""

    def taken(node: Node) -> bool:
        return bool(kind(node)) and all(a.shape == node.shape for a in node.args)

    found = summands(matrix, taken, MOST + 1)
    return found if len(found) <= MOST else [(matrix, False)]


def _bare(term: Node) -> Node:
    """Leave out the numbers that a matrix is multiplied with."""
    while kind(term) in SCALED or kind(term) == "neg":
        numbers = [a for a in term.args if not a.shape]
        if kind(term) != "neg" and len(numbers) != 1:
            break
        term = next(a for a in term.args if a.shape)
    return term


def _as_trace(a: Node, b: Node) -> Node | None:
    """Write the inner product of a matrix with an inverse in it and another one as a trace."""
    if a.shape[0] != a.shape[1] or not any(map(_inverse, links(a))):
        return None
    turned = _turned(a)
    if sum(map(_is_turned, links(turned))) > sum(map(_is_turned, links(a))):
        return None
    return tidy("trace", (tidy("matmul", (turned, b), {}),), {})


def _inverse(link: Node) -> bool:
    return kind(link.args[0] if _is_turned(link) else link) == "inv"


# -- in code -----------------------------------------------------------------------------------


def traces(roots: list[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Add up the entries of A ⊙ Bᵀ for tr(A B): N² products for N³, where nothing else has A B.

    Of rank one, tr(P a bᵀ) is bᵀ P a.

    >>> from symgrad.ops import leaf
    >>> A, B = leaf("A", ("N", "K")), leaf("B", ("K", "N"))
    >>> trace = make("trace", make("matmul", A, B))
    >>> [a.op for a in traces([trace], ())[trace].args[0].args]
    ['input', 'transpose']
    """
    order = topological(roots)
    if not having(order, "trace"):
        return unchanged(order)
    alone = read_once(order, [*roots, *named])

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op != "trace" or node.args[0] not in alone:
            return fresh
        parts = _rank_one(args[0])
        if parts is not None:
            return make("matmul", *reversed(_columns(*parts)))
        return _of_product(*args[0].args) if args[0].op == "matmul" else fresh

    return rebuild(roots, change, only=("trace",))


def _of_product(a: Node, b: Node) -> Node:
    """Write tr(a b) as the sum of the entries of a ⊙ bᵀ, with few transposes."""
    turned = make("transpose", b, axes=None) if b.op != "transpose" else b.args[0]
    if turned.op == "transpose" == a.op:  # of Aᵀ B
        a, turned = a.args[0], b
    product = make("mul", a, turned) if a is not turned else make("pow", a, const(2))
    return make("sum", product, axis=None, keepdims=False)
