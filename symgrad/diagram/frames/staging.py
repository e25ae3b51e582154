"""Stage a composed scene: when each thing appears, what glows, where arrows turn round.

Nothing moves from frame to frame. An item that changes its look is in the scene once for each
look, with the ranges of frames that show it.
"""

from collections.abc import Sequence
from dataclasses import replace

from symgrad.diagram.digits import Decimals
from symgrad.diagram.frames.captions import Caption, Captions
from symgrad.diagram.frames.pieces import stacked, written
from symgrad.diagram.frames.plan import Plan
from symgrad.diagram.from_graph import DrawEdge, Drawing, Result
from symgrad.diagram.measure import plain
from symgrad.diagram.route import arrowhead
from symgrad.diagram.scene import (
    Box,
    Frame,
    Group,
    Item,
    Label,
    Path,
    Scene,
    Steps,
    extent,
    timed,
)
from symgrad.diagram.style import LINE, MARGIN, TITLE

THICK = 3.6  # width of a wire at work
HALO = 6.0  # how far the halo of a gate reaches beyond its rim
CHIP = 5.0  # the same of the chip behind a number
ABOVE = 26.0  # between the title and the diagram
BAND = 26.0  # between the diagram and its caption
LEAST, ROOMY = 620.0, 1060.0  # width that captions have at least, and where there are many
WIDE, MOST = 1400.0, 2.0  # from what width on captions grow, and how far: slides shrink the figure
WIRES = ("edge", "arrowhead")
Span = tuple[int, int]


def lettered(drawing: Drawing) -> Drawing:
    """Show the letters that captions use above the gates that have no name."""
    nodes = tuple(
        replace(n, name=n.letter) if n.kind == "gate" and n.key != n.letter else n
        for n in drawing.nodes
    )
    return replace(drawing, nodes=nodes)


def staged(scene: Scene, plan: Plan, decimals: Decimals, result: Result) -> Scene:
    """Give a scene its frames: the diagram in stages, a title above, a caption below."""
    stage = _Stage(plan)
    groups = tuple(stage.group(g) for g in scene.groups if g.role != "title")
    captions = Captions(plan, decimals, result)
    return _banded(replace(scene, groups=groups), [captions.of(k) for k in _frames(plan)])


def _frames(plan: Plan) -> range:
    return range(1, plan.last + 1)


class _Stage:
    """Give the items of each group their ranges of frames."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.last = plan, plan.last
        self.edges = {e.id: e for e in plan.drawing.edges}

    def group(self, group: Group) -> Group:
        """Stage one group."""
        kind, number = group.role, group.id[1:]
        if kind == "node" and number.isdigit():
            return replace(group, items=self._node(int(number), group.items))
        if kind == "edge" and number.isdigit():
            return replace(group, items=self._edge(self.edges[int(number)], group.items))
        if kind == "output" and number.isdigit():
            reached = self.plan.reached(int(number))
            wires = [i for i in group.items if isinstance(i, Path)]
            rest = [i for i in group.items if not isinstance(i, Path)]
            spans = ((reached, self.last),)
            before = timed([_greyed(i) for i in wires], (1, reached - 1))
            known = self.plan.known.get(int(number), 0)
            shown = before + _graded(wires, spans, known) + self._appearing(rest, reached)
            return replace(group, items=shown)
        return group

    def _appearing(self, items: Sequence[Item], frame: int) -> tuple[Item, ...]:
        """Show items in grey before a frame, and as they are from then on.

        On the way forward a gate that will carry no gradient is a gate like any other.
        """
        there = len(self.plan.forward)
        alike = [_unpruned(item) for item in items]
        before = timed([_greyed(item) for item in items], (1, frame - 1))
        if alike == list(items):
            return before + (timed(items, (frame, self.last)) if frame > 1 else tuple(items))
        after = timed(items, (max(frame, there + 1), self.last))
        return before + timed(alike, (max(frame, 1), there)) + after

    # -- nodes -------------------------------------------------------------------------------

    def _node(self, node: int, items: Sequence[Item]) -> tuple[Item, ...]:
        plan = self.plan
        reached, known = plan.reached(node), plan.known.get(node, 0)
        at_work = [f for f in (plan.forward.get(node), plan.backward.get(node)) if f]
        body = [i for i in items if i.part not in ("value", "gradient") and i.role != "stub"]
        stub = [i for i in items if i.role == "stub"]
        staged: list[Item] = []
        if at_work and isinstance(items[0], Box):
            staged += timed([_halo(items[0])], *((f, f) for f in at_work))
        staged += self._appearing(body, reached)
        for wire in stub:
            staged += self._stub(node, wire, items[0])
        values = [i for i in items if i.part == "value"]
        staged += timed(values, (max(1, reached), self.last))
        staged += self._gradient(node, [i for i in items if i.part == "gradient"], known)
        return tuple(staged)

    def _stub(self, node: int, wire: Item, gate: Item) -> tuple[Item, ...]:
        """Draw the stub grey, plain, green while it delivers, red while a gradient comes back."""
        assert isinstance(wire, Path)
        plan = self.plan
        there = [plan.forward[e.target] for e in plan.departures[node] if e.target in plan.forward]
        busy = dict.fromkeys(there, "value")
        # A gradient runs along the stub once all its branches have met at the fork.
        frame = plan.known.get(node, 0)
        arrives = frame and any(e.grad is not None for e in plan.departures[node])
        if arrives:
            busy[frame] = "gradient"
        looks = timed([_greyed(wire)], (1, plan.reached(node) - 1))
        looks += _graded([wire], free(plan.reached(node), self.last, sorted(busy)), frame)
        for k, colour in sorted(busy.items()):
            looks += timed([_thick(wire, colour)], (k, k))
        if arrives and isinstance(gate, Box):
            tip = gate.x + gate.width, wire.commands[0][1][1]
            head = arrowhead(tip, (-1.0, 0.0), "gradient", 1.35)
            looks += timed([replace(head, part="arrow")], (frame, frame))
        return looks

    def _gradient(self, node: int, labels: Sequence[Item], known: int) -> tuple[Item, ...]:
        """Show a gradient once it is complete; on a chip when it is new or the upstream one."""
        if not labels or not known:
            return ()
        chips: list[Item] = []
        own = self.plan.backward.get(node)
        if own:
            chips += timed([_chip(labels, "chip.upstream")], (own, own))
        if known != own:
            chips += timed([_chip(labels, "chip.new")], (known, known))
        return (*chips, *timed(labels, (known, self.last)))

    # -- edges -------------------------------------------------------------------------------

    def _edge(self, edge: DrawEdge, items: Sequence[Item]) -> tuple[Item, ...]:
        there = self.plan.forward.get(edge.target, 1)
        back = self.plan.backward.get(edge.target, 0) if edge.grad is not None else 0
        labels = [i for i in items if i.part == "gradient"]
        others = [i for i in items if i.part != "gradient"]
        paths = [i for i in others if isinstance(i, Path) and i.role in WIRES]
        rest = [i for i in others if not (isinstance(i, Path) and i.role in WIRES)]
        busy = [f for f in (there, back) if f]
        looks = timed([_greyed(i) for i in paths], (1, there - 1))
        looks += _graded(paths, free(there, self.last, busy), back)
        looks += timed([_thick(i, "value") for i in paths], (there, there))
        if back:
            looks += timed(self._returning(edge, paths), (back, back))
            if labels:
                looks += timed([_chip(labels, "chip.new")], (back, back))
                looks += timed(labels, (back, self.last))
        return (*looks, *self._appearing(rest, there))

    def _returning(self, edge: DrawEdge, paths: Sequence[Path]) -> list[Item]:
        """Draw an edge in the gradient's colour, from the gate back to where it came from."""
        line = next(p for p in paths if p.role == "edge")
        head = next(p for p in paths if p.role == "arrowhead")
        tip = head.commands[0][1]
        drawn = replace(line, commands=(*line.commands, ("L", tip)))
        items: list[Item] = [_thick(drawn, "gradient")]
        last = self.plan.known.get(edge.source) == self.plan.backward.get(edge.target)
        if len(self.plan.departures[edge.source]) > 1 and not last:
            start = line.commands[0][1]
            back = arrowhead((start[0], start[1]), (-1.0, 0.0), "gradient", 1.35)
            items.append(replace(back, part="arrow"))
        return items


def free(first: int, last: int, busy: Sequence[int]) -> Steps:
    """List the ranges between first and last that leave out some frames.

    >>> free(1, 9, [3, 4])
    ((1, 2), (5, 9))
    """
    spans: list[Span] = []
    start = first
    for frame in sorted(busy):
        spans.append((start, frame - 1))
        start = max(start, frame + 1)
    spans.append((start, last))
    return tuple((a, b) for a, b in spans if a <= b)


def _graded(items: Sequence[Item], spans: Steps, known: int) -> tuple[Item, ...]:
    """Show wires in the colour of their gradient once that is known, and plain before."""
    plain = [_plain(item) for item in items]
    if not known or plain == list(items):
        return timed(items, *spans)
    before = ((a, min(b, known - 1)) for a, b in spans)
    after = ((max(a, known), b) for a, b in spans)
    return timed(plain, *before) + timed(items, *after)


def _unpruned(item: Item) -> Item:
    """Draw the outline of a gate without a gradient like that of any other gate."""
    if isinstance(item, Box) and item.stroke == "pruned":
        return replace(item, stroke="gate.line", line=LINE + 0.2)
    return item


def _plain(item: Item) -> Path:
    """Draw a wire that is coloured by its gradient like any other."""
    assert isinstance(item, Path)
    if item.dash or item.role == "arrowhead":
        return replace(item, fill="edge" if item.fill.startswith("#") else item.fill)
    return replace(item, stroke="edge", width=LINE) if item.stroke.startswith("#") else item


def _greyed(item: Item) -> Item:
    """Draw what is not reached yet in light grey."""
    if isinstance(item, Label):
        return replace(item, colour="unreached.text")
    if isinstance(item, Box):
        return replace(item, stroke="unreached" if item.stroke else "")
    item = _plain(item)
    return replace(
        item,
        stroke="unreached" if item.stroke else "",
        fill="unreached" if item.fill else "",
    )


def _thick(item: Item, colour: str) -> Item:
    """Draw a wire at work: wide and in a colour."""
    assert isinstance(item, Path)
    if item.role == "arrowhead":
        tip, left, right = (c[1] for c in item.commands[:3])
        base = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
        length = max(1e-6, ((tip[0] - base[0]) ** 2 + (tip[1] - base[1]) ** 2) ** 0.5)
        inward = (tip[0] - base[0]) / length, (tip[1] - base[1]) / length
        return replace(arrowhead((tip[0], tip[1]), inward, colour, 1.35), part="arrow")
    return replace(item, stroke=colour, width=max(THICK, item.width), dash=())


def _halo(gate: Box) -> Box:
    grown = 2 * HALO
    return Box(
        "halo",
        gate.x - HALO,
        gate.y - HALO,
        gate.width + grown,
        gate.height + grown,
        min(gate.radius + HALO, gate.height / 2 + HALO),
        "halo",
        part="halo",
    )


def _chip(labels: Sequence[Item], fill: str) -> Box:
    left, top, right, bottom = extent(labels)
    width, height = right - left + 2 * CHIP, bottom - top + 1.4 * CHIP
    return Box("chip", left - CHIP, top - 0.7 * CHIP, width, height, 5.0, fill, part="chip")


# -- title and caption -----------------------------------------------------------------------


def _banded(scene: Scene, captions: Sequence[Caption]) -> Scene:
    """Put titles above and captions below; the bands are as high as the highest needs."""
    width = max(scene.width, ROOMY if any(len(c.equations) > 2 for c in captions) else LEAST)
    grown = min(max(1.0, width / WIDE), MOST)
    laid = [stacked(c.equations, (width - 2 * MARGIN) / grown) for c in captions]
    rows = [tuple(item.scaled(grown) for item in row) for row in laid]
    boxes = [extent(row) for row in rows]
    titles = [plain(c.title) for c in captions]
    size = TITLE * 0.86 * grown
    top = MARGIN + max(-t.top for t in titles) * size
    lift = top + ABOVE * grown - MARGIN
    width = max([width, *(b[2] - b[0] + 2 * MARGIN for b in boxes)])
    shift = (width - scene.width) / 2
    legend = [g for g in scene.groups if g.role == "legend"]
    drawn = [g for g in scene.groups if g.role != "legend"]
    below = lift + extent(i for g in drawn for i in g.items)[3] + BAND
    groups = [_moved(g, shift, lift) for g in drawn]
    for k, (caption, row, title) in enumerate(zip(captions, rows, titles, strict=True), 1):
        label = Label("title", title, MARGIN - title.left * size, top, size, "text")
        groups.append(Group(f"title{k}", "title", caption.title, timed([label], (k, k))))
        items = timed([i.moved(width / 2, below) for i in row], (k, k))
        groups.append(Group(f"caption{k}", "caption", caption.notes, items))
    height = below + max((b[3] for b in boxes), default=0.0)
    for group in legend:
        _, high, _, low = extent(group.items)
        groups.append(_moved(group, 0.0, height + BAND - high))
        height += BAND + low - high
    height += MARGIN
    frames = tuple(
        Frame(c.title, tuple(written(e) for e in c.equations), c.notes) for c in captions
    )
    return replace(
        scene, width=float(round(width)), height=float(round(height + 0.5)),
        groups=tuple(groups), frames=frames,
    )  # fmt: skip


def _moved(group: Group, dx: float, dy: float) -> Group:
    return replace(group, items=tuple(item.moved(dx, dy) for item in group.items))
