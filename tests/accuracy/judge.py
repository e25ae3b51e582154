"""Run a case in all its forms and compare with the truth.

The rule without `accurate=True`: within 64 eps of max(1, |truth|), value and every gradient entry;
never NaN, infinity, an error or a warning where the truth can be represented. With it: 8 units in
the last place for the value, 16 for the gradient, for operators over their whole range; at ordinary
points, of max(1, |truth|), for formulas, which may have a zero as the difference of large numbers.
Below the smallest normal number the dtype itself is the bound.
"""

import inspect
import json
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from cases import Case, Point

import symgrad as sg
from symgrad.autodiff import exact
from symgrad.errors import LimitError, SymgradError
from symgrad.graph import Graph

ACCURATE = "accurate" in inspect.signature(sg.compile).parameters
FORMS = ("scalar", "float64", "float32")
LARGEST, SMALLEST = 1e37, 1e-37  # what stands for 1e300, 1e-300 in float32
ORDINARY = 5.0


@dataclass(frozen=True)
class Failure:
    """Say what went wrong, where, and what had to come out."""

    kind: str
    text: str
    form: str
    point: str
    what: str
    got: str
    truth: str

    def __str__(self) -> str:
        true = f", truth {self.truth}" if self.truth else ""
        return f"{self.kind}, {self.form}, at {self.point}: {self.what} {self.got}{true}"


def arrays(case: Case) -> bool:
    """Say whether a program declares its inputs, and so has arrays already."""
    return re.search(r"\w+: \w+\[", case.text) is not None


@cache
def graph_of(text: str, names: tuple[str, ...], form: str) -> Graph:
    """Read a program: as it stands, or with vectors in place of numbers and a sum at the end."""
    lines = text.replace("; ", "\n")
    if form == "scalar" or not names:
        return sg.parse(lines)
    *head, last = lines.split("\n")
    if found := re.match(r"(\w+) = ", last):
        head, last = [*head, last], found[1]
    return sg.parse("\n".join([*(f"{n}: real[K]" for n in names), *head, f"sum({last})"]))


def operator(case: Case) -> bool:
    """Say whether a case is one operator: then every digit counts, also of a small result."""
    return re.fullmatch(r"\w+\(\w(, \w+)*\)", case.text) is not None


def forms(case: Case) -> tuple[str, ...]:
    return tuple(
        f for f in (FORMS[1:] if arrays(case) else FORMS) if f == "scalar" or f in case.dtypes
    )


def fitted(point: Point, form: str) -> dict[str, Any]:
    """Give the numbers of a point as the form's dtype can hold them."""
    result: dict[str, Any] = {}
    for name, value in point.items():
        array = np.asarray(value)
        if array.dtype.kind == "f":
            if form == "float32":
                size, (digits, _) = np.abs(array), np.frexp(array)  # the digits stay
                array = np.where(size > LARGEST, digits * LARGEST, array)
                array = np.where(size < SMALLEST, 2 * digits * SMALLEST, array)
            array = array.astype("float32" if form == "float32" else "float64")
        result[name] = array
    return result


Truth = tuple[Any, dict[str, Any]]
FILE = Path(__file__).with_name("truths.json")  # those that take long; run.py --update adds to it
SLOW = 0.05
_STORED: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
# max(z, 0) + log(1 + exp(-|z|)) is smooth: the kinks of its parts cancel at 0
JOINED = re.compile(r"max\((\w),0\)(.*)log\(1\+exp\(-abs\(\1\)\)\)")
_TRUTHS: dict[str, Truth | None] = {}


def truth(case: Case, at: Mapping[str, Any]) -> Truth | None:
    """Give value and gradients, computed once for all forms; None where no digits are enough."""
    text = JOINED.sub(r"0\2log(1+exp(\1))", case.text)
    key = f"{text} @ " + json.dumps({k: v.astype(float).tolist() for k, v in at.items()})
    if key not in _TRUTHS:
        if key in _STORED:
            _TRUTHS[key] = read(_STORED[key])
        else:
            start = time.perf_counter()
            _TRUTHS[key] = computed(text, at)
            if time.perf_counter() - start > SLOW:
                _STORED[key] = write(_TRUTHS[key])
    return _TRUTHS[key]


def computed(text: str, at: Mapping[str, Any]) -> Truth | None:
    """Compute value and gradients with mpmath."""
    try:
        return exact.value_and_gradient(graph_of(text, (), "scalar"), at)
    except LimitError:
        return None


def save() -> None:
    """Write the truths that took long and that this run has used to the file."""
    kept = sorted(_STORED.keys() & _TRUTHS.keys())
    lines = [f"{json.dumps(key)}: {json.dumps(_STORED[key])}" for key in kept]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def write(true: Truth | None) -> Any:
    """Write a truth as text: 25 digits of what a float can hold, else 0 or 1e5000."""
    if true is None:
        return None
    return [_strings(true[0]), {name: _strings(part) for name, part in true[1].items()}]


def _strings(part: Any) -> Any:
    def one(t: Any) -> str:
        if mpmath.isfinite(t) and t and abs(mpmath.mag(t)) > 1300:
            return ("-" if t < 0 else "") + "1e5000" if abs(t) > 1 else "0"
        return str(mpmath.nstr(t, 25))

    return np.asarray(np.frompyfunc(one, 1, 1)(part)).tolist()


def stored() -> dict[str, Any]:
    """Give the truths of the file: text and point, value and gradients as text."""
    return dict(_STORED)


def read(stored: Any) -> Truth | None:
    """Read what `write` wrote."""

    def numbers(part: Any) -> Any:
        with mpmath.workdps(30):
            return np.asarray(np.frompyfunc(mpmath.mpf, 1, 1)(np.asarray(part, dtype=object)))[()]

    if stored is None:
        return None
    return numbers(stored[0]), {name: numbers(part) for name, part in stored[1].items()}


def run(case: Case, accurate: bool = False, only: str = "") -> Iterator[Failure]:
    """Yield what fails in a case."""
    for form in forms(case):
        if only and form != only:
            continue
        names = () if arrays(case) else tuple(case.points[0])
        options: dict[str, Any] = {"accurate": True} if accurate else {}
        dtype = "float64" if form == "scalar" else form
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", sg.SymgradWarning)
                function = sg.compile(graph_of(case.text, names, form), dtype=dtype, **options)
        except SymgradError as error:
            yield Failure("error", case.text, form, "", "compile", str(error).split("\n")[0], "")
            continue
        for point in case.points:
            yield from _at(case, function, form, fitted(point, form), accurate)


def _at(
    case: Case, function: Any, form: str, at: dict[str, Any], accurate: bool
) -> Iterator[Failure]:
    true = truth(case, at)
    if true is None:
        return
    shown = ", ".join(f"{k}={v.tolist()}" for k, v in at.items())
    given = {k: v[()] for k, v in at.items()}
    if not arrays(case):
        given = {k: float(v) if form == "scalar" else v[None] for k, v in given.items()}

    def failure(kind: str, what: str, got: Any, right: Any = "") -> Failure:
        return Failure(kind, case.text, form, shown, what, f"{got}", _written(right))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value, grads = function(**given)
        except (ArithmeticError, ValueError, TypeError) as error:
            yield failure("error", type(error).__name__, error)
            return
    dtype = np.dtype("float64" if form == "scalar" else form)
    pairs = [("value", value, true[0])]
    pairs += [(f"d{k}", grads[k], true[1][k]) for k in true[1]]
    finite = all(_finite(t, dtype) for _, _, right in pairs for t in np.ravel(right))
    for what, got, right in pairs:
        if what != "value" and form != "scalar" and np.asarray(got).dtype != dtype:
            yield failure("dtype", what, np.asarray(got).dtype)
        largest = max([abs(t) for t in np.ravel(right) if case.normwise], default=0)
        for g, t in zip(np.ravel(got), np.ravel(right), strict=True):
            kind = _fault(case, float(g), t, largest, dtype, accurate, what, at)
            if kind:
                yield failure(kind, what, float(g), t)
                break
    faults = [w for w in caught if not issubclass(w.category, sg.SymgradWarning)]
    if finite and faults:
        yield failure("warning", "", str(faults[0].message))


def _written(t: Any) -> str:
    """Write a number of the truth, however far out."""
    if isinstance(t, str):
        return t
    if t and mpmath.isfinite(t) and abs(mpmath.mag(t)) > 10**4:
        return ("-" if t < 0 else "") + ("2**10000 or more" if abs(t) > 1 else "2**-10000 or less")
    return str(mpmath.nstr(t, 17))


def _ordinary(v: Any) -> Any:
    return (np.abs(v) <= ORDINARY) & ((np.abs(v) >= 2.0**-40) | (v == 0))


def _finite(t: Any, dtype: Any) -> bool:
    return bool(mpmath.isfinite(t) and abs(t) <= float(np.finfo(dtype).max))


def _fault(
    case: Case,
    g: float,
    t: Any,
    largest: Any,
    dtype: Any,
    accurate: bool,
    what: str,
    at: Mapping[str, Any],
) -> str:
    """Name the fault of one number, or give an empty text."""
    if mpmath.isnan(t):
        return ""
    if not _finite(t, dtype):
        return "nan" if np.isnan(g) else ""
    if not np.isfinite(g):
        return "nan" if np.isnan(g) else "inf"
    with mpmath.workdps(60):
        eps = mpmath.mpf(float(np.finfo(dtype).eps))
        gap = abs(mpmath.mpf(g) - t)
        if gap > 64 * eps * case.slack * max(mpmath.mpf(1), abs(t), largest):
            return "over 64"
    normal = abs(t) >= float(np.finfo(dtype).smallest_normal) or not t
    if accurate and normal and (operator(case) or all(np.all(_ordinary(v)) for v in at.values())):
        limit = (8 if what == "value" else 16) * case.slack
        unit = t if operator(case) else max(mpmath.mpf(1), abs(t), largest)
        if float(exact.ulps(g, t, dtype)) > limit and gap > limit * eps * abs(unit) / 2:
            return f"over {limit:g}"
    return ""
