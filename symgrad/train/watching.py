"""Look at the layers of a network now and then while it is trained."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.train.diagnostics.finding import Finding
from symgrad.train.diagnostics.judge import findings
from symgrad.train.diagnostics.timeline import Timeline
from symgrad.train.diagnostics.watch import Watch
from symgrad.train.loop import State
from symgrad.train.modes import undropped

if TYPE_CHECKING:
    from symgrad.train.run import Run

LOOKS = 25  # probes over a run, about; each costs a forward and a backward pass of its rows
ROWS = 512


class Watching:
    """Probe a run's layers on a fixed batch, evenly over its epochs and in the first one."""

    def __init__(self, run: "Run", wanted: bool) -> None:
        self.run, self.wanted = run, wanted
        self.every = max(1, run.loop.epochs // LOOKS)
        self.graph = undropped(run.graph)  # a mask would be another one at each look
        self.timeline = Timeline()
        self._watch: Watch | None = None

    def due(self, step: int) -> bool:
        """Say whether the layers are looked at after this step, from 1.

        In the first epoch after 1, 2, 4, 8, … steps: what dies there dies early.
        """
        count = self.run.loop.per_epoch
        if not self.wanted or not (Watch.due(step, count) or step == self.run.loop.steps):
            return False
        epoch = -(-step // count)
        return epoch <= 2 or epoch == self.run.loop.epochs or epoch % self.every == 0

    def look(self, state: State, before: Any) -> None:
        """Probe the layers; `before` is the vector one step earlier, None before the first step."""
        if not self.wanted:
            return
        views, done = self.run.layout.views, state.step / self.run.loop.per_epoch
        earlier = None if before is None else views(before)
        self.watch.record(state.step, views(state.vector), earlier, epoch=done,
                          rate=state.rate or self.run.loop.rate)  # fmt: skip

    @property
    def watch(self) -> Watch:
        """Make the probe when it is first needed."""
        if self._watch is None:
            self._watch = Watch(self.graph, self.batch(), self.timeline)
        return self._watch

    def batch(self, count: int = ROWS) -> dict[str, Any]:
        """Give the inputs that are looked at: rows that are trained on, evenly over all of them.

        Data are often sorted: the first rows would be those of one class.
        """
        run = self.run
        few = len(run.train) > count and not run.network.whole
        rows = run.train[np.linspace(0, len(run.train), count, False, dtype=np.int64)
                         if few else slice(None)]  # fmt: skip
        given = run.data.batch(rows, run.settings.dtype)
        return {**run.fixed, **given}

    def findings(self) -> list[Finding]:
        """Say what was wrong with the layers so far, worst first."""
        return findings(self.timeline) if len(self.timeline) else []

    def plain(self) -> dict[str, Any] | None:
        """Give what was seen as JSON can hold it."""
        return self.timeline.to_json() if self.wanted else None

    def resume(self, kept: Mapping[str, Any] | None) -> None:
        """Take up what was seen before a run was stopped."""
        if self.wanted and kept is not None:
            self.timeline, self._watch = Timeline.from_json(kept), None
