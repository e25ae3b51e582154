"""Read places that move with an index: the i + 1 of x[i + 1], the N - 1 - i of x[N - 1 - i]."""

import ast
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from symgrad.dims import Dim, evaluated, minus, names_in, plus, split, terms, times, written
from symgrad.errors import ParseError, ShapeError
from symgrad.graph import Node
from symgrad.ops import const, dim
from symgrad.ops.slices import BACKWARDS, FULL, Entry, extent
from symgrad.parse.arrays import size
from symgrad.parse.shaping import between as between_zeros
from symgrad.parse.values import Val

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

READ = (ast.BinOp, ast.UnaryOp, ast.Name, ast.Constant, ast.operator, ast.unaryop, ast.expr_context)


class Affine(NamedTuple):
    """Hold a sum of multiples of indices, {i: 1, j: -1}, and of a dimension, `rest`."""

    rest: Dim
    slopes: Mapping[str, int] = MappingProxyType({})

    @property
    def alone(self) -> tuple[str, int] | None:
        """Give the one index and its factor, if there is one index only."""
        return next(iter(self.slopes.items())) if len(self.slopes) == 1 else None


def affine(reader: "Reader", tree: ast.expr, more: Collection[str] = ()) -> Affine | None:
    """Read a sum of indices, dimensions and whole numbers; None for anything else.

    `more` are names of indices that are not open yet.
    """
    if not isinstance(tree, READ):
        return None
    indices = {**dict.fromkeys(reader.index), **dict.fromkeys(more)}
    names = {**dict.fromkeys(reader.dims), **indices}
    for part in ast.walk(tree):
        typed = not isinstance(part, READ)
        typed = typed or (isinstance(part, ast.Constant) and type(part.value) is not int)
        if typed or (isinstance(part, ast.Name) and part.id not in names):
            return None
    try:
        read = terms(size(reader, tree, names))
    except ParseError:
        return None
    slopes: dict[str, int] = {}
    rest: list[tuple[tuple[str, ...], int]] = []
    for factors, c in read:
        if len(factors) == 1 and factors[0] in indices:
            slopes[factors[0]] = c
        elif any(name in indices for f in factors for name in names_in(f)):
            return None  # i*j, or (i + 1)//2
        else:
            rest.append((factors, c))
    return Affine(written(rest), slopes)


def place(reader: "Reader", tree: ast.AST, found: Affine) -> Val:
    """Compute a place for all values of its indices."""
    value = Val(dim(found.rest)) if found.rest != 0 or not found.slopes else None
    for name, slope in found.slopes.items():
        term = reader.lookup(tree, name)
        if abs(slope) != 1:
            term = reader.apply(tree, "mul", Val(const(abs(slope))), term)
        if value is None:
            value = term if slope > 0 else reader.apply(tree, "neg", term)
        else:
            value = reader.apply(tree, "add" if slope > 0 else "sub", value, term)
    assert value is not None
    return value


class Cuts(NamedTuple):
    """Hold what is done to the axes of an array before it is indexed, by axis."""

    parts: dict[int, tuple[Dim, Dim]]  # between dimensions
    keys: dict[int, Entry]
    turned: list[int]  # read from behind
    slid: "list[Slide]"  # in windows
    padded: dict[int, tuple[Dim, Dim]]  # with zeros before and behind them
    guards: list[Affine]  # the conditions that say where those are read

    def cut(self, axis: int, start: Dim, stop: Dim, length: Dim) -> None:
        """Take a part of an axis, as x[1:-1] where its ends are known numbers from either side."""
        entry = _entry(start, stop, length)
        if entry is not None:
            self.keys[axis] = entry
        else:
            self.parts[axis] = start, stop

    def reach(
        self, reader: "Reader", item: ast.expr, found: Affine, axis: int, length: Dim
    ) -> tuple[Dim, Dim]:
        """Give the least and the greatest place, behind the zeros that are put before the axis."""
        from symgrad.parse.guards import inside, tight

        low, high, *zeros = inside(reader, item, found, length)
        if any(zero != 0 for zero in zeros):
            self.padded[axis] = zeros[0], zeros[1]
            self.guards.extend(tight(reader, found, length))
        return low, high

    def applied(self, reader: "Reader", tree: ast.AST, node: Node) -> Node:
        """Cut the axes."""
        for axis, (before, behind) in self.padded.items():
            node = between_zeros(node, axis, before, behind)
            reader.note(node, tree)
        for axis, (start, stop) in self.parts.items():
            node = reader.node(tree, "part", node, axis=axis, start=start, stop=stop)
        rank = len(node.shape)
        for keys in (self.keys, dict.fromkeys(self.turned, BACKWARDS)):
            if any(entry != FULL for entry in keys.values()):
                key = tuple(keys.get(k, FULL) for k in range(rank))
                node = reader.node(tree, "slice", node, key=key)
        for slide in self.slid:
            node = slide.applied(reader, tree, node)
        if self.guards:
            reader.padded[node] = self.guards
        return node


class Slide(NamedTuple):
    """Hold windows of an axis, x[i + k]: those of k are put behind the others, by axis."""

    axis: int  # counted from behind if it is below 0
    width: Dim
    step: int = 1
    gap: int = 1
    turned: tuple[bool, bool] = (False, False)  # rows and columns read from behind

    def applied(self, reader: "Reader", tree: ast.AST, node: Node) -> Node:
        """Make the windows."""
        axis = self.axis % len(node.shape)
        node = reader.node(tree, "windows", node, along=axis, width=self.width, step=self.step,
                           gap=self.gap)  # fmt: skip
        places = {axis: self.turned[0], len(node.shape) - 1: self.turned[1]}
        if not any(self.turned):
            return node
        key = tuple(BACKWARDS if places.get(k) else FULL for k in range(len(node.shape)))
        return reader.node(tree, "slice", node, key=key)


def moved(reader: "Reader", item: ast.expr, axis: int, length: Dim, cuts: Cuts) -> str:
    """Read x[i + 1] as a slice, which is put among the cuts, and an index; "" for anything else.

    An index whose range is a part of the axis, range(1, N - 1), is a slice, too.
    """
    found = affine(reader, item)
    if found is None or found.alone is None:
        return ""
    name, slope = found.alone
    plain = isinstance(item, ast.Name) and name not in reader.starts
    count = reader.index[name]
    if plain and count is not None and isinstance(length, str) and not length.isidentifier():
        more = minus(length, count)  # N + 1 places, of which the last is reached by x[i + 1]
        plain = not isinstance(more, int) or more <= 0
    if plain or count is None:
        if not plain:
            reader.lookup(item, name)  # which says that the range is not known
        return name
    low, high = cuts.reach(reader, item, found, axis, length)
    length = plus(length, *cuts.padded.get(axis, ()))
    entry = _stepped(low, plus(high, 1), length, abs(slope), count)
    if abs(slope) == 1:
        cuts.cut(axis, low, plus(high, 1), length)
    elif entry is not None:
        cuts.keys[axis] = entry
    else:
        said = f"nothing says that an axis of {length} has a place {reader.quoted(item)} for each"
        raise reader.error(item, f"{said} {name}", "cut it on a line of its own: t = x[::2]")
    if slope < 0:
        cuts.turned.append(axis)
    return name


def reached(reader: "Reader", found: Affine) -> tuple[Dim, Dim]:
    """Give the least and the greatest place for all values of the indices."""
    sizes = {name: (reader.starts.get(name, 0), reader.index[name] or 0) for name in found.slopes}
    return between(found, sizes)


def between(found: Affine, sizes: Mapping[str, tuple[Dim, Dim]]) -> tuple[Dim, Dim]:
    """Give the least and the greatest place, where indices begin and over how much they range.

    >>> between(Affine(1, {"i": 1, "k": -1}), {"i": (0, "N"), "k": (0, "K")})
    ('2 - K', 'N')
    """
    low = high = found.rest
    for name, slope in found.slopes.items():
        first, count = sizes[name]
        ends = [times(slope, k) for k in (first, minus(plus(first, count), 1))]
        low, high = plus(low, ends[slope < 0]), plus(high, ends[slope > 0])
    return low, high


def _entry(low: Dim, stop: Dim, length: Dim) -> Entry | None:
    """Write a part as x[1:-1] does; None where its ends are no plain numbers."""
    ahead, behind = minus(low, length), minus(stop, length)
    begin = low if isinstance(low, int) or not isinstance(ahead, int) or ahead >= 0 else ahead
    end: Dim = behind if isinstance(behind, int) and not isinstance(stop, int) else stop
    if behind == 0:
        end = "end"
    plain = isinstance(begin, int) and (isinstance(end, int) or end == "end")
    return (begin, end) if plain else None


def _stepped(low: Dim, stop: Dim, length: Dim, step: int, count: Dim) -> Entry | None:
    """Write a part as x[1::2] does, if it has so many entries."""
    entry = (low, None, step) if isinstance(low, int) else None
    if entry is not None and extent(entry, length)[1] == count:
        return (low or None, None, step)
    plain = _entry(low, stop, length)
    if plain is None:
        return None
    return (plain[0] or None, None if plain[1] == "end" else plain[1], step)


def check_gap(reader: "Reader", item: ast.expr, found: Affine, length: Dim, gap: Dim) -> None:
    """Refuse a place outside of its axis; `gap` counts the entries between the two."""
    number = evaluated(gap, reader.sizes)
    if number is not None and number >= 0:
        return
    if number is None and growing(without_floors(gap)):
        return  # whether N is large enough is checked when arrays arrive
    shown, said, shorter = reader.quoted(item), [], ""
    low, high = reached(reader, found)
    for name in (name for name in reader.index if name in found.slopes):
        first = reader.starts.get(name, 0)
        last = minus(plus(first, reader.index[name] or 0), 1)
        said.append(f"{name} goes from {first} to {last}")
        if found.slopes[name] == 1 and not shorter:  # from where to where, for all of the others
            start = _later(first, minus(first, low))
            stop = minus(plus(last, 1), _later(0, plus(high, 1, minus(0, length))))
            count = minus(stop, start)
            if found.alone or not isinstance(count, int) or count > 1:
                shorter = f"write  for {name} in "
                shorter += f"range({start}, {stop})" if start else str(stop)
        if name in reader.defined and (found.alone or low != 0):
            said = [f"the index {name} of a definition begins at 0: "]
            first_place = f"x[{name}] for the first" if found.alone else ""
            said[0] += f"write {first_place or written_place(shown, minus(0, low))}"
            shorter = ""
            break
    if number is None:
        said += [shorter] if shorter and not found.alone else []
        raise reader.error(item, f"nothing says that {shown} is a place of an axis of {length}",
                           "; ".join(said))  # fmt: skip
    raise ShapeError(f"{shown} is out of range for an axis of {length}",
                     hint="; ".join([*said, shorter] if shorter else said),
                     span=reader.span(item), source=reader.source)  # fmt: skip


def written_place(typed: str, more: Dim) -> str:
    """Add a size to a place as it is typed.

    >>> written_place("t-k", "K - 1")
    't-k + K - 1'
    """
    return f"{typed} {'' if str(more).startswith('-') else '+ '}{more}"


def growing(size: Dim) -> bool:
    """Say whether a size is at least 0 once its names stand for large enough numbers.

    >>> growing("K - 2"), growing("N - K"), growing("3 - K")
    (True, False, False)
    """
    return all(c > 0 for factors, c in terms(size) if factors)


def without_floors(size: Dim) -> Dim:
    """Bound a multiple of a size from below without floors: n - k < k*(n//k) <= n.

    >>> without_floors("N - 2*(N//2)"), without_floors("N//2 - 1")
    (0, 'N - 3')
    """
    for factors, c in terms(size):
        floor = split(factors[0]) if len(factors) == 1 else None
        if floor is not None:
            above, k = floor
            bound = above if c < 0 else minus(above, k - 1)
            rest = minus(size, written([(factors, c)]))
            return without_floors(plus(times(k, rest), times(c, bound)))
    return size


def _later(a: Dim, b: Dim) -> Dim:
    """Give the larger of two dimensions, as far as that is known."""
    ahead = minus(b, a)
    known = isinstance(ahead, int)
    return b if (int(ahead) > 0 if known else growing(ahead)) else a
