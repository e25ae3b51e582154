"""Local derivatives of elementwise gates, from the rows of the operator table.

A gate such as ReLU or max passes the gradient of an entry or blocks it: its local derivative is a
mask of ones and zeros. Where a sigmoid or tanh is almost level, a unit is saturated.
"""

import re
from collections.abc import Mapping

import numpy as np

from symgrad.autodiff.sweep import local
from symgrad.diagram.from_graph import Array, DrawNode
from symgrad.evaluate import values
from symgrad.graph import Node, intern
from symgrad.ops import OPS, Op, const, make

SATURATED = 1e-3  # below this |f'| a unit hardly learns, as in the report on an activation
RECTIFIERS = ("relu", "relu6", "maximum")
# An open range with two finite ends is approached on both sides: (0, 1), (-1, 1), (-pi/2, pi/2).
_BOUNDED = re.compile(r"\((?!-?inf)[^(),]+, (?!-?inf)[^(),]+\)")


def passing(node: DrawNode, k: int, known: Mapping[int, Array]) -> Array | None:
    """Find which entries of operand k a gate lets through; None if the gate is no switch.

    `known` maps the places of the operands that are drawn to their values; the others are
    constants that are folded into the gate.

    >>> import symgrad as sg
    >>> relu = sg.parse("relu(x)", shapes={"x": (2,)}).output
    >>> node = DrawNode(0, "h", "gate", "relu", "", "", (2,), np.array([0.0, 3.0]), node=relu)
    >>> passing(node, 0, {0: np.array([-1.0, 3.0])})
    array([False,  True])
    """
    row = _row(node)
    if row is None or row.zero or not (row.kinks or node.op == "where"):
        return None
    operand, value = known.get(k), node.value
    if operand is None or value is None or operand.dtype.kind == "b":
        return None
    slope = _slope(node, k, known) if value.shape and operand.shape == value.shape else None
    if slope is None or not np.isin(slope, (0, 1)).all():
        return None
    return slope.astype(bool)


def saturated(node: DrawNode, known: Mapping[int, Array]) -> Array | None:
    """Find the entries where a gate with two horizontal asymptotes is almost level.

    >>> import symgrad as sg
    >>> tanh, x = sg.parse("tanh(x)", shapes={"x": (2,)}).output, np.array([0.0, 9.0])
    >>> saturated(DrawNode(0, "s", "gate", "tanh", "", "", (2,), np.tanh(x), node=tanh), {0: x})
    array([False,  True])
    """
    row = _row(node)
    if row is None or row.arity != 1 or not _BOUNDED.fullmatch(row.range):
        return None
    if 0 not in known or node.value is None or not node.value.shape:
        return None
    slope = _slope(node, 0, known)
    return None if slope is None else np.abs(slope) < SATURATED


def _row(node: DrawNode) -> Op | None:
    """Find the row of an elementwise gate that stands for one operator."""
    row = OPS.get(node.op)
    alone = node.node is not None and node.node.op == node.op and len(node.members) <= 1
    return row if row is not None and row.shape == "elementwise" and alone else None


def _slope(node: DrawNode, k: int, known: Mapping[int, Array]) -> Array | None:
    """Evaluate the local derivative for operand k, by the rule that backpropagation takes."""
    written = node.node
    if written is None:
        return None
    given: dict[Node, Array] = {}
    operands: list[Node] = []
    for j, operand in enumerate(written.args):
        if j in known:
            attrs = {"name": f"\0{j}", "kind": "real"}
            operand = intern("input", (), attrs, known[j].shape, operand.dtype)
            given[operand] = known[j]
        elif operand.op != "const":
            return None
        operands.append(operand)
    made = make(written.op, *operands, **dict(written.attrs))
    one = make("broadcast", const(1), shape=made.shape) if made.shape else const(1)
    share = local(made, k, one, "code")
    if share is None:
        return None
    found = values([share], given, {})[share]
    return np.broadcast_to(found, tuple(int(d) for d in made.shape))
