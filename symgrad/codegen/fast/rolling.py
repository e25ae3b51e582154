"""Find what repeats in a long program of numbers: runs of operations that a loop can compute.

The operations stand in the order in which they are computed. A run is n times the same p
operations; what each operand refers to says whether a loop can compute it: a value of the same
round, one of an earlier round, always the same value, or one that was known before the loop.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from symgrad.graph import Node

ROUNDS = 8  # fewer are written out
GAIN = 64  # so are fewer operations
GRAM = 3  # operations that have to be equal before a period is tried
PEELED = 3  # rounds at the beginning that start from other values
MULTIPLE = 4  # periods that are tried together
FAR = 4096  # the longest round


@dataclass(frozen=True, slots=True)
class Slot:
    """Say what an operand refers to in every round.

    `kind` is "same" (a value of this round), "back" (one of `lag` rounds before), "fixed" (always
    the node `fixed`) or "table" (the nodes `table`, one for each round). `place` is the place in
    the round of what "same" and "back" refer to.
    """

    kind: str
    place: int = 0
    lag: int = 0
    fixed: Node | None = None
    table: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """Hold a run: `rounds` times `period` operations from `start`, and the slots of one round."""

    start: int
    period: int
    rounds: int
    slots: tuple[tuple[Slot, ...], ...] = field(repr=False)

    @property
    def stop(self) -> int:
        """Give the place after its last operation."""
        return self.start + self.period * self.rounds


def runs(operations: Sequence[Node], codes: Sequence[Hashable]) -> list[Run]:
    """List the runs of a program, in order; `codes` tells which operations are of one kind.

    >>> from symgrad.ops import leaf, make
    >>> order = [leaf("x")]
    >>> for _ in range(100):
    ...     order.append(make("sin", order[-1]))
    >>> [(r.start, r.period, r.rounds) for r in runs(order[1:], ["sin"] * 100)]
    [(1, 1, 99)]
    """
    place = {n: k for k, n in enumerate(operations)}
    found: list[Run] = []
    last: dict[tuple[Hashable, ...], int] = {}
    reach: dict[int, int] = {}  # up to where each period goes on
    k = done = until = 0
    while k + GRAM <= len(codes):
        gram = tuple(codes[k : k + GRAM])
        before = last.get(gram)
        last[gram] = k
        if k < until or before is None or before < done or k - before > FAR:
            k += 1
            continue
        period = k - before
        stop = max(k, reach.get(period, 0))
        while stop < len(codes) and codes[stop] == codes[stop - period]:
            stop += 1
        reach[period] = stop
        run = None
        for times in range(1, MULTIPLE + 1):  # sums of products may look alike and differ
            run = run or _run(operations, place, before, period * times, stop)
        if run is None:
            until = k + (PEELED + 1) * period
            k += 1
            continue
        found.append(run)
        k = done = run.stop
        last.clear()
    return found


def _run(
    operations: Sequence[Node], place: dict[Node, int], start: int, period: int, stop: int
) -> Run | None:
    """Find the first rounds of a repetition that a loop can compute; None if they are few.

    Twice as many rounds are tried as long as all are good, so that the search stays linear.
    """
    for first in range(start, start + PEELED * period + 1, period):
        most = (stop - first) // period
        best: tuple[int, list[tuple[Slot, ...]]] | None = None
        rounds = ROUNDS
        while rounds <= most:
            slots = _slots(operations, place, (first, period, rounds))
            if slots is None:
                break
            best = slots
            if best[0] < rounds or rounds == most:
                break
            rounds = min(rounds * 2, most)
        if best is not None and best[0] >= ROUNDS and best[0] * period >= GAIN:
            cut = tuple(tuple(_cut(s, best[0]) for s in several) for several in best[1])
            return Run(first, period, best[0], cut)
    return None


def _slots(
    operations: Sequence[Node], place: dict[Node, int], span: tuple[int, int, int]
) -> tuple[int, list[tuple[Slot, ...]]] | None:
    """Say what all operands refer to, and in how many of the rounds; None if in few."""
    first, period, rounds = span
    good = rounds
    slots: list[tuple[Slot, ...]] = []
    for r in range(period):
        several: list[Slot] = []
        for q in range(len(operations[first + r].args)):
            slot, own = _slot(operations, place, (first, period, good), r, q)
            good = min(good, own)
            if slot is None or good < ROUNDS:
                return None
            several.append(slot)
        slots.append(tuple(several))
    return good, slots


def _cut(slot: Slot, rounds: int) -> Slot:
    if slot.kind != "table":
        return slot
    return Slot("table", table=slot.table[:rounds])


def _slot(
    operations: Sequence[Node], place: dict[Node, int], span: tuple[int, int, int], r: int, q: int
) -> tuple[Slot | None, int]:
    """Say what an operand refers to, and in how many of the rounds."""
    first, period, rounds = span
    at = range(first + r, first + r + period * rounds, period)
    nodes = [operations[k].args[q] for k in at]
    one = nodes[0]
    same = next((k for k, n in enumerate(nodes) if n is not one), rounds)
    if same == rounds and place.get(one, -1) < first:
        return Slot("fixed", fixed=one), rounds
    places = [place.get(n, -1) for n in nodes]
    distance = at[0] - places[0]
    good = rounds
    if places[0] >= 0 and distance <= period * (PEELED + 1):
        good = next((k for k, (a, p) in enumerate(zip(at, places, strict=True))
                     if p < 0 or a - p != distance), rounds)  # fmt: skip
        if good >= ROUNDS:
            lag = max(0, -((r - distance) // period))
            kind = "back" if lag else "same"
            return Slot(kind, place=r - distance + lag * period, lag=lag), good
    known = next((k for k, p in enumerate(places) if p >= first), rounds)
    if known < ROUNDS:
        return None, 0
    return Slot("table", table=tuple(nodes)), known
