"""Straighten long edges: keep the taps and bends of one edge on one level where there is room.

Gates and leaves stand still. Each passing card may move between its neighbours of the column; a run
of cards whose free intervals meet takes one level, as near as possible to where the edge comes from
(or, for a branch that ends in a gate of its own, where it goes to).
"""

from collections.abc import Mapping, Sequence

from symgrad.diagram.layout import Ranked

ROUNDS = 4
Interval = tuple[float, float]


def straighten(ranked: Ranked, y: dict[int, float], gaps: Sequence[Sequence[float]]) -> None:
    """Move the passing cards in `y`; `gaps` holds the least distances within each column."""
    limits = _Limits(ranked, y, gaps)
    chains: dict[int, list[int]] = {}
    for column in ranked.columns:
        for i in column:
            if ranked.cards[i].node < 0:
                chains.setdefault(ranked.cards[i].edge, []).append(i)
    before = {link.head: link.tail for link in ranked.links if ranked.cards[link.head].node < 0}
    after = {link.tail: link.head for link in ranked.links if ranked.cards[link.tail].node < 0}
    arrivals: dict[int, int] = {}
    for link in ranked.links:
        arrivals[link.head] = arrivals.get(link.head, 0) + 1
    wishes = {}
    for edge, chain in chains.items():
        target = after[chain[-1]]
        if not ranked.cards[chain[0]].items:
            wishes[edge] = y[before[chain[0]]]
        elif arrivals[target] == 1:
            wishes[edge] = y[target]
    for turn in range(ROUNDS):
        order = sorted(chains, key=lambda edge: (y[chains[edge][0]], edge))
        for edge in order if turn % 2 == 0 else reversed(order):
            chain = chains[edge]
            wish = wishes.get(edge, sum(y[i] for i in chain) / len(chain))
            for run, interval in _runs(chain, limits):
                level = min(interval[1], max(interval[0], wish))
                y.update(dict.fromkeys(run, level))


class _Limits:
    """Give the free interval of a card between its neighbours."""

    def __init__(
        self, ranked: Ranked, y: Mapping[int, float], gaps: Sequence[Sequence[float]]
    ) -> None:
        self.y = y
        self.above: dict[int, tuple[int, float]] = {}
        self.below: dict[int, tuple[int, float]] = {}
        for column, distances in zip(ranked.columns, gaps, strict=True):
            for upper, lower, distance in zip(column, column[1:], distances, strict=False):
                self.above[lower] = (upper, distance)
                self.below[upper] = (lower, distance)

    def of(self, card: int) -> Interval:
        low, high = float("-inf"), float("inf")
        if card in self.above:
            upper, distance = self.above[card]
            low = self.y[upper] + distance
        if card in self.below:
            lower, distance = self.below[card]
            high = self.y[lower] - distance
        # Rounding may leave a card that is held from both sides no room at all.
        return (low, high) if low <= high else (self.y[card], self.y[card])


def _runs(chain: Sequence[int], limits: _Limits) -> list[tuple[list[int], Interval]]:
    """Cut a chain into the longest runs, from the left, that have a common level."""
    runs: list[tuple[list[int], Interval]] = []
    for card in chain:
        low, high = limits.of(card)
        if runs:
            members, (least, most) = runs[-1]
            if max(low, least) <= min(high, most):
                runs[-1] = [*members, card], (max(low, least), min(high, most))
                continue
        runs.append(([card], (low, high)))
    return runs
