"""The data sets that come with scikit-learn, by name; nothing is fetched from a network."""

from dataclasses import dataclass

import numpy as np

from symgrad.errors import missing_extra
from symgrad.train.data.arrays import Array


@dataclass(frozen=True, slots=True)
class Set:
    """Name a set; `divide` is the range of its numbers, where all have the same unit."""

    name: str
    divide: float | None = None


SETS = {
    row.name: row
    for row in (
        Set("digits", divide=16.0),  # 8×8 pixels from 0 to 16
        Set("iris"),
        Set("wine"),
        Set("breast_cancer"),
        Set("diabetes"),
        Set("linnerud"),
    )
}


def find(name: str) -> Set | None:
    """Find a set by its name; hyphens and spaces are underscores.

    >>> find("breast-cancer").name
    'breast_cancer'
    """
    return SETS.get(name.strip().lower().replace("-", "_").replace(" ", "_"))


Fetched = tuple[Array, Array, tuple[str, ...], tuple[str, ...] | None, tuple[str, ...]]


def fetch(row: Set) -> Fetched:
    """Give features and target, the names of the columns, of the classes and of many targets."""
    try:
        from sklearn import datasets
    except ImportError:
        raise missing_extra(f"the data set {row.name} needs scikit-learn", "data") from None
    found = getattr(datasets, f"load_{row.name}")()
    classes = None
    if found["target"].dtype.kind in "iu":
        named = [str(n) for n in found["target_names"]]
        classes = None if named == [str(k) for k in range(len(named))] else tuple(named)
    columns = tuple(str(n) for n in found["feature_names"])
    many = found["target"].ndim > 1
    aims = tuple(str(n) for n in found["target_names"]) if many else ()
    return (
        np.array(found["data"], dtype=np.float64),
        np.array(found["target"]),
        columns,
        classes,
        aims,
    )
