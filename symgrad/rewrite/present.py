"""Sums that are there already, in the program or in its values, for the factors of a form."""

from typing import Any

from symgrad.graph import Node
from symgrad.rewrite.tidy import ranked
from symgrad.rewrite.writing import fraction

Sums = dict[Any, tuple[Node, Any]]  # a polynomial: the node, and how many times it that is


def typed_sums(known: dict[Node, Any], root: Node, one: Any) -> Sums:
    """Find K + s, which was typed, for s + K in formulas."""
    typed = [n for n in known if n.op == "add" and ranked(n) and n is not root]
    values = [(n, known[n]) for n in typed]
    return {v.numer: (n, fraction(one.LC)) for n, v in values if v.denom == one}


def decimal_sums(known: dict[Node, Any], root: Node) -> Sums:
    """Find a + 0.9 b, which is there, for 10 a + 9 b in the quotients of a program."""
    found: Sums = {}
    for node, value in known.items():
        if node.op not in ("add", "sub") or not node.shape or node is root:
            continue
        if not value.denom.is_ground:
            continue
        content, poly = value.numer.primitive()
        size = fraction(content) / fraction(value.denom.LC)
        if len(poly) > 1 and size.denominator > 1:
            found |= {poly: (node, size), -poly: (node, -size)}
    return found
