"""What is known of matrices: which are symmetric, what a unit matrix does in a product."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce

from symgrad.graph import Node
from symgrad.ops import OPS, make, value_of
from symgrad.rewrite.diagonals import compares_places
from symgrad.rewrite.tidy import fit, kind, printed, tidy

_WHOLE: ContextVar[bool] = ContextVar("whole", default=False)
DEPTH = 8
CHAIN = 12  # factors of a product that are looked at
LINEAR = ("add", "sub", "mul", "div", "neg", "matmul")


@contextmanager
def whole_inverses() -> Iterator[None]:
    """Leave (Xᵀ A X)^-1 whole beside a part of it, as it may stand in other terms too."""
    token = _WHOLE.set(True)
    try:
        yield
    finally:
        _WHOLE.reset(token)


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
    if node.op == "add" and (transposes(*node.args) or _across(*node.args)):
        return True  # also q_i + q_j, as in the squares of distances
    if compares_places(node):
        return True
    if node.op == "inv" or OPS[node.op].shape == "elementwise":
        return all(not a.shape or symmetric(a, depth - 1) for a in node.args)
    if node.op == "transpose":
        return symmetric(node.args[0], depth - 1)
    if node.op == "matmul":  # A^T S A, C^-1 S C^-1
        factors = [_without_number(a) for a in chain(node)]  # (2 X) X^T too
        half, odd = divmod(len(factors), 2)
        pairs = zip(factors[:half], reversed(factors), strict=False)
        middle = not odd or symmetric(factors[half], depth - 1)
        return middle and all(transposes(a, b) or (a is b and symmetric(a, depth - 1))
                              for a, b in pairs)  # fmt: skip
    if node.op == "outer":
        return node.args[0] is node.args[1]
    if node.op == "broadcast":
        return not node.args[0].shape
    own = "own_distances", "own_lengths", "own_scaled_distances"
    return node.op in ("eye", "diag", *own)


def _without_number(node: Node) -> Node:
    """Take a number off a matrix that is multiplied by it."""
    if node.op != "mul" or len(node.shape) != 2:
        return node
    return next((b for a, b in (node.args, node.args[::-1]) if not a.shape), node)


def parity(node: Node, depth: int = DEPTH) -> int:
    """Give 1 for a matrix that is its own transpose, -1 for one that is minus it, 0 for others.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",))
    >>> parity(make("sub", make("expand", x, axes=(1,)), x))
    -1
    """
    if depth == 0 or len(node.shape) != 2 or node.shape[0] != node.shape[1]:
        return 0
    if node.op == "sub" and _across(*node.args):
        return -1
    own = [parity(a, depth - 1) if a.shape else 1 for a in node.args]
    if node.op in ("mul", "div"):
        return own[0] * own[1]
    if node.op == "neg" or (node.op in ("add", "sub") and own[0] == own[1] != 0):
        return own[0]
    power = value_of(node.args[1]) if node.op == "pow" else None
    if power is not None and float(power).is_integer():
        return own[0] if power % 2 else abs(own[0])
    return int(symmetric(node, depth))


def _across(a: Node, b: Node) -> bool:
    """Say whether one vector stands in the rows of a matrix, the same in the columns of another."""
    for one, other in ((a, b), (b, a)):
        if one.op == "expand" and one.attrs["axes"] == (1,) and len(one.args[0].shape) == 1:
            return other is one.args[0]
    return False


def transposes(a: Node, b: Node) -> bool:
    """Say whether two matrices are the transposes of one another."""
    for one, other in ((a, b), (b, a)):
        if one.op == "transpose" and one.args[0] is other:
            return len(other.shape) == 2
    return False


def chain(product: Node) -> list[Node]:
    """List the factors of a product of matrices and vectors, from left to right.

    >>> from symgrad.ops import leaf
    >>> A, x = leaf("A", ("D", "D")), leaf("x", ("D",))
    >>> chain(make("matmul", A, make("matmul", A, x))) == [A, A, x]
    True
    """
    return _factors(product, lambda n: n.op)


def same_products(atoms: list[Node]) -> dict[Node, tuple[Node, bool]]:
    """Map products of the same factors to the first of them: (A X) t is A (X t)."""
    first: dict[tuple[Node, ...], Node] = {}
    products = [a for a in atoms if a.op == "matmul"]
    if len(products) < 2:
        return {}
    return {a: (first.setdefault(tuple(chain(a)), a), False) for a in products}


def links(product: Node) -> list[Node]:
    """List the factors of a product as `chain` does, but leave named ones whole."""
    return _factors(product, kind)


def _factors(product: Node, op: Callable[[Node], str]) -> list[Node]:
    found: list[Node] = []
    todo = [product]
    while todo:
        part = todo.pop()
        if op(part) == "matmul" and all(1 <= len(a.shape) <= 2 for a in part.args):
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


def turned_beside(node: Node) -> Node | None:
    """Transpose a sum in which a matrix is symmetric term by term, if that takes no more turns.

    >>> from symgrad.ops import leaf
    >>> A, G = leaf("A", ("N", "N")), leaf("G", ("N", "N"), "symmetric")
    >>> turned_beside(make("transpose", make("sub", G, A))) is make("sub", G, make("transpose", A))
    True
    """
    if kind(node) != "transpose" or kind(node.args[0]) not in ("add", "sub"):
        return None
    if len(node.shape) != 2 or node.attrs["axes"] is not None:
        return None
    known = any(a.shape == node.shape and symmetric(a) for a in node.args[0].args)
    return _inside(node.args[0]) if known and _transposes(node.args[0], CHAIN) < 2 else None


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
    left, right = kind(a), kind(b)
    if left == "eye" and len(b.shape) <= 2:
        return b
    if right == "eye" and len(a.shape) <= 2:
        return a
    for diagonal, other in ((a, b), (b, a)) if "diag" in (left, right) else ():
        if kind(diagonal) == "diag" and len(diagonal.args[0].shape) == len(other.shape) == 1:
            return tidy("mul", (diagonal.args[0], other), {})
    cancelled = _cancelled(links(node)) if printed() and not _WHOLE.get() else None
    if cancelled is not None:
        return cancelled
    if len(a.shape) != 2 or len(b.shape) != 2:
        return None
    if left == right == "transpose":
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
        if kind(whole) != "inv":
            continue
        inner = whole.args[0]
        if kind(inner) != "matmul" or len(set(part.shape)) != 1:
            continue
        # (A B)^-1 A = B^-1 and B (A B)^-1 = A^-1
        if inner.args[side] is part and len(inner.args[1 - side].shape) == 2:
            result = tidy("inv", (inner.args[1 - side],), {})
            return tidy("transpose", (result,), {"axes": None}) if turned else result
    return None


def _cancelled(factors: list[Node]) -> Node | None:
    """Write A X (Xᵀ A X)^-1 as X^-ᵀ, where A X is square, and so where the product goes on."""
    for j, link in enumerate(factors):
        if kind(link) != "inv":
            continue
        inner = links(link.args[0])
        for m in range(len(inner), 0, -1):
            square = inner[0].shape[0] == inner[m - 1].shape[1]
            if square and factors[j + 1 : j + 1 + m] == inner[:m]:
                return _times([*factors[:j], *_inverse(inner[m:]), *factors[j + 1 + m :]], link)
            tail = inner[len(inner) - m :]
            square = tail[0].shape[0] == tail[-1].shape[1]
            if square and m <= j and factors[j - m : j] == tail:
                rest = _inverse(inner[: len(inner) - m])
                return _times([*factors[: j - m], *rest, *factors[j + 1 :]], link)
    return None


def _inverse(factors: list[Node]) -> list[Node]:
    """Give the inverse of a product; of no factors, nothing."""
    if not factors:
        return []
    product = reduce(lambda a, b: tidy("matmul", (a, b), {}), factors)
    return [tidy("inv", (product,), {})]


def _times(factors: list[Node], square: Node) -> Node:
    """Multiply matrices, a vector at the end first; without any it is the unit matrix."""
    if not factors:
        return make("eye", size=square.shape[-1])
    if len(factors[-1].shape) == 1:
        return reduce(lambda v, a: tidy("matmul", (a, v), {}), reversed(factors[:-1]), factors[-1])
    return reduce(lambda a, b: tidy("matmul", (a, b), {}), factors)


def repeated(node: Node) -> Node | None:
    """Multiply a repeated column or row once: A times v in all columns is A v in all of them."""
    for k, operand in enumerate(node.args):
        inner = operand.args[0] if kind(operand) == "broadcast" else operand
        if inner is not operand and not inner.shape and not printed():
            return _constant(inner, node, k)
        if inner is operand or kind(inner) != "expand" or len(inner.shape) != 2:
            continue
        vector, other = inner.args[0], node.args[1 - k]
        if len(vector.shape) != 1 or inner.attrs["axes"] != (k,) or len(other.shape) != 2:
            continue
        product = tidy("matmul", (other, vector) if k else (vector, other), {})
        return fit(make("expand", product, axes=(k,)), node.shape)
    return None


def _constant(number: Node, product: Node, k: int) -> Node | None:
    """Multiply by a matrix of one number: sums of the other's rows or columns, in all of them."""
    other = product.args[1 - k]
    if any(len(a.shape) != 2 for a in product.args):
        return None
    turned = kind(other) == "transpose"
    operand, axis = (other.args[0], 1 - k) if turned else (other, k)
    total = tidy("sum", (operand,), {"axis": axis, "keepdims": False})
    return fit(make("expand", tidy("mul", (number, total), {}), axes=(k,)), product.shape)


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
