"""What is given for an input: made an array of numbers, and compared with the declared shape.

Numbers are what NumPy holds as floats, integers or booleans, and what Python counts as real:
fractions, decimals, integers of any length that float64 reaches. All else is refused by name; so
are arrays of objects, which somebody made by mistake more often than not.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from symgrad.arguments import SHOWN, called
from symgrad.dims import evaluated, names_in
from symgrad.errors import DataError, ShapeError
from symgrad.graph import Graph, Node
from symgrad.shapes import Bindings, Dim, fits, text

Array = Any  # a NumPy array
HINTS = {
    "c": "take .real or .imag, or hand them over as two inputs",
    "U": "texts become numbers by  np.asarray(a, dtype=float),  classes by numbering them",
    "S": "texts become numbers by  np.asarray(a, dtype=float),  classes by numbering them",
    "M": "count from a day:  (t - t[0]) / np.timedelta64(1, 'D')",
    "m": "count in a unit:  t / np.timedelta64(1, 's')",
    "V": "take one field:  a['name']",
    "O": "convert it once:  a.astype(float)",
}


def numbers(name: str, value: Any) -> Array:
    """Make a plain array of floats, integers or booleans of what is given; no copy if it is one.

    >>> from fractions import Fraction
    >>> numbers("w", [Fraction(1, 4), 2])
    array([0.25, 2.  ])
    """
    if _is_masked(value) and np.any(value.mask):
        raise DataError(f"'{name}' is a masked array with masked entries; fill them first",
                        hint=f"for example  {name}.filled(0)")  # fmt: skip
    array = converted(value, lambda error: _unmade(name, value, error))
    kind = array.dtype.kind
    if kind == "O" and not isinstance(value, np.ndarray):
        return _counted(name, value, array)
    if kind not in "fiub":
        what = f"is {called(value)}; a number or an array is expected"
        if array.ndim or kind == "O":
            what = f"has the dtype {str(array.dtype)[:SHOWN]}; numbers are expected"
        own = kind == "V" and array.dtype.names is None  # a type of another library, or bytes
        hint = "convert it once:  a.astype(np.float32)" if own else HINTS.get(kind, "")
        raise DataError(f"the value of '{name}' {what}", hint=hint)
    return array


def _is_masked(value: Any) -> bool:
    """Say whether this is a masked array; where none was made yet, NumPy need not load them."""
    loaded = sys.modules.get("numpy.ma")
    return loaded is not None and isinstance(value, getattr(loaded, "MaskedArray", ()))


def converted(value: Any, failed: Callable[[Exception], DataError]) -> Array:
    """Make an array as NumPy does; an object's own conversion may raise anything, which is told."""
    try:
        return np.asarray(value)
    except Exception as error:
        raise failed(error) from error


def _unmade(name: str, value: Any, error: Exception) -> DataError:
    if isinstance(value, list | tuple) and isinstance(error, ValueError | RecursionError):
        return DataError(f"'{name}' is no array: its rows differ in length or in depth",
                         hint="every row holds as many numbers as the first")  # fmt: skip
    said = f"{type(error).__name__}: {str(error)[:SHOWN]}"
    hint = f"for example  {name}.detach().numpy()" if hasattr(value, "detach") else ""
    return DataError(f"'{name}', {called(value)}, cannot be made an array ({said})", hint=hint)


def floats(name: str, array: Array) -> Array:
    """Convert to a fresh array of float64; refuse what float64 does not reach."""
    if array.dtype.itemsize <= 8 or array.dtype.kind != "f":
        return array.astype(np.float64)
    with np.errstate(all="ignore"):
        found = array.astype(np.float64)
    lost = np.isinf(found) & ~np.isinf(array)
    if lost.any():
        raise _beyond(name, place(lost))
    return found


def place(found: Array) -> str:
    """Write where the first true entry is.

    >>> place(np.array([[False, False], [False, True]])), place(np.array(True))
    (' at index [1, 1]', '')
    """
    if not found.ndim:
        return ""
    at = [int(k) for k in np.unravel_index(int(np.argmax(found)), found.shape)]
    return f" at index {at[0] if len(at) == 1 else at}"


def _beyond(name: str, where: str) -> DataError:
    return DataError(f"the value of '{name}'{where} is beyond the range of float64, which ends at "
                     "1.8e308", hint="give its logarithm, or another unit")  # fmt: skip


def _counted(name: str, value: Any, array: Array) -> Array:
    """Convert Python's numbers, one by one."""
    if not array.ndim and not isinstance(value, Real | Decimal):
        hint = "a sequence of its entries is  list(...)" if hasattr(value, "__iter__") else ""
        if hasattr(value, "toarray"):  # sparse
            hint = f"{name}.toarray() makes an array of it"
        raise DataError(f"the value of '{name}' is {called(value)}; a number or an array is "
                        "expected", hint=hint)  # fmt: skip
    found = np.empty(array.shape, np.float64)
    entries = found.reshape(-1)
    for k, entry in enumerate(array.reshape(-1)):
        try:
            if not isinstance(entry, Real | Decimal | np.bool_):
                raise TypeError
            entries[k] = float(entry)
            if np.isinf(entries[k]) and entry != entries[k]:
                raise OverflowError
        except (OverflowError, TypeError, ValueError) as error:
            here = np.zeros(array.shape, bool)
            here.reshape(-1)[k] = True
            if isinstance(error, OverflowError):
                raise _beyond(name, place(here)) from None
            what = called(entry)
            raise DataError(f"the value of '{name}'{place(here)} is {what}; numbers are expected",
                            hint="leave out or fill what is missing" if entry is None else ""
                            ) from None  # fmt: skip
    return found


def scores(graph: Graph) -> dict[str, Dim]:
    """Say how many classes there are for whole numbers that are used as labels undeclared.

    >>> from symgrad.parse import parse
    >>> scores(parse("s: param[N, 5]; cross_entropy(s, y)", shapes={"y": [3, 4]}))
    {'y': 5}
    """
    found: dict[str, Dim] = {}
    if not any(n.attrs["kind"] == "integer" for n in graph.inputs):
        return found
    for node in graph.order():
        if node.op == "pick" or "reduction" in node.attrs:
            above, used = node.args[:2]
            if used.op == "input" and used.dtype == "int" and len(used.shape) < len(above.shape):
                found.setdefault(used.attrs["name"], above.shape[-1])
    return found


def labels(node: Node, array: Array, sizes: Mapping[str, int], classes: Dim | None = None) -> Array:
    """Convert labels to integers; refuse what is no class, by its index and the allowed range."""
    name, classes = node.attrs["name"], node.attrs.get("classes", classes)
    count = evaluated(classes, sizes) if isinstance(classes, str) else classes
    if array.dtype.kind == "f":
        odd = ~(np.isfinite(array) & (array == np.floor(array)))
        if odd.any():
            first = array[odd][0]
            hint = f"values to be met are declared  {name}: data[N]"
            hint = hint if np.isfinite(first) else "leave out the rows that have no label"
            which = f"the one{place(odd)}" if array.ndim else "it"
            raise DataError(f"the labels '{name}' must be whole numbers; {which} is {first:.6g}",
                            hint=hint)  # fmt: skip
    if array.dtype.kind == "b":
        array = array.astype(np.int64)
    elif array.dtype.kind == "f":
        array = array.astype(np.float64)  # float16 does not reach all limits
    if array.size:
        low, high = (0, count) if count is not None else (-(2**63), 2**63)
        outside = (array < low) | (array >= high)
        if outside.any():
            raise _outside(name, array, outside, count, classes)
    return array.astype(np.int64)


def _outside(
    name: str, array: Array, outside: Array, count: int | None, classes: Dim | None
) -> DataError:
    shown = str(int(array[outside][0]))
    shown = shown if len(shown) <= SHOWN else f"{float(array[outside][0]):.3g}"
    if count is None:
        return DataError(f"{shown}{place(outside)} of '{name}' is beyond whole numbers of 64 bits")
    if not count:
        return DataError(f"label {shown}{place(outside)} of '{name}': there are no classes, as "
                         f"{classes} = 0")  # fmt: skip
    allowed = f"0 … {count - 1}"
    known = f", as {classes} = {count}" if isinstance(classes, str) else ""
    low, high = int(array.min()), int(array.max())
    hint = "labels count classes from 0"
    if low == 1 and high == count:
        hint += f":  {name} - 1"
    elif (low, high) == (-1, 1):
        hint += "; what is -1 or 1 is declared  sign[N]"
    elif high >= count:
        hint += f", so {count} classes end with {count - 1}"
    return DataError(
        f"label {shown}{place(outside)} of '{name}' is outside {allowed}{known}", hint=hint
    )


def compare(
    node: Node, array: Array, sizes: Bindings, inputs: Sequence[Node] = (),
    at: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Compare an array's shape with the declared one; bind its names in `sizes`.

    `inputs` and `at`, what is given for all of them, tell where a number comes from.
    """
    before = Bindings(sizes)
    if fits(array.shape, node.shape, sizes):
        return
    name, given, declared = node.attrs["name"], array.shape, node.shape
    named = dict.fromkeys(name for d in declared for name in names_in(d))
    others = _sources(node, inputs, at or {})
    # a name that occurs twice, as in (D, D), is bound by its first axis
    bound = [d for d in named if d in sizes and (d in before or declared.count(d) > 1)]
    where = f", where {', '.join(f'{d} = {sizes[d]}' for d in bound)}" if bound else ""
    origin = [_origin(d, before[d], others) for d in bound if d in before]
    said = text(declared) if declared else "a number"
    shown = text(given) if given else "a number"
    raise ShapeError(f"'{name}' is {said}{where}; given is {shown}",
                     hint="; ".join(filter(None, [*origin, _advice(node, given, before, others)])))  # fmt: skip


def _sources(
    node: Node, inputs: Sequence[Node], at: Mapping[str, Any]
) -> list[tuple[Node, tuple[int, ...]]]:
    """List the other inputs that share a dimension with this one, and their shapes."""
    found = []
    for other in inputs:
        shared = set(map(str, other.shape)) & set(map(str, node.shape))
        if other is node or not shared or other.attrs["name"] not in at:
            continue
        try:
            found.append((other, numbers(other.attrs["name"], at[other.attrs["name"]]).shape))
        except DataError:  # it is complained about when its turn comes
            continue
    return found


def _origin(dim: str, size: int, others: Sequence[tuple[Node, tuple[int, ...]]]) -> str:
    """Name the input from which the number of a dimension comes."""
    for other, shape in others:
        if (dim, size) in zip(other.shape, shape, strict=False):
            return f"{dim} comes from '{other.attrs['name']}' {text(shape)}"
    return ""


def _advice(
    node: Node, given: Sequence[int], sizes: Bindings,
    others: Sequence[tuple[Node, tuple[int, ...]]],
) -> str:  # fmt: skip
    """Say what may be meant by another shape."""
    name, declared = node.attrs["name"], node.shape
    wanted = [sizes.get(d) if isinstance(d, str) else d for d in declared]

    def fit(shape: Sequence[int]) -> bool:
        trial = Bindings(sizes)
        return fits(shape, declared, trial)

    rank, need = len(given), len(declared)
    if need and not rank:
        full = ", ".join("…" if w is None else str(w) for w in wanted)
        return f"a number in every place is  np.full(({full}{',' * (need == 1)}), {name})"
    if not need:
        one = f"its one entry is  {name}[{', '.join('0' * rank)}];  " if set(given) == {1} else ""
        dims = ", ".join("NDCHK"[k] if k < 5 else f"N{k}" for k in range(rank))
        return f"{one}an array is declared by its axes:  {name}: {_kind(node)}[{dims}]"
    column = ((*given, 1), f"{name}[..., None] has the shape ")
    row = ((1, *given), f"a single row is  {name}[None]  of shape ")
    trials: list[tuple[Sequence[int], str]] = [
        (given[::-1] if rank > 1 else (), f"is it transposed?  {name}.T has the shape "),
        (given[:-1] if given[-1] == 1 else (), f"{name}[..., 0] has the shape "),
        (given[1:] if given[0] == 1 else (), f"{name}[0] has the shape "),
        *((column, row) if declared[-1] == 1 else (row, column)),
    ]
    for shape, said in trials:
        if shape and fit(shape):
            return said + text(shape)
    for other, shape in others:
        if len(shape) == 2 == len(other.shape) and _turns(other, shape, node, given):
            turned = other.attrs["name"]
            return f"is '{turned}' transposed?  {turned}.T has the shape {text(shape[::-1])}"
    if node.dtype == "int" and rank == need + 1:
        return f"one-hot rows become labels by  np.argmax({name}, axis=-1)"
    if rank != need:
        return f"{need} {'axis is' if need == 1 else 'axes are'} declared, {rank} given"
    if set(given) == {1} and None not in wanted:
        full = text([w for w in wanted if w is not None])
        return f"one number in every place is  np.broadcast_to({name}, {full})"
    if len(others) and any(isinstance(d, str) for d in declared):
        return "one of the two has to change, or their axes are declared by different names"
    return f"select or reshape the entries of '{name}', or declare another shape"


def _turns(other: Node, shape: Sequence[int], node: Node, given: Sequence[int]) -> bool:
    """Say whether an input fits once another one is transposed."""
    sizes = Bindings()
    return fits(shape[::-1], other.shape, sizes) and fits(given, node.shape, sizes)


def _kind(node: Node) -> str:
    kind = str(node.attrs["kind"])
    return {"label": "labels", "scalar": "real"}.get(kind, kind)
