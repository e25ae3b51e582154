"""The place of the largest entry of a row is found by comparing with it, where it is known."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.codegen.fast.costs import Costs
from symgrad.evaluate import helpers
from tests.codegen.test_fast import agree
from tests.codegen.test_in_place import SHORT
from tests.codegen.test_memory import peak

NEAREST = """X: data[N, D]; C: param[K, D]
d[i,k] = sum((X[i,j] - C[k,j])**2 for j in D)
mean(min(d, axis=1))"""
TEXTS = {
    "nearest": NEAREST,
    "largest": "X: data[N, D]; C: param[K, D]; sum(max(X @ C.T, axis=1)**2)",
    "both": """X: data[N, D]; C: param[K, D]; S = X @ C.T
sum(max(S, axis=1)*min(S, axis=-1))""",
    "stacks": "X: data[N, D]; C: param[K, D]; sum(max(abs(X[:, None] - C), axis=2)**2)",
    "columns": "X: data[N, D]; C: param[K, D]; sum(min(X @ C.T, axis=0)**2)",
}


def points(n: int, k: int, d: int, ties: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(n + k)
    draw = rng.integers(-2, 3, (n + k, d)) * 1.0 if ties else rng.normal(size=(n + k, d))
    return {"X": draw[:n], "C": draw[n:]}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("costs", [None, SHORT])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_both_styles_agree(text: str, costs: Costs | None, ties: bool) -> None:
    for dtype in ("float64", "float32"):
        fast = build(sg.parse(text), None, dtype, "fast", costs=costs)
        for n, k, d in ((1, 1, 1), (30, 4, 2), (9, 40, 3), (900, 5, 6)):
            at = {name: a.astype(dtype) for name, a in points(n, k, d, ties).items()}
            want = sg.compile(text, dtype=dtype, style="readable")(**at)
            for _ in range(2):
                agree(fast(**at), want, dtype, scale=100)


def test_of_equal_entries_the_first_counts() -> None:
    text = "C: param[N, K]; sum(max(C + 0, axis=1)*2)"
    rows = np.array([[1.0, 3, 3], [2, 2, 2], [5, 1, 5], [0, -0.0, -1], [1, 2, 4]])
    want = np.array([[0.0, 2, 0], [2, 0, 0], [2, 0, 0], [2, 0, 0], [0, 0, 2]])
    for style in ("fast", "readable"):
        np.testing.assert_array_equal(sg.compile(text, style=style)(C=rows)[1]["C"], want)


def test_a_row_without_a_number_marks_one_entry_of_its_own() -> None:
    space: dict[str, Any] = {"np": np}
    exec(helpers()["amax"] + helpers()["winner"], space)
    held = np.array([[True, True, False], [False, False, False], [False, False, True]])
    want = [[True, False, False], [True, False, False], [False, False, True]]
    np.testing.assert_array_equal(space["winner"](held, (1,)), want)  # three marks in three rows
    one = np.eye(3) > 0
    assert space["winner"](one, (1,)) is one


def test_nearest_points_take_no_search_and_no_copy() -> None:
    f, n, k = sg.compile(NEAREST), 5000, 10
    assert "argmax" not in f.program.split("def value_and_grad")[1]
    assert peak(f, points(n, k, 8)) < 4 * 8 * n * k
