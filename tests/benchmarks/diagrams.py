"""Measure how long diagrams take: python tests/benchmarks/run.py --diagrams

Every row is drawn anew, from the text to the file, with fonts and caches warm; the median of some
rounds is printed beside the bar that it is held to. CPU time and elapsed time differ on a machine
that is busy with other things.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import symgrad as sg

NEURON = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
POINT = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
CHAIN = "\n".join(["a0 = x", *(f"a{i} = tanh(w*a{i - 1})" for i in range(1, 500)), "L = a499**2"])


def saved(suffix: str, text: str = NEURON, at: Any = None, **options: Any) -> Callable[[], int]:
    """Return what draws and saves a diagram and gives the size of its file."""

    def run() -> int:
        diagram = sg.diagram(text, at=at or POINT, **options)
        with tempfile.TemporaryDirectory() as folder:
            return diagram.save(Path(folder) / f"x{suffix}").stat().st_size

    return run


# what, how, seconds it may take
ROWS: list[tuple[str, Callable[[], int], float]] = [
    ("13 nodes to SVG", saved(".svg"), 0.1),
    ("13 nodes to PNG", saved(".png"), 0.5),
    ("16 frames to HTML", saved(".html", steps=True), 1.0),
    ("16 frames to PPTX", saved(".pptx", steps=True), 2.0),
    ("16 frames to Beamer", saved(".tex", steps=True), 1.0),
    ("16 frames to GIF", saved(".gif", steps=True), 5.0),
    ("16 frames to PDF", saved(".pdf", steps=True), 5.0),
    ("1,000 nodes, as cards", saved(".svg", CHAIN, {"x": 0.5, "w": 1.1}), 2.0),
]


def report(rounds: int) -> None:
    """Print the table."""
    print(f"{'diagram':<24}{'median':>10}{'CPU':>10}{'bar':>8}{'file':>12}")
    for name, run, bar in ROWS:
        size = run()
        elapsed, used = [], []
        for _ in range(rounds):
            start, cpu = time.perf_counter(), time.process_time()
            run()
            elapsed.append(time.perf_counter() - start)
            used.append(time.process_time() - cpu)
        middle, own = statistics.median(elapsed), statistics.median(used)
        print(f"{name:<24}{middle:>8.3f} s{own:>8.3f} s{bar:>6.1f} s{size / 1000:>9.0f} kB")
