"""What is said about curves: textbook facts, and properties that hold for every row."""

import math
import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.curve import Facts, Interval, described, facts, of_graph, of_operator, one_variable
from symgrad.curve.function import Function
from symgrad.curve.interval import listed, nice, number, places
from symgrad.curve.scan import limit
from symgrad.opdocs.closed import known_facts
from symgrad.ops import OPS, Op

ROWS = [row for row in OPS.values() if one_variable(row) and not row.hidden]


def name_of(row: Op) -> str:
    return row.name


def of(text: str) -> Facts:
    return facts(of_graph(sg.parse(text)))


def known(row: Op) -> Facts:
    found = known_facts(row)
    assert found is not None, f"nothing was found out about {row.name}"
    return found


def listing(intervals: Any) -> list[str]:
    return [str(i) for i in intervals]


# Name, range, max |f′|, where |f′| < 0.001, where the unit is dead: from the definitions.
TEXTBOOK = [
    ("sigmoid", "(0, 1)", "0.25 at x = 0", ["(−∞, −6.906)", "(6.906, ∞)"], []),
    ("tanh", "(−1, 1)", "1 at x = 0", ["(−∞, −4.147)", "(4.147, ∞)"], []),
    ("relu", "[0, ∞)", "1 on (0, ∞)", ["(−∞, 0]"], ["(−∞, 0]"]),
    ("relu6", "[0, 6]", "1 on (0, 6)", ["(−∞, 0]", "[6, ∞)"], ["(−∞, 0]", "[6, ∞)"]),
    ("leaky_relu", "ℝ", "1 on (0, ∞)", [], []),
    ("selu", "(−1.758, ∞)", "1.758 at x = 0", ["(−∞, −7.472)"], []),
    ("hardshrink", "ℝ", "1 on (−∞, −0.5) ∪ (0.5, ∞)", ["[−0.5, 0.5]"], []),
    ("silu", "[−0.2785, ∞)", "1.1 at x = 2.399", ["(−∞, −8.985)"], []),
    ("softplus", "(0, ∞)", "1, as x → ∞", ["(−∞, −6.907)"], []),
    ("softsign", "(−1, 1)", "1 at x = 0", ["(−∞, −30.62)", "(30.62, ∞)"], []),
    ("square", "[0, ∞)", "unbounded as x → ±∞", [], []),
    ("exp", "(0, ∞)", "unbounded as x → ∞", ["(−∞, −6.908)"], []),
    ("log", "ℝ", "unbounded as x → 0", ["(1000, ∞)"], []),
    ("sqrt", "[0, ∞)", "unbounded as x → 0", ["(250000, ∞)"], []),
    ("sign", "{−1, 0, 1}", "0 on (−∞, ∞)", ["(−∞, ∞)"], ["(−∞, ∞)"]),
    ("arctan", "(−π/2, π/2)", "1 at x = 0", ["(−∞, −31.61)", "(31.61, ∞)"], []),
]


@pytest.mark.parametrize(
    ("name", "span", "steepest", "low", "dead"), TEXTBOOK, ids=[t[0] for t in TEXTBOOK]
)
def test_textbook_facts(name: str, span: str, steepest: str, low: list[str], dead: list[str]):
    found = known(OPS[name])
    assert found.range == span
    assert described(found)["max |f′|"] == steepest
    assert listing(found.saturated) == low
    assert listing(found.dead) == dead


def test_nothing_dies_by_underflow() -> None:
    """Far out the floats are 0 for all of these; only some of the functions are."""
    dying = {row.name for row in ROWS if known(row).dead}
    alive = {"sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "mish", "erf", "normal_cdf", "exp"}
    assert {"relu", "relu6", "hardtanh", "hardsigmoid", "hardswish"} <= dying
    assert not alive & dying


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_facts_hold_where_they_are_tried(row: Op) -> None:
    """Points drawn anew agree with range, steepest slope, saturation and dead parts."""
    found, function = known(row), of_operator(row.name)
    rng = np.random.default_rng(7)
    x = np.concatenate(
        [rng.uniform(-8, 8, 4001), *(s * 10 ** rng.uniform(0, 12, 500) for s in (1, -1))]
    )
    y, s = function.value(x), function.slope(x)
    here = np.isfinite(y) & np.isfinite(s)
    x, y, s = x[here], y[here], s[here]
    assert np.abs(s).max() <= found.steepest[0] * (1 + 1e-6) + 1e-12
    for point, slope in zip(x, s, strict=True):
        if any(i.holds(float(point)) for i in found.dead):
            assert slope == 0
        if any(i.holds(float(point)) for i in found.saturated):
            assert abs(slope) < 1.01e-3
    if found.range[0] in "([" and "π" not in found.range:
        low, high = (
            float(v.replace("−", "-").replace("∞", "inf")) for v in found.range[1:-1].split(", ")
        )
        slack = 1e-3  # the ends are printed with four digits
        assert y.min() >= low - slack and y.max() <= high + slack


@pytest.mark.parametrize("row", [r for r in ROWS if r.range != "R"], ids=name_of)
def test_a_range_that_a_row_states_is_the_computed_one(row: Op) -> None:
    stated = row.range
    for name, value in (("pi/2", math.pi / 2), ("inf", math.inf)):
        stated = stated.replace(name, repr(value))
    stated = stated.replace("-b", "-1")  # elu and celu at their default
    if stated.startswith("{"):
        assert stated.replace("-", "−") == known(row).range
        return
    low, high = (float(v) for v in stated[1:-1].split(", "))
    found = known(row).range
    assert found[0] + found[-1] == stated[0] + stated[-1], found
    ends = found[1:-1].replace("π/2", repr(math.pi / 2)).replace("−", "-").replace("∞", "inf")
    assert [float(v) for v in ends.split(", ")] == pytest.approx([low, high], abs=6e-4)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_kink_that_is_found_is_stated_by_the_row(row: Op) -> None:
    found = known(row)
    assert bool(row.kinks) == bool(found.kinks or found.jumps)


def test_kinks_and_jumps_say_what_is_taken() -> None:
    assert described(known(OPS["selu"]))["kinks"] == (
        "x = 0: f′ goes from 1.758 to 1.051; taken as 1.758"
    )
    assert (
        "x = −0.5: f goes from −0.5 to 0; taken as 0"
        in described(known(OPS["hardshrink"]))["jumps"]
    )
    assert described(known(OPS["floor"]))["jumps"] == "x = …, −2, −1, 0, 1, 2, …"


def test_programs_too() -> None:
    found = of("x**2*exp(-x)")
    assert found.range == "[0, ∞)"
    assert [(round(x, 6), round(y, 6)) for x, y in found.maxima] == [(2, 0.541341)]
    assert found.minima == ((0.0, 0.0),)
    pole = of("1/x")
    assert pole.poles == (0.0,) and pole.monotone == "decreasing between its poles"
    assert described(pole)["domain"] == "ℝ without the poles x = 0"
    assert described(pole)["max |f′|"] == "unbounded as x → 0"
    assert described(of("sqrt(4 - x**2)"))["domain"] == "[−2, 2]"
    assert described(of("abs(x)**0.5"))["max |f′|"] == "unbounded as x → 0"
    assert described(of("tan(x)"))["monotone"] == "increasing between its poles"


def test_shifted_and_scaled_curves() -> None:
    """The places move with the curve: nothing hangs on where the grid points are."""
    found = of("relu(3*x - 1)")
    assert [k.at for k in found.kinks] == pytest.approx([1 / 3])
    assert found.steepest[0] == 3 and found.dead[0].high == pytest.approx(1 / 3)
    assert of("sigmoid(10*x)").steepest == (2.5, "at x = 0")
    assert of("sigmoid(x - 0.3)").steepest == (0.25, "at x = 0.3")


def test_zero_centred() -> None:
    said = {n: known(OPS[n]).centred for n in ("tanh", "sigmoid", "relu", "gelu", "logsigmoid")}
    assert said["tanh"].startswith("yes")
    assert said["sigmoid"] == "no: all values are positive"
    assert said["relu"] == "no: no value is negative"
    assert said["logsigmoid"] == "no: all values are negative"
    assert said["gelu"].startswith("no: values of both signs")


def test_no_warning_reaches_the_user() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for text in ("log(x)", "exp(exp(x))", "1/(x**2 - 1)", "x**9*exp(x)", "log(cosh(x))"):
            of(text)


@pytest.mark.parametrize(
    ("text", "said"), [("x*y", "x, y"), ("3.0", "none"), ("x: real[3]\nsum(x)", "x")]
)
def test_only_one_number_in(text: str, said: str) -> None:
    with pytest.raises(sg.UsageError, match=said):
        of_graph(sg.parse(text))


def test_only_operators_of_one_variable() -> None:
    with pytest.raises(sg.UsageError, match="softmax"):
        of_operator("softmax")


def test_a_loss_at_a_fixed_target_is_a_curve() -> None:
    found = of("hinge(t, 1)")
    assert found.range == "[0, ∞)" and [k.at for k in found.kinks] == [1]


def test_limits() -> None:
    k = np.arange(57.0)
    assert limit(k) == math.inf and limit(-(2.0**k)) == -math.inf
    assert limit(1 / (1 + 10.0**k)) == 0 and limit(3 + np.exp(-k)) == 3
    assert math.isnan(limit(np.sin(k))) and math.isnan(limit(np.full(57, np.nan)))


def test_numbers_and_places() -> None:
    assert [number(v) for v in (-0.5, 1e-7, 3 * math.pi / 2, 1e6, 1234.5678)] == [
        "−0.5", "10⁻⁷", "3π/2", "10⁶", "1235"
    ]  # fmt: skip
    assert nice(0.1 + 0.2) == 0.3 and nice(1 / 3) == 1 / 3 and nice(-math.inf) == -math.inf
    assert listed(["a"]) == "a" and listed([]) == ""
    assert places([math.pi * k for k in range(-5, 6)]) == "…, −2π, −π, 0, π, 2π, … (every π)"
    assert Interval(0, 1, True, False).holds(0) and not Interval(0, 1, True, False).holds(1)


def test_the_exact_slope_is_that_of_the_graph() -> None:
    value, slope = Function(sg.parse("x**3")).exact(2.0)
    assert (value, slope) == (8, 12)
