"""Time wide products in blocks beside whole ones: python tests/benchmarks/run.py --products

Blocks are those that compiled functions choose where BLAS has one thread; in float32 larger
products are cut here than there. In each round a product works on the next of several sets of
operands, 4 MB together, as in a program whose other arrays have taken the nearest cache meanwhile.
"""

import statistics
import time
from typing import Any

import numpy as np

from symgrad.codegen.fast import texts, wide
from symgrad.codegen.fast.costs import Costs

SHAPES = ((64, 1000, 100), (100, 500, 300), (128, 512, 256), (256, 256, 256), (128, 784, 512),
          (784, 128, 512), (1024, 784, 512))  # fmt: skip
MODES = {"A @ B": "", "A.T @ B": "left", "A @ B.T": "right"}
ROUNDS, TOUCHED = 31, 2**22
MOST = wide.CUT["cut_float64"]  # bytes of operands that are cut here, in both precisions


def operands(m: int, k: int, n: int, mode: str, dtype: str) -> tuple[Any, Any, Any]:
    """Make the operands of (m, k) @ (k, n), stored as a mode says, and room for the result."""
    rng = np.random.default_rng(0)
    turned = MODES[mode]
    a = rng.standard_normal((k, m) if turned == "left" else (m, k)).astype(dtype)
    b = rng.standard_normal((n, k) if turned == "right" else (k, n)).astype(dtype)
    left, right = a.T if turned == "left" else a, b.T if turned == "right" else b
    return left, right, np.empty((m, n), dtype)


def ratio(m: int, k: int, n: int, mode: str, dtype: str) -> tuple[float, Any]:
    """Give the time in blocks over the time of one product, and the block; 1: it is not cut."""
    costs = Costs(**dict.fromkeys(wide.CUT, MOST))
    space = texts.executed(["product", "product_block"], costs, dtype)
    size = np.dtype(dtype).itemsize
    block = space["product_block"](m, k, n, size, MODES[mode])
    if block == 1:
        return 1.0, 1
    count = max(2, TOUCHED // (size * k * (m + n)))
    turns = [operands(m, k, n, mode, dtype) for _ in range(count)]
    found = []
    for _ in range(ROUNDS):
        times = []
        for cut in (True, False):
            start = time.process_time()
            for a, b, out in turns:
                if cut:
                    space["product"](a, b, out, block)
                else:
                    a.dot(b, out)
            times.append(time.process_time() - start)
        found.append(times[0] / times[1])
    return statistics.median(found), block


def report() -> list[str]:
    """Write the table of ratios."""
    head = [f"{mode}, {dtype}" for mode in MODES for dtype in ("float64", "float32")]
    lines = [f"| m, k, n | {' | '.join(head)} |", "|---" + "|--:" * len(head) + "|"]
    for shape in SHAPES:
        cells = []
        for mode in MODES:
            for dtype in ("float64", "float32"):
                found, block = ratio(*shape, mode, dtype)
                cells.append("whole" if block == 1 else f"{found:.2f} ({block[0]} × {block[1]})")
        lines.append(f"| {', '.join(map(str, shape))} | {' | '.join(cells)} |")
    return lines
