"""Print formulas in Unicode, matrix form: what a terminal shows."""

import math
from collections.abc import Mapping

from symgrad.formula.arrays import Style
from symgrad.formula.names import plain_function, plain_name
from symgrad.formula.texts import INDEX, Handler, Text, by_rows, chained, render
from symgrad.graph import Node
from symgrad.ops.linalg import expanded_key
from symgrad.ops.spec import ADD, ATOM, COMPARE, MUL, POW
from symgrad.shapes import axes_of

NEG, HADAMARD, PRODUCT = 11, 18, 22
POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
BELOW = "ᵢⱼₖₗₘₙₚᵩ"


def bracket(text: str) -> str:
    """Put round brackets."""
    return f"({text})"


def write(root: Node, names: Mapping[Node, str]) -> str:
    """Print a node in Unicode; nodes in `names` appear by name.

    >>> from symgrad.ops import leaf, make
    >>> write(make("matmul", make("transpose", leaf("X", ("N", "D"))), leaf("g", ("N",))), {})
    'Xᵀ g'
    """
    return indicator(render(root, names, _handle, _named)).text


def _named(node: Node, text: str) -> Text:
    return Text(text, POW if text.endswith("²") else ATOM)


def indicator(text: Text) -> Text:
    """Write a condition as the number 1[c]."""
    return Text(f"1[{text.text}]") if text.mask and text.level == COMPARE else text


def _wrap(text: Text, least: int) -> str:
    return bracket(text.text) if text.level < least else text.text


def number(value: int | float) -> str:
    """Print a number with a true minus sign."""
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, float) and abs(value) == math.pi:
        return "π" if value > 0 else "−π"
    text = repr(value)
    return (text[:-2] if text.endswith(".0") else text).replace("-", "−")


def _const(node: Node, args: list[Text]) -> Text:
    value = node.attrs["value"]
    return Text(number(value), NEG if math.copysign(1, value) < 0 else ATOM)


def _input(node: Node, args: list[Text]) -> Text:
    return _named(node, plain_name(str(node.attrs["name"])))


def _add(node: Node, args: list[Text]) -> Text:
    a, b = args
    right = b.text if b.level > NEG or b.level == ADD else bracket(b.text)
    return Text(f"{_wrap(a, ADD)} + {right}", ADD)


def _sub(node: Node, args: list[Text]) -> Text:
    return Text(f"{_wrap(args[0], ADD)} − {_wrap(args[1], NEG + 1)}", ADD)


def _neg(node: Node, args: list[Text]) -> Text:
    return Text(f"−{_wrap(args[0], NEG + 1)}", NEG)


def _mul(node: Node, args: list[Text]) -> Text:
    a, b = args
    if node.args[0].shape and node.args[1].shape:
        sides = [t.text if t.level == HADAMARD else _wrap(t, PRODUCT + 1) for t in (a, b)]
        return Text(f"{sides[0]} ⊙ {sides[1]}", HADAMARD)
    left = _wrap(a, MUL)
    right = b.text if b.level == HADAMARD and not node.args[0].shape else _wrap(b, MUL + 1)
    if a.over and node.args[1].shape:  # 2(p - t)/N, because 2/N(p - t) can be misread
        left, below = a.over
        return Text(f"{left}{_joint(left, right)}{right}/{below}", MUL)
    return Text(f"{left}{_joint(left, right)}{right}", HADAMARD if b.level == HADAMARD else MUL)


def _joint(left: str, right: str) -> str:
    """Choose what stands between two factors: nothing, a dot between digits, or a blank."""
    if "∂" in left and not right.startswith("("):
        return "·"
    call = right.endswith(")") and not left[-1:].isascii()  # w₁ φ(x), but 2φ(x)
    digits = left[-1:].isdigit() and not right[:1].isdigit() and not call
    tight = right.startswith("(") or digits
    return "" if tight and left[-1:] != " " else "·" if right[:1].isdigit() else " "


def _div(node: Node, args: list[Text]) -> Text:
    above, below = _wrap(args[0], MUL), _wrap(args[1], PRODUCT + 1)
    return Text(f"{above}/{below}", MUL, over=(above, below))


def _pow(node: Node, args: list[Text]) -> Text:
    base = _wrap(args[0], ATOM)
    exponent = args[1].text.replace("−", "-")
    if exponent.lstrip("-").isdigit():
        return Text(base + exponent.translate(POWERS), POW)
    return Text(f"{base}^{_wrap(args[1], ATOM)}", POW)


def _top(text: Text) -> str:
    return _wrap(text, PRODUCT) if text.row else f"{_wrap(text, ATOM)}ᵀ"


def _matmul(node: Node, args: list[Text]) -> Text:
    left = _top(args[0]) if len(node.args[0].shape) == 1 else _wrap(args[0], PRODUCT)
    right = _wrap(args[1], PRODUCT)
    joint = "" if right.startswith("(") and left.endswith("ᵀ") else " "
    row = len(node.args[0].shape) == 1 and len(node.args[1].shape) == 2
    return Text(f"{left}{joint}{right}", PRODUCT, row=row)


def _outer(node: Node, args: list[Text]) -> Text:
    return Text(f"{_wrap(args[0], PRODUCT)} {_top(args[1])}", PRODUCT)


def _expand(node: Node, args: list[Text]) -> Text:
    """Leave inserted axes unsaid, but let an index be the letter of its own axis."""
    if node.args[0].op == "arange":
        kept = [k for k in range(len(node.shape)) if k not in node.attrs["axes"]]
        return Text(INDEX[kept[0]])
    return args[0]


def _broadcast(node: Node, args: list[Text]) -> Text:
    inner = node.args[0]
    if inner.shape:
        return args[0]
    if inner.op == "const":
        return Text({0: "𝟎", 1: "𝟏"}.get(inner.attrs["value"], f"{args[0].text}·𝟏"))
    return Text(f"{_wrap(args[0], MUL)}·𝟏", MUL)


def _sum(node: Node, args: list[Text]) -> Text:
    rank = len(node.args[0].shape)
    axes = axes_of(node.attrs["axis"], rank)
    below = "" if len(axes) == rank else "".join(BELOW[k] for k in axes if k < len(BELOW))
    return Text(f"Σ{below}{bracket(args[0].text)}")


def _pick(node: Node, args: list[Text]) -> Text:
    return Text(f"{_wrap(args[0], ATOM)}[{args[1].text}]")


def _apply(node: Node, args: list[Text]) -> Text:
    return Text(plain_function(**node.attrs) + bracket(args[0].text))


def _where(node: Node, args: list[Text]) -> Text:
    c, a, b = args[0], indicator(args[1]), indicator(args[2])
    return Text(f"{{{a.text} if {c.text}, else {b.text}}}")


def _both(node: Node, args: list[Text]) -> Text:
    a, b = args
    chain = chained(a.text, b.text, ("<", "≤"))
    return Text(chain or f"{_wrap(a, COMPARE + 1)} ∧ {_wrap(b, COMPARE + 1)}", COMPARE, True)


HANDLERS: dict[str, Handler] = {
    "both": _both,
    "const": _const, "input": _input, "dim": _input, "add": _add, "sub": _sub, "neg": _neg,
    "mul": _mul, "div": _div,
    "over": _div, "pow": _pow, "matmul": _matmul, "outer": _outer,
    "expand": _expand, "broadcast": _broadcast, "sum": _sum,
    "pick": _pick, "where": _where, "apply": _apply,
    **Style(False, bracket, indicator).handlers(),
}  # fmt: skip

_handle = by_rows(
    HANDLERS,
    indicator,
    lambda row: row.plain,
    lambda name, index, inner: f"{name}{index}({inner})",
    bracket,
    lambda letters: "".join(BELOW[INDEX.index(k)] for k in letters),
    lambda text, node: text if node.args[0].op == "arange" else f"{text}[{expanded_key(node)}]",
)
