"""How the columns of a table become a matrix: numbers as they are, categories one-hot."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.train.data.arrays import Array
from symgrad.train.data.labels import listed
from symgrad.train.data.table import Column, Table, number
from symgrad.train.telling import warn

DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?![\d.])|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?!\d)")
COUNTED = re.compile(r"\W*\d[\d\W]*")  # a number with something beside it
PLAIN = "numbers are written as 1234.5, with no unit and nothing between thousands; "
LIMIT = 64  # categories of one column
SLIPS = 10  # different numbers in a column, beyond which a text among them is a slip


@dataclass(frozen=True, slots=True)
class Columns:
    """List the columns that make the matrix; a column of texts comes with its categories.

    >>> from symgrad.train.data.table import from_columns
    >>> table = from_columns({"size": [1, 2], "colour": ["red", "blue"]})
    >>> chosen = Columns.of(table, table.columns)
    >>> chosen.names, chosen.matrix(table).tolist()
    (('size', 'colour=blue', 'colour=red'), [[1.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
    """

    categories: Mapping[str, tuple[str, ...] | None]

    @classmethod
    def of(cls, table: Table, names: Sequence[str] | Mapping[str, Any]) -> "Columns":
        """Take these columns of a table; raise DataError for one whose texts tell rows apart."""
        chosen: dict[str, tuple[str, ...] | None] = {}
        for name in names:
            column = table.column(name)
            chosen[name] = column.texts if column.codes is not None else None
            if column.codes is not None:
                _few(name, column, table)
        return cls(chosen)

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns of the matrix."""
        return tuple(
            name if t is None else f"{name}={t}"
            for name, texts in self.categories.items()
            for t in ([None] if texts is None else texts)
        )

    @property
    def numeric(self) -> Array:
        """Mark the columns of the matrix that hold numbers."""
        parts = [[True] if t is None else [False] * len(t) for t in self.categories.values()]
        return np.array([mark for part in parts for mark in part], dtype=bool)

    def matrix(self, table: Table, missing: str = "error") -> Array:
        """Make the matrix; NaN where a number is missing, a row of zeros for no category.

        A category that is not among the known ones is a row of zeros too, with a warning.
        """
        parts: list[Array] = []
        for name, texts in self.categories.items():
            column = table.column(name)
            if texts is None:
                parts.append(_numbers(name, column, table)[:, None])
            else:
                parts.append(_one_hot(name, column, table, texts, missing))
        return np.concatenate(parts, axis=1) if parts else np.empty((table.rows, 0))


def _few(name: str, column: Column, table: Table) -> None:
    """Raise DataError for texts that are no categories: numbers with a slip, or names of rows."""
    count = len(column.texts)
    numeric = [t for t in column.texts if number(t) is not None]
    if len(numeric) > SLIPS:
        assert column.codes is not None
        shown = column.texts[column.codes[column.odd]]
        raise DataError(f"the column '{name}' holds numbers; {table.place(column.odd)} has "
                        f"{shown[:40]!r}",
                        hint=f"mend it, or drop=[{name!r}] leaves the column out")  # fmt: skip
    if column.texts and all(DATE.match(text) for text in column.texts):
        raise DataError(f"the column '{name}' holds dates, such as {column.texts[0][:40]!r}",
                        hint="turn them into numbers, days since the first say; "
                        f"drop=[{name!r}] leaves the column out")  # fmt: skip
    if count > LIMIT or (count >= 20 and 2 * count > table.rows):
        assert column.codes is not None
        shown = column.texts[column.codes[column.odd]]
        raise DataError(f"the column '{name}' has {count} different texts in {table.rows} rows, "
                        f"such as {shown[:40]!r} in {table.place(column.odd)}; it is neither "
                        f"numbers nor a category of at most {LIMIT}",
                        hint=PLAIN * bool(COUNTED.fullmatch(shown))
                        + f"drop=[{name!r}] leaves it out")  # fmt: skip


def _numbers(name: str, column: Column, table: Table) -> Array:
    if column.numbers is not None:
        return column.numbers
    assert column.codes is not None
    if not (column.codes >= 0).any():
        return np.full(table.rows, np.nan)
    shown = column.texts[column.codes[column.odd]]
    raise DataError(f"the column '{name}' holds numbers; {table.place(column.odd)} has "
                    f"{shown[:40]!r}")  # fmt: skip


def _one_hot(
    name: str, column: Column, table: Table, texts: tuple[str, ...], missing: str
) -> Array:
    if column.codes is None:  # numbers, where the known categories are texts
        assert column.numbers is not None
        shown = [None if np.isnan(v) else f"{v:g}" for v in column.numbers]
        codes = np.array([texts.index(v) if v in texts else -1 - (v is not None) for v in shown])
        unknown = dict.fromkeys(v for v in shown if v is not None and v not in texts)
    else:
        places = [texts.index(t) if t in texts else -2 for t in column.texts]
        codes = np.array([*places, -1])[column.codes]
        unknown = dict.fromkeys(t for t in column.texts if t not in texts)
    if missing == "error" and (codes == -1).any():
        first = int(np.argmax(codes == -1))
        raise missing_entry(f"column '{name}'", table.place(first))
    if unknown:
        first = int(np.argmax(codes == -2))
        warn(f"the column '{name}' has {listed(list(unknown))} ({table.place(first)}), known are "
             f"{listed(texts)}; such rows count as none of them")  # fmt: skip
    marks: Array = codes[:, None] == np.arange(len(texts))
    return marks.astype(np.float64)


def missing_entry(column: str, place: str) -> DataError:
    """Say where an entry is missing, and how to go on."""
    return DataError(
        f"an entry is missing (NaN) in {place}, {column}",
        hint='missing="mean" puts the mean of the training rows there',
    )
