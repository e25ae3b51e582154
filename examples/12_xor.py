"""XOR with two hidden units, and the trained network as a diagram: python examples/12_xor.py

Four rows are all there is, so the run takes them all in each step. The numbers on the diagram are
the trained weights, and values and gradients for the first row.
"""

import sys
from pathlib import Path

import numpy as np

import symgrad as sg

MODEL = Path(__file__).with_suffix(".sg").read_text(encoding="utf-8")
DATA = "xor(4, noise=0)"
X, T = [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], [0, 1, 1, 0]


def trained(seed: int = 0) -> sg.Estimator:
    """Train the network."""
    return sg.train(MODEL, DATA, rate=0.1, epochs=200, batch=None, seed=seed)


def main(folder: Path) -> None:
    """Print what the network says to each row; draw its units."""
    m = trained()
    for x, t, p in zip(X, T, m.predict_proba(X)[:, 1], strict=True):
        print(f"({x[0]:2.0f}, {x[1]:2.0f})  target {t}  probability {p:.4f}")
    at = {"X": np.array(X), "t": np.array(T), **m.params_}
    wrt = ["W1", "b1", "W2", "b2"]
    sg.diagram(MODEL, at=at, wrt=wrt, view="neurons").save(folder / "xor_neurons.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
