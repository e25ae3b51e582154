"""A gate's own formula, in letters and in numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from symgrad.diagram import measure
from symgrad.diagram.digits import constant
from symgrad.diagram.frames.local import opened
from symgrad.diagram.frames.pieces import Equation, Piece
from symgrad.diagram.from_graph import DrawEdge, DrawNode
from symgrad.diagram.gates import constant_latex, glyph
from symgrad.evaluate import values
from symgrad.formula import latex
from symgrad.graph import Node
from symgrad.ops.spec import typed_name

Asked = Mapping[int, Mapping[Node, str]]  # conditions that are written out: how
LONGEST = 22.0  # em
INFIX = {"add": "+", "sub": "-", "mul": r"\times", "div": r"\,/\,"}
RELATIONS = {"lt": "<", "le": r"\le", "gt": ">", "ge": r"\ge", "eq": "=", "ne": r"\ne"}


def symbolic(
    gate: DrawNode, edges: Sequence[DrawEdge], called: Mapping[int, str], asked: Asked
) -> str:
    """Write what a gate computes, its operands by name."""
    if gate.node is None or not edges:
        return gate.symbol
    names: dict[Node, str] = {}
    for e in edges:
        operands = {consumer.args[k]: called[e.source] for consumer, k in e.uses}
        names |= asked.get(e.source) or operands
    text = latex.write(gate.node, names)
    listed = gate.symbol + "(" + r",\,".join(called[e.source] for e in edges) + ")"
    wide = measure.math(text).width
    return listed if wide > max(LONGEST, measure.math(listed).width) else text


def conditions(
    nodes: Sequence[DrawNode], arriving: Mapping[int, Sequence[DrawEdge]], called: Mapping[int, str]
) -> Asked:
    """Tell for the conditions without a name what their operands are called: x > 0 says more."""
    return {
        n.id: {user.args[k]: called[e.source] for e in arriving[n.id] for user, k in e.uses}
        for n in nodes
        if n.op in RELATIONS and n.key != n.letter
    }


def numeric(gate: DrawNode, edges: Sequence[DrawEdge], values: Sequence[Piece]) -> Equation:
    """Write the same with numbers, in a row of pieces, so that each number can be exchanged."""
    node = gate.node
    assert node is not None
    if len(gate.members) > 1 or not any(u[0] is node for e in edges for u in e.uses):
        return _called(gate.symbol, values)
    found = {k: v for e, v in zip(edges, values, strict=True) for c, k in e.uses if c is node}
    pieces = [found.get(k) or Piece(_constant(a)) for k, a in enumerate(node.args)]
    if node.op in INFIX and len(pieces) == 2:
        divisor = argument(pieces[1], node.op == "div")
        return (argument(pieces[0]), Piece(INFIX[node.op]), divisor)
    if node.op in RELATIONS:
        left, right = (replace(piece, tight=not k) for k, piece in enumerate(pieces))
        sign = Piece(RELATIONS[node.op])
        return (Piece(r"\mathbb{1}["), left, sign, right, Piece("]", tight=True))
    if node.op == "neg":
        return (Piece("-"), argument(pieces[0]))
    if node.op == "pow" and node.args[1].op == "const":
        exponent = Piece(f"{{}}^{{{pieces[1].latex}}}", tight=True)
        return (argument(pieces[0], True), exponent)
    return _called(_word(node.op), pieces)


def _word(op: str) -> str:
    """Name a function; a glyph that shows the place of its operand cannot stand before brackets."""
    text = glyph(op)
    if "cdot" in text or "^" in text or re.search(r"(?<![a-z])x(?![a-z])", text):
        name = typed_name(op).replace("_", r"\_")
        return rf"\mathrm{{{name}}}"
    return text


def computed(gate: DrawNode, edges: Sequence[DrawEdge], numbers: Sequence[float]) -> float:
    """Compute what a gate gives for other numbers on its edges."""
    root, letters = opened(gate, edges, edges[0], free=True)
    known = {letter: np.float64(x) for (_, letter), x in zip(letters, numbers, strict=True)}
    with np.errstate(all="ignore"):
        return float(values([root], known, {})[root])


def argument(piece: Piece, power: bool = False) -> Piece:
    """Put a negative number into brackets, where `power` says so also a power of ten.

    Its part says that it wants them.
    """
    bracketed = piece.latex.startswith("{-}") or (power and "10^" in piece.latex)
    text = f"({piece.latex})" if bracketed else piece.latex
    return replace(piece, latex=text, part=piece.part.replace("num:", "arg:"))


def _called(name: str, values: Sequence[Piece]) -> Equation:
    pieces: list[Piece] = [Piece(name + "(")]
    for k, value in enumerate(values):
        pieces += [Piece(",", tight=True)] if k else []
        pieces.append(replace(value, tight=not k))
    return (*pieces, Piece(")", tight=True))


def _constant(node: Node) -> str:
    """Print an operand that no edge brings in."""
    if node.args:
        return latex.write(node, {})
    return constant_latex(node) or constant(node.attrs.get("value", float("nan")))
