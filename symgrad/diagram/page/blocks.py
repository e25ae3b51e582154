"""Find the matrices of a scene again: what a script repaints when the inputs move.

What stands inside a frame becomes an element with `data-b`, the key of its array (v3, g3, c5, or s5
for the local derivative on edge 5), and its place. What cannot follow has `data-first`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from symgrad.diagram.from_graph import Array, DrawEdge, Drawing
from symgrad.diagram.scene import Box, Group, Item, Label, Path
from symgrad.diagram.tensors.arrays import PICTURED, prints
from symgrad.diagram.tensors.cells import FRAME
from symgrad.diagram.tensors.slopes import RECTIFIERS, passing, saturated
from symgrad.diagram.tensors.vectors import columns

SLACK = 2.5  # by how much cells and marks may reach beyond their frame
SUFFIXES = {"pass": "pass", "true": "true", r"\,\%": "share"}
STILL = ("remark", "zero")


@dataclass(slots=True)
class Marks:
    """Hold attributes: of elements around runs of items (by first and last), and of items."""

    opened: dict[int, str] = field(default_factory=dict)
    closed: dict[int, None] = field(default_factory=dict)
    extra: dict[int, str] = field(default_factory=dict)


class Blocks:
    """Know which array each frame of a drawing holds."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.upright = columns(drawing)
        self.edges = {e.id: e for e in drawing.edges}
        self.leaving: dict[int, list[DrawEdge]] = {}
        self.arriving: dict[int, list[DrawEdge]] = {}
        for edge in drawing.edges:
            self.leaving.setdefault(edge.source, []).append(edge)
            self.arriving.setdefault(edge.target, []).append(edge)
        self.masks = {n.id: self._mask(n.id) for n in drawing.nodes}
        self.found = 0

    def marks(self, group: Group) -> Marks:
        """Mark the items of a group."""
        marks = Marks()
        number = int(group.id[1:]) if group.id[1:].isdigit() else -1
        if group.role == "notes":
            marks.extra = {k: ' data-first=""' for k in range(len(group.items))}
        elif group.role == "legend":
            self._scale(group, marks)
        elif number >= 0 and group.role in ("node", "edge", "output"):
            self._wires(group, number, marks)
            self._frames(group, number, marks)
            for k, item in enumerate(group.items):
                if item.role in STILL:
                    marks.extra[k] = ' data-first=""'
        return marks

    def units(self) -> dict[int, tuple[str, int]]:
        """Tell which nodes mark their entries: as off or saturated, by the slope of which edge."""
        found: dict[int, tuple[str, int]] = {}
        for node in self.drawing.nodes:
            edges = self._numeric(node.id)
            if node.kind != "gate" or len(edges) != 1:
                continue
            if saturated(node, self._known(node.id)) is not None:
                found[node.id] = "saturated", edges[0].id
            elif node.op in RECTIFIERS and self.masks[node.id] is not None:
                found[node.id] = "off", edges[0].id
        return found

    # -- wires and their legend --------------------------------------------------------------

    def _scale(self, group: Group, marks: Marks) -> None:
        """Mark the two ends of the scale of the wires."""
        ends = [
            k
            for k, item in enumerate(group.items)
            if isinstance(item, Label) and item.outline.text.startswith("10^{")
        ]
        for k, end in zip(ends, ("low", "high"), strict=False):
            marks.extra[k] = f' data-scale="{end}"'

    def _wires(self, group: Group, number: int, marks: Marks) -> None:
        key = f"c{number}" if group.role == "edge" else f"g{number}"
        flows = self.array(key)[0] is not None
        for k, item in enumerate(group.items):
            if not isinstance(item, Path) or item.role not in ("edge", "stub", "arrowhead"):
                continue
            if item.part in ("value", "gradient", "arrow"):
                continue
            colour = item.stroke or item.fill
            # A wire that is pointed out as carrying nothing is thin and grey.
            if colour.startswith("#") or (colour == "pruned" and flows and not item.dash):
                tip = item.commands[0][1]
                place = f' data-x="{tip[0]:.2f}" data-y="{tip[1]:.2f}"'
                marks.extra[k] = f' data-wire="{key}"' + (place if item.fill else "")
            elif item.stroke in ("value", "gradient"):
                marks.extra[k] = f' data-wire="{key}" data-busy=""'

    # -- frames ------------------------------------------------------------------------------

    def _frames(self, group: Group, number: int, marks: Marks) -> None:
        seen: dict[str, int] = {}
        last = ""
        for k, item in enumerate(group.items):
            if item.part not in ("value", "gradient"):
                continue
            if isinstance(item, Box) and item.role == "frame":
                start = _content(group.items, k, item)
                key = self._key(group.role, number, item)
                if start == k or not key:
                    continue
                slice_ = seen.get(key, 0)
                seen[key], last = slice_ + 1, key
                marks.opened[start] = self._described(key, slice_, item, group)
                marks.closed[k - 1] = None
                for inside in range(start, k):
                    marks.extra.pop(inside, None)
                self.found += 1
            elif isinstance(item, Label):
                note = self._noted(item, last)
                marks.extra |= {k: note} if note else {}

    def _key(self, role: str, number: int, frame: Box) -> str:
        """Name the array in a frame by the colour of the frame."""
        if frame.stroke == "local":
            found = self.masks[number]
            return f"s{found.id}" if found is not None else ""
        if frame.stroke == "pruned":
            leaving = [e for e in self.leaving.get(number, []) if e.grad is not None]
            edge = self.edges[number] if role == "edge" else leaving[0]
            return f"g{edge.target}"
        if role == "edge":
            return f"c{number}"
        return f"v{number}" if frame.stroke == "value" else f"g{number}"

    def array(self, key: str) -> tuple[Array | None, int]:
        """Give the array of a key, and the node whose shape it has."""
        number = int(key[1:])
        if key[0] in "cs":
            edge = self.edges[number]
            return (edge.grad if key[0] == "c" else edge.value), edge.source
        node = self.drawing.nodes[number]
        return (node.value if key[0] == "v" else node.grad), number

    def _described(self, key: str, k: int, frame: Box, group: Group) -> str:
        array, node = self.array(key)
        assert array is not None
        kind = self._kind(key, array, frame, group)
        if array.ndim > 1 and kind in ("print", "map"):
            rows, width = array.shape[-2], array.shape[-1]
        elif array.ndim > 1:
            rows, width = array.size // array.shape[-1], array.shape[-1]
        else:
            rows, width = (array.size, 1) if node in self.upright else (1, array.size)
        inner = (
            frame.x + FRAME / 2,
            frame.y + FRAME / 2,
            frame.width - FRAME,
            frame.height - FRAME,
        )
        x, y, w, h = (f"{v:.2f}" for v in inner)
        owner = f' data-of="{node}"' if key[0] == "v" and group.role == "node" else ""
        whole = ' data-whole=""' if array.dtype.kind in "iu" else ""
        return (
            f' data-b="{key}" data-kind="{kind}" data-x="{x}" data-y="{y}" data-w="{w}" '
            f'data-h="{h}" data-rows="{rows}" data-columns="{width}" data-k="{k}"{owner}{whole}'
        )

    def _kind(self, key: str, array: Array, frame: Box, group: Group) -> str:
        """Say how a frame shows its array: printed, as a map, a mask, or by its statistics."""
        small = max(array.shape[-2:]) <= PICTURED
        if frame.stroke == "local" or array.dtype.kind == "b":
            grid = array.size // array.shape[-1], array.shape[-1]
            return "mask" if max(grid if array.ndim > 1 else array.shape) <= PICTURED else "card"
        if frame.stroke == "pruned":
            return "map"
        if prints(array):
            return "print"
        slices = sum(
            isinstance(i, Box) and i.role == "frame" and i.stroke == frame.stroke
            for i in group.items
        )
        return "map" if small and (array.ndim <= 2 or slices > 1) else "card"

    def _noted(self, label: Label, key: str) -> str:
        """Mark a text beside a frame: a common power of ten, a share, or a range."""
        text = label.outline.text
        if label.role == "unit":
            return f' data-unit="{key}"'
        if label.role == "range" and r"\%" in text:
            suffix = next((name for word, name in SUFFIXES.items() if word in text), "share")
            return f' data-share="{key}" data-suffix="{suffix}"'
        if label.role == "range" and label.colour != "local" and key:
            return f' data-range="{key}"'
        return ' data-first=""' if label.role == "warning" else ""

    # -- masks -------------------------------------------------------------------------------

    def _known(self, node: int) -> Mapping[int, Array]:
        edges = self.arriving.get(node, ())
        return {e.operand: np.asarray(e.value) for e in edges if e.value is not None}

    def _numeric(self, node: int) -> list[DrawEdge]:
        edges = self.arriving.get(node, [])
        return [e for e in edges if e.value is not None and e.value.dtype.kind != "b"]

    def _mask(self, node: int) -> DrawEdge | None:
        """Find the operand whose local derivative is the mask of a gate."""
        known = self._known(node)
        for edge in self._numeric(node):
            if passing(self.drawing.nodes[node], edge.operand, known) is not None:
                return edge
        return None


def _content(items: tuple[Item, ...], k: int, frame: Box) -> int:
    """Find where the items inside a frame begin, which is drawn behind them."""
    left, top, right, bottom = frame.extent()
    start = k
    while start:
        item = items[start - 1]
        a, b, c, d = item.extent()
        inside = a >= left - SLACK and c <= right + SLACK and b >= top - SLACK
        same = item.part == frame.part and item.steps == frame.steps
        if not (same and inside and d <= bottom + SLACK) or item.role in ("frame", "chip"):
            break
        start -= 1
    return start
