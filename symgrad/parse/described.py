"""What an entry of `shapes=` says about an input: its shape, its dtype, its name."""

import keyword
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symgrad.errors import DataError, ParseError, ShapeError
from symgrad.graph import Node
from symgrad.ops import leaf
from symgrad.parse.limits import scan
from symgrad.shapes import Shape

if TYPE_CHECKING:
    from symgrad.parse.text import Program


def typed_leaf(name: str, shape: Shape, kind: str) -> Node:
    """Make an input whose numbers may be integers (labels, where an operator asks for them)."""
    if kind != "integer":
        return leaf(name, shape, kind)
    from symgrad.graph import intern

    return intern("input", (), {"name": name, "kind": "integer"}, shape, "int")


def check_name(name: str) -> None:
    """Raise ParseError unless `shapes=` may give an input this name."""
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise ParseError(f"shapes= gives the name {str(name)[:60]!r}, which is not a name",
                         hint="a name is made of letters, digits and _")  # fmt: skip
    if name.startswith("__"):
        raise ParseError(f"shapes= gives the name {name[:60]!r}, which begins with two underscores",
                         hint="such names are Python's own; take another one")  # fmt: skip
    scan(name)


def describe(name: str, value: Any) -> tuple[Shape, str]:
    """Give shape and dtype of an entry of `shapes=`: a tuple is a shape, all else is data."""
    if isinstance(value, tuple):
        for d in value:
            if not isinstance(d, int) or isinstance(d, bool) or not 0 <= d <= 2**40:
                raise ShapeError(f"shapes= gives '{name}' the shape {str(value)[:60]}; sizes are "
                                 "whole numbers",
                                 hint="a tuple is a shape, (3, 4); numbers are a list")  # fmt: skip
        return value, "shape"
    import numpy as np

    from symgrad.ops.numbers import numbers

    array = numbers(name, value)
    scalar = array.ndim == 0 and not isinstance(value, np.generic | np.ndarray)
    dtype = "number" if scalar else "int" if array.dtype.kind in "iub" else array.dtype.name
    return array.shape, dtype


def check_data(program: "Program", given: Mapping[str, Any]) -> None:
    """Raise DataError where data that `shapes=` gives are not as an input is declared.

    It is called when the sizes of all dimensions are known.
    """
    data = {k: v for k, v in given.items() if k in program.declared and not isinstance(v, tuple)}
    if not data:
        return
    from symgrad.ops import declared
    from symgrad.ops.numbers import labels, numbers

    for name, value in data.items():
        node, array = program.variables[name], numbers(name, value)
        try:
            if node.dtype == "int":
                labels(node, array, program.sizes)
            else:
                declared.check(node, array)
        except DataError as error:
            where = program.declared[name][2]
            raise error.at(program.span(where), program.source) from None
