"""Which entries a gate switches off, which units are dead or saturated; the masks of gates."""

from functools import lru_cache

import numpy as np

from symgrad.diagram.from_graph import Array, DrawEdge, Drawing, DrawNode
from symgrad.diagram.tensors.cells import NO_UNITS, Units
from symgrad.diagram.tensors.slopes import RECTIFIERS, passing, saturated

SHORT = 3  # letters of a name that fits under a gate


class Gates:
    """Know the local derivatives of a drawing's elementwise gates; each is computed once."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.arrivals: dict[int, list[DrawEdge]] = {}
        for edge in drawing.edges:
            self.arrivals.setdefault(edge.target, []).append(edge)
        self.mask = lru_cache(maxsize=None)(self._mask)
        self.units = lru_cache(maxsize=None)(self._units)

    def _known(self, number: int) -> dict[int, Array]:
        edges = self.arrivals.get(number, ())
        return {e.operand: np.asarray(e.value) for e in edges if e.value is not None}

    def _mask(self, number: int) -> tuple[Array, str] | None:
        """Find the mask of a gate, and to whom it belongs if several operands come in."""
        node, known = self.drawing.nodes[number], self._known(number)
        edges = [e for e in self.arrivals.get(number, ()) if _numeric(known.get(e.operand))]
        for edge in edges:
            found = passing(node, edge.operand, known)
            if found is not None:
                name = self.drawing.nodes[edge.source].name
                fits = 0 < len(name) <= SHORT and name.isidentifier()
                return found, "" if len(edges) < 2 else name if fits else "1st"
        return None

    def _units(self, number: int) -> Units:
        """Find what is off, dead or saturated in the value of a gate."""
        node = self.drawing.nodes[number]
        if node.value is None or not node.value.shape or node.kind != "gate":
            return NO_UNITS
        level = saturated(node, self._known(number))
        if level is not None:
            return Units(saturated=level if level.any() else None)
        mask = self.mask(number) if node.op in RECTIFIERS else None
        if mask is None or mask[1] or not (~mask[0]).any() or node.value[~mask[0]].any():
            return NO_UNITS
        return Units(off=~mask[0], dead=_dead(node, ~mask[0]))


def _numeric(array: Array | None) -> bool:
    return array is not None and array.dtype.kind != "b"


def _dead(node: DrawNode, off: Array) -> Array | None:
    """Find the columns (units) that are off in all of several rows (samples)."""
    if off.ndim != 2 or off.shape[0] < 2:
        return None
    columns = off.all(axis=0)
    return np.broadcast_to(columns, off.shape) if columns.any() else None
