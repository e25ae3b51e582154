"""Place the cards: columns from left to right, rows from top to bottom, lanes above each row."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from symgrad.diagram.layers.card import Tile
from symgrad.diagram.layers.fold import Plan

ROW = 2600.0  # pixels of a row: on a slide 1,920 px wide a number of 20 px keeps 14
ACROSS = 13  # columns of cards in a row, of which the first is an input
BELOW = 34.0  # between the rows of cards that stand in one row of the picture
TURN = 30.0  # behind a label, for arrowheads and bends
BEND = 26.0  # more where wires change their height
FORK = 12.0  # between wires that leave a stub upwards
LANE = 22.0  # between lanes
CLEAR = 20.0  # between the lanes and the cards below them
ROWS = 46.0  # between rows
AROUND = 15.0  # between a block of repeats and its frame
LABELS = 36.0  # what the labels of a stub need above and below it


@dataclass(frozen=True, slots=True)
class Wire:
    """Join two pieces; a wire that does not lead to the next column of its row takes lanes."""

    source: int
    target: int


@dataclass(slots=True)
class Lane:
    """Reserve a horizontal piece of a wire above a row; `level` counts from the cards upwards."""

    row: int
    left: float
    right: float
    level: int = 0


@dataclass(slots=True)
class Grid:
    """Hold where everything is: x and y of each tile (the middle of its left side), its stub's end.

    `exits` are the x at which wires turn up to their lane, `lanes` the lanes of each such wire in
    the order in which it takes them, `tracks` the x at the right at which it goes down a row.
    """

    x: list[float]
    y: list[float]
    stub: list[float]
    row: list[int]
    slot: list[int]
    right: float
    tops: list[float] = field(default_factory=list)
    exits: dict[int, float] = field(default_factory=dict)
    lanes: dict[int, tuple[Lane, ...]] = field(default_factory=dict)
    tracks: dict[int, float] = field(default_factory=dict)


def place(
    made: Plan, tiles: Sequence[Tile], labels: Sequence[float], wires: Sequence[Wire]
) -> Grid:
    """Place tiles; `labels` gives the width of what stands on each one's stub."""
    columns: dict[int, list[int]] = {}
    for k, rank in enumerate(made.ranks):
        columns.setdefault(rank, []).append(k)
    order = sorted(columns)
    rows = _rows(made, tiles, labels, [columns[r] for r in order])
    row_of = {r: row for row, group in enumerate(rows) for r in (order[i] for i in group)}
    n = len(tiles)
    grid = Grid([0.0] * n, [0.0] * n, [0.0] * n, [row_of[r] for r in made.ranks], [0] * n, 0.0)
    _slots(made, columns, grid)
    lone = {k: w for k, w in enumerate(wires) if not direct(made, grid, w)}
    forks: dict[int, int] = {}
    for wire in lone.values():
        rank = made.ranks[wire.source]
        forks[rank] = forks.get(rank, 0) + 1
    bends = {
        made.ranks[w.source]: BEND
        for k, w in enumerate(wires)
        if k not in lone and grid.slot[w.source] != grid.slot[w.target]
    }
    for group in rows:
        x = 0.0
        for i in group:
            members = columns[order[i]]
            width = max(tiles[k].width for k in members)
            stub = max(labels[k] for k in members)
            for k in members:
                grid.x[k] = x + (width - tiles[k].width) / 2
                grid.stub[k] = x + width + stub
            bent = bends.get(order[i], 0.0)
            x += width + stub + TURN + bent + FORK * forks.get(order[i], 0)
        grid.right = max(grid.right, x - TURN)
    _route(made, grid, tiles, lone)
    _heights(made, grid, tiles, labels)
    return grid


def direct(made: Plan, grid: Grid, wire: Wire) -> bool:
    """Say whether a wire leads to the next column of its own row."""
    near = made.ranks[wire.target] - made.ranks[wire.source] == 1
    return near and grid.row[wire.source] == grid.row[wire.target]


def _rows(
    made: Plan, tiles: Sequence[Tile], labels: Sequence[float], columns: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Break the columns into rows of about the same width; a block of repeats stays together."""
    widths = [max(tiles[k].width for k in c) + max(labels[k] for k in c) + TURN for c in columns]
    blocks = [max((made.pieces[k].block for k in c), default=-1) for c in columns]
    total = sum(widths)
    count = max(int(-(-total // ROW)), -(-len(columns) // (ACROSS + 1)), 1)
    rows: list[list[int]] = [[]]
    used = 0.0
    for i, width in enumerate(widths):
        full = used + width / 2 > total / count * len(rows) or len(rows[-1]) > ACROSS
        split = blocks[i] >= 0 and i > 0 and blocks[i] == blocks[i - 1]
        # The loss does not stand alone in a row.
        if rows[-1] and full and not split and i < len(widths) - 1:
            rows.append([])
        rows[-1].append(i)
        used += width
    return rows


def main(made: Plan, pieces: Sequence[int]) -> int:
    """Choose the piece that the main line runs through; -1 if there is none."""

    def weight(k: int) -> tuple[bool, int, bool, int]:
        kind = made.pieces[k].kind
        return kind not in ("input", "penalty"), made.ranks[k], kind == "layer", -k

    return max(pieces, key=weight, default=-1)


def _slots(made: Plan, columns: dict[int, list[int]], grid: Grid) -> None:
    """Choose which pieces stand above each other: the spine on top, on one level."""
    spine: dict[int, None] = {}
    here = main(made, range(len(made.pieces)))
    while here >= 0:
        spine[here] = None
        here = main(made, made.parents[here])
    for rank in sorted(columns):
        taken: dict[int, None] = {}
        if any(k in spine for k in columns[rank]):
            taken[0] = None
        for k in columns[rank]:
            if k in spine:
                continue
            wish = min((grid.slot[p] for p in made.parents[k] if p not in spine), default=1)
            slot = max(wish, 0 if 0 not in taken else 1)
            while slot in taken:
                slot += 1
            taken[slot] = None
            grid.slot[k] = slot


def _route(made: Plan, grid: Grid, tiles: Sequence[Tile], lone: dict[int, Wire]) -> None:
    """Reserve lanes and tracks for the wires that cannot run straight."""
    leaving: dict[int, int] = {}
    every: list[Lane] = []
    for number, wire in lone.items():
        a, b = wire.source, wire.target
        first, last = grid.row[a], grid.row[b]
        here = made.ranks[a]
        leaving[here] = leaving.get(here, 0) + 1
        out = grid.stub[a] + FORK * leaving[here]
        into = grid.x[b] + tiles[b].width / 2
        if made.ranks[b] - here == 1 or grid.slot[b]:
            into = grid.x[b] - TURN + 6.0
        grid.exits[number] = out
        if first == last:
            lanes = [Lane(first, out, into)]
        else:
            grid.tracks[number] = grid.right + FORK * (len(grid.tracks) + 1.5)
            far = Lane(last, into, grid.tracks[number])
            ends = made.ranks[b] - here == 1 and not grid.slot[a]
            lanes = [far] if ends else [Lane(first, out, grid.tracks[number]), far]
        grid.lanes[number] = tuple(lanes)
        every += lanes
    for lane in sorted(every, key=lambda v: (v.right - v.left, v.left)):
        taken = [o.level for o in every if o is not lane and o.level and _meets(o, lane)]
        lane.level = next(i for i in range(1, len(every) + 1) if i not in taken)


def _meets(one: Lane, other: Lane) -> bool:
    near = FORK / 2
    return one.row == other.row and one.left - near < other.right and other.left < one.right + near


def _heights(made: Plan, grid: Grid, tiles: Sequence[Tile], labels: Sequence[float]) -> None:
    """Set the rows below each other, each as high as its tiles and lanes."""
    lanes = [lane for group in grid.lanes.values() for lane in group]
    top = 0.0
    for row in range(max(grid.row, default=0) + 1):
        members = [k for k in range(len(tiles)) if grid.row[k] == row]
        above = max((lane.level for lane in lanes if lane.row == row), default=0)
        top += above * LANE + (CLEAR if above else 0.0)
        grid.tops.append(top)
        for slot in range(max(grid.slot[k] for k in members) + 1):
            here = [k for k in members if grid.slot[k] == slot]
            if not here:
                continue
            up = max(max(tiles[k].up, LABELS if labels[k] else 0.0) for k in here)
            down = max(max(tiles[k].down, LABELS if labels[k] else 0.0) for k in here)
            for k in here:
                grid.y[k] = top + up
            top += up + down + BELOW
        top += ROWS - BELOW
    _raise(made, grid, tiles)


def _raise(made: Plan, grid: Grid, tiles: Sequence[Tile]) -> None:
    """Move inputs that stand below a card up to it, where the row is higher elsewhere."""
    for k, piece in enumerate(made.pieces):
        above = [
            j
            for j in range(len(tiles))
            if made.ranks[j] == made.ranks[k] and grid.slot[j] == grid.slot[k] - 1
        ]
        if piece.kind == "input" and above:
            j = above[0]
            free = grid.y[j] + tiles[j].down + BELOW + AROUND + max(tiles[k].up, LABELS)
            grid.y[k] = min(grid.y[k], free)
