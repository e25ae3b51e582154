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
            block = part.reshape(len(part), width).astype(np.float64, copy=False)
            here = ~np.isnan(block) if skip_nan else np.ones((1, width), bool)
            n = here.sum(axis=0) if skip_nan else np.full(width, len(block))
            centre = np.sum(block, axis=0, where=here) / np.maximum(n, 1)
            squares = np.sum(np.square(block - centre), axis=0, where=here)
            total = np.maximum(count + n, 1)
            gap = np.where(n > 0, centre - mean, 0.0)
            spread += squares + np.square(gap) * (count * n / total)
            mean += gap * (n / total)
            count += n
            np.minimum(low, np.min(block, axis=0, where=here, initial=np.inf), out=low)
            np.maximum(high, np.max(block, axis=0, where=here, initial=-np.inf), out=high)
        deviation = np.sqrt(spread / np.maximum(count, 1))
    constant = low >= high
    single = np.where(count > 0, low, 0.0)
    return Statistics(
        count, np.where(constant, single, mean), np.where(constant, 0, deviation), constant
    )
