"""What is asked of a run: every bar with what was measured, met or not."""

import math
import statistics
from dataclasses import dataclass
from typing import Any

from workloads import NAMED, WORKLOADS

# fast over the contestant, geometric mean over the tensor workloads
MEANS = {
    "hand": 0.70,
    "jax": 0.60,
    "torch": 0.60,
    "torch.compile": 0.50,
    "autograd": 0.30,
    "pytensor": 0.55,
}
# contestant over another, on every workload but the scalar ones, whose bar is SCALAR_CALL
EACH = {("fast", "limit"): 1.10, ("readable", "hand"): 1.10, ("accurate", "hand"): 1.35}
SCALAR_CALL = 1e-6
FIRST = 0.060  # beside one call
GRADIENT = 4.0  # operations, over those of the loss
GROWTH = {"first": 3.0, "bytes": 600e6, "nanoseconds": 80.0}
STARTS = {"import": 0.050, "derive": 0.8}
SLACK = 4096  # bytes of a call that are Python's own: frames, dictionaries, headers of arrays
TENSOR = [work.name for work in WORKLOADS if not work.scalar]

Table = dict[str, dict[str, dict[str, Any]]]  # workload, contestant, what was measured


@dataclass(frozen=True)
class Verdict:
    """One bar, what was measured, whether that meets it."""

    what: str
    asked: str
    measured: str
    met: bool


def ratio(row: dict[str, dict[str, Any]], one: str, other: str) -> float | None:
    """Return the median of one contestant over another's, if both were timed."""
    a, b = (row.get(name, {}).get("seconds") for name in (one, other))
    return a / b if a and b else None


def mean(table: Table, one: str, other: str, names: list[str]) -> float | None:
    """Return the geometric mean of the ratios over workloads."""
    found = [r for name in names if name in table and (r := ratio(table[name], one, other))]
    return statistics.geometric_mean(found) if found else None


def subject(table: Table) -> str:
    """Return which of symgrad's styles is compared with the others: fast where it is there."""
    timed = {name for row in table.values() for name, found in row.items() if "seconds" in found}
    return "fast" if "fast" in timed else "readable"


def of_times(table: Table, dtype: str) -> list[Verdict]:
    """Judge run times of one dtype."""
    style, verdicts = subject(table), []
    names = [name for name in TENSOR if name in table]
    for other, bar in MEANS.items():
        value = mean(table, style, other, names)
        if value is not None:
            what = f"{style} / {other}, geometric mean, {dtype}"
            lacking = [name for name in names if ratio(table[name], style, other) is None]
            said = f"{value:.2f}" + (f" without {', '.join(lacking)}" if lacking else "")
            verdicts.append(Verdict(what, f"≤ {bar:.2f}", said, value <= bar and not lacking))
    for (one, other), bar in EACH.items():
        vectors = {n: row for n, row in table.items() if not NAMED[n].scalar}
        found = {n: r for n, row in vectors.items() if (r := ratio(row, one, other))}
        if found:
            above = [f"{n} {r:.2f}" for n, r in found.items() if r > bar]
            above += [f"{n} none" for n, row in vectors.items()
                      if other in row and n not in found]  # fmt: skip
            worst = max(found, key=lambda n: found[n])
            said = ", ".join(above) or f"worst {worst} {found[worst]:.2f}"
            what = f"{one} / {other}, every workload, {dtype}"
            verdicts.append(Verdict(what, f"≤ {bar:.2f}", said, not above))
    seconds = table.get("neuron", {}).get(style, {}).get("seconds")
    if seconds:
        what, said = f"{style}, neuron, a call, {dtype}", f"{seconds * 1e6:.2f} µs"
        verdicts.append(Verdict(what, "≤ 1 µs", said, seconds <= SCALAR_CALL))
    return verdicts


def of_firsts(table: Table, dtype: str) -> list[Verdict]:
    """Judge the time to the first gradient beside one call, and the peak of memory."""
    style, verdicts = subject(table), []
    firsts = {
        name: row[style]["first"] - row[style]["call"]
        for name, row in table.items()
        if "call" in row.get(style, {})
    }
    if firsts:
        above = [f"{n} {1e3 * s:.0f}" for n, s in firsts.items() if s > FIRST]
        worst = max(firsts, key=lambda n: firsts[n])
        said = ", ".join(above) or f"worst {worst} {1e3 * firsts[worst]:.0f}"
        what = f"{style}, first gradient less one call, {dtype}"
        verdicts.append(Verdict(what, f"≤ {1e3 * FIRST:.0f} ms", said, not above))
    peaks = {
        name: (row[style]["peak"], row["hand"]["peak"])
        for name, row in table.items()
        if "peak" in row.get(style, {}) and "peak" in row.get("hand", {})
    }
    if peaks:
        above = [f"{n} {a / b:.2f}" for n, (a, b) in peaks.items() if a > b + SLACK]
        what = f"{style}, peak of a call over hand's, {dtype}"
        verdicts.append(Verdict(what, "≤ 1", ", ".join(above) or "all", not above))
    return verdicts


def of_operations(counts: list[Any]) -> list[Verdict]:
    """Judge the operations of gradient programs."""
    above = [c for c in counts if c.ratio > GRADIENT]
    above.sort(key=lambda c: -c.ratio)
    said = ", ".join(f"{c.name} {c.both}/{c.loss}" for c in above[:3])
    said += f" and {len(above) - 3} more" * (len(above) > 3)
    worst = max(counts, key=lambda c: c.ratio)
    said = said or f"worst {worst.name} {worst.ratio:.2f}"
    what = f"operations with the gradient over the loss's, {len(counts)} programs"
    return [Verdict(what, f"≤ {GRADIENT:.0f}", said, not above)]


def of_growth(series: dict[int, dict[str, Any]], name: str = "repeated") -> list[Verdict]:
    """Judge the largest program of a growth series."""
    size = max(series)
    row, verdicts, most = series[size], [], f"{size:,} operators, {name}"
    if "problem" in row:
        return [Verdict(most, "done", row["problem"], False)]
    show = {
        "first": ("first gradient", "s", 1.0),
        "bytes": ("memory", "MB", 1e-6),
        "nanoseconds": ("a call, per operator", "ns", 1.0),
    }
    for key, (what, unit, scale) in show.items():
        value, bar = row[key] * scale, GROWTH[key] * scale
        verdicts.append(
            Verdict(f"{most}: {what}", f"≤ {bar:g} {unit}", f"{value:.3g} {unit}", value <= bar)
        )  # fmt: skip
    return verdicts


def of_starts(found: dict[str, float]) -> list[Verdict]:
    """Judge cold starts."""
    names = {"import": "import symgrad", "derive": "cold symgrad derive"}
    return [
        Verdict(names[key], f"≤ {1e3 * STARTS[key]:.0f} ms", f"{1e3 * found[key]:.0f} ms",
                found[key] <= STARTS[key])
        for key in STARTS
        if math.isfinite(found.get(key, math.nan))
    ]  # fmt: skip
