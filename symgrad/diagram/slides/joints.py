"""Glue wires to gates: connectors that stay attached when a lecturer moves a gate."""

from collections.abc import Sequence

from symgrad.diagram.scene import Box, Group, Item, Path, Scene
from symgrad.diagram.slides import shapes
from symgrad.diagram.slides.shapes import Sheet
from symgrad.diagram.slides.tags import Tags

LEVEL = 9.0  # a wire that climbs less than this is drawn straight
# Where wires leave and arrive, by preset shape: sites are numbered against the clock from the top.
RIGHT = {"ellipse": 6, "roundRect": 3, "rect": 3}
LEFT = {"ellipse": 2, "roundRect": 1, "rect": 1}
ABOVE, BELOW = 1, 3  # the sites of an oval at its upper left and lower left
DIAGONAL = 0.5**0.5
ARROW = '<a:{} type="triangle" w="med" len="med"/>'
GATES = ("gate", "input", "parameter", "constant")


class Joints:
    """Know the gates of a scene, and draw each edge from one to the other."""

    def __init__(self, scene: Scene) -> None:
        self.gates: dict[str, Box] = {}
        self.left: set[str] = set()
        for group in scene.groups:
            data = dict(group.data)
            boxes = [i for i in group.items if isinstance(i, Box) and i.role in GATES]
            if "node" in data and boxes:
                self.gates[data["node"]] = boxes[0]
            if "from" in data:
                self.left.add(data["from"])

    def replaces(self, group: Group) -> bool:
        """Say whether the stub of a node is a part of the connectors that leave it."""
        return dict(group.data).get("node") in self.left

    def edge(self, group: Group, items: Sequence[Item], sheet: Sheet, tags: Tags) -> str:
        """Draw an edge as a connector; nothing if its ends are unknown."""
        data = dict(group.data)
        source, target = self.gates.get(data.get("from", "")), self.gates.get(data.get("to", ""))
        lines = [i for i in items if isinstance(i, Path) and i.stroke and not i.fill]
        heads = [i for i in items if isinstance(i, Path) and i.role == "arrowhead"]
        if source is None or target is None or not lines:
            return ""
        line = lines[-1]
        start = source.x + source.width, source.y + source.height / 2
        (x, y), site = _arrival(target, start[1])
        # It turns behind the stub, on which the numbers stand.
        stub = max(start[0], min(item.extent()[0] for item in lines))
        turn = round((0.45 * stub + 0.55 * x - start[0]) / max(1.0, x - start[0]) * 1e5)
        level = abs(y - start[1]) <= LEVEL
        shape = "straightConnector1" if level else "bentConnector3"
        bend = "" if level else f'<a:gd name="adj1" fmla="val {turn}"/>'
        # On the way back the arrow stands at the gate where the edge begins, in its group.
        back = all(h.commands[0][1][0] < (start[0] + x) / 2 for h in heads)
        end = ARROW.format("headEnd" if back else "tailEnd")
        ids = [tags.id(f"gate {tags.short(data[end])}") for end in ("from", "to")]
        glue = (
            f'<a:stCxn id="{ids[0]}" idx="{RIGHT[shapes.geometry(source)]}"/>'
            f'<a:endCxn id="{ids[1]}" idx="{site}"/>'
        )
        drawn = sheet.line(line.stroke, line.width, line.dash, end)
        tag = tags.tag(f"edge {tags.owner(group)}", group.label)
        return shapes.wire(start, (x, y), shape, sheet, tag, drawn, glue, bend)


def _arrival(gate: Box, height: float) -> tuple[tuple[float, float], int]:
    """Choose the site where a wire arrives: level, or from above or below into an oval."""
    shape = shapes.geometry(gate)
    middle = gate.y + gate.height / 2
    away = height - middle
    if shape != "ellipse" or abs(away) <= LEVEL:
        return (gate.x, middle), LEFT[shape]
    radius = gate.width / 2
    x = gate.x + radius * (1 - DIAGONAL)
    rise = radius * DIAGONAL
    return ((x, middle - rise), ABOVE) if away < 0 else ((x, middle + rise), BELOW)
