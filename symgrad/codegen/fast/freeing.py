"""Let go of arrays that a call makes for itself, as soon as nothing reads them any more.

A name of Python's holds its array to the end of a function. What the workspace holds is used again;
what is made anew, such as a cumulative sum or a copy by columns, had better be gone when results
are made.
"""

import re
from collections.abc import Iterable, Sequence

MADE = re.compile(r"\w+ = (?!None$|np\.float64\(|\w+\[)")  # a line that may make an array
PART = re.compile(r" +(\w+) = (?:np\.reshape\()?(\w+)\b.*\[\w+\]$")  # the rows of a tile
LOCAL = re.compile(r"def (\w+)\(")  # a function of the lines behind it, that is called later
INSIDE = (" ", ")", "]")


def freed(lines: Sequence[str], names: Iterable[str], returned: str) -> list[str]:
    """Set names to None behind the last lines that read them, if arrays are made later on.

    So are the names of their rows, which hold the array too, except those of a local function: its
    own end with its call, and what it reads is read when it is called.

    >>> text = ["a = np.cumsum(x)", "for rows in tiles:", "    b = a[rows]", "c = x.dot(y)"]
    >>> freed(text, ["a", "c"], "return c")[2:]
    ['    b = a[rows]', 'a = b = None', 'c = x.dot(y)']
    """
    listed = dict.fromkeys(names)
    if not listed:
        return list(lines)
    words, owners = [set(re.findall(r"\w+", line)) for line in lines], _owners(lines)
    calls = {name: k for k, found in enumerate(words) for name in found.intersection(owners)}
    kept = set(re.findall(r"\w+", returned))
    last = max((k for k, line in enumerate(lines) if MADE.match(line)), default=-1)
    parts = [found.groups() for line, owner in zip(lines, owners, strict=True)
             if not owner and (found := PART.match(line))]  # fmt: skip
    after: dict[int, list[str]] = {}
    for name in listed:
        held = dict.fromkeys([name, *(part for part, whole in parts if whole == name)])
        read = [calls.get(owners[k], k) for k, found in enumerate(words)
                if not found.isdisjoint(held)]  # fmt: skip
        ends = max(read, default=len(lines))
        while ends + 1 < len(lines) and lines[ends + 1].startswith(INSIDE):  # to the loop's end
            ends += 1
        if ends < last and kept.isdisjoint(held):
            after.setdefault(ends, []).extend(held)
    result: list[str] = []
    for k, line in enumerate(lines):
        result.append(line)
        if k in after:
            result.append(f"{' = '.join(dict.fromkeys(after[k]))} = None")
    return result


def _owners(lines: Sequence[str]) -> list[str]:
    """Give for each line the local function that it is in, "" for none."""
    found, owner = [], ""
    for line in lines:
        if not line.startswith(INSIDE):
            owner = match[1] if (match := LOCAL.match(line)) else ""
        found.append(owner)
    return found
