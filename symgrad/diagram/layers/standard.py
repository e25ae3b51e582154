"""Find standardisation that is written out: (h - mean(h)) / sqrt(var(h) + eps)."""

from dataclasses import dataclass

from symgrad.diagram.layers.flow import Flow
from symgrad.graph import Node
from symgrad.ops import OPS

MOST = 16  # operators that a standardisation may take


@dataclass(frozen=True, slots=True)
class Cone:
    """Hold a standardisation: what is standardised, its operators (the quotient last), its name."""

    source: Node
    nodes: tuple[Node, ...]
    title: str


def standardised(flow: Flow) -> dict[Node, Cone]:
    """Map the last node of every written-out standardisation to its operators.

    >>> from symgrad.parse import parse
    >>> f = Flow(parse("X: data[N, D]; (X - mean(X, 0))/sqrt(var(X, 0) + 1e-5)"))
    >>> [(n.op, c.title) for n, c in standardised(f).items()]
    [('div', 'BN')]
    """
    found: dict[Node, Cone] = {}
    for node in flow.order:
        if node.op in ("div", "mul") and len(flow.sources(node)) == 2:
            for centred in node.args if node.op == "mul" else node.args[:1]:
                cone = _cone(flow, node, centred)
                if cone is not None:
                    found[node] = cone
                    break
    return found


def _cone(flow: Flow, node: Node, centred: Node) -> Cone | None:
    """Walk from a quotient down to what is standardised; all ways must end there."""
    if centred.op != "sub" or len(flow.sources(centred)) != 2:
        return None
    source = centred.args[0]
    inside, stack = {node: None}, [node]
    while stack and len(inside) <= MOST:
        for operand in flow.sources(stack.pop()):
            if operand is source or operand in inside:
                continue
            if not operand.args:
                return None
            inside[operand] = None
            stack.append(operand)
    means = [n for n in inside if n.op in OPS and OPS[n.op].shape == "reduce"]
    if len(inside) > MOST or not means:
        return None
    if not all(flow.only(n, inside) for n in inside if n is not node):
        return None
    place = flow.graph.places
    axis, rank = means[0].attrs.get("axis"), len(source.shape)
    title = "BN" if axis == 0 else "LN" if axis in (-1, rank - 1) else "standardise"
    return Cone(source, tuple(sorted(inside, key=lambda n: place[n])), title)
