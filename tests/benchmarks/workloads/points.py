"""Distances of all pairs of points: a smoother with a Gaussian kernel, typed with indices."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

SMOOTHER_TEXT = """
X: data[N, D];  t: data[N]
Z: param[M, D];  w: param[M]
K[i,j] = exp(-sum((X[i,k] - Z[j,k])**2 for k in D)/2)
f[i] = sum(K[i,j]*w[j] for j in M)
loss = sum((f[i] - t[i])**2 for i in N)/N
"""


def smoother_inputs(rng: np.random.Generator, n: int = 1000, m: int = 200, d: int = 20) -> Values:
    X = normal(rng, n, d, scale=0.3)
    return {"X": X, "t": np.sin(X[:, 0]), "Z": X[:m] + normal(rng, m, d, scale=0.1),
            "w": normal(rng, m)}  # fmt: skip


def smoother(X: Any, t: Any, Z: Any, w: Any) -> Answer:
    """Multiply X @ Z.T, as everybody does; near points lose digits."""
    d2 = (X * X).sum(axis=1)[:, None] + (Z * Z).sum(axis=1) - 2 * (X @ Z.T)
    K = np.exp(-0.5 * d2)
    e = K @ w - t
    de = (2 / len(t)) * e
    G = K * np.outer(de, w)
    return (e * e).mean(), {"Z": G.T @ X - G.sum(axis=0)[:, None] * Z, "w": K.T @ de}


def smoother_loss(k: Any, v: Any) -> Any:
    square, total = k.np.square, k.np.sum
    d2 = total(square(v.X[:, None] - v.Z[None]), axis=2)
    return k.mse(k.np.exp(-d2 / 2) @ v.w, v.t)


SMOOTHER = Workload("smoother", SMOOTHER_TEXT, smoother_inputs, smoother, smoother_loss, ("Z", "w"),
                    {"n": 12, "m": 5, "d": 4})  # fmt: skip
