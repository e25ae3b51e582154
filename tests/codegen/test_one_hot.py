"""P - e_y of whole arrays: readable code touches the entries at the labels, not all of them."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import targets

CLASSES = "X: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(X @ W, y)"


def point(dtype: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    X, W = rng.normal(size=(7, 3)).astype(dtype), rng.normal(size=(3, 4)).astype(dtype)
    return {"X": X, "y": rng.integers(0, 4, 7), "W": W}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_is_subtracted_where_the_label_is(dtype: str) -> None:
    f, at = sg.compile(CLASSES, style="readable", dtype=dtype), point(dtype)
    assert "delta = minus_one_hot(P, y) / N" in f.program
    assert "np.arange(C) ==" not in f.program
    scores = at["X"].astype(float) @ at["W"].astype(float)
    P = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    slope = at["X"].astype(float).T @ (P - np.eye(4)[at["y"]]) / 7
    value, grads = f(**at)
    assert grads["W"].dtype == value.dtype == np.dtype(dtype)
    np.testing.assert_allclose(grads["W"], slope, rtol=1e-12 if dtype == "float64" else 1e-5)


BOTH_WAYS = """U: param[N, K]; V: param[N, K]; y: labels[N, N]
S = U @ V.T
cross_entropy(S, y) + cross_entropy(S.T, y)"""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "text",
    [
        BOTH_WAYS,
        BOTH_WAYS.replace("(S.T, y)", "(S.T, y) + sum(tanh(S))"),
        BOTH_WAYS.replace("cross_entropy(S, y) + ", ""),
        BOTH_WAYS.replace("(S.T, y)", "(S.T, y) - 0.5*cross_entropy(-S.T, y)"),
    ],
)
def test_an_entry_of_each_column_is_changed(text: str, dtype: str) -> None:
    """A contrastive loss has P + Q - e_y - e_y' in its slope: no table of zeros and ones."""
    f, rng = sg.compile(text, style="fast", dtype=dtype), np.random.default_rng(2)
    assert "[y, np.arange(N)]" in f.program and "fill(0)" not in f.program
    at = {"U": rng.normal(size=(9, 4)).astype(dtype), "V": rng.normal(size=(9, 4)).astype(dtype),
          "y": rng.integers(0, 9, 9)}  # fmt: skip
    expected = sg.backprop(sg.parse(text), at)
    value, grads = f(**at)
    near = {"rtol": 1e-12, "atol": 1e-13} if dtype == "float64" else {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(value, expected.value, **near)
    for name, slope in grads.items():
        np.testing.assert_allclose(slope, expected.grad[name], **near)


def test_entries_of_log_softmax_along_columns_need_no_table() -> None:
    body = sg.compile(BOTH_WAYS, style="fast").program.split('    """\n')[-1]
    assert body.count("exp(") == 2 + 2 * body.count("P = exp(log_P")  # two notes, two statements
    assert "log_P_2 =" not in body


def test_a_table_of_marks_that_is_read_else_stays() -> None:
    text = BOTH_WAYS.replace("cross_entropy(S.T, y)", "sum(S.T[arange(N), y]*sum(S, axis=0))")
    at = {"U": np.eye(3), "V": np.arange(9.0).reshape(3, 3), "y": np.array([2, 0, 2])}
    found, expected = sg.compile(text, style="fast")(**at)[1], sg.backprop(sg.parse(text), at)
    for name, slope in found.items():
        np.testing.assert_allclose(slope, expected.grad[name], rtol=1e-12, atol=1e-12)


def test_what_it_is_subtracted_from_stays_as_it_was() -> None:
    text = CLASSES.replace("cross_entropy(X @ W, y)", "P = softmax(X @ W); sum((P - 1)*P) + L")
    text = text.replace("P = ", "L = cross_entropy(X @ W, y); P = ")
    at = point("float64")
    readable, fast = (sg.compile(text, style=style)(**at) for style in ("readable", "fast"))
    np.testing.assert_allclose(readable[1]["W"], fast[1]["W"], rtol=1e-12)


def test_labels_of_one_row_and_of_many_axes_keep_their_form() -> None:
    one = sg.compile("x: param[C]; y: label[C]; cross_entropy(x, y)", style="readable")
    grads = one(x=[1.0, 2.0, 0.5], y=1)[1]
    np.testing.assert_allclose(grads["x"].sum(), 0, atol=1e-15)
    assert grads["x"][1] < 0 < grads["x"][0]
    many = "E: data[B, T, D]; y: labels[B, T, V]; W: param[D, V]; cross_entropy(E @ W, y)"
    rng = np.random.default_rng(1)
    at = {"E": rng.normal(size=(2, 3, 4)), "y": rng.integers(0, 5, (2, 3)),
          "W": rng.normal(size=(4, 5))}  # fmt: skip
    readable, fast = (sg.compile(many, style=style)(**at) for style in ("readable", "fast"))
    np.testing.assert_allclose(readable[1]["W"], fast[1]["W"], rtol=1e-12)


def test_jax_whose_arrays_cannot_be_changed_keeps_the_comparison() -> None:
    written = targets.source(sg.parse(CLASSES), target="jax")
    assert "minus_one_hot" not in written and "jnp.arange(C) ==" in written


@pytest.mark.parametrize("weighted", [False, True])
def test_accurate_slopes_change_the_entries_at_the_labels(weighted: bool) -> None:
    loss = "-sum(w*log_softmax(S)[arange(N), y])" if weighted else "cross_entropy(S, y)"
    text = f"S: param[N, C]; y: labels[N, C]{'; w: data[N]' * weighted}\n{loss}"
    f = sg.compile(text, style="readable", accurate=True)
    assert "shares_minus_hot(" in f.program and "np.arange(C) ==" not in f.program
    S = np.array([[50.0, 0, 1], [-3, 2, 2], [-1e3, 40, 0]])
    at = {"S": S, "y": np.array([0, 1, 1])} | ({"w": np.array([1.0, -2, 3])} if weighted else {})
    E = np.exp(S - S.max(axis=1, keepdims=True))
    c, slope = at.get("w", np.full(3, 1 / 3)), E / E.sum(axis=1, keepdims=True)
    for k, y in enumerate(at["y"]):  # what is left of 1 at a label is 1e-22 in the first row
        slope[k, y] = -np.delete(E[k], y).sum() / E[k].sum()
    np.testing.assert_allclose(f(**at)[1]["S"], c[:, None] * slope, rtol=1e-14)
