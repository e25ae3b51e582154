"""Distances of all pairs of points without a stack of their differences, in NumPy's programs.

sum((x_i - y_j)**2) over the coordinates becomes one operator before it is differentiated, so that
its slopes are sums over pairs too.
"""

from collections.abc import Collection

from symgrad.graph import Graph, Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake
from symgrad.rewrite.scaled import Multiple, multiple, scaled
from symgrad.rewrite.squares import PLAIN, SHARED, between, points_of, squares_added
from symgrad.shapes import axes_of

LENGTHS = ("own_lengths", "lengths")
OF_POINTS = (*PLAIN, *SHARED, *LENGTHS, "weighted_distances")
PULLS = ("pulls", "own_pulls", "weighted_pulls", "square_pulls", "square_sums", "own_square_sums")


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

    return _from_lengths(graph.mapped(rebuild(graph.outputs, change)))


def _from_lengths(graph: Graph) -> Graph:
    """Square the lengths of differences where these are there: one table, and one slope."""
    lengths = {n.args: n for n in graph.order() if n.op in LENGTHS}
    if not lengths:
        return graph

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op not in PLAIN or node.args not in lengths:
            return remake(node, args)
        return make("pow", make(LENGTHS[PLAIN.index(node.op)], *args), const(2))

    return graph.mapped(rebuild(graph.outputs, change))


def _of_points(node: Node) -> Node | None:
    """Write a sum of squares of x_ik - y_jk over k, or its root, with the points x and y."""
    if node.op not in ("sum", "norm") or len(node.args[0].shape) != 3 or node.attrs["keepdims"]:
        return None
    if axes_of(node.attrs["axis"], 3) != (2,):
        return None
    found = squares_added(node) if node.op == "sum" else None
    if node.op == "norm" and (points := points_of(node.args[0])):
        found = between(LENGTHS, *points)
    return found if found is not None and found.shape == node.shape else None


def numbers_of_pulls(roots: list[Node], named: Collection[Node] = ()) -> dict[Node, Node]:
    """Take numbers out of weights of differences, where they are factors of all pairs.

    Sums that then have the same weights are `moments`. What a sum of them may lose is compared with
    the other sums: a number changes nothing there.

    >>> from symgrad.ops import const, leaf
    >>> w, x, y = leaf("w", ("N", "M")), leaf("x", ("N", "D")), leaf("y", ("M", "D"))
    >>> slope = make("mul", const(2), make("pulls", make("div", w, const(2)), x, y))
    >>> numbers_of_pulls([slope])[slope] is make("pulls", w, x, y)
    True
    """
    order = topological(roots)
    if not having(order, *PULLS):
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op in PULLS:
            weight = _split(args[0], named)
            return _scaled(weight, make(node.op, weight.base, *args[1:]))
        found = multiple(fresh) if scaled(fresh) else Multiple(fresh)
        return _scaled(found, found.base) if found.base.op in PULLS else fresh

    image = rebuild(roots, change)
    shared = moments([image[n] for n in roots])
    return {n: shared.get(found, found) for n, found in image.items()}


def moments(roots: list[Node]) -> dict[Node, Node]:
    """Take sums of differences and of their squares, with the same weights, by one function.

    >>> from symgrad.ops import leaf
    >>> w, x, y = leaf("w", ("N", "M")), leaf("x", ("N", "D")), leaf("y", ("M", "D"))
    >>> sums = [make(op, w, x, y) for op in ("pulls", "square_pulls")]
    >>> [moments(sums)[n].args[0].op for n in sums]
    ['moments', 'moments']
    """
    order = topological(roots)
    squares = {n.args for n in having(order, "square_pulls")}
    both = {n.args for n in having(order, "pulls")} & squares
    if not both:
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op not in ("pulls", "square_pulls") or node.args not in both:
            return remake(node, args)
        key = ((int(node.op == "square_pulls"), None), *((0, "end") for _ in node.shape))
        return make("slice", make("moments", *args), key=key)

    return rebuild(roots, change)


def _split(weight: Node, named: Collection[Node]) -> Multiple:
    """Split numbers off a matrix, or off what it is the transpose of; named values stay whole."""
    found = multiple(weight, named)
    if found.base.op != "transpose" or found.base in named:
        return found
    inner = _split(found.base.args[0], named)
    return found.times(inner, make("transpose", inner.base, **found.base.attrs))


def _scaled(found: Multiple, node: Node) -> Node:
    """Multiply a sum over pairs by the numbers of a multiple."""
    written = found.by(Multiple(node), node)
    assert written is not None  # nothing is missing
    return written
