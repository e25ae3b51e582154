"""What is measured: one row of WORKLOADS per workload, with its gradient written by hand.

`by_hand` is what a careful engineer writes in plain NumPy: the textbook gradient, stable,
allocating as it goes. It is the reference for every other figure and for correctness.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

EXAMPLES = Path(__file__).parents[2] / "examples"
Answer = tuple[Any, dict[str, Any]]


@dataclass(frozen=True)
class Workload:
    """A loss as text, the inputs it is measured at, what it is differentiated by."""

    name: str
    text: str
    inputs: Callable[[np.random.Generator], dict[str, Any]]  # float64; run.py casts
    wrt: tuple[str, ...]
    by_hand: Callable[..., Answer]


def neuron_inputs(rng: np.random.Generator) -> dict[str, Any]:
    return {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}


def neuron(w0: float, x0: float, w1: float, x1: float, w2: float) -> Answer:
    f = 1 / (1 + math.exp(-(w0 * x0 + w1 * x1 + w2)))
    d = f * (1 - f)
    return f, {"w0": d * x0, "x0": d * w0, "w1": d * x1, "x1": d * w1, "w2": d}


def regression_inputs(rng: np.random.Generator) -> dict[str, Any]:
    n, d_in, hidden, d_out = 64, 1000, 100, 10
    return {
        "x": rng.standard_normal((n, d_in)),
        "y": rng.standard_normal((n, d_out)),
        "w1": rng.standard_normal((d_in, hidden)) / d_in**0.5,
        "w2": rng.standard_normal((hidden, d_out)) / hidden**0.5,
    }


def regression(x: Any, y: Any, w1: Any, w2: Any) -> Answer:
    h = 1 / (1 + np.exp(-(x @ w1)))
    e = h @ w2 - y
    g = 2 * e
    dz = g @ w2.T * h * (1 - h)
    return (e * e).sum(), {"w1": x.T @ dz, "w2": h.T @ g}


def cross_entropy(s: Any, t: Any) -> tuple[Any, Any]:
    """Return the mean cross-entropy of scores (N, C) with labels (N,), and d loss / d s."""
    rows = np.arange(len(t))
    s = s - s.max(axis=1, keepdims=True)
    p = np.exp(s)
    z = p.sum(axis=1, keepdims=True)
    loss = (np.log(z[:, 0]) - s[rows, t]).mean()
    p /= z
    p[rows, t] -= 1
    p /= len(t)
    return loss, p


def classifier_inputs(rng: np.random.Generator) -> dict[str, Any]:
    n, d, hidden, c = 128, 784, 256, 10
    return {
        "X": rng.random((n, d)),
        "t": rng.integers(0, c, n),
        "W1": rng.standard_normal((d, hidden)) * 0.05,
        "b1": rng.standard_normal(hidden) * 0.1,
        "W2": rng.standard_normal((hidden, c)) * 0.1,
        "b2": rng.standard_normal(c) * 0.1,
        "lam": 1e-4,
    }


def classifier(X: Any, t: Any, W1: Any, b1: Any, W2: Any, b2: Any, lam: float) -> Answer:
    h = np.maximum(X @ W1 + b1, 0)
    loss, ds = cross_entropy(h @ W2 + b2, t)
    dz = ds @ W2.T
    dz *= h > 0
    loss = loss + lam * ((W1 * W1).sum() + (W2 * W2).sum())
    grads = {"W1": X.T @ dz + 2 * lam * W1, "W2": h.T @ ds + 2 * lam * W2}
    return loss, {**grads, "b1": dz.sum(axis=0), "b2": ds.sum(axis=0)}


SOFTMAX = """
X: data[N, D]
t: labels[N, C]
W: param[D, C];  b: param[C]
loss = cross_entropy(X @ W + b, t) + lam * sum(W**2)
"""


def softmax_inputs(rng: np.random.Generator) -> dict[str, Any]:
    n, d, c = 1024, 784, 10
    return {
        "X": rng.random((n, d)),
        "t": rng.integers(0, c, n),
        "W": rng.standard_normal((d, c)) * 0.05,
        "b": rng.standard_normal(c) * 0.1,
        "lam": 1e-4,
    }


def softmax(X: Any, t: Any, W: Any, b: Any, lam: float) -> Answer:
    loss, ds = cross_entropy(X @ W + b, t)
    grads = {"W": X.T @ ds + 2 * lam * W, "b": ds.sum(axis=0)}
    return loss + lam * (W * W).sum(), grads


def example(name: str) -> str:
    """Return the text of a model among the examples."""
    return (EXAMPLES / name).read_text(encoding="utf-8")


WORKLOADS = (
    Workload(
        "neuron", example("01_neuron.sg"), neuron_inputs, ("w0", "x0", "w1", "x1", "w2"), neuron
    ),
    Workload("regression", example("03_two_layer.sg"), regression_inputs, ("w1", "w2"), regression),
    Workload(
        "classifier",
        example("04_digits.sg"),
        classifier_inputs,
        ("W1", "b1", "W2", "b2"),
        classifier,
    ),
    Workload("softmax", SOFTMAX, softmax_inputs, ("W", "b"), softmax),
)
