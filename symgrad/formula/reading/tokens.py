r"""Cut LaTeX into tokens with places, and find the longest word of a table at a place.

>>> [t.text for t in tokenise(r"\frac{1}{N}\, x_{12}")]
['\\frac', '{', '1', '}', '{', 'N', '}', '\\,', 'x', '_', '{', '12', '}']
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from symgrad.errors import LimitError, ParseError, Span

TOKEN = re.compile(r"\s*(?:(\\[A-Za-z]+|\\.)|(\d+(?:\.\d+)?)|(\S))", re.DOTALL)
LONGEST = 1_000_000  # characters
INVISIBLE = (r"\displaystyle", r"\left", r"\right")
BIG = {f"\\{size}{side}": side for size in ("big", "Big", "bigg", "Bigg") for side in ("l", "r")}


class Token(NamedTuple):
    """Hold a token and where it stands in the text."""

    text: str
    start: int
    end: int


def tokenise(text: str) -> list[Token]:
    """Cut a text; sizes of brackets and spaces are left out."""
    if len(text) > LONGEST:
        raise LimitError(f"a formula of {len(text)} characters; at most {LONGEST} are read")
    found, place = [], 0
    while match := TOKEN.match(text, place):
        place = match.end()
        word = match[1] or match[2] or match[3]
        if word not in BIG and word not in INVISIBLE:
            found.append(Token(word, place - len(word), place))
    return found


@lru_cache(maxsize=1024)
def words(text: str) -> tuple[str, ...]:
    """Give the tokens' texts."""
    return tuple(t.text for t in tokenise(text))


def complaint(message: str, source: str, start: int, end: int, hint: str = "") -> ParseError:
    """Make a ParseError at a piece of the text."""
    line = source.count("\n", 0, start) + 1
    column = start - (source.rfind("\n", 0, start) + 1) + 1
    width = max(1, end - start)
    return ParseError(message, span=Span(line, column, column + width), source=source, hint=hint)


T = TypeVar("T")


class Words(Generic[T]):
    r"""Map sequences of tokens to what they mean; the longest one that stands at a place wins.

    >>> table = Words({r"\log": 1, r"\log\det": 2}); table.match(tokenise(r"\log\det(A)"), 0)
    (2, 2)
    """

    def __init__(self, table: Mapping[str, T] | Iterable[tuple[str, T]]) -> None:
        self.known: dict[tuple[str, ...], T] = {}
        self.lengths: dict[str, list[int]] = {}  # of words with this first token, longest first
        for text, meaning in table.items() if isinstance(table, Mapping) else table:
            self.add(text, meaning)

    def add(self, text: str, meaning: T) -> None:
        """Add a word."""
        key = words(text)
        if key:
            self.known[key] = meaning
            lengths = self.lengths.setdefault(key[0], [])
            if len(key) not in lengths:
                lengths.append(len(key))
                lengths.sort(reverse=True)

    def match(self, tokens: list[Token], place: int) -> tuple[T, int] | None:
        """Give the meaning of the longest word at a place, and how many tokens it has."""
        if place >= len(tokens):
            return None
        for length in self.lengths.get(tokens[place].text, ()):
            key = tuple(t.text for t in tokens[place : place + length])
            if key in self.known:
                return self.known[key], len(key)
        return None
