"""Take sums of sums apart: what has fewer axes is added up by itself, products are dot products.

sum(a*a - s + c) is dot(a, a) - N*sum(s) + N*D*c: a pass over the array less for each term.
"""

from collections.abc import Mapping
from typing import NamedTuple

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.sums import bare, numbered
from symgrad.graph import SUMS, Node, having, rebuild, summands, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of
from symgrad.ops.spec import count as entries
from symgrad.rewrite.exponents import signed_sum

GIVEN = ("input", "slice", "transpose", "reshape", "take", "pick", "expand", "broadcast")


class Term(NamedTuple):
    """Hold a term of a sum, and whether it is subtracted."""

    node: Node
    less: bool


def parted(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Add up the terms of sums one by one where that is cheaper.

    >>> from symgrad.ops import leaf
    >>> X, s = leaf("X", ("N", "D")), leaf("s", ("D",))
    >>> total = make("sum", make("sub", make("mul", X, X), s), axis=None)
    >>> [a.op for a in parted([total], {}, False, "float64")[total].args]
    ['sum', 'mul']
    """
    order = topological(roots)
    if accurate or not any([n.op == "sum" and _divides(n) for n in order]):
        return unchanged(order)
    alone = read_once(order, roots)
    powers = {n.args[0]: n for n in having(order, "expm1")}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        inner = node.args[0]
        if node.op != "sum" or fresh.op != "sum" or inner not in alone or inner.dtype != "float":
            return fresh
        if not node.shape and inner.op in SUMS:
            return _apart(fresh, _terms(inner, alone, images), powers, fired)
        return _without_number(fresh, inner, alone, fired) if inner.op == "mul" else fresh

    images: dict[Node, Node] = {}
    return rebuild(roots, change, images, only=("sum",))


def _divides(node: Node) -> bool:
    """Say whether a sum may be taken apart, or a number be taken out of one of its factors."""
    inner = node.args[0]
    if inner.op == "mul":
        return len(inner.shape) > 1 and any(a.op == "mul" for a in inner.args)
    return inner.op in SUMS and not node.shape


# -- terms ---------------------------------------------------------------------------------------


def _terms(total: Node, alone: Mapping[Node, None], images: Mapping[Node, Node]) -> list[Term]:
    """List the images of the terms of a sum; what others read, or has fewer axes, is one term."""
    found = summands(total, lambda n: n is total or (n in alone and n.shape == total.shape))
    return [Term(images[node], less) for node, less in found]


def _apart(
    node: Node, terms: list[Term], powers: Mapping[Node, Node], fired: dict[str, int]
) -> Node:
    """Add up by themselves numbers and squares; other products, and rows, where nothing is left.

    Other differences stay: they may be exact, or small beside what is subtracted.
    """
    inner = node.args[0]
    whole = [t for t in terms if t.node.shape == inner.shape and t.node.op != "broadcast"]
    numbers = [t for t in terms if not t.node.shape]
    rows = [t for t in terms if t not in whole and t not in numbers]
    products = [t for t in whole if _is_product(t.node, inner)]
    if len(products) < len(whole) or any(t.node.op == "broadcast" for t in rows):
        products, rows = [t for t in products if _is_square(t.node)], []
    left = [t for t in terms if t not in numbers and t not in rows and t not in products]
    computed = products or any(t.node.op not in GIVEN for t in left)
    floats = all(t.node.dtype == "float" for t in terms if t.node.shape)
    if not computed or not floats or not (products or rows or numbers) or len(terms) < 2:
        return node
    count(fired, "sums of sums term by term", node)
    if numbers:
        left, numbers = _by_one_less(left, numbers, powers)
    found = [Term(_total(t.node, inner), t.less) for t in (*products, *rows, *numbers)]
    if len(left) == 1:
        found.insert(0, Term(_total(left[0].node, inner), left[0].less))
    elif left:
        less = all(t.less for t in left)
        chain = signed_sum([Term(t.node, t.less != less) for t in left]) or inner
        found.insert(0, Term(make("sum", chain, axis=None), less))
    return signed_sum(found) or node


def _is_product(node: Node, inner: Node) -> bool:
    node = bare(node)
    return node.op == "mul" and all(a.shape == inner.shape for a in node.args)


def _is_square(node: Node) -> bool:
    node = bare(node)
    return node.op == "mul" and node.args[0] is node.args[1]


def _total(node: Node, inner: Node) -> Node:
    """Add up a term over all entries of `inner`."""
    rank = len(inner.shape)
    sizes = (1,) * (rank - len(node.shape)) + node.shape
    times = entries(inner.shape, tuple(k for k in range(rank) if sizes[k] == 1))
    if not node.shape:
        return _multiplied(times, node)
    number, rest = numbered(node)
    if number is not None:
        return make("mul", number, _total(rest, inner))
    bare = node.args[0] if node.op == "expand" else node
    return _multiplied(times, make("sum", bare, axis=None))


def _multiplied(a: Node, b: Node) -> Node:
    """Multiply numbers."""
    values = value_of(a), value_of(b)
    if values[0] is not None and values[1] is not None:
        return const(values[0] * values[1])
    return b if values[0] == 1 else a if values[1] == 1 else make("mul", a, b)


def _by_one_less(
    left: list[Term], numbers: list[Term], powers: Mapping[Node, Node]
) -> tuple[list[Term], list[Term]]:
    """Write exp(u) as expm1(u) + 1 where a slope takes expm1(u): one exponential, and no 1."""
    swapped = {t: powers[t.node.args[0]] for t in left
               if t.node.op == "exp" and t.node.args[0] in powers}  # fmt: skip
    left = [Term(swapped[t], t.less) if t in swapped else t for t in left]
    number: float = sum(-1 if t.less else 1 for t in swapped)
    rest = []
    for term in numbers:
        value = value_of(term.node)
        if value is None:
            rest.append(term)
        else:
            number += -value if term.less else value
    if number:
        rest.append(Term(const(abs(number)), number < 0))
    return left, rest


# -- factors -------------------------------------------------------------------------------------


def _without_number(
    node: Node, before: Node, alone: Mapping[Node, None], fired: dict[str, int]
) -> Node:
    """Take a number out of a factor of what is summed: sum((c*a)*b) is c*sum(a*b)."""
    inner = node.args[0]
    if inner.op != "mul" or len(inner.shape) < 2:
        return node
    for k, (factor, old) in enumerate(zip(inner.args, before.args, strict=True)):
        if factor.op != "mul" or old not in alone or factor.shape != inner.shape:
            continue
        number, rest = numbered(factor)
        if number is not None and rest.dtype == "float":
            count(fired, "numbers are taken out of sums", node)
            pair = (rest, inner.args[1]) if k == 0 else (inner.args[0], rest)
            return make("mul", number, make("sum", make("mul", *pair), **node.attrs))
    return node


def totals(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Add up the sums of rows, or of columns, where they are there, not all entries once more.

    >>> from symgrad.ops import leaf
    >>> X = leaf("X", ("N", "D")); S = make("sum", X, axis=0); t = make("sum", X, axis=None)
    >>> totals([S, t], {}, False, "float64")[t].args[0] is S
    True
    """
    order = topological(roots)
    parts = {n.args[0]: n for n in having(order, "sum") if n.shape}
    if not any(not n.shape and n.args[0] in parts for n in having(order, "sum")):
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        part = parts.get(fresh.args[0]) if fresh.op == "sum" and not fresh.shape else None
        if part is None:
            return fresh
        count(fired, "sums of sums that are there", node)
        return make("sum", part, axis=None)

    return rebuild(roots, change, only=("sum",))
