"""Long vectors at the limit of NumPy: tiles that stay in the cache, every pass into a buffer."""

from collections.abc import Callable
from typing import Any

import numpy as np

Run = Callable[[], tuple[Any, dict[str, Any]]]
TILE = 256 * 1024  # bytes of one array of a tile; measured, flat from 128 to 512 kB


def zero_d(x: Any, *values: float) -> list[Any]:
    """Return numbers as arrays without axes, which a ufunc takes sooner than Python floats."""
    return [np.array(value, x.dtype) for value in values]


def elem(x: Any, a: float, b: float) -> Run:
    """Build the elementwise chain: one tile at a time, sums as inner products."""
    length = TILE // x.itemsize
    room = np.empty((6, length), x.dtype)
    dx = np.empty_like(x)
    tiles = [
        (x[i : i + length], dx[i : i + length], *room[:, : len(x[i : i + length])])
        for i in range(0, len(x), length)
    ]
    a0, b0, one, two, zero = zero_d(x, a, b, 1, 2, 0)
    mul, add, sub, exp, absolute = np.multiply, np.add, np.subtract, np.exp, np.abs

    def run() -> tuple[Any, dict[str, Any]]:
        loss = da = db = 0.0
        for xs, out, rise, slope, t, s, bell, free in tiles:
            mul(xs, a0, slope)
            absolute(slope, rise)
            np.negative(rise, rise)
            exp(rise, rise)
            np.log1p(rise, rise)
            np.maximum(slope, zero, out=free)
            add(rise, free, rise)  # softplus(a x)
            sub(slope, rise, slope)
            exp(slope, slope)  # σ(z) = exp(z - softplus(z))
            mul(xs, b0, t)
            np.tanh(t, t)
            loss += rise.dot(t)
            mul(slope, t, slope)
            da += slope.dot(xs)
            mul(t, t, t)
            sub(one, t, t)
            mul(t, rise, t)
            db += t.dot(xs)
            mul(xs, xs, bell)
            np.negative(bell, bell)
            exp(bell, bell)
            np.negative(xs, s)
            exp(s, s)
            add(s, one, s)
            np.divide(one, s, s)
            mul(xs, s, free)
            loss += free.dot(bell)
            # σ + x σ (1 - σ - 2 x), times the bell
            mul(xs, two, rise)
            add(rise, s, rise)
            sub(one, rise, rise)
            mul(rise, free, rise)
            add(rise, s, rise)
            mul(rise, bell, rise)
            mul(slope, a0, slope)
            mul(t, b0, t)
            add(slope, t, slope)
            add(slope, rise, out)
        return loss, {"x": dx, "a": da, "b": db}

    return run


def rosen(x: Any) -> Run:
    """Build Rosenbrock's valley: tiles, with what a tile owes to the next one carried over."""
    n, length = len(x) - 1, TILE // x.itemsize
    room = np.empty((2, length), x.dtype)
    g = np.empty_like(x)
    tiles = []
    for i in range(0, n, length):
        j = min(i + length, n)
        tiles.append((x[i:j], x[i + 1 : j + 1], g[i:j], g[i + 1 : j], *room[:, : j - i]))
    tiles = [(*tile, tile[4][:-1]) for tile in tiles]
    one, two, two_hundred = zero_d(x, 1, 2, 200)
    mul, sub, add = np.multiply, np.subtract, np.add

    def run() -> tuple[Any, dict[str, Any]]:
        squares = rest = 0.0
        carried = 0.0
        for left, right, out, behind, r, q, owed in tiles:
            mul(left, left, r)
            sub(right, r, r)
            sub(left, one, q)
            rest += q.dot(q)
            squares += r.dot(r)
            mul(r, two_hundred, r)
            mul(r, left, out)
            sub(q, out, out)
            mul(out, two, out)
            add(behind, owed, behind)
            out[0] += carried
            carried = r[-1]
        g[n] = carried
        return 100 * squares + rest, {"x": g}

    return run


def speel(x: Any) -> Run:
    """Build the product: columns first, so that the multiplications do not wait for each other."""
    rows = next((r for r in range(int(len(x) ** 0.5), 0, -1) if len(x) % r == 0), 1)
    table = x.reshape(rows, -1)
    columns, g = np.empty(table.shape[1], x.dtype), np.empty_like(x)
    product, divide = np.multiply.reduce, np.divide

    def run() -> tuple[Any, dict[str, Any]]:
        product(table, 0, None, columns)
        y = product(columns)
        divide(y, x, g)
        return y, {"x": g}

    return run
