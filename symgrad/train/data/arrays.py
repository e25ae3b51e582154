"""Make a plain array of whatever a caller gives, or say why that cannot be done.

Numbers come out as native, C-contiguous float64, float32, integer or bool arrays that share memory
with what was given where that is possible; nobody writes to them.
"""

from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.ops.numbers import converted

Array = np.ndarray[Any, Any]
NUMBERS = "fiub"


def plain(name: str, value: Any, texts: bool = False) -> Array:
    """Give `value` as an array of numbers, or of texts too where these are allowed.

    A memory-mapped array stays one. Masked entries, complex numbers, dates, records and objects
    are refused; `np.matrix` is read as the two-dimensional array that it holds.

    >>> plain("X", [[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if isinstance(value, np.ma.MaskedArray):
        if np.any(np.ma.getmaskarray(value)):
            first = int(np.argmax(np.ma.getmaskarray(value).any(axis=tuple(range(1, value.ndim)))))
            raise DataError(
                f"'{name}' is a masked array, and entries are masked (row {first})",
                hint='put numbers there:  a.filled(np.nan), with missing="mean"',
            )
        value = np.ma.getdata(value)
    if hasattr(value, "toarray") and not hasattr(value, "__array__"):
        raise DataError(f"'{name}' is a sparse matrix", hint="a.toarray() makes an array of it")
    array = _converted(name, value)
    if array.ndim == 0:
        raise DataError(f"'{name}' is {_shown(array[()])}, not an array; "
                        "one row per example is expected")  # fmt: skip
    if array.dtype.kind in NUMBERS:
        return array if mapped(array) is not None else _native(array)
    if texts and array.dtype.kind in "OUS":
        return _texts(name, array)
    raise _refused(name, array)


def _converted(name: str, value: Any) -> Array:
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray)
    array: Array = converted(value, lambda error: DataError(
        f"'{name}' cannot be read as an array: {str(error).split('. ')[0]}",
        hint="rows of one length make an array"))  # fmt: skip
    return array


def mapped(array: Array) -> np.memmap[Any, Any] | None:
    """Find the memory-mapped array that `array` is a view of; None if there is none."""
    found: Any = array
    while isinstance(found, np.ndarray):
        if isinstance(found, np.memmap):
            return found
        found = found.base
    return None


def _native(array: Array) -> Array:
    """Lay numbers out in rows and in this machine's byte order, at 32 or 64 bits if fractions."""
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float64)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=dtype)


def _texts(name: str, array: Array) -> Array:
    """Give texts as an array of objects; bytes are decoded."""
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array, "utf-8")
        except UnicodeDecodeError:
            raise DataError(f"the texts of '{name}' are not in UTF-8") from None
    return array.astype(object)


def _refused(name: str, array: Array) -> DataError:
    kind, shown = array.dtype.kind, ""
    if array.size and kind in "OUS":
        shown = f", such as {_shown(array.flat[0])}"
    what, hint = {
        "c": ("complex numbers", "take the real part, or two columns"),
        "m": ("durations", "turn them into numbers:  d / np.timedelta64(1, 's')"),
        "M": ("dates", "turn them into numbers:  (d - d[0]) / np.timedelta64(1, 'D')"),
        "V": ("records", "give the fields one by one:  {'X': ..., 'y': a['y']}"),
        "O": (f"Python objects{shown}", "turn them into numbers:  a.astype(float)"),
    }.get(kind, (f"texts{shown}", "texts can be labels, or columns of a table"))
    return DataError(f"'{name}' holds {what}; numbers are expected", hint=hint)


def _shown(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 40 else text[:39] + "…"


def steps(rows: int, row: int, entries: int = 1 << 18) -> range:
    """Cut rows of `row` entries into blocks of about `entries`: where each block begins.

    >>> list(steps(10, 100, 400))
    [0, 4, 8]
    """
    return range(0, rows, max(1, entries // max(row, 1)))
