"""Write the straight and the rolled parts of a long program of numbers, forwards and backwards.

One pass over the operations writes the values, one back over them what they pass to their
operands: reverse mode on text. What is used once is written where it is used.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from symgrad.codegen.fast.rolling import Run, runs
from symgrad.codegen.fast.scalar_back import Back
from symgrad.codegen.fast.scalar_codes import Codes
from symgrad.codegen.fast.scalar_loops import Loop
from symgrad.codegen.fast.scalar_parts import INPUT, LONGEST, NEVER, Slots, brief
from symgrad.codegen.fast.scalar_rules import Kind, Text
from symgrad.codegen.fast.scalar_text import LONG, Part, apply, signed, term, total
from symgrad.formula.code import number
from symgrad.graph import Node
from symgrad.ops.spec import ATOM

Chosen = list[tuple[int, Text]]  # operands by place, and what is passed back to them
WIDTH, ROWS = 4, 2000  # least values of a tuple; most rounds, since tuples keep the collector busy
TERMS = 8  # of a sum before it is added up
ITSELF = Text(1, "{0}", ATOM, (0,), 0)


class Program:
    """Hold the operations of a program, what repeats in them, and the lines written so far."""

    def __init__(
        self,
        order: tuple[Node, ...],
        codes: Codes,
        kinds: Sequence[Kind],
        called: Mapping[Node, str],
        wanted: Sequence[Node],
        prefix: str,
        titles: Mapping[Node, str] = MappingProxyType({}),
        roots: Sequence[Node] = (),
    ) -> None:
        self.operations = [n for n in order if n.args]
        self.distinct = codes.distinct  # operands, each once
        self.place = {n: k for k, n in enumerate(self.operations)}
        self.calls = tuple(dict.fromkeys(c for kind in kinds for c in kind.used))
        self.called, self.prefix, self.titles = called, prefix, titles
        self.ranks = {n: k for k, n in enumerate(called)}
        self.roots = tuple(roots) or order[-1:]
        self.root = self.roots[0]  # the value
        self.active = dict.fromkeys(wanted)
        for n in self.operations:
            for a in n.args:
                if a in self.active:
                    self.active[n] = None
                    break
        self.runs = runs(self.operations, codes.numbers)
        self.slots = Slots(called.values(), len(self.operations))
        self.in_parts = not self.runs and len(self.operations) > LONGEST
        if self.in_parts:
            kinds, self.slots.functions = brief(kinds)
        self.kinds = [kinds[c] for c in codes.numbers]
        self.home: dict[int, Run] = {}  # which run an operation belongs to
        for run in self.runs:
            self.home.update(dict.fromkeys(range(run.start, run.stop), run))
        self.lines: list[str] = []
        self.noted: dict[int, Node] = {}  # lines -> the values that they compute
        self.parts: dict[Node, list[Part]] = {}
        self.loops: dict[int, Loop] = {}
        self.count = 0  # of tables and sums
        self.named: dict[str, str] = {}  # what has been passed on, and is passed on again
        self.made: dict[str, None] = {}  # lists of adjoints that are there
        self.kept = [False] * len(self.operations)  # values that are used again
        self.saved: dict[tuple[int, int], int] = {}  # (run, place) of lists -> rounds before
        self.listed: dict[tuple[int, int], None] = {}  # of these, what is read by its place there
        self.packed: dict[int, list[tuple[int, int]]] = {}  # run -> (place, lag) of tuples
        self.inline: dict[Node, tuple[str, int, int]] = {}
        self.given: list[list[str] | None] = [None] * len(self.operations)  # operands with names
        self.texts = dict(self.called)  # what values outside of runs are called
        self._choose()

    def name(self, letter: str, k: int) -> str:
        """Give a name that no input has; in a program of parts a new one each time."""
        if self.in_parts:
            return self.slots.name(k if letter == "v" else NEVER)
        return f"{letter}{self.prefix}{k}"

    # -- what is kept --------------------------------------------------------------------------

    def first(self, j: int) -> int:
        """Give the operation that stands for j: in a run, that of the first round."""
        run = self.home.get(j)
        return j if run is None else run.start + (j - run.start) % run.period

    def _choose(self) -> None:
        """Find the values that get a name: used twice, used backwards, or used from a run."""
        uses, place = [0] * len(self.operations), self.place
        for node in self.operations:
            for a in node.args:
                j = place.get(a)
                if j is not None:
                    uses[j] += 1
        if self.home:
            self._choose_around()
        else:
            self._choose_needed()
        for node in (self.root, *self.titles):
            if node in place:
                self.kept[self.first(place[node])] = True
        for node in self.roots:
            if node in place:
                uses[place[node]] += 1
        for j, count in enumerate(uses):
            if count > 1:
                self.kept[self.first(j)] = True

    def _choose_needed(self) -> None:
        """Keep what the way back needs, where there are no runs."""
        place, active, kept, kinds = self.place, self.active, self.kept, self.kinds
        for k, node in enumerate(self.operations):
            if node not in active:
                continue
            found = self.distinct[k]
            for q, slots in kinds[k].needs:
                if found[q] in active:
                    for slot in slots:
                        j = k if slot == 1 else place.get(found[slot - 2])
                        if j is not None:
                            kept[j] = True

    def _choose_around(self) -> None:
        """Keep what the way back needs, and what runs and the operations around them share."""
        home, place = self.home, self.place
        for k, node in enumerate(self.operations):
            own = home.get(k)
            for a in node.args:
                j = place.get(a)
                if j is None:
                    continue
                alike = own is home.get(j)  # in one run, or in none
                if alike and own is not None:
                    alike = (k - own.start) // own.period == (j - own.start) // own.period
                if not alike:
                    self._crosses(k, j, False)
            for a in self._backward(k):
                j = place.get(a)
                if j is not None:
                    self.kept[self.first(j)] = True
                    self._crosses(k, j, True)
        self._pack()

    def _pack(self) -> None:
        """Keep what the way back alone reads in tuples, no longer in lists, where that pays."""
        for start, rows in self.packed.items():
            alone = [(place, lag) for place, lag in rows if (start, place) not in self.listed]
            pays = len(alone) >= WIDTH and self.home[start].rounds <= ROWS
            self.packed[start] = alone if pays else []
            for place, _ in self.packed[start]:
                self.saved.pop((start, place), None)

    def _backward(self, k: int) -> list[Node]:
        """List the values that an operation needs on the way back."""
        node = self.operations[k]
        if node not in self.active:
            return []
        found = self.distinct[k]
        needed: list[Node] = []
        for q, slots in self.kinds[k].needs:
            if found[q] in self.active:
                needed += [node if slot == 1 else found[slot - 2] for slot in slots]
        return needed

    def _crosses(self, k: int, j: int, backward: bool) -> None:
        """Note that operation k uses the value of j; runs keep lists of what is used later on."""
        home, user = self.home.get(j), self.home.get(k)
        if home is None:
            self.kept[j] = True
            return
        turn, place = divmod(j - home.start, home.period)
        key = (home.start, place)
        if user is home:
            lag = (k - home.start) // home.period - turn
            if lag:
                self.kept[home.start + place] = True
            if backward or lag > 1:
                self.saved[key] = max(self.saved.get(key, 0), lag)
            if lag > 1:
                self.listed[key] = None
            elif backward and (place, lag) not in (row := self.packed.setdefault(home.start, [])):
                row.append((place, lag))
        else:
            self.kept[home.start + place] = True
            if turn < home.rounds - 1:
                self.saved.setdefault(key, 0)
                self.listed[key] = None

    # -- values --------------------------------------------------------------------------------

    def text(self, node: Node) -> str:
        """Name a value outside of loops."""
        known = self.texts.get(node)
        if known is not None:
            return known
        if node.op == "const":
            value = number(float(node.attrs["value"]))  # as in scalar_rules.Text
            found = self.texts[node] = f"({value})" if value.startswith("-") else value
            return found
        j = self.place[node]
        run = self.home.get(j)
        if run is None:
            found = self.texts[node] = self.titles.get(node) or self.name("v", j)
            return found
        done, place = divmod(j - run.start, run.period)
        if done == run.rounds - 1:
            return self.name("v", run.start + place)
        key = (run.start, place)
        return f"{self.name('s', sum(key))}[{done + self.saved[key]}]"

    def operand(self, node: Node) -> tuple[str, int]:
        """Write a value where it is used: by name, or all of it."""
        if node in self.inline:
            text, level, _ = self.inline[node]
            return text, level
        return self.text(node), ATOM

    def forward(self) -> None:
        """Write the values."""
        inline, known = self.inline, self.texts
        k = 0
        while k < len(self.operations):
            run = self.home.get(k)
            if run is not None:
                loop = self.loops[run.start] = Loop(self, run)
                loop.forward()
                k = run.stop
                continue
            node, value, found = self.operations[k], self.kinds[k].value, self.distinct[k]
            size, named = value.size, True
            for a in found:
                if a in inline:
                    size, named = size + inline[a][2], False
            level = value.level
            if named:
                text, level = value.named
                listed = self.given[k] = [known.get(a) or self.text(a) for a in found]
                text = text.format("", "", *listed)
            else:
                text = value.fill([("", ATOM), ("", ATOM), *map(self.operand, found)])
            if self.kept[k] or size > LONG:
                self.noted[len(self.lines)] = node
                self.lines.append(f"{self.text(node)} = {text}")
            else:
                inline[node] = (text, level, size)
            k += 1

    # -- adjoints ------------------------------------------------------------------------------

    def add(self, node: Node, part: Part) -> None:
        """Add a term to the adjoint of a value; long sums are added up as they grow."""
        if node not in self.active:
            return
        parts = self.parts.get(node)
        if parts is None:
            self.parts[node] = [part]
        else:
            self._joined(node, parts, part)

    def _joined(self, node: Node, parts: list[Part], part: Part) -> None:
        parts.append(part)
        if len(parts) >= TERMS:
            self.parts[node] = [self._summed(node, parts)]

    def _summed(self, node: Node, parts: Sequence[Part]) -> Part:
        """Add terms up on a line of their own."""
        if node in self.called:
            name = self.name("h", self.ranks[node])
        else:
            name = self.name("g", self.place[node])
        self.lines.append(f"{name} = {signed(total(parts))}")
        self.slots.hold([name], self.place.get(node, INPUT))
        return term(1, name)

    def backward(self) -> None:
        """Write the adjoints, from the last operation to the first."""
        self.add(self.root, Part(1, "1.0"))
        if self.in_parts:
            self.slots.hold([self.texts[n] for n in self.roots if n in self.texts], INPUT)
        k = len(self.operations) - 1
        while k >= 0:
            run = self.home.get(k)
            if run is not None:
                Back(self.loops[run.start]).write()
                k = run.start - 1
                continue
            self._back(k)
            if self.in_parts:
                self.slots.release(k, self.texts.get(self.operations[k]))
            k -= 1

    def _back(self, k: int) -> None:
        node = self.operations[k]
        parts = self.parts.pop(node, None)
        if parts is None:
            return
        found, kind = self.distinct[k], self.kinds[k]
        inline, active, all_parts, operands = self.inline, self.active, self.parts, self.given[k]
        if operands is None:
            operands = ["" if a in inline else self.text(a) for a in found]
        y = self.text(node) if self.kept[k] else ""
        g = parts[0] if len(parts) == 1 else total(parts)
        texts = kind.unit if g.text == "1.0" else kind.back
        chosen = [(q, t) for q, t in enumerate(texts) if t is not None and found[q] in active]
        if kind.again and len(chosen) > 1 and texts is kind.back:
            chosen, g = self.shared(kind, chosen, g, k, y, operands)
        if g.level < ATOM:
            g = self.short(chosen, g, k)
        for q, text in chosen:
            part, operand = apply(text, g, y, operands), found[q]
            if self.named and part.text in self.named:
                part = term(part.sign, self.named[part.text])
            if self.in_parts:
                self.slots.hold(part.names, self.place.get(operand, INPUT))
            others = all_parts.get(operand)
            if others is None:
                all_parts[operand] = [part]
            else:
                self._joined(operand, others, part)

    def shared(self, kind: Kind, chosen: Chosen, g: Part, k: int, y: str, operands: Sequence[str],
               indent: str = "") -> tuple[Chosen, Part]:  # fmt: skip
        """Give what the first operand gets a line; the others' texts read it."""
        first = apply(chosen[0][1], self.short(chosen[:1], g, k, indent), y, operands)
        name = self.name("g", k)
        self.lines.append(f"{indent}{name} = {first.text}")
        if name not in first.names and not self.in_parts:
            self.named[first.text] = name
        others = [(q, kind.again[q] or text) for q, text in chosen[1:]]
        return [(0, ITSELF), *others], term(first.sign, name)

    def short(self, chosen: Chosen, g: Part, k: int, indent: str = "") -> Part:
        """Give an adjoint a line of its own where it is long, or used more than once."""
        if g.size > LONG or sum([t.upstream for _, t in chosen]) > 1:
            name = self.name("g", k)
            self.lines.append(f"{indent}{name} = {g.text}")
            return term(g.sign, name)
        return g
