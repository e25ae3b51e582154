"""Write the adjoint of a run of equal rounds as a loop from the last round to the first."""

from symgrad.codegen.fast.rolling import Slot
from symgrad.codegen.fast.scalar_loops import Loop
from symgrad.codegen.fast.scalar_text import Part, apply, signed, term, total
from symgrad.graph import Node
from symgrad.ops.spec import ATOM


class Back:
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

    def write(self) -> None:
        """Write the loop, what it starts from, and what it hands on."""
        self.prepare()
        self.program.named.clear()
        self.rounds()
        self.program.named.clear()
        self.finish()

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
        lines.insert(at, self._head(any("[k" in line for line in lines[at:])))

    def _head(self, counted: bool) -> str:
        """Write the line of the loop, which also takes the tuples apart."""
        loop, turns = self.loop, f"range({self.run.rounds - 1}, -1, -1)"
        if not loop.packed:
            return f"for k in {turns}:"
        names = ", ".join([self._name(place, lag) for place, lag in loop.packed])
        if counted:
            return f"for k, ({names}) in zip({turns}, {loop.rows}[::-1]):"
        return f"for {names} in {loop.rows}[::-1]:"

    def _name(self, place: int, lag: int) -> str:
        """Name a value of this round, or of the one before, on the way back."""
        return self.program.name("b" if lag else "u", self.run.start + place)

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
        if kind.again and len(chosen) > 1 and texts is kind.back:
            chosen, g = program.shared(kind, chosen, g, run.start + r, y, operands, "    ")
        if g.level < ATOM:
            g = program.short(chosen, g, run.start + r, "    ")
        for q, text in chosen:
            part = apply(text, g, y, operands)
            if part.text in program.named:
                part = term(part.sign, program.named[part.text])
            self._pass(r, q, slots[q], part, adjoints, onward)

    def _value(self, slot: Slot) -> str:
        """Name an operand on the way back."""
        loop = self.loop
        if slot.kind in ("fixed", "table") or slot.lag > 1:
            return loop.text(slot, {})[0]
        # terms of adjoints still speak of the last round's values, which keep their names
        name = self._name(slot.place, slot.lag)
        if (slot.place, slot.lag) not in loop.packed:
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
