"""Read a long program line by line: lines of one shape are taken apart once.

`v1 = sin(v0)*y + v0` and the ten thousand lines like it differ in their words only. The first is
turned into steps for a stack, the others run them. What is no plain arithmetic is left to Python's
syntax tree, line by line; what is no line by itself, all of it.
"""

import ast
import keyword
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from symgrad.errors import Span
from symgrad.graph import Node, intern
from symgrad.ops import const
from symgrad.parse.arithmetic import LOAD, NEGATIVE, NUMBER, PAIR, Place, Shape, shape
from symgrad.parse.limits import MAX_NUMBER
from symgrad.parse.values import Val

if TYPE_CHECKING:
    from symgrad.parse.text import Program

LONG = 4000  # characters; Python reads a shorter text as a whole
WORD = re.compile(rf"(?<![\w.])([^\W\d]\w*|{NUMBER})(?![\w.])")
ALONE = re.compile(r"[\r\f\v\\\x1c-\x1f\x85\u2028\u2029]")  # what else divides or joins lines
KEYWORDS = dict.fromkeys(keyword.kwlist)


class Line(NamedTuple):
    """Hold one line: its number, its shape, its words."""

    number: int
    shape: Shape
    words: list[str]


class Aside(Exception):
    """Leave a line to Python's syntax tree."""


def statements(text: str) -> list[Line | ast.stmt] | None:
    """Take a long text apart into lines; None where it has to be read as a whole.

    >>> [len(line.words) for line in statements("y = x*x  # a square")]
    [3]
    """
    if ALONE.search(text) or not (text.isascii() or unicodedata.is_normalized("NFKC", text)):
        return None
    shapes: dict[Any, Shape | None] = {}
    found: list[Line | ast.stmt] = []
    for number, code in _logical(text):
        if code[0] in " \t":
            return None
        line = _line(number, code, shapes)
        if line is not None:
            found.append(line)
            continue
        try:
            found += parsed(code, number)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return found


def parsed(code: str, number: int) -> list[ast.stmt]:
    """Let Python read one line.

    >>> parsed("x: real", 7)[0].lineno
    7
    """
    return [ast.increment_lineno(s, number - 1) for s in ast.parse(code).body]


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """List the lines that say something, those in open brackets together."""
    parts: list[str] = []
    depth = first = 0
    for number, line in enumerate(text.split("\n"), 1):
        code = line
        if "#" in line and "'" not in line and '"' not in line:
            code = line[: line.index("#")]
        if not parts:
            if not code.strip():
                continue
            first = number
        parts.append(code)
        depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
        if depth <= 0:
            yield first, "\n".join(parts).rstrip()
            parts, depth = [], 0
    if parts:
        yield first, "\n".join(parts)


def _line(number: int, code: str, shapes: dict[Any, Shape | None]) -> Line | None:
    """Find the shape of a line; None if it is no plain arithmetic."""
    parts = WORD.split(code)
    words = parts[1::2]
    between = "\0".join(parts[::2])
    key: Any = (between, *[word[0] < ":" for word in words])  # digits stand before letters
    if "(" in between:
        key = (key, *[words[k] for k in _called(between)])
    found = shapes.get(key)
    if found is None and key not in shapes:
        found = shapes[key] = shape(code)
    if found is None or (found.assigns and not _is_name(words[0])):
        return None
    return Line(number, found, words)


@lru_cache(maxsize=1024)
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

    def place(noted: Place) -> Span:
        if not lines:
            lines.extend(source.split("\n"))
        return noted.span(lines)

    return place


class Machine:
    """Run the steps of lines; values, names and errors are the program's."""

    def __init__(self, program: "Program") -> None:
        self.program = program
        self.literals: dict[str, Node] = {}
        self.noted: dict[Node, Any] = program.spans

    def value(self, line: Line) -> Node:
        """Compute the value of a line; raise Aside where it needs a syntax tree."""
        number, (steps, _, called), words = line
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
                    noted[node] = Place(number, first, last)
            else:
                node = self._made(Place(number, first, last), op, args)
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
        return self.program.lookup(Place(line.number, step[2], step[2]), name).node

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
