"""The truth: a graph and its gradient with mpmath, as they are written, at any precision.

Nothing here is stable, and nothing has to be: digits replace care. Values and derivatives come
from a table of primitives of this module's own; a row's `vjp` and `numpy` are never looked at, so
that they can be judged by what comes out. Every other operator is its row's formula.

Conventions are those of the rows: a derivative at a kink is one between the one-sided ones (0 for
relu and abs), of equal entries the first one is the maximum, and 0 times anything is 0, forward
(0 log 0) and backward (the branch that is not taken, a norm at 0).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from symgrad.autodiff.primitives import CAP, DERIVED, Digits, elementwise, real
from symgrad.autodiff.structural import STRUCTURAL
from symgrad.autodiff.wanted import scalar_output, wanted
from symgrad.errors import LimitError, UsageError
from symgrad.evaluate import bind, size
from symgrad.graph import Graph, Node, depends, topological
from symgrad.ops import remake
from symgrad.parse import formula, written

GUARD = 15  # digits beyond those that are asked for
SECOND, OPEN = 800, 9000  # working digits where a sum vanished, at a pole

LEAVES = ("input", "const", "dim")
# Where a row's derivative at a kink is another one than that of its formula: the row's.
PLAIN = {
    "elu": "where(a > 0, a, b*expm1(a))",
    "celu": "where(a > 0, a, b*expm1(a/b))",
    "selu": "1.0507009873554805*where(a > 0, a, 1.6732632423543772*expm1(a))",
    "logcosh": "log1p(sinh(a)**2)/2",  # cosh would round to 1 near 0
    "sinc": "where(a != 0, sin(pi*a)/(pi*a), 1)",
    "clip": "where(a <= b, b, where(c <= a, c, a))",
    "relu6": "where(a <= 0, 0, where(a >= 6, 6, a))",
    "hardtanh": "where(a <= -1, -1, where(a >= 1, 1, a))",
    "hardsigmoid": "where(a <= -3, 0, where(a >= 3, 1, (a + 3)/6))",
    "hardswish": "where(a <= -3, 0, where(a >= 3, a, a*(a + 3)/6))",
}


def value_and_gradient(
    graph: Graph, at: Mapping[str, Any], wrt: str | Iterable[str] | None = None, digits: int = 50
) -> tuple[Any, dict[str, Any]]:
    """Compute the value and the gradients in the inputs `wrt`, correct to about `digits` digits.

    Numbers are mpf, arrays of them are object arrays. `at` is taken as exactly the floats given.
    The working precision is raised until no addition has lost more digits than there are to
    spare, up to 20000; a term smaller than 10**-20000 of another one is lost. Raises LimitError
    if that gave an infinite number.

    >>> from symgrad.parse import parse
    >>> value, grads = value_and_gradient(parse("log(1 + exp(x))"), {"x": -1000})
    >>> mpmath.nstr(value, 20)
    '5.0759588975494567653e-435'
    >>> mpmath.nstr(grads["x"], 20)
    '5.0759588975494567653e-435'
    """
    targets = wanted(graph, wrt)
    for name, node in targets.items():
        if node.op != "input":
            raise UsageError(f"'{name}' is no input")
    root = _lowered(graph.output)
    if targets:
        scalar_output(graph)
    found, sizes = bind(graph, at)
    working, before = digits + GUARD, None
    while True:
        with mpmath.workdps(working):
            passes = _Passes(root, found, sizes)
            passes.forward()
            passes.backward(targets.values())
            now = [passes.known[root], *map(passes.gradient, targets.values())]
        sure, enough = passes.enough(digits, working)
        settled = sure <= working and before is not None and _agree(before, now, digits)
        if enough <= working or working == CAP or settled:
            break
        working, before = min(max(enough, 2 * working), CAP), now
    if passes.account.beyond and passes.account.pole:
        raise LimitError(f"{CAP} digits do not tell whether this is finite")
    with mpmath.workdps(digits + GUARD):
        value, *grads = (_array(elementwise(lambda v: +v, [part]))[()] for part in now)
    return value, dict(zip(targets, grads, strict=True))


def _array(value: Any) -> Any:
    return np.asarray(value, dtype=object)


def _agree(before: list[Any], now: list[Any], digits: int) -> bool:
    """Say whether more digits have changed nothing; below 10**-400, nothing counts."""

    def same(a: Any, b: Any) -> bool:
        return bool(a == b or abs(a - b) <= max(abs(b) * mpf(10) ** -digits, mpf(10) ** -400))

    with mpmath.workdps(digits + GUARD):
        pairs = zip(before, now, strict=True)
        return all(np.all(np.frompyfunc(same, 2, 1)(a, b)) for a, b in pairs)


# -- from operators to primitives ------------------------------------------------------------


def _lowered(root: Node) -> Node:
    """Replace every operator that is no primitive by its row's formula, down to primitives."""
    image: dict[Node, Node] = {}

    def walk(top: Node) -> Node:
        for node in topological([top], stop=lambda n: n in image):
            if node not in image:
                fresh = remake(node, tuple(image[a] for a in node.args))
                image[node] = settled(fresh)
                image.setdefault(image[node], image[node])
        return image[top]

    def settled(node: Node) -> Node:
        if node.op in DERIVED or node.op in STRUCTURAL or node.op in LEAVES:
            return node
        plain = PLAIN.get(node.op)
        inner = written(plain, node.args) if plain else formula(node)
        if inner is None:
            raise UsageError(f"{node.op} is neither a primitive nor has it a formula")
        return walk(inner)  # as deep as definitions are nested, not as the graph is deep

    return walk(root)


# -- the two passes --------------------------------------------------------------------------


class _Passes:
    """Run forward and backward at one precision; `loss` counts digits that values have lost."""

    def __init__(self, root: Node, found: Mapping[Node, Any], sizes: Mapping[str, int]) -> None:
        self.order = topological([root])
        self.root, self.found, self.sizes, self.account = root, found, sizes, Digits()
        self.known: dict[Node, Any] = {}
        self.adjoint: dict[Node, Any] = {root: np.asarray(mpf(1), dtype=object)}
        self.loss: dict[Node, int] = {}
        self.worst = 0

    def enough(self, digits: int, working: int) -> tuple[int, int]:
        """Say how many digits show every term of a sum, and how many certainly are enough."""
        shown = digits + GUARD + self.account.gap
        if self.account.vanished:
            shown = max(shown, digits + SECOND)
            if self.account.pole and working >= SECOND:
                shown = max(shown, digits + OPEN)
        return shown, max(shown, digits + GUARD + self.worst)

    def forward(self) -> None:
        """Compute the value of every node."""
        for node in self.order:
            operands = [self.known[a] for a in node.args]
            self.account.cancelled = 0
            if node.op in LEAVES:
                value = self._leaf(node)
            elif node.op in DERIVED:
                value = elementwise(DERIVED[node.op][0](self.account), operands)
            else:
                rule = STRUCTURAL[node.op].forward
                value = rule(node, operands, self.sizes, self.account)
            self.known[node] = np.asarray(value, dtype=object)
            self._lose(node, max((self.loss[a] for a in node.args), default=0))

    def _lose(self, node: Node, before: int) -> int:
        """Note that a sum has cancelled digits, after those that were gone before."""
        lost = self.loss[node] = before + self.account.cancelled
        self.worst = max(self.worst, lost)
        return lost

    def _leaf(self, node: Node) -> Any:
        if node.op == "dim":
            return mpf(size(node.attrs["name"], self.sizes))
        if node.op == "const":
            value = node.attrs["value"]
            return +mp.pi if value == np.pi else mpf(value)
        given = np.asarray(self.found[node])
        kind = int if given.dtype.kind in "iub" else float
        return np.frompyfunc(lambda v: mpf(kind(v)), 1, 1)(given)

    def backward(self, targets: Iterable[Node]) -> None:
        """Compute the adjoint of every node between the root and the targets."""
        active = depends(self.order, list(targets))
        lost = {self.root: 0}
        for node in reversed(self.order):
            if node not in self.adjoint or node not in active or node.op in LEAVES:
                continue
            before = max(lost[node], self.loss[node])  # and so those of its operands
            for k, operand in enumerate(node.args):
                if operand not in active or operand.dtype != "float":
                    continue
                self.account.cancelled = 0
                share = self._share(node, k)
                if share is not None:
                    total = self.adjoint.get(operand)
                    if total is not None:
                        share = elementwise(self.account.add, [total, share])
                    self.adjoint[operand] = np.asarray(share, dtype=object)
                    lost[operand] = max(lost.get(operand, 0), before) + self.account.cancelled
                    self.worst = max(self.worst, lost[operand])

    def _share(self, node: Node, k: int) -> Any:
        """Compute what flows back from a node to its operand k; None for nothing."""
        g, y, operands = self.adjoint[node], self.known[node], [self.known[a] for a in node.args]
        if node.op not in DERIVED:
            back = STRUCTURAL[node.op].backward
            return back(node, k, g, operands, y, self.sizes, self.account)
        rule: Callable[..., Any] | None = DERIVED[node.op][1 + k]
        if rule is None:
            return None
        slope = elementwise(real(rule, self.account), [y, *operands])
        share = elementwise(self.account.times, [g, slope])
        return self.account.unbroadcast(share, np.shape(operands[k]))

    def gradient(self, node: Node) -> Any:
        """Give the gradient in an input: zeros if nothing leads there."""
        zeros = np.full(np.shape(self.found[node]), mpf(0), dtype=object)
        return self.adjoint.get(node, zeros)[()]


# -- the measure -----------------------------------------------------------------------------


def ulps(got: Any, true: Any, dtype: Any = np.float64) -> Any:
    """Give the error of `got` in units in the last place of `dtype` at the true value.

    Below the smallest normal number the unit is the spacing there. The error is inf where `got`
    is NaN or infinite although the truth is representable, and 0 where both overflow alike.

    >>> float(ulps(1.0 + 2**-52, mpf(1)))
    1.0
    >>> float(ulps(np.inf, mpf("1e400"))), float(ulps(np.nan, mpf(1)))
    (0.0, inf)
    """
    info = np.finfo(dtype)

    def one(g: Any, t: Any) -> float:
        g, t = float(g), mpf(t)
        if mpmath.isnan(t) or np.isnan(g):
            return 0.0 if mpmath.isnan(t) and np.isnan(g) else float("inf")
        exponent = info.maxexp - 1 if mpmath.isinf(t) else mpmath.mag(t) - 1 if t else info.minexp
        unit = mpmath.ldexp(1, min(max(exponent, info.minexp), info.maxexp - 1) - info.nmant)
        largest = mpmath.ldexp(1, info.maxexp) - mpmath.ldexp(1, info.maxexp - info.nmant - 2)
        if np.isinf(g):
            return 0.0 if abs(t) >= largest and (t > 0) == (g > 0) else float("inf")
        return float(abs(mpf(g) - t) / unit)

    with mpmath.workdps(400 if np.finfo(dtype).maxexp < 2000 else 6000):
        errors = np.frompyfunc(one, 2, 1)(np.asarray(got), np.asarray(true, dtype=object))
    return np.asarray(errors, dtype=float)[()]
