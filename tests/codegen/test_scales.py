"""Rows are scaled once; slopes at labels change an entry of each row."""

import numpy as np
import pytest

import symgrad as sg

FOCAL = """Z: param[N, C]; y: labels[N, C]
P = softmax(Z)
p = P[arange(N), y]
-mean((1 - p)**2*log(p))"""
REWARD = """Z: param[N, C]; y: labels[N, C]; r: data[N]
P = softmax(Z)
mean(r*P[arange(N), y])"""
ROWS = "X: data[N, D]; W: param[D, C]; a: data[N, 1]; b: data[C]\nsum(exp((X @ W)*a + b*(X @ W)))"
SIZES = {"N": 6, "D": 3, "C": 4}


@pytest.mark.parametrize("text", [FOCAL, REWARD, ROWS])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_as_backpropagation_computes(text: str, dtype: str) -> None:
    graph, rng = sg.parse(text), np.random.default_rng(1)
    at = {n.attrs["name"]: rng.integers(0, 4, 6) if n.dtype == "int"
          else rng.normal(size=[SIZES.get(str(d), d) for d in n.shape])
          for n in graph.inputs}  # fmt: skip
    found, close = sg.backprop(graph, at), 1e-12 if dtype == "float64" else 2e-6
    for _ in range(2):
        value, gradients = sg.compile(graph, dtype=dtype)(**at)
        assert value == pytest.approx(float(found.value), rel=10 * close)
        for name, gradient in gradients.items():
            scale = np.abs(found.grad[name]).max()
            np.testing.assert_allclose(gradient, found.grad[name], atol=10 * close * scale)


@pytest.mark.parametrize("text", [FOCAL, REWARD])
def test_no_row_of_zeros_and_ones_is_made(text: str) -> None:
    code = sg.compile(text).program
    assert ".fill(0)" not in code and "_rows] " in code
