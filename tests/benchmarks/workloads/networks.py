"""Fully connected networks: two layers, tiny, wide at two batch sizes, fifty layers deep."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, cross_entropy, example, logistic, normal

LAYERS = 50

TINY_TEXT = """
x: data[N, D]
t: binary[N, 1]
W1: param[D, H];  b1: param[H]
W2: param[H, H];  b2: param[H]
W3: param[H, 1];  b3: param[1]
h1 = tanh(x @ W1 + b1)
h2 = tanh(h1 @ W2 + b2)
z = h2 @ W3 + b3
loss = bce_with_logits(z, t)
"""

MLP_TEXT = """
x: data[N, D]
y: labels[N, C]
W1: param[D, H1];  b1: param[H1]
W2: param[H1, H2];  b2: param[H2]
W3: param[H2, C];  b3: param[C]
h1 = relu(x @ W1 + b1)
h2 = relu(h1 @ W2 + b2)
loss = cross_entropy(h2 @ W3 + b3, y)
"""

DEEP_TEXT = "\n".join(
    [
        "x: data[N, D]",
        "t: data[N, D]",
        *(f"W{i}: param[D, D];  b{i}: param[D]" for i in range(LAYERS)),
        "h = x",
        *(f"h = tanh(h @ W{i} + b{i})" for i in range(LAYERS)),
        "loss = mse(h, t)",
    ]
)


def lecture2_inputs(
    rng: np.random.Generator, n: int = 64, d: int = 1000, h: int = 100, o: int = 10
) -> Values:
    return {
        "x": normal(rng, n, d),
        "y": normal(rng, n, o),
        "w1": normal(rng, d, h, scale=d**-0.5),
        "w2": normal(rng, h, o, scale=h**-0.5),
    }


def lecture2(x: Any, y: Any, w1: Any, w2: Any) -> Answer:
    h = 1 / (1 + np.exp(-(x @ w1)))
    e = h @ w2 - y
    g = 2 * e
    dz = g @ w2.T * h * (1 - h)
    return (e * e).sum(), {"w1": x.T @ dz, "w2": h.T @ g}


def lecture2_loss(k: Any, v: Any) -> Any:
    return k.squared_error(k.sigmoid(v.x @ v.w1) @ v.w2, v.y)


def tiny_inputs(rng: np.random.Generator, n: int = 32, h: int = 16) -> Values:
    x = normal(rng, n, 2)
    return {
        "x": x,
        "t": (x[:, :1] * x[:, 1:] > 0).astype(np.float64),
        "W1": normal(rng, 2, h),
        "b1": normal(rng, h, scale=0.1),
        "W2": normal(rng, h, h, scale=0.25),
        "b2": normal(rng, h, scale=0.1),
        "W3": normal(rng, h, 1, scale=0.25),
        "b3": normal(rng, 1, scale=0.1),
    }


def tiny(x: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Answer:
    h1 = np.tanh(x @ W1 + b1)
    h2 = np.tanh(h1 @ W2 + b2)
    loss, d3 = logistic(h2 @ W3 + b3, t)
    d2 = d3 @ W3.T * (1 - h2 * h2)
    d1 = d2 @ W2.T * (1 - h1 * h1)
    grads = {"W1": x.T @ d1, "b1": d1.sum(axis=0), "W2": h1.T @ d2, "b2": d2.sum(axis=0)}
    return loss, {**grads, "W3": h2.T @ d3, "b3": d3.sum(axis=0)}


def tiny_loss(k: Any, v: Any) -> Any:
    h1 = k.np.tanh(k.affine(v.x, v.W1, v.b1))
    h2 = k.np.tanh(k.affine(h1, v.W2, v.b2))
    return k.bce_with_logits(k.affine(h2, v.W3, v.b3), v.t)


def mlp_inputs(
    rng: np.random.Generator, n: int = 128, d: int = 784, h1: int = 512, h2: int = 256
) -> Values:
    return {
        "x": rng.random((n, d)),
        "y": rng.integers(0, 10, n),
        "W1": normal(rng, d, h1, scale=0.05),
        "b1": normal(rng, h1, scale=0.1),
        "W2": normal(rng, h1, h2, scale=0.06),
        "b2": normal(rng, h2, scale=0.1),
        "W3": normal(rng, h2, 10, scale=0.1),
        "b3": normal(rng, 10, scale=0.1),
    }


def mlp1024_inputs(rng: np.random.Generator, n: int = 1024, **sizes: int) -> Values:
    return mlp_inputs(rng, n, **sizes)


def mlp(x: Any, y: Any, W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any) -> Answer:
    h1 = np.maximum(x @ W1 + b1, 0)
    h2 = np.maximum(h1 @ W2 + b2, 0)
    loss, d3 = cross_entropy(h2 @ W3 + b3, y)
    d2 = d3 @ W3.T
    d2 *= h2 > 0
    d1 = d2 @ W2.T
    d1 *= h1 > 0
    grads = {"W1": x.T @ d1, "b1": d1.sum(axis=0), "W2": h1.T @ d2, "b2": d2.sum(axis=0)}
    return loss, {**grads, "W3": h2.T @ d3, "b3": d3.sum(axis=0)}


def mlp_loss(k: Any, v: Any) -> Any:
    h1 = k.relu(k.affine(v.x, v.W1, v.b1))
    h2 = k.relu(k.affine(h1, v.W2, v.b2))
    return k.cross_entropy(k.affine(h2, v.W3, v.b3), v.y)


def deep_inputs(rng: np.random.Generator, n: int = 64, d: int = 64) -> Values:
    values = {"x": normal(rng, n, d), "t": normal(rng, n, d)}
    for i in range(LAYERS):
        values[f"W{i}"] = normal(rng, d, d, scale=1.2 * d**-0.5)
        values[f"b{i}"] = normal(rng, d, scale=0.1)
    return values


def deep(x: Any, t: Any, **p: Any) -> Answer:
    layers = [x]
    for i in range(LAYERS):
        layers.append(np.tanh(layers[-1] @ p[f"W{i}"] + p[f"b{i}"]))
    e = layers[-1] - t
    d, grads = (2 / e.size) * e, {}
    for i in reversed(range(LAYERS)):
        h = layers[i + 1]
        d = d * (1 - h * h)
        grads[f"W{i}"], grads[f"b{i}"] = layers[i].T @ d, d.sum(axis=0)
        if i:
            d = d @ p[f"W{i}"].T
    return (e * e).mean(), grads


def deep_loss(k: Any, v: Any) -> Any:
    h = v.x
    for i in range(LAYERS):
        h = k.np.tanh(k.affine(h, getattr(v, f"W{i}"), getattr(v, f"b{i}")))
    return k.mse(h, v.t)


WEIGHTS = ("W1", "b1", "W2", "b2", "W3", "b3")
MLP = {"text": MLP_TEXT, "by_hand": mlp, "loss": mlp_loss, "wrt": WEIGHTS}
MLP_SMALL = {"n": 6, "d": 8, "h1": 7, "h2": 5}
LECTURE2 = Workload(
    name="lecture2",
    text=example("03_two_layer.sg"),
    inputs=lecture2_inputs,
    by_hand=lecture2,
    loss=lecture2_loss,
    wrt=("w1", "w2"),
    small={"n": 6, "d": 8, "h": 5, "o": 3},
)
TINY = Workload(
    name="tiny",
    text=TINY_TEXT,
    inputs=tiny_inputs,
    by_hand=tiny,
    loss=tiny_loss,
    wrt=WEIGHTS,
    small={"n": 6, "h": 4},
)
MLP128 = Workload(name="mlp128", inputs=mlp_inputs, small=MLP_SMALL, **MLP)
MLP1024 = Workload(name="mlp1024", inputs=mlp1024_inputs, small=MLP_SMALL, **MLP)
DEEP50 = Workload(
    name="deep50",
    text=DEEP_TEXT,
    inputs=deep_inputs,
    by_hand=deep,
    loss=deep_loss,
    wrt=tuple(f"{letter}{i}" for i in range(LAYERS) for letter in "Wb"),
    small={"n": 5, "d": 6},
)
