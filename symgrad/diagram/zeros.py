"""Zero gradients: where a gradient turns to exactly 0, and everything that it leaves still."""

from collections.abc import Sequence

import numpy as np

from symgrad.diagram.callouts import Remarks, Wiring, short
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import Array, DrawEdge, DrawNode
from symgrad.diagram.symbols import unicode_symbol

NAMED = 6  # names that a note lists

_ORDINALS = ("first", "second", "third")


def ordinal(operand: int) -> str:
    """Spell the place of an operand.

    >>> ordinal(0), ordinal(4)
    ('first', '5th')
    """
    return _ORDINALS[operand] if operand < len(_ORDINALS) else f"{operand + 1}th"


def zeros(wiring: Wiring, decimals: Decimals) -> Remarks:
    """Find the nodes and edges that carry a gradient of 0, and the gates at which it arises."""
    drawing = wiring.drawing
    still = {n.id: None for n in drawing.nodes if nothing(n.grad)}
    edges = {e.id: None for e in drawing.edges if nothing(e.grad)}
    texts: dict[int, tuple[str, ...]] = {}
    notes: list[str] = []
    for node in drawing.nodes:
        if node.grad is None:
            continue
        if node.id not in still:
            shut = [e for e in wiring.into[node.id] if e.id in edges]
            if shut:
                texts[node.id] = (_local(node, shut, wiring),)
                notes.append(_note(node, shut, still, wiring, decimals))
        elif not wiring.out[node.id]:
            notes.append(f"The gradient of {_called(node)} is 0 from the start.")
        elif any(e.grad is not None and e.id not in edges for e in wiring.out[node.id]):
            texts[node.id] = ("branches cancel: the sum is 0",)
            notes.append(
                f"The gradients of the branches of {_called(node)} cancel: their sum is 0."
            )
    if still:
        notes.append("A framed gradient is exactly 0; thin grey wires carry nothing back.")
    return Remarks(texts, still, edges, tuple(notes))


def nothing(grad: Array | None) -> bool:
    """Say whether a gradient is there and 0 everywhere."""
    return grad is not None and grad.size > 0 and not np.any(grad)


def _local(node: DrawNode, shut: Sequence[DrawEdge], wiring: Wiring) -> str:
    """Write what stands at the gate."""
    asked = [e for e in wiring.into[node.id] if e.grad is not None]
    if len(shut) == len(asked):
        return "local derivative 0: nothing flows back from here"
    names = dict.fromkeys(short(wiring.drawing.nodes[e.source].name) for e in shut)
    if "" in names:
        return (
            f"local derivative 0 for the {' and '.join(ordinal(e.operand) for e in shut)} operand"
        )
    return f"local derivative 0 for {', '.join(names)}: nothing flows back there"


def _note(
    node: DrawNode,
    shut: Sequence[DrawEdge],
    still: dict[int, None],
    wiring: Wiring,
    decimals: Decimals,
) -> str:
    """Write the line below the diagram: where the zero arises, why, and whom it reaches."""
    lone = len(wiring.into[node.id]) == 1
    places = []
    for edge in shut:
        source = wiring.drawing.nodes[edge.source]
        name = short(source.name) or (
            "its input" if lone else f"its {ordinal(edge.operand)} operand"
        )
        value = edge.value
        at = f" = {decimals.text(float(value))}" if value is not None and not value.shape else ""
        places.append(f"{name}{at}")
    reached = _behind([e.source for e in shut if e.source in still], wiring, still)
    leaves = [n for n in wiring.drawing.nodes if n.id in reached and n.kind != "gate"]
    names = [short(n.name) for n in leaves[:NAMED]]
    more = f" and {len(leaves) - NAMED} more" if len(leaves) > NAMED else ""
    told = f"; the gradient of {', '.join(names)}{more} is 0" if names else ""
    where = ("at " if lone else "for ") + ", ".join(dict.fromkeys(places))
    return f"Zero at {_called(node)}: its local derivative is 0 {where}{told}."


def _behind(starts: Sequence[int], wiring: Wiring, still: dict[int, None]) -> dict[int, None]:
    """Collect what a zero leaves still, from the gate back."""
    found: dict[int, None] = {}
    stack = list(starts)
    while stack:
        node = stack.pop()
        if node not in found and node in still:
            found[node] = None
            stack += [edge.source for edge in wiring.into[node]]
    return found


def _called(node: DrawNode) -> str:
    if node.kind != "gate":
        return short(node.name)
    symbol = unicode_symbol(node.symbol)
    return f"{symbol} ({short(node.name)})" if node.name else symbol
