"""Sums of entries that a condition chooses: a product with the condition, of what has one axis.

Σ_j {x_j if c_ij, else 0} is the matrix of ones and zeros c times x, if x is finite. What does not
change along the axis that is added up comes after the sum.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from symgrad.errors import ShapeError
from symgrad.graph import Node, consumers, having, rebuild, topological, unchanged
from symgrad.ops import OPS, const, make, remake, value_of
from symgrad.rewrite.contraction import own_axes
from symgrad.rewrite.dangers import risky
from symgrad.shapes import axes_of


def masked_sums(roots: Iterable[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Map every node to its image: sums of rows and columns of cases are products.

    >>> from symgrad.ops import leaf
    >>> x, c = leaf("x", ("M",)), make("gt", leaf("C", ("N", "M")), const(0))
    >>> total = make("sum", make("where", c, x, const(0)), axis=1)
    >>> masked_sums([total], ())[total].op
    'row_sums'
    """
    roots = tuple(roots)
    order = topological(roots)
    wanted = {n: None for n in having(order, "sum") if _case(n.args[0]) is not None}
    users = consumers(order)
    kept = dict.fromkeys([*roots, *named])
    wanted = {n: None for n in wanted if n.args[0] not in kept and _added_up(n.args[0], users)}
    if not wanted:
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = _summed(fresh) if node in wanted else None
        return fresh if found is None or found.shape != node.shape else found

    return rebuild(roots, change)


def _added_up(case: Node, users: Mapping[Node, Sequence[tuple[Node, int]]]) -> bool:
    """Say whether nothing but sums reads a case: otherwise it is there."""
    return all(user.op == "sum" for user, _ in users[case])


def _case(node: Node) -> tuple[Node, Node] | None:
    """Give the condition and the value of a matrix that is 0 where a matrix of conditions says."""
    if len(node.shape) != 2:
        return None
    if node.op == "where" and value_of(node.args[2]) == 0:
        c, x = node.args[:2]
    elif node.op == "mul":
        c, x = node.args if node.args[0].dtype == "bool" else node.args[::-1]
    else:
        return None
    own = c.dtype == "bool" and c.shape == node.shape and c.op not in ("expand", "broadcast")
    return (c, x) if own and x.dtype == "float" else None


def _summed(total: Node) -> Node | None:
    """Add up a case along rows, columns or both, by what has one axis; None if nothing has."""
    found = _case(total.args[0])
    if found is None or total.attrs["keepdims"]:
        return None
    c, x = found
    over = axes_of(total.attrs["axis"], 2)
    if len(over) == 2:
        return _of_all(c, x)
    (axis,) = over
    factors, inner = _split(x, c.shape, 1 - axis)
    along = _vector(inner, c.shape, axis) if inner is not None else None
    if along is not None:
        return _times(factors, make("row_sums" if axis else "column_sums", c, along))
    if not factors or inner is None or inner.shape != c.shape:
        return None
    case = make("where", c, inner, const(0))
    return _times(factors, make("sum", case, axis=axis))


def _of_all(c: Node, x: Node) -> Node | None:
    """Weight the sums of rows where the weights are a factor of all entries."""
    factors, inner = _split(x, c.shape, 0)
    weights = [f for f in factors if f.shape]
    if inner is None or not weights or inner.shape != c.shape:
        return None
    rows = make("sum", make("where", c, inner, const(0)), axis=1)
    return make("sum", _times(factors, rows))


def _times(factors: list[Node], total: Node) -> Node:
    """Multiply a sum; where it is 0 it stays so, whatever the factors are."""
    for factor in factors:
        product = make("mul", factor, total)
        if factor.shape and risky(factor):
            product = make("where", make("ne", total, const(0)), product, const(0))
        total = product
    return total


def _split(x: Node, shape: tuple[object, ...], axis: int) -> tuple[list[Node], Node | None]:
    """Split off the factors of a product that are numbers, or have one axis only."""
    factors: list[Node] = []
    rest: list[Node] = []
    todo = [x]
    while todo:
        part = todo.pop()
        if not part.shape:
            factors.append(part)
        elif (vector := _vector(part, shape, axis)) is not None:
            factors.append(vector)
        elif part.op == "mul":
            todo += part.args[::-1]
        elif part.op == "neg":
            factors.append(const(-1))
            todo += part.args
        else:
            rest.append(part)
    inner = None
    for part in rest:
        inner = part if inner is None else make("mul", inner, part)
    return factors, inner


def _vector(node: Node, shape: tuple[object, ...], axis: int) -> Node | None:
    """Give a value that has one axis of a matrix only without the other; None for another."""
    if not node.shape:
        return None
    bare, own = own_axes(node, 2)
    if own == (axis,):
        return bare if bare.shape == (shape[axis],) else None
    row = OPS.get(node.op)
    if axis or row is None or row.shape != "elementwise" or node.shape != (shape[0], 1):
        return None
    parts = [a if not a.shape else _vector(a, shape, axis) for a in node.args]
    try:
        return None if None in parts else make(node.op, *parts, **node.attrs)  # type: ignore[arg-type]
    except ShapeError:
        return None
