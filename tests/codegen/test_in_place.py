"""What needs no array of its own: marks at labels, masks of the value, results over operands."""

import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.lowering import lowered
from symgrad.codegen.fast.marks import marks
from symgrad.codegen.fast.schedule import Schedule
from symgrad.codegen.plan import plan
from symgrad.graph import topological
from symgrad.graph.walk import consumers
from symgrad.ops import const, leaf, make

HINGE = "x: data[N, D]; y: labels[N, C]; W: param[D, C]; svm(x @ W, y) + reg/2*sum(W**2)"
SHORT = Costs(untiled_bytes=1, shortest_tile=8, piece=1, tile_bytes=512)  # tiles of a few rows


def body(text: str, **options: Any) -> str:
    """Give the statements of a fast module's function."""
    program = sg.compile(text, style="fast", **options).program
    return program[program.index("held = ") :]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("costs", [None, SHORT])
@pytest.mark.parametrize("n", [1, 7, 64])
def test_hinge_of_many_classes_marks_the_labels(dtype: str, costs: Costs | None, n: int) -> None:
    rng = np.random.default_rng(n)
    at = {"x": rng.normal(size=(n, 5)), "y": rng.integers(0, 4, n), "W": rng.normal(size=(5, 4)),
          "reg": 0.25}  # fmt: skip
    f = build(sg.parse(HINGE), dtype=dtype, style="fast", costs=costs)
    value, grads = f(**at)
    expected, slopes = sg.compile(HINGE, style="readable")(**at)
    near = {"rtol": 1e-12 if dtype == "float64" else 1e-4}
    np.testing.assert_allclose(value, expected, **near)
    np.testing.assert_allclose(grads["W"], slopes["W"], **near, atol=near["rtol"])
    statements = f.program[f.program.index("held = ") :]
    assert "] = 0\n" in statements and "] -= tile" in statements
    assert not any(word in statements for word in ("not_equal", "kept(", "astype", "arange"))


def test_marks_are_left_where_the_rows_are_read_otherwise() -> None:
    P, t = leaf("P", ("N", "C")), leaf("t", ("N", "C"), "labels")
    s = make("expand", leaf("s", ("N",)), axes=(1,))
    hot = make("onehot", t, size="C")
    rest = make("ne", make("arange", size="C"), make("expand", t, axes=(1,)))
    kept = make("where", rest, P, const(0))
    cases = {
        (make("sub", P, hot),): ["-= 1"],
        (make("sub", P, make("mul", s, hot)),): ["-= {2}"],
        (kept,): ["= 0"],
        (make("sub", P, hot), make("sub", kept, hot)): ["-= 1", "-= 1", "= 0"],
        (make("sub", hot, P),): ["+= 1"],  # in the opposite of P
        (make("sub", P, make("mul", P, hot)),): [],  # the factor is not a number a row
        (make("sub", P, hot), make("exp", hot)): [],
        (make("sub", P, hot), hot): [],  # returned
        (make("where", rest, P, const(1)),): ["= 1"],
        (make("where", rest, P, const(-np.inf)),): ["= -np.inf"],
        (make("mul", P, rest),): ["= 0.0"],
        (make("where", rest, const(0), P),): [],
        (kept, make("exp", make("expand", rest, axes=(2,)))): [],
    }
    for roots, changes in cases.items():
        order = topological(roots)
        found, absorbed = marks(order, consumers(order), dict.fromkeys(roots))
        assert sorted(m.change for m in found.values()) == sorted(changes)
        assert bool(absorbed) == bool(changes) and not set(absorbed) & set(roots)


def test_a_mask_agrees_with_its_value_to_the_last_bit() -> None:
    """Where (a - b) + 1 is not zero and (1 + a) - b is, the slope is that of the value."""
    f = sg.compile("a: param[n]; b: param[n]; c: data[n]; sum(c*maximum(a - b + 1, 0))")
    a, b = np.array([1e-16, 0.5, 3.0]), np.array([1.0, 1.5, 4.0])
    value, grads = f(a=a, b=b, c=np.array([1.0, 2.0, 4.0]))
    there = a - b + 1 > 0
    np.testing.assert_array_equal(grads["a"] != 0, there)
    assert value > 0 and there[0] and not 1 + a[0] - b[0] > 0


def test_sums_of_other_terms_keep_their_own_mask() -> None:
    for text in ("sum(maximum(a - b + 1, 0)) + sum(where(a + b - 1 > 0, a, 0))",
                 "sum(maximum(a - b + 1, 0)) + sum(where(b - a + 1 > 0, a, b))",
                 "sum(abs(a - b + 1)) + sum(where(a - b - b + 1 > 0, a, b))"):  # fmt: skip
        text = f"a: param[n]; b: param[n]; {text}"
        rng = np.random.default_rng(3)
        at = {"a": rng.normal(size=50), "b": rng.normal(size=50)}
        value, grads = sg.compile(text, style="fast")(**at)
        tape = sg.backprop(text, at)
        np.testing.assert_allclose(value, tape.value, rtol=1e-12)
        for name in at:
            np.testing.assert_allclose(grads[name], tape.grad[name], rtol=1e-12, atol=1e-12)


def test_a_product_becomes_the_gradient_that_it_is_a_term_of() -> None:
    text = "x: data[N, D]; W: param[D, K]; sum(tanh(x @ W)) + reg*sum(W**2)"
    statements = body(text)
    assert "grad_W = x.T.dot(" in statements and "grad_W = np.empty(" not in statements
    rng = np.random.default_rng(1)
    at = {"x": rng.normal(size=(6, 4)), "W": rng.normal(size=(4, 3)), "reg": 0.5}
    f = sg.compile(text, style="fast")
    first = f(**at)[1]["W"]
    again = f(**at)[1]["W"]
    np.testing.assert_array_equal(first, again)
    assert not np.shares_memory(first, again) and not np.shares_memory(first, at["W"])
    np.testing.assert_allclose(first, sg.backprop(text, at).grad["W"], rtol=1e-12)
    kept = sg.compile(text, style="fast", reuse=True)
    assert kept(**at)[1]["W"] is kept(**at)[1]["W"]


@pytest.mark.parametrize("costs", [None, SHORT])
def test_rows_are_computed_where_their_result_will_be(costs: Costs | None) -> None:
    text = "x: param[n]; sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"
    f = build(sg.parse(text), style="fast", costs=costs)
    assert "tile1" in f.program and "tile2" not in f.program
    at = {"x": np.linspace(-1, 2, 60)}
    np.testing.assert_allclose(f(**at)[1]["x"], sg.backprop(text, at).grad["x"], rtol=1e-12)


def test_what_is_read_for_the_last_time_is_read_first() -> None:
    text = "x: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(x @ W, y)"
    statements = body(text)
    at = statements.index
    assert at("exp(buf0_rows, buf0_rows)") > at("np.copyto(tile0, buf0_rows[")
    assert "tile5" not in statements  # the entries at the labels take the maxima's tile


@pytest.mark.parametrize(
    "loss",
    [
        "sum(tanh(x @ (A + B + C))) + sum(A**2) + sum(B**3)",  # A's and B's gradients read C's
        "sum(tanh(x @ (A + C))) + sum(A**2) + sum(B)",  # A's alone does
        "sum(tanh(x @ (A + B))) + sum(A**2) + sum(B**3) + sum(x @ C)",
        "sum(tanh(x @ A)) + sum(sin(x @ A)) + sum((x.T @ x) @ B) + sum(C)",
    ],
)
def test_a_product_that_two_gradients_read_is_kept(loss: str) -> None:
    text = f"x: data[N, D]; A: param[D, K]; B: param[D, K]; C: param[D, K]\n{loss}"
    rng = np.random.default_rng(2)
    at = {"x": rng.normal(size=(6, 3)), **{k: rng.normal(size=(3, 3)) for k in "ABC"}}
    grads = sg.compile(text, style="fast")(**at)[1]
    expected = sg.backprop(text, at).grad
    for name in "ABC":
        np.testing.assert_allclose(grads[name], expected[name], rtol=1e-12, atol=1e-13)


GAUSSIAN = ("X: data[N, D]; mu: param[D]; rho: param[D]; z = (X - mu)/exp(rho)\n"
            "sum(z**2)/(2*N) + sum(rho)")  # fmt: skip


@pytest.mark.parametrize("costs", [None, SHORT])
def test_sums_wait_for_the_loop_that_reads_their_rows_again(costs: Costs | None) -> None:
    f = build(sg.parse(GAUSSIAN), style="fast", costs=costs)
    statements = f.program[f.program.index("held = ") :]
    assert statements.count("X[rows]") == 1  # one loop over the data, and no array of their size
    assert not re.search(r"(empty|aligned)\(\(N, D\)", f.program)
    rng = np.random.default_rng(5)
    at = {"X": rng.normal(size=(30, 3)), "mu": rng.normal(size=3), "rho": rng.normal(size=3)}
    expected = sg.backprop(GAUSSIAN, at)
    value, grads = f(**at)
    np.testing.assert_allclose(value, expected.value, rtol=1e-13)
    for name, slope in grads.items():
        np.testing.assert_allclose(slope, expected.grad[name], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "m = mean(x); s = mean((x - m)**2); sum(((x - m)/sqrt(s + 1))**3)",  # s is used in the rows
        "m = sum(tanh(x)); sum(tanh(x)*exp(-m/9))",
        "p = exp(x - max(x)); sum(p/sum(p)*w)",
        "q = x*w; a = sum(q); b = sum(q*exp(-a)); sum(q*b) + a",
        "sum(relu(x)*w)/sum(relu(x))",
    ],
)
def test_sums_that_their_rows_need_do_not_wait(text: str) -> None:
    text = f"x: param[n]; w: param[n]; {text}"
    rng = np.random.default_rng(6)
    at = {"x": rng.normal(size=40), "w": rng.normal(size=40)}
    low = lowered(plan(sg.parse(text), None))
    assert not Schedule([low.value, *low.grads.values()]).floor
    expected = sg.backprop(text, at)
    for costs in (None, SHORT):
        value, grads = build(sg.parse(text), style="fast", costs=costs)(**at)
        np.testing.assert_allclose(value, expected.value, rtol=1e-12)
        for name, slope in grads.items():
            np.testing.assert_allclose(slope, expected.grad[name], rtol=1e-10, atol=1e-12)


def test_a_sum_of_products_that_are_there_is_a_sum_of_those() -> None:
    """The slope of rho is the sum of z times z/N: nothing is computed of mu - X."""
    statements = body(GAUSSIAN)
    assert "subtract(mu, X_rows" not in statements and "subtract(X_rows, mu" in statements


def test_a_dot_product_with_a_mask_keeps_its_mask() -> None:
    text = "P: param[N, N]; L = sum(P[i,j]**2*exp(P[i,j]) for i in N for j in N if i != j)"
    at = {"P": np.random.default_rng(0).normal(size=(7, 7))}
    found, other = (sg.compile(text, style=style)(**at) for style in ("fast", "readable"))
    np.testing.assert_allclose(found[0], other[0], rtol=1e-13)
    np.testing.assert_allclose(found[1]["P"], other[1]["P"], rtol=1e-13)
