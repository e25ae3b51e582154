"""Say over what an index ranges: for j in C, with conditions in the place of range(…)."""

import ast
from typing import TYPE_CHECKING

from symgrad.errors import ParseError
from symgrad.parse.limits import MAX_CONSTANTS

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def no_range(reader: "Reader", index: str, source: ast.expr) -> ParseError:
    """Say over what an index ranges: for j in C."""
    hint = f"dimensions: {', '.join(reader.dims)}"
    size = source.id if isinstance(source, ast.Name) else ""
    if isinstance(source, ast.Call):
        size, conditions = _limits(reader, index, source)
        limits = " ".join([size, *(f"if {c}" for c in conditions)])
        write = f"write  for {index} in {limits}  without {reader.quoted(source.func)}()"
        hint = f"{write};  {hint}" if reader.dims else write
    if not (reader.dims or size.isdecimal()):
        size = size or "N"
        declare = f"a dimension is declared with an input:  x: real[{size}]"
        hint = f"{hint};  {declare}" if hint.startswith("write") else declare
    return reader.error(source, "an index ranges over a dimension, or a number up to "
                        f"{MAX_CONSTANTS}, not over {reader.quoted(source)}", hint)  # fmt: skip


def _limits(reader: "Reader", index: str, call: ast.Call) -> tuple[str, list[str]]:
    """Write range(i + 1, N) as a dimension and conditions: N if j > i."""
    if not call.args:
        return next(iter(reader.dims), "N"), []
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
    if last in reader.dims or isinstance(stop, ast.Constant):
        return last, conditions
    names = [n.id for n in ast.walk(stop) if isinstance(n, ast.Name)]
    named = [n for n in names if n in reader.dims] or [str(reader.index.get(last) or "")]
    free = [n for n in names if not (n in reader.variables or n in reader.index)]
    size = named[0] or next(iter(reader.dims), free[0] if free else "N")
    if last == size:
        return size, conditions
    return size, [*conditions, f"{index} < {last}"]
