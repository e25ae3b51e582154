"""Likelihoods and factorisations: normal, Poisson, low rank with missing entries, tied weights."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

GAUSSIAN_TEXT = """
X: data[N, D]
mu: param[D];  rho: param[D]
z = (X - mu) / exp(rho)
loss = sum(z**2) / (2*N) + sum(rho)
"""

POISSON_TEXT = """
X: data[N, D]
y: data[N]
w: param[D];  b: param
eta = X @ w + b
loss = mean(exp(eta) - y*eta)
"""

FACTORS_TEXT = """
R: data[M, N]
B: binary[M, N]
U: param[M, K];  V: param[N, K]
E = B * (R - U @ V.T)
loss = sum(E**2) + lam * (sum(U**2) + sum(V**2))
"""

AUTOENCODER_TEXT = """
X: data[N, D]
W: param[D, H];  b: param[H];  c: param[D]
h = sigmoid(X @ W + b)
X_hat = h @ W.T + c
loss = mse(X_hat, X)
"""


def gaussian_inputs(rng: np.random.Generator, n: int = 10_000, d: int = 20) -> Values:
    return {"X": 3 + normal(rng, n, d), "mu": 3 + normal(rng, d, scale=0.1), "rho": normal(rng, d)}


def gaussian(X: Any, mu: Any, rho: Any) -> Answer:
    n, precision = len(X), np.exp(-rho)
    z = (X - mu) * precision
    squares = (z * z).sum(axis=0)
    loss = squares.sum() / (2 * n) + rho.sum()
    return loss, {"mu": -precision * z.sum(axis=0) / n, "rho": 1 - squares / n}


def gaussian_loss(k: Any, v: Any) -> Any:
    z = (v.X - v.mu) * k.np.exp(-v.rho)
    return k.np.sum(k.np.square(z)) / (2 * k.shape(v.X)[0]) + k.np.sum(v.rho)


def poisson_inputs(rng: np.random.Generator, n: int = 50_000, d: int = 20) -> Values:
    X, truth = normal(rng, n, d), normal(rng, d, scale=0.2)
    counts = rng.poisson(np.exp(X @ truth)).astype(np.float64)
    return {"X": X, "y": counts, "w": normal(rng, d, scale=0.2), "b": 0.1}


def poisson(X: Any, y: Any, w: Any, b: float) -> Answer:
    eta = X @ w + b
    rate = np.exp(eta)
    d = (rate - y) / len(y)
    return (rate - y * eta).mean(), {"w": X.T @ d, "b": d.sum()}


def poisson_loss(k: Any, v: Any) -> Any:
    eta = v.X @ v.w + v.b
    return k.np.mean(k.np.exp(eta) - v.y * eta)


def factors_inputs(rng: np.random.Generator, m: int = 500, n: int = 400, r: int = 16) -> Values:
    return {
        "R": normal(rng, m, n),
        "B": (rng.random((m, n)) < 0.3).astype(np.float64),
        "U": normal(rng, m, r, scale=0.3),
        "V": normal(rng, n, r, scale=0.3),
        "lam": 1e-2,
    }


def factors(R: Any, B: Any, U: Any, V: Any, lam: float) -> Answer:
    e = B * (R - U @ V.T)
    loss = (e * e).sum() + lam * ((U * U).sum() + (V * V).sum())
    return loss, {"U": 2 * (lam * U - e @ V), "V": 2 * (lam * V - e.T @ U)}  # B is its own square


def factors_loss(k: Any, v: Any) -> Any:
    e = v.B * (v.R - v.U @ v.V.T)
    square = k.np.square
    return k.np.sum(square(e)) + v.lam * (k.np.sum(square(v.U)) + k.np.sum(square(v.V)))


def autoencoder_inputs(rng: np.random.Generator, n: int = 256, d: int = 784, h: int = 64) -> Values:
    return {
        "X": rng.random((n, d)),
        "W": normal(rng, d, h, scale=0.05),
        "b": normal(rng, h, scale=0.1),
        "c": normal(rng, d, scale=0.1),
    }


def autoencoder(X: Any, W: Any, b: Any, c: Any) -> Answer:
    h = 1 / (1 + np.exp(-(X @ W + b)))
    e = h @ W.T + c - X
    d = (2 / e.size) * e
    dz = d @ W * h * (1 - h)
    grads = {"W": X.T @ dz + d.T @ h, "b": dz.sum(axis=0), "c": d.sum(axis=0)}
    return (e * e).mean(), grads


def autoencoder_loss(k: Any, v: Any) -> Any:
    h = k.sigmoid(k.affine(v.X, v.W, v.b))
    return k.mse(k.affine(h, v.W.T, v.c), v.X)


GAUSSIAN = Workload(
    name="gaussian",
    text=GAUSSIAN_TEXT,
    inputs=gaussian_inputs,
    by_hand=gaussian,
    loss=gaussian_loss,
    wrt=("mu", "rho"),
    small={"n": 12, "d": 3},
)
POISSON = Workload(
    name="poisson",
    text=POISSON_TEXT,
    inputs=poisson_inputs,
    by_hand=poisson,
    loss=poisson_loss,
    wrt=("w", "b"),
    small={"n": 20, "d": 4},
)
FACTORS = Workload(
    name="factors",
    text=FACTORS_TEXT,
    inputs=factors_inputs,
    by_hand=factors,
    loss=factors_loss,
    wrt=("U", "V"),
    small={"m": 7, "n": 6, "r": 2},
)
AUTOENCODER = Workload(
    name="autoencoder",
    text=AUTOENCODER_TEXT,
    inputs=autoencoder_inputs,
    by_hand=autoencoder,
    loss=autoencoder_loss,
    wrt=("W", "b", "c"),
    small={"n": 6, "d": 5, "h": 3},
)
