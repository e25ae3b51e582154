"""Write lists in generated modules: over several lines, and parts of other lists as such."""

import re
from collections.abc import Iterable

WIDE = 92
MANY = 64  # inputs; Python matches keywords one by one, so that more would cost their square
ENTRY = re.compile(r"(\w+)\[(\d+)\]")


def joined(texts: list[str]) -> list[str]:
    """Write entries of one list that follow one another as a part of the list.

    >>> joined(["a", "q[1]", "q[2]", "q[3]"])
    ['a', '*q[1:4]']
    """
    found: list[str] = []
    k = 0
    while k < len(texts):
        match = ENTRY.fullmatch(texts[k])
        stop = k + 1
        if match:
            first = int(match[2])
            while stop < len(texts) and texts[stop] == f"{match[1]}[{first + stop - k}]":
                stop += 1
        if match and stop - k > 1:
            found.append(f"*{match[1]}[{first}:{first + stop - k}]")
        else:
            found.append(texts[k])
            stop = k + 1
        k = stop
    return found


def wrapped(start: str, items: Iterable[str], end: str, indent: str = "") -> str:
    """List items between brackets, over several lines where they are many."""
    listed = list(items)
    one = start + ", ".join(listed) + end
    if len(indent + one) <= WIDE:
        return one
    rows = [start.rstrip()]
    margin = len(start) - len(start.lstrip())
    row = " " * (margin + len(indent) + 4)
    begin = row
    for item in listed:
        if len(row) + len(item) > WIDE and row != begin:
            rows.append(row.rstrip())
            row = begin
        row += f"{item}, "
    last = row.rstrip()
    return "\n".join([*rows, last + (end[1:] if end.startswith(",") else end)])
