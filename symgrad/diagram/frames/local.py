"""Local derivatives in closed form: one gate by itself, its operands as letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from symgrad.autodiff.sweep import substitute
from symgrad.diagram import measure
from symgrad.diagram.from_graph import DrawEdge, DrawNode
from symgrad.errors import SymgradError
from symgrad.formula import Formula, gradients, latex, latex_name
from symgrad.graph import Graph, Node
from symgrad.ops import leaf, make, remake
from symgrad.rewrite import recognise

OUT, SEED, OPERAND = "gate_out", "gate_upstream", "gate_operand_"
LONGEST = 22.0  # em; a longer derivative is written as a quotient


@dataclass(frozen=True, slots=True)
class Local:
    """Hold a local derivative in LaTeX, and what the names in it stand for."""

    text: str
    given: tuple[str, ...] = ()


def derivative(
    gate: DrawNode,
    edges: Sequence[DrawEdge],
    wrt: DrawEdge,
    called: Mapping[int, str],
    upstream: str,
    asked: Mapping[int, Mapping[Node, str]],
) -> Local | None:
    """Write the local derivative of a gate along an edge; if it gives an array, times upstream.

    `edges` are all that arrive, `called` maps drawn nodes to LaTeX, `upstream` is the LaTeX of the
    gradient that comes back, `asked` has the names inside conditions that are written out. None
    where there is no short form.
    """
    root, letters = opened(gate, edges, wrt)
    formula = closed(root, f"{OPERAND}{wrt.id}")
    if formula is None:
        return None
    found = formula.node
    names: dict[Node, str] = {}
    for edge, node in letters:
        names |= asked.get(edge.source) or {node: called[edge.source]}
    names |= {image: called[gate.id] for image in images(gate, root)}
    names |= {leaf(SEED, root.shape): upstream}
    given: tuple[str, ...] = ()
    text = names.get(found) or latex.write(found, names)
    if not _fits(text, upstream):
        # Then with names for its parts, unless they are taken.
        parts = {part.node: latex_name(name) for name, part in formula.where.items()}
        if not parts or any(name in called.values() for name in parts.values()):
            return None
        for part, name in parts.items():
            given += (f"{name} = {latex.write(part, names)}",)
            names[part] = name
        text = latex.write(found, names)
        if not all(_fits(t, upstream) for t in (text, *given)):
            return None
    text = text.replace(upstream + r"^{\top}", rf"\Bigl({upstream}\Bigr)^{{\top}}")
    return Local(latex.bracket(text) if not root.shape and is_sum(text) else text, given)


def _fits(text: str, upstream: str) -> bool:
    return measure.math(text.replace(upstream, "g")).width <= LONGEST


def is_sum(text: str) -> bool:
    r"""Say whether LaTeX is a sum, which as a factor needs brackets.

    >>> is_sum("1 - c^{2}"), is_sum(r"c\, (1 - c)"), is_sum("-1"), is_sum(r"\frac{a - b}{c}")
    (True, False, False, False)
    """
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "({[") - (c in ")}]")
        if depth == 0 and k and c in "+-":
            return not text.startswith(r"\begin")
    return False


def opened(
    gate: DrawNode, edges: Sequence[DrawEdge], wrt: DrawEdge, free: bool = False
) -> tuple[Node, list[tuple[DrawEdge, Node]]]:
    """Cut a gate out of its graph: what comes in on an edge becomes a letter of its own.

    So x·x has two derivatives. An input that is not differentiated stays, with what is known of
    it, unless all are to be `free`.
    """
    assert gate.node is not None
    letters: list[tuple[DrawEdge, Node]] = []
    cuts: dict[Node, Node] = {}
    slots = list(gate.node.args)
    for edge in edges:
        consumer, k = edge.uses[0]
        operand = consumer.args[k]
        given = operand.op == "input" and edge is not wrt and not free
        if operand.dtype != "float" or given:
            letters.append((edge, operand))
            continue
        letter = leaf(f"{OPERAND}{edge.id}", operand.shape)
        letters.append((edge, letter))
        cuts[operand] = letter
        if consumer is gate.node:
            slots[k] = letter
    if len(gate.members) > 1:
        return substitute(gate.node, cuts), letters
    return remake(gate.node, tuple(slots)), letters


def images(gate: DrawNode, root: Node) -> tuple[Node, ...]:
    """Give a cut-out gate, as it is written and as what it is recognised to be.

    1/(1 + exp(-z)) has the derivative p (1 - p), once it is known to be a sigmoid.
    """
    return (root, recognise(Graph.of([root]))[0].output) if len(gate.members) > 1 else (root,)


@lru_cache(maxsize=2048)
def closed(root: Node, target: str) -> Formula | None:
    """Differentiate a gate; one that gives an array is contracted with its upstream gradient."""
    names = {OUT: root}
    output = root
    if root.dtype != "float":  # nothing flows back
        return None
    try:
        if root.shape:
            output = make("mul", leaf(SEED, root.shape), root)
            output = make("sum", output, axes=tuple(range(len(root.shape))))
        return gradients(Graph.of([output], names=names), [target])[target]
    except SymgradError:
        return None
