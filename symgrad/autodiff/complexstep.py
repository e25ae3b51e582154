"""The complex step: Im f(x + ih)/h is the derivative to the last digit, for an h of 1e-200.

Nothing is subtracted, so nothing cancels. It needs a function that is analytic, and NumPy
templates that compute it for complex numbers too. Whether they do is tried, node by node: an
operator with kinks, or a template that drops the imaginary part, stops the step.
"""

import warnings
from collections.abc import Mapping

import numpy as np

from symgrad.errors import SymgradError
from symgrad.evaluate import Array, apply, extend, template, values
from symgrad.graph import Node, depends, topological
from symgrad.ops import OPS, remake
from symgrad.parse import formula

STEP = 1e-200
TRIED = 1e-6  # the step of the trial, large enough for a difference to be seen
AGREES = 1e-3


class ComplexStep:
    """Evaluate one output at complex points; `spoiler` says what stops that for an input.

    >>> from symgrad.parse import parse
    >>> g = parse("x*tanh(x) + abs(y)")
    >>> x, y = g.inputs
    >>> step = ComplexStep(g.output, {x: np.float64(0.5), y: np.float64(2.0)}, {})
    >>> step.spoiler(x), step.spoiler(y)
    ('', 'abs')
    >>> round(step.slope(x, 1.0), 12) == round(float(np.tanh(0.5) + 0.5 / np.cosh(0.5) ** 2), 12)
    True
    """

    def __init__(self, output: Node, known: Mapping[Node, Array], sizes: Mapping[str, int]) -> None:
        self.known, self.sizes = dict(known), sizes
        self._real = values([output], known, sizes)
        self._bad: dict[Node, str] = {}
        self._moving = [n for n in known if n.dtype == "float"]
        order = topological([output])
        moving = depends(order, self._moving)
        image: dict[Node, Node] = {}
        for node in order:
            image[node] = node
            if node.args and node in moving:
                fresh = remake(node, tuple(image[a] for a in node.args))
                extend([fresh], self._real, sizes)
                image[node] = self._sound(fresh, node.op)
        self.output = image[output]
        self._order = topological([self.output])

    def spoiler(self, wrt: Node) -> str:
        """Name the operator between an input and the output that stops the step; "" if none."""
        below = depends(self._order, [wrt])
        return next((self._bad[n] for n in self._order if n in below and n in self._bad), "")

    def slope(self, wrt: Node, move: Array) -> float:
        """Give the derivative along a direction in one input."""
        moved = self.known[wrt] + 1j * STEP * np.asarray(move, dtype=np.float64)
        result = values([self.output], {**self.known, wrt: moved}, self.sizes)[self.output]
        return float(np.imag(result)) / STEP

    def _sound(self, node: Node, name: str) -> Node:
        """Give a node that can be taken at complex points: itself, or its formula if that can."""
        reason = self._fault(node)
        if not reason:
            return node
        inner = formula(node) if reason == "trial" else None
        if inner is None or inner is node:
            self._bad[node] = "a comparison" if node.dtype == "bool" else name
            return node
        image: dict[Node, Node] = {}
        here = dict.fromkeys(node.args)
        for part in topological([inner], stop=lambda n: n in here):
            image[part] = part
            if part not in here and part.args:
                fresh = remake(part, tuple(image[a] for a in part.args))
                extend([fresh], self._real, self.sizes)
                image[part] = self._sound(fresh, name)  # as deep as rows are nested
        return image[inner]

    def _fault(self, node: Node) -> str:
        """Say why a node has no complex step: it has kinks, or the trial failed; "" if it has."""
        row = OPS[node.op]
        kinked = row.kinks and "singular" not in row.kinks  # a pole is no kink
        if kinked or node.dtype == "bool":
            return "kinks"
        if not template(node):
            return "trial"
        moved = [a.dtype == "float" and a.op not in ("const", "dim") for a in node.args]
        return "" if self._analytic(node, moved) else "trial"

    def _analytic(self, node: Node, moved: list[bool]) -> bool:
        """Try one node: along the imaginary axis its slope is that along the real one."""
        rng = np.random.default_rng(0)
        operands = [self._real[a] for a in node.args]
        moves = [
            TRIED * rng.uniform(0.5, 1, np.shape(v)) * np.sqrt(1 + np.abs(v)) if m else None
            for v, m in zip(operands, moved, strict=True)
        ]

        def at(factor: complex) -> Array:
            given = [v if d is None else v + factor * d
                     for v, d in zip(operands, moves, strict=True)]  # fmt: skip
            return apply(node, given, self.sizes)

        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("error", np.exceptions.ComplexWarning)
                real = (at(1.0) - at(-1.0)) / 2
                found = at(1j)
        except (TypeError, ValueError, np.exceptions.ComplexWarning, SymgradError):
            return False
        if not np.iscomplexobj(found) and any(moved):
            return bool(np.all(real == 0))
        gap, size = np.abs(np.imag(found) - real), np.max(np.abs(real), initial=0.0)
        return bool(np.all(gap <= AGREES * (size + TRIED * 1e-3)))
