"""Exercises: every frame twice, first with empty boxes to be filled in, then with the key."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from symgrad.diagram import measure
from symgrad.diagram.scene import Box, Frame, Group, Item, Label, Path, Scene, extent
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
    """Turn a scene into an exercise: a frame becomes two, the question and the key.

    In the question the numbers that are new in the frame (in a still scene all of them) are empty
    boxes, in the picture and in the caption. A frame that asks nothing stays one. `given` tells
    whose numbers stay, by group id and part.
    """
    parts = BLANKS[blank]
    still = not scene.frames
    frames = scene.frames or (Frame(scene.title, (), ""),)
    sought = _Sought(scene, parts, still)
    told: list[str] = []
    plans: list[tuple[Group, list[str], list[tuple[tuple[Item, ...], int]]]] = []
    for group in scene.groups:
        own = [part for part in parts if not given(group.id, part) and not _leaf(group, part)]
        runs = [(run, sought.frame(run, own)) for run in _runs(group)]
        plans.append((group, own, runs))
        if group.role in HEADS and any(i.part in own for i in group.items):
            told.append(group.label)  # a line that says what the numbers will say
    times = _Times(len(frames), [frame for _, _, runs in plans for _, frame in runs])
    groups = []
    for group, own, runs in plans:
        items: list[Item] = []
        for run, frame in runs:
            items += _asked(run, times, frame, group) if frame else times.moved(run)
        if still and "gradient" in own:
            items = _ungraded(items)
        groups.append(replace(_silent(group, own), items=tuple(items)))
    title, description = scene.title, scene.description
    for line in told:
        title = "" if title == line else title
        description = description.replace(line, "").strip(" .")
    return replace(
        scene,
        groups=tuple(groups),
        frames=tuple(times.titled(frames, told)),
        title=title,
        description=description,
    )


class _Sought:
    """Tell in which frame a number is asked for: the one in which it is new."""

    def __init__(self, scene: Scene, parts: Sequence[str], still: bool) -> None:
        self.parts, self.still = parts, still
        self.new: dict[str, int] = {}
        for group in scene.groups:
            for item in group.items:
                if group.role == "node" and item.part in ("value", "gradient") and item.steps:
                    key = f"{item.part[0]}{group.id[1:]}"
                    first = min(a for a, _ in item.steps)
                    self.new[key] = min(first, self.new.get(key, first))

    def frame(self, run: Sequence[Item], own: Sequence[str]) -> int:
        """Give the frame in which a run of items is asked for; 0 if it never is."""
        kind, _, number = run[0].part.partition(":")
        first = 1 if self.still else min((a for a, _ in run[0].steps), default=0)
        if kind not in ("num", "arg"):
            return first if run[0].part in own else 0
        # In a caption: values and gradients where they are new, contributions always.
        if number[:1] in ("v", "g"):
            part = "value" if number[0] == "v" else "gradient"
            return first if part in self.parts and self.new.get(number) == first else 0
        return first if "gradient" in self.parts else 0


class _Times:
    """Number the frames anew: a frame that asks something is followed by its key."""

    def __init__(self, count: int, asked: Sequence[int]) -> None:
        asking = dict.fromkeys(frame for frame in asked if frame)
        self.first: list[int] = [0]
        self.last: list[int] = [0]
        for frame in range(1, count + 1):
            self.first.append(self.last[-1] + 1)
            self.last.append(self.first[-1] + (frame in asking))

    def moved(self, items: Sequence[Item]) -> list[Item]:
        """Show items in the frames that have taken the place of theirs."""
        return [
            replace(item, steps=tuple((self.first[a], self.last[b]) for a, b in item.steps))
            for item in items
        ]

    def titled(self, frames: Sequence[Frame], told: Sequence[str]) -> list[Frame]:
        """Call the question an exercise and its answer the key."""
        found = []
        for k, frame in enumerate(frames, 1):
            if self.first[k] == self.last[k]:
                found.append(frame)
                continue
            shown = "" if frame.title in told else frame.title
            question = _titled(shown, "exercise")
            found.append(replace(frame, title=question, caption=(), notes=""))
            found.append(replace(frame, title=_titled(frame.title, "key")))
        return found


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


def _asked(run: Sequence[Item], times: _Times, frame: int, group: Group) -> list[Item]:
    """Show a run in the frames of the key, and an empty box for it in the question."""
    question = times.first[frame]
    moved = times.moved(run)
    steps = run[0].steps or ((1, 1),)
    key = tuple((max(times.first[a], question + 1), times.last[b]) for a, b in steps)
    box = _clear(_box(run, group.role == "caption"), group, run)
    found: list[Item] = [replace(item, steps=key) for item in moved]
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


def _box(run: Sequence[Item], within: bool) -> Box:
    """Make a box in the place of a number; its size does not betray the number.

    `within` a line there is no room for boxes of one size.
    """
    left, top, right, bottom = extent(run)
    height, middle = bottom - top + 4, (left + right) / 2
    label = next((i for i in run if isinstance(i, Label)), None)
    usual = 0.0 if label is None else measure.decimal("{-}0.00").width * label.size
    width = usual if label is not None and right - left < 1.6 * usual else right - left
    if within:
        width = right - left
    return Box(
        "blank", middle - width / 2 - ROOMY, top - 2, width + 2 * ROOMY, height, 4.0,
        "blank", "muted", 1.0, part=run[0].part,
    )  # fmt: skip
