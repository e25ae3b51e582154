"""A model that can be trained and used: its compiled functions, and where its parameters lie."""

from collections.abc import Mapping
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from symgrad.codegen import Compiled, build
from symgrad.dims import evaluated, names_in
from symgrad.graph import Graph, Node
from symgrad.train.comparing import aim, known_in_use, row_by_row
from symgrad.train.data.transform import Transform
from symgrad.train.modes import Mask, Modes, modes
from symgrad.train.roles import Roles, roles
from symgrad.train.settings import Settings
from symgrad.train.whole import of_rows

Array = Any
BLOCK = 4096  # rows that are predicted at once


class Vector:
    """Lay out arrays one after the other in one vector, as views of it.

    >>> v = Vector({"W": (2, 2), "b": (2,)}, "float64")
    >>> v.views(np.arange(6.0))["b"]
    array([4., 5.])
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: str) -> None:
        self.shapes, self.dtype = dict(shapes), dtype
        self.slices: dict[str, slice] = {}
        end = 0
        for name, shape in self.shapes.items():
            start, end = end, end + prod(shape)
            self.slices[name] = slice(start, end)
        self.size = end

    def views(self, vector: Array) -> dict[str, Array]:
        """Give the parts of a vector by name."""
        return {k: vector[at].reshape(self.shapes[k]) for k, at in self.slices.items()}

    def packed(self, arrays: Mapping[str, Any]) -> Array:
        """Copy arrays into a new vector."""
        vector = np.empty(self.size, self.dtype)
        for name, view in self.views(vector).items():
            view[...] = arrays[name]
        return vector


class Network:
    """Hold what is compiled of a model, each function when it is first needed."""

    def __init__(self, graph: Graph, settings: Settings) -> None:
        self.graph, self.settings = graph, settings
        self.roles: Roles = roles(graph, settings.target, settings.predict)
        known_in_use(graph, self.roles)
        row_by_row(graph, self.roles.batch)
        self.aim = aim(graph, self.roles)  # what the prediction is compared with
        self.modes: Modes = modes(graph, self.roles, settings.l1, settings.l2)
        self.nodes: dict[str, Node] = {n.attrs["name"]: n for n in graph.inputs}
        self.statistics = tuple(s.name for s in self.modes.statistics)
        self.whole = of_rows(graph, self.roles)  # parameters that leave no batches

    @cached_property
    def gradient(self) -> Compiled:
        """Compile the loss of training and its gradients, which the next call overwrites."""
        return build(self.modes.train, self.roles.params, self.settings.dtype, "fast", reuse=True,
                     also=self.statistics)  # fmt: skip

    @cached_property
    def loss(self) -> Compiled:
        """Compile the loss in use, and the prediction beside it."""
        return self._value(self.modes.loss, (self.modes.answer,))

    @cached_property
    def prediction(self) -> Compiled:
        """Compile the prediction."""
        return self._value(self.modes.test)

    @cached_property
    def sampled(self) -> Compiled:
        """Compile the prediction with dropout."""
        return self._value(self.modes.sampled)

    @cached_property
    def batch_statistics(self) -> Compiled:
        """Compile what is averaged over a batch."""
        return self._value(self.modes.train, self.statistics)

    def _value(self, graph: Graph, also: tuple[str, ...] = ()) -> Compiled:
        return build(graph, [], self.settings.dtype, "fast", also=also)

    def restored(self, transform: Transform, answer: Any) -> Array:
        """Give predictions in the units of what they are compared with, if that is standardised."""
        own = self.aim is None and len(self.roles.targets) == 1  # a line beside the target
        return np.asarray(answer) if own else transform.restore(answer, self.aim)

    def blocks(self, rows: int, pairs: bool = False) -> list[slice]:
        """Cut rows into blocks; all are one where parameters have the rows' axis.

        So they are with `pairs`, where the prediction compares each row with each.
        """
        across = [n for d in self.roles.prediction.shape[1:] for n in names_in(d)]
        one = self.whole or (pairs and self.roles.batch in across)
        size = max(rows, 1) if one else BLOCK
        return [slice(k, k + size) for k in range(0, max(rows, 1), size)]

    def masks(self, sizes: Mapping[str, int], key: tuple[int, ...]) -> dict[str, Array]:
        """Draw the masks of dropout for one batch; the same key gives the same masks."""
        if not self.modes.masks:
            return {}
        rng, drawn = np.random.default_rng(key), {}
        for mask in self.modes.masks:
            uniform = rng.random(_shape(mask, sizes), dtype=np.float32)
            drawn[mask.name] = (uniform < mask.keep).astype(self.settings.dtype)
        return drawn

    def given(self, function: Compiled, *tables: Mapping[str, Any]) -> dict[str, Any]:
        """Collect the inputs that a function takes from tables, the first that has one."""
        found = {}
        for name in function.inputs:
            for table in tables:
                if name in table:
                    found[name] = table[name]
                    break
        return found


def _shape(mask: Mask, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(evaluated(d, sizes) or 0 for d in mask.shape)
