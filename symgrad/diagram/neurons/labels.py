"""Place the labels of weights along their edges, so that none covers another or a unit."""

from collections.abc import Sequence

Point = tuple[float, float]
Rect = tuple[float, float, float, float]

TRIES = tuple(0.5 + sign * k / 50 for k in range(20) for sign in ((1, -1) if k else (1,)))
AIR = 3.0  # between labels
NEAR = 8.0  # an edge that passes so near to a label's middle could be taken for its own


def place(
    edges: Sequence[tuple[Point, Point]],
    sizes: Sequence[tuple[float, float]],
    blocked: Sequence[Rect],
) -> list[Point] | None:
    """Give the middle of each label on its edge; None if there is no room for all.

    A label goes where fewest other edges pass beneath it, near the middle of its own edge.

    >>> place([((0, 0), (100, 0)), ((0, 100), (100, 100))], [(20, 10)] * 2, [])
    [(50.0, 0.0), (50.0, 100.0)]
    """
    taken = list(blocked)
    found: list[Point] = []
    for number, (edge, size) in enumerate(zip(edges, sizes, strict=True)):
        best: tuple[float, Point] | None = None
        for t in TRIES:
            at = _between(edge, t)
            box = _box(at, size)
            if any(_overlap(box, other) for other in taken):
                continue
            others = (e for k, e in enumerate(edges) if k != number)
            cost = sum(_passes(e, box) for e in others) + 0.8 * abs(t - 0.5)
            if best is None or cost < best[0] - 1e-9:
                best = cost, at
        if best is None:
            return None
        found.append(best[1])
        taken.append(_box(best[1], size))
    return found


def _between(edge: tuple[Point, Point], t: float) -> Point:
    (ax, ay), (bx, by) = edge
    return ax + (bx - ax) * t, ay + (by - ay) * t


def _box(at: Point, size: tuple[float, float]) -> Rect:
    w, h = size[0] / 2 + AIR / 2, size[1] / 2 + AIR / 2
    return at[0] - w, at[1] - h, at[0] + w, at[1] + h


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _passes(edge: tuple[Point, Point], box: Rect) -> float:
    """Say how much an edge disturbs a label: 1 beneath it, 2 if it runs through its middle."""
    (ax, ay), (bx, by) = edge
    if bx <= ax or box[2] < ax or box[0] > bx:
        return 0.0
    heights = [ay + (by - ay) * (min(max(x, ax), bx) - ax) / (bx - ax) for x in (box[0], box[2])]
    low, high = min(heights), max(heights)
    if high < box[1] - AIR or low > box[3] + AIR:
        return 0.0
    middle = (box[1] + box[3]) / 2
    return 2.0 if low - NEAR < middle < high + NEAR else 1.0
