r"""Symbols on the edges: q above the wire, ∂f/∂x = z ∂f/∂q below it; alone, or with the numbers.

A gradient is local times upstream, gate by gate; the local derivatives, and the closed forms of
what a collapsed line hides, come from `symgrad.formula`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from symgrad.autodiff import wanted
from symgrad.diagram import measure
from symgrad.diagram.cards import Annotator, Block, Card, node_card, text_block
from symgrad.diagram.digits import Decimals, constant
from symgrad.diagram.frames.local import OPERAND, SEED, closed, images, opened
from symgrad.diagram.from_graph import Array, DrawEdge, Drawing, DrawNode
from symgrad.diagram.grouping import name_latex
from symgrad.diagram.style import FORMULA, LINE, NUMBER, Theme
from symgrad.errors import SymgradError
from symgrad.formula import Formula, gradients, latex, output_name
from symgrad.formula.arrays import size
from symgrad.formula.names import distinct
from symgrad.graph import Graph, Node, depends
from symgrad.ops import leaf, make, value_of
from symgrad.shapes import Shape

MODES = ("symbols", "both")
WIDEST = 11.0  # em of the right side of an equation
WIDE = 6.0  # em of a right side that has a number with it
FEW = 6  # nodes up to which the number stands behind its equation, not below it
APART = 7.0  # pixels between lines of one label
UPSTREAM = leaf("upstream")


@dataclass(frozen=True, slots=True)
class Product:
    """Hold local times upstream: `values` maps nodes in it to drawn nodes, by id."""

    node: Node
    values: Mapping[Node, int]
    upstream: tuple[Node, ...]


class Symbols:
    r"""Annotate edges with symbols ("symbols") or with symbols and numbers ("both").

    `numbers` is the annotator that shows the numbers alone. Without numbers the gradients are
    those that `symgrad.gradient` would take: of the parameters, or of every free input.

    >>> import symgrad as sg
    >>> from symgrad.diagram.cards import Numbers
    >>> from symgrad.diagram.from_graph import draw
    >>> from symgrad.diagram.style import theme_named
    >>> g = sg.parse("q = x + y; f = q*z"); d = draw(g)
    >>> shown = Symbols(g, d, theme_named("light"), "symbols", Numbers(Decimals(), False))
    >>> [shown.equation(n) for n in d.nodes if n.letter in ("x", "q")]
    ['\\dfrac{{\\partial} f}{{\\partial} x} = \\dfrac{{\\partial} f}{{\\partial} q}',
     '\\dfrac{{\\partial} f}{{\\partial} q} = z']
    """

    def __init__(
        self,
        graph: Graph,
        drawing: Drawing,
        theme: Theme,
        mode: str,
        numbers: Annotator,
        decimals: Decimals | None = None,
    ) -> None:
        self.graph, self.drawing, self.theme = graph, drawing, theme
        self.both, self.numbers = mode == "both" and drawing.numbers, numbers
        self.decimals = decimals or Decimals()
        letters = distinct((n.letter for n in drawing.nodes if n.letter), typeset=name_latex)
        self.called = {n.id: letters.get(n.letter, n.symbol) for n in drawing.nodes}
        self.arriving: dict[int, list[DrawEdge]] = {n.id: [] for n in drawing.nodes}
        self.leaving: dict[int, list[DrawEdge]] = {n.id: [] for n in drawing.nodes}
        for edge in drawing.edges:
            self.arriving[edge.target].append(edge)
            self.leaving[edge.source].append(edge)
        self.terms: dict[int, str | None] = {}

    @property
    def stub(self) -> float:
        """Give the least length of a stub."""
        return self.numbers.stub if self.both else 34.0

    def stroke(self, grad: Array | None) -> tuple[str, float]:
        """Draw wires as the numbers want them, or all alike."""
        return self.numbers.stroke(grad) if self.both else ("edge", LINE)

    # -- above the wire ----------------------------------------------------------------------

    def value(self, node: DrawNode) -> Block | None:
        """Show what the value is called, with its shape or its number."""
        if node.kind == "constant":
            return self.numbers.value(node)
        name = self.called[node.id]
        if self.both and node.value is not None and not node.value.shape:
            return self._text(f"{name} = {self._number(node.value)}", "value")
        if self.both and node.value is not None:
            block, shown = self._text(name, "value"), self.numbers.value(node)
            return _stacked(block, shown) if shown is not None else block
        return self._text(name + (rf" \in {space(node.shape)}" if node.shape else ""), "value")

    # -- below the wire ----------------------------------------------------------------------

    def gradient(self, node: DrawNode) -> Block | None:
        """Show the gradient: as local times upstream, in closed form, or by its name alone."""
        if node.id not in self.asked:
            return None
        text = self.equation(node, WIDE if self.both and not node.shape else WIDEST)
        if not self.both or node.grad is None:
            return self._text(text, "gradient", FORMULA)
        if node.grad.shape:
            block, shown = self._text(text, "gradient", FORMULA), self.numbers.gradient(node)
            return _stacked(shown, block) if shown is not None else block
        if text.endswith("= 1"):
            return self._text(text, "gradient", FORMULA)
        number = f"= {self._number(node.grad)}"
        if len(self.drawing.nodes) <= FEW or text == self.quotient(node.id):
            return self._text(f"{text} {number}", "gradient", FORMULA)
        return _stacked(*(self._text(t, "gradient", FORMULA) for t in (text, number)))

    def branch(self, edge: DrawEdge) -> Block | None:
        """Show what one branch contributes."""
        if edge.source not in self.asked:
            return None
        if self.both:
            return self.numbers.branch(edge)
        term = self.term(edge)
        return self._text(term, "gradient", FORMULA) if term and _width(term) <= WIDEST else None

    def equation(self, node: DrawNode, widest: float = WIDEST) -> str:
        """Write the gradient of a node, as far as it is short."""
        head = self.quotient(node.id)
        if node.id in self.drawing.outputs and not node.shape:
            return f"{head} = 1"
        sides = [side for side in (self._chain(node.id), self._closed(node)) if side]
        if node.shape:  # X^T (P - Y), where that is shorter than the chain through a line
            sides.sort(key=_width)
        found = next((side for side in sides if _width(side) <= widest), None)
        if found is None:
            return head
        return f"{head} = {{-}}{found[1:]}" if found.startswith("-") else f"{head} = {found}"

    def quotient(self, node: int) -> str:
        """Write ∂L/∂a."""
        top, low = self.called[self.drawing.outputs[-1]], self.called[node]
        return rf"\dfrac{{{{\partial}} {top}}}{{{{\partial}} {low}}}"

    def _chain(self, node: int) -> str | None:
        """Add up local times upstream over the gates that use a node."""
        edges = [e for e in self.leaving[node] if e.target in self.asked and self._flows(e)]
        terms = [self.term(e) for e in edges]
        known = [t for t in terms if t is not None]
        if not known or len(known) < len(terms):
            return None
        text = known[0]
        for term in known[1:]:
            text += f" - {term[1:].lstrip()}" if term.startswith("-") else f" + {term}"
        return text

    def _flows(self, edge: DrawEdge) -> bool:
        return edge.grad is not None or not self.drawing.numbers

    def term(self, edge: DrawEdge) -> str | None:
        """Write local times upstream for one edge; None where that has no short form."""
        if edge.id not in self.terms:
            self.terms[edge.id] = self._term(edge)
        return self.terms[edge.id]

    def _term(self, edge: DrawEdge) -> str | None:
        product = self.product(edge)
        if product is None:
            return None
        upstream = self.quotient(edge.target).replace(
            "dfrac", "frac"
        )  # what the printer calls tall
        spaced = rf"\,{upstream}\,"
        names = {n: self.called[k] for n, k in product.values.items()}
        names |= {n: spaced for n in product.upstream}
        text = names.get(product.node) or latex.write(product.node, names)
        text = text.replace(rf"{spaced}^{{\top}}", rf"\Bigl({upstream}\Bigr)^{{\top}}")
        return text.removeprefix(r"\,").removesuffix(r"\,").replace(r"\frac", r"\dfrac")

    def product(self, edge: DrawEdge) -> Product | None:
        """Derive local times upstream for one edge; None where there is no closed form."""
        gate = self.drawing.nodes[edge.target]
        source = self.drawing.nodes[edge.source]
        if gate.node is None or source.node is None or source.kind == "constant":
            return None
        if gate.node.dtype != "float" or source.node.dtype != "float":  # nothing flows back
            return None
        root, letters = opened(gate, self.arriving[gate.id], edge)
        found = closed(root, f"{OPERAND}{edge.id}")
        if found is None:
            return None
        local = found.node
        values = dict.fromkeys(images(gate, root), gate.id) | {n: e.source for e, n in letters}
        if not root.shape and gate.id not in self.drawing.outputs:
            local = _times(local)
        return Product(local, values, (leaf(SEED, root.shape), UPSTREAM))

    def _closed(self, node: DrawNode) -> str | None:
        """Write the closed form, where it speaks only of what the picture shows."""
        formula = self.formulas.get(node.letter)
        if formula is None or not formula.has_matrix_form:
            return None
        shown = {n.node: self.called[n.id] for n in self.drawing.nodes if n.node and n.letter}
        drawn = {n.letter: self.called[n.id] for n in self.drawing.nodes if self._named(n)}
        shown |= {p.node: drawn[name] for name, p in formula.where.items() if name in drawn}
        if not all(part.node in shown for part in formula.where.values()):
            return None
        text = shown.get(formula.node) or latex.write(formula.node, shown)
        return text.replace(r"\frac", r"\dfrac")

    @cached_property
    def formulas(self) -> Mapping[str, Formula]:
        """Derive the closed forms of what has a name."""
        names = [n.letter for n in self.drawing.nodes if n.id in self.asked and self._named(n)]
        names = [name for name in names if name != output_name(self.graph)]
        try:
            return gradients(self.graph, names) if names else {}
        except SymgradError:
            return {}

    def _named(self, node: DrawNode) -> bool:
        return node.node is not None and self.graph.name(node.node) == node.letter

    @cached_property
    def asked(self) -> dict[int, None]:
        """Collect the nodes whose gradient is shown."""
        if self.drawing.numbers:
            return {n.id: None for n in self.drawing.nodes if n.grad is not None}
        if self.graph.output.shape or self.graph.output.dtype != "float":
            return {}
        order = self.graph.order()
        active = depends(order, wanted(self.graph, None).values())
        return {n.id: None for n in self.drawing.nodes if n.node in active}

    # -- texts -------------------------------------------------------------------------------

    def _number(self, array: Array) -> str:
        number = float(array.ravel()[0])
        return self.decimals.latex(number) if array.dtype.kind == "f" else constant(int(number))

    def _text(self, text: str, role: str, size: float = NUMBER) -> Block:
        if self.theme.marks and role == "gradient":
            text = r"{\leftarrow}\," + text
        return text_block(measure.math(text), role, size, role)


def _times(local: Node) -> Node:
    """Multiply a local derivative by the upstream gradient."""
    if value_of(local) == 1:
        return UPSTREAM
    return make("neg", UPSTREAM) if value_of(local) == -1 else make("mul", local, UPSTREAM)


def _stacked(above: Block, below: Block) -> Block:
    """Put one block above another, a little apart."""
    width = max(above.width, below.width)
    items = above.at((width - above.width) / 2, 0.0)
    items += below.at((width - below.width) / 2, above.height + APART)
    return Block(items, width, above.height + APART + below.height)


def space(shape: Shape) -> str:
    r"""Write the space of arrays of a shape.

    >>> space(("N", 2)), space(("N - 1",))
    ('\\mathbb{R}^{N\\times 2}', '\\mathbb{R}^{N - 1}')
    """
    several = len(shape) > 1
    sides = (
        f"({size(d, True)})" if several and not str(d).isalnum() else size(d, True) for d in shape
    )
    return r"\mathbb{R}^{" + r"\times ".join(sides) + "}"


def _width(text: str) -> float:
    return measure.math(text).width


def symbol_card(
    number: int, node: DrawNode, annotator: Annotator, pruned: bool, titled: bool
) -> Card:
    """Build the card of a node whose wire says its name: it does not stand above the gate too."""
    bare = replace(node, name="") if node.kind == "gate" else node
    return node_card(number, bare, annotator, pruned, titled)
