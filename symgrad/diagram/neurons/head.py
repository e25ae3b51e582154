"""Draw what follows the last column: the loss with its value, and the target."""

from collections.abc import Sequence
from math import hypot

from symgrad.diagram.digits import Decimals, constant
from symgrad.diagram.layers.assemble import label_block, output, stubbed
from symgrad.diagram.layers.card import gate_tile, leaf_tile
from symgrad.diagram.neurons.network import Network
from symgrad.diagram.route import arrowhead
from symgrad.diagram.scene import Group, Path, Point
from symgrad.diagram.style import LINE, Theme

AWAY = 96.0  # between the last column and the loss
BELOW = 118.0  # between the loss and its target
FEW = 4  # entries of a target that are printed


def head_groups(
    network: Network, outputs: Sequence[Point], radius: float, decimals: Decimals, theme: Theme
) -> list[Group]:
    """Draw the loss behind the outputs; without a loss, each output has a free arrow."""
    if not network.loss:
        return [
            output(k, f"y{k}", (x + radius, y), ("edge", LINE), False, "")
            for k, (x, y) in enumerate(outputs)
        ]
    tile = gate_tile(network.loss, 1)
    x = outputs[0][0] + radius + AWAY
    half = tile.top
    groups = []
    for k, (ox, oy) in enumerate(outputs):
        centre = x + half, 0.0
        length = hypot(centre[0] - ox, centre[1] - oy)
        u, v = (centre[0] - ox) / length, (centre[1] - oy) / length
        start, end = (ox + u * radius, oy + v * radius), (centre[0] - u * half, -v * half)
        base = end[0] - u * 8.0, end[1] - v * 8.0
        line = Path("edge", (("M", start), ("L", base)), "edge", "", LINE)
        items = line, arrowhead(end, (u, v), "edge")
        groups.append(Group(f"l{k}", "edge", "edge to the loss", items))
    middle = x + tile.width / 2
    groups += _target(network, middle, half, decimals)
    above = None if network.value is None else decimals.latex(network.value)
    below = None if network.grad is None else decimals.latex(network.grad)
    if below is not None and theme.marks:
        below = r"{\leftarrow}\," + below
    labels = label_block(above, "value", network.value), label_block(below, "gradient")
    start_x = x + tile.width
    length = max([b.width + 16.0 for b in labels if b is not None], default=0.0)
    items_ = tuple(item.moved(x, 0.0) for item in tile.items)
    span = start_x, start_x, start_x + length
    items_ += stubbed(span, 0.0, labels, ("edge", LINE), False)
    key = network.output or "loss"
    data = [("node", key)]
    data += [] if network.value is None else [("value", repr(network.value))]
    groups.append(Group("loss", "node", f"loss {key}", items_, tuple(data)))
    tip = start_x + length, 0.0
    groups.append(output(0, key, tip, ("edge", LINE), False, network.output))
    return groups


def _target(network: Network, middle: float, half: float, decimals: Decimals) -> list[Group]:
    """Draw the target below the loss."""
    if not network.target:
        return []
    names = ", ".join(network.target)
    leaf = leaf_tile(network.target)
    y = BELOW
    items = tuple(item.moved(middle - leaf.width / 2, y) for item in leaf.items)
    if network.targets:
        whole = all(v == int(v) for v in network.targets if v - v == 0)
        printed = [
            constant(int(v)) if whole and v - v == 0 else decimals.latex(v)
            for v in network.targets[:FEW]
        ]
        text = r",\,".join(printed) + (r",\ldots" if len(network.targets) > FEW else "")
        block = label_block(text, "value")
        assert block is not None
        items += block.at(middle + leaf.width / 2 + 10.0, y - block.height / 2)
    start, end = (middle, y - leaf.top), (middle, half)
    line = Path("edge", (("M", start), ("L", (middle, half + 8.0))), "pruned", "", LINE, (4.0, 4.0))
    edge = line, arrowhead(end, (0.0, -1.0), "pruned")
    return [
        Group("lt", "edge", f"edge from {names} to the loss", edge),
        Group("t", "node", f"target {names}", items, (("node", names),)),
    ]
