"""Export a diagram: one module per format, named as its suffix.

A new format is one new file in this folder, with `export(diagram, *, ...) -> bytes`. Its keyword
arguments are the options of the format; one called `frame` says that each frame is a file.
"""

import inspect
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from symgrad.arguments import checked
from symgrad.errors import UsageError

KINDS = ("fragment", "mode", "edges")  # options; a format looks at its others by itself

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram


@lru_cache(maxsize=1)
def formats() -> tuple[str, ...]:
    """List the suffixes that can be written.

    >>> {".svg", ".png", ".pdf", ".dot"} <= set(formats())
    True
    """
    return tuple(sorted(f".{module.name}" for module in pkgutil.iter_modules(__path__)))


@dataclass(frozen=True, slots=True)
class Format:
    """Describe a format: its suffix and the options that it takes."""

    suffix: str
    options: tuple[str, ...]
    file_per_frame: bool

    def check(self, given: Mapping[str, Any]) -> None:
        """Raise UsageError for an option that the format does not have."""
        for name in given:
            if name not in self.options:
                known = ", ".join(self.options)
                raise UsageError(
                    f"{self.suffix} has no option {name!r}",
                    hint=f"it has: {known}" if known else "it has none",
                )

    def export(self, diagram: "Diagram", **options: Any) -> bytes:
        """Write a diagram in this format."""
        export = import_module(f"{__name__}.{self.suffix[1:]}").export
        checked(export, {k: v for k, v in options.items() if k in KINDS})
        return bytes(export(diagram, **options))


def known_format(suffix: str) -> Format:
    """Find the format of a suffix.

    >>> known_format(".png").options
    ('width',)
    """
    if suffix not in formats():
        raise UsageError(
            f"no format has the suffix {suffix!r}" if suffix else "the path has no suffix",
            hint="known are: " + ", ".join(formats()),
        )
    parameters = inspect.signature(import_module(f"{__name__}.{suffix[1:]}").export).parameters
    names = tuple(parameters)[1:]
    return Format(suffix, tuple(n for n in names if n != "frame"), "frame" in names)
