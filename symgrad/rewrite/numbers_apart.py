"""Sums of squares and numbers, term by term: Σ (s + z²/2) is N s + Σ z²/2, without an array."""

from symgrad.graph import SUMS, Node, Signed, having, rebuild, summands, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake, value_of
from symgrad.ops.spec import count
from symgrad.rewrite.exponents import signed_sum

SCALED = ("mul", "div")


def numbers_apart(roots: list[Node]) -> dict[Node, Node]:
    """Map every node to its image: one square, and numbers, are added up by themselves.

    >>> from symgrad.ops import const, leaf
    >>> z, s = leaf("z", ("N",)), leaf("s")
    >>> total = make("sum", make("add", s, make("pow", z, const(2))))
    >>> [a.op for a in numbers_apart([total])[total].args]
    ['mul', 'sum']
    """
    order = topological(roots)
    sums = {n: None for n in having(order, "sum") if not n.shape and n.args[0].op in SUMS}
    if not sums:
        return unchanged(order)
    alone = read_once(order, roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node not in sums or node.args[0] not in alone or fresh.args[0].op not in SUMS:
            return fresh
        inner = fresh.args[0]
        terms = summands(inner, lambda n: n.shape == inner.shape)
        found: list[Signed] = []
        for term, less in terms:
            total = _total(term, inner)
            if total is None:
                return fresh
            found.append((total, less))
        whole = sum(bool(term.shape) for term, _ in terms)
        return (signed_sum(found) if whole == 1 < len(terms) else None) or fresh

    return rebuild(roots, change, only=("sum",))


def _total(term: Node, inner: Node) -> Node | None:
    """Add up a term over all entries of a sum: a number, or a square times numbers."""
    if not term.shape:
        times = count(inner.shape, tuple(range(len(inner.shape))))
        return make("mul", times, term) if value_of(term) != 1 else times
    if term.op in SCALED:
        for k, number in enumerate(term.args):
            rest = term.args[1 - k]
            if not number.shape and rest.shape and (k or term.op == "mul"):
                total = _total(rest, inner)
                pair = (total, number) if term.op == "div" or k else (number, total)
                return None if total is None else make(term.op, *pair)
    if term.op != "pow" or value_of(term.args[1]) != 2 or term.shape != inner.shape:
        return None
    return make("sum", term)
