"""The options of the fast style, and what a review found in it."""

import numpy as np
import pytest

import symgrad as sg

NET = """
X: data[N, D]; y: labels[N, C]; W: param[D, H]; b: param[H]; V: param[H, C]
h = tanh(X @ W + b); loss = cross_entropy(h @ V, y) + sum(W**2)
"""


def given(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"X": rng.normal(size=(6, 4)), "y": rng.integers(0, 3, 6), "W": rng.normal(size=(4, 5)),
            "b": rng.normal(size=5), "V": rng.normal(size=(5, 3))}  # fmt: skip


def test_reuse_overwrites_the_results_of_the_last_call_and_nothing_else() -> None:
    kept, fresh = sg.compile(NET, reuse=True), sg.compile(NET)
    _, first = kept(**given())
    before = {k: v.copy() for k, v in first.items()}
    _, second = kept(**given(1))
    assert all(np.shares_memory(first[k], second[k]) for k in first)
    _, expected = fresh(**given(1))
    for k in expected:
        np.testing.assert_array_equal(second[k], expected[k])
        assert not np.array_equal(before[k], second[k])
    y = np.ones(3)
    for text in ("x: param[N]; y: data[N]; sum(x*y)", "x: param[N]; y: data[N]; sum(x*y[::-1])"):
        _, grads = sg.compile(text, wrt="x", reuse=True)(x=np.ones(3), y=y)
        assert not np.shares_memory(grads["x"], y)
    with pytest.raises(sg.UsageError, match="reuse"):
        sg.compile(NET, style="readable", reuse=True)


@pytest.mark.parametrize("n", (5, 700))
@pytest.mark.parametrize("a", (1.0, -1.0))
def test_a_choice_by_a_number(n: int, a: float) -> None:
    text = "a: data; x: param[N]; y: param[N]; sum(where(a > 0, x*y, exp(y)))"
    at = {"a": a, "x": np.linspace(0, 1, n), "y": np.linspace(1, 2, n)}
    value, grads = sg.compile(text)(**at)
    expected, others = sg.compile(text, style="readable")(**at)
    assert value == pytest.approx(expected, rel=1e-13)
    for k, grad in grads.items():
        np.testing.assert_allclose(grad, others[k], rtol=1e-13)


def test_accurate_code_takes_nothing_out_of_sums() -> None:
    f = sg.compile("x: real[N]; a: real; sum(a*x)", accurate=True)
    assert f(x=np.full(100, 1e307), a=1e-300)[0] == pytest.approx(1e9)


def test_dimensions_may_be_called_as_what_the_module_carries() -> None:
    for name in ("parts_of", "tiles", "select", "BITS", "slice", "workspace"):
        text = f"X: data[{name}, D]; W: param[D, C]; sum(where(X @ W > 0, X @ W, 0)**2)"
        value, _ = sg.compile(text)(X=np.ones((3, 2)), W=np.ones((2, 2)))
        assert value == 24.0


def test_what_a_returned_sum_has_first_is_computed_there() -> None:
    """The parts of a difference equation: some overlap, some are not at the edge."""
    texts = ("sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", "sum(x[2:]*x[1:-1]*x[:-2])",
             "sum(x[::2]**3) + sum(x[1:]**2)", "sum(tanh(x[1:] - x[:-1]))")  # fmt: skip
    at = {"x": np.linspace(0.5, 2, 9)}
    for text in texts:
        grads = sg.compile(f"x: param[n]; {text}")(**at)[1]
        expected = sg.backprop(f"x: param[n]; {text}", at).grad["x"]
        np.testing.assert_allclose(grads["x"], expected, rtol=1e-12)
