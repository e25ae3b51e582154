"""Networks at the limit of NumPy: every product and every pass into a buffer, bound methods."""

from collections.abc import Callable
from typing import Any

import numpy as np

from limits.vectors import zero_d

Run = Callable[[], tuple[Any, dict[str, Any]]]


def sigmoid_in_place(dtype: Any) -> Callable[[Any], None]:
    """Return what replaces z by σ(z): by tanh in single precision, where that is cheap."""
    one = np.array(1, dtype)
    half = np.array(0.5, dtype)

    def by_tanh(z: Any) -> None:
        np.multiply(z, half, z)
        np.tanh(z, z)
        np.multiply(z, half, z)
        np.add(z, half, z)

    def by_exp(z: Any) -> None:
        np.negative(z, z)
        np.exp(z, z)
        np.add(z, one, z)
        np.divide(one, z, z)

    return by_tanh if dtype == np.float32 else by_exp


def lecture2(x: Any, y: Any, w1: Any, w2: Any) -> Run:
    """Build two layers; the gradient of the first one in blocks of its rows."""
    (n, d), hidden = x.shape, w1.shape[1]
    block = 125 if d % 125 == 0 else d
    blocks = x.reshape(n, d // block, block).transpose(1, 2, 0)
    h, dh, e = np.empty((n, hidden), x.dtype), np.empty((n, hidden), x.dtype), np.empty_like(y)
    free, dw1, dw2 = np.empty_like(h), np.empty_like(w1), np.empty_like(w2)
    parts, errors, across = dw1.reshape(-1, block, hidden), e.reshape(-1), w2.T
    one, two = zero_d(x, 1, 2)
    sigmoid, backwards = sigmoid_in_place(x.dtype), h.T

    def run() -> tuple[Any, dict[str, Any]]:
        x.dot(w1, h)
        sigmoid(h)
        h.dot(w2, e)
        np.subtract(e, y, e)
        loss = errors.dot(errors)
        np.multiply(e, two, e)
        e.dot(across, dh)
        np.multiply(dh, h, dh)
        np.subtract(one, h, free)
        np.multiply(dh, free, dh)
        np.matmul(blocks, dh, parts)
        backwards.dot(e, dw2)
        return loss, {"w1": dw1, "w2": dw2}

    return run


def tiny(x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Run:
    """Build the tiny network, where every call counts."""
    n, hidden = len(x), len(b1)
    dtype = x.dtype
    h1, h2, d1, d2, free = np.empty((5, n, hidden), dtype)
    z, d, rise = np.empty((3, n, 1), dtype)
    flat, ends, rises, ones = z.reshape(-1), t.reshape(-1), rise.reshape(-1), np.ones(n, dtype)
    one, zero, inverse = zero_d(x, 1, 0, 1 / n)
    shapes = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "W3": W3, "b3": b3}
    g = {name: np.empty_like(value) for name, value in shapes.items()}
    dW1, db1, dW2, db2, dW3, db3 = g.values()
    xT, h1T, h2T, W2T, W3T = x.T, h1.T, h2.T, W2.T, W3.T
    add, sub, mul, exp, tanh = np.add, np.subtract, np.multiply, np.exp, np.tanh

    def run() -> tuple[Any, dict[str, Any]]:
        x.dot(W1, h1)
        tanh(add(h1, b1, h1), h1)
        h1.dot(W2, h2)
        tanh(add(h2, b2, h2), h2)
        h2.dot(W3, z)
        add(z, b3, z)
        exp(np.negative(np.abs(z, rise), rise), rise)
        np.log1p(rise, rise)
        add(rise, np.maximum(z, zero, out=d), rise)
        loss = (rises.dot(ones) - flat.dot(ends)) / n
        exp(sub(z, rise, d), d)  # σ(z) = exp(z - softplus(z))
        mul(sub(d, t, d), inverse, d)
        d.dot(W3T, d2)
        mul(d2, sub(one, mul(h2, h2, free), free), d2)
        d2.dot(W2T, d1)
        mul(d1, sub(one, mul(h1, h1, free), free), d1)
        xT.dot(d1, dW1)
        ones.dot(d1, db1)
        h1T.dot(d2, dW2)
        ones.dot(d2, db2)
        h2T.dot(d, dW3)
        ones.dot(d, db3)
        return loss, g

    return run


def deep50(x: Any, t: Any, **p: Any) -> Run:
    """Build fifty layers; tanh in place, its derivative from its value."""
    layers, n = len(p) // 2, len(x)
    g = {name: np.empty_like(value) for name, value in p.items()}
    hs = [x, *np.empty((layers, *x.shape), x.dtype)]
    d, other, free = np.empty((3, *x.shape), x.dtype)
    ones, (one, scale) = np.ones(n, x.dtype), zero_d(x, 1, 2 / x.size)
    forward = [(hs[i].dot, p[f"W{i}"], p[f"b{i}"], hs[i + 1]) for i in range(layers)]
    backward = [
        (hs[i + 1], hs[i].T.dot, p[f"W{i}"].T, g[f"W{i}"], g[f"b{i}"]) for i in range(layers)
    ][::-1]
    add, sub, mul, tanh, last = np.add, np.subtract, np.multiply, np.tanh, hs[-1]

    def run() -> tuple[Any, dict[str, Any]]:
        for dot, W, b, h in forward:
            dot(W, h)
            add(h, b, h)
            tanh(h, h)
        delta, spare = d, other
        sub(last, t, delta)
        error = delta.reshape(-1)
        loss = error.dot(error) / error.size
        mul(delta, scale, delta)
        for h, dot, across, dW, db in backward:
            mul(h, h, free)
            sub(one, free, free)
            mul(delta, free, delta)
            dot(delta, dW)
            ones.dot(delta, db)
            delta.dot(across, spare)
            delta, spare = spare, delta
        return loss, g

    return run
