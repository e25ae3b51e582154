"""Encode what is aimed at: any labels as class numbers, one-hot rows, 0 and 1, or −1 and +1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.train.data.arrays import Array, steps
from symgrad.train.data.rows import Coded

Place = Callable[[int], str]
MANY, ROWS = 50, 3  # more classes than this, with fewer rows for each, are no classes
SHOWN = 10  # classes that a note or an error lists
TWO = {"binary": (0, 1), "sign": (-1, 1)}


@dataclass(frozen=True, slots=True)
class Encoded:
    """Hold the encoded target, the original labels in the order of their numbers, and notes."""

    rows: Coded
    classes: tuple[Any, ...]
    notes: tuple[str, ...]


def encode(
    name: str,
    array: Array,
    task: str,
    count: int | None = None,
    classes: Sequence[Any] | None = None,
    place: Place = "row {}".format,
) -> Encoded:
    """Encode a vector of labels for a task; `count` is the declared number of classes.

    Labels of any kind are numbered in their order; whole numbers within the declared range stay
    what they are. `classes` are those of an earlier encoding, which must have all labels.

    >>> found = encode("y", np.array(["b", "a", "b"], object), "labels")
    >>> found.classes, found.rows.array.tolist(), found.notes
    (('a', 'b'), [1, 0, 1], ("labels a, b are 0, 1 ('y')",))
    """
    array = _uniform(name, array, place)
    values = _distinct(name, array, place)
    if classes is None:
        chosen = (
            _two(name, values, task) if task in TWO else _many(name, array, values, count, place)
        )
    else:
        chosen = np.array(list(classes))
        chosen = chosen.astype(object) if chosen.dtype.kind == "U" else chosen
    codes = _codes(name, array, values, chosen, place)
    kept = tuple(_python(v) for v in chosen)
    rows = Coded(codes, meaning(task, len(kept)))
    return Encoded(rows, kept, _notes(name, task, kept))


def meaning(task: str, count: int) -> Array:
    """Give what stands for each class in the model: a number, a sign or a one-hot row."""
    if task == "labels":
        return np.arange(count)
    return np.eye(count) if task == "onehot" else np.array(TWO[task], dtype=np.float64)


def _uniform(name: str, array: Array, place: Place) -> Array:
    """Make Python objects one kind: texts, or numbers."""
    if array.dtype != object:
        return array
    texts = np.fromiter((isinstance(v, str) for v in array), bool, len(array))
    if texts.all():
        return array
    kinds = (bool, int, float, np.number, np.bool_)
    numbers = np.fromiter((isinstance(v, kinds) for v in array), bool, len(array))
    if numbers.all():
        return np.array(array.tolist())
    odd = int(np.argmin(texts | numbers) if not (texts | numbers).all() else np.argmin(numbers))
    missing = array[odd] is None or type(array[odd]).__name__ in ("NAType", "NaTType")
    what = "is missing" if missing else f"is {str(array[odd])[:40]!r} among numbers"
    raise DataError(
        f"the label of '{name}' in {place(odd)} {what}",
        hint="leave such rows out, or make all labels texts or all numbers",
    )


def _distinct(name: str, array: Array, place: Place) -> Array:
    """List the different values in their order, block by block."""
    found: list[Array] = []
    for start in (cut := steps(len(array), 1)):
        block = array[start : start + cut.step]
        if block.dtype.kind == "f" and not np.isfinite(block).all():
            bad = int(np.argmin(np.isfinite(block)))
            raise DataError(f"the label of '{name}' in {place(start + bad)} is {block[bad]}",
                            hint="leave out the rows that have no label")  # fmt: skip
        found.append(np.unique(block.astype(str) if block.dtype == object else block))
    values = np.unique(np.concatenate(found)) if found else np.empty(0)
    return values.astype(object) if values.dtype.kind == "U" else values


def _many(name: str, array: Array, values: Array, count: int | None, place: Place) -> Array:
    """Choose the classes of labels: as declared, or the values that are there."""
    if values.dtype.kind == "f":
        odd = values != np.floor(values)
        if odd.any():
            first = int(np.argmax(array == values[odd][0]))
            raise DataError(f"the label of '{name}' in {place(first)} is {values[odd][0]}, "
                            "not a whole number",
                            hint=f"numbers to be met are declared as  {name}: real[N]")  # fmt: skip
        values = values.astype(np.int64)
    whole = values.dtype.kind in "iu"
    if count is None:
        if len(values) > MANY and ROWS * len(values) > len(array):
            raise DataError(
                f"'{name}' has {len(values)} different labels in {len(array)} rows, such as "
                f"{listed(values[:3])}: fewer than {ROWS} rows for each are too few to learn from",
                hint=f"numbers to be met are declared as  {name}: real[N], with a loss such as "
                "mse; if they are classes, say how many there are by a number in place of C",
            )
        if len(values) < 2:
            raise DataError(f"'{name}' has one label, {values[0]}, in all rows; "
                            "there is nothing to tell apart")  # fmt: skip
        return values
    if whole and values.size and values[0] >= 0 and values[-1] < count:
        return np.arange(count)
    if len(values) == count:
        return values
    hint = f"declare {len(values)} classes:  {name}: labels[N, {len(values)}]"
    if len(values) > MANY and ROWS * len(values) > len(array):
        hint = f"numbers to be met are declared as  {name}: real[N], with a loss such as mse"
    if whole and len(values) > 0:
        outside = values[(values < 0) | (values >= count)][0]
        first = int(np.argmax(array == outside))
        raise DataError(f"the label {outside} of '{name}' in {place(first)} is outside "
                        f"0 … {count - 1}: {count} classes are declared", hint=hint)  # fmt: skip
    raise DataError(f"'{name}' has {len(values)} different labels ({listed(values)}); "
                    f"{count} classes are declared", hint=hint)  # fmt: skip


def _two(name: str, values: Array, task: str) -> Array:
    """Choose the two classes of a yes or no: 0 and 1 (−1 and +1), or any two values."""
    if values.dtype.kind == "b":
        return np.array([False, True])
    usual = np.array(TWO[task])
    if values.dtype.kind in NUMERIC and values.size and np.isin(values, usual).all():
        return usual
    if len(values) == 2:
        return values
    if len(values) < 2:
        raise DataError(f"'{name}' has one value, {values[0]}, in all rows; "
                        "there is nothing to tell apart")  # fmt: skip
    raise DataError(
        f"'{name}' has {len(values)} different values ({listed(values)}), two are expected",
        hint=f"for more than two classes:  {name}: labels[N, C] and cross_entropy",
    )


NUMERIC = "fiub"


def _codes(name: str, array: Array, values: Array, classes: Array, place: Place) -> Array:
    """Give the class numbers, in the smallest type that holds the numbers."""
    sorter = np.argsort(classes, kind="stable")
    ordered = classes[sorter]
    try:
        spots = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
        good = ordered[spots] == values
    except TypeError:  # texts against numbers
        spots, good = np.zeros(len(values), np.int64), np.zeros(len(values), bool)
    if not np.all(good):
        value = values[int(np.argmin(good))]
        first = int(np.argmax(array == value))
        raise DataError(f"the label {_python(value)!r} of '{name}' in {place(first)} is none of "
                        f"the classes {listed(classes)}")  # fmt: skip
    numbers = sorter[spots].astype(np.min_scalar_type(max(len(classes) - 1, 0)))
    codes = np.empty(len(array), numbers.dtype)
    for start in (cut := steps(len(array), 1)):
        block = array[start : start + cut.step]
        codes[start : start + cut.step] = numbers[np.searchsorted(values, block)]
    return codes


def _python(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def listed(values: Sequence[Any] | Array) -> str:
    """List values, the first ones if there are many.

    >>> listed(range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …'
    """
    shown = [str(_python(v))[:40] for v in values[:SHOWN]]
    return ", ".join(shown + ["…"] * (len(values) > SHOWN))


def _notes(name: str, task: str, classes: tuple[Any, ...]) -> tuple[str, ...]:
    """Say what became of the labels, where they did not stay what they are."""
    numbers = TWO[task] if task in TWO else tuple(range(len(classes)))
    if len(classes) == len(numbers) and all(
        type(c) is int and c == n for c, n in zip(classes, numbers, strict=True)
    ):
        return ()
    return (f"labels {listed(classes)} are {listed(numbers)} ('{name}')",)
