"""Remarks: what a diagram points out on request, and the patterns of its gates.

"patterns" names what gates do to a gradient that comes back, "zeros" where a gradient turns to 0
and what that stops, "signs" the neurons whose weights can only all grow or all shrink.
"""

from collections.abc import Sequence

import numpy as np

from symgrad.diagram.callouts import Remarks, Wiring, merged, short
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import DrawEdge, Drawing, DrawNode
from symgrad.diagram.signlock import signs
from symgrad.diagram.tensors.numbers import peaks
from symgrad.diagram.zeros import ordinal, zeros
from symgrad.errors import UsageError

KINDS = ("patterns", "zeros", "signs")

_NOTES = {
    "distributes": "+ distributes: every operand gets the upstream gradient unchanged.",
    "passes on": "A constant added or subtracted passes the upstream gradient on unchanged.",
    "distributes ±": "− distributes: the first operand gets the upstream gradient, the second one "
    "its negative.",
    "switches": "× switches: each operand gets the upstream gradient times the other operand.",
    "scales": "A constant factor scales the upstream gradient.",
    "turns the sign": "A minus sign turns the sign of the upstream gradient.",
    "routes": "max and min route: the operand that was chosen gets the whole upstream gradient, "
    "the others get 0.",
    "chooses": "where routes: the branch that was chosen gets the upstream gradient, the other "
    "gets 0.",
    "gates": "ReLU gates: the upstream gradient passes where the input is positive and is "
    "stopped elsewhere.",
    "copy sums": "A copy sums: at a fork the gradients of all branches add up.",
}


def wanted(names: Sequence[str]) -> tuple[str, ...]:
    """Check the names of remarks; "all" stands for all of them.

    >>> wanted(["all"])
    ('patterns', 'zeros', 'signs')
    """
    for name in names:
        if name not in (*KINDS, "all"):
            raise UsageError(
                f"unknown remark {str(name)[:40]!r}", hint="known are: all, " + ", ".join(KINDS)
            )
    return KINDS if "all" in names else tuple(k for k in KINDS if k in names)


def find(drawing: Drawing, names: Sequence[str]) -> Remarks:
    """Find what is to be pointed out in a drawing; zeros and signs need numbers."""
    kinds = wanted(names)
    if not kinds:
        return Remarks()
    wiring = Wiring.of(drawing)
    decimals = Decimals.suited(peaks(drawing.arrays()))
    parts = []
    for kind in kinds:
        if kind == "patterns":
            parts.append(patterns(wiring))
        elif drawing.numbers:
            parts.append(zeros(wiring, decimals) if kind == "zeros" else signs(wiring))
    return merged(parts)


def patterns(wiring: Wiring) -> Remarks:
    """Name the patterns of the gates in the backward flow."""
    texts: dict[int, tuple[str, ...]] = {}
    notes: dict[str, None] = {}
    numbers = wiring.drawing.numbers
    for node in wiring.drawing.nodes:
        lines: tuple[str, ...] = ()
        edges = wiring.into[node.id]
        if node.kind == "gate" and not (numbers and node.grad is None):
            name, text = _pattern(node, edges, wiring)
            if name:
                lines += (text,)
                notes[name] = None
        branches = wiring.out[node.id]
        if sum(e.grad is not None or not numbers for e in branches) > 1:
            lines += ("copy sums",)
            notes["copy sums"] = None
        if lines:
            texts[node.id] = lines
    return Remarks(texts, notes=tuple(_NOTES[name] for name in _NOTES if name in notes))


def _pattern(node: DrawNode, edges: Sequence[DrawEdge], wiring: Wiring) -> tuple[str, str]:
    """Give the name of a gate's pattern, empty if it has none, and what is written at the gate."""
    lone = len(edges) == 1
    op = node.op
    if len(node.members) > 1:
        return "", ""  # what a collapsed line does with a gradient has no name
    if op in ("maximum", "minimum", "where") and edges:
        name = "chooses" if op == "where" else "routes"
        return name, "routes" + _route(node, edges, wiring)
    if op == "neg" or (op == "mul" and lone and node.symbol.endswith("{-}1")):
        return "turns the sign", "turns the sign"
    if op == "sub" and lone:
        turned = edges[0].operand == 1
        return ("turns the sign",) * 2 if turned else ("passes on",) * 2
    pairs = {"add": ("distributes", "passes on"), "mul": ("switches", "scales")}
    single = {"sub": "distributes ±", "matmul": "switches", "relu": "gates"}
    name = pairs[op][lone] if op in pairs and edges else single.get(op, "")
    return name, name


def _route(node: DrawNode, edges: Sequence[DrawEdge], wiring: Wiring) -> str:
    """Say to which operand the gradient of a max, min or where went, if there is only one."""
    shares = [e for e in edges if e.grad is not None and np.any(e.grad)]
    if node.shape or not wiring.drawing.numbers or len(shares) > 1:
        return ""
    if not shares:
        # Nothing arrived from behind, or a constant was chosen.
        values = [e for e in edges if _chosen(node, e)]
        constant = len(edges) == 1 and node.value is not None and not values
        if constant:
            return " to the constant"
        shares = values if len(values) == 1 and node.op != "where" else []
    return f" to {operand(shares[0], wiring)}" if shares else ""


def _chosen(node: DrawNode, edge: DrawEdge) -> bool:
    return node.value is not None and edge.value is not None and bool(edge.value == node.value)


def operand(edge: DrawEdge, wiring: Wiring) -> str:
    """Name an operand: by the user's name, else by its place."""
    name = wiring.drawing.nodes[edge.source].name
    lone = len(wiring.into[edge.target]) == 1
    return short(name) if name else "its operand" if lone else f"the {ordinal(edge.operand)}"
