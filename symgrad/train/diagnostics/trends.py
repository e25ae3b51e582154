"""Faults that show over time: in the series of a watch, and in the losses of the epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from statistics import mean, median
from typing import Any

from symgrad.train.diagnostics.finding import Finding, named, percent, short
from symgrad.train.diagnostics.thresholds import (
    AMPLITUDE,
    EPOCHS,
    FALLEN,
    LAST,
    LEFT,
    LINEAR,
    OVERWRITTEN,
    RISEN,
    RISES,
    RUNAWAY,
    STUCK,
    UPDATE_HIGH,
    UPDATE_LOW,
    UPDATE_USUAL,
    WANDERED,
)
from symgrad.train.diagnostics.timeline import Timeline

History = Sequence[Mapping[str, Any]]
MOVED = "the percentiles 15, 50 and 85 of the inputs have moved by"


def onset(timeline: Timeline, found: Finding, quantity: str, least: float) -> Finding:
    """Add since when a layer has a fault, and with which rate and update it came.

    >>> t = Timeline([0, 9], [0, 1], [5.0, 5.0], {"h": {"dead": [0.0, 0.9], "update": [None, 0.0],
    ...              "weight": [10.0, 1e4]}})
    >>> onset(t, Finding("dead units", "h", "error", "off", {"h": 0.9}), "dead", 0.3).said
    "off; between steps 0 and 9, at the rate 5, its weights' norm went from 10 to 10000"
    """
    first: tuple[int, str] | None = None
    for name in found.evidence:
        numbers = timeline.series.get(name, {}).get(quantity, [])
        k = next((k for k, v in enumerate(numbers) if v is not None and v >= least), None)
        if k is not None and (first is None or k < first[0]):
            first = k, name
    if first is None:
        return found
    k, name = first
    if k == 0:
        return replace(found, said=found.said + ", from the start", step=timeline.steps[0])
    own, rate = timeline.series[name], timeline.rates[k]
    said = f"; between steps {timeline.steps[k - 1]} and {timeline.steps[k]}"
    said += f", at the rate {rate:g}" if rate is not None else ""
    whose = "its" if len(found.evidence) == 1 else f"{name}'s"
    steps = [u for u in own["update"][: k + 1] if u]
    old, new = own["weight"][k - 1], own["weight"][k]
    if steps:
        said += f", steps of up to {short(max(steps))} of {whose} weights were taken"
    if not steps or (old and new and not new < 2 * old):
        said += f", {whose} weights' norm went from {short(old)} to {short(new)}"
    evidence = {**found.evidence, "rate": rate, "update": max(steps, default=None)}
    return replace(found, said=found.said + said, evidence=evidence, step=timeline.steps[k])


def over_time(timeline: Timeline) -> list[Finding]:
    """Look at the series of a watch."""
    return [*_updates(timeline), *_runaway(timeline)]


def _updates(timeline: Timeline) -> list[Finding]:
    """Compare the size of steps with that of the weights."""
    high: dict[str, float] = {}
    low: dict[str, float] = {}
    for name, own in timeline.series.items():
        weights = [w or 0.0 for w in own["weight"]]
        # Weights that start at 0 have nothing yet that a step could be compared with.
        least = weights[-1] / 2 if weights[0] == 0 else 0.0
        steps = [u for u, w in zip(own["update"], weights, strict=True)
                 if u and isfinite(u) and w >= least]  # fmt: skip
        if not steps:
            continue
        early = median(steps[: (len(steps) + 1) // 2])
        if max(steps) >= OVERWRITTEN or median(steps) >= UPDATE_HIGH:
            high[name] = max(steps)
        elif early < UPDATE_LOW:
            low[name] = early
    rule = f"about {UPDATE_USUAL:g} of the weights' norm is usual for a step"
    found = []
    if high:
        found.append(Finding(
            "steps too large", named(list(high)), "warning",
            f"single steps are up to {short(max(high.values()))} of the norm of the weights",
            high, f"such steps overwrite the weights rather than adjust them; {rule}",
            "use a smaller rate, a warm-up of the rate, or clip the gradient",
        ))  # fmt: skip
    if low:
        found.append(Finding(
            "steps too small", named(list(low)), "warning",
            f"steps are {short(min(low.values()))} of the norm of the weights", low,
            f"at this pace the weights hardly leave the place where they started; {rule}",
            "use a larger rate" if len(low) == len(timeline.series)
            else "other layers move: look at the gradient of these, or use adam, which scales "
            "the steps of each weight",
        ))  # fmt: skip
    return found


def _runaway(timeline: Timeline) -> list[Finding]:
    """Find weights that have grown beyond all measure."""
    grown: dict[str, float] = {}
    for name, own in timeline.series.items():
        norms = [w or 0.0 for w in own["weight"]]
        if norms and norms[0] and not max(norms) < RUNAWAY * norms[0]:
            grown[name] = max(norms) / norms[0]
    if not grown:
        return []
    rates = [r for r in timeline.rates if r is not None]
    at = f" at the rate {max(rates):g}" if rates else ""
    return [
        Finding(
            "weights run away", named(list(grown)), "error",
            f"the norm of the weights has grown by a factor of {short(max(grown.values()))}{at}",
            grown,
            "a step that overshoots lands where the gradient is larger, and the next one is larger "
            "still",
            "use a smaller rate, or clip the gradient",
        )
    ]  # fmt: skip


def drift(timeline: Timeline) -> dict[str, float]:
    """Say how far the percentiles of each layer's inputs have moved, in their first distances.

    The root mean square of the three moves, over the distance of the percentiles 15 and 85 in the
    first record.
    """
    found = {}
    for name, own in timeline.series.items():
        lines = [own[key] for key in ("low", "median", "high")]
        if len(timeline) < 2 or any(v is None or not isfinite(v) for n in lines for v in n):
            continue
        first, last = ([float(n[k] or 0.0) for n in lines] for k in (0, -1))
        wide = first[2] - first[0]
        if wide > 0:
            moves = [(b - a) / wide for a, b in zip(first, last, strict=True)]
            found[name] = mean(m * m for m in moves) ** 0.5
    return found


def percentiles(timeline: Timeline) -> list[Finding]:
    """Say whether batch normalisation has kept the percentiles where they were."""
    moved = drift(timeline)
    hidden = [f for f in timeline.last if not f.output and f.name in moved]
    normed = {f.name: moved[f.name] for f in hidden if f.normed}
    others = {f.name: moved[f.name] for f in hidden if not f.normed}
    found = []
    if normed:
        found.append(Finding(
            "percentiles under batch normalisation", named(list(normed)), "note",
            f"{MOVED} {short(max(normed.values()))} of their distance at most", normed,
            "standardisation takes mean and scale out of what the layers below do",
        ))  # fmt: skip
    wide = {k: v for k, v in others.items() if v >= WANDERED}
    if wide:
        found.append(Finding(
            "percentiles wander", named(list(wide)), "note",
            f"{MOVED} {short(max(wide.values()))} times their distance", wide,
            "each layer has to follow what the layers below it do",
            "batch_norm before the activation keeps them in place",
        ))  # fmt: skip
    return found


# -- losses ----------------------------------------------------------------------------------


def over_epochs(history: History) -> list[Finding]:
    """Look at the losses: `loss` and, where there is one, `validation_loss`."""
    losses = [float(h["loss"]) for h in history if h.get("loss") is not None]
    if len(losses) < EPOCHS or not all(map(isfinite, losses)):
        return []
    zigzag = _zigzag(losses)
    return [*zigzag, *([] if zigzag else _slow(losses)), *_overfitting(history)]


def _overfitting(history: History) -> list[Finding]:
    pairs = [(float(h["loss"]), float(h["validation_loss"]), h.get("epoch", k + 1))
             for k, h in enumerate(history) if h.get("validation_loss") is not None]  # fmt: skip
    if len(pairs) < EPOCHS:
        return []
    best = min(range(len(pairs)), key=lambda k: pairs[k][1])
    loss, lowest, epoch = pairs[best]
    now = mean(p[1] for p in pairs[-LAST:])
    if len(pairs) - best <= LAST or not now > RISEN * lowest or not pairs[-1][0] < FALLEN * loss:
        return []
    return [
        Finding(
            "overfitting", "", "warning",
            f"since epoch {epoch} the validation loss has risen from {short(lowest)} to "
            f"{short(now)}, while the training loss fell from {short(loss)} to "
            f"{short(pairs[-1][0])}",
            {"epoch": epoch, "lowest": lowest, "now": now},
            "the network learns what is particular to the training rows",
            f"stop early (patience=…; epoch {epoch} was best), use l2, dropout, more data or a "
            "smaller network",
        )
    ]  # fmt: skip


def _slow(losses: Sequence[float]) -> list[Finding]:
    start, end = losses[0], losses[-1]
    middle = losses[len(losses) // 2]
    evidence = {"first": start, "middle": middle, "last": end}
    if start <= 0:
        return []
    if end > STUCK * start:
        return [Finding(
            "hardly anything is learned", "", "warning",
            f"after {len(losses)} epochs the training loss is {short(end)}, "
            f"{percent(end / start)} of that of the first epoch", evidence,
            "the steps are too small, no gradient arrives, or the model cannot tell the rows apart",
            "look at the other findings; else use a larger rate, or adam",
        )]  # fmt: skip
    if end > LEFT * start and middle - end > LINEAR * (start - middle):
        return [Finding(
            "learning is slow", "", "warning",
            f"the second half of the epochs lowered the training loss by {short(middle - end)}, "
            f"the first half by {short(start - middle)}: it is still on its way", evidence,
            "a training whose rate fits gains most at the beginning",
            "use a larger rate, or more epochs",
        )]  # fmt: skip
    return []


def _zigzag(losses: Sequence[float]) -> list[Finding]:
    """Find losses that go up and down: up often, and by much."""
    changes = [b - a for a, b in pairwise(losses)]
    rises = [c for c in changes if c > 0]
    total = sum(map(abs, changes))
    turns = sum(a * b < 0 for a, b in pairwise(changes))
    if not rises or sum(rises) < RISES * total or turns < len(changes) / 4:
        return []
    if sum(rises) / len(changes) < AMPLITUDE * losses[0]:
        return []
    return [
        Finding(
            "the loss zigzags", "", "warning",
            f"it rose in {len(rises)} of {len(changes)} epochs, by {short(mean(rises))} on average",
            {"rises": len(rises), "mean": mean(rises), "turns": turns},
            "steps jump over the valley instead of following it",
            "use a smaller rate, a falling schedule, momentum or larger batches",
        )
    ]  # fmt: skip
