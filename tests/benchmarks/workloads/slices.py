"""What is cut out of arrays: the gates of one product, and the differences of neighbours."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

LSTM_TEXT = """
x: data[N, D];  h: data[N, H];  c: data[N, H];  t: data[N, H]
W: param[D, 4*H];  U: param[H, 4*H];  b: param[4*H]
z = x @ W + h @ U + b
i = sigmoid(z[:, :H]); f = sigmoid(z[:, H:2*H]); o = sigmoid(z[:, 2*H:3*H]); g = tanh(z[:, 3*H:])
loss = mse(o*tanh(f*c + i*g), t)
"""

VARIATION_TEXT = """
u: param[N, M];  image: data[N, M];  lam: real
across = u[:, 1:] - u[:, :-1]; down = u[1:] - u[:-1]
loss = sum((u - image)**2)/2 + lam*(sum(sqrt(across**2 + 0.001)) + sum(sqrt(down**2 + 0.001)))
"""


def lstm_inputs(rng: np.random.Generator, n: int = 64, d: int = 64, h: int = 128) -> Values:
    return {
        "x": normal(rng, n, d),
        "h": normal(rng, n, h, scale=0.5),
        "c": normal(rng, n, h),
        "t": normal(rng, n, h),
        "W": normal(rng, d, 4 * h, scale=d**-0.5),
        "U": normal(rng, h, 4 * h, scale=h**-0.5),
        "b": normal(rng, 4 * h, scale=0.1),
    }


def lstm(x: Any, h: Any, c: Any, t: Any, W: Any, U: Any, b: Any) -> Answer:
    z, n = x @ W + h @ U + b, h.shape[1]
    i, f, o = np.split(1 / (1 + np.exp(-z[:, : 3 * n])), 3, axis=1)
    g = np.tanh(z[:, 3 * n :])
    y = np.tanh(f * c + i * g)
    e = o * y - t
    d = (2 / e.size) * e
    dc = d * o * (1 - y * y)
    slopes = (dc * g * i * (1 - i), dc * c * f * (1 - f), d * y * o * (1 - o), dc * i * (1 - g * g))
    dz = np.concatenate(slopes, axis=1)
    return (e * e).mean(), {"W": x.T @ dz, "U": h.T @ dz, "b": dz.sum(axis=0)}


def lstm_loss(k: Any, v: Any) -> Any:
    n = k.shape(v.h)[1]
    z = k.affine(v.x, v.W, v.b) + v.h @ v.U
    i, f, o = (k.sigmoid(z[:, j * n : (j + 1) * n]) for j in range(3))
    return k.mse(o * k.np.tanh(f * v.c + i * k.np.tanh(z[:, 3 * n :])), v.t)


def variation_inputs(rng: np.random.Generator, n: int = 256, m: int = 256) -> Values:
    return {"u": normal(rng, n, m), "image": normal(rng, n, m), "lam": 0.3}


def variation(u: Any, image: Any, lam: float) -> Answer:
    across, down = u[:, 1:] - u[:, :-1], u[1:] - u[:-1]
    long, high = np.sqrt(across * across + 0.001), np.sqrt(down * down + 0.001)
    e = u - image
    value = (e * e).sum() / 2 + lam * (long.sum() + high.sum())
    across, down = lam * across / long, lam * down / high
    e[:, 1:] += across
    e[:, :-1] -= across
    e[1:] += down
    e[:-1] -= down
    return value, {"u": e}


def variation_loss(k: Any, v: Any) -> Any:
    across, down = v.u[:, 1:] - v.u[:, :-1], v.u[1:] - v.u[:-1]
    length = k.np.sum(k.np.sqrt(across**2 + 0.001)) + k.np.sum(k.np.sqrt(down**2 + 0.001))
    return k.squared_error(v.u, v.image) / 2 + v.lam * length


LSTM = Workload(
    name="lstm",
    text=LSTM_TEXT,
    inputs=lstm_inputs,
    by_hand=lstm,
    loss=lstm_loss,
    wrt=("W", "U", "b"),
    small={"n": 5, "d": 4, "h": 3},
)
VARIATION = Workload(
    name="variation",
    text=VARIATION_TEXT,
    inputs=variation_inputs,
    by_hand=variation,
    loss=variation_loss,
    wrt=("u",),
    small={"n": 6, "m": 5},
)
