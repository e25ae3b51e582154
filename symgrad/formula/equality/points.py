"""Compare two expressions in numbers: at random points, at simple ones, with many digits."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.autodiff import bound
from symgrad.autodiff.sample import grown
from symgrad.dims import names_in
from symgrad.errors import SymgradError
from symgrad.evaluate import bind, values
from symgrad.graph import Graph, Node
from symgrad.shapes import Bindings

Array = Any
Point = dict[str, Any]
POINTS, SLOW = 100, 12  # random points, and those of expressions that are slow to evaluate
HEAVY = 20_000  # numbers in one evaluation above which it is slow
LONG, DEEP = 400, 150  # operations above which it is; and many digits are
CLOSE = 1e-12  # relative difference that rounding explains
CLEAR = 1e-6  # one that it does not
DIGITS = 30
MANY = 2000  # numbers in a point above which many digits take too long
DISCRETE = ("label", "labels", "integer", "onehot", "sign", "binary")
MIXED = (2, 3, 4, 5, 6, 7)


@dataclass(frozen=True, slots=True)
class Difference:
    """Name a point at which two values differ, and the entry where they do."""

    point: Point
    index: tuple[int, ...]
    left: float
    right: float
    sizes: Mapping[str, int]
    functions: Mapping[str, str]


class Pair:
    """Evaluate two nodes of one shape at points that suit the declarations."""

    def __init__(self, left: Node, right: Node, graph: Graph, extra: Iterable[Node] = ()) -> None:
        inner = Graph.of([left, right])
        self.functions = {
            name: f"sin({k}*a) + exp(a/2)" for k, name in enumerate(inner.functions, 1)
        }
        if self.functions:  # what holds for any function holds for these
            inner = bound(inner, self.functions)
        roots = [self.left, self.right] = list(inner.outputs)
        self.inputs = tuple(dict.fromkeys([*graph.inputs, *extra, *inner.inputs]))
        used = dict.fromkeys(inner.inputs)
        self.graph = Graph.of(roots, dims=graph.dims, extra_inputs=self.inputs)
        self.used = [n.attrs["name"] for n in self.inputs if n in used]
        every = dict.fromkeys(n for node in self.graph.order() for d in node.shape
                              for n in names_in(d))  # fmt: skip
        classes = [n.attrs.get("classes") for n in self.inputs]
        every.update({d: None for d in classes if isinstance(d, str)})
        every.update({n.attrs["name"]: None for n in self.graph.order() if n.op == "dim"})
        self.dims = [d for d in every if d not in graph.dims]
        self.dead = 0  # points where both were 0
        self.alone = [False, False]  # whether one side had a number where the other had none

    # -- points --------------------------------------------------------------------------------

    def sizes(self, which: int) -> Bindings:
        """Choose sizes: 1 and 2 for all, or different ones in some order."""
        if which in (1, 2):
            return grown(Bindings(dict.fromkeys(self.dims, which)), self.inputs)
        chosen = [MIXED[(k + which) % len(MIXED)] for k in range(len(self.dims))]
        return grown(Bindings(zip(self.dims, chosen, strict=True)), self.inputs)

    def draw(self, sizes: Mapping[str, int], style: str, seed: int) -> Point:
        """Draw a point: "free" (any numbers), "tenths", "whole" (small integers)."""
        known = Bindings({**sizes, **self.graph.dims})
        rng = np.random.default_rng([seed, len(style)])
        bold = style == "free" and seed % 3 == 1  # logarithms and roots want positive numbers
        return {n.attrs["name"]: _value(n, known, style, rng, bold) for n in self.inputs}

    def heavy(self, point: Point) -> bool:
        """Say whether one evaluation takes long."""
        numbers = sum(np.size(v) for v in point.values())
        return numbers > HEAVY or len(self.graph.order()) > LONG

    def at(self, point: Mapping[str, Any]) -> tuple[Array, Array] | None:
        """Evaluate both sides; None where that cannot be done."""
        try:
            known, sizes = bind(self.graph, point)
            found = values([self.left, self.right], known, sizes)
        except SymgradError:
            return None
        left, right = np.asarray(found[self.left], float), np.asarray(found[self.right], float)
        try:
            shape = np.broadcast_shapes(left.shape, right.shape)
        except ValueError:
            return None
        return np.broadcast_to(left, shape), np.broadcast_to(right, shape)

    def points(self) -> Iterator[tuple[int, Point, Array, Array]]:
        """Give random points at which both sides have numbers, and these."""
        count, seed = POINTS, 0
        while count > 0 and seed < 4 * POINTS:
            point = self.draw(self.sizes(3 + seed % 4), "free", seed)
            if seed == 0 and self.heavy(point):
                count = SLOW
            found = self.at(point)
            if found is not None:
                finite = [np.isfinite(side) for side in found]
                self.alone[0] |= bool(np.any(finite[0] & ~finite[1]))
                self.alone[1] |= bool(np.any(finite[1] & ~finite[0]))
            if found is not None and np.any(finite[0] & finite[1]):
                dead = not np.any(found[0]) and not np.any(found[1])
                self.dead += dead
                count -= not dead or seed >= POINTS  # where both are 0, little is learnt
                yield seed, point, *found
            seed += 1

    # -- verdicts ------------------------------------------------------------------------------

    def differs(self, point: Point, left: Array, right: Array) -> tuple[int, ...] | None:
        """Give the entry at which both sides differ, by more than rounding; None if none does."""
        both = np.isfinite(left) & np.isfinite(right)
        with np.errstate(all="ignore"):
            gap = np.where(both, np.abs(left - right), 0.0)
        scale = max(_largest(left, both), _largest(right, both))
        if not scale or np.max(gap, initial=0.0) <= CLOSE * scale:
            return None
        place = np.unravel_index(int(np.argmax(gap)), gap.shape)
        index = tuple(int(k) for k in place)
        return index if self.confirmed(point, index, float(gap[index] / scale)) else None

    def confirmed(self, point: Point, index: tuple[int, ...], relative: float) -> bool:
        """Say whether many digits show the difference too."""
        if sum(np.size(v) for v in point.values()) > MANY or len(self.graph.order()) > DEEP:
            return relative > CLEAR
        from symgrad.autodiff.exact import value_and_gradient

        truth = []
        for side in (self.left, self.right):
            graph = Graph.of([side], dims=self.graph.dims, extra_inputs=self.inputs)
            try:
                value, _ = value_and_gradient(graph, point, [], DIGITS)
                whole = np.asarray(value, dtype=object)
                truth.append(np.broadcast_to(whole, np.shape(self._form(point)))[index])
            except (SymgradError, ArithmeticError, ValueError, KeyError, TypeError):
                return relative > CLEAR
        a, b = truth
        return bool(abs(a - b) > max(abs(a), abs(b)) * 10 ** -(DIGITS - 8))

    def _form(self, point: Point) -> Array:
        found = self.at(point)
        return found[0] if found is not None else np.zeros(())

    def smooth(self, point: Point, left: Array, right: Array) -> bool:
        """Say whether both sides change little around a point: it is no kink."""
        for seed in (1, 2):
            rng = np.random.default_rng(seed)
            moved = dict(point)
            for n in self.inputs:
                name = n.attrs["name"]
                if n.attrs["kind"] not in (*DISCRETE, "simplex", "symmetric"):
                    moved[name] = point[name] + 1e-6 * rng.normal(size=np.shape(point[name]))
            near = self.at(moved)
            if near is None:
                return False
            for before, after in zip((left, right), near, strict=True):
                scale = 1 + _largest(before, np.isfinite(before))
                with np.errstate(all="ignore"):
                    if not np.all(np.abs(after - before) < 1e-3 * scale):
                        return False
        return True

    def simplest(self) -> Difference | None:
        """Find a simple point, away from kinks, at which both sides differ.

        Values that are neither tiny nor huge are preferred.
        """
        spare: Difference | None = None
        for style in ("whole", "tenths", "free"):
            for which in (1, 2, 3, 4):
                if (not self.dims and which > 1) or (style == "free" and which < 3):
                    continue
                sizes = self.sizes(which)
                for seed in range(3 if self.heavy({}) else 12):
                    point = self.draw(sizes, style, seed)
                    found = self.at(point)
                    if found is None or not np.all(np.isfinite(found)):
                        continue
                    gap = np.abs(found[0] - found[1])
                    if np.max(gap, initial=0.0) <= 1e-4 * np.max(np.abs(found), initial=1e-9):
                        continue
                    index = self.differs(point, *found)
                    if index is None or not self.smooth(point, *found):
                        continue
                    made = self.difference(point, index, *found)
                    if all(v == 0 or 0.05 <= abs(v) < 100 for v in (made.left, made.right)):
                        return made
                    spare = spare or made
        return spare

    def kink(self) -> Difference | None:
        """Find a simple point at which both sides differ, where a condition changes."""
        for which in (1, 2, 3):
            if not self.dims and which > 1:
                break
            for seed in range(-1, 40):
                point = self.draw(self.sizes(which), "zeros" if seed < 0 else "whole", abs(seed))
                if seed > 2 and self.heavy(point):
                    break
                found = self.at(point)
                if found is None:
                    continue
                index = self.differs(point, *found)
                if index is not None:
                    return self.difference(point, index, *found)
        return None

    def difference(
        self, point: Point, index: tuple[int, ...], left: Array, right: Array
    ) -> Difference:
        """Keep what is to be told about a point."""
        shown = {k: v for k, v in point.items() if k in self.used}
        sizes = {}
        for n in self.inputs:
            for d, size in zip(n.shape, np.shape(point[n.attrs["name"]]), strict=True):
                if isinstance(d, str) and d in self.dims:
                    sizes[d] = size
        return Difference(shown, index, float(left[index]), float(right[index]), sizes,
                          self.functions)  # fmt: skip


def _largest(value: Array, where: Array) -> float:
    return float(np.max(np.abs(np.where(where, value, 0.0)), initial=0.0))


def _value(
    node: Node, sizes: Mapping[str, int], style: str, rng: np.random.Generator, bold: bool
) -> Array:
    """Draw the value of one input."""
    shape = tuple(sizes[d] if isinstance(d, str) else d for d in node.shape)
    kind, classes = node.attrs["kind"], node.attrs.get("classes")
    if kind in ("label", "labels"):
        count = sizes[classes] if isinstance(classes, str) else classes
        return rng.integers(0, count, shape)
    if kind == "integer":
        return rng.integers(0, 2, shape)
    if kind == "onehot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if kind == "simplex":
        if style == "free":
            return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
        parts = 1 + rng.multinomial(10 - min(shape[-1], 9), np.full(shape[-1], 1 / shape[-1]),
                                    shape[:-1])  # fmt: skip
        return parts / parts.sum(axis=-1, keepdims=True)
    if kind in ("sign", "binary"):
        return rng.choice([-1.0, 1.0] if kind == "sign" else [0.0, 1.0], shape)
    value = rng.normal(size=shape)
    if style == "zeros":
        value = np.zeros(shape)
    elif style == "whole":
        value = rng.integers(-1, 3, shape).astype(float)
    elif style == "tenths":
        value = np.round(value, 1)
    if kind == "positive" or bold:
        value = np.abs(value) + (1 if style in ("whole", "zeros") else 0.1)
    if kind == "symmetric":
        value = np.tril(value) + np.tril(value, -1).T
    return value
