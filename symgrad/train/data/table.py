"""A table: columns of numbers and of texts, from a frame, a mapping of columns or a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DataError, UsageError, near
from symgrad.train.data.arrays import NUMBERS, Array, plain

MINUS = "−"  # U+2212, as texts are typeset
ABSENT = ("", "na", "n/a", "nan", "null", "none", "?", "-")  # what stands for a missing entry
TARGETS = ("target", "label", "class", "y")  # names by which a column is taken for the target


@dataclass(frozen=True, slots=True)
class Column:
    """Hold one column: `numbers` with NaN where one is missing, or codes of `texts`, −1 there.

    `odd` is the row of the first entry that is no number.
    """

    numbers: Array | None
    codes: Array | None = None
    texts: tuple[str, ...] = ()
    odd: int = -1


@dataclass(frozen=True, slots=True)
class Table:
    """Hold columns by name; `lines` are the lines of a file on which the rows stand."""

    columns: Mapping[str, Column]
    rows: int
    lines: Sequence[int] | None = None
    notes: tuple[str, ...] = ()

    def place(self, row: int) -> str:
        """Say where a row stands."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"

    def column(self, name: str) -> Column:
        """Give a column; raise DataError if there is none of this name."""
        if name not in self.columns:
            known = ", ".join(list(self.columns)[:20]) or "none"
            raise DataError(
                f"there is no column '{name}'",
                hint=near(name, tuple(self.columns)) + f"columns are {known}",
            )
        return self.columns[name]

    def without(self, names: Sequence[str]) -> "Table":
        """Leave columns out; raise UsageError for one that is not there."""
        for name in names:
            if name not in self.columns:
                raise UsageError(f"drop={name!r} is no column",
                                 hint=near(name, tuple(self.columns))
                                 + f"columns are {', '.join(list(self.columns)[:20])}")  # fmt: skip
        kept = {k: c for k, c in self.columns.items() if k not in names}
        return Table(kept, self.rows, self.lines, self.notes)

    def labels(self, name: str) -> Array:
        """Give a column as labels or values: numbers, or texts as objects; nothing is missing."""
        column = self.column(name)
        numbers, codes = column.numbers, column.codes
        missing = codes < 0 if codes is not None else np.isnan(np.asarray(numbers))
        if missing.any():
            first = int(np.argmax(missing))
            raise DataError(f"the target column '{name}' is empty in {self.place(first)}",
                            hint="leave out the rows that have no target")  # fmt: skip
        if column.codes is None:
            assert column.numbers is not None
            return column.numbers
        return np.array([*column.texts, None], dtype=object)[:-1][column.codes]


def is_frame(value: Any) -> bool:
    """Say whether a value looks like a table of a data frame library."""
    return (
        hasattr(value, "columns")
        and hasattr(value, "__getitem__")
        and not isinstance(value, np.ndarray | Mapping)
    )


def from_frame(frame: Any, drop: Sequence[str] = ()) -> Table:
    """Read a data frame column by column; those of `drop` may hold anything."""
    names = [str(c) for c in frame.columns]
    once(names)
    return from_columns({n: frame[c] for n, c in zip(names, frame.columns, strict=True)}, drop)


def once(names: Sequence[str]) -> None:
    """Raise DataError for a name that two columns have."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"two columns are named '{name[:80]}'",
                            hint="give them different names")  # fmt: skip
        seen.add(name)


def from_objects(name: str, array: Array) -> Table:
    """Read a matrix of texts and numbers; its columns are numbered."""
    if array.ndim != 2:
        raise plain_error(name, array)
    found = from_columns({f"{name}[{k}]": array[:, k] for k in range(array.shape[1])})
    if all(column.codes is None for column in found.columns.values()):
        raise plain_error(name, array)
    return found


def plain_error(name: str, array: Array) -> DataError:
    """Say why an array of texts is no matrix of features."""
    try:
        plain(name, array)
    except DataError as error:
        return error
    return DataError(f"'{name}' is no table")


def from_columns(columns: Mapping[str, Any], drop: Sequence[str] = ()) -> Table:
    """Read columns that are given one by one, each a sequence of numbers or texts.

    >>> from_columns({"size": [1, 2], "colour": ["red", "blue"]}).columns["colour"].texts
    ('blue', 'red')
    """
    found: dict[str, Column] = {}
    rows = -1
    for name, values in columns.items():
        if name in drop:  # its entries are never looked at
            found[name] = Column(np.empty(0))
            continue
        array = plain(name, values, texts=True)
        if array.ndim != 1:
            raise DataError(f"the column '{name}' has {array.ndim} axes, not one")
        if rows not in (-1, len(array)):
            first = next(n for n in found if n not in drop)
            raise DataError(f"the column '{name}' has {len(array)} rows, '{first}' has {rows}")
        rows = len(array)
        found[name] = _column(name, array)
    return Table(found, max(rows, 0))


def _column(name: str, array: Array) -> Column:
    if array.dtype.kind in NUMBERS:
        return Column(array.astype(np.float64))
    numbers = np.full(len(array), np.nan)
    odd = -1
    for k, value in enumerate(array):
        number = _number(value)
        if number is None:
            odd = k
            break
        numbers[k] = number
    if odd < 0:
        return Column(numbers)
    return categorical([None if absent(v) else str(v).strip() for v in array], odd)


def _number(value: Any) -> float | None:
    if absent(value):
        return float("nan")
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return float(value)
    return None


def absent(value: Any) -> bool:
    """Say whether a cell stands for a missing entry."""
    if isinstance(value, str):
        return value.strip().lower() in ABSENT
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def number(text: str, comma: bool = False) -> float | None:
    """Read a number as a table spells it; NaN for a missing one, None for any other text.

    >>> number(" 1.5 "), number("1,5", comma=True), number("x"), number("1_000")
    (1.5, 1.5, None, None)
    """
    try:
        value = float(text)
        return None if "_" in text else value
    except ValueError:
        pass
    text = text.strip()
    if text.lower() in ABSENT:
        return float("nan")
    if text.startswith(MINUS):
        return number("-" + text[1:], comma)
    if comma and text.count(",") == 1 and "." not in text:
        return number(text.replace(",", "."))
    return None


def categorical(values: Sequence[str | None], odd: int) -> Column:
    """Make a column of texts; the categories are in alphabetical order."""
    texts = tuple(sorted({v for v in values if v is not None}))
    places: dict[str | None, int] = {t: k for k, t in enumerate(texts)} | {None: -1}
    codes = np.fromiter((places[v] for v in values), np.int32, len(values))
    return Column(None, codes, texts, odd)
