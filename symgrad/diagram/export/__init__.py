"""Export a diagram: one module per format, named as its suffix, each with `export(diagram)`.

A new format is one new file in this folder.
"""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from symgrad.errors import UsageError

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram


def formats() -> tuple[str, ...]:
    """List the suffixes that can be written.

    >>> {".svg", ".png", ".pdf", ".dot"} <= set(formats())
    True
    """
    return tuple(sorted(f".{module.name}" for module in pkgutil.iter_modules(__path__)))


def export(diagram: "Diagram", suffix: str) -> bytes:
    """Export a diagram in the format of a suffix."""
    if suffix not in formats():
        raise UsageError(
            f"no format has the suffix {suffix!r}" if suffix else "the path has no suffix",
            hint="known are: " + ", ".join(formats()),
        )
    module = import_module(f"{__name__}.{suffix[1:]}")
    return bytes(module.export(diagram))
