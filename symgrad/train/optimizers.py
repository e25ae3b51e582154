"""Optimisers: rows of the table with their settings, which take steps and write their source.

>>> adam = optimizer("adam", rate=0.01)
>>> w, g = np.zeros(3), np.ones(3)
>>> adam.step(w, g, adam.start(3))
>>> w
array([-0.01, -0.01, -0.01])
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.errors import DataError, UsageError
from symgrad.train import stepping
from symgrad.train.calls import called, unknown
from symgrad.train.rows import OPTIMIZERS, Row, find, made, names, register
from symgrad.train.rule import STEP
from symgrad.train.spelling import executed

__all__ = ["OPTIMIZERS", "Optimizer", "Row", "find", "names", "optimizer", "register"]

Array = np.ndarray[Any, np.dtype[Any]]
State = dict[str, Any]  # name -> flat array, or a Python float
DTYPES = ("float32", "float64")
ELSEWHERE = {  # what PyTorch and Keras call a setting
    "lr": "rate", "learning_rate": "rate", "eta": "rate", "momentum": "mu", "rho": "alpha",
    "epsilon": "eps", "beta_1": "beta1", "beta_2": "beta2", "lr_decay": "decay",
    "momentum_decay": "decay", "initial_accumulator_value": "initial",
}  # fmt: skip
FLOATS = tuple(np.dtype(name) for name in DTYPES)


def optimizer(name: str, rule: str = "", **settings: Any) -> "Optimizer":
    """Make an optimiser: by name, by text with settings, or by a rule of one's own.

    >>> optimizer("adam", beta1=0.8).text
    'adam(rate=0.001, beta1=0.8, beta2=0.999, eps=1e-08)'
    >>> optimizer("momentum(mu=0.5)", rate=0.1).settings
    {'rate': 0.1, 'mu': 0.5}
    >>> optimizer("signs", "w = w - rate*sign(g)", rate=0.01).formulas()
    ['w = w − η sign(g)']
    """
    word, given = called(name, "optimiser")
    for key in settings:
        if key in given:
            raise UsageError(f"'{key}' is given twice: in {name!r} and beside it")
    given.update(settings)
    if not rule:
        return Optimizer(find(word), given)
    start = given.pop("start", {})
    rate = given.pop("rate", 0.01)
    return Optimizer(made(word, rule, rate, given, start=start), {"rate": rate})


class Optimizer:
    """Take steps: `step(w, g, state, rate)` on flat arrays in place, `pure` on new ones.

    `settings` holds the numbers of its rule, the rate among them. It has no state of its own, and
    may be used by several threads at once.
    """

    def __init__(self, row: Row, settings: Mapping[str, Any] | None = None) -> None:
        self.row, self.name, self.rule = row, row.name, row.read()
        known = {"rate": row.rate, **row.settings}
        for key in settings or {}:
            if key not in known:
                meant = ELSEWHERE.get(key, key)  # known by another name
                raise unknown(meant if meant in known else key, known,
                              f"setting of the optimiser '{row.name}':", key)  # fmt: skip
        self.settings: dict[str, float] = {
            key: _number(row, key, (settings or {}).get(key, value)) for key, value in known.items()
        }
        state = (*self.rule.vectors, *self.rule.numbers)
        for key, value in row.start.items():
            if key not in state:
                raise unknown(key, state, f"state of the optimiser '{row.name}':")
            if isinstance(value, str) and value not in self.settings:
                raise unknown(value, self.settings, f"setting of the optimiser '{row.name}':")
        self._state = (*state, STEP)
        self._values = tuple(self.settings[name] for name in self.rule.settings)
        self._steps: dict[Any, Any] = {}
        self._spare: list[Array] = []  # working arrays: a step takes one out and puts it back

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.settings["rate"]

    @property
    def text(self) -> str:
        """The optimiser and its settings as text, which `optimizer` reads back."""
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.settings.items())})"

    def __repr__(self) -> str:
        return f"<{self.text}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Optimizer, (self.row, self.settings)

    def formulas(self, form: str = "unicode") -> list[str]:
        """Typeset the lines of the rule, in "unicode" or "latex"; η is the rate.

        >>> optimizer("momentum").formulas()
        ['v = μ v + g', 'w = w − η v']
        """
        if form not in ("unicode", "latex"):
            raise unknown(form, ("unicode", "latex"), "form")
        return [stepping.formula(line, form == "latex") for line in self.rule.lines]

    # -- state ---------------------------------------------------------------------------------

    def begin(self) -> dict[str, float]:
        """Give the number with which each state starts."""
        found = {}
        for name in (*self.rule.vectors, *self.rule.numbers):
            value = self.row.start.get(name, 0.0)
            found[name] = self.settings[value] if isinstance(value, str) else float(value)
        return found

    def start(self, size: int, dtype: Any = "float64") -> State:
        """Make the state before the first step, for `size` parameters.

        >>> optimizer("momentum").start(2)
        {'t': 0.0, 'v': array([0., 0.])}
        """
        kind = np.dtype(dtype)
        if kind.name not in DTYPES:
            raise DataError(f"parameters are float32 or float64, not {kind.name}")
        state: State = {STEP: 0.0}
        for name, value in self.begin().items():
            vector = name in self.rule.vectors
            state[name] = np.full(size, value, dtype=kind) if vector else value
        return state

    def _checked(self, w: Array, g: Array, state: State) -> None:
        """Refuse arrays that would be computed wrongly or copied in silence."""
        if not isinstance(w, np.ndarray) or w.dtype not in FLOATS or w.ndim != 1:
            raise DataError("parameters are one flat array of float32 or float64, not "
                            f"{_described(w)}", hint="w.ravel() makes it flat")  # fmt: skip
        lacking = [name for name in self._state if name not in state]
        if lacking:
            raise DataError(f"the state of {self.name} lacks '{lacking[0]}'",
                            hint="start(size, dtype) makes it")  # fmt: skip
        shape, dtype = w.shape, w.dtype
        for array in (g, *[state[name] for name in self.rule.vectors]):
            if not (
                isinstance(array, np.ndarray) and array.shape == shape and array.dtype == dtype
            ):
                what = "gradient" if array is g else "state"
                raise DataError(f"the {what} is {_described(array)}; the parameters are "
                                f"{_described(w)}")  # fmt: skip

    # -- steps ---------------------------------------------------------------------------------

    def step(
        self, w: Array, g: Array, state: State, rate: float | None = None, block: int = 0
    ) -> None:
        """Take one step in place: change `w` and `state`, leave `g` as it is.

        `block` is the number of entries that are computed at a time; the result does not depend
        on it.
        """
        self._checked(w, g, state)
        rate = self.rate if rate is None else float(rate)
        found = self._compiled(w.dtype)
        if found is None:  # an entry depends on others, through a norm or a sum
            new, after = self.pure(w, g, state, rate)
            w[:] = new
            for name in self.rule.vectors:
                state[name][:] = after[name]
            state.update({k: after[k] for k in (*self.rule.numbers, STEP)})
            return
        function, count, _ = found
        size = min(block or stepping.BLOCK, max(w.size, 1))
        work = self._room(count, size, w.dtype)
        t = float(state[STEP]) + 1.0
        vectors = [state[name] for name in self.rule.vectors]
        numbers = [float(state[name]) for name in self.rule.numbers]
        try:
            with np.errstate(all="ignore"):
                after = function(w, g, *vectors, rate, t, *self._values, *numbers, work, size)
        except ArithmeticError as error:
            raise self._failed(t, error) from None
        self._spare.append(work)
        state[STEP] = t
        for name, value in zip(self.rule.numbers, after, strict=True):
            state[name] = float(value)

    def _compiled(self, dtype: Any) -> Any:
        if dtype not in self._steps:
            self._steps[dtype] = stepping.compiled(self.rule, dtype.name)
        return self._steps[dtype]

    def _room(self, count: int, size: int, dtype: Any) -> Array:
        """Take the working arrays of the last step, or new ones where they do not fit."""
        try:
            work = self._spare.pop()
        except IndexError:
            return np.empty((count, size), dtype)
        return work if work.shape == (count, size) and work.dtype == dtype else (
            np.empty((count, size), dtype))  # fmt: skip

    def _failed(self, t: float, error: Exception) -> DataError:
        return DataError(f"a number of the rule of {self.name} cannot be computed in step {t:.0f}: "
                         f"{error}", hint=f"its settings are {self.settings}")  # fmt: skip

    @cached_property
    def _function(self) -> dict[str, Any]:
        return {d: executed(self.source(d), f"{self.name}_step") for d in DTYPES}

    def pure(
        self, w: Array, g: Array, state: State, rate: float | None = None
    ) -> tuple[Array, State]:
        """Take one step by the text of `source`: give new parameters and state.

        >>> w, state = optimizer("gd").pure(np.ones(2), np.ones(2), {"t": 0.0}, rate=0.5)
        >>> w, state
        (array([0.5, 0.5]), {'t': 1.0})
        """
        self._checked(w, g, state)
        rate = self.rate if rate is None else float(rate)
        try:
            with np.errstate(all="ignore"):
                new, after = self._function[w.dtype.name](w, g, state, rate)
        except ArithmeticError as error:
            raise self._failed(float(state[STEP]) + 1, error) from None
        return new, {k: v if isinstance(v, np.ndarray) else float(v) for k, v in after.items()}

    def source(self, dtype: str = "float64", alone: bool = True) -> str:
        """Write the step as a readable pure function of NumPy, for a module of its own.

        A text that stands `alone` says how the state starts.

        >>> print(optimizer("momentum", rate=0.1).source())
        def momentum_step(w, g, state, rate=0.1, mu=0.9):
            ...
            t, v = state["t"] + 1, state["v"]
            v = mu * v + g                                # v = μ v + g
            w = w - rate * v                              # w = w − η v
            return w, {"t": t, "v": v}
        """
        what = f"Take one step of {self.name}" + f" ({self.row.source})" * bool(self.row.source)
        values = {k: self.settings[k] for k in self.rule.settings}
        start = self.begin() if alone else None
        return stepping.readable(self.rule, self.name, what, self.rate, values, start, dtype)

    def start_source(self) -> str:
        """Write the state before the first step, as text over the parameters `w`.

        >>> optimizer("momentum").start_source()
        '{"t": 0.0, "v": np.zeros_like(w)}'
        """
        return stepping.begun(self.rule, self.begin())


def _number(row: Row, key: str, value: Any) -> float:
    """Check a setting."""
    try:
        number = float(value) if not isinstance(value, bool | str) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"the setting '{key}' of {row.name} is a number, not {value!r}"[:200])
    if key == "rate" and number < 0:
        raise UsageError(f"the learning rate is at least 0, not {number:g}")
    if key in row.fractions and not 0 <= number < 1:
        raise UsageError(f"'{key}' of {row.name} lies in [0, 1); given is {number:g}")
    return number


def _described(array: Any) -> str:
    shape, dtype = getattr(array, "shape", None), getattr(array, "dtype", None)
    return f"{dtype} of shape {shape}" if dtype is not None else type(array).__name__
