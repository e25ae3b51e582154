"""Numbers leave products of matrices, where the product is then the same for all their values.

In exp(b) Xᵀ X the slope in b is the sum of G ⊙ Xᵀ X, a product that is there; with the number
beside Xᵀ, as it is typed, it would be another product with X.
"""

from collections.abc import Collection, Iterable, Sequence

from symgrad.graph import Graph, Node, consumers, depends, having, rebuild
from symgrad.ops import make, remake
from symgrad.rewrite.matrices import transposes

SCALED = ("mul", "div")


def numbers_outside(graph: Graph, targets: Iterable[Node]) -> Graph:
    """Take numbers out of products of data, if they have a slope, and out of products Xᵀ X.

    So too out of products with vectors, 0.85 P r: the product has fewer entries than the matrix.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; b: param; A = b*X.T @ X; sum(A**3)")
    >>> numbers_outside(g, g.inputs).names["A"].op
    'mul'
    """
    order = graph.order()
    thin = _thin(order, {*graph.names.values(), *graph.outputs})
    if not thin and not any(n.op == "matmul" and any(_number(a)[0] for a in n.args) for n in order):
        return graph
    active = depends(order, targets)
    image: dict[Node, Node] = {}
    live = dict(active)  # the same of images

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = fresh
        if node.op == "matmul":
            k = next((k for k, a in enumerate(node.args) if a in thin), None)
            found = (_outside(fresh, live) or fresh) if k is None else _after(node, args, k, thin)
        if node in active:
            live[found] = None
        return found

    image = rebuild(graph.outputs, change)
    return graph.mapped(image)


def _thin(order: Sequence[Node], kept: Collection[Node]) -> dict[Node, int]:
    """List matrices times or over a number that serve in products with vectors only.

    With each goes the operand that is the matrix. It may be scaled itself: 0.85 P/c.
    """
    found: dict[Node, int] = {}
    scaled = [n for n in having(order, *SCALED) if len(n.shape) == 2 and n not in kept]
    if not scaled or not any(len(n.shape) == 1 for n in having(order, "matmul")):
        return found
    users = consumers(order)
    for node in reversed(scaled):
        k = 0 if node.args[0].shape else 1
        if node.args[k].shape != node.shape or node.args[1 - k].shape:
            continue
        if all(
            u in found or (u.op == "matmul" and len(u.args[1 - j].shape) == 1)
            for u, j in users[node]
        ):
            found[node] = k
    return found


def _after(node: Node, args: tuple[Node, ...], k: int, thin: dict[Node, int]) -> Node:
    """Multiply a vector by the matrix first, then by the numbers."""
    matrix, image, scaled = node.args[k], args[k], list[tuple[Node, int]]()
    while matrix in thin and image.op == matrix.op:
        side = thin[matrix]
        scaled.append((image, side))
        matrix, image = matrix.args[side], image.args[side]
    product = make("matmul", *(image if j == k else a for j, a in enumerate(args)))
    for by, side in reversed(scaled):
        product = make(by.op, *(product if j == side else a for j, a in enumerate(by.args)))
    return product


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
