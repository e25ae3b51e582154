"""Search for an activation: python examples/19_activation_search.py

Candidates are compositions of simple pieces, b(u₁(x), u₂(x)) with unary u₁, u₂ and a binary b. Each
is one line for symgrad.activation, which gives it derivative, initialisation and code; it is judged
by what a small network of it learns. After Ramachandran, Zoph and Le 2017.
"""

import sys
from pathlib import Path

import numpy as np

import symgrad as sg

UNARY = (
    "{}", "-{}", "abs({})", "{}**2", "{}**3", "1.0*{}", "{} + 1.0", "log(abs({}) + 1e-3)",
    "exp({})", "sin({})", "cos({})", "sinh({})", "cosh({})", "tanh({})", "asinh({})",
    "arctan({})", "sinc({})", "max({}, 0)", "min({}, 0)", "sigmoid({})",
    "log(1 + exp({}))", "exp(-{}**2)", "erf({})", "0*{} + 1.0",
)  # fmt: skip
BINARY = (
    "({0}) + ({1})", "({0})*({1})", "({0}) - ({1})", "({0})/(abs({1}) + 1e-3)", "max({0}, {1})",
    "min({0}, {1})", "sigmoid({0})*({1})", "exp(-(({0}) - ({1}))**2)", "exp(-abs(({0}) - ({1})))",
    "0.5*({0}) + 0.5*({1})",
)  # fmt: skip
KNOWN = ("max(a, 0)", "tanh(a)", "sigmoid(a)", "sigmoid(a)*(a)", "a")  # relu … silu, identity
NETWORK = """\
X: data[N, 2]
t: labels[N, C]
W1: param[2, 16];   b1: param[16]
W2: param[16, 16];  b2: param[16]
W3: param[16, C];   b3: param[C]
h1 = {name}(X @ W1 + b1)
h2 = {name}(h1 @ W2 + b2)
s = h2 @ W3 + b3
loss = cross_entropy(s, t)
"""


def candidates(count: int, seed: int = 0) -> list[str]:
    """Draw formulas of a."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        pieces = [str(rng.choice(UNARY)).format("a") for _ in (1, 2)]
        found[str(rng.choice(BINARY)).format(*pieces)] = None
    return list(found)


def judged(formula: str, name: str, epochs: int = 40) -> float:
    """Train a small network with an activation; give its accuracy on held-out rows."""
    sg.activation(name, formula)
    try:
        m = sg.train(NETWORK.format(name=name), "spirals(600, noise=0.1)", rate=0.01, epochs=epochs,
                     clip=1.0, test=0.5)  # fmt: skip
    except sg.DivergenceError:
        return 0.0
    return float(m.metrics_["test_accuracy"])


def main(folder: Path, count: int = 24) -> None:
    """Judge candidates beside what is known; print the ranking, plot the best of the new ones."""
    formulas = {f: f"known{k}" for k, f in enumerate(KNOWN)}
    formulas |= {f: f"found{k}" for k, f in enumerate(candidates(count)) if f not in formulas}
    ranking = sorted(((judged(f, n), f, n) for f, n in formulas.items()), key=lambda r: -r[0])
    for share, formula, name in ranking:
        print(f"{share:6.1%}  {formula}{'  (known)' if name.startswith('known') else ''}")
    best = next(formula for _, formula, name in ranking if name.startswith("found"))
    sg.activation("best_found", best)
    sg.plot("best_found").save(folder / "activation_search.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())
