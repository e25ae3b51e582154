"""Compare what the value has computed: the conditions of a gradient read the value's own arrays."""

from collections.abc import Iterable

from symgrad.graph import Node, having, rebuild, summands, topological, unchanged
from symgrad.ops import make, remake, value_of

COMPARED = ("gt", "ge", "lt", "le")
BENDS = ("relu", "maximum", "minimum", "abs", "sign")
LONGEST = 8  # terms

Terms = tuple[tuple[int, int], ...]


def compared(roots: Iterable[Node]) -> dict[Node, Node]:
    """Decide a piece by the sum that bends there, however the sum is ordered; and by its result.

    max(a - b + 1, 0) has the slope 1[1 + a - b > 0]: the same terms, so the first sum serves for
    both, and the mask agrees with the value to the last bit. Where only entries with c count,
    c * 1[u > 0] is 1[r > 0] of the result r = where(c, max(u, 0), 0).

    The first root is the value: its own conditions stay, one may guard what it compares.
    """
    roots = list(roots)
    order = topological(roots)
    if not having(order, *COMPARED):
        return unchanged(order)
    places = {n: k for k, n in enumerate(order)}
    bent: dict[Terms, Node] = {}
    for node in order:
        for a in node.args if node.op in BENDS and node.shape else ():
            if a.op in ("add", "sub") and (terms := _terms(a, places)) is not None:
                bent.setdefault(terms, a)
    chosen: dict[tuple[Node, Node], Node] = {}
    typed = set(topological(roots[:1]))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op in COMPARED and node.args[0].op in ("add", "sub") and node not in typed:
            first = bent.get(_terms(node.args[0], places) or ())
            same = first is not None and first.shape == node.args[0].shape
            if same and first is not node.args[0] and first in images:
                return make(node.op, images[first], *args[1:])
        if node.op == "where" and _positive_part(fresh.args[1]) and value_of(fresh.args[2]) == 0:
            chosen[fresh.args[0], fresh.args[1].args[0]] = fresh
        if node.op == "mul" and node.shape and node not in typed:
            for c, piece in (args, args[::-1]):
                if piece.op == "gt" and value_of(piece.args[1]) == 0:
                    there = chosen.get((c, piece.args[0]))
                    if there is not None and there.shape == fresh.shape:
                        return make("gt", there, piece.args[1])
        return fresh

    images: dict[Node, Node] = {}

    def noted(node: Node, args: tuple[Node, ...]) -> Node:
        images[node] = image = change(node, args)
        return image

    return rebuild(roots, noted)


def _positive_part(node: Node) -> bool:
    return node.op == "relu" or (node.op == "maximum" and value_of(node.args[1]) == 0)


def _terms(node: Node, places: dict[Node, int]) -> Terms | None:
    """List the terms of a sum by their places in the program, with their signs; None: too many."""
    listed = summands(node, lambda n: n.op != "neg", LONGEST)
    found = sorted([(places[term], less) for term, less in listed])
    return tuple(found) if 2 < len(found) <= LONGEST else None
