"""Warn about data and models, at the line of the user's program that gave them."""

import sys
import warnings
from pathlib import Path
from types import FrameType

from symgrad.errors import SymgradWarning

PACKAGE = str(Path(__file__).parents[1])


def warn(message: str) -> None:
    """Give a `SymgradWarning` that names the first line outside of the package on the way here."""
    frame: FrameType | None = sys._getframe(0)
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, SymgradWarning, stacklevel=level)
