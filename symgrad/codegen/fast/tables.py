"""List what the rounds of a loop read: families of names, and the slices of them that a loop takes.

A family is a list of arrays, the weights W1, W2, … or the workspace's buf0, buf1, …; loops take
slices of it, forwards and backwards. Arrays of the workspace that are made alike are made at once.
"""

import keyword
import re
from collections.abc import Callable, Iterable

from symgrad.codegen.fast.repeated import Forms, stem

ROWS = re.compile(r"with_rows\((\w+), ([^)]*)\)")
MANY = 4  # arrays that are given one by one
WIDE = 95  # columns of a line, without its indentation
Names = tuple[str, ...]
Made = list[tuple[str, str]]


def plural(name: str) -> str:
    """Name a list of what has names like this one.

    >>> plural("W2"), plural("loss_1"), plural("a1")
    ('Ws', 'loss_all', 'a_all')
    """
    word = stem(name)
    return f"{word}_all" if word.endswith("s") or keyword.iskeyword(f"{word}s") else f"{word}s"


def filled(head: str, items: list[str], tail: str) -> list[str]:
    """Write a list between brackets, in one line or as many in a line as there is room for.

    >>> filled("x = (", ["a", "b"], ")")
    ['x = (a, b)']
    """
    line = f"{head}{', '.join(items)}{tail}"
    if len(line) <= WIDE:
        return [line]
    lines, row = [head], ""
    for item in items:
        if row and len(row) + len(item) + 6 > WIDE:
            lines.append(f"    {row}")
            row = ""
        row += f"{' ' * bool(row)}{item},"
    return [*lines, f"    {row}", tail]


class Tables:
    """Hold families of names; `groups` says which names may be in one, and `fresh` names them.

    `outer` holds the families of the function, for the statements of a loop over tiles.
    """

    def __init__(
        self,
        groups: dict[str, str],
        fresh: Callable[[str], str],
        outer: "Tables | None" = None,
    ) -> None:
        self.groups, self.fresh, self.outer = groups, fresh, outer
        self.set: Callable[[str], list[int]] = lambda name: []  # statements that give it a value
        self.now = (0, 0)  # first and last statement of what is written
        self.until: dict[int, int] = {}  # family -> the next that gives one of its names a value
        self.families: list[list[str]] = []
        self.home: dict[str, int] = {}  # name -> its family
        self.place: dict[str, int] = {}  # and where it stands there
        self.called: dict[int, str] = {}  # family -> its name

    def add(self, names: Names) -> None:
        """Make names a slice of a family, if they can be one."""
        group = self.groups.get(names[0])
        if group is None and self.outer is not None:
            self.outer.add(names)
        if group is None or len(dict.fromkeys(names)) < len(names):
            return
        homes = list(dict.fromkeys(self.home[name] for name in names if name in self.home))
        if len(homes) > 1 or any(self.groups.get(name) != group for name in names):
            return
        if not homes:
            self.families.append(list(names))
            self._settle(len(self.families) - 1)
            return
        home = homes[0]
        if home in self.called:  # slices of it are written
            return
        for listed in (list(names), list(reversed(names))):
            if (longer := self._extended(self.families[home], listed)) is not None:
                self.families[home] = longer
                self._settle(home)
                return

    def keep(self, names: Names, called: str) -> None:
        """Take a list that is there as a family, up to where a name gets another value."""
        home = len(self.families)
        self.families.append(list(names))
        self._settle(home)
        self.called[home] = called
        later = [k for name in names for k in self.set(name) if k > self.now[1]]
        if later:
            self.until[home] = min(later)

    def _extended(self, family: list[str], names: list[str]) -> list[str] | None:
        """Join names to a family where both overlap."""
        known = [k for k, name in enumerate(names) if name in self.home]
        first, last = known[0], known[-1]
        begin = self.place[names[first]]
        if names[first : last + 1] != family[begin : begin + last - first + 1]:
            return None
        if (first and begin) or (last + 1 < len(names) and begin + last - first + 1 < len(family)):
            return None
        return [*names[:first], *family, *names[last + 1 :]]

    def _settle(self, home: int) -> None:
        for k, name in enumerate(self.families[home]):
            self.home[name], self.place[name] = home, k

    def text(self, names: Names, changed: bool = False) -> list[str]:
        """Write names as a slice of their family, or as a tuple; the next may change them."""
        if (text := self._slice(names, changed)) is not None:
            return [text]
        for period in range(2, 5):
            times, rest = divmod(len(names), period)
            if not rest and times > 1 and names == names[:period] * times:
                return [f"({', '.join(names[:period])})*{times}"]
        if (text := self._slice(names[1:])) is not None:
            return [f"({names[0]}, *{text})"]
        if (text := self._slice(names[:-1])) is not None:
            return [f"(*{text}, {names[-1]})"]
        return filled("(", list(names), ")")

    def _slice(self, names: Names, changed: bool = False) -> str | None:
        home = self.home.get(names[0])
        if home is None and self.outer is not None:
            return self.outer._slice(names, changed)
        if home in self.until and self.until[home] < self.now[0] + (not changed):
            return None
        if home is None or len(names) < 2 or any(self.home.get(name) != home for name in names):
            return None
        places = [self.place[name] for name in names]
        first, last, step = places[0], places[-1], places[1] - places[0]
        if not step or places != list(range(first, first + step * len(places), step)):
            return None
        most = len(self.families[home])
        name = self.name(home)
        if step > 0:
            start, stop = str(first or ""), "" if last + step >= most else str(last + 1)
        else:
            start, stop = str(first) if first < most - 1 else "", str(last - 1) if last else ""
        if not start and not stop and step == 1:
            return name
        return f"{name}[{start}:{stop}{'' if step == 1 else f':{step}'}]"

    def name(self, home: int) -> str:
        """Name a family: Ws for W1, W2, …."""
        if home not in self.called:
            self.called[home] = self.fresh(plural(self.families[home][0]))
        return self.called[home]

    def defined(self, group: str, but: int | None = None) -> list[str]:
        """Write the families of a group as tuples, but for one that stands there already."""
        lines = []
        for home, family in enumerate(self.families):
            if home in self.called and home != but and self.groups.get(family[0]) == group:
                lines += filled(f"{self.called[home]} = (", family, ")")
        return lines


class Listing:
    """Make the workspace's families as lists: `made` tells how each array is made."""

    def __init__(self, made: Made, tables: Tables, forms: Forms) -> None:
        self.made, self.tables, self.forms = made, tables, forms
        self.texts = dict(made)

    def prepare(self) -> None:
        """Let the arrays from which a family is made be families, too."""
        for family in self.tables.families:
            if family[0] in self.texts:
                for names in self._columns(family)[1]:
                    self.tables.add(names)

    def _columns(self, family: list[str]) -> tuple[list[str], list[Names], list[int]]:
        """Give the text between the names of what makes a family, and the names that differ."""
        split = [self.forms.split(self.texts[name]) for name in family]
        if any(text != split[0][0] for text, _ in split):
            return [], [], []
        columns = list(zip(*(names for _, names in split), strict=True))
        varied = [k for k, names in enumerate(columns) if len(dict.fromkeys(names)) > 1]
        return split[0][0], [columns[k] for k in varied], varied

    def written(self, read: Iterable[str]) -> Made:
        """Give what is made, with families as lists; `read` is what the function reads."""
        lists: dict[int, str] = {}
        while todo := [k for k in self.tables.called if k not in lists and self._mine(k)]:
            lists |= {k: self._list(self.tables.families[k]) for k in todo}  # it names others
        result: Made = []
        done: dict[int, None] = {}
        for name, text in self.made:
            home = self.tables.home.get(name, -1)
            if home not in lists:
                result.append((name, ROWS.sub(self._starred, text)))
            elif home not in done:
                done[home] = None
                result.append((self.tables.called[home], lists[home]))
        needed = self._needed(result, read)
        homes = {self.tables.called[k]: k for k in lists}
        found: Made = []
        for name, text in result:
            found.append((name, text))
            if name in homes:
                family = enumerate(self.tables.families[homes[name]])
                found += [(n, f"{name}[{k}]") for k, n in family if n in needed]
        return found

    def _starred(self, match: re.Match[str]) -> str:
        """Give the rows of many arrays by their list."""
        names = tuple(match[2].split(", "))
        text = self.tables.text(names) if len(names) >= MANY else []
        return f"with_rows({match[1]}, *{text[0]})" if text and text[0][0] != "(" else match[0]

    def _mine(self, home: int) -> bool:
        return self.tables.families[home][0] in self.texts

    def _needed(self, made: Made, read: Iterable[str]) -> dict[str, None]:
        found = dict.fromkeys(read)
        for _, text in made:
            found |= dict.fromkeys(re.findall(r"\w+", text))
        return found

    def _list(self, family: list[str]) -> str:
        """Write the list of a family, whose entries are made alike."""
        text, columns, varied = self._columns(family)
        if not text:
            return "\n    ".join(filled("(", [self.texts[name] for name in family], ")"))
        names = list(self.forms.split(self.texts[family[0]])[1])
        entries: list[str] = []
        for names_of, k in zip(columns, varied, strict=True):
            words = (f"{stem(names_of[0])}_k{n or ''}" for n in range(len(names) + 1))
            names[k] = next(word for word in words if word not in names)
            entries.append(names[k])
        made = text[0] + "".join(n + t for n, t in zip(names, text[1:], strict=True))
        if not columns:
            return f"[{made} for _ in range({len(family)})]"
        given = [" ".join(self.tables.text(c)) for c in columns]
        over = given[0] if len(given) == 1 else f"zip({', '.join(given)})"
        return f"[{made} for {', '.join(entries)} in {over}]"
