"""`Dataset`: rows that match a model's declarations, handed out in batches."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.errors import UsageError
from symgrad.train.data.arrays import Array
from symgrad.train.data.labels import listed
from symgrad.train.data.rows import Coded, Held, Mapped
from symgrad.train.data.splitting import Part as Share
from symgrad.train.data.splitting import split
from symgrad.train.data.transform import Part, Transform
from symgrad.train.telling import warn

EXPANDED = 1 << 26  # bytes up to which one-hot rows are laid out once, instead of for each batch
Rows = Callable[[Array], Array]


class Dataset:
    """Hold the rows of a model's features and targets; made by `load`.

    `rows` is their number, `sizes` maps dimensions to numbers, `classes` are the labels as they
    were given, `names` the columns of the features, `given` the inputs without a row for each
    example. `transform` is what was done; `notes` say it, a line each.

    A data set that has to be standardised is not ready until `fit` has seen the training rows.

    >>> from symgrad.parse import parse
    >>> from symgrad.train.roles import roles
    >>> from symgrad.train.data import load
    >>> g = parse("X: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, y)")
    >>> data = load(([[1, 2], [3, 4], [5, 6], [7, 8]], ["a", "b", "a", "b"]), g, roles(g))
    >>> data.sizes, data.classes
    ({'N': 4, 'D': 2, 'C': 2}, ('a', 'b'))
    >>> data.batch([3, 0])
    {'X': array([[7., 8.], [1., 2.]]), 'y': array([1, 0])}
    """

    def __init__(
        self,
        stores: Mapping[str, Held],
        transform: Transform,
        sizes: Mapping[str, int],
        notes: tuple[str, ...] = (),
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.stores, self.transform, self.notes = dict(stores), transform, notes
        self.sizes, self.given = dict(sizes), dict(given or {})
        self.rows = len(next(iter(self.stores.values())))
        self._ready: dict[Any, list[tuple[str, Array | None, Rows]]] = {}

    def __len__(self) -> int:
        return self.rows

    def __repr__(self) -> str:
        shapes = ", ".join(f"{k} {'×'.join(map(str, self._part(k).row)) or 'one number'}"
                           for k in self.stores)  # fmt: skip
        return f"<Dataset of {self.rows} rows: {shapes}>"

    @property
    def classes(self) -> tuple[Any, ...] | None:
        """Give the labels as they were given, in the order of their numbers."""
        return self.transform.classes

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns of the features: those of a table, else X[0], X[1], …."""
        found: list[str] = []
        for name, part in self.transform.parts.items():
            if part.columns is not None:
                found += part.columns.names
            else:
                places = np.ndindex(*part.row)
                found += [name + "".join(f"[{k}]" for k in place) for place in places]
        return tuple(found)

    @property
    def ready(self) -> bool:
        """Say whether nothing is left to be computed from the training rows."""
        return not any(self._part(name).open for name in self.stores)

    def _part(self, name: str) -> Part:
        parts, targets = self.transform.parts, self.transform.targets
        return parts[name] if name in parts else targets[name]

    def fit(self, rows: Any = None) -> "Dataset":
        """Compute means and deviations from the training rows alone; give the data set with them.

        `rows` are row numbers, None for all.
        """
        index = None if rows is None else self._index(rows)
        made = {k: self._part(k).fitted(k, store, index) for k, store in self.stores.items()
                if not isinstance(store, Coded)}  # fmt: skip
        parts = {k: made.get(k, p) for k, p in self.transform.parts.items()}
        targets = {k: made.get(k, p) for k, p in self.transform.targets.items()}
        transform = replace(self.transform, parts=parts, targets=targets)
        notes = [line for k, p in made.items() for line in _said(k, p)]
        kept = [line for line in self.notes if line not in notes]
        return Dataset(self.stores, transform, self.sizes, (*kept, *notes), self.given)

    def split(
        self, validation: Share = 0.0, test: Share = 0.0, seed: int = 0, stratify: bool = True
    ) -> tuple[Array, Array, Array]:
        """Give the row numbers of the training, validation and test parts.

        A part is a share below 1 or a number of rows. Every part has the classes in the
        proportions of the whole, if there are classes and `stratify` is true.
        """
        codes = self._codes() if stratify else None
        parts = split(self.rows, validation, test, seed, codes)
        if codes is not None:
            counts = np.bincount(codes)
            absent = np.flatnonzero(
                (counts > 0) & (np.bincount(codes[parts[0]], minlength=len(counts)) == 0)
            )
            if len(absent):
                shown = listed([self.classes[k] if self.classes else k for k in absent])
                warn(f"no training row has the class {shown}")
        return parts

    def _codes(self) -> Array | None:
        """Give the class of each row, None if there are no classes."""
        for name in self.transform.targets:
            store = self.stores[name]
            if isinstance(store, Coded):
                return store.array.reshape(-1) if store.array.size == self.rows else None
            if self._part(name).whole and not isinstance(store, Mapped):  # one-hot rows
                return store.array.argmax(axis=-1) if store.array.ndim == 2 else None
            return None
        return None

    def batch(self, index: Any, dtype: Any = np.float64) -> dict[str, Array]:
        """Give the inputs of these rows: an array of row numbers, or a slice.

        Class numbers are int64, all else has the dtype. A slice of data in memory is a view that
        cannot be written to.
        """
        entries = self._ready.get(dtype) or self._prepared(dtype)
        if type(index) is slice:
            if index.step in (None, 1):
                start, stop, _ = index.indices(self.rows)
                if all(array is not None for _, array, _ in entries):
                    return {name: array[start:stop] for name, array, _ in entries}  # type: ignore[index]
            index = np.arange(*index.indices(self.rows))
        elif type(index) is not np.ndarray or index.dtype.kind not in "iu":
            index = self._index(index)
        try:
            return {
                name: fetch(index) if array is None else array.take(index, 0)
                for name, array, fetch in entries
            }
        except IndexError:
            raise self._outside(index) from None

    def _index(self, index: Any) -> Array:
        """Make row numbers of a list, a mask or one number."""
        array = np.asarray(index)
        if array.dtype.kind == "b" and array.shape == (self.rows,):
            return np.flatnonzero(array)
        if array.size == 0:
            array = array.astype(np.int64)
        if array.dtype.kind not in "iu" or array.ndim > 1:
            raise UsageError(f"rows are chosen by an array of whole numbers or a slice, not by "
                             f"{array.dtype} of the shape {array.shape}")  # fmt: skip
        return array.reshape(-1)

    def _outside(self, index: Array) -> UsageError:
        wrong = index[(index < -self.rows) | (index >= self.rows)]
        return UsageError(f"there is no row {wrong[0]}; the data have {self.rows}")

    def _prepared(self, dtype: Any) -> list[tuple[str, Array | None, Rows]]:
        """Lay out what is in memory once, standardised and of the dtype."""
        for name in self.stores:
            if self._part(name).open:
                raise UsageError(f"'{name}' is to be standardised by the training rows first",
                                 hint="data = data.fit(rows), after the split")  # fmt: skip
        entries: list[tuple[str, Array | None, Rows]] = []
        for name, store in self.stores.items():
            fetch = self._fetch(name, store, np.dtype(dtype))
            small = not isinstance(store, Mapped)
            if isinstance(store, Coded):
                width = store.table[0].size * np.dtype(dtype).itemsize
                small = store.array.size * width <= EXPANDED
            array = fetch(np.arange(self.rows)) if small else None
            if array is not None:
                array.flags.writeable = False
            entries.append((name, array, fetch))
        self._ready[dtype] = entries
        return entries

    def _fetch(self, name: str, store: Held, dtype: np.dtype[Any]) -> Rows:
        """Write the way from row numbers to one input's array."""
        if isinstance(store, Coded):
            table = store.table if store.table.dtype.kind == "i" else store.table.astype(dtype)
            return lambda index: table.take(store.array.take(index, 0), 0)
        part = self._part(name)
        mapped = isinstance(store, Mapped)
        kind = np.dtype(np.int64) if part.whole and name in self.transform.parts else dtype

        def fetch(index: Array) -> Array:
            rows = store.take(index)
            if mapped:
                part.checked(name, rows, lambda k: f"row {index[k]}")
            return np.ascontiguousarray(part.apply(rows), dtype=kind)

        return fetch

    def fingerprint(self) -> str:
        """Give a hash of the content, the same for the same data, however they were read.

        Of a mapped file it reads the shape and 64 rows.
        """
        found = hashlib.sha256()
        for name, store in self.stores.items():
            sample = store.sample()
            found.update(f"{name} {store.array.shape} {sample.dtype.str}\n".encode())
            found.update(np.ascontiguousarray(sample).reshape(-1).view(np.uint8).data)
        for name, value in sorted(self.given.items()):
            array = np.asarray(value, np.float64)
            found.update(f"{name} {array.shape}\n".encode() + array.tobytes())
        found.update(repr(self.classes).encode())
        return found.hexdigest()


def _said(name: str, part: Part) -> list[str]:
    """Say what was computed from the training rows."""
    if part.shift is None or part.scale is None or not part.wanted:
        return [f"missing entries of '{name}' take the mean"] * (part.fill is not None)
    numeric = np.ones(len(part.shift), bool) if part.columns is None else part.columns.numeric
    count = int(numeric.sum())
    lines = [f"{count} numeric column{'s' * (count != 1)} standardised ('{name}')"] * (count > 0)
    if part.fill is not None:
        lines.append(f"missing entries of '{name}' take the mean")
    return lines
