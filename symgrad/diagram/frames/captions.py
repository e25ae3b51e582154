r"""What a step frame says: c = a + b = (−2.00) + 6.00 = 4.00, and local × upstream.

Printed arithmetic closes: where two decimals say 2.00 × 0.20 = 0.39, the caption takes more of
them, or writes ≈.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from symgrad.diagram.digits import Decimals, constant
from symgrad.diagram.frames.local import Local, derivative
from symgrad.diagram.frames.numeric import argument, computed, conditions, numeric, symbolic
from symgrad.diagram.frames.pieces import Equation, Piece, written
from symgrad.diagram.frames.plan import Plan, Step
from symgrad.diagram.from_graph import DrawEdge, DrawNode, Result
from symgrad.diagram.grouping import name_latex
from symgrad.diagram.measure import shorten

EXTRA = 2  # more decimals than the figure that a caption may take
TIMES = r"\times"


@dataclass(frozen=True, slots=True)
class Caption:
    """Hold the title, the equations and the plain words of one frame."""

    title: str
    equations: tuple[Equation, ...]
    notes: str


class Captions:
    """Write the caption of every step of a plan."""

    def __init__(self, plan: Plan, decimals: Decimals, result: Result) -> None:
        self.plan, self.decimals, self.result = plan, decimals, result
        self.nodes = plan.drawing.nodes
        self.names = {n.id: _called(n) for n in self.nodes}
        self.output = plan.drawing.outputs[-1]
        self.arriving: dict[int, list[DrawEdge]] = {n.id: [] for n in self.nodes}
        for edge in plan.drawing.edges:
            self.arriving[edge.target].append(edge)
        self.conditions = conditions(self.nodes, self.arriving, self.names)
        self.local = {e.id: self._local(e) for e in plan.drawing.edges if e.target in plan.backward}

    def of(self, frame: int) -> Caption:
        """Write the caption of a frame."""
        step = self.plan.steps[frame - 1]
        return self._forward(step) if step.forward else self._backward(step, frame)

    # -- forwards ----------------------------------------------------------------------------

    def _forward(self, step: Step) -> Caption:
        gate = self.nodes[step.gate]
        name = self.names[gate.id]
        head = (Piece(name), Piece("="), Piece(self._symbolic(gate, step.edges)))
        title = f"Forward step {step.number} of {step.of}"
        said = f"{shorten(gate.letter)} is computed from {self._listed(step.edges)}."
        if gate.value is None:
            return Caption(title, (head,), said)
        if gate.value.shape:
            size = r"{\times}".join(str(n) for n in gate.value.shape)
            pieces = (*head, Piece(rf"\in\mathbb{{R}}^{{{size}}}"))
            return Caption(title, (pieces,), said)
        result = float(gate.value)
        operands = [self.nodes[e.source] for e in step.edges]
        if any(n.value is None or n.value.shape for n in operands):
            return Caption(title, ((*head, Piece("="), self._printed(gate, result)),), said)
        texts, total, sign = closing(
            [float(n.value) for n in operands if n.value is not None],
            result,
            self.decimals,
            lambda *numbers: computed(gate, step.edges, numbers),
        )
        sides = [
            Piece(self._whole(n, text), "value", f"num:v{n.id}")
            for n, text in zip(operands, texts, strict=True)
        ]
        worked = numeric(gate, step.edges, sides)
        value = Piece(self._whole(gate, total), "value", f"num:v{gate.id}")
        equation = (*head, Piece("="), *worked, Piece(sign), value)
        return Caption(title, (equation,), f"{said} {self._says(gate)}")

    def _symbolic(self, gate: DrawNode, edges: Sequence[DrawEdge]) -> str:
        return symbolic(gate, edges, self.names, self.conditions)

    def _printed(self, node: DrawNode, value: float) -> Piece:
        return Piece(self._whole(node, self.decimals.latex(value)), "value", f"num:v{node.id}")

    def _whole(self, node: DrawNode, text: str) -> str:
        """Print a label or a truth value as a whole number."""
        if node.value is None or node.value.dtype.kind == "f":
            return text
        return constant(int(node.value))

    def _says(self, gate: DrawNode) -> str:
        return (
            "" if gate.value is None else f"Its value is {self.decimals.text(float(gate.value))}."
        )

    def _listed(self, edges: Sequence[DrawEdge]) -> str:
        names = dict.fromkeys(shorten(self.nodes[e.source].letter) or "a constant" for e in edges)
        return " and ".join(names)

    # -- backwards ---------------------------------------------------------------------------

    def _backward(self, step: Step, frame: int) -> Caption:
        gate = self.nodes[step.gate]
        # Two branches of x·x read alike; their sum says that there are two.
        equations = {written(q): q for q in (self._shared(e, gate) for e in step.edges)}
        found = [self.local[e.id] for e in step.edges]
        equations |= {text: (Piece(text),) for local in found if local for text in local.given}
        for source in dict.fromkeys(e.source for e in step.edges):
            if self.plan.known.get(source) == frame and self._forks(source):
                total = self._total(source)
                equations |= {written(total): total} if total else {}
        said = dict.fromkeys(self._reads(e, gate) for e in step.edges)
        title = f"Backward step {step.number} of {step.of}: downstream = local × upstream"
        return Caption(title, tuple(equations.values()), " ".join(said))

    def _shared(self, edge: DrawEdge, gate: DrawNode) -> Equation:
        """Write downstream = local · upstream = number × number = number."""
        upstream = self._quotient(gate.id)
        below = Piece(self._quotient(edge.source))
        head: tuple[Piece, ...] = (below,)
        if self._forks(edge.source):
            head = (below, Piece(rf"\mathrm{{via}}\;{self.names[gate.id]}", "muted"))
        found = self.local[edge.id]
        local = found.text if found is not None else ""
        assert gate.grad is not None and edge.grad is not None
        if gate.grad.shape or edge.grad.shape:
            size = "×".join(str(n) for n in gate.grad.shape)
            chain = _around(local or self._open(edge), upstream, f"upstream {size}".strip())
            return (*head, Piece("="), *chain)
        symbol = local or self._open(edge)
        chain = (
            Piece(symbol, "local", word="local"),
            Piece(r"\cdot"),
            Piece(upstream, "gradient", word="upstream"),
        )
        return (*head, Piece("="), *chain, Piece("="), *self._product(edge, gate))

    def _product(self, edge: DrawEdge, gate: DrawNode) -> Equation:
        """Write the numbers, with as many decimals as the arithmetic needs to close."""
        assert edge.grad is not None and gate.grad is not None
        up, share = float(gate.grad), float(edge.grad)
        local = self._slope(edge, share / up if up else 0.0)
        (left, right), product, sign = closing(
            (local, up), share, self.decimals, lambda a, b: a * b
        )
        return (
            argument(Piece(left, "local", f"num:l{edge.id}")),
            Piece(TIMES),
            argument(Piece(right, "gradient", f"num:g{gate.id}")),
            Piece(sign),
            Piece(product, "gradient", f"num:c{edge.id}"),
        )

    def _open(self, edge: DrawEdge) -> str:
        """Write a derivative that has no short form as one that is still to be taken."""
        gate = self.nodes[edge.target]
        inner = self._symbolic(gate, self.arriving[gate.id])
        return rf"\dfrac{{{{\partial}}}}{{{{\partial}} {self.names[edge.source]}}}\,{inner}"

    def _slope(self, edge: DrawEdge, ratio: float) -> float:
        """Give the local derivative; of a collapsed gate what its numbers say."""
        gate = self.nodes[edge.target]
        single = len(edge.uses) == 1 and edge.uses[0][0] is gate.node
        return float(np.sum(self.result.local[edge.uses[0]])) if single else ratio

    def _total(self, source: int) -> Equation | None:
        """Write the sum over the branches of a fan-out."""
        node = self.nodes[source]
        shares = [e for e in self.plan.departures[source] if e.grad is not None]
        head = (Piece(self._quotient(source)), Piece("="))
        if node.grad is None:
            return None
        if node.grad.shape:
            branches = dict.fromkeys(self.names[e.target] for e in shares)
            sums = r"\;+\;".join(rf"\mathrm{{via}}\;{name}" for name in branches)
            return (*head, Piece(sums, "gradient"))
        numbers = [float(e.grad) for e in shares if e.grad is not None]
        printed, total, sign = closing(
            numbers, float(node.grad), self.decimals, lambda *xs: sum(xs)
        )
        terms: list[Piece] = []
        for k, (edge, text) in enumerate(zip(shares, printed, strict=True)):
            terms += [Piece("+")] if k else []
            terms.append(argument(Piece(text, "gradient", f"num:c{edge.id}")))
        return (*head, *terms, Piece(sign), Piece(total, "gradient", f"num:g{source}"))

    def _reads(self, edge: DrawEdge, gate: DrawNode) -> str:
        source = shorten(self.nodes[edge.source].letter)
        if edge.grad is None or edge.grad.shape or gate.grad is None or gate.grad.shape:
            return f"The gradient of {shorten(gate.letter)} is passed on to {source}."
        up, share = (self.decimals.text(float(a)) for a in (gate.grad, edge.grad))
        return f"Upstream {up} times the local derivative gives {share} for {source}."

    def _local(self, edge: DrawEdge) -> Local | None:
        gate = self.nodes[edge.target]
        if edge.grad is None or gate.node is None:
            return None
        upstream = self._quotient(gate.id)
        arriving = self.arriving[gate.id]
        return derivative(gate, arriving, edge, self.names, upstream, self.conditions)

    def _quotient(self, node: int) -> str:
        return _partial(self.names[self.output], self.names[node])

    def _forks(self, node: int) -> bool:
        return sum(e.grad is not None for e in self.plan.departures[node]) > 1


def _partial(top: str, below: str) -> str:
    return rf"\dfrac{{{{\partial}} {top}}}{{{{\partial}} {below}}}"


def _called(node: DrawNode) -> str:
    """Give what a node is called in a caption, in LaTeX."""
    if node.kind == "constant":
        return node.symbol
    return name_latex(node.letter) if node.letter else r"\cdot"


def _around(local: str, upstream: str, word: str) -> Equation:
    """Colour the upstream gradient inside a product of arrays."""
    if upstream not in local:
        said = Piece(upstream, "gradient", word=word)
        return (Piece(local, "local", word="local"), Piece(r"\cdot"), said)
    head, found, tail = local.partition(upstream)
    if not found or head.count("{") != head.count("}") or upstream in tail:
        return (Piece(local),)
    sides = [part.strip() for part in (head, tail)]
    words = ["local" if side and not all(sides) else "" for side in sides]
    left, right = (
        [Piece(side, "local", word=said)] if side else []
        for side, said in zip(sides, words, strict=True)
    )
    return (*left, Piece(upstream, "gradient", word=word), *right)


def closing(
    terms: Sequence[float], result: float, decimals: Decimals, combine: Callable[..., float]
) -> tuple[tuple[str, ...], str, str]:
    """Print numbers so that their arithmetic closes; give them, the result, and = or ≈.

    A number that the figure prints exactly keeps its decimals.

    >>> closing((2.0, 0.1966), 0.3932, Decimals(2), lambda a, b: a * b)
    (('2.00', '0.1966'), '0.3932', '=')
    """
    for more in range(EXTRA + 1):
        finer = Decimals(decimals.decimals + more, decimals.scientific)
        printed = tuple(_shortest(t, decimals, finer) for t in terms)
        total = _shortest(result, decimals, finer)
        with np.errstate(all="ignore"):
            found = combine(*(np.float64(_read(text)) for text in printed))
        if finer.latex(float(found)) == finer.latex(_read(total)):
            return printed, total, "="
    return tuple(map(decimals.latex, terms)), decimals.latex(result), r"\approx"


def _shortest(value: float, decimals: Decimals, finer: Decimals) -> str:
    text = decimals.latex(value)
    return text if abs(_read(text) - value) <= 1e-12 * abs(value) else finer.latex(value)


def _read(latex: str) -> float:
    """Read a printed number back."""
    plain = latex.replace("{-}", "-").replace(r"{\times}10^{", "e").replace(r"\infty", "inf")
    return float("nan") if "NaN" in plain else float(plain.replace("}", ""))
