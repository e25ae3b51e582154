"""Every elementwise operator: value, gradient and tails against mpmath, from the table alone."""

import dataclasses
import math
from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import bind, helpers, values
from symgrad.ops import OPS, Op
from symgrad.ops.spec import bounds

ROWS = [row for row in OPS.values() if row.shape == "elementwise" and not row.hidden]
SMOOTH = [row for row in ROWS if row.dtype != "bool" and not row.zero]
WHOLE_LINE = [row for row in SMOOTH if row.domain == "R" and bounds(row) == (1, 1)]
WITH_FORMULA = [row for row in ROWS if row.formula]
ALONE = [r for r in ROWS if r.dtype != "bool" and bounds(r)[0] - len(r.defaults) == 1]
ANY = (-4.0, 4.0)
# The intervals that a domain in words means, by operand; every other operand is any number.
DOMAINS: dict[str, list[tuple[float, float]]] = {
    "R": [], "a > 0": [(0.05, 5)], "a >= 0": [(0.05, 5)], "a > -1": [(-0.9, 5)],
    "0 < a < 1": [(0.02, 0.98)], "b != 0": [ANY, (0.2, 3)], "a > 0, or b an integer": [(0.05, 4)],
}  # fmt: skip
SPECIAL = {"clip": [ANY, (-2.0, -1.0), (1.0, 2.0)], "where": [(0.0, 1.0)], "sinh": [(-4.0, 4.0)]}
FAR = [s * x for x in (0.0, 1.0, 30.0, 88.0, 710.0, 1e4) for s in (1, -1)]


def name_of(row: Op) -> str:
    return row.name


def close(got: Any, true: Any, eps: float = 2.0**-52, dtype: Any = np.float64) -> bool:
    """Within 64 eps of max(1, |true|), in a float type that may overflow."""
    with np.errstate(over="ignore"):
        rounded = float(dtype(float(true) if abs(true) < 1e308 else math.copysign(math.inf, true)))
    if math.isinf(rounded):
        return float(got) == rounded or abs(float(got)) > float(np.finfo(dtype).max) / 4
    return abs(float(got) - rounded) <= 64 * eps * max(1.0, abs(rounded))


def points(row: Op) -> list[list[float]]:
    rng = np.random.default_rng(len(row.name))
    spans = SPECIAL.get(row.name) or DOMAINS[row.domain]
    spans = [*spans, *[ANY] * (bounds(row)[1] - len(spans))]
    return [[float(rng.uniform(*span)) for span in spans] for _ in range(10)]


def program(row: Op) -> tuple[str, str]:
    letters = "abcdefgh"[: bounds(row)[1]]
    return f"{row.name}({', '.join(letters)})", letters


TYPED = {"add": "a + b", "sub": "a - b", "mul": "a*b", "div": "a/b", "neg": "-a", "pow": "a**b",
         "lt": "a < b", "le": "a <= b", "gt": "a > b", "ge": "a >= b", "eq": "a == b",
         "ne": "a != b"}  # fmt: skip


def evaluate(formula: sg.Formula, at: dict[str, float]) -> float:
    """Evaluate `numpy()` with the names of `where`, one after the other."""
    space: dict[str, Any] = {"np": np}
    for helper in helpers().values():
        exec(helper, space)
    space.update({k: np.float64(v) for k, v in at.items()})
    with np.errstate(all="ignore"):
        for name, part in formula.where.items():
            space[name] = eval(part.numpy(), space)
        return float(eval(formula.numpy(), space))


def test_the_small_tables_hold_operators_only() -> None:
    assert {row.domain for row in ROWS} <= set(DOMAINS)
    assert {*SPECIAL, *TYPED} <= set(OPS)


@pytest.mark.parametrize("name", TYPED)
def test_a_symbol_is_the_operator_of_its_name(name: str) -> None:
    assert sg.parse(TYPED[name]).output is sg.parse(program(OPS[name])[0]).output


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_value(row: Op, exact: Any) -> None:
    text, letters = program(row)
    graph, compiled = sg.parse(text), sg.compile(text, wrt=[])
    for point in points(row):
        at = dict(zip(letters, point, strict=True))
        true = exact.apply(row.name, [mpmath.mpf(v) for v in point])
        known, sizes = bind(graph, at)
        value, none = compiled(**at)
        assert close(values([graph.output], known, sizes)[graph.output], true), at
        assert close(value, true) and none == {}, at
        assert type(value) is float, "a scalar program gives a Python float"


@pytest.mark.parametrize("row", SMOOTH, ids=name_of)
def test_gradient(row: Op, exact: Any) -> None:
    text, letters = program(row)
    compiled, formulas = sg.compile(text), sg.gradient(text)
    assert list(formulas) == list(letters)
    for point in points(row):
        at = dict(zip(letters, point, strict=True))
        _, grads = compiled(**at)
        for k, letter in enumerate(letters):

            def along(v: Any, k: int = k, point: list[float] = point) -> Any:
                arguments = [mpmath.mpf(p) for p in point]
                return exact.apply(row.name, [*arguments[:k], v, *arguments[k + 1 :]])

            true = mpmath.diff(along, mpmath.mpf(point[k]))
            assert close(grads[letter], true), (letter, at, grads[letter], true)
            assert close(evaluate(formulas[letter], at), true), (letter, at)
            assert close(sg.backprop(text, at).grad[letter], true), (letter, at)


@pytest.mark.parametrize("row", [r for r in ROWS if r.zero or r.dtype == "bool"], ids=name_of)
def test_the_gradient_of_a_step_is_zero(row: Op) -> None:
    text, letters = program(row)
    at = dict(zip(letters, points(row)[0], strict=True))
    assert sg.compile(text)(**at)[1] == dict.fromkeys(letters, 0.0)
    assert [f.unicode() for f in sg.gradient(text).values()] == ["0"] * len(letters)


@pytest.mark.parametrize("row", WITH_FORMULA, ids=name_of)
def test_the_numpy_template_computes_the_formula(row: Op) -> None:
    text, letters = program(row)
    written = row.formula
    direct, expanded = sg.compile(text, wrt=[]), sg.parse(written)
    for point in points(row):
        at = dict(zip(letters, point, strict=True))
        known, sizes = bind(sg.parse(written, shapes=dict.fromkeys(letters, 0.0)), at)
        assert close(direct(**at)[0], values([expanded.output], known, sizes)[expanded.output])


def slope_at(row: Op, exact: Any, at: Any) -> Any:
    """Compute the true derivative; None at a kink, where the sides differ."""
    sides = [mpmath.diff(lambda u: exact.apply(row.name, [u]), at, direction=d) for d in (-1, 1)]
    if abs(sides[0] - sides[1]) > mpmath.mpf("1e-8") * (1 + abs(sides[0])):
        assert row.kinks, f"{row.name} has a kink at {at} that its row does not state"
        return None
    return mpmath.diff(lambda u: exact.apply(row.name, [u]), at)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("row", WHOLE_LINE, ids=name_of)
def test_tails(row: Op, dtype: Any, exact: Any) -> None:
    """Far out, nothing is NaN, and nothing overflows unless the truth does."""
    x = np.array(FAR, dtype=dtype)
    f = sg.compile(f"a: param[K]\nsum({row.name}(a))", dtype=dtype)
    truths, slopes = [], []
    for v in x:
        at = mpmath.mpf(float(v))
        truths.append(exact.apply(row.name, [at]))
        slopes.append(slope_at(row, exact, at) if v else None)
    eps = float(np.finfo(dtype).eps)
    one = sg.compile(f"a: param[K]\n{row.name}(a)", wrt=[], dtype=dtype)
    largest = max([abs(t) for t in (*truths, *slopes) if t is not None])
    with np.errstate(all="raise" if largest < np.finfo(dtype).max else "ignore", under="ignore"):
        value, _ = one(a=x)
        _, grads = f(a=x)
    assert value.dtype == grads["a"].dtype == dtype
    for k, v in enumerate(x):
        assert close(value[k], truths[k], eps, dtype), (v, value[k], truths[k])
        if slopes[k] is not None:
            assert close(grads["a"][k], slopes[k], eps, dtype), (v, grads["a"][k], slopes[k])


@pytest.mark.parametrize("row", WHOLE_LINE, ids=name_of)
def test_scalar_tails(row: Op, exact: Any) -> None:
    compiled, formula = sg.compile(f"{row.name}(a)"), sg.gradient(f"{row.name}(a)")["a"]
    for v in FAR:
        true = exact.apply(row.name, [mpmath.mpf(v)])
        value, grads = compiled(a=v)
        assert close(value, true), (v, value)
        if v:
            slope = slope_at(row, exact, mpmath.mpf(v))
            if slope is None:
                continue
            assert close(grads["a"], slope), (v, grads["a"], slope)
            assert close(evaluate(formula, {"a": v}), slope), (v, formula.numpy())


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("row", ALONE, ids=name_of)
def test_nan_passes_through(row: Op, style: str, accurate: bool) -> None:
    array, number = f"a: param[K]\n{row.name}(a)", f"{row.name}(a)"
    compiled = sg.compile(array, wrt=[], style=style, accurate=accurate)
    assert np.isnan(compiled(a=np.array([np.nan, 0.5]))[0]).tolist() == [True, False]
    single = sg.compile(number, wrt=[], style=style, accurate=accurate)
    assert math.isnan(single(a=math.nan)[0])
    assert math.isnan(sg.backprop(number, {"a": math.nan}).value)


def test_helpers_are_those_of_the_rows_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    first = helpers()
    assert "tanh" not in first and first == helpers() is not first
    monkeypatch.setitem(OPS, "tanh", dataclasses.replace(OPS["tanh"], helper="def tanh(x): ..."))
    assert helpers() == first | {"tanh": "def tanh(x): ..."}
    monkeypatch.undo()
    assert helpers() == first
