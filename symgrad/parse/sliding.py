"""Read places that move with several indices, the i + k of x[i + k], as windows that slide."""

import ast
from typing import TYPE_CHECKING

from symgrad.dims import Dim, plus, times
from symgrad.ops.windows import rows_of
from symgrad.parse.affine import Affine, Cuts, Slide, affine

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def slid(reader: "Reader", item: ast.expr, axis: int, length: Dim, cuts: Cuts) -> tuple[str, ...]:
    """Read x[i + k] as windows, which are put among the cuts; give its indices, outer ones first.

    () for anything else. Of x[i + j + k], windows for j + k are cut into windows themselves.
    """
    found = affine(reader, item)
    if found is None or len(found.slopes) < 2:
        return ()
    order = [name for name in reader.index if name in found.slopes]
    for name in order:
        if reader.index[name] is None:
            reader.lookup(item, name)  # which says that the range is not known
    low, high = cuts.reach(reader, item, found, axis, length)
    length = plus(length, *cuts.padded.get(axis, ()))
    widths = _widths(reader, found, order)
    first, second = (abs(found.slopes[name]) for name in order[:2])
    gap = second if len(order) == 2 else 1
    whole = low == 0 and rows_of(length, widths[0], first, gap) == reader.index[order[0]]
    if not whole:
        cuts.cut(axis, low, plus(high, 1), length)
    place = axis
    for k, (name, width) in enumerate(zip(order[:-1], widths, strict=True)):
        last = k == len(order) - 2
        step, gap = abs(found.slopes[name]), abs(found.slopes[order[-1]]) if last else 1
        turned = found.slopes[name] < 0, last and found.slopes[order[-1]] < 0
        cuts.slid.append(Slide(place, width, step, gap, turned))
        place = -1
    return tuple(order)


def _widths(reader: "Reader", found: Affine, order: list[str]) -> list[Dim]:
    """Count the places of all further indices behind each; the last one counts as its own range."""
    sizes = [reader.index[name] or 0 for name in order]
    widths: list[Dim] = [sizes[-1]]
    reach = times(abs(found.slopes[order[-1]]), plus(sizes[-1], -1))
    for name, size in zip(order[-2:0:-1], sizes[-2:0:-1], strict=True):
        reach = plus(reach, times(abs(found.slopes[name]), plus(size, -1)))
        widths.insert(0, plus(reach, 1))
    return widths
