"""Lines of a derivation: what is claimed, how it is printed, and the steps made of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.autodiff import substitute
from symgrad.formula import latex, plain
from symgrad.formula.names import portable
from symgrad.formula.notation import Hand, Pair
from symgrad.formula.stepping.reasons import Reason
from symgrad.formula.stepping.stages import ONE, Use
from symgrad.graph import SUMS, Node

UPSTREAM, LOCAL = "red", "blue"


@dataclass(frozen=True, slots=True)
class Factor:
    """Hold one product of the chain rule, Unicode and LaTeX: upstream times local.

    Where matrices are multiplied, `local` is the rule with a dot in the place of the upstream
    gradient: Xᵀ(·).
    """

    upstream: str
    local: str
    latex_upstream: str
    latex_local: str


@dataclass(frozen=True, slots=True)
class Step:
    """Show one step: by which rule `before` becomes `after`, and why; Unicode and LaTeX.

    `factors` are the products of the chain rule, one for each use of the value; `latex_marked`
    is `latex_after` with local derivatives in blue and upstream gradients in red. `numbers` is
    what the line comes to at the point that was asked for. `checked` is the largest relative
    difference of the two sides at random points, NaN where they have no value.
    """

    rule: str
    before: str
    after: str
    why: str
    latex_before: str = ""
    latex_after: str = ""
    factors: tuple[Factor, ...] = ()
    latex_marked: str = ""
    latex_rule: str = ""
    numbers: str = ""
    latex_numbers: str = ""
    checked: float = float("nan")

    @property
    def upstream(self) -> str:
        """Give the upstream gradients of the line."""
        return ", ".join(f.upstream for f in self.factors)

    @property
    def local(self) -> str:
        """Give the local derivatives of the line."""
        return ", ".join(f.local for f in self.factors)


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line: the two sides as nodes and as text; `atoms` get numbers as a whole."""

    rule: Reason
    why: str
    left: Node
    right: Node
    before: Pair
    after: Pair
    station: Node | None = None
    factors: tuple[Factor, ...] = ()
    marked: str = ""
    atoms: tuple[Node, ...] = ()

    def step(self, checked: float, numbers: Pair = ("", "")) -> Step:
        """Make the step that is handed out."""
        return Step(
            self.rule.text,
            self.before[0],
            self.after[0],
            self.why,
            portable(self.before[1]),
            portable(self.after[1]),
            self.factors,
            portable(self.marked or self.after[1]),
            self.rule.latex,
            numbers[0],
            numbers[1],
            checked,
        )


@dataclass(frozen=True, slots=True)
class Product:
    """Hold the printed sum of what the uses of a value pass back."""

    after: Pair
    marked: str
    factors: tuple[Factor, ...]


class Ink:
    """Print what the uses of a value pass back, upstream · local for each."""

    def __init__(self, hand: Hand, symbols: Mapping[Node, Pair]) -> None:
        self.hand, self.symbols = hand, symbols

    def text(self, node: Node) -> Pair:
        """Print a node; a named one by its name."""
        return self.hand.text(node, self.symbols, turned=True)

    def factor(self, node: Node) -> Pair:
        """Print a node as a factor."""
        text = self.text(node)
        loose = node not in self.hand.names and node.op in SUMS
        if (not loose and not text[0].startswith("−")) or text[0].endswith(")ᵀ"):
            return text
        return plain.bracket(text[0]), latex.bracket(text[1])

    def products(self, uses: list[Use], known: Mapping[Node, Node]) -> Product:
        """Print upstream · local for every use, with what is `known` of upstream, and add up.

        In LaTeX the upstream gradient is red and the local derivative blue; where a rule wraps
        around the gradient (Xᵀ G), so does the colour.
        """
        full = [use.local is None or use.local.op != "broadcast" for use in uses]
        found = [
            # beside an array, a number needs no array of ones
            self._use(use, known.get(use.upstream, use.upstream), any(full) and not mine)
            for use, mine in zip(uses, full, strict=True)
        ]
        after = _sum([f.after[0] for f in found], "−"), _sum([f.after[1] for f in found], "-")
        factors = tuple(f for product in found for f in product.factors)
        return Product(after, _sum([f.marked for f in found], "-"), factors)

    def symbolic(self, uses: list[Use], names: list[str], below: str) -> Pair | None:
        """Print ∂L/∂s · ∂s/∂z for every use; None where a rule is no such product."""
        if any(u.local is None for u in uses) or all(u.upstream is ONE for u in uses):
            return None
        parts = []
        for use, name in zip(uses, names, strict=True):
            plain, latex = self.hand.quotient(name, below)
            if use.upstream is not ONE:
                up = self.symbols[use.upstream]
                dots = (" ⊙ ", r" \odot ") if use.consumer.shape else (" · ", r" \cdot ")
                plain, latex = up[0] + dots[0] + plain, up[1] + dots[1] + latex
            parts.append((plain, latex))
        return " + ".join(p for p, _ in parts), " + ".join(t for _, t in parts)

    def _use(self, use: Use, upstream: Node, bare: bool) -> Product:
        if is_one(upstream) and (use.local is not None or use.upstream is ONE):
            local = self.text(use.term if use.local is None else use.local)
            factor = Factor("1", local[0], "1", local[1])
            return Product(local, colour(LOCAL, local[1]), (factor,))
        if use.local is None:
            return self._rule(use, upstream, self.factor(upstream))
        if upstream.op == "broadcast" and not upstream.args[0].shape and use.local.shape:
            upstream = upstream.args[0]  # a number times an array
        up = self.factor(upstream)
        local = self.factor(use.local.args[0] if bare else use.local)
        wide = bool(use.local.shape and upstream.shape) and not bare
        dot, latex_dot = (" ⊙ ", r" \odot ") if wide else (" · ", r" \cdot ")
        marked = colour(UPSTREAM, up[1]) + latex_dot + colour(LOCAL, local[1])
        factor = Factor(up[0], local[0], up[1], local[1])
        return Product((up[0] + dot + local[0], up[1] + latex_dot + local[1]), marked, (factor,))

    def _rule(self, use: Use, upstream: Node, up: Pair) -> Product:
        """Print a rule that is no product entry by entry."""
        filled = use.term if upstream is use.upstream else substitute(
            use.term, {use.upstream: upstream})  # fmt: skip
        text = self.text(filled)
        dots = {**self.symbols, use.upstream: ("(·)", r"(\,\cdot\,)")}
        local = self.hand.write(use.term, dots, turned=True)
        red = {**self.symbols, use.upstream: (up[0], colour(UPSTREAM, up[1]))}
        marked = self.hand.write(use.term, red, turned=True)[1]
        factor = Factor(up[0], local[0], up[1], local[1])
        return Product(text, colour(LOCAL, marked), (factor,))


def is_one(node: Node) -> bool:
    """Say whether a node is 1, or an array of ones."""
    inner = node.args[0] if node.op == "broadcast" else node
    return inner.op == "const" and inner.attrs["value"] == 1


def bare(text: str) -> str:
    """Leave out what only groups."""
    return text.translate(dict.fromkeys(map(ord, " ·()")))


def colour(name: str, latex: str) -> str:
    """Colour a part of a formula."""
    return rf"\textcolor{{{name}}}{{{latex}}}"


def _sum(parts: list[str], minus: str) -> str:
    inked = rf"\textcolor{{{LOCAL}}}{{"
    total = parts[0]
    for part in parts[1:]:
        if part.startswith(f"{inked}{minus}"):  # the sign stands between the terms
            part = minus + inked + part.removeprefix(f"{inked}{minus}")
        total += f" {minus} {part[len(minus) :]}" if part.startswith(minus) else f" + {part}"
    return total
