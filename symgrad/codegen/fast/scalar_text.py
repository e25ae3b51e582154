"""Terms of adjoints as text: sums of them, their signs, what an operation makes of them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from symgrad.codegen.fast.scalar_rules import Text
from symgrad.ops.spec import ADD, ATOM

LONG = 10  # operations of one line
_MAKE: Any = tuple.__new__  # a named tuple's own way takes twice as long


class Part(NamedTuple):
    """Hold a term of an adjoint: its sign, its text, how strongly it binds, its operations.

    `names` are the names in the text.
    """

    sign: int
    text: str
    level: int = ATOM
    size: int = 0
    names: tuple[str, ...] = ()

    @property
    def unit(self) -> bool:
        """Say whether it is 1 or -1."""
        return self.text == "1.0"


def term(sign: int, name: str) -> Part:
    """Make a term of a name.

    >>> term(-1, "g1")
    Part(sign=-1, text='g1', level=40, size=0, names=('g1',))
    """
    part: Part = _MAKE(Part, (sign, name, ATOM, 0, (name,)))
    return part


def total(parts: Sequence[Part]) -> Part:
    """Add terms up, in their order.

    >>> total([Part(1, "a"), Part(-1, "b*c", 20, 1)]).text
    'a - b*c'
    """
    if len(parts) == 1:
        return parts[0]
    text = ""
    for part in parts:
        inner = part.text if part.level > ADD or not text else f"({part.text})"
        if text:
            text += f" {'+' if part.sign > 0 else '-'} {inner}"
        else:
            text = inner if part.sign > 0 else signed(part)
    names = tuple([name for p in parts for name in p.names])
    return Part(1, text, ADD, sum([p.size for p in parts]) + len(parts) - 1, names)


def signed(part: Part) -> str:
    """Write a term with its sign."""
    if part.sign > 0:
        return part.text
    return f"-{part.text}" if part.level > ADD else f"-({part.text})"


def apply(text: Text, g: Part, y: str, operands: Sequence[str]) -> Part:
    """Write what an operation passes to one operand."""
    if text.form == "{0}":
        if text.sign > 0:
            return g
        other: Part = _MAKE(Part, (-g.sign, g.text, g.level, g.size, g.names))
        return other
    upstream = g.text if g.level >= text.levels[0] else f"({g.text})"
    form = text.named[0].format(upstream, y, *operands)  # a name binds strongly enough anywhere
    read, size = text.read, text.size
    names = ((operands[read[0]] if read[0] >= 0 else y,) if len(read) == 1 else
             tuple([operands[k] if k >= 0 else y for k in read]))  # fmt: skip
    if text.levels[0] >= 0:
        size, names = size + g.size, g.names + names
    part: Part = _MAKE(Part, (g.sign * text.sign, form, text.named[1], size, names))
    return part
