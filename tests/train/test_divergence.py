"""Divergence: the first value that is not finite is found, on its line, with a hint that fits."""

import pickle
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.train.divergence import Found, exploded, trace

INF = np.inf


def found(text: str, at: dict[str, Any], **options: Any) -> Found:
    result = trace(sg.parse(text), at, **options)
    assert result is not None
    assert 2 <= len(str(result).split("\n")) <= 4
    return result


FORWARD = [
    ("x: param\ny = exp(x)\nz = 2*y\nz", {"x": 1234.5}, "exp", "y", 2,
     "exp(x) is ∞: exp(1234.5)", "lower the rate"),
    ("x: param; t: real\nL = 1/(x - t)", {"x": 1.0, "t": 1.0}, "div", "L", 2,
     "needed is x − t ≠ 0; x − t is 0", "keep it there"),
    ("x: param\nL = sqrt(x)", {"x": -4.0}, "sqrt", "L", 2, "√x is NaN: √(−4)", "needed is x ≥ 0"),
    ("p: param[N]\nL = mean(log(p))", {"p": [0.5, 0.0]}, "log", "L", 2,
     "log(p) is −∞ at [1]: log(0)", "cross_entropy"),
    ("x: param\nh = x**2\nL = h**2", {"x": 1e100}, "pow", "L", 3, "h² is ∞: 1e+200²", "lower"),
    ("x: param; k: real\nL = x**k", {"x": -2.0, "k": 0.5}, "pow", "L", 2,
     "needed is x > 0, or k an integer", "keep it there"),
    ("p: param[N]; y: binary[N]\nL = bce(p, y)", {"p": [0.5, 0.0], "y": [0, 1]}, "xlogy", "L", 2,
     "is −∞ at [1]", "bce_with_logits"),
    ("X: data[N, D]\nw: param[D]\nmean((X @ w)**2)", {"X": [[1, 2], [np.nan, 1]], "w": [1, 2]},
     "input", "X", 1, "X has NaN in row 1, column 0", "drop such rows"),
    ("X: data[N, D]\nw: param[D]\nmean((X @ w)**2)", {"X": [[1, 2]], "w": [1, INF]},
     "input", "w", 2, "w has ∞ in row 1", "before this step"),
    ("X: data[N, D]; y: labels[N, C]; W: param[D, C]\ns = X @ W\nL = cross_entropy(s, y)",
     {"X": np.full((2, 2), 1e200), "y": [0, 1], "W": np.eye(2) * 1e200}, "matmul", "s", 2,
     "X W is ∞ at [0, 0]", "lower the rate"),
    ("s: real[N, C]; y: labels[N, C]; W: param[C]\n"
     "L[i] = sum(max(0, s[i,j]*W[j] - s[i,y[i]] + 1) for j in C if j != y[i])\n"
     "loss = mean(L[i] for i in N)",
     {"s": np.full((2, 3), 1e300), "y": [0, 1], "W": [1e300] * 3}, "mul", "L", 2,
     "s ⊙ W is ∞ at [0, 0]: 1e+300·1e+300", "lower the rate"),
    ("A: param[D, D]; b: data[D]\nx = solve(A, b)\nsum(x)", {"A": np.zeros((2, 2)), "b": [1, 1]},
     "solve", "x", 2, "a matrix is singular", "lam*eye(N)"),
    ("x: param[N]\nL = sum(where(x > 0, log(x), log(x - 3)))", {"x": [-1.0, 0.0, 2.0]}, "log", "L",
     2, "log(x − 3) is NaN at [0]: log(−4)", "needed is x − 3 > 0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "op", "name", "line", "said", "hint"), FORWARD)
def test_forward(
    text: str, at: dict[str, Any], op: str, name: str, line: int, said: str, hint: str
) -> None:
    got = found(text, at)
    assert (got.operator, got.name, got.line) == (op, name, line)
    assert (got.where, got.parameter) == ("forward", "")
    assert said in got.message
    assert hint in got.message
    assert got.node.op == op
    assert f"line {line}" in got.message


BACKWARD = [
    ("x: param\nh = x*3\nL = sqrt(h)", {"x": 0.0}, "sqrt", "L", 3, "x",
     "the derivative of √h by h is ∞", "add a small constant inside"),
    ("a: param; b: param[N]\nL = sum(sqrt(b)) + a", {"a": 1.0, "b": [1.0, 0.0]}, "sqrt", "L", 2,
     "b", "by b is ∞ at [1]", "gradient of b"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at", "op", "name", "line", "parameter", "said", "hint"), BACKWARD
)
def test_backward(
    text: str,
    at: dict[str, Any],
    op: str,
    name: str,
    line: int,
    parameter: str,
    said: str,
    hint: str,
) -> None:
    got = found(text, at)
    assert (got.operator, got.name, got.line) == (op, name, line)
    assert (got.where, got.parameter) == ("backward", parameter)
    assert said in got.message
    assert hint in got.message


def test_a_gradient_that_overflows_on_its_way() -> None:
    text = "x: param; w: real; v: real\nh = w*x\nL = v*h"
    got = found(text, {"x": 1e-300, "w": 1e200, "v": 1e200})
    assert (got.where, got.parameter, got.operator) == ("backward", "x", "mul")
    assert "passes to" in got.message
    assert "lower the rate" in got.message


def test_the_first_in_backward_order_is_named() -> None:
    text = "x: param\na = sqrt(x)\nb = sqrt(a)\nb"
    got = found(text, {"x": 0.0}, written=True)
    assert (got.line, got.parameter) == (3, "x")
    assert "by a" in got.message


def test_the_first_of_two_is_named() -> None:
    text = "x: param; y: param\na = log(x)\nb = sqrt(y)\nL = a + b"
    assert found(text, {"x": -1.0, "y": -1.0}).line == 2
    text = "x: param; y: param\na = sqrt(x)\nb = sqrt(y)\nL = a + b"
    got = found(text, {"x": 0.0, "y": 0.0})
    assert (got.line, got.parameter) == (3, "y")  # backwards, b comes before a


def test_what_the_forward_pass_absorbs_does_no_harm() -> None:
    text = "x: param[N]\nd = exp(x)*x\nL = sum(1/(1 + d))"
    assert trace(sg.parse(text), {"x": [1.0, 800.0]}) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("x: param[N]; sum(where(x > 0, log(x), 0))", {"x": [-1.0, 0.0, 2.0]}),
        ("z: param[N]; y: binary[N]; bce(sigmoid(z), y)", {"z": [1e4, -1e4], "y": [0, 1]}),
        ("x: param[N]; norm(x)", {"x": [0.0, 0.0]}),
        ("x: param[N]; log(sum(exp(x)))", {"x": [1e4, 0.0]}),
        ("x: param[N]; exp(x)", {"x": [1.0]}),
        ("x: data; x*2", {"x": 1.0}),
    ],
)
def test_what_is_finite_is_not_blamed(text: str, at: dict[str, Any]) -> None:
    assert trace(sg.parse(text), at) is None


def test_as_written_a_typed_softmax_overflows() -> None:
    text = "x: param[N]\nP = exp(x)/sum(exp(x))\nL = -log(P[0])"
    assert trace(sg.parse(text), {"x": [1000.0, 1.0]}) is None
    got = found(text, {"x": [1000.0, 1.0]}, written=True)
    assert (got.operator, got.line) == ("exp", 2)


def test_float32_overflows_and_vanishes_earlier() -> None:
    for text, at, op in (
        ("x: param\ny = exp(x)\ny", {"x": 100.0}, "exp"),
        ("p: param; s: real\nq = p*s\nL = log(q)", {"p": 1e-30, "s": 1e-30}, "log"),
        ("p: param; s: real\nq = p*s\nL = sqrt(q)", {"p": 1e-30, "s": 1e-30}, "sqrt"),
    ):
        assert trace(sg.parse(text), at) is None
        assert found(text, at, dtype="float32").operator == op
        assert found(text, at, dtype=np.float32).operator == op


def test_batch_norm_and_masks_are_ordinary() -> None:
    text = (
        "X: data[N, D]; w: param[D]; g: param[D]; b: param[D]; m: binary[N, D]\n"
        "h = dropout(batch_norm(X, g, b), m, p=0.2)\n"
        "z = exp(h @ w)\n"
        "L = mean(z)"
    )
    X = np.random.default_rng(0).normal(size=(4, 2))
    at = {"X": X, "w": [1e3, 1.0], "g": [1, 1], "b": [0, 0], "m": np.ones((4, 2)), "other": "text"}
    got = found(text, at)
    assert (got.operator, got.name, got.line) == ("exp", "z", 3)
    assert trace(sg.parse(text), {**at, "w": [1.0, 1.0]}) is None


def test_a_deep_graph_is_no_trouble() -> None:
    text = "x: param\ny = x\n" + "y = y*2 + 1\n" * 3000 + "y"
    got = found(text, {"x": 1.0}, written=True)
    assert got.operator in ("mul", "add")
    assert got.line is not None
    assert 1000 < got.line < 1100


@pytest.mark.parametrize(
    ("loss", "least", "first", "expected"),
    [
        (np.nan, 1.0, 1.0, True),
        (INF, 1.0, 1.0, True),
        (1001.0, 1.0, 5.0, True),
        (999.0, 1.0, 5.0, False),
        (0.9, 1e-12, 1.0, False),  # what has become tiny
        (1.1, 1e-12, 1.0, True),
        (0.9, 0.0, 1.0, False),
        (1001.0, 0.0, 1.0, True),
        (5.0, 0.0, 0.0, False),  # nothing to compare with
        (0.0, -10.0, -5.0, False),
        (6.0, -2.3, 0.2, False),
        (1e5, -10.0, -5.0, True),
    ],
)
def test_exploded(loss: float, least: float, first: float, expected: bool) -> None:
    assert exploded(loss, least, first) is expected


def test_the_error_tells_all() -> None:
    place = found("x: param; exp(x)", {"x": 1e4})
    error = sg.DivergenceError("the loss is inf at step 3", step=3, epoch=1, found=place, hint="do")
    assert isinstance(error, sg.SymgradError)
    assert str(error) == f"the loss is inf at step 3\n{place}\ndo"
    assert (error.step, error.epoch, error.parameter) == (3, 1, "")
    assert str(pickle.loads(pickle.dumps(sg.DivergenceError("no", hint="do")))) == "no\ndo"
