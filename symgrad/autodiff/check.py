"""Check gradients against differences of values: a certificate, or the place where it fails.

Central differences go for every program; where all operators are analytic, the complex step gives
the derivative to the last digits and decides.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.autodiff.complexstep import ComplexStep
from symgrad.evaluate import Array, bind, values
from symgrad.graph import Graph, Node

ENTRIES = 400  # above this many entries of one input, random directions are checked instead
DIRECTIONS = 25
PATIENCE = 0.2  # seconds for measuring what evaluations cost
Along = Callable[[Array], float]


@dataclass(frozen=True, slots=True)
class Check:
    """Say how well one gradient agrees: largest difference, relative to its largest entry.

    `exact` is that of the complex step, or None: then `spoiler` names an operator that is not
    analytic. `worst` is the entry that differs most, with `derived`, what the gradient says there,
    and `measured`, what the step or the differences say.
    """

    name: str
    error: float
    evaluations: int
    ok: bool
    exact: float | None = None
    steps: int = 0
    spoiler: str = ""
    worst: tuple[int, ...] = ()
    derived: float = 0.0
    measured: float = 0.0

    def __str__(self) -> str:
        said = f"central differences {self.error:.1e} ({_count(self.evaluations, 'evaluation')})"
        if self.exact is not None:
            said += f", complex step {self.exact:.1e} ({_count(self.steps, 'evaluation')})"
        elif self.spoiler:
            said += f", no complex step through {self.spoiler}"
        if not self.ok:
            place = f"{self.name}[{', '.join(map(str, self.worst))}]" if self.worst else self.name
            said += f"; {place}: derived {self.derived:.10g}, measured {self.measured:.10g}"
        word = "ok" if self.ok else "DIFFERS" if np.isfinite(self.error) else "NOT FINITE"
        return f"{word}  {said}"


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold what was measured: seconds for one value, and for the value with all gradients."""

    parameters: int
    value: float
    gradient: float

    def __str__(self) -> str:
        number = 2 * self.parameters
        total = number * self.value
        times = total / self.gradient if self.gradient else 0.0
        each, whole = seconds(self.value), seconds(total)
        return (
            f"{_count(self.parameters, 'parameter')}: central differences need {number} "
            f"evaluations ({each} each, {whole} in all),\n"
            f"backpropagation one forward and one backward pass ({seconds(self.gradient)}): "
            f"differences take {times:.1f} times as long"
        )


@dataclass(frozen=True, slots=True)
class Certificate:
    """Say that all gradients agree with differences of values: `ok`, and a row per input.

    `cause` says where the first value that is not finite arises, if there is one; `inner` lists the
    values on the way whose gradients were asked for, which differences of inputs do not tell.
    """

    rows: tuple[Check, ...]
    tolerance: float
    cost: Cost | None = field(default=None, compare=False)
    cause: str = field(default="", compare=False)
    inner: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Say whether every row agrees within the tolerance."""
        return all(row.ok for row in self.rows)

    @property
    def finite(self) -> bool:
        """Say whether every difference is a finite number."""
        return all(np.isfinite(row.error) for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        width = max(map(len, (*(r.name for r in self.rows), *self.inner)), default=0)
        lines = [f"{r.name:<{width}}  {r}" for r in self.rows]
        lines += [f"{name:<{width}}  not checked, a value on the way" for name in self.inner]
        lines += [self.cause] if self.cause else []
        lines += [str(self.cost)] if self.cost and self.cost.parameters else []
        return "\n".join(lines) or "nothing to check: no gradient is asked for"


def certify(
    graph: Graph, at: Mapping[str, Any], gradients: Mapping[str, Node], tolerance: float,
    asked: Iterable[str] = (),
) -> Certificate:  # fmt: skip
    """Compare gradient nodes with central differences and the complex step at a point.

    `asked` names all whose gradients are wanted, values on the way too, which are not compared.
    """
    known, sizes = bind(graph, at)
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    rows = []
    with np.errstate(all="ignore"):  # what is not finite does not agree, and is said
        symbolic = values(gradients.values(), known, sizes)
        step = ComplexStep(graph.output, known, sizes) if gradients else None
        for name, gradient in gradients.items():
            node = inputs[name]
            exact = np.broadcast_to(symbolic[gradient], np.shape(known[node])).astype(float)
            place = _Place(graph, known, sizes, node)
            rows.append(place.check(exact, step, tolerance))
    cost = _cost(graph, known, sizes, gradients, sum(np.size(known[inputs[k]]) for k in gradients))
    return Certificate(tuple(rows), tolerance, cost,
                       inner=tuple(k for k in asked if k not in gradients))  # fmt: skip


class _Place:
    """Check one input at a point: entry by entry when small, along random directions when large."""

    def __init__(self, graph: Graph, known: dict[Node, Array], sizes: Any, node: Node) -> None:
        self.output, self.known, self.sizes, self.node = graph.output, known, sizes, node
        self.x = np.asarray(known[node], dtype=float)
        self.h = 1e-3 * max(1.0, float(np.max(np.abs(self.x), initial=0.0)) * 0.1)

    def value(self, moved: Array) -> float:
        """Evaluate the output with other numbers for the input."""
        known = {**self.known, self.node: moved[()]}
        return float(values([self.output], known, self.sizes)[self.output])

    def central(self, move: Array) -> float:
        """Give the derivative along a direction by central differences of fourth order.

        Steps that leave the range of finite values are shortened: log(x) near 0.
        """
        for short in (1, 32, 1024):
            found = self._central(move, self.h / short)
            if np.isfinite(found):
                break
        return found

    def _central(self, move: Array, h: float) -> float:
        x = self.x
        near = (self.value(x + h * move) - self.value(x - h * move)) / (2 * h)
        half = (self.value(x + h / 2 * move) - self.value(x - h / 2 * move)) / h
        return (4 * half - near) / 3  # Richardson: the h^2 term cancels

    def moves(self) -> Array:
        """List the directions: the entries, or some signs for all of them."""
        x = self.x
        if x.size <= ENTRIES:
            return np.eye(x.size).reshape(x.size, *x.shape) if x.shape else np.ones((1,))
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(DIRECTIONS, *x.shape))
        return signs / np.sqrt(x.size)

    def check(self, exact: Array, step: ComplexStep | None, tolerance: float) -> Check:
        """Compare a gradient with what is measured."""
        scale = max(1.0, float(np.max(np.abs(exact), initial=0.0)))
        moves = self.moves()
        error, where = _largest(self.central, exact, moves)
        spoiler = step.spoiler(self.node) if step else ""
        fine, judge = None, self.central
        if step is not None and not spoiler:
            judge = lambda move: step.slope(self.node, move)  # noqa: E731
            fine, where = _largest(judge, exact, moves)
            fine /= scale
        error /= scale
        if fine is not None and error <= tolerance and not fine <= tolerance:
            fine, spoiler, judge = None, "an overflow", self.central
        # An oscillation is too fast for differences, not for the step; both have to be finite.
        ok = bool(error <= tolerance if fine is None else fine <= tolerance and np.isfinite(error))
        made = (self.node.attrs["name"], error, 4 * len(moves), ok, fine,
                0 if fine is None else len(moves), spoiler)  # fmt: skip
        if ok or not len(moves):
            return Check(*made)
        worst = _narrowed(judge, exact, moves[where])
        single = np.zeros(self.x.size)
        single[worst] = 1.0
        index = tuple(map(int, np.unravel_index(worst, self.x.shape))) if self.x.shape else ()
        measured = judge(single.reshape(self.x.shape))
        return Check(*made, index, float(exact.ravel()[worst]), measured)


def _largest(slope: Along, exact: Array, moves: Array) -> tuple[float, int]:
    """Find the direction along which a gradient differs most; NaN differs from everything."""
    worst, where = 0.0, 0
    for k, move in enumerate(moves):
        gap = abs(slope(move) - float(np.sum(exact * move)))
        if not gap <= worst:
            worst, where = gap, k
        if np.isnan(worst):
            break
    return worst, where


def _narrowed(slope: Along, exact: Array, move: Array) -> int:
    """Find an entry that differs: halve the direction, keep the half that differs more."""
    flat = np.ravel(move)
    inside = np.flatnonzero(flat)
    while len(inside) > 1:
        halves = np.array_split(inside, 2)
        gaps = []
        for half in halves:
            part = np.zeros_like(flat)
            part[half] = flat[half]
            part = part.reshape(np.shape(move))
            gaps.append(abs(slope(part) - float(np.sum(exact * part))))
        inside = halves[0] if not gaps[0] < gaps[1] else halves[1]
    return int(inside[0])


def _cost(
    graph: Graph, known: dict[Node, Array], sizes: Any, gradients: Mapping[str, Node], count: int
) -> Cost:
    """Measure, in turns, a value and the value with all gradients: medians, within a time."""
    plain, full, begin = [], [], time.perf_counter()
    with np.errstate(all="ignore"):
        for _ in range(7):
            start = time.perf_counter()
            values([graph.output], known, sizes)
            middle = time.perf_counter()
            values([graph.output, *gradients.values()], known, sizes)
            plain.append(middle - start)
            full.append(time.perf_counter() - middle)
            if time.perf_counter() - begin > PATIENCE:
                break
    return Cost(count, float(np.median(plain)), float(np.median(full)))


def seconds(number: float) -> str:
    """Write a time with a unit that suits it.

    >>> seconds(0.00123), seconds(2.5e-5), seconds(75), seconds(7200)
    ('1.2 ms', '25 µs', '75 s', '2.0 h')
    """
    for size, unit in ((3600, "h"), (1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if number >= size * (2 if unit == "h" else 1):
            digits = 1 if number < 10 * size else 0
            return f"{number / size:.{digits}f} {unit}"
    return f"{number * 1e9:.0f} ns"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
