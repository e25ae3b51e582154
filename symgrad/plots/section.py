"""A loss along one direction or over two: the numbers behind a picture."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad.errors import DataError, LimitError, UsageError
from symgrad.graph import Graph
from symgrad.plots.directions import Direction, Span, choose, inner
from symgrad.plots.loss import Loss, read

Array = NDArray[np.float64]
POINTS = {1: 201, 2: 61}  # by the number of directions
MOST = 2_000_000  # evaluations of the program
HUGE = 1e290  # differences of larger numbers are no floats
SHOWN = 40  # so many samples are kept one by one


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Hold a loss where its parameters are W + αD, or W + αD + βE.

    `alphas` has the numbers of every direction, `values` the mean over samples (rows are α),
    `deviation` the standard deviation; `single` are the first samples one by one. `here` is the
    loss at W, `slopes` its derivative along every direction by backpropagation, and `descent` the
    coefficients of the negative gradient's projection on the directions.
    """

    loss: Loss
    directions: tuple[Direction, ...]
    alphas: tuple[Array, ...]
    values: Array
    deviation: Array
    single: Array
    here: float
    slopes: tuple[float, ...]
    descent: tuple[float, ...]

    @property
    def gaps(self) -> int:
        """Count the values that are not finite, or too large to be drawn."""
        return int(np.sum(~(np.abs(self.values) < HUGE)))


def section(
    source: str | Graph,
    at: Mapping[str, Any],
    along: str | Iterable[str] | None = None,
    *,
    directions: int = 1,
    direction: Any = "auto",
    towards: Any = None,
    span: float | Span | None = None,
    points: int | None = None,
    seed: int = 0,
) -> Section:
    """Compute a loss along one direction or over two; `landscape` says what the options mean.

    >>> s = section("w: param; (w - 1)**2", {"w": 3}, points=3, span=2)
    >>> s.values.tolist(), s.slopes
    ([0.0, 4.0, 16.0], (4.0,))
    """
    if directions not in (1, 2):
        raise UsageError(f"directions={directions!r} is not possible", hint="1 or 2")
    loss = Loss(read(source, at), at, along)
    seed = _whole("seed", seed, 0)
    chosen = choose(loss, directions, direction, towards, seed)
    number = _whole("points", POINTS[directions] if points is None else points, 2)
    if loss.count * number**directions > MOST:
        raise LimitError(
            f"{loss.count * number**directions} evaluations are more than {MOST}",
            hint="fewer points or samples; a program with a batch axis averages by itself",
        )
    alphas = tuple(np.linspace(*_range(span, d.span), number) for d in chosen)
    mean, deviation, single = _values(loss, chosen, alphas)
    if not np.any(np.abs(mean) < HUGE):
        raise DataError("the loss is not finite anywhere in this range")
    gradient = loss.gradient()
    slopes = [inner(gradient, d.step) for d in chosen]
    here = float(loss.values(loss.start).mean())
    return Section(loss, chosen, alphas, mean, deviation, single, here, tuple(slopes),
                   _projected(chosen, slopes))  # fmt: skip


def _whole(name: str, value: Any, least: int) -> int:
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise UsageError(f"{name}={str(value)[:40]} is not a whole number from {least}")
    return int(value)


def _range(span: float | Span | None, usual: Span) -> Span:
    """Give the range of α: its own, −span … span, or from low to high."""
    if span is None:
        return usual
    try:
        low, high = (-float(span), float(span)) if np.ndim(span) == 0 else map(float, span)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UsageError(f"span={str(span)[:40]} is neither a number nor a pair") from None
    if not (low < high and math.isfinite(low) and math.isfinite(high)):
        raise UsageError(f"the range {low:g} to {high:g} is empty")
    return low, high


def _values(
    loss: Loss, chosen: tuple[Direction, ...], alphas: tuple[Array, ...]
) -> tuple[Array, Array, Array]:
    """Compute mean, deviation and the first samples at every point of the grid."""
    shape = tuple(map(len, alphas))
    mean, deviation = np.empty(shape), np.empty(shape)
    single = np.empty((*shape, min(loss.count, SHOWN)))
    for place in np.ndindex(*shape):
        point = dict(loss.start)
        for d, numbers, k in zip(chosen, alphas, place, strict=True):
            point = {name: v + numbers[k] * d.step[name] for name, v in point.items()}
        found = loss.values(point)
        with np.errstate(all="ignore"):
            mean[place], deviation[place] = found.mean(), found.std()
        single[place] = found[:SHOWN]
    return mean, deviation, np.moveaxis(single, -1, 0)


def _projected(chosen: tuple[Direction, ...], slopes: list[float]) -> tuple[float, ...]:
    """Project the negative gradient on the directions D_i: Σ_j ⟨D_i, D_j⟩ a_j = −⟨∇L, D_i⟩."""
    if not np.isfinite(slopes).all():
        return tuple(math.nan for _ in slopes)
    gram = np.array([[inner(a.step, b.step) for b in chosen] for a in chosen])
    return tuple(np.linalg.solve(gram, -np.array(slopes)).tolist())
