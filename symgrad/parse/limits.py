"""Check a text before anything is built from it: length, tokens, nesting, characters."""

import re

from symgrad.errors import LimitError, ParseError, Span
from symgrad.parse.characters import check, comment

MAX_TEXT = 8_000_000  # characters; programs of 10^5 lines fit
MAX_WORDS = 1_000_000  # names and numbers; Python's own reader takes seconds for more
MAX_TOKEN = 400  # characters of one name or number
MAX_DEPTH = 90  # open brackets; Python's own parser stops at 100 to 200
MAX_NUMBER = 1e308
MAX_AXES = 32  # of an array
MAX_ENTRIES = 10**10  # of any array whose size is known
MAX_CONSTANTS = 10**7  # entries of an array that is made of numbers alone

MARKED = (
    r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f"  # accents and the like
)
TOKEN = re.compile(
    rf"#[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|[0-9][\w.]*|\w[\w{MARKED}]*|\n|[^\S\n]+|[^\w\s]"
)
ODD = bytes([*range(9), *range(0x0B, 0x20), 0x7F, *b"'\""])
LENGTHY = re.compile(rf"\w{{{MAX_TOKEN}}}|[0-9][\w.]{{{MAX_TOKEN}}}")
RUN_ON = re.compile(  # begins with a digit, so that it is found fast
    r"[0-9](?<![\w.].)[0-9a-fA-F_.xXoO]*(?:and|else|for|if|in|is|not|or)\b"
)
WORDS = re.compile(r"\w+")
BLANKS = bytes([k if chr(k).isalnum() or k == ord("_") else ord(" ") for k in range(256)])
JOINED = re.compile(r"([0-9][0-9a-fA-F_.xXoO]*?)(and|else|for|if|in|is|not|or)")


def scan(text: str) -> None:
    """Raise LimitError or ParseError for a text that must not reach the parser.

    >>> scan("x + y")
    """
    if len(text) > MAX_TEXT:
        line = text.count("\n", 0, MAX_TEXT) + 1
        column = MAX_TEXT - text.rfind("\n", 0, MAX_TEXT)
        raise LimitError(f"the text has {len(text)} characters; the limit is {MAX_TEXT}",
                         span=Span(line, column, column + 1), source=text,
                         hint="divide the program, or give numbers through shapes=")  # fmt: skip
    if len(text) > 2 * MAX_WORDS:
        _count(text)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        column = text.index("\0") - text.rfind("\n", 0, text.index("\0"))
        raise ParseError("the text contains a zero byte", span=Span(line, column, column + 1),
                         source=text, hint="delete it; it cannot be seen")  # fmt: skip
    plain = text.isascii()
    if plain and _usual(text) and _shallow(text):
        return
    line, start, depth = 1, 0, 0
    spellings: dict[str, str] = {}
    for match in TOKEN.finditer(text):
        token, first = match.group(), match.group()[0]
        if first == "\n":
            line, start = line + 1, match.end()
            continue
        if first in "([{":
            depth += 1
        elif first in ")]}":
            depth = max(0, depth - 1)
        if depth <= MAX_DEPTH and _fine(token, first):
            if plain or not (first.isalpha() or first == "_"):
                continue
            if spellings.setdefault(token, token) == token:
                continue
        column = match.start() - start + 1
        span = Span(line, column, column + min(len(token), 40))
        if depth > MAX_DEPTH:
            raise LimitError(
                f"brackets are nested more than {MAX_DEPTH} deep",
                span=span, source=text, hint="name the inner parts on lines of their own",
            )  # fmt: skip
        _token(token, span, text, spellings)


def _count(text: str) -> None:
    """Refuse programs that Python would read for seconds; comments do not count."""
    if "#" not in text and _words(text) <= MAX_WORDS:
        return
    words = 0
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        words += len(WORDS.findall(line[: line.index("#")] if "#" in line else line))
        if words > MAX_WORDS:
            raise LimitError(f"the program has more than {MAX_WORDS} names and numbers",
                             span=Span(number, 1, 2), source=text,
                             hint="write repeated terms with arrays: sum(x*y)")  # fmt: skip


def _words(text: str) -> int:
    """Count names and numbers.

    >>> _words("x_1 = 2*y.z"), _words("é = 1")
    (4, 2)
    """
    if text.isascii():
        return len(text.encode("ascii").translate(BLANKS).split())
    return WORDS.subn("", text)[1]


def _fine(token: str, first: str) -> bool:
    """Say whether a token needs no closer look."""
    if first in " \t":
        return not token.strip(" \t")
    if not token.isascii() or (len(token) > MAX_TOKEN and first != "#"):
        return False
    if first.isdigit():
        return JOINED.fullmatch(token) is None
    return first == "#" or (token.isprintable() and "\\" not in token[1:])


def _token(token: str, span: Span, text: str, spellings: dict[str, str]) -> None:
    """Refuse a token that is too long, holds odd characters, or is no number."""
    first = token[0]
    if first == "#":
        comment(token, span, text)
    elif len(token) > MAX_TOKEN and not first.isspace():
        raise LimitError(
            f"a name or number of {len(token)} characters; the limit is {MAX_TOKEN}",
            span=span, source=text, hint="shorten it",
        )  # fmt: skip
    elif joined := JOINED.fullmatch(token):
        raise ParseError(f"'{token}' is neither a number nor a name", span=span, source=text,
                         hint=f"write a blank between: {joined[1]} {joined[2]}")  # fmt: skip
    elif "\\" in token[1:]:
        raise ParseError("a backslash in a text is not in the language", span=span, source=text,
                         hint="texts are plain words: reduction='mean'")  # fmt: skip
    else:
        check(token, span, text, spellings if first.isalpha() or first == "_" else {})


def _usual(text: str) -> bool:
    """Say of a text in ASCII that no character, name or number in it needs a closer look."""
    if len(text.encode().translate(None, ODD)) < len(text) or RUN_ON.search(text):
        return False
    lengthy = [line for line in text.split("\n") if len(line) >= MAX_TOKEN]
    return not any(map(LENGTHY.search, lengthy))


def _shallow(text: str) -> bool:
    """Say whether no line leaves a bracket open, and none has too many."""
    kinds = [(a, b) for a, b in ("()", "[]", "{}") if a in text or b in text]
    lines = dict.fromkeys(text.split("\n")) if kinds else {}  # each line once
    for line in lines:
        opened = closed = 0
        for a, b in kinds:
            opened += line.count(a)
            closed += line.count(b)
        if opened != closed or opened > MAX_DEPTH:
            return False
    return True
