"""A bar on a terminal that says how far a run is, and its loss."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Observer = Callable[[Any, dict[str, Any]], None]
_came: list[int] = []  # interrupts since `heard` began to listen


@contextmanager
def heard() -> Iterator[None]:
    """Remember interrupts: one that falls into a callback or a finaliser is printed and lost.

    A run that is observed through `bar` ends after the epoch then.

    >>> with heard():
    ...     signal.getsignal(signal.SIGINT) is _hear
    True
    """
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield
        return
    _came.clear()
    signal.signal(signal.SIGINT, _hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _hear(number: int, frame: Any) -> None:
    _came.append(number)
    signal.default_int_handler(number, frame)


def _stopped(run: Any, record: dict[str, Any]) -> None:
    """Raise KeyboardInterrupt for one that was lost."""
    if _came and signal.getsignal(signal.SIGINT) is _hear:
        raise KeyboardInterrupt


@contextmanager
def bar(wanted: bool | None = None) -> Iterator[Observer]:
    """Show a bar of epochs; by itself only on a terminal, and where tqdm is installed.

    >>> with bar() as observe:  # doctest: +SKIP
    ...     observe(run, {"epoch": 1, "loss": 0.5})
    """
    shown = sys.stderr.isatty() if wanted is None else wanted
    try:
        from tqdm import tqdm
    except ImportError:
        shown = False
    if not shown:
        with heard():
            yield _stopped
        return
    with heard(), tqdm(unit="epoch", file=sys.stderr, leave=False) as line:

        def observe(run: Any, record: dict[str, Any]) -> None:
            _stopped(run, record)
            line.total, line.n = run.loop.epochs, record["epoch"]
            said = {"loss": f"{record['loss']:.4g}"}
            if "validation_loss" in record:
                said["validation"] = f"{record['validation_loss']:.4g}"
            line.set_postfix(said, refresh=False)
            line.update(0)

        yield observe
