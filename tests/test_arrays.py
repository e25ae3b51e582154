"""Whatever is given for an input: the right value, or an error that says what to do.

A table of values goes through every way in: compiled fast, readable and in float32, one vector,
products with the Hessian, single examples, backpropagation, the check and the diagram's point.
"""

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg

LINE = "X: data[N, D]\nw: param[D]\nt: data[N]\nmean((X @ w - t)**2)"
NET = "X: data[N, D]\nW: param[D, C]\nb: param[C]\ny: labels[N, C]\ncross_entropy(X @ W + b, y)"
ONE = "s: param[C]\ny: label[C]\ncross_entropy(s, y)"
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of np.matrix
NUMBER = "w: param\nx: data\n(w*x)**2"
rng = np.random.default_rng(0)
X, W, LABELS = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), np.array([0, 1, 1, 0])
w, t, b = rng.normal(size=3), rng.normal(size=4), rng.normal(size=2)
GIVEN: dict[str, dict[str, Any]] = {
    LINE: {"X": X, "w": w, "t": t},
    NET: {"X": X, "W": W, "b": b, "y": LABELS},
    ONE: {"s": np.array([1.0, 2.0, 3.0]), "y": 1},
    NUMBER: {"w": 2.0, "x": 3.0},
}


class Sub(np.ndarray):
    """A subclass of arrays."""


class Own(Exception):
    """What an object's own conversion may raise."""


class Holder:
    """Something that NumPy can make an array of, as a table's column is."""

    def __init__(self, array: Any, error: Exception | None = None) -> None:
        self.array, self.error = array, error

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.error:
            raise self.error
        return np.asarray(self.array, dtype)


def strided(a: Any) -> Any:
    wide = np.zeros(tuple(2 * s for s in a.shape), a.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in a.shape)]
    view[...] = a
    return view


def read_only(a: Any) -> Any:
    a = a.copy()
    a.flags.writeable = False
    return a


@lru_cache(maxsize=64)
def compiled(program: str, style: str = "fast", dtype: str = "float64") -> sg.Compiled:
    return sg.compile(program, style=style, dtype=dtype)


def flat(program: str, given: Mapping[str, Any]) -> Any:
    f = compiled(program)
    vector = f.flat(**{k: v for k, v in given.items() if k not in f.wrt})
    value, slope = vector(vector.start(**{k: v for k, v in given.items() if k in f.wrt}))
    return value, vector.unflatten(slope)


def back(program: str, given: Mapping[str, Any]) -> Any:
    b = sg.backprop(sg.parse(program), given)
    return b.value, dict(b.grad)


WAYS: dict[str, Callable[[str, Mapping[str, Any]], Any]] = {
    "fast": lambda p, g: compiled(p)(**g),
    "readable": lambda p, g: compiled(p, "readable")(**g),
    "float32": lambda p, g: compiled(p, dtype="float32")(**g),
    "backprop": back,
    "text": lambda p, g: back(sg.parse(p).source, g) and sg.backprop(p, g).value,
    "flat": flat,
    "hvp": lambda p, g: compiled(p).hvp({k: g.get(k) for k in compiled(p).wrt[:1]}, **g),
    "check": lambda p, g: sg.check(sg.parse(p), g),
}
EXAMPLES = {**WAYS, "per_example": lambda p, g: compiled(p).per_example(**g)}

Change = dict[str, Any]
SHAPES: list[tuple[str, Change, str]] = [  # (program, what is given, a part of the answer)
    (LINE, {"X": np.ones((4, 5))}, "'w' is (D,), where D = 5; given is (3,)"),
    (LINE, {"X": X.T}, "is 'X' transposed?  X.T has the shape (4, 3)"),
    (LINE, {"X": X[0]}, "a single row is  X[None]"),
    (LINE, {"X": X[None]}, "X[0] has the shape (4, 3)"),
    (LINE, {"X": 2.0}, "'X' is (N, D); given is a number"),
    (LINE, {"X": np.array(2.0)}, "np.full"),
    (LINE, {"X": []}, "'X'"),
    (LINE, {"X": [[], []]}, "'w'"),
    (LINE, {"X": np.ones((0, 3))}, "'t'"),
    (LINE, {"X": np.ones((4, 1))}, "D comes from 'X' (4, 1)"),
    (LINE, {"t": t[:, None]}, "t[..., 0] has the shape (4,)"),
    (LINE, {"t": t[None]}, "t[0] has the shape (4,)"),
    (LINE, {"t": np.ones(5)}, "where N = 4; given is (5,)"),
    (LINE, {"t": np.ones(1)}, "np.broadcast_to(t, (4,))"),
    (LINE, {"t": 1.0}, "np.full((4,), t)"),
    (LINE, {"t": t.reshape(2, 2)}, "1 axis is declared, 2 given"),
    (LINE, {"w": w[:, None]}, "w[..., 0]"),
    (LINE, {"w": 1.0}, "(line 2, column 1)"),
    (LINE, {"w": range(4)}, "given is (4,)"),
    (NET, {"b": np.ones(3)}, "C comes from 'W' (3, 2)"),
    (NET, {"b": b[None]}, "b[0]"),
    (NET, {"W": W.T}, "is it transposed?  W.T has the shape (3, 2)"),
    (NET, {"W": W.ravel()}, "2 axes are declared, 1 given"),
    (NET, {"y": LABELS[:3]}, "'y'"),
    (NET, {"y": LABELS[:, None]}, "y[..., 0] has the shape (4,)"),
    (NET, {"y": np.eye(2)[LABELS]}, "np.argmax(y, axis=-1)"),
    (NET, {"y": []}, "'y'"),
    (ONE, {"y": [1]}, "its one entry is  y[0]"),
    (NUMBER, {"w": [2.0]}, "'w' is a number; given is (1,)"),
    (NUMBER, {"w": np.ones((2, 2))}, "w: param[N, D]"),
]
DEEP: Any = 1.0
for _ in range(200):
    DEEP = [DEEP]
LOOP: list[Any] = []
LOOP.append(LOOP)
VALUES: list[tuple[str, Change, str]] = [
    (LINE, {"X": [[1, 2, 3], [1, 2]]}, "differ in length"),
    (LINE, {"X": [[1, 2, 3], [1, [2], 3]]}, "differ in length"),
    (LINE, {"X": LOOP}, "'X'"),
    (LINE, {"X": DEEP}, "'X'"),
    (LINE, {"w": None}, "'w' is None"),
    (LINE, {"w": {}}, "'w' is a dict"),
    (LINE, {"w": {1, 2, 3}}, "list(...)"),
    (LINE, {"w": (v for v in (1, 2, 3))}, "list(...)"),
    (LINE, {"w": "abc"}, "the text 'abc'"),
    (LINE, {"w": b"abc"}, "the text b'abc'"),
    (LINE, {"w": ["1", "2", "3"]}, "dtype=float"),
    (LINE, {"w": Holder(w, Own("boo"))}, "cannot be made an array (Own: boo)"),
    (LINE, {"w": Holder(w, ValueError("boo"))}, "cannot be made an array (ValueError: boo)"),
    (LINE, {"w": w + 0j}, "complex128"),
    (LINE, {"w": [1j, 2, 3]}, ".real"),
    (LINE, {"w": np.array(["2020-01-01"] * 3, "M8[D]")}, "timedelta64"),
    (LINE, {"w": np.ones(3, "m8[s]")}, "timedelta64"),
    (LINE, {"w": np.zeros(3, [("a", "f8"), ("b", "i4")])}, "one field"),
    (LINE, {"w": np.zeros(3, "V8")}, "'w'"),
    (LINE, {"w": w.astype(object)}, "astype(float)"),
    (LINE, {"w": [1, "a", 2]}, "'w'"),
    (LINE, {"w": [1, None, 2]}, "'w' at index 1 is None"),
    (LINE, {"w": np.ma.array(w, mask=[0, 1, 0])}, "filled"),
    (LINE, {"w": [10**400, 1, 2]}, "beyond the range of float64"),
    (LINE, {"w": [10**5000, 1, 2]}, "beyond the range of float64"),
    (LINE, {"w": np.array(["1e400", "1", "2"], np.longdouble)}, "at index 0"),
    (LINE, {"w": len}, "'w'"),
    (LINE, {"w": float}, "'w'"),
    (LINE, {"w": ...}, "'w'"),
    (LINE, {"w": datetime.date(2020, 1, 1)}, "a date"),
    (LINE, {"w": Holder(0, RuntimeError("no"))}, "RuntimeError: no"),
    (NUMBER, {"w": "2"}, "the text '2'"),
    (NUMBER, {"w": 10**400}, "beyond the range of float64"),
    (NUMBER, {"w": -(10**5000)}, "beyond the range of float64"),
    (NUMBER, {"w": Fraction(10**400)}, "beyond"),
    (NUMBER, {"w": Decimal("1e999")}, "beyond"),
    (NUMBER, {"w": Decimal("sNaN")}, "'w'"),
    (NUMBER, {"w": np.ma.masked}, "masked"),
    (NUMBER, {"w": np.array("a", object)}, "'w'"),
    (NUMBER, {"w": np.datetime64("2020")}, "'w'"),
    (NET, {"y": [0, 2, 1, 0]}, "label 2 at index 1 of 'y' is outside 0 … 1, as C = 2"),
    (NET, {"y": [1, 2, 1, 2]}, "y - 1"),
    (NET, {"y": [0, -1, 1, 0]}, "label -1 at index 1 of 'y' is outside 0 … 1"),
    (NET, {"y": [0, 0.5, 1, 0]}, "the one at index 1 is 0.5"),
    (NET, {"y": [0, np.nan, 1, 0]}, "leave out the rows"),
    (NET, {"y": [0, np.inf, 1, 0]}, "'y'"),
    (NET, {"y": [0, 2**63, 1, 0]}, "label 9223372036854775808"),
    (NET, {"y": [0, 1e300, 1, 0]}, "label 1e+300"),
    (NET, {"y": [0, 10**400, 1, 0]}, "index 1"),
    (NET, {"y": np.array([0, 2**64 - 1, 1, 0], np.uint64)}, "label 18446744073709551615"),
    (NET, {"y": list("abab")}, "'y'"),
    (NET, {"y": LABELS + 0j}, "'y'"),
    (NET, {"y": np.ma.array(LABELS, mask=[0, 1, 0, 0])}, "masked"),
    (NET, {"W": np.ones((3, 0)), "b": np.ones(0)}, "there are no classes"),
    (NET, {"X": np.ones((0, 3)), "y": []}, "cross_entropy of nothing"),
    (LINE, {"X": np.ones((0, 3)), "t": []}, "N = 0; give at least one"),
    (ONE, {"y": 3}, "label 3 of 'y' is outside 0 … 2"),
    (ONE, {"y": -1}, "label -1 of 'y'"),
    (ONE, {"y": 1.5}, "whole numbers"),
    (ONE, {"y": float("nan")}, "whole numbers"),
    (ONE, {"y": 10**400}, "'y'"),
    (ONE, {"y": "a"}, "the text 'a'"),
    (ONE, {"y": None}, "'y' is None"),
]


def refused(way: str, program: str, change: Change, kind: Any, part: str) -> None:
    with pytest.raises(kind) as caught:
        EXAMPLES[way](program, {**GIVEN[program], **change})
    if way in ("fast", "readable", "backprop"):
        assert part in str(caught.value)


@pytest.mark.parametrize("way", [k for k in EXAMPLES if k not in ("text", "check")])
def test_shapes_are_refused_with_both_shapes_and_a_hint(way: str) -> None:
    for program, change, part in SHAPES:
        if way == "per_example" and program in (ONE, NUMBER):
            continue
        refused(way, program, change, sg.ShapeError, part)


@pytest.mark.parametrize("way", [k for k in EXAMPLES if k != "text"])
def test_what_is_no_number_and_no_label_is_refused(way: str) -> None:
    for program, change, part in VALUES:
        if way == "per_example" and program in (ONE, NUMBER):
            continue
        refused(way, program, change, sg.SymgradError, part)


def kinds(a: np.ndarray, folder: Path) -> dict[str, Any]:
    """Give the numbers of an array in every form that is accepted."""
    mapped = np.memmap(folder / f"{a.size}", dtype=a.dtype, mode="w+", shape=a.shape)
    mapped[:] = a
    return {
        "list": a.tolist(), "tuple": tuple(a.tolist()), "rows": list(a), "memmap": mapped,
        "masked": np.ma.array(a, mask=np.zeros(a.shape, bool)), "read-only": read_only(a),
        "strided": strided(a), "negative": a[::-1].copy()[::-1], "fortran": np.asfortranarray(a),
        "big-endian": a.astype(">f8"), "subclass": a.view(Sub), "holder": Holder(a),
        "longdouble": a.astype(np.longdouble),
        **({"matrix": np.matrix(a)} if a.ndim == 2 else {}),
    }  # fmt: skip


def same(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    for one, two in ((found[0], expected[0]), *((found[1][k], v) for k, v in expected[1].items())):
        assert np.shape(one) == np.shape(two)
        assert np.allclose(one, two, tolerance, tolerance, equal_nan=True), (one, two)


@pytest.mark.parametrize("way", ["fast", "readable", "float32", "backprop", "flat"])
def test_every_kind_of_array_gives_the_same_and_stays_as_it_is(way: str, tmp_path: Path) -> None:
    expected = back(LINE, GIVEN[LINE])
    for name in ("X", "w", "t"):
        for form, value in kinds(GIVEN[LINE][name], tmp_path).items():
            found = WAYS[way](LINE, {**GIVEN[LINE], name: value})
            same(found, expected, 1e-5 if way == "float32" else 1e-12)
            assert np.array_equal(np.asarray(value), GIVEN[LINE][name]), form
            if way == "float32":
                assert found[0].dtype == found[1]["w"].dtype == np.float32


@pytest.mark.parametrize("way", ["fast", "readable", "float32", "backprop", "flat", "text"])
def test_every_type_of_number_is_converted(way: str) -> None:
    types = ("f2", "f4", "f8", "g", "i1", "i2", "i4", "i8", "u1", "u2", "u8", "?", ">i4", ">f4")
    exact: tuple[Any, ...] = ([2**63, 1, 2], [2**70, 1, 2], [Fraction(1, 4), Decimal("0.5"), True])
    one = (True, np.True_, 1.0, np.uint8(1), np.array(1), Fraction(1), Decimal(1), np.float16(1))
    two = (2, np.float16(2), np.longdouble(2), np.int8(2), np.array(2.0), np.array(2.0, ">f8"),
           Fraction(2), Decimal(2), 2**63, -(2**70), 10**150, True, Holder(2.0), np.inf, np.nan,
           np.array(2.0).view(Sub), np.float32("inf"), 1e200)  # fmt: skip
    cases: list[tuple[str, str, Any, Any]] = [
        *((LINE, "w", np.array([1, 0, 1]).astype(d), np.array([1.0, 0, 1])) for d in types),
        *((LINE, "w", v, np.array([float(e) for e in v])) for v in (*exact, range(3))),
        *((LINE, "w", [v, 1, 2], np.array([v, 1, 2])) for v in (np.nan, np.inf, -np.inf, 1e300)),
        *((NET, "y", v, LABELS) for v in ([0, 1, 1, 0], *(LABELS.astype(d) for d in types))),
        *((ONE, "y", v, 1) for v in one),
        *((NUMBER, "w", v, float(np.asarray(v, float))) for v in two),
    ]
    for program, name, value, number in cases:
        expected = back(program, {**GIVEN[program], name: number})
        found = WAYS[way](program, {**GIVEN[program], name: value})
        if way == "text":
            assert np.allclose(found, expected[0], equal_nan=True)
        elif way != "float32" or np.max(np.abs(number)) < 1e9:
            same(found, expected, 1e-5 if way == "float32" else 1e-12)


def test_names_are_told() -> None:
    f, given = compiled(LINE), GIVEN[LINE]
    for change, part in (
        ({"N": 4}, "N is a dimension, which is read from the shape of 'X'"),
        ({"lambda": 1}, "no input is called lambda"),
        ({"ww": 1}, "did you mean 'w'?"),
        ({"z" * 999: 1}, "no input is called zz"),
    ):
        with pytest.raises(sg.DataError) as caught:
            f(**given, **change)
        assert part in str(caught.value) and len(str(caught.value)) < 300
    for at in (3, "x", [1, 2]):
        with pytest.raises(sg.UsageError, match="a mapping from names"):
            sg.backprop(LINE, at)
    with pytest.raises(sg.UsageError, match="by name, not by place"):
        f(X, w)
    with pytest.raises(TypeError):  # as any Python function
        f(X, **given)
    with pytest.raises(sg.UsageError, match="the direction is empty"):
        f.hvp({}, **given)
    for size in ("a", 1.5, float("nan"), -1, 10**400, 2**62, None, [1, 2]):
        with pytest.raises(sg.DataError):
            f.summary(N=size)
    assert f(**given)[0] == compiled(LINE)(**given)[0]


def test_what_memory_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise MemoryError("Unable to allocate 7 TiB")

    f = sg.compile(NUMBER)
    monkeypatch.setattr(f, "_function", full)
    with pytest.raises(sg.LimitError, match="does not hold the arrays: 7 TiB"):
        f(w=np.int32(1), x=2.0)
    monkeypatch.setattr("symgrad.evaluate._compiled", lambda *_: full)
    with pytest.raises(sg.LimitError, match="does not hold the arrays: 7 TiB"):
        sg.backprop(NUMBER, {"w": 1.0, "x": 2.0})
