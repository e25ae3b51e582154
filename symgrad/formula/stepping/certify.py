"""Check every line of a derivation with numbers, when the line is made.

The two sides of a line are nodes. They are computed at two random points that suit the
declarations; a symbol for a gradient has the value of that gradient, and the gradients themselves
are compared with differences of the output, which know nothing of any rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.autodiff import bound, point
from symgrad.autodiff.sample import FREE_KINDS
from symgrad.errors import SymgradError
from symgrad.evaluate import Array, bind, extend, values
from symgrad.graph import Graph, Node

POINTS, MORE = 2, 4  # the others only for lines that have no value at the first ones
TOLERANCE = 1e-7  # relative, between two forms that are equal
SLOPE = 1e-5  # relative, between a derivative and differences
KINK, SMALL = 0.02, 5e-4  # one-sided slopes that differ so much, at steps below this, jump
ENOUGH = 1_000_000  # numbers in the inputs; beyond, the point is not drawn a second time


@dataclass(frozen=True, slots=True)
class Claim:
    """Claim that two nodes are equal; `station` says whose gradient they are, if they are one."""

    text: str
    left: Node
    right: Node
    station: Node | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """Say where claims are made: the program as written, the graph that was differentiated.

    `symbols` maps the symbols for gradients to (station, gradient).
    """

    written: Graph
    output: Node
    target: Node
    symbols: Mapping[Node, tuple[Node, Node]]


def certify(claims: Sequence[Claim], setting: Setting) -> list[float]:
    """Give the largest relative difference of every claim; NaN where it has no finite value.

    Raises SymgradError naming the first claim that is not true.
    """
    setting, claims = _concrete(setting, claims)
    worst = [float("nan")] * len(claims)
    stations = {c.station: c.text for c in reversed(claims) if c.station is not None}
    for seed in range(POINTS + MORE):
        if seed >= POINTS and not any(np.isnan(worst)):
            break
        found = _point(setting.written, seed)
        if seed and sum(np.size(v) for v in found.values()) > ENOUGH:
            break
        trial = Trial(setting, found)
        for k, claim in enumerate(claims):
            if seed < POINTS or np.isnan(worst[k]):
                worst[k] = float(np.fmax(worst[k], _true(trial, claim)))
        stations = _slopes(trial, stations)
    return worst


def _true(trial: "Trial", claim: Claim) -> float:
    error = trial.error(claim)
    if error > TOLERANCE:
        raise SymgradError(
            f"this step is not true (its sides differ by {error:.2g}): {claim.text}",
            hint="no result is given; please report the program",
        )
    return error


def _slopes(trial: "Trial", stations: dict[Node, str]) -> dict[Node, str]:
    """Compare gradients with differences; return those that have none at this point: kinks."""
    unknown = {}
    for station, text in stations.items():
        error = trial.slope_error(station)
        if np.isnan(error):
            unknown[station] = text
        elif error > SLOPE:
            raise SymgradError(
                f"this step is not true (differences of the output give another gradient): {text}",
                hint="no result is given; please report the program",
            )
    return unknown


def _concrete(setting: Setting, claims: Sequence[Claim]) -> tuple[Setting, list[Claim]]:
    """Bind abstract functions to smooth ones, each to one of its own, everywhere at once."""
    names = setting.written.functions
    if not names:
        return setting, list(claims)
    functions = {f: f"exp(sin({1.3 + 0.4 * k}*a + {0.4 + 0.3 * k}))" for k, f in enumerate(names)}
    pairs = list(setting.symbols.values())
    roots = [n for c in claims for n in (c.left, c.right, c.station) if n is not None]
    roots += [n for pair in pairs for n in pair] + [setting.output, setting.target]
    roots = list(dict.fromkeys(roots))
    images = bound(Graph.of(roots, functions=names), functions).outputs
    image = dict(zip(roots, images, strict=True))
    symbols = {s: (image[n], image[t]) for s, (n, t) in setting.symbols.items()}
    fresh = Setting(bound(setting.written, functions), image[setting.output],
                    image[setting.target], symbols)  # fmt: skip
    return fresh, [
        Claim(c.text, image[c.left], image[c.right], c.station and image[c.station]) for c in claims
    ]


def _point(graph: Graph, seed: int) -> dict[str, Any]:
    """Draw a point where the output has a value; in (0, 1) if it has none elsewhere."""
    for attempt in (seed, seed + 7):
        found = point(graph, attempt)
        free = {n.attrs["name"] for n in graph.inputs if n.attrs["kind"] in FREE_KINDS}
        if seed >= POINTS:  # far out, where other branches are taken
            found = {k: 3 * v if k in free else v for k, v in found.items()}
        if _finite(graph, found):
            return found
        inside = {k: 1 / (1 + np.exp(-v)) if k in free else v for k, v in found.items()}
        if _finite(graph, inside):
            return inside
    return found


def _finite(graph: Graph, at: Mapping[str, Any]) -> bool:
    known, sizes = bind(graph, at)
    return bool(np.all(np.isfinite(values([graph.output], known, sizes)[graph.output])))


class Trial:
    """Hold one point: the values of inputs, of gradients' symbols, and of what is asked for."""

    def __init__(self, setting: Setting, at: Mapping[str, Any]) -> None:
        self.setting = setting
        self.inputs, self.sizes = bind(setting.written, at)
        self.known: dict[Node, Array] = dict(self.inputs)
        self.gradients: dict[Node, Node] = {}
        with np.errstate(all="ignore"):
            for symbol, (station, gradient) in setting.symbols.items():
                self.gradients[station] = gradient
                if symbol.op == "input":
                    self.known[symbol] = self.value(gradient)

    def value(self, node: Node) -> Array:
        """Compute a node."""
        if node not in self.known:
            extend([node], self.known, self.sizes)
        return self.known[node]

    def error(self, claim: Claim) -> float:
        """Give the largest difference of two sides, relative to their largest entry."""
        with np.errstate(all="ignore"):
            a = np.asarray(self.value(claim.left), dtype=float)
            b = np.asarray(self.value(claim.right), dtype=float)
            a, b = np.broadcast_arrays(a, b)
            finite = np.isfinite(a) & np.isfinite(b)  # a branch that is not taken may have none
            a, b = a[finite], b[finite]
            if not a.size:
                return float("nan")
            scale = max(1e-3, _largest([a, b]))
            return _largest([a - b]) / scale

    def slope_error(self, station: Node) -> float:
        """Compare the gradient in a station with differences along one direction.

        NaN where there is nothing to compare with: no finite value, or a kink.
        """
        own = station is self.setting.target
        output = self.setting.written.output if own else self.setting.output
        with np.errstate(all="ignore"):
            x = np.asarray(self.value(station), dtype=float)
            rough = np.broadcast_to(self.value(self.gradients[station]), x.shape)
            gradient = np.asarray(rough, dtype=float)
            if not np.all(np.isfinite(gradient)):
                return float("nan")
            move = np.random.default_rng(5).choice([-1.0, 1.0], size=x.shape)
            exact = float(np.sum(gradient * move))
            errors = []
            for h in (1e-3, 1e-5, 1e-4):  # one of them may step over a kink
                numeric, kink = self._difference(output, station, x, move, h)
                scale = max(1e-3, abs(exact), abs(numeric), _largest([gradient]))
                errors.append(float("nan") if kink > scale else abs(numeric - exact) / scale)
                if errors[-1] <= SLOPE:
                    break
        return errors[-1] if np.isnan(errors[-1]) else float(np.nanmin(errors))

    def _difference(
        self, output: Node, station: Node, x: Array, move: Array, h: float
    ) -> tuple[float, float]:
        """Give the directional derivative to fourth order; how the sides differ, if they jump."""

        def at(factor: float) -> float:
            moved = {**self.inputs, station: (x + factor * h * move)[()]}
            return float(values([output], moved, self.sizes)[output])

        ahead, behind, here = at(1), at(-1), at(0)
        near, half = (ahead - behind) / 2, at(0.5) - at(-0.5)
        jump = abs(ahead - 2 * here + behind) / h  # 2 h f'' where f is smooth
        return (4 * half - near) / 3 / h, jump / KINK if h < SMALL else 0.0


def _largest(arrays: Iterable[Array]) -> float:
    return max((float(np.max(np.abs(a), initial=0.0)) for a in arrays), default=0.0)
