"""Plan the frames: one for each gate on the way forward, one for each on the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from symgrad.diagram.from_graph import DrawEdge, Drawing
from symgrad.errors import LimitError, UsageError

MOST_FRAMES = 240


@dataclass(frozen=True, slots=True)
class Step:
    """Describe one frame: the gate at work, and the edges that its numbers run along.

    Forwards `edges` are all that arrive at the gate; backwards those that carry a gradient.
    """

    forward: bool
    gate: int
    edges: tuple[DrawEdge, ...]
    number: int
    of: int


@dataclass(frozen=True)
class Plan:
    """Hold the steps in order; frames are numbered from 1."""

    steps: tuple[Step, ...]
    drawing: Drawing

    @property
    def last(self) -> int:
        """Give the number of the last frame."""
        return len(self.steps)

    @cached_property
    def forward(self) -> Mapping[int, int]:
        """Map a gate to the frame in which its value is computed."""
        return {s.gate: k for k, s in enumerate(self.steps, 1) if s.forward}

    @cached_property
    def backward(self) -> Mapping[int, int]:
        """Map a gate to the frame in which its gradient is passed on."""
        return {s.gate: k for k, s in enumerate(self.steps, 1) if not s.forward}

    def reached(self, node: int) -> int:
        """Give the frame from which on the value of a node is known."""
        return self.forward.get(node, 1)

    @cached_property
    def known(self) -> Mapping[int, int]:
        """Map a node to the frame from which on its gradient is complete."""
        first = len(self.forward) + 1
        found = {n: min(first, self.last) for n in self.drawing.outputs}
        for edge in self.drawing.edges:
            if edge.grad is not None and edge.target in self.backward:
                frame = self.backward[edge.target]
                found[edge.source] = max(found.get(edge.source, 0), frame)
        return found

    @cached_property
    def departures(self) -> Mapping[int, Sequence[DrawEdge]]:
        """Map a node to the edges that leave it."""
        found: dict[int, list[DrawEdge]] = {n.id: [] for n in self.drawing.nodes}
        for edge in self.drawing.edges:
            found[edge.source].append(edge)
        return found


def plan(drawing: Drawing) -> Plan:
    """Plan the frames of a drawing with numbers.

    >>> import symgrad as sg
    >>> d = sg.diagram("(x + y)*z", at={"x": -2, "y": 5, "z": -4}, steps=True)
    >>> [(s.forward, s.number, s.of) for s in plan(d.drawing).steps]
    [(True, 1, 2), (True, 2, 2), (False, 1, 2), (False, 2, 2)]
    """
    arriving: dict[int, list[DrawEdge]] = {n.id: [] for n in drawing.nodes}
    for edge in drawing.edges:
        arriving[edge.target].append(edge)
    gates = [n.id for n in drawing.nodes if arriving[n.id]]
    back = []
    for gate in reversed(gates):
        edges = tuple(e for e in arriving[gate] if e.grad is not None)
        if edges:
            back.append((gate, edges))
    if not gates:
        raise UsageError("there is nothing to step through: the program computes nothing")
    if len(gates) + len(back) > MOST_FRAMES:
        raise LimitError(
            f"{len(gates)} gates are {len(gates) + len(back)} frames, more than {MOST_FRAMES}",
            hint="draw a part of it, or make lines single gates with collapse=",
        )
    steps = [
        Step(True, gate, tuple(arriving[gate]), k, len(gates)) for k, gate in enumerate(gates, 1)
    ]
    steps += [Step(False, gate, edges, k, len(back)) for k, (gate, edges) in enumerate(back, 1)]
    return Plan(tuple(steps), drawing)
