"""What the numbers of a point say about the names of a program."""

import re
from collections.abc import Mapping
from typing import Any

from symgrad.errors import DataError, Span


def arrays_at(text: str, at: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a point says about names that a program mentions, as `parse` takes it for `shapes`.

    Whole numbers are data, as they may be labels; of all else the shape says enough.

    >>> arrays_at("x @ w + b", {"x": [1, 2], "w": (0.5, 1), "b": 3})
    {'x': array([1, 2]), 'w': (2,)}
    """
    words = dict.fromkeys(re.findall(r"\w+", text))
    given = {k: v for k, v in at.items() if k in words and not isinstance(v, int | float)}
    if not given:
        return {}
    from symgrad.ops.numbers import numbers

    found: dict[str, Any] = {}
    for name, value in given.items():
        try:
            array = numbers(name, value)
        except DataError as error:
            raise error.at(_first(name, text), text) from None
        found[name] = array if array.dtype.kind in "iub" else array.shape
    return found


def _first(name: str, text: str) -> Span | None:
    """Find where a program names an input first."""
    found = re.search(rf"\b{name}\b", text)
    if found is None:
        return None
    begin = text.rfind("\n", 0, found.start()) + 1
    column = found.start() - begin + 1
    return Span(text.count("\n", 0, begin) + 1, column, column + len(name))
