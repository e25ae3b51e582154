"""What probes found over a training: a series of numbers for each layer, as plain lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgrad.errors import DataError
from symgrad.train.diagnostics.facts import LayerFacts, plain, restored

VERSION = 1
QUANTITIES: Mapping[str, Callable[[LayerFacts], float | None]] = {
    "gradient": lambda f: f.gradient,
    "gradient_rms": lambda f: f.gradient_rms,
    "signal": lambda f: f.signal,
    "update": lambda f: f.update,
    "weight": lambda f: f.weight,
    "dead": lambda f: f.dead,
    "saturated": lambda f: f.saturated,
    "zeros": lambda f: f.zeros,
    "nonfinite": lambda f: f.nonfinite,
    "mean": lambda f: f.after.mean,
    "variance": lambda f: f.after.variance,
    "low": lambda f: f.before.percentiles[0],
    "median": lambda f: f.before.percentiles[1],
    "high": lambda f: f.before.percentiles[2],
}


@dataclass(slots=True)
class Timeline:
    """Hold the records of a training.

    `steps`, `epochs` and `rates` have an entry for each record; `series` maps a layer's name to
    its quantities (gradient, update, dead, saturated, variance, and low, median and high, the
    percentiles 15, 50 and 85 of what enters the activation), each a list with an entry for each
    record. `first` and `last` are the facts of the first and the last record.
    """

    steps: list[int] = field(default_factory=list)
    epochs: list[float | None] = field(default_factory=list)
    rates: list[float | None] = field(default_factory=list)
    series: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    first: tuple[LayerFacts, ...] = ()
    last: tuple[LayerFacts, ...] = ()

    def add(
        self,
        facts: Sequence[LayerFacts],
        step: int,
        epoch: float | None = None,
        rate: float | None = None,
    ) -> None:
        """Append a record."""
        self.first = self.first or tuple(facts)
        self.last = tuple(facts)
        self.steps.append(int(step))
        self.epochs.append(epoch)
        self.rates.append(rate)
        for layer in facts:
            own = self.series.setdefault(layer.name, {k: [] for k in QUANTITIES})
            for key, read in QUANTITIES.items():
                own[key].append(read(layer))

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that JSON can hold, for a checkpoint."""
        found: dict[str, Any] = plain(
            {
                "version": VERSION,
                "steps": self.steps,
                "epochs": self.epochs,
                "rates": self.rates,
                "series": self.series,
                "first": [f.to_json() for f in self.first],
                "last": [f.to_json() for f in self.last],
            }
        )
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Timeline":
        """Read what `to_json` gave; raise DataError for what it cannot have given."""
        if data.get("version") != VERSION:
            raise DataError(f"records of version {str(data.get('version'))[:20]} cannot be read",
                            hint=f"this symgrad reads version {VERSION}")  # fmt: skip
        found: dict[str, Any] = {
            k: restored(data[k]) for k in ("steps", "epochs", "rates", "series")
        }
        for k in ("first", "last"):
            found[k] = tuple(LayerFacts.from_json(f) for f in data[k])
        return cls(**found)

    def __len__(self) -> int:
        return len(self.steps)
