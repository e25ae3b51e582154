"""Logarithms of probabilities, some of which are 0: values of -inf, whose slopes are 0."""

import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg

inf = np.inf
ROWS = [[-inf, -inf, -inf], [-inf, 1.0, 2.0], [0.5, -1.0, 3.0]]
SHARES = [[0.0, 0.0, 0.0], *([*np.exp(np.array(r) - np.logaddexp.reduce(r))] for r in ROWS[1:])]
CASES: dict[str, tuple[str, dict[str, Any], float, dict[str, Any]]] = {
    "none": ("x: param[N]; logsumexp(x)", {"x": [-inf, -inf]}, -inf, {"x": [0, 0]}),
    "typed": ("x: param[N]; log(sum(exp(x)))", {"x": [-inf, -inf]}, -inf, {"x": [0, 0]}),
    "one": ("x: param[N]; logsumexp(x)", {"x": [-inf, 2.0]}, 2.0, {"x": [0, 1]}),
    "rows": ("S: param[N, C]; sum(exp(logsumexp(S, axis=1)))", {"S": ROWS},
             sum(np.sum(np.exp(r)) for r in ROWS), {"S": np.exp(ROWS)}),
    "kept": ("S: param[N, C]; sum(logsumexp(S, axis=1, keepdims=True))", {"S": ROWS}, -inf,
             {"S": SHARES}),
    "commuted": ("S: param[N, C]; sum(logsumexp(S*2, axis=1))", {"S": np.array(ROWS)/2}, -inf,
                 {"S": 2*np.array(SHARES)}),
    "columns": ("S: param[C, N]; sum(logsumexp(S, axis=0))", {"S": np.transpose(ROWS)}, -inf,
                {"S": np.transpose(SHARES)}),
    "numbers": ("a: param; b: param; logaddexp(a, b)", {"a": -inf, "b": -inf}, -inf,
                {"a": 0, "b": 0}),
    "three": ("a: param; b: param; c: param; log(exp(a) + exp(b) + exp(c))",
              {"a": -inf, "b": -inf, "c": -inf}, -inf, {"a": 0, "b": 0, "c": 0}),
    "pairs": ("a: param[N]; b: param[N]; sum(logaddexp(a, b))",
              {"a": [-inf, -inf, 1.0], "b": [-inf, 0.0, -inf]}, -inf,
              {"a": [0, 0, 1], "b": [0, 1, 0]}),
    "scaled": ("a: param[N]; b: param[N]; sum(logaddexp(a*2, b))",
               {"a": [-inf, -inf], "b": [-inf, 0.0]}, -inf, {"a": [0, 0], "b": [0, 1]}),
}  # fmt: skip


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("name", CASES)
def test_minus_infinity(name: str, style: str, dtype: str, accurate: bool) -> None:
    text, at, expected, slopes = CASES[name]
    f = sg.compile(text, style=style, dtype=dtype, accurate=accurate)
    value, grads = f(**{k: np.array(v)[()] for k, v in at.items()})
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    for k, slope in slopes.items():
        np.testing.assert_allclose(grads[k], slope, rtol=1e-5)


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["fast", "readable"])
def test_infinity_and_no_number(style: str, accurate: bool) -> None:
    f = sg.compile("x: param[N]; logsumexp(x)", style=style, accurate=accurate)
    value, grads = f(x=np.array([inf, 1.0, -inf]))
    assert value == inf
    np.testing.assert_array_equal(grads["x"], [np.nan, 0, 0])
    assert np.isnan(f(x=np.array([1.0, np.nan]))[0])
    value, grads = f(x=np.array([-1e308, -1.7e308, -1e307]))  # far, but finite
    assert value == pytest.approx(-1e307) and grads["x"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_a_written_module_does_not_warn(style: str) -> None:
    f = sg.compile("S: param[N, C]; sum(logsumexp(S, axis=1))", style=style)
    space: dict[str, Any] = {}
    exec(f.program, space)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, grads = space["value_and_grad"](S=np.array(ROWS))
    assert value == -inf
    np.testing.assert_allclose(grads["S"], SHARES)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_states_that_cannot_be_reached(style: str) -> None:
    """A hidden Markov model that goes from left to right starts in one state."""
    text = ("A: param[K, K]; e: data[K]; a: data[K]; "
            "b = logsumexp(a[:, None] + A, axis=0) + e; c = logsumexp(b[:, None] + A, axis=0) + e; "
            "logsumexp(c)")  # fmt: skip
    start = np.array([0.0, -inf, -inf, -inf])
    A = np.where(np.triu(np.ones((4, 4))) - np.triu(np.ones((4, 4)), 2) > 0, np.log(0.5), -inf)
    f = sg.compile(text, style=style)
    value, grads = f(A=A, e=np.zeros(4), a=start)
    assert value == pytest.approx(0.0)
    np.testing.assert_allclose(grads["A"].sum(), 2)  # two steps are taken
    assert grads["A"][0, 0] == pytest.approx(0.75) and grads["A"][2, 2] == 0


def test_heads_are_as_before() -> None:
    """Cross entropy and softmax need no such care: they are NaN where all scores are -inf."""
    text = "S: param[N, C]; y: labels[N, C]; cross_entropy(S, y) + sum(softmax(S)**2)"
    for style in ("fast", "readable"):
        source = sg.compile(text, style=style).program
        assert "fmax" not in source and "grounded" not in source and "e+308" not in source
    assert np.isnan(sg.compile("s: param[N]; sum(softmax(s))")(s=[-inf, -inf])[0])


def test_a_softmax_beside_its_sum_shares_the_exponentials() -> None:
    text = "S: param[N, C]; mean(logsumexp(S, axis=1)) + sum(softmax(S)**2)"
    body = sg.compile(text).program.split("def value_and_grad")[1]
    assert sum("exp(tile" in line for line in body.splitlines() if "#" not in line) == 1
