"""Take sums of sums apart: what has fewer axes is added up by itself, products are dot products.

sum(a*a - s + c) is dot(a, a) - N*sum(s) + N*D*c: a pass over the array less for each term.
"""

from collections.abc import Mapping
from typing import NamedTuple

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, rebuild, topological
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of
from symgrad.ops.spec import count as entries

SUMS = ("add", "sub", "neg")
GIVEN = ("input", "slice", "transpose", "reshape", "take", "pick", "expand", "broadcast")


class Term(NamedTuple):
    """Hold a term of a sum: whether it is subtracted, and what it is."""

    less: bool
    node: Node


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
        return {n: n for n in order}
    alone = read_once(order, roots)
    powers = {n.args[0]: n for n in order if n.op == "expm1"}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        inner = node.args[0]
        if node.op != "sum" or fresh.op != "sum" or inner not in alone or inner.dtype != "float":
            return fresh
        if not node.shape and inner.op in SUMS:
            return _apart(fresh, _terms(args[0], inner, alone), powers, fired)
        return _without_number(fresh, inner, alone, fired) if inner.op == "mul" else fresh

    return rebuild(roots, change, only=("sum",))


def _divides(node: Node) -> bool:
    """Say whether a sum may be taken apart, or a number be taken out of one of its factors."""
    inner = node.args[0]
    if inner.op == "mul":
        return len(inner.shape) > 1 and any(a.op == "mul" for a in inner.args)
    return inner.op in SUMS and not node.shape


# -- terms ---------------------------------------------------------------------------------------


def _terms(image: Node, before: Node, alone: Mapping[Node, None]) -> list[Term]:
    """List the terms of a sum in their order."""
    found: list[Term] = []
    todo = [(False, image, before)]
    while todo:
        less, node, old = todo.pop()
        apart = node.op == old.op and node.op in SUMS and node.shape == image.shape
        if not apart or (old is not before and old not in alone):
            found.append(Term(less, node))
            continue
        signs = [less] * (len(node.args) - 1) + [less != (node.op != "add")]
        todo += list(zip(signs, node.args, old.args, strict=True))[::-1]
    return found


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
    found = [Term(t.less, _total(t.node, inner)) for t in (*products, *rows, *numbers)]
    if len(left) == 1:
        found.insert(0, Term(left[0].less, _total(left[0].node, inner)))
    elif left:
        less = all(t.less for t in left)
        chain = _added([Term(t.less != less, t.node) for t in left])
        found.insert(0, Term(less, make("sum", chain, axis=None)))
    return _added(found)


def _added(terms: list[Term]) -> Node:
    """Write the sum of terms; a part that is subtracted does not come first if another can."""
    terms = sorted(terms, key=lambda t: t.less)
    result = make("neg", terms[0].node) if terms[0].less else terms[0].node
    for term in terms[1:]:
        result = make("sub" if term.less else "add", result, term.node)
    return result


def _is_product(node: Node, inner: Node) -> bool:
    node = _bare(node)
    return node.op == "mul" and all(a.shape == inner.shape for a in node.args)


def _is_square(node: Node) -> bool:
    node = _bare(node)
    return node.op == "mul" and node.args[0] is node.args[1]


def _bare(node: Node) -> Node:
    """Leave numbers out of a product."""
    while node.op == "mul" and not (node.args[0].shape and node.args[1].shape) and node.shape:
        node = node.args[0] if node.args[0].shape else node.args[1]
    return node


def _total(node: Node, inner: Node) -> Node:
    """Add up a term over all entries of `inner`."""
    rank = len(inner.shape)
    sizes = (1,) * (rank - len(node.shape)) + node.shape
    times = entries(inner.shape, tuple(k for k in range(rank) if sizes[k] == 1))
    if not node.shape:
        return _multiplied(times, node)
    if node.op == "mul" and not (node.args[0].shape and node.args[1].shape):
        number, rest = node.args if not node.args[0].shape else node.args[::-1]
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
    left = [Term(t.less, swapped[t]) if t in swapped else t for t in left]
    number: float = sum(-1 if t.less else 1 for t in swapped)
    rest = []
    for term in numbers:
        value = value_of(term.node)
        if value is None:
            rest.append(term)
        else:
            number += -value if term.less else value
    if number:
        rest.append(Term(number < 0, const(abs(number))))
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
        for number, rest in (factor.args, factor.args[::-1]):
            if not number.shape and rest.shape == inner.shape and rest.dtype == "float":
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
    parts = {n.args[0]: n for n in order if n.op == "sum" and n.shape}
    if not any(n.op == "sum" and not n.shape and n.args[0] in parts for n in order):
        return {n: n for n in order}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        part = parts.get(fresh.args[0]) if fresh.op == "sum" and not fresh.shape else None
        if part is None:
            return fresh
        count(fired, "sums of sums that are there", node)
        return make("sum", part, axis=None)

    return rebuild(roots, change, only=("sum",))
