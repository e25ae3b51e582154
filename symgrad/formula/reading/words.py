r"""The words that the printers write, from the rows' own templates: \sigma( is the sigmoid.

A new operator is read by itself, since its template, or the call of its name, is what is printed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from symgrad.formula.names import escape, latex_function
from symgrad.formula.reading.tokens import Words
from symgrad.ops import OPS
from symgrad.ops.spec import typed_name

CALL = re.compile(r"(?P<word>[^{}]*(?:\{[^{}]*\}[^{}]*)*?)\(\{a\}(?:, \{\w\})*\)")
FENCED = re.compile(r"(?P<left>\\l\w+) \{a\} (?P<right>\\r\w+)")
INFIX = re.compile(r"\{a\} (?P<sign>\\\w+) \{b\}")
RELATIONS = {"<": "lt", r"\le": "le", ">": "gt", r"\ge": "ge", "=": "eq", r"\ne": "ne"}


@dataclass(frozen=True, slots=True)
class Function:
    """Say what a word in front of brackets means: an operator, or an abstract function."""

    op: str
    name: str = ""
    order: int = 0


def _single(template: str) -> str:
    """Undo the doubling of braces of a format template, but keep the slots apart."""
    kept = re.sub(r"\{(\w)(:\d+)?\}", "\0\\1\1", template.replace("{{", "\2").replace("}}", "\3"))
    kept = kept.replace("\2", "{").replace("\3", "}")
    return kept.replace("\0", "{").replace("\1", "}")


@lru_cache(maxsize=1024)
def _called(template: str) -> str:
    """Give the word of a template that is printed as a call, "" if it is not."""
    match = CALL.fullmatch(_single(template)) if template else None
    return match["word"] if match else ""


def operators(functions: tuple[str, ...] = ()) -> Words[Function]:
    r"""List the words that call something; abstract functions hide operators of the same look.

    >>> from symgrad.formula.reading.tokens import tokenise
    >>> operators().match(tokenise(r"\log\sigma(x)"), 0)
    (Function(op='logsigmoid', name='', order=0), 2)
    """
    table: Words[Function] = Words({})
    for name, row in OPS.items():
        table.add(rf"\operatorname{{{escape(typed_name(name))}}}", Function(name))
        if word := _called(row.latex):
            table.add(word, Function(name))
    for function in functions:
        for order in range(4):
            meaning = Function("apply", function, order)
            table.add(latex_function(function, order), meaning)
    return table


@lru_cache(maxsize=8)
def _fixed(count: int) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    fences, infix = {}, {r"\ast": "convolve"}
    for name, row in OPS.items():
        if match := FENCED.fullmatch(_single(row.latex)):
            fences[match["left"]] = (name, match["right"])
        elif row.level > 5 and (match := INFIX.fullmatch(_single(row.latex))):
            infix[match["sign"]] = name
    return fences, infix


def fences() -> dict[str, tuple[str, str]]:
    r"""Map opening signs to operator and closing sign: \lvert x \rvert."""
    return _fixed(len(OPS))[0]


def infixes() -> dict[str, str]:
    r"""Map signs between two operands to operators: a \star b."""
    return _fixed(len(OPS))[1]
