"""Say over what an index ranges: for j in C, for i in N - 1, for j in range(i + 1, N)."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from symgrad.dims import Dim, halved, minus, negative, plus
from symgrad.errors import ParseError
from symgrad.parse.affine import Affine, affine, between, growing, place, without_floors
from symgrad.parse.guards import ahead, ends, follows, inequalities
from symgrad.parse.limits import MAX_CONSTANTS
from symgrad.parse.values import Val

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


class Limit(NamedTuple):
    """Hold an end that moves with another index: `i + 1` of range(i + 1, N), with `ge`."""

    op: str
    bound: Affine

    def guard(self, name: str) -> Affine:
        """Give the sum of indices that is at least 0."""
        index, gap = Affine(0, {name: 1}), int(self.op in ("lt", "gt"))
        if self.op in ("lt", "le"):
            return ahead(self.bound, index, gap)
        return ahead(index, self.bound, gap)


Condition = tuple[Val, list[Affine]]  # also as sums of indices that are at least 0


def opened(reader: "Reader", part: ast.comprehension) -> tuple[str, list[Condition]]:
    """Open the index of `for j in C`; give its name, and what its range asks of it."""
    if not isinstance(part.target, ast.Name) or part.is_async:
        raise reader.error(part.target, "an index is a plain name", _plainly(reader, part.iter))
    name, source = part.target.id, part.iter
    if name in reader.index:
        raise reader.error(part.target, f"the index {name} is already in use",
                           "give each index a letter of its own")  # fmt: skip
    called = isinstance(source, ast.Call)
    typed = list(_typed(reader, source))
    ends = [affine(reader, end) for end in typed]
    if not ends or len(ends) > 2 or None in ends:
        raise no_range(reader, name, source)
    known = [end for end in ends if end is not None]
    first, last = known if len(known) > 1 else (Affine(0), known[0])
    moving = _moving(first, last)
    start, stop = _lowest(reader, first), _highest(reader, last)
    if start is None or stop is None:
        raise no_range(reader, name, source)
    size = minus(stop, start)
    if isinstance(size, int) and size > MAX_CONSTANTS:
        raise no_range(reader, name, source)
    if size == 0 or negative(size):
        raise reader.error(source, f"the index {name} ranges over nothing, from {start} to before "
                           f"{stop}", "range(1, N) goes from 1 to N - 1")  # fmt: skip
    if negative(start):
        raise reader.error(source, f"the index {name} begins below 0, at {start}",
                           "places are counted from 0")  # fmt: skip
    reader.index[name] = size
    reader.starts.pop(name, None)
    if called or not isinstance(source, ast.Name | ast.Constant):
        whole = called and len(typed) == 1 and isinstance(typed[0], ast.Name) and not moving
        if not (whole and stop in reader.dims):
            reader.starts[name] = start
    index = reader.lookup(part.target, name)
    return name, [
        (reader.apply(source, m.op, index, place(reader, source, m.bound)), [m.guard(name)])
        for m in moving
    ]


def _plainly(reader: "Reader", source: ast.expr) -> str:
    """Say how two indices are typed, and the entries of zip(x, y)."""
    called = source.func if isinstance(source, ast.Call) else None
    if isinstance(source, ast.Call) and getattr(called, "id", "") in ("zip", "enumerate"):
        arrays = ", ".join(f"{reader.quoted(a)}[i]" for a in source.args)
        return f"write  for i in N,  and {arrays} for the entries"
    return "write  for i in N for j in C"


def _moving(first: Affine, last: Affine) -> list[Limit]:
    """List the ends that move; from i + 1 on is above i, and before i + 1 is up to i."""
    found = []
    for end, inside, outside in ((first, "ge", "gt"), (last, "lt", "le")):
        ahead = isinstance(end.rest, int) and end.rest > 0
        bound = Affine(minus(end.rest, 1), end.slopes) if ahead else end
        found += [Limit(outside if ahead else inside, bound)] * bool(end.slopes)
    return found


def _typed(reader: "Reader", source: ast.expr) -> list[ast.expr]:
    """List what limits a range: N, or the arguments of range(1, N)."""
    if not isinstance(source, ast.Call):
        return [source]
    plain = isinstance(source.func, ast.Name) and source.func.id == "range" and not source.keywords
    return source.args if plain else []


def _lowest(reader: "Reader", first: Affine) -> Dim | None:
    """Give the least number at which a range begins, for all that its index is below."""
    if not first.slopes:
        return first.rest
    ((outer, slope),) = first.slopes.items() if len(first.slopes) == 1 else (("", 0),)
    if slope != 1 or not isinstance(first.rest, int) or reader.index[outer] is None:
        return None
    return plus(reader.starts.get(outer, 0), min(first.rest, 0))


def _highest(reader: "Reader", last: Affine) -> Dim | None:
    """Give the greatest number before which a range ends."""
    if not last.slopes:
        return last.rest
    ((outer, slope),) = last.slopes.items() if len(last.slopes) == 1 else (("", 0),)
    size = reader.index[outer] if outer else None
    start = reader.starts.get(outer, 0)
    if slope == -1 and size is not None:  # N - k
        return minus(last.rest, start)
    if slope != 1 or not isinstance(last.rest, int) or size is None:
        return None
    return plus(start, size, max(last.rest - 1, 0))


def learned(reader: "Reader", value: ast.expr) -> None:
    """Learn what the indices of a definition range over, from where they stand.

    That is the axis that they index, x[i], where they are shifted so far that all places exist:
    x[i + 1] - x[i] has N - 1 entries. What indexes nothing is compared with another index, j <= i
    or range(i), or with labels, y[n] == c.
    """
    parts = list(ast.walk(value))
    places: dict[str, list[tuple[Dim, bool]]] = {}
    arrays = [p for p in parts if isinstance(p, ast.Subscript) and isinstance(p.value, ast.Name)]
    open_ = _opening(reader, parts)
    guards = _guards(reader, parts, open_)
    for several in (False, True):  # x[i + k] says how far i goes once that is known of k
        known = {name: (0, _least([d for d, _ in sizes])) for name, sizes in places.items()}
        for part in arrays:
            for name, size, shifted in _indexing(reader, part, {**known, **open_}, several, guards):
                places.setdefault(name, []).append((size, shifted))
    for name in [name for name in places if reader.index.get(name, 0) is None]:
        reader.index[name] = _least([size for size, _ in places[name]])
        if any(shifted for _, shifted in places[name]):
            reader.starts[name] = 0
    for name, known_ in _beside(reader, parts, places):
        if reader.index.get(name, 0) is None:
            reader.index[name] = known_


def _guards(
    reader: "Reader", parts: list[ast.AST], inner: Mapping[str, tuple[Dim, Dim]]
) -> list[Affine]:
    """List what the conditions and the moving ends of sums say."""
    found: list[Affine] = []
    for name, part, limits in _sums(reader, parts, tuple(inner)):
        found += [g for test in part.ifs for g in inequalities(reader, test, tuple(inner))]
        known = [end for end in limits if end is not None]
        if known and len(known) == len(limits):
            first = known[0] if len(known) > 1 else Affine(0)
            found += [m.guard(name) for m in _moving(first, known[-1])]
    return found


def _sums(
    reader: "Reader", parts: list[ast.AST], more: Sequence[str] = ()
) -> Iterator[tuple[str, ast.comprehension, list[Affine | None]]]:
    """List the indices of sums, each with what limits its range; None for what cannot be read."""
    for part in parts:
        if isinstance(part, ast.comprehension) and isinstance(part.target, ast.Name):
            limits = [affine(reader, end, more) for end in _typed(reader, part.iter)][:2]
            yield part.target.id, part, limits


def _opening(reader: "Reader", parts: list[ast.AST]) -> dict[str, tuple[Dim, Dim]]:
    """Say where the indices of sums begin, and over how many places they range."""
    found: dict[str, tuple[Dim, Dim]] = {}
    for name, _, limits in _sums(reader, parts):
        plain = [end.rest for end in limits if end is not None and not end.slopes]
        if limits and len(plain) == len(limits):
            start = plain[0] if len(plain) > 1 else 0
            found[name] = start, minus(plain[-1], start)
    return found


def _beside(
    reader: "Reader", parts: list[ast.AST], places: Mapping[str, list[tuple[Dim, bool]]]
) -> list[tuple[str, Dim | None]]:
    """List the indices that ranges and comparisons mention, and how far these go."""
    inner: dict[str, Dim | None] = {}
    found: list[tuple[str, Dim | None]] = []
    for index, _, limits in _sums(reader, parts):
        known = [end.rest for end in limits if end is not None and not end.slopes]
        seen = [size for size, _ in places.get(index, [])]
        size = known[-1] if known else _least(seen) if seen else None
        inner[index] = size
        found += [(name, size) for end in limits if end is not None for name in end.slopes]
    for part in parts:
        if isinstance(part, ast.Compare):
            for a, b in pairwise([part.left, *part.comparators]):
                for one, other in ((a, b), (b, a)):
                    if isinstance(one, ast.Name):
                        found.append((one.id, _range_of(reader, other, inner)))
    return found


def _least(sizes: list[Dim]) -> Dim:
    """Give the least of some sizes, as far as that is known: N - K + 1 of N and that."""
    least = sizes[0]
    for size in sizes:
        ahead = minus(least, size)
        more = ahead > 0 if isinstance(ahead, int) else growing(without_floors(ahead))
        least = size if more else least
    return least


def _indexing(
    reader: "Reader",
    tree: ast.Subscript,
    known: Mapping[str, tuple[Dim, Dim]],
    several: bool,
    guards: Sequence[Affine] = (),
) -> list[tuple[str, Dim, bool]]:
    """List the indices in a subscript: how many places they have, and whether they are shifted.

    Those of x[i], or of `several`, x[i + k], where it is known how far the others go.
    """
    assert isinstance(tree.value, ast.Name)
    node = reader.variables.get(tree.value.id)
    items = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    if node is None or len(items) != len(node.shape):
        return []
    found: list[tuple[str, Dim, bool]] = []
    for item, size in zip(items, node.shape, strict=True):
        if isinstance(item, ast.Name):
            found += [(item.id, size, False)] * (not several)
        elif (read := affine(reader, item, known)) and (len(read.slopes) > 1) == several:
            for name, slope in read.slopes.items():
                others = {n: c for n, c in read.slopes.items() if n != name}
                if not all(n in known for n in others):
                    continue
                low, high = between(Affine(read.rest, others), known)
                kept = [bool(follows(guards, end)) for end in ends(read, size)]
                if slope < 0:
                    left = plus(high if kept[0] else low, 1)
                else:
                    left = minus(size, low if kept[1] else high)
                k = abs(slope)
                found.append((name, halved(plus(left, k - 1), k) if k > 1 else left, True))
    return found


def _range_of(reader: "Reader", tree: ast.expr, inner: Mapping[str, Dim | None]) -> Dim | None:
    """Give the range of what an index is compared with: another index, or labels."""
    array = tree.value if isinstance(tree, ast.Subscript) else tree
    if not isinstance(array, ast.Name):
        return None
    if array is tree and (array.id in inner or array.id in reader.index):
        return inner.get(array.id, reader.index.get(array.id))
    node = reader.variables.get(array.id)
    classes = None if node is None else node.attrs.get("classes")
    return classes if isinstance(classes, int | str) else None


def no_range(reader: "Reader", index: str, source: ast.expr) -> ParseError:
    """Say over what an index ranges: for j in C, for i in range(1, N)."""
    hint = f"dimensions: {', '.join(reader.dims)}"
    names = [n.id for n in ast.walk(source) if isinstance(n, ast.Name)]
    known = {"range", *reader.dims, *reader.variables, *reader.index}
    free = [name for name in names if name not in known]
    array = reader.variables.get(source.id) if isinstance(source, ast.Name) else None
    if array is not None and array.shape:
        hint = f"write  for i in {array.shape[0]},  and {reader.quoted(source)}[i] for {index}"
    elif isinstance(source, ast.Call):
        size = next(iter(reader.dims), "N")
        hint = f"write  for {index} in {size}  or  for {index} in range(1, {size})"
        if isinstance(source.func, ast.Name) and source.func.id == "range" and len(source.args) > 2:
            hint = f"a range has no step; every other place is  x[2*{index}]"
    if not reader.dims or (free and isinstance(source, ast.BinOp)):
        hint = f"a dimension is declared with an input:  x: real[{(free or ['N'])[0]}]"
    return reader.error(source, "an index ranges over a dimension, or a number up to "
                        f"{MAX_CONSTANTS}, not over {reader.quoted(source)}", hint)  # fmt: skip
