"""Glyphs, each drawn once and used many times: what keeps a page of many frames small."""

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.diagram.measure import Segment

NEAR = 2  # units: the same glyph at another place is rounded otherwise
Use = tuple[str, int, int]  # a glyph's id and the place of the upper left corner of its box
Extent = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Glyph:
    """Hold a shape whose box begins at (0, 0)."""

    id: str
    path: tuple[Segment, ...]


class Glyphs:
    """Collect the glyphs of a page in the order in which they are first used.

    >>> from symgrad.diagram.measure import math
    >>> glyphs = Glyphs("a")
    >>> [name for name, _, _ in glyphs.placed(math("2.02").path)]
    ['a0', 'a1', 'a2', 'a0']
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.known: dict[tuple[str, ...], list[Glyph]] = {}
        self.found: list[Glyph] = []
        self.memo: dict[tuple[Segment, ...], tuple[Use, ...]] = {}

    def placed(self, path: tuple[Segment, ...]) -> tuple[Use, ...]:
        """Split an outline into glyphs, with their places in its own units."""
        if path not in self.memo:
            self.memo[path] = tuple(self._use(piece) for piece in pieces(path))
        return self.memo[path]

    def uses(self, path: tuple[Segment, ...]) -> str:
        """Write an outline as elements `use`."""
        return "".join(f'<use href="#{name}" x="{x}" y="{y}"/>' for name, x, y in self.placed(path))

    def definitions(self) -> str:
        """Write what is used."""
        return "\n".join(f'<path id="{g.id}" d="{written(g.path)}"/>' for g in self.found)

    def _use(self, piece: tuple[Segment, ...]) -> Use:
        left, top, _, _ = _extent(piece)
        shape = tuple(
            (c, tuple(v - (top if i % 2 else left) for i, v in enumerate(xs))) for c, xs in piece
        )
        alike = self.known.setdefault(tuple(c for c, _ in shape), [])
        for glyph in alike:
            if _same(glyph.path, shape):
                return glyph.id, left, top
        glyph = Glyph(f"{self.prefix}{len(self.found):x}", shape)
        alike.append(glyph)
        self.found.append(glyph)
        return glyph.id, left, top


def _same(one: Sequence[Segment], other: Sequence[Segment]) -> bool:
    return all(
        abs(a - b) <= NEAR
        for (_, xs), (_, ys) in zip(one, other, strict=True)
        for a, b in zip(xs, ys, strict=True)
    )


def pieces(path: Sequence[Segment]) -> list[tuple[Segment, ...]]:
    """Split an outline where it may be drawn in parts: a hole stays with what it is cut out of.

    Contours belong together if their boxes overlap.
    """
    contours: list[list[Segment]] = []
    for segment in path:
        if segment[0] == "M" or not contours:
            contours.append([])
        contours[-1].append(segment)
    parts: list[tuple[list[Segment], Extent]] = []
    reach: list[int] = []  # no part up to this one ends further right
    for contour in contours:
        box = _extent(contour)
        joined = contour
        for k in reversed(range(len(parts))):
            if reach[k] < box[0]:  # text runs to the right: what is further back lies apart
                break
            if _overlap(parts[k][1], box):
                before, other = parts.pop(k)
                reach.pop(k)
                joined = before + joined
                box = _around(box, other)
        parts.append((joined, box))
        reach.append(max([box[2], *reach[-1:]]))
    return [tuple(part) for part, _ in parts if len(part) > 1]


def _extent(path: Sequence[Segment]) -> Extent:
    xs = [v for _, c in path for v in c[0::2]] or [0]
    ys = [v for _, c in path for v in c[1::2]] or [0]
    return min(xs), min(ys), max(xs), max(ys)


def _overlap(a: Extent, b: Extent) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def _around(a: Extent, b: Extent) -> Extent:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def written(path: Sequence[Segment]) -> str:
    """Write the d attribute, in steps from point to point, which are shorter than places."""
    text, x, y = "", 0, 0
    start = (0, 0)
    for letter, places in path:
        if letter == "Z":
            text += "z"
            x, y = start
            continue
        steps = [v - (y if i % 2 else x) for i, v in enumerate(places)]
        text += letter.lower() + " ".join(map(str, steps)).replace(" -", "-")
        x, y = places[-2:]
        if letter == "M":
            start = (x, y)
    return text
