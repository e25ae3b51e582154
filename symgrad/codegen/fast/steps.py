"""Give the entries of inputs names while repeats are looked for: x[0], x[1], …, one for each step.

A network over time reads x[k], or x[:, k], in its k-th step. A loop over the steps takes them as a
slice of x, which NumPy hands out entry by entry.
"""

import re
from collections.abc import Iterable, Mapping

from symgrad.codegen.fast.tables import Tables

LEAST = 4  # entries of an input that are worth a loop
FIRST, SECOND = "ǀ", "ǁ"  # letters of no name that a user can type beside Latin ones
ENTRY = re.compile(r"(?<![\w.])([^\W\d]\w*)\[(:, )?(0|[1-9]\d*)((?:, :)*)\]")
NAMED = re.compile(rf"([^\W\d]\w*?)([{FIRST}{SECOND}])(\d+)")


class Steps:
    """Hold how the entries of inputs are written; `of` gives lines with names in their place.

    >>> steps = Steps(["h = x[3, :] + y[:, 3]", *(f"u = x[{k}, :]" for k in range(3))], ["x", "y"])
    >>> named = steps.of("h = x[3, :] + y[:, 3]")
    >>> named, steps.written(named)
    ('h = xǀ3 + y[:, 3]', 'h = x[3, :] + y[:, 3]')
    """

    def __init__(self, lines: Iterable[str], inputs: Iterable[str]) -> None:
        known = dict.fromkeys(inputs)
        self.most: dict[str, int] = {}  # the last entry
        self.lists: dict[str, str] = {}  # beginning of the names -> what has the entries
        self.texts: dict[str, str] = {}
        found: dict[str, dict[int, str]] = {}
        for match in ENTRY.finditer("\n".join([line for line in lines if "[" in line])):
            if match[1] in known and FIRST not in match[1] and SECOND not in match[1]:
                found.setdefault(_begin(match), {})[int(match[3])] = match[0]
        for begin, entries in found.items():
            if len(entries) < LEAST:
                continue
            self.most[begin] = max(entries)
            self.lists[begin] = _listed(begin, next(iter(entries.values())))
            self.texts |= {f"{begin}{k}": text for k, text in entries.items()}

    def of(self, line: str) -> str:
        """Write names for entries."""

        def named(match: re.Match[str]) -> str:
            name = f"{_begin(match)}{match[3]}"
            return name if self.texts.get(name) == match[0] else match[0]

        return ENTRY.sub(named, line) if self.texts else line

    def written(self, line: str) -> str:
        """Write entries for names again."""
        return NAMED.sub(lambda match: self.texts.get(match[0], match[0]), line)

    def groups(self) -> Mapping[str, str]:
        """Say of each name of which array's entry it is."""
        return {name: f"entries of {_head(name)}" for name in self.texts}

    def offer(self, tables: Tables) -> None:
        """Let loops take slices of the arrays; as their length is not known, no end is left out."""
        for begin, most in self.most.items():
            names = tuple(f"{begin}{k}" for k in range(2 * most + 2))
            tables.keep(names, self.lists[begin])


def _begin(match: re.Match[str]) -> str:
    return f"{match[1]}{SECOND if match[2] else FIRST}"


def _head(name: str) -> str:
    return name.rstrip("0123456789")


def _listed(begin: str, text: str) -> str:
    """Write the array that is iterated over: the axis of the entries is its first."""
    name, axes = begin[:-1], text.count(",") + 1
    if begin[-1] == FIRST:
        return name
    if axes == 2:
        return f"{name}.T"
    return f"{name}.transpose(1, 0, {', '.join(map(str, range(2, axes)))})"
