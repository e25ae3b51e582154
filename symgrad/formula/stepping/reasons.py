"""Say why a form may be shortened: which law, or which fact about an input, was needed.

Nothing is claimed that was not used. A form is shortened first with every operator and every
declaration hidden behind plain symbols, so that only arithmetic is left. Then what was hidden is
given back one by one, and what changes the result is the reason.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from symgrad.autodiff import substitute
from symgrad.graph import Node, intern, rebuild, topological
from symgrad.ops import remake
from symgrad.ops.spec import typed_name
from symgrad.rewrite import simplify, tree_size


@dataclass(frozen=True, slots=True)
class Reason:
    """Hold a rule or fact as text, and in LaTeX where it has mathematics in it.

    `known` says that it is a law or a fact, no mere arithmetic.
    """

    text: str
    latex: str = ""
    known: bool = False


FACTS = {
    "onehot": ("the rows of {} sum to 1", r"\text{{the rows of }} {} \text{{ sum to 1}}"),
    "simplex": ("the rows of {} sum to 1", r"\text{{the rows of }} {} \text{{ sum to 1}}"),
    "sign": ("{}² = 1", "{}^{{2}} = 1"),
    "binary": ("{} is 0 or 1", r"{} \in \{{0, 1\}}"),
    "symmetric": ("{0}ᵀ = {0}", r"{0}^{{\top}} = {0}"),
    "positive": ("{} > 0", "{} > 0"),
}
LAWS = {
    "sigmoid": Reason("σ(−a) = 1 − σ(a)", r"\sigma(-a) = 1 - \sigma(a)"),
    "softmax": Reason("the probabilities of a softmax sum to 1"),
    "onehot": Reason("a one-hot row sums to 1"),
    "winner": Reason("one entry is the largest"),
    "exp": Reason("exp(a) exp(b) = exp(a + b)", "e^{a} e^{b} = e^{a + b}"),
    "mean": Reason("deviations from the mean sum to 0"),
    "standardize": Reason("deviations from the mean sum to 0"),
    "sqrt": Reason("√a √a = a", r"\sqrt{a}\,\sqrt{a} = a"),
}
ENTRY = Reason("p ⊙ e_y = p[y] e_y", r"p \odot e_{y} = p_{y} e_{y}")
MASK = Reason("an indicator is 0 or 1", r"\mathbb{1}[c]^{2} = \mathbb{1}[c]")
FIRST = ("mean", "sigmoid", "softmax", "onehot", "winner")  # the laws that are needed most often
PLAIN = ("add", "sub", "mul", "div", "neg", "pow", "const", "dim", "input", "broadcast", "expand",
         "transpose", "matmul", "outer", "sum", "mean", "arange", "where")  # fmt: skip
TIDY, ORDER = Reason("ones, zeros and signs"), Reason("put in order")


class Known:
    """Hide what a form is made of behind symbols, all but what is given back."""

    def __init__(self, root: Node, named: Collection[Node]) -> None:
        self.root, self.named = root, named
        self.order = topological([root], stop=lambda n: n in named and n is not root)
        self.conditions = {n.args[0] for n in self.order if n.op == "where" and n not in named}
        self.centres = {c for n in self.order if n.op == "sub" for c in _centres(n)}
        self.back: dict[Node, Node] = {}

    def hidden(self) -> list[str]:
        """List what can be given back: operators, masks, and inputs by their names."""
        found = dict.fromkeys(filter(None, map(self._what, self.order)))
        return sorted(found, key=lambda k: FIRST.index(k) if k in FIRST else len(FIRST))

    def _what(self, node: Node) -> str:
        if node is self.root or node in self.conditions:
            return ""
        if node.op == "input":
            kind = node.attrs["kind"]
            return f"input {node.attrs['name']}" if kind in FACTS else ""
        if node.dtype == "bool" and node.op not in LAWS:
            return "mask"
        if node.op == "mean" and (node in self.named or node in self.centres):
            return "mean"
        return node.op if node.op not in PLAIN and node.dtype != "int" else ""

    def image(self, given: Collection[str]) -> Node:
        """Give the form with everything hidden but what is given."""
        images: dict[Node, Node] = {}
        for node in self.order:
            what = self._what(node)
            if what and what not in given:
                name = str(node.attrs["name"]) if node.op == "input" else f"\0h{len(self.back)}"
                symbol = intern("input", (), {"name": name, "kind": "real"}, node.shape)
                images[node] = symbol
                self.back[symbol] = node
            elif node in self.named and node is not self.root:
                images[node] = node
        return rebuild([self.root], remake, images)[self.root]

    def shown(self, node: Node) -> Node:
        """Put back what was hidden."""
        return substitute(node, dict(self.back))

    def reason(self, what: str, typeset: Mapping[str, tuple[str, str]]) -> Reason:
        """Say what was given back."""
        return replace(self._reason(what, typeset), known=True)

    def _reason(self, what: str, typeset: Mapping[str, tuple[str, str]]) -> Reason:
        if what == "mask":
            return MASK
        if what.startswith("input "):
            name = what.removeprefix("input ")
            kinds = {n.attrs["name"]: n.attrs["kind"] for n in self.order if n.op == "input"}
            plain, latex = typeset[name]
            text, formula = FACTS[kinds[name]]
            return Reason(text.format(plain), formula.format(latex))
        if what == "exp" and sum(n.op == "exp" for n in self.order) < 2:
            return Reason("what exp is")
        if what == "onehot" and any(n.op == "pick" for n in self.order):
            return ENTRY
        return LAWS.get(what) or Reason(f"what {typed_name(what)} is")


def _centres(node: Node) -> Iterator[Node]:
    """Find the mean in x - mean(x)."""
    for value, middle in (node.args, node.args[::-1]):
        while middle.op in ("broadcast", "expand"):
            middle = middle.args[0]
        if middle.op == "mean" and middle.args[0] is value:
            yield middle


def shortened(
    root: Node,
    goal: Node,
    named: Collection[Node],
    places: Mapping[Node, int],
    typeset: Mapping[str, tuple[str, str]],
    fine: bool,
) -> Iterator[tuple[Reason, Node]]:
    """Go from a form to its short form, yielding each form on the way with the reason for it.

    `fine` separates what is only put in order from what cancels.
    """
    known = Known(root, named)
    bare = known.image(())
    found: list[tuple[Reason, Node]] = []
    tidied = known.shown(simplify([bare], named, places, normalise=False)[bare])
    after = known.shown(simplify([bare], named, places)[bare])
    small, size, old = (tree_size(n, named) for n in (after, tidied, root))
    if fine:
        found.append((TIDY, tidied))
    if small < size:
        found.append((arithmetic(tidied, after, named), after))
    else:
        found.append((TIDY if size < old else ORDER, after))
    given: list[str] = []
    for what in known.hidden():
        if after is goal or tree_size(after, named) <= tree_size(goal, named):
            break
        given.append(what)
        image = known.image(given)
        shorter = known.shown(simplify([image], named, places)[image])
        if tree_size(shorter, named) < tree_size(after, named):
            after = shorter
            found.append((known.reason(what, typeset), after))
    if after is not goal and tree_size(after, named) == tree_size(goal, named):
        found[-1] = found[-1][0], goal  # the same but for the order of factors
    elif after is not goal:
        found.append((arithmetic(after, goal, named), goal))
    yield from found


def facts(
    root: Node,
    goal: Node,
    named: Collection[Node],
    places: Mapping[Node, int],
    typeset: Mapping[str, tuple[str, str]],
) -> list[Reason]:
    """List the laws and facts without which a form is not as short as `goal`."""
    if not Known(root, named).hidden():
        return []
    return [r for r, _ in shortened(root, goal, named, places, typeset, False) if r.known]


def arithmetic(before: Node, after: Node, named: Collection[Node]) -> Reason:
    """Name what arithmetic has done: cancel, collect, multiply out, or put in order."""
    (old, atoms), (new, left) = _counts(before, named), _counts(after, named)
    gone = new["div"] < old["div"] and (not new["div"] or new["sum"] < old["sum"])
    if gone or any(a not in left for a in atoms):
        return Reason("cancel")
    if new["div"] < old["div"]:
        return Reason("collect")
    if new["sum"] < old["sum"] or (new["product"] < old["product"] and new["sum"] == old["sum"]):
        return Reason("collect")
    if new["sum"] > old["sum"]:
        return Reason("multiply out")
    return ORDER


def _counts(root: Node, named: Collection[Node]) -> tuple[dict[str, int], dict[Node, None]]:
    """Count quotients, sums and products as printed, and collect what they are made of."""
    kinds = {"div": "div", "add": "sum", "sub": "sum", "mul": "product", "matmul": "product"}
    order = topological([root], stop=lambda n: n in named and n is not root)
    uses: dict[Node, int] = {root: 1}
    for node in reversed(order):
        if node is root or node not in named:
            for a in node.args:
                uses[a] = min(10_000, uses.get(a, 0) + uses.get(node, 0))
    counts = {"div": 0, "sum": 0, "product": 0}
    for node in order:
        if node.op in kinds and (node is root or node not in named):
            counts[kinds[node.op]] += uses.get(node, 0)
    atoms = {n: None for n in order if (n in named or n.op == "input") and n is not root}
    return counts, atoms
