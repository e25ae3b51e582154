"""Match what is aimed at with its declaration, according to the task."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.dims import Dim
from symgrad.errors import DataError
from symgrad.graph import Node
from symgrad.shapes import Bindings
from symgrad.train.data.arrays import Array, mapped
from symgrad.train.data.labels import NUMERIC, TWO, encode, listed
from symgrad.train.data.match import known, matched
from symgrad.train.data.rows import Coded, Held, held
from symgrad.train.telling import warn

WIDE = 10.0  # a standard deviation of the target that is worth a note


@dataclass(frozen=True, slots=True)
class Aim:
    """Hold a target's declaration, the names of its classes, and where its rows stand."""

    name: str
    node: Node
    task: str
    sizes: Bindings
    place: Callable[[int], str]
    named: tuple[str, ...] | None = None
    classes: tuple[Any, ...] | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Aimed:
    """Hold a target's rows; `free`: they are values, `one_hot`: each row is a class."""

    rows: Held
    row: tuple[int, ...]
    classes: tuple[Any, ...] | None = None
    notes: tuple[str, ...] = ()
    free: bool = False
    one_hot: bool = False


def aimed(aim: Aim, given: Array) -> Aimed:
    """Encode or check a target's values."""
    task = _task(aim)
    shape = aim.node.shape
    if task == "onehot" and (given.ndim < len(shape) or given.shape[1:] == (1,) != _width(aim)):
        return _classes(aim, given, task, shape[:-1])
    if task == "onehot":
        return _one_hot(aim, given)
    if task in ("labels", *TWO):
        soft = task == "binary" and aim.node.attrs["kind"] != "binary" and _between(given)
        return _values(aim, given) if soft else _classes(aim, given, task, shape)
    return _many(aim, given) if task == "multilabel" else _values(aim, given)


def _width(aim: Aim) -> tuple[int | None, ...]:
    return (known(aim.node.shape[-1], aim.sizes),)


def _task(aim: Aim) -> str:
    """Give the task, for further targets that of their kind."""
    if aim.task:
        return aim.task
    kind = str(aim.node.attrs["kind"])
    if kind in ("label", "labels", "integer"):
        return "labels"
    if kind in ("onehot", "simplex"):
        return "onehot"
    if kind in TWO:
        return "multilabel" if len(aim.node.shape) > 1 and aim.node.shape[-1] != 1 else kind
    return "values"


def _classes(aim: Aim, given: Array, task: str, shape: tuple[Dim, ...]) -> Aimed:
    """Encode the labels; each stands for a number, a sign or a one-hot row."""
    name, sizes = aim.name, aim.sizes
    array, note = matched(name, given, shape, sizes, aim.told)
    inner = array.shape[1:]
    each = max(int(np.prod(inner, dtype=np.int64)), 1)
    declared = aim.node.attrs.get("classes") if task == "labels" else None
    declared = aim.node.shape[-1] if task == "onehot" else declared
    count = None if declared is None else known(declared, sizes)
    order = aim.classes
    if aim.named is not None:
        array = np.array([*aim.named, None], dtype=object)[:-1][array]
        right = (2 if task in TWO else count) in (None, len(aim.named))
        order = order or (aim.named if right else None)  # the set's own order of its classes
    found = encode(name, array.reshape(-1), task, count, order, lambda k: aim.place(k // each))
    if isinstance(declared, str):
        sizes.bind(declared, len(found.classes))
    rows = Coded(found.rows.array.reshape(array.shape), found.rows.table)
    row = inner + rows.table.shape[1:]
    notes = (note,) * bool(note) + found.notes
    return Aimed(rows, row, found.classes, notes)


def _one_hot(aim: Aim, given: Array) -> Aimed:
    """Check rows that are one-hot, or probabilities where the kind allows them."""
    name = aim.name
    array, note = matched(name, _numbers(aim, given), aim.node.shape, aim.sizes, aim.told)
    kind = aim.node.attrs["kind"]
    if mapped(array) is None:
        _finite(name, array, aim.place)
        if kind in ("onehot", "simplex"):
            good = (array == 0) | (array == 1) if kind == "onehot" else array >= 0
            good = good.all(axis=-1) & (np.abs(array.sum(axis=-1) - 1.0) <= 1e-6)
            if not good.all():
                row = int(np.argmin(good.reshape(len(array), -1).all(axis=1)))
                what = "one-hot" if kind == "onehot" else "a row of probabilities"
                raise DataError(
                    f"'{name}' in {aim.place(row)} is not {what}: "
                    f"{np.array2string(array[row], threshold=8)}",
                    hint=f"rows of probabilities are declared as  {name}: simplex[N, C]"
                    if kind == "onehot"
                    else "entries are at least 0, their sum is 1",
                )
    return Aimed(held(array), array.shape[1:], tuple(range(array.shape[-1])),
                 (note,) * bool(note), one_hot=kind == "onehot")  # fmt: skip


def _many(aim: Aim, given: Array) -> Aimed:
    """Check a matrix of yes and no: 0 and 1, or −1 and +1 where these are declared."""
    name, kind = aim.name, aim.node.attrs["kind"]
    array, note = matched(name, _numbers(aim, given), aim.node.shape, aim.sizes, aim.told)
    notes = (note,) * bool(note)
    if kind not in TWO and mapped(array) is not None:
        return Aimed(held(array), array.shape[1:], None, notes)
    _finite(name, array, aim.place)
    if kind not in TWO:
        return Aimed(held(array), array.shape[1:], None, notes)
    usual, other = TWO[kind], TWO["binary" if kind == "sign" else "sign"]
    if not np.isin(array, usual).all():
        if not np.isin(array, other).all():
            bad = tuple(int(k) for k in np.argwhere(~np.isin(array, usual))[0])
            raise DataError(f"'{name}' has {array[bad]} in {aim.place(bad[0])}, column {bad[1]}; "
                            f"{usual[0]} and {usual[1]} are expected")  # fmt: skip
        array = np.where(array == other[1], float(usual[1]), float(usual[0]))
        notes += (f"labels {other[0]}, {other[1]} are {usual[0]}, {usual[1]} ('{name}')",)
    return Aimed(held(array), array.shape[1:], None, notes)


def _values(aim: Aim, given: Array) -> Aimed:
    """Take numbers as they are."""
    name = aim.name
    if aim.named is not None and len(aim.named) > 2:
        warn(f"'{name}' holds classes ({listed(aim.named)}), and the model aims at their numbers "
             f"as if they were measured; declare  {name}: labels[N, C], with a loss such as "
             "cross_entropy")  # fmt: skip
    array, note = matched(name, _numbers(aim, given), aim.node.shape, aim.sizes, aim.told)
    notes = (note,) * bool(note)
    if mapped(array) is None:
        _finite(name, array, aim.place)
        if aim.node.attrs["kind"] == "positive" and not (array > 0).all():
            row = int(np.argmin((array > 0).reshape(len(array), -1).all(axis=1)))
            raise DataError(f"'{name}' is declared positive; {aim.place(row)} has {array[row]}")
        with np.errstate(over="ignore", invalid="ignore"):
            spread = float(np.max(np.std(array.astype(np.float64), axis=0), initial=0))
        if spread > WIDE:
            notes += (f"the target has a standard deviation of {spread:.3g}; "
                      "standardise_target=True makes it 1",)  # fmt: skip
    return Aimed(held(array), array.shape[1:], None, notes, free=True)


def _numbers(aim: Aim, array: Array) -> Array:
    """Refuse texts where numbers are aimed at."""
    if array.dtype.kind in NUMERIC:
        return array
    name = aim.name
    shown = next((v for v in array.flat if not isinstance(v, int | float)), None)
    raise DataError(f"'{name}' holds {shown!r}, but the model aims at numbers",
                    hint=f"classes are declared as  {name}: labels[N, C], with a loss such as "
                    "cross_entropy")  # fmt: skip


def _between(array: Array) -> bool:
    """Say whether these are probabilities, some of them neither 0 nor 1."""
    if array.dtype.kind != "f":
        return False
    inside = bool(((array >= 0) & (array <= 1)).all())
    return inside and not bool(((array == 0) | (array == 1)).all())


def _finite(name: str, array: Array, place: Callable[[int], str]) -> None:
    """Raise DataError at the first row that has no target."""
    good = np.isfinite(array).reshape(len(array), -1).all(axis=1)
    if not good.all():
        row = int(np.argmin(good))
        raise DataError(f"the target '{name}' in {place(row)} is {array[row]}",
                        hint="leave out the rows that have no target")  # fmt: skip
