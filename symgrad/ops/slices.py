"""Parts of arrays, as `x[1:, ::2, 0]` says them, and the adjoint: a part put into zeros.

A key has an entry per axis: (k, None) picks one place and drops the axis, (start, stop) is a slice
whose stop may be "end", and (start, stop, step) one with a step, where None stands for an end that
is left out. Of an axis with a name, `x[1:]` has N - 1 entries; that the name is large enough for
this is checked when numbers arrive (`fault`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from symgrad.dims import Dim, evaluated, halved, minus, plus
from symgrad.errors import ShapeError
from symgrad.graph import Node, topological
from symgrad.ops.spec import MISSING, MUL, register, shape_text, size_text
from symgrad.shapes import Bind, Shape, text

Entry = tuple[Any, ...]
FULL: Entry = (0, "end")
BACKWARDS: Entry = (None, None, -1)


def python_slice(entry: Entry) -> slice:
    """Give the slice that an entry stands for.

    >>> python_slice((1, "end")), python_slice((None, None, -1))
    (slice(1, None, None), slice(None, None, -1))
    """
    if len(entry) == 3:
        return slice(*entry)
    return slice(entry[0] or None, None if entry[1] == "end" else entry[1])


def extent(entry: Entry, size: Dim) -> tuple[Dim, Dim]:
    """Give where a slice of an axis begins and how many entries it has.

    >>> extent((1, "end"), "N"), extent((None, None, -2), "N"), extent((1, "end"), 4)
    ((1, 'N - 1'), ('N - 1', '(N + 1)//2'), (1, 3))
    """
    part = python_slice(entry)
    if isinstance(size, int):
        found = range(size)[part]
        return found.start, len(found)
    step = part.step or 1
    first, last = (0, size) if step > 0 else (plus(size, -1), -1)
    begin = first if part.start is None else _place(part.start, size)
    end = last if part.stop is None else _place(part.stop, size)
    between = minus(end, begin) if step > 0 else minus(begin, end)
    if isinstance(between, int):
        between = max(between, 0)
    return begin, halved(plus(between, abs(step) - 1), abs(step)) if abs(step) > 1 else between


def _place(k: int, size: Dim) -> Dim:
    return k if k >= 0 else plus(size, k)


def _well_made(key: Any, rank: int) -> bool:
    """Say whether a key is one; it may come from a file."""
    entries = isinstance(key, tuple) and len(key) == rank and all(isinstance(e, tuple) for e in key)
    return entries and all(
        len(e) in (2, 3) and all(p is None or type(p) is int or (e[1:], p) == (("end",), "end") for p in e)
        and (type(e[0]) is int if len(e) == 2 else type(e[2]) is int and e[2] != 0)
        for e in key
    )  # fmt: skip


def _sliced(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    if not _well_made(params["key"], len(given[0])):
        raise ShapeError(f"not an index of {text(given[0])}: {str(params['key'])[:80]}")
    result: list[Dim] = []
    for size, entry in zip(given[0], params["key"], strict=True):
        if entry == FULL:
            result.append(size)
        elif len(entry) == 3 or entry[1] is not None:
            result.append(extent(entry, size)[1])
        elif isinstance(size, int) and not -size <= entry[0] < size:
            raise ShapeError(f"index {entry[0]} is out of range for a dimension of {size}",
                             hint=f"indices go from 0 to {size - 1}, or from {-size} to -1"
                             if size else "it has no entries")  # fmt: skip
    return tuple(result)


def fault(key: Sequence[Entry], shape: Shape, sizes: Mapping[str, int]) -> str:
    """Say what is wrong with a key now that the names have numbers; "" if nothing is.

    >>> fault(((2, "end"),), ("N",), {"N": 1})
    '[2:] does not fit a dimension of 1'
    """
    for entry, size in zip(key, shape, strict=True):
        count = evaluated(size, sizes)
        if isinstance(size, int) or count is None or entry == FULL:
            continue
        if len(entry) == 2 and entry[1] is None:
            good = -count <= entry[0] < count
        else:
            good = len(range(max(count, 0))[python_slice(entry)]) == evaluated(
                extent(entry, size)[1], sizes
            )
        if not good:
            return f"[{key_text([entry])}] does not fit a dimension of {count}"
    return ""


def part_fault(start: Dim, stop: Dim, size: Dim, sizes: Mapping[str, int]) -> str:
    """Say what is wrong with a part between dimensions, as far as these have numbers.

    >>> part_fault("H", "2*H", "M", {"H": 3, "M": 5}), part_fault("H", "2*H", "M", {"H": 3})
    ('[3:6] does not fit a dimension of 5', '')
    """
    first, last, count = (evaluated(d, sizes) for d in (start, stop, size))
    bounds = [k for k in (0, first, last, count) if k is not None]
    if bounds == sorted(bounds):
        return ""
    shown = ":".join(str(d if k is None else k) for d, k in ((start, first), (stop, last)))
    return f"[{shown}] does not fit a dimension of {size if count is None else count}"


def needed(key: Sequence[Entry], shape: Shape) -> dict[str, int]:
    """Say how many entries axes with a name must have at least for a key.

    >>> needed(((29, None), (-3, "end")), ("T", "N"))
    {'T': 30, 'N': 3}
    """
    found: dict[str, int] = {}
    for entry, size in zip(key, shape, strict=True):
        if isinstance(size, str) and size.isidentifier() and entry != FULL:
            least = [k + 1 if k >= 0 else -k for k in entry[:2] if isinstance(k, int)]
            found[size] = max([found.get(size, 0), *least])
    return found


def key_text(key: Sequence[Entry]) -> str:
    """Write an index as it is typed.

    >>> key_text(((0, None), (1, "end"), (None, None, -1)))
    '0, 1:, ::-1'
    """
    items = []
    for entry in key:
        if len(entry) == 3:
            items.append(":".join("" if part is None else str(part) for part in entry))
        elif entry[1] is None:
            items.append(str(entry[0]))
        else:
            items.append(f"{entry[0] or ''}:{'' if entry[1] == 'end' else entry[1]}")
    return ", ".join(items)


def _unsliced(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    shape = tuple(params["shape"])
    if not _well_made(params["key"], len(shape)):
        raise ShapeError(f"not an index of {text(shape)}: {str(params['key'])[:80]}")
    return shape


def _widths(entry: Entry, size: Dim) -> tuple[Dim, Dim]:
    """Count the zeros before and behind a part without a step."""
    if entry == FULL:
        return 0, 0
    if entry[1] is None:
        before = _place(entry[0], size)
        return before, minus(minus(size, before), 1)
    begin, count = extent(entry, size)
    return begin, minus(minus(size, begin), count)


def weak(part: Node) -> bool:
    """Say whether NumPy could make float64 or an integer of a part."""
    if part.dtype != "float":
        return part.dtype == "int"
    return not part.shape and not any(
        n.op == "input" and n.dtype == "float" for n in topological([part])
    )


def _operand(node: Node) -> str:
    return "{dtype}({a})" if weak(node.args[0]) else "{a}"


def _padded(node: Node, inner: str) -> str:
    """Pad with zeros; an axis that an integer index removed is put back first."""
    pairs = []
    for entry, size in zip(node.attrs["key"], node.attrs["shape"], strict=True):
        before, after = (0, 0) if len(entry) == 3 else _widths(entry, size)
        pairs.append(f"({size_text(before)}, {size_text(after)})")
    removed = tuple(k for k, e in enumerate(node.attrs["key"]) if e[1:] == (None,))
    if removed:
        inner = f"np.expand_dims({inner}, {removed})"
    idle = set(pairs) == {"(0, 0)"}
    return inner if idle else f"np.pad({inner}, ({', '.join(pairs)},))"


def _unslice(node: Node) -> str:
    """Call the helper: np.pad takes 30 times as long on small arrays."""
    shape, key = shape_text(node.attrs["shape"]), key_text(node.attrs["key"])
    return f"unslice({{a}}, {shape}, np.s_[{key}], {{dtype}})"


def _unslice_portable(node: Node) -> str:
    """Spread along an axis with a step by a matrix of zeros and ones: numbers equal to x[::2]."""
    found = _padded(node, _operand(node))
    for k, (entry, size) in enumerate(zip(node.attrs["key"], node.attrs["shape"], strict=True)):
        if len(entry) == 3:
            places = f"np.arange({size_text(size)})"
            hot = f"{places}[:, None] == {places}[{key_text([entry])}]"
            found = f"np.tensordot({hot}, {found}, (1, {k}))"
            found = found if k == 0 else f"np.moveaxis({found}, 0, {k})"
    return found


UNSLICE = '''
def unslice(x, shape, key, dtype, start=None):
    """Put x at a key into zeros of a shape, or add it there to what is given to start with."""
    start = np.zeros(shape, dtype) if start is None else start
    start[key] += x
    return start
'''

# fmt: off
register("slice", params={"key": MISSING}, shape=_sliced, dtype="join", hidden=True, vjp=("embed(g, a, key)",), glyph=r"\mathrm{slice}",
         numpy=lambda n: "{a:40}[" + key_text(n.attrs["key"]) + "]", latex="{a:40}[{key}]", plain="{a:40}[{key}]",
         doc="A part along each axis.", source="NumPy basic indexing")
register("unslice", params={"key": MISSING, "shape": MISSING}, shape=_unsliced, hidden=True, vjp=("cut(g, key)",), numpy=_unslice,
         portable=_unslice_portable, helper=UNSLICE, level=MUL,
         doc="Zeros with a part set.", source="the adjoint of slice")
# fmt: on
