"""Cut rows into training, validation and test parts, in proportion to the classes if asked."""

import numpy as np

from symgrad.errors import DataError, UsageError
from symgrad.train.data.arrays import Array

Part = float | int
MANY = 1_000_000  # rows from which on memory counts


def split(
    rows: int, validation: Part, test: Part, seed: int, codes: Array | None = None
) -> tuple[Array, Array, Array]:
    """Give the row numbers of the three parts, each in increasing order.

    A part is a share below 1 or a number of rows; 0 means that there is no such part. With
    `codes`, the class of each row, every part has the classes in the proportions of the whole; of
    more than a million rows, chance sees to that.

    >>> [len(part) for part in split(10, 0.2, 3, seed=0)]
    [5, 2, 3]
    """
    counts = [_count("validation", validation, rows), _count("test", test, rows)]
    if sum(counts) >= rows:
        raise DataError(f"of {rows} rows, {counts[0]} for validation and {counts[1]} for the test "
                        "leave none for training")  # fmt: skip
    if not any(counts):
        return np.arange(rows, dtype=_whole(rows)), np.empty(0, np.int64), np.empty(0, np.int64)
    order = _order(rows, seed, codes if rows <= MANY else None)
    first, second = counts[1], counts[1] + counts[0]
    parts = np.sort(order[second:]), np.sort(order[first:second]), np.sort(order[:first])
    return parts


def _count(name: str, part: Part, rows: int) -> int:
    if isinstance(part, bool) or not isinstance(part, int | float | np.integer | np.floating):
        raise UsageError(f"{name}={part!r} is not a number")
    if not 0 <= part < float("inf"):
        raise UsageError(f"{name}={part!r} is not a share between 0 and 1 or a number of rows")
    if part >= 1 and part != int(part):
        raise UsageError(f"{name}={part!r} is neither a share below 1 nor a whole number of rows")
    count = int(part) if part >= 1 else round(float(part) * rows)
    if part and not count:
        raise DataError(f"{name}={part!r} of {rows} rows is none",
                        hint=f"a larger share, or a number of rows:  {name}=1")  # fmt: skip
    return count


def _whole(rows: int) -> type:
    return np.int32 if MANY < rows < 2**31 else np.int64


def _order(rows: int, seed: int, codes: Array | None) -> Array:
    """Shuffle the rows so that every stretch has the classes in proportion, up to one row.

    The k-th of the n rows of a class, in random order, goes to the place (k + 1/2)/n.
    """
    order: Array = np.arange(rows, dtype=_whole(rows))
    np.random.default_rng(seed).shuffle(order)
    if codes is None:
        return order
    grouped = order[np.argsort(codes[order], kind="stable")]
    sizes = np.bincount(codes)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    place = (np.arange(rows) - starts + 0.5) / np.repeat(sizes, sizes)
    back = np.empty(rows, np.int64)
    back[grouped] = np.arange(rows)
    shuffled = back[order]  # ties between classes are broken at random
    return grouped[shuffled][np.argsort(place[shuffled], kind="stable")]
