"""What is declared of an input beside its shape: do the numbers keep to it?

A derivation makes use of facts (a sign squares to 1, one-hot rows sum to 1), so data that break
them would give wrong gradients without a word. An array is looked at when it is first given; one
that is given again, the same object, is taken as known. Entries may be off by `SLACK`: float16
rounds the sums of rows by as much, and differences can be taken.
"""

import weakref
from functools import lru_cache
from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.graph import Node
from symgrad.ops.numbers import place
from symgrad.shapes import text

Array = Any  # a NumPy array
SLACK = 0.005
FACTS = ("sign", "binary", "onehot", "simplex", "positive", "symmetric")
TESTS = {  # of single numbers, for the code of a call; what they refuse is looked at again
    "sign": "({0} == 1 or {0} == -1)",
    "binary": "({0} == 0 or {0} == 1)",
    "positive": "not {0} <= 0",
}


class Known:
    """Tell whether an array keeps to what is declared; remember the last one that did.

    >>> from symgrad.ops import leaf
    >>> known = Known(leaf("y", ("N",), "sign"))
    >>> known(np.array([1.0, -1.0])), known(np.array([1.0, 0.0]))
    (True, False)
    """

    __slots__ = ("kind", "last")

    def __init__(self, node: Node) -> None:
        self.kind: str = node.attrs["kind"]
        self.last: Any = _nothing

    def __call__(self, array: Array) -> bool:
        if type(array) is not np.ndarray:
            return broken(self.kind, array) is None
        if self.last() is array:
            return True
        if not _exact(self.kind, array) and broken(self.kind, array) is not None:
            return False
        self.last = weakref.ref(array)
        return True


def _nothing() -> None:
    """Stand for a reference before there is one."""


@lru_cache(maxsize=64)
def _ones(count: int, kind: str) -> Array:
    """Make the vector that sums rows: a product is quicker than a sum over short rows."""
    return np.ones(count, kind)


def _exact(kind: str, a: Array) -> bool:
    """Say quickly that numbers are exactly as declared; False where that takes a closer look."""
    size = a.size
    if kind == "sign":
        return bool(np.count_nonzero(np.abs(a) == 1) == size)
    if kind == "positive":
        return bool(np.count_nonzero(a > 0) == size)
    if kind == "symmetric":
        return bool(np.count_nonzero(a == a.T) == size)
    if kind == "binary":
        return bool(np.count_nonzero(a == a.astype(bool)) == size)
    if not size or a.dtype.kind != "f":  # sums of truth values and of bytes are no sums
        return False
    if kind == "simplex" and not a.min() >= 0:
        return False
    sums = a.dot(_ones(a.shape[-1], a.dtype.char))
    if kind == "simplex":
        return bool(abs(sums - 1).max() <= SLACK)
    rows = size // a.shape[-1]  # with the sum 1 each row has an entry, and no row has two
    return bool(np.count_nonzero(a != 0) == rows and np.count_nonzero(sums == 1) == rows)


def broken(kind: str, a: Array) -> Array | None:
    """Mark the entries, or the rows, that are not as declared; None where all are.

    >>> broken("simplex", np.array([[0.5, 0.5], [0.5, 0.6]]))
    array([False,  True])
    """
    with np.errstate(all="ignore"):
        wrong = _wrong(kind, np.asarray(a, np.float64))
    return wrong if wrong.any() else None


def _wrong(kind: str, a: Array) -> Array:
    """Compare; NaN is none of a few values, but it may pass as a positive number."""
    if kind == "positive":
        return np.asarray(a <= 0)
    if kind == "symmetric":
        size = float(np.max(np.abs(a), initial=1.0, where=np.isfinite(a)))
        return np.asarray(np.abs(a - a.T) > SLACK * size)
    if kind == "sign":
        return ~np.asarray(np.abs(np.abs(a) - 1) <= SLACK)
    if kind == "binary":
        return ~np.asarray(np.minimum(np.abs(a), np.abs(a - 1)) <= SLACK)
    if not a.size:
        return np.zeros(a.shape[:-1], bool)
    near = a >= -SLACK if kind == "simplex" else np.minimum(np.abs(a), np.abs(a - 1)) <= SLACK
    return ~(near.all(-1) & (np.abs(a.sum(-1) - 1) <= SLACK))


def check(node: Node, array: Array) -> None:
    """Raise DataError where the numbers are not as declared, with the place and what to do."""
    kind = node.attrs["kind"]
    wrong = broken(kind, array) if kind in FACTS else None
    if wrong is None:
        return
    name, where = node.attrs["name"], place(wrong)
    first = np.asarray(array)[wrong][0]
    if kind in ("onehot", "simplex"):
        row = ", ".join(f"{v:.4g}" for v in first[:6]) + ", …" * (first.size > 6)
        what = f"the row{where} is [{row}], with the sum {sum(first.tolist()):.4g}"
    elif kind == "symmetric":
        k = tuple(int(i) for i in np.argwhere(wrong)[0])
        what = (f"the entry at {list(k)} is {array[k]:.6g}, the one at {list(k[::-1])} is "
                f"{array[k[::-1]]:.6g}")  # fmt: skip
    else:
        what = f"{f'the entry{where}' if wrong.ndim else 'it'} is {first:.6g}"
    raise DataError(f"'{name}' is declared {kind}, {MEANING[kind]}; {what}",
                    hint=_hint(node, kind, np.asarray(array)))  # fmt: skip


MEANING = {
    "sign": "-1 or 1",
    "binary": "0 or 1",
    "positive": "above 0",
    "onehot": "rows of 0 with a single 1",
    "simplex": "rows of numbers from 0 that sum to 1",
    "symmetric": "equal to its transpose",
}


def _hint(node: Node, kind: str, a: Array) -> str:
    name = node.attrs["name"]
    free = "real" if kind in ("positive", "symmetric") else "data"
    shape = text(node.shape)[1:-1].rstrip(",")
    other = f"{name}: {free}[{shape}]" if shape else f"{name}: {free}"
    hint = f"or declare  {other},  of which nothing is assumed"
    if kind == "sign" and broken("binary", a) is None:
        return f"2*{name} - 1  makes signs of 0 and 1, {hint}"
    if kind == "binary" and broken("sign", a) is None:
        return f"({name} + 1)/2  makes 0 and 1 of signs, {hint}"
    if kind == "onehot" and broken("simplex", a) is None:
        return f"soft targets are declared  {name}: simplex[{shape}], {hint}"
    if kind == "symmetric":
        return f"({name} + {name}.T)/2  is symmetric, {hint}"
    return hint.removeprefix("or ")
