"""Print inverses, products over axes, blocks, lookups and einsums, in both notations."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from symgrad.dims import Dim
from symgrad.formula.names import latex_name, plain_name
from symgrad.formula.texts import INDEX, Handler, Text, along
from symgrad.graph import Node
from symgrad.ops import value_of
from symgrad.ops.arrays import part_text
from symgrad.ops.slices import key_text
from symgrad.ops.spec import ATOM, MUL, POW
from symgrad.ops.words import subscripts

PRODUCT = 22
INDEXED = re.compile(r"_\{(?:[^{}]|\{[^{}]*\})*\}$")
LETTERS = "ijklmnpqrstuvwxyz"
PLACES = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LOWERED = dict(zip("aehijklmnoprstuvx", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))


def size(d: Dim, latex: bool) -> str:
    r"""Write a dimension.

    >>> size("D*N - 1", False), size("(N + 1)//2", True)
    ('D N − 1', '\\lfloor (N + 1)/2 \\rfloor')
    """
    typeset = latex_name if latex else plain_name
    text = re.sub(r"[^\W\d]\w*", lambda m: typeset(m[0]), str(d)).replace("*", " ")
    low, high = (r"\\lfloor ", r" \\rfloor") if latex else ("⌊", "⌋")
    for _ in range(text.count("//")):
        text = re.sub(r"((?:\w|\\|{|})+|\([^()/]*\))//(\d+)", rf"{low}\1/\2{high}", text, count=1)
    return text if latex else text.replace("-", "−")


def alphabetical(words: list[str], result: str) -> tuple[list[str], str]:
    """Rename the letters of a sum so that those of the result stand in the order of its axes.

    >>> alphabetical(["pij", "j"], "pi"), alphabetical(["ij", "jk"], "ik")
    ((['ijk', 'k'], 'ij'), (['ij', 'jk'], 'ik'))
    """
    found = dict.fromkeys(result + "".join(words))
    if sorted(result) == list(result) or len(found) > len(LETTERS):
        return words, result
    called = dict(zip(found, LETTERS, strict=False))
    renamed = ["".join(called[c] for c in w) for w in (*words, result)]
    return renamed[:-1], renamed[-1]


def lowered(text: str, latex: bool) -> str:
    """Write an index below a letter."""
    if latex:
        return f"_{{{text}}}"
    if all(c in LOWERED for c in text):
        return "".join(LOWERED[c] for c in text)
    return f"_{text}" if len(text) == 1 else f"_{{{text}}}"


@dataclass(frozen=True, slots=True)
class Style:
    """Say how a notation writes what the handlers here need."""

    latex: bool
    bracket: Callable[[str], str]
    indicator: Callable[[Text], Text]

    def wrap(self, text: Text, least: int) -> str:
        """Put brackets around what binds weaker."""
        if least == ATOM and text.text.startswith(r"\begin") and text.level >= ATOM:
            return f"{{{text.text}}}"
        return self.bracket(text.text) if text.level < least else text.text

    def indexed(self, text: Text) -> str:
        """Prepare what gets an index: a second index needs brackets in LaTeX."""
        base = self.wrap(text, ATOM)
        return self.bracket(base) if self.latex and INDEXED.search(base) else base

    def call(self, name: str, texts: list[str], letters: str = "") -> Text:
        """Write a call, an index at its name."""
        shown = rf"\operatorname{{{name}}}" if self.latex else name
        index = self.below(letters) if letters else ""
        return Text(shown + index + self.bracket(", ".join(texts)))

    def below(self, letters: str) -> str:
        """Write an index."""
        return lowered(letters, self.latex)

    def power(self, base: str, mark: str) -> Text:
        """Write an inverse or the transpose of one."""
        if self.latex:
            shown = {"inv": "-1", "both": r"-\top"}[mark]
            return Text(f"{base}^{{{shown}}}", POW, root=base if mark == "inv" else "")
        return Text(base + {"inv": "⁻¹", "both": "⁻ᵀ"}[mark], POW, root=base * (mark == "inv"))

    # -- matrices ----------------------------------------------------------------------------

    def inv(self, node: Node, args: list[Text]) -> Text:
        """Print A⁻¹, and A⁻ᵀ for the inverse of Aᵀ."""
        return self._inverse(args[0])

    def _inverse(self, a: Text) -> Text:
        return self.power(a.turned, "both") if a.turned else self.power(self.wrap(a, ATOM), "inv")

    def solve(self, node: Node, args: list[Text]) -> Text:
        """Print A⁻¹ b, whatever computes it."""
        return Text(f"{self._inverse(args[0]).text} {self.wrap(args[1], PRODUCT)}", PRODUCT)

    def transpose(self, node: Node, args: list[Text]) -> Text:
        """Print Aᵀ, and A⁻ᵀ for the transpose of A⁻¹; other orders of axes by their letters."""
        rank, axes = len(node.shape), node.attrs.get("axes") or ()
        if rank > 2 and axes != (*range(rank - 2), rank - 1, rank - 2):
            letters = "".join(INDEX[k] for k in axes)
            return self.call("transpose", [args[0].text], letters)
        if args[0].root:
            return self.power(args[0].root, "both")
        base = self.wrap(args[0], ATOM)
        return Text(f"{base}^{{\\top}}" if self.latex else f"{base}ᵀ", POW, turned=base)

    # -- products and sums over axes -----------------------------------------------------------

    def prod(self, node: Node, args: list[Text]) -> Text:
        """Print a product over axes."""
        letters = along(node, args)
        index = self.below(letters) if letters else ""
        if self.latex:
            return Text(rf"\prod{index} {self.wrap(args[0], PRODUCT)}", 15)
        return Text(f"∏{index}{self.bracket(args[0].text)}")

    def others(self, node: Node, args: list[Text]) -> Text:
        """Print the product of the other entries along an axis."""
        rank, axis = len(node.shape), node.attrs["axis"]
        if rank >= len(INDEX):
            return self.call("others", [args[0].text])
        own, other = INDEX[axis], INDEX[rank]
        entry = self.indexed(args[0]) + self.below(INDEX[:rank].replace(own, other))
        if self.latex:
            return Text(rf"\prod_{{{other} \ne {own}}} {entry}", MUL)
        return Text(f"∏_{{{other}≠{own}}} {entry}", MUL)

    def einsum(self, node: Node, args: list[Text]) -> Text:
        """Print a sum of products with indices."""
        words, result = subscripts(node.attrs["subscripts"])
        if self.latex:
            words, result = alphabetical(words, result)
        bound = "".join(dict.fromkeys(c for w in words for c in w if c not in result))
        factors = [
            self.indexed(a) + self.below(w) if w else self.wrap(a, ATOM)
            for w, a in zip(words, args, strict=True)
        ]
        total = (r"\sum" if self.latex else "Σ") + self.below(bound) + " " if bound else ""
        return Text(total + " ".join(factors), 15 if self.latex else MUL)

    # -- blocks and parts ----------------------------------------------------------------------

    def concatenate(self, node: Node, args: list[Text]) -> Text:
        """Print blocks above or beside each other."""
        rank, axis = len(node.shape), node.attrs["axis"]
        texts = [self.indicator(a).text for a in args]
        if len(args) == 1:
            return self.indicator(args[0])
        if rank > 2:
            return self.call("concat", texts, INDEX[axis : axis + 1])
        return self._block(texts, axis == 0)

    def stack(self, node: Node, args: list[Text]) -> Text:
        """Print numbers or rows above each other, columns beside each other."""
        rank, axis = len(node.shape), node.attrs["axis"]
        shown = [self.indicator(a) for a in args]
        if rank > 2 or len(args) == 1:
            return self.call("stack", [t.text for t in shown], INDEX[axis : axis + 1])
        if rank == 2 and axis == 0:
            rows = [self.transpose(n, [t]).text for n, t in zip(node.args, shown, strict=True)]
            return self._block(rows, True)
        return self._block([t.text for t in shown], rank == 1)

    def _block(self, texts: list[str], above: bool) -> Text:
        if self.latex:
            inner = (r" \\ " if above else " & ").join(texts)
            return Text(rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}")
        return Text("[" + ("; " if above else ", ").join(texts) + "]")

    def part(self, node: Node, args: list[Text]) -> Text:
        """Print a part along one axis."""
        key = part_text(node, lambda d: size(d, self.latex))
        return Text(f"{self.wrap(args[0], ATOM)}[{key}]")

    def reshape(self, node: Node, args: list[Text]) -> Text:
        """Print the new shape beside the name."""
        sizes = [size(d, self.latex) for d in node.shape]
        inner = self.indicator(args[0]).text
        if self.latex:
            shape = r" \times ".join(sizes) or "1"
            return Text(rf"\operatorname{{reshape}}_{{{shape}}}" + self.bracket(inner))
        return Text(f"reshape({inner}, {' × '.join(sizes) or '1'})")

    def take(self, node: Node, args: list[Text]) -> Text:
        """Print the parts at places: E[ids]."""
        axis, rank = node.attrs["axis"], len(node.args[0].shape)
        places, table = ":, " * axis + args[1].text, self.indexed(args[0])
        if not self.latex:
            return Text(f"{table}[{places}]")
        behind = ", :" * (rank - axis - 1)  # a row, no entry
        return Text(f"{table}_{{{places}{behind}}}", POW)

    def pick(self, node: Node, args: list[Text]) -> Text:
        """Print the entries at labels: S[y]; an entry of a row: R[u, i]."""
        (table, places), inner = args, node.args[0]
        row = table.text.removesuffix(", :}" if self.latex else "]")
        if inner.op == "take" and len(inner.args[0].shape) == 2 and row != table.text:
            return Text(
                f"{row}, {places.text}{'}' if self.latex else ']'}", POW if self.latex else ATOM
            )
        if not self.latex:
            return Text(f"{self.wrap(table, ATOM)}[{places.text}]")
        works_along = table.text.endswith(")") and "axis" in inner.attrs
        shown = self.bracket(table.text) if works_along else self.indexed(table)
        return Text(f"{shown}_{{{places.text}}}", POW)  # softmax(S)_i has axes

    def scatter(self, node: Node, args: list[Text]) -> Text:
        """Print the sum over places as the product with their one-hot rows."""
        g, places = args
        if node.attrs["axis"] or len(node.args[1].shape) != 1:
            return self.scattered(node, [g.text, places.text])
        hot = f"e_{{{places.text}}}^{{\\top}}" if self.latex else f"e_{places.text}ᵀ"
        return Text(f"{hot} {self.wrap(g, PRODUCT)}", PRODUCT)

    def scattered(self, node: Node, texts: list[str]) -> Text:
        """Write the sum over places along any axis as a call."""
        axis, length = node.attrs["axis"], size(node.attrs["size"], self.latex)
        if not self.latex:
            return self.call("scatter", [*texts, f"axis={axis}", f"size={length}"])
        label = rf"_{{\mathrm{{axis}} = {axis}, \mathrm{{size}} = {length}}}"
        return Text(rf"\operatorname{{scatter}}{label}" + self.bracket(", ".join(texts)))

    def unslice(self, node: Node, args: list[Text]) -> Text:
        """Write a part put into zeros, a e[1:], and a unit vector, e₀."""
        places, (inner,) = key_text(node.attrs["key"]), node.args
        unit, level = f"e_{{{places}}}", POW
        if not self.latex:
            unit = "e" + places.translate(PLACES) if places.isdigit() else f"e[{places}]"
            level = ATOM
        if value_of(inner) == 1 and not inner.shape:
            return Text(unit, level)
        slides = inner.op in ("correlate", "convolve")  # a ⋆ b is no factor of e
        part = self.wrap(args[0], ATOM if slides else MUL)
        if self.latex:
            return Text(rf"{part}\, {unit}", PRODUCT, read=())
        return Text(f"{part} {unit}", PRODUCT)

    def convolve(self, node: Node, args: list[Text]) -> Text:
        """Print a ∗ b, and the mode where it is not full."""
        star = r"\ast" if self.latex else "∗"
        text = f"{self.wrap(args[0], MUL + 1)} {star} {self.wrap(args[1], MUL + 1)}"
        mode = node.attrs["mode"]
        if mode == "full":
            return Text(text, MUL)
        if self.latex:
            return Text(rf"{self.bracket(text)}_{{\mathrm{{{mode}}}}}", POW)
        return Text(f"{self.bracket(text)}[{mode}]")

    def guarded(self, node: Node, args: list[Text]) -> Text:
        """Leave out what is done for infinite values only."""
        return args[0]

    def handlers(self) -> dict[str, Handler]:
        """Map operators to their printers."""
        return {
            "inv": self.inv, "solve": self.solve, "transpose": self.transpose, "prod": self.prod,
            "others": self.others, "einsum": self.einsum, "concatenate": self.concatenate,
            "stack": self.stack, "part": self.part, "reshape": self.reshape, "take": self.take,
            "pick": self.pick, "unslice": self.unslice,
            "scatter": self.scatter, "convolve": self.convolve,
            "reached": self.guarded, "grounded": self.guarded,
        }  # fmt: skip
