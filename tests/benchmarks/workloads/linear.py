"""Linear models: softmax and support vector classifiers of ten classes, logistic regression."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, cross_entropy, logistic, normal

SOFTMAX_TEXT = """
x: data[N, D]
y: labels[N, C]
W: param[D, C];  b: param[C]
s = x @ W + b
loss = cross_entropy(s, y) + lam/2 * sum(W**2)
"""

SVM_TEXT = """
x: data[N, D]
y: labels[N, C]
W: param[D, C]
s = x @ W
loss = svm(s, y) + lam/2 * sum(W**2)
"""

LOGREG_TEXT = """
x: data[N, D]
t: binary[N]
w: param[D];  b: param
z = x @ w + b
loss = bce_with_logits(z, t)
"""


def softmax_inputs(rng: np.random.Generator, n: int = 1024, d: int = 784, c: int = 10) -> Values:
    return {
        "x": rng.random((n, d)),
        "y": rng.integers(0, c, n),
        "W": normal(rng, d, c, scale=0.05),
        "b": normal(rng, c, scale=0.1),
        "lam": 1e-3,
    }


def softmax(x: Any, y: Any, W: Any, b: Any, lam: float) -> Answer:
    loss, ds = cross_entropy(x @ W + b, y)
    loss = loss + 0.5 * lam * (W * W).sum()
    return loss, {"W": x.T @ ds + lam * W, "b": ds.sum(axis=0)}


def softmax_loss(k: Any, v: Any) -> Any:
    return k.cross_entropy(k.affine(v.x, v.W, v.b), v.y) + 0.5 * v.lam * k.np.sum(k.np.square(v.W))


def svm_inputs(rng: np.random.Generator, n: int = 1024, d: int = 784, c: int = 10) -> Values:
    values = softmax_inputs(rng, n, d, c)
    del values["b"]
    return values


def svm(x: Any, y: Any, W: Any, lam: float) -> Answer:
    n, rows = len(y), np.arange(len(y))
    s = x @ W
    margins = np.maximum(s - s[rows, y][:, None] + 1, 0)
    margins[rows, y] = 0
    ds = (margins > 0).astype(W.dtype)
    ds[rows, y] = -ds.sum(axis=1)
    ds /= n
    return margins.sum() / n + 0.5 * lam * (W * W).sum(), {"W": x.T @ ds + lam * W}


def svm_loss(k: Any, v: Any) -> Any:
    return k.svm(v.x @ v.W, v.y) + 0.5 * v.lam * k.np.sum(k.np.square(v.W))


def logreg_inputs(rng: np.random.Generator, n: int = 100_000, d: int = 20) -> Values:
    x, truth = normal(rng, n, d), normal(rng, d)
    return {
        "x": x,
        "t": (x @ truth + rng.standard_normal(n) > 0).astype(np.float64),
        "w": normal(rng, d, scale=0.3),
        "b": 0.1,
    }


def logreg(x: Any, t: Any, w: Any, b: float) -> Answer:
    loss, dz = logistic(x @ w + b, t)
    return loss, {"w": x.T @ dz, "b": dz.sum()}


def logreg_loss(k: Any, v: Any) -> Any:
    return k.bce_with_logits(v.x @ v.w + v.b, v.t)


SMALL = {"n": 7, "d": 5, "c": 3}
SOFTMAX = Workload(
    name="softmax",
    text=SOFTMAX_TEXT,
    inputs=softmax_inputs,
    by_hand=softmax,
    loss=softmax_loss,
    wrt=("W", "b"),
    small=SMALL,
)
SVM = Workload(
    name="svm",
    text=SVM_TEXT,
    inputs=svm_inputs,
    by_hand=svm,
    loss=svm_loss,
    wrt=("W",),
    small=SMALL,
)
LOGREG = Workload(
    name="logreg",
    text=LOGREG_TEXT,
    inputs=logreg_inputs,
    by_hand=logreg,
    loss=logreg_loss,
    wrt=("w", "b"),
    small={"n": 50, "d": 4},
)
