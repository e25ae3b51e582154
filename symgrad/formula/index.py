r"""Print formulas in index form: x_ij, deltas, indicators, sums with ranges, cases."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symgrad.formula import latex, plain
from symgrad.formula.arrays import lowered
from symgrad.formula.texts import Handler, Text, render
from symgrad.graph import Node, factors_of, intern
from symgrad.indexed import entries
from symgrad.indexed.cases import Case, cases, count
from symgrad.indexed.network import LETTERS
from symgrad.indexed.symbols import (
    below,
    factors,
    free,
    index,
    is_delta,
    operands,
    product,
    within,
)
from symgrad.ops import const
from symgrad.ops.spec import ATOM, COMPARE, MUL, POW
from symgrad.shapes import Dim

BY_ENTRY = ("einsum", "windows", "overlapped")  # what products of matrices cannot say
SUM, SHORT, LONG = 15, 4, 14  # beyond that many operations cases stand alone


def marked(name: str) -> bool:
    """Say whether a name ends in an index or a square, and needs brackets below another index."""
    return "_{" in name or name[-1:] in "₀₁₂₃₄₅₆₇₈₉²"


class Letters:
    """Choose a letter for every index: one per dimension, the next free ones after that."""

    def __init__(self, dims: Iterable[Dim], taken: Iterable[str]) -> None:
        avoided = dict.fromkeys(taken)
        self.pool = [c for c in LETTERS if c not in avoided] or list(LETTERS)
        known = list(dict.fromkeys(d for d in dims if d != 1))
        self.own = dict(zip(known, self.pool, strict=False))
        self.rest = self.pool[len(self.own) :]
        self.chosen: dict[Node, str] = {}

    def choose(self, node: Node) -> str:
        """Give the letter of an index."""
        if node not in self.chosen:
            used = dict.fromkeys(self.chosen.values())
            first = self.own.get(node.attrs["size"], "")
            free_ = [c for c in (first, *self.rest, *self.pool) if c and c not in used]
            self.chosen[node] = free_[0] if free_ else f"i_{len(used)}"
        return self.chosen[node]


@dataclass(frozen=True)
class IndexForm:
    """Hold the entry of a formula at free indices, and how names and indices are called."""

    root: Node
    free: tuple[Node, ...]
    letters: Letters

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Give the cases, none if there is nothing to distinguish."""
        return cases(self.root)

    def count_ops(self) -> int:
        """Count operations, entries being atoms."""
        return count(self.root)

    def written(self, pen: "Pen") -> str:
        """Write the entry; where a short form has cases too, both: u 1[c] = {u if c; else 0}."""
        listed = self.cases
        compact = pen.write(self.root, self.letters)
        if not listed:
            return compact
        split = pen.cases([(c.conditions, c.value) for c in listed], self.letters)
        size, most = self.count_ops(), SHORT
        if any(is_delta(n) and n.args[1].op == "index" for n in below(self.root)):
            most = LONG  # a sum of deltas says more than four cases
            if len(listed) > 2:
                return compact if size <= most else split
        return f"{compact} = {split}" if size <= most and self.root.op != "where" else split


def index_form(
    node: Node, names: Mapping[Node, str], dims: Iterable[Dim], taken: Iterable[str]
) -> IndexForm:
    """Write a node by entries; `names` are its atoms, `dims` the program's dimensions in order."""
    at = tuple(index(f"i{k}", d) for k, d in enumerate(node.shape))
    letters = Letters(dims, taken)
    for place in at:
        letters.choose(place)
    return IndexForm(entries(node, at, names), at, letters)


# -- order and ranges ------------------------------------------------------------------------


def displayed(root: Node, tex: bool = True) -> Node:
    """Prepare for print: ranges j != y at the sums, sums last in products, 1/N before them."""
    done: dict[Node, Node] = {}
    for node in below(root):
        args = tuple(done[a] for a in operands(node))
        if node.op == "total":
            done[node] = _ranged(args[0], node.args[1])
        elif node.op == "entry":
            done[node] = intern("entry", (node.args[0], *args), {}, (), node.dtype)
        else:
            made = node if args == node.args else _remade(node, args)
            if node.op == "mul":
                made = _ordered(made)
            elif node.op == "div":
                made = _divided(made, tex)
            done[node] = made
    return done[root]


def _remade(node: Node, args: tuple[Node, ...]) -> Node:
    return intern(node.op, args, node.attrs, (), node.dtype)


def _ranged(body: Node, over: Node) -> Node:
    """Take the factor 1[j != y] into the range of the sum over j."""
    sign, above, under = factors(body)
    ranges = [f for f in above if f.op == "ne" and over in f.args and within(f, over)]
    if not ranges:
        return intern("total", (body, over))
    rest = product([f for f in above if f is not ranges[0]], under, sign)
    return intern("total", (rest, over, intern("range", ranges[0].args, {}, (), "int")))


def _times(parts: Sequence[Node]) -> Node:
    result = parts[0]
    for factor in parts[1:]:
        result = intern("mul", (result, factor))
    return result


def _ordered(node: Node) -> Node:
    """Put sums behind all other factors."""
    parts = factors_of(node)
    ranked = sorted(parts, key=lambda f: f.op == "total")
    return node if ranked == parts else _times(ranked)


def _divided(node: Node, tex: bool) -> Node:
    """Write 1/N before a sum; 2/N before a product, where a line of text would not say it."""
    above, under = node.args
    parts = factors_of(above)
    if not tex and parts[-1].op != "total":
        return node
    if free(under) or (len(parts) == 1 and parts[0].op != "total"):
        return node
    bare = [f for f in parts if not free(f) and f.op != "total"]
    rest = [f for f in parts if f not in bare]
    if not rest:
        return node
    lead = intern("div", (_times(bare) if bare else const(1), under))
    return _times([lead, *rest])


# -- the two notations -----------------------------------------------------------------------


@dataclass(frozen=True)
class Pen:
    """Write index form in LaTeX or Unicode; `names` are typeset already."""

    tex: bool
    names: Mapping[Node, str]
    kronecker: bool = True  # write δ_ij for 1[i = j]; not beside a variable δ

    def write(self, root: Node, letters: Letters) -> str:
        """Write one entry."""
        shown = displayed(root, self.tex)
        return self._finish(self._render(shown, letters))

    def condition(self, node: Node, letters: Letters) -> str:
        """Write a condition, without the indicator around it."""
        return self._render(displayed(node, self.tex), letters, bare=True).text

    def cases(self, listed: Sequence[tuple[Sequence[Node], Node]], letters: Letters) -> str:
        """Write a case distinction."""
        rows = []
        for conditions, value in listed:
            joint = r",\ " if self.tex else ", "
            said = joint.join(self.condition(c, letters) for c in conditions)
            rows.append((self.write(value, letters), said))
        if self.tex:
            other = r"\text{otherwise}"
            body = r" \\ ".join(f"{value} & {said or other}" for value, said in rows)
            return rf"\begin{{cases}} {body} \end{{cases}}"
        return "{" + "; ".join(f"{v} if {c}" if c else f"{v} otherwise" for v, c in rows) + "}"

    def subscript(self, places: Sequence[str]) -> str:
        """Write indices below a letter."""
        short = all(len(p) == 1 for p in places)
        return lowered(("" if short else ",").join(places), self.tex)

    def _finish(self, text: Text) -> str:
        notation = latex if self.tex else plain
        return notation.indicator(text).text if text.mask else text.text

    def _render(self, root: Node, letters: Letters, bare: bool = False) -> Text:
        names = dict(self.names)
        for node in _indices(root):
            names[node] = letters.choose(node)
        if root.op == "index":  # the slope of sum(i x_i) is i
            return Text(names[root])
        notation = latex if self.tex else plain
        return render(root, names, notation.handler(self._handlers(bare, root)), notation.named)

    def _handlers(self, bare: bool, root: Node) -> dict[str, Handler]:
        return {
            "entry": self._entry, "total": self._total, "mul": self._mul,
            "eq": self._same(bare, root), "ne": self._other, "range": self._range,
        }  # fmt: skip

    def _bracket(self, text: str) -> str:
        return latex.bracket(text) if self.tex else plain.bracket(text)

    def _entry(self, node: Node, args: list[Text]) -> Text:
        base = args[0].text
        if len(args) == 1:
            return args[0]
        known = node.args[0] in self.names or node.args[0].op == "input"
        if args[0].level < ATOM or marked(base) or not known:
            base = f"({base})"
        shape = node.args[0].shape
        places = [a.text for a, d in zip(args[1:], shape, strict=True) if d != 1]
        return Text(base + (self.subscript(places) if places else ""), POW)

    def _total(self, node: Node, args: list[Text]) -> Text:
        body = args[0]
        inner = body.text if body.level >= SUM else self._bracket(body.text)
        below_ = args[2].text if len(args) > 2 else args[1].text
        if self.tex:
            return Text(rf"\sum_{{{below_}}} {inner}", SUM)
        return Text(f"Σ{self.subscript([below_])} {inner}", SUM)

    def _mul(self, node: Node, args: list[Text]) -> Text:
        if args[1].level != SUM:
            notation = latex if self.tex else plain
            handlers: Mapping[str, Handler] = notation.HANDLERS
            return handlers["mul"](node, args)
        left = args[0].text if args[0].level >= MUL else self._bracket(args[0].text)
        return Text(f"{left} {args[1].text}", SUM)

    def _same(self, bare: bool, root: Node) -> Handler:
        def handle(node: Node, args: list[Text]) -> Text:
            a, b = args
            both = all(n.op == "index" for n in node.args)
            if both and self.kronecker and not (bare and node is root):
                delta_ = r"\delta" if self.tex else "δ"
                return Text(delta_ + self.subscript([a.text, b.text]), POW)
            return Text(f"{a.text} = {b.text}", COMPARE, True)

        return handle

    def _range(self, node: Node, args: list[Text]) -> Text:
        return Text(self._other(node, args).text)

    def _other(self, node: Node, args: list[Text]) -> Text:
        sign = r"\ne" if self.tex else "≠"
        return Text(f"{args[0].text} {sign} {args[1].text}", COMPARE, True)


def _indices(root: Node) -> list[Node]:
    """List the indices as they are met, from the left."""
    found: dict[Node, None] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.op == "index":
            found[node] = None
        else:
            stack += reversed(node.args[1:] if node.op == "entry" else node.args)
    return list(found)
