"""The numbers of a card: how values spread, what is saturated or dead, the weight's gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from symgrad.autodiff.sweep import local
from symgrad.diagram.from_graph import Array, Result
from symgrad.diagram.layers.find import Unit
from symgrad.diagram.layers.flow import Flow
from symgrad.diagram.layers.units import columns, twins, weight_of
from symgrad.diagram.tensor import rms
from symgrad.errors import SymgradError
from symgrad.evaluate import values
from symgrad.graph import Node, intern
from symgrad.ops import OPS, make

BINS = 14
FLAT = 0.1  # share of the steepest slope below which a unit counts as saturated
GRID = np.linspace(-8.0, 8.0, 1601)
FAR = np.array([[-20.0, -19.3, -18.1], [18.1, 19.3, 20.0]])  # a sine is not level there
OFF = np.array([-20.0, -1.0])  # where a rectifier is switched off


@dataclass(frozen=True, slots=True)
class Spread:
    """Count values in bins from low to high; `marked` are the bins that are mostly saturated.

    `zero` tells that the first bin holds the units that are switched off.
    """

    low: float
    high: float
    counts: tuple[int, ...]
    marked: tuple[bool, ...]
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what a card says about one unit; None where it does not apply.

    `word` is saturated, dead or not finite and `share` how much is; `grad` is the root mean square
    of the gradient of `weight` (of this use of it, if there are several: `shared`), or of several
    weights that are single numbers. `mask` marks the idle values, one by one; `alike` tells that
    all units have the same weights and the same gradients. `others` are the parameters that a line
    reads which is no layer, with the size of their gradients.
    """

    spread: Spread | None = None
    word: str = ""
    share: float | None = None
    weight: Node | None = None
    grad: float | None = None
    shared: bool = False
    several: bool = False
    mask: Array | None = None
    alike: bool = False
    others: tuple[tuple[Node, float], ...] = ()


def facts(flow: Flow, unit: Unit, result: Result | None, bars: bool = True) -> Facts:
    """Look at one unit; `bars` asks for the histogram."""
    product = unit.product
    weight = weight_of(flow, product)[0] if product is not None else None
    if result is None:
        return Facts(weight=weight)
    grad, shared, several = None, False, False
    if weight is not None and product is not None:
        shared = _shared(flow, unit, weight)
        found = _gradients(flow, unit, result, shared)
        several = len(found) > 1
        grad = rms(np.concatenate([np.ravel(g) for g in found])) if found else None
    value = np.asarray(result.values[unit.exit])
    if unit.kind == "input" or not value.size or value.dtype.kind not in "fiu":
        return Facts(weight=weight, grad=grad, shared=shared, several=several)
    lost = float(np.mean(~np.isfinite(value)))
    word, mask, share = _idle(unit, result) if not lost else ("not finite", None, lost)
    shown = bars and value.size > 1
    spread = _spread(value.astype(float), mask, word == "dead") if shown else None
    if unit.kind == "operations":
        return Facts(spread, others=_others(flow, unit, result))
    apart = columns(flow, unit, result) if grad is not None and not lost else None
    same = len(twins(apart.weights, apart.gradient)) if apart is not None else 0
    alike = apart is not None and 1 < same == apart.weights.shape[1]
    return Facts(spread, word, share, weight, grad, shared, several, mask, alike)


def _others(flow: Flow, unit: Unit, result: Result) -> tuple[tuple[Node, float], ...]:
    """Measure the gradients of the parameters that a line reads."""
    read = dict.fromkeys(a for n in unit.nodes for a in n.args if a in flow.weights)
    return tuple((a, rms(np.asarray(result.grads[a]))) for a in read if a in result.grads)


def _gradients(flow: Flow, unit: Unit, result: Result, shared: bool) -> list[Array]:
    """Collect the gradient of a layer's weight; of a neuron, those of all its weights."""
    assert unit.product is not None
    alone = bool(unit.product.shape)
    products = [unit.product] if alone else [n for n in unit.nodes if n.op == "mul"]
    found = []
    for product in products:
        weight, k = weight_of(flow, product)
        if weight is not None and weight in result.grads:
            part = result.contributions.get((product, k)) if shared else result.grads[weight]
            found += [] if part is None else [np.asarray(part)]
    return found


def _shared(flow: Flow, unit: Unit, weight: Node) -> bool:
    """Say whether other layers multiply by the same weight; a penalty does not count."""
    users = (u for u in flow.users[weight] if flow.flows(u))
    return any(u not in unit.nodes for u in users)


def _idle(unit: Unit, result: Result) -> tuple[str, Array | None, float | None]:
    """Tell which values an activation passes no gradient for: the word, a mask, their share."""
    act = unit.act
    row = OPS.get(act.op) if act is not None else None
    if act is None or row is None or row.shape != "elementwise":
        return "", None, None
    given = {n: result.values[n] for n in act.args if n in result.values}
    try:
        off, flat = _slopes(act, OFF, given)
        y = np.asarray(result.values[act])
        if not off.any() and not flat.any():
            return "dead", y <= 0, float(np.mean(by_unit(y <= 0, unit.left) == 1))
        if not any(abs(end) < inf for end in _range(row.range)):
            return "", None, None
        steepest = float(np.nanmax(np.abs(_slopes(act, GRID, given)[1])))
        level = np.abs(_slopes(act, FAR, given)[1]) < FLAT * steepest
        if not level.all(axis=1).any():
            return "", None, None
        slope = _slopes(act, np.asarray(given[_moving(act, given)]), given)[1]
    except SymgradError:
        return "", None, None
    mask = np.abs(slope) < FLAT * steepest
    return "saturated", mask, float(np.mean(mask))


def _moving(act: Node, given: Mapping[Node, Any]) -> Node:
    """Find the operand of an activation that is not a constant."""
    return next((a for a in act.args if a.op != "const"), act.args[0])


def _slopes(act: Node, points: Array, given: Mapping[Node, Any]) -> tuple[Array, Array]:
    """Compute an activation and its derivative at points."""
    z = intern("input", (), {"name": "\0z", "kind": "real"}, ("\0n",))
    moving = act.args.index(_moving(act, given))
    operands = [z if k == moving else a for k, a in enumerate(act.args)]
    node = make(act.op, *operands, **dict(act.attrs))
    one = intern("input", (), {"name": "\0g", "kind": "real"}, ("\0n",))
    slope = local(node, moving, one, "code")
    flat = np.ravel(points).astype(float)
    known = {**given, z: flat, one: np.ones_like(flat)}
    roots = [node] if slope is None else [node, slope]
    found = values(roots, known, {"\0n": flat.size})
    derivative = np.zeros_like(flat) if slope is None else np.asarray(found[slope])
    shape = np.shape(points)
    return np.asarray(found[node]).reshape(shape), np.broadcast_to(derivative, flat.shape).reshape(
        shape
    )


def _range(text: str) -> tuple[float, float]:
    """Read the range of a row: (0, 1), [0, inf); R is the whole line.

    >>> _range("(0, 1)"), _range("R")
    ((0.0, 1.0), (-inf, inf))
    """
    low, _, high = text.strip("[]()").partition(",")
    try:
        return float(low), float(high)
    except ValueError:
        return -inf, inf


def by_unit(mask: Array, left: bool) -> Array:
    """Give the share of samples on which each unit is marked; a vector has a unit per entry.

    >>> by_unit(np.array([[True, False], [True, True]]), False).tolist()
    [1.0, 0.5]
    """
    if mask.ndim < 2:
        return np.asarray(mask, dtype=float)
    axis = mask.ndim - 2 if left else mask.ndim - 1
    others = tuple(k for k in range(mask.ndim) if k != axis)
    return np.asarray(np.mean(mask, axis=others))


def _spread(value: Array, mask: Array | None, zero: bool) -> Spread | None:
    flat = value.ravel()
    kept = np.isfinite(flat)
    idle = np.zeros(flat.shape, bool) if mask is None else np.ravel(mask)[: flat.size]
    if idle.size != flat.size:
        idle = np.zeros(flat.shape, bool)
    flat, idle = flat[kept], idle[kept]
    if not flat.size:
        return None
    low, high = float(flat.min()), float(flat.max())
    off = int(np.sum(idle)) if zero else 0
    rest = flat[~idle] if zero else flat
    bins = BINS - 1 if zero else BINS
    span = (low, high) if high > low else (low - 0.5, high + 0.5)
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(span[1] - span[0]):
            return None
        counts, edges = np.histogram(rest, bins, span)
        marks, _ = np.histogram(flat[idle], edges)
    if zero:
        return Spread(low, high, (off, *map(int, counts)), (False,) * BINS, True)
    marked = tuple(bool(m * 2 > c > 0) for m, c in zip(marks, counts, strict=True))
    return Spread(low, high, tuple(map(int, counts)), marked)
