"""How good a state is: losses and predictions in use, block by block; statistics of all rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np

from symgrad.train.functions import Array, Network, Vector
from symgrad.train.loop import BLOCKS, WHOLE, NotFinite, State
from symgrad.train.metrics import measure_blocks


class Evaluation:
    """Measure states of a network on rows of a data set."""

    def __init__(
        self,
        network: Network,
        data: Any,
        layout: Vector,
        fixed: Mapping[str, Any],
        sizes: Mapping[str, int],
        batch: int,
        begin: Callable[[], State],
    ) -> None:
        self.network, self.data, self.layout = network, data, layout
        self.fixed, self.sizes = fixed, sizes
        self.batch, self.begin = batch, begin
        self._sum: bool | None = None  # whether the loss is a sum over rows, once it is known

    def measure(self, state: State, rows: Array) -> dict[str, Any]:
        """Compute the loss in use and the metrics of the task over some rows."""
        losses, aim = [0.0], self.network.aim
        restore, adds_up = self.data.transform.restore, self._adds_up(state, rows)

        def blocks() -> Iterator[tuple[Array, Array]]:
            for given, value, answer in self._answers(state, rows):
                losses[0] += value * (self.batch if adds_up else len(answer))
                if aim is not None:  # in the units of the target
                    yield restore(answer, aim), restore(given[aim], aim)

        roles, found = self.network.roles, {}
        if aim is not None:
            found = measure_blocks(roles.task, blocks(), self.data.classes, roles.scale)
        else:
            for _ in blocks():
                pass
        return {"loss": losses[0] / len(rows), **found}

    def _adds_up(self, state: State, rows: Array) -> bool:
        """Say whether the loss is a sum over the rows, by giving some of them twice.

        Such a loss is reported for as many rows as a step has, to be compared with those of steps.
        """
        if self.network.whole:
            return False
        if self._sum is None:
            state = replace(self.begin(), statistics=state.statistics)  # whenever it is asked
            few = rows[:8]
            once, twice = (self._loss(state, index) for index in (few, np.concatenate([few, few])))
            self._sum = abs(twice - once) > 1e-4 * max(abs(once), abs(twice))
        return self._sum

    def _loss(self, state: State, index: Array) -> float:
        return sum(value for _, value, _ in self._answers(state, index))

    def _answers(self, state: State, rows: Array) -> Iterator[tuple[dict[str, Any], float, Array]]:
        function = self.network.loss
        params = self.layout.views(state.vector)
        for part in self.network.blocks(len(rows)):
            given = self.data.batch(rows[part], self.network.settings.dtype)
            inputs = self.network.given(function, given, params, state.statistics, self.fixed)
            value, found = function(**inputs)
            answer = found[self.network.modes.answer]
            if not (isfinite(value) and np.isfinite(answer).all()):
                raise NotFinite(self.network.modes.loss, inputs, float(value))
            yield given, float(value), answer

    def whole_statistics(self, state: State, rows: Array) -> dict[str, Array]:
        """Average over all rows what a batch norm averages over its batch.

        Up to `BLOCK` rows are one batch. More are taken in random blocks of that many, whose means
        are averaged; a variance of the whole would add the spread of the blocks' means, which is
        left out: of random rows it is about 1/BLOCK of the variance.
        """
        parts = self.network.blocks(len(rows))
        if len(parts) > 1:  # data are often sorted: the rows of a class would be a block
            rows = np.random.default_rng((self.network.settings.seed, BLOCKS)).permutation(rows)
        function = self.network.batch_statistics
        params = self.layout.views(state.vector)
        totals: dict[str, Array] = {}
        for part in parts:
            index = rows[part]
            sizes = {**self.sizes, self.network.roles.batch: len(index)}
            given = self.data.batch(index, self.network.settings.dtype)
            masks = self.network.masks(sizes, (self.network.settings.seed, WHOLE, part.start))
            inputs = self.network.given(function, given, params, masks, self.fixed)
            for name, value in function(**inputs)[1].items():
                totals[name] = totals.get(name, 0.0) + np.asarray(value) * (len(index) / len(rows))
        dtype = self.network.settings.dtype
        return {k: np.asarray(v, dtype) for k, v in totals.items()}
