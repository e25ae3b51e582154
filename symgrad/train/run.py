"""A whole run: data, start, epochs, validation, early stopping, checkpoints, a log, metrics."""

import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from math import inf, isfinite
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from symgrad.dims import evaluated
from symgrad.errors import DataError, DivergenceError
from symgrad.files import replace
from symgrad.graph import Graph
from symgrad.train import checkpoint, keeping
from symgrad.train.comparing import unanswered
from symgrad.train.data import Dataset
from symgrad.train.evaluation import Evaluation
from symgrad.train.functions import Array, Network, Vector
from symgrad.train.initial import initialise
from symgrad.train.log import Log, coded
from symgrad.train.loop import Loop, NotFinite, State, copied
from symgrad.train.numbers import numbers
from symgrad.train.optimizers import optimizer
from symgrad.train.schedules import schedule
from symgrad.train.settings import Settings
from symgrad.train.threads import few_threads
from symgrad.train.watching import Watching
from symgrad.train.whole import undivided

SECONDS = 10.0  # between two checkpoints


class Run:
    """Train a model on a data set; `go` takes all steps.

    With a folder `out` the run keeps a checkpoint, a log and its metrics there, and may be taken
    up again. `progress(epoch, record)` is called after each epoch.
    """

    def __init__(
        self,
        graph: Graph,
        data: Dataset,
        settings: Settings,
        out: str | os.PathLike[str] | None = None,
        network: Network | None = None,
        seconds: float = SECONDS,
        watch: bool = False,
    ) -> None:
        self.graph, self.settings = graph, settings
        own = network is not None and network.settings is settings
        self.network = network if network is not None and own else Network(graph, settings)
        self.out = None if out is None else Path(out)
        self.seconds = seconds
        notes = undivided(self.network.whole, settings, data.rows)
        parts = data.split(settings.validation, settings.test, settings.seed)
        self.train, self.validation, self.test = parts
        self.data = data = data.fit(self.train)
        roles = self.network.roles
        self.notes: list[str] = [*data.notes, *notes, *unanswered(graph, roles)]
        given = {k: v for k, v in data.given.items() if k in roles.settings}
        self.sizes, values, notes = numbers(graph, roles, {**given, **settings.values}, data.sizes)
        self.notes += notes
        self.fixed = self._fixed({**self._constants(), **values})
        params = {k: self.network.nodes[k] for k in self.network.roles.params}
        shapes = {k: tuple(self._size(d, k) for d in n.shape) for k, n in params.items()}
        self.layout = Vector(shapes, settings.dtype)
        self.optimizer = optimizer(settings.optimizer)
        self.schedule = schedule(settings.schedule)
        self.loop = Loop(self.network, data, self.train, self.layout, self.fixed, self.sizes,
                         self.optimizer, self.schedule)  # fmt: skip
        self.evaluation = Evaluation(self.network, data, self.layout, self.fixed, self.sizes,
                                     self.loop.batch, self.start)  # fmt: skip
        self.watching = Watching(self, watch)
        self.loop.due = self.watching.due
        self.history: list[dict[str, Any]] = []
        self.least, self.read = inf, 0
        self.best: tuple[float, int, Array, dict[str, Array]] | None = None
        self.good: State | None = None
        self.written = -1  # the step of the last checkpoint
        self.observers: list[Callable[[Run, dict[str, Any]], None]] = []
        self.metrics: dict[str, Any] = {}

    def _size(self, dim: int | str, name: str) -> int:
        size = evaluated(dim, self.sizes)
        if size is None:
            raise DataError(f"the dimension {dim} of '{name}' has no number",
                            hint=f"give one:  values={{{dim!r}: 64}}")  # fmt: skip
        return int(size)

    def _constants(self) -> dict[str, Any]:
        """Take the arrays without a row for each example from the data."""
        for name in self.network.roles.constants:
            if name not in self.data.given:
                raise DataError(f"there are no values for '{name}', which has no row for each "
                                "example",
                                hint=f"give it with the data: {{…, '{name}': …}}, or as an array "
                                "of the file")  # fmt: skip
        return {k: self.data.given[k] for k in self.network.roles.constants}

    def _fixed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Convert the settings and constants of the model once."""
        found: dict[str, Any] = {}
        for name, value in values.items():
            node = self.network.nodes[name]
            found[name] = np.asarray(value, self.settings.dtype) if node.shape else float(value)
        return found

    # -- start --------------------------------------------------------------------------------

    def start(self) -> State:
        """Make the state before the first step."""
        given = initialise(self.graph, list(self.layout.shapes), self.sizes, self.settings.seed,
                           self.settings.initial, self.settings.dtype)  # fmt: skip
        vector = self.layout.packed(given)
        begun = self.optimizer.start(self.layout.size, self.settings.dtype)
        return State(vector, begun, self.schedule.begin())

    @cached_property
    def fingerprint(self) -> str:
        """Hash the data once."""
        return self.data.fingerprint()

    # -- run ----------------------------------------------------------------------------------

    def go(self, resume: bool = False) -> State:
        """Take all steps that are left; give the last state (the best one with patience)."""
        small = few_threads(self.loop.batch, self.layout.shapes.values())
        with small, np.errstate(all="ignore"):  # what is not finite stops the run, and is told
            try:
                return self._gone(resume)
            except KeyboardInterrupt:  # it may have come in the middle of a step
                if self.good is not None and self.good.step > max(self.written, 0):
                    self._rescued()
                raise

    def _gone(self, resume: bool) -> State:
        state = keeping.resumed(self) if resume else None
        if state is None:
            self._moved_aside()
        state = state or self.start()
        self.good = copied(state)
        if state.step == 0:
            self.watching.look(state, None)
        log = self._log(state)
        saved = time.monotonic()
        while state.epoch < self.loop.epochs and not self._enough(state):
            begun = time.perf_counter()
            try:
                for _ in self.loop.epoch(state):
                    if self.loop.before is not None:
                        self.watching.look(state, self.loop.before)
                    if state.position < self.loop.per_epoch:  # its end is saved with its record
                        saved = self._saved(state, saved)
                record = self._record(state, begun)
            except NotFinite as stop:
                self._diverged(state, stop)
            self.history.append(record)
            self._judged(state, record["loss"])
            if log is not None:
                log.append(record)
            for observer in self.observers:
                observer(self, record)
            saved = self._saved(state, saved)
        try:
            return self.finish(state)
        except NotFinite as stop:  # the last step has led too far
            self._diverged(state, stop)

    def _moved_aside(self) -> None:
        """Keep the checkpoint of an earlier run in this folder, under another name."""
        path = None if self.out is None else checkpoint.latest(self.out)
        if path is not None:
            kept = path.with_name(f"{path.stem}.previous{path.suffix}")
            path.replace(kept)
            self.notes.append(f"the checkpoint of an earlier run is now {kept}")

    def _saved(self, state: State, last: float) -> float:
        """Write a checkpoint if it is time; give the time of the last one."""
        if self.out is None or time.monotonic() - last <= self.seconds:
            return last
        if not np.isfinite(state.vector).all():  # the next step says where that comes from
            return last
        self._overflown(state)
        self.save(state)
        return time.monotonic()

    def used(self, state: State) -> State:
        """Give the state that is used: the best one with patience, statistics of all rows."""
        found = copied(state)
        if self.settings.patience is not None and self.best is not None:
            found.vector, found.statistics = self.best[2].copy(), dict(self.best[3])
        if self.settings.statistics == "whole":
            found.statistics = self.evaluation.whole_statistics(found, self.train)
        return found

    def _log(self, state: State) -> Log | None:
        """Open the log; what was logged after the checkpoint is taken back."""
        if self.out is None:
            return None
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{self.out} cannot be a run's folder: {error.strerror}") from None
        log = Log(self.out / "log.jsonl")
        log.rewind(lambda record: record.get("epoch", inf) <= state.epoch)
        return log

    def _record(self, state: State, begun: float) -> dict[str, Any]:
        """Describe an epoch; the best of the validation losses is kept."""
        seconds = time.perf_counter() - begun
        loss = state.loss_sum / state.row_sum
        record = {"epoch": state.epoch, "step": state.step, "loss": loss, "rate": state.rate,
                  "gradient": state.gradient}  # fmt: skip
        if len(self.validation):
            measured = self.evaluation.measure(state, self.validation)
            record["validation_loss"] = measured["loss"]
            record |= {f"validation_{k}": v for k, v in measured.items() if k in SHOWN}
            if self.best is None or measured["loss"] < self.best[0]:
                self.best = (measured["loss"], state.epoch, state.vector.copy(),
                             dict(state.statistics))  # fmt: skip
        seen = record.get("validation_loss", loss)
        state.schedule = self.schedule.observe(state.schedule, seen)
        record["seconds"] = round(seconds, 6)
        return record

    def _enough(self, state: State) -> bool:
        """Say whether the validation loss has not fallen for too long."""
        patience = self.settings.patience
        return patience is not None and self.best is not None and (
            state.epoch - self.best[1] >= patience
        )  # fmt: skip

    def finish(self, state: State) -> State:
        """Measure what was learned, and write it down; give the state that is used."""
        used = self.used(state)
        self.metrics = self.measured(used)
        if self.out is not None:
            self.save(state, used)
            lines = [f' "{k}": {json.dumps(v, allow_nan=False)}'
                     for k, v in coded(self.metrics).items()]  # fmt: skip
            replace(self.out / "metrics.json", "{\n" + ",\n".join(lines) + "\n}\n")
        return used

    def measured(self, state: State) -> dict[str, Any]:
        """Measure the three parts of the data."""
        found: dict[str, Any] = {"epochs": state.epoch, "steps": state.step}
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        for part, rows in parts.items():
            if len(rows):
                measured = self.evaluation.measure(state, rows)
                found[f"{part}_rows"] = len(rows)
                found |= {f"{part}_{k}": v for k, v in measured.items()}
        return found

    def save(self, state: State, used: State | None = None) -> None:
        """Write the checkpoint: the old one or the new one is there, whatever happens."""
        assert self.out is not None
        checkpoint.keep(self.out, *keeping.packed(self, state, used or self.used(state)))
        self.written = state.step

    # -- divergence ---------------------------------------------------------------------------

    def _diverged(self, state: State, stop: NotFinite) -> NoReturn:
        """Say where the first value that is no number arose; keep the last good state."""
        from symgrad.train.divergence import trace

        found = trace(stop.graph, stop.inputs, self.network.roles.params, self.settings.dtype)
        held_out = stop.graph is self.network.modes.loss
        step, epoch = state.step + (not held_out), state.epoch + (not held_out)
        parts = len(self.validation) + len(self.test)
        what = "the loss of rows that are held out" if held_out and parts else "the loss"
        if isfinite(stop.loss):
            what = "a prediction" if held_out else "the gradient"
        raise DivergenceError(
            f"{what} is {'not finite' if isfinite(stop.loss) else stop.loss} at step {step} "
            f"(epoch {epoch})",
            step=step,
            epoch=epoch,
            parameter=getattr(found, "parameter", None),
            found=found,
            hint=self._rescued() + ADVICE,
        )

    def _rescued(self) -> str:
        """Save the state after the last good epoch; say what was seen, and where the state is."""
        said = "".join(f"{found}\n" for found in self.watching.findings()[:2])
        if self.out is None or self.good is None:
            return said
        good = self.good
        self.history = [r for r in self.history if r["epoch"] <= good.epoch]
        self.save(good)
        kept = self.out / checkpoint.LAST
        return f"{said}the state after epoch {good.epoch} is kept in {kept}; "

    def _overflown(self, state: State) -> None:
        """Stop where the optimiser's state is not finite: such parameters are not moved any more.

        The square of a gradient overflows long before the gradient does.
        """
        for name, array in state.optimizer.items():
            if isinstance(array, np.ndarray) and not np.isfinite(array).all():
                raise DivergenceError(
                    f"the state '{name}' of {self.optimizer.name} is not finite at step "
                    f"{state.step}",
                    step=state.step,
                    epoch=state.epoch,
                    hint=self._rescued() + "gradients are too large for it: standardise the data, "
                    "or take dtype='float64'",
                )

    def _least(self, state: State) -> float:
        """Give the least loss so far; of the history only what is new is read."""
        losses = [float(r["loss"]) for r in self.history[self.read :]]
        self.least, self.read = min([self.least, state.first, *losses]), len(self.history)
        return self.least

    def _judged(self, state: State, loss: float) -> None:
        """Stop a run whose loss explodes; keep the state while the loss is near its least."""
        from symgrad.train.divergence import exploded

        self._overflown(state)
        least = self._least(state)
        if loss - least <= max(abs(least), NEAR * abs(state.first)):
            self.good = copied(state)  # on its way up it is good no more
        if not exploded(loss, least, state.first):
            return
        raise DivergenceError(
            f"the loss has grown from {least:.3g} to {loss:.3g} by step {state.step}, more than a "
            "thousandfold",
            step=state.step,
            epoch=state.epoch,
            hint=self._rescued() + ADVICE,
        )


NEAR = 1e-3  # of the first loss: what is above the least by less is as good
ADVICE = "try a smaller rate, or clip the gradient:  rate=…, clip=1"
SHOWN = ("accuracy", "r2")
