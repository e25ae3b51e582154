"""Do to new features what was done to those of a data set."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.shapes import Bindings
from symgrad.train.data.arrays import Array
from symgrad.train.data.columns import Columns
from symgrad.train.data.match import matched
from symgrad.train.data.reading import Options, Wanted
from symgrad.train.data.sources import read
from symgrad.train.data.table import Table, from_columns
from symgrad.train.data.transform import Part, Transform


def applied(transform: Transform, source: Any, dtype: Any) -> dict[str, Array]:
    """Make the inputs of new examples; see `Transform.apply`."""
    open_parts = [k for k, p in transform.parts.items() if p.open]
    if open_parts:
        raise DataError(f"the transform of '{open_parts[0]}' is not complete",
                        hint="it is that of a data set after fit(rows)")  # fmt: skip
    ranks = {k: sum(n != 1 for n in p.row) for k, p in transform.parts.items()}
    found = read(source, Wanted(ranks), Options())
    sizes, result = Bindings(), {}
    for name, part in transform.parts.items():
        array, place = _raw(name, part, found.features[name])
        told = part.columns is not None
        array, _ = matched(name, array, ("N", *part.row), sizes, told)
        part.checked(name, array, place)
        kind = np.dtype(np.int64) if part.whole else np.dtype(dtype)
        result[name] = np.ascontiguousarray(part.apply(array), dtype=kind)
    return result


def _raw(name: str, part: Part, given: Array | Table) -> tuple[Array, Any]:
    """Give the numbers of a source, the columns of a table by their names."""
    if part.columns is None:
        if isinstance(given, Table):
            return Columns.of(given, given.columns).matrix(given, part.missing), given.place
        return given, "row {}".format
    names = tuple(part.columns.categories)
    if not isinstance(given, Table):
        if given.ndim != 2 or given.shape[1] != len(names):
            raise DataError(f"'{name}' has the shape {given.shape}; {len(names)} columns are "
                            f"expected: {', '.join(names[:20])}")  # fmt: skip
        given = from_columns(dict(zip(names, given.T, strict=True)))
    elif _numbered(name, given.columns) and len(given.columns) == len(names):
        given = Table(dict(zip(names, given.columns.values(), strict=True)), given.rows)
    return part.columns.matrix(given, part.missing), given.place


def _numbered(name: str, columns: Mapping[str, Any]) -> bool:
    """Say whether columns have no names of their own."""
    return all(c == f"{name}[{k}]" for k, c in enumerate(columns))
