"""Bring together what is found in the layers, over time and in the losses.

>>> from symgrad.train.diagnostics.timeline import Timeline
>>> from symgrad.train.diagnostics.trends import History
>>> losses: History = [{"epoch": k, "loss": 2.3} for k in range(1, 7)]
>>> print(*findings(Timeline(), losses))
warning: hardly anything is learned: after 6 epochs the training loss is 2.3, 100% of that of ...
"""

from collections.abc import Sequence
from dataclasses import replace

from symgrad.train.diagnostics.facts import LayerFacts
from symgrad.train.diagnostics.faults import faults
from symgrad.train.diagnostics.finding import SEVERITIES, Finding
from symgrad.train.diagnostics.thresholds import DEAD, EPOCHS, LEFT, SATURATED
from symgrad.train.diagnostics.timeline import Timeline
from symgrad.train.diagnostics.trends import History, onset, over_epochs, over_time, percentiles
from symgrad.train.diagnostics.watch import Watch

# Faults that training hides rather than cures: values keep a bad start, data stay uncentred.
STARTING = ("exploding values", "fading values", "identical units")
ONSETS = {"dead units": ("dead", DEAD), "saturated units": ("saturated", SATURATED)}


def findings(
    seen: Sequence[LayerFacts] | Timeline | Watch, history: History = (), *, notes: bool = False
) -> list[Finding]:
    """Say what is wrong with a training, worst first; nothing if it is sound.

    `seen` are the facts of one probe, or a watch or its timeline; `history` are the records of
    the epochs, with `loss` and `validation_loss`. With `notes` also what is worth knowing but no
    fault: what was cured on the way, how the percentiles moved.
    """
    if isinstance(seen, Watch):
        seen = seen.timeline
    if isinstance(seen, Timeline):
        found = _from(seen, _behind(history)) + over_time(seen) + percentiles(seen)
    else:
        found = faults(seen)
    found += over_epochs(history)
    kept = [f for f in found if notes or f.severity != "note"]
    return sorted(kept, key=lambda f: SEVERITIES.index(f.severity))


def _behind(history: History) -> bool:
    """Say whether much of the first epoch's loss is left."""
    losses = [float(h["loss"]) for h in history if h.get("loss") is not None]
    return len(losses) >= EPOCHS and losses[-1] > LEFT * losses[0]


def _from(timeline: Timeline, behind: bool) -> list[Finding]:
    """Compare the first with the last record: what has come, what has gone, what stayed.

    A gradient that vanished at the start has held up a training that is `behind`.
    """
    first = {f.what: f for f in faults(timeline.first)}
    last = {f.what: f for f in faults(timeline.last)}
    found = []
    for what, fault in last.items():
        # Units that became alike later are dead or overflowing, which is said elsewhere.
        if what == "identical units" and what not in first:
            continue
        if what in ONSETS:
            found.append(onset(timeline, fault, *ONSETS[what]))
        elif what in first:
            found.append(replace(fault, said=f"{fault.said}, from the start", step=0))
        else:
            found.append(fault)
    return found + [_past(f, timeline, behind) for what, f in first.items() if what not in last]


def _past(fault: Finding, timeline: Timeline, behind: bool) -> Finding:
    """Say that a fault of the beginning is no longer there; what training cures is only noted."""
    lasting = (
        fault.what in STARTING
        or (fault.what == "vanishing gradient" and behind)
        or (fault.what == "gradients of one sign" and timeline.first[0].name in fault.evidence)
    )
    said = f"at the start, {fault.said}" + ("" if lasting else "; no longer so at the end")
    return replace(fault, severity=fault.severity if lasting else "note", said=said, step=0)
