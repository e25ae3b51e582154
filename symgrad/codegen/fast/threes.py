"""Multiply three matrices in the order that their sizes call for, and share products of two."""

from collections.abc import Sequence

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.schedule import turned
from symgrad.graph import Node, having, rebuild, topological
from symgrad.ops import make, remake

Pair = tuple[Node, Node]


def undecided(node: Node, parts: Sequence[Node], fired: dict[str, int]) -> Node | None:
    """Leave the order of three matrices to the call, where names of dimensions do not tell it.

    >>> from symgrad.ops import leaf
    >>> A, B, C = (leaf(name, tuple(name)) for name in ("NM", "MK", "KD"))
    >>> whole = make("matmul", make("matmul", A, B), C)
    >>> undecided(whole, [A, B, C], {}).op
    'three'
    """
    if len(parts) != 3 or any(len(a.shape) != 2 or a.dtype != "float" for a in parts):
        return None
    (n, m), (k, d) = parts[0].shape, parts[2].shape
    left, right = [{tuple(sorted(map(str, sizes))) for sizes in way}
                   for way in (((n, m, k), (n, k, d)), ((m, k, d), (n, m, d)))]  # fmt: skip
    if left == right or all(isinstance(size, int) for size in (n, m, k, d)):
        return None
    found = make("three", *parts)
    if found.shape != node.shape:
        return None
    count(fired, "products of three matrices in the cheaper order", node)
    return found


def with_shared(roots: list[Node]) -> dict[Node, Node] | None:
    """Make products of two once that several products of three begin or end with.

    A product serves for its transpose too: (A H)' for H' A', or H' A of a symmetric A. Of two
    inputs none is made: data have more columns than the layers behind. None where none is shared.
    """
    order = topological(roots)
    left = having(order, "three")
    if not left:
        return None
    there = {n.args: None for n in having(order, "matmul")}
    chosen: dict[Node, tuple[int, Pair]] = {}  # where the pair begins, and what is made for it
    while left:
        readers: dict[Pair, dict[Node, int]] = {}
        for node in left:
            for k in (0, 1):
                pair = (node.args[k], node.args[k + 1])
                known = _transposed(pair)
                pair = known if known in readers or known in there else pair
                if pair in there or not all(map(_given, pair)):
                    readers.setdefault(pair, {})[node] = k
        best = max(readers, key=lambda pair: len(readers[pair]) + (pair in there), default=())
        if not best or len(readers[best]) + (best in there) < 2:
            break
        chosen |= {node: (k, best) for node, k in readers[best].items()}
        left = [node for node in left if node not in chosen]
    return rebuild(roots, lambda node, args: _made(node, args, chosen)) if chosen else None


def _made(node: Node, args: tuple[Node, ...], chosen: dict[Node, tuple[int, Pair]]) -> Node:
    """Make a product of three from one of two, which is written as its readers share it."""
    if node not in chosen:
        return remake(node, args)
    k, pair = chosen[node]
    two = (args[k], args[k + 1])
    if pair == (node.args[k], node.args[k + 1]):
        product = make("matmul", *two)
    else:
        product = make("transpose", make("matmul", *_transposed(two)), axes=None)
    return make("matmul", product, args[2]) if k == 0 else make("matmul", args[0], product)


def bare(node: Node) -> Node:
    """Give the matrix of a transpose, and any other node as it is."""
    return node.args[0] if turned(node) else node


def _given(node: Node) -> bool:
    """Say whether a factor is an input, or its transpose."""
    return bare(node).op == "input"


def _transposed(pair: Pair) -> Pair:
    """Give the factors of the transposed product."""
    return _turn(pair[1]), _turn(pair[0])


def _turn(node: Node) -> Node:
    """Transpose a matrix; a symmetric one is its own transpose."""
    if turned(node):
        return node.args[0]
    symmetric = node.op == "input" and node.attrs["kind"] == "symmetric"
    return node if symmetric else make("transpose", node, axes=None)
