"""What an activation does to large numbers: the one question that initialisation depends on.

It is answered by the function's values, so a function of one's own is treated like a known one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Curve = Callable[[Array], Any]

NEAR = np.linspace(3, 5.5, 11)  # where pre-activations are still found: relu6 has not yet bent
FAR = np.array([1e3, 1e6])
BELL = np.linspace(-9, 9, 3601)
STEEP = (0.4, 3.0)  # slopes that count as passing a signal on
SMALL = 0.35  # a side with less than this share of the other's slope is cut off


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Say what kind of function it is, and its slopes far to the left and to the right.

    `kind` is "linear", "bounded" (grows slower than x on both sides), "rectifier" (passes one
    side on, or both with a bend between), "selfnormal" (keeps mean 0 and variance 1), "steep"
    (grows faster than x) or "other" (not defined everywhere).
    """

    kind: str
    left: float = 0.0
    right: float = 0.0

    @property
    def power(self) -> float:
        """Give l² + r²: E f(z)² is half of it times the variance of a centred z."""
        return self.left**2 + self.right**2


def behaviour(curve: Curve) -> Behaviour:
    """Classify a function of one variable by its values.

    >>> behaviour(lambda x: np.maximum(x, 0.01 * x))
    Behaviour(kind='rectifier', left=0.01, right=1.0)
    >>> behaviour(np.tanh).kind, behaviour(lambda x: 3 * x - 1).kind, behaviour(np.square).kind
    ('bounded', 'linear', 'steep')
    """
    with np.errstate(all="ignore"):
        y = _values(curve, BELL)
        if not np.all(np.isfinite(y)):
            return Behaviour("other")
        if _straight(BELL, y):
            return Behaviour("linear")
        sides = [_side(curve, sign) for sign in (-1, 1)]
    (near_l, far_l, even_l), (near_r, far_r, even_r) = sides
    if max(abs(near_l), abs(near_r)) > STEEP[1]:
        return Behaviour("steep")
    left, right = _share(near_l, far_l, near_r), _share(near_r, far_r, near_l)
    passing = abs(near_r) >= abs(near_l)
    slope, even = (near_r, even_r) if passing else (near_l, even_l)
    if abs(slope) < STEEP[0] or not even:
        return Behaviour("bounded")
    kind = "selfnormal" if _selfnormal(y) else "rectifier"
    return Behaviour(kind, left, right)


def _values(curve: Curve, x: Array) -> Array:
    return np.broadcast_to(np.asarray(curve(x), dtype=np.float64), x.shape)


def _straight(x: Array, y: Array) -> bool:
    """Say whether the values lie on a line; infinite ones do not."""
    line = y[0] + (y[-1] - y[0]) * (x - x[0]) / (x[-1] - x[0])
    return bool(np.all(np.abs(y - line) <= 1e-9 * (1 + np.max(np.abs(y)))))


def _side(curve: Curve, sign: int) -> tuple[float, float, bool]:
    """Give the slope nearby and far out on one side, and whether it is even nearby."""
    y, out = _values(curve, sign * NEAR), _values(curve, sign * FAR)
    slope = float(y[-1] - y[0]) / (sign * float(NEAR[-1] - NEAR[0]))
    far = float(out[1] - out[0]) / (sign * float(FAR[1] - FAR[0]))
    steps = np.diff(y) / (sign * np.diff(NEAR))
    even = bool(np.all(np.abs(steps - slope) <= 0.25 * abs(slope)))
    return _round(slope), _round(far), even


def _share(near: float, far: float, other: float) -> float:
    """Choose the slope that counts: nearby on the side that passes, far out on a side cut off."""
    return far if abs(near) < SMALL * abs(other) else near


def _round(slope: float) -> float:
    """Take a slope within 6 % of 1 for 1: softplus and SiLU come near it only slowly."""
    if not np.isfinite(slope):
        return float("inf")
    close = abs(abs(slope) - 1) < 0.06 and abs(abs(slope) - 1.0507009873554805) > 1e-6
    return float(np.sign(slope)) if close else 0.0 if abs(slope) < 1e-4 else round(slope, 6)


def _selfnormal(y: Array) -> bool:
    """Say whether a standard normal keeps its mean and variance: the fixed point of SELU."""
    weight = np.exp(-(BELL**2) / 2)
    weight = weight / np.sum(weight)
    return bool(abs(np.sum(weight * y)) < 1e-3 and abs(np.sum(weight * y * y) - 1) < 1e-3)
