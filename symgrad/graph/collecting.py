"""Postpone Python's search for garbage while many nodes are made: they never form cycles."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 50_000  # objects whose search takes some ten milliseconds
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
                _grown_old()
                gc.enable()


def _grown_old() -> None:
    """Let what was made count as looked through, where that would take long.

    Freezing and thawing moves all objects to the oldest generation, at no cost; what an
    application has frozen has to stay so.
    """
    if gc.get_count()[0] > MANY and not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
