"""Windows that slide over arrays, and sums of them, with any number of digits."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.autodiff.matrices import Sizes, Structural, zeros
from symgrad.autodiff.primitives import Digits
from symgrad.dims import evaluated
from symgrad.graph import Node


def windows(a: Any, at: Mapping[str, Any], width: int) -> Any:
    """Give the windows of an array along an axis, columns last."""
    rows = (a.shape[at["along"]] - at["gap"] * (width - 1) - 1) // at["step"] + 1
    places = at["step"] * np.arange(rows)[:, None] + at["gap"] * np.arange(width)
    return np.moveaxis(np.take(a, places, axis=at["along"]), at["along"] + 1, -1)


def _overlapped(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    (rows,) = operands
    result = zeros(tuple(evaluated(d, sizes) or 0 for d in node.shape))
    places = np.arange(result.size).reshape(result.shape)
    for place, share in zip(
        np.ravel(windows(places, node.attrs, rows.shape[-1])), np.ravel(rows), strict=True
    ):
        spot = np.unravel_index(place, result.shape)
        result[spot] = account.add(result[spot], share)
    return result


def _overlapped_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
) -> Any:
    return windows(g, node.attrs, operands[0].shape[-1])


def _window(node: Node, n: int, k: int) -> Any:
    """List the (i, j, place in the result) of the products a_i b_j of a convolution."""
    if node.op == "correlate":
        return [(p + j, j, p) for p in range(n - k + 1) for j in range(k)]
    length = max(n, k)
    start, count = {
        "full": (0, n + k - 1),
        "same": ((min(n, k) - 1) // 2, length),
        "valid": (min(n, k) - 1, length - min(n, k) + 1),
    }[node.attrs["mode"]]
    return [(i, j, i + j - start) for i in range(n) for j in range(k) if 0 <= i + j - start < count]


def _convolved(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    a, b = operands
    triples = _window(node, len(a), len(b))
    result = zeros((1 + max(p for _, _, p in triples),))
    for i, j, p in triples:
        result[p] = account.add(result[p], account.times(a[i], b[j]))
    return result


def _convolved_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
) -> Any:
    result = zeros(operands[k].shape)
    other = operands[1 - k]
    for i, j, p in _window(node, len(operands[0]), len(operands[1])):
        mine, its = (i, j) if k == 0 else (j, i)
        result[mine] = account.add(result[mine], account.times(g[p], other[its]))
    return result


SLIDING: dict[str, Structural] = {
    "overlapped": Structural(_overlapped, _overlapped_back),
    "correlate": Structural(_convolved, _convolved_back),
    "convolve": Structural(_convolved, _convolved_back),
}
