"""Share the columns of a table out among the inputs of a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.errors import DataError, UsageError, near
from symgrad.train.data.arrays import Array
from symgrad.train.data.reading import Options, Read, Wanted
from symgrad.train.data.table import TARGETS, Table


def shared(table: Table, wanted: Wanted, options: Options) -> Read:
    """Share the columns of a table out: the target, features by their names, the rest as one."""
    if not table.rows:
        raise DataError("the table has no rows")
    found = Read({}, standard=True, table=table, told=True, notes=list(table.notes))
    table = table.without(options.drop)
    columns = list(table.columns)
    if wanted.targets:
        aims = _aims(columns, wanted, options)
        for name, of in aims.items():
            parts = [table.labels(c) for c in of]
            found.targets[name] = parts[0] if len(parts) == 1 else stacked(of, parts)
        columns = [c for c in columns if not any(c in of for of in aims.values())]
        found.notes.append(
            f"the target is column {', '.join(c for of in aims.values() for c in of)}"
        )
    single = [n for n, rank in wanted.features.items() if rank == 0 and n in columns]
    for name in single:
        found.features[name] = _of(table, [name])
    columns = [c for c in columns if c not in single]
    rest = [n for n in wanted.features if n not in single]
    if len(rest) > 1:
        raise DataError(
            f"which columns make {' and which '.join(rest)} cannot be told",
            hint="give the data by name:  {" + ", ".join(f"{n!r}: ..." for n in rest) + "}",
        )
    if rest and not columns:
        has = f"the table has {', '.join(f'{k[:80]!r}' for k in list(table.columns)[:8])}"
        raise DataError(f"no column is left for '{rest[0]}'; {has}",
                        hint="columns of a file are parted by commas, semicolons, | or tabs"
                        if len(table.columns) == 1 else "")  # fmt: skip
    if rest:
        found.features[rest[0]] = _of(table, columns)
    elif columns and wanted.targets:
        found.notes.append(f"not used: column {', '.join(columns)}")
    return found


def _of(table: Table, names: Sequence[str]) -> Table:
    return Table({n: table.columns[n] for n in names}, table.rows, table.lines)


def _column(given: Any, columns: Sequence[str]) -> str:
    """Give the name of a column that is given by its name, or by its number."""
    number = isinstance(given, int) and -len(columns) <= given < len(columns)
    return columns[given] if number and str(given) not in columns else str(given)


def _aims(columns: Sequence[str], wanted: Wanted, options: Options) -> dict[str, list[str]]:
    """Choose the columns of each target."""
    if options.target is not None:
        many = isinstance(options.target, Sequence) and not isinstance(options.target, str)
        given = options.target if many else [options.target]
        of = [_column(c, columns) for c in given]
        for name in of:
            if name not in columns:
                raise UsageError(f"target={name!r} is no column", hint=near(name, columns)
                                 + f"columns are {', '.join(columns[:20])}")  # fmt: skip
        return {wanted.target: of}
    if all(n in columns for n in wanted.targets):
        return {n: [n] for n in wanted.targets}
    lower = {c.lower(): c for c in reversed(columns)}
    usual = next((lower[n] for n in TARGETS if n in lower), columns[-1] if columns else "")
    return {wanted.target: [usual]}


def stacked(names: Sequence[str], parts: Sequence[Array]) -> Array:
    """Make a matrix of several target columns; they are numbers."""
    texts = [n for n, p in zip(names, parts, strict=True) if p.dtype == object]
    if texts:
        raise DataError(f"the target column '{texts[0]}' holds texts; several targets are numbers")
    return np.stack(parts, axis=1)
