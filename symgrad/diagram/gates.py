r"""The symbol in a gate, with constants folded into it: ×−1, +1, 1/x, x².

Only the spelling of the infix operators is known here; every other operator shows the glyph that
its row in `symgrad.ops` gives, and an abstract function its name.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from symgrad.diagram import measure, speaking
from symgrad.diagram.digits import constant
from symgrad.formula import latex, plain
from symgrad.formula.names import latex_function
from symgrad.graph import Node
from symgrad.ops import OPS
from symgrad.ops.slices import key_text

DOT = r"\cdot"  # stands for the operand where x is a name of the program
WIDEST, HIGHEST = 5.0, 1.7  # em of an expression of constants that a gate shows
LONGEST = 12  # characters of an index that a gate shows


@dataclass(frozen=True, slots=True)
class Gate:
    """Say what a gate shows, which operands still come in on an edge, and how it is read out."""

    symbol: str
    operands: tuple[int, ...]
    spoken: str = field(default="", compare=False, repr=False)


def _sum(c: str, _: int, x: str) -> str:
    return "-" + c[3:] if c.startswith("{-}") else "+" + c


def _difference(c: str, k: int, x: str) -> str:
    if k == 0:
        return f"{c}-{_operand(x)}"
    return "+" + c[3:] if c.startswith("{-}") else "-" + c


def _product(c: str, _: int, x: str) -> str:
    return r"\times" + c


def _quotient(c: str, k: int, x: str) -> str:
    return f"{c}/{_operand(x)}" if k == 0 else r"\div" + c


def _power(c: str, k: int, x: str) -> str:
    if k == 0:
        return rf"{c}^{{{_operand(x)}}}"
    special = {"{-}1": f"1/{_operand(x)}", "0.5": rf"\sqrt{{{x}}}"}
    return special.get(c, rf"{_operand(x)}^{{{c}}}")


def _call(name: str) -> Callable[[str, int, str], str]:
    return lambda c, _, x: rf"\mathrm{{{name}}}({c},{x})"


def _relation(sign: str) -> Callable[[str, int, str], str]:
    return lambda c, k, x: f"{c}{sign}{_operand(x)}" if k == 0 else f"{_operand(x)}{sign}{c}"


def _operand(x: str) -> str:
    return f"({x})" if x == DOT else x


# (constant as LaTeX, position of the constant, operand) -> symbol
FOLDS: dict[str, Callable[[str, int, str], str]] = {
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


def expression(node: Node) -> str | None:
    r"""Print a number that is computed from constants alone, if that fits into a gate.

    >>> import symgrad as sg
    >>> [expression(sg.parse(f"{c}*x").output.args[0]) for c in ("sqrt(2)", "1/2", "(1 + pi)")]
    ['\\sqrt{2}', '1/2', '(1 + \\pi)']
    """
    text = latex.write(node, {})
    sides = [constant_latex(a) for a in node.args]
    if node.op == "div" and None not in sides:
        text = f"{sides[0]}/{sides[1]}"
    text = f"({text})" if node.op in ("add", "sub", "mul") else text
    text = "{-}" + text[1:] if text.startswith("-") else text
    outline = measure.math(text)
    return text if outline.width <= WIDEST and outline.height <= HIGHEST else None


def gate(node: Node, operand: str = "x", fixed: Mapping[Node, str] = MappingProxyType({})) -> Gate:
    r"""Choose the symbol of an operator node and fold a constant operand into it.

    `operand` stands for what comes in: the letter x, or `DOT`; `fixed` has the expressions of
    constants that are drawn like constants.

    >>> import symgrad as sg
    >>> gate(sg.parse("1/x").output)
    Gate(symbol='1/x', operands=(1,))
    >>> gate(sg.parse("-x").output).symbol, gate(sg.parse("1/x").output, DOT).symbol
    ('\\times{-}1', '1/(\\cdot)')
    """
    if "key" in node.attrs:
        return _part(node)
    constants = [constant_latex(a) or fixed.get(a) for a in node.args]
    if node.op in FOLDS and len(constants) == 2:
        for k in (1, 0):
            folded = constants[k]
            if folded is not None and constants[1 - k] is None:
                number = plain.write(node.args[k], {}) if node.args[k].args else folded
                said = speaking.with_constant(node.op, number, k)
                return Gate(FOLDS[node.op](folded, k, operand), (1 - k,), said)
    settings = [c for c in constants[1:] if c is not None]
    said = speaking.operator(node.op)
    if settings and len(settings) == len(constants) - 1 and constants[0] is None:
        return Gate(_with_settings(node, settings, operand), (0,), said)
    operands = tuple(range(len(constants)))
    if node.op == "apply":
        return Gate(latex_function(**node.attrs), operands, speaking.function(node))
    return Gate(glyph(node.op, operand), operands, said)


def _part(node: Node) -> Gate:
    """Write which part of an array is taken, if that is short: [1:4]."""
    key = key_text(node.attrs["key"])
    symbol = rf"\mathrm{{[{key}]}}".replace(":", "{:}").replace("-", "{-}").replace(", ", ",")
    return Gate(symbol if len(key) <= LONGEST else glyph(node.op), (0,), f"part {key}")


def _with_settings(node: Node, settings: list[str], operand: str) -> str:
    """Write constant settings as a subscript, unless they are the usual ones."""
    row = OPS.get(node.op)
    given = tuple(a.attrs.get("value") for a in node.args[1:])
    usual = row is not None and given == tuple(row.defaults)
    symbol = glyph(node.op, operand)
    return symbol if usual else symbol + "_{" + r",\,".join(settings) + "}"


def glyph(op: str, operand: str = "x") -> str:
    """Look up the glyph of an operator's row; words are set upright."""
    row = OPS.get(op)
    text = (row.glyph if row is not None else "") or op
    if "\\" in text or "^" in text or len(text) == 1:
        return re.sub(r"(?<![A-Za-z{\\])x(?![A-Za-z}])", lambda _: _operand(operand), text)
    escaped = re.sub(r"([_%$#&{}])", r"\\\1", text)
    return rf"\mathrm{{{escaped}}}"
