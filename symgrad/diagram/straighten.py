"""Straighten spines and long edges: gates in a row, taps and bends of one edge, on one level.

A row of gates, each the only gate that feeds the next, takes one level if there is room for that.
Then the gates and leaves stand still, and the edges take their places one after the other, short
ones first, as they lie nearer to the gates; each leaves as much room as those still to come need
between it and what already stands. Cards of an edge whose free intervals meet take one level: that
of its source, or, for a branch that ends in a gate of its own, that of its target.
"""

from collections.abc import Sequence

from symgrad.diagram.layout import Ranked

Interval = tuple[float, float]


def straighten(ranked: Ranked, y: dict[int, float], gaps: Sequence[Sequence[float]]) -> None:
    """Move the passing cards in `y`; `gaps` holds the least distances within each column."""
    room = _Room(ranked, y, gaps)
    for row in sorted(rows(ranked), key=len, reverse=True):
        _level(row, room)
    chains: dict[int, list[int]] = {}
    for column in ranked.columns:
        for i in column:
            if ranked.cards[i].node < 0:
                chains.setdefault(ranked.cards[i].edge, []).append(i)
    wishes = _wishes(ranked, chains, y)
    for edge in sorted(chains, key=lambda edge: (len(chains[edge]), edge)):
        for run, interval in _runs(chains[edge], room):
            level = min(interval[1], max(interval[0], wishes[edge]))
            y.update(dict.fromkeys(run, level))
            room.standing.update(dict.fromkeys(run))


def rows(ranked: Ranked) -> list[list[int]]:
    """Find the rows of gates, and bends between them, where each alone feeds the next."""
    fed = {link.head for link in ranked.links}
    feeds: dict[int, list[int]] = {}
    for link in ranked.links:
        if link.tail in fed:
            feeds.setdefault(link.head, []).append(link.tail)
    found: dict[int, list[int]] = {}
    for column in ranked.columns:
        for i in column:
            card = ranked.cards[i]
            if card.node < 0 and card.items:
                continue  # a tap: branches lie on either side of the row
            before = feeds.get(i, [])
            row = found.get(before[0]) if len(before) == 1 else None
            if row is not None and row[-1] == before[0]:
                row.append(i)
                found[i] = row
            else:
                found[i] = [i]
    return [row for i, row in found.items() if row[0] == i and len(row) > 1]


def _level(row: Sequence[int], room: "_Room") -> None:
    """Put a row on one level, the nearest to where most of it is; leave it if it has no room."""
    runs = _runs(row, room)
    if len(runs) == 1:
        low, high = runs[0][1]
        middle = sorted(room.y[i] for i in row)[len(row) // 2]
        room.y.update(dict.fromkeys(row, min(high, max(low, middle))))


def _wishes(ranked: Ranked, chains: dict[int, list[int]], y: dict[int, float]) -> dict[int, float]:
    """Choose the level that each edge would like best."""
    before = {link.head: link.tail for link in ranked.links}
    after = {link.tail: link.head for link in ranked.links}
    arrivals: dict[int, int] = {}
    for link in ranked.links:
        arrivals[link.head] = arrivals.get(link.head, 0) + 1
    wishes = {}
    for edge, chain in chains.items():
        target = after[chain[-1]]
        wishes[edge] = sum(y[i] for i in chain) / len(chain)
        if not ranked.cards[chain[0]].items:
            wishes[edge] = y[before[chain[0]]]
        elif arrivals[target] == 1:
            wishes[edge] = y[target]
    return wishes


class _Room:
    """Tell how far a card may move between what stands above and below it in its column."""

    def __init__(
        self, ranked: Ranked, y: dict[int, float], gaps: Sequence[Sequence[float]]
    ) -> None:
        self.y, self.columns, self.gaps = y, ranked.columns, gaps
        self.standing = dict.fromkeys(i for i, c in ranked.cards.items() if c.node >= 0)
        self.place = {
            card: (r, i) for r, column in enumerate(ranked.columns) for i, card in enumerate(column)
        }

    def of(self, card: int) -> Interval:
        """Give the interval that is free for a card."""
        rank, index = self.place[card]
        column, gaps = self.columns[rank], self.gaps[rank]
        low, high, distance = float("-inf"), float("inf"), 0.0
        for k in range(index - 1, -1, -1):
            distance += gaps[k]
            if column[k] in self.standing:
                low = self.y[column[k]] + distance
                break
        distance = 0.0
        for k in range(index + 1, len(column)):
            distance += gaps[k - 1]
            if column[k] in self.standing:
                high = self.y[column[k]] - distance
                break
        # Rounding may leave a card that is held from both sides no room at all.
        return (low, high) if low <= high else ((low + high) / 2, (low + high) / 2)


def _runs(chain: Sequence[int], room: _Room) -> list[tuple[list[int], Interval]]:
    """Cut a chain into the longest runs, from the left, that have a common level."""
    runs: list[tuple[list[int], Interval]] = []
    for card in chain:
        low, high = room.of(card)
        if runs:
            members, (least, most) = runs[-1]
            if max(low, least) <= min(high, most):
                runs[-1] = [*members, card], (max(low, least), min(high, most))
                continue
        runs.append(([card], (low, high)))
    return runs
