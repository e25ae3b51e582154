"""Numbers and slices in a subscript, also those that are made of dimensions: x[1:], x[N - 1]."""

import ast
from typing import TYPE_CHECKING, Any

from symgrad.dims import Dim, minus, negative, plus
from symgrad.errors import ShapeError
from symgrad.ops.slices import Entry, part_fault
from symgrad.parse.arrays import size as dimension

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def integer(item: ast.expr) -> int | None:
    """Read a whole number that is typed out, also behind a minus; None for anything else."""
    sign = 1
    if isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.USub):
        sign, item = -1, item.operand
    if isinstance(item, ast.Constant) and type(item.value) is int:
        return sign * item.value
    return None


def bounds(reader: "Reader", item: ast.Slice) -> Entry:
    """Read start:stop:step of plain integers."""
    start, stop, step = (None if part is None else integer(part)
                         for part in (item.lower, item.upper, item.step))  # fmt: skip
    if step == 0:
        raise reader.error(item, "the step of a slice is not 0", "write x[::2] or x[::-1]")
    if step not in (None, 1):
        return start, stop, step
    return start or 0, "end" if stop is None else stop


def plain(item: ast.Slice) -> bool:
    """Say whether the ends of a slice are plain integers, and not dimensions."""
    ends = [part for part in (item.lower, item.upper, item.step) if part is not None]
    return all(integer(part) is not None for part in ends)


def ends(reader: "Reader", item: ast.Slice, size: Dim) -> tuple[Dim, Dim]:
    """Read the ends of z[:, :H], z[:, H:2*H] and x[-K:], which are made of dimensions."""
    for part in (item.lower, item.upper, item.step):
        if part is None or integer(part) is not None:
            continue
        named = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)}
        if part is item.step or not named <= {*reader.dims}:
            raise reader.error(part, "the ends of a slice are plain integers",
                               "or made of dimensions, x[:H]; its step is a number")  # fmt: skip
    if item.step is not None:
        raise reader.error(item.step, "a slice between dimensions has no step",
                           "x[:H] on a line of its own, then [::2]")  # fmt: skip
    start = 0 if item.lower is None else _end(reader, item.lower, size)
    stop = size if item.upper is None else _end(reader, item.upper, size)
    fault = part_fault(start, stop, size, reader.sizes)
    if start != 0 and negative(start):
        fault = f"[{start}:{stop}] does not fit a dimension of {size}"
    if fault:
        raise ShapeError(fault).at(reader.span(item), reader.source)
    return start, stop


def _end(reader: "Reader", tree: ast.expr, size: Dim) -> Dim:
    """Read an end; a negative one counts from behind."""
    number = integer(tree)
    if number is not None:
        return number if number >= 0 else plus(size, number)
    found = dimension(reader, tree, reader.dims)
    return plus(size, found) if negative(found) else found


def counted(reader: "Reader", item: ast.expr, size: Dim, alone: str = "") -> int | None:
    """Read x[N - 1], a place that is counted with dimensions, as x[-1]; None for anything else.

    `alone` is the array, if it has this one axis.
    """
    names = {n.id for n in ast.walk(item) if isinstance(n, ast.Name)}
    known = not isinstance(item, ast.Compare | ast.Call | ast.Subscript) and names
    if not known or not names <= {*reader.dims} - {*reader.index} - {*reader.variables}:
        return None
    behind = minus(dimension(reader, item), size)
    if isinstance(behind, int) and behind < 0:
        return behind
    shown = reader.quoted(item)
    if isinstance(behind, int):
        raise ShapeError(f"index {shown} is out of range for an axis of {size}",
                         hint=f"places go from 0 to {minus(size, 1)}, and [-1] is the last",
                         ).at(reader.span(item), reader.source)  # fmt: skip
    part = f"{shown}:{plus(dimension(reader, item), 1)}"
    hint = f"cut the slice {part} of this axis on a line of its own, and take its entry 0"
    if alone:
        hint = f"write {alone}[{part}][0]"
    raise reader.error(item, f"nothing says that {shown} is below {size}", hint)


def is_place(entry: Any) -> bool:
    """Tell the number of an entry from a slice."""
    return isinstance(entry, tuple) and len(entry) == 2 and entry[1] is None
