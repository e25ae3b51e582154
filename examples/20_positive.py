"""Softplus at the output, for targets that are positive: python examples/20_positive.py

Counts and durations cannot be negative, and a linear output does not know it.
"""

import sys
from pathlib import Path

import numpy as np

import symgrad as sg
from symgrad.plots.fits import fit

MODEL = """\
x: data[N, 1]
t: data[N]
W1: param[1, 32];  b1: param[32]
w2: param[32];     b2: param
h = tanh(x @ W1 + b1)
p = {output}(h @ w2 + b2)
loss = mse(p, t)
"""


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw positive values that fall to nearly nothing."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 4, 60))
    return x[:, None], 3 * np.exp(-2 * x) * rng.gamma(20, 1 / 20, len(x))


def trained(output: str, seed: int = 0, epochs: int = 300) -> sg.Estimator:
    """Train with an output function."""
    text = MODEL.format(output=output).replace("identity", "")
    return sg.train(text, rows(), rate=0.01, epochs=epochs, batch=20, schedule="cosine", seed=seed)


def main(folder: Path) -> None:
    """Compare a linear output with softplus: how good, and how low they go up to x = 8."""
    models = {"linear output": trained("identity"), "softplus output": trained("softplus")}
    x = np.linspace(0, 8, 401)[:, None]
    for name, m in models.items():
        print(f"{name}: R² {m.score(*rows()):.4f}, least prediction {m.predict(x).min():.4f}")
    fit(models, *rows(), "Positive targets", span=(0.0, 8.0)).save(folder / "positive.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
