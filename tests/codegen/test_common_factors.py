"""What all terms of a sum have as a factor is multiplied once; ranges of exponents take a pass."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import helpers
from tests.codegen.test_fast import agree_with_backprop

COX = """X: data[N, D]; e: binary[N]; w: param[D]
z = X @ w
-sum(e*(z - log(cumsum(exp(z)))))"""
TEXTS = {
    "cox": COX,
    "difference": "A: param[N, D]; B: data[N, D]; c: data\nsum(A*tanh(B) - A*exp(-A) - c*A*B)",
    "numbers": "x: param[N]; y: data[N]; c: param; sum(y*x - (y*c + y*sin(x)))",
    "some": "x: param[N]; y: data[N]; sum(y*x - exp(x) - y*cos(x))",
    "read twice": "x: param[N]; y: data[N]; p = y*x; sum(p - y*cos(x)) + sum(p**2)",
    "twice": "x: param[N]; y: data[N]; sum(x*x*y - x*x*sin(y) - x*x)",
}
SIZES = {"N": 6, "D": 3}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_as_backpropagation_computes(text: str, dtype: str) -> None:
    graph, rng = sg.parse(text), np.random.default_rng(8)
    at = {n.attrs["name"]: rng.normal(size=[SIZES[d] for d in n.shape]) for n in graph.inputs}
    if "e" in at:
        at["e"] = (at["e"] > 0) * 1.0
    agree_with_backprop(graph, at, dtype)


def test_events_multiply_once() -> None:
    program = sg.compile(COX, style="fast").program.split('    """\n')[-1]
    assert program.count("multiply(") == 1  # of the slope in z; the value is a dot product


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ranges_of_exponents(dtype: str) -> None:
    space: dict[str, object] = {"np": np}
    exec(helpers()["exp_shift"], space)
    shift, room = space["exp_shift"], 603.0 if dtype == "float64" else 75.0
    assert callable(shift)
    for x, want in (
        ([], 0), ([1, -2], 0), ([room - 1, 5], 0), ([room + 10, 5], 10), ([5, -room - 1], 5 - room),
        ([5, -np.inf], 0), ([np.inf, 0], 0), (np.ones(10**6), 0), ([room - 1] * 5, 0),
    ):  # fmt: skip
        assert shift(np.array(x, dtype)) == pytest.approx(want)
