"""Route edges: flat out of the stub, curved between the columns, perpendicular into the gate."""

from collections.abc import Sequence
from math import asin, atan2, cos, degrees, hypot, radians, sin

from symgrad.diagram.balance import Placed, separate
from symgrad.diagram.cards import Card
from symgrad.diagram.order import Link
from symgrad.diagram.scene import Command, Path, Point
from symgrad.diagram.style import GATE, LINE

WIDEST = 52.0  # degrees above and below level at which an edge may come in
BETWEEN = 34.0  # degrees between neighbouring edges
NEAR = 9.0  # an edge that starts this near to the gate's height comes in dead straight
ARROW, BARB = 11.0, 4.0  # length and half width of an arrowhead


def aim(card: Card, at: Point, starts: Sequence[Point]) -> list[float]:
    """Choose the angle (degrees, positive from below) at which each edge enters a gate.

    The edges keep the order of their starts from top to bottom.
    """
    order = sorted(range(len(starts)), key=lambda k: (starts[k][1], k))
    wishes = []
    for k in order:
        dx, dy = at[0] - starts[k][0], starts[k][1] - at[1]
        if abs(dy) <= NEAR:
            wishes.append(degrees(asin(dy / (GATE / 2))))
            continue
        # An edge never climbs above its start to come in from above.
        steepest = degrees(asin(min(1.0, 0.6 * abs(dy) / (GATE / 2))))
        limit = min(WIDEST, steepest)
        angle = degrees(atan2(dy, max(dx * 0.6, 1.0)))
        wishes.append(min(limit, max(-limit, angle)))
    least = min(BETWEEN, 2 * WIDEST / max(1, len(starts) - 1))
    # A level edge stays level: it outweighs those that come from above and below.
    weights = [50.0 if abs(starts[k][1] - at[1]) <= NEAR else 1.0 for k in order]
    angles = separate(wishes, [least] * (len(order) - 1), weights)
    # Keep all of them within the bounds, from both ends inwards.
    for k in reversed(range(len(angles))):
        above = angles[k + 1] - least if k + 1 < len(angles) else WIDEST
        angles[k] = min(angles[k], above)
    for k in range(len(angles)):
        angles[k] = max(angles[k], angles[k - 1] + least if k else -WIDEST)
    chosen = [0.0] * len(starts)
    for k, angle in zip(order, angles, strict=True):
        chosen[k] = angle
    return chosen


def entry(card: Card, at: Point, angle: float, start: Point) -> tuple[Point, Point]:
    """Give the point on the gate's rim at an angle, and the direction in which the edge ends.

    That is towards the centre, except for an edge that comes in level.
    """
    slope = radians(angle)
    inward = cos(slope), -sin(slope)
    # The left end of a circle or pill is a half circle of this centre.
    centre = at[0] - card.face + GATE / 2, at[1]
    rim = centre[0] - inward[0] * GATE / 2, centre[1] - inward[1] * GATE / 2
    return rim, (1.0, 0.0) if abs(rim[1] - start[1]) < 0.5 else inward


def trace(
    chain: Sequence[Link],
    placed: Placed,
    arrival: tuple[Point, Point],
    stroke: tuple[str, float],
    x: float,
) -> tuple[Path, ...]:
    """Draw one edge from x on its source's level through its taps and bends to the gate's rim."""
    (end, inward), (colour, width) = arrival, stroke
    scale = 1 + (width - LINE) / 5
    y = placed.y[chain[0].tail]
    # The edge begins a little inside the stub, so that no seam shows.
    commands: list[Command] = [("M", (x - 1.0, y)), ("L", (x, y))]
    for link in chain[:-1]:
        left, right = placed.column[link.head]
        x = _flat(commands, x, y, placed.column[link.tail][1])
        x, y = _bow(commands, (x, y), (left, placed.y[link.head]))
        x = _flat(commands, x, y, right)
    x = _flat(commands, x, y, placed.column[chain[-1].tail][1])
    back = ARROW * scale * 0.8
    base = end[0] - inward[0] * back, end[1] - inward[1] * back
    _land(commands, (x, y), base, inward)
    line = Path("edge", tuple(commands), colour, "", width)
    return line, arrowhead(end, inward, colour, scale)


def _flat(commands: list[Command], x: float, y: float, to: float) -> float:
    if to > x + 0.05:
        commands.append(("L", (to, y)))
    return max(x, to)


def _bow(commands: list[Command], start: Point, end: Point) -> Point:
    """Swing from one height to another, level at both ends."""
    if abs(start[1] - end[1]) < 0.05:
        commands.append(("L", end))
        return end
    reach = (end[0] - start[0]) * 0.55
    commands.append(("C", (start[0] + reach, start[1], end[0] - reach, end[1], end[0], end[1])))
    return end


def _land(commands: list[Command], start: Point, end: Point, inward: Point) -> None:
    """Swing from a level start into the direction `inward`."""
    if abs(start[1] - end[1]) < 0.5 and abs(inward[1]) < 0.01:
        commands.append(("L", end))
        return
    dx, dy = end[0] - start[0], end[1] - start[1]
    back = min(0.5 * hypot(dx, dy), max(14.0, 0.42 * abs(dx) + 0.18 * abs(dy)))
    if abs(inward[1]) > 0.01:
        back = min(back, max(8.0, 0.9 * dy / inward[1]))
    reach = 0.6 * dx
    commands.append(
        (
            "C",
            (
                start[0] + reach,
                start[1],
                end[0] - inward[0] * back,
                end[1] - inward[1] * back,
                end[0],
                end[1],
            ),
        )
    )


def arrowhead(tip: Point, inward: Point, fill: str, scale: float = 1.0) -> Path:
    """Draw an arrowhead as a triangle of its own, which every format knows."""
    (x, y), (u, v) = tip, inward
    length, half = ARROW * scale, BARB * scale
    bx, by = x - u * length, y - v * length
    corners = ((x, y), (bx - v * half, by + u * half), (bx + v * half, by - u * half))
    commands: tuple[Command, ...] = tuple(
        ("L" if i else "M", corner) for i, corner in enumerate(corners)
    )
    return Path("arrowhead", (*commands, ("Z", ())), "", fill)
