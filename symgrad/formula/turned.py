"""Print vectors as rows, and gradients transposed, as other notations have them.

Every value with one axis is a column A x in one convention and the row x Aᵀ in the other: the
same numbers, so only print changes. In numerator layout a gradient is printed as its transpose;
a transpose of a transpose disappears, so that (Wᵀ (∂L/∂s)ᵀ)ᵀ reads ∂L/∂s W.
"""

from collections.abc import Callable, Collection, Mapping

from symgrad.formula import latex, plain
from symgrad.formula.texts import Handler, Text, render
from symgrad.graph import Node, topological
from symgrad.ops import make
from symgrad.ops.spec import ATOM, POW
from symgrad.rewrite import simplify

PRODUCT = 22
THROUGH = ("neg", "add", "sub", "div", "mul")  # of vectors and numbers, entry by entry


class Turned:
    """Print nodes in one language and one convention.

    `row` says that vectors are rows; `symbols` are gradients whose names mean their transposes.
    """

    def __init__(self, in_latex: bool, row: bool, symbols: Collection[Node] = ()) -> None:
        module = latex if in_latex else plain
        self.plainly: Handler = module.handler({})
        self.named: Callable[[Node, str], Text] = module.named
        self.bracket: Callable[[str], str] = module.bracket
        self.standard: Callable[[Node, Mapping[Node, str]], str] = module.write
        self.indicator: Callable[[Text], Text] = module.indicator
        self.latex, self.row, self.symbols = in_latex, row, symbols
        self.mark = r"^{\top}" if in_latex else "ᵀ"
        self.flips: dict[Node, Text] = {}

    def write(self, root: Node, names: Mapping[Node, str], gradient: bool, turns: bool) -> str:
        """Print a node; `gradient` prints its transpose."""
        if not turns:
            return self.standard(root, names)
        if gradient and len(root.shape) == 2:
            whole = self._final(self.top(self._render(root, names)))
            turned = simplify([make("transpose", root)], dict.fromkeys(names))
            inside = self._final(self._render(next(iter(turned.values())), names))
            return min(inside, whole, key=lambda t: (t.count(self.mark), len(t)))
        text = self._render(root, names)
        return self._final(self.flips[root] if gradient and root.shape else text)

    def _final(self, text: Text) -> str:
        shown = self.indicator(text)
        return shown.text

    def _render(self, root: Node, names: Mapping[Node, str]) -> Text:
        if not root.args and root in names:
            return self._named(root, names[root])
        for node in topological([root], stop=lambda n: n in names and n is not root):
            self.flips.pop(node, None)
        return render(root, names, self._handle, self._named)

    def _name(self, node: Node, text: str) -> Text:
        """Print a name; the transpose of dL/dx needs brackets."""
        quotient = "/∂" in text or r"\frac" in text
        return Text(text, POW) if quotient else self.named(node, text)

    def _named(self, node: Node, text: str) -> Text:
        shown = self._name(node, text)
        if node in self.symbols and node.shape:
            self.flips[node] = shown
            return self.top(shown)
        self.flips[node] = self.top(shown) if node.shape else shown
        return shown

    def wrap(self, text: Text, least: int) -> str:
        """Put brackets around what binds weaker."""
        return self.bracket(text.text) if text.level < least else text.text

    def top(self, text: Text) -> Text:
        """Transpose a text."""
        text = self.indicator(text)
        fraction = self.latex and text.text.startswith(r"\frac")
        slash = not self.latex and "/" in text.text
        base = self.bracket(text.text) if fraction or slash else self.wrap(text, ATOM)
        return Text(base + self.mark, POW)

    def _handle(self, node: Node, args: list[Text]) -> Text:
        rule = {"matmul": self._matmul, "outer": self._outer, "transpose": self._transpose,
                "solve": self._solve}.get(node.op)  # fmt: skip
        shown = rule(node, args) if rule else None
        if shown is None:
            shown = self.plainly(node, args)
        if node not in self.flips:
            self.flips[node] = self._flip(node, args, shown)
        return shown

    def _flip(self, node: Node, args: list[Text], shown: Text) -> Text:
        """Print the transpose of a vector, inside where that is shorter."""
        if not node.shape:
            return shown
        whole = self.top(shown)
        if len(node.shape) != 1 or node.op not in THROUGH:
            return whole
        turned = [self.flips[a] if a.shape else t for a, t in zip(node.args, args, strict=True)]
        inside = self.plainly(node, turned)
        pair = (whole, inside) if node.op in ("add", "sub") else (inside, whole)
        return min(pair, key=lambda t: t.text.count(self.mark))

    # -- products ------------------------------------------------------------------------------

    def _sides(self, node: Node, text: Text) -> tuple[Text, Text]:
        """Give a vector as a column and as a row, a matrix as it is and transposed."""
        flip = self.flips.get(node, self.top(text))
        return (flip, text) if self.row and len(node.shape) == 1 else (text, flip)

    def _product(self, left: Text, right: Text) -> Text:
        return Text(f"{self.wrap(left, PRODUCT)} {self.wrap(right, PRODUCT)}", PRODUCT)

    def _matmul(self, node: Node, args: list[Text]) -> Text | None:
        ranks = [len(a.shape) for a in node.args]
        if ranks not in ([1, 1], [1, 2], [2, 1]):
            return None
        (a, a_turned), (b, b_turned) = map(self._sides, node.args, args)
        if ranks == [1, 1]:
            return self._product(a_turned, b)
        forwards = ranks == [2, 1]
        column = self._product(a, b) if forwards else self._product(b_turned, a)
        row = self._product(b_turned, a_turned) if forwards else self._product(a_turned, b)
        shown, flip = (row, column) if self.row else (column, row)
        self.flips[node] = flip
        return shown

    def _outer(self, node: Node, args: list[Text]) -> Text:
        (a, a_turned), (b, b_turned) = map(self._sides, node.args, args)
        self.flips[node] = self._product(b, a_turned)
        return self._product(a, b_turned)

    def _transpose(self, node: Node, args: list[Text]) -> Text | None:
        inner = node.args[0]
        if node.attrs["axes"] is not None or len(inner.shape) != 2 or inner not in self.symbols:
            self.flips[node] = args[0]
            return None
        self.flips[node] = args[0]
        return self.flips[inner]

    def _solve(self, node: Node, args: list[Text]) -> Text | None:
        """Print A⁻¹ b, or b A⁻ᵀ for a row."""
        if not self.row or len(node.args[1].shape) != 1:
            return None
        column, row = self._sides(node.args[1], args[1])
        base = self.wrap(args[0], ATOM)
        turned = Text(base + (r"^{-\top}" if self.latex else "⁻ᵀ"), POW)
        straight = Text(base + ("^{-1}" if self.latex else "⁻¹"), POW)
        self.flips[node] = self._product(straight, column)
        return self._product(row, turned)
