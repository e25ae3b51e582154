"""Draw a network neuron by neuron: circles in columns, every weight an edge, the loss behind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot

from symgrad.diagram import measure
from symgrad.diagram.cards import Block, text_block
from symgrad.diagram.compose import Options
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import Result
from symgrad.diagram.layers.assemble import framed
from symgrad.diagram.layers.legend import Entry, keyed, stacked
from symgrad.diagram.neurons import labels, words
from symgrad.diagram.neurons.head import head_groups
from symgrad.diagram.neurons.network import FIRST, Network, Neuron, Weight, read
from symgrad.diagram.route import arrowhead
from symgrad.diagram.scene import Box, Group, Item, Label, Path, Point, Scene, tagged
from symgrad.diagram.style import LINE, Theme
from symgrad.graph import Graph

WIDE, SMALL = 66.0, 50.0  # diameter of a unit, with few and with many in a column
APART = {(True, True): 156.0, (True, False): 104.0, (False, True): 88.0, (False, False): 66.0}
GAP, WIDEST = 270.0, 900.0  # between columns whose weights are printed
BARE = 220.0  # between columns whose weights are not
VALUE, NUMBER, NAME = 20.0, 17.0, 17.0  # em
THIN, THICK = 0.7, 4.2  # width of the smallest and the largest weight


@dataclass(frozen=True, slots=True)
class Spot:
    """Place a neuron; those that are not drawn have no spot."""

    x: float
    y: float


def scene(
    graph: Graph, result: Result | None, options: Options, digits: int = 2, *, sample: int = 0
) -> Scene:
    """Draw a network as circles and weights; of a batch, the row `sample` is shown.

    Raises `UsageError` for a graph that is no network of layers, or a sample that there is not.
    """
    network = read(graph, result, sample)
    numbers = [v for v in words.numbers(network) if v is not None]
    return _Picture(network, options, Decimals.suited(numbers, digits), sample).draw()


class _Picture:
    """Hold what the steps of one drawing share."""

    def __init__(self, network: Network, options: Options, decimals: Decimals, sample: int) -> None:
        self.network, self.options, self.decimals = network, options, decimals
        self.sample = sample
        self.theme: Theme = options.theme
        most = max(len(words.shown(c)) for c in network.columns)
        self.numbers = any(u.value is not None for c in network.columns for u in c.units)
        self.few = most <= words.PRINTED
        self.radius = (WIDE if self.few else SMALL) / 2
        self.apart = APART[self.few, self.numbers]
        sizes = [abs(w.value) for ws in network.weights for w in ws if w.value is not None]
        self.largest = max((s for s in sizes if s - s == 0), default=0.0) or 1.0

    def draw(self) -> Scene:
        """Place the columns one after the other, then draw everything."""
        self.spots: list[dict[int, Spot]] = [self.column(0, 0.0)]
        edges: list[Group] = []
        for number in range(len(self.network.weights)):
            chips = self.printed(number)
            gap, places = self.fitted(number, chips)
            x = self.right(number) + gap + 2 * self.radius
            self.spots.append(self.column(number + 1, x))
            edges += self.edges(number, chips, places)
        units = [g for k in range(len(self.spots)) for g in self.units(k)]
        heads = [self.header(k) for k in range(len(self.spots))]
        outputs = [(s.x, s.y) for s in self.spots[-1].values()]
        tail = head_groups(self.network, outputs, self.radius, self.decimals, self.theme)
        notes = words.notes(self.network, self.sample)
        return framed(
            [*edges, *tail, *units, *heads],
            self.options,
            "",
            lambda width: stacked(self.keys(), notes, width),
            notes,
        )

    def right(self, number: int) -> float:
        """Give the x of a column's units."""
        return next(iter(self.spots[number].values())).x

    def column(self, number: int, x: float) -> dict[int, Spot]:
        """Place the units of a column, centred; dots take the place of one."""
        drawn = words.shown(self.network.columns[number])
        elided = len(drawn) < len(self.network.columns[number].units)
        count = len(drawn) + elided
        spots = {}
        for i, k in enumerate(drawn):
            slot = i + (elided and i >= FIRST)
            spots[k] = Spot(x, (slot - (count - 1) / 2) * self.apart)
        return spots

    def drawn(self, number: int) -> list[Weight]:
        """List the weights between two columns whose both ends are drawn."""
        before, after = (words.shown(self.network.columns[number + d]) for d in (0, 1))
        here, there = dict.fromkeys(before), dict.fromkeys(after)
        return [w for w in self.network.weights[number] if w.source in here and w.target in there]

    def printed(self, number: int) -> list[Block]:
        """Typeset the weights between two columns, if they are few enough."""
        sides = [len(self.network.columns[number + d].units) for d in (0, 1)]
        if not self.numbers or max(sides) > words.PRINTED or not self.few:
            return []
        return [self.chip(w) for w in self.drawn(number)]

    def chip(self, weight: Weight) -> Block:
        """Set a weight above its gradient, on a chip of the background's colour."""
        lines = [self.number(weight.value, "value", NUMBER)]
        if weight.grad is not None:
            lines.append(self.number(weight.grad, "gradient", NUMBER))
        return words.chip(lines)

    def number(self, value: float | None, role: str, size: float) -> Block:
        """Print one number."""
        number = 0.0 if value is None else value
        latex = self.decimals.latex(number)
        if role == "gradient" and self.theme.marks:
            latex = r"{\leftarrow}\," + latex
        colour = role if number - number == 0 else "warning"
        block = text_block(measure.decimal(latex), role, size, colour)
        # An exercise may ask for any gradient, but only for the values inside units.
        return replace(block, items=tagged(block.items, role)) if role == "gradient" else block

    def fitted(self, number: int, chips: Sequence[Block]) -> tuple[float, list[Point] | None]:
        """Find the least gap behind a column in which all labels have room."""
        gap = GAP + 6.0 * max(0, len(chips) - 4) if chips else BARE
        while chips and gap <= WIDEST:
            x = self.right(number) + gap + 2 * self.radius
            after = self.column(number + 1, x)
            lines = [
                self.line(self.spots[number][w.source], after[w.target]) for w in self.drawn(number)
            ]
            blocked = [
                box
                for column, spots in ((number, self.spots[number]), (number + 1, after))
                for k, spot in spots.items()
                for box in self.around(self.network.columns[column].units[k], spot)
            ]
            found = labels.place(lines, [(c.width, c.height) for c in chips], blocked)
            if found is not None:
                return gap, found
            gap += 60.0
        return (BARE if chips else gap), None

    def line(self, a: Spot, b: Spot) -> tuple[Point, Point]:
        """Join the rims of two circles, along the line of their centres."""
        length = hypot(b.x - a.x, b.y - a.y)
        dx, dy = (b.x - a.x) / length * self.radius, (b.y - a.y) / length * self.radius
        return (a.x + dx, a.y + dy), (b.x - dx, b.y - dy)

    def around(self, unit: Neuron, spot: Spot) -> list[tuple[float, float, float, float]]:
        """Give the boxes that a unit and its texts take."""
        boxes = [item.extent() for item in self.texts(unit, spot)]
        r = self.radius + 4.0
        return [(spot.x - r, spot.y - r, spot.x + r, spot.y + r), *boxes]

    def texts(self, unit: Neuron, spot: Spot) -> tuple[Item, ...]:
        """Set the name above a unit, its gradient and its bias below it."""
        if not self.numbers:
            return ()
        items: tuple[Item, ...] = ()
        if self.few:
            name = text_block(measure.math(unit.name), "name", NAME, "muted")
            y = spot.y - self.radius - 5.0 - name.height
            items += words.chip([name]).at(spot.x - name.width / 2 - 2.0, y - 2.0)
        y = spot.y + self.radius + 3.0
        size = NUMBER if self.few else NUMBER - 1
        if unit.delta is not None:
            block = words.chip([self.number(unit.delta, "gradient", size)])
            items += block.at(spot.x - block.width / 2, y)
            y += block.height + 1.0
        if unit.bias is not None and self.few:
            parts = [text_block(measure.math("b"), "name", NUMBER, "muted")]
            parts.append(self.number(unit.bias, "value", NUMBER))
            if unit.bias_grad is not None:
                parts.append(self.number(unit.bias_grad, "gradient", NUMBER))
            block = words.beside(parts)
            items += block.at(spot.x - block.width / 2, y)
        return items

    def edges(
        self, number: int, chips: Sequence[Block], places: Sequence[Point] | None
    ) -> list[Group]:
        """Draw the weights between two columns, the labels on top of all lines."""
        lines, marks = [], []
        for k, weight in enumerate(self.drawn(number)):
            a, b = self.spots[number][weight.source], self.spots[number + 1][weight.target]
            start, end = self.line(a, b)
            colour, width, dash = self.stroke(weight.value)
            path = Path("edge", (("M", start), ("L", end)), colour, "", width, dash)
            items: tuple[Item, ...] = (path,)
            if places is not None and chips:
                length = hypot(end[0] - start[0], end[1] - start[1])
                inward = (end[0] - start[0]) / length, (end[1] - start[1]) / length
                items += (arrowhead(end, inward, colour, 0.8 + width / 10),)
            names = [
                self.network.columns[number + d].units[i].name
                for d, i in ((0, weight.source), (1, weight.target))
            ]
            data = [("from", names[0]), ("to", names[1])]
            pairs = (("value", weight.value), ("grad", weight.grad))
            data += [(key, repr(v)) for key, v in pairs if v is not None]
            label = f"weight from {names[0]} to {names[1]}"
            lines.append(Group(f"w{number}-{k}", "edge", label, items, tuple(data)))
            if places is not None and chips:
                block, (x, y) = chips[k], places[k]
                shown_ = block.at(x - block.width / 2, y - block.height / 2)
                marks.append(Group(f"c{number}-{k}", "label", label, shown_))
        return lines + marks

    def stroke(self, value: float | None) -> tuple[str, float, tuple[float, ...]]:
        """Give colour, width and dash of a weight: its sign and its size."""
        if value is None or value - value != 0:
            return "edge" if value is None else "warning", 1.2, ()
        width = THIN + (THICK - THIN) * min(1.0, abs(value) / self.largest)
        if self.theme.marks:
            return "edge", width, (7.0, 4.0) if value < 0 else ()
        return ("cell.low", width, (7.0, 4.0)) if value < 0 else ("cell.high", width, ())

    def units(self, number: int) -> list[Group]:
        """Draw the circles of a column, and dots for those that are left out."""
        column = self.network.columns[number]
        kind = "input" if number == 0 else "gate"
        groups = []
        for k, spot in self.spots[number].items():
            unit, r = column.units[k], self.radius
            circle = Box(
                kind,
                spot.x - r,
                spot.y - r,
                2 * r,
                2 * r,
                r,
                f"{kind}.fill",
                f"{kind}.line",
                LINE + 0.4,
            )
            inside = self.inside(unit)
            x, y = spot.x - inside.width / 2, spot.y - inside.height / 2
            items = (circle, *inside.at(x, y), *self.texts(unit, spot))
            data = [("node", unit.name)]
            pairs = (("value", unit.value), ("delta", unit.delta), ("bias", unit.bias))
            data += [(key, repr(v)) for key, v in pairs if v is not None]
            groups.append(Group(f"u{number}-{k}", "node", f"unit {unit.name}", items, tuple(data)))
        spots = list(self.spots[number].values())
        if len(spots) < len(column.units):
            x, y = spots[0].x, (spots[FIRST - 1].y + spots[FIRST].y) / 2
            dots = tuple(
                Box("dots", x - 3.0, y + d - 3.0, 6.0, 6.0, 3.0, "muted")
                for d in (-13.0, 0.0, 13.0)
            )
            left = len(column.units) - len(spots)
            groups.append(Group(f"d{number}", "dots", f"{left} more units", dots))
        return groups

    def inside(self, unit: Neuron) -> Block:
        """Set what stands in a circle: the value, or the name without numbers."""
        room = 2 * self.radius - 8.0
        if unit.value is None:
            block = text_block(measure.math(unit.name), "symbol", VALUE, "text")
        else:
            block = self.number(unit.value, "value", VALUE if self.few else NUMBER)
        label = block.items[0]
        assert isinstance(label, Label)
        if block.width > room:
            size = label.size * room / block.width
            block = text_block(label.outline, label.role, size, label.colour)
        part = "" if unit.value is None else "value"
        return replace(block, items=tagged(block.items, part))

    def header(self, number: int) -> Group:
        """Write above a column what it is."""
        column, last = self.network.columns[number], len(self.network.columns) - 1
        hidden = "hidden" if last == 2 else f"hidden {number}"
        title = "input" if not number else "output" if number == last else hidden
        lines = [title + (f" · {column.act}" if column.act else "")]
        if len(words.shown(column)) < len(column.units):
            lines.append(f"{column.size} units")
        top = min(s.y for spots in self.spots for s in spots.values()) - self.radius - 40.0
        items = []
        for i, line in enumerate(reversed(lines)):
            outline = measure.plain(line)
            x = self.right(number) - (outline.left + outline.right) / 2 * NAME
            items.append(
                Label(
                    "name",
                    outline,
                    x,
                    top - 22.0 * i,
                    NAME,
                    "text" if i == len(lines) - 1 else "muted",
                )
            )
        return Group(f"h{number}", "header", ", ".join(lines), tuple(items))

    def keys(self) -> list[Entry]:
        """Explain the numbers and the edges."""
        if not self.numbers:
            return []
        entries = []
        graded = any(u.delta is not None for c in self.network.columns for u in c.units)
        dot = Box("key", 0.0, -13.0, 14.0, 14.0, 7.0, "value")
        if not self.theme.marks:
            entries.append(keyed((dot,), "value"))
        if graded:
            dot = Box("key", 0.0, -13.0, 14.0, 14.0, 7.0, "gradient")
            arrow = Label("key", measure.math(r"\leftarrow"), 0.0, 0.0, 18.0, "gradient")
            key = arrow if self.theme.marks else dot
            entries.append(keyed((key,), "gradient; below a unit: of its input, δ"))
        for value, text in ((1.0, "weight > 0"), (-1.0, "weight < 0; the wider, the larger")):
            colour, width, dash = self.stroke(value * self.largest * 0.6)
            line = (("M", (0.0, -5.0)), ("L", (34.0, -5.0)))
            entries.append(keyed((Path("key", line, colour, "", width, dash),), text))
        return entries
