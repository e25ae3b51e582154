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


TRIPLETS = """Z: param[N, K]; S: binary[N, N]; m: scalar
d = sum((Z[:, None] - Z)**2, axis=2)
p = max(d*S, axis=1)
q = min(d + 1e6*S, axis=1)
mean(max(0, p - q + m))"""
PAIRS = {
    "triplets": TRIPLETS,
    "chosen": """Z: param[N, K]; S: binary[N, N]; m: scalar
d[i,j] = sum((Z[i,k] - Z[j,k])**2 for k in K)
p[i] = max(d[i,j] for j in N if S[i,j] == S[0,0])
q[i] = min(d[i,j] for j in N if S[i,j] != S[0,0])
sum(tanh(p[i] - q[i]/2 + m) for i in N if abs(p[i]) < 1e9 if abs(q[i]) < 1e9)""",
    "products": "Z: param[N, K]; S: data[N, N]; m: scalar; A = Z @ Z.T\n"
    "sum(max(A*S, axis=1)*min(S - m*A, axis=1)) + sum(max(A/2, axis=1, keepdims=True)*A)",
    "inputs": "Z: data[N, K]; S: param[N, N]; m: scalar; sum(max(m*S, axis=1)**2) - sum(S)",
    "alone": "Z: data[N, K]; S: param[N, N]; m: scalar; m*sum(max(S, axis=1))",
}


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("text", PAIRS.values(), ids=PAIRS)
def test_rows_that_are_as_long_as_there_are_are_looked_up(
    text: str, accurate: bool, ties: bool
) -> None:
    for dtype in ("float64", "float32"):
        fast = sg.compile(text, dtype=dtype, style="fast", accurate=accurate)
        assert "winner(" not in fast.program and ".arg" in fast.program
        for n, k in ((1, 1), (6, 2), (40, 3), (300, 2)):
            rng = np.random.default_rng(n)
            at = {"Z": points(n, 1, k, ties)["X"], "S": rng.integers(0, 2, (n, n)) * 1.0, "m": 0.25}
            want = sg.compile(text, dtype=dtype, style="readable", accurate=accurate)(**at)
            for _ in range(2):
                agree(fast(**at), want, dtype, scale=1000)


def test_slopes_of_the_hardest_pairs_go_to_their_points() -> None:
    """Neither a table that is 0 beside an entry or two a row, nor a product with it."""
    program = sg.compile(TRIPLETS, style="fast").program.split('    """\n')[-1]
    assert "pulls(" not in program and ".fill(0)" not in program
    assert program.count("1e_06") == 1  # also of the slope, where it is a whole number
    assert program.count("np.copyto(") == 5  # two places, two entries there, S at one of them


def test_numbers_that_are_typed_with_a_point_leave_powers_as_they_are() -> None:
    text = "x: param[N]; y: param[N]; sum(2.0*x*y) + sum(y**2) - 0.0*sum(x)"
    readable = sg.compile(text, style="readable").program
    assert "y @ y" in readable and "** 2.0" not in readable
    at = {"x": np.ones(2), "y": np.arange(2.0)}
    agree(sg.compile(text, style="fast")(**at), sg.compile(text, style="readable")(**at))


def test_short_rows_are_compared() -> None:
    assert ".arg" not in sg.compile(NEAREST, style="fast").program.split('    """\n')[-1]


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
