"""How sure is the network? Monte Carlo dropout: python examples/14_uncertainty.py

`14_uncertainty.sg` learns a sine from rows between −1 and 1; asked many times with dropout, its
answers lie the farther apart the farther away from the rows it is asked.
"""

import sys
from pathlib import Path

import numpy as np

import symgrad as sg
from symgrad.plots.fits import fit

MODEL = Path(__file__).with_suffix(".sg")
PLACES = np.array([[-2.0], [-1.5], [-0.5], [0.0], [0.5], [1.5], [2.0]])


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows from −1 to 1."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, 150)
    return x[:, None], np.sin(1.5 * np.pi * x) + 0.1 * rng.standard_normal(len(x))


def trained(seed: int = 0, epochs: int = 400) -> sg.Estimator:
    """Train the network on the rows."""
    return sg.train(MODEL.read_text(encoding="utf-8"), rows(), rate=0.01, epochs=epochs, batch=32,
                    schedule="cosine", seed=seed)  # fmt: skip


def main(folder: Path) -> None:
    """Print mean and deviation at some places, and draw them everywhere."""
    m = trained()
    mean, deviation = m.uncertainty(PLACES, samples=200)
    for place, a, b in zip(PLACES[:, 0], mean, deviation, strict=True):
        print(f"x = {place:4.1f}  prediction {a:6.2f} ± {b:.2f}")
    picture = fit({"mean of 200 samples": m}, *rows(), "Monte Carlo dropout: mean, one and two "
                  "standard deviations", samples=200, span=(-2.0, 2.0))  # fmt: skip
    picture.save(folder / "uncertainty.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
