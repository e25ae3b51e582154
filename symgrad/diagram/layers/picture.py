"""Assemble the scene of layer cards."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.diagram.cards import Block
from symgrad.diagram.compose import Options
from symgrad.diagram.from_graph import Result
from symgrad.diagram.layers import card, says
from symgrad.diagram.layers.assemble import (
    blocks,
    framed,
    label_block,
    measured,
    output,
    stubbed,
    wired,
)
from symgrad.diagram.layers.choose import chosen
from symgrad.diagram.layers.figures import Facts, facts
from symgrad.diagram.layers.find import find
from symgrad.diagram.layers.fold import Piece, plan
from symgrad.diagram.layers.grid import Grid, Wire, main, place
from symgrad.diagram.layers.inner import inner_tile
from symgrad.diagram.layers.legend import legend
from symgrad.diagram.layers.print import Grades, Printer
from symgrad.diagram.layers.wires import draw
from symgrad.diagram.scene import Group, Scene
from symgrad.diagram.tensor import rms
from symgrad.errors import UsageError
from symgrad.graph import Graph, Node
from symgrad.shapes import Shape

GATES = 40  # operators up to which single gates are legible
LANES = 6  # wires above each other; beyond that only those between neighbours are drawn


def scene(
    graph: Graph,
    result: Result | None,
    options: Options,
    digits: int = 2,
    *,
    fold: str | Collection[str | int] = "auto",
    expand: Collection[str | int] = (),
) -> Scene:
    """Draw a graph as layer cards.

    `fold` is "auto" (three and more identical layers in a row are one card "× N"), "none", or the
    names or numbers of layers that stay open; a layer is named by any name in it, numbers count
    layers from 1. `expand` names layers to be drawn gate by gate, in a frame. Raises `UsageError`
    for an unknown layer.
    """
    return _Picture(graph, result, options, digits).draw(fold, expand)


class _Picture:
    """Hold what the steps of one drawing share."""

    def __init__(self, graph: Graph, result: Result | None, options: Options, digits: int) -> None:
        self.graph, self.result, self.options = graph, result, options
        self.flow, self.units = find(graph)
        self.digits = digits

    def draw(self, fold: str | Collection[str | int], expand: Collection[str | int]) -> Scene:
        """Plan, place and draw."""
        if isinstance(fold, str) and fold not in ("auto", "none"):
            raise UsageError(
                f"unknown fold={fold!r}", hint="'auto', 'none', or a list of layers to keep open"
            )
        opened = chosen(self.graph, self.units, expand)
        kept = opened | (chosen(self.graph, self.units, fold) if not isinstance(fold, str) else {})
        made = plan(self.flow, self.units, self.shape, lambda u: id(u) in kept, fold != "none")
        self.made = made
        self.wires, self.hidden = self.links()
        self.sizes = [self.size(p.last.exit) for p in made.pieces]
        self.flows = [self.contribution(w) for w in self.wires]
        every = [s for s in (*self.sizes, *self.flows) if s is not None]
        told = [
            (facts(self.flow, p.units[0], self.result), facts(self.flow, p.last, self.result))
            for p in made.pieces
        ]
        weights = [f.grad for pair in told for f in pair if f.grad is not None]
        self.printer = Printer.suited([*every, *weights], self.scalars(), self.digits)
        self.grades = Grades.suited(every, self.options.theme)
        self.opened = opened
        tiles = self.tiles(told)
        labels = [self.labels(k) for k in range(len(made.pieces))]
        widths = [max((b.width for b in pair if b), default=0.0) for pair in labels]
        grid = place(
            made,
            tiles,
            [w + 16.0 + t.back if w else t.back for w, t in zip(widths, tiles, strict=True)],
            self.wires,
        )
        dashed = self.result is not None
        groups = blocks(made, grid, tiles)
        groups += self.edge_groups(grid, tiles, dashed)
        groups += self.node_groups(grid, tiles, labels, told)
        return self.framed(groups, tiles)

    def shape(self, node: Node) -> Shape:
        """Give the shape of a node, in numbers where they are known."""
        if self.result is not None and node in self.result.values:
            return tuple(np.shape(self.result.values[node]))
        return tuple(self.graph.dims.get(str(d), d) for d in node.shape)

    def links(self) -> tuple[list[Wire], list[int]]:
        """List the wires, and for each piece how many earlier ones it reads without a wire."""
        made = self.made
        every = [Wire(s, k) for k, sources in enumerate(made.parents) for s in sources]
        far = [w for w in every if made.ranks[w.target] - made.ranks[w.source] > 1]
        hidden = [0] * len(made.pieces)
        over: dict[int, int] = {}
        for wire in far:
            for rank in range(made.ranks[wire.source], made.ranks[wire.target]):
                over[rank] = over.get(rank, 0) + 1
        if max(over.values(), default=0) <= LANES:
            return every, hidden
        for wire in far:
            hidden[wire.target] += 1
        return [w for w in every if w not in far], hidden

    def size(self, node: Node) -> float | None:
        """Give the root mean square of a node's gradient."""
        if self.result is None or node not in self.result.grads:
            return None
        return rms(np.asarray(self.result.grads[node]))

    def contribution(self, wire: Wire) -> float | None:
        """Give the root mean square of what flows back along a wire."""
        if self.result is None:
            return None
        source, target = self.made.pieces[wire.source], self.made.pieces[wire.target]
        givers = source.units if source.merged else (source.last,)
        if source.kind == "input":
            givers = source.units
        nodes = dict.fromkeys(n for u in givers for n in u.nodes)
        shares: dict[Node, Any] = {}
        for unit in target.units:
            for consumer in unit.nodes:
                for k, operand in enumerate(consumer.args):
                    share = self.result.contributions.get((consumer, k))
                    if operand in nodes and operand in self.result.grads and share is not None:
                        shares[operand] = shares.get(operand, np.zeros(())) + np.asarray(share)
        if not shares:
            return None
        return rms(np.concatenate([np.ravel(s) for s in shares.values()]))

    def scalars(self) -> list[float]:
        """List the single numbers that stand on the wires."""
        if self.result is None:
            return []
        exits = [p.last.exit for p in self.made.pieces]
        found = [self.result.values[n] for n in exits if n in self.result.values]
        return [float(v) for v in found if np.ndim(v) == 0]

    def tiles(self, told: Sequence[tuple[Facts, Facts]]) -> list[card.Tile]:
        """Draw the card of each piece."""
        pieces, printer = self.made.pieces, self.printer if self.result is not None else None
        texts = {
            k: says.text(p, told[k], self.flow, self.shape, printer)
            for k, p in enumerate(pieces)
            if not _plain(p) and not self.is_open(p)
        }
        for k, number in enumerate(self.hidden):
            if number and k in texts:
                texts[k] = replace(texts[k], status=f"reads {number} more")
        lines = card.Lines.suited(list(texts.values()))
        return [
            card.layer_tile(texts[k], lines) if k in texts else self.small(p)
            for k, p in enumerate(pieces)
        ]

    def is_open(self, piece: Piece) -> bool:
        """Say whether a piece is drawn gate by gate."""
        return piece.count == 1 and not piece.merged and id(piece.last) in self.opened

    def small(self, piece: Piece) -> card.Tile:
        """Draw a piece that is no card of a layer: an input, a gate, a loss, a penalty."""
        from symgrad.diagram.gates import gate
        from symgrad.formula.names import latex_name

        if self.is_open(piece):
            return inner_tile(
                self.flow, piece.last, self.result, self.options, (self.printer, self.grades)
            )
        unit, repeats = piece.units[0], piece.count if piece.block < 0 else 1
        if piece.kind == "input":
            return card.leaf_tile([str(u.exit.attrs["name"]) for u in piece.units])
        if piece.kind == "penalty":
            weights = dict.fromkeys(a for n in unit.nodes for a in n.args if a in self.flow.weights)
            shown = [latex_name(str(w.attrs["name"])[:12]) for w in weights]
            if len(shown) > 3:
                shown = [shown[0], r"\ldots", shown[-1]]
            return card.small_tile("penalty", r",\,".join(shown))
        symbol = unit.parts[0] if unit.parts else r"\mathrm{loss}"
        if piece.kind == "operations":
            symbol = gate(unit.exit).symbol
        name = " … ".join(dict.fromkeys(says.names(piece, self.flow)))
        return card.gate_tile(symbol, repeats, "" if piece.last.exit in self.flow.outputs else name)

    def labels(self, k: int) -> tuple[Block | None, Block | None]:
        """Print what stands on a piece's stub: its shape or value above, its gradient below."""
        piece = self.made.pieces[k]
        node = piece.last.exit
        if piece.merged or (piece.kind == "input" and len(piece.units) > 1):
            return None, None
        above = below = None
        value = None
        shape = self.shape(node)
        if shape:
            above = r"{\times}".join(says.side(d) for d in shape)
        elif self.result is not None:
            value = float(self.result.values[node])
            above = self.printer.value(value)
        size = self.sizes[k]
        if size is not None and self.result is not None:
            grad = self.result.grads[node]
            below = self.printer.size(size) if shape else self.printer.value(float(grad))
            if self.options.theme.marks:
                below = r"{\leftarrow}\," + below
        return label_block(above, "value", value), label_block(below, "gradient", size)

    def edge_groups(self, grid: Grid, tiles: Sequence[card.Tile], numbers: bool) -> list[Group]:
        """Draw the wires between the cards."""
        strokes = [self.grades.stroke(s) for s in self.flows]
        drawn = draw(self.made, grid, tiles, self.wires, strokes)
        groups = []
        for k, (wire, items) in enumerate(zip(self.wires, drawn, strict=True)):
            size = self.flows[k]
            ends = self.key(wire.source), self.key(wire.target)
            groups.append(wired(k, ends, items, size, numbers and size is None))
        return groups

    def node_groups(
        self,
        grid: Grid,
        tiles: Sequence[card.Tile],
        labels: Sequence[tuple[Block | None, Block | None]],
        told: Sequence[tuple[Facts, Facts]],
    ) -> list[Group]:
        """Draw the cards with their stubs, and the arrows of the outputs."""
        groups = []
        read = dict.fromkeys(w.source for w in self.wires)
        for k, piece in enumerate(self.made.pieces):
            at = grid.x[k], grid.y[k]
            items = tuple(item.moved(*at) for item in tiles[k].items)
            out = any(u.exit in self.flow.outputs for u in piece.units)
            stroke = self.grades.stroke(self.sizes[k])
            pruned = self.result is not None and self.sizes[k] is None
            if k in read or out:
                start = at[0] + tiles[k].width
                span = start, start + tiles[k].back, grid.stub[k]
                items += stubbed(span, at[1], labels[k], stroke, pruned)
            if out and k not in read:
                name = self.graph.name(piece.last.exit) or ""
                end = grid.stub[k], at[1]
                groups.append(output(k, self.key(k), end, stroke, pruned, name))
            groups.append(Group(f"card{k}", "node", self.label(k), items, self.data(k, told[k])))
            for group in tiles[k].inner:
                moved = tuple(item.moved(*at) for item in group.items)
                groups.append(replace(group, id=f"card{k}-{group.id}", items=moved))
        return groups

    def key(self, k: int) -> str:
        """Name a piece without doubt."""
        piece = self.made.pieces[k]
        found = says.names(piece, self.flow)
        return "…".join(dict.fromkeys(found)) if found else f"{piece.kind}#{k}"

    def label(self, k: int) -> str:
        """Describe a piece for those who cannot see it."""
        piece = self.made.pieces[k]
        title = piece.units[0].title if piece.kind == "layer" else piece.kind
        return f"{title} {self.key(k)}" + (f", {piece.count} times" if piece.count > 1 else "")

    def data(self, k: int, told: tuple[Facts, Facts]) -> tuple[tuple[str, str], ...]:
        """Spell what a card says at full precision."""
        piece = self.made.pieces[k]
        found = [("node", self.key(k)), ("op", piece.units[0].title or piece.kind)]
        found.append(("repeats", str(piece.count)))
        shape = self.shape(piece.last.exit)
        if shape and not piece.merged:
            found.append(("shape", " ".join(str(d) for d in shape)))
        for word, fact in (("first", told[0]), ("last", told[1]))[: 1 + (piece.count > 1)]:
            if fact.share is not None:
                found.append((f"{fact.word.replace(' ', '-')}-{word}", repr(fact.share)))
            if fact.grad is not None:
                found.append((f"weight-gradient-rms-{word}", measured(fact.grad)))
        size = self.sizes[k]
        return (*found, ("gradient-rms", measured(size))) if size is not None else tuple(found)

    def headline(self) -> str:
        """Say how the gradient changes between the loss and the input."""
        made = self.made
        here = main(made, range(len(made.pieces)))
        sizes: list[float] = []
        layers, at_input = 0, False
        while here >= 0:
            piece, size = made.pieces[here], self.sizes[here]
            layers += piece.count * (piece.kind == "layer")
            if size is not None and piece.kind in ("layer", "input") and not piece.merged:
                sizes.append(size)
                at_input = piece.kind == "input"
            here = main(made, made.parents[here])
        return says.headline(sizes, at_input) if layers > 1 else ""

    def framed(self, groups: list[Group], tiles: Sequence[card.Tile]) -> Scene:
        """Add title, headline, legend and notes."""
        count = len(self.flow.order)
        notes = []
        if count > GATES:
            notes.append(
                f"drawn as layer cards: {count:,} operations are too many for single gates"
            )
        if any(p.count > 1 and p.kind != "input" for p in self.made.pieces):
            notes.append(
                "× N stands for N layers of one form; the numbers are the first … the last"
            )
        if any(self.hidden):
            notes.append("wires are drawn between neighbouring cards only")
        dashed = self.result is not None and any(s is None for s in self.flows)
        said = self.headline() if self.result is not None else ""
        return framed(
            groups,
            self.options,
            said,
            lambda width: legend(tiles, self.grades, notes, dashed, width),
            notes,
        )


def _plain(piece: Piece) -> bool:
    """Say whether a piece is drawn as a gate or a leaf, not as a card."""
    if piece.kind == "operations":
        return not piece.merged and len(piece.units[0].nodes) == 1
    return piece.kind != "layer"
