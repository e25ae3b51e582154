"""Products of stacks in the order in which they are stored, without copies of other orders.

An array (N, C, H, W) that a matrix (F, C) multiplies along C is N matrices of C rows, and so is
what comes of it, (N, F, H, W). Windows of it are copied for a product anyway: with the places last,
the copy is of long rows, and the result needs no axes moved. The slope in the matrix is a sum over
the stack of products, each with a transpose, which BLAS reads as it is.
"""

from symgrad.codegen.fast.moving import turned_out
from symgrad.dims import times
from symgrad.graph import Node
from symgrad.ops import make
from symgrad.shapes import Dim

Lettered = tuple[str, Node]


def in_order(one: Lettered, two: Lettered, result: str, shared: list[str]) -> Node | None:
    """Write a sum of products of a stack as a product of the matrices in it, else None.

    >>> from symgrad.ops import leaf
    >>> W, X = leaf("W", ("F", "C")), leaf("X", ("N", "C", "H", "V"))
    >>> found = in_order(("fc", W), ("nchv", X), "nfhv", ["c"])
    >>> found.op, found.args[0].args[1].args[0] is X
    ('reshape', True)
    """
    one, two = _stored(*one), _stored(*two)
    for matrix, stack in ((one, two), (two, one)):
        found = _added(matrix, stack, result, shared) or _multiplied(matrix, stack, result, shared)
        if found is not None:
            return found
    return None


def _multiplied(matrix: Lettered, stack: Lettered, result: str, shared: list[str]) -> Node | None:
    """Multiply each matrix of a stack from the left."""
    word, node = stack
    first = min(word.index(c) for c in shared)
    before, rows = word[:first], "".join(c for c in word if c in shared)
    behind = "".join(c for c in word[first:] if c not in shared)
    base, within = _base(word, node)
    if len(word) < 3 or not behind or set(within) & set(behind):
        return None
    if base != before + "".join(c for c in rows if c in base) + behind:
        return None
    own = "".join(c for c in matrix[0] if c not in shared)
    if own not in matrix[0] or not result.startswith(before):  # copies, now or by what reads it
        return None
    product = make("matmul", _reshaped(matrix, own, rows), _reshaped(stack, before, rows, behind))
    return _ordered(product, before + own + behind, result, (matrix, stack))


def _added(one: Lettered, two: Lettered, result: str, shared: list[str]) -> Node | None:
    """Add up the products of the matrices of one stack and those of another one, transposed."""
    u, (v, b) = one[0], two
    own, its = ("".join(c for c in w if c not in shared) for w in (u, v))
    before = u[: u.index(own[0])]
    behind = "".join(c for c in u[len(before) :] if c not in own)
    plain = u == before + own + behind and v.startswith(before)
    rest = "".join(c for c in v if c in shared)
    base, within = _base(v, b)
    stored = base == before + "".join(c for c in its if c in base) + behind
    stored = stored and set(within) <= set(its)
    if len(u) < 3 or not behind or not plain or not stored or rest != before + behind:
        return None
    left, right = _reshaped(one, before, own, behind), _reshaped(two, before, its, behind)
    rank = len(right.shape)
    axes = None if rank == 2 else (*range(rank - 2), rank - 1, rank - 2)
    total = make(
        "added_products" if before else "matmul", left, make("transpose", right, axes=axes)
    )
    return _ordered(total, own + its, result, (one, two))


def _stored(word: str, node: Node) -> Lettered:
    """Give an array in the order of its axes before they are moved, also one computed of such."""
    node = turned_out(node) or node
    if node.op != "transpose":
        return word, node
    axes = node.attrs["axes"] or tuple(reversed(range(len(word))))
    return "".join(word[axes.index(k)] for k in range(len(word))), node.args[0]


def _base(word: str, node: Node) -> tuple[str, str]:
    """Give the letters of an array of which windows are a view, and those of places within them.

    A product has a view of windows copied.
    """
    count = 0
    while node.op == "windows" or (node.op == "slice" and len(node.shape) == len(word) - count):
        count += node.op == "windows"
        node = node.args[0]
    return word[: len(word) - count], word[len(word) - count :]


def _reshaped(part: Lettered, *groups: str) -> Node:
    """Give an array with an axis for each group of letters, in their order."""
    (word, node), letters = part, "".join(groups)
    if letters != word:
        axes = tuple(word.index(c) for c in letters)
        node = make("transpose", node, axes=None if axes == (1, 0) else axes)
    sizes = dict(zip(word, part[1].shape, strict=True))
    shape: tuple[Dim, ...] = tuple(times(*(sizes[c] for c in group)) for group in groups if group)
    return node if node.shape == shape else make("reshape", node, shape=shape)


def _ordered(product: Node, letters: str, result: str, parts: tuple[Lettered, ...]) -> Node:
    """Give a product its axes one by one, in the order that is asked for."""
    sizes: dict[str, Dim] = {}
    for word, node in parts:
        sizes |= dict(zip(word, node.shape, strict=True))
    shape = tuple(sizes[c] for c in letters)
    found = product if product.shape == shape else make("reshape", product, shape=shape)
    if letters == result:
        return found
    return make("transpose", found, axes=tuple(letters.index(c) for c in result))
