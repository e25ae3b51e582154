"""Directions in the space of the parameters along which a loss is drawn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad.errors import DataError, ShapeError, UsageError
from symgrad.formula.names import latex_name
from symgrad.plots.loss import Loss
from symgrad.shapes import text

Array = NDArray[np.float64]
Vector = Mapping[str, Array]
Span = tuple[float, float]
KINDS = ("auto", "axes", "random", "gradient")
GREEK = (r"\alpha", r"\beta")
NEAR, BEYOND = 1.0, 0.25  # the range of α by itself: on both sides of a point; behind two points
FLAT = 1e-12


@dataclass(frozen=True, slots=True)
class Direction:
    """Hold a step D by parameter, what it is, and how its axis is labelled.

    The axis shows `origin` + α; `target` is the α of a second point, if the direction leads to one.
    """

    step: Vector
    letter: str
    said: str
    span: Span
    origin: float = 0.0
    target: float | None = None


def inner(a: Vector, b: Vector) -> float:
    """Give the inner product of two vectors of parameters.

    >>> inner({"w": np.ones(3)}, {"w": np.ones(3)})
    3.0
    """
    return math.fsum(float(np.sum(a[name] * b[name])) for name in a)


def length(a: Vector) -> float:
    """Give the Euclidean norm over all parameters.

    >>> length({"w": np.full(9, 2.0), "b": np.array(8.0)})
    10.0
    """
    return math.sqrt(inner(a, a))


def choose(
    loss: Loss, count: int, direction: Any = "auto", towards: Any = None, seed: int = 0
) -> tuple[Direction, ...]:
    """Make one or two directions; what is not said of the second is random."""
    found: list[Direction] = []
    if towards is not None:
        if not (isinstance(direction, str) and direction == "auto"):
            raise UsageError("direction= and towards= are both given", hint="leave one of them out")
        found += [_towards(loss, p, k) for k, p in enumerate(_listed(towards, count, "towards"))]
    else:
        for kind in _listed(direction, count, "direction"):
            found.append(_one(loss, kind, count, seed, found))
    if len(found) < count:
        found.append(_random(loss, seed, found))
    if any(length(d.step) == 0 for d in found):
        raise UsageError("a direction is 0 everywhere: the loss does not change along it")
    if count == 2 and _parallel(found[0].step, found[1].step):
        raise UsageError("the two directions are parallel", hint="choose another second direction")
    return tuple(found)


def _listed(given: Any, count: int, what: str) -> list[Any]:
    """Take one entry, or a list of at most as many as there are directions."""
    entries = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
    if isinstance(given, str) and given in ("auto", "axes"):
        return entries * count
    if not 1 <= len(entries) <= count:
        raise UsageError(f"{what}= lists {len(entries)}, and {count} can be drawn",
                         hint="directions=2 draws over two" if count == 1 else "")  # fmt: skip
    return entries


def _one(loss: Loss, kind: Any, count: int, seed: int, before: list[Direction]) -> Direction:
    k = len(before)
    if isinstance(kind, Mapping):
        return Direction(_given(loss, kind, "direction"), GREEK[k], "as given", (-NEAR, NEAR))
    if not isinstance(kind, str) or kind not in KINDS:
        raise UsageError(f"direction={str(kind)[:40]!r} is not known",
                         hint=f"one of {', '.join(KINDS)}, or arrays by name")  # fmt: skip
    entries = sum(v.size for v in loss.start.values())
    if kind == "axes" and entries != count:
        raise UsageError(f"direction='axes' with {count} needs {count} numbers, not {entries}",
                         hint="name fewer parameters in along=")  # fmt: skip
    if entries == count and kind in ("auto", "axes"):
        return _axis(loss, k)
    if kind == "gradient":
        return _gradient(loss, k)
    return _random(loss, seed, before)


def _axis(loss: Loss, k: int) -> Direction:
    """Make the k-th coordinate of all parameters a direction; its axis shows the coordinate."""
    step = {name: np.zeros(v.shape) for name, v in loss.start.items()}
    places = [(name, i) for name, v in loss.start.items() for i in range(v.size)]
    name, i = places[k]
    step[name].flat[i] = 1.0
    here = float(loss.start[name].flat[i])
    place = np.unravel_index(i, loss.start[name].shape)
    letter = latex_name(name) + (f"[{', '.join(map(str, place))}]" if place else "")
    reach = max(1.0, abs(here))
    return Direction(step, letter, "", (-reach, reach), origin=here)


def _random(loss: Loss, seed: int, before: list[Direction]) -> Direction:
    """Draw a Gaussian direction, in each parameter as long as the parameter itself.

    A parameter that is 0 is not moved, unless all are 0. This is the normalisation by layers of
    Li, Xu, Taylor, Studer, Goldstein: Visualizing the loss landscape of neural nets, NeurIPS 2018.
    A second direction is made orthogonal to the first, and as long.
    """
    k = len(before)
    step = _gaussian(loss, k, seed)
    if before and length(before[0].step):
        other = before[0].step
        size, wanted = length(step), length(other)
        share = inner(step, other) / wanted**2
        step = {name: v - share * other[name] for name, v in step.items()}
        rest = length(step)
        if rest <= FLAT * size:
            raise UsageError("two directions need at least two numbers that can be moved",
                             hint="directions=1, or more parameters in along=")  # fmt: skip
        step = {name: v * (wanted / rest) for name, v in step.items()}
    # As wide as the first, so that the way down is perpendicular to the contours.
    reach = (before[0].span[1] - before[0].span[0]) / 2 if before else NEAR
    return Direction(step, GREEK[k], f"random (seed {seed})", (-reach, reach))


def _gaussian(loss: Loss, k: int, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng([seed, k])
    zero = not any(np.any(v) for v in loss.start.values())
    step = {}
    for name, v in loss.start.items():
        drawn = rng.normal(size=v.shape)
        size = float(np.linalg.norm(drawn)) or 1.0
        step[name] = np.asarray(drawn / size * (1.0 if zero else float(np.linalg.norm(v))))
    return step


def _gradient(loss: Loss, k: int) -> Direction:
    """Take the negative gradient, as long as the parameters are together."""
    found = loss.gradient()
    size = length(found)
    if not 0 < size < math.inf:
        raise UsageError("the gradient at the given point is no direction: it is "
                         + ("0" if size == 0 else "not finite"))  # fmt: skip
    scale = (length(loss.start) or 1.0) / size
    step = {name: -scale * v for name, v in found.items()}
    return Direction(step, GREEK[k], "the negative gradient", (-NEAR, NEAR))


def _towards(loss: Loss, point: Any, k: int) -> Direction:
    """Lead to a second point in a straight line; it is reached at α = 1.

    As in Goodfellow, Vinyals, Saxe: Qualitatively characterizing neural network optimization
    problems, ICLR 2015.
    """
    other = _given(loss, point, "towards")
    step = {
        name: other[name] - v if name in point else other[name] for name, v in loss.start.items()
    }
    said = "to the second point" if k == 0 else "to the third point"
    return Direction(step, GREEK[k], said, (-BEYOND, 1 + BEYOND), target=1.0)


def _given(loss: Loss, arrays: Any, what: str) -> dict[str, Array]:
    """Read arrays by name; what is not named does not move."""
    if not isinstance(arrays, Mapping):
        raise UsageError(f"{what}= takes arrays by name, not {type(arrays).__name__}")
    unknown = [str(k)[:40] for k in arrays if k not in loss.inputs]
    if unknown:
        raise DataError(f"no input is called {', '.join(unknown)}",
                        hint=f"the inputs are {', '.join(loss.inputs)}")  # fmt: skip
    if not any(name in arrays for name in loss.start):
        raise DataError(f"{what}= has no array of {', '.join(loss.start)}")
    found = {}
    for name, v in loss.start.items():
        try:
            found[name] = np.array(arrays.get(name, np.zeros(v.shape)), dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(f"{what}['{name}'] is not an array of numbers") from None
        if found[name].shape != v.shape:
            raise ShapeError(f"'{name}' is {text(v.shape)}; "
                             f"{what}= gives {text(found[name].shape)}")  # fmt: skip
        if not np.isfinite(found[name]).all():
            raise DataError(f"{what}['{name}'] holds numbers that are not finite")
    return found


def _parallel(a: Vector, b: Vector) -> bool:
    return inner(a, b) ** 2 >= (1 - FLAT) * inner(a, a) * inner(b, b)
