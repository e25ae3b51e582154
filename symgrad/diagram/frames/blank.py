"""Exercises: every frame twice, first with empty boxes to be filled in, then with the key."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from symgrad.diagram import measure
from symgrad.diagram.scene import Box, Frame, Group, Item, Label, Path, Scene, Steps, extent
from symgrad.diagram.style import LINE
from symgrad.errors import UsageError

BLANKS = {
    "values": ("value",),
    "gradients": ("gradient",),
    "both": ("value", "gradient"),
}
LEAVES = ("input", "parameter", "constant")  # boxes of what is given
WIRES = ("edge", "stub", "arrowhead", "wire")
HEADS = ("title", "headline")
# How the keys of a group's data begin, and whose answers they hold.
READ = {"value": "value", "grad": "gradient", "delta": "gradient", "weight-grad": "gradient"}
ROOMY = 3.0  # how much wider than its number a box is, to each side
Given = Callable[[str, str], bool]  # group id, part


def known_blank(blank: str) -> str:
    """Give what is left empty; raise UsageError if there is nothing of that name."""
    if blank and blank not in BLANKS:
        raise UsageError(
            f"blank={blank!r} is not known", hint="one of " + ", ".join(map(repr, BLANKS))
        )
    return blank


def blanked(scene: Scene, blank: str, given: Given) -> Scene:
    """Turn a scene into an exercise: each frame becomes two, the question and the key.

    In the question the numbers that are new in the frame (in a still scene all of them) are empty
    boxes, and so are the numbers of its caption. `given` tells whose numbers stay, by group id and
    part.
    """
    parts = BLANKS[blank]
    still = not scene.frames
    frames = scene.frames or (Frame(scene.title, (), ""),)
    groups, told = [], []
    for group in scene.groups:
        items: list[Item] = []
        own = [part for part in parts if not given(group.id, part) and not _leaf(group, part)]
        for run in _runs(group):
            items += _asked(run, own, still, group)
        if still and "gradient" in own:
            items = _ungraded(items)
        if group.role in HEADS and any(i.part in own for i in group.items):
            told.append(group.label)  # a line that says what the numbers will say
        groups.append(replace(_silent(group, own), items=tuple(items)))
    doubled = []
    for frame in frames:
        shown = "" if frame.title in told else frame.title
        doubled.append(replace(frame, title=_titled(shown, "exercise"), caption=(), notes=""))
        doubled.append(replace(frame, title=_titled(frame.title, "key")))
    title, description = scene.title, scene.description
    for line in told:
        title = "" if title == line else title
        description = description.replace(line, "").strip(" .")
    return replace(
        scene, groups=tuple(groups), frames=tuple(doubled), title=title, description=description
    )


def _leaf(group: Group, part: str) -> bool:
    """Say whether a part is the value of an input, which is given."""
    return part == "value" and any(isinstance(i, Box) and i.role in LEAVES for i in group.items[:1])


def _silent(group: Group, parts: Sequence[str]) -> Group:
    """Take the answers out of the words and data of a group, which are those of all frames."""
    if group.role == "caption":
        return replace(group, label="caption")
    if group.role in HEADS and any(i.part in parts for i in group.items):
        return replace(group, label=group.role)
    asked = [d for d in group.data if any(READ[w] in parts for w in READ if d[0].startswith(w))]
    label = group.label
    for key, text in asked:
        label = label.replace(f", {'gradient' if key == 'grad' else key} {text}", "")
    return replace(group, label=label, data=tuple(d for d in group.data if d not in asked))


def _ungraded(items: Sequence[Item]) -> list[Item]:
    """Draw the wires of the question plain: their colours and widths tell gradients."""
    found: list[Item] = []
    for item in items:
        colours = (item.stroke, item.fill) if isinstance(item, Path) else ()
        if item.role not in WIRES or not any(c.startswith("#") for c in colours):
            found.append(item)
            continue
        assert isinstance(item, Path)
        stroke, fill = ("edge" if c else "" for c in colours)
        plain = replace(item, stroke=stroke, fill=fill, width=min(item.width, LINE))
        found += [replace(plain, steps=((1, 1),)), replace(item, steps=((2, 2),))]
    return found


def _titled(title: str, word: str) -> str:
    return f"{title} ({word})" if title else word.capitalize()


def _runs(group: Group) -> list[tuple[Item, ...]]:
    """Split a group into runs of items of one part with the same frames: a number each."""
    runs: list[list[Item]] = []
    for item in group.items:
        last = runs[-1][-1] if runs else None
        if last is not None and (last.part, last.steps) == (item.part, item.steps) and item.part:
            runs[-1].append(item)
        else:
            runs.append([item])
    return [tuple(run) for run in runs]


def _asked(run: Sequence[Item], parts: Sequence[str], still: bool, group: Group) -> list[Item]:
    """Show a run in the frames of the key, and an empty box for it in the question."""
    part, steps = run[0].part, run[0].steps
    caption = part.partition(":")[0] in ("num", "arg")
    asked = part in parts or caption
    doubled: Steps = tuple((2 * a - 1, 2 * b) for a, b in steps)
    if not asked:
        return [replace(item, steps=doubled) for item in run]
    first = 1 if still else min(a for a, _ in steps) if steps else 0
    if not first:
        return list(run)
    question = 2 * first - 1
    key = ((2, 2),) if still else tuple((max(a, question + 1), b) for a, b in doubled)
    box = _clear(_box(run), group, run)
    found: list[Item] = [replace(item, steps=key) for item in run]
    kept = [i for i in run if i.role in ("shape", "frame")]
    found += [replace(i, steps=((question, question),)) for i in kept]
    if not any(i.role == "frame" for i in kept) and run[0].role not in ("title", "note"):
        found.append(replace(box, steps=((question, question),)))
    return found


def _clear(box: Box, group: Group, run: Sequence[Item]) -> Box:
    """Move a box to the right of what stands at its left: it is wider than a short number."""
    left, middle = box.x, box.x + box.width / 2
    if run[0].role == "figure":
        left = run[0].extent()[0]
    for item in group.items:
        solid = isinstance(item, Label) or item.role in ("gate", *LEAVES)
        if not solid or any(item is other for other in run):
            continue
        _, top, right, bottom = item.extent()
        if top < box.y + box.height and box.y < bottom and right < middle:
            left = max(left, right + 2.0)
    return replace(box, x=left)


def _box(run: Sequence[Item]) -> Box:
    """Make a box in the place of a number; its size does not betray the number."""
    left, top, right, bottom = extent(run)
    height, middle = bottom - top + 4, (left + right) / 2
    label = next((i for i in run if isinstance(i, Label)), None)
    usual = 0.0 if label is None else measure.decimal("{-}0.00").width * label.size
    width = usual if label is not None and right - left < 1.6 * usual else right - left
    return Box(
        "blank", middle - width / 2 - ROOMY, top - 2, width + 2 * ROOMY, height, 4.0,
        "blank", "muted", 1.0, part=run[0].part,
    )  # fmt: skip
