"""Multiply by diagonal matrices row by row or column by column, not as matrices.

D A of D = diag(v) are the rows of A times the entries of v, so N K products for N² K. The diagonal
of A B are inner products of rows of A and columns of B.
"""

from collections.abc import Collection

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.schedule import turned
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake
from symgrad.rewrite.contraction import own_axes


def diagonal_products(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write diag(v) A and c I A without a product of matrices.

    >>> from symgrad.ops import leaf
    >>> v, A = leaf("v", ("N",)), leaf("A", ("N", "K"))
    >>> y = make("matmul", make("diag", v), A)
    >>> [a.op for a in diagonal_products([y], {}, False, "float64")[y].args]
    ['expand', 'input']
    """
    order = topological(roots)
    if not having(order, "diag", "eye"):
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = _scaled(fresh) if node.op == "matmul" else None
        if found is None or found.shape != node.shape:
            return fresh
        count(fired, "diagonal matrices without products of matrices", node)
        return found

    return rebuild(roots, change)


def _scaled(product: Node) -> Node | None:
    """Scale the other matrix, or the vector."""
    if max(len(a.shape) for a in product.args) > 2:
        return None
    for k, part in enumerate(product.args):
        scales = _diagonal(part)
        if scales is None:
            continue
        found = product.args[1 - k]
        matrix = len(found.shape) == 2
        for scale in scales:
            column = matrix and not k and bool(scale.shape)
            scale = make("expand", scale, axes=(1,)) if column else scale
            found = make("mul", scale, found)
        return found
    return None


def _diagonal(node: Node) -> list[Node] | None:
    """Give the numbers and the vectors whose product is the diagonal of a diagonal matrix."""
    if turned(node):
        return _diagonal(node.args[0])
    if node.op == "eye":
        return []
    if node.op == "diag" and len(node.shape) == 2:
        return [node.args[0]]
    if node.op not in ("mul", "div") or len(node.shape) != 2:
        return None
    number, matrix = sorted(node.args, key=lambda a: len(a.shape))
    if node.op == "div":
        number = make("div", const(1), number)
    inner = _diagonal(matrix) if not number.shape else None
    return None if inner is None else [*inner, number]


def vectors_scaled(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Scale a vector, not the matrix that multiplies it: (A ⊙ v) x is A (v ⊙ x), (u ⊙ A) x too.

    The diagonal of A B needs inner products only.

    >>> from symgrad.ops import leaf
    >>> A, v, x = leaf("A", ("N", "K")), leaf("v", ("K",)), leaf("x", ("K",))
    >>> y = make("matmul", make("mul", A, v), x)
    >>> [a.op for a in vectors_scaled([y], {}, False, "float64")[y].args]
    ['input', 'mul']
    """
    order = topological(roots)
    products = [n for n in having(order, "matmul") if len(n.shape) == 1]
    tables = [a for n in products for a in n.args if len(a.shape) == 2]
    tables += [a.args[0] for a in tables if a.op == "transpose"]
    if "mul" not in [a.op for a in tables] and not having(order, "diag"):
        return unchanged(order)
    alone = read_once(order, roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op == "diag" and len(node.shape) == 1 and node.dtype == "float":
            found = _diagonal_of(args[0], node.args[0], alone)
            return fresh if found is None or found.shape != node.shape else found
        if node.op != "matmul" or len(node.shape) != 1:
            return fresh
        for k, part in enumerate(node.args):
            inner = part.args[0] if turned(part) else part
            if {part, inner} <= alone.keys():
                found = _behind(args, k)
                if found is not None and found.shape == node.shape:
                    count(fired, "a vector is scaled, not the matrix beside it", node)
                    return found
        return fresh

    return rebuild(roots, change)


def _behind(args: tuple[Node, ...], k: int) -> Node | None:
    """Scale the vector before the product, or what comes of it."""
    matrix, vector = args[k], args[1 - k]
    turn = turned(matrix)
    table = matrix.args[0] if turn else matrix
    if table.op != "mul" or len(table.shape) != 2 or len(vector.shape) != 1:
        return None
    for scale, rest in (table.args, table.args[::-1]):
        inner, own = own_axes(scale, 2)
        if rest.shape != table.shape or rest.dtype != "float" or inner.dtype != "float":
            continue
        if len(own) != 1 or inner.shape != (table.shape[own[0]],):
            continue
        bare = make("transpose", rest, axes=None) if turn else rest
        contracted = (own[0] != turn) != bool(k)  # the axis that is added up: the last of a left
        if contracted:
            vector = make("mul", inner, vector)
        product = make("matmul", *((vector, bare) if k else (bare, vector)))
        return product if contracted else make("mul", inner, product)
    return None


def _diagonal_of(table: Node, old: Node, alone: Collection[Node]) -> Node | None:
    """Give the diagonal of a table that nothing else reads, which was `old`; None if it is made."""
    if old not in alone or old.op != table.op:
        return None
    if turned(table):
        return _diagonal_of(table.args[0], old.args[0], alone) or make("diag", table.args[0])
    if table.op in ("add", "sub", "neg", "mul") and all(a.shape != () for a in table.args):
        parts = [_diagonal_of(*pair, alone) for pair in zip(table.args, old.args, strict=True)]
        alike = all(a.shape == table.shape for a in table.args)
        if alike and all(part is not None for part in parts):
            return make(table.op, *[part for part in parts if part is not None])
    if table.op == "mul" and not all(a.shape for a in table.args):
        k = int(not table.args[0].shape)
        inner = _diagonal_of(table.args[k], old.args[k], alone)
        return None if inner is None else make("mul", table.args[1 - k], inner)
    if (outer := _outer(table, False)) is not None:
        return make("mul", *outer)
    return _inner_products(table) if table.op == "matmul" else None


def _inner_products(product: Node) -> Node | None:
    """Multiply rows by columns for the diagonal of a product; that of A (x y') is A x ⊙ y."""
    left, right = product.args
    if any(len(a.shape) != 2 or a.dtype != "float" for a in product.args):
        return None
    right = right.args[0] if turned(right) else make("transpose", right, axes=None)
    if left.shape != right.shape:
        return None
    for one, other in ((left, right), (right, left)):
        if (outer := _outer(one.args[0] if turned(one) else one, turned(one))) is not None:
            return make("mul", outer[0], make("matmul", other, outer[1]))
    return make("sum", make("mul", left, right), axis=1)


def _outer(table: Node, turn: bool) -> tuple[Node, Node] | None:
    """Give the column and the row whose product a table is, or those of its transpose."""
    if table.op != "mul" or len(table.shape) != 2:
        return None
    (a, own), (b, other) = [own_axes(part, 2) for part in table.args]
    if sorted([own, other]) != [(0,), (1,)] or a.dtype != "float" or b.dtype != "float":
        return None
    return (a, b) if own == (int(turn),) else (b, a)
