"""Read a long program line by line: lines of one shape are taken apart once.

`v1 = sin(v0)*y + v0` and the ten thousand lines like it differ in their words only. The first is
turned into steps for a stack, the others run them. What is no plain arithmetic is left to Python's
syntax tree; what is no line by itself, all of it.
"""

import ast
import keyword
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from symgrad.errors import Span
from symgrad.graph import Node, intern
from symgrad.ops import const
from symgrad.parse import arithmetic
from symgrad.parse.arithmetic import ENTRY, LOAD, NEGATIVE, PAIR, Place, Shape, ends, shape
from symgrad.parse.limits import MAX_AXES, MAX_ENTRIES, MAX_NUMBER
from symgrad.parse.sizes import entries
from symgrad.parse.syntax import silently, too_deep
from symgrad.parse.values import Val

if TYPE_CHECKING:
    from symgrad.parse.text import Program

MANY = 40  # twice the number of tokens of a line
LONG = 4000  # characters; Python reads a shorter text as a whole
ALONE = re.compile(r"[\r\f\v\\\x1c-\x1f\x85\u2028\u2029]")  # what else divides or joins lines
KEYWORDS = dict.fromkeys(keyword.kwlist)
DECLARATION = re.compile(
    r"[ \t]*([A-Za-z_]\w*)[ \t]*:[ \t]*(param|data|real|scalar|sign|binary|positive)[ \t]*"
    r"(?:\[([\w, \t]+)\][ \t]*)?",
    re.ASCII,
)
_MAKE: Any = tuple.__new__  # a named tuple's own way checks the number of its fields each time
WHOLE = re.compile(r"0|[1-9][0-9]{0,11}")


class Line(NamedTuple):
    """Hold one line: its number, its shape, its words; tokens and pieces before it on that line."""

    number: int
    shape: Shape
    words: list[str]
    skip: int = 0
    piece: int = 0

    @property
    def length(self) -> int:
        """Count the tokens."""
        return self.shape.length


class Declared(NamedTuple):
    """Hold one plain declaration; `skip` counts the tokens before it on its line."""

    number: int
    name: str
    kind: str
    dims: tuple[int | str, ...]
    length: int
    skip: int = 0

    @property
    def name_place(self) -> Place:
        """Locate the name."""
        return Place(self.number, self.skip, self.skip)

    @property
    def place(self) -> Place:
        """Locate all of it."""
        return Place(self.number, self.skip, self.skip + self.length - 1)


Statement = Line | Declared | ast.stmt
# by what stands between the words: which are called, and by their kinds and those the shapes
Shapes = dict[str, tuple[tuple[int, ...], dict[tuple[bool | str, ...], Shape | None]]]


class Aside(Exception):
    """Leave a line to Python's syntax tree."""


def statements(text: str) -> list[Statement] | None:
    """Take a long text apart into lines; None where it has to be read as a whole.

    >>> [len(line.words) for line in statements("y = x*x  # a square")]
    [3]
    """
    if ALONE.search(text) or not (text.isascii() or unicodedata.is_normalized("NFKC", text)):
        return None
    if "'''" in text or '"""' in text:
        return None
    shapes: Shapes = {}
    found: list[Statement] = []
    others: list[tuple[int, str]] = []
    for number, code in _logical(text):
        if code[0] in " \t":
            return None
        if ";" in code:
            pieces = _pieces(number, code, shapes)
            if pieces is not None:
                found += pieces
                continue
        else:
            line = _line(number, code, shapes) or _declared(number, code)
            if line is not None:
                found.append(line)
                continue
        others.append((number, code))
    if not others:
        return found
    try:
        found += _trees(others)
    except (SyntaxError, ValueError):
        return None
    except (RecursionError, MemoryError):
        raise too_deep(text) from None
    return sorted(found, key=_number)


def _number(statement: Statement) -> int:
    return statement.lineno if isinstance(statement, ast.stmt) else statement.number


def _trees(lines: list[tuple[int, str]]) -> list[ast.stmt]:
    """Let Python read lines that are no plain arithmetic, all at once and each in its place."""
    parts, at = [], 1
    for number, code in lines:
        parts += ["\n" * (number - at), code]
        at = number + code.count("\n")
    return silently("".join(parts)).body


def _pieces(number: int, code: str, shapes: Shapes) -> list[Line | Declared] | None:
    """Take `a = 1; b = 2` apart; None where a piece needs a syntax tree."""
    if "'" in code or '"' in code:
        return None
    texts = code.split(";")
    if not texts[-1].strip(" \t"):
        texts.pop()
    found: list[Line | Declared] = []
    skip = 0
    for k, text in enumerate(texts):
        piece = _line(number, text, shapes, skip, k) or _declared(number, text, skip)
        if piece is None:
            return None
        found.append(piece)
        skip += piece.length + 1
    return found


def _declared(number: int, code: str, skip: int = 0) -> Declared | None:
    """Read a declaration that nothing can be said against, whatever else the program says."""
    match = DECLARATION.fullmatch(code)
    if match is None:
        return None
    name, kind, listed = match.groups()
    texts = [t.strip(" \t") for t in listed.split(",")] if listed is not None else []
    for text in (name, *texts):
        if text in KEYWORDS or text[:2] == "__":
            return None
        if not (WHOLE.fullmatch(text) or text.isidentifier()):
            return None
    dims = tuple([int(t) if t[0] < ":" else t for t in texts])
    if len(dims) > MAX_AXES or entries(dims) > MAX_ENTRIES:
        return None
    return Declared(number, name, kind, dims, 2 * len(dims) + 4 if dims else 3, skip)


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """List the lines that say something, those in open brackets together."""
    parts: list[str] = []
    depth = first = 0
    brackets = [(a, b) for a, b in ("()", "[]", "{}") if a in text or b in text]
    comments = "#" in text
    for number, code in enumerate(text.split("\n"), 1):
        if comments and "#" in code and "'" not in code and '"' not in code:
            code = code[: code.index("#")]
        if not parts:
            if not code or code.isspace():
                continue
            first = number
        for a, b in brackets:
            if a in code or b in code:
                depth += code.count(a) - code.count(b)
        if depth <= 0:
            if parts:
                code = "\n".join([*parts, code])
                parts = []
            yield first, code.rstrip()
            depth = 0
        else:
            parts.append(code)
    if parts:
        yield first, "\n".join(parts)


def _line(number: int, code: str, shapes: Shapes, skip: int = 0, piece: int = 0) -> Line | None:
    """Find the shape of a line; None if it is no plain arithmetic."""
    parts = arithmetic.split(code)
    words = parts[1::2]
    between = "\0".join(parts[::2])
    known = shapes.get(between)
    if known is None:
        known = shapes[between] = _called(between), {}
    called, alike = known
    key: tuple[bool | str, ...] = ()
    if words and min(words) < ":":  # digits before letters: not all are names
        key = tuple([word[0] < ":" for word in words])
    if called:
        key = (*key, *[words[k] for k in called])
    found = alike.get(key)
    if found is None and key not in alike:
        found = alike[key] = shape(code)
    if found is None or (found.assigns and not _is_name(words[0])):
        return None
    line: Line = _MAKE(Line, (number, found, words, skip, piece))
    return line


def _called(between: str) -> tuple[int, ...]:
    """List the words that stand before brackets, from what stands between the words."""
    after = between.split("\0")[1:]
    return tuple(k for k, text in enumerate(after) if text.lstrip(" \t")[:1] == "(")


def _is_name(word: str) -> bool:
    return word not in KEYWORDS and (word.isascii() or word.isidentifier())


def placed(source: str) -> Callable[[Any], Span]:
    """Make what turns the line and the tokens noted for a node into a span.

    >>> placed("y = a*x")(Place(1, 2, 4)).column
    5
    """
    lines: list[str] = []
    known: dict[int, array[int]] = {}  # of long lines, on which many nodes stand

    def place(noted: Place) -> Span:
        if not lines:
            lines.extend(source.split("\n"))
        found = known.get(noted.number)
        if found is None:
            found = ends(lines[noted.number - 1])
            if len(found) > MANY:
                known[noted.number] = found
        return noted.within(found)

    return place


class Machine:
    """Run the steps of lines; values, names and errors are the program's."""

    def __init__(self, program: "Program") -> None:
        self.program = program
        self.literals: dict[str, Node] = {}
        self.entries: dict[tuple[Node, tuple[tuple[int, None], ...]], Node] = {}
        self.noted: dict[Node, Any] = program.spans

    def value(self, line: Line) -> Node:
        """Compute the value of a line; raise Aside where it needs a syntax tree."""
        number, (steps, _, called, _), words, skip, _ = line
        program, noted = self.program, self.noted
        variables, bounded = program.variables, program.bounded
        if called and any(name in variables or name in program.functions for name in called):
            raise Aside
        stack: list[Node] = []
        for step in steps:
            kind = step[0]
            if kind == LOAD:
                known = variables.get(words[step[1]])
                stack.append(self._name(line, step) if known is None else known)
                continue
            if kind <= NEGATIVE:
                stack.append(self._literal(words[step[1]], kind == NEGATIVE))
                continue
            if kind == ENTRY:
                stack.append(self._entry(line, step))
                continue
            _, op, count, first, last = step
            b = stack.pop()
            if count == 1:
                args: tuple[Node, ...] = (b,)
                plain = not b.shape
            else:
                a = stack.pop()
                if kind == PAIR and a.op == "const" != b.op:
                    a, b = b, a
                args = (a, b)
                plain = not (a.shape or b.shape) and op != "matmul"
                if plain and (a.op == "const" or a in bounded):
                    plain = b.op != "const" and b not in bounded
            if plain:
                node = intern(op, args)
                if node not in noted:
                    noted[node] = _MAKE(Place, (number, skip + first, skip + last))
            else:
                node = self._made(Place(number, skip + first, skip + last), op, args)
            stack.append(node)
        return stack[0]

    def _made(self, place: Place, op: str, args: tuple[Node, ...]) -> Node:
        """Make a node of arrays, or of numbers alone."""
        if op == "matmul":
            return self.program.product(place, *map(Val, args)).node
        return self.program.node(place, op, *args)

    def _name(self, line: Line, step: tuple[Any, ...]) -> Node:
        """Find what a name stands for that is no variable yet."""
        name = line.words[step[1]]
        if not _is_name(name):
            raise Aside
        token = line.skip + step[2]
        return self.program.lookup(Place(line.number, token, token), name).node

    def _entry(self, line: Line, step: tuple[Any, ...]) -> Node:
        """Find one entry of an array that is known; any other index needs a syntax tree."""
        _, word, signs, first, last = step
        array = self.program.variables.get(line.words[word])
        texts = line.words[word + 1 : word + 1 + len(signs)]
        if array is None or len(array.shape) != len(signs) or not all(map(WHOLE.fullmatch, texts)):
            raise Aside
        key = tuple([(sign * int(text), None) for sign, text in zip(signs, texts, strict=True)])
        node = self.entries.get((array, key))
        if node is None:
            place = Place(line.number, line.skip + first, line.skip + last)
            node = self.entries[array, key] = self.program.node(place, "slice", array, key=key)
        return node

    def _literal(self, text: str, negative: bool) -> Node:
        """Read a number; one that Python would not read, or that is too large, needs its tree."""
        node = self.literals.get("-" + text if negative else text)
        if node is None:
            whole = text.isdigit()
            value = int(text) if whole else float(text)
            if abs(value) > MAX_NUMBER or (whole and text[0] == "0" != text and value):
                raise Aside
            node = const(-value if negative else value)
            self.literals["-" + text if negative else text] = node
        return node
