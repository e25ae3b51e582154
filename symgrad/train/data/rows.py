"""Where the rows of one input lie: in memory, behind a table of classes, or in a mapped file."""

import mmap
import os
import weakref
from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.train.data.arrays import Array, mapped, steps

DENSE = 4  # rows of a stretch for each one that is wanted, up to which the stretch is read whole


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

    Rows are read from the file, beside the mapping: pages of a mapping that were touched count as
    this process's memory, on Linux up to two megabytes for a row. A mapping that is copied on
    write may differ from its file, so it is read itself.
    """

    def __init__(self, array: Array) -> None:
        super().__init__(array.view(np.ndarray))
        self.size = int(np.prod(array.shape[1:], dtype=np.int64)) * array.itemsize
        self.map = _mapping(array)
        self.file: int | None = None
        self.start = 0
        found = mapped(array)
        if found is not None and self.map is not None and array[:1].flags.c_contiguous:
            self._open(found)

    def _open(self, found: np.memmap[Any, Any]) -> None:
        """Open the file that is mapped, if it still is the same."""
        if not hasattr(os, "preadv") or not found.filename or not self.size or not len(self.array):
            return
        begin = found.offset - found.offset % mmap.ALLOCATIONGRANULARITY
        address = np.frombuffer(self.map, np.uint8).ctypes.data
        self.start = begin + self.array.ctypes.data - address
        try:
            self.file = os.open(found.filename, os.O_RDONLY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self.file)
            ends = np.array([0, len(self.array) - 1])
            same = self._read(ends).tobytes() == self.array[ends].tobytes()
        except (OSError, DataError):
            same = False
        if not same:
            self.file = None

    def take(self, index: Array) -> Array:
        """Read the rows of these numbers."""
        if self.file is None:
            return self._let_go(self.array.take(index, axis=0))
        index = np.where(index < 0, index + len(self.array), index)
        if not index.size:
            return self.array[:0].copy()
        first, last = int(index.min()), int(index.max())
        if first < 0 or last >= len(self.array):
            raise IndexError(index)
        if last - first < DENSE * len(index):
            return self.between(first, last + 1).take(index - first, axis=0)
        return self._read(index)

    def between(self, start: int, stop: int) -> Array:
        """Read the rows from start up to stop, as a copy."""
        if self.file is None:
            return self._let_go(self.array[start:stop].copy())
        if self.array.strides[0] != self.size:
            return self._read(np.arange(start, stop))
        result = np.empty((stop - start, *self.array.shape[1:]), self.array.dtype)
        self._fill(_bytes(result), self.start + start * self.size)
        return result

    def sample(self) -> Array:
        """Read 64 rows from the first to the last."""
        rows = len(self.array)
        return self.take(np.unique(np.linspace(0, max(rows - 1, 0), 64).astype(np.int64))[:rows])

    def _read(self, index: Array) -> Array:
        """Read rows one by one."""
        result = np.empty((len(index), *self.array.shape[1:]), self.array.dtype)
        room, size, stride, start = _bytes(result), self.size, self.array.strides[0], self.start
        for k, row in enumerate(index.tolist()):
            self._fill(room[k * size : (k + 1) * size], start + row * stride)
        return result

    def _fill(self, room: memoryview, place: int) -> None:
        assert self.file is not None
        done = 0
        while done < len(room):  # a call reads at most 2 GB
            count = os.preadv(self.file, [room[done:]], place + done)
            if not count:
                raise DataError("a mapped file has become shorter since it was opened")
            done += count

    def _let_go(self, result: Array) -> Array:
        """Drop the pages that were read; the file keeps what a shared mapping holds."""
        if self.map is not None and hasattr(mmap, "MADV_DONTNEED"):
            self.map.madvise(mmap.MADV_DONTNEED)
        return result


def _bytes(array: Array) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8).data)


def _mapping(array: Array) -> Any:
    """Give the mapping under an array if it is shared with its file, None if not."""
    found = mapped(array)
    whole: Any = array
    while isinstance(whole, np.ndarray) and whole.base is not None:
        whole = whole.base
    whole = whole.obj if isinstance(whole, memoryview) else whole
    shared = found is not None and found.mode != "c"
    return whole if shared and isinstance(whole, mmap.mmap) else None


def held(array: Array) -> Held:
    """Choose how to keep an array: as it is, or as the mapped file that it is."""
    return Held(array) if mapped(array) is None else Mapped(array)


def blocks(rows: Held, index: Array | None = None) -> "list[tuple[int, int]]":
    """Cut the rows (or the rows that `index` lists) into blocks that a cache holds."""
    count = len(rows) if index is None else len(index)
    starts = steps(count, int(np.prod(rows.array.shape[1:], dtype=np.int64)))
    return [(k, min(k + starts.step, count)) for k in starts]
