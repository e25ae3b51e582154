"""Take away the names of results that nothing reads: what is read is the array they are in.

A statement that computes a named value is written with the name, whether a later one reads it by
its name or by its array's. A comment above says what it computes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

NAMED = re.compile(r"( *)(\w+) = (?!np\.float64\()(?=.*\()")  # of a call
WORD = re.compile(r"\w+")


def counted(lines: Iterable[str]) -> Counter[str]:
    """Count the words of statements, not of comments.

    >>> counted(["# h = a b", "h = a.dot(b, h)"])["h"]
    2
    """
    return Counter(WORD.findall("\n".join([s for s in lines if not s.lstrip().startswith("#")])))


def unlabelled(lines: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """Write calls whose name stands nowhere else without it.

    >>> lines = ["h = a.dot(b, buf0)", "s = np.sum(buf0)", "return s"]
    >>> unlabelled(lines, counted(lines))
    ['a.dot(b, buf0)', 's = np.sum(buf0)', 'return s']
    """
    found = []
    for line in lines:
        match = NAMED.match(line)
        alone = match is not None and counts.get(match[2], 0) == 1
        found.append(match[1] + line[match.end() :] if match and alone else line)
    return found
