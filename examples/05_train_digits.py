"""Train two models: python examples/05_train_digits.py

`03_two_layer.sg` fits random targets by gradient descent on all rows at once, 2000 steps at the
rate 1e-4; `06_digits.sg` learns scikit-learn's handwritten digits. It needs the extra `data`.
"""

from pathlib import Path

import numpy as np

import symgrad as sg

MODELS = Path(__file__).parent


def fit_random(seed: int = 0, steps: int = 2000, rate: float = 1e-4) -> list[float]:
    """Fit the two-layer network to noise; return the loss before each step."""
    rng = np.random.default_rng(seed)
    data = {"x": rng.standard_normal((64, 1000)), "y": rng.standard_normal((64, 10))}
    model = (MODELS / "03_two_layer.sg").read_text(encoding="utf-8")
    m = sg.train(model, data, values={"H": 100}, initial="normal", optimizer="gd", rate=rate,
                 batch=None, epochs=steps, seed=seed)  # fmt: skip
    return m.loss_curve_


def fit_digits(seed: int = 0, epochs: int = 100) -> sg.Estimator:
    """Train the digits classifier, with a fifth of the rows held out."""
    model = (MODELS / "06_digits.sg").read_text(encoding="utf-8")
    return sg.train(model, "digits", seed=seed, epochs=epochs, validation=0.1, test=0.2)


def main(folder: Path) -> None:
    """Train both, and print how they do; no picture is drawn."""
    losses = fit_random()
    for step in (0, 10, 100, 500, 1000, 1999):
        print(f"two layers, step {step:4}: loss {losses[step]:.4g}")
    for seed in range(5):
        m = fit_digits(seed)
        share, rows = m.metrics_["test_accuracy"], m.metrics_["test_rows"]
        print(f"digits, seed {seed}: {share:.1%} of {rows} held-out rows are right")


if __name__ == "__main__":
    main(Path())
