"""Losses of practice: robust and radial regression, interactions, answers and groups, parts."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, logistic, normal

DELTA = 1.35

HUBER_TEXT = """
X: data[N, D]
y: data[N]
w: param[D];  b: param
loss = huber(X @ w + b, y, delta=1.35) + lam/2*sum(w**2)
"""

RADIAL_TEXT = """
X: data[N, D]
y: data[N]
C: param[M, D];  s: param[M]
w: param[M]
d2 = sum(X**2, axis=1)[:, None] + sum(C**2, axis=1) - 2*X @ C.T
phi = exp(-exp(s)*d2)
loss = mse(phi @ w, y)
"""

MACHINE_TEXT = """
X: data[N, D]
t: binary[N]
w: param[D];  V: param[D, K]
z = X @ w + sum((X @ V)**2 - X**2 @ V**2, axis=1)/2
loss = bce_with_logits(z, t)
"""

ABILITIES_TEXT = """
p: labels[N, P];  q: labels[N, Q]
t: binary[N]
theta: param[P];  a: param[Q];  b: param[Q]
z = exp(a[q])*(theta[p] - b[q])
loss = bce_with_logits(z, t)
"""

GROUPS_TEXT = """
X: data[N, D];  Z: data[N, K]
g: labels[N, G]
y: data[N]
beta: param[D];  B: param[G, K]
e = y - X @ beta - sum(Z*B[g], axis=1)
loss = mean(e**2)/2 + lam*sum(B**2)
"""

PARTS_TEXT = """
V: positive[M, N]
A: param[M, K];  B: param[K, N]
W = softplus(A)
H = softplus(B)
P = W @ H
loss = sum(V*log(V/P) - V + P)
"""


FOCAL_TEXT = """
X: data[N, D];  y: binary[N]
w: param[D];  b: param
p = sigmoid(X @ w + b)
q = where(y == 1, p, 1 - p)
loss = -mean((1 - q)**2*log(q))
"""


def huber_inputs(rng: np.random.Generator, n: int = 50_000, d: int = 40) -> Values:
    X, truth = normal(rng, n, d), normal(rng, d)
    y = X @ truth + rng.standard_t(2, n)
    return {"X": X, "y": y, "w": truth + normal(rng, d, scale=0.1), "b": 0.1, "lam": 1e-2}


def huber(X: Any, y: Any, w: Any, b: float, lam: float) -> Answer:
    e = X @ w + b - y
    c = np.clip(e, -DELTA, DELTA)  # the loss is c (e - c/2), its slope c
    loss = (c * (e - 0.5 * c)).mean() + 0.5 * lam * (w @ w)
    c /= len(y)
    return loss, {"w": X.T @ c + lam * w, "b": c.sum()}


def huber_loss(k: Any, v: Any) -> Any:
    e = v.X @ v.w + v.b - v.y
    size = k.np.abs(e)
    each = k.np.where(size <= DELTA, e * e / 2, DELTA * (size - DELTA / 2))
    return k.np.mean(each) + v.lam / 2 * k.np.sum(v.w * v.w)


def focal_inputs(rng: np.random.Generator, n: int = 20_000, d: int = 10) -> Values:
    return {"X": normal(rng, n, d), "y": (rng.random(n) < 0.3).astype(np.float64),
            "w": normal(rng, d), "b": 0.1}  # fmt: skip


def focal(X: Any, y: Any, w: Any, b: float) -> Answer:
    sign = 2 * y - 1
    u = sign * (X @ w + b)
    log_q = -(np.maximum(-u, 0) + np.log1p(np.exp(-np.abs(u))))
    q = np.exp(log_q)
    rest = 1 - q
    d = sign * (2 * q * log_q - rest) * rest * rest / len(y)
    return -(rest * rest * log_q).mean(), {"w": X.T @ d, "b": d.sum()}


def focal_loss(k: Any, v: Any) -> Any:
    u = (2 * v.y - 1) * (v.X @ v.w + v.b)
    return k.np.mean(k.np.square(k.sigmoid(-u)) * k.softplus(-u))


def radial_inputs(rng: np.random.Generator, n: int = 2000, d: int = 16, m: int = 100) -> Values:
    X = normal(rng, n, d)
    return {
        "X": X,
        "y": np.sin(X[:, 0]),
        "C": X[:m] + normal(rng, m, d, scale=0.1),
        "s": normal(rng, m, scale=0.1) - 3,
        "w": normal(rng, m, scale=0.1),
    }


def radial(X: Any, y: Any, C: Any, s: Any, w: Any) -> Answer:
    d2 = (X * X).sum(axis=1)[:, None] + (C * C).sum(axis=1) - 2 * (X @ C.T)
    rate = np.exp(s)
    phi = np.exp(-rate * d2)
    e = phi @ w - y
    de = (2 / len(y)) * e
    dq = phi * de[:, None]
    dq *= w  # d loss / d(-rate d2)
    total = dq.sum(axis=0)
    dC = 2 * rate[:, None] * (dq.T @ X - total[:, None] * C)
    return (e * e).mean(), {"C": dC, "s": -rate * (dq * d2).sum(axis=0), "w": phi.T @ de}


def radial_loss(k: Any, v: Any) -> Any:
    square, total = k.np.square, k.np.sum
    d2 = total(square(v.X), axis=1)[:, None] + total(square(v.C), axis=1) - 2 * v.X @ v.C.T
    return k.mse(k.np.exp(-k.np.exp(v.s) * d2) @ v.w, v.y)


def machine_inputs(rng: np.random.Generator, n: int = 4000, d: int = 200, r: int = 10) -> Values:
    return {
        "X": (rng.random((n, d)) < 0.1) * rng.random((n, d)),
        "t": (rng.random(n) < 0.3).astype(np.float64),
        "w": normal(rng, d, scale=0.1),
        "V": normal(rng, d, r, scale=0.2),
    }


def machine(X: Any, t: Any, w: Any, V: Any) -> Answer:
    A, X2 = X @ V, X * X
    z = X @ w + 0.5 * ((A * A).sum(axis=1) - X2 @ (V * V).sum(axis=1))
    loss, d = logistic(z, t)
    return loss, {"w": X.T @ d, "V": X.T @ (d[:, None] * A) - (X2.T @ d)[:, None] * V}


def machine_loss(k: Any, v: Any) -> Any:
    square = k.np.square
    pairs = k.np.sum(square(v.X @ v.V) - square(v.X) @ square(v.V), axis=1)
    return k.bce_with_logits(v.X @ v.w + pairs / 2, v.t)


def abilities_inputs(
    rng: np.random.Generator, n: int = 40_000, people: int = 1000, items: int = 100
) -> Values:
    return {
        "p": rng.integers(0, people, n),
        "q": rng.integers(0, items, n),
        "t": (rng.random(n) < 0.6).astype(np.float64),
        "theta": normal(rng, people),
        "a": normal(rng, items, scale=0.2),
        "b": normal(rng, items),
    }


def abilities(p: Any, q: Any, t: Any, theta: Any, a: Any, b: Any) -> Answer:
    rate = np.exp(a)[q]
    z = rate * (theta[p] - b[q])
    loss, d = logistic(z, t)
    slope, items = d * rate, len(a)
    grads = {
        "theta": np.bincount(p, slope, len(theta)),
        "a": np.bincount(q, d * z, items),
        "b": -np.bincount(q, slope, items),
    }
    return loss, {name: g.astype(theta.dtype) for name, g in grads.items()}


def abilities_loss(k: Any, v: Any) -> Any:
    z = k.np.exp(v.a[v.q]) * (v.theta[v.p] - v.b[v.q])
    return k.bce_with_logits(z, v.t)


def groups_inputs(
    rng: np.random.Generator, n: int = 20_000, d: int = 10, groups: int = 300, r: int = 3
) -> Values:
    return {
        "X": normal(rng, n, d),
        "Z": normal(rng, n, r),
        "g": rng.integers(0, groups, n),
        "y": normal(rng, n),
        "beta": normal(rng, d, scale=0.3),
        "B": normal(rng, groups, r, scale=0.3),
        "lam": 1e-3,
    }


def groups(X: Any, Z: Any, g: Any, y: Any, beta: Any, B: Any, lam: float) -> Answer:
    e = y - X @ beta - (Z * B[g]).sum(axis=1)
    d = -e / len(y)
    dB = 2 * lam * B
    for j in range(B.shape[1]):
        dB[:, j] += np.bincount(g, Z[:, j] * d, len(B))
    return 0.5 * (e * e).mean() + lam * (B * B).sum(), {"beta": X.T @ d, "B": dB}


def groups_loss(k: Any, v: Any) -> Any:
    e = v.y - v.X @ v.beta - k.np.sum(v.Z * v.B[v.g], axis=1)
    return k.np.mean(k.np.square(e)) / 2 + v.lam * k.np.sum(k.np.square(v.B))


def parts_inputs(rng: np.random.Generator, m: int = 200, n: int = 150, r: int = 8) -> Values:
    return {
        "V": rng.random((m, n)) + 0.1,
        "A": normal(rng, m, r, scale=0.5),
        "B": normal(rng, r, n, scale=0.5),
    }


def parts(V: Any, A: Any, B: Any) -> Answer:
    W, H = (np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))) for x in (A, B))
    P = W @ H
    loss = (V * np.log(V / P)).sum() - V.sum() + P.sum()
    d = 1 - V / P
    return loss, {"A": d @ H.T / (1 + np.exp(-A)), "B": W.T @ d / (1 + np.exp(-B))}


def parts_loss(k: Any, v: Any) -> Any:
    P = k.softplus(v.A) @ k.softplus(v.B)
    return k.np.sum(v.V * k.np.log(v.V / P) - v.V + P)


HUBER = Workload("huber", HUBER_TEXT, huber_inputs, huber, huber_loss,
                 ("w", "b"), {"n": 30, "d": 4})  # fmt: skip
RADIAL = Workload("radial", RADIAL_TEXT, radial_inputs, radial, radial_loss,
                  ("C", "s", "w"), {"n": 30, "d": 4, "m": 5})  # fmt: skip
MACHINE = Workload("machine", MACHINE_TEXT, machine_inputs, machine, machine_loss,
                   ("w", "V"), {"n": 30, "d": 6, "r": 3})  # fmt: skip
ABILITIES = Workload("abilities", ABILITIES_TEXT, abilities_inputs, abilities, abilities_loss,
                     ("theta", "a", "b"), {"n": 40, "people": 7, "items": 5})  # fmt: skip
GROUPS = Workload("groups", GROUPS_TEXT, groups_inputs, groups, groups_loss,
                  ("beta", "B"), {"n": 40, "d": 4, "groups": 6, "r": 3})  # fmt: skip
PARTS = Workload("parts", PARTS_TEXT, parts_inputs, parts, parts_loss,
                 ("A", "B"), {"m": 7, "n": 6, "r": 3})  # fmt: skip
FOCAL = Workload("focal", FOCAL_TEXT, focal_inputs, focal, focal_loss, ("w", "b"),
                 {"n": 12, "d": 3})  # fmt: skip
