"""Write the items of a scene as TikZ, those that come and go under beamer's overlays.

Coordinates are design pixels as points, y downwards; LaTeX sets all the text.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from symgrad.diagram.export.svg import number
from symgrad.diagram.measure import shorten
from symgrad.diagram.scene import Box, Command, Group, Item, Label, Path, Steps, shown
from symgrad.diagram.slides.runs import clean
from symgrad.diagram.tikz.text import colour_name, escape, formula

SIZE = 10.0  # points of the font that all labels scale
LARGER, NUMBERS = 1.1, 1.03  # Computer Modern looks smaller than the face that was measured
DIGIT = 0.335  # half the height of a digit in em
LEFT = ("legend", "name", "note", "word", "figure")  # labels that keep their left end
FAR = 4000.0  # points; TeX knows lengths up to 16 383
COMMENT = 60


class Pen:
    """Write items at a scale, and remember which colours they need."""

    def __init__(self, left: float, top: float, size: float, count: int) -> None:
        self.left, self.top, self.count = left, top, count
        self.scale = min(1.0, FAR / max(size, 1.0))
        self.colours: dict[str, str] = {}  # name in LaTeX -> role

    def group(self, group: Group) -> list[str]:
        """Write a group, one line an item, with a comment on what it is."""
        about = clean(shorten(group.label or group.id, COMMENT)).replace("\\", "/")
        lines = [f"% {about.encode('ascii', 'replace').decode()}"]
        blocks = [(s, list(items)) for s, items in groupby(group.items, lambda item: item.steps)]
        done: set[int] = set()
        for k, (steps, items) in enumerate(blocks):
            if k in done:
                continue
            other = self._alternative(blocks, k, done)
            if other is None:
                lines += self._block(steps, items)
                continue
            done.add(other)
            lines += [f"\\alt<{overlay(steps, self.count)}>{{%"]
            lines += [*map(self.item, items), "}{%", *map(self.item, blocks[other][1]), "}"]
        return lines

    def _alternative(
        self, blocks: Sequence[tuple[Steps, list[Item]]], k: int, done: set[int]
    ) -> int | None:
        """Find the block that stands in exactly those frames in which block k does not."""
        steps, items = blocks[k]
        if not steps or all(isinstance(item, Label) for item in items):
            return None
        mine = frames(items[0], self.count)
        for j in range(k + 1, len(blocks)):
            theirs = frames(blocks[j][1][0], self.count)
            if j not in done and not mine & theirs and len(mine) + len(theirs) == self.count:
                return j
        return None

    def _block(self, steps: Steps, items: Sequence[Item]) -> list[str]:
        lines = [self.item(item) for item in items]
        if not steps:
            return lines
        # Numbers are uncovered, which keeps their place; what is drawn comes and goes.
        command = "uncover" if all(isinstance(item, Label) for item in items) else "only"
        return [f"\\{command}<{overlay(steps, self.count)}>{{%", *lines, "}"]

    def item(self, item: Item) -> str:
        """Write one item."""
        if isinstance(item, Label):
            return self._label(item)
        if isinstance(item, Box):
            return self._box(item)
        return self._path(item)

    def colour(self, role: str) -> str:
        """Name a colour, which is defined at the top of the file."""
        name = colour_name(role)
        self.colours.setdefault(name, role)
        return name

    def _at(self, x: float, y: float) -> str:
        return f"({self._long(x - self.left)},{self._long(y - self.top)})"

    def _long(self, length: float) -> str:
        return number(length * self.scale)

    def _label(self, label: Label) -> str:
        left, _, right, _ = label.extent()
        # Letters grow about the middle of a digit, so that symbols stay in the middle of gates.
        number_like = label.role in ("value", "gradient", "entry")
        larger = NUMBERS if number_like else LARGER
        fixed = label.role in LEFT or label.role in ("value", "gradient")
        y = label.y + (0.0 if fixed else (larger - 1) * DIGIT * label.size)
        x, anchor = (
            ((left + right) / 2, "") if label.role not in LEFT else (left, ",anchor=base west")
        )
        scale = f"{label.size * self.scale * larger / SIZE:.3g}"
        text = label.outline.text
        shown_text = f"${formula(text)}$" if label.outline.latex else escape(text)
        if label.role == "title" and not label.outline.latex:
            shown_text = rf"\textbf{{{shown_text}}}"
        style = f"scale={scale},text={self.colour(label.colour)}{anchor}"
        return f"\\node[{style}] at {self._at(x, y)} {{{shown_text}}};"

    def _box(self, box: Box) -> str:
        paint = self._paint(box.fill, box.stroke, box.line)
        half = min(box.width, box.height) / 2
        if box.radius >= half - 0.1 and abs(box.width - box.height) < 0.1 and half > 0:
            centre = self._at(box.x + half, box.y + half)
            return f"\\path[{paint}] {centre} circle[radius={self._long(half)}pt];"
        corners = f",rounded corners={self._long(min(box.radius, half - 0.1))}pt"
        end = self._at(box.x + box.width, box.y + box.height)
        corners = corners if box.radius > 0 else ""
        return f"\\path[{paint}{corners}] {self._at(box.x, box.y)} rectangle {end};"

    def _path(self, path: Path) -> str:
        paint = self._paint(path.fill, path.stroke, path.width)
        for on, off in zip(path.dash[0::2], path.dash[1::2], strict=False):
            paint += f",dash pattern=on {self._long(on)}pt off {self._long(off)}pt"
        return f"\\path[{paint}] {self._outline(path.commands)};"

    def _paint(self, fill: str, stroke: str, width: float) -> str:
        parts = [f"fill={self.colour(fill)}"] if fill else []
        if stroke and width:
            parts.append(f"draw={self.colour(stroke)},line width={self._long(width)}pt")
        return ",".join(parts)

    def _outline(self, commands: Iterable[Command]) -> str:
        parts: list[str] = []
        last = (0.0, 0.0)
        for letter, xs in commands:
            points = list(zip(xs[0::2], xs[1::2], strict=True))
            if letter == "Q":  # a quadratic curve is a cubic one of these control points
                (x, y), end = points
                first = last[0] + (x - last[0]) * 2 / 3, last[1] + (y - last[1]) * 2 / 3
                second = end[0] + (x - end[0]) * 2 / 3, end[1] + (y - end[1]) * 2 / 3
                points = [first, second, end]
            made = [self._at(*point) for point in points]
            if letter == "Z":
                parts.append("-- cycle")
            elif len(made) == 3:
                parts.append(f".. controls {made[0]} and {made[1]} .. {made[2]}")
            else:
                parts.append(made[0] if letter == "M" else f"-- {made[0]}")
            last = points[-1] if points else last
        return " ".join(parts)


def frames(item: Item, count: int) -> frozenset[int]:
    """List the frames that show an item."""
    return frozenset(k for k in range(1, count + 1) if shown(item, k))


def overlay(steps: Steps, count: int) -> str:
    """Write ranges of frames as beamer does.

    >>> overlay(((2, 5), (7, 9)), 9), overlay(((3, 3),), 9)
    ('2-5,7-', '3')
    """
    parts = []
    for first, last in steps:
        end = "" if last >= count else str(last)
        parts.append(str(first) if first == last else f"{first}-{end}")
    return ",".join(parts)
