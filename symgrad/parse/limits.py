"""Check a text before anything is built from it: length, tokens, nesting, characters."""

import re
import unicodedata

from symgrad.errors import LimitError, ParseError, Span

MAX_TEXT = 8_000_000  # characters; programs of 10^5 lines fit
MAX_TOKEN = 400  # characters of one name or number
MAX_DEPTH = 90  # open brackets; Python's own parser stops at 100 to 200
MAX_NUMBER = 1e308

TOKEN = re.compile(r"#[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|[0-9][\w.]*|\w+|\n|[^\S\n]+|[^\w\s]")
ODD = re.compile(rf"[\0'\"]|\w{{{MAX_TOKEN}}}|[0-9][\w.]{{{MAX_TOKEN}}}")
SUPERSCRIPTS = {"²": "**2", "³": "**3", "¹": "**1"}
LATIN, GREEK, CYRILLIC = "LATIN", "GREEK", "CYRILLIC"


def scan(text: str) -> None:
    """Raise LimitError or ParseError for a text that must not reach the parser.

    >>> scan("x + y")
    """
    if len(text) > MAX_TEXT:
        raise LimitError(f"the text has {len(text)} characters; the limit is {MAX_TEXT}")
    plain = text.isascii()
    if plain and not ODD.search(text) and _shallow(text):
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
        if token.isascii() and len(token) <= MAX_TOKEN and depth <= MAX_DEPTH and first != "\0":
            if plain or not first.isalpha():
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
        if first == "\0":
            raise ParseError("the text contains a zero byte", span=span, source=text)
        if first.isspace() or first == "#":
            _comment(token, span, text)
        elif len(token) > MAX_TOKEN:
            raise LimitError(
                f"a name or number of {len(token)} characters; the limit is {MAX_TOKEN}",
                span=span, source=text,
            )  # fmt: skip
        else:
            _characters(token, span, text, spellings)


def _shallow(text: str) -> bool:
    """Say whether no line leaves a bracket open, and none has too many."""
    for line in text.split("\n"):
        opened = line.count("(") + line.count("[") + line.count("{")
        closed = line.count(")") + line.count("]") + line.count("}")
        if opened != closed or opened > MAX_DEPTH:
            return False
    return True


def _comment(token: str, span: Span, text: str) -> None:
    """Refuse in blanks and comments only what could hide code from a reader."""
    for c in token:
        if unicodedata.category(c) == "Cf":
            raise ParseError(f"the invisible character {_code(c)}", span=span, source=text)


def _code(c: str) -> str:
    return f"U+{ord(c):04X} {unicodedata.name(c, 'unnamed')}"


def _characters(token: str, span: Span, text: str, spellings: dict[str, str]) -> None:
    """Refuse deceptive characters by code point; Greek is always allowed."""
    scripts: dict[str, str] = {}
    for c in token:
        if c in SUPERSCRIPTS:
            raise ParseError(
                f"the character {c} is not in the language", span=span, source=text,
                hint=f"write {SUPERSCRIPTS[c]} for a power",
            )  # fmt: skip
        name = unicodedata.name(c, "")
        if unicodedata.category(c) in ("Cf", "Cc", "Co", "Cs") or name.startswith("FULLWIDTH"):
            raise ParseError(f"the character {_code(c)} is not allowed", span=span, source=text)
        if c.isalpha():
            scripts.setdefault(name.split(" ")[0], c)
    if CYRILLIC in scripts:
        letter = scripts[CYRILLIC]
        raise ParseError(f"the Cyrillic letter {_code(letter)} is not allowed; it looks like a "
                         "Latin one", span=span, source=text)  # fmt: skip
    if len([s for s in scripts if s not in (LATIN, GREEK)]) and len(scripts) > 1:
        raise ParseError(f"the name mixes scripts: {', '.join(scripts)}", span=span, source=text)
    folded = unicodedata.normalize("NFKC", token)
    if spellings.setdefault(folded, token) != token:
        raise ParseError(f"'{token}' and '{spellings[folded]}' are the same name spelt twice",
                         span=span, source=text)  # fmt: skip
