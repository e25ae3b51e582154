"""Losses with structure: a filter over time, the factors of a tensor, a softmax in a square."""

from math import log
from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

STEPS = 20
FILTER_TEXT = "\n".join(
    [
        "y: data[T]",
        "a: param;  q: param;  r: param",
        "m0 = 0;  P0 = 1",
        *(
            f"p{t} = a*m{t};  V{t} = a**2*P{t} + q;  S{t} = V{t} + r;  e{t} = y[{t}] - p{t}\n"
            f"K{t} = V{t}/S{t};  m{t + 1} = p{t} + K{t}*e{t};  P{t + 1} = (1 - K{t})*V{t}"
            for t in range(STEPS)
        ),
        "loss = (" + " + ".join(f"log(S{t}) + e{t}**2/S{t}" for t in range(STEPS)) + ")/2",
    ]
)

TENSOR_TEXT = """
A: param[I, R];  B: param[J, R];  C: param[K, R]
T: data[I, J, K]
loss = mean((einsum("ir,jr,kr->ijk", A, B, C) - T)**2)
"""

BRIER_TEXT = """
X: data[N, D]
Y: simplex[N, C]
W: param[D, C];  b: param[C]
loss = sum((softmax(X @ W + b) - Y)**2)/N
"""


def filter_inputs(rng: np.random.Generator) -> Values:
    return {"y": normal(rng, STEPS), "a": 0.9, "q": 0.5, "r": 0.7}


def kalman(y: Any, a: float, q: float, r: float) -> Answer:
    m, P, total, steps = 0.0, 1.0, 0.0, []
    for y_t in y.tolist():
        V = a * a * P + q
        S, e, K = V + r, y_t - a * m, V / (V + r)
        steps.append((m, P, V, S, e, K))
        total += log(S) + e * e / S
        m, P = a * m + K * e, (1 - K) * V
    gm = gP = ga = gq = gr = 0.0
    for m, P, V, S, e, K in reversed(steps):
        gK = gm * e - gP * V
        ge = gm * K + e / S
        gS = (0.5 - 0.5 * e * e / S - gK * K) / S
        gV = gP * (1 - K) + gK / S + gS
        gp = gm - ge
        ga += 2 * a * P * gV + gp * m
        gq += gV
        gr += gS
        gm, gP = gp * a, gV * a * a
    return total / 2, {"a": ga, "q": gq, "r": gr}


def filter_loss(k: Any, v: Any) -> Any:
    m, P, total = 0.0, 1.0, 0.0
    for t in range(STEPS):
        V = v.a * v.a * P + v.q
        S, e = V + v.r, v.y[t] - v.a * m
        total = total + k.np.log(S) + e * e / S
        m, P = v.a * m + V / S * e, (1 - V / S) * V
    return total / 2


def tensor_inputs(
    rng: np.random.Generator, i: int = 40, j: int = 50, k: int = 30, r: int = 8
) -> Values:
    return {"A": normal(rng, i, r), "B": normal(rng, j, r), "C": normal(rng, k, r),
            "T": normal(rng, i, j, k)}  # fmt: skip


def tensor(A: Any, B: Any, C: Any, T: Any) -> Answer:
    AB = A[:, None] * B  # (I, J, R)
    e = AB @ C.T - T
    loss = np.vdot(e, e) / e.size
    e *= 2 / e.size
    eC = e @ C  # it serves both other slopes
    rows = AB.reshape(-1, AB.shape[2])
    return loss, {"A": (eC * B).sum(axis=1), "B": (eC * A[:, None]).sum(axis=0),
                  "C": e.reshape(-1, len(C)).T @ rows}  # fmt: skip


def tensor_loss(k: Any, v: Any) -> Any:
    return k.mse((v.A[:, None, :] * v.B[None, :, :]) @ v.C.T, v.T)


def brier_inputs(rng: np.random.Generator, n: int = 2048, d: int = 64, c: int = 16) -> Values:
    soft = np.exp(normal(rng, n, c))
    return {"X": normal(rng, n, d), "Y": soft / soft.sum(axis=1, keepdims=True),
            "W": normal(rng, d, c, scale=0.1), "b": normal(rng, c, scale=0.1)}  # fmt: skip


def brier(X: Any, Y: Any, W: Any, b: Any) -> Answer:
    s = X @ W + b
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    e = p - Y
    loss = np.vdot(e, e) / len(X)
    e *= 2 / len(X)
    e -= (e * p).sum(axis=1, keepdims=True)
    e *= p
    return loss, {"W": X.T @ e, "b": e.sum(axis=0)}


def brier_loss(k: Any, v: Any) -> Any:
    return k.squared_error(k.softmax(k.affine(v.X, v.W, v.b)), v.Y) / k.shape(v.X)[0]


FILTER = Workload(
    "filter", FILTER_TEXT, filter_inputs, kalman, filter_loss, ("a", "q", "r"), scalar=True
)
TENSOR = Workload("tensor", TENSOR_TEXT, tensor_inputs, tensor, tensor_loss, ("A", "B", "C"),
                  {"i": 4, "j": 5, "k": 3, "r": 2})  # fmt: skip
BRIER = Workload("brier", BRIER_TEXT, brier_inputs, brier, brier_loss, ("W", "b"),
                 {"n": 12, "d": 5, "c": 3})  # fmt: skip
