"""Sums of products of two arrays by products of matrices: stacks of them, or all axes at once."""

from string import ascii_lowercase

from symgrad.graph import Node
from symgrad.ops import make
from symgrad.ops.words import roles, subscripts
from symgrad.shapes import axes_of


def stacks(node: Node) -> Node | None:
    """Write an einsum of two arrays by one product, with transposes; None where none will do.

    >>> from symgrad.ops import leaf
    >>> P, v = leaf("P", ("B", "N", "M")), leaf("v", ("M", "B", "D"))
    >>> stacks(make("einsum", P, v, subscripts="bnm,mbd->bnd")).op
    'matmul'
    """
    words, result = subscripts(node.attrs["subscripts"])
    if any(a.dtype != "float" for a in node.args) or any(len(set(w)) < len(w) for w in words):
        return None
    both, left, right, summed = roles(words[0], words[1], result)
    if not summed or not left or not right or {*both, *left, *right} != set(result):
        return None
    parts = list(zip(words, node.args, strict=True))
    if result.index(right[0]) < result.index(left[0]):  # the rows of the result come first
        parts, left, right = parts[::-1], right, left
    if {*parts[0][0]} != {*both, *left, *summed} or {*parts[1][0]} != {*both, *right, *summed}:
        return None
    if both and len(left) == len(right) == len(summed) == 1:
        shared = "".join(c for c in result if c in both)
        first = _turned(parts[0][1], parts[0][0], shared + left + summed)
        second = _turned(parts[1][1], parts[1][0], shared + summed + right)
        return _turned(make("matmul", first, second), shared + left + right, result)
    if both:
        return None
    own = "".join(c for w, side in zip((w for w, _ in parts), (left, right), strict=True)
                  for c in w if c in side)  # fmt: skip
    if own == result:
        return None
    word = f"{parts[0][0]},{parts[1][0]}->{own}"
    return _turned(make("einsum", parts[0][1], parts[1][1], subscripts=word), own, result)


def sum_of_stack(total: Node) -> Node | None:
    """Write a sum over a stack of products A' D as one sum of products; None for another sum.

    >>> from symgrad.ops import leaf
    >>> X, D = leaf("X", ("N", "T", "K")), leaf("D", ("N", "T", "H"))
    >>> slope = make("sum", make("matmul", make("transpose", X, axes=(0, 2, 1)), D), axis=0)
    >>> sum_of_stack(slope).attrs["subscripts"]
    'abc,abd->cd'
    """
    (product,) = total.args
    rank = len(product.shape)
    over = axes_of(total.attrs["axis"], rank)
    if product.op != "matmul" or rank < 3 or total.attrs["keepdims"]:
        return None
    a, b = product.args
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    if a.op != "transpose" or a.attrs["axes"] != swapped or over != swapped[:-2]:
        return None
    if b.op == "transpose" or a.shape[:-2] != b.shape[:-2]:
        return None
    rows = ascii_lowercase[: rank - 1]
    left, right = ascii_lowercase[rank - 1], ascii_lowercase[rank]
    word = f"{rows}{left},{rows}{right}->{left}{right}"
    return make("einsum", a.args[0], b, subscripts=word)


def turned_once(node: Node) -> Node | None:
    """Write a transpose of a transpose as one, or as none."""
    inner = node.args[0]
    if inner.op != "transpose":
        return None
    rank = tuple(range(len(node.shape)))
    first, then = (n.attrs["axes"] or rank[::-1] for n in (inner, node))
    axes = tuple(first[k] for k in then)
    if axes == rank:
        return inner.args[0]
    return make("transpose", inner.args[0], axes=None if axes == rank[::-1] else axes)


def _turned(array: Node, word: str, wanted: str) -> Node:
    """Put the axes of an array in another order."""
    axes = tuple(word.index(c) for c in wanted)
    if axes == tuple(range(len(axes))):
        return array
    return make("transpose", array, axes=None if axes == tuple(range(len(axes)))[::-1] else axes)
