"""How sure is the network? Monte Carlo dropout: python examples/14_uncertainty.py

`14_uncertainty.sg` learns a sine from rows that have a gap; asked many times with dropout, it
answers differently where it has seen nothing.
"""

import sys
from pathlib import Path

import numpy as np

import symgrad as sg
from symgrad.plots.fits import fit

MODEL = Path(__file__).with_suffix(".sg")
PLACES = np.array([[-0.6], [0.2], [0.6], [1.5]])


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows from −1 to 1, none of them between 0 and 0.45."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.uniform(-1, 0, 80), rng.uniform(0.45, 1, 50)])
    return x[:, None], np.sin(1.5 * np.pi * x) + 0.1 * rng.standard_normal(len(x))


def trained(seed: int = 0) -> sg.Estimator:
    """Train the network on the rows."""
    return sg.train(MODEL.read_text(encoding="utf-8"), rows(), rate=0.01, epochs=400, batch=32,
                    schedule="cosine", seed=seed)  # fmt: skip


def main(folder: Path) -> None:
    """Print mean and deviation at some places, and draw them everywhere."""
    m = trained()
    mean, deviation = m.uncertainty(PLACES, samples=200)
    for place, a, b in zip(PLACES[:, 0], mean, deviation, strict=True):
        print(f"x = {place:4.1f}  prediction {a:6.2f} ± {b:.2f}")
    picture = fit({"mean of 200 samples, with 1 and 2 deviations": m}, *rows(), "A network that "
                  "knows what it has not seen", samples=200, span=(-1.5, 1.7))  # fmt: skip
    picture.save(folder / "uncertainty.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
