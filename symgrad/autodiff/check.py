"""Check gradients against differences of values: a certificate, or the place where it fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.evaluate import Array, bind, values
from symgrad.graph import Graph, Node

ENTRIES = 400  # above this many entries of one input, random directions are checked instead
DIRECTIONS = 25


@dataclass(frozen=True, slots=True)
class Check:
    """Say how well one gradient agrees: largest difference, relative to its largest entry."""

    name: str
    error: float
    evaluations: int
    ok: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """Say that all gradients agree with differences of values: `ok`, and a row per input."""

    rows: tuple[Check, ...]
    tolerance: float

    @property
    def ok(self) -> bool:
        """Say whether every row agrees within the tolerance."""
        return all(row.ok for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        width = max((len(r.name) for r in self.rows), default=0)
        lines = [
            f"{r.name:<{width}}  {'ok' if r.ok else 'DIFFERS'}  largest difference {r.error:.1e}, "
            f"{r.evaluations} evaluations"
            for r in self.rows
        ]
        return "\n".join(lines) or "nothing to check: no gradient is asked for"


def differences(
    graph: Graph, at: Mapping[str, Any], gradients: Mapping[str, Node], tolerance: float
) -> list[Check]:
    """Compare gradient nodes with central differences (fourth order) at a point."""
    known, sizes = bind(graph, at)
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    symbolic = values(gradients.values(), known, sizes)
    checks = []
    with np.errstate(all="ignore"):  # what is not finite does not agree, and is said
        for name, gradient in gradients.items():
            node = inputs[name]
            exact = np.broadcast_to(symbolic[gradient], np.shape(known[node])).astype(float)
            checks.append(_one(graph, known, sizes, node, exact, tolerance))
    return checks


def _one(
    graph: Graph, known: dict[Node, Array], sizes: Any, node: Node, exact: Array, tolerance: float
) -> Check:
    """Check one input: entry by entry when small, along random directions when large."""
    x = np.asarray(known[node], dtype=float)

    def value(moved: Array) -> float:
        return float(values([graph.output], {**known, node: moved[()]}, sizes)[graph.output])

    rng = np.random.default_rng(0)
    if x.size <= ENTRIES:
        moves = np.eye(x.size).reshape(x.size, *x.shape) if x.shape else np.ones((1,))
    else:
        moves = rng.choice([-1.0, 1.0], size=(DIRECTIONS, *x.shape)) / np.sqrt(x.size)
    worst, scale = 0.0, max(1e-8, float(np.max(np.abs(exact), initial=0.0)))
    for move in moves:
        h = 1e-3 * max(1.0, float(np.max(np.abs(x), initial=0.0)) * 0.1)
        near = (value(x + h * move) - value(x - h * move)) / (2 * h)
        half = (value(x + h / 2 * move) - value(x - h / 2 * move)) / h
        numeric = (4 * half - near) / 3  # Richardson: the h^2 term cancels
        gap = abs(numeric - float(np.sum(exact * move)))
        worst = gap if not gap <= worst else worst  # NaN is no agreement
    error = worst / max(scale, 1.0)
    return Check(node.attrs["name"], error, 4 * len(moves), bool(error <= tolerance))
