"""Sums of the same terms for code: x - 2y + z serves for z + x - 2y, and for its negative."""

from collections.abc import Collection, Iterable

from symgrad.graph import SUMS, Node, having, rebuild, summands, topological, unchanged
from symgrad.ops import make, remake

LONGEST = 8  # terms

Terms = frozenset[tuple[Node, bool]]


def same_sums(roots: Iterable[Node], kept: Collection[Node] = ()) -> dict[Node, Node]:
    """Map every node to its image: of sums with the same terms, the first is computed only.

    So the order is the one that was typed, and a second difference is not taken twice. The sums of
    the value, the first root, stay: a condition may guard one. What is `kept` has its own line.

    >>> from symgrad.ops import leaf
    >>> x, y, z = (leaf(name, ("N",)) for name in "xyz")
    >>> one = make("add", make("sub", x, y), z)
    >>> other = make("sub", make("sub", y, z), x)
    >>> images = same_sums([one, other])
    >>> images[other].op, images[other].args[0] is one
    ('neg', True)
    """
    roots = tuple(roots)
    order = topological(roots)
    sums = [n for n in having(order, "add", "sub") if n.dtype == "float"]
    inner = {a for n in sums for a in n.args if a.op in SUMS}
    if not inner:
        return unchanged(order)
    terms, typed = {n: _terms(n) for n in sums}, dict.fromkeys([*kept, *topological(roots[:1])])
    known: dict[Terms, Node] = {}
    same: dict[Node, tuple[Node, bool]] = {}
    for node, found in terms.items():
        if not 2 < len(found) <= LONGEST:
            continue
        first = known.get(found)
        turned = None if first else known.get(frozenset((n, not less) for n, less in found))
        there = first or turned
        if there is None:
            known[found] = node
        elif there.shape == node.shape and node not in typed:
            same[node] = there, turned is not None

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in same:
            return remake(node, args)
        there, negative = same[node]
        return make("neg", images[there]) if negative else images[there]

    images: dict[Node, Node] = {}
    return rebuild(roots, change, images) if same else unchanged(order)


def _terms(node: Node) -> Terms:
    """List the terms of a sum; one that stands twice makes it another one."""
    listed = summands(node, most=LONGEST + 1)
    found = frozenset(listed)
    return found if len(found) == len(listed) else frozenset()
