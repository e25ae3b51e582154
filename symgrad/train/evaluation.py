"""How good a state is: losses and predictions in use, block by block; statistics of all rows."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

import numpy as np

from symgrad.train.functions import Array, Network, Vector
from symgrad.train.loop import NotFinite, State
from symgrad.train.metrics import measure

BLOCK = 4096  # rows that are predicted at once


class Evaluation:
    """Measure states of a network on rows of a data set."""

    def __init__(
        self,
        network: Network,
        data: Any,
        layout: Vector,
        fixed: Mapping[str, Any],
        sizes: Mapping[str, int],
    ) -> None:
        self.network, self.data, self.layout = network, data, layout
        self.fixed, self.sizes = fixed, sizes

    def measure(self, state: State, rows: Array) -> dict[str, Any]:
        """Compute the loss in use and the metrics of the task over some rows."""
        answers, targets, total = [], [], 0.0
        for given, value, answer in self._answers(state, rows):
            total += value * len(answer)
            answers.append(answer)
            targets.append([given[k] for k in self.network.roles.targets])
        found: dict[str, Any] = {"loss": total / len(rows)}
        aims = [np.concatenate(column) for column in zip(*targets, strict=True)]
        if len(aims) == 1:
            classes = self.data.classes
            found |= measure(self.network.roles.task, np.concatenate(answers), aims[0], classes,
                             self.network.roles.scale)  # fmt: skip
        return found

    def _answers(self, state: State, rows: Array) -> Iterator[tuple[dict[str, Any], float, Array]]:
        function = self.network.loss
        params = self.layout.views(state.vector)
        for start in range(0, len(rows), BLOCK):
            index = rows[start : start + BLOCK]
            given = self.data.batch(index, self.network.settings.dtype)
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
        if len(rows) > BLOCK:  # data are often sorted: the rows of a class would be a block
            rows = np.random.default_rng((self.network.settings.seed, 6)).permutation(rows)
        function = self.network.batch_statistics
        params = self.layout.views(state.vector)
        totals: dict[str, Array] = {}
        for start in range(0, len(rows), BLOCK):
            index = rows[start : start + BLOCK]
            sizes = {**self.sizes, self.network.roles.batch: len(index)}
            given = self.data.batch(index, self.network.settings.dtype)
            masks = self.network.masks(sizes, (self.network.settings.seed, 3, start))
            inputs = self.network.given(function, given, params, masks, self.fixed)
            for name, value in function(**inputs)[1].items():
                totals[name] = totals.get(name, 0.0) + np.asarray(value) * (len(index) / len(rows))
        dtype = self.network.settings.dtype
        return {k: np.asarray(v, dtype) for k, v in totals.items()}
