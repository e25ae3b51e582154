"""Turn the groups of a frame into slide shapes: one for every part that a lecturer may animate."""

from collections.abc import Sequence
from dataclasses import replace
from math import hypot

from symgrad.diagram.scene import Box, Group, Item, Label, Path, Scene
from symgrad.diagram.slides import shapes
from symgrad.diagram.slides.joints import Joints
from symgrad.diagram.slides.shapes import Sheet, Tag
from symgrad.diagram.slides.tags import Tags

PARTS = {
    "gradient": "grad",
    "stub": "wire",
    "arrowhead": "wire",
    "arrow": "wire",
    "symbol": "gate",
}
GATES = ("gate", "input", "parameter", "constant", "card")
FILLED = ("symbol", "entry")  # labels that are the text of the box around them
MIDDLE = 0.35  # em that a text may stand beside the middle of its box
NEAR = 25.0  # an arrowhead this near to the end of a line is that line's own
SIZES = ((2, "sm"), (3, "med"), (5, "lg"))  # of arrowheads, in widths of the line
THIN = 2.0  # points; slide programs draw the arrowheads of thinner lines as if they were so wide


def drawn(scene: Scene, sheet: Sheet, tags: Tags, joints: Joints | None = None) -> str:
    """Write the shapes of a frame, without title and captions; `joints` glues the wires."""
    tags.begin()
    made = []
    for group in scene.groups:
        if group.role not in ("title", "caption"):
            made.append(_group(group, sheet, tags, joints))
    return "".join(made)


def _group(group: Group, sheet: Sheet, tags: Tags, joints: Joints | None) -> str:
    owner = tags.owner(group)
    if group.role not in ("node", "edge", "output"):
        return _one(list(group.items), sheet, tags, tags.tag(owner, group.label))
    made = []
    for part, items in buckets(group):
        name = f"{part} {owner}"
        if part == "edge":
            glued = joints.edge(group, items, sheet, tags) if joints is not None else ""
            made.append(glued or _wires(items, sheet, tags, name, group.label))
        elif part == "wire":
            if joints is None or not joints.replaces(group):
                made.append(_wires(items, sheet, tags, name, ""))
        elif part in ("value", "grad") and len(items) > 1:
            made.append(_one(items, sheet, tags, tags.tag(name, f"{part} of {group.label}")))
        else:
            alt = group.label if part == "gate" else ""
            made += [_shape(*pair, sheet, tags.tag(name, alt)) for pair in paired(items)]
    return "".join(made)


def buckets(group: Group) -> list[tuple[str, list[Item]]]:
    """Sort the items of a group by the part that they belong to, in order of appearance.

    An item does not join the earlier items of its part if it would then lie below what it covers.
    """
    found: list[tuple[str, list[Item]]] = []
    places: dict[str, int] = {}
    usual = {"node": "gate", "output": "edge"}.get(group.role, group.role)
    for item in group.items:
        part = item.part or item.role
        part = PARTS.get(part, part)
        part = "gate" if part in GATES else part
        if part not in ("gate", "value", "grad", "name", "wire", "halo", "chip", "edge"):
            part = usual
        if part == "wire" and group.role != "node":
            part = "edge"
        place = places.get(part, -1)
        if place < 0 or any(_covers(item, other) for _, row in found[place + 1 :] for other in row):
            places[part] = len(found)
            found.append((part, [item]))
        else:
            found[place][1].append(item)
    return found


def _covers(item: Item, other: Item) -> bool:
    """Say whether an item lies on a filled one."""
    if not (isinstance(other, Box) and other.fill) and not isinstance(item, Box):
        return False
    a, b = item.extent(), other.extent()
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def paired(items: Sequence[Item]) -> list[tuple[Item, Label | None]]:
    """Give each box the label that stands in it; every other item stays alone.

    >>> from symgrad.diagram.measure import math
    >>> box = Box("gate", 0, 0, 50, 46)
    >>> label = Label("symbol", math("x"), 20, 26, 20, "text")
    >>> [(type(one).__name__, text is label) for one, text in paired([box, label])]
    [('Box', True)]
    """
    made: list[tuple[Item, Label | None]] = []
    free: list[int] = []
    for item in items:
        if isinstance(item, Label) and item.role in FILLED:
            place = next((k for k in reversed(free) if _inside(item, made[k][0])), -1)
            if place >= 0:
                made[place] = made[place][0], item
                free.remove(place)
                continue
        if isinstance(item, Box):
            free.append(len(made))
        made.append((item, None))
    return made


def _inside(label: Label, box: Item) -> bool:
    """Say whether a label stands in the middle of a box, where the box would set its text."""
    left, top, right, bottom = label.extent()
    a, b, c, d = box.extent()
    across, down = (left + right) / 2 - (a + c) / 2, (top + bottom) / 2 - (b + d) / 2
    return abs(across) <= MIDDLE * label.size and abs(down) <= MIDDLE * label.size


def _one(items: Sequence[Item], sheet: Sheet, tags: Tags, tag: Tag) -> str:
    """Write items as one group of shapes, which are numbered."""
    pairs = paired(items)
    if len(pairs) == 1:
        return _shape(*pairs[0], sheet, tag)
    inside = "".join(
        _shape(item, label, sheet, tags.tag(f"{tag.name}, {k}"))
        for k, (item, label) in enumerate(pairs, 1)
    )
    return shapes.grouped(items, inside, sheet, tag)


def _shape(item: Item, label: Label | None, sheet: Sheet, tag: Tag) -> str:
    if isinstance(item, Box):
        return shapes.filled_box(item, label, sheet, tag)
    if isinstance(item, Label) and shapes.stacked(item):
        return shapes.formula(item, sheet, tag)
    if isinstance(item, Label):
        return shapes.text_box(item, sheet, tag)
    return shapes.curve(item, sheet, tag)


def _wires(items: Sequence[Item], sheet: Sheet, tags: Tags, name: str, alt: str) -> str:
    """Write the lines of an edge with their arrowheads, and whatever else belongs to it."""
    lines, rest = arrows(items, THIN * shapes.POINT / sheet.scale)
    made = [shapes.curve(line, sheet, tags.tag(name, alt), ends) for line, ends in lines]
    made += [_shape(*pair, sheet, tags.tag(name)) for pair in paired(rest)]
    return "".join(made)


def arrows(items: Sequence[Item], thin: float = 1.0) -> tuple[list[tuple[Path, str]], list[Item]]:
    """Make each arrowhead the end of the line that it touches, at whichever end that is.

    `thin` is the least width of a line, in pixels, that its arrowhead grows with.
    """
    lines: list[Path] = []
    heads: list[Path] = []
    rest: list[Item] = []
    for item in items:
        if isinstance(item, Path) and item.role == "arrowhead":
            heads.append(item)
        elif isinstance(item, Path) and item.stroke and not item.fill:
            lines.append(item)
        else:
            rest.append(item)
    ends = ["" for _ in lines]
    for head in heads:
        tip = head.commands[0][1]
        best, place, last = NEAR, -1, False
        for k, line in enumerate(lines):
            for at_end, point in ((False, line.commands[0][1]), (True, line.commands[-1][1][-2:])):
                away = hypot(point[0] - tip[0], point[1] - tip[1])
                if away < best and line.stroke == head.fill:
                    best, place, last = away, k, at_end
        if place < 0:
            rest.append(head)
            continue
        ends[place] = _ends(ends[place], head, max(thin, lines[place].width), last)
        lines[place] = _reaching(lines[place], (tip[0], tip[1]), last)
    return list(zip(lines, ends, strict=True)), rest


def _reaching(line: Path, tip: tuple[float, float], last: bool) -> Path:
    """Draw a line on to the tip of its arrow, which ends it."""
    commands = line.commands
    if last:
        return replace(line, commands=(*commands, ("L", tip)))
    return replace(line, commands=(("M", tip), ("L", commands[0][1]), *commands[1:]))


def _ends(before: str, head: Path, width: float, last: bool) -> str:
    (x, y), (x1, y1), (x2, y2) = (xs for _, xs in head.commands[:3])
    long = hypot((x1 + x2) / 2 - x, (y1 + y2) / 2 - y)
    sizes = [
        min(SIZES, key=lambda size: abs(size[0] * width - wanted))[1]
        for wanted in (hypot(x1 - x2, y1 - y2), long)
    ]
    kind = "tailEnd" if last else "headEnd"
    end = f'<a:{kind} type="triangle" w="{sizes[0]}" len="{sizes[1]}"/>'
    return before + end if last else end + before
