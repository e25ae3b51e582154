"""Balance a ranked drawing: straight spines, gates between their inputs, leaves at their consumer.

Graphviz's ranks and order are kept. Every pass gives each card of a column a wish for its height;
pool-adjacent-violators finds the heights nearest to the wishes that keep order and distance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from symgrad.diagram.layout import Ranked
from symgrad.diagram.straighten import rows, straighten
from symgrad.diagram.style import APART

ROUNDS = 48
LARGE = 1500  # boxes, from which on a third of the rounds must do
SETTLE, FADE = 3, 8  # last rounds without a pull from the right, and rounds in which it fades
ALIKE = 0.8  # how much a gate follows its row, not its inputs; wholly in the end
NARROW, WIDE = 38.0, 130.0  # least and most width of the gap between two columns
TIGHT = 0.6  # how much narrower these gaps are in a tight figure
STEEP = 0.24  # how much a gap grows with the height that its steepest edge climbs


@dataclass(frozen=True, slots=True)
class Placed:
    """Hold the place of every card's origin, and the left and right side of its column."""

    x: Mapping[int, float]
    y: Mapping[int, float]
    column: Mapping[int, tuple[float, float]]


def balance(ranked: Ranked, sources: Mapping[int, int], tight: bool = False) -> Placed:
    """Place the cards; `sources` maps an edge to the card of its source node.

    A `tight` figure has narrower gaps between its columns.
    """
    heights = _Heights(ranked, sources)
    y = heights.settle()
    straighten(ranked, y, heights.gaps)
    return _columns(ranked, y, TIGHT if tight else 1.0)


def separate(
    wishes: Sequence[float], distances: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """Find the values nearest to the wishes (least squares) that stay `distances` apart.

    >>> separate([0.0, 0.0, 9.0], [2.0, 2.0], [1.0, 1.0, 1.0])
    [-1.0, 1.0, 9.0]
    """
    offsets = [0.0]
    for distance in distances:
        offsets.append(offsets[-1] + distance)
    pools: list[list[float]] = []  # mean, weight, count
    for wish, offset, weight in zip(wishes, offsets, weights, strict=True):
        pools.append([wish - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, heavy, count = pools.pop()
            last = pools[-1]
            last[0] = (last[0] * last[1] + mean * heavy) / (last[1] + heavy)
            last[1] += heavy
            last[2] += count
    flat = [mean for mean, _, count in pools for _ in range(int(count))]
    return [value + offset for value, offset in zip(flat, offsets, strict=True)]


class _Heights:
    """Find the height of every card by sweeps from left to right and back."""

    def __init__(self, ranked: Ranked, sources: Mapping[int, int]) -> None:
        self.cards, self.columns = ranked.cards, ranked.columns
        self.before: dict[int, list[int]] = {i: [] for i in self.cards}
        self.after: dict[int, list[int]] = {i: [] for i in self.cards}
        for link in ranked.links:
            self.before[link.head].append(link.tail)
            self.after[link.tail].append(link.head)
        self.is_leaf = {i: c.node >= 0 and not self.before[i] for i, c in self.cards.items()}
        self.passing = {i: c.node < 0 for i, c in self.cards.items()}
        self.from_leaf = {
            i: self.is_leaf[sources[c.edge] if c.node < 0 else i] for i, c in self.cards.items()
        }
        self.spine = {i: [b for b in self.before[i] if not self.from_leaf[b]] for i in self.cards}
        self.chains = self._chains(ranked)
        gates = ([i for i in row if not self.passing[i]] for row in rows(ranked))
        self.rows = [row for row in gates if len(row) > 1]
        self.chain = {i: chain for chain in self.chains for i in chain}
        self.row = {i: row for row in self.rows for i in row}
        # Common levels, by the first box of a row of gates or of an edge's passing boxes.
        self.level: dict[int, float] = {}
        self.middle: dict[int, float] = {}
        self.gaps = [[self._apart(a, b) for a, b in pairwise(column)] for column in self.columns]
        self.y = self._stacked()

    def _chains(self, ranked: Ranked) -> list[list[int]]:
        """List the passing cards of every long edge."""
        chains: dict[int, list[int]] = {}
        for column in ranked.columns:
            for i in column:
                if self.passing[i]:
                    chains.setdefault(self.cards[i].edge, []).append(i)
        return list(chains.values())

    def _apart(self, upper: int, lower: int) -> float:
        a, b = self.cards[upper], self.cards[lower]
        tight = APART / 2 if self.passing[upper] and self.passing[lower] else APART
        return a.down + b.up + tight

    def _stacked(self) -> dict[int, float]:
        y: dict[int, float] = {}
        for column, gaps in zip(self.columns, self.gaps, strict=True):
            heights = separate([0.0] * len(column), gaps, [1.0] * len(column))
            y.update(zip(column, heights, strict=True))
        return y

    def settle(self) -> dict[int, float]:
        """Sweep until the drawing is at rest."""
        rounds = ROUNDS if len(self.cards) < LARGE else ROUNDS // 3
        for turn in range(rounds):
            pull = 0.5 * min(1.0, max(0.0, (rounds - SETTLE - turn) / FADE))
            self.level = {row[0]: self._level(row) for row in self.rows}
            for column, gaps in zip(self.columns, self.gaps, strict=True):
                self._place(column, gaps, [self._forward(i, pull) for i in column], True)
            self.middle = {chain[0]: self._middle(chain) for chain in self.chains}
            for column, gaps in reversed(list(zip(self.columns, self.gaps, strict=True))):
                self._place(column, gaps, [self._backward(i) for i in column], False)
        return self.y

    def _place(
        self, column: Sequence[int], gaps: Sequence[float], wishes: list[float], forward: bool
    ) -> None:
        """Place a column; forwards the gates push the rest aside, backwards they stand still."""
        gate = 1.0 if forward else 1e6
        rest = 1e-3 if forward else 1.0
        weights = [
            rest if self.is_leaf[i] or self.passing[i] else gate * (3 if self.spine[i] else 1)
            for i in column
        ]
        self.y.update(zip(column, separate(wishes, gaps, weights), strict=True))

    def _forward(self, card: int, pull: float) -> float:
        """Wish for the middle of the inputs that are gates, else of all inputs."""
        if self.is_leaf[card] or self.passing[card]:
            return self.y[card]
        wish = self._mean(self.spine[card] or self.before[card])
        row = self.row.get(card)
        if row is not None:
            # A row of gates is one level, which whoever has least room decides.
            wish += (ALIKE if pull else 1.0) * (self.level[row[0]] - wish)
        if pull and self.after[card]:
            wish += pull * (self._mean(self.after[card]) - wish)
        return wish

    def _backward(self, card: int) -> float:
        """Wish for the consumer's height, or for the straight line of a passing edge."""
        if self.is_leaf[card]:
            return self._mean(self.after[card]) if self.after[card] else self.y[card]
        if self.passing[card]:
            return self.middle[self.chain[card][0]]
        return self.y[card]

    def _middle(self, chain: Sequence[int]) -> float:
        """Find one level for a whole edge, so that it bends only where something is in its way."""
        ends = self._mean([*self.before[chain[0]], *self.after[chain[-1]]])
        return 0.75 * self._mean(chain) + 0.25 * ends

    def _level(self, row: Sequence[int]) -> float:
        """Draw a row of gates towards what comes into it, lest it float away."""
        inputs = [b for i in row for b in self.spine[i] or self.before[i] if b not in row]
        here = self._mean(row)
        return here + 0.5 * (self._mean(inputs) - here) if inputs else here

    def _mean(self, cards: Sequence[int]) -> float:
        return sum(self.y[i] for i in cards) / len(cards)


def _columns(ranked: Ranked, y: Mapping[int, float], scale: float) -> Placed:
    """Place the columns: the rims of a column are in line, steep edges get room."""
    cards = ranked.cards
    rank = {i: r for r, column in enumerate(ranked.columns) for i in column}
    climbs = [0.0] * len(ranked.columns)
    for link in ranked.links:
        r = rank[link.tail]
        climbs[r] = max(climbs[r], abs(y[link.head] - y[link.tail]))
    x: dict[int, float] = {}
    sides: dict[int, tuple[float, float]] = {}
    start = 0.0
    for column, climb in zip(ranked.columns, climbs, strict=True):
        # Names above gates may be wider than these; the rims of a column stand below each other,
        # so that an edge has done its climb before it meets the first of them.
        nodes = [cards[i] for i in column if cards[i].node >= 0]
        rim = start + max((card.left - card.face for card in nodes), default=0.0)
        for i in column:
            x[i] = rim + cards[i].face if cards[i].node >= 0 else start + cards[i].left
        end = max(x[i] + cards[i].right for i in column)
        for i in column:
            sides[i] = (start, end)
        start = end + scale * min(WIDE, max(NARROW, 22.0 + STEEP * climb))
    return Placed(x, y, sides)
