"""Distances of all pairs of points without a stack of their differences, in NumPy's programs.

sum((x_i - y_j)**2) over the coordinates becomes one operator before it is differentiated, so that
its slopes are sums over pairs too.
"""

from collections.abc import Collection

from symgrad.graph import Graph, Node, rebuild, topological
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.contraction import own_axes
from symgrad.shapes import axes_of

PAIRS = {"sum": ("own_distances", "square_distances"), "norm": ("own_lengths", "lengths")}
OF_POINTS = (*PAIRS["sum"], *PAIRS["norm"])
PULLS = ("pulls", "own_pulls")


def distances(graph: Graph) -> Graph:
    """Write the distances of all pairs of points, or their squares, as one operator each.

    >>> from symgrad.parse import parse
    >>> text = "X: data[N, D]; C: param[K, D]; d = sum((X[:, None] - C)**2, axis=2); sum(d)"
    >>> distances(parse(text)).names["d"].op
    'square_distances'
    """
    if not any(map(_of_points, graph.order())):
        return graph

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        return _of_points(fresh) or fresh

    image = rebuild(graph.outputs, change)
    return graph.mapped(image)


def _of_points(node: Node) -> Node | None:
    """Write a sum of squares of x_ik - y_jk over k, or its root, with the points x and y."""
    if node.op not in PAIRS or len(node.args[0].shape) != 3 or node.attrs["keepdims"]:
        return None
    difference = squared(node.args[0]) if node.op == "sum" else node.args[0]
    if difference is None or difference.op != "sub" or axes_of(node.attrs["axis"], 3) != (2,):
        return None
    points = dict((axes, inner) for inner, axes in (own_axes(a, 3) for a in difference.args))
    x, y = points.get((0, 2)), points.get((1, 2))
    if x is None or y is None or {x.dtype, y.dtype} != {"float"} or x.shape[1] != y.shape[1]:
        return None
    own, other = PAIRS[node.op]
    found = make(own, x) if x is y else make(other, x, y)
    return found if found.shape == node.shape else None


def numbers_of_pulls(roots: list[Node], named: Collection[Node] = ()) -> dict[Node, Node]:
    """Take numbers up to 1 out of weights of differences, where they are factors of all pairs.

    A larger one stays: digits that suffice beside 1 might not suffice for a multiple.

    >>> from symgrad.ops import leaf
    >>> w, x, y = leaf("w", ("N", "M")), leaf("x", ("N", "D")), leaf("y", ("M", "D"))
    >>> slope = make("mul", const(2), make("pulls", make("div", w, const(2)), x, y))
    >>> numbers_of_pulls([slope])[slope] is make("pulls", w, x, y)
    True
    """
    order = topological(roots)
    if not any(n.op in PULLS for n in order):
        return {n: n for n in order}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op in PULLS:
            number, weight = _split(args[0], named)
            return _times(number, make(node.op, weight, *args[1:]))
        if node.op == "mul" and (value := value_of(args[0])) is not None:
            number, inner = _number(args[1])
            return _times(value * number, inner) if inner.op in PULLS else fresh
        return fresh

    return rebuild(roots, change)


def _split(weight: Node, named: Collection[Node]) -> tuple[float, Node]:
    """Split a number up to 1 off a matrix, or off what it is the transpose of."""
    if weight in named:
        return 1, weight
    if weight.op == "transpose":
        number, inner = _split(weight.args[0], named)
        return number, make("transpose", inner, **weight.attrs)
    number, inner = _number(weight)
    if inner is weight or abs(number) > 1:
        return 1, weight
    more, inner = _split(inner, named)
    return number * more, inner


def _number(node: Node) -> tuple[float, Node]:
    """Split a constant factor off an array."""
    if node.op == "neg":
        return -1, node.args[0]
    if node.op == "mul" and (value := value_of(node.args[0])) is not None:
        return value, node.args[1]
    if node.op == "div" and (value := value_of(node.args[1])):
        return 1 / value, node.args[0]
    return 1, node


def _times(number: float, node: Node) -> Node:
    if abs(number) == 1:
        return node if number > 0 else make("neg", node)
    return make("mul", const(number), node)
