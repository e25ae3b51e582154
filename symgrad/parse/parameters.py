"""Check the parameters of a call, and the numbers among its operands, where they are typed."""

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symgrad.ops import Op
from symgrad.ops.faults import unmet
from symgrad.parse.values import Val

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

REDUCTIONS = ("mean", "sum", "none")


def check_params(
    reader: "Reader", tree: ast.AST, row: Op, operands: Sequence[Val], params: dict[str, Any]
) -> None:
    """Refuse parameters of a wrong kind, and numbers of which the operator makes no sense."""
    for key, value in params.items():
        if key == "reduction" and value not in REDUCTIONS:
            raise reader.error(tree, f"reduction={value!r} is not known", "mean, sum or none")
        whole = isinstance(value, int) and not isinstance(value, bool)
        several = isinstance(value, tuple) and all(isinstance(v, int) for v in value)
        if key == "base" and not (value is None or _is_base(value)):
            raise reader.error(tree, f"base={value!r} is no base of a logarithm",
                               "a number above 0 that is not 1: base=2")  # fmt: skip
        if key == "axis" and not (value is None or whole or several):
            raise reader.error(tree, f"axis={value!r} is not an axis", "an integer, a tuple, None")
        if key == "keepdims" and not isinstance(value, bool):
            raise reader.error(tree, f"keepdims={value!r} is neither True nor False",
                               "write keepdims=True")  # fmt: skip
    fault = None if reader.trusted else unmet(row, [v.node for v in operands], params)
    if fault is not None:
        raise reader.error(tree, *fault)


def _is_base(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value != 1
