"""What a model wants of its data, and what a source gave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symgrad.errors import UsageError
from symgrad.train.data.arrays import Array
from symgrad.train.data.table import Table


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say what a model takes from its data: the rank of a row of each feature, and the targets.

    `given` are inputs without an axis for examples; `others` says of any other input why it does
    not come with the data.
    """

    features: Mapping[str, int]
    targets: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def feature(self) -> str:
        """Give the only feature; raise UsageError if there are several."""
        return self._only("feature inputs", tuple(self.features))

    @property
    def target(self) -> str:
        """Give the only target; raise UsageError if there are several, or none."""
        return self._only("targets", self.targets)

    def _only(self, what: str, names: tuple[str, ...]) -> str:
        if len(names) == 1:
            return names[0]
        has = f"the model has {what} {', '.join(names)}" if names else f"the model has no {what}"
        keys = ", ".join(f"{n!r}: ..." for n in (*self.features, *self.targets))
        raise UsageError(has, hint=f"give the data by name:  {{{keys}}}")


@dataclass(slots=True)
class Read:
    """Hold what a source gave: by input name an array, or a table that makes the matrix.

    `standard` says that columns have units (a table), so "auto" standardises them; `divide` is a
    number by which they are divided instead. `classes` name the labels 0, 1, …. `told` says that
    a vector of targets may be a column without a warning.
    """

    features: dict[str, Array | Table]
    targets: dict[str, Array] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    standard: bool = False
    divide: float | None = None
    classes: tuple[str, ...] | None = None
    table: Table | None = None
    told: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Options:
    """Hold how a source is read: the target's column or columns, columns to leave out, a seed."""

    target: Any = None
    drop: tuple[str, ...] = ()
    seed: int = 0
