"""Say a gate in words, for readers who hear the picture: "plus 1", "exponential", "sigmoid"."""

import re
from collections.abc import Callable

from symgrad.graph import Node
from symgrad.ops import OPS
from symgrad.ops.spec import MIRRORED, typed_name

SHORT = 4  # a name of up to so many letters is an abbreviation, and the row says what it means
WORDS = 5  # a longer explanation is no name
INFIX = {
    "add": "plus",
    "sub": "minus",
    "mul": "times",
    "div": "divided by",
    "neg": "times minus 1",
    "pow": "to the power",
    "lt": "less than",
    "le": "at most",
    "gt": "greater than",
    "ge": "at least",
    "eq": "equal to",
    "ne": "different from",
}
POWERS = {"-1": "reciprocal", "0.5": "square root", "2": "square", "3": "cube"}


def operator(op: str) -> str:
    """Say an operator.

    >>> operator("add"), operator("exp"), operator("sigmoid"), operator("matmul")
    ('plus', 'exponential', 'sigmoid', 'matrix product')
    """
    row = OPS.get(op)
    if op in INFIX or row is None:
        return INFIX.get(op, op.replace("_", " "))
    said = re.split(r"[;,.:]", row.doc)[0].strip()
    named = len(op) > SHORT and op.isalpha() and op not in ("matmul", "outer", "log")
    plain = all(word.isalpha() and len(word) > 1 for word in said.split())  # no formula
    if named or not said or not plain or len(said.split()) > WORDS:
        return typed_name(op).replace("_", " ")
    return said[0].lower() + said[1:]


def with_constant(op: str, constant: str, k: int) -> str:
    """Say an operator whose operand k is a constant, written in LaTeX.

    >>> with_constant("mul", "{-}1", 1), with_constant("sub", "1", 0), with_constant("pow", "2", 1)
    ('times minus 1', '1 minus', 'square')
    """
    number = number_in_words(constant)
    rule = FOLDED.get(op)
    return rule(number, k) if rule else f"{operator(op)} with {number}"


def number_in_words(latex: str) -> str:
    """Say a constant: minus 1, 10 to the power minus 5.

    >>> number_in_words("{-}10^{-5}")
    'minus 10 to the power minus 5'
    """
    text = re.sub(r"\^\{-?", lambda m: " to the power " + "minus " * m[0].endswith("-"), latex)
    text = text.replace("{-}", "minus ").replace(r"{\times}", " times ")
    return text.replace(r"\infty", "infinity").replace(r"\mathrm{", "").replace("}", "")


def _sum(c: str, _: int) -> str:
    return c if c.startswith("minus ") else f"plus {c}"


def _difference(c: str, k: int) -> str:
    if k == 0:
        return f"{c} minus"
    return f"plus {c[6:]}" if c.startswith("minus ") else f"minus {c}"


def _quotient(c: str, k: int) -> str:
    if k == 0:
        return "reciprocal" if c == "1" else f"{c} divided by"
    return f"divided by {c}"


def _power(c: str, k: int) -> str:
    if k == 0:
        return f"{c} to the power"
    return POWERS.get(c.replace("minus ", "-"), f"to the power {c}")


def _relation(op: str) -> Callable[[str, int], str]:
    return lambda c, k: f"{INFIX[MIRRORED.get(op, op) if k == 0 else op]} {c}"


FOLDED: dict[str, Callable[[str, int], str]] = {
    "add": _sum,
    "sub": _difference,
    "mul": lambda c, _: f"times {c}",
    "div": _quotient,
    "pow": _power,
    "maximum": lambda c, _: f"larger of it and {c}",
    "minimum": lambda c, _: f"smaller of it and {c}",
    **{op: _relation(op) for op in ("lt", "le", "gt", "ge", "eq", "ne")},
}


def function(node: Node) -> str:
    """Say an abstract function: f, the second derivative of f."""
    name, order = str(node.attrs["name"]), int(node.attrs.get("order", 0))
    return name if not order else f"derivative {order} of {name}"
