"""Let go of arrays that a call makes for itself, as soon as nothing reads them any more.

A name of Python's holds its array to the end of a function. What the workspace holds is used again;
what is made anew, such as a cumulative sum or a copy by columns, had better be gone when results
are made.
"""

import re
from collections.abc import Iterable, Sequence

MADE = re.compile(r"\w+ = (?!None$|np\.float64\(|\w+\[)")  # a line that may make an array
PART = re.compile(r" +(\w+) = (?:np\.reshape\()?(\w+)\b.*\[\w+\]$")  # the rows of a tile


def freed(lines: Sequence[str], names: Iterable[str], returned: str) -> list[str]:
    """Set names to None behind the last lines that read them, if arrays are made later on.

    So are the names of their rows, which hold the array too.

    >>> text = ["a = np.cumsum(x)", "for rows in tiles:", "    b = a[rows]", "c = x.dot(y)"]
    >>> freed(text, ["a", "c"], "return c")[2:]
    ['    b = a[rows]', 'a = b = None', 'c = x.dot(y)']
    """
    listed = dict.fromkeys(names)
    if not listed:
        return list(lines)
    words = [set(re.findall(r"\w+", line)) for line in lines]
    kept = set(re.findall(r"\w+", returned))
    last = max((k for k, line in enumerate(lines) if MADE.match(line)), default=-1)
    parts = [found.groups() for line in lines if (found := PART.match(line))]
    after: dict[int, list[str]] = {}
    for name in listed:
        held = dict.fromkeys([name, *(part for part, whole in parts if whole == name)])
        read = [k for k, found in enumerate(words) if not found.isdisjoint(held)]
        ends = max(read, default=len(lines))
        while ends + 1 < len(lines) and lines[ends + 1][:1] in (" ", ")", "]"):  # to the loop's end
            ends += 1
        if ends < last and kept.isdisjoint(held):
            after.setdefault(ends, []).extend(held)
    result: list[str] = []
    for k, line in enumerate(lines):
        result.append(line)
        if k in after:
            result.append(f"{' = '.join(dict.fromkeys(after[k]))} = None")
    return result
