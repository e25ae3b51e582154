"""What an entry of `shapes=` says about an input: its shape, its dtype, its name."""

import keyword
from typing import Any

from symgrad.errors import ParseError, ShapeError
from symgrad.graph import Node
from symgrad.ops import leaf
from symgrad.parse.limits import scan
from symgrad.shapes import Shape


def typed_leaf(name: str, shape: Shape, kind: str) -> Node:
    """Make an input whose numbers may be integers (labels, where an operator asks for them)."""
    if kind != "integer":
        return leaf(name, shape, kind)
    from symgrad.graph import intern

    return intern("input", (), {"name": name, "kind": "integer"}, shape, "int")


def check_name(name: str) -> None:
    """Raise ParseError unless `shapes=` may give an input this name."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ParseError(f"shapes= gives the name {str(name)[:60]!r}, which is not a name")
    scan(name)


def describe(name: str, value: Any) -> tuple[Shape, str]:
    """Give shape and dtype of an entry of `shapes=`: a tuple is a shape, all else is data."""
    if isinstance(value, tuple):
        for d in value:
            if not isinstance(d, int) or isinstance(d, bool) or not 0 <= d <= 2**40:
                raise ShapeError(f"shapes= gives '{name}' the shape {value!r}; sizes are whole "
                                 "numbers")  # fmt: skip
        return value, "shape"
    import numpy as np

    from symgrad.ops.numbers import numbers

    array = numbers(name, value)
    scalar = array.ndim == 0 and not isinstance(value, np.generic | np.ndarray)
    dtype = "number" if scalar else "int" if array.dtype.kind in "iub" else array.dtype.name
    return array.shape, dtype
