"""Count operations, with names as atoms: the measure by which forms compete."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, topological

FREE = ("input", "const", "dim", "broadcast", "expand", "transpose", "arange", "eye")


def operations(roots: Iterable[Node], atoms: Collection[Node] = ()) -> int:
    """Count the distinct operations below `roots`; a node in `atoms` is a name and costs nothing.

    >>> from symgrad.ops import const, leaf, make
    >>> x = leaf("x"); operations([make("mul", make("add", x, const(1)), x)])
    2
    """
    roots = tuple(roots)
    tops = dict.fromkeys(roots)
    order = topological(roots, stop=lambda n: n in atoms and n not in tops)
    return sum(1 for n in order if n.op not in FREE and (n in tops or n not in atoms))


def tree_size(root: Node, atoms: Collection[Node] = (), limit: int = 10_000) -> int:
    """Count operations as printed, a shared part as often as it stands; capped at `limit`."""
    sizes: dict[Node, int] = {}
    order = topological([root], stop=lambda n: n in atoms and n is not root)
    for node in order:
        if node in atoms and node is not root:
            sizes[node] = 0
            continue
        own = 0 if node.op in FREE else 1
        sizes[node] = min(limit, own + sum(sizes[a] for a in node.args))
    return sizes[root]
