"""Read what a hint says before it is said: it has to be accepted with the names that are known."""

import ast
import re
import warnings
from copy import copy
from typing import TYPE_CHECKING

from symgrad.errors import SymgradError, SymgradWarning
from symgrad.parse.syntax import UNREADABLE, expression_tree
from symgrad.parse.values import Val

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader, Tree

LONGEST = 200  # characters of an expression that is tried
PLAIN = (ast.Name, ast.Constant, ast.Call, ast.Subscript, ast.Attribute)  # what needs no brackets
ALONE = re.compile(r"(?<=[(,])( ?)\{(\w+)\}(?=[,)])")
BESIDE = re.compile(r"\{(\w+)\}")


def tried(reader: "Reader", text: str) -> Val | SymgradError:
    """Read an expression aside; give its value, or what is said against it."""
    from symgrad.parse.syntax import syntax_tree

    aside = copy(reader)
    aside.source, aside.spans = text, {}
    aside._lines, aside._wide = None, {}
    for name in ("variables", "dims", "index", "sizes", "bounded", "labels", "versions", "plain"):
        if hasattr(reader, name):
            setattr(aside, name, copy(getattr(reader, name)))
    try:
        if len(text) > LONGEST or "…" in text:
            raise SymgradError("this is too long to be tried")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SymgradWarning)
            (line,) = syntax_tree(text).body
            if not isinstance(line, ast.Expr):
                raise SymgradError("this is no expression")
            return aside.read(line.value)
    except SymgradError as error:
        return error


def value(reader: "Reader", tree: "Tree") -> Val | None:
    """Give the value of a part of the text, read aside; None where it has none."""
    found = tried(reader, reader.quoted(tree, LONGEST))
    return found if isinstance(found, Val) else None


def rank(reader: "Reader", tree: "Tree") -> int | None:
    """Count the axes of a part of the text; None where it cannot be read."""
    found = value(reader, tree)
    return None if found is None else found.rest


def filled(template: str, given: dict[str, str]) -> str:
    """Put expressions into a formula, in brackets where they need them.

    >>> filled("sqrt({a}**2 + {b}**2)", {"a": "x + 1", "b": "y"})
    'sqrt((x + 1)**2 + y**2)'
    >>> filled("log({a})", {"a": "x + 1"})
    'log(x + 1)'
    """
    template = ALONE.sub(lambda m: f"{m[1]}{given[m[2]]}", template)
    return BESIDE.sub(lambda m: bracketed(given[m[1]]), template)


def bracketed(text: str) -> str:
    """Put brackets around an expression that is no name, number, call or entry.

    >>> bracketed("x"), bracketed("f(x)[0]"), bracketed("x + 1")
    ('x', 'f(x)[0]', '(x + 1)')
    """
    try:
        plain = isinstance(expression_tree(text).body, PLAIN)
    except UNREADABLE:
        plain = False
    return text if plain else f"({text})"
