"""Judge closed forms against textbooks: are they right, are they as short, how long do they take.

A row holds a program, what to differentiate in, and the textbook's gradient as an expression of
NumPy over inputs, dimensions and the row's own names; `operations` counts that expression, names
being atoms. Run it by hand:

    python tests/formulas/run.py [FILE ...] [--topic NAME] [--all]
"""

import argparse
import json
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import symgrad as sg
from symgrad.autodiff import point
from symgrad.evaluate import bind, helpers, values

OWN = Path(__file__).with_name("gradients.json")
SEEDS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say how one row came out; `error` is what was raised, if anything was."""

    row: dict[str, Any]
    formula: str = ""
    operations: int = 0
    right: bool = False
    milliseconds: float = 0.0
    error: str = ""

    @property
    def allowed(self) -> float:
        """Give the textbook's size with one operation, or a fifth, to spare."""
        return max(self.row["operations"] + 1, 1.2 * self.row["operations"])

    @property
    def short(self) -> bool:
        """Say whether the formula is of textbook size."""
        return not self.error and self.operations <= self.allowed


def rows(files: Iterable[Path] = (OWN,)) -> list[dict[str, Any]]:
    """Read the rows of files that ask for a gradient."""
    found = [row for file in files for row in json.loads(file.read_text("utf8"))["cases"]]
    return [row for row in found if row["kind"] == "gradient"]


def space() -> dict[str, Any]:
    """Hold what a printed formula may use: np, sigmoid, softmax, erf."""
    names: dict[str, Any] = {"np": np}
    for source in helpers().values():
        exec(source, names)
    return names


def _given(graph: sg.Graph, wrt: str, seed: int) -> dict[str, Any]:
    """Draw the inputs; give the sizes of named dimensions too, and the value of an intermediate."""
    at = point(graph, seed=seed)
    known, sizes = bind(graph, at)
    inner = graph.names.get(wrt)
    found = {} if inner is None else {wrt: values([inner], known, sizes)[inner]}
    return {**sizes, **at, **found}


def agrees(row: dict[str, Any], formula: sg.Formula, graph: sg.Graph) -> bool:
    """Compare the printed NumPy text with the textbook's at random points."""
    base = space()
    for seed in SEEDS:
        given = _given(graph, row["wrt"], seed)
        book, ours = {**base, **given}, {**base, **given}
        for name, text in row["where"]:
            book[name] = eval(text, book)
        want = np.asarray(eval(row["numpy"], book), dtype=float)
        for name, part in formula.where.items():
            ours[name] = eval(part.numpy(), ours)
        got = np.asarray(eval(formula.numpy(), ours), dtype=float)
        if not np.allclose(got, want, rtol=1e-8, atol=1e-10, equal_nan=True):
            return False
    return True


def judge(row: dict[str, Any]) -> Verdict:
    """Derive one row, warm, and compare."""
    try:
        sg.gradient(row["program"], row["wrt"])
        start = time.perf_counter()
        formula = sg.gradient(row["program"], row["wrt"])[row["wrt"]]
        text, count = str(formula), formula.count_ops()
        spent = 1000 * (time.perf_counter() - start)
        right = agrees(row, formula, sg.parse(row["program"]))
    except Exception as error:
        return Verdict(row, error=f"{type(error).__name__}: {error}".splitlines()[0])
    return Verdict(row, " ".join(text.split()), count, right, spent)


def main() -> int:
    """Print a line for every row that fails (or every row), then a summary."""
    parser = argparse.ArgumentParser(description="judge closed forms against textbooks")
    parser.add_argument("files", nargs="*", type=Path, default=[OWN])
    parser.add_argument("--topic", default="", help="only rows of this topic")
    parser.add_argument("--all", action="store_true", help="print rows that are fine too")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    chosen = [r for r in rows(given.files) if given.topic in r["topic"]]
    found = [judge(row) for row in chosen]
    for v in found:
        if given.all or not v.right or not v.short:
            size = f"{v.operations}/{v.row['operations']}"
            mark = v.error or (size if v.right else f"WRONG {size}")
            print(f"{v.row['id']}: {mark}  {v.formula}")
    slowest = max(found, key=lambda v: v.milliseconds)
    right, short = sum(v.right for v in found), sum(v.right and v.short for v in found)
    print(f"{len(found)} rows: {right} right, {short} at textbook size, "
          f"slowest {slowest.milliseconds:.0f} ms ({slowest.row['id']})")  # fmt: skip
    return 0 if right == len(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
