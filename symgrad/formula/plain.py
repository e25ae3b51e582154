"""Print formulas in Unicode, matrix form: what a terminal shows."""

import math
from collections.abc import Mapping
from dataclasses import replace

from symgrad.formula import pieces
from symgrad.formula.arrays import Style
from symgrad.formula.names import plain_function, plain_name
from symgrad.formula.texts import (
    INDEX,
    Handler,
    Text,
    along,
    by_rows,
    chained,
    constant,
    halves,
    render,
    turns,
    view,
)
from symgrad.graph import Node
from symgrad.ops import Op
from symgrad.ops.spec import ADD, ATOM, COMPARE, MUL, POW

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
    return indicator(render(root, names, _handle, named)).text


def named(node: Node, text: str) -> Text:
    """Print a name; one that ends in a square binds like a power."""
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
    text = repr(value)
    return (text[:-2] if text.endswith(".0") else text).replace("-", "−")


def _const(node: Node, args: list[Text]) -> Text:
    return constant(node.attrs["value"], number, latex=False)


def _input(node: Node, args: list[Text]) -> Text:
    return named(node, plain_name(str(node.attrs["name"])))


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
        if a.level == NEG:  # −x ⊙ y reads as −(x ⊙ y), which is the same
            return Text(f"{a.text} ⊙ {sides[1]}", NEG)
        return Text(f"{sides[0]} ⊙ {sides[1]}", HADAMARD)
    if a.level == NEG and a.text.startswith("−") and a.text != "−1":  # −2x, not (−2) x
        found = _mul(node, [replace(a, text=a.text[1:], level=MUL), b])
        return replace(found, text=f"−{found.text}", level=NEG, over=None)
    left = _wrap(a, MUL)
    right = b.text if b.level == HADAMARD and not node.args[0].shape else _wrap(b, MUL + 1)
    if a.over and (
        node.args[1].shape or node.args[0].op == "const"
    ):  # 2(p - t)/N, because 2/N(p - t) can be misread
        left, below = a.over
        if left in ("−1", "(−1)"):
            return Text(f"−{right}/{below}", NEG)
        above = right if left == "1" else f"{left}{_joint(left, right)}{right}"
        return Text(f"{above}/{below}", MUL)
    if b.over and not node.args[0].shape and not b.text[:1].isdigit():  # 2 x/‖x‖, not 2 (x/‖x‖)
        above, below = b.over
        return Text(f"{left}{_joint(left, above)}{above}/{below}", MUL)
    if node.args[0].shape and "ᵀ" in right and b.level < ATOM:
        right = bracket(right)  # A (xᵀ y), because A xᵀ is no product
    return Text(f"{left}{_joint(left, right)}{right}", HADAMARD if b.level == HADAMARD else MUL)


def _joint(left: str, right: str) -> str:
    """Choose what stands between two factors: nothing, a dot between digits, or a blank."""
    if "∂" in left and not right.startswith("("):
        return "·"
    call = right.endswith(")") and not left[-1:].isascii()  # w₁ φ(x), but 2φ(x)
    digits = left[-1:].isdigit() and not right[:1].isdigit() and not call
    index = not left[-1:].isascii() and "_" in right[:40].split(" ")[0]
    word = index or "_" in left.split(" ")[-1]  # x_1 x₁, not x_1x₁
    tight = (right.startswith("(") or digits) and not word
    return "" if tight and left[-1:] != " " else "·" if right[:1].isdigit() else " "


def _div(node: Node, args: list[Text]) -> Text:
    a = args[0]
    if node.args[0].op != "const" and a.level == NEG and a.text.startswith("−"):  # −2x/y
        found = _div(node, [replace(a, text=a.text[1:], level=MUL), args[1]])
        return replace(found, text=f"−{found.text}", level=NEG, over=None)
    above, below = _wrap(a, MUL), _wrap(args[1], PRODUCT + 1)
    if args[0].over and node.args[0].op == "const":  # 3π/(2t)
        above, low = args[0].over
        below = bracket(f"{low}{_joint(low, below)}{below}")
    parts = above, below
    if args[0].over:  # 1/a/b x is x/(a b)
        top, low = args[0].over
        parts = top, bracket(f"{low}{_joint(low, below)}{below}")
    return Text(f"{above}/{below}", MUL, over=parts)


def _pow(node: Node, args: list[Text]) -> Text:
    base, exponent = _wrap(args[0], ATOM), args[1].text.replace("−", "-")
    if len(node.shape) > 1 and exponent.startswith("-"):  # of entries; A⁻¹ is an inverse
        low = base if exponent == "-1" else base + exponent[1:].translate(POWERS)
        if exponent[1:].isdigit():
            return Text(f"1/{low}", MUL, over=("1", low))
    half = halves(node.args[1])
    if half:  # x^(3/2), not x^1.5
        return Text(f"{base}^({half.replace('-', '−')})", POW)
    if exponent.lstrip("-").isdigit():
        return Text(base + exponent.translate(POWERS), POW)
    return Text(f"{base}^{_wrap(args[1], ATOM)}", POW)


def _top(text: Text) -> str:
    return text.row or f"{_wrap(text, ATOM)}ᵀ"


def _matmul(node: Node, args: list[Text]) -> Text:
    ranks = [len(n.shape) for n in node.args]
    a, b = args[::-1] if ranks == [1, 1] and turns(*args) else args
    right = _wrap(b, PRODUCT)
    if ranks[0] > 1:
        row = _factors(_top(b), a.turned) if a.turned and ranks[1] == 1 else ""  # of Xᵀ a: aᵀ X
        return Text(_factors(_wrap(a, PRODUCT), right), PRODUCT, row=row)
    row = _factors(_top(a), right)
    if ranks[1] != 2:
        return Text(row, PRODUCT)
    return Text(_factors(b.turned or f"{_wrap(b, ATOM)}ᵀ", _wrap(a, PRODUCT)), PRODUCT, row=row)


def _factors(left: str, right: str) -> str:
    return f"{left}{'' if right.startswith('(') and left.endswith('ᵀ') else ' '}{right}"


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
    below = "".join(BELOW[INDEX.index(k)] for k in along(node, args))
    return Text(f"Σ{below}{bracket(args[0].text)}")


def _apply(node: Node, args: list[Text]) -> Text:
    return Text(plain_function(**node.attrs) + bracket(args[0].text))


def _where(node: Node, args: list[Text]) -> Text:
    """Print cases; a case distinction in the last branch goes on with those of this one."""
    return Text(pieces.plain(node, args[0].text, *(indicator(a).text for a in args[1:])))


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
    "where": _where, "apply": _apply,
    **Style(False, bracket, indicator).handlers(),
}  # fmt: skip


def parameters(node: Node, row: Op) -> str:
    """Write the parameters that a call does not show and that are not the usual ones."""
    shown = [
        f"{k}={v}"
        for k, v in node.attrs.items()
        if k not in ("axis", "keepdims") and isinstance(v, int | float | str) and v != row.params[k]
    ]
    return f"[{', '.join(shown)}]" if shown else ""


def exact(text: Text, node: Node) -> Text:
    """Write out inserted axes that are left unsaid: x 𝟏ᵀ, 𝟏 xᵀ, expandₖ(x)."""
    read, seen = view(text, node)
    if len(read) == len(node.shape) or not read:
        return text
    if len(node.shape) == 2:
        return Text(f"{_wrap(text, PRODUCT)} 𝟏ᵀ" if seen == (0,) else f"𝟏 {_top(text)}", PRODUCT)
    below = "".join(BELOW[k] for k in range(len(node.shape)) if k not in seen)
    return Text(f"expand{below}({text.text})")


def handler(more: Mapping[str, Handler]) -> Handler:
    """Give the printer of a node, with further operators of another notation."""
    return by_rows(
        {**HANDLERS, **more},
        indicator,
        lambda row: row.plain,
        lambda name, index, inner: f"{name}{index}({inner})",
        parameters,
        bracket,
        lambda letters: "".join(BELOW[INDEX.index(k)] for k in letters),
        exact,
    )


_handle = handler({})
