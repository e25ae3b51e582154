"""What the numbers of a point say about the names of a program."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from symgrad.errors import DataError


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
        found[name] = ()
        with suppress(DataError):  # it is complained about where the point is bound
            array = numbers(name, value)
            found[name] = array if array.dtype.kind in "iub" else array.shape
    return found
