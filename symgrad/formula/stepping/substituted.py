"""Put numbers into a line: −4 · 1 = −4, and ≈ wherever a printed number has been rounded."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.evaluate import Array, extend, size
from symgrad.formula import latex, plain
from symgrad.formula.stepping.lines import Line
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import OPS, const, count, make, remake
from symgrad.shapes import axes_of

DIGITS = 4
SMALL = 9  # entries of an array that is written out
LONG = 90  # characters of a line that is written out with numbers
PARTS = ("pick", "onehot", "slice", "part", "take")  # of which the numbers say more
Pair = tuple[str, str]


class Numbers:
    """Hold the values of nodes at a point, and print lines with them."""

    def __init__(self, known: Mapping[Node, Array], sizes: Mapping[str, int]) -> None:
        self.known, self.sizes = dict(known), sizes

    def value(self, node: Node) -> Array:
        """Compute a node."""
        if node not in self.known:
            extend([node], self.known, self.sizes)
        return self.known[node]

    def of(self, line: Line, names: Mapping[Node, Any]) -> Pair:
        """Print what a line of a derivation comes to; nothing where that is what it says."""
        atoms = {**names, **dict.fromkeys(line.atoms)}
        pair = self.line(line.right, atoms, line.left is line.right)
        return ("", "") if pair[0] == f"= {line.after[0]}" else pair

    def line(self, node: Node, names: Mapping[Node, Any], open_: bool) -> Pair:
        """Print `= 2 · 3 = 6` for a node whose atoms, beside inputs, are `names`.

        `open_` says that a node with a name is to be shown by its definition.
        """
        value = np.broadcast_to(self.value(node), self._shape(node))
        result, exact = written(value)
        whole = not node.args or (node in names and not open_)
        filled, known = (None, True) if whole else self._filled(node, names)
        parts = []
        for k, about in enumerate(("≈", r"\approx")):
            middle = f"{'=' if known else about} {filled[k]} " if filled else ""
            last = "=" if exact and known else about
            parts.append(f"{middle}{last} {result[k]}")
        return parts[0], parts[1]

    def _filled(self, node: Node, names: Mapping[Node, Any]) -> tuple[Pair | None, bool]:
        """Print a node with numbers for its atoms; say whether none of them is rounded."""
        node = self._sums(node)

        def atomic(n: Node) -> bool:
            if n.dtype == "bool" and n.args and n.op != "onehot":
                return False  # 1[2 > 0] says more than the letters of a condition
            return n is not node and (n in names or not n.args or n.op in PARTS)

        order = topological([node], stop=atomic)
        atoms = [n for n in order if atomic(n)]
        atoms = [n for n in atoms if n.op not in ("const", "arange")]
        atoms = [n for n in atoms if n.dtype != "bool" or n.op == "onehot"]
        sizes = [np.size(self.value(a)) for a in atoms]
        if not atoms or max(sizes) > SMALL or any(n.op == "apply" for n in order):
            return None, True
        texts: list[dict[Node, str]] = [{}, {}]
        rows = {  # what is added to every row of a matrix is a row
            a for n in order for a in n.args
            if len(n.shape) == 2 and len(a.shape) == 1 and OPS[n.op].shape == "elementwise"
        }  # fmt: skip
        exact = True
        for a in atoms:
            value = np.broadcast_to(self.value(a), self._shape(a))
            shown, known = written(value[None] if a in rows else value)
            exact = exact and known
            for k in (0, 1):
                texts[k][a] = f"({shown[k]})" if shown[k].startswith(("−", "-")) else shown[k]
        filled = _dotted(plain.write(node, texts[0])), latex.write(node, texts[1])
        return (filled, exact) if len(filled[0]) <= LONG else (None, True)

    def _shape(self, node: Node) -> tuple[int, ...]:
        if all(isinstance(d, int) or d.isidentifier() for d in node.shape):
            return tuple(d if isinstance(d, int) else size(d, self.sizes) for d in node.shape)
        return np.shape(self.value(node))

    def _sums(self, node: Node) -> Node:
        """Write means as sums over a number that can be filled in."""

        def change(n: Node, args: tuple[Node, ...]) -> Node:
            if n.op != "mean":
                return remake(n, args)
            shape = n.args[0].shape
            number = count(shape, axes_of(n.attrs["axis"], len(shape)))
            whole = const(int(np.asarray(self.value(number))))
            return make("div", make("sum", args[0], **n.attrs), whole)

        return rebuild([node], change)[node] if node.args else node


def _dotted(text: str) -> str:
    """Put a dot where two factors would run into one: 2log(3), (2)(3); drop a first bracket."""
    # 1[y > 0] is an indicator, 1·[1, 2] a product.
    text = re.sub(r"(?<![\d.])1(?=\[[^\]]*[<>=≤≥≠])", "\0", text)
    text = re.sub(r"(?<=\d)(?=(?!e[-−\d])[A-Za-zͰ-Ͽ[\0])|(?<=\))(?=\()", "·", text)
    text = text.replace("\0", "1")
    return re.sub(r"^\((−[\d.]+)\)(?= [+−])", r"\1", text)


def written(value: Array) -> tuple[Pair, bool]:
    """Print a number or a small array in Unicode and LaTeX; say whether nothing was rounded.

    >>> written(-0.5), written(1 / 3)
    ((('−0.5', '-0.5'), True), (('0.3333', '0.3333'), False))
    """
    array = np.asarray(value)
    if not array.shape:
        text, exact = digits(float(array))
        return (text.replace("-", "−"), _scientific(text)), exact
    if array.size > SMALL or array.ndim > 2:
        sizes = [str(d) for d in array.shape]
        return (f"[{' × '.join(sizes)}]", "[" + r" \times ".join(sizes) + "]"), True
    rows = array if array.ndim == 2 else array[:, None]
    found = [[digits(float(v)) for v in row] for row in rows]
    exact = all(e for row in found for _, e in row)
    if array.ndim == 1:
        text = "[" + ", ".join(row[0][0] for row in found) + "]"
    else:
        text = "[" + "; ".join(", ".join(t for t, _ in row) for row in found) + "]"
    body = r" \\ ".join(" & ".join(_scientific(t) for t, _ in row) for row in found)
    return (text.replace("-", "−"), rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"), exact


def digits(value: float) -> tuple[str, bool]:
    """Print a number with few digits; say whether that is all of it.

    >>> digits(2.0), digits(0.1 + 0.2), digits(0.12345678)
    (('2', True), ('0.3', True), ('0.1235', False))
    """
    if not np.isfinite(value):
        return ("nan" if np.isnan(value) else "∞" if value > 0 else "-∞"), True
    short = f"{value:.{DIGITS + 2}g}"
    if abs(float(short) - value) <= 1e-13 * abs(value):
        if "e" not in short:
            return ("0" if float(short) == 0 else short), True
        if value == int(value) and abs(value) < 1e9:
            return str(int(value)), True
    text = f"{value:.{DIGITS}g}"
    if "e" in text and 1 <= abs(value) < 1e7:
        text = str(round(value))
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text, abs(float(text) - value) <= 1e-13 * abs(value)


def _scientific(text: str) -> str:
    mantissa, e, exponent = text.partition("e")
    text = rf"{mantissa} \cdot 10^{{{exponent}}}" if e else text
    return text.replace("∞", r"\infty").replace("nan", r"\mathrm{NaN}")
