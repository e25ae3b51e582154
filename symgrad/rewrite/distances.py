"""Distances of all pairs of points without a stack of their differences, in NumPy's programs.

sum((x_i - y_j)**2) over the coordinates becomes one operator before it is differentiated, so that
its slopes are sums over pairs too.
"""

from symgrad.graph import Graph, Node, moved, rebuild
from symgrad.ops import make, remake
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.contraction import own_axes
from symgrad.shapes import axes_of


def distances(graph: Graph) -> Graph:
    """Write the squares of the distances of all pairs of points as one operator each.

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
    return Graph.of(
        [image[n] for n in graph.outputs],
        names={name: image.get(node, node) for name, node in graph.names.items()},
        spans=moved(graph.spans, image),
        dims=graph.dims,
        source=graph.source,
        extra_inputs=graph.inputs,
        notes=graph.notes,
        dtype=graph.dtype,
    )


def _of_points(node: Node) -> Node | None:
    """Write a sum of squares of x_ik - y_jk over k with the points x and y, if it is one."""
    if node.op != "sum" or len(node.args[0].shape) != 3 or node.attrs["keepdims"]:
        return None
    difference = squared(node.args[0])
    if difference is None or difference.op != "sub" or axes_of(node.attrs["axis"], 3) != (2,):
        return None
    points = dict((axes, inner) for inner, axes in (own_axes(a, 3) for a in difference.args))
    x, y = points.get((0, 2)), points.get((1, 2))
    if x is None or y is None or {x.dtype, y.dtype} != {"float"} or x.shape[1] != y.shape[1]:
        return None
    found = make("own_distances", x) if x is y else make("square_distances", x, y)
    return found if found.shape == node.shape else None
