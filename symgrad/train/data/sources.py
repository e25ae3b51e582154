"""Read a source, whatever it is, into arrays and tables by the names of a model's inputs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import DataError, UsageError, near
from symgrad.train.data import bundled, csvfile, stored, toys
from symgrad.train.data.arrays import Array, mapped, plain
from symgrad.train.data.table import (
    TARGETS,
    Table,
    from_columns,
    from_frame,
    from_objects,
    is_frame,
)


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


def read(source: Any, wanted: Wanted, options: Options) -> Read:
    """Read any source; see `load`."""
    if isinstance(source, str | os.PathLike):
        return _named(source, wanted, options)
    if isinstance(source, Mapping):
        return _mapping(source, wanted, options)
    if isinstance(source, tuple):
        if len(source) != 2:
            raise UsageError(f"data is a tuple of {len(source)}; a pair (X, y) is expected")
        return _pair(source[0], source[1], wanted, options)
    if is_frame(source):
        return _table(from_frame(source), wanted, options)
    return _single(source, wanted, options)


def _named(source: str | os.PathLike[str], wanted: Wanted, options: Options) -> Read:
    """Read a file, a folder, or a set that has a name."""
    path = Path(source)
    if isinstance(source, str):
        if (toy := toys.make(source, options.seed)) is not None:
            features, target, note = toy
            found = _pair(features, target, wanted, options, named=True)
            found.notes.append(note)
            found.told = True
            return found
        if (row := bundled.find(source)) is not None:
            return _bundled(row, wanted, options)
    if path.is_dir():
        return _mapping(stored.folder(path), wanted, options, str(path))
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".tsv", ".txt", ".npz", ".npy"):
        names = (*bundled.SETS, *toys.TOYS)
        hint = f"sets by name are {', '.join(names)}; files end in .csv, .npz or .npy"
        raise UsageError(f"there is no data set {str(source)[:80]!r}" if not path.exists() else
                         f"{str(source)[-80:]!r} is no kind of file that is read",
                         hint=near(source, names) + hint)  # fmt: skip
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    if suffix == ".npz":
        return _mapping(stored.archive(path), wanted, options, str(path))
    if suffix == ".npy":
        return _single(stored.single(path), wanted, options)
    return _table(csvfile.read(path), wanted, options)


def _bundled(row: bundled.Set, wanted: Wanted, options: Options) -> Read:
    features, target, columns, classes, aims = bundled.fetch(row)
    if options.target is not None:
        target = _column(target, aims, options.target)
    if wanted.features[wanted.feature] == 0:
        raise DataError(
            f"'{wanted.feature}' is one number for each example; "
            f"{row.name} has {features.shape[1]}: {', '.join(columns[:8])}"
        )
    found = Read({wanted.feature: _frame_of(features, columns, wanted)}, divide=row.divide)
    if wanted.targets:
        found.targets[wanted.target] = target
    found.classes, found.standard, found.told = classes, row.divide is None, True
    return found


def _column(target: Array, names: Sequence[str], wanted: Any) -> Array:
    """Choose one of several targets by its name."""
    if wanted not in names:
        raise UsageError(f"target={wanted!r} is no target of this set",
                         hint=near(wanted, names) + f"it has {', '.join(names) or 'one'}")  # fmt: skip
    column: Array = target[:, list(names).index(wanted)]
    return column


def _frame_of(features: Array, columns: Sequence[str], wanted: Wanted) -> Array | Table:
    """Name the columns where they become the columns of a matrix."""
    if not columns or wanted.features[wanted.feature] != 1:
        return features
    return from_columns(dict(zip(columns, features.T, strict=True)))


def _pair(X: Any, y: Any, wanted: Wanted, options: Options, named: bool = False) -> Read:
    """Read features and target that are given side by side."""
    if options.target is not None and not named:
        raise UsageError("target= names a column; the target is given as y already")
    found = _features(X, wanted, options)
    if not wanted.targets:
        if named:
            return found
        raise UsageError("the model has no target: its loss takes the features alone",
                         hint="give the features without y")  # fmt: skip
    if is_frame(y):
        table = from_frame(y)
        parts = [table.labels(name) for name in table.columns]
        values: Any = parts[0] if len(parts) == 1 else _stacked(list(table.columns), parts)
    else:
        values = plain(wanted.target, y, texts=True)
    found.targets[wanted.target] = values
    return found


def _features(X: Any, wanted: Wanted, options: Options) -> Read:
    if isinstance(X, Mapping):
        return _mapping(X, Wanted(wanted.features, (), wanted.given, wanted.others), options)
    if is_frame(X):
        return _table(from_frame(X), Wanted(wanted.features), options)
    array = plain(wanted.feature, X, texts=True)
    if array.dtype == object:
        return _table(from_objects(wanted.feature, array), Wanted(wanted.features), options)
    return Read({wanted.feature: array})


def _single(value: Any, wanted: Wanted, options: Options) -> Read:
    """Read one array: the features, with the target among its columns if there is one."""
    array = plain("data", value, texts=True)
    if array.dtype == object:
        return _table(from_objects("data", array), wanted, options)
    if not wanted.targets:
        return Read({wanted.feature: array})
    if array.ndim != 2 or array.shape[1] < 2:
        raise DataError(
            f"one array of the shape {array.shape} is given; the model needs features and a target",
            hint="give a pair (X, y), or a matrix and target= the number of a column",
        )
    if options.target is None:
        raise UsageError("one matrix is given, and nothing says which column is the target",
                         hint="give a pair (X, y), or target= the number of a column")  # fmt: skip
    many = isinstance(options.target, Sequence) and not isinstance(options.target, str)
    aims = list(options.target) if many else [options.target]
    width = array.shape[1]
    for k in aims:
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not -width <= k < width:
            raise UsageError(f"target={k!r} is no column of a matrix of {width} columns")
    aims = [int(k) % width for k in aims]
    rest = [k for k in range(width) if k not in aims]
    first = aims if many else aims[0]
    target = np.array(array[:, first])
    inside = rest == list(range(rest[0], rest[-1] + 1)) and mapped(array) is not None
    features = array[:, rest[0] : rest[-1] + 1] if inside else array[:, rest]
    return Read({wanted.feature: features}, {wanted.target: target})


def _mapping(source: Mapping[Any, Any], wanted: Wanted, options: Options, where: str = "") -> Read:
    """Read arrays by input name, else the columns of a table, else two arrays of a file."""
    names = [str(k) for k in source]
    needed = (*wanted.features, *wanted.targets)
    if not all(n in source for n in needed) and not any(n in source for n in wanted.features):
        if where and wanted.targets and len(names) == 2:
            X, y = _two(source, where)
            return _pair(X, y, wanted, options)
        if where and not wanted.targets and len(names) == 1:
            return _features(source[next(iter(source))], wanted, options)
        if names and all(np.ndim(v) == 1 for v in source.values()):
            return _table(from_columns({str(k): v for k, v in source.items()}), wanted, options)
    missing = [n for n in needed if n not in source]
    if missing:
        has = f"{where} has" if where else "given are"
        raise DataError(
            f"there are no values for '{missing[0]}'; {has} {', '.join(names) or 'none'}",
            hint=near(missing[0], names) + f"the model takes {', '.join(needed)}",
        )
    found = Read({})
    for key, value in source.items():
        if key in wanted.features:
            part = _features(value, Wanted({key: wanted.features[key]}), options)
            found.features[key], found.standard = (
                part.features[key],
                found.standard or part.standard,
            )
            found.notes += part.notes
        elif key in wanted.targets:
            found.targets[key] = plain(key, value, texts=True)
        elif key in wanted.given:
            found.given[key] = value
        else:
            reason = wanted.others.get(str(key), "the model has no input of this name")
            if where or not wanted.targets:
                found.notes.append(f"'{key}' is not used: {reason}")
                continue
            raise DataError(
                f"'{key}' is given with the data; {reason}",
                hint=near(key, needed) + f"the model takes {', '.join(needed)}",
            )
    return found


def _two(source: Mapping[str, Array], where: str) -> tuple[Any, Any]:
    """Tell which of two arrays is the target: by its name, else by having fewer axes."""
    (a, first), (b, second) = source.items()
    aims = [k for k in (a, b) if k.lower() in (*TARGETS, "labels", "targets", "t")]
    ranks = np.ndim(first), np.ndim(second)
    if len(aims) == 1:
        return (first, second) if aims[0] == b else (second, first)
    if ranks[0] != ranks[1]:
        return (first, second) if ranks[0] > ranks[1] else (second, first)
    raise DataError(f"{where} has {a} and {b}; which is the target cannot be told",
                    hint="name the arrays as the inputs of the model")  # fmt: skip


def _table(table: Table, wanted: Wanted, options: Options) -> Read:
    """Share the columns of a table out: the target, features by their names, the rest as one."""
    if not table.rows:
        raise DataError("the table has no rows")
    found = Read({}, standard=True, table=table, told=True, notes=list(table.notes))
    table = table.without(options.drop)
    columns = list(table.columns)
    if wanted.targets:
        aims = _aims(columns, wanted, options)
        for name, of in aims.items():
            parts = [table.labels(c) for c in of]
            found.targets[name] = parts[0] if len(parts) == 1 else _stacked(of, parts)
        columns = [c for c in columns if not any(c in of for of in aims.values())]
        found.notes.append(
            f"the target is column {', '.join(c for of in aims.values() for c in of)}"
        )
    single = [n for n, rank in wanted.features.items() if rank == 0 and n in columns]
    for name in single:
        found.features[name] = _of(table, [name])
    columns = [c for c in columns if c not in single]
    rest = [n for n in wanted.features if n not in single]
    if len(rest) > 1:
        raise DataError(
            f"which columns make {' and which '.join(rest)} cannot be told",
            hint="give the data by name:  {" + ", ".join(f"{n!r}: ..." for n in rest) + "}",
        )
    if rest and not columns:
        raise DataError(f"no column is left for '{rest[0]}'")
    if rest:
        found.features[rest[0]] = _of(table, columns)
    elif columns and wanted.targets:
        found.notes.append(f"not used: column {', '.join(columns)}")
    return found


def _of(table: Table, names: Sequence[str]) -> Table:
    return Table({n: table.columns[n] for n in names}, table.rows, table.lines)


def _aims(columns: Sequence[str], wanted: Wanted, options: Options) -> dict[str, list[str]]:
    """Choose the columns of each target."""
    if options.target is not None:
        many = isinstance(options.target, Sequence) and not isinstance(options.target, str)
        of = [str(c) for c in (options.target if many else [options.target])]
        for name in of:
            if name not in columns:
                raise UsageError(f"target={name!r} is no column", hint=near(name, columns)
                                 + f"columns are {', '.join(columns[:20])}")  # fmt: skip
        return {wanted.target: of}
    if all(n in columns for n in wanted.targets):
        return {n: [n] for n in wanted.targets}
    lower = {c.lower(): c for c in reversed(columns)}
    usual = next((lower[n] for n in TARGETS if n in lower), columns[-1] if columns else "")
    return {wanted.target: [usual]}


def _stacked(names: Sequence[str], parts: Sequence[Array]) -> Array:
    texts = [n for n, p in zip(names, parts, strict=True) if p.dtype == object]
    if texts:
        raise DataError(f"the target column '{texts[0]}' holds texts; several targets are numbers")
    return np.stack(parts, axis=1)
