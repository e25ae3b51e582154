"""Exercises: every frame twice, first with empty boxes to be filled in, then with the key."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from symgrad.diagram import measure
from symgrad.diagram.scene import Box, Frame, Group, Item, Label, Scene, Steps, extent
from symgrad.errors import UsageError

BLANKS = {
    "values": ("value",),
    "gradients": ("gradient",),
    "both": ("value", "gradient"),
}
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
    groups = []
    for group in scene.groups:
        items: list[Item] = []
        own = [part for part in parts if not given(group.id, part)]
        for run in _runs(group):
            items += _asked(run, own, still)
        groups.append(replace(group, items=tuple(items)))
    doubled = []
    for frame in frames:
        question = _titled(frame.title, "exercise")
        doubled.append(replace(frame, title=question, caption=(), notes=""))
        doubled.append(replace(frame, title=_titled(frame.title, "key")))
    return replace(scene, groups=tuple(groups), frames=tuple(doubled))


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


def _asked(run: Sequence[Item], parts: Sequence[str], still: bool) -> list[Item]:
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
    box = _box(run)
    found: list[Item] = [replace(item, steps=key) for item in run]
    kept = [i for i in run if i.role in ("shape", "frame")]
    found += [replace(i, steps=((question, question),)) for i in kept]
    if not any(i.role == "frame" for i in kept):
        found.append(replace(box, steps=((question, question),)))
    return found


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
