"""Networks over time, typed out step by step: memory and code grow with the steps alone."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.sweep import SHORT
from symgrad.codegen.fast.steps import Steps

Arrays = dict[str, Any]
STEPS = 24


def recurrent(steps: int) -> str:
    head = "x: data[T, N, D]; y: data[N, H]; W: param[D, H]; U: param[H, H]; b: param[H]"
    lines = [f"h = tanh(x[{k}] @ W + h @ U + b)" for k in range(1, steps)]
    return "\n".join([head, "h = tanh(x[0] @ W + b)", *lines, "mean((h - y)**2)"])


def gated(steps: int) -> str:
    head = "x: data[T, N, D]; c: data[N, H]; W: param[D, 4*H]; U: param[H, 4*H]\nh = 0*c\n"
    step = """z = x[{}] @ W + h @ U
c{} = sigmoid(z[:, :H])*c{} + sigmoid(z[:, H:2*H])*tanh(z[:, 2*H:3*H])
h = sigmoid(z[:, 3*H:])*tanh(c{})
"""
    lines = [step.format(k, k, k - 1 if k else "", k) for k in range(steps)]
    return head + "".join(lines) + "sum(h**2)"


def inputs(steps: int, n: int = 8, d: int = 96, h: int = 64) -> Arrays:
    rng = np.random.default_rng(1)
    return {"x": rng.normal(size=(steps, n, d)), "y": rng.normal(size=(n, h)),
            "W": rng.normal(size=(d, h)) / 9, "U": rng.normal(size=(h, h)) / 8,
            "b": rng.normal(size=h)}  # fmt: skip


def by_hand(x: Any, y: Any, W: Any, U: Any, b: Any) -> tuple[float, Arrays]:
    states = [np.tanh(x[0] @ W + b)]
    for step in x[1:]:
        states.append(np.tanh(step @ W + states[-1] @ U + b))
    error = states[-1] - y
    grads = {"W": np.zeros_like(W), "U": np.zeros_like(U), "b": np.zeros_like(b)}
    g = 2 / error.size * error
    for k in range(len(x))[::-1]:
        delta = g * (1 - states[k] ** 2)
        grads["W"] += x[k].T @ delta
        grads["b"] += delta.sum(axis=0)
        if k:
            grads["U"] += states[k - 1].T @ delta
            g = delta @ U.T
    return float(np.mean(error**2)), grads


def peak(call: Any, at: Arrays) -> int:
    call(**at)
    tracemalloc.reset_peak()
    call(**at)
    return tracemalloc.get_traced_memory()[1]


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_gradients_agree_with_those_by_hand(style: str) -> None:
    at = inputs(STEPS)
    value, grads = sg.compile(recurrent(STEPS), style=style)(**at)
    expected, by_name = by_hand(**at)
    assert abs(value - expected) < 1e-12
    for name, array in by_name.items():
        np.testing.assert_allclose(grads[name], array, rtol=1e-9, atol=1e-12)


def test_weights_take_no_array_for_each_step() -> None:
    """Each step's share is added once it is known, in the array that is returned."""
    at = inputs(STEPS)
    fast = sg.compile(recurrent(STEPS), style="fast")
    tracemalloc.start()
    most = peak(fast, at)
    tracemalloc.stop()
    tracemalloc.start()
    hand = peak(by_hand, at)
    tracemalloc.stop()
    assert most < 1.2 * hand
    assert "add(grad_W, " in fast.program or "add(grad_W_rows" in fast.program


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_long_network_has_the_code_of_a_short_one(style: str) -> None:
    """Beyond 2000 operators parts were not simplified: gates packed in one product lost that."""
    short, long = (len(sg.compile(gated(k), style=style).program) for k in (STEPS, 8 * STEPS))
    assert long < 8.8 * short


def test_a_long_sum_of_shares_keeps_its_value_in_any_order() -> None:
    text = "\n".join(["x: param; y: param", *(f"a{k} = sin({k}*x + y)" for k in range(3 * SHORT)),
                      " + ".join(f"a{k}*x" for k in range(3 * SHORT))])  # fmt: skip
    k = np.arange(3 * SHORT)
    _, grads = sg.compile(text)(x=0.3, y=0.2)
    assert abs(grads["y"] - 0.3 * np.cos(k * 0.3 + 0.2).sum()) < 1e-12


@pytest.mark.parametrize("entry", ["x[{}]", "x[:, {}]"])
@pytest.mark.parametrize("order", [1, -1, 2])
def test_a_loop_takes_the_entries_of_an_array_as_a_slice(entry: str, order: int) -> None:
    """Also of one that is longer than what is read of it, and backwards."""
    places = [*range(0, order * 40, order)] if order > 0 else [*range(39, -1, -1)]
    rows = "N" if entry == "x[:, {}]" else "D"
    head = f"x: data[N, D, H]; W: param[H, H]; b: param[H]; h0: data[{rows}, H]; h = h0\n"
    text = head + "".join(f"h = tanh({entry.format(k)} @ W + h*b)\n" for k in places) + "sum(h**2)"
    fast, readable = (sg.compile(text, style=style) for style in ("fast", "readable"))
    rng = np.random.default_rng(2)
    shape = (85, 5, 4) if entry == "x[{}]" else (5, 85, 4)
    at = {"x": rng.normal(size=shape), "W": rng.normal(size=(4, 4)) / 2,
          "b": rng.normal(size=4) / 4, "h0": rng.normal(size=(5, 4))}  # fmt: skip
    (value, grads), (expected, others) = fast(**at), readable(**at)
    assert abs(value - expected) <= 1e-12 * abs(expected)
    for name, array in others.items():
        np.testing.assert_allclose(grads[name], array, rtol=1e-9, atol=1e-12)
    assert fast.program.count(".dot(W,") < 4 and "x_k" in fast.program


def test_entries_have_their_text_again_outside_of_loops() -> None:
    lines = [f"u = x[{k}, :] + y[{k}] + z[{k}]" for k in range(6)] + ["v = w[:, 2]"]
    steps = Steps(lines, ["x", "y", "w"])
    assert [steps.written(steps.of(line)) for line in lines] == lines
    assert steps.of("x[5, :] x[6, :] ax[1, :] x[1, 2]") == "xǀ5 x[6, :] ax[1, :] x[1, 2]"
    assert steps.of(lines[-1]) == lines[-1]  # too few for a loop


def test_products_of_inputs_wait_for_their_step() -> None:
    """Computed first, x[k] @ W took an array for each step, which nothing else used again."""
    fast = sg.compile(gated(STEPS), style="fast").program
    made = fast[fast.index("def workspace") : fast.index("def value_and_grad")]
    assert "aligned((N, 4*H), np.float64)" in made
    assert "aligned((N, 4*H), np.float64) for" not in made  # one or two for all steps


def test_a_product_that_grows_in_a_loop_is_no_single_statement() -> None:
    """It was to wait for the loop beside that of its own rows, which came first."""
    text = "e: param[D]; w: real[C, D]; t: data[C]\ns = sinh(e)\nmean(s) + mean(max(w.T @ t, s))"
    rng = np.random.default_rng(3)
    at = {"e": rng.normal(size=4), "w": rng.normal(size=(5, 4)), "t": rng.normal(size=5)}
    (value, grads), (expected, others) = (
        sg.compile(text, ["e"], style=style)(**at) for style in ("fast", "readable")
    )
    assert abs(value - expected) < 1e-12
    np.testing.assert_allclose(grads["e"], others["e"], rtol=1e-12)
