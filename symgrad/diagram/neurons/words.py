"""The texts of the neuron view: which numbers and units are shown, and chips to set them on."""

from collections.abc import Iterator, Sequence

from symgrad.diagram.cards import Block
from symgrad.diagram.neurons.network import FIRST, Column, Network
from symgrad.diagram.scene import Box, Item

PRINTED = 4  # units of two neighbouring columns up to which every weight is printed
MOST = 10  # units of a column that are drawn; of more, the first and last ones
LAST = 2


def numbers(network: Network) -> Iterator[float | None]:
    """List every number that is printed."""
    for column in network.columns:
        for unit in column.units:
            yield from (unit.value, unit.delta, unit.bias, unit.bias_grad)
    for weights in network.weights:
        if len(weights) <= PRINTED**2:
            for weight in weights:
                yield from (weight.value, weight.grad)
    yield from (network.value, network.grad)


def shown(column: Column) -> list[int]:
    """List the units of a column that are drawn."""
    count = len(column.units)
    if count <= MOST:
        return list(range(count))
    return [*range(FIRST), *range(count - LAST, count)]


def notes(network: Network, sample: int) -> list[str]:
    """Say what the picture leaves out."""
    found = []
    if network.samples:
        said = f"sample {sample + 1} of {network.samples}"
        graded = any(w.grad is not None for weights in network.weights for w in weights)
        if network.samples > 1 and graded:
            said += "; loss and gradients of weights are of all samples together"
        found.append(said)
    if network.penalty:
        found.append("the penalty on the weights is not drawn")
    return found


def chip(lines: Sequence[Block]) -> Block:
    """Stack lines on a chip of the background's colour."""
    width = max(b.width for b in lines) + 6.0
    height = sum(b.height for b in lines) + 3.0 * (len(lines) - 1) + 5.0
    items: list[Item] = [Box("chip", 0.0, 0.0, width, height, 4.0, "background")]
    y = 2.5
    for block in lines:
        items += block.at((width - block.width) / 2, y)
        y += block.height + 3.0
    return Block(tuple(items), width, height)


def beside(parts: Sequence[Block]) -> Block:
    """Put blocks beside each other on a chip."""
    width = sum(b.width for b in parts) + 8.0 * (len(parts) - 1) + 6.0
    height = max(b.height for b in parts) + 4.0
    items: list[Item] = [Box("chip", 0.0, 0.0, width, height, 4.0, "background")]
    x = 3.0
    for block in parts:
        items += block.at(x, 2.0)
        x += block.width + 8.0
    return Block(tuple(items), width, height)
