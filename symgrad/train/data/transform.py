"""What was done to the data, kept so that it can be saved and done again to new data.

A feature becomes (x − shift)/scale; texts become one-hot columns first; labels become numbers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.train.data.arrays import Array
from symgrad.train.data.columns import Columns, missing_entry
from symgrad.train.data.rows import Held, blocks
from symgrad.train.data.statistics import statistics

SCHEMA, VERSION = "symgrad.transform", 1
MISSING = ("error", "mean", "allow")
ARRAYS = ("shift", "scale", "fill")


@dataclass(frozen=True, slots=True)
class Part:
    """Hold what is done to one input: `row` is the shape of one example.

    `shift`, `scale` and `fill` (for missing entries) have an entry for each number of a row, or
    are None where nothing is done. `wanted` says that shift and scale are still to be computed.
    """

    row: tuple[int, ...]
    columns: Columns | None = None
    shift: Array | None = None
    scale: Array | None = None
    fill: Array | None = None
    wanted: bool = False
    whole: bool = False
    missing: str = "error"

    @property
    def open(self) -> bool:
        """Say whether the training rows are still to be looked at."""
        return (self.wanted and self.shift is None) or (
            self.missing == "mean" and self.fill is None
        )

    @property
    def idle(self) -> bool:
        """Say whether the numbers stay as they are."""
        return self.shift is None and self.fill is None

    def fitted(self, name: str, rows: Held, index: Array | None) -> "Part":
        """Compute what is still open from the rows that `index` lists."""
        if not (self.wanted or self.missing == "mean"):
            return self
        found = statistics(rows, index, skip_nan=self.missing != "error")
        empty = found.count == 0
        if self.missing == "mean" and empty.any():
            column = self.label(name, int(np.argmax(empty)))
            raise DataError(f"{column} has no entry in the training rows, so it has no mean",
                            hint="leave the column out")  # fmt: skip
        mean, deviation = found.mean, found.deviation
        if self.missing != "allow" and not np.isfinite(mean).all():
            self._scan(name, rows, index)
        if self.wanted and not (np.isfinite(mean) & np.isfinite(deviation)).all():
            column = self.label(name, int(np.argmin(np.isfinite(mean) & np.isfinite(deviation))))
            raise DataError(f"{column} is too large to be standardised",
                            hint="divide it by its order of magnitude first")  # fmt: skip
        shift, scale = mean, np.where(found.constant | (deviation == 0), 1.0, deviation)
        if self.columns is not None:
            shift = np.where(self.columns.numeric, shift, 0.0)
            scale = np.where(self.columns.numeric, scale, 1.0)
        fill = mean if self.missing == "mean" else None
        if not self.wanted:
            return replace(self, fill=fill)
        return replace(self, shift=shift, scale=scale, fill=fill)

    def _scan(self, name: str, rows: Held, index: Array | None) -> None:
        """Raise DataError at the first entry that spoils the mean."""
        order = np.arange(len(rows)) if index is None else np.sort(index)
        for start, stop in blocks(rows, order):
            part = order[start:stop]
            self.checked(name, rows.take(part), lambda k, part=part: f"row {part[k]}")

    def apply(self, array: Array) -> Array:
        """Carry the transform out, in float64, on rows of the declared shape."""
        if self.idle:
            return array
        flat = array.reshape(len(array), int(np.prod(self.row, dtype=np.int64)))
        flat = flat.astype(np.float64, copy=False)
        if self.fill is not None:
            flat = np.where(np.isnan(flat), self.fill, flat)
        if self.shift is not None and self.scale is not None:
            flat = flat - self.shift
            flat /= self.scale
        return flat.reshape(array.shape)

    def label(self, name: str, column: int) -> str:
        """Name a column of the input for a message."""
        if self.columns is not None and column < len(self.columns.names):
            return f"column '{self.columns.names[column]}'"
        place = "".join(f"[{k}]" for k in np.unravel_index(column, self.row)) if self.row else ""
        return f"column {place} of '{name}'" if place else f"'{name}'"

    def checked(self, name: str, array: Array, place: Any = "row {}".format) -> Array:
        """Raise DataError at the first entry that is missing or infinite, unless it is allowed."""
        if array.dtype.kind != "f" or self.missing == "allow" or np.isfinite(array).all():
            return array
        bad = np.isinf(array) if self.missing == "mean" else ~np.isfinite(array)
        if bad.any():
            row, *rest = (int(k) for k in np.argwhere(bad)[0])
            column = int(np.ravel_multi_index(rest, array.shape[1:])) if rest else 0
            value = array[(row, *rest)]
            if np.isnan(value):
                raise missing_entry(self.label(name, column), place(row))
            raise DataError(f"{self.label(name, column)} is {value} in {place(row)}",
                            hint="put a number there, or leave the row out")  # fmt: skip
        return array


@dataclass(frozen=True)
class Transform:
    """Hold what was done to each feature and to the target.

    `apply` does it to new features, `labels` turns class numbers back into the labels that were
    given, `restore` turns standardised predictions back into the target's units.

    >>> Transform.from_json(Transform({"X": Part((2,))}).to_json()).apply([[1, 2]])
    {'X': array([[1., 2.]])}
    """

    parts: Mapping[str, Part]
    targets: Mapping[str, Part] = field(default_factory=dict)
    classes: tuple[Any, ...] | None = None

    def apply(self, source: Any, dtype: Any = np.float64) -> dict[str, Array]:
        """Make the inputs of new examples, from any source that `load` reads, without targets.

        Columns of a table are found by name. Texts that are no known category count as none of
        them, with a warning.
        """
        from symgrad.train.data.applying import applied

        return applied(self, source, dtype)

    def labels(self, numbers: Any) -> Array:
        """Give the original labels of class numbers (0, 1 for two classes)."""
        if self.classes is None:
            raise DataError("the target has no classes")
        kinds = {type(c) for c in self.classes}
        table = np.array(self.classes, dtype=object if len(kinds) > 1 else None)
        return table[np.asarray(numbers).astype(np.int64)]

    def restore(self, prediction: Any, target: str | None = None) -> Array:
        """Give predictions in the units of the target, where it was standardised.

        `target` may be a feature too, which a model gives back.
        """
        known = {**self.parts, **self.targets}
        part = known.get(target or next(iter(self.targets), ""))
        array = np.asarray(prediction)
        if part is None or part.shift is None or part.scale is None:
            return array
        scale, shift = (v.reshape(part.row) for v in (part.scale, part.shift))
        return np.asarray(array * scale + shift)

    def to_json(self) -> dict[str, Any]:
        """Give the transform as what JSON can hold; numbers keep all their digits."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "inputs": {k: _plain(p) for k, p in self.parts.items()},
            "targets": {k: _plain(p) for k, p in self.targets.items()},
            "classes": None if self.classes is None else list(self.classes),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any] | str) -> "Transform":
        """Read what `to_json` gave, or its text; raise DataError for anything else."""
        try:
            found = json.loads(given) if isinstance(given, str) else given
            if (found["schema"], found["version"]) != (SCHEMA, VERSION):
                raise DataError(
                    f"this is {str(found['schema'])[:40]} version "
                    f"{str(found['version'])[:20]}, not {SCHEMA} version {VERSION}"
                )
            parts, targets = (
                {k: _part(p) for k, p in found[w].items()} for w in ("inputs", "targets")
            )
            classes = found["classes"]
            return cls(parts, targets, None if classes is None else tuple(classes))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"this is no transform of symgrad: {error}") from None


def _plain(part: Part) -> dict[str, Any]:
    columns = (
        None
        if part.columns is None
        else [[k, None if v is None else list(v)] for k, v in part.columns.categories.items()]
    )
    arrays = {k: None if (v := getattr(part, k)) is None else v.tolist() for k in ARRAYS}
    return {"row": list(part.row), "columns": columns, "wanted": part.wanted,
            "whole": part.whole, "missing": part.missing, **arrays}  # fmt: skip


def _part(given: Mapping[str, Any]) -> Part:
    columns = given["columns"]
    arrays = {k: None if given[k] is None else np.array(given[k], np.float64) for k in ARRAYS}
    row = tuple(int(n) for n in given["row"])
    width = int(np.prod(row, dtype=np.int64))
    if given["missing"] not in MISSING or any(
        a is not None and a.shape != (width,) for a in arrays.values()
    ):
        raise ValueError("its numbers do not fit its shape")
    return Part(
        row,
        None
        if columns is None
        else Columns({k: None if v is None else tuple(v) for k, v in columns}),
        wanted=bool(given["wanted"]),
        whole=bool(given["whole"]),
        missing=given["missing"],
        **arrays,
    )
