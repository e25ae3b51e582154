"""Diagonals of matrices that are typed with indices, S[i,i], and conditions such as i = j."""

from symgrad.graph import Node, topological
from symgrad.ops import OPS, make, value_of
from symgrad.rewrite.dangers import dangerous, risky
from symgrad.rewrite.tidy import kind, tidy

DEPTH = 6  # operators that are looked through


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
