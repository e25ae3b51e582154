"""Look at the units of a layer one by one: whose gradients share a sign, who is whose twin."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symgrad.diagram.layers.flow import Flow
from symgrad.graph import Node

if TYPE_CHECKING:
    from symgrad.diagram.from_graph import Result
    from symgrad.diagram.layers.find import Unit

Array = NDArray[Any]
ALIKE = 1e-7  # of the largest entry: products of large matrices differ between equal columns
FEW = 4  # weights of a unit below which one sign may well be chance: 1 in 8 for four


class Columns(NamedTuple):
    """Hold a layer's inputs, its weights with a column for each unit, and their gradient.

    The gradient is that of this use of the weights alone: a penalty does not count.
    """

    inputs: Array
    weights: Array
    gradient: Array | None


def columns(flow: Flow, unit: "Unit", result: "Result") -> Columns | None:
    """Take the weights of a layer apart by its units; None where they are no matrix."""
    product = unit.product
    if product is None or product.op != "matmul":
        return None
    weight, k = weight_of(flow, product)
    matrix = np.asarray(result.values[product.args[k]])
    if weight is None or matrix.ndim not in (1, 2):
        return None
    slopes = result.contributions.get((product, k))
    turned = [m if m is None else np.asarray(m).T if unit.left else np.asarray(m)
              for m in (matrix, slopes)]  # fmt: skip
    first, second = (m if m is None else m.reshape(len(m), -1) for m in turned)
    assert first is not None
    return Columns(np.asarray(result.values[product.args[1 - k]]), first, second)


def weight_of(flow: Flow, product: Node) -> tuple[Node | None, int]:
    """Find the weight of a product, through a transposition, and which operand it is."""
    for k, operand in enumerate(product.args):
        if not flow.flows(operand):
            while operand.args:
                operand = next((a for a in operand.args if flow.learned(a)), operand.args[0])
            if operand in flow.weights:
                return operand, k
    return None, 0


def locked(gradient: Array) -> float | None:
    """Give the share of units (columns) all of whose weights have gradients of one sign.

    Zeros do not count. None where that would say nothing: no gradient, or few weights.

    >>> locked(np.array([[1.0, 1.0]] * 5 + [[2.0, -1.0]]))
    0.5
    """
    up, down = np.sum(gradient > 0, axis=0), np.sum(gradient < 0, axis=0)
    counted = up + down > FEW
    if not counted.any():
        return None
    return float(np.mean((np.minimum(up, down) == 0)[counted]))


def twins(weight: Array, gradient: Array | None) -> tuple[int, ...]:
    """List the units (columns) that have the weights and the gradients of another one.

    Such units stay alike for ever; equal weights alone do not: the gradients may part them.

    >>> w = np.array([[1.0, 1.0, 2.0], [3.0, 3.0, 4.0]])
    >>> twins(w, w), twins(w, np.array([[0.0, 1.0, 0.0]] * 2))
    ((0, 1), ())
    """
    both = _scaled(weight)
    if gradient is not None:
        both = np.concatenate([both, _scaled(gradient)])
    if both.shape[1] < 2 or not np.isfinite(both).all():
        return ()
    # Equal columns have equal projections, so they are neighbours once sorted.
    order = np.argsort(_direction(len(both)) @ both, kind="stable")
    near = np.max(np.abs(np.diff(both[:, order], axis=1)), axis=0) <= ALIKE
    marked = np.zeros(len(order), bool)
    marked[order[:-1][near]] = marked[order[1:][near]] = True
    return tuple(int(k) for k in np.flatnonzero(marked))


def _scaled(matrix: Array) -> Array:
    with np.errstate(all="ignore"):
        return matrix / (float(np.max(np.abs(matrix), initial=0.0)) or 1.0)


def _direction(size: int) -> Array:
    """Choose a direction, always the same, in which columns that differ hardly coincide."""
    return np.random.default_rng(0).normal(size=size)
