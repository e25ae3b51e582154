"""What two operands side by side mean, X W or sum_i x_i, judged by the shapes that are declared."""

import ast
import re
from collections.abc import Mapping
from typing import NamedTuple

DECLARED = re.compile(r"(?:^|;)[ \t]*([^\W\d]\w*)[ \t]*:[ \t]*\w+[ \t]*(?:\[([^][\n]*)\])?", re.M)
SUM = re.compile(
    r"\\?\b(?P<op>sum|prod|max|min|mean)_"
    r"(?:\{\s*(?P<i>[a-z])\s*(?:(?:=|in)\s*\w+\s*)?\}|(?P<j>[a-z])\b(?=\s*\^|\s*\(|\s+[^\W\d]\w*[_\[]))"
    r"\s*(?:\^\s*\{?\s*(?P<end>\w+)\s*\}?)?"
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
    """Recognise sum_{i=1}^{N} x_i, and write it with a range.

    >>> summed("sum_{i} x_i", {"x": ("N",)}).hint
    'write sum(x[i] for i in N)'
    """
    found = SUM.search(code)
    if found is None:
        return None
    index, end = found["i"] or found["j"], found["end"]
    term = re.compile(rf"([^\W\d]\w*?)_\{{?([a-z]{{0,2}}{index}[a-z]{{0,2}})\}}?(?!\w)").search(
        code, found.end()
    )
    term = term or re.compile(rf"([^\W\d]\w*)\[\s*{index}\s*\]").search(code, found.end())
    name = term[1] if term else "x"
    own = sizes.get(name, ())
    known = {d for dims in sizes.values() for d in dims}
    place = term[2].find(index) if term and term.re.groups > 1 else 0  # s_ij: j is the second
    size = end if end in known else own[place if place < len(own) else 0] if own else "N"
    body = _body(code[found.end() :], index) or f"{name}[{index}]"
    hint = f"write {found['op']}({body} for {index} in {size})"
    hint += "" if own else f";  {name}: real[{size}]  declares {name}"
    return Slip(f"'{found[0].strip()[:40]}' is typeset; programs are plain text", hint,
                found.start() + 1, found.end() + 1)  # fmt: skip


ENTRY = re.compile(r"([^\W\d]\w*?)_(?:\{([^{}]+)\}|([a-z]{1,3}))(?!\w)")


def _body(code: str, index: str) -> str:
    """Write what is added up with indices in brackets; "" where that cannot be read.

    >>> _body(" w_k x_{i+k}", "k"), _body(" (y_i - x_i)^2", "i")
    ('w[k]*x[i+k]', '(y[i] - x[i])**2')
    """
    text = re.split(r"[;#]", code)[0].replace("^", "**").strip()

    def entry(m: re.Match[str]) -> str:
        inside = m[2] if m[2] else ", ".join(m[3])
        return f"{m[1]}[{inside}]" if re.search(rf"\b{index}\b", inside) else m[0]

    text = re.sub(r"(?<=\])\s+(?=[^\W\d]\w*\[)", "*", ENTRY.sub(entry, text))
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return text if re.search(rf"\[[^\]]*\b{index}\b", text) else ""


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
