"""Keep the products of a small network in one thread of BLAS.

Two threads of OpenBLAS wait for each other without sleeping. A product of 64×128 by 128×128 gains
next to nothing by the second one, and where other processes want the processors too, each of the
two waits for its turn: on two cores with eighteen processes an epoch of the digits took 1.4 to
3.3 s instead of 0.1 s.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import prod

LARGE = 1 << 24  # multiplications of a product from which on it is worth two threads


@contextmanager
def few_threads(rows: int, shapes: Iterable[tuple[int, ...]]) -> Iterator[None]:
    """Limit BLAS to one thread while parameters of these shapes are multiplied by `rows` rows.

    Nothing changes for larger products, or where threadpoolctl is not installed.

    >>> with few_threads(64, [(64, 128), (128,)]):
    ...     pass
    """
    if rows * max((prod(shape) for shape in shapes), default=0) >= LARGE:
        yield
        return
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(limits=1, user_api="blas"):
        yield
