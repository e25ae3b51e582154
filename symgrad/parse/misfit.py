"""What is said about operands that do not fit: which they are, their shapes, and what would fit."""

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgrad import shapes
from symgrad.errors import ShapeError, SymgradError
from symgrad.graph import Node
from symgrad.ops import OPS, make, value_of
from symgrad.ops.spec import typed_name
from symgrad.shapes import Dim

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader, Tree

SYMBOL = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@"}
SIGNS = {**SYMBOL, "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
ALONE = re.compile(r"[\w.]+")  # what needs no brackets: x, X.T, x[0], exp(x).T
INSIDE = re.compile(r"\([^()]*\)|\[[^][]*\]")
SHORT = 24  # characters of an operand that is quoted in a message


def explain(
    reader: "Reader", tree: "Tree", op: str, nodes: Sequence[Node], error: ShapeError
) -> None:
    """Name the operands of an error and their shapes, and say what would fit."""
    if reader.trusted:
        return  # a row's own text; the place and the names are given where it is used
    whole = reader.quoted(tree)
    listed = [_given(reader, n, whole) for n in nodes if n.shape or value_of(n) is None]
    said = error.message
    for lead in _leads(op, nodes):
        said = said.removeprefix(lead)
    name = tree.func.id if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) else ""
    if not name and op in SIGNS and len(nodes) == 2:
        first, second = (_given(reader, n) for n in nodes)
        error.message = f"{first} {SIGNS[op]} {second}: {said}"
    elif listed and not OPS[op].hidden and op != "slice":
        error.message = f"{name or typed_name(op)} of {' and '.join(listed)}: {said}"
    elif listed:
        error.message = f"{' and '.join(listed)}: {said}"
    error.hint = error.hint or _advice(reader, name, op, nodes, error)


def _leads(op: str, nodes: Sequence[Node]) -> list[str]:
    """List how a message may begin that knows the shapes only."""
    known = [shapes.text(n.shape) for n in nodes]
    return [f"{op} of shapes {' and '.join(known)}: ", f"{' @ '.join(known)}: "]


def called(reader: "Reader", node: Node) -> str:
    """Give the name of a value, or its text where that is short; "" where there is neither."""
    for name, known in reader.variables.items():
        if known is node:
            return name
    number = value_of(node)
    if number is not None:
        return str(number)
    noted = reader.spans.get(node)
    if noted is None or node.op == "expand":
        return ""
    text = reader.quoted(noted, SHORT)
    if text.endswith("…"):
        return ""
    shortened = INSIDE.sub("", INSIDE.sub("", text))  # without what stands in brackets
    return text if ALONE.fullmatch(shortened) else f"({text})"


def _given(reader: "Reader", node: Node, whole: str = "") -> str:
    """Write an operand with its shape; one made on the way has the text of the whole."""
    name = called(reader, node)
    return (
        f"{'' if whole and whole in (name, name[1:-1]) else name} {shapes.text(node.shape)}".strip()
    )


def _advice(reader: "Reader", name: str, op: str, nodes: Sequence[Node], error: ShapeError) -> str:
    """Say what to do about operands that do not fit."""
    pair = len(nodes) == 2
    if pair and op in SIGNS and (turned := _turned(reader, op, nodes)):
        return turned
    if op == "matmul" and pair:
        return _product(reader, nodes)
    if op == "stack":
        return "all arrays of a stack have one shape"
    if OPS[op].shape == "elementwise" or error.message.endswith("differ"):
        return _entries(reader, nodes)
    return f"symgrad ops {name or typed_name(op)}  shows what it takes"


def _turned(reader: "Reader", op: str, nodes: Sequence[Node]) -> str:
    """Say which transpose would fit, or which column of a matrix a vector could be."""
    for k in (1, 0) if op != "matmul" else ():
        who, other = called(reader, nodes[k]), nodes[1 - k].shape
        column = len(nodes[k].shape) == 1 and len(other) == 2
        if who.isidentifier() and column and nodes[k].shape[0] == other[0]:
            return f"{who}[:, None] would fit: one number per row"
    for k in (1, 0):
        who, rank = called(reader, nodes[k]), len(nodes[k].shape)
        if rank == 2 and _fit(op, nodes, k, make("transpose", nodes[k])):
            turned = who.removesuffix(".T") if who.endswith(".T") else f"{who}.T"
            return f"{turned if who else 'its transpose .T'} would fit"
    return ""


def _fit(op: str, nodes: Sequence[Node], k: int, node: Node) -> bool:
    changed = [node if j == k else n for j, n in enumerate(nodes)]
    params = {p: v for p, v in OPS[op].params.items()}
    try:
        make(op, *changed, **params)
    except SymgradError:
        return False
    a, b = (n.shape for n in changed)  # N and 3 may be equal, which is no reason for a transpose
    if op == "matmul":
        return a[-1] == (b[0] if len(b) == 1 else b[-2])
    pairs = zip(reversed(a), reversed(b), strict=False)
    return all(p == q or 1 in (p, q) for p, q in pairs)


def _product(reader: "Reader", nodes: Sequence[Node]) -> str:
    a, b = nodes
    names = [called(reader, n) or letter for n, letter in zip(nodes, "ab", strict=True)]
    if not a.shape or not b.shape or a.shape == b.shape:
        return f"write {names[0]}*{names[1]} for a product entry by entry"
    inner: Dim = b.shape[0] if len(b.shape) == 1 else b.shape[-2]
    left = "columns" if len(a.shape) > 1 else "entries"
    right = "rows" if len(b.shape) > 1 else "entries"
    return (
        f"as many {left} on the left ({a.shape[-1]}) as {right} on the right ({inner}) are needed"
    )


def _entries(reader: "Reader", nodes: Sequence[Node]) -> str:
    """Say how a vector beside an array would have to be declared, or what broadcasting asks."""
    widest = max(nodes, key=lambda n: len(n.shape))
    last = widest.shape[-1] if widest.shape else 1
    for node in nodes:
        if node.op == "input" and len(node.shape) == 1 and node.shape[0] != last:
            name, kind = node.attrs["name"], node.attrs["kind"]
            if node is not widest and kind != "integer" and node.dtype == "float":
                return f"it would fit as  {name}: {kind}[{last}]"
    return "sizes are compared from the last axis on: they are equal, or one of them is 1"
