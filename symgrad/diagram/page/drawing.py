"""Write a scene with all its frames as one SVG: what comes and goes says in which frames it is.

An element with `data-s="3-5 9-9"` is in frames 3 to 5 and 9; without a script the last frame is
seen. A number that follows the inputs has `data-n`: v3 is the value of node 3, g3 its gradient,
c5 the contribution of edge 5, l5 its local derivative.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from symgrad.diagram.export.svg import BOLD, WEIGHT, escape, number, outline
from symgrad.diagram.measure import EM, decimal, math
from symgrad.diagram.page.blocks import Blocks, Marks
from symgrad.diagram.page.captions import Row, numbered, rows
from symgrad.diagram.page.glyphs import Glyphs
from symgrad.diagram.scene import Box, Group, Item, Label, Path, Scene, Steps, extent
from symgrad.diagram.style import Theme

ROOM = 24.0  # by how much a number on a branch may grow
ARROW = r"{\leftarrow}\,"
EQUATION = re.compile(r"(.* =) ((?:\{-\})?(?:\d+\.\d+|\d(?:\.\d)?\{\\times\}10\^\{-?\d+\}))")
NUMERAL = re.compile(
    r"(\{\\leftarrow\}\\,)?(\{-\})?(\\infty|[\d.]+(\{\\times\}10\^\{-?\d+\})?)|.*\\mathrm\{NaN\}"
)


class Drawn:
    """Write the elements of a scene; `numbers` names the numbers that can change."""

    def __init__(
        self,
        scene: Scene,
        glyphs: Glyphs,
        numbers: Iterable[str] = (),
        blocks: Blocks | None = None,
    ) -> None:
        self.scene, self.glyphs, self.blocks = scene, glyphs, blocks
        self.theme: Theme = scene.theme
        self.live = dict.fromkeys(numbers)
        self.prefix = scene.prefix
        self.changing = 0  # how many numbers of the diagram itself follow the inputs

    def svg(self) -> str:
        """Give the whole element; the glyphs are defined elsewhere."""
        scene, prefix = self.scene, self.prefix
        width, height = number(scene.width), number(scene.height)
        title = escape(scene.title or "Computation graph")
        background = self.theme.colour("background")
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'role="group" aria-labelledby="{prefix}-t {prefix}-d">',
                f'<title id="{prefix}-t">{title}</title>',
                f'<desc id="{prefix}-d">{escape(scene.description)}</desc>',
                f"<metadata>symgrad; layout engine: {escape(scene.engine)}</metadata>",
                f'<rect width="{width}" height="{height}" fill="{background}"/>',
                *self.groups(),
                "</svg>",
            ]
        )

    def groups(self) -> list[str]:
        """Write all groups."""
        return [line for group in self.scene.groups for line in self._group(group)]

    def _group(self, group: Group) -> list[str]:
        data = "".join(f' data-{key}="{escape(value)}"' for key, value in group.data)
        head = f'<g id="{self.prefix}-{group.id}" class="{group.role}" role="img"'
        head += f' aria-label="{escape(group.label)}"{data}'
        common = _common(group.items)
        if common:
            head += self.timing(common)
        if group.role == "caption" and self.live and (common or not _timed(group.items)):
            body = [self._row(row) for row in rows(group.items)]
        else:
            body = self._items(group, common)
        return [head + ">", *body, "</g>"]

    def _items(self, group: Group, common: Steps) -> list[str]:
        lines = []
        room = _room(group)
        marks = self.blocks.marks(group) if self.blocks is not None else Marks()
        for steps, run in groupby(enumerate(group.items), key=lambda pair: pair[1].steps):
            drawn = []
            for k, item in run:
                drawn += [f"<g{marks.opened[k]}>"] if k in marks.opened else []
                drawn.append(self._item(item, group, room, marks.extra.get(k, "")))
                drawn += ["</g>"] if k in marks.closed else []
            if steps and steps != common:
                drawn = [f"<g{self.timing(steps)}>", *drawn, "</g>"]
            lines += drawn
        return lines

    def timing(self, steps: Steps) -> str:
        """Say in which frames something is, and hide it if it is not in the last one."""
        ranges = " ".join(f"{a}-{b}" for a, b in steps)
        last = any(a <= self.scene.count <= b for a, b in steps)
        return f' data-s="{ranges}"' + ("" if last else ' display="none"')

    def _item(self, item: Item, group: Group, room: float, extra: str = "") -> str:
        if isinstance(item, Path):
            path = f'd="{outline(item.commands)}"{self._path(item)}'
            return f'<path class="{item.role}" {path}{extra}/>'
        key = _key(group, item)
        if isinstance(item, Box):
            chip = f' data-chip="{key}"' if item.part == "chip" and key in self.live else ""
            return self._box(item, chip + extra)
        if key in self.live:
            self.changing += 1
            head, tail = _split(item)
            arrow = ' data-w="1"' if tail.outline.text.startswith(ARROW) else ""
            left, _, right, _ = tail.extent()
            on_stub = group.role == "node" and head is None
            most = max(room, right - left) if on_stub else right - left + ROOM
            behind = ' data-t="1"' if head is not None else ""
            drawn = self.label(tail, f' data-n="{key}" data-m="{number(most)}"{arrow}{behind}')
            return (self.label(head) if head is not None else "") + drawn
        return self.label(item, extra)

    def _row(self, row: Row) -> str:
        """Write a line of a caption, whose pieces a script can move and change."""
        lines = []
        for piece in numbered(row, self.live):
            items = "".join(
                self._box(i) if isinstance(i, Box)
                else self.label(i, piece.data) if isinstance(i, Label)
                else f'<path d="{outline(i.commands)}"{self._path(i)}/>'
                for i in piece.items
            )  # fmt: skip
            lines.append(items if piece.data else f"<g>{items}</g>")
        left, _, right, _ = extent(row)
        ends = f'data-l="{left:.2f}" data-r="{right:.2f}"'
        return f"<g data-row {ends}>" + "".join(lines) + "</g>"

    def label(self, label: Label, data: str = "") -> str:
        """Write a typeset text; `data` makes it one that a script can change."""
        scale, colour = label.size / EM, self.theme.colour(label.colour)
        weight = (BOLD if label.role == "title" else WEIGHT) / scale
        if data:
            left, _, right, _ = label.extent()
            data += f' data-l="{left:.2f}" data-r="{right:.2f}"'
        return (
            f'<g class="{label.role}" transform="translate({label.x:.2f} {label.y:.2f}) '
            f'scale({scale:.5g})" fill="{colour}" stroke="{colour}" '
            f'stroke-width="{number(weight)}"{data}>{self.glyphs.uses(label.outline.path)}</g>'
        )

    def _box(self, box: Box, data: str = "") -> str:
        radius = f' rx="{number(box.radius)}"' if box.radius else ""
        return (
            f'<rect class="{box.role}" x="{number(box.x)}" y="{number(box.y)}" '
            f'width="{number(box.width)}" height="{number(box.height)}"{radius}'
            f"{self._paint(box.fill, box.stroke, box.line)}{data}/>"
        )

    def _path(self, path: Path) -> str:
        dash = f' stroke-dasharray="{" ".join(map(number, path.dash))}"' if path.dash else ""
        return self._paint(path.fill, path.stroke, path.width) + dash

    def _paint(self, fill: str, stroke: str, width: float) -> str:
        text = f' fill="{self.theme.colour(fill)}"' if fill else ' fill="none"'
        if stroke:
            text += f' stroke="{self.theme.colour(stroke)}" stroke-width="{number(width)}"'
        return text


def _split(label: Label) -> tuple[Label | None, Label]:
    """Part `L = 0.31` into what stays and the number behind it; nothing stays of a mere number."""
    found = EQUATION.fullmatch(label.outline.text)
    if found is None:
        return None, label
    head, tail = math(found[1]), decimal(found[2])
    rest = label.outline.path[len(head.path) :]
    if label.outline.path[: len(head.path)] != head.path or not rest:
        return None, label
    pen = (rest[0][1][0] - tail.path[0][1][0]) / EM * label.size
    return replace(label, outline=head), replace(label, outline=tail, x=label.x + pen)


def _timed(items: Sequence[Item]) -> bool:
    return any(item.steps for item in items)


def _common(items: Sequence[Item]) -> Steps:
    """Give the frames of a group whose items all come and go together."""
    steps = items[0].steps if items else ()
    return steps if all(item.steps == steps for item in items) else ()


def _room(group: Group) -> float:
    """Give the width that a number on the stub of a node may have."""
    for item in group.items:
        if isinstance(item, Path) and item.role == "stub":
            left, _, right, _ = item.extent()
            return right - left - 8.0
    return 0.0


def _key(group: Group, item: Item) -> str:
    """Name the number that an item shows: v3, g3 or c5; "" if it shows none."""
    number = group.id[1:]
    if isinstance(item, Label):
        printed = NUMERAL.fullmatch(item.outline.text) or _split(item)[0]
        if item.role not in ("value", "gradient") or not printed:
            return ""  # a note or a symbol beside a number
    if item.part == "chip" and sum(i.part == "gradient" for i in group.items) != 1:
        return ""
    if group.role == "node":
        return {"value": f"v{number}", "gradient": f"g{number}", "chip": f"g{number}"}.get(
            item.part, ""
        )
    if group.role == "edge" and item.part in ("gradient", "chip"):
        return f"c{number}"
    return ""
