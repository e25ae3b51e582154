"""Watch a training: probe the same batch again and again, and keep what was found.

>>> from symgrad.parse import parse
>>> g = parse("X: data[N, D]; y: data[N]; w: param[D]; mse(X @ w, y)")
>>> watch = Watch(g, {"X": [[1.0, 2.0], [3.0, 1.0]], "y": [1.0, 0.0]})
>>> for step in range(2):
...     _ = watch.record(step, {"w": [0.5, 0.1 * step]}, rate=0.1)
>>> watch.timeline.steps, watch.timeline.series["w"]["zeros"]
([0, 1], [0.0, 0.0])
"""

from collections.abc import Mapping
from typing import Any

from symgrad.graph import Graph
from symgrad.train.diagnostics.facts import LayerFacts
from symgrad.train.diagnostics.layers import layers
from symgrad.train.diagnostics.probe import look
from symgrad.train.diagnostics.timeline import Timeline


class Watch:
    """Record what happens in the layers of a graph on a fixed batch.

    `batch` gives all inputs but the parameters; some hundred rows are enough. A mask of dropout
    that is filled with the share that is kept switches dropout off. A run that is resumed passes
    on its `timeline`.
    """

    def __init__(
        self, graph: Graph, batch: Mapping[str, Any], timeline: Timeline | None = None
    ) -> None:
        self.graph, self.batch = graph, dict(batch)
        self.timeline = Timeline() if timeline is None else timeline
        self._layers = layers(graph)

    def record(
        self,
        step: int,
        params: Mapping[str, Any],
        before: Mapping[str, Any] | None = None,
        *,
        epoch: float | None = None,
        rate: float | None = None,
    ) -> tuple[LayerFacts, ...]:
        """Probe the batch at some parameters, and keep the facts.

        `params` may hold other inputs too that change, as moving statistics. `before` are the
        parameters one step of the optimiser earlier: the update-to-weight ratio is that of a step.
        """
        inputs = {**self.batch, **params}
        names = [name for name in params if name in self._wanted()]
        found = look(self._layers, self.graph, inputs, names, before)
        self.timeline.add(found, step, epoch, rate)
        return found

    @staticmethod
    def due(step: int, per_epoch: int) -> bool:
        """Say whether to record after a step: 0, 1, 2, 4, 8, … of the first epoch, then its ends.

        The first steps tell most: units die within a few of them.

        >>> [step for step in range(25) if Watch.due(step, 10)]
        [0, 1, 2, 4, 8, 10, 20]
        """
        return step % per_epoch == 0 or (step < per_epoch and step & (step - 1) == 0)

    def _wanted(self) -> tuple[str, ...]:
        return tuple(str(n.attrs["name"]) for n in self._layers[0].weights)
