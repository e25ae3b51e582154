"""NumPy for compiled functions, with shorter ways into its functions: the same bits, sooner.

`np.sum` looks for overrides, checks its arguments and calls `np.add.reduce`; on a small array that
takes twice as long as the sum itself. `np.vdot`, `np.copyto` and others look for overrides too,
which arrays have not, and take twice to four times as long. And where NumPy's warnings are off for
the whole call, `np.errstate` has nothing left to do.
"""

from contextlib import nullcontext
from functools import lru_cache
from math import prod
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

Array = Any
Axis = int | tuple[int, ...] | None
NOTHING = nullcontext()
ADDED: Array = np.add.reduce
GREATEST: Array = np.maximum.reduce
LEAST: Array = np.minimum.reduce
SEARCHING: Any = type(np.vdot)  # functions that look for overrides first


@lru_cache(maxsize=1)
def quick() -> ModuleType:
    """Give a module like NumPy, for functions that run while NumPy's warnings are off.

    >>> import numpy as np
    >>> a = np.array([[1.0, 2.0], [3.0, 5.0]])
    >>> quick().mean(a, axis=0), quick().exp is np.exp
    (array([2. , 3.5]), True)
    >>> quick().vdot is np.vdot.__wrapped__  # without the search for overrides
    True
    """
    made = ModuleType("numpy")
    vars(made).update(vars(np))
    vars(made).update({name: f.__wrapped__ for name, f in vars(np).items() if type(f) is SEARCHING})
    vars(made).update(sum=_sum, max=_max, min=_min, mean=_mean, errstate=_errstate)
    tricks = SimpleNamespace(sliding_window_view=_sliding_window_view)
    vars(made).update(lib=SimpleNamespace(stride_tricks=tricks))  # modules read no more of it
    return made


class _Strided:
    """Say how the memory of an array is seen."""

    __slots__ = ("__array_interface__", "base")

    def __init__(self, interface: dict[str, Any], base: Array) -> None:
        self.__array_interface__, self.base = interface, base


def _sliding_window_view(x: Array, width: int, axis: int) -> Array:
    """View the windows along one axis; NumPy's way to the same view takes three times as long."""
    rows = x.shape[axis] - width + 1
    if type(x) is not np.ndarray or width < 1 or rows < 1:
        return np.lib.stride_tricks.sliding_window_view(x, width, axis)
    shape = (*x.shape[:axis], rows, *x.shape[axis + 1 :], width)
    interface = {**x.__array_interface__, "shape": shape, "strides": (*x.strides, x.strides[axis])}
    view = np.asarray(_Strided(interface, x))
    view.flags.writeable = False
    return view


def _errstate(**_: Any) -> nullcontext[None]:
    return NOTHING


def _sum(a: Array, axis: Axis = None, keepdims: bool = False, **rest: Any) -> Array:
    if rest:
        return np.sum(a, axis=axis, keepdims=keepdims, **rest)
    return ADDED(a, axis, None, None, keepdims)


def _max(a: Array, axis: Axis = None, keepdims: bool = False, **rest: Any) -> Array:
    if rest:
        return np.max(a, axis=axis, keepdims=keepdims, **rest)
    return GREATEST(a, axis, None, None, keepdims)


def _min(a: Array, axis: Axis = None, keepdims: bool = False, **rest: Any) -> Array:
    if rest:
        return np.min(a, axis=axis, keepdims=keepdims, **rest)
    return LEAST(a, axis, None, None, keepdims)


def _mean(a: Array, axis: Axis = None, keepdims: bool = False, **rest: Any) -> Array:
    """Divide the sum as NumPy does: by an integer of 64 bits, so in double precision."""
    plain = type(a) is np.ndarray and a.dtype.char in "fd" and a.size and not rest
    if not plain:
        return np.mean(a, axis=axis, keepdims=keepdims, **rest)
    axes = (axis,) if isinstance(axis, int) else axis
    count = np.intp(a.size if axes is None else prod([a.shape[k] for k in axes]))
    total = ADDED(a, axis, None, None, keepdims)
    if type(total) is np.ndarray:
        return np.true_divide(total, count, out=total, casting="unsafe")
    return total.dtype.type(total / count)
