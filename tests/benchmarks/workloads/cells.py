"""Parts of larger networks: a head of attention, a residual block, a gated cell, a convolution."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

ATTENTION_TEXT = """
X: data[N, D]
T: data[N, E]
Wq: param[D, K];  Wk: param[D, K];  Wv: param[D, E]
Q = X @ Wq
S = Q @ (X @ Wk).T / sqrt(K)
A = softmax(S)
loss = sum((A @ (X @ Wv) - T)**2)
"""

RESIDUAL_TEXT = """
X: data[N, D]
T: data[N, D]
W1: param[D, H];  b1: param[H]
W2: param[H, D];  b2: param[D]
h = relu(X @ W1 + b1)
y = relu(X + h @ W2 + b2)
loss = mse(y, T)
"""

GRU_TEXT = """
x: data[N, D];  h: data[N, H];  t: data[N, H]
Wz: param[D, H];  Uz: param[H, H];  bz: param[H]
Wr: param[D, H];  Ur: param[H, H];  br: param[H]
Wc: param[D, H];  Uc: param[H, H];  bc: param[H]
z = sigmoid(x @ Wz + h @ Uz + bz)
r = sigmoid(x @ Wr + h @ Ur + br)
c = tanh(x @ Wc + (r * h) @ Uc + bc)
h_new = (1 - z) * h + z * c
loss = mse(h_new, t)
"""

# k[i, j] X[:, i:H-2+i, j:W-2+j], with the bounds that one writes: none at 0, -1 for H-1
TAPS = [
    (i, j, f"{i or ''}:{i - 2 or ''}, {j or ''}:{j - 2 or ''}") for i in range(3) for j in range(3)
]
CONV_TEXT = f"""
X: data[N, H, W]
t: data[N]
k: param[3, 3];  b: param
z = {" + ".join(f"k[{i}, {j}]*X[:, {where}]" for i, j, where in TAPS)} + b
loss = sum((mean(relu(z), axis=(1, 2)) - t)**2)
"""


def attention_inputs(rng: np.random.Generator, n: int = 256, d: int = 64, k: int = 64) -> Values:
    weights = {name: normal(rng, d, k, scale=d**-0.5) for name in ("Wq", "Wk", "Wv")}
    return {"X": normal(rng, n, d), "T": normal(rng, n, k), **weights}


def attention(X: Any, T: Any, Wq: Any, Wk: Any, Wv: Any) -> Answer:
    q, k, v = X @ Wq, X @ Wk, X @ Wv
    scale = float(k.shape[1]) ** -0.5
    s = scale * (q @ k.T)
    a = np.exp(s - s.max(axis=1, keepdims=True))
    a /= a.sum(axis=1, keepdims=True)
    e = a @ v - T
    d = 2 * e
    da = d @ v.T
    da -= (da * a).sum(axis=1, keepdims=True)
    ds = scale * a * da
    return (e * e).sum(), {"Wq": X.T @ (ds @ k), "Wk": X.T @ (ds.T @ q), "Wv": X.T @ (a.T @ d)}


def attention_loss(k: Any, v: Any) -> Any:
    scores = (v.X @ v.Wq) @ (v.X @ v.Wk).T * (k.shape(v.Wk)[1] ** -0.5)
    return k.squared_error(k.softmax(scores) @ (v.X @ v.Wv), v.T)


def residual_inputs(rng: np.random.Generator, n: int = 128, d: int = 256, h: int = 256) -> Values:
    return {
        "X": normal(rng, n, d),
        "T": normal(rng, n, d),
        "W1": normal(rng, d, h, scale=d**-0.5),
        "b1": normal(rng, h, scale=0.1),
        "W2": normal(rng, h, d, scale=h**-0.5),
        "b2": normal(rng, d, scale=0.1),
    }


def residual(X: Any, T: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Answer:
    h = np.maximum(X @ W1 + b1, 0)
    y = np.maximum(X + h @ W2 + b2, 0)
    e = y - T
    dy = (2 / e.size) * e
    dy *= y > 0
    dh = dy @ W2.T
    dh *= h > 0
    grads = {"W1": X.T @ dh, "b1": dh.sum(axis=0), "W2": h.T @ dy, "b2": dy.sum(axis=0)}
    return (e * e).mean(), grads


def residual_loss(k: Any, v: Any) -> Any:
    h = k.relu(k.affine(v.X, v.W1, v.b1))
    return k.mse(k.relu(v.X + k.affine(h, v.W2, v.b2)), v.T)


def gru_inputs(rng: np.random.Generator, n: int = 64, d: int = 64, h: int = 128) -> Values:
    values = {"x": normal(rng, n, d), "h": normal(rng, n, h, scale=0.5), "t": normal(rng, n, h)}
    for gate in "zrc":
        values[f"W{gate}"] = normal(rng, d, h, scale=d**-0.5)
        values[f"U{gate}"] = normal(rng, h, h, scale=h**-0.5)
        values[f"b{gate}"] = normal(rng, h, scale=0.1)
    return values


def gru(x: Any, h: Any, t: Any, **p: Any) -> Answer:
    z = 1 / (1 + np.exp(-(x @ p["Wz"] + h @ p["Uz"] + p["bz"])))
    r = 1 / (1 + np.exp(-(x @ p["Wr"] + h @ p["Ur"] + p["br"])))
    rh = r * h
    c = np.tanh(x @ p["Wc"] + rh @ p["Uc"] + p["bc"])
    e = h + z * (c - h) - t
    d = (2 / e.size) * e
    dz = d * (c - h) * z * (1 - z)
    dc = d * z * (1 - c * c)
    dr = dc @ p["Uc"].T * h * r * (1 - r)
    grads = {}
    for gate, delta, state in (("z", dz, h), ("r", dr, h), ("c", dc, rh)):
        grads[f"W{gate}"], grads[f"U{gate}"] = x.T @ delta, state.T @ delta
        grads[f"b{gate}"] = delta.sum(axis=0)
    return (e * e).mean(), grads


def gru_loss(k: Any, v: Any) -> Any:
    z = k.sigmoid(k.affine(v.x, v.Wz, v.bz) + v.h @ v.Uz)
    r = k.sigmoid(k.affine(v.x, v.Wr, v.br) + v.h @ v.Ur)
    c = k.np.tanh(k.affine(v.x, v.Wc, v.bc) + (r * v.h) @ v.Uc)
    return k.mse((1 - z) * v.h + z * c, v.t)


def conv_inputs(rng: np.random.Generator, n: int = 64, side: int = 28) -> Values:
    return {"X": normal(rng, n, side, side), "t": rng.random(n), "k": normal(rng, 3, 3), "b": 0.1}


def conv(X: Any, t: Any, k: Any, b: float) -> Answer:
    _, rows, columns = X.shape
    windows = [X[:, i : rows - 2 + i, j : columns - 2 + j] for i in range(3) for j in range(3)]
    z = b + k[0, 0] * windows[0]
    for tap, window in zip(k.flat[1:], windows[1:], strict=True):
        z += tap * window
    e = np.maximum(z, 0).mean(axis=(1, 2)) - t
    dz = (2 / z[0].size * e)[:, None, None] * (z > 0)
    dk = [np.einsum("nij,nij", dz, window) for window in windows]
    return (e * e).sum(), {"k": np.reshape(dk, (3, 3)), "b": dz.sum()}


def conv_loss(k: Any, v: Any) -> Any:
    z = k.conv(v.X, v.k) + v.b
    return k.np.sum(k.np.square(k.np.mean(k.relu(z), axis=(1, 2)) - v.t))


ATTENTION = Workload(
    name="attention",
    text=ATTENTION_TEXT,
    inputs=attention_inputs,
    by_hand=attention,
    loss=attention_loss,
    wrt=("Wq", "Wk", "Wv"),
    small={"n": 6, "d": 5, "k": 4},
)
RESIDUAL = Workload(
    name="residual",
    text=RESIDUAL_TEXT,
    inputs=residual_inputs,
    by_hand=residual,
    loss=residual_loss,
    wrt=("W1", "b1", "W2", "b2"),
    small={"n": 6, "d": 5, "h": 4},
)
GRU = Workload(
    name="gru",
    text=GRU_TEXT,
    inputs=gru_inputs,
    by_hand=gru,
    loss=gru_loss,
    wrt=tuple(f"{letter}{gate}" for gate in "zrc" for letter in "WUb"),
    small={"n": 5, "d": 4, "h": 3},
)
CONV = Workload(
    name="conv",
    text=CONV_TEXT,
    inputs=conv_inputs,
    by_hand=conv,
    loss=conv_loss,
    wrt=("k", "b"),
    small={"n": 4, "side": 7},
)
