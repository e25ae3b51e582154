"""Write a run of equal rounds as a loop over the rounds.

What the way back needs is kept: several values that it alone reads as one tuple for each round,
others in lists with one entry for each round; `lag` entries in front hold the values from before
the first round. `symgrad.codegen.fast.scalar_back` writes that way.
"""

from typing import TYPE_CHECKING

from symgrad.codegen.fast.rolling import Run, Slot
from symgrad.codegen.fast.scalar_codes import letters
from symgrad.codegen.fast.scalar_text import LONG
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
        self.packed = program.packed.get(run.start, ())  # places and lags of what tuples hold
        self.rows = ""  # what the list of the tuples is called
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
        if self.packed:
            program.count += 1
            self.rows = program.name("t", program.count)
            lines.append(f"{self.rows} = []")
        for place in self.carried():
            lines.append(f"{self.before(place)} = {program.text(self.earlier(place, 1))}")
        lines.append(f"for k in range({run.rounds}):")
        texts: dict[int, tuple[str, int]] = {}
        sizes: dict[int, int] = {}
        for r in range(run.period):
            kind = program.kinds[run.start + r]
            slots = self.operands[r]
            filled = [("", ATOM), ("", ATOM), *(self.text(s, texts) for s in slots)]
            text, level = kind.value.fill(filled), kind.value.level
            if not any(s.kind == "same" and s.place in sizes for s in slots):  # all are names
                text, level = kind.value.named
                text = text.format(*(t for t, _ in filled))
            size = kind.value.size + sum(sizes.get(s.place, 0) for s in slots if s.kind == "same")
            if program.kept[run.start + r] or size > LONG:
                lines.append(f"    {self.value(r)} = {text}")
                if (run.start, r) in program.saved:
                    place_ = self.index(self.ahead(r))
                    lines.append(f"    {self.kept(r)}[{place_}] = {self.value(r)}")
                texts[r] = (self.value(r), ATOM)
            else:
                texts[r], sizes[r] = (text, level), size
        if self.packed:
            row = [self.before(place) if lag else self.value(place) for place, lag in self.packed]
            lines.append(f"    {self.rows}.append(({', '.join(row)}))")
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
