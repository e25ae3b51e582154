"""Read a caption back: its lines, the numbers in them, and the equations between the numbers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.diagram.scene import Item, Label

Row = tuple[Item, ...]
NUMBER = re.compile(r"(?:num|arg):([vgcl]\d+)")
LITERAL = re.compile(r"\(?(\{-\}|-)?(\d+(?:\.\d+)?)\)?")
SIGNS = {"=", r"\approx"}
OPERATIONS = {"+": "+", "-": "-", r"\times": "*", r"\,/\,": "/"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold what moves together; `data` are the attributes of one that changes."""

    items: tuple[Item, ...]
    data: str = ""


def rows(items: Sequence[Item]) -> list[Row]:
    """Split a caption into its lines; a brace and its word belong to the piece before them."""
    lines: dict[float, list[Item]] = {}
    baseline = 0.0
    for item in items:
        if isinstance(item, Label) and item.role == "caption":
            baseline = round(item.y, 1)
        lines.setdefault(baseline, []).append(item)
    return [tuple(line) for line in lines.values()]


def numbered(row: Row, live: Mapping[str, None]) -> list[Piece]:
    """Cut a line into pieces that stay as they are and those that change.

    A number has `data-n`, with `data-b` if it is bracketed where it is negative. A sign has
    `data-eq`: what stands before it, "gate" for a gate of the numbers, or products and sums; and in
    `data-to` what it is compared with. What belongs to one equation has the same `data-q`.
    """
    equations = _equations(row)
    member = {k: q for q, (places, _, _) in enumerate(equations) for k in places}
    signs = {at: (q, terms, row) for q, (_, at, terms) in enumerate(equations)}
    pieces: list[Piece] = []
    still: list[Item] = []
    for k, item in enumerate(row):
        data = ""
        key = _key(item)
        if k in signs:
            q, terms, _ = signs[k]
            data = f' data-eq="{terms}" data-to="{_key(row[k + 1])}" data-q="{q}"'
        elif key in live:
            bracketed = ' data-b="1"' if item.part.startswith("arg:") else ""
            data = f' data-n="{key}"{bracketed}'
            data += f' data-q="{member[k]}"' if k in member else ""
        if data:
            pieces += [Piece(tuple(still))] if still else []
            pieces.append(Piece((item,), data))
            still = []
        else:
            still.append(item)
    return pieces + ([Piece(tuple(still))] if still else [])


def _key(item: Item) -> str:
    found = NUMBER.fullmatch(item.part)
    return found.group(1) if found else ""


def _equations(row: Row) -> list[tuple[list[int], int, str]]:
    """Find what computes a number: the places of the numbers, of the sign, and the terms."""
    found = []
    for k, item in enumerate(row[:-1]):
        result = _key(row[k + 1])
        if not _sign(item) or not result:
            continue
        start = k - 1
        while start >= 0 and not _sign(row[start]):
            start -= 1
        places = [j for j in range(start + 1, k + 2) if _key(row[j])]
        terms = [_term(item, j % 2 == 0) for j, item in enumerate(row[start + 1 : k])]
        if start >= 0 and result.startswith("v") and len(places) > 1:
            found.append((places, k, "gate"))
        elif start >= 0 and len(terms) >= 3 and len(terms) % 2 and all(terms):
            found.append((places, k, " ".join(terms)))
    return found


def _sign(item: Item) -> bool:
    return isinstance(item, Label) and item.outline.text in SIGNS


def _term(item: Item, operand: bool) -> str:
    """Spell a number, or the operation between two, for the script; "" for anything else."""
    if not isinstance(item, Label):
        return ""
    if not operand:
        return OPERATIONS.get(item.outline.text, "")
    literal = LITERAL.fullmatch(item.outline.text)
    if _key(item):
        return _key(item)
    return ("-" if literal.group(1) else "") + literal.group(2) if literal else ""
