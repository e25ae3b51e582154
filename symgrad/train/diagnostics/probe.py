"""Look into a network at one moment, by one forward and one backward pass.

>>> from symgrad.parse import parse
>>> g = parse("X: data[N, D]; y: data[N]; W: param[D, H]; v: param[H]; mse(relu(X @ W) @ v, y)")
>>> data = {"X": [[1.0, 2.0], [3.0, 1.0]], "y": [1.0, 0.0]}
>>> first, _ = probe(g, {**data, "W": [[1.0, -1.0], [1.0, -1.0]], "v": [1.0, 1.0]})
>>> first.activation, first.dead, first.dead_units
('relu', 0.5, (1,))
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad.autodiff.backprop import Backprop, backprop
from symgrad.diagram.layers.figures import Facts, by_unit, facts
from symgrad.diagram.layers.flow import Flow
from symgrad.diagram.layers.units import columns, locked, twins, weight_of
from symgrad.diagram.tensor import rms
from symgrad.errors import DataError
from symgrad.graph import Graph, Node
from symgrad.train.diagnostics.facts import PERCENTILES, LayerFacts, Spread
from symgrad.train.diagnostics.layers import Layer, layers

Array = NDArray[Any]
BINS = 40
NEARLY = 0.95  # share of samples on which a saturated unit is saturated


def probe(
    graph: Graph,
    inputs: Mapping[str, Any],
    wrt: str | Iterable[str] | None = None,
    before: Mapping[str, Any] | None = None,
) -> tuple[LayerFacts, ...]:
    """Look at every layer of a training graph, in the order from the input to the loss.

    `inputs` gives all inputs their values: the parameters, and a batch or the whole set. `before`
    are the parameters one step earlier; with them the facts have the size of the update. Raises
    what `sg.backprop` raises, and DataError for an empty batch.
    """
    return look(layers(graph), graph, inputs, wrt, before)


def look(
    found: tuple[Flow, list[Layer]],
    graph: Graph,
    inputs: Mapping[str, Any],
    wrt: str | Iterable[str] | None = None,
    before: Mapping[str, Any] | None = None,
) -> tuple[LayerFacts, ...]:
    """Do the same for layers that have been found already."""
    empty = [name for name, value in inputs.items() if np.size(value) == 0]
    if empty:
        raise DataError(f"'{empty[0]}' is empty; a probe needs at least one row")
    result = backprop(graph, inputs, wrt)
    flow, listed = found
    with np.errstate(all="ignore"):
        told = [_facts(graph, flow, layer, result, before or {}) for layer in listed]
    following = [f.gradient for f in told[1:]] + [None]
    return tuple(
        replace(f, ratio=_over(f.gradient, after))
        for f, after in zip(told, following, strict=False)
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Stand for the numbers of a pass, with that of an activation that was recognised."""

    values: Mapping[Node, Any]
    grads: Mapping[Node, Any]
    contributions: Mapping[tuple[Node, int], Any]
    local: Mapping[tuple[Node, int], Any]


def _facts(
    graph: Graph, flow: Flow, layer: Layer, result: Backprop, earlier: Mapping[str, Any]
) -> LayerFacts:
    unit = layer.unit
    values = dict(result.values)
    if unit.act is not None:
        values.setdefault(unit.act, values[layer.after])
    seen = _Seen(values, result.grads, result.contributions, result.local)
    card = facts(flow, unit, seen, bars=False)
    after = np.asarray(values[layer.after], dtype=float)
    span = graph.spans.get(layer.after) or graph.spans.get(unit.exit)
    weights = _weights(flow, layer)
    slopes = [result.grads[w] for w in weights if w in result.grads]
    alone = layer.before is layer.after
    leaving = spread(after, inner=alone)
    entering = leaving if alone else spread(np.asarray(values[layer.before]), bins=False)
    return LayerFacts(
        name=layer.name,
        title=unit.title or layer.called,
        line=span.line if span else None,
        weights=tuple(str(w.attrs["name"]) for w in weights),
        activation=layer.called,
        output=layer.output,
        steep=layer.steep,
        normed=unit.norm,
        before=entering,
        after=leaving,
        zeros=float(np.mean(after == 0)) if after.size else 0.0,
        nonfinite=_lost([after, *slopes]),
        gradient_rms=card.grad,
        gradient=None if card.grad is None else card.grad * sum(map(np.size, slopes)) ** 0.5,
        ratio=None,
        signal=rms(np.asarray(result.grads[layer.after])) if layer.after in result.grads else None,
        weight=_norm([values[w] for w in weights]),
        deviation=_rms([values[w] for w in weights]),
        update=_update([(w, values[w]) for w in weights], earlier),
        **_idle(card, after, unit.left, _single(flow, layer)),
        **_apart(flow, layer, seen),
    )


def _idle(card: Facts, after: Array, left: bool, single: bool) -> dict[str, Any]:
    """Count samples and units, and list the units that are dead or nearly always saturated."""
    units = 1 if single else after.shape[-2 if left and after.ndim > 1 else -1] if after.ndim else 1
    mask = card.mask
    if mask is None or np.shape(mask) != after.shape:
        share, word = np.zeros(0), ""
    else:
        share = by_unit(mask.reshape(-1, 1) if single else mask, left and not single)
        word = card.word
    dead, flat = (np.flatnonzero(share >= least) for least in (1.0, NEARLY))
    return {
        "samples": after.size // max(1, units),
        "units": units,
        "saturated": card.share if word == "saturated" else None,
        "saturated_units": tuple(flat.tolist()) if word == "saturated" else (),
        "dead": len(dead) / units if word == "dead" else None,
        "dead_units": tuple(dead.tolist()) if word == "dead" else (),
    }


def spread(values: Array, inner: bool = True, bins: bool = True) -> Spread:
    """Describe how values spread; those that are not finite are left out.

    Percentiles (`inner`) and the histogram (`bins`) are computed if asked for.

    >>> spread(np.array([1.0, 2.0, 3.0, np.inf])).percentiles
    (1.3, 2.0, 2.7)
    """
    flat = np.asarray(values, dtype=float).ravel()
    kept = np.isfinite(flat)
    flat = flat if kept.all() else flat[kept]
    if not flat.size:
        return Spread(np.nan, np.nan, (np.nan,) * 3 if inner else (), 0.0, 0.0, ())
    low, high = float(flat.min()), float(flat.max())
    wide = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts: tuple[int, ...] = ()
    if bins and np.isfinite(wide[1] - wide[0]) and wide[1] > wide[0]:
        counts = tuple(map(int, np.histogram(flat, BINS, wide)[0]))
    found = tuple(np.percentile(flat, PERCENTILES).tolist()) if inner else ()
    return Spread(float(flat.mean()), float(flat.var()), found, *wide, counts)


def _weights(flow: Flow, layer: Layer) -> list[Node]:
    """List the weights that a layer multiplies by; biases and scales do not count."""
    product = layer.unit.product
    if product is None:
        return []
    nodes = [product] if product.shape else [n for n in layer.unit.nodes if n.op == product.op]
    found = (weight_of(flow, n)[0] for n in nodes)
    return list(dict.fromkeys(w for w in found if w is not None))


def _single(flow: Flow, layer: Layer) -> bool:
    """Say whether a layer is one neuron: its entries are samples."""
    product = layer.unit.product
    if product is None:
        return False
    weight, k = weight_of(flow, product)
    return not product.shape or (weight is not None and len(product.args[k].shape) == 1)


def _apart(flow: Flow, layer: Layer, seen: _Seen) -> dict[str, Any]:
    """Compare the units of a layer: the signs of their gradients, and who equals whom."""
    found = columns(flow, layer.unit, seen)
    if found is None:
        return {"inputs": "", "fan_in": None, "locked": None, "identical": ()}
    return {
        "inputs": _sign(found.inputs),
        "fan_in": len(found.weights),
        "locked": None if found.gradient is None else locked(found.gradient),
        "identical": twins(found.weights, found.gradient),
    }


def _sign(values: Array) -> str:
    """Say of what sign values are; zeros fit to either.

    >>> _sign(np.array([0.0, 2.0])), _sign(np.array([-1.0, 2.0]))
    ('positive', 'both')
    """
    low, high = values.min(), values.max()
    return "positive" if low >= 0 < high else "negative" if high <= 0 > low else "both"


def _norm(arrays: list[Any]) -> float | None:
    """Compute the Euclidean norm of all entries together."""
    if not arrays:
        return None
    return float(np.sqrt(sum(float(np.sum(np.square(a, dtype=float))) for a in arrays)))


def _rms(arrays: list[Any]) -> float | None:
    return float(rms(np.concatenate([np.ravel(a) for a in arrays]))) if arrays else None


def _update(weights: list[tuple[Node, Any]], earlier: Mapping[str, Any]) -> float | None:
    """Divide the norm of the last step by that of the weights before it."""
    named = [(w, str(n.attrs["name"])) for n, w in weights]
    pairs = [(w, earlier[name]) for w, name in named if name in earlier]
    if not pairs or len(pairs) < len(weights):
        return None
    return _over(_norm([np.subtract(w, old) for w, old in pairs]), _norm([o for _, o in pairs]))


def _over(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _lost(arrays: list[Any]) -> float:
    """Give the largest share of entries that are not finite."""
    return max(float(np.mean(~np.isfinite(a))) if np.size(a) else 0.0 for a in arrays)
