"""Say over what an index ranges: for j in C, with conditions in the place of range(…)."""

import ast
from typing import TYPE_CHECKING

from symgrad.errors import ParseError
from symgrad.parse.limits import MAX_CONSTANTS

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def no_range(reader: "Reader", index: str, source: ast.expr) -> ParseError:
    """Say over what an index ranges: for j in C."""
    known = ", ".join(reader.dims) or "none is declared"
    hint = f"dimensions: {known}"
    if isinstance(source, ast.Call):
        called = reader.quoted(source.func)
        hint = (
            f"write  for {index} in {_limits(reader, index, source)}  without {called}();  {hint}"
        )
    return reader.error(source, "an index ranges over a dimension, or a number up to "
                        f"{MAX_CONSTANTS}, not over {reader.quoted(source)}", hint)  # fmt: skip


def _limits(reader: "Reader", index: str, call: ast.Call) -> str:
    """Write range(i + 1, N) as a dimension and conditions: N if j > i."""
    if not call.args:
        return "N"
    start, stop = (
        call.args[0] if len(call.args) > 1 else None,
        call.args[min(len(call.args), 2) - 1],
    )
    last, conditions = reader.quoted(stop), []
    if (
        isinstance(start, ast.BinOp)
        and isinstance(start.op, ast.Add)
        and (ast.unparse(start.right) == "1")
    ):
        conditions.append(f"{index} > {reader.quoted(start.left)}")
    elif start is not None and ast.unparse(start) != "0":
        conditions.append(f"{index} >= {reader.quoted(start)}")
    if isinstance(stop, ast.Name | ast.Constant) and last not in reader.index:
        return " ".join([last, *(f"if {c}" for c in conditions)])
    named = [n.id for n in ast.walk(stop) if isinstance(n, ast.Name) and n.id in reader.dims]
    size = (named or [str(reader.index.get(last) or "")])[0] or next(iter(reader.dims), "N")
    return " ".join([size, *(f"if {c}" for c in [*conditions, f"{index} < {last}"])])
