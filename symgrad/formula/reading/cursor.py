r"""Walk over the tokens of a formula; read sizes, indices and words, which are no expressions."""

from typing import Any

from symgrad import dims
from symgrad.errors import ParseError
from symgrad.formula.reading.tokens import Token, Words, complaint, tokenise
from symgrad.formula.reading.values import Arithmetic
from symgrad.formula.texts import INDEX
from symgrad.graph import Node
from symgrad.shapes import Dim


class Cursor(Arithmetic):
    """Hold the tokens and the place; errors say where."""

    sizes: Words[str]
    names: Words[Node]
    functions: Words[str]

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.tokens: list[Token] = tokenise(text)
        self.at = 0

    @property
    def here(self) -> str:
        """Give the token that is next, "" at the end."""
        return self.ahead(0)

    def ahead(self, count: int) -> str:
        """Give a token further on."""
        place = self.at + count
        return self.tokens[place].text if place < len(self.tokens) else ""

    def take(self) -> str:
        """Go past the next token."""
        self.at += 1
        return self.tokens[self.at - 1].text if self.at <= len(self.tokens) else ""

    def expect(self, text: str) -> None:
        """Go past a token that has to stand here."""
        if self.here != text:
            raise self.unexpected(f"{text} is expected")
        self.at += 1

    def unexpected(self, message: str) -> ParseError:
        """Make the error for the next token."""
        found = f"not {self.here}" if self.here else "but the formula ends"
        return self.complain(f"{message}, {found}", self.at)

    def complain(self, message: str, place: int) -> ParseError:
        """Make an error at a token."""
        end = len(self.source)
        token = self.tokens[place] if place < len(self.tokens) else Token("", end, end)
        hint = "what Formula.latex() prints is read, with its names"
        return complaint(message, self.source, token.start, token.end, hint)

    def letters(self) -> list[str]:
        """Read an optional index of letters: _{i,j}."""
        if self.here != "_":
            return []
        self.take()
        self.expect("{")
        found = []
        while self.here != "}":
            if self.here == ",":
                self.take()
            found.append(self.take())
            if not found[-1].isalpha() or len(found[-1]) > 1:
                self.at -= 1
                raise self.unexpected("an index is expected")
        self.take()
        return found

    def axes_behind(self) -> list[str]:
        """Read the axes behind a call, [] where what follows is the index of an entry."""
        place = self.at + 2
        while place < len(self.tokens) and self.tokens[place].text in (*INDEX, ","):
            place += 1
        closed = place < len(self.tokens) and self.tokens[place].text == "}"
        return self.letters() if self.here == "_" and closed and place > self.at + 2 else []

    def plain_word(self) -> str:
        r"""Read \mathrm{word}, or a number."""
        if self.here != r"\mathrm":
            number = self.take()
            if self.here == r"\cdot":
                self.take()
            if self.here == "10":
                self.take()
            return number + ("e" + self.exponent() if self.here == "^" else "")  # type: ignore[attr-defined]
        self.at += 2
        found = ""
        while self.here not in ("}", ""):
            found += self.take().removeprefix("\\")
        self.expect("}")
        return found

    def size(self) -> Dim:
        r"""Read a dimension: D N - 1, \lfloor (N + 1)/2 \rfloor."""
        total: Dim = 0
        sign = 1
        while True:
            if self.here in ("-", "+"):
                sign = -1 if self.take() == "-" else 1
            product: Dim = sign
            while self.here and (self.here.isdigit() or self._is_size()):
                product = dims.times(product, self._factor())
            total = dims.plus(total, product)
            if self.here not in ("-", "+"):
                return total

    def _is_size(self) -> bool:
        return self.here == r"\lfloor" or self.sizes.match(self.tokens, self.at) is not None

    def _factor(self) -> Dim:
        if self.here.isdigit():
            return int(self.take())
        if self.here != r"\lfloor":
            found = self.sizes.match(self.tokens, self.at)
            assert found
            self.at += found[1]
            return found[0]
        self.take()
        bracketed = self.here == "("
        self.at += bracketed
        inner = self.size()
        self.at += bracketed
        self.expect("/")
        divisor = int(self.take())
        self.expect(r"\rfloor")
        return dims.halved(inner, divisor)

    def shape(self) -> tuple[Dim, ...]:
        r"""Read an optional index of sizes: _{N \times C}."""
        if self.here != "_":
            return ()
        self.at += 2
        found = [self.size()]
        while self.here == r"\times":
            self.take()
            found.append(self.size())
        self.expect("}")
        return tuple(found)

    def key(self, closing: str) -> list[list[Dim | None]]:
        """Read an index of numbers and slices up to a closing bracket."""
        entries: list[list[Dim | None]] = [[None]]
        while self.here != closing:
            if self.here in (",", ":"):
                if self.take() == ",":
                    entries.append([None])
                else:
                    entries[-1].append(None)
            elif self.here.isdigit() or self.here == "-" or self._is_size():
                entries[-1][-1] = self.size()
            else:
                raise self.unexpected("an index is expected")
        self.take()
        return entries

    def slice_of(self, entry: list[Dim | None]) -> tuple[Any, ...] | None:
        """Write an entry as keys are kept; None where it speaks of a named size."""
        if any(isinstance(part, str) for part in entry):
            return None
        if len(entry) == 1:
            return (entry[0], None)
        if len(entry) == 2:
            return (entry[0] or 0, "end" if entry[1] is None else entry[1])
        return tuple(entry)

    def is_part(self) -> bool:
        """Say whether e_{…} has the index of a part, and is no row of a label."""
        if self.ahead(2) != "{":
            return False
        first = self.ahead(3)
        return first in (":", "-") or first.isdigit()
