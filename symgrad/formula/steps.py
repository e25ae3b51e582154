"""Derivation steps: the trace of the one computation, from the seed to the printed formula."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgrad.errors import UsageError
from symgrad.formula import latex, plain
from symgrad.formula.names import distinct, plain_name
from symgrad.graph import Node, consumers, depends

if TYPE_CHECKING:
    from symgrad.formula.derivation import Derivation
    from symgrad.formula.formula import Formula

DETAILS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Step:
    """Show one step: by which rule `before` becomes `after`, and why; Unicode and LaTeX."""

    rule: str
    before: str
    after: str
    why: str
    latex_before: str = ""
    latex_after: str = ""


class _Pen:
    """Print nodes of one derivation in both notations; unnamed inner values are v1, v2, …"""

    def __init__(self, formula: "Formula") -> None:
        self.names = dict(formula.names.chosen)
        self.taken = formula.names.taken
        self.of = formula.of

    def name(self, node: Node) -> str:
        """Give the name of a node, a fresh one if it has none."""
        if node.op == "input":
            return str(node.attrs["name"])
        if node not in self.names:
            k = 1
            while f"v{k}" in self.taken or f"v{k}" in self.names.values():
                k += 1
            self.names[node] = f"v{k}"
        return self.names[node]

    def text(self, node: Node, *, open_: bool = False) -> tuple[str, str]:
        """Print a node; `open_` shows its own definition instead of its name."""
        if node in self.names and not open_:
            name = self.names[node]
            return plain_name(name), distinct([name])[name]
        view = {n: t for n, t in self.names.items() if n is not node}
        shown = distinct(view.values())
        return (
            plain.write(node, {n: plain_name(t) for n, t in view.items()}),
            latex.write(node, {n: shown[t] for n, t in view.items()}),
        )

    def head(self, name: str) -> tuple[str, str]:
        """Print ∂L/∂name."""
        shown = distinct([self.of, name])
        return (
            f"∂{plain_name(self.of)}/∂{plain_name(name)}",
            rf"\frac{{\partial {shown[self.of]}}}{{\partial {shown[name]}}}",
        )


def derive(formula: "Formula", detail: int) -> list[Step]:
    """List the steps of a formula's derivation; the last `after` is the formula itself."""
    if detail not in DETAILS:
        raise UsageError(f"detail={detail!r} is not known", hint="1, 2 or 3")
    derivation = formula.derivation
    assert derivation is not None
    pen = _Pen(formula)
    target = derivation.targets[formula.wrt]
    steps = _recognised(derivation, pen)
    path = _path(derivation, target)
    steps += _forward(path, pen, detail)
    root = derivation.graph.output
    steps += _seed(root, pen)
    for node in path[1:]:
        if node is not target and detail == 1 and node not in formula.names.chosen:
            continue
        steps += _chain(derivation, node, path, pen, detail)
    if not steps or steps[-1].after != formula.unicode():
        head, latex_head = pen.head(formula.wrt)
        steps.append(Step("result", head, formula.unicode(), "all parts put together",
                          latex_head, formula.latex()))  # fmt: skip
    return steps


def _recognised(derivation: "Derivation", pen: _Pen) -> list[Step]:
    steps = []
    for r in derivation.trace:
        (before, lb), (after, la) = pen.text(r.before, open_=True), pen.text(r.after, open_=True)
        where = f" on line {r.line}" if r.line else ""
        if before != after:
            steps.append(Step(f"recognise {r.rule}", before, after,
                              f"an equal form{where} that is stable and short", lb, la))  # fmt: skip
    return steps


def _path(derivation: "Derivation", target: Node) -> list[Node]:
    """List the nodes between output and target, the output first."""
    order = derivation.graph.order()
    below = depends(order, [target])
    return [n for n in derivation.adjoints.order if n in below]


def _forward(path: list[Node], pen: _Pen, detail: int) -> list[Step]:
    """Name the values on the way; a root without a name keeps its expression."""
    steps = []
    for node in reversed(path):
        if node.op == "input" or node is path[0]:
            continue
        if node in pen.names or detail > 1:
            name = pen.name(node)
            body, latex_body = pen.text(node, open_=True)
            steps.append(Step("forward", plain_name(name), body, "a value on the way",
                              distinct([name])[name], latex_body))  # fmt: skip
    return steps


def _seed(root: Node, pen: _Pen) -> list[Step]:
    head, latex_head = pen.head(pen.of)
    return [Step("seed", head, "1", "the output's derivative in itself", latex_head, "1")]


def _chain(
    derivation: "Derivation", node: Node, path: list[Node], pen: _Pen, detail: int
) -> list[Step]:
    """Write one chain-rule line for a node, and its simplification."""
    users = [(u, k) for u, k in consumers(path).get(node, []) if u in path]
    users = [e for e in users if e in derivation.adjoints.edges]
    if not users:
        return []
    head, latex_head = pen.head(pen.name(node))
    parts, latex_parts = [], []
    for user, _ in users:
        up, latex_up = pen.head(pen.of if user is path[0] else pen.name(user))
        mine = (pen.of if user is path[0] else pen.name(user), pen.name(node))
        parts.append(f"{up}·∂{plain_name(mine[0])}/∂{plain_name(mine[1])}")
        shown = distinct(mine)
        local = rf"\frac{{\partial {shown[mine[0]]}}}{{\partial {shown[mine[1]]}}}"
        latex_parts.append(rf"{latex_up} \cdot {local}")
    why = "upstream × local" if len(users) == 1 else f"{len(users)} uses: their shares add up"
    steps = [Step("chain rule", head, " + ".join(parts), why, latex_head, " + ".join(latex_parts))]
    raw = derivation.adjoints.total[node]
    simple = derivation.simple.get(raw)
    if simple is None:
        from symgrad.rewrite import simplify

        simple = simplify([raw], derivation.names.chosen)[raw]
    before, latex_before = pen.text(raw, open_=True)
    after, latex_after = pen.text(simple)
    if detail == 3 and before != after:
        steps.append(Step("local derivatives", head, before, "each operator's own rule",
                          latex_head, latex_before))  # fmt: skip
    steps.append(Step("simplify", head, after, "cancelled, collected, factored",
                      latex_head, latex_after))  # fmt: skip
    return steps
