"""Definitions that users add: their names and formulas are tried where they are made."""

import keyword

from symgrad import ops
from symgrad.errors import NameClashError, ParseError
from symgrad.parse.calls import known_functions
from symgrad.parse.limits import scan
from symgrad.parse.rows import written


def new_name(name: str) -> None:
    """Raise ParseError or NameClashError unless a new operator may have this name."""
    valid = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    if not valid or name.startswith("__"):
        raise ParseError(f"{str(name)[:60]!r} is not a name")
    scan(name)
    if ops.lookup(name) is not None or name in known_functions():
        raise NameClashError(f"'{name}' is an operator already")


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
            f"the formula {formula[:80]!r} is not an expression: {error.msg}"
        ) from None
