"""The order of the boxes in each column: what it costs, and the order in which a formula is read.

Crossings cost most, then operands out of order where that matters, then where it does not.
"""

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

Columns = tuple[tuple[int, ...], ...]

# Operators whose operands may change places: the order of their edges says nothing.
COMMUTE = ("add", "mul", "maximum", "minimum", "eq", "ne", "both", "logaddexp", "hypot")
CROSSING, MISPLACED, SWAPPED = 10**8, 10**4, 1  # what each costs: none outweighs a dearer one


@dataclass(frozen=True, slots=True)
class Link:
    """Join two cards; an edge is a chain of links through its taps and bends.

    `slot` counts the operands of the gate at which an edge ends, `ordered` tells that they may not
    change places.
    """

    tail: int
    head: int
    edge: int
    slot: int = 0
    ordered: bool = False


def cost(columns: Columns, links: Sequence[Link]) -> int:
    """Weigh the crossings and the operands out of order.

    >>> links = (Link(0, 2, 0, slot=0, ordered=True), Link(1, 2, 1, slot=1, ordered=True))
    >>> cost(((0, 1), (2,)), links), cost(((1, 0), (2,)), links) == MISPLACED
    (0, True)
    """
    return CROSSING * crossings(columns, links) + _disorder(columns, links)


def by_formula(columns: Columns, links: Sequence[Link]) -> Columns:
    """Order the columns as the formula is read, from the outputs back, operand by operand."""
    before: dict[int, list[Link]] = {}
    tails = set()
    for link in links:
        before.setdefault(link.head, []).append(link)
        tails.add(link.tail)
    stack = [card for column in columns for card in reversed(column) if card not in tails]
    seen: dict[int, int] = {}
    while stack:
        card = stack.pop()
        if card in seen:
            continue
        seen[card] = len(seen)
        operands = sorted(before.get(card, ()), key=lambda link: (link.slot, link.edge))
        stack += [link.tail for link in reversed(operands)]
    return tuple(tuple(sorted(column, key=lambda card: seen[card])) for column in columns)


def crossings(columns: Sequence[Sequence[int]], links: Sequence[Link]) -> int:
    """Count the pairs of links that cross between neighbouring columns."""
    place = {card: (r, i) for r, column in enumerate(columns) for i, card in enumerate(column)}
    gaps: list[list[tuple[int, int]]] = [[] for _ in columns]
    for link in links:
        rank, start = place[link.tail]
        # Links into one gate end in the order of their starts, so they never cross.
        gaps[rank].append((start, place[link.head][1]))
    return sum(_inversions(sorted(gap)) for gap in gaps)


def _inversions(pairs: Sequence[tuple[int, int]]) -> int:
    """Count inversions by binary insertion; equal ends do not cross."""
    seen: list[int] = []
    count = 0
    for _, end in pairs:
        count += len(seen) - bisect_right(seen, end)
        insort(seen, end)
    return count


def _disorder(columns: Columns, links: Sequence[Link]) -> int:
    """Weigh the pairs of operands that stand in the wrong order."""
    place = {card: i for column in columns for i, card in enumerate(column)}
    ends: dict[int, list[tuple[int, int]]] = {}
    weight = {}
    for link in links:
        ends.setdefault(link.head, []).append((link.slot, place[link.tail]))
        weight[link.head] = MISPLACED if link.ordered else SWAPPED
    return sum(weight[head] * _inversions(sorted(tails)) for head, tails in ends.items())
