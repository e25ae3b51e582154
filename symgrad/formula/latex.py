"""Print formulas in LaTeX, matrix form."""

import math
import re
from collections.abc import Mapping

from symgrad.formula import pieces
from symgrad.formula.arrays import Style, size
from symgrad.formula.names import escape, latex_function, latex_name
from symgrad.formula.placing import fitted, placed
from symgrad.formula.texts import (
    FRACTION,
    INDEX,
    NEG,
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
from symgrad.ops import Op, count
from symgrad.ops.spec import ADD, ATOM, COMPARE, MUL, POW
from symgrad.shapes import axes_of

SUM, HADAMARD, PRODUCT = 15, 18, 22
BRACKETS = ("(", r"\bigl(", r"\Bigl(")
TALL = (r"\frac", r"\sum", r"\prod", r"\begin", r"\Bigl")


def bracket(text: str) -> str:
    r"""Put round brackets, larger ones around what is tall (never \left, which can explode)."""
    size = r"\Big" if any(t in text for t in TALL) else r"\big" if r"\bigl" in text else ""
    return rf"{size}l({text}{size}r)" if size else f"({text})"


def small(text: str) -> str:
    r"""Make brackets smaller inside a fraction, where sums and fractions are small too."""
    return text.replace(r"\Bigl", r"\bigl").replace(r"\Bigr", r"\bigr")


def write(root: Node, names: Mapping[Node, str]) -> str:
    r"""Print a node in LaTeX; nodes in `names` appear by name.

    >>> from symgrad.ops import leaf, make
    >>> write(make("matmul", make("transpose", leaf("X", ("N", "D"))), leaf("g", ("N",))), {})
    'X^{\\top} g'
    """
    text = render(root, names, _handle, named)
    read, seen = view(text, root)
    return number_like(text if fitted(read, root.shape) == seen else exact(text, root))


def named(node: Node, text: str) -> Text:
    """Print a name; one that ends in a square binds like a power, and e^{x} is the exponential."""
    return Text(text, POW if text.endswith("^{2}") or text == "e" else ATOM)


def number_like(text: Text) -> str:
    """Print a condition that stands as a number as an indicator."""
    return indicator(text).text if text.mask else text.text


def indicator(text: Text) -> Text:
    """Write a condition as the number 1[c]."""
    return Text(rf"\mathbb{{1}}[{text.text}]") if text.mask and text.level == COMPARE else text


def _wrap(text: Text, least: int) -> str:
    if least == ATOM and text.text.startswith(r"\begin") and text.level >= ATOM:
        return f"{{{text.text}}}"  # a power of a block; some renderers need the braces
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
    text = constant(node.attrs["value"], number, latex=True)
    return Text(text.text, MUL) if "cdot" in text.text and text.level == ATOM else text


def _input(node: Node, args: list[Text]) -> Text:
    return named(node, latex_name(node.attrs["name"]))


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
        if a.level == NEG:  # -x y reads as -(x y), which is the same
            return Text(rf"{a.text} \odot {sides[1]}", NEG)
        return Text(rf"{sides[0]} \odot {sides[1]}", HADAMARD)
    left, scalar = _wrap(a, MUL), not node.args[0].shape
    if scalar and b.level == SUM:  # 2 \sum_i x_i
        return Text(beside(left, b.text), SUM)
    right = b.text if b.level == HADAMARD and scalar else _wrap(b, MUL)
    if node.args[0].shape and r"^{\top}" in right and b.level < ATOM:
        right = bracket(right)  # A (x^T y), because A x^T is no product
    level = HADAMARD if b.level == HADAMARD else MUL
    return Text(beside(left, right), level)


def beside(left: str, right: str) -> str:
    r"""Write two factors side by side: 2 \cdot 3, but no 2 3 and no call f(x).

    >>> beside("2", "x"), beside("2", r"\frac{1}{N}"), beside(r"\sigma", "(1 - x)")
    ('2 x', '2 \\cdot \\frac{1}{N}', '\\sigma\\, (1 - x)')
    """
    if re.match(r"(\\frac\{)?[\d.]", right) and (right[0] != "\\" or left[-1:].isdigit()):
        return rf"{left} \cdot {right}"
    # A name of several letters is a word, which needs a space beside it.
    word = right.startswith(r"\mathrm{") or re.search(r"\\mathrm\{[^{}]*\}(_\{[^{}]*\})?$", left)
    apart = word or right.startswith(("\\mathbb", *BRACKETS))
    return rf"{left}\, {right}" if apart else f"{left} {right}"


def _div(node: Node, args: list[Text]) -> Text:
    a, b = args
    top, bottom = node.args
    if top.shape and not bottom.shape:
        factor = rf"\frac{{1}}{{{small(b.text)}}}"
        if top.op == "neg" and a.text.startswith("-"):  # the sign comes first
            return Text("-" + beside(factor, a.text[1:]), NEG)
        loose = a.level in (HADAMARD, SUM)
        inner, level = (a.text, a.level) if loose else (_wrap(a, MUL), MUL)
        return Text(beside(factor, inner), level)
    return Text(rf"\frac{{{small(a.text)}}}{{{small(b.text)}}}", FRACTION)


def _pow(node: Node, args: list[Text]) -> Text:
    a, b = args
    if len(node.shape) > 1 and re.fullmatch(r"-\d+", b.text):  # of entries; A^{-1} is an inverse
        low = small(a.text) if b.text == "-1" else f"{_wrap(a, ATOM)}^{{{b.text[1:]}}}"
        return Text(rf"\frac{{1}}{{{low}}}", FRACTION)
    base = bracket(a.text) if a.text.startswith(r"\sqrt") else _wrap(a, ATOM)
    return Text(f"{base}^{{{halves(node.args[1]) or small(b.text)}}}", POW)


# -- matrices --------------------------------------------------------------------------------


def _top(text: Text) -> str:
    return text.row or f"{_wrap(text, ATOM)}^{{\\top}}"


def _matmul(node: Node, args: list[Text]) -> Text:
    ranks = [len(n.shape) for n in node.args]
    a, b = args[::-1] if ranks == [1, 1] and turns(*args) else args
    right = _wrap(b, PRODUCT)
    if ranks[0] > 1:
        row = chained_factors(_top(b), a.turned) if a.turned and ranks[1] == 1 else ""
        return Text(chained_factors(_wrap(a, PRODUCT), right), PRODUCT, row=row)
    row = chained_factors(_top(a), right)
    if ranks[1] != 2:
        return Text(row, PRODUCT)
    turned = b.turned or f"{_wrap(b, ATOM)}^{{\\top}}"
    return Text(chained_factors(turned, _wrap(a, PRODUCT)), PRODUCT, row=row)


def chained_factors(left: str, right: str) -> str:
    r"""Write a product of matrices; \Phi\, (A) is no call."""
    called = re.search(r"\\[A-Za-z]+$", left) and right.startswith(BRACKETS)
    return rf"{left}\, {right}" if called else f"{left} {right}"


def _outer(node: Node, args: list[Text]) -> Text:
    left = args[0].text if args[0].level >= PRODUCT else bracket(args[0].text)
    return Text(f"{left}\\, {_top(args[1])}", PRODUCT)


def _expand(node: Node, args: list[Text]) -> Text:
    """Leave inserted axes unsaid, but let an index be the letter of its own axis."""
    if node.args[0].op == "arange":  # i and j are letters, not values
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


def under(node: Node, args: list[Text]) -> str:
    """Write the index below a sum: nothing for a whole array, the axis letters otherwise."""
    letters = along(node, args)
    return f"_{{{','.join(letters)}}}" if letters else ""


def _sum(node: Node, args: list[Text]) -> Text:
    return Text(rf"\sum{under(node, args)} {_wrap(args[0], SUM)}", SUM)


def _mean(node: Node, args: list[Text]) -> Text:
    shape = node.args[0].shape
    axes = axes_of(node.attrs["axis"], len(shape))
    if not axes:
        return args[0]
    size = write(count(shape, axes), {})
    return Text(rf"\frac{{1}}{{{size}}} \sum{under(node, args)} {_wrap(args[0], SUM)}", SUM)


def _eye(node: Node, args: list[Text]) -> Text:
    return Text(r"\mathbf{I}", read=())


def _apply(node: Node, args: list[Text]) -> Text:
    return Text(latex_function(**node.attrs) + bracket(args[0].text))


def _where(node: Node, args: list[Text]) -> Text:
    r"""Print cases; a case distinction in the last branch goes on with the rows of this one."""
    return Text(pieces.latex(node, args[0].text, *(indicator(a).text for a in args[1:])), PRODUCT)


def _both(node: Node, args: list[Text]) -> Text:
    a, b = args
    chain = chained(a.text, b.text, ("<", r"\le"))
    inside = [_wrap(t, COMPARE + 1) for t in args]
    return Text(chain or rf"{inside[0]} \wedge {inside[1]}", COMPARE, True)


STYLE = Style(True, bracket, indicator)
HANDLERS: dict[str, Handler] = {
    "both": _both,
    "const": _const, "input": _input, "dim": _dim, "add": _add, "sub": _sub, "neg": _neg,
    "mul": _mul, "div": _div, "over": _div, "pow": _pow, "matmul": _matmul, "outer": _outer,
    "expand": _expand, "broadcast": _broadcast, "sum": _sum, "mean": _mean,
    "eye": _eye, "where": _where, "apply": _apply,
    **STYLE.handlers(),
}  # fmt: skip


def _call(name: str, index: str, inner: str) -> str:
    return rf"\operatorname{{{escape(name)}}}{index}" + bracket(inner)


def _index(letters: str) -> str:
    return f"_{{{','.join(letters)}}}"


def parameters(node: Node, row: Op) -> str:
    """Write the parameters that a call does not show and that are not the usual ones."""
    shown = []
    for key, value in node.attrs.items():
        plain = isinstance(value, int | float | str) and key not in ("axis", "keepdims")
        if plain and value != row.params[key]:
            text = number(value) if not isinstance(value, str) else rf"\mathrm{{{escape(value)}}}"
            shown.append(rf"\mathrm{{{escape(key)}}} = {text}")
    return f"_{{{', '.join(shown)}}}" if shown else ""


def exact(text: Text, node: Node) -> Text:
    """Write out the axes that are left unsaid: x 1^T, 1 x^T, ones with their size."""
    read, seen = view(text, node)
    if read == node.shape:
        return text
    sizes = r" \times ".join(size(d, True) for d in node.shape)
    if not read and text.text.endswith((r"\mathbf{1}", r"\mathbf{0}", r"\mathbf{I}")):
        sizes = sizes.partition(" ")[0] if node.op == "eye" else sizes
        return Text(f"{text.text}_{{{sizes}}}", text.level)
    unseen = [d for k, d in enumerate(node.shape) if k not in seen]
    if any(d != 1 for d in unseen) or any(
        node.shape[k] != d for k, d in zip(seen, read, strict=True)
    ):
        told = placed(read, node.shape) == seen  # or readers would take them for other axes
        inner = _wrap(text, HADAMARD) if told else _stretched(text, node, seen).text
        return Text(rf"\mathbf{{1}}_{{{sizes}}} \odot {inner}", HADAMARD)
    return _stretched(text, node, seen)


def _stretched(text: Text, node: Node, seen: tuple[int, ...]) -> Text:
    if len(node.shape) == 2 and seen == (0,):
        return Text(rf"{_wrap(text, PRODUCT)} \mathbf{{1}}^{{\top}}", PRODUCT)
    if len(node.shape) == 2 and seen == (1,):
        return Text(rf"\mathbf{{1}} {_top(text)}", PRODUCT)
    letters = ",".join(INDEX[k] for k in range(len(node.shape)) if k not in seen)
    return Text(rf"\operatorname{{expand}}_{{{letters}}}" + bracket(text.text))


def handler(more: Mapping[str, Handler]) -> Handler:
    """Give the printer of a node, with further operators of another notation."""
    special = {**HANDLERS, **more}
    return by_rows(
        special, indicator, lambda row: row.latex, _call, parameters, bracket, _index, exact
    )


_handle = handler({})
