"""Say how a lowered node is computed: by one ufunc, a reduction, a product, a view, or text."""

import ast
from functools import lru_cache

import numpy as np

from symgrad.evaluate import template
from symgrad.graph import Node
from symgrad.ops import OPS
from symgrad.ops.spec import letters

REDUCERS = {"sum": "np.add.reduce", "amax": "np.maximum.reduce", "amin": "np.minimum.reduce"}
VIEWS = ("transpose", "expand", "broadcast", "slice", "reshape", "part")
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
    arrays = any(a.shape for a in node.args)
    if not node.shape and not arrays and node.op != "pick":
        return "scalar"
    if node.op in VIEWS:
        return "view"
    if node.op in REDUCERS:
        return "reduce"
    if node.op == "matmul":
        return "matmul"
    row = OPS[node.op]
    if row.shape == "elementwise" and node.shape:
        return "ufunc" if node.dtype != "int" and ufunc(node) else "elementwise"
    if node.op == "onehot" and len(node.shape) == 2:
        return "rows"
    if node.op == "pick" and len(node.shape) == 1:
        return "rows"
    return "other"


def ufunc(node: Node) -> str:
    """Name the one ufunc that a row's template calls on its operands in order, else ""."""
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
