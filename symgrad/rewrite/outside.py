"""Numbers leave products of matrices, where the product is then the same for all their values.

In exp(b) Xᵀ X the slope in b is the sum of G ⊙ Xᵀ X, a product that is there; with the number
beside Xᵀ, as it is typed, it would be another product with X.
"""

from collections.abc import Collection, Iterable

from symgrad.graph import Graph, Node, depends, rebuild
from symgrad.ops import make, remake
from symgrad.rewrite.matrices import transposes


def numbers_outside(graph: Graph, targets: Iterable[Node]) -> Graph:
    """Take numbers out of products of data, if they have a slope, and out of products Xᵀ X.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; b: param; A = b*X.T @ X; sum(A**3)")
    >>> numbers_outside(g, g.inputs).names["A"].op
    'mul'
    """
    order = graph.order()
    if not any(n.op == "matmul" and any(_number(a)[0] for a in n.args) for n in order):
        return graph
    active = depends(order, targets)
    image: dict[Node, Node] = {}
    live = dict(active)  # the same of images

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = (_outside(fresh, live) if node.op == "matmul" else None) or fresh
        if node in active:
            live[found] = None
        return found

    image = rebuild(graph.outputs, change)
    return graph.mapped(image)


def _number(node: Node) -> tuple[Node | None, Node]:
    """Split off a number, not a constant, by which a matrix is multiplied."""
    if node.op == "mul" and len(node.shape) == 2:
        for number, rest in (node.args, node.args[::-1]):
            if not number.shape and number.op != "const" and rest.shape == node.shape:
                return number, rest
    return None, node


def _outside(product: Node, live: Collection[Node]) -> Node | None:
    """Write a product with its numbers outside; None where they had better stay."""
    (one, a), (two, b) = map(_number, product.args)
    numbers = [n for n in (one, two) if n is not None]
    if not numbers:
        return None
    data = a not in live and b not in live and any(n in live for n in numbers)
    if not data and not transposes(a, b):
        return None
    found = make("matmul", a, b)
    for number in numbers:
        found = make("mul", number, found)
    return found
