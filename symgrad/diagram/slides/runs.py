r"""Turn the LaTeX of a symbol or number into runs of text, as slide programs set them.

>>> [(r.text, r.italic, r.raised) for r in runs("w_{0}")]
[('w', True, 0), ('0', False, -25000)]
>>> "".join(r.text for r in runs(r"\mathrm{max}(0,x)"))
'max(0,x)'
"""

import re
from dataclasses import dataclass

from symgrad.diagram.measure import Outline
from symgrad.diagram.symbols import unicode_symbol
from symgrad.formula.names import ACCENTS

RAISED, LOWERED = 30000, -25000  # of superscripts and subscripts, in 1/1000 percent
UPRIGHT = ("\\mathrm", "\\text", "\\operatorname", "\\mathbf", "\\textbf", "\\mathbb")
FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac")
SPACED = ("=", "≈", "≠", "∈", "→", "←")  # relations, which stand apart from what they relate
SILENT = ("\\left", "\\right", "\\!", "\\displaystyle", "\\bigl", "\\bigr")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_MARKS = {command: mark for command, mark in ACCENTS.values()}
_SIGNS = {
    "-": "\N{MINUS SIGN}", "'": "\N{PRIME}", "~": " ",
    r"\leftarrow": "←", r"\rightarrow": "→", r"\to": "→", r"\star": "⋆", r"\partial": "∂",
    r"\nabla": "∇", r"\sum": "∑", r"\prod": "∏", r"\int": "∫", r"\approx": "≈", r"\in": "∈",
    r"\ldots": "…", r"\cdots": "⋯", r"\ast": "∗", r"\circ": "∘", r"\pm": "±", r"\lVert": "‖",
    r"\rVert": "‖", r"\langle": "⟨", r"\rangle": "⟩", r"\colon": ":", r"\ne": "≠", r"\quad": "  ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """Hold a piece of text in one style; `raised` is above 0 in superscripts."""

    text: str
    italic: bool = False
    raised: int = 0
    math: bool = True


@dataclass(slots=True)
class _Scope:
    """Hold the style of a group, and what to write when it closes."""

    upright: bool = False
    raised: int = 0
    after: str = ""


def runs(latex: str) -> list[Run]:
    """Read LaTeX into runs; letters are slanted, digits and words upright."""
    return _Reader().read(latex)


def text_runs(outline: Outline) -> list[Run]:
    """Give the runs of a typeset text, whatever it was made from."""
    if outline.latex:
        return runs(outline.text)
    return [Run(clean(outline.text), math=False)]


def clean(text: str) -> str:
    r"""Replace what is no printable character; a line break becomes a blank.

    >>> clean("a\nb\x00\u202e")
    'a b��'
    """
    flat = " ".join(text.splitlines()) if "\n" in text or "\r" in text else text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)


class _Reader:
    """Read tokens with a stack of groups of its own, so that no nesting is too deep."""

    def __init__(self) -> None:
        self.made: list[Run] = []
        self.stack = [_Scope()]
        self.next: _Scope | None = None  # the style of the next character or group
        self.accent = ""
        self.word = False  # a function's name came last, and a letter is kept apart from it
        self.last = ""  # the token before

    def read(self, latex: str) -> list[Run]:
        """Read all tokens."""
        for token in _TOKEN.findall(latex):
            self._token(token)
            self.last = token
        return self.made

    def _token(self, token: str) -> None:
        here = self.stack[-1]
        if token in "^_":
            self.next = _Scope(here.upright, RAISED if token == "^" else LOWERED)
            self.word = False
        elif token in UPRIGHT:
            self.next = _Scope(True, (self.next or here).raised)
        elif token in _MARKS:
            self.accent = _MARKS[token]
        elif token in FRACTIONS:
            self.next = _Scope(here.upright, here.raised, ")/")
            self._write("(", here)
        elif token == "{":
            self.stack.append(self.next or _Scope(here.upright, here.raised))
            self.next = None
        elif token == "}":
            self._close()
        elif token not in SILENT:
            self._character(token, here)

    def _close(self) -> None:
        if len(self.stack) > 1:
            closed = self.stack.pop()
            if closed.after:
                self._write(closed.after, self.stack[-1])

    def _character(self, token: str, here: _Scope) -> None:
        if token == " " and not here.upright:
            return
        style, self.next = self.next or here, None
        text = _SIGNS.get(token, "")
        if not text:
            text = (unicode_symbol(token) or " ") if token.startswith("\\") else token
        if text in SPACED and self.made and self.last != "{" and not style.upright:
            text = f" {text} "
        apart = self.word and text[0].isalnum()
        self.word = token.startswith("\\") and len(text) > 1 and text.isalpha()
        text, self.accent = text + self.accent, ""
        self._write(" " + text if apart else text, style)
        if style is not here and style.after:
            self._write(style.after, here)

    def _write(self, text: str, style: _Scope) -> None:
        text = clean(text)
        # A function's name such as exp stands upright, as Greek capitals do; letters are slanted.
        letter = text[:1].isalpha() and (len(text) == 1 or not text.isascii())
        italic = letter and not style.upright and not "Α" <= text[0] <= "Ω"
        last = self.made[-1] if self.made else None
        if last is not None and (last.italic, last.raised) == (italic, style.raised):
            self.made[-1] = Run(last.text + text, italic, style.raised)
        else:
            self.made.append(Run(text, italic, style.raised))
