"""Write a run of equal rounds as a loop over the rounds, and its adjoint as a loop back.

What the way back needs is kept in lists, one entry for each round; `lag` entries in front hold
the values from before the first round.
"""

from typing import TYPE_CHECKING

from symgrad.codegen.fast.rolling import Run, Slot
from symgrad.codegen.fast.scalar_rules import letters
from symgrad.codegen.fast.scalar_text import LONG, Part, apply, signed, total
from symgrad.codegen.lists import ENTRY
from symgrad.graph import Node
from symgrad.ops.spec import ATOM

if TYPE_CHECKING:
    from symgrad.codegen.fast.scalar_sweep import Program

WIDE = 92


class Loop:
    """Hold a run, and what its operands are called inside its loops."""

    def __init__(self, program: "Program", run: Run) -> None:
        self.program, self.run = program, run
        self.tables: dict[tuple[Node, ...], str] = {}  # what each table is called
        self.operands: list[list[Slot]] = []  # of each place, the distinct ones
        for r in range(run.period):
            node = program.operations[run.start + r]
            _, found = letters(node)
            place = {a: q for q, a in reversed(list(enumerate(node.args)))}
            self.operands.append([run.slots[r][place[a]] for a in found])

    def index(self, ahead: int) -> str:
        """Write a place in a list with so many entries in front."""
        return "k" if not ahead else f"k {'+' if ahead > 0 else '-'} {abs(ahead)}"

    def kept(self, place: int) -> str:
        """Name the list of the values at a place."""
        return self.program.name("s", self.run.start + place)

    def ahead(self, place: int) -> int:
        """Count the entries in front of a list."""
        return self.program.saved.get((self.run.start, place), 0)

    def value(self, place: int) -> str:
        """Name the value at a place in this round."""
        return self.program.name("v", self.run.start + place)

    def before(self, place: int) -> str:
        """Name the value at a place in the round before."""
        return self.program.name("c", self.run.start + place)

    def earlier(self, place: int, lag: int) -> Node:
        """Give the operation that stands at a place some rounds before the first."""
        return self.program.operations[self.run.start - lag * self.run.period + place]

    def carried(self) -> list[int]:
        """List the places whose values the next round uses."""
        back = [s.place for several in self.operands for s in several if s.kind == "back"
                and s.lag == 1]  # fmt: skip
        return sorted(dict.fromkeys(back))

    def stream(self, slot: Slot) -> str:
        """Write an entry of a table."""
        found = self.source(slot)
        if found is None:
            return f"{self.tables[slot.table]}[k]"
        name, at = found
        return f"{name}[{self.index(at)}]"

    def source(self, slot: Slot, letter: str = "s") -> tuple[str, int] | None:
        """Find the list of another run that a table repeats, and from where on."""
        program = self.program
        j = program.place.get(slot.table[0])
        home = None if j is None else program.home.get(j)
        if j is None or home is None:
            return None
        step = home.period
        for k, n in enumerate(slot.table):
            at = program.place.get(n)
            if at != j + k * step or program.home.get(at) is not home:
                return None
        turn, place = divmod(j - home.start, step)
        key = (home.start, place)
        if key not in program.saved:
            return None
        return program.name(letter, sum(key)), turn + program.saved[key]

    def text(self, slot: Slot, texts: dict[int, tuple[str, int]]) -> tuple[str, int]:
        """Write an operand on the way forward; `texts` has what this round has computed."""
        if slot.kind == "same":
            return texts[slot.place]
        if slot.kind == "fixed":
            assert slot.fixed is not None
            return self.program.text(slot.fixed), ATOM
        if slot.kind == "table":
            return self.stream(slot), ATOM
        if slot.lag == 1:
            return self.before(slot.place), ATOM
        return f"{self.kept(slot.place)}[{self.index(self.ahead(slot.place) - slot.lag)}]", ATOM

    # -- forwards ------------------------------------------------------------------------------

    def forward(self) -> None:
        """Write the loop that computes the values."""
        program, run = self.program, self.run
        lines = program.lines
        self._tables()
        for place in range(run.period):
            if (run.start, place) in program.saved:
                ahead = self.ahead(place)
                front = [program.text(self.earlier(place, lag)) for lag in range(ahead, 0, -1)]
                start = f"[{', '.join(front)}] + " if front else ""
                lines.append(f"{self.kept(place)} = {start}[0.0] * {run.rounds}")
        for place in self.carried():
            lines.append(f"{self.before(place)} = {program.text(self.earlier(place, 1))}")
        lines.append(f"for k in range({run.rounds}):")
        texts: dict[int, tuple[str, int]] = {}
        sizes: dict[int, int] = {}
        for r in range(run.period):
            kind = program.kinds[run.start + r]
            slots = self.operands[r]
            text = kind.value.fill([("", ATOM), ("", ATOM), *(self.text(s, texts) for s in slots)])
            size = kind.value.size + sum(sizes.get(s.place, 0) for s in slots if s.kind == "same")
            if program.kept[run.start + r] or size > LONG:
                lines.append(f"    {self.value(r)} = {text}")
                if (run.start, r) in program.saved:
                    place_ = self.index(self.ahead(r))
                    lines.append(f"    {self.kept(r)}[{place_}] = {self.value(r)}")
                texts[r] = (self.value(r), ATOM)
            else:
                texts[r], sizes[r] = (text, kind.value.level), size
        for place in self.carried():
            lines.append(f"    {self.before(place)} = {self.value(place)}")

    def _tables(self) -> None:
        """Put operands that differ from round to round into tuples."""
        program = self.program
        for slots in self.operands:
            for slot in slots:
                if slot.kind == "table" and slot.table not in self.tables:
                    if self.source(slot) is not None:
                        continue
                    program.count += 1
                    name = program.name("t", program.count)
                    self.tables[slot.table] = name
                    self._table(name, slot.table)

    def _table(self, name: str, nodes: tuple[Node, ...]) -> None:
        """Put values into a tuple, or take a part of the list of inputs."""
        lines = self.program.lines
        texts = [self.program.text(n) for n in nodes]
        if entry := ENTRY.fullmatch(texts[0]):
            first = int(entry[2])
            if texts == [f"{entry[1]}[{first + k}]" for k in range(len(texts))]:
                return lines.append(f"{name} = {entry[1]}[{first}:{first + len(texts)}]")
        row = f"{name} = ("
        for text in texts:
            if len(row) + len(text) > WIDE:
                lines.append(row.rstrip())
                row = "    "
            row += f"{text}, "
        lines.append(row.rstrip() + ")")

    # -- backwards -----------------------------------------------------------------------------

    def backward(self) -> None:
        """Write the loop that passes the adjoints back."""
        back = _Back(self)
        back.prepare()
        back.rounds()
        back.finish()


class _Back:
    """Hold the adjoints of one run while its loop back is written."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.program, self.run = loop, loop.program, loop.run
        program, run = self.program, self.run
        last = run.stop - run.period
        self.live = [program.operations[last + r] in program.active for r in range(run.period)]
        self.sums: dict[Node, str] = {}  # fixed operands -> what adds their adjoints up
        self.lists: dict[tuple[int, int], str] = {}  # places with adjoints of several rounds
        self.given: dict[int, str] = {}  # places -> the adjoint that comes from the next round
        self.grown: dict[tuple[int, int], str] = {}  # operands -> the list of their adjoints

    def active(self, slot: Slot) -> bool:
        """Say whether an adjoint is wanted of an operand."""
        if slot.kind == "fixed":
            return slot.fixed in self.program.active
        if slot.kind == "table":
            return any(n in self.program.active for n in slot.table)
        return self.live[slot.place]

    def prepare(self) -> None:
        """Write the adjoints that come from behind the loop, and empty sums and lists."""
        program, run, loop = self.program, self.run, self.loop
        lines = program.lines
        carried = loop.carried()
        for place in range(run.period):
            if not self.live[place]:
                continue
            outside = {}
            for turn in range(run.rounds):
                found = program.parts.pop(program.operations[run.start + turn * run.period + place],
                                          None)  # fmt: skip
                if found:
                    outside[turn] = found
            end = outside.pop(run.rounds - 1, None)
            if end or place in carried:
                name = self.given[place] = program.name("d", run.start + place)
                lines.append(f"{name} = {signed(total(end)) if end else '0.0'}")
            self._list(place, outside)
        for r, slots in enumerate(loop.operands):
            for q, slot in enumerate(slots):
                if self.live[r] and self.active(slot):
                    self._empty(r, q, slot)

    def _list(self, place: int, outside: dict[int, list[Part]]) -> None:
        """Make the list of the adjoints of a place, if others than the next round add to it."""
        program, run = self.program, self.run
        later = [s for several in self.loop.operands for s in several
                 if s.kind == "back" and s.lag > 1 and s.place == place]  # fmt: skip
        name = program.name("a", run.start + place)
        known = name in program.made
        if not (outside or later or known):
            return
        self.lists[run.start, place] = name
        ahead = self.loop.ahead(place)
        if not known:
            program.lines.append(f"{name} = [0.0] * {run.rounds + ahead}")
        for turn, parts in outside.items():
            sign = "+=" if known else "="
            program.lines.append(f"{name}[{turn + ahead}] {sign} {signed(total(parts))}")

    def _empty(self, r: int, q: int, slot: Slot) -> None:
        """Make the sum or the list of the adjoints of an operand."""
        program = self.program
        if slot.kind == "fixed":
            assert slot.fixed is not None
            if slot.fixed not in self.sums:
                program.count += 1
                name = self.sums[slot.fixed] = program.name("q", program.count)
                program.lines.append(f"{name} = 0.0")
        elif slot.kind == "table":
            found = self.loop.source(slot, "a")
            if found is None:
                program.count += 1
                name = self.grown[r, q] = program.name("q", program.count)
                program.lines.append(f"{name} = [0.0] * {self.run.rounds}")
            elif found[0] not in program.made:
                j = program.place[slot.table[0]]
                home = program.home[j]
                ahead = program.saved[home.start, (j - home.start) % home.period]
                program.made[found[0]] = None
                program.lines.append(f"{found[0]} = [0.0] * {home.rounds + ahead}")

    def rounds(self) -> None:
        """Write the loop."""
        program, run, loop = self.program, self.run, self.loop
        lines = program.lines
        lines.append(f"for k in range({run.rounds - 1}, -1, -1):")
        at = len(lines)
        self.loads: dict[str, str] = {}  # names -> entries of lists that they are read from
        adjoints: dict[int, list[Part]] = {}
        onward: dict[int, list[Part]] = {place: [] for place in self.given}
        for r in reversed(range(run.period)):
            parts = adjoints.pop(r, [])
            if r in self.given:
                parts = [*parts, Part(1, self.given[r])]
            if (run.start, r) in self.lists:
                entry = f"{self.lists[run.start, r]}[{loop.index(loop.ahead(r))}]"
                parts = [*parts, Part(1, entry)]
            if parts and self.live[r]:
                self._operation(r, total(parts), adjoints, onward)
        lines[at:at] = [f"    {name} = {entry}" for name, entry in self.loads.items()]
        sums = {self.given[p]: signed(total(parts)) if parts else "0.0"
                for p, parts in onward.items()}  # fmt: skip
        sums = {name: text for name, text in sums.items() if name != text}
        if sums:
            lines.append(f"    {', '.join(sums)} = {', '.join(sums.values())}")
        elif len(lines) == at:
            lines.append("    pass")

    def _operation(
        self, r: int, g: Part, adjoints: dict[int, list[Part]], onward: dict[int, list[Part]]
    ) -> None:
        """Write what the operation at a place passes to its operands."""
        program, run, loop = self.program, self.run, self.loop
        kind, slots = program.kinds[run.start + r], loop.operands[r]
        texts = kind.unit if g.unit else kind.back
        chosen = [(q, t) for q, t in enumerate(texts) if t is not None and self.active(slots[q])]
        used = {slot for _, t in chosen for slot in t.slots}
        operands = [self._value(s) if q + 2 in used else "" for q, s in enumerate(slots)]
        y = self._value(Slot("same", r)) if 1 in used else ""
        if g.level < ATOM:
            g = program.short(chosen, g, run.start + r, "    ")
        for q, text in chosen:
            self._pass(r, q, slots[q], apply(text, g, y, operands), adjoints, onward)

    def _value(self, slot: Slot) -> str:
        """Name an operand on the way back."""
        loop = self.loop
        if slot.kind in ("fixed", "table") or slot.lag > 1:
            return loop.text(slot, {})[0]
        # terms of adjoints still speak of the last round's values, which keep their names
        name = self.program.name("b" if slot.lag else "u", self.run.start + slot.place)
        at = loop.index(loop.ahead(slot.place) - slot.lag)
        self.loads.setdefault(name, f"{loop.kept(slot.place)}[{at}]")
        return name

    def _pass(self, r: int, q: int, slot: Slot, part: Part, adjoints: dict[int, list[Part]],
              onward: dict[int, list[Part]]) -> None:  # fmt: skip
        loop, lines = self.loop, self.program.lines
        by = f"{'+' if part.sign > 0 else '-'}= {part.text}"
        if slot.kind == "same":
            adjoints.setdefault(slot.place, []).append(part)
        elif slot.kind == "back" and slot.lag == 1:
            onward[slot.place].append(part)
        elif slot.kind == "back":
            at = loop.index(loop.ahead(slot.place) - slot.lag)
            lines.append(f"    {self.lists[self.run.start, slot.place]}[{at}] {by}")
        elif slot.kind == "fixed":
            assert slot.fixed is not None
            lines.append(f"    {self.sums[slot.fixed]} {by}")
        elif (r, q) in self.grown:
            lines.append(f"    {self.grown[r, q]}[k] = {signed(part)}")
        else:
            found = loop.source(slot, "a")
            assert found is not None
            lines.append(f"    {found[0]}[{loop.index(found[1])}] {by}")

    def finish(self) -> None:
        """Hand on what belongs to values from before the loop."""
        program, loop = self.program, self.loop
        for place in loop.carried():
            if place in self.given:
                program.add(loop.earlier(place, 1), Part(1, self.given[place]))
        for (_, place), name in self.lists.items():
            ahead = loop.ahead(place)
            for k in range(ahead):
                program.add(loop.earlier(place, ahead - k), Part(1, f"{name}[{k}]"))
        for node, name in self.sums.items():
            program.add(node, Part(1, name))
        for (r, q), name in self.grown.items():
            for k, node in enumerate(loop.operands[r][q].table):
                program.add(node, Part(1, f"{name}[{k}]"))
