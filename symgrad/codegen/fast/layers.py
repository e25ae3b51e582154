"""Write the repeated layers of a program as a loop: a deep network, the steps of an unrolled cell.

The statements of a repeat differ in names alone. A name stands for one object: what was there
before the loop is listed in a tuple, one entry for each round; what a round computes for itself
gets one name; what the next round reads is handed on; what a round changes stays in a list. So the
loop makes the same calls with the same arrays in the same order, and its bits are those of the
statements written out.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symgrad.codegen.fast.repeated import SET, USED, Forms, repeats, stem

ROUNDS = 4  # fewer are written out
SHORTER = 2  # so is what a loop does not make shorter by this factor
PEELED = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (2, 1))  # rounds before and after a loop
Names = tuple[str, ...]


@dataclass(slots=True)
class Slot:
    """Say what stands in a place of a round, with the `names` of all rounds.

    `kind` is "fixed" (always the same), "table" (known before the loop), "own" (computed in the
    round), "carried" (computed in the round before) or "state" (known before, and changed).
    """

    kind: str
    names: Names


@dataclass(slots=True)
class Loop:
    """Hold a loop: `rounds` times `period` statements from `start`."""

    start: int
    period: int
    rounds: int
    slots: list[list[Slot]] = field(default_factory=list)  # of each statement
    own: dict[Names, None] = field(default_factory=dict)  # what rounds compute
    carried: dict[Names, Names] = field(default_factory=dict)  # read -> computed a round before
    state: dict[Names, None] = field(default_factory=dict)  # what rounds change

    @property
    def stop(self) -> int:
        """Give the place after its last statement."""
        return self.start + self.period * self.rounds

    def tables(self) -> list[Names]:
        """List the columns that are known before the loop."""
        found = dict.fromkeys(s.names for slots in self.slots for s in slots if s.kind == "table")
        return list(found)


class Layers:
    """Find the loops in statements.

    `after` are the names that are read after them, `alias` gives the workspace's array that a name
    stands for, `groups` says which names are of one kind. `again` says that the statements are
    done for every tile.
    """

    def __init__(
        self,
        forms: Forms,
        lines: list[str],
        after: dict[str, None],
        alias: dict[str, str],
        groups: dict[str, str],
        again: bool = False,
    ) -> None:
        self.forms, self.alias, self.groups, self.again = forms, alias, groups, again
        self.statements = forms.cut(lines)
        self.reads: dict[str, list[int]] = {}  # statements that read a name
        for k, statement in enumerate(self.statements):
            for name in dict.fromkeys(statement.names):
                self.reads.setdefault(name, []).append(k)
        for name in after:
            self.reads.setdefault(name, []).append(len(self.statements))
        self.loops: list[Loop] = []
        taken: list[tuple[int, int]] = []
        for start, period, stop in repeats([s.form for s in self.statements], ROUNDS):
            for before, end in taken:
                start = max(start, end) if before <= start else start
                stop = min(stop, before) if before >= start else stop
            loop = self._loop(start, period, stop)
            if loop is not None:
                taken.append((loop.start, loop.stop))
                self.loops.append(loop)
        self.loops.sort(key=lambda loop: loop.start)

    def set(self, name: str) -> list[int]:
        """List the statements that give a name a value."""
        return self._given.get(name, [])

    @cached_property
    def _given(self) -> dict[str, list[int]]:
        """Map names to the statements that give them a value."""
        found: dict[str, list[int]] = {}
        for k, one in enumerate(self.statements):
            given = one.names
            if one.form >= 0:
                given = [one.names[p] for p, what in self.forms.events(one.form) if what != USED]
            for name in dict.fromkeys(given):
                found.setdefault(name, []).append(k)
        return found

    def outside(self, names: Names, loop: Loop) -> list[str]:
        """List the names that stand outside of a loop, too."""
        ends = {name: (self.reads[name][0], self.reads[name][-1]) for name in names}
        return [n for n, (first, last) in ends.items() if first < loop.start or last >= loop.stop]

    # -- which rounds --------------------------------------------------------------------------

    def _loop(self, start: int, period: int, stop: int) -> Loop | None:
        """Find the rounds of a repeat that a loop can compute; first and last ones may differ."""
        if stop - start < ROUNDS * period:
            return None
        best: tuple[int, Loop] | None = None
        begins = self._begin(start, period, stop)
        for first, last in PEELED:
            begin = begins + first * period
            rounds = (stop - begin) // period - last
            if rounds < ROUNDS or (best is not None and not best[0]):
                break
            loop = self._of_rounds(begin, period, rounds)
            if loop is not None:
                rough = self.rough(loop)
                if best is None or rough < best[0]:
                    best = rough, loop
        return best[1] if best is not None else None

    def rough(self, loop: Loop) -> int:
        """Count what is not of one kind in all rounds, or not called alike."""
        alike = sum(not _alike(names) for names in loop.own)
        return alike + sum(not self._smooth(names) for names in loop.tables())

    def _smooth(self, names: Names) -> bool:
        """Say whether names are of one kind, as weights or buffers, and not one of them twice."""
        group = self.groups.get(names[0])
        if group is None or len(dict.fromkeys(names)) < len(names):
            return False
        return _alike(names) and all([self.groups.get(name) == group for name in names])

    def _begin(self, start: int, period: int, stop: int) -> int:
        """Choose where a round begins: where least is handed from one to the next."""
        crossed = [0] * period
        for k in range(start, start + 2 * period):
            statement = self.statements[k]
            for place, what in self.forms.events(statement.form):
                name = statement.names[place]
                if what == USED or name in self.alias:
                    continue
                reads = self.reads[name]
                last = reads[bisect_left(reads, min(stop, k + period)) - 1]
                for boundary in range(k + 1, last + 1):
                    crossed[(boundary - start) % period] += 1
        full = (stop - start) // period
        most = min(period, stop - start - full * period + 1)
        if min(crossed[:most]) > min(crossed):
            most = period
        return start + min(range(most), key=lambda k: (crossed[k], k))

    def _of_rounds(self, start: int, period: int, rounds: int) -> Loop | None:
        """Say what stands in every place of a round; None if a loop cannot give it."""
        loop = Loop(start, period, rounds)
        columns: list[list[Names]] = []
        for k in range(start, start + period):
            at = self.statements[k : k + period * rounds : period]
            columns.append(list(zip(*(s.names for s in at), strict=True)))
        owner = self._owners(loop, columns)
        if owner is None:
            return None
        known: dict[Names, None] = {}
        for k, listed in enumerate(columns):
            slots: list[Slot | None] = [None] * len(listed)
            for place, what in self.forms.events(self.statements[start + k].form):
                names = listed[place]
                slot = self._slot(loop, names, what, owner, known)
                if slot is None:
                    return None
                slots[place] = slot
            loop.slots.append([s for s in slots if s is not None])
        if self.again and any(
            self._elsewhere(name, loop) for names in loop.state for name in names
        ):
            return None
        return loop

    def _elsewhere(self, name: str, loop: Loop) -> bool:
        last = len(self.statements)
        return any(k < loop.start or loop.stop <= k < last for k in self.reads[name])

    def _owners(self, loop: Loop, columns: list[list[Names]]) -> dict[str, Names] | None:
        """Find what the rounds compute: name -> the names in this place, of all rounds."""
        owner: dict[str, Names] = {}
        for k, listed in enumerate(columns):
            for place, what in self.forms.events(self.statements[loop.start + k].form):
                if what == USED:
                    continue
                names = listed[place]
                same = _same(names)
                if not same and len(dict.fromkeys(names)) < len(names):
                    return None
                for name in names[:1] if same else names:
                    if owner.setdefault(name, names) != names:
                        return None
        return owner

    def _slot(
        self,
        loop: Loop,
        names: Names,
        what: int,
        owner: dict[str, Names],
        known: dict[Names, None],
    ) -> Slot | None:
        """Say what a place holds; `known` has what the round has computed up to there."""
        if names in loop.state:
            return Slot("state", names)
        if what == SET and not _same(names):
            known[names] = None
            loop.own[names] = None
        if names in known:
            return Slot("own", names)
        if _same(names) and owner.get(names[0], names) == names:
            return Slot("fixed", names)
        aliased = tuple(self.alias.get(name, name) for name in names)
        if what == USED and owner.keys().isdisjoint(aliased):
            return Slot("fixed" if _same(aliased) else "table", aliased)
        before = owner.get(names[1])
        if before is not None and before[:-1] == names[1:] and names[0] not in owner:
            loop.carried[names] = before
            return Slot("carried", names) if what == USED else None
        if owner.get(names[0]) == names and not any(name in self.alias for name in names):
            loop.state[names] = None
            return Slot("state", names)
        return None


def _alike(names: Names) -> bool:
    """Say whether the first and the last are called as those between."""
    return stem(names[0]) == stem(names[1]) and stem(names[-1]) == stem(names[-2])


def _same(names: Sequence[str]) -> bool:
    return all(name == names[0] for name in names)
