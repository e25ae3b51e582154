"""Sums of products with rows that are looked up by i - j: products of matrices, then a view.

sum_k Q[i,k] R[j - i + n - 1, k], as of relative positions, multiplies by a window of R for each i.
The product Q R^T has all that is needed: row i of the result are entries of its row i, one place
further to the left for each i.
"""

from symgrad.graph import Graph, Node, rebuild
from symgrad.ops import make, remake
from symgrad.ops.slices import BACKWARDS, FULL
from symgrad.rewrite.contraction import contracted, own_axes
from symgrad.shapes import axes_of

Rows = tuple[Node, tuple[int, int, int], tuple[bool, bool]]  # the array, axes, which are backwards


def skewed_products(graph: Graph) -> Graph:
    r"""Multiply by the array that windows are cut from, not by its windows.

    >>> from symgrad.parse import parse
    >>> text = "Q: data[T, D]; R: data[2*T-1, D]\ns[i,j] = sum(Q[i,k]*R[j-i+T-1,k] for k in D)\ns"
    >>> skewed_products(parse(text)).output.op
    'skewed'
    """
    if not any(n.op == "windows" for n in graph.order()):
        return graph

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = _summed(fresh) if fresh.op == "sum" else None
        return found if found is not None and found.shape == fresh.shape else fresh

    return graph.mapped(rebuild(graph.outputs, change))


def _summed(total: Node) -> Node | None:
    """Write a sum over one of three axes; of two terms one has windows, the other is stretched."""
    (body,) = total.args
    if body.op != "mul" or len(body.shape) != 3 or total.attrs["keepdims"]:
        return None
    for table, other in (body.args, body.args[::-1]):
        terms = table.args if table.op == "add" else (table,)
        rows = [t for t in terms if _rows(t) is not None]
        if len(rows) != 1 or table.shape != body.shape or other.shape == body.shape == table.shape:
            continue
        found = _product(other, rows[0], axes_of(total.attrs["axis"], 3))
        rest = [t for t in terms if t is not rows[0]]
        if found is None or any(t.shape == body.shape and t.op != "expand" for t in rest):
            continue
        for term in rest:
            part = make("sum", make("mul", other, term), **total.attrs)
            found = make("add", contracted(part) or part, found)
        return found
    return None


def _rows(node: Node) -> Rows | None:
    """Read R[±i ± j + c, k]: R, where i, j and k stand, and whether i and j count backwards."""
    order: tuple[int, ...] = (0, 1, 2)
    backwards = [False, False, False]
    while node.op in ("transpose", "slice"):
        if node.op == "transpose":
            axes = node.attrs["axes"] or (2, 1, 0)
            order = tuple(order[axes.index(k)] for k in range(3)) if len(axes) == 3 else ()
        else:
            key = node.attrs["key"]
            if len(node.args[0].shape) != 3 or any(k not in (FULL, BACKWARDS) for k in key):
                return None
            backwards = [b != (key[order.index(k)] == BACKWARDS) for k, b in enumerate(backwards)]
        node = node.args[0]
    at = node.attrs
    if node.op != "windows" or len(node.shape) != 3 or (at["step"], at["gap"]) != (1, 1):
        return None
    if at["along"] != 0 or len(order) != 3 or backwards[order[1]]:
        return None
    i, k, j = order
    return node.args[0], (i, j, k), (backwards[i], backwards[j])


def _product(other: Node, rows: Node, over: tuple[int, ...]) -> Node | None:
    """Multiply an array with two of the axes by rows, over k or over i or j."""
    found, (other, own) = _rows(rows), own_axes(other, 3)
    if found is None or len(own) != 2 or len(over) != 1 or 1 in other.shape:
        return None
    table, (i, j, k), (back_i, back_j) = found
    if (over[0] == k and own[0 if own[1] == k else 1] == j) or over[0] == i:
        i, j, back_i, back_j = j, i, back_j, back_i  # i is the axis that the product keeps
    if k not in own if over[0] == k else k in own:
        return None
    if back_j:  # from behind both count the other way
        table, back_i = _turned(table), not back_i
    if over[0] == k:
        left = other if own[1] == k else make("transpose", other, axes=None)
        left = left if back_i else _turned(left)
        wide = make("matmul", left, make("transpose", table, axes=None))
        result = make("skewed", wide)
    else:
        left = other if own == (i, j) else make("transpose", other, axes=None)
        left = left if back_i else _turned(left)
        result = make("matmul", make("unskewed", left), table)
    result = result if back_i else _turned(result)
    last = j if over[0] == k else k
    return result if i < last else make("transpose", result, axes=None)


def _turned(matrix: Node) -> Node:
    """Take the rows of a matrix from behind."""
    return make("slice", matrix, key=(BACKWARDS, FULL))
