"""Sums over the same axes, added term by term where that is shorter, for formulas."""

from collections.abc import Collection
from functools import reduce
from typing import Any

from symgrad.graph import Node, summands
from symgrad.rewrite.cost import Prices
from symgrad.rewrite.normal import normal
from symgrad.rewrite.tidy import printed, ranked, tidy

MOST = 8  # terms


def one_sum(node: Node, named: Collection[Node], prices: Prices) -> Node | None:
    """Write sum(d) + sum(k (d - u) - d) as k sum(d - u); None where that is no shorter.

    >>> from symgrad.ops import leaf, make
    >>> from symgrad.rewrite.tidy import keeping
    >>> d, u = leaf("d", ("N",)), leaf("u", ("N",))
    >>> sums = [make("sum", a, axis=None) for a in (d, make("sub", u, d))]
    >>> with keeping((), {}, printed=True):
    ...     one_sum(make("add", *sums), (), Prices(())).args[0].op
    'input'
    """
    if node.op not in ("add", "sub") or not printed() or ranked(node):
        return None
    terms = summands(node, lambda n: n is node or n not in named, MOST)
    groups: dict[Any, list[tuple[Node, bool]]] = {}
    for term, less in terms:
        whole = term.op == "sum" and term not in named
        key = (term.attrs["axis"], term.attrs["keepdims"], term.args[0].shape) if whole else term
        groups.setdefault(key, []).append((term, less))
    best = None
    for group in groups.values():
        if len(group) > 1 and group[0][0].op == "sum":
            body = _added([(term.args[0], less) for term, less in group])
            total = tidy("sum", (normal(body, named),), group[0][0].attrs)
            rest = [pair for pair in terms if pair not in group]
            found = _added([(total, False), *rest])
            if found.shape == node.shape and prices.of(found) < prices.of(best or node):
                best = found
    return best


def _added(terms: list[tuple[Node, bool]]) -> Node:
    """Add up terms with their signs, one with a plus first if there is one."""
    first, *others = sorted(terms, key=lambda pair: pair[1])
    start = tidy("neg", (first[0],), {}) if first[1] else first[0]
    return reduce(lambda a, b: tidy("sub" if b[1] else "add", (a, b[0]), {}), others, start)
