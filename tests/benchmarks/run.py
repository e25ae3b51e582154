"""Measure generated gradients against NumPy by hand and against other libraries.

    python tests/benchmarks/run.py [--dtype float32] [--workloads neuron ...] [--peers jax ...]
    python tests/benchmarks/run.py --diagrams

Everything runs in one process on one thread; in each round every contestant times the same
workload, one after another, so that a noisy machine hits all alike. A ratio is symgrad's median
over the contestant's: below 1, symgrad is faster. Nothing is timed before its value and gradients
agree with the hand-written ones. The peers come with the extra `bench`.
"""

import argparse
import ast
import math
import os
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib import metadata
from typing import Any

for variable in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM"):
    os.environ[f"{variable}_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
if hasattr(os, "sched_setaffinity"):  # Linux: one core for all, also for libraries with own threads
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import diagrams  # noqa: E402
import numpy as np  # noqa: E402
from peers import PEERS  # noqa: E402
from workloads import WORKLOADS, Workload  # noqa: E402

import symgrad as sg  # noqa: E402

clock = time.process_time  # on one core, other programs hardly disturb CPU time
Run = Callable[[], tuple[Any, dict[str, Any]]]
WARM_UP = "w: param[D]\nx: data[N, D]\nmean(log(1 + exp(x @ w)) / 2)"
SLICE = 0.02  # seconds that one contestant gets in one round
TOLERANCE = {"float64": 1e-9, "float32": 1e-3}


class Entry:
    """One contestant in one workload: what it runs, how long that took."""

    def __init__(self, name: str, build: Callable[[], Run]) -> None:
        start = clock()
        self.name, self.run = name, build()
        self.answer = self.run()
        self.first = clock() - start
        self.rounds: list[float] = []
        self.loops = 1
        while self.time_round() * self.loops < SLICE / 2 and self.loops < 10**6:
            self.loops *= 2

    def time_round(self) -> float:
        """Return the seconds per call over `loops` calls."""
        run = self.run
        start = clock()
        for _ in range(self.loops):
            run()
        return (clock() - start) / self.loops

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def cast(values: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Return the inputs with their float arrays in dtype; numbers and labels stay."""
    return {
        name: value.astype(dtype) if getattr(value, "dtype", None) == np.float64 else value
        for name, value in values.items()
    }


def compare(entry: Entry, reference: Entry, wrt: tuple[str, ...], dtype: str) -> None:
    """Stop the benchmark if a value or gradient differs from the hand-written one."""
    (value, grads), (value0, grads0) = entry.answer, reference.answer
    pairs = [("value", value, value0), *((name, grads[name], grads0[name]) for name in wrt)]
    for name, got, expected in pairs:
        got, expected = np.asarray(got), np.asarray(expected)
        scale = max(float(np.abs(expected).max()), 1e-30)
        error = (
            float(np.abs(got - expected).max()) / scale if got.shape == expected.shape else math.inf
        )
        if not error <= TOLERANCE[dtype]:
            sys.exit(f"{entry.name}: {name} differs from the hand-written one by {error:.1e}")


def operations(source: str) -> int:
    """Return the number of operators and calls in a generated module."""
    counted = (ast.BinOp, ast.UnaryOp, ast.AugAssign, ast.Compare, ast.Call)
    return sum(isinstance(node, counted) for node in ast.walk(ast.parse(source)))


def peak(run: Run) -> int:
    """Return the bytes that one call allocates at its peak."""
    run()
    tracemalloc.start()
    run()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


def contest(work: Workload, peers: dict[str, Any], dtype: str, rounds: int) -> list[Entry]:
    """Return symgrad, NumPy by hand and all peers, timed in turns."""
    inputs = cast(work.inputs(np.random.default_rng(0)), dtype)
    params = {name: inputs[name] for name in work.wrt}
    data = {name: value for name, value in inputs.items() if name not in params}

    def symgrad() -> Run:
        f = sg.compile(work.text, dtype=dtype)
        return lambda: f(**inputs)

    entries = [
        Entry("symgrad", symgrad),
        Entry("numpy by hand", lambda: lambda: work.by_hand(**inputs)),
        *(Entry(n, lambda p=p: p.build(work.name, params, data)) for n, p in peers.items()),
    ]
    for entry in entries:
        compare(entry, entries[1], work.wrt, dtype)
    for _ in range(rounds):
        for entry in entries:
            entry.rounds.append(entry.time_round())
    return entries


def report(work: Workload, entries: list[Entry], dtype: str) -> None:
    """Print one workload: operations, memory, and a line per contestant."""
    both, loss = (
        operations(sg.compile(work.text, wrt=wrt, dtype=dtype, style="readable").source)
        for wrt in (None, [])
    )
    kilobytes = [peak(entry.run) / 1024 for entry in entries[:2]]
    print(
        f"\n{work.name}: {loss} operations, {both} with the gradient ({both / loss:.2f}x);", end=" "
    )
    print("peak of a call {:.0f} kB, by hand {:.0f} kB".format(*kilobytes))
    print(f"  {'':14}{'first gradient':>16}{'per call':>14}{'symgrad / it':>14}")
    for entry in entries:
        first = "" if entry is entries[1] else f"{entry.first * 1e3:.1f} ms"
        ratio = "" if entry is entries[0] else f"{entries[0].median / entry.median:.3g}"
        print(f"  {entry.name:14}{first:>16}{entry.median * 1e6:>11.2f} us{ratio:>14}")


def summary(table: dict[str, list[Entry]]) -> None:
    """Print the ratios of all workloads in one table, with the geometric means."""
    names = [entry.name for entry in next(iter(table.values()))][1:]
    print(f"\n{'symgrad / it':14}" + "".join(f"{name:>15}" for name in names))
    ratios = {
        work: [entries[0].median / entry.median for entry in entries[1:]]
        for work, entries in table.items()
    }
    ratios["geometric mean"] = [
        statistics.geometric_mean(column) for column in zip(*ratios.values(), strict=True)
    ]
    for work, row in ratios.items():
        print(f"{work:14}" + "".join(f"{ratio:>15.3g}" for ratio in row))


def load_peers(names: list[str], dtype: str) -> dict[str, Any]:
    """Return the peers that are installed; say in one line which are not."""
    peers = {}
    for name in names:
        try:
            peers[name] = PEERS[name](dtype)
            print(f"{name} {metadata.version(name)}")
        except ImportError:
            print(f"{name}: not installed; python -m pip install 'symgrad[bench]' adds it")
    return peers


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    every = [work.name for work in WORKLOADS]
    parser.add_argument("--workloads", nargs="+", choices=every, default=every)
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--dtype", choices=list(TOLERANCE), default="float64")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--diagrams", action="store_true", help="time diagrams instead")
    options = parser.parse_args()
    if options.diagrams:
        diagrams.report(options.rounds)
        return
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, {options.dtype},"
        f" one thread, medians of {options.rounds} rounds"
    )
    peers = load_peers(options.peers, options.dtype)
    sg.compile(WARM_UP)
    table = {}
    for work in WORKLOADS:
        if work.name in options.workloads:
            table[work.name] = contest(work, peers, options.dtype, options.rounds)
            report(work, table[work.name], options.dtype)
    summary(table)


if __name__ == "__main__":
    main()
