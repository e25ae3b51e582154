r"""The symbol in a gate, with constants folded into it: ×−1, +1, 1/x, x².

Only the spelling of the infix operators is known here; every other operator shows the glyph that
its row in `symgrad.ops` gives, and an abstract function its name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from symgrad.diagram.digits import constant
from symgrad.formula.names import latex_function
from symgrad.graph import Node
from symgrad.ops import OPS


@dataclass(frozen=True, slots=True)
class Gate:
    """Say what a gate shows, and which operands still come in on an edge."""

    symbol: str
    operands: tuple[int, ...]


def _sum(c: str, _: int) -> str:
    return "-" + c[3:] if c.startswith("{-}") else "+" + c


def _difference(c: str, k: int) -> str:
    if k == 0:
        return c + "-x"
    return "+" + c[3:] if c.startswith("{-}") else "-" + c


def _product(c: str, _: int) -> str:
    return r"\times" + c


def _quotient(c: str, k: int) -> str:
    return c + "/x" if k == 0 else r"\div" + c


def _power(c: str, k: int) -> str:
    if k == 0:
        return rf"{c}^{{x}}"
    return {"{-}1": "1/x", "0.5": r"\sqrt{x}"}.get(c, rf"x^{{{c}}}")


def _call(name: str) -> Callable[[str, int], str]:
    return lambda c, _: rf"\mathrm{{{name}}}({c},x)"


def _relation(sign: str) -> Callable[[str, int], str]:
    return lambda c, k: f"{c}{sign}x" if k == 0 else f"x{sign}{c}"


# (constant as LaTeX, position of the constant) -> symbol
FOLDS: dict[str, Callable[[str, int], str]] = {
    "add": _sum,
    "sub": _difference,
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "maximum": _call("max"),
    "minimum": _call("min"),
    "lt": _relation("<"),
    "le": _relation(r"\leq "),
    "gt": _relation(">"),
    "ge": _relation(r"\geq "),
    "eq": _relation("="),
    "ne": _relation(r"\neq "),
}


def constant_latex(node: Node) -> str | None:
    """Print a scalar constant or the size of a dimension; None for anything else."""
    if node.op == "const" and not node.shape:
        return constant(node.attrs["value"])
    if node.op == "dim":
        return str(node.attrs["name"]) if str(node.attrs["name"]).isalnum() else None
    return None


def gate(node: Node) -> Gate:
    r"""Choose the symbol of an operator node and fold a constant operand into it.

    >>> import symgrad as sg
    >>> gate(sg.parse("1/x").output)
    Gate(symbol='1/x', operands=(1,))
    >>> gate(sg.parse("-x").output).symbol
    '\\times{-}1'
    """
    constants = [constant_latex(a) for a in node.args]
    if node.op in FOLDS and len(constants) == 2:
        for k in (1, 0):
            folded = constants[k]
            if folded is not None and constants[1 - k] is None:
                return Gate(FOLDS[node.op](folded, k), (1 - k,))
    settings = [c for c in constants[1:] if c is not None]
    if settings and len(settings) == len(constants) - 1 and constants[0] is None:
        return Gate(_with_settings(node, settings), (0,))
    operands = tuple(range(len(constants)))
    if node.op == "apply":
        return Gate(latex_function(**node.attrs), operands)
    return Gate(_glyph(node.op), operands)


def _with_settings(node: Node, settings: list[str]) -> str:
    """Write constant settings as a subscript, unless they are the usual ones."""
    row = OPS.get(node.op)
    given = tuple(a.attrs.get("value") for a in node.args[1:])
    usual = row is not None and given == tuple(row.defaults)
    return _glyph(node.op) + ("" if usual else "_{" + r",\,".join(settings) + "}")


def _glyph(op: str) -> str:
    """Look up the glyph of an operator's row; words are set upright."""
    row = OPS.get(op)
    text = (row.glyph if row is not None else "") or op
    if "\\" in text or "^" in text or len(text) == 1:
        return text
    escaped = re.sub(r"([_%$#&{}])", r"\\\1", text)
    return rf"\mathrm{{{escaped}}}"
