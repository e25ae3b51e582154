"""Unit vectors: what is put at one place of a vector of zeros, as a book writes it, a e_k."""

from collections.abc import Callable

from symgrad.graph import Node
from symgrad.ops import const, make, value_of
from symgrad.rewrite.tidy import kind, printed, tidy

MOST = 4  # entries of a vector that is written out


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


def column(root: Node, shorten: Callable[[Node], Node]) -> Node:
    """Write a sum of multiples of unit vectors by its entries: b e_1 + a e_0 is (a, b).

    >>> from symgrad.ops import leaf
    >>> e = [make("unslice", const(1), key=((k, None),), shape=(2,)) for k in (0, 1)]
    >>> a, b = (make("mul", leaf(name), e[k]) for k, name in enumerate("ab"))
    >>> column(make("add", b, a), lambda node: node).op
    'stack'
    """
    size = root.shape[0] if len(root.shape) == 1 else 0
    if root.op not in ("add", "sub", "mul") or not isinstance(size, int) or not 1 < size <= MOST:
        return root
    terms = _terms(root, size)
    if terms is None or len({k for k, _ in terms}) < 2:
        return root
    entries = [const(0)] * size
    for k, part in terms:
        known = value_of(entries[k]) == 0
        entries[k] = part if known else tidy("add", (entries[k], part), {})
    return make("stack", *(shorten(e) for e in entries), axis=0)


def _terms(root: Node, size: int) -> list[tuple[int, Node]] | None:
    """List the entries that make up a sum, with their places; None for another vector."""
    found: list[tuple[int, Node]] = []
    todo: list[tuple[Node, tuple[tuple[str, Node], ...]]] = [(root, ())]
    while todo:
        node, factors = todo.pop()
        numbers = [a for a in node.args if not a.shape] if node.op in ("mul", "div") else []
        if kind(node) in ("add", "sub"):
            minus = (("neg", const(1)),) if node.op == "sub" else ()
            todo += [(node.args[1], (*minus, *factors)), (node.args[0], factors)]
        elif kind(node) == "neg":
            todo.append((node.args[0], (("neg", const(1)), *factors)))
        elif len(numbers) == 1 and kind(node) and (node.op == "mul" or numbers[0] is node.args[1]):
            vector = next(a for a in node.args if a is not numbers[0])
            todo.append((vector, ((node.op, numbers[0]), *factors)))
        elif kind(node) == "unslice" and node.args[0].shape == () and _place(node) is not None:
            value = node.args[0]
            for op, number in factors:
                pair = (value, number) if op == "div" else (number, value)
                value = tidy(op, pair[1:] if op == "neg" else pair, {})
            found.append(((_place(node) or 0) % size, value))
        else:
            return None
    return found


def _place(node: Node) -> int | None:
    """Give the place at which a number is put into zeros."""
    ((start, stop, *_),) = node.attrs["key"]
    return start if stop is None and isinstance(start, int) else None
