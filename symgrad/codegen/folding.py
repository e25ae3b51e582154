"""Fold the long lines of a written module, as an engineer would: at the loosest operator.

A statement is broken where its brackets are open; one without brackets around it is put into some.
Comments and docstrings are broken between words.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from textwrap import wrap

WIDTH = 100
QUOTES = '"""'
LEVELS = ((", ",), (" if ", " else "), (" or ",), (" and ",), (" | ",), (" & ",), (" + ", " - "),
          (" * ", " / ", " @ "))  # fmt: skip
LOOSE = tuple(sign for level in LEVELS for sign in level)
HEAD = re.compile(r"return |[^ ()=]+(?:, [^ ()=]+)* [-+*/]?= ")  # of a statement; then its value
TAKEN = re.compile(r"(for )?((?:\w+, )+\w+)( in .*:| = .*)")  # names that are given values at once
BLOCK = re.compile(r"(for [^()=]+? in |if |elif |while )(.*):")  # what begins one, on what
DEFINED = re.compile(r"(def \w+\()(.*)\):")  # a function, and its parameters
NEVER = ("@", "import ", '"')
OPEN, CLOSED = "([{", ")]}"


def folded(text: str) -> str:
    """Fold the lines of a text that are longer than `WIDTH`.

    >>> print(folded("y = " + " + ".join(["first_of_several(a)"] * 5)))
    y = (
        first_of_several(a) + first_of_several(a) + first_of_several(a) + first_of_several(a)
        + first_of_several(a)
    )
    """
    lines = text.split("\n")
    if all(len(line) <= WIDTH for line in lines):
        return text
    return "\n".join([row for rows in fold(lines) for row in rows])


def fold(lines: Iterable[str]) -> Iterator[list[str]]:
    """Give for each line of a module the lines that it becomes."""
    quoted = False
    for line in lines:
        marks = line.count(QUOTES)
        if len(line) <= WIDTH:
            yield [line]
        elif quoted or marks:
            yield _words(line, "")
        else:
            yield lines_of(line)
        quoted ^= marks % 2 == 1


def lines_of(line: str) -> list[str]:
    """Fold one line, a statement's or a comment's, if it is long."""
    code = line.lstrip()
    indent = line[: len(line) - len(code)]
    if len(line) <= WIDTH or code.startswith(NEVER):
        return [line]
    if code.startswith("#"):
        return _words(line, "#     ")
    code, sign, comment = code.partition("  # ")
    if code.endswith(",") or sum(map(code.count, OPEN)) != sum(map(code.count, CLOSED)):
        return [line]  # a part of a statement that is on several lines already
    if sign:  # the comment goes above, unless it is a part of a string
        return [f"{indent}# {comment}", *lines_of(indent + code)] if _whole(code) else [line]
    if (taken := TAKEN.fullmatch(code)) and len(taken[3]) < WIDTH // 2:
        rows = _filled(taken[2], indent + "    ")
        return [f"{indent}{taken[1] or ''}(", *rows, f"{indent}){taken[3]}"]
    if defined := DEFINED.fullmatch(code):
        return [indent + defined[1], *_filled(defined[2], indent + "    "), f"{indent}):"]
    if begun := BLOCK.fullmatch(code):
        return _value(indent + begun[1], begun[2], ":", indent)
    head = match[0] if (match := HEAD.match(code)) else ""
    return _value(indent + head, code[len(head) :], "", indent)


def _whole(code: str) -> bool:
    return code.count('"') % 2 == code.count("'") % 2 == 0


def _words(line: str, more: str) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    return wrap(line, WIDTH, subsequent_indent=indent + more, break_long_words=False,
                break_on_hyphens=False)  # fmt: skip


def _value(start: str, value: str, end: str, indent: str) -> list[str]:
    """Fold what stands between a start and an end: its own brackets are opened, or new ones."""
    if len(start) + len(value) + len(end) <= WIDTH:
        return [f"{start}{value}{end}"]
    places = _depths(value)
    inner = [[k for k, _ in run] for deep, run in groupby(enumerate(places), lambda p: p[1] > 0)
             if deep]  # fmt: skip
    longest = max(inner, key=len, default=[0])
    first, last = longest[0], longest[-1]
    tight = LEVELS[:-1] if last + 2 == len(value) else LEVELS  # a product with what is in brackets
    if not any(_breaks(value, places, level) for level in tight):
        if not inner:
            return [f"{start}{value}{end}"]
        rows = _filled(value[first : last + 1], indent + "    ")
        return [start + value[:first], *rows, f"{indent}{value[last + 1 :]}{end}"]
    return [f"{start}(", *_filled(value, indent + "    "), f"{indent}){end}"]


def _filled(text: str, indent: str) -> list[str]:
    """Fill lines with the parts of a text that stands in brackets."""
    places = _depths(text)
    for level in LEVELS:
        cuts = _breaks(text, places, level)
        if not cuts:
            continue
        rows = [""]
        ends = [0, *(k + len(", ") - 1 if level is LEVELS[0] else k for k in cuts), len(text)]
        for a, b in pairwise(ends):
            part = text[a:b].strip()
            if rows[-1] and len(indent) + len(rows[-1]) + len(part) + 1 <= WIDTH:
                rows[-1] += f" {part}"
            else:
                rows.append(part)
        return [line for row in rows if row for line in _row(indent, row)]
    return _value(indent, text, "", indent)


def _row(indent: str, row: str) -> list[str]:
    if len(indent) + len(row) <= WIDTH:
        return [indent + row]
    end = "," if row.endswith(",") else ""
    sign = next((o.strip() for o in LOOSE if row.startswith(o.strip() + " ")), "")
    body = row[len(sign) :].strip().removesuffix(",")
    return _value(f"{indent}{sign}{' ' * bool(sign)}", body, end, indent)


def _depths(text: str) -> list[int]:
    """Say of each character how many brackets are open around it; in a string alone it is -1."""
    found: list[int] = []
    depth, quote = 0, ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
            found.append(depth or -1)
            continue
        depth -= c in CLOSED
        found.append(depth)
        depth += c in OPEN
        quote = c if c in "\"'" else ""
    return found


def _breaks(text: str, places: list[int], level: tuple[str, ...]) -> list[int]:
    """List where operators of a level stand outside of all brackets."""
    return [k for k in range(len(text)) if places[k] == 0 and text.startswith(level, k)]
