"""Tell labels from rows of targets, and refuse what is neither."""

import ast
from typing import TYPE_CHECKING

from symgrad import shapes
from symgrad.errors import ParseError, ShapeError, SymgradError
from symgrad.graph import Node
from symgrad.ops import Op
from symgrad.shapes import Shape

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

JUDGED = ("target(", "wrong(")  # in a formula: it tells labels from rows of targets


def check_loss(reader: "Reader", tree: ast.AST, row: Op, node: Node) -> None:
    """Refuse the targets of a loss when it is typed, not when its gradient is asked for."""
    if not row.reduction or reader.trusted:
        return
    a, t = node.args[:2]
    if JUDGED[0] in row.formula or (JUDGED[1] in row.formula and len(t.shape) < len(a.shape)):
        try:
            check_targets(a, t)
        except SymgradError as error:
            raise error.at(reader.span(tree), reader.source) from None


def check_targets(a: Node, t: Node) -> None:
    """Refuse targets that are neither labels nor rows of the shape of the scores."""
    name, fewer = t.attrs.get("name", ""), len(t.shape) < len(a.shape)
    said = f"'{name}' is {shapes.text(t.shape)} beside scores of {shapes.text(a.shape)}"
    if fewer and t.dtype != "int":
        hint = "labels are declared  y: labels[N, C]"
        if name:
            hint = f"labels are declared  {name}: label{'s' * bool(t.shape)}{_bracketed(a.shape)}"
        raise ParseError(f"{said}: neither labels nor rows of one-hot or soft targets" if name
                         else "the targets are neither labels nor rows of one-hot or soft targets",
                         hint=hint)  # fmt: skip
    if not fewer and t.shape[-1:] == (1,) != a.shape[-1:]:  # it would be broadcast over the classes
        raise ShapeError(
            said if name else "the targets" + said.removeprefix("''"),
            hint=f"labels have one axis fewer than the scores:  {name or 'y'}[:, 0];  one-hot or "
            "soft targets have the shape of the scores",
        )


def _bracketed(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"
