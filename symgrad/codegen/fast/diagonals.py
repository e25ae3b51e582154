"""Read and change the diagonal of a matrix at its places, row by row: the rest is not gone through.

diag(S) is an entry of each row of S, and P + diag(v) is P with these entries changed (`marks`). So
S need not be kept for its diagonal, and no matrix is made that is 0 beside one.
"""

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.kinds import kind
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import make, remake

COMPUTED = ("ufunc", "elementwise", "matmul")  # of others NumPy gives the diagonal as a view
CHANGED = "only the diagonal is changed"


def diagonals(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write diagonals by the labels 0, 1, 2, … of the rows, where that saves an array.

    >>> from symgrad.ops import leaf
    >>> P, v = leaf("P", ("N", "N")), leaf("v", ("N",))
    >>> y = make("sum", make("add", make("exp", P), make("diag", v)))
    >>> [n.op for n in topological([diagonals([y], {}, False, "float64")[y]])][2:]
    ['arange', 'onehot', 'input', 'expand', 'mul', 'add', 'sum']
    """
    order = topological(roots)
    if not having(order, "diag", "eye"):
        return unchanged(order)
    tops = dict.fromkeys(roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = None
        if node not in tops and node.dtype == "float":
            found = _read(fresh) if node.op == "diag" else _changed(fresh)
        if found is None:
            return fresh
        count(fired, "only the diagonal is read" if node.op == "diag" else CHANGED, node)
        return found

    return rebuild(roots, change)


def _read(node: Node) -> Node | None:
    """Take the diagonal of what is computed as an entry of each row."""
    (a,) = node.args
    named = len(node.shape) == 1 and isinstance(node.shape[0], str)  # few entries gain nothing
    if not named or kind(a) not in COMPUTED or a.dtype != "float":
        return None
    return make("pick", a, make("arange", size=node.shape[0]))


def _changed(node: Node) -> Node | None:
    """Write P + diag(v), P - c I as changes of P at marked entries."""
    if node.op not in ("add", "sub") or len(node.shape) != 2 or not isinstance(node.shape[0], str):
        return None
    for k in (1, 0) if node.op == "add" else (1,):
        whole, value = node.args[1 - k], _on_diagonal(node.args[k])
        if value is None or whole.dtype != "float" or whole.shape != node.shape:
            continue
        hot = make("onehot", make("arange", size=node.shape[0]), size=node.shape[0])
        if value.shape:
            value = make("expand", value, axes=(1,))
        return make(node.op, whole, make("mul", hot, value))
    return None


def _on_diagonal(node: Node) -> Node | None:
    """Give v of diag(v), and c of c I."""
    if node.op == "mul" and any(a.op == "eye" for a in node.args):
        number = node.args[node.args[0].op == "eye"]
        return None if number.shape else number
    if node.op != "diag" or len(node.shape) != 2:
        return None
    (value,) = node.args
    return value.args[0] if value.op == "broadcast" and not value.args[0].shape else value
