"""Derivation steps: the trace of the one computation, from the seed to the printed formula."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from symgrad.autodiff import sweep
from symgrad.errors import UsageError
from symgrad.formula import latex, plain
from symgrad.formula.names import distinct, plain_name
from symgrad.graph import Node, depends, intern
from symgrad.rewrite import simplify

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
        self.symbols: dict[Node, tuple[str, str]] = {}

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
        if node in self.symbols:
            return self.symbols[node]
        view = {n: t for n, t in self.names.items() if n is not node}
        shown = distinct(view.values())
        plain_view = {n: plain_name(t) for n, t in view.items()}
        latex_view = {n: shown[t] for n, t in view.items()}
        for symbol, (text, latex_text) in self.symbols.items():
            plain_view[symbol], latex_view[symbol] = text, latex_text
        return plain.write(node, plain_view), latex.write(node, latex_view)

    def upstream(self, node: Node) -> Node:
        """Give the symbol that stands for the adjoint of a value."""
        name = self.name(node)
        symbol = intern("input", (), {"name": f"\0{name}", "kind": "real"}, node.shape)
        self.symbols[symbol] = self.head(name)
        return symbol

    def head(self, name: str) -> tuple[str, str]:
        """Print ∂L/∂name."""
        shown = distinct([self.of, name])
        return (
            f"∂{plain_name(self.of)}/∂{plain_name(name)}",
            rf"\frac{{\partial {shown[self.of]}}}{{\partial {shown[name]}}}",
        )


QUIET = ("add", "sub", "neg", "expand", "broadcast", "transpose", "sum", "mean")


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
    if not path:  # the output does not depend on it
        return [Step("independent", pen.head(formula.wrt)[0], formula.unicode(),
                     f"{pen.of} does not depend on it",
                     pen.head(formula.wrt)[1], formula.latex())]  # fmt: skip
    stations = [n for n in path if _stops(n, path[0], target, formula, detail)]
    steps += _forward(stations, path[0], pen)
    head, latex_head = pen.head(pen.of)
    steps.append(Step("seed", head, "1", "the output's derivative in itself", latex_head, "1"))
    steps += _backward(derivation, stations, target, pen, detail)
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
        why = f"an equal form{where} that is stable and short"
        if before != after:
            steps.append(Step(f"recognise {r.rule}", before, after, why, lb, la))
    return steps


def _path(derivation: "Derivation", target: Node) -> list[Node]:
    """List the nodes between output and target, the output first."""
    below = depends(derivation.graph.order(), [target])
    return [n for n in derivation.adjoints.order if n in below]


def _stops(node: Node, root: Node, target: Node, formula: "Formula", detail: int) -> bool:
    """Say whether the derivation stops at a value: a named one, or one where something happens."""
    if node is root or node is target or node in formula.names.chosen or detail == 3:
        return True
    if detail == 1 or node.op in QUIET:
        return False
    return not (node.op in ("mul", "div") and any(not a.args for a in node.args))


def _forward(stations: list[Node], root: Node, pen: _Pen) -> list[Step]:
    """Name the values on the way."""
    steps = []
    for node in reversed(stations):
        if node.op == "input" or node is root:
            continue
        name = pen.name(node)
        body, latex_body = pen.text(node, open_=True)
        steps.append(Step("forward", plain_name(name), body, "a value on the way",
                          distinct([name])[name], latex_body))  # fmt: skip
    return steps


def _backward(
    derivation: "Derivation", stations: list[Node], target: Node, pen: _Pen, detail: int
) -> list[Step]:
    """Go back from value to value: upstream times local, then what it comes to.

    The sweep runs once more with the adjoint of each value on the way left as a symbol, so that
    a line shows the operators' own rules: dL/dh = dL/ds W^T.
    """
    stops = dict.fromkeys(stations)
    raw: dict[Node, Node] = {}

    def settle(node: Node, g: Node) -> Node:
        if node not in stops or node is stations[0]:
            return g
        raw[node] = g
        return pen.upstream(node)

    sweep(stations[0], [target], settle=settle)
    named = {**pen.names, **dict.fromkeys(stations, "")}
    places = derivation.graph.places
    steps = []
    for node in stations[1:]:
        head, latex_head = pen.head(pen.name(node))
        if detail == 3:
            text, latex_text = pen.text(raw[node], open_=True)
            steps.append(Step("local derivatives", head, text, "each operator's own rule",
                              latex_head, latex_text))  # fmt: skip
        chained, latex_chained = pen.text(simplify([raw[node]], named, places)[raw[node]])
        if detail < 3 or chained != text:
            steps.append(Step("chain rule", head, chained, "upstream × local, uses added up",
                              latex_head, latex_chained))  # fmt: skip
        total = derivation.adjoints.total[node]
        simple = derivation.simple.get(total)
        if simple is None:
            simple = simplify([total], derivation.names.chosen, places)[total]
        text, latex_text = pen.text(simple)
        if text != chained:
            steps.append(Step("put together", head, text, "with the upstream gradient filled in",
                              latex_head, latex_text))  # fmt: skip
    return steps
