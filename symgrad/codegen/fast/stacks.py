"""Multiply stacks of matrices: transposes go into products, sums over a stack are one product."""

from collections.abc import Collection

from symgrad.codegen.fast.dots import fills
from symgrad.codegen.fast.fired import count
from symgrad.dims import times
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake
from symgrad.shapes import axes_of

STORED = ("input", "matmul")


def stacked(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Map every node to its image, in which products of stacks take fewer passes.

    The slope in a matrix that a whole stack is multiplied by, sum_n X_n' D_n, is X' D with the
    rows of all matrices below one another.

    >>> from symgrad.ops import leaf
    >>> X, D = leaf("X", ("N", "T", "K")), leaf("D", ("N", "T", "H"))
    >>> slope = make("sum", make("matmul", make("transpose", X, axes=(0, 2, 1)), D), axis=0)
    >>> [a.shape for a in stacked([slope], {}, False, "float64")[slope].args]
    [('K', 'N*T'), ('N*T', 'H')]
    """
    order = topological(roots)
    if not any(n.op in ("matmul", "mul") and len(n.shape) > 2 for n in order):
        return unchanged(order)
    alone = read_once(order, roots)
    whole = dict.fromkeys(a for n in having(order, "matmul") for a in n.args)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if _swaps(fresh):
            inner = args[0]
            if _swaps(inner):
                return inner.args[0]
            if inner.op == "matmul" and node.args[0] in alone and _stacks(inner):
                count(fired, "the transpose of a product of stacks in its operands", node)
                return make("matmul", *(_swapped(a) for a in reversed(inner.args)))
        if node.op == "sum" and args[0].op == "matmul" and node.args[0] in alone:
            found = _below_one_another(fresh)
            if found is not None:
                count(fired, "a sum over a stack of products as one product", node)
                return found
        if node.op == "sum" and args[0].op == "mul" and node.args[0] in alone:
            kept = [
                image
                for a, image in zip(node.args[0].args, args[0].args, strict=True)
                if a in whole
            ]
            found = _weighted(fresh, kept)
            if found is not None:
                count(fired, "a sum of weighted rows or columns as a product of stacks", node)
                return found
        return fresh

    return rebuild(roots, change)


def sided(roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str) -> dict[Node, Node]:
    """Transpose the matrix of a stack's axes that is there: taking the axes anew is a copy.

    >>> from symgrad.ops import leaf
    >>> X = leaf("X", ("B", "H", "T"))
    >>> one = make("reshape", make("transpose", X, axes=(0, 2, 1)), shape=("B*T", "H"))
    >>> two = make("reshape", make("transpose", X, axes=(1, 0, 2)), shape=("H", "B*T"))
    >>> sided([one, two], {}, False, "float64")[two].args[0] is one
    True
    """
    order = topological(roots)
    if not any([n.op == "reshape" and n.args[0].op == "transpose" for n in order]):
        return unchanged(order)
    there: dict[Node, None] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if fresh.op != "reshape" or len(fresh.shape) != 2 or args[0].op != "transpose":
            return fresh
        for twin in _other_sides(fresh):
            if twin in there or twin.args[0].op != "transpose":
                count(fired, "a matrix of a stack's axes by transposing", node)
                return make("transpose", twin, axes=None)
        there[fresh] = None
        return fresh

    return rebuild(roots, change, only=("reshape",))


def viewed_once(node: Node, fired: dict[str, int]) -> Node | None:
    """Join a view with the view that it is taken of: axes moved twice, or reshaped twice.

    >>> from symgrad.ops import leaf
    >>> X = leaf("X", ("N", "T", "D"))
    >>> twice = make("transpose", make("transpose", X, axes=(1, 2, 0)), axes=(2, 0, 1))
    >>> viewed_once(twice, {}) is X
    True
    """
    (inner,) = node.args
    if node.op == "reshape":
        if node.shape == inner.shape:
            return inner
        if inner.op != "reshape":
            return None
        (base,) = inner.args
        return base if base.shape == node.shape else make("reshape", base, shape=node.shape)
    if inner.op != "transpose" or len(node.shape) < 3:
        return None
    turned = tuple(reversed(range(len(node.shape))))
    first, second = (n.attrs["axes"] or turned for n in (inner, node))
    axes = tuple(first[k] for k in second)
    if axes == turned[::-1]:
        return inner.args[0]
    return make("transpose", inner.args[0], axes=axes)


def _other_sides(matrix: Node) -> list[Node]:
    """List the matrices that have as rows what this one has as columns."""
    (moved,) = matrix.args
    rank = len(moved.shape)
    axes = moved.attrs["axes"] or tuple(reversed(range(rank)))
    found = []
    for k in range(1, rank):
        if times(*moved.shape[:k]) == matrix.shape[0]:
            turned = (*axes[k:], *axes[:k])
            plain = turned == tuple(range(rank))  # which is no copy
            inner = moved.args[0] if plain else make("transpose", moved.args[0], axes=turned)
            found.append(make("reshape", inner, shape=matrix.shape[::-1]))
    return found


def _swaps(node: Node) -> bool:
    """Say whether a node transposes each matrix of a stack."""
    rank = len(node.shape)
    axes = (*range(rank - 2), rank - 1, rank - 2)
    return node.op == "transpose" and rank > 2 and node.attrs["axes"] == axes


def _swapped(node: Node) -> Node:
    """Transpose each matrix of a stack."""
    rank = len(node.shape)
    if _swaps(node):
        return node.args[0]
    return make("transpose", node, axes=(*range(rank - 2), rank - 1, rank - 2))


def _stacks(product: Node) -> bool:
    """Say whether a product is one of stacks of the same size."""
    a, b = product.args
    return len(a.shape) == len(b.shape) > 2 and a.shape[:-2] == b.shape[:-2]


def _below_one_another(total: Node) -> Node | None:
    """Write a sum over a stack of X' D as one product; None where it is no such sum."""
    (product,) = total.args
    rank = len(product.shape)
    over = axes_of(total.attrs["axis"], rank)
    if rank < 3 or over != tuple(range(rank - 2)) or not _stacks(product):
        return None
    a, b = product.args
    if total.attrs["keepdims"]:
        return None
    if not _swaps(a) or _swaps(b):
        return make("added_products", a, b) if rank == 3 else None
    rows = times(*b.shape[:-1])
    left = make("reshape", a.args[0], shape=(rows, a.shape[-2]))
    right = make("reshape", b, shape=(rows, b.shape[-1]))
    return make("matmul", make("transpose", left, axes=None), right)


def _weighted(total: Node, whole: Collection[Node]) -> Node | None:
    """Write sum_t a_nt X_ntd, or sum_d g_nd X_ntd, as a product of stacks; None for another sum.

    The sum over n and t is one product, with the rows of all matrices below one another.
    X is one that is stored anyway, or kept `whole` for another product: what a loop makes is better
    added up there.
    """
    (product,) = total.args
    over = axes_of(total.attrs["axis"], len(product.shape))
    if len(product.shape) != 3 or over not in ((1,), (2,), (0, 1)) or total.attrs["keepdims"]:
        return None
    for weights, stack in (product.args, product.args[::-1]):
        axes = weights.attrs["axes"] if weights.op == "expand" else ()
        source = stack.args[0] if stack.op == "reshape" else stack
        stored = (
            (source.op in STORED or stack in whole)
            and stack.shape == product.shape
            and stack.dtype == "float"
        )
        if not stored or axes != (3 - sum(over),) or not fills(weights, product):
            continue
        if over == (0, 1):
            rows = times(*stack.shape[:-1])
            left = make("reshape", *weights.args, shape=(rows,))
            return make("matmul", left, make("reshape", stack, shape=(rows, stack.shape[-1])))
        matrix = make("expand", *weights.args, axes=over)
        pair = (matrix, stack) if over == (1,) else (stack, matrix)
        return make("reshape", make("matmul", *pair), shape=total.shape)
    return None
