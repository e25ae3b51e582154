"""Measure what happens once, each time in a process of its own: first gradients, growth, starts.

    python tests/benchmarks/cold.py first NAME DTYPE STYLE
    python tests/benchmarks/cold.py growth OPERATORS STYLE SERIES

prints one JSON object. Imports are done and warm before the clock starts; what is measured has
never been seen by the process.
"""

import gc
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

WARM_UP = "w: param[D]\nx: data[N, D]\nmean(log(1 + exp(x @ w)) / 2)"
STEP = "h = sin(h)*y + h\n"  # three operators
LINES = ("{0} + {1}", "{1} - {0}", "{0}*{1}", "sin({0})", "cos({0})", "tanh({0})")
SERIES = {
    "repeated": "h = sin(h)*y + h repeated",
    "random": "lines of one operator each, of the last value and one chosen at random",
}
SIZES = (10**2, 10**3, 10**4, 10**5)
ROOT = Path(__file__).parents[2]


def measure_first(name: str, dtype: str, style: str) -> dict[str, float]:
    """Time a workload from its text to its first gradients, and a call after that."""
    import numpy as np
    from contest import STYLES
    from workloads import NAMED, cast

    import symgrad as sg

    work = NAMED[name]
    inputs = cast(work.inputs(np.random.default_rng(0)), dtype)
    sg.compile(WARM_UP, **STYLES[style])(w=np.ones(2), x=np.ones((3, 2)))
    gc.collect()  # what imports have left behind is not the workload's
    start = used()
    f = sg.compile(work.text, dtype=dtype, **STYLES[style])
    f(**inputs)
    first = used() - start
    return {"first": first, "call": calls(lambda: f(**inputs), 5)}


def program(size: int, series: str) -> str:
    """Write a program of so many scalar operators, of one of the SERIES."""
    head = "x: param;  y: param\n"
    if series == "repeated":
        return f"{head}h = x\n" + STEP * (size // 3)
    chance = random.Random(size)
    names = ["x", "y"]
    lines = []
    for k in range(size):
        lines.append(f"v{k} = {chance.choice(LINES).format(names[-1], chance.choice(names))}")
        names.append(f"v{k}")
    return head + "\n".join(lines)


def measure_growth(size: str, style: str, series: str) -> dict[str, float]:
    """Time a program of that many scalar operators, and its two gradients."""
    from contest import STYLES

    import symgrad as sg

    text = program(int(size), series)
    sg.compile("x: param;  y: param\nh = x\n" + STEP, **STYLES[style])(x=0.5, y=0.1)
    gc.collect()
    before = resident()
    start = used()
    f = sg.compile(text, **STYLES[style])
    f(x=0.5, y=1e-5)
    first = used() - start
    memory = resident() - before
    again = calls(lambda: f(x=0.5, y=1e-5), 5)
    return {"first": first, "bytes": memory, "nanoseconds": 1e9 * again / int(size)}


def used() -> float:
    """Return the seconds of CPU time of this process and of those that it has waited for.

    Other programs hardly disturb it; on an idle machine it is the time that one waits.
    """
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def calls(run: Any, rounds: int) -> float:
    """Return the median seconds of a call."""
    found = []
    for _ in range(rounds):
        start = used()
        run()
        found.append(used() - start)
    return statistics.median(found)


def resident() -> int:
    """Return the bytes of memory that this process has had at its peak.

    Linux hands ru_maxrss down from the parent, which may be larger; VmHWM is the process's own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else 1024 * size


def child(*arguments: str, limit: float = 600) -> dict[str, Any]:
    """Run this file in a new process; return what it prints, or the problem as text."""
    command = [sys.executable, __file__, *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=limit, env=environment()
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"not done in {limit:.0f} s"}
    if done.returncode:
        return {"problem": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def environment() -> dict[str, str]:
    """Return the environment with this checkout in front of what is installed.

    Modules are compiled once, as they are when a package is installed, also where the shell asks
    for no bytecode.
    """
    found = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found | {"PYTHONPYCACHEPREFIX": bytecode().name}


@lru_cache(maxsize=1)
def bytecode() -> "tempfile.TemporaryDirectory[str]":
    """Make the folder for the bytecode of this run; it is removed at its end."""
    return tempfile.TemporaryDirectory(prefix="symgrad-bytecode-")


def first(name: str, dtype: str, style: str, processes: int) -> dict[str, Any]:
    """Return the seconds to the first gradients, the best of some processes."""
    return best([child("first", name, dtype, style) for _ in range(processes)])


def best(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the quickest process has found: others were disturbed."""
    return min(found, key=lambda row: row.get("first", float("inf")))


def growth(
    style: str, sizes: tuple[int, ...] = SIZES, series: str = "repeated"
) -> dict[int, dict[str, Any]]:
    """Return a growth series, each size in processes of its own, of which the best one counts."""
    return {
        size: best([child("growth", str(size), style, series) for _ in range(2)]) for size in sizes
    }


def starts() -> dict[str, float]:
    """Return the seconds of `import symgrad` and of a cold `symgrad derive` from the shell.

    The best of several counts, for all of Python, NumPy and SymPy are read anew each time.
    """
    code = "from time import process_time as t; t0 = t(); import symgrad; print(t() - t0)"
    model = str(ROOT / "examples" / "04_digits.sg")
    derive = [sys.executable, "-m", "symgrad", "derive", model, "--wrt", "W1"]
    imports, derivations = [], []
    for _ in range(7):
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=environment()
        )
        imports.append(float(done.stdout))
        start = used()
        subprocess.run(derive, capture_output=True, check=True, env=environment())
        derivations.append(used() - start)
    return {"import": min(imports), "derive": min(derivations)}


if __name__ == "__main__":
    measures = {"first": measure_first, "growth": measure_growth}
    print(json.dumps(measures[sys.argv[1]](*sys.argv[2:])))
