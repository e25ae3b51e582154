"""Networks with normalisation between their layers: by the batch and by the layer."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, cross_entropy, normal

EPS = 1e-5

BATCH_TEXT = """
x: data[N, D]
y: labels[N, C]
W1: param[D, H];  gamma: param[H];  beta: param[H]
W2: param[H, C];  b2: param[C]
z = x @ W1
z_hat = (z - mean(z, axis=0)) / sqrt(var(z, axis=0) + 1e-5)
h = relu(gamma * z_hat + beta)
loss = cross_entropy(h @ W2 + b2, y)
"""

LAYER_TEXT = """
x: data[N, D]
y: labels[N, C]
W1: param[D, H];  b1: param[H];  gamma: param[H];  beta: param[H]
W2: param[H, C];  b2: param[C]
z = x @ W1 + b1
z_hat = (z - mean(z, axis=1, keepdims=True)) / sqrt(var(z, axis=1, keepdims=True) + 1e-5)
h = relu(gamma * z_hat + beta)
loss = cross_entropy(h @ W2 + b2, y)
"""


def batch_inputs(rng: np.random.Generator, n: int = 256, d: int = 784, h: int = 256) -> Values:
    return {
        "x": rng.random((n, d)),
        "y": rng.integers(0, 10, n),
        "W1": normal(rng, d, h, scale=0.05),
        "gamma": 1 + normal(rng, h, scale=0.1),
        "beta": normal(rng, h, scale=0.1),
        "W2": normal(rng, h, 10, scale=0.1),
        "b2": normal(rng, 10, scale=0.1),
    }


def batch_norm(x: Any, y: Any, W1: Any, gamma: Any, beta: Any, W2: Any, b2: Any) -> Answer:
    n = len(x)
    z = x @ W1
    z -= z.mean(axis=0)
    inverse = 1 / np.sqrt((z * z).mean(axis=0) + EPS)
    z_hat = z * inverse
    h = np.maximum(gamma * z_hat + beta, 0)
    loss, ds = cross_entropy(h @ W2 + b2, y)
    d = ds @ W2.T
    d *= h > 0
    dgamma, dbeta = (d * z_hat).sum(axis=0), d.sum(axis=0)
    dz = gamma * inverse / n * (n * d - dbeta - z_hat * dgamma)
    grads = {"W1": x.T @ dz, "gamma": dgamma, "beta": dbeta}
    return loss, {**grads, "W2": h.T @ ds, "b2": ds.sum(axis=0)}


def batch_loss(k: Any, v: Any) -> Any:
    h = k.relu(k.batch_norm(v.x @ v.W1, v.gamma, v.beta, EPS))
    return k.cross_entropy(k.affine(h, v.W2, v.b2), v.y)


def layer_inputs(rng: np.random.Generator, n: int = 256, d: int = 784, h: int = 256) -> Values:
    return {**batch_inputs(rng, n, d, h), "b1": normal(rng, h, scale=0.1)}


def layer_norm(x: Any, y: Any, W1: Any, b1: Any, gamma: Any, beta: Any, W2: Any, b2: Any) -> Answer:
    z = x @ W1 + b1
    z -= z.mean(axis=1, keepdims=True)
    inverse = 1 / np.sqrt((z * z).mean(axis=1, keepdims=True) + EPS)
    z_hat = z * inverse
    h = np.maximum(gamma * z_hat + beta, 0)
    loss, ds = cross_entropy(h @ W2 + b2, y)
    d = ds @ W2.T
    d *= h > 0
    dgamma, dbeta = (d * z_hat).sum(axis=0), d.sum(axis=0)
    d *= gamma
    row, along = d.mean(axis=1, keepdims=True), (d * z_hat).mean(axis=1, keepdims=True)
    dz = inverse * (d - row - z_hat * along)
    grads = {"W1": x.T @ dz, "b1": dz.sum(axis=0), "gamma": dgamma, "beta": dbeta}
    return loss, {**grads, "W2": h.T @ ds, "b2": ds.sum(axis=0)}


def layer_loss(k: Any, v: Any) -> Any:
    h = k.relu(k.layer_norm(k.affine(v.x, v.W1, v.b1), v.gamma, v.beta, EPS))
    return k.cross_entropy(k.affine(h, v.W2, v.b2), v.y)


SMALL = {"n": 7, "d": 6, "h": 5}
BN = Workload(
    name="bn",
    text=BATCH_TEXT,
    inputs=batch_inputs,
    by_hand=batch_norm,
    loss=batch_loss,
    wrt=("W1", "gamma", "beta", "W2", "b2"),
    small=SMALL,
)
LAYERNORM = Workload(
    name="layernorm",
    text=LAYER_TEXT,
    inputs=layer_inputs,
    by_hand=layer_norm,
    loss=layer_loss,
    wrt=("W1", "b1", "gamma", "beta", "W2", "b2"),
    small=SMALL,
)
