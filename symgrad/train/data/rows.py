"""Where the rows of one input lie: in memory, behind a table of classes, or in a mapped file."""

import mmap
from typing import Any

import numpy as np

from symgrad.train.data.arrays import Array, mapped, steps

AROUND = 1 << 16  # a page fault maps its neighbours too, on Linux up to this many bytes
KEPT = 1 << 26  # bytes of a mapping that may be resident before they are let go


class Held:
    """Rows in memory.

    >>> Held(np.arange(6).reshape(3, 2)).take(np.array([2, 0])).tolist()
    [[4, 5], [0, 1]]
    """

    def __init__(self, array: Array) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def take(self, index: Array) -> Array:
        """Give the rows of these numbers, in this order."""
        return self.array.take(index, axis=0)

    def between(self, start: int, stop: int) -> Array:
        """Give the rows from start up to stop."""
        return self.array[start:stop]

    def sample(self) -> Array:
        """Give the rows that a fingerprint reads: all."""
        return np.ascontiguousarray(self.array)


class Coded(Held):
    """Classes as small numbers, and what stands for each: a label, 0 or 1, a one-hot row.

    >>> Coded(np.array([1, 0], np.uint8), np.eye(2)).take(np.array([0])).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, codes: Array, table: Array) -> None:
        super().__init__(codes)
        self.table = table

    def take(self, index: Array) -> Array:
        """Give what stands for the classes of these rows."""
        return self.table.take(self.array.take(index, 0), 0)


class Mapped(Held):
    """Rows in a memory-mapped file, never copied whole.

    The pages that were read count as this process's memory until somebody lets them go. A
    mapping that is shared with its file loses nothing by that; one that is copied on write would
    lose what was written, so it is left alone.
    """

    def __init__(self, array: Array) -> None:
        super().__init__(array.view(np.ndarray))
        found = mapped(array)
        whole: Any = array
        while isinstance(whole, np.ndarray) and whole.base is not None:
            whole = whole.base
        whole = whole.obj if isinstance(whole, memoryview) else whole
        shared = found is not None and found.mode != "c"
        self.map: Any = whole if shared and isinstance(whole, mmap.mmap) else None
        self.touched = 0
        row = int(np.prod(array.shape[1:], dtype=np.int64)) * array.itemsize
        in_rows = array[:1].flags.c_contiguous
        self.cost = row + AROUND if in_rows else max(array.nbytes, KEPT)

    def take(self, index: Array) -> Array:
        """Read the rows of these numbers."""
        result = self.array.take(index, axis=0)
        self._count(len(index) * self.cost)
        return result

    def between(self, start: int, stop: int) -> Array:
        """Read the rows from start up to stop, as a copy."""
        result = self.array[start:stop].copy()
        self._count(result.nbytes + self.cost)
        return result

    def sample(self) -> Array:
        """Read 64 rows from the first to the last."""
        rows = len(self.array)
        return self.take(np.unique(np.linspace(0, max(rows - 1, 0), 64).astype(np.int64))[:rows])

    def _count(self, read: int) -> None:
        self.touched += read
        if self.touched > KEPT and self.map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.map.madvise(mmap.MADV_DONTNEED)
            self.touched = 0


def held(array: Array) -> Held:
    """Choose how to keep an array: as it is, or as the mapped file that it is."""
    return Held(array) if mapped(array) is None else Mapped(array)


def blocks(rows: Held, index: Array | None = None) -> "list[tuple[int, int]]":
    """Cut the rows (or the rows that `index` lists) into blocks of about a million entries."""
    count = len(rows) if index is None else len(index)
    starts = steps(count, int(np.prod(rows.array.shape[1:], dtype=np.int64)))
    return [(k, min(k + starts.step, count)) for k in starts]
