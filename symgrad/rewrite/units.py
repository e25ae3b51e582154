"""Unit vectors: what is put at one place of a vector of zeros, as a book writes it, a e_k."""

from symgrad.graph import Node
from symgrad.ops import const, make, value_of
from symgrad.rewrite.tidy import kind, printed, tidy


def unit(node: Node) -> bool:
    """Say whether a node is a vector e_k, with one entry of 1.

    >>> from symgrad.ops import leaf
    >>> unit(make("unslice", const(1), key=((0, None),), shape=("K",)))
    True
    """
    return kind(node) == "unslice" and not node.args[0].shape and value_of(node.args[0]) == 1


def times_unit(node: Node) -> Node | None:
    """Write a number at a place of zeros as its product with a unit vector.

    >>> from symgrad.ops import leaf
    >>> times_unit(make("unslice", leaf("a"), key=((0, None),), shape=("K",))) is None
    True
    """
    (a,) = node.args
    if a.shape or len(node.shape) != 1 or value_of(a) == 1 or not printed():
        return None  # a program sets the entry
    return tidy("mul", (a, make("unslice", const(1), **node.attrs)), {})


def entry(node: Node) -> Node | None:
    """Give the entry x_k for the inner product of x with e_k, and 1 for the sum of e_k."""
    if node.op == "sum":
        (a,) = node.args
        if len(a.shape) != 1:
            return None
        if unit(a):
            return const(1)
        pair = a.args if kind(a) == "mul" else ()
    else:
        pair = node.args
    if len(pair) != 2 or any(len(a.shape) != 1 for a in pair):
        return None
    for e, x in (pair, pair[::-1]):
        if unit(e) and x.dtype == "float":
            return const(1) if x is e else tidy("slice", (x,), {"key": e.attrs["key"]})
    return None
