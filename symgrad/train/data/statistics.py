"""Mean and standard deviation of columns, block by block, without loss of digits.

Within a block the deviations from the block's mean are squared; two blocks a and b join as
M = M_a + M_b + (mean_b − mean_a)² n_a n_b / (n_a + n_b)  (Chan, Golub and LeVeque, 1979).
"""

from dataclasses import dataclass

import numpy as np

from symgrad.train.data.arrays import Array
from symgrad.train.data.rows import Held, blocks


@dataclass(frozen=True, slots=True)
class Statistics:
    """Hold count, mean, standard deviation (divided by n), and the constant columns."""

    count: Array
    mean: Array
    deviation: Array
    constant: Array


def statistics(rows: Held, index: Array | None = None, skip_nan: bool = False) -> Statistics:
    """Compute the statistics of each column over the rows that `index` lists.

    `skip_nan` leaves missing entries out of their column.

    >>> found = statistics(Held(np.array([[1.0, 5.0], [3.0, 5.0]])))
    >>> found.mean.tolist(), found.deviation.tolist(), found.constant.tolist()
    ([2.0, 5.0], [1.0, 0.0], [False, True])
    """
    width = int(np.prod(rows.array.shape[1:], dtype=np.int64))
    count, mean, spread = np.zeros(width), np.zeros(width), np.zeros(width)
    low, high = np.full(width, np.inf), np.full(width, -np.inf)
    order = None if index is None else np.sort(index)
    with np.errstate(over="ignore", invalid="ignore"):
        for start, stop in blocks(rows, order):
            part = rows.between(start, stop) if order is None else rows.take(order[start:stop])
            block = part.reshape(len(part), width).astype(np.float64)
            gone = np.isnan(block) if skip_nan else None
            n, centre, squares, least, most = _of_block(block, gone)
            gap = np.where(n > 0, centre - mean, 0.0)
            total = np.maximum(count + n, 1)
            spread += squares + np.square(gap) * (count * n / total)
            mean += gap * (n / total)
            count += n
            np.minimum(low, least, out=low)
            np.maximum(high, most, out=high)
        deviation = np.sqrt(spread / np.maximum(count, 1))
    constant = low >= high
    single = np.where(count > 0, low, 0.0)
    return Statistics(
        count, np.where(constant, single, mean), np.where(constant, 0, deviation), constant
    )


def _of_block(block: Array, gone: Array | None) -> tuple[Array, Array, Array, Array, Array]:
    """Give count, mean, sum of squared deviations, least and greatest entry; `block` is spent."""
    n = np.full(block.shape[1], len(block)) if gone is None else len(block) - gone.sum(axis=0)
    if gone is None:
        least, most = block.min(axis=0), block.max(axis=0)
    else:
        least = np.where(gone, np.inf, block).min(axis=0)
        most = np.where(gone, -np.inf, block).max(axis=0)
        block[gone] = 0.0
    centre = block.sum(axis=0) / np.maximum(n, 1)
    block -= centre
    if gone is not None:
        block[gone] = 0.0
    return n, centre, np.square(block, out=block).sum(axis=0), least, most
