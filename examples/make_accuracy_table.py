"""Measure how many digits are right: python examples/make_accuracy_table.py [OPERATOR ...]

For every operator of one variable the generated code is compared with the truth at a few hundred
points. Writes symgrad/ops/measured.json, where `symgrad ops NAME` finds the figures, and
docs/accuracy.md. Measures all operators, or only those that are named; all take some minutes.
"""

import json
import sys
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

from symgrad import opdocs
from symgrad.autodiff import exact
from symgrad.codegen import build
from symgrad.curve import Function, of_operator, one_variable
from symgrad.files import replace
from symgrad.graph import Graph
from symgrad.opdocs.accuracy import DTYPES, MODES, measured
from symgrad.ops import OPS, make

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "symgrad" / "ops" / "measured.json"
NEAR, MIDDLE, FAR, WINDOW = 150, 40, 60, 5.0
VANISHED = 3  # so many of the outermost points at which f and f′ are both 0 are enough


class Code:
    """Hold the generated code of a function and its derivative on arrays."""

    def __init__(self, function: Function, dtype: str, mode: str) -> None:
        self.name = function.variable.attrs["name"]
        whole = Graph.of([make("sum", function.spread)], names={})
        options: dict[str, Any] = {"dtype": dtype, "accurate": mode == "accurate"}
        self.value = build(Graph.of([function.spread], names={}), [], style="readable", **options)
        self.slope = build(whole, [self.name], style="readable", **options)

    def __call__(self, x: Any) -> tuple[Any, Any]:
        """Compute f and f′."""
        with np.errstate(all="ignore"):
            given = {self.name: x}
            return self.value(**given)[0], self.slope(**given)[1][self.name]


def overflow(code: Code, dtype: str, sign: int) -> float:
    """Find the magnitude beyond which f or f′ is no longer finite; the largest number if none."""
    low, high = 1.0, float(np.finfo(dtype).max) / 2

    def finite(size: float) -> bool:
        return bool(np.isfinite(code(np.array([sign * size], dtype=dtype))).all())

    if finite(high) or not finite(low):
        return high
    for _ in range(200):
        middle = float(np.sqrt(low) * np.sqrt(high))
        low, high = (middle, high) if finite(middle) else (low, middle)
    return low


def points(code: Code, dtype: str) -> Any:
    """Draw the points at which a function is measured."""
    rng = np.random.default_rng(0)
    tiny = float(np.finfo(dtype).tiny)
    parts = [rng.uniform(-WINDOW, WINDOW, NEAR)]
    for sign in (-1, 1):
        most = overflow(code, dtype, sign)
        for low, high, count in ((1.0, min(most, 1e3), MIDDLE), (tiny, most, FAR)):
            parts.append(sign * np.exp(rng.uniform(np.log(low), np.log(high), count)))
    x = np.unique(np.concatenate(parts).astype(dtype))
    f, slope = code(x)
    vanished = np.flatnonzero((f == 0) & (slope == 0))
    return np.delete(x, vanished[VANISHED:-VANISHED])


def measure(name: str) -> dict[str, dict[str, list[float | None]]]:
    """Measure one operator: dtype -> mode -> worst errors near (f, f′) and everywhere."""
    function = of_operator(name)
    result: dict[str, dict[str, list[float | None]]] = {}
    for dtype in DTYPES:
        codes = {mode: Code(function, dtype, mode) for mode in MODES}
        x = points(codes["accurate"], dtype)
        truth = [function.exact(float(v)) for v in x]
        inside = np.array([not (mpmath.isnan(f) or mpmath.isnan(s)) for f, s in truth])
        x, true = (
            x[inside],
            list(zip(*(t for t, k in zip(truth, inside, strict=True) if k), strict=True)),
        )
        near = np.abs(x) <= WINDOW
        result[dtype] = {}
        for mode, code in codes.items():
            errors = [
                exact.ulps(got, np.array(right, dtype=object), np.dtype(dtype).type)
                for got, right in zip(code(x), true, strict=True)
            ]
            worst = [e[mask].max(initial=0.0) for mask in (near, near | ~near) for e in errors]
            result[dtype][mode] = [float(f"{w:.3g}") if np.isfinite(w) else None for w in worst]
    return result


def main(names: list[str]) -> None:
    """Measure operators and write both files."""
    rows = [row.name for row in OPS.values() if one_variable(row) and not row.hidden]
    kept = {k: v for k, v in measured().items() if k in rows}
    how = {
        "near": NEAR,
        "middle": MIDDLE,
        "far": FAR,
        "vanished": VANISHED,
        "numpy": np.__version__,
    }
    found: dict[str, Any] = {"_how": how}
    for name in rows:
        if names and name not in names:
            if name in kept:
                found[name] = kept[name]
            continue
        found[name] = measure(name)
        print(name, found[name], file=sys.stderr)
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()]
    replace(FIGURES, "{\n" + ",\n".join(lines) + "\n}\n")
    measured.cache_clear()
    replace(ROOT / "docs" / "accuracy.md", opdocs.accuracy())


if __name__ == "__main__":
    main(sys.argv[1:])
