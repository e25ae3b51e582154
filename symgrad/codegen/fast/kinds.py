"""Say how a lowered node is computed: by one ufunc, a reduction, a product, a view, or text."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from string import ascii_lowercase

import numpy as np

from symgrad.evaluate import template
from symgrad.graph import Node
from symgrad.ops import OPS, value_of
from symgrad.ops.largest import over_window
from symgrad.ops.slices import FULL
from symgrad.ops.spec import letters
from symgrad.shapes import axes_of

REDUCERS = {"sum": "np.add.reduce", "amax": "np.maximum.reduce", "amin": "np.minimum.reduce"}
VIEWS = ("transpose", "expand", "broadcast", "slice", "reshape", "part")
MORE_VIEWS = ("diag", "windows", "skewed")  # written as text, and NumPy gives a view as well
LEAVES = ("input", "const", "dim")
OPERATORS: dict[type, str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
    ast.Pow: "power", ast.USub: "negative", ast.Gt: "greater", ast.GtE: "greater_equal",
    ast.Lt: "less", ast.LtE: "less_equal", ast.Eq: "equal", ast.NotEq: "not_equal",
    ast.BitAnd: "logical_and",
}  # fmt: skip


def kind(node: Node) -> str:
    """Name the way in which a node is computed.

    >>> from symgrad.ops import leaf, make
    >>> x = leaf("x", ("N",))
    >>> kind(make("exp", x)), kind(make("sum", x)), kind(make("log", leaf("a")))
    ('ufunc', 'reduce', 'scalar')
    """
    if node.op in LEAVES:
        return "leaf"
    if not node.shape and node.op != "pick" and not any(a.shape for a in node.args):
        return "scalar"
    if node.op in VIEWS:
        return "view"
    if node.op in REDUCERS:
        return "other" if node.op == "amax" and over_window(node) else "reduce"
    if node.op == "matmul":  # of two conditions NumPy would make a condition
        return "other" if all(a.dtype == "bool" for a in node.args) else "matmul"
    row = OPS[node.op]
    if row.shape == "elementwise" and node.shape:
        single = node.dtype != "int" and not _misread(node) and ufunc(node)
        return "ufunc" if single else "elementwise"
    if node.op == "onehot" and len(node.shape) == 2:
        return "rows"
    if node.op == "pick" and len(node.shape) == 1:
        return "rows"
    if _gathers(node):
        return "gathered"
    if _rowwise(node):
        return "rowwise"
    return "other"


def _gathers(node: Node) -> bool:
    """Say whether a node takes a row of a table for each label: row k needs label k, and all rows.

    A loop takes them tile by tile; whole, they may be many times as large as the table.
    """
    if node.op != "take" or node.attrs["axis"] != 0:
        return False
    table, places = node.args
    return table.dtype == "float" and len(places.shape) == 1


def _rowwise(node: Node) -> bool:
    """Say whether row k of a result needs row k of the operands only, as of norms along rows."""
    shape = node.args[0].shape if node.args else ()
    if node.op == "concatenate":
        plain = all(a.dtype == "float" and a.op not in ("broadcast", "expand") for a in node.args)
        return plain and node.attrs["axis"] % len(shape) > 0
    if OPS[node.op].shape not in ("reduce", "like a") or len(shape) < 2 or len(node.args) > 1:
        return False
    axis = node.attrs.get("axis")
    return axis is not None and 0 not in axes_of(axis, len(shape))


def _misread(node: Node) -> bool:
    """Say whether a ufunc would take conditions for something else than the numbers 0 and 1.

    NumPy adds two of them by `or`, and computes the sine of one in float16.
    """
    masks = [a.dtype for a in node.args].count("bool")
    alone = masks == 1 and node.op in ("add", "sub", "mul")
    return masks > 0 and not (alone or node.dtype == "bool")


def powers_of_two(node: Node) -> bool:
    """Say whether a node is 2**b: NumPy has a ufunc for that, which takes b alone."""
    return node.op == "pow" and value_of(node.args[0]) == 2 and node.args[1].dtype != "bool"


def ufunc(node: Node) -> str:
    """Name the one ufunc that a row's template calls on its operands in order, else ""."""
    if powers_of_two(node):
        return "exp2"
    return _single(template(node), letters(OPS[node.op], len(node.args)))


@lru_cache(maxsize=1024)
def _single(text: str, names: tuple[str, ...]) -> str:
    if not text:
        return ""
    bare = text
    for name in names:
        for strength in ("", ":5", ":6", ":10", ":11", ":20", ":21", ":25", ":30", ":31", ":40"):
            bare = bare.replace("{" + name + strength + "}", name)
    try:
        tree = ast.parse(bare, mode="eval").body
    except SyntaxError:
        return ""
    operands: list[ast.expr]
    if isinstance(tree, ast.BinOp):
        name, operands = OPERATORS.get(type(tree.op), ""), [tree.left, tree.right]
    elif isinstance(tree, ast.UnaryOp):
        name, operands = OPERATORS.get(type(tree.op), ""), [tree.operand]
    elif isinstance(tree, ast.Compare) and len(tree.ops) == 1:
        name, operands = OPERATORS.get(type(tree.ops[0]), ""), [tree.left, *tree.comparators]
    elif isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute) and not tree.keywords:
        name, operands = tree.func.attr, tree.args
        if ast.unparse(tree.func.value) != "np":
            return ""
    else:
        return ""
    found = getattr(np, name, None) if name else None
    plain = [o.id if isinstance(o, ast.Name) else "" for o in operands] == list(names)
    return name if plain and isinstance(found, np.ufunc) else ""


def below_views(node: Node, kinds: Mapping[Node, str]) -> Node:
    """Look through views, as a vector beside a matrix."""
    while kinds[node] == "view":
        node = node.args[0]
    return node


def kinds(
    order: Iterable[Node], users: Mapping[Node, Sequence[tuple[Node, int]]]
) -> dict[Node, str]:
    """Name the ways in which nodes are computed; what would be copied at each reading is made once.

    >>> from symgrad.graph import topological
    >>> from symgrad.graph.walk import consumers
    >>> from symgrad.ops import leaf, make
    >>> X = make("transpose", leaf("X", ("N", "T", "D")), axes=(1, 0, 2))
    >>> rows = make("reshape", X, shape=("N*T", "D"))
    >>> order = topological([make("matmul", make("transpose", rows, axes=None), rows)])
    >>> kinds(order, consumers(order))[rows]
    'other'
    """
    return {n: "other" if n.op == "reshape" and _copied(n, users) else kind(n) for n in order}


def _copied(node: Node, users: Mapping[Node, Sequence[tuple[Node, int]]]) -> bool:
    """Say whether rows of moved axes, which are no view, are read again."""
    (moved,) = node.args
    return moved.op in ("transpose", "windows") and len(moved.shape) > 2 and len(users[node]) > 1


def gaps(node: Node) -> bool:
    """Say whether an array is cut out of another along inner axes: np.vdot would copy it."""
    inner = node.op == "slice" and any(entry != FULL for entry in node.attrs["key"][1:])
    return inner and len(node.shape) <= len(ascii_lowercase)


def of_sizes(order: Iterable[Node], kinds: Mapping[Node, str]) -> dict[Node, None]:
    """Find the numbers that sizes alone decide, as 1/N: they are the same in every call."""
    found: dict[Node, None] = {}
    for node in order:
        if kinds[node] == "scalar" and all(
            a in found or a.op in ("const", "dim") for a in node.args
        ):
            found[node] = None
    return found
