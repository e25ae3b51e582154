"""Take one-hot columns out of a sum: entries are changed once all rows of the rest are there.

A loop goes along rows, and the entry of a column may be in any row. So P - e_y' - Q is P - Q, in
the loop, and then an entry of each column less (`marks`), with no table of zeros and ones.
"""

from collections.abc import Collection

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.schedule import turned
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake

SUMS = ("add", "sub")


def columns_marked(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write c (P - e_y' - Q) as c (P - Q) - c e_y'.

    >>> from symgrad.ops import leaf
    >>> P, y, c = leaf("P", ("N", "N")), leaf("y", ("N", "N"), "labels"), leaf("c")
    >>> hot = make("transpose", make("onehot", y, size="N"), axes=None)
    >>> top = make("exp", make("mul", c, make("sub", make("sub", P, hot), make("exp", P))))
    >>> [a.op for a in columns_marked([top], {}, False, "float64")[top].args[0].args]
    ['mul', 'mul']
    """
    order = topological(roots)
    if not any(map(_column, having(order, "transpose"))):
        return unchanged(order)
    alone = read_once(order, roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = None
        if node.op in (*SUMS, "mul") and len(node.shape) == 2 and node not in roots:
            found = _outside(node, args, alone)
        if found is None or found.shape != node.shape:
            return fresh
        count(fired, "an entry of each column is changed", node)
        return found

    return rebuild(roots, change)


def _outside(node: Node, args: tuple[Node, ...], alone: Collection[Node]) -> Node | None:
    """Write (x - T) + b as (x + b) - T, and c (x - T) as c x - c T, for one-hot columns T."""
    for k, inner in enumerate(args):
        other = args[1 - k]
        parts = _parts(inner) if node.args[k] in alone else None
        if parts is None or (node.op == "mul" and other.shape):
            continue
        x, op, column = parts
        pair = (other, x) if k else (x, other)
        if node.op == "mul":
            column = make("mul", other, column)
        elif node.op == "sub" and k:
            op = SUMS[op == "add"]
        return make(op, make(node.op, *pair), column)
    return None


def _parts(total: Node) -> tuple[Node, str, Node] | None:
    """See a sum as another array and a multiple of one-hot columns that is added or taken off."""
    if total.op in SUMS:
        for k in (1, 0) if total.op == "add" else (1,):
            if _multiple(total.args[k]) and total.args[1 - k].shape == total.shape:
                return total.args[1 - k], total.op, total.args[k]
    return None


def _multiple(term: Node) -> bool:
    """Say whether a term is one-hot columns, or a number times these."""
    if term.op == "mul" and len(term.shape) == 2:
        number, term = sorted(term.args, key=lambda a: len(a.shape))
        return not number.shape and _column(term)
    return _column(term)


def _column(node: Node) -> bool:
    """Say whether each column of a matrix has one entry, a 1 at its label."""
    return turned(node) and node.args[0].op == "onehot"
