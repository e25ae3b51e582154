"""What a drawing says of large arrays: size, range, block means, counts. NumPy does the work."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from symgrad.diagram.from_graph import Array

BINS = 24


@dataclass(frozen=True, slots=True)
class Summary:
    """Hold the range of the finite entries, and how many others there are."""

    low: float
    mean: float
    high: float
    rms: float
    nans: int
    infinite: int

    @property
    def constant(self) -> bool:
        """Say whether all entries are one number."""
        return self.low == self.high and not self.nans and not self.infinite


def peak(array: Array) -> float:
    """Give the largest size of a finite entry; 0 where there is none.

    >>> peak(np.array([1.0, -3.0, np.inf]))
    3.0
    """
    if not array.size:
        return 0.0
    numbers = np.asarray(array, dtype=float)
    sizes = float(numbers.max()), -float(numbers.min())
    if all(np.isfinite(sizes)):
        return max(sizes)
    return float(np.abs(numbers, where=np.isfinite(numbers), out=np.zeros_like(numbers)).max())


def peaks(arrays: Iterable[Array]) -> list[float]:
    """Give the peak of each array: what `Decimals.suited` needs to know, without every entry."""
    return [peak(array) for array in arrays]


def rms(array: Array) -> float:
    """Give the root mean square of an array; NaN or infinite if an entry is."""
    if not array.size:
        return 0.0
    numbers = np.asarray(array, dtype=float)
    largest = peak(numbers)
    if not largest or not np.isfinite(largest):
        return float(np.abs(numbers).max())
    with np.errstate(all="ignore"):
        # Scaled by the peak, so that squares neither overflow nor vanish.
        return float(largest * np.sqrt(np.mean(np.square(numbers / largest))))


def summary(array: Array) -> Summary:
    """Measure an array that has entries.

    >>> summary(np.array([1.0, 2.0, np.nan]))
    Summary(low=1.0, mean=1.5, high=2.0, rms=1.5811388300841898, nans=1, infinite=0)
    """
    numbers = np.asarray(array, dtype=float).ravel()
    nans = int(np.isnan(numbers).sum())
    finite = finite_entries(numbers)
    infinite = numbers.size - nans - finite.size
    if not finite.size:
        return Summary(np.nan, np.nan, np.nan, np.nan, nans, infinite)
    largest = peak(finite) or 1.0
    mean = float((finite / largest).mean() * largest)
    low, high = float(finite.min()), float(finite.max())
    return Summary(low, min(max(mean, low), high), high, rms(finite), nans, infinite)


def finite_entries(array: Array) -> Array:
    """Give the finite entries in a row."""
    numbers = np.asarray(array, dtype=float).ravel()
    good = np.isfinite(numbers)
    return numbers if good.all() else numbers[good]


def counts(array: Array, bins: int = BINS, span: tuple[float, float] | None = None) -> Array:
    """Count the finite entries in equal bins of a span, usually from the least to the greatest.

    >>> counts(np.arange(8.0), 4)
    array([2, 2, 2, 2])
    """
    numbers = finite_entries(array)
    low, high = span or (float(numbers.min()), float(numbers.max()))
    # Scaled, so that the span of the largest numbers does not overflow.
    scale = max(abs(low), abs(high)) or 1.0
    ends = (low / scale, high / scale) if low < high else None
    return np.histogram(numbers / scale, bins=bins, range=ends)[0]


def means(grid: Array, rows: int, columns: int) -> tuple[Array, tuple[int, int]]:
    """Average blocks of a matrix until at most so many rows and columns are left.

    Give the means and the rows and columns of a block; the last block of an axis may be smaller.
    Large numbers are no trouble: the means are those of the matrix divided by its peak.

    >>> means(np.arange(8.0).reshape(2, 4) / 7, 2, 2)[1]
    (1, 2)
    """
    high, wide = (-(-n // most) for n, most in zip(grid.shape, (rows, columns), strict=True))
    numbers = np.asarray(grid, dtype=float) / (peak(grid) or 1.0)
    with np.errstate(all="ignore"):
        for axis, step in ((0, high), (1, wide)):
            length = numbers.shape[axis]
            starts = np.arange(0, length, step)
            sizes = np.diff(np.append(starts, length))
            shape = (-1, 1) if axis == 0 else (1, -1)
            numbers = np.add.reduceat(numbers, starts, axis=axis) / sizes.reshape(shape)
    return numbers, (high, wide)


def percent(share: float) -> str:
    """Write a share in per cent; 0 and 100 only where they are exact.

    >>> percent(0.5104), percent(0.9999), percent(1.0), percent(1e-9)
    ('51', '>99', '100', '<1')
    """
    rounded = round(100 * share)
    if rounded == 0 and share > 0:
        return "<1"
    return ">99" if rounded == 100 and share < 1 else str(rounded)
