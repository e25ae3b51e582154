"""Sums of weighted squares of x_ik - y_jk over k, read from the terms and factors of a sum.

Weights are those of the coordinates, w_k, or of the coordinates of each point, w_jk. Beside the
squares there may be terms that have fewer axes, as the logarithms of a normal density have.
"""

from symgrad.graph import Node, summands
from symgrad.ops import const, make, value_of
from symgrad.ops.spec import count
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.contraction import own_axes
from symgrad.rewrite.exponents import signed_sum
from symgrad.shapes import Dim

PLAIN = "own_distances", "square_distances"
SHARED = "own_scaled_distances", "scaled_distances"
Shape = tuple[Dim, ...]
Factor = tuple[Node, tuple[int, ...], int]  # without inserted axes, which ones it has, its power


def points_of(difference: Node) -> tuple[Node, Node] | None:
    """Give the points x and y of all differences x_ik - y_jk.

    >>> from symgrad.ops import leaf
    >>> x, y = leaf("x", ("N", "D")), leaf("y", ("M", "D"))
    >>> points_of(make("sub", make("expand", x, axes=(1,)), y)) == (x, y)
    True
    """
    if difference.op != "sub" or len(difference.shape) != 3:
        return None
    points = dict((axes, inner) for inner, axes in (own_axes(a, 3) for a in difference.args))
    x, y = points.get((0, 2)), points.get((1, 2))
    if x is None or y is None or {x.dtype, y.dtype} != {"float"} or x.shape[1] != y.shape[1]:
        return None
    return x, y


def between(ops: tuple[str, str], x: Node, y: Node, *weights: Node) -> Node:
    """Make a table of all pairs of points, of x with themselves or of x and y."""
    return make(ops[0], x, *weights) if x is y else make(ops[1], x, y, *weights)


def squares_added(total: Node) -> Node | None:
    """Write a sum over the last of three axes with distances; None where it has none.

    A term that has all the axes stays with the squares: their difference may be small.

    >>> from symgrad.ops import leaf
    >>> x, y, s = leaf("x", ("N", "D")), leaf("y", ("M", "D")), leaf("s", ("D",))
    >>> square = make("pow", make("sub", make("expand", x, axes=(1,)), y), const(2))
    >>> squares_added(make("sum", make("add", make("div", square, s), s), axis=2)).args[0].op
    'scaled_distances'
    """
    (body,) = total.args
    terms = summands(body, lambda n: n.shape == body.shape)
    found, rest = [], []
    for term, less in terms:
        distance = _distance(term) if term.shape == body.shape else None
        if distance is not None:
            found.append((distance, less))
        elif term.shape == body.shape or term.dtype != "float":
            return None
        else:
            rest.append((term, less))
    if not found:
        return None
    over = signed_sum(rest) if rest else None
    if over is None:
        return signed_sum(found)
    return None if over.shape == body.shape else signed_sum([*found, (_summed(over, body), False)])


def _summed(term: Node, body: Node) -> Node:
    """Add up a term with fewer axes over the last axis of all."""
    if term.shape and term.shape[-1] == body.shape[-1]:
        return make("sum", term, axis=len(term.shape) - 1)
    if term.shape:  # the axis has length 1
        term = make("sum", term, axis=len(term.shape) - 1)
    return make("mul", count(body.shape, (2,)), term)


def _distance(term: Node) -> Node | None:
    """Write the sum of a product of (x_ik - y_jk)² and weights over k."""
    powers = _powers(term)
    squares = {n: p for n, p in powers.items() if n.shape == term.shape}
    points = points_of(next(iter(squares))) if list(squares.values()) == [2] else None
    if points is None:
        return None
    x, y, common = _unscaled(*points)
    powers |= {n: 2 * p + powers.get(n, 0) for n, p in common.items()}
    others = [(*_bare(n), p) for n, p in powers.items() if n not in squares]
    weights, outer = ([f for f in others if (2 in f[1]) is k] for k in (True, False))
    if any(n.dtype != "float" for n, axes, _ in others if axes):
        return None
    found = _weighted(x, y, weights)
    return None if found is None else _times(found, outer)


def _unscaled(x: Node, y: Node) -> tuple[Node, Node, dict[Node, int]]:
    """Take a factor or divisor of the coordinates off the points, where both have it."""
    if x.op == y.op and x.op in ("mul", "div"):
        for scale in x.args if x.op == "mul" else x.args[1:]:
            if scale.shape not in ((), x.shape[1:]) or scale not in y.args:
                continue
            a, b = (p.args[p.args[0] is scale] for p in (x, y))
            if a.shape == x.shape and b.shape == y.shape:
                return a, b, {scale: 1 if x.op == "mul" else -1}
    return x, y, {}


def _powers(term: Node) -> dict[Node, int]:
    """List the factors of a product and their powers, also of squares of products."""
    found: dict[Node, int] = {}
    todo = [(term, 1)]
    while todo:
        node, power = todo.pop()
        inside = node.shape == term.shape or 1 in node.shape
        base = squared(node) if inside else None
        if base is not None:
            todo.append((base, 2 * power))
        elif node.op in ("mul", "div") and inside:
            under = -power if node.op == "div" else power
            todo += [(node.args[1], under), (node.args[0], power)]
        elif node.op == "neg" and inside:
            todo += [(const(-1), power), (node.args[0], power)]
        else:
            found[node] = found.get(node, 0) + power
    return {n: p for n, p in found.items() if p and not (value_of(n) == -1 and p % 2 == 0)}


def _bare(factor: Node) -> tuple[Node, tuple[int, ...]]:
    """Give a factor without axes of length 1, and which of the three axes it has."""
    inner, axes = own_axes(factor, 3)
    ones = tuple(k for k, d in enumerate(inner.shape) if d == 1)
    inner = make("sum", inner, axis=ones) if ones else inner
    return inner, tuple(a for k, a in enumerate(axes) if k not in ones)


def _weighted(x: Node, y: Node, weights: list[Factor]) -> Node | None:
    """Write the distances of all points x and y, with weights of their coordinates."""
    if not weights:
        return between(PLAIN, x, y)
    axes = {a for _, own, _ in weights for a in own}
    if axes == {0, 1, 2}:
        return None
    over = _times(None, weights)
    shape = tuple(p.shape[0] for p, k in ((x, 0), (y, 1)) if k in axes) + x.shape[1:]
    if over.shape != shape:
        return None
    if axes == {2}:
        return between(SHARED, x, y, over)
    if axes == {1, 2}:
        return make("weighted_distances", x, y, over)
    return make("transpose", make("weighted_distances", y, x, over), axes=None)


def _times(found: Node | None, factors: list[Factor]) -> Node:
    """Multiply by factors, then divide by others; a table of pairs by rows, columns and numbers."""
    under: Node | None = None
    for node, axes, power in factors:
        if axes == (0,) and found is not None and len(found.shape) == 2:
            node = make("expand", node, axes=(1,))
        factor = node if abs(power) == 1 else make("pow", node, const(abs(power)))
        if power < 0:
            under = factor if under is None else make("mul", under, factor)
        else:
            found = factor if found is None else make("mul", found, factor)
    if under is None:
        return const(1) if found is None else found
    return make("div", const(1) if found is None else found, under)
