"""Write the function of a module with its repeated layers as loops, and its workspace as lists."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from symgrad.codegen.fast.labels import counted, unlabelled
from symgrad.codegen.fast.layers import Layers
from symgrad.codegen.fast.repeated import Forms
from symgrad.codegen.fast.rounds import Page, Rounds
from symgrad.codegen.fast.steps import Steps
from symgrad.codegen.fast.tables import Listing, Made, Tables
from symgrad.codegen.fast.writing import Statements

LONG = 24  # lines but for comments, in which statements of a tile that repeat are looked for
SAVED = 60  # such lines that loops save; for fewer they are not worth their own cost in a call


@dataclass(slots=True)
class Names:
    """Say what the names of a function stand for.

    `variables` may differ from round to round, `functions` are called; `groups` has those
    of which lists are made; `whole` gives the array of the workspace that a name stands for, `rows`
    the same for rows of a tile. `fresh` makes a name that is free.
    """

    variables: dict[str, None]
    functions: dict[str, None]
    groups: dict[str, str]
    whole: dict[str, str]
    rows: dict[str, str]
    fresh: Callable[[str], str]

    @classmethod
    def of(
        cls,
        statements: Statements,
        inputs: Iterable[str],
        known: Iterable[str],
        fresh: Callable[[str], str],
    ) -> "Names":
        """Sort the names of written statements; `known` are those that may be a variable."""
        functions = dict.fromkeys([*statements.functions.values(), *statements.carried])
        buffers = [name for (what, _), name in statements.names.items() if what == "buf"]
        groups = {
            **dict.fromkeys(inputs, "input"),
            **dict.fromkeys(buffers, "buf"),
            **dict.fromkeys(statements.joined.values(), "loop"),
        }
        rows = {name: place for name, place in statements.places.items() if name != place}
        variables = {name: None for name in known if name not in functions}
        return cls(variables, functions, groups, statements.alias, rows, fresh)


@dataclass(slots=True)
class Written:
    """Hold the lines of a function, those that return, what its workspace makes, and the loops.

    `names` counts those in the statements. Results that are called by their arrays lose theirs.
    """

    lines: list[str]
    returned: list[str]
    made: Made
    loops: list[str]
    names: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.names = counted([*self.lines, *self.returned])
        self.lines = unlabelled(self.lines, self.names)


class Deep:
    """Write lines with loops; `note` writes the line of a comment."""

    def __init__(self, names: Names, note: Callable[[str], str]) -> None:
        self.names, self.note = names, note

    def write(self, lines: list[str], returned: list[str], made: Made) -> Written:
        """Write the lines of a function that returns so, with a workspace that makes so."""
        if _size(lines) < SAVED:
            return Written([self.note(line) for line in lines], returned, made, [])
        names = self.names
        steps = Steps(lines, [name for name, group in names.groups.items() if group == "input"])
        names.groups = {**names.groups, **steps.groups()}
        self.forms = Forms({**names.variables, **dict.fromkeys(steps.texts)}, names.functions)
        self.tables = Tables(names.groups, names.fresh)
        steps.offer(self.tables)
        self.page = Page(self.forms, names.fresh, self.note)
        after = dict.fromkeys(self.forms.split("\n".join(returned))[1])
        named = [steps.of(line) for line in lines]
        layers = Layers(self.forms, named, after, names.whole, names.groups)
        rounds = Rounds(layers, self.tables, self.page)
        self.reads = layers.reads
        between = rounds.between()
        inner = {k: one for k, given in between.items() if (one := self._inner(given))}
        saved = rounds.saved + sum(one.rounds.saved for one in inner.values())
        if saved < SAVED:
            return Written([self.note(line) for line in lines], returned, made, [])
        listing = Listing(made, self.tables, self.forms)
        listing.prepare()
        texts = {k: [self.note(line) for line in given]
                 for k, given in between.items() if k not in inner}  # fmt: skip
        found = rounds.write(texts, {k: one.write for k, one in inner.items()})
        returned = [rounds.line(line) for line in returned]
        found = self.page.settled(found, "\n".join(returned))
        found = [*self.tables.defined("input"), *map(steps.written, found)]
        written = Written(found, returned, made, self.page.described)
        written.made = listing.written(written.names)
        return written

    def _inner(self, lines: list[str]) -> "Inner | None":
        """Find the loops in a loop over tiles that stands between loops."""
        head = next((k for k, line in enumerate(lines) if line and line[0] != "#"), 0)
        threads = lines[head].startswith("def ")  # the next line takes what a tile has
        if not threads and not lines[head].startswith("for "):
            return None
        head += threads
        body = [line[4:] for line in lines[head + 1 :]]
        if _size(body) < LONG:
            return None
        targets = self.forms.split(re.split(" in | = ", lines[head])[0])[1]
        tables = Tables(dict.fromkeys(targets, "tile"), self.names.fresh, self.tables)
        groups = {**self.names.groups, **tables.groups}
        own = dict.fromkeys(n for line in body for n in self.forms.split(line)[1])
        after = {name: None for name in own if len(self.reads.get(name, ())) > 1}
        layers = Layers(self.forms, body, after, self.names.rows, groups, again=True)
        rounds = Rounds(layers, tables, self.page)
        return Inner(lines[: head + 1], rounds) if rounds.loops else None


@dataclass(slots=True)
class Inner:
    """Hold a loop over tiles that repeats statements: its first lines, and the rounds in it."""

    head: list[str]
    rounds: Rounds

    def write(self) -> list[str]:
        """Write the loop, with what its lists begin from before it."""
        rounds, note = self.rounds, self.rounds.page.note
        between = {k: [note(line) for line in given] for k, given in rounds.between().items()}
        found = rounds.write(between)
        head = [note(line) for line in self.head]
        head[-1], listed = self._listed(head[-1], found)
        found = [f"    {line}" if line else "" for line in [*listed, *found]]
        before, behind = rounds.around
        first = next(k for k, line in enumerate(head) if line.startswith(("for ", "def ")))
        return [*head[:first], *before, *head[first:], *found, *behind]

    def _listed(self, head: str, found: list[str]) -> tuple[str, list[str]]:
        """Take what a tile has as a list, if the statements read nothing of it by its name."""
        tables = self.rounds.tables
        read = dict.fromkeys(re.findall(r"\w+", "\n".join(found)))
        for home, called in tables.called.items():
            family = tables.families[home]
            taken = f", {', '.join(family)} "
            if taken in head and not any(name in read for name in family):
                return head.replace(taken, f", *{called} "), tables.defined("tile", but=home)
        return head, tables.defined("tile")


def _size(lines: list[str]) -> int:
    """Count lines but for comments."""
    return sum(not line.lstrip().startswith("#") for line in lines)
