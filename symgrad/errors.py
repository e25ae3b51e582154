"""Every error and warning that a user meets: what was given, what was expected, what to do.

>>> print(ParseError("unknown function 'tahn'", hint="did you mean 'tanh'?"))
unknown function 'tahn'
did you mean 'tanh'?
"""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

SHOWN = 120  # characters of a source line that a message quotes around the caret


@dataclass(frozen=True, slots=True)
class Span:
    """Locate a piece of source text: line from 1, columns from 1, the end column exclusive."""

    line: int
    column: int
    end: int


def shown(text: str) -> str:
    r"""Replace what cannot be seen, or would steer a terminal, one character for one.

    >>> shown("a\x1b[31m") == "a\N{REPLACEMENT CHARACTER}[31m", shown("α\n1")
    (True, 'α\n1')
    """
    if text.isprintable():
        return text
    odd = "\N{REPLACEMENT CHARACTER}"
    return "".join(c if c.isprintable() or c in "\n\t" else odd for c in text)


class SymgradWarning(UserWarning):
    """Say that something was computed but is probably not what was meant."""


class SymgradError(Exception):
    """Report bad input; the base of all errors that symgrad raises on purpose.

    `message` says what was given and expected, `span` and `source` where, `hint` what to do.
    """

    def __init__(
        self, message: str, *, span: Span | None = None, source: str = "", hint: str = ""
    ) -> None:
        message = shown(message)
        super().__init__(message)
        self.message, self.span, self.source, self.hint = message, span, source, shown(hint)

    def at(self, span: Span | None, source: str) -> Self:
        """Add the place in the source, unless the error already knows a place."""
        if self.span is None and span is not None:
            self.span, self.source = span, source
        return self

    @property
    def line(self) -> int | None:
        """Give the line of the source text, from 1."""
        return self.span.line if self.span else None

    @property
    def column(self) -> int | None:
        """Give the column in that line, from 1."""
        return self.span.column if self.span else None

    def __str__(self) -> str:
        parts = [self.message]
        if self.span is not None:
            parts[0] += f"  (line {self.span.line}, column {self.span.column})"
            parts += _quote(self.source, self.span)
        if self.hint:
            parts.append(self.hint)
        return "\n".join(parts)


def _quote(source: str, span: Span) -> list[str]:
    """Quote the line with carets below the span, cut to a window when the line is long."""
    lines = source.split("\n")
    if not 0 < span.line <= len(lines) or not lines[span.line - 1].strip():
        return []
    text = lines[span.line - 1].replace("\t", " ")
    start = max(0, span.column - 1 - SHOWN // 2) if len(text) > SHOWN else 0
    part = text[start : start + SHOWN]
    width = max(1, min(span.end, start + len(part) + 1) - span.column)
    return [f"  {shown(part)}", "  " + " " * (span.column - 1 - start) + "^" * width]


class ParseError(SymgradError, SyntaxError):
    """Report text that is not in the language; also a `SyntaxError` with line and column."""

    def __init__(
        self, message: str, *, span: Span | None = None, source: str = "", hint: str = ""
    ) -> None:
        SymgradError.__init__(self, message, span=span, source=source, hint=hint)
        self._place()

    def at(self, span: Span | None, source: str) -> Self:
        """Add the place in the source, unless the error already knows a place."""
        super().at(span, source)
        self._place()
        return self

    def _place(self) -> None:
        self.msg, self.filename = self.message, "<symgrad>"
        if self.span is not None:
            lines = self.source.split("\n")
            self.lineno, self.offset = self.span.line, self.span.column
            self.end_lineno, self.end_offset = self.span.line, self.span.end
            self.text = shown(lines[self.span.line - 1]) if self.span.line <= len(lines) else ""

    __str__ = SymgradError.__str__


class ShapeError(SymgradError):
    """Report operands whose shapes do not fit."""


class NameClashError(SymgradError):
    """Report a name that would stand for two things."""


class NotDifferentiableError(SymgradError):
    """Report a gradient that was asked for where none exists."""


class LimitError(SymgradError):
    """Report input that is larger than a stated limit."""


class DataError(SymgradError):
    """Report numbers that do not fit the program: missing, of a wrong shape, kind or range."""


class UsageError(SymgradError):
    """Report a call that cannot be carried out as it stands."""


class DivergenceError(SymgradError):
    """Report training that ran away: a loss or a gradient that is not finite, or that exploded.

    `step` and `epoch` say when, `parameter` which gradient was met first ("" for the loss), `found`
    where it arose (`symgrad.train.divergence.Found`), or None where that could not be told.

    >>> print(DivergenceError("the loss is NaN at step 7", step=7, hint="lower the rate"))
    the loss is NaN at step 7
    lower the rate
    """

    def __init__(
        self,
        message: str,
        *,
        step: int | None = None,
        epoch: int | None = None,
        parameter: str | None = None,
        found: object = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.step, self.epoch = step, epoch
        self.parameter, self.found = parameter or "", found

    def __str__(self) -> str:
        found = "" if self.found is None else str(self.found)
        return "\n".join(filter(None, [self.message, found, self.hint]))


class EngineError(SymgradError):
    """Report that no layout engine could be run."""


def deceptive(name: str) -> str:
    """Say which letter of a name is neither Latin nor Greek; "" where none is.

    >>> deceptive("W1"), deceptive("λ")
    ('', '')
    """
    for k, c in enumerate("" if name.isascii() else name, 1):
        said = unicodedata.name(c, "no character")
        if not (c.isascii() or said.startswith(("LATIN", "GREEK", "COMBINING"))):
            return f"its letter {k} is U+{ord(c):04X} {said}: type it again.  "
    return ""


def near(name: object, known: Sequence[str]) -> str:
    """Ask whether a known name was meant, and point at a letter that only looks like a Latin one.

    >>> near("sigmiod", ["tanh", "sigmoid"])
    "did you mean 'sigmoid'?  "
    >>> near("\N{CYRILLIC SMALL LETTER HA}", ["x"])
    'its letter 1 is U+0445 CYRILLIC SMALL LETTER HA: type it again.  '
    """
    odd = deceptive(str(name))
    if odd:
        return odd
    found = difflib.get_close_matches(str(name).lower(), [k.lower() for k in known], 1)
    meant = next((k for k in known if found and k.lower() == found[0]), "")
    return f"did you mean '{meant}'?  " if meant else ""


def missing_extra(what: str, extra: str) -> UsageError:
    """Say in one line which extra of the package brings a library that is not installed.

    >>> print(missing_extra("a plot needs matplotlib", "plots"))
    a plot needs matplotlib: python3 -m pip install 'symgrad[plots]' brings it
    """
    return UsageError(f"{what}: python3 -m pip install 'symgrad[{extra}]' brings it")
