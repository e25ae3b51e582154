"""Read tables from text files: a header, then a row on each line, parted by , ; | or tabs.

The file is read twice if it has texts: first the numbers, then the columns that turned out to be
texts. So a column of numbers takes eight bytes an entry.
"""

import csv
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import numpy as np

from symgrad.errors import DataError, LimitError
from symgrad.train.data.table import Column, Table, absent, categorical, number, once

LIMIT = 2**30  # bytes
DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 20  # lines by which the delimiter is chosen


def read(path: Path) -> Table:
    """Read a file in UTF-8; raise DataError with the line for anything that is no table.

    With semicolons between the columns a comma within a number is its decimal point.
    """
    if path.stat().st_size > LIMIT:
        raise LimitError(f"{path} has more than {LIMIT} bytes",
                         hint="save its columns as .npy files in a folder: they are read batch "
                         "by batch")  # fmt: skip
    delimiter = _delimiter(path)
    names, lines, columns, odd = _numbers(path, delimiter)
    texts = _texts(path, delimiter, len(names), [k for k, row in enumerate(odd) if row >= 0])
    found = {
        name: categorical(texts[k], odd[k]) if odd[k] >= 0 else Column(np.array(columns[k]))
        for k, name in enumerate(names)
    }
    if not lines:
        raise DataError(f"{path} has a header and no rows")
    notes = []
    if names[0] == "" and len(names) > 1:  # the row numbers that data frames write
        del found[""]
        notes = ["the first column has no name; it is left out"]
    empty = [name for name in found if not name]
    if empty:
        raise DataError(f"column {names.index('') + 1} of {path} has no name in the header")
    return Table(found, len(lines), lines, tuple(notes))


def _open(path: Path) -> TextIO:
    return open(path, encoding="utf-8-sig", newline="")


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which a record begins, and its cells; blank lines are left out."""
    with _open(path) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        begin = 1
        try:
            for cells in reader:
                if len(cells) > 1 or (cells and cells[0].strip()):
                    yield begin, cells
                begin = reader.line_num + 1
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not in UTF-8: it has the byte "
                            f"{error.object[error.start]:#04x}",
                            hint='save it as "CSV UTF-8"') from None  # fmt: skip
        except csv.Error as error:
            raise DataError(f"{path}, line {begin}: {error}",
                            hint="is a quotation mark missing?") from None  # fmt: skip


def _delimiter(path: Path) -> str:
    """Choose what cuts the first lines into the most columns, as many on each."""
    best, most = ",", 1
    for delimiter in DELIMITERS:
        counts: list[int] = []
        with _open(path) as file, suppress(csv.Error, UnicodeDecodeError):
            for cells in csv.reader(file, delimiter=delimiter):
                counts += [len(cells)] * (cells not in ([], [""]))
                if len(counts) == LOOKED_AT:
                    break
        if counts and counts[0] > most and 2 * counts.count(counts[0]) > len(counts):
            best, most = delimiter, counts[0]
    return best


Numbers = tuple[list[str], "array[int]", list["array[float]"], list[int]]


def _numbers(path: Path, delimiter: str) -> Numbers:
    """Read the header and all numbers: names, lines, columns, and the first row of texts or -1."""
    records = _records(path, delimiter)
    first = next(records, None)
    if first is None:
        raise DataError(f"{path} is empty")
    names = [cell.strip() for cell in first[1]]
    if all(number(name) is not None for name in names):
        raise DataError(f"the first line of {path} holds numbers, not the names of columns",
                        hint="put a header above it, such as  x1,x2,y")  # fmt: skip
    once([n for n in names if n])
    comma = delimiter == ";"
    lines, columns = array("q"), [array("d") for _ in names]
    odd = [-1] * len(names)
    open_columns = list(range(len(names)))
    for line, cells in records:
        if len(cells) != len(names):
            raise DataError(
                f"line {line} of {path} has {len(cells)} entries, the header has {len(names)}",
                hint="an entry that contains the separator stands in quotation marks",
            )
        for k in open_columns:
            value = number(cells[k], comma)
            if value is None:
                odd[k] = len(lines)
            else:
                columns[k].append(value)
        if any(odd[k] >= 0 for k in open_columns):
            open_columns = [k for k in open_columns if odd[k] < 0]
        lines.append(line)
    return names, lines, columns, odd


def _texts(
    path: Path, delimiter: str, width: int, wanted: list[int]
) -> dict[int, list[str | None]]:
    """Read the columns of texts."""
    found: dict[int, list[str | None]] = {k: [] for k in wanted}
    if not wanted:
        return found
    records = _records(path, delimiter)
    next(records)
    shared: dict[str, str] = {}  # one copy of each text
    for _, cells in records:
        for k in wanted:
            cell = cells[k].strip()
            found[k].append(None if absent(cell) else shared.setdefault(cell, cell))
    return found
