"""What two operands side by side mean, X W or sum_i x_i, judged by the shapes that are declared."""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from symgrad.parse.syntax import UNREADABLE, expression_tree

DECLARED = re.compile(r"(?:^|;)[ \t]*([^\W\d]\w*)[ \t]*:[ \t]*\w+[ \t]*(?:\[([^][\n]*)\])?", re.M)
SUM = re.compile(
    r"\\?\b(?P<op>sum|prod|max|min|mean)_"
    r"(?:\{\s*(?P<i>[a-z])\s*(?:(?:=|in)\s*\w+\s*)?\}|\{\s*(?P<m>[a-z](?:\s*,?\s*[a-z])+)\s*\}"
    r"|(?P<j>[a-z])\b(?=\s*\^|\s*\(|\s*\\?(?:sum|prod)_|\s+[^\W\d]\w*[_\[]))"
    r"\s*(?:\^\s*\{?\s*(?P<end>\w+)\s*\}?)?\s*"
)
Sizes = Mapping[str, tuple[str, ...]]


class Slip(NamedTuple):
    """Hold what is wrong in a line, what to do, and from which column to which (from 1)."""

    message: str
    hint: str
    start: int
    end: int


def between(first: re.Match[str], last: re.Match[str], message: str, hint: str) -> Slip:
    """Say what is wrong from one token to another."""
    return Slip(message, hint, first.start() + 1, last.end() + 1)


def declared(text: str) -> dict[str, tuple[str, ...]]:
    """List the sizes of inputs that a text declares, also where it cannot be read.

    >>> declared("x: real; W: param[D, 3]")
    {'x': (), 'W': ('D', '3')}
    """
    return {
        name: tuple(d.strip() for d in sizes.split(",")) if sizes else ()
        for name, sizes in DECLARED.findall(text)
    }


def summed(code: str, sizes: Sizes) -> Slip | None:
    """Recognise sum_{i=1}^{N} x_i, and write it with a range; also one sum inside another.

    >>> summed("sum_{i} x_i", {"x": ("N",)}).hint
    'write sum(x[i] for i in N)'
    >>> summed("sum_i sum_j A_{ij} w_j", {"A": ("N", "D"), "w": ("D",)}).hint
    'write sum(A[i, j]*w[j] for i in N for j in D)'
    """
    first = found = SUM.search(code)
    if first is None or found is None:
        return None
    ends: dict[str, str | None] = {}
    while found is not None and found["op"] == first["op"]:
        last = found
        several = re.findall(r"[a-z]", found["m"] or found["i"] or found["j"])
        ends.update(dict.fromkeys(several, found["end"] if len(several) == 1 else None))
        found = SUM.match(code, last.end())
    terms = _entries(code[last.end() :], ends)
    body = _body(code[last.end() :], ends) or (f"{terms[0][0]}[{', '.join(terms[0][1])}]" if terms
                                               else f"x[{', '.join(ends)}]")  # fmt: skip
    known = {d for dims in sizes.values() for d in dims}
    ranges, lacking = "", ""
    for index, end in ends.items():
        own = [sizes[name][at.index(index)] for name, at in terms
               if index in at and len(sizes.get(name, ())) > at.index(index)]  # fmt: skip
        size = end if end in known else own[0] if own else "N"
        ranges += f" for {index} in {size}"
        if not own and not lacking:
            name = terms[0][0] if terms else "x"
            lacking = f";  {name}: real[{size}]  declares {name}" if name not in sizes else ""
    hint = f"write {first['op']}({body}{ranges}){lacking}"
    return Slip(f"'{first[0].strip()[:40]}' is typeset; programs are plain text", hint,
                first.start() + 1, first.start() + len(first[0].rstrip()) + 1)  # fmt: skip


ENTRY = re.compile(r"([^\W\d]\w*?)_(?:\{([^{}]+)\}|([a-z]{1,3}))(?!\w)|([^\W\d]\w*)\[([^\]]*)\]")


def _inside(m: re.Match[str], indices: Collection[str]) -> list[str]:
    """List the indices of an entry x_{ij}, x_i or x[i, j]; those of i + k are one."""
    inner = m[2] or m[3] or m[5]
    letters = re.sub(r"[\s,]", "", inner)
    free = len(letters) == 2 and letters.isalpha()  # s_ij, where only j is added up
    if m[5] is None and (free or all(c in indices for c in letters)):
        return list(letters)
    return [part.strip() for part in inner.split(",")]


def _entries(code: str, indices: Collection[str]) -> list[tuple[str, list[str]]]:
    """List what has an index in a sum, with its indices."""
    found = [
        (m[1] or m[4], _inside(m, indices)) for m in ENTRY.finditer(re.split(r"[;#]", code)[0])
    ]
    return [
        (name, at)
        for name, at in found
        if any(re.search(rf"\b{i}\b", " ".join(at)) for i in indices)
    ]


def _body(code: str, indices: Collection[str]) -> str:
    """Write what is added up with indices in brackets; "" where that cannot be read.

    >>> _body(" w_k x_{i+k}", "k"), _body(" (y_i - x_i)^2", "i")
    ('w[k]*x[i+k]', '(y[i] - x[i])**2')
    """
    text = re.split(r"[;#]", code)[0].replace("^", "**").strip()

    def entry(m: re.Match[str]) -> str:
        at = _inside(m, indices)
        own = any(re.search(rf"\b{i}\b", part) for i in indices for part in at)
        return f"{m[1] or m[4]}[{', '.join(at)}]" if own else m[0]

    text = re.sub(r"(?<=[\])])\s+(?=[^\W\d]\w*\[)", "*", ENTRY.sub(entry, text))
    try:
        expression_tree(text)
    except UNREADABLE:
        return ""
    return text if any(re.search(rf"\[[^\]]*\b{i}\b", text) for i in indices) else ""


def product(left: str, right: re.Match[str], sizes: Sizes) -> str:
    """Say which sign stands between two names: @ where one of them is a matrix and they fit.

    >>> names = {"X": ("N", "D"), "W": ("D", "H")}
    >>> product("X", re.match("W", "W"), names), product("a", re.match("b", "b"), names)
    ('write X @ W', 'write a*b')
    """
    name = right.group()[:40]
    a, b = sizes.get(left), sizes.get(name)
    if right.string.startswith(".T", right.end()):
        name, b = f"{name}.T", b[::-1] if b else b
    times = f"{left}*{name}"
    if a and b:
        return f"write {_fitting(left, name, a, b)}"
    unknown = a is None or b is None
    if unknown and any(s is not None and len(s) > 1 for s in (a, b)):
        return f"write {left} @ {name} for a product of matrices, {times} entry by entry"
    return f"write {times}"


def _fitting(left: str, right: str, a: tuple[str, ...], b: tuple[str, ...]) -> str:
    """Write the product of two arrays that their sizes allow."""
    times = f"{left}*{right}"
    if a[-1] == b[0 if len(b) == 1 else -2]:
        what = "the inner product" if len(a) == len(b) == 1 else "the product of matrices"
        return f"{left} @ {right}" + (f" for {what}, {times} entry by entry" if a == b else "")
    if all(d == e or "1" in (d, e) for d, e in zip(reversed(a), reversed(b), strict=False)):
        return times
    if len(a) == len(b) == 2 and a[0] == b[0]:
        return f"{left}.T @ {right}"
    return f"{left} @ {right}.T" if len(a) == len(b) == 2 and a[1] == b[1] else times
