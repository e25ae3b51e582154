"""A bar on a terminal that says how far a run is, and its loss."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Observer = Callable[[Any, dict[str, Any]], None]


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
        yield lambda run, record: None
        return
    with tqdm(unit="epoch", file=sys.stderr, leave=False) as line:

        def observe(run: Any, record: dict[str, Any]) -> None:
            line.total, line.n = run.loop.epochs, record["epoch"]
            said = {"loss": f"{record['loss']:.4g}"}
            if "validation_loss" in record:
                said["validation"] = f"{record['validation_loss']:.4g}"
            line.set_postfix(said, refresh=False)
            line.update(0)

        yield observe
