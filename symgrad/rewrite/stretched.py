"""Vectors that are stretched over a matrix, as books print them: u v^T, not (u 1^T) ⊙ v.

These rules are for formulas that are printed: a program multiplies entry by entry as fast.
"""

from functools import reduce

from symgrad.graph import Node, Signed, factors_of, having, rebuild, summands, topological
from symgrad.ops import const, make, remake
from symgrad.rewrite.cost import FREE, LIMIT
from symgrad.rewrite.diagonals import compares_places
from symgrad.rewrite.matrices import parity
from symgrad.rewrite.summed import as_matrices, sum_of_product
from symgrad.rewrite.tidy import fit, kept, kind, tidy
from symgrad.shapes import axes_of

DEPTH = 4  # operations between a vector and where it is stretched
MOST = 8  # factors
ENTRYWISE = ("mul", "div", "neg", "pow")


def outer_product(node: Node) -> Node | None:
    """Write a product of columns and rows as an outer product, (u 1^T) ⊙ v as u v^T.

    >>> from symgrad.ops import leaf
    >>> u, v = leaf("u", ("N",)), leaf("v", ("D",))
    >>> product = make("mul", make("expand", u, axes=(1,)), v)
    >>> outer_product(product) is make("outer", u, v)
    True
    """
    if len(node.shape) != 2:
        return None
    numbers: list[Node] = []
    columns: list[Node] = []
    rows: list[Node] = []
    factors = factors_of(node, lambda n: n is node or kind(n) == "mul", MOST)
    for factor in factors:
        if not factor.shape:
            numbers.append(factor)
        elif kind(factor) == "outer":
            columns.append(factor.args[0])
            rows.append(factor.args[1])
        elif (column := along(factor, 0)) is not None:
            columns.append(column)
        elif (row := along(factor, 1)) is not None:
            rows.append(row)
        else:
            return None
    if not columns or not rows or len(factors) - len(numbers) < 2:  # or it is one already
        return None
    if any(n.dtype != "float" for n in (*columns, *rows)):
        return None
    sides = [reduce(lambda a, b: tidy("mul", (a, b), {}), side) for side in (columns, rows)]
    product = tidy("outer", tuple(sides), {})
    if product.shape != node.shape:
        return None
    return reduce(lambda a, b: tidy("mul", (b, a), {}), numbers, product)


def over_outer(node: Node) -> Node | None:
    """Divide by one side of an outer product what holds it as a factor: (P ⊙ r)/(r c^T) is P/c.

    >>> from symgrad.ops import leaf
    >>> P, r, c = leaf("P", ("N", "D")), leaf("r", ("N",)), leaf("c", ("D",))
    >>> top = make("mul", P, make("expand", r, axes=(1,)))
    >>> over_outer(make("div", top, make("outer", r, c))).args[1] is c
    True
    """
    top, low = node.args
    if low.op != "outer" or kind(top) != "mul":
        return None
    column = make("expand", low.args[0], axes=(1,))
    factors = factors_of(top, lambda n: n is top or kind(n) == "mul", MOST)
    for side, other in ((column, low.args[1]), (low.args[1], column)):
        if side in factors:
            rest = [f for f in factors if f is not side]
            if len(rest) == len(factors) - 1:
                product = reduce(lambda a, b: tidy("mul", (a, b), {}), rest)
                found = tidy("div", (product, other), {})
                return found if found.shape == node.shape else None
    return None


def along(node: Node, axis: int, depth: int = DEPTH) -> Node | None:
    """Give the vector of which a matrix repeats the entries along its other axis, if there is one.

    >>> from symgrad.ops import const, leaf
    >>> u = leaf("u", ("N",))
    >>> along(make("pow", make("expand", u, axes=(1,)), const(2)), 0).op
    'pow'
    """
    if len(node.shape) == 1:
        return node if axis == 1 and node.shape != (1,) else None
    if kind(node) == "expand":
        inner = node.args[0]
        good = len(inner.shape) == 1 and inner.shape != (1,) and node.attrs["axes"] == (1 - axis,)
        return inner if good else None
    if kind(node) not in ENTRYWISE or not depth or len(node.shape) != 2:
        return None
    parts = [a if not a.shape else along(a, axis, depth - 1) for a in node.args]
    if any(p is None for p in parts):
        return None
    result = tidy(node.op, tuple(p for p in parts if p is not None), node.attrs)
    return result if len(result.shape) == 1 else None


def summed(node: Node) -> Node | None:
    """Write a sum over axes without stretched arrays; of a matrix A = A^T or -A^T, along rows."""
    (a,) = node.args
    if node.attrs["axis"] in (0, (0,)) and not node.attrs["keepdims"] and (sign := parity(a)):
        along_rows = make("sum", a, axis=1, keepdims=False)
        return along_rows if sign > 0 else make("neg", along_rows)
    return as_matrices(node, kept()) or summed_apart(node)


def filled(node: Node) -> Node | None:
    """Write a product with an array that is filled with a number as one with the number.

    >>> from symgrad.ops import const, leaf
    >>> ones = make("broadcast", const(1), shape=("N", "D"))
    >>> filled(make("mul", ones, leaf("x", ("D",)))).args[0].op
    'input'
    """
    for number, other in (node.args, node.args[::-1]):
        if kind(number) == "broadcast" and not number.args[0].shape and other.shape:
            return fit(tidy("mul", (number.args[0], other), {}), node.shape)
    return None


def summed_apart(node: Node) -> Node | None:
    """Add up differences of stretched vectors term by term: sum_j w_ij (x_i - x_j).

    >>> from symgrad.ops import leaf
    >>> W, x = leaf("W", ("N", "N")), leaf("x", ("N",))
    >>> apart = make("sub", make("expand", x, axes=(1,)), x)
    >>> total = summed_apart(make("sum", make("mul", W, apart), axis=1))
    >>> [a.op for a in total.args]  # x sum_j w_ij - W x
    ['mul', 'matmul']
    """
    (body,) = node.args
    rank = len(body.shape)
    over = axes_of(node.attrs["axis"], rank)
    if node.attrs["keepdims"] or len(over) == rank or kind(body) not in ("mul", "add", "sub"):
        return None
    factors = factors_of(body, kind, MOST)
    sums = [f for f in factors if kind(f) in ("add", "sub")]
    apart = next((f for f in sums if all(_thin(a, body) for a, _ in plain_summands(f))), None)
    if apart is None:
        return None
    rest = [f for f in factors if f is not apart]
    total: Node | None = None
    for term, less in plain_summands(apart):
        product = reduce(lambda a, b: make("mul", a, b), [*rest, term])
        piece = sum_of_product(product, body.shape, over, kept())
        if piece is None:
            return None
        total = piece if total is None else tidy("sub" if less else "add", (total, piece), {})
    assert total is not None
    total = fit(total, node.shape)
    return total if _length(total) <= _length(node) else None


def plain_summands(node: Node, most: int = MOST) -> list[Signed]:
    """List the terms of a sum; what has a name, or a sign, is one."""
    return summands(node, lambda n: kind(n) in ("add", "sub"), most)


def _thin(term: Node, whole: Node) -> bool:
    """Say whether a term is an array that is stretched over more axes."""
    return kind(term) == "expand" or 0 < len(term.shape) < len(whole.shape)


def _length(root: Node) -> int:
    """Count the operations as printed, and how often an array is stretched."""
    sizes: dict[Node, int] = {}
    atoms = kept()
    for node in topological([root], stop=atoms.__contains__):
        own = int(node.op == "expand" or node.op not in FREE)
        sizes[node] = 0 if node in atoms else min(LIMIT, own + sum(sizes[a] for a in node.args))
    return sizes[root]


def spelled_out(root: Node) -> Node:
    """Write a matrix whose rows or columns are all alike as such, 1 x^T, x 1^T, and 1[i = j] as I.

    >>> from symgrad.ops import leaf
    >>> spelled_out(make("broadcast", leaf("x", ("D",)), shape=("N", "D"))).op
    'outer'
    """
    root = _with_units(root)
    if len(root.shape) != 2 or kind(root) != "broadcast" or 1 in root.shape:
        return root
    for axis in (0, 1):
        vector = along(root.args[0], axis)
        if vector is not None and vector.dtype == "float":
            ones = fit(const(1), root.shape[1 - axis :][:1])
            return tidy("outer", (vector, ones) if axis == 0 else (ones, vector), {})
    return root


def _with_units(root: Node) -> Node:
    """Write 1[i = j] as the unit matrix where it is a term or a factor beside a matrix."""
    named = kept()
    order = topological([root], stop=named.__contains__)
    units = {n: make("eye", size=n.shape[0])
             for n in having(order, "eq") if compares_places(n)}  # fmt: skip
    if not units:
        return root

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op in ("add", "sub", "mul") and node.args[0].shape == node.args[1].shape:
            image = make(node.op, *(units.get(a, a) for a in args))
            if (image.shape, image.dtype) == (node.shape, node.dtype):
                return image
        return remake(node, args)

    return rebuild([root], change, {n: n for n in order if n in named})[root]
