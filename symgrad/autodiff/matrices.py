"""Square matrices of mpf: trace, inverse, determinant, linear systems, and their adjoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from symgrad.autodiff.primitives import Digits, elementwise
from symgrad.graph import Node

Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Structural:
    """Hold forward(node, operands, sizes, account) and backward(node, k, g, operands, y, …)."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


def numbers(a: Any) -> Any:
    """Make every entry an mpf."""
    return np.asarray(elementwise(mpf, [a]), dtype=object)


def zeros(shape: tuple[int, ...]) -> Any:
    """Make an array of zeros."""
    return np.full(shape, mpf(0), dtype=object)


def _solution(a: Any, b: Any) -> Any:
    """Solve a x = b for matrices (or stacks of them) by elimination."""
    shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, (*shape, *a.shape[-2:]))
    b = np.broadcast_to(b, (*shape, *b.shape[-2:]))
    result = zeros(b.shape)
    for spot in np.ndindex(shape):
        matrix = mpmath.matrix(a[spot].tolist())
        for column in range(b.shape[-1]):
            x = mpmath.lu_solve(matrix, mpmath.matrix(b[spot][:, column].tolist()))
            result[(*spot, slice(None), column)] = list(x)
    return result


def _unit(like: Any) -> Any:
    return numbers(np.eye(like.shape[-1]))


def _determinant(a: Any) -> Any:
    result = zeros(a.shape[:-2])
    for spot in np.ndindex(result.shape):
        result[spot] = mpmath.det(mpmath.matrix(a[spot].tolist()))
    return result


def _top(a: Any) -> Any:
    return np.swapaxes(a, -1, -2)


def _product(a: Any, b: Any, account: Digits) -> Any:
    terms = elementwise(account.times, [a[..., :, :, None], b[..., None, :, :]])
    return account.total(terms, (terms.ndim - 2,))


def _inverse_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
) -> Any:
    return -_product(_product(_top(y), g, account), _top(y), account)


def _determinant_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
) -> Any:
    weight = g if node.op == "logdet" else elementwise(account.times, [g, y])
    inverse = _solution(operands[0], _unit(operands[0]))
    return elementwise(account.times, [np.asarray(weight)[..., None, None], _top(inverse)])


def _columns(b: Any, vector: bool) -> Any:
    return b[:, None] if vector else b


def _solve(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    vector = operands[1].ndim == 1
    x = _solution(operands[0], _columns(operands[1], vector))
    return x[..., 0] if vector else x


def _solve_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
) -> Any:
    vector = operands[1].ndim == 1
    share = _solution(_top(operands[0]), _columns(g, vector))
    if k == 1:
        return account.unbroadcast(share[..., 0] if vector else share, operands[1].shape)
    full = -_product(share, _top(_columns(y, vector)), account)
    return account.unbroadcast(full, operands[0].shape)


def _logdet(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return elementwise(lambda d: mpmath.log(abs(d)), [_determinant(operands[0])])


def _trace(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return account.total(np.diagonal(operands[0], axis1=-2, axis2=-1), (operands[0].ndim - 2,))


def _trace_back(node: Node, k: int, g: Any, operands: list[Any], *_: Any) -> Any:
    return np.asarray(g)[..., None, None] * _unit(operands[0])


def _inverse(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return _solution(operands[0], _unit(operands[0]))


def _det(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return _determinant(operands[0])


MATRICES: dict[str, Structural] = {
    "trace": Structural(_trace, _trace_back),
    "inv": Structural(_inverse, _inverse_back),
    "det": Structural(_det, _determinant_back),
    "logdet": Structural(_logdet, _determinant_back),
    "solve": Structural(_solve, _solve_back),
}
