"""What the network looks at: python examples/18_input_gradient.py

`04_digits.sg` is trained; then the score of the right class is differentiated in the pixels instead
of the parameters. It needs the extra `data`.
"""

import sys
from pathlib import Path

import numpy as np

import symgrad as sg
from symgrad.plots.rasters import images

LINES = Path(__file__).with_name("04_digits.sg").read_text(encoding="utf-8").splitlines()
SCORE = "\n".join([*LINES[:-1], "score = sum(s[arange(N), t])"])  # in place of the loss
SHOWN = (0, 1, 2, 3, 4, 5, 8)


def trained(seed: int = 0, epochs: int = 60) -> sg.Estimator:
    """Train the classifier."""
    return sg.train("\n".join(LINES), "digits", l2=3e-4, epochs=epochs, test=0.2, seed=seed)


def gradient(m: sg.Estimator, X: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Differentiate the score of the right class in the pixels, one row for each image."""
    at = {**m.transform_.apply(X), "t": t, **m.params_}
    return sg.backprop(SCORE, at, wrt=["X"]).grad["X"]


def removed(m: sg.Estimator, X: np.ndarray, t: np.ndarray, count: int = 6) -> dict[str, float]:
    """Blank the ink that the gradient says counts most, or least, or any; give what stays right."""
    grad, rng = gradient(m, X, t), np.random.default_rng(0)
    ranks = {"the most important": -grad * X, "any": rng.random(X.shape) - (X > 0) * 2.0,
             "the least important": np.where(X > 0, grad, np.inf)}  # fmt: skip
    found = {}
    for name, rank in ranks.items():
        blank = X.copy()
        np.put_along_axis(blank, np.argsort(rank, axis=1)[:, :count], 0, axis=1)
        found[name] = m.score(blank, t)
    return found


def main(folder: Path) -> None:
    """Print what blanking pixels does to the accuracy; draw digits and their gradients."""
    from sklearn.datasets import load_digits

    X, t = load_digits(return_X_y=True)
    m = trained()
    rows = m.run_.test
    X, t = X[rows], t[rows]
    print(f"held-out digits that are right: {m.score(X, t):.1%}")
    for name, share in removed(m, X, t).items():
        print(f"without {name} 6 pixels of ink: {share:.1%}")
    places = [int(np.flatnonzero(t == digit)[0]) for digit in SHOWN]
    grad = gradient(m, X[places], t[places])
    pairs = [*(X[k].reshape(8, 8) for k in places), *(g.reshape(8, 8) for g in grad)]
    titles = [*(f"a {d}" for d in SHOWN), *(f"∂score of {d}" for d in SHOWN)]
    title = "Digits, and the gradient of their score: ink in blue pixels raises it"
    images(pairs, titles, title, columns=len(SHOWN)).save(folder / "input_gradient.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
