"""Draw the wires between cards: straight or curved to the next column, in lanes to others."""

from collections.abc import Sequence
from math import asin, cos, hypot, sin

from symgrad.diagram.layers.card import Tile
from symgrad.diagram.layers.fold import Plan
from symgrad.diagram.layers.grid import CLEAR, LANE, Grid, Wire, direct
from symgrad.diagram.route import ARROW, arrowhead
from symgrad.diagram.scene import Command, Item, Path, Point
from symgrad.diagram.style import GATE

ROUND = 10.0  # radius of the corners of a lane
SPREAD = 22.0  # between wires that come into one card
STEEP = 17.0  # the same for a gate, at most so far from its middle


def landings(made: Plan, grid: Grid, tiles: Sequence[Tile], wires: Sequence[Wire]) -> list[float]:
    """Give how far below the middle of its target each wire comes in from the left."""
    ends = [0.0] * len(wires)
    groups: dict[int, list[int]] = {}
    for k, wire in enumerate(wires):
        if k not in grid.lanes or _sideways(made, grid, wire):
            groups.setdefault(wire.target, []).append(k)
    for target, group in groups.items():
        group.sort(key=lambda k: (_height(grid, wires[k], k), k))
        level = next((i for i, k in enumerate(group) if _level(grid, wires[k], k)), None)
        middle = (len(group) - 1) / 2 if level is None else float(level)
        # Two wires, one of them level: the other comes in above or below it.
        step = min(SPREAD, STEEP / max(1.0, middle)) if tiles[target].round else SPREAD
        for i, k in enumerate(group):
            ends[k] = (i - middle) * step
    return ends


def _sideways(made: Plan, grid: Grid, wire: Wire) -> bool:
    return bool(grid.slot[wire.target]) or made.ranks[wire.target] - made.ranks[wire.source] == 1


def _height(grid: Grid, wire: Wire, number: int) -> float:
    return -1e9 if number in grid.lanes else grid.y[wire.source]


def _level(grid: Grid, wire: Wire, number: int) -> bool:
    return number not in grid.lanes and abs(grid.y[wire.source] - grid.y[wire.target]) < 1.0


def draw(
    made: Plan,
    grid: Grid,
    tiles: Sequence[Tile],
    wires: Sequence[Wire],
    strokes: Sequence[tuple[str, float]],
) -> list[tuple[Item, ...]]:
    """Draw every wire from the end of its stub to its card, with an arrowhead."""
    ends = landings(made, grid, tiles, wires)
    drawn: list[tuple[Item, ...]] = []
    for k, (wire, stroke) in enumerate(zip(wires, strokes, strict=True)):
        if direct(made, grid, wire):
            drawn.append(_straight(grid, tiles, wire, ends[k], stroke))
        else:
            drawn.append(_by_lanes(made, grid, tiles, (k, wire), ends[k], stroke))
    return drawn


def _straight(
    grid: Grid, tiles: Sequence[Tile], wire: Wire, end: float, stroke: tuple[str, float]
) -> tuple[Item, ...]:
    a, b = wire.source, wire.target
    start = grid.stub[a], grid.y[a]
    tip, inward = _rim(tiles[b], (grid.x[b], grid.y[b]), end)
    back = ARROW * _scale(stroke) * 0.8
    base = tip[0] - inward[0] * back, tip[1] - inward[1] * back
    if abs(start[1] - tip[1]) < 1.0:
        commands: list[Command] = [("M", (start[0] - 1.0, start[1])), ("L", base)]
    else:
        reach = 0.6 * (base[0] - start[0])
        bent = base[0] - inward[0] * reach, base[1] - inward[1] * reach
        commands = [("M", (start[0] - 1.0, start[1])), ("L", start)]
        commands.append(("C", (start[0] + reach, start[1], *bent, *base)))
    line = Path("edge", tuple(commands), stroke[0], "", stroke[1])
    return line, arrowhead(tip, inward, stroke[0], _scale(stroke))


def _rim(tile: Tile, at: Point, end: float) -> tuple[Point, Point]:
    """Give the point where a wire comes in, and its direction there."""
    if not tile.round or abs(end) < 1.0:
        return (at[0], at[1] + end), (1.0, 0.0)
    half = GATE / 2
    angle = asin(max(-0.75, min(0.75, end / half)))
    inward = cos(angle), -sin(angle)
    return (at[0] + half - inward[0] * half, at[1] - inward[1] * half), inward


def _by_lanes(
    made: Plan,
    grid: Grid,
    tiles: Sequence[Tile],
    numbered: tuple[int, Wire],
    end: float,
    stroke: tuple[str, float],
) -> tuple[Item, ...]:
    number, wire = numbered
    a, b = wire.source, wire.target
    lanes = grid.lanes[number]
    levels = [grid.tops[v.row] - CLEAR - LANE * (v.level - 1) for v in lanes]
    points: list[Point] = [(grid.stub[a] - 1.0, grid.y[a])]
    track = grid.tracks.get(number)
    if track is None or len(lanes) == 2:
        points += [(grid.exits[number], grid.y[a]), (grid.exits[number], levels[0])]
    else:
        points.append((track, grid.y[a]))
    if track is not None:
        points += [(track, levels[0])] if len(lanes) == 2 else []
        points.append((track, levels[-1]))
    scale = _scale(stroke)
    if _sideways(made, grid, wire):
        x = lanes[-1].left if track is not None else lanes[-1].right
        tip, inward = _rim(tiles[b], (grid.x[b], grid.y[b]), end)
        points += [(x, levels[-1]), (x, tip[1])]
    else:
        x = grid.x[b] + tiles[b].width / 2
        tip, inward = (x, grid.y[b] - tiles[b].top), (0.0, 1.0)
        points.append((x, levels[-1]))
    back = ARROW * scale * 0.8
    points.append((tip[0] - inward[0] * back, tip[1] - inward[1] * back))
    line = Path("edge", rounded(points), stroke[0], "", stroke[1])
    return line, arrowhead(tip, inward, stroke[0], scale)


def _scale(stroke: tuple[str, float]) -> float:
    return 1 + (stroke[1] - 1.8) / 7


def rounded(points: Sequence[Point], radius: float = ROUND) -> tuple[Command, ...]:
    """Draw a line through points with round corners.

    >>> rounded([(0, 0), (9, 0)])
    (('M', (0, 0)), ('L', (9, 0)))
    """
    commands: list[Command] = [("M", points[0])]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        one = min(radius, hypot(corner[0] - before[0], corner[1] - before[1]) / 2)
        two = min(radius, hypot(after[0] - corner[0], after[1] - corner[1]) / 2)
        start, end = _towards(corner, before, one), _towards(corner, after, two)
        near = _towards(corner, before, one * 0.45), _towards(corner, after, two * 0.45)
        commands += [("L", start), ("C", (*near[0], *near[1], *end))]
    return (*commands, ("L", points[-1]))


def _towards(start: Point, end: Point, by: float) -> Point:
    length = hypot(end[0] - start[0], end[1] - start[1])
    if not length:
        return start
    share = by / length
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
