"""Read a source, whatever it is, into arrays and tables by the names of a model's inputs."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.errors import DataError, UsageError, near
from symgrad.files import named
from symgrad.train.data import bundled, csvfile, stored, toys
from symgrad.train.data.arrays import Array, mapped, plain
from symgrad.train.data.reading import Options, Read, Wanted
from symgrad.train.data.rows import blocks, held
from symgrad.train.data.sharing import shared, stacked
from symgrad.train.data.table import (
    TARGETS,
    Table,
    from_columns,
    from_frame,
    from_objects,
    is_frame,
)


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
        return shared(from_frame(source, options.drop), wanted, options)
    return _single(source, wanted, options)


def _named(source: str | os.PathLike[str], wanted: Wanted, options: Options) -> Read:
    """Read a file, a folder, or a set that has a name."""
    path = named(source)
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
    return shared(csvfile.read(path), wanted, options)


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
        raise UsageError(
            f"target={wanted!r} is no target of this set",
            hint=near(wanted, names) + f"it has {', '.join(names) or 'one'}",
        )
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
        values: Any = parts[0] if len(parts) == 1 else stacked(list(table.columns), parts)
    else:
        values = plain(wanted.target, y, texts=True)
    found.targets[wanted.target] = values
    return found


def _features(X: Any, wanted: Wanted, options: Options) -> Read:
    if isinstance(X, Mapping):
        return _mapping(X, Wanted(wanted.features, (), wanted.given, wanted.others), options)
    if is_frame(X):
        return shared(from_frame(X, options.drop), Wanted(wanted.features), options)
    array = plain(wanted.feature, X, texts=True)
    if array.dtype == object:
        return shared(from_objects(wanted.feature, array), Wanted(wanted.features), options)
    return Read({wanted.feature: array})


def _single(value: Any, wanted: Wanted, options: Options) -> Read:
    """Read one array: the features, with the target among its columns if there is one."""
    if not wanted.targets:
        return _features(value, wanted, options)
    array = plain("data", value, texts=True)
    if array.dtype == object:
        return shared(from_objects("data", array), wanted, options)
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
    aims = [int(k) if isinstance(k, str) and k.isdecimal() else k for k in aims]
    width = array.shape[1]
    for k in aims:
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not -width <= k < width:
            raise UsageError(f"target={k!r} is no column of a matrix of {width} columns")
    aims = [int(k) % width for k in aims]
    rest = [k for k in range(width) if k not in aims]
    whole = held(array)  # a column of a mapped file would touch all its pages
    target = np.concatenate([whole.between(*block)[:, aims] for block in blocks(whole)])
    target = target if many else target[:, 0]
    inside = rest == list(range(rest[0], rest[-1] + 1)) and mapped(array) is not None
    if mapped(array) is not None and not inside:
        raise DataError("the target lies between the features of a mapped file",
                        hint="make it the first or the last column, or a file")  # fmt: skip
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
            return shared(
                from_columns({str(k): v for k, v in source.items()}, options.drop), wanted, options
            )
    missing = [n for n in needed if n not in source]
    if missing:
        has = f"{where} has" if where else "given are"
        raise DataError(
            f"there are no values for '{missing[0]}'; {has} {', '.join(names) or 'none'}",
            hint=near(missing[0], names) + f"the model takes {', '.join(needed)}",
        )
    return _by_name(source, wanted, options, where)


def _by_name(source: Mapping[Any, Any], wanted: Wanted, options: Options, where: str) -> Read:
    """Read arrays that have the names of inputs; what else a file holds is left out."""
    found, needed = Read({}), (*wanted.features, *wanted.targets)
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
