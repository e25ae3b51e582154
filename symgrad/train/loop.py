"""The steps of a run: batches in their order, a gradient, an update of the parameters.

All that a step reads is in its `State` or follows from the seed, the epoch and the step, so that a
run that is taken up again goes on bit for bit.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import numpy as np

from symgrad.graph import Graph
from symgrad.train.functions import Array, Network, Vector
from symgrad.train.optimizers import Optimizer
from symgrad.train.schedules import Schedule
from symgrad.train.update import clip_norm, norm

EPOCHS, STEPS = 100, 2000  # at least, unless a number of epochs is given
START = 64  # rows whose loss is that of the start
# What the draws of a seed are for: a generator is seeded by (seed, purpose, …).
ORDER, DROPOUT, WHOLE, SAMPLES, BLOCKS = 1, 2, 3, 4, 6


class NotFinite(Exception):
    """Say that a graph gave a loss, or a gradient, that is no number."""

    def __init__(self, graph: Graph, inputs: Mapping[str, Any], loss: float) -> None:
        super().__init__()
        self.graph, self.inputs, self.loss = graph, dict(inputs), loss


@dataclass
class State:
    """Hold where a run is: parameters in one vector, the optimiser's state, moving statistics.

    `epoch` counts finished epochs, `step` finished steps, `position` those of the epoch that has
    begun; `loss_sum` and `row_sum` are of that epoch, `gradient` is the norm of the last gradient,
    `first` the loss at the start: of the first batch, or of the first rows.
    """

    vector: Array
    optimizer: dict[str, Any]
    schedule: dict[str, Any] = field(default_factory=dict)
    statistics: dict[str, Array] = field(default_factory=dict)
    epoch: int = 0
    step: int = 0
    position: int = 0
    loss_sum: float = 0.0
    row_sum: int = 0
    gradient: float = 0.0
    rate: float = 0.0
    first: float = 0.0


def copied(state: State) -> State:
    """Copy a state, so that later steps do not change it."""
    kept = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in state.optimizer.items()}
    return replace(state, vector=state.vector.copy(), optimizer=kept,
                   statistics=dict(state.statistics))  # fmt: skip


class Loop:
    """Take steps over the rows that are trained on."""

    def __init__(
        self,
        network: Network,
        data: Any,
        rows: Array,
        layout: Vector,
        fixed: Mapping[str, Any],
        sizes: Mapping[str, int],
        optimizer: Optimizer,
        schedule: Schedule,
    ) -> None:
        settings = network.settings
        self.network, self.data, self.rows = network, data, rows
        self.layout, self.fixed, self.sizes = layout, dict(fixed), dict(sizes)
        self.optimizer, self.schedule = optimizer, schedule
        self.settings = settings
        wanted = None if network.whole else settings.batch
        self.batch = min(wanted or len(rows), len(rows))
        self.per_epoch = -(-len(rows) // self.batch)
        self.epochs = settings.epochs or max(EPOCHS, -(-STEPS // self.per_epoch))
        self.steps = self.per_epoch * self.epochs
        self.gradient = np.empty(layout.size, settings.dtype)
        self.pieces = list(layout.views(self.gradient).items())
        self.due: Callable[[int], bool] = lambda step: False  # what steps are looked at
        self.before: Array | None = None  # the parameters before such a step
        self.rate = optimizer.rate if settings.rate is None else settings.rate

    def begin(self, state: State) -> dict[str, Any]:
        """Collect the inputs that stay the same arrays over all steps."""
        views = self.layout.views(state.vector)
        self.numbers = [(k, self.layout.slices[k].start) for k, v in views.items() if not v.shape]
        return {**self.fixed, **{k: v for k, v in views.items() if v.shape}}

    def order(self, epoch: int) -> Array:
        """Give the rows in the order of an epoch."""
        if not self.settings.shuffle or self.batch == len(self.rows):
            return self.rows
        rng = np.random.default_rng((self.settings.seed, ORDER, epoch))
        order = self.rows.copy()
        rng.shuffle(order)
        return order

    def epoch(self, state: State) -> Iterator[State]:
        """Take the steps that are left of an epoch; give the state after each."""
        inputs = self.begin(state)
        order = self.order(state.epoch)
        if state.position == 0:
            state.loss_sum, state.row_sum = 0.0, 0
        for k in range(state.position, self.per_epoch):
            self.before = state.vector.copy() if self.due(state.step + 1) else None
            self.step(state, inputs, order[k * self.batch : (k + 1) * self.batch])
            yield state
        state.epoch, state.position = state.epoch + 1, 0

    def step(self, state: State, inputs: dict[str, Any], index: Array) -> None:
        """Take one step on the rows of these numbers."""
        inputs.update(self.data.batch(index, self.settings.dtype))
        if self.network.modes.masks:
            sizes = {**self.sizes, self.network.roles.batch: len(index)}
            key = (self.settings.seed, DROPOUT, state.step)
            inputs.update(self.network.masks(sizes, key))
        for name, k in self.numbers:
            inputs[name] = state.vector.item(k)
        value, found = self.network.gradient(**inputs)
        for name, view in self.pieces:
            view[...] = found[name]
        clip = self.settings.clip
        length = norm(self.gradient) if clip is None else clip_norm(self.gradient, clip)
        if not isfinite(value) or not isfinite(length):
            raise NotFinite(self.network.modes.train, inputs, float(value))
        state.rate = self.rate * self.schedule.factor(state.step, self.steps, state.schedule)
        self._average(state, found)
        self.optimizer.step(state.vector, self.gradient, state.optimizer, state.rate)
        state.gradient = length
        state.loss_sum += float(value) * len(index)
        state.row_sum += len(index)
        if state.epoch == 0 and (state.step == 0 or state.row_sum <= START):
            state.first = state.loss_sum / state.row_sum  # one row alone may have a loss of 0
        state.step, state.position = state.step + 1, state.position + 1

    def _average(self, state: State, found: Mapping[str, Any]) -> None:
        """Move the statistics: the first batch sets them, later ones pull at them."""
        kept = self.settings.averaging
        for name in self.network.statistics:
            old = state.statistics.get(name)
            new = np.array(found[name])
            state.statistics[name] = new if old is None else kept * old + (1 - kept) * new
