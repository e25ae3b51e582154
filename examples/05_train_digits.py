"""Train two models with generated gradients: python examples/05_train_digits.py

`03_two_layer.sg` fits random targets by full-batch gradient descent; `04_digits.sg` learns
scikit-learn's handwritten digits in mini-batches. It needs the extra `data`.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm, trange

import symgrad as sg

MODELS = Path(__file__).parent


def fit_random(seed: int = 0, steps: int = 2000, rate: float = 1e-4) -> tuple[float, float]:
    """Fit the two-layer network to noise; return the loss before and after."""
    rng = np.random.default_rng(seed)
    n, d_in, hidden, d_out = 64, 1000, 100, 10
    data = {"x": rng.standard_normal((n, d_in)), "y": rng.standard_normal((n, d_out))}
    weights = {
        "w1": rng.standard_normal((d_in, hidden)),
        "w2": rng.standard_normal((hidden, d_out)),
    }
    model = sg.compile((MODELS / "03_two_layer.sg").read_text())
    first, _ = model(**data, **weights)
    for _ in trange(steps, desc="two layers", disable=None):
        _, grads = model(**data, **weights)
        for name, grad in grads.items():
            weights[name] -= rate * grad
    return float(first), float(model(**data, **weights)[0])


def fit_digits(seed: int = 0, epochs: int = 40, batch: int = 32, rate: float = 0.2) -> float:
    """Train the digits classifier; return its accuracy on the held-out fifth of the rows."""
    rng = np.random.default_rng(seed)
    pixels, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(pixels))
    pixels, labels = pixels[order] / 16, labels[order]  # (1797, 64) in [0, 1]; (1797,) in 0..9
    cut = len(pixels) * 4 // 5
    weights = {
        "W1": rng.standard_normal((64, 64)) * (2 / 64) ** 0.5,
        "b1": np.zeros(64),
        "W2": rng.standard_normal((64, 10)) * (1 / 64) ** 0.5,
        "b2": np.zeros(10),
    }
    model = sg.compile((MODELS / "04_digits.sg").read_text())
    with tqdm(range(epochs), desc="digits", disable=None) as progress:
        for _ in progress:
            for rows in np.array_split(rng.permutation(cut), cut // batch):
                loss, grads = model(X=pixels[rows], t=labels[rows], lam=1e-4, **weights)
                for name, grad in grads.items():
                    weights[name] -= rate * grad
            progress.set_postfix(loss=f"{loss:.4f}")
    hidden = np.maximum(pixels[cut:] @ weights["W1"] + weights["b1"], 0)
    scores = hidden @ weights["W2"] + weights["b2"]
    return float((scores.argmax(axis=1) == labels[cut:]).mean())


if __name__ == "__main__":
    before, after = fit_random()
    print(f"two layers: loss {before:.1f} before, {after:.3g} after 2000 steps")
    print(f"digits: {fit_digits():.1%} of the held-out rows are right")
