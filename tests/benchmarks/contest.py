"""Time contestants in turns: symgrad's styles, NumPy by hand, its limit, and the other libraries.

In each round every contestant times the same workload, one after another, so that a noisy machine
hits all alike. Nothing is timed before its value and gradients agree with the hand-written ones.
"""

import gc
import math
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import cold
import numpy as np
from limits import LIMITS
from peers import PEERS
from workloads import Workload, cast

import symgrad as sg

Run = Callable[[], tuple[Any, dict[str, Any]]]
Build = Callable[[], Run]
TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
# symgrad's contestants: what sg.compile is asked for
STYLES: dict[str, dict[str, Any]] = {
    "readable": {"style": "readable"},
    "accurate": {"style": "readable", "accurate": True},
    "fast": {"style": "fast"},
}
clock = time.process_time  # on one core, other programs hardly disturb CPU time


@dataclass(frozen=True)
class Effort:
    """Say how often and how long is timed."""

    rounds: int = 9
    seconds: float = 0.02  # that one contestant gets in one round
    processes: int = 2  # in which a first gradient is timed; the best one counts


class Entry:
    """One contestant in one workload: what it runs, how long that took."""

    def __init__(self, name: str, build: Build, seconds: float) -> None:
        gc.collect()
        start = cold.used()
        self.name, self.run = name, build()
        self.answer = self.run()
        self.first = cold.used() - start
        self.rounds: list[float] = []
        self.loops = 1
        while self.time_round() * self.loops < seconds / 2 and self.loops < 10**6:
            self.loops *= 2

    def time_round(self) -> float:
        """Return the seconds per call over `loops` calls."""
        run = self.run
        start = clock()
        for _ in range(self.loops):
            run()
        return (clock() - start) / self.loops


def error(entry: Entry, reference: Entry, names: Iterable[str]) -> float:
    """Return the largest difference from the hand-written answer, relative to the largest entry."""
    (value, grads), (value0, grads0) = entry.answer, reference.answer
    worst = 0.0
    for got, expected in [(value, value0), *((grads[name], grads0[name]) for name in names)]:
        got, expected = np.asarray(got), np.asarray(expected)
        if got.shape != expected.shape:
            return math.inf
        scale = max(float(np.abs(expected).max()), 1e-30)
        found = float(np.abs(got - expected).max()) / scale
        worst = max(worst, found) if found == found else math.inf
    return worst


def peak(build: Build) -> int:
    """Return the bytes held or allocated at the peak of a call, kept buffers included."""
    run = build()
    tracemalloc.start()
    run()
    tracemalloc.reset_peak()
    run()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


def available(styles: Iterable[str]) -> list[str]:
    """Return the styles that symgrad has; say in one line which it has not."""
    found = []
    for name in styles:
        try:
            sg.compile("x**2", **STYLES[name])
            found.append(name)
        except sg.SymgradError as problem:
            print(f"{name}: skipped, {str(problem).splitlines()[0]}")
    return found


def load_peers(names: Iterable[str], dtype: str) -> dict[str, Any]:
    """Return the peers that are installed, set up for a dtype; say in one line which are not."""
    found = {}
    for name in names:
        try:
            found[name] = PEERS[name](dtype)
        except ImportError:
            print(f"{name}: not installed; python -m pip install 'symgrad[bench]' adds it")
    return found


def versions(peers: Iterable[str]) -> dict[str, str]:
    """Return the installed versions of peers."""
    return {name: metadata.version(PEERS[name].distribution) for name in peers}


def contestants(
    work: Workload, inputs: dict[str, Any], styles: Iterable[str], peers: dict[str, Any], dtype: str
) -> Iterator[tuple[str, Build]]:
    """Yield who takes part, by name, with what builds it; NumPy by hand is the first."""

    def compiled(options: dict[str, Any]) -> Run:
        f = sg.compile(work.text, dtype=dtype, **options)
        return lambda: f(**inputs)

    params = {name: inputs[name] for name in work.wrt}
    data = {name: value for name, value in inputs.items() if name not in params}
    yield "hand", lambda: lambda: work.by_hand(**inputs)
    for style in styles:
        yield style, lambda style=style: compiled(STYLES[style])  # type: ignore[misc]
    if work.name in LIMITS:
        yield "limit", lambda: LIMITS[work.name](**inputs)
    for name, peer in peers.items():
        yield name, lambda peer=peer: peer.build(work.loss, params, data)  # type: ignore[misc]


def contest(
    work: Workload,
    styles: list[str],
    peers: dict[str, Any],
    dtype: str,
    effort: Effort,
) -> dict[str, dict[str, Any]]:
    """Measure one workload; return what was found by contestant, problems as text."""
    inputs = cast(work.inputs(np.random.default_rng(0)), dtype)
    rows: dict[str, dict[str, Any]] = {}
    entries: list[Entry] = []
    for name, build in contestants(work, inputs, styles, peers, dtype):
        try:
            entry = Entry(name, build, effort.seconds)
        except Exception as problem:  # another library's: whatever it may raise
            rows[name] = {"problem": f"{type(problem).__name__}: {str(problem)[:200]}"}
            continue
        wrong = error(entry, entries[0] if entries else entry, work.wrt)
        rows[name] = {"error": wrong, "first": entry.first}
        if wrong > TOLERANCE[dtype]:
            rows[name]["problem"] = f"differs from the hand-written answer by {wrong:.1e}"
            continue
        entries.append(entry)
        if name == "hand" or name in styles:
            rows[name]["peak"] = peak(build)
        if name in styles:
            rows[name] |= cold.first(work.name, dtype, name, effort.processes)
    for turn in range(effort.rounds):
        for entry in entries if turn % 2 == 0 else reversed(entries):
            entry.rounds.append(entry.time_round())
    for entry in entries:
        rows[entry.name]["seconds"] = statistics.median(entry.rounds)
    return rows
