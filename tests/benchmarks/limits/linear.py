"""Linear models at the limit of NumPy: products in blocks of rows, heads with the classes first."""

from collections.abc import Callable
from typing import Any

import numpy as np

from limits.vectors import zero_d

Run = Callable[[], tuple[Any, dict[str, Any]]]
BLOCK = 64  # rows: a product of 64 x 784 x 10 stays with the kernels for small matrices
LENGTH = 20_000  # rows of a tile of the logistic regression


class Blocks:
    """Multiply a tall matrix, block of rows by block of rows, by skinny ones."""

    def __init__(self, x: Any, classes: int) -> None:
        n, d = x.shape
        block = BLOCK if n % BLOCK == 0 else n
        self.x = x.reshape(-1, block, d)
        self.parts = np.empty((n // block, block, classes), x.dtype)
        self.scores = self.parts.reshape(n, classes)
        self.heads = np.empty((n // block, classes, block), x.dtype)
        self.sums = np.empty((n // block, classes, d), x.dtype)
        self.total = np.empty((classes, d), x.dtype)

    def forward(self, W: Any) -> Any:
        """Return x W with the classes first, a view."""
        np.matmul(self.x, W, self.parts)
        return self.scores.T

    def backward(self, d: Any) -> Any:
        """Return x' d, where d comes with the classes first."""
        blocks, classes, block = self.heads.shape
        np.copyto(self.heads, d.reshape(classes, blocks, block).transpose(1, 0, 2))
        np.matmul(self.heads, self.x, self.sums)
        np.add.reduce(self.sums, 0, None, self.total)
        return self.total.T


def softmax(x: Any, y: Any, W: Any, b: Any, lam: float) -> Run:
    """Build the softmax classifier."""
    (n, _), classes = x.shape, W.shape[1]
    blocks = Blocks(x, classes)
    p, flat = np.empty((classes, n), x.dtype), y * n + np.arange(n)
    places, column, ones = p.reshape(-1), b[:, None], np.ones(n, x.dtype)
    z, own, dW, db = np.empty(n, x.dtype), np.empty(n, x.dtype), np.empty_like(W), np.empty_like(b)
    inverse, lam0 = zero_d(x, 1 / n, lam)
    weights = W.reshape(-1)

    def run() -> tuple[Any, dict[str, Any]]:
        np.add(blocks.forward(W), column, p)
        np.maximum.reduce(p, 0, None, z)
        np.subtract(p, z, p)
        places.take(flat, None, own, "clip")
        loss = -own.dot(ones)
        np.exp(p, p)
        np.add.reduce(p, 0, None, z)
        np.log(z, own)
        loss += own.dot(ones)
        np.divide(inverse, z, z)
        np.multiply(p, z, p)
        places[flat] -= inverse
        p.dot(ones, db)
        np.multiply(W, lam0, dW)
        np.add(dW, blocks.backward(p), dW)
        return loss / n + 0.5 * lam * weights.dot(weights), {"W": dW, "b": db}

    return run


def svm(x: Any, y: Any, W: Any, lam: float) -> Run:
    """Build the support vector machine."""
    (n, _), classes = x.shape, W.shape[1]
    blocks = Blocks(x, classes)
    m, flat = np.empty((classes, n), x.dtype), y * n + np.arange(n)
    places, entries = m.reshape(-1), np.ones(m.size, x.dtype)
    own, dW, weights = np.empty(n, x.dtype), np.empty_like(W), W.reshape(-1)
    one, zero, inverse, lam0 = zero_d(x, 1, 0, 1 / n, lam)

    def run() -> tuple[Any, dict[str, Any]]:
        np.copyto(m, blocks.forward(W))
        places.take(flat, None, own, "clip")
        np.subtract(own, one, own)
        np.subtract(m, own, m)
        np.maximum(m, zero, out=m)
        places[flat] = 0
        loss = places.dot(entries)
        np.sign(m, m)
        np.add.reduce(m, 0, None, own)
        np.negative(own, own)
        places[flat] = own
        total = blocks.backward(m)
        np.multiply(total, inverse, total)
        np.multiply(W, lam0, dW)
        np.add(dW, total, dW)
        return loss / n + 0.5 * lam * weights.dot(weights), {"W": dW}

    return run


def logreg(x: Any, t: Any, w: Any, b: float) -> Run:
    """Build the logistic regression: both products and what is between them, tile by tile."""
    n = len(x)
    room, ones = np.empty((2, LENGTH), x.dtype), np.ones(LENGTH, x.dtype)
    dw, part = np.empty_like(w), np.empty_like(w)
    tiles = []
    for i in range(0, n, LENGTH):
        rows = slice(i, min(i + LENGTH, n))
        size = rows.stop - i
        tiles.append((x[rows], t[rows], ones[:size], *room[:, :size]))
    b0, one = zero_d(x, b, 1)
    exp, sub, add = np.exp, np.subtract, np.add

    def run() -> tuple[Any, dict[str, Any]]:
        loss = db = 0.0
        dw.fill(0)
        for xs, ts, unit, z, rise in tiles:
            xs.dot(w, z)
            add(z, b0, z)
            np.abs(z, rise)
            # Σ max(z, 0) = (Σ z + Σ |z|)/2: two inner products instead of two passes
            loss += 0.5 * (z.dot(unit) + rise.dot(unit)) - z.dot(ts)
            np.negative(rise, rise)
            exp(rise, rise)
            np.log1p(rise, rise)
            loss += rise.dot(unit)
            np.negative(z, z)
            exp(z, z)
            add(z, one, z)
            np.divide(one, z, z)
            sub(z, ts, z)
            db += z.dot(unit)
            z.dot(xs, part)
            add(dw, part, dw)
        np.divide(dw, n, dw)
        return loss / n, {"w": dw, "b": db / n}

    return run
