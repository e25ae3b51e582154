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


def inner_of_unit(node: Node) -> Node | None:
    """Use u^T u = 1 of a direction u = x/||x||: u^T u, and (t - u)^T u, which is t^T u - 1.

    >>> from symgrad.ops import leaf
    >>> x, t = leaf("x", ("D",)), leaf("t", ("D",))
    >>> u = make("div", x, make("norm", x))
    >>> from symgrad.rewrite.tidy import keeping
    >>> with keeping((), {}, printed=True):
    ...     inner_of_unit(make("matmul", make("sub", t, u), u)).args[1].attrs["value"]
    1
    """
    (product,) = node.args if node.op == "sum" else (node,)
    pair = product.args if product is node or kind(product) == "mul" else ()
    if {*node.shape} - {1} or not printed() or any(len(a.shape) != 1 for a in pair):
        return None
    for u, other in (pair, pair[::-1]) if pair else ():
        if not _is_direction(u):
            continue
        if other is u:
            return const(1)
        if kind(other) in ("add", "sub") and u in other.args:
            parts = (const(1) if a is u else tidy("matmul", (a, u), {}) for a in other.args)
            return tidy(other.op, tuple(parts), {})
    return None


def _is_direction(u: Node) -> bool:
    """Say whether a vector is another one divided by its length; at 0 it is NaN."""
    if u.op != "div" or len(u.shape) != 1:
        return False
    x, length = u.args
    while length.op in ("broadcast", "expand"):
        length = length.args[0]
    return length.op == "norm" and length.args[0] is x and set(length.shape) <= {1}


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
