"""Find what repeats among statements: the same calls on other arrays, round after round.

A statement's form is its text without the names of values, and which of them are the same if it
gives them a value. A repeat is a run of forms that comes again and again; which names stand in
them, and whether a loop can give them, is seen in `layers`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

GRAM = 3  # statements that have to be of the same forms before a period is tried
RECENT = 4  # places of the same forms that are looked back at
FAR = 512  # statements of the longest round
GAP = "\x00"  # stands for a name in a form
NAME = r'("[^"]*"|(?<![\w.])(?!(?:%s)\b)[^\W\d]\w*(?!\w|=[^=]))'
WORDS = ("np", "if", "else", "for", "in", "is", "and", "or", "not", "None", "return")
ASSIGNED = re.compile(rf"\s*{GAP} ([-+*/]?)= ")
ENTRY = re.compile(rf"\s*{GAP}\[[^=]*\] [-+*/]?= ")
SEVERAL = re.compile(rf"\s*\(?({GAP}(?:, {GAP})*,?)\)? = ")
LOOP = re.compile(r"\s*for (.*?) in ")
DEFINED = re.compile(r"\s*def (.*):$")
OTHER = re.compile(r" (?:[-+*/]?=|for) |\blambda\b|:=")  # what may give names a value in other ways
NUMBER = re.compile(r"[_ǀǁ]*\d+")  # ǀ, ǁ: as in steps
USED, SET, CHANGED = range(3)  # what a statement does with a name


@dataclass(slots=True)
class Statement:
    """Hold a statement: its lines with the comments above and in it, its form and its names."""

    lines: list[str]
    form: int
    names: list[str]
    size: int  # lines but for comments


class Forms:
    """Number the forms of statements; `variables` are the names that may differ in a form.

    `others` are names of which many stand in statements, as those of functions.

    >>> forms = Forms({"a": None, "b": None, "u": None})
    >>> one, two = forms.cut(["# twice", "u = double(a)", "u = double(b)"])
    >>> one.form == two.form, one.lines, two.names
    (True, ['# twice', 'u = double(a)'], ['u', 'b'])
    """

    def __init__(self, variables: dict[str, None], others: Iterable[str] = ()) -> None:
        self.variables = variables
        passed = "|".join(name for name in (*WORDS, *others) if name not in variables)
        self._name = re.compile(NAME % passed)
        self._numbers: dict[tuple[str, tuple[int, ...]], int] = {}
        self._forms: list[str] = []
        self._set: dict[str, list[int] | None] = {}  # where names get a value
        self._events: dict[int, list[tuple[int, int]]] = {}  # of forms
        self._other = 0
        self._known: dict[str, tuple[list[str], list[str]]] = {}  # what has been split

    def cut(self, lines: Iterable[str]) -> list[Statement]:
        """Cut lines into statements: comments belong to what follows, and what is indented."""
        found: list[Statement] = []
        held: list[str] = []
        complete = False
        for line in lines:
            note = not line or line.lstrip().startswith("#")
            inner = line.startswith((" ", "else:")) and complete
            if complete and not inner:
                found.append(self._read(held))
                held, complete = [], False
            held.append(line)
            complete = complete or not note
        if complete:
            found.append(self._read(held))
        return found

    def _read(self, lines: list[str]) -> Statement:
        code = [line for line in lines if line and line.lstrip()[0] != "#"]
        text, names = self.split("\n".join(code))
        key = GAP.join(text)
        if key not in self._set:
            given = [place for place, what in _events(key) if what != USED]
            self._set[key] = given if _known(key) else None
        places = self._set[key]
        if places is None:
            self._other -= 1
            return Statement(lines, self._other, names, len(code))
        first: dict[str, int] = {}
        own = dict.fromkeys(names[place] for place in places)
        pattern = tuple(first.setdefault(n, k) for k, n in enumerate(names) if n in own)
        number = self._numbers.setdefault((key, pattern), len(self._forms))
        if number == len(self._forms):
            self._forms.append(key)
        return Statement(lines, number, names, len(code))

    def split(self, line: str) -> tuple[list[str], list[str]]:
        """Give the texts between the names of lines, and the names."""
        if line not in self._known:
            self._known[line] = self._split(line)
        return self._known[line]

    def _split(self, line: str) -> tuple[list[str], list[str]]:
        parts = self._name.split(line)
        names = parts[1::2]
        if all(map(self.variables.__contains__, names)):
            return parts[::2], names
        text, names = [parts[0]], []
        for k in range(1, len(parts), 2):
            if parts[k] in self.variables:
                names.append(parts[k])
                text.append(parts[k + 1])
            else:
                text[-1] += parts[k] + parts[k + 1]
        return text, names

    def events(self, form: int) -> list[tuple[int, int]]:
        """List what happens to the names of a form in order: place and USED, SET or CHANGED."""
        if form not in self._events:
            self._events[form] = _events(self._forms[form])
        return self._events[form]


def _events(form: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    first = 0
    for line in form.split("\n"):
        slots = _slots(line) or []
        found += sorted(((first + k, what) for k, what in enumerate(slots)),
                        key=lambda event: event[1] != USED)  # fmt: skip
        first += len(slots)
    return found


def _known(form: str) -> bool:
    return all(_slots(line) is not None for line in form.split("\n"))


def stem(name: str) -> str:
    """Give a name without its numbers.

    >>> stem("buf34_rows1"), stem("W_2"), stem("_1")
    ('buf_rows', 'W', 'v')
    """
    return NUMBER.sub("", name).strip("_") or "v"


@lru_cache(maxsize=1024)
def _slots(line: str) -> list[int] | None:
    """Say what a line does with each of its names; None if that is not known."""
    count = line.count(GAP)
    if match := ASSIGNED.match(line):
        known = [CHANGED if match[1] else SET] + [USED] * (count - 1)
    elif match := SEVERAL.match(line) or LOOP.match(line) or DEFINED.match(line):
        targets = match[1].count(GAP)
        known = [SET] * targets + [USED] * (count - targets)
    else:
        match = ENTRY.match(line)
        known = [USED] * count
    return None if OTHER.search(line, match.end() if match else 0) else known


def repeats(forms: Sequence[int], least: int) -> list[tuple[int, int, int]]:
    """List repeats of at least so many rounds: start, period and stop, what saves most first.

    >>> repeats([7, 0, 1, 0, 1, 0, 1, 0, 1, 0, 8], 4)
    [(1, 2, 10)]
    """
    found: list[tuple[int, int, int]] = []
    last: dict[tuple[int, ...], list[int]] = {}
    reach: dict[int, int] = {}  # up to where each period goes on
    for k in range(len(forms) - GRAM + 1):
        gram = tuple(forms[k : k + GRAM])
        before = last.setdefault(gram, [])
        for start in reversed(before):
            period = k - start
            if period > FAR or reach.get(period, 0) > k:
                continue
            stop = k + GRAM
            while stop < len(forms) and forms[stop] == forms[stop - period]:
                stop += 1
            reach[period] = stop
            if stop - start >= least * period:
                found.append((start, period, stop))
        before.append(k)
        del before[:-RECENT]
    return sorted(found, key=lambda run: (run[1] + run[0] - run[2], run))
