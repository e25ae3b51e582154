"""Match the shape of an array with the declared one: bind the dimensions, or say what is wrong."""

from collections.abc import Sequence

import numpy as np

from symgrad.dims import Dim, evaluated
from symgrad.errors import DataError, ShapeError
from symgrad.ops import leaf
from symgrad.ops.numbers import compare
from symgrad.shapes import Bindings, text
from symgrad.train.data.arrays import Array, mapped
from symgrad.train.telling import warn


def matched(
    name: str, array: Array, declared: Sequence[Dim], sizes: Bindings, told: bool = False
) -> tuple[Array, str]:
    """Give `array` the declared number of axes, bind its sizes; return it and a note, or "".

    A vector for a single column (or the reverse) is taken with a warning unless `told`, because
    the two broadcast against each other to a matrix. Pictures become rows, rows pictures.

    >>> matched("X", np.zeros((5, 8, 8)), ("N", "D"), sizes := Bindings())[1], sizes
    ("pictures of 8×8 become rows of 64 ('X')", {'N': 5, 'D': 64})
    """
    before = Bindings(sizes)
    result, note = _ranked(name, array, declared, sizes, told)
    for size, dim in zip(result.shape, declared, strict=True):
        try:
            if isinstance(dim, str):
                sizes.bind(dim, size)
            elif dim != size:
                raise ShapeError("")
        except ShapeError:
            raise mismatch(name, array, declared, before) from None
    return result, note


def _ranked(
    name: str, array: Array, declared: Sequence[Dim], sizes: Bindings, told: bool
) -> tuple[Array, str]:
    given, rank = array.shape, len(declared)
    if len(given) == rank:
        return array, ""
    last = known(declared[-1], sizes) if declared else None
    if len(given) == 1 and rank == 2 and last in (1, None):
        _warn(name, given, declared, "one column", told)
        return array[:, None], ""
    if len(given) == 2 and rank == 1 and given[1] == 1:
        _warn(name, given, declared, "a vector", told)
        return array[:, 0], ""
    inner = tuple(known(d, sizes) for d in declared[1:])
    shown = "×".join(map(str, given[1:] if len(given) > 2 else inner))
    if rank == 2 and len(given) == 3 and given[2] == 1:
        _warn(name, given, declared, f"{text(given[:2])}", told)
        return _reshaped(name, array, given[1:2]), ""
    if rank == 2 and len(given) > 2:
        width = int(np.prod(given[1:], dtype=np.int64))
        return _reshaped(
            name, array, (width,)
        ), f"pictures of {shown} become rows of {width} ('{name}')"
    whole = tuple(d for d in inner if d is not None)
    if rank > 2 and len(given) == 2 and len(whole) == len(inner) and np.prod(whole) == given[1]:
        return _reshaped(
            name, array, whole
        ), f"rows of {given[1]} become pictures of {shown} ('{name}')"
    raise mismatch(name, array, declared, sizes)


def _reshaped(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    if mapped(array) is not None and not array[:1].flags.c_contiguous:
        raise DataError(
            f"the mapped array '{name}' does not lie in rows",
            hint="save it again in C order:  np.save(path, np.ascontiguousarray(a))",
        )
    return array.reshape(len(array), *shape)


def known(dim: Dim, sizes: Bindings) -> int | None:
    """Give the number behind a dimension, None while there is none."""
    return dim if isinstance(dim, int) else evaluated(dim, sizes)


def _warn(name: str, given: Sequence[int], declared: Sequence[Dim], taken: str, told: bool) -> None:
    if not told:
        said = f"'{name}' is declared {text(declared)}; given is {text(given)}, taken as {taken}"
        both = ". Left as they are, the two would broadcast to a matrix"
        warn(said + both * (len(given) < 3))


def mismatch(name: str, array: Array, declared: Sequence[Dim], sizes: Bindings) -> ShapeError:
    """Say how a shape differs from the declared one, and what may help."""
    given, wanted = array.shape, [known(d, sizes) for d in declared]
    try:
        compare(leaf(name, tuple(declared), "data"), array, Bindings(sizes))
        error = ShapeError(f"'{name}' is {text(declared)}; given is {text(given)}")
    except ShapeError as found:
        error = found
    if len(given) == len(wanted) and wanted[1:] == list(given[1:]) and wanted[0] != given[0]:
        error.hint = "every array has one row for each example"
    return error
