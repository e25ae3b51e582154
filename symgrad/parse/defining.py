"""Definitions that users add: their names and formulas are tried where they are made."""

import keyword

from symgrad import ops
from symgrad.errors import NameClashError, ParseError
from symgrad.parse.calls import known_functions
from symgrad.parse.characters import folded
from symgrad.parse.limits import scan
from symgrad.parse.rows import written


def new_name(name: str) -> str:
    """Give the name of a new operator as texts spell it; refuse what is no name, or taken.

    >>> new_name("bent2")
    'bent2'
    """
    name = folded(name)
    valid = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    if not valid or name.startswith("__"):
        raise ParseError(f"{str(name)[:60]!r} is not a name",
                         hint="a name is made of letters, digits and _")  # fmt: skip
    scan(name)
    if ops.lookup(name) is not None or name in known_functions():
        raise NameClashError(f"'{name}' is an operator already", hint="take another name")
    return name


def tried(formula: str, operands: int) -> None:
    """Read a formula once, so that a mistake shows where it was made."""
    scan(formula)
    stand_ins = [ops.leaf(letter) for letter in "abc"[:operands]]
    try:
        written(formula, stand_ins)
    except SyntaxError as error:
        if isinstance(error, ParseError):
            raise
        raise ParseError(
            f"the formula {formula[:80]!r} is not an expression: {error.msg}",
            hint="it is written in a, b and c: a*sigmoid(a)",
        ) from None
