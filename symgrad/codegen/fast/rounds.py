"""Write statements with their repeated layers as loops; the statements between them stay."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from symgrad.codegen.fast import general
from symgrad.codegen.fast.layers import SHORTER, Layers, Loop, Names, Slot
from symgrad.codegen.fast.repeated import ASSIGNED, GAP, Forms, Statement, stem
from symgrad.codegen.fast.tables import WIDE, Tables, filled, plural

Index = tuple[int, int] | None  # where k begins, and its step


@dataclass(slots=True)
class Page:
    """Hold what the loops of a function share.

    `fresh` makes a name that is free, `note` writes the line of a comment; `described` says of
    each loop what it holds.
    """

    forms: Forms
    fresh: Callable[[str], str]
    note: Callable[[str], str]
    locals: dict[str, str] = field(default_factory=dict)  # names that loops share
    unpacked: list[tuple[Names, str]] = field(default_factory=list)  # lists, after their loops
    described: list[str] = field(default_factory=list)

    def local(self, word: str, here: dict[Names, str]) -> str:
        """Name what differs from round to round; other loops may use the name again."""
        k = 0
        while True:
            name = f"{word}_k{k or ''}"
            if name not in self.locals:
                self.locals[name] = self.fresh(name)
            if self.locals[name] not in here.values():
                return self.locals[name]
            k += 1

    def unpack(self, names: Names, called: str) -> str:
        """Mark the place after a loop, where names may be needed one by one."""
        self.unpacked.append((names, called))
        return f"{GAP}{len(self.unpacked) - 1}"

    def settled(self, lines: list[str], after: str) -> list[str]:
        """Give the lines with the names that they, or the text `after`, read one by one."""
        read = dict.fromkeys(re.findall(r"\w+", "\n".join([*lines, after])))
        result: list[str] = []
        for k, line in enumerate(lines):
            before, mark, number = line.partition(GAP)
            if not mark:
                result.append(line)
                continue
            names, called = self.unpacked[int(number)]
            needed = [name for name in names if name in read]
            if needed and not self._again(names, called, lines[k + 1 :]):
                result += [before + row for row in _unpacked(names, called, needed)]
        return result

    def _again(self, names: Names, called: str, lines: list[str]) -> bool:
        """Say whether a list is unpacked once more before its names are read."""
        if sum(other == called for _, other in self.unpacked) < 2:
            return False
        for line in lines:
            number = line.partition(GAP)[2]
            if number and self.unpacked[int(number)][1] == called:
                return True
            if any(name in names for name in self.forms.split(line)[1]):
                return False
        return False


def _unpacked(names: Names, called: str, needed: list[str]) -> list[str]:
    """Write the statement that names the entries of a list."""
    if needed == [names[-1]]:
        return [f"{names[-1]} = {called}[-1]"]
    rows = filled("[", list(names), f"] = {called}")
    return rows if len(rows) > 1 else [f"{', '.join(names)} = {called}"]


class Rounds:
    """Write the statements of a function, or of a loop over tiles in it."""

    def __init__(self, layers: Layers, tables: Tables, page: Page) -> None:
        self.layers, self.tables, self.page = layers, tables, page
        self.gone: dict[str, str] = {}  # computed in a loop -> the array where it stays
        self.lists: dict[Names, str] = {}  # computed in a loop, and read after it
        self.around: tuple[list[str], list[str]] = ([], [])  # before and after a loop over tiles
        self._known: dict[Names, Names] = {}
        self.saved = 0  # lines
        self.loops = [loop for loop in layers.loops if self._pays(loop)]
        for loop in self.loops:
            self._settle(loop)
        for loop in self.loops:
            for names in loop.tables():
                tables.add(self._now(names))

    def _pays(self, loop: Loop) -> bool:
        """Say whether the loop is clearly shorter than its statements."""
        at = self.layers.statements
        written = sum(s.size for s in at[loop.start : loop.stop])
        once = sum(s.size for s in at[loop.start : loop.start + loop.period])
        late = sum(bool(self._late(names, loop)) for names in loop.own)
        around = len(loop.tables()) // 3 + self.layers.rough(loop) * (1 + loop.rounds // 8)
        around += 2 * (late + len(loop.carried) + len(loop.state))
        pays = written >= SHORTER * (once + around)
        self.saved += pays * (written - once - around)
        return pays

    def _late(self, names: Names, loop: Loop) -> bool:
        late = self.layers.outside(names, loop)
        return any(name not in self.layers.alias for name in late)

    def _settle(self, loop: Loop) -> None:
        """Find where what the rounds compute is read later."""
        for names in loop.own:
            if self._late(names, loop):
                self.lists[names] = self._plural(names)
            else:
                alias = self.layers.alias
                self.gone |= {name: alias[name] for name in names if name in alias}

    def _plural(self, names: Names) -> str:
        return self.page.fresh(plural(names[0]))

    def _now(self, names: Names) -> Names:
        """Call what only a loop names by its array."""
        if names not in self._known:
            gone = self.gone
            self._known[names] = tuple([gone.get(name, name) for name in names])
        return self._known[names]

    # -- lines ---------------------------------------------------------------------------------

    def between(self) -> dict[int, list[str]]:
        """Give the lines of the statements between loops, by their places."""
        rolled = dict.fromkeys(k for loop in self.loops for k in range(loop.start, loop.stop))
        at = self.layers.statements
        return {k: [self.line(line) for line in s.lines]
                for k, s in enumerate(at) if k not in rolled}  # fmt: skip

    def write(
        self,
        between: dict[int, list[str]],
        inner: Mapping[int, Callable[[], list[str]]] = MappingProxyType({}),
    ) -> list[str]:
        """Write all statements; those between loops are given, or written by `inner`, by places."""
        lines: list[str] = []
        begins = {loop.start: loop for loop in self.loops}
        self.tables.set = self.layers.set
        k = 0
        while k < len(self.layers.statements):
            self.tables.now = (k, begins[k].stop - 1 if k in begins else k)
            if k in begins:
                lines += self._loop(begins[k])
                k = begins[k].stop
            else:
                lines += inner[k]() if k in inner else between[k]
                k += 1
        return lines

    def line(self, line: str) -> str:
        """Write a line outside of loops: what only a loop names is called by its array."""
        if not self.gone or line.lstrip().startswith("#"):
            return line
        text, names = self.page.forms.split(line)
        if not any(name in self.gone for name in names):
            return line
        return _joined(text, list(self._now(tuple(names))))

    def _loop(self, loop: Loop) -> list[str]:
        """Write a loop, what it starts from, and what is read after it."""
        here: dict[Names, str] = {}
        columns = dict.fromkeys(self._now(names) for names in loop.tables())
        for names in [*columns, *loop.own, *loop.carried]:
            here[names] = self.page.local(stem(names[0]), here)
        given = {here[names]: "\n".join(self.tables.text(names)) for names in columns}
        before, after = self._lists(loop, here, given)
        before += [f"{here[names]} = {self.gone.get(names[0], names[0])}" for names in loop.carried]
        k = self._index(loop)
        body = self._body(loop, here, k)
        body += [f"{here[names]} = {here[own]}" for names, own in loop.carried.items()]
        noted = k is not None and any(b.lstrip().startswith("#") for b in body)
        told = [f"# {general.rounds(*k, loop.rounds)}"] if k is not None and noted else []
        of = f" ({general.rounds(*k, loop.rounds)})" if k is not None else ""
        ending = "s" * (loop.period > 1)
        self.page.described.append(f"{loop.rounds} rounds of {loop.period} statement{ending}{of}")
        alone = not loop.state and not loop.carried and len(before) == 1
        if alone and (short := self._short(loop, given, body)) is not None:
            return [*told, *short, *after]
        head = self._head(loop, list(given), list(given.values()))
        return [*before, *told, *head, *("    " + b if b else "" for b in body), *after]

    def _lists(
        self, loop: Loop, here: dict[Names, str], given: dict[str, str]
    ) -> tuple[list[str], list[str]]:
        """Begin the lists of a loop; give the names of their entries after it."""
        before, after = [], []
        for names in loop.own:
            if names in self.lists:
                before.append(f"{self.lists[names]} = []")
                after.append(self.page.unpack(names, self.lists[names]))
                self.tables.keep(names, self.lists[names])
        outside = self.around if self.layers.again else (before, after)
        place = self.page.local("place", here) if loop.state else ""
        for names in loop.state:
            listed = self._changed(names, outside[0])
            here[names] = f"{listed}[{place}]"
            outside[1].append(self.page.unpack(names, listed))
        if loop.state:
            given[place] = f"range({loop.rounds})"
        return before, after

    def _changed(self, names: Names, before: list[str]) -> str:
        """Name the list of what the rounds change; make it if there is none."""
        tables = self.tables.outer or self.tables
        text = tables.text(names, changed=True)
        if len(text) == 1 and text[0].isidentifier():
            return text[0]
        called = self._plural(names)
        if len(text) > 1:
            before += [f"{called} = [", *text[1:-1], "]"]
        else:
            listed = text[0][1:-1] if text[0][0] + text[0][-1] == "()" else f"*{text[0]}"
            before.append(f"{called} = [{listed}]")
        tables.keep(names, called)
        return called

    def _head(self, loop: Loop, targets: list[str], given: list[str]) -> list[str]:
        named = ", ".join(targets) or self.page.fresh("_")
        if not given:
            return [f"for {named} in range({loop.rounds}):"]
        if len(given) == 1:
            return f"for {named} in {given[0]}:".split("\n")
        if all("\n" not in text for text in given):
            return filled(f"for {named} in zip(", given, "):")
        rows = [f"    {row}" for text in given for row in f"{text},".split("\n")]
        return [f"for {named} in zip(", *rows, "):"]

    # -- a round -------------------------------------------------------------------------------

    def _body(self, loop: Loop, here: dict[Names, str], k: Index) -> list[str]:
        """Write the statements of a round."""
        at = self.layers.statements
        count: dict[Names, int] = {}
        for slots in loop.slots:
            for slot in slots:
                count[slot.names] = count.get(slot.names, 0) + 1
        count |= dict.fromkeys(loop.carried.values(), 2)  # they are read by the next round
        lines: list[str] = []
        for j, slots in enumerate(loop.slots):
            same = at[loop.start + j : loop.stop : loop.period]
            notes = self._notes(same, k)
            names = [self._name(slot, here) for slot in slots]
            for line in same[0].lines:
                if line.lstrip().startswith("#"):
                    lines.append(notes.pop(0))
                    continue
                text, found = self.page.forms.split(line)
                own = slots[0].names if slots and slots[0].kind == "own" else ()
                written = _joined(text, names[: len(found)])
                if own in self.lists and ASSIGNED.match(GAP.join(text)) and count[own] == 1:
                    written = f"{self.lists[own]}.append({written.split(' = ', 1)[1]})"
                    count[own] = 0
                lines.append(written)
                slots, names = slots[len(found) :], names[len(found) :]
        kept = [n for n in loop.own if n in self.lists and count[n]]
        return [*lines, *(f"{self.lists[n]}.append({here[n]})" for n in kept)]

    def _name(self, slot: Slot, here: dict[Names, str]) -> str:
        now = self._now(slot.names)
        if slot.kind == "table":
            return here[now]
        return now[0] if slot.kind == "fixed" else here[slot.names]

    def _short(self, loop: Loop, given: dict[str, str], body: list[str]) -> list[str] | None:
        """Write a loop that only fills a list as that list."""
        called, _, entry = body[-1].partition(".append(")
        if not called.isidentifier() or any(not b.startswith("#") for b in body[:-1]):
            return None
        over = f"zip({', '.join(given.values())})" if given else f"range({loop.rounds})"
        over = next(iter(given.values())) if len(given) == 1 else over
        line = f"{called} = [{entry[:-1]} for {', '.join(given) or '_'} in {over}]"
        return [*body[:-1], line] if len(line) <= WIDE and "\n" not in line else None

    def _index(self, loop: Loop) -> Index:
        """Choose what is called k: the number in the names of inputs, or of what is computed."""
        groups = self.layers.groups
        known = [names for names in loop.tables() if groups.get(names[0]) == "input"]
        own = [names for names in loop.own if not names[0].startswith("buf")]
        for names in [*known, *own, *loop.state]:
            if (found := general.index(names)) is not None:
                return found
        return None

    def _notes(self, same: list[Statement], k: Index) -> list[str]:
        """Write the comments of a statement in k; those of the first round if they differ."""
        rounds = [r for r in dict.fromkeys([0, 1, 2, len(same) - 1]) if r < len(same)]
        listed = [[n for n in same[r].lines if n.lstrip().startswith("#")] for r in rounds]
        texts = [[self.page.note(n) for n in notes] for notes in listed]
        if k is None or any(len(notes) != len(texts[0]) for notes in texts):
            return [f"{text} (first round)" for text in texts[0]]
        at = [k[0] + k[1] * r for r in rounds]
        found = [general.formula(notes, at) for notes in zip(*texts, strict=True)]
        return [one or f"{first} (first round)" for one, first in zip(found, texts[0], strict=True)]


def _joined(text: list[str], names: list[str]) -> str:
    return text[0] + "".join(n + t for n, t in zip(names, text[1:], strict=True))
