"""What is known of matrices: which are symmetric, what a unit matrix does in a product."""

from symgrad.graph import Node, topological
from symgrad.ops import OPS, make, value_of
from symgrad.rewrite.forms import dangerous, risky
from symgrad.rewrite.tidy import fit, kind, tidy

DEPTH = 6
CHAIN = 12  # factors of a product that are looked at
LINEAR = ("add", "sub", "mul", "div", "neg", "matmul")


def symmetric(node: Node, depth: int = DEPTH) -> bool:
    """Know that a matrix is its own transpose, from what it is made of.

    >>> from symgrad.ops import leaf
    >>> X = leaf("X", ("N", "D"))
    >>> symmetric(make("inv", make("matmul", make("transpose", X), X)))
    True
    """
    if depth == 0 or len(node.shape) != 2 or node.shape[0] != node.shape[1]:
        return False
    if node.op == "input":
        return bool(node.attrs["kind"] == "symmetric")
    if node.op == "add" and _turned(*node.args):
        return True
    if node.op in ("add", "sub", "mul", "div", "neg", "inv", "where"):
        return all(not a.shape or symmetric(a, depth - 1) for a in node.args)
    if node.op == "transpose":
        return symmetric(node.args[0], depth - 1)
    if node.op == "matmul":  # A^T S A, C^-1 S C^-1
        factors = chain(node)
        half, odd = divmod(len(factors), 2)
        pairs = zip(factors[:half], reversed(factors), strict=False)
        middle = not odd or symmetric(factors[half], depth - 1)
        return middle and all(_turned(a, b) or (a is b and symmetric(a, depth - 1))
                              for a, b in pairs)  # fmt: skip
    if node.op == "outer":
        return node.args[0] is node.args[1]
    if node.op == "broadcast":
        return not node.args[0].shape
    return node.op in ("eye", "diag") or compares_places(node)


def compares_places(node: Node) -> bool:
    """Say whether a condition on a matrix is i = j, or i != j, of its row and its column.

    >>> i = make("arange", size="N")
    >>> compares_places(make("ne", make("expand", i, axes=(1,)), i))
    True
    """
    if node.op not in ("eq", "ne") or len(node.shape) != 2:
        return False
    row, column = sorted(node.args, key=lambda a: len(a.shape), reverse=True)
    column = column.args[0] if _inserted(column, (0,)) else column
    return _inserted(row, (1,)) and row.args[0] is column and column.op == "arange"


def _inserted(node: Node, axes: tuple[int, ...]) -> bool:
    return node.op == "expand" and node.attrs["axes"] == axes


def _turned(a: Node, b: Node) -> bool:
    """Say whether two matrices are the transposes of one another."""
    for one, other in ((a, b), (b, a)):
        if one.op == "transpose" and one.args[0] is other:
            return len(other.shape) == 2
    return False


def diagonal(node: Node) -> Node | None:
    """Write the sum of A_ij 1[i = j] over a row or column as the diagonal, that as the trace.

    >>> from symgrad.ops import const, leaf
    >>> A, i = leaf("A", ("N", "N")), make("arange", size="N")
    >>> alone = make("where", make("eq", make("expand", i, axes=(1,)), i), A, const(0))
    >>> diagonal(make("sum", alone, axis=1)) is make("diag", A)
    True
    """
    (a,) = node.args
    if kind(a) == "diag" and len(a.shape) == 1 and not node.shape:
        return make("trace", *a.args)
    if a.op != "where" or a.args[0].op != "eq" or value_of(a.args[2]) != 0:
        return None
    if not compares_places(a.args[0]) or a.args[1].shape != a.shape:
        return None
    image = _on_diagonal(a.args[1], DEPTH)
    if image is None or image.shape != a.shape[:1]:
        return None
    if not node.shape:
        image = make("trace", *image.args) if image.op == "diag" else make("sum", image)
    return image if (image.shape, image.dtype) == (node.shape, node.dtype) else None


def _on_diagonal(a: Node, depth: int) -> Node | None:
    """Give the diagonal of an array; what may fail beside it is computed on it only.

    The slope of log(A)_ii would be 0/0 where A_ij is 0.
    """
    if len(a.shape) < 2:
        return a
    if len(a.shape) > 2 or not depth:
        return None
    if a.shape[0] != a.shape[1]:
        return a.args[0] if _inserted(a, (1,)) and len(a.args[0].shape) == 1 else None
    inside = topological([a], stop=lambda n: not _entrywise(n))
    if not any(_entrywise(n) and dangerous(n) for n in inside):
        return make("diag", a)
    parts = [_on_diagonal(b, depth - 1) for b in a.args]
    if any(p is None for p in parts):
        return None
    return make(a.op, *(p for p in parts if p is not None), **a.attrs)


def _entrywise(node: Node) -> bool:
    return node.op in OPS and OPS[node.op].shape == "elementwise"


def entrywise_diagonal(node: Node) -> Node | None:
    """Write diag(diag(A) - 1) entry by entry, as A ⊙ I - I: for formulas that are printed."""
    (a,) = node.args
    unit = make("eye", size=node.shape[0])
    if kind(a) == "diag":  # 0 times infinity, beside the diagonal, would be no number
        return None if risky(a.args[0]) else make("mul", a.args[0], unit)
    if kind(a) not in ("add", "sub") or not any(kind(b) == "diag" for b in a.args):
        return None
    parts = [tidy("mul", (b, unit), {}) if not b.shape else entrywise_diagonal(make("diag", b))
             for b in a.args]  # fmt: skip
    if parts[0] is None or parts[1] is None:
        return None
    return tidy(a.op, (parts[0], parts[1]), {})


def chain(product: Node) -> list[Node]:
    """List the factors of a product of matrices and vectors, from left to right.

    >>> from symgrad.ops import leaf
    >>> A, x = leaf("A", ("D", "D")), leaf("x", ("D",))
    >>> chain(make("matmul", A, make("matmul", A, x))) == [A, A, x]
    True
    """
    found: list[Node] = []
    todo = [product]
    while todo:
        part = todo.pop()
        if part.op == "matmul" and all(1 <= len(a.shape) <= 2 for a in part.args):
            todo += part.args[::-1]
        else:
            found.append(part)
        if len(found) + len(todo) > CHAIN:
            return [product]  # too long to be looked at
    return found


def turned_inside(node: Node) -> Node | None:
    """Transpose a sum or a product factor by factor, where that takes no more transposes.

    >>> from symgrad.ops import leaf
    >>> X, Y = leaf("X", ("N", "D")), leaf("Y", ("D", "N"))
    >>> turned_inside(make("sub", make("transpose", Y), X)).args[0] is Y
    True
    """
    return None if _transposes(node, CHAIN) > 0 else _inside(node)


def _transposes(node: Node, depth: int) -> int:
    """Count how many transposes are added by turning what a matrix is made of.

    A vector cannot be turned: it lies along the rows of what it is added to.
    """
    if len(node.shape) < 2:
        return 10**6 if node.shape else 0
    if kind(node) == "transpose" and node.attrs["axes"] is None:
        return -1
    if kind(node) in LINEAR and depth and len(node.shape) == 2:
        return sum(_transposes(a, depth - 1) for a in node.args)
    return 0 if symmetric(node) else 1


def _inside(node: Node) -> Node:
    if len(node.shape) < 2:
        return node
    if kind(node) == "transpose" and node.attrs["axes"] is None:
        return node.args[0]
    if kind(node) in LINEAR and len(node.shape) == 2:
        args = tuple(_inside(a) for a in node.args)
        return tidy(node.op, args[::-1] if node.op == "matmul" else args, node.attrs)
    return node if symmetric(node) else make("transpose", node)


def shorter_product(node: Node) -> Node | None:
    """Drop unit matrices, and a matrix beside its inverse."""
    a, b = node.args
    if kind(a) == "eye" and len(b.shape) <= 2:
        return b
    if kind(b) == "eye" and len(a.shape) <= 2:
        return a
    for diagonal, other in ((a, b), (b, a)):
        if kind(diagonal) == "diag" and len(diagonal.args[0].shape) == len(other.shape) == 1:
            return tidy("mul", (diagonal.args[0], other), {})
    if len(a.shape) != 2 or len(b.shape) != 2:
        return None
    if kind(a) == kind(b) == "transpose":
        a, b = a.args[0], b.args[0]
    inverse = (kind(a) == "inv" and a.args[0] is b) or (kind(b) == "inv" and b.args[0] is a)
    if inverse:
        return make("eye", size=node.shape[-1])
    return _part_inverse(*node.args)


def _part_inverse(a: Node, b: Node) -> Node | None:
    """Write (A B)^-1 A as B^-1, and so for transposes, where A is square."""
    turned = kind(a) == kind(b) == "transpose"
    if turned:  # the transpose of a product is that of the factors the other way round
        a, b = b.args[0], a.args[0]
    for whole, part, side in ((a, b, 0), (b, a, 1)):
        inner = whole.args[0] if kind(whole) == "inv" else whole
        if kind(inner) != "matmul" or inner is whole or len(set(part.shape)) != 1:
            continue
        # (A B)^-1 A = B^-1 and B (A B)^-1 = A^-1
        if inner.args[side] is part and len(inner.args[1 - side].shape) == 2:
            result = tidy("inv", (inner.args[1 - side],), {})
            return tidy("transpose", (result,), {"axes": None}) if turned else result
    return None


def repeated(node: Node) -> Node | None:
    """Multiply a repeated column or row once: A times v in all columns is A v in all of them."""
    for k, operand in enumerate(node.args):
        inner = operand.args[0] if kind(operand) == "broadcast" else operand
        if inner is operand or kind(inner) != "expand" or len(inner.shape) != 2:
            continue
        vector, other = inner.args[0], node.args[1 - k]
        if len(vector.shape) != 1 or inner.attrs["axes"] != (k,) or len(other.shape) != 2:
            continue
        product = tidy("matmul", (other, vector) if k else (vector, other), {})
        return fit(make("expand", product, axes=(k,)), node.shape)
    return None


def shorter_transpose(node: Node) -> Node | None:
    """Know the matrices that are their own transpose, and sums that are easily turned."""
    (a,) = node.args
    if node.attrs["axes"] is not None or len(a.shape) != 2:
        return None
    if symmetric(a):
        return a
    return turned_inside(a) if kind(a) in ("add", "sub") else None


def shorter_sum(node: Node) -> Node | None:
    """Write the sum of A ⊙ I as a trace."""
    (a,) = node.args
    if node.shape or kind(a) != "mul":
        return None
    for unit, other in (a.args, a.args[::-1]):
        if unit.op == "eye" and other.shape == unit.shape:
            return tidy("trace", (other,), {})
    return None


def log_determinant(node: Node) -> Node | None:
    """log(det(A)), and log|det(A)|, are computed without the determinant, which overflows."""
    (a,) = node.args
    a = a.args[0] if a.op == "abs" else a
    return make("logdet", *a.args) if a.op == "det" else None
