"""The scene: what every export draws, in design pixels, x to the right and y downwards.

A scene is a tuple of groups, painted in order. A group is one thing that a reader can point at (a
node, an edge, the title); its items are paths, boxes and typeset labels. Colours are names that the
theme resolves (or a literal "#rrggbb"), so that a format can define them once.

A scene may have frames, numbered from 1: a slide each. An item that is not in all of them lists in
`steps` the ranges (first, last) of those that show it; nothing else changes from frame to frame.
The part of an item says what it belongs to within its group: "value", "gradient", "gate", "name",
"wire", "halo", "chip" or nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from symgrad.diagram.measure import Outline
from symgrad.diagram.style import Theme
from symgrad.errors import UsageError

Point = tuple[float, float]
# A command is a letter and its absolute coordinates: M x y, L x y, C x1 y1 x2 y2 x y, Z.
Command = tuple[str, tuple[float, ...]]
Steps = tuple[tuple[int, int], ...]  # ranges of frames, first and last; () means all of them


@dataclass(frozen=True, slots=True)
class Path:
    """Draw lines and Bézier curves; `dash` is a tuple of lengths, empty for a full line."""

    role: str
    commands: tuple[Command, ...]
    stroke: str = ""
    fill: str = ""
    width: float = 0.0
    dash: tuple[float, ...] = ()
    part: str = field(default="", kw_only=True)
    steps: Steps = field(default=(), kw_only=True)

    def moved(self, dx: float, dy: float) -> "Path":
        """Return the path at another place."""
        shifted = tuple(
            (c, tuple(v + (dy if i % 2 else dx) for i, v in enumerate(xs)))
            for c, xs in self.commands
        )
        return replace(self, commands=shifted)

    def scaled(self, by: float) -> "Path":
        """Return the path larger or smaller, seen from the origin."""
        commands = tuple((c, tuple(v * by for v in xs)) for c, xs in self.commands)
        dash = tuple(v * by for v in self.dash)
        return replace(self, commands=commands, width=self.width * by, dash=dash)

    def extent(self) -> tuple[float, float, float, float]:
        """Give the box (left, top, right, bottom) of its control points."""
        xs = [v for _, c in self.commands for v in c[0::2]]
        ys = [v for _, c in self.commands for v in c[1::2]]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True)
class Box:
    """Draw a rectangle with round corners (a circle if the radius is half its size)."""

    role: str
    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0
    fill: str = ""
    stroke: str = ""
    line: float = 0.0
    part: str = field(default="", kw_only=True)
    steps: Steps = field(default=(), kw_only=True)

    def moved(self, dx: float, dy: float) -> "Box":
        """Return the box at another place."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def scaled(self, by: float) -> "Box":
        """Return the box larger or smaller, seen from the origin."""
        return replace(
            self, x=self.x * by, y=self.y * by, width=self.width * by, height=self.height * by,
            radius=self.radius * by, line=self.line * by,
        )  # fmt: skip

    def extent(self) -> tuple[float, float, float, float]:
        """Give (left, top, right, bottom)."""
        return self.x, self.y, self.x + self.width, self.y + self.height


@dataclass(frozen=True, slots=True)
class Label:
    """Draw a typeset text; (x, y) is the left end of its baseline, `size` one em in pixels."""

    role: str
    outline: Outline
    x: float
    y: float
    size: float
    colour: str
    part: str = field(default="", kw_only=True)
    steps: Steps = field(default=(), kw_only=True)

    def moved(self, dx: float, dy: float) -> "Label":
        """Return the label at another place."""
        return replace(self, x=self.x + dx, y=self.y + dy)

    def scaled(self, by: float) -> "Label":
        """Return the label larger or smaller, seen from the origin."""
        return replace(self, x=self.x * by, y=self.y * by, size=self.size * by)

    def extent(self) -> tuple[float, float, float, float]:
        """Give (left, top, right, bottom) of the ink."""
        o, s = self.outline, self.size
        return self.x + o.left * s, self.y + o.top * s, self.x + o.right * s, self.y + o.bottom * s


Item = Path | Box | Label


@dataclass(frozen=True, slots=True)
class Group:
    """Hold the items of one thing; `data` is what a machine reads."""

    id: str
    role: str
    label: str
    items: tuple[Item, ...]
    data: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    r"""Describe one frame of a scene: what its caption says, for formats that set it themselves.

    `title` is plain text ("Backward step 3 of 8"), `caption` the lines of the caption in LaTeX
    without dollar signs, in which colours are written `\textcolor{local}{...}` by role; `notes`
    says the same in plain words, for the speaker.
    """

    title: str
    caption: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Hold a finished drawing, independent of any format."""

    width: float
    height: float
    theme: Theme
    groups: tuple[Group, ...]
    title: str = ""
    description: str = ""
    engine: str = ""
    frames: tuple[Frame, ...] = ()

    @property
    def prefix(self) -> str:
        """Derive a short id prefix from the content, so that two figures on a page don't clash."""
        content = repr((self.theme, self.title, self.description, self.groups))
        return "sg" + sha256(content.encode()).hexdigest()[:8]

    @property
    def count(self) -> int:
        """Count the frames; a scene that stands still has one."""
        return max(1, len(self.frames))

    def at(self, frame: int) -> "Scene":
        """Give the scene of one frame, standing still; frames are numbered from 1."""
        if not 1 <= frame <= self.count:
            raise UsageError(f"there is no frame {frame}", hint=f"frames are 1 to {self.count}")
        if not self.frames:
            return self
        groups = []
        for group in self.groups:
            items = tuple(item for item in group.items if shown(item, frame))
            if items:
                groups.append(replace(group, items=tuple(replace(i, steps=()) for i in items)))
        description = self.frames[frame - 1].notes or self.description
        return replace(self, groups=tuple(groups), description=description, frames=())

    def last(self) -> "Scene":
        """Give the last frame, which is the finished diagram."""
        return self.at(self.count)


def shown(item: Item, frame: int) -> bool:
    """Say whether an item is in a frame."""
    return not item.steps or any(first <= frame <= last for first, last in item.steps)


def timed(items: Iterable[Item], *steps: tuple[int, int]) -> tuple[Item, ...]:
    """Show items in these ranges of frames only; empty ranges are left out."""
    kept = tuple((a, b) for a, b in steps if a <= b)
    return tuple(replace(item, steps=kept) for item in items) if kept else ()


def tagged(items: Iterable[Item], part: str) -> tuple[Item, ...]:
    """Say which part of their group items are."""
    return tuple(replace(item, part=part) for item in items)


def extent(items: Iterable[Item]) -> tuple[float, float, float, float]:
    """Give the box (left, top, right, bottom) around items; all zero if there are none."""
    boxes = [item.extent() for item in items]
    if not boxes:
        return 0.0, 0.0, 0.0, 0.0
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
