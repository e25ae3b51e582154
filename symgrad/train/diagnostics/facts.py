"""What is known about a layer at one moment: plain numbers that can be stored as JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

PERCENTILES = (15, 50, 85)  # of a layer's inputs, as in Ioffe and Szegedy 2015


@dataclass(frozen=True, slots=True)
class Spread:
    """Hold mean and variance of some values; their percentiles 15, 50 and 85, and a histogram.

    The bins are of one width from `low` to `high`; only finite values count. What is not shown is
    empty: percentiles of what leaves an activation, the histogram of what enters it.
    """

    mean: float
    variance: float
    percentiles: tuple[float, ...]
    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """Hold what a probe found out about one layer; None where it does not apply.

    - `name` is the name of its line, `title` says what it is made of, `line` where it stands;
      `output` tells that no other layer reads it, `normed` that it standardises.
    - `before` are the values that enter the activation, `after` those that leave it.
    - `saturated` is the share of values at which |f′| is below a tenth of its maximum,
      `saturated_units` lists the units where nearly all samples are so; `dead_units` are zero, with
      zero derivative, on every sample, `dead` is their share; `zeros` the share of exact zeros,
      `nonfinite` that of values, gradients and weights that are not finite.
    - `gradient` is the Euclidean norm of the weights' gradient and `gradient_rms` the root mean
      square of its entries; `ratio` divides it by that of the next layer; `signal` is the root mean
      square of the gradient that reaches the layer's values.
    - `weight` is the norm of the weights, `deviation` their root mean square, `update` the norm of
      the last step over that of the weights before it.
    - `inputs` says of what sign all inputs are ("positive", "negative", "both"), `locked` is the
      share of units all of whose weights' gradients have one sign.
    - `steep` says of an activation that was written out that its slope has no bound.
    - `identical` lists the units that have the same weights and the same gradients as another.
    """

    name: str
    title: str
    line: int | None
    weights: tuple[str, ...]
    activation: str
    output: bool
    normed: bool
    samples: int
    units: int
    fan_in: int | None
    before: Spread
    after: Spread
    saturated: float | None
    saturated_units: tuple[int, ...]
    dead: float | None
    dead_units: tuple[int, ...]
    zeros: float
    nonfinite: float
    gradient: float | None
    gradient_rms: float | None
    ratio: float | None
    signal: float | None
    weight: float | None
    deviation: float | None
    update: float | None
    inputs: str
    locked: float | None
    identical: tuple[int, ...]
    steep: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary of what JSON can hold; inf and nan become text."""
        found: dict[str, Any] = plain(asdict(self))
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "LayerFacts":
        """Read what `to_json` gave."""
        found = {f.name: restored(data[f.name]) for f in fields(cls) if f.name in data}
        for key in ("before", "after"):
            spread = found[key]
            found[key] = Spread(**{k: _tuple(v) for k, v in spread.items()})
        return cls(**{k: _tuple(v) for k, v in found.items()})


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """Turn tuples into lists, and numbers that JSON has no sign for into text.

    >>> plain({"a": (1.0, float("inf")), "b": None})
    {'a': [1.0, 'inf'], 'b': None}
    """
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value


def restored(value: Any) -> Any:
    """Undo `plain`, except that tuples stay lists.

    >>> restored(["-inf", 2, "relu"])
    [-inf, 2, 'relu']
    """
    if isinstance(value, dict):
        return {k: restored(v) for k, v in value.items()}
    if isinstance(value, list):
        return [restored(v) for v in value]
    return float(value) if value in ("inf", "-inf", "nan") else value
