"""What is known of sums: rows of probabilities sum to 1, deviations from the mean to 0."""

from symgrad.graph import Node, topological
from symgrad.ops import const, count, make
from symgrad.rewrite.normal import normal
from symgrad.rewrite.scaling import of_sizes
from symgrad.rewrite.tidy import kept, tidy
from symgrad.shapes import axes_of

SIMPLEX = ("onehot", "simplex")
SHORT = 4  # nodes of a known sum, as in -1/N
DEPTH = 6  # a sum of weighted rows is looked into this far


def known_sum(a: Node, axes: tuple[int, ...]) -> Node | None:
    """Give the sum over axes where facts say it, also of what has a name.

    >>> from symgrad.ops import leaf, make
    >>> t = leaf("t", (3,), "onehot")
    >>> known_sum(make("mul", const(2), t), (0,)).attrs["value"]
    2
    """
    if _sums_to_one(a, axes):
        return const(1)
    if a.op == "diag" and len(a.shape) == 2:
        return a.args[0] if len(axes) == 1 else make("sum", a.args[0])
    if a.op == "mul" and axes == (len(a.shape) - 1,):
        for hot, other in (a.args, a.args[::-1]):
            if hot.op == "onehot" and other.shape == a.shape and other.dtype != "bool":
                return _entry(other, hot.args[0])
    if _centred(a, axes):
        return const(0)
    if axes == (len(a.shape) - 1,) and a.op in ("add", "sub", "mul", "div", "neg"):
        total = _weighted(a, a.shape, DEPTH)
        if total is not None:
            total = normal(total, ())
            if total.op == "neg":  # of a number
                total = tidy("neg", total.args, {})
            order = topological([total], stop=lambda n: n in kept())
            plain = of_sizes(total) or not any(n.shape for n in order)
            return total if plain and len(order) <= SHORT else None
    return None


def _entry(a: Node, labels: Node) -> Node:
    """Give the entry at the label; what all entries of a row have in common is no array.

    >>> from symgrad.ops import leaf
    >>> P, v = leaf("P", ("N", "C")), make("expand", leaf("v", ("N",)), axes=(1,))
    >>> _entry(make("mul", P, v), leaf("y", ("N", "C"), "labels")).op
    'mul'
    """
    if a.op not in ("mul", "div", "neg") or a in kept():
        return make("pick", a, labels)
    parts = []
    for part in a.args:
        if part.op == "expand" and part.attrs["axes"] == (len(a.shape) - 1,):
            part = part.args[0]
        elif part.shape == a.shape:
            part = _entry(part, labels)
        elif part.shape:
            return make("pick", a, labels)
        parts.append(part)
    return tidy(a.op, tuple(parts), {})


def _sums_to_one(a: Node, axes: tuple[int, ...]) -> bool:
    """Know the facts: one-hot and simplex rows, softmax along its axis, unit vectors."""
    if a.op == "softmax":
        return axes == axes_of(a.attrs["axis"], len(a.shape))
    if a.op == "eye":
        return len(axes) == 1
    if axes != (len(a.shape) - 1,):
        return False
    if a.op == "input":
        return a.attrs["kind"] in SIMPLEX
    return a.op == "onehot" or (a.op == "winner" and len(a.shape) == 1)


def _centred(a: Node, axes: tuple[int, ...]) -> bool:
    """Know that x - mean(x) sums to 0 along the axes of the mean."""
    if a.op == "standardize":
        return axes == axes_of(a.attrs["axis"], len(a.shape))
    if a.op != "sub":
        return False
    for value, middle in (a.args, a.args[::-1]):
        while middle.op in ("broadcast", "expand"):
            middle = middle.args[0]
        if middle.op == "mean" and middle.args[0] is value and value.shape == a.shape:
            return axes_of(middle.attrs["axis"], len(a.shape)) == axes
    return False


def _weighted(a: Node, shape: tuple[int | str, ...], depth: int) -> Node | None:
    """Sum 0.9 t + 0.1/K along the last axis, part by part; None where a part is not known."""
    if not a.shape:
        return tidy("mul", (count(shape, (len(shape) - 1,)), a), {})
    if a.op == "broadcast":
        return _weighted(a.args[0], shape, depth) if not a.args[0].shape else None
    if a.shape == shape and _sums_to_one(a, (len(shape) - 1,)):
        return const(1)
    if a.shape == shape and _centred(a, (len(shape) - 1,)):
        return const(0)
    if depth == 0:
        return None
    if a.op == "neg":
        inner = _weighted(a.args[0], shape, depth - 1)
        return None if inner is None else tidy("neg", (inner,), {})
    if a.op in ("add", "sub"):
        parts = [_weighted(v, shape, depth - 1) for v in a.args]
        if parts[0] is None or parts[1] is None:
            return None
        return tidy(a.op, (parts[0], parts[1]), {})
    if a.op in ("mul", "div"):
        first, second = a.args
        if not second.shape:
            inner = _weighted(first, shape, depth - 1)
            return None if inner is None else tidy(a.op, (inner, second), {})
        if a.op == "mul" and not first.shape:
            return _weighted_by(first, second, shape, depth)
    return None


def _weighted_by(weight: Node, a: Node, shape: tuple[int | str, ...], depth: int) -> Node | None:
    inner = _weighted(a, shape, depth - 1)
    return None if inner is None else tidy("mul", (weight, inner), {})
