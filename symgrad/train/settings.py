"""What a training run is told: one table for Python, the command line and checkpoints."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from numbers import Integral, Real
from typing import Any

from symgrad.errors import UsageError, near
from symgrad.train.calls import called

DTYPES = ("float64", "float32")
STATISTICS = ("moving", "whole")

# type, metavar, help: settings that are options of a command, by the same names
OPTIONS: dict[str, tuple[type, str, str]] = {
    "optimizer": (str, "NAME", "adam, gd, momentum, nesterov, adagrad, rmsprop, adamw, nadam; "
                  "with settings: 'adam(beta1=0.8)' (default: adam)"),
    "rate": (float, "NUMBER", "the learning rate (default: the optimiser's)"),
    "epochs": (int, "NUMBER", "passes over the data (default: 100, or 2000 steps)"),
    "schedule": (str, "NAME", "how the rate changes: cosine, 'step(every=0.3)', … "
                 "(default: constant)"),
    "seed": (int, "NUMBER", "makes the run repeatable (default: 0)"),
    "initial": (str, "SCHEME", "auto, he, glorot, lecun, normal, 'normal(0.01)', … "
                "(default: auto)"),
    "l1": (float, "NUMBER", "weight of the sum of absolute weights"),
    "l2": (float, "NUMBER", "weight of the sum of squared weights"),
    "clip": (float, "NUMBER", "the largest norm of a gradient"),
    "validation": (float, "SHARE", "rows held out while training"),
    "test": (float, "SHARE", "rows held out for the end"),
    "patience": (int, "EPOCHS", "stop when the validation loss has not fallen for so long"),
    "averaging": (float, "SHARE", "what a moving statistic keeps at a step (default: 0.99)"),
    "target": (str, "NAME", "the input, or the column of a table, that is aimed at"),
    "predict": (str, "NAME", "the line that predicts, where the loss leaves it open"),
}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Hold the settings of a run; raise `UsageError` for one that cannot be.

    - `optimizer`, with settings of its own ("adam(beta1=0.8)"), `rate`, None for its usual one;
      `schedule` says how the rate changes ("cosine(warmup=0.1)").
    - `epochs` over the data (None: 100, or as many as make 2,000 steps) in batches of `batch` rows
      (None: all of them), in a new order each time if `shuffle`; `seed` makes a run repeatable to
      the last bit.
    - `initial`: how parameters start, "auto", a scheme, or a mapping from names to either or to
      arrays.
    - `l1`, `l2`: penalties λΣ|w| and λΣw² of all weights; `clip`: the largest norm of a gradient.
    - `validation`, `test`: shares of the rows that are held out; `patience`: stop when the
      validation loss has not fallen for so many epochs, and go back to its best.
    - `values`: numbers of dimensions and of the model's own settings that the data do not give
      (H=64, lam=1e-4).
    - `averaging`: the share of its past that a moving statistic keeps at a step; or `statistics`
      "whole": of all rows, once at the end.
    - `target`, `predict`: what is aimed at and which line predicts, where the model leaves it open.

    >>> Settings(epochs=5).batch
    64
    >>> Settings(epochs=-1)
    Traceback (most recent call last):
    symgrad.errors.UsageError: epochs=-1: a whole number from 1 is expected
    """

    optimizer: str = "adam"
    rate: float | None = None
    epochs: int | None = None
    batch: int | None = 64
    schedule: str = "constant"
    seed: int = 0
    shuffle: bool = True
    initial: Any = "auto"
    l1: float = 0.0
    l2: float = 0.0
    clip: float | None = None
    validation: float = 0.0
    test: float = 0.0
    patience: int | None = None
    standardise: Any = "auto"
    averaging: float = 0.99
    statistics: str = "moving"
    dtype: str = "float64"
    target: str | None = None
    predict: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every setting by itself."""
        self._whole("seed", 0)
        for name in ("epochs", "batch", "patience"):
            if getattr(self, name) is not None:
                self._whole(name, 1)
        for name in ("l1", "l2"):
            self._number(name, 0.0, float("inf"))
        for name in ("rate", "clip"):
            if getattr(self, name) is not None:
                self._number(name, 0.0, float("inf"), low_too=False)
        for name in ("validation", "test"):
            self._number(name, 0.0, 1.0, high_too=False)
        self._number("averaging", 0.0, 1.0, high_too=False)
        if self.rate is not None and "rate" in called(self.optimizer, "optimiser")[1]:
            raise UsageError(f"the rate is given twice: in optimizer={self.optimizer!r} and as "
                             f"rate={self.rate!r}")  # fmt: skip
        if self.validation + self.test >= 1:
            raise UsageError(f"validation={self.validation} and test={self.test} leave no rows "
                             "to train on", hint="their sum is below 1")  # fmt: skip
        self._one_of("dtype", DTYPES)
        self._one_of("statistics", STATISTICS)
        if self.patience is not None and not self.validation:
            raise UsageError("patience needs rows that are held out",
                             hint="give a share of them:  validation=0.1")  # fmt: skip

    def _whole(self, name: str, least: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise UsageError(f"{name}={value!r}: a whole number from {least} is expected")

    def _number(
        self, name: str, low: float, high: float, low_too: bool = True, high_too: bool = True
    ) -> None:
        value = getattr(self, name)
        good = not isinstance(value, bool) and isinstance(value, Real) and isfinite(value)
        good = good and (low <= value if low_too else low < value)
        if not (good and (value <= high if high_too else value < high)):
            upto = "" if high == float("inf") else f" and below {high:g}"
            what = "from" if low_too else "above"
            raise UsageError(f"{name}={value!r}: a number {what} {low:g}{upto} is expected")

    def _one_of(self, name: str, known: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value not in known:
            raise UsageError(f"{name}={value!r} is not known",
                             hint=near(value, known) + f"one of {', '.join(known)}")  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """Give the settings as JSON can hold them."""
        return asdict(self)


NAMES = tuple(f.name for f in fields(Settings))


def chosen(given: Mapping[str, Any]) -> Settings:
    """Make settings of keyword arguments.

    >>> chosen({"epoch": 3})
    Traceback (most recent call last):
    symgrad.errors.UsageError: 'epoch' is no setting
    did you mean 'epochs'?  there are optimizer, rate, epochs, ...
    """
    for name in given:
        if name not in NAMES:
            raise UsageError(f"{name!r} is no setting",
                             hint=near(name, NAMES) + f"there are {', '.join(NAMES)}")  # fmt: skip
    dtype = given.get("dtype", "")
    named = dtype if isinstance(dtype, str) else getattr(dtype, "name", "") or dtype.__name__
    return Settings(**{**given, **({"dtype": named} if named else {})})
