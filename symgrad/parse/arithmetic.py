"""Order the operations of plain arithmetic for a stack: names, numbers, + - * / ** @, calls, x[0].

Nothing here recurses, so that an expression may have any number of terms.
"""

import re
from array import array
from typing import Any, NamedTuple

from symgrad.errors import Span
from symgrad.ops import lookup

NUMBER = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
WORD = re.compile(rf"(?<![\w.])([^\W\d]\w*|{NUMBER})(?![\w.])")
PLAIN = re.compile(r"(\w+)", re.ASCII)
TOKEN = re.compile(rf"[^\W\d]\w*|{NUMBER}|\*\*|[-+*/@(),=:;\[\]]|[ \t]+")
BINARY = {"+": ("add", 1), "-": ("sub", 1), "*": ("mul", 2), "/": ("div", 2), "@": ("matmul", 2),
          "**": ("pow", 4)}  # fmt: skip
SIGN = 3  # binds more than a product, less than a power
PAIRED = {"max": "maximum", "min": "minimum", "maximum": "maximum", "minimum": "minimum"}
DEEP = 200  # signs, powers and brackets in one another; sums and products have no limit
LOAD, LITERAL, NEGATIVE, APPLY, PAIR, ENTRY = range(6)
Step = tuple[Any, ...]


class Shape(NamedTuple):
    """Hold what lines of one shape have in common.

    Steps are (LOAD | LITERAL | NEGATIVE, word, token), (APPLY | PAIR, operator, operands, first
    token, last token) or (ENTRY, word, signs of the places, which are the next words, first token,
    last token); `assigns` says that the first word gets the value, `called` lists functions,
    `length` counts the tokens.
    """

    steps: tuple[Step, ...]
    assigns: bool
    called: tuple[str, ...]
    length: int


class Place(NamedTuple):
    """Locate some tokens of a line, where there is no syntax tree."""

    number: int
    first: int
    last: int

    def span(self, lines: list[str]) -> Span:
        """Count characters, from 1.

        >>> Place(1, 2, 4).span(["y = a*x + b"])
        Span(line=1, column=5, end=8)
        """
        return self.within(ends(lines[self.number - 1]))

    def within(self, found: "array[int]") -> Span:
        """Count characters where it is known on which columns tokens begin and end."""
        return Span(self.number, found[2 * self.first] + 1, found[2 * self.last + 1] + 1)


def ends(line: str) -> "array[int]":
    """Say where the tokens of a line begin and end, each begin before its end.

    >>> list(ends("y = x  # a note"))
    [0, 1, 2, 3, 4, 5]
    """
    found: array[int] = array("i")
    for match in TOKEN.finditer(line.partition("#")[0].rstrip()):
        if match[0][0] not in " \t":
            found.extend(match.span())
    return found


def tokens(code: str) -> list[str] | None:
    """Divide a line into tokens; None if it holds anything else.

    >>> tokens("y = x**2")
    ['y', '=', 'x', '**', '2']
    """
    found: list[str] = TOKEN.findall(code)
    if sum(map(len, found)) != len(code):
        return None
    return [t for t in found if t[0] not in " \t"]


def shape(code: str) -> Shape | None:
    """Turn a line into steps for a stack; None if it is no plain arithmetic.

    >>> [step[1] for step in shape("y = 2 - a*x").steps]
    [1, 2, 3, 'mul', 'sub']
    >>> shape("y = x if z else 0") is None
    True
    """
    texts = tokens(code)
    if texts is None:
        return None
    assigns = texts[1:2] == ["="]
    if assigns and not (_is_word(texts[0]) and texts[0].isidentifier()):
        return None
    order = _Order(texts, 2 if assigns else 0, int(assigns))
    steps = order.read()
    if steps is None:
        return None
    return Shape(tuple(steps), assigns, tuple(dict.fromkeys(order.called)), len(texts))


def _is_word(token: str) -> bool:
    return token[0] == "_" or token[0].isalnum() or (token[0] == "." and token != ".")


class _Order:
    """Hold what waits for its operands while the tokens are gone through."""

    def __init__(self, texts: list[str], start: int, word: int) -> None:
        self.texts, self.start, self.word = texts, start, word
        self.steps: list[Step] = []
        self.called: list[str] = []
        self.extents: list[tuple[int, int, bool]] = []  # first and last token; a number itself?
        self.waiting: list[tuple[int, str, int, int]] = []  # strength, what, token, operands

    def read(self) -> list[Step] | None:
        """Go through the tokens; None where they are no plain expression."""
        wanted = True  # whether an operand has to come
        k = self.start
        while k < len(self.texts):
            if len(self.waiting) > DEEP:
                return None
            text = self.texts[k]
            if wanted and text in ("-", "+", "("):
                self.waiting.append((0 if text == "(" else SIGN, text, k, 1))
            elif wanted and _is_word(text):
                if self.texts[k + 1 : k + 2] == ["("]:
                    self.waiting.append((0, text, k, 1))
                    self.word += 1
                    k += 1
                elif self.texts[k + 1 : k + 2] == ["["]:
                    k = self._entry(k)
                    if not k:
                        return None
                    wanted = False
                else:
                    self._word(k, text)
                    wanted = False
            elif wanted or not self._after(k, text):
                return None
            else:
                wanted = text != ")"
            k += 1
        if wanted:
            return None
        self._reduce(1)
        return None if self.waiting else self.steps

    def _word(self, k: int, text: str) -> None:
        literal = not text.isidentifier()
        self.steps.append((LITERAL if literal else LOAD, self.word, k))
        self.extents.append((k, k, literal))
        self.word += 1

    def _entry(self, first: int) -> int:
        """Take an entry of an array, x[0] or A[2, -1]; give its last token, 0 for other indices."""
        signs: list[int] = []
        k = first + 2
        while True:
            negative = self.texts[k : k + 1] == ["-"]
            k += negative
            if not "".join(self.texts[k : k + 1]).isdigit():
                return 0
            signs.append(-1 if negative else 1)
            k += 2
            if self.texts[k - 1 : k] != [","]:
                break
        if self.texts[k - 1 : k] != ["]"] or not self.texts[first].isidentifier():
            return 0
        self.steps.append((ENTRY, self.word, tuple(signs), first, k - 1))
        self.extents.append((first, k - 1, False))
        self.word += 1 + len(signs)
        return k - 1

    def _after(self, k: int, text: str) -> bool:
        """Take what follows an operand."""
        if text in BINARY:
            strength = BINARY[text][1]
            self._reduce(strength + (text == "**"))  # powers group from the right
            self.waiting.append((strength, text, k, 2))
            return True
        if text not in (")", ","):
            return False
        self._reduce(1)
        if not self.waiting:
            return False
        strength, what, first, count = self.waiting.pop()
        if text == ",":
            self.waiting.append((strength, what, first, count + 1))
            return what != "("
        if what == "(":
            self.extents[-1] = (first, k, self.extents[-1][2])
            return True
        return self._call(what, first, k, count)

    def _call(self, name: str, first: int, last: int, count: int) -> bool:
        """Close the call of a function of numbers."""
        self.called.append(name)
        row = lookup(name)
        if count == 2 and name in PAIRED:
            self._step(PAIR, PAIRED[name], count, first, last)
            return True
        if row is None or row.hidden or row.params or row.arity != count or count != 1:
            return False
        self._step(APPLY, row.name, count, first, last)
        return row.shape == "elementwise" and row.dtype == "float"

    def _step(self, kind: int, op: str, count: int, first: int, last: int) -> None:
        del self.extents[-count:]
        self.extents.append((first, last, False))
        self.steps.append((kind, op, count, first, last))

    def _reduce(self, least: int) -> None:
        """Apply what binds at least so much to the operands that are there."""
        while self.waiting and self.waiting[-1][0] >= least:
            strength, what, k, count = self.waiting.pop()
            last = self.extents[-1][1]
            if strength != SIGN:
                self._step(APPLY, BINARY[what][0], count, self.extents[-2][0], last)
            elif what == "-" and self.extents[-1][2]:
                self.steps[-1] = (NEGATIVE, *self.steps[-1][1:])
                self.extents[-1] = (k, last, False)
            elif what == "-":
                self._step(APPLY, "neg", count, k, last)
            else:
                self.extents[-1] = (k, last, False)


def split(code: str) -> list[str]:
    """Divide a line at its words, plain ones by a plain pattern.

    >>> split("v2 = v1*0.5"), split("v2 = v1*2")
    (['', 'v2', ' = ', 'v1', '*', '0.5', ''], ['', 'v2', ' = ', 'v1', '*', '2', ''])
    """
    if "." not in code and code.isascii():
        parts = PLAIN.split(code)
        words = parts[1::2]
        if not words or min(words) > ":" or all(w[0] > ":" or w.isdigit() for w in words):
            return parts
    return WORD.split(code)
