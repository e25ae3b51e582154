"""Postpone Python's search for garbage while many nodes are made: they never form cycles."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.Lock()
_inside = 0  # how many blocks are running, in all threads
_was_on = False


@contextmanager
def uncollected() -> Iterator[None]:
    """Make nodes without being searched through: each search looks at all nodes there are.

    Reference counts free what dies meanwhile; only cycles wait for the end of the block.

    >>> with uncollected():
    ...     gc.isenabled()
    False
    """
    global _inside, _was_on
    with _LOCK:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _LOCK:
            _inside -= 1
            if not _inside and _was_on:
                gc.enable()
