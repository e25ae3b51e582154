"""Choose a point at random that suits the declarations, for checks without a given point."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from symgrad.dims import terms
from symgrad.errors import ShapeError
from symgrad.evaluate import bind, values
from symgrad.graph import Graph, Node, dimensions
from symgrad.ops import slices
from symgrad.shapes import Bindings

FREE_KINDS = ("param", "data", "real", "scalar")
SLIDING = ("windows", "correlate")  # which need an axis as long as a window
IN_TURN = 4  # times that dimensions grow in turn, before all do
LAST = 7  # attempts before a point is taken as it is
SIZES = (4, 3, 5, 2, 6, 7)  # for dimensions without a number, all different so that mistakes show


def point(graph: Graph, seed: int = 0) -> dict[str, Any]:
    """Give every input a value of its kind: labels below C, one-hot rows, signs, positives.

    >>> from symgrad.parse import parse
    >>> sorted(point(parse("y: sign; y*f")))
    ['f', 'y']
    """
    larger = 0
    for attempt in range(LAST + 1):  # the odd ones are positive, for logarithms and roots
        found = _draw(graph, np.random.default_rng([seed, attempt]), attempt % 2 == 1, larger)
        try:
            known, sizes = bind(graph, found)
        except ShapeError:  # a slice or a window that needs more entries
            if attempt == LAST:
                raise
            larger += 1
            continue
        if np.all(np.isfinite(values([graph.output], known, sizes)[graph.output])):
            break
    return found


def _draw(graph: Graph, rng: np.random.Generator, positive: bool, larger: int) -> dict[str, Any]:
    sizes = Bindings(graph.dims)
    for name in dimensions(graph.inputs):
        sizes.setdefault(name, _size(len(sizes), larger))
    grown(sizes, graph.inputs)
    if not graph.dims:
        grown(sizes, [n for n in graph.order() if n.op in SLIDING])
    for node in graph.order():
        parts = slices.needed(node.attrs["key"], node.args[0].shape) if node.op == "slice" else {}
        for name, least in parts.items():
            if name not in graph.dims:
                sizes[name] = max(sizes.get(name, 0), least)
    drawn = {n.attrs["name"]: _value(n, sizes, rng) for n in graph.inputs}
    free = {n.attrs["name"] for n in graph.inputs if n.attrs["kind"] in FREE_KINDS}
    return {k: np.abs(v) + 0.1 if positive and k in free else v for k, v in drawn.items()}


def grown(sizes: Bindings, nodes: Iterable[Node]) -> Bindings:
    """Make names larger until every axis that is made of names has an entry: of N - M the N.

    >>> from symgrad.ops import leaf
    >>> grown(Bindings({"N": 2, "M": 4}), [leaf("x", ("N - M",))])
    {'N': 5, 'M': 4}
    """
    made = [d for n in nodes for d in n.shape if isinstance(d, str) and not d.isidentifier()]
    for d in made * len(made):
        name = next((factors[0] for factors, c in terms(d) if c > 0 and factors), "")
        while sizes[d] < 1 and name.isidentifier():
            sizes[name] += 1
    return sizes


def _size(k: int, larger: int) -> int:
    """Choose the size of the k-th dimension; `larger` grows those in even and odd places in turn.

    So a signal finds a place where its window fits, whichever is declared first. Where neither is
    enough all grow: an image has to be larger than several windows, one after the other.
    """
    if larger > IN_TURN:
        return SIZES[k % len(SIZES)] + 12 * (larger - IN_TURN)
    return SIZES[k % len(SIZES)] + (2 * larger if k % 2 != larger % 2 else 0)


def _value(node: Node, sizes: Bindings, rng: np.random.Generator) -> Any:
    shape = tuple(sizes[d] if isinstance(d, str) else d for d in node.shape)
    kind = node.attrs["kind"]
    if kind in ("label", "labels"):
        classes = node.attrs["classes"]
        return rng.integers(0, sizes[classes] if isinstance(classes, str) else classes, shape)
    if kind == "integer":
        return rng.integers(0, 2, shape)
    if kind == "onehot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if kind == "simplex":
        weights = rng.uniform(0.2, 1, shape)
        return weights / weights.sum(axis=-1, keepdims=True)
    if kind in ("sign", "binary"):
        return rng.choice([-1.0, 1.0] if kind == "sign" else [0.0, 1.0], shape)
    value = rng.normal(size=shape)
    if kind == "positive":
        return np.abs(value) + 0.1
    if kind == "symmetric":
        return (value + value.T) / 2
    return value
