"""Losses typed with indices: scores by a matrix between two sets of features, rated pairs."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

BILINEAR_TEXT = """
A: data[N, P];  B: data[N, Q];  y: data[N]
W: param[P, Q]
s[n] = sum(A[n,p]*W[p,q]*B[n,q] for p in P for q in Q)
loss = sum((s[n] - y[n])**2 for n in N)/N
"""

PAIRS_TEXT = """
U: param[M, K];  V: param[L, K]
u: labels[N, M];  i: labels[N, L];  r: data[N]
e[n] = r[n] - sum(U[u[n],k]*V[i[n],k] for k in K)
loss = sum(e[n]**2 for n in N)/N + 0.01*sum(U[a,k]**2 for a in M for k in K)
"""


def bilinear_inputs(rng: np.random.Generator, n: int = 500, p: int = 40, q: int = 30) -> Values:
    return {"A": normal(rng, n, p), "B": normal(rng, n, q), "y": normal(rng, n),
            "W": normal(rng, p, q, scale=0.1)}  # fmt: skip


def bilinear(A: Any, B: Any, y: Any, W: Any) -> Answer:
    e = np.einsum("nq,nq->n", A @ W, B) - y
    return e @ e / len(y), {"W": A.T @ (B * (2 / len(y) * e)[:, None])}


def bilinear_loss(k: Any, v: Any) -> Any:
    return k.mse(k.np.sum((v.A @ v.W) * v.B, 1), v.y)


def pairs_inputs(
    rng: np.random.Generator, n: int = 5000, m: int = 400, items: int = 300, rank: int = 16
) -> Values:
    return {"U": normal(rng, m, rank, scale=0.3), "V": normal(rng, items, rank, scale=0.3),
            "u": rng.integers(0, m, n), "i": rng.integers(0, items, n),
            "r": normal(rng, n)}  # fmt: skip


def pairs(U: Any, V: Any, u: Any, i: Any, r: Any) -> Answer:
    Uu, Vi = U[u], V[i]
    e = np.einsum("nk,nk->n", Uu, Vi) - r
    loss = e @ e / len(r) + 0.01 * np.vdot(U, U)
    d = (2 / len(r) * e)[:, None]
    gU, gV = 0.02 * U, np.zeros_like(V)
    np.add.at(gU, u, d * Vi)
    np.add.at(gV, i, d * Uu)
    return loss, {"U": gU, "V": gV}


def pairs_loss(k: Any, v: Any) -> Any:
    guess = k.np.sum(v.U[v.u] * v.V[v.i], 1)
    return k.mse(guess, v.r) + 0.01 * k.np.sum(v.U * v.U)


BILINEAR = Workload("bilinear", BILINEAR_TEXT, bilinear_inputs, bilinear, bilinear_loss, ("W",),
                    {"n": 8, "p": 4, "q": 3})  # fmt: skip
PAIRS = Workload("pairs", PAIRS_TEXT, pairs_inputs, pairs, pairs_loss, ("U", "V"),
                 {"n": 12, "m": 5, "items": 4, "rank": 3})  # fmt: skip
