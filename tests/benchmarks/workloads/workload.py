"""What a workload is: a text, inputs, its gradient by hand, its loss for the other libraries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Values = dict[str, Any]
Answer = tuple[Any, Values]
EXAMPLES = Path(__file__).parents[3] / "examples"


@dataclass(frozen=True)
class Workload:
    """A loss as text, the inputs that it is measured at, what it is differentiated by.

    `inputs(rng, **sizes)` gives float64 arrays, integer labels and plain numbers, at full size if
    no sizes are given; `small` are sizes for tests. `by_hand(**inputs)` is what a good engineer
    writes in plain NumPy: the textbook gradient, stable, allocating as it goes. `loss(k, v)` is the
    loss for another library: k spells building blocks in its idiom, v holds the inputs.
    """

    name: str
    text: str
    inputs: Callable[..., Values]
    by_hand: Callable[..., Answer]
    loss: Callable[[Any, Any], Any]
    wrt: tuple[str, ...]
    small: dict[str, int] = field(default_factory=dict)
    scalar: bool = False


def example(name: str) -> str:
    """Return the text of a model among the examples."""
    return (EXAMPLES / name).read_text(encoding="utf-8")


def normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Any:
    """Return normal deviates times a scale."""
    return scale * rng.standard_normal(shape)


def cast(values: Values, dtype: str) -> Values:
    """Return the inputs with their float arrays in dtype; numbers and labels stay.

    >>> cast({"x": np.ones(2), "lam": 0.1}, "float32")["x"].dtype
    dtype('float32')
    """
    return {
        name: value.astype(dtype) if getattr(value, "dtype", None) == np.float64 else value
        for name, value in values.items()
    }


def cross_entropy(s: Any, y: Any) -> tuple[Any, Any]:
    """Return the mean cross-entropy of scores (N, C) with labels (N,), and d loss / d s."""
    rows = np.arange(len(y))
    s = s - s.max(axis=1, keepdims=True)
    p = np.exp(s)
    z = p.sum(axis=1, keepdims=True)
    loss = (np.log(z[:, 0]) - s[rows, y]).mean()
    p /= z
    p[rows, y] -= 1
    p /= len(y)
    return loss, p


def logistic(z: Any, t: Any) -> tuple[Any, Any]:
    """Return the mean binary cross-entropy of logits with targets, and d loss / d z."""
    loss = (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))).mean()
    return loss, (1 / (1 + np.exp(-z)) - t) / z.size
