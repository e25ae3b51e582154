"""Print formulas in LaTeX, matrix form."""

import math
import re
from collections.abc import Mapping

from symgrad.formula.arrays import Style
from symgrad.formula.names import escape, latex_function, latex_name
from symgrad.formula.texts import INDEX, Handler, Text, by_rows, chained, render
from symgrad.graph import Node
from symgrad.ops import count
from symgrad.ops.linalg import expanded_key
from symgrad.ops.spec import ADD, ATOM, COMPARE, MUL, POW
from symgrad.shapes import axes_of

NEG, SUM, HADAMARD, PRODUCT = 11, 15, 18, 22
TALL = ("\\frac", "\\sum", "\\begin", "\\bigl")


def bracket(text: str) -> str:
    r"""Put round brackets, larger ones around what is tall (never \left, which can explode)."""
    if any(t in text for t in TALL):
        return rf"\bigl({text}\bigr)"
    return f"({text})"


def write(root: Node, names: Mapping[Node, str]) -> str:
    r"""Print a node in LaTeX; nodes in `names` appear by name.

    >>> from symgrad.ops import leaf, make
    >>> write(make("matmul", make("transpose", leaf("X", ("N", "D"))), leaf("g", ("N",))), {})
    'X^{\\top} g'
    """
    return number_like(render(root, names, _handle, _named))


def _named(node: Node, text: str) -> Text:
    return Text(text, POW if text.endswith("^{2}") else ATOM)


def number_like(text: Text) -> str:
    """Print a condition that stands as a number as an indicator."""
    return indicator(text).text if text.mask else text.text


def indicator(text: Text) -> Text:
    """Write a condition as the number 1[c]."""
    return Text(rf"\mathbb{{1}}[{text.text}]") if text.mask and text.level == COMPARE else text


def _wrap(text: Text, least: int) -> str:
    return bracket(text.text) if text.level < least else text.text


# -- leaves ----------------------------------------------------------------------------------


def number(value: int | float) -> str:
    """Print a number: 3, 0.5, pi, 10^{-5}.

    >>> number(1e-5), number(-2), number(0.25)
    ('10^{-5}', '-2', '0.25')
    """
    if isinstance(value, float):
        if math.isnan(value):
            return r"\mathrm{NaN}"
        if math.isinf(value):
            return r"\infty" if value > 0 else r"-\infty"
        if abs(value) == math.pi:
            return r"\pi" if value > 0 else r"-\pi"
    text = repr(value)
    if text.endswith(".0"):
        text = text[:-2]
    match = re.fullmatch(r"(-?)(\d(?:\.\d+)?)e([+-]\d+)", text)
    if match:
        sign, digits, exponent = match.groups()
        power = f"10^{{{int(exponent)}}}"
        return sign + (power if digits == "1" else rf"{digits} \cdot {power}")
    return text


def _const(node: Node, args: list[Text]) -> Text:
    value = node.attrs["value"]
    negative = math.copysign(1, value) < 0
    return Text(number(value), NEG if negative else ATOM if "cdot" not in number(value) else MUL)


def _input(node: Node, args: list[Text]) -> Text:
    return _named(node, latex_name(node.attrs["name"]))


def _dim(node: Node, args: list[Text]) -> Text:
    return Text(latex_name(str(node.attrs["name"])))


# -- arithmetic ------------------------------------------------------------------------------


def _add(node: Node, args: list[Text]) -> Text:
    a, b = args
    right = b.text if b.level >= SUM or b.level == ADD else bracket(b.text)
    return Text(f"{_wrap(a, ADD)} + {right}", ADD)


def _sub(node: Node, args: list[Text]) -> Text:
    a, b = args
    return Text(f"{_wrap(a, ADD)} - {_wrap(b, SUM)}", ADD)


def _neg(node: Node, args: list[Text]) -> Text:
    return Text(f"-{_wrap(args[0], SUM)}", NEG)


def _mul(node: Node, args: list[Text]) -> Text:
    a, b = args
    if node.args[0].shape and node.args[1].shape:
        sides = [t.text if t.level == HADAMARD else _wrap(t, PRODUCT + 1) for t in (a, b)]
        return Text(rf"{sides[0]} \odot {sides[1]}", HADAMARD)
    left = _wrap(a, MUL)
    right = b.text if b.level == HADAMARD and not node.args[0].shape else _wrap(b, MUL)
    digits = bool(re.match(r"[\d.]", right)) or (left[-1:].isdigit() and right[:1] == "1")
    joint = r" \cdot " if digits else r"\, " if right.startswith(("\\mathbb", "(")) else " "
    level = HADAMARD if b.level == HADAMARD else MUL
    return Text(f"{left}{joint}{right}", level)


def _div(node: Node, args: list[Text]) -> Text:
    a, b = args
    top, bottom = node.args
    if top.shape and not bottom.shape:
        inner = a.text if a.level == HADAMARD else _wrap(a, MUL)
        return Text(rf"\frac{{1}}{{{b.text}}} {inner}", MUL)
    return Text(rf"\frac{{{a.text}}}{{{b.text}}}", PRODUCT)


def _pow(node: Node, args: list[Text]) -> Text:
    a, b = args
    return Text(f"{_wrap(a, ATOM)}^{{{b.text}}}", POW)


# -- matrices --------------------------------------------------------------------------------


def _top(text: Text) -> str:
    return _wrap(text, PRODUCT) if text.row else f"{_wrap(text, ATOM)}^{{\\top}}"


def _matmul(node: Node, args: list[Text]) -> Text:
    left = _top(args[0]) if len(node.args[0].shape) == 1 else _wrap(args[0], PRODUCT)
    row = len(node.args[0].shape) == 1 and len(node.args[1].shape) == 2
    return Text(f"{left} {_wrap(args[1], PRODUCT)}", PRODUCT, row=row)


def _outer(node: Node, args: list[Text]) -> Text:
    left = args[0].text if args[0].level >= PRODUCT else bracket(args[0].text)
    return Text(f"{left}\\, {_top(args[1])}", PRODUCT)


def _expand(node: Node, args: list[Text]) -> Text:
    """Leave inserted axes unsaid, but let an index be the letter of its own axis."""
    if node.args[0].op == "arange":
        kept = [k for k in range(len(node.shape)) if k not in node.attrs["axes"]]
        return Text(INDEX[kept[0]])
    return args[0]


def _broadcast(node: Node, args: list[Text]) -> Text:
    inner = node.args[0]
    if inner.op == "const" and inner.attrs["value"] == 0:
        return Text(r"\mathbf{0}")
    if inner.shape:
        return args[0]
    if inner.op == "const" and inner.attrs["value"] == 1:
        return Text(r"\mathbf{1}")
    return Text(rf"{_wrap(args[0], MUL)}\, \mathbf{{1}}", MUL)


def under(node: Node) -> str:
    """Write the index below a sum: nothing for a whole array, the axis letters otherwise."""
    rank = len(node.args[0].shape)
    axes = axes_of(node.attrs["axis"], rank)
    if len(axes) == rank:
        return ""
    return "_{" + ",".join(INDEX[k] for k in axes if k < len(INDEX)) + "}"


def _sum(node: Node, args: list[Text]) -> Text:
    return Text(rf"\sum{under(node)} {_wrap(args[0], SUM)}", SUM)


def _mean(node: Node, args: list[Text]) -> Text:
    shape = node.args[0].shape
    axes = axes_of(node.attrs["axis"], len(shape))
    if not axes:
        return args[0]
    size = write(count(shape, axes), {})
    return Text(rf"\frac{{1}}{{{size}}} \sum{under(node)} {_wrap(args[0], SUM)}", SUM)


def _pick(node: Node, args: list[Text]) -> Text:
    return Text(f"{_wrap(args[0], ATOM)}_{{{args[1].text}}}", POW)


def _apply(node: Node, args: list[Text]) -> Text:
    return Text(latex_function(**node.attrs) + bracket(args[0].text))


def _where(node: Node, args: list[Text]) -> Text:
    c, a, b = args[0], indicator(args[1]), indicator(args[2])
    body = rf"{a.text} & {c.text} \\ {b.text} & \text{{otherwise}}"
    return Text(rf"\begin{{cases}} {body} \end{{cases}}", PRODUCT)


def _both(node: Node, args: list[Text]) -> Text:
    a, b = args
    chain = chained(a.text, b.text, ("<", r"\le"))
    inside = [_wrap(t, COMPARE + 1) for t in args]
    return Text(chain or rf"{inside[0]} \wedge {inside[1]}", COMPARE, True)


HANDLERS: dict[str, Handler] = {
    "both": _both,
    "const": _const, "input": _input, "dim": _dim, "add": _add, "sub": _sub, "neg": _neg,
    "mul": _mul, "div": _div, "over": _div, "pow": _pow, "matmul": _matmul, "outer": _outer,
    "expand": _expand, "broadcast": _broadcast, "sum": _sum,
    "mean": _mean, "pick": _pick, "where": _where, "apply": _apply,
    **Style(True, bracket, indicator).handlers(),
}  # fmt: skip


def _call(name: str, index: str, inner: str) -> str:
    return rf"\operatorname{{{escape(name)}}}{index}" + bracket(inner)


def _index(letters: str) -> str:
    return f"_{{{','.join(letters)}}}"


def _stretched(text: str, node: Node) -> str:
    """Write an operand with inserted axes: x 1^T for a column, else with its index."""
    if node.args[0].op == "arange":
        return text
    if len(node.shape) == 2 and node.attrs["axes"] == (1,):
        return rf"{text} \mathbf{{1}}^{{\top}}"
    return f"{text}_{{[{expanded_key(node)}]}}"


_handle = by_rows(HANDLERS, indicator, lambda row: row.latex, _call, bracket, _index, _stretched)
