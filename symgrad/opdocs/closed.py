"""The definition and the derivative of an operator in closed form, on operands that suit it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symgrad.curve import Facts, facts, of_operator, one_variable
from symgrad.errors import SymgradError
from symgrad.formula import Formula, gradients, plain, plain_name
from symgrad.formula import latex as tex
from symgrad.graph import Graph, Node
from symgrad.ops import Op, leaf, make
from symgrad.ops.spec import LETTERS, MISSING, bounds
from symgrad.parse import formula
from symgrad.shapes import Shape

UPSTREAM = "G"  # what flows back from the output, where that is an array
SHORT = 110  # characters of LaTeX; a longer derivative is written with names
_KEPT: dict[str, tuple[Op, "Closed | None"]] = {}
_FACTS: dict[str, tuple[Op, Facts | None]] = {}

Operand = tuple[Shape, str]  # its shape and its kind
NUMBER: Operand = ((), "real")
TABLE: Operand = (("N", "C"), "real")
LABELS: Operand = (("N", "C"), "labels")


@dataclass(frozen=True, slots=True)
class Closed:
    """Hold an operator on example operands: its node, and the gradient in each operand.

    `upstream` says that the output is an array whose own gradient is called G.
    """

    node: Node
    gradients: Mapping[str, Formula]
    upstream: bool

    @property
    def latex(self) -> str:
        """Write the operator, and what it means, in LaTeX."""
        inner = formula(self.node)
        whole, meant = tex.write(self.node, {}), "" if inner is None else tex.write(inner, {})
        return f"{whole} = {meant}" if meant and meant != whole else whole

    @property
    def plain(self) -> str:
        """Write the same in Unicode."""
        inner = formula(self.node)
        whole = plain.write(self.node, {})
        meant = "" if inner is None else plain.write(inner, {})
        return f"{whole} = {meant}" if meant and meant != whole else whole

    def latex_slope(self, name: str) -> str:
        """Write the derivative in one operand in LaTeX, short ones without other names."""
        found = self.gradients[name]
        spelled = tex.write(found.node, {})
        if not found.where or len(spelled) <= SHORT:
            return spelled
        parts = [rf"{tex_name(n)} = {f.latex()}" for n, f in found.where.items()]
        return rf"{found.latex()} \quad\text{{where}}\quad " + r",\; ".join(parts)

    def plain_slope(self, name: str) -> str:
        """Write the derivative in one operand in Unicode."""
        found = self.gradients[name]
        where = ", ".join(f"{plain_name(n)} = {f.unicode()}" for n, f in found.where.items())
        return found.unicode() + (f" where {where}" if where else "")


def tex_name(name: str) -> str:
    """Typeset a name."""
    from symgrad.formula import latex_name

    return latex_name(name)


def known_facts(row: Op) -> Facts | None:
    """Give the facts of a row that is a function of one number, each row once."""
    if row.hidden or not one_variable(row):
        return None
    kept = _FACTS.get(row.name)
    if kept is None or kept[0] is not row:
        try:
            kept = row, facts(of_operator(row.name))
        except SymgradError:
            kept = row, None
        _FACTS[row.name] = kept
    return kept[1]


def closed(row: Op) -> Closed | None:
    """Derive an operator on the first example operands that it takes; None if there are none.

    >>> from symgrad.ops import OPS
    >>> closed(OPS["gelu"]).plain_slope("x")
    'Φ + x φ where Φ = Φ(x), φ = φ(x)'
    """
    kept = _KEPT.get(row.name)
    if kept is None or kept[0] is not row:
        kept = _KEPT[row.name] = row, _derived(row)
    return kept[1]


def _derived(row: Op) -> Closed | None:
    if (
        row.call
        or any(v is MISSING for v in row.params.values())
        or row.dtype not in ("float", "join")
    ):
        return None
    for operands in _examples(row):
        try:
            node = make(row.name, *operands)
            if row.zero:
                return Closed(node, {}, False)
            # Nobody differentiates a loss with respect to its targets.
            active = [n for k, n in enumerate(operands) if not (row.reduction and k == 1)]
            wrt = [n.attrs["name"] for n in active if n.dtype == "float"]
            upstream = leaf(UPSTREAM, node.shape)
            loss = make("sum", make("mul", upstream, node)) if node.shape else node
            names = {n.attrs["name"]: n for n in operands}
            return Closed(node, gradients(Graph.of([loss], names=names), wrt), bool(node.shape))
        except (SymgradError, KeyError, IndexError):
            continue
    return None


def _examples(row: Op) -> Iterator[list[Node]]:
    """Propose operands: numbers for elementwise rows, else small programs' shapes."""
    count = bounds(row)[1]
    names = list(row.operands or LETTERS)[:count]
    if row.operands == () and count == 1:
        names = ["x"] if row.shape == "elementwise" else ["A"]
    if count > len(names):
        return
    rest = [NUMBER] * count
    if row.shape == "elementwise":
        yield _leaves(names, rest)
        return
    matrix = [TABLE] * count
    by_column = [TABLE, *[(("C",), "real")] * count]  # a scale and a shift have defaults
    proposals = [
        [TABLE, LABELS, *rest],
        [(("N", "D"), "real"), (("D", "H"), "real"), *rest],
        *([by_column, [TABLE, *matrix]] if row.defaults else [[TABLE, *matrix], by_column]),
        [TABLE, *rest],
        [(("N",), "real"), (("M",), "real"), *rest],
        [(("N", "N"), "real"), *rest],
    ]
    if "target(" not in row.formula:
        proposals = proposals[1:]
    if row.reduction and "target(" not in row.formula:
        yield _leaves(names, rest)  # a loss of single numbers
    for given in proposals:
        yield _leaves(names, given)


def _leaves(names: list[str], given: list[Operand]) -> list[Node]:
    return [leaf(n, shape, kind) for n, (shape, kind) in zip(names, given, strict=False)]
