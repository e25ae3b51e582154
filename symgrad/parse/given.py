"""What the numbers of a point say about the names of a program."""

import re
from collections.abc import Mapping
from typing import Any


def arrays_at(text: str, at: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arrays of a point that a program mentions, as `parse` takes them for `shapes`."""
    words = dict.fromkeys(re.findall(r"\w+", text))
    arrays = {k: v for k, v in at.items() if k in words and not isinstance(v, int | float)}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in arrays.items()}
