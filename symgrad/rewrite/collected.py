"""Products of matrices in a sum: equal ones are counted, common factors are taken out."""

from typing import Any

from symgrad.graph import Graph, Node, having, rebuild
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake
from symgrad.rewrite.cost import tree_size
from symgrad.rewrite.matrices import chain, turned_beside
from symgrad.rewrite.tidy import fit, kept, kind, printed, tidy

SIGNS = {"add": "sub", "sub": "add"}
MOST = 100  # terms that a product is compared with: sums of any length take linear time


def common_product(node: Node) -> Node | None:
    """Write A x + B x as (A + B) x, also where b stands between: A x + b + B x."""
    b = node.args[1]
    if not _product(_without_factors(b)[2]):
        return None
    for term, op, way in reversed(_terms(node)):
        joined = _joined(op, term, b)
        if joined is not None:
            while way is not None:
                way, total, k = way
                pair = (total.args[0], joined) if k else (joined, total.args[1])
                joined = tidy(total.op, pair, {})
            return joined
    return None


def _terms(node: Node) -> list[tuple[Node, str, Any]]:
    """List the terms before b in a sum, the nearest first: the sign of b beside each, its sums."""
    a, b = node.args
    todo: list[tuple[Node, str, Any]] = [(a, node.op, None)]
    found: list[tuple[Node, str, Any]] = []
    while todo and len(found) < MOST:
        term, op, way = todo.pop()
        if kind(term) not in SIGNS:
            found.append((term, op, way))
        elif all(n.shape == b.shape for n in (term, *term.args)):
            turned = op if term.op == "add" else SIGNS[op]
            todo += (term.args[0], op, (way, term, 0)), (term.args[1], turned, (way, term, 1))
    return found


def _product(node: Node) -> bool:
    return kind(node) == "matmul" or (kind(node) == "outer" and printed())


def _without_factors(node: Node) -> tuple[bool, tuple[tuple[str, Node], ...], Node]:
    """Split off a sign and the numbers above and below the line; a program keeps them."""
    negative, found = False, []
    while printed() and node.shape:
        if kind(node) == "neg":
            negative, node = not negative, node.args[0]
        elif kind(node) == "mul" and not node.args[0].shape:
            found.append(("mul", node.args[0]))
            node = node.args[1]
        elif kind(node) == "div" and not node.args[1].shape:
            found.append(("div", node.args[1]))
            node = node.args[0]
        else:
            break
    return negative, tuple(found), node


def _joined(op: str, a: Node, b: Node) -> Node | None:
    """Join two products, each with the same numbers before it."""
    (minus, numbers, a), (turned, others, b) = _without_factors(a), _without_factors(b)
    if numbers != others or a.shape != b.shape:
        return None
    total = _common_factor(op if minus == turned else SIGNS[op], a, b)
    if total is None:
        return None
    for how, by in reversed(numbers):
        total = tidy("mul", (by, total), {}) if how == "mul" else tidy("div", (total, by), {})
    return tidy("neg", (total,), {}) if minus else total


def _common_factor(op: str, a: Node, b: Node) -> Node | None:
    """Join two products that are equal, or have a factor in common on the same side."""
    if not _product(a) or kind(a) != kind(b):
        return None
    if a.op == "matmul" and chain(a) == chain(b):  # (A X) t + A (X t)
        if op == "sub":
            return fit(const(0), a.shape)
        shorter = min(a, b, key=lambda n: tree_size(n, kept()))
        return tidy("mul", (const(2), shorter), {})
    for side in (1, 0):
        other = 1 - side
        if len(a.args[side].shape) == 1 and not printed():
            continue  # a sum of matrices takes longer than another product with a vector
        if a.args[side] is b.args[side] and a.args[other].shape == b.args[other].shape:
            total = tidy(op, (a.args[other], b.args[other]), {})
            return tidy(a.op, (total, a.args[1]) if side else (a.args[0], total), {})
    return None


def one_product(graph: Graph) -> Graph:
    """Multiply once what a program multiplies twice: A W - B W is (A - B) W.

    Products that have a name, or that others read, stay.

    >>> from symgrad.parse import parse
    >>> one_product(parse("A: data[N, D]; B: data[N, D]; W: param[D, K]; A @ W - B @ W")).output.op
    'matmul'
    """
    order = graph.order()
    sums = [n for n in having(order, *SIGNS) if all(a.op == "matmul" for a in n.args)]
    if not sums:
        return graph
    alone = read_once(order, [*graph.outputs, *graph.names.values()])
    image: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        joined = node in sums and all(n in alone for n in node.args)
        a, b = args if joined else (node, node)
        for side in (1, 0) if joined and a.op == b.op == "matmul" else ():
            one, two = a.args[1 - side], b.args[1 - side]
            if a.args[side] is b.args[side] and one.shape == two.shape and a.args[side].shape[1:]:
                total = make(node.op, one, two)
                return make("matmul", *((total, a.args[1]) if side else (a.args[0], total)))
        return remake(node, args)

    rebuild(graph.outputs, change, image, only=tuple(SIGNS))
    return graph.mapped(image)


def turned_term(node: Node) -> Node | None:
    """Write (G - A)ᵀ + G as G - Aᵀ + G where G is symmetric, so that equal terms meet."""
    if not printed() or len(node.shape) != 2:
        return None
    images = tuple(turned_beside(a) or a for a in node.args)
    if images == node.args or any(a.shape != node.shape for a in images):
        return None
    return tidy(node.op, images, {})
