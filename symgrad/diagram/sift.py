"""Improve the order of columns: fewer crossings first, then the first operand on top.

Sweeps move boxes to the mean place of their neighbours; sifting gives each box the best place of
its column; whole edges are led round the outside and whole operands change places; and a few
shuffles lead out of what is the best only nearby.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random

from symgrad.diagram.order import (
    CROSSING,
    MISPLACED,
    SWAPPED,
    Columns,
    Link,
    cost,
    crossings,
)

ROUNDS = 6
SWEEPS = 12
SHUFFLES, EFFORT = 20, 1500  # shuffles, and links that are shuffled in all
MANY = 400  # links above which whole edges and operands are left where they are
FULL = 20_000  # pairs of boxes in columns, above which boxes only change places with neighbours


def best(candidates: Iterable[Columns], links: Sequence[Link]) -> Columns:
    """Improve each of the candidates and choose the cheapest, the first among equals."""
    chosen: Columns = ()
    net, least = _Net(links), -1
    for columns in candidates:
        if sum(len(column) ** 2 for column in columns) > FULL:
            return _Sifter(net, columns).run(1)
        for start in (columns, net.swept(columns)):
            found = _Sifter(net, start).run()
            price = cost(found, links)
            if least < 0 or price < least:
                chosen, least = found, price
        if least == 0:
            return chosen
    if len(links) > MANY:
        return chosen
    turns = min(SHUFFLES, EFFORT // len(links))
    chosen = _moved(chosen, net, turns)
    return _moved(_shuffled(chosen, net, turns), net, turns)


def _shuffled(chosen: Columns, net: "_Net", turns: int) -> Columns:
    """Start again from shuffled orders, as long as there are crossings."""
    chance, least = Random(0), cost(chosen, net.links)
    for turn in range(turns):
        if least < CROSSING:
            break
        start = _disturbed(chosen, chance, 1 + turn % 4)
        found = _Sifter(net, net.swept(start, 4) if turn % 2 else start).run()
        price = cost(found, net.links)
        # An equally good one is taken too: the next shuffle then starts elsewhere.
        if price <= least:
            chosen, least = found, price
    return chosen


def _disturbed(columns: Columns, chance: Random, count: int) -> Columns:
    """Move some boxes to other places of their columns."""
    shuffled = [list(column) for column in columns]
    wide = [column for column in shuffled if len(column) > 1]
    for _ in range(count):
        column = wide[int(chance.random() * len(wide))]
        card = column.pop(int(chance.random() * len(column)))
        column.insert(int(chance.random() * (len(column) + 1)), card)
    return tuple(map(tuple, shuffled))


def _moved(chosen: Columns, net: "_Net", turns: int) -> Columns:
    """Move whole edges and operands while that pays."""
    least = cost(chosen, net.links)
    for _ in range(min(turns, ROUNDS)):
        before = least
        for moves in (_swaps, _detours):
            for moved in moves(chosen, net):
                price = cost(moved, net.links)
                if price < least:
                    chosen = _Sifter(net, moved).run()
                    least = cost(chosen, net.links)
        if least in (0, before):
            break
    return chosen


def _detours(columns: Columns, net: "_Net") -> Iterator[Columns]:
    """Lead each long edge above or below all others, or a leaf with all its edges."""
    blocks: list[dict[int, None]] = []
    leaves: dict[int, dict[int, None]] = {}
    for chain in net.chains.values():
        passing = dict.fromkeys(link.head for link in chain[:-1])
        source = chain[0].tail
        if source not in net.before:
            leaves.setdefault(source, {source: None}).update(passing)
        if passing and (source in net.before or len(net.after[source]) > 1):
            blocks.append(passing)
    for block in (*leaves.values(), *blocks):
        for above in (True, False):
            yield tuple(_aside(column, block, above) for column in columns)


def _aside(column: Sequence[int], moving: Mapping[int, None], above: bool) -> tuple[int, ...]:
    chosen = tuple(c for c in column if c in moving)
    rest = tuple(c for c in column if c not in moving)
    return chosen + rest if above else rest + chosen


def _swaps(columns: Columns, net: "_Net") -> Iterator[Columns]:
    """Let two operands in the wrong order change places, with all that feeds only one of them."""
    place = {c: i for column in columns for i, c in enumerate(column)}
    for operands in net.operands.values():
        for first, second in pairwise(operands):
            if place[first] <= place[second]:
                continue
            one, other = net.behind(first), net.behind(second)
            upper = {c: None for c in one if c not in other}
            lower = {c: None for c in other if c not in one}
            yield tuple(_exchanged(column, upper, lower) for column in columns)


def _exchanged(
    column: Sequence[int], upper: Mapping[int, None], lower: Mapping[int, None]
) -> tuple[int, ...]:
    """Put the boxes of `upper` above those of `lower`, in the places that they have together."""
    order = [c for c in column if c in upper] + [c for c in column if c in lower]
    free = iter(order)
    return tuple(next(free) if c in upper or c in lower else c for c in column)


class _Net:
    """Know the neighbours of every box."""

    def __init__(self, links: Sequence[Link]) -> None:
        self.links = links
        self.before: dict[int, list[int]] = {}
        self.after: dict[int, list[int]] = {}
        self.slots: dict[int, dict[int, int]] = {}  # card -> head -> slot of the link
        self.weight: dict[int, int] = {}
        self.chains: dict[int, list[Link]] = {}
        self.operands: dict[int, list[int]] = {}  # head -> tails of its links, by operand
        for link in sorted(links, key=lambda link: link.slot):
            self.operands.setdefault(link.head, []).append(link.tail)
        for link in links:
            self.chains.setdefault(link.edge, []).append(link)
            self.before.setdefault(link.head, []).append(link.tail)
            self.after.setdefault(link.tail, []).append(link.head)
            self.slots.setdefault(link.tail, {}).setdefault(link.head, link.slot)
            self.weight[link.head] = MISPLACED if link.ordered else SWAPPED

    def behind(self, card: int) -> dict[int, None]:
        """Collect a box and all that feeds it."""
        found: dict[int, None] = {}
        stack = [card]
        while stack:
            box = stack.pop()
            if box not in found:
                found[box] = None
                stack += self.before.get(box, ())
        return found

    def swept(self, columns: Columns, sweeps: int = SWEEPS) -> Columns:
        """Sort columns by the mean place of the neighbours, to and fro; give the best found."""
        current = [list(column) for column in columns]
        place = {c: i for column in columns for i, c in enumerate(column)}
        least, found = crossings(columns, self.links), columns
        for turn in range(sweeps):
            if not least:
                break
            backward = turn % 2
            near = self.after if backward else self.before
            for column in reversed(current) if backward else current:
                self._sort(column, near, place, bool(turn & 2))
            count = crossings(current, self.links)
            if count < least:
                least, found = count, tuple(map(tuple, current))
        return found

    def _sort(
        self,
        column: list[int],
        near: Mapping[int, Sequence[int]],
        place: dict[int, int],
        turned: bool,
    ) -> None:
        """Sort a column; boxes without neighbours keep their places, equals turn round."""
        mean = {c: sum(place[x] for x in near[c]) / len(near[c]) for c in column if c in near}
        free = iter(sorted(mean, key=lambda c: (mean[c], -place[c] if turned else place[c])))
        column[:] = [next(free) if c in mean else c for c in column]
        place.update((c, i) for i, c in enumerate(column))


class _Sifter:
    """Move single boxes within their columns while that makes the drawing cheaper."""

    def __init__(self, net: _Net, columns: Columns) -> None:
        self.net = net
        self.columns = [list(column) for column in columns]
        self.place = {c: i for column in columns for i, c in enumerate(column)}
        pairs = sum(len(column) ** 2 for column in columns)
        self.reach = 1 if pairs > FULL else len(self.place)

    def run(self, rounds: int = ROUNDS) -> Columns:
        """Sift the columns to and fro until nothing moves any more."""
        last = len(self.columns) - 1
        still = [False] * (last + 1)  # sifted in vain, and the columns beside it are as they were
        for _ in range(rounds):
            for r in [*range(last + 1), *range(last - 1, -1, -1)]:
                if still[r]:
                    continue
                still[r] = not self._sift(self.columns[r])
                if not still[r]:
                    beside = slice(max(r - 1, 0), r + 2)
                    still[beside] = [False] * len(still[beside])
            if all(still):
                break
        return tuple(map(tuple, self.columns))

    def _sift(self, column: list[int]) -> bool:
        """Give every box of a column its best place; say whether one moved."""
        before, after = self.net.before, self.net.after
        sides = {c: (self._ends(before.get(c, ())), self._ends(after.get(c, ()))) for c in column}
        moved = False
        for card in list(column):
            start = column.index(card)
            least, target = 0, start
            for step in (1, -1):
                change, i = 0, start + step
                while 0 <= i < len(column) and abs(i - start) <= self.reach:
                    change += step * self._exchange(card, column[i], sides)
                    if change < least:
                        least, target = change, i
                    i += step
            if target != start:
                column.insert(target, column.pop(start))
                moved = True
        if moved:
            self.place.update((c, i) for i, c in enumerate(column))
        return moved

    def _ends(self, cards: Sequence[int]) -> list[int]:
        return [self.place[c] for c in cards]

    def _exchange(
        self, card: int, other: int, sides: dict[int, tuple[list[int], list[int]]]
    ) -> int:
        """Give what it costs more to have `other` above `card` than below it."""
        more = 0
        for mine, theirs in zip(sides[card], sides[other], strict=True):
            for a in mine:
                for b in theirs:
                    more += CROSSING * ((b > a) - (a > b))
        slots = self.net.slots.get(other, {})
        for head, slot in self.net.slots.get(card, {}).items():
            if head in slots:
                before = (slot < slots[head]) - (slots[head] < slot)
                more += self.net.weight[head] * before
        return more
