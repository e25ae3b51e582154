"""Keep the products of a small network in one thread of BLAS.

Two threads of OpenBLAS wait for each other without sleeping. A product of 64×128 by 128×128 gains
next to nothing by the second one, and where other processes want the processors too, each of the
two waits for its turn: on two cores with eighteen processes an epoch of the digits took 1.4 to
3.3 s instead of 0.1 s.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from importlib.util import find_spec
from math import prod
from threading import Lock

LARGE = 1 << 24  # multiplications of a product from which on it is worth two threads


class _Limit:
    """Hold one limit for all trainings that overlap: the last to end puts the threads back.

    Were each to put back what it found, the second would put back the limit of the first.
    """

    def __init__(self) -> None:
        self.lock, self.held, self.inside = Lock(), ExitStack(), 0

    def __enter__(self) -> None:
        from threadpoolctl import threadpool_limits

        with self.lock:
            if not self.inside:
                self.held.enter_context(threadpool_limits(limits=1, user_api="blas"))
            self.inside += 1

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.held.close()


LIMIT = _Limit()


@contextmanager
def few_threads(rows: int, shapes: Iterable[tuple[int, ...]]) -> Iterator[None]:
    """Limit BLAS to one thread while parameters of these shapes are multiplied by `rows` rows.

    Nothing changes for larger products, or where threadpoolctl is not installed.

    >>> with few_threads(64, [(64, 128), (128,)]):
    ...     pass
    """
    large = rows * max((prod(shape) for shape in shapes), default=0) >= LARGE
    with nullcontext() if large or find_spec("threadpoolctl") is None else LIMIT:
        yield
