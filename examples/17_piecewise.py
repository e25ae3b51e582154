"""A network of ReLUs is piecewise linear: python examples/17_piecewise.py

Networks with a few ReLUs fit a function of one variable. Each unit bends the line once, at
x = −b/w, and fits better where there are more of them.
"""

import sys
from pathlib import Path

import numpy as np

import symgrad as sg
from symgrad.plots.fits import fit

MODEL = """\
x: data[N, 1]
t: data[N]
w: param[1, H];  b: param[H]
v: param[H];     c: param
h = relu(x @ w + b)
p = h @ v + c
loss = mse(p, t)
"""


def rows() -> tuple[np.ndarray, np.ndarray]:
    """Take 101 rows of a function that is curved everywhere."""
    x = np.linspace(-3, 3, 101)
    return x[:, None], np.sin(x) + 0.3 * x


def trained(units: int, seed: int = 0) -> sg.Estimator:
    """Fit with so many units; their kinks start all over the rows."""
    start = {"w": 1.0, "b": -np.linspace(-3, 3, units + 1)[:-1], "v": 0.0}
    return sg.train(MODEL, rows(), values={"H": units}, initial=start, rate=0.05, epochs=1000,
                    batch=None, schedule="cosine", seed=seed)  # fmt: skip


def kinks(m: sg.Estimator) -> np.ndarray:
    """Say where the units bend: where w x + b = 0."""
    found = np.sort(-m.params_["b"] / m.params_["w"][0])
    return found[(found > -3) & (found < 3)]


def main(folder: Path) -> None:
    """Fit with 3 and with 10 units; print errors and kinks, and draw both."""
    models = {f"{units} units": trained(units) for units in (3, 10)}
    for name, m in models.items():
        places = ", ".join(f"{x:.2f}" for x in kinks(m))
        print(f"{name}: R² {m.score(*rows()):.4f}, kinks at {places}")
    marks = {name: kinks(m) for name, m in models.items()}
    fit(models, *rows(), "Piecewise linear fits, and where their units bend", marks=marks).save(
        folder / "piecewise.svg")  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
