"""Sums of sums term by term: a pass over an array less for each term that goes alone."""

import numpy as np
import pytest

import symgrad as sg

GAUSS = """X: data[N, D]; mu: param[D]; s: param[D]
-sum(-0.5*((X - mu)/exp(s))**2 - s - 0.5*log(2*pi))/N"""
DIVERGENCE = "mu: param[N, K]; lv: param[N, K]\n-sum(1 + lv - mu**2 - exp(lv))/(2*N)"
COLUMN = "X: data[N, D]; W: param[D, K]; c: param[N, 1]\nsum(2*sin(X @ W)**2 - c)"
STACK = "X: data[N, D]; W: param[N, D]; c: param[D]\nsum(3 - (X*W)**2 + exp(W) - c)"
PROGRAMS = [GAUSS, DIVERGENCE, COLUMN, STACK]
SIZES = {"N": 7, "D": 5, "K": 3}


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_as_backpropagation_computes(text: str, dtype: str) -> None:
    graph, rng = sg.parse(text), np.random.default_rng(1)
    at = {n.attrs["name"]: rng.normal(size=[SIZES.get(str(d), d) for d in n.shape])
          for n in graph.inputs}  # fmt: skip
    found, close = sg.backprop(graph, at), 1e-12 if dtype == "float64" else 1e-5
    value, gradients = sg.compile(graph, dtype=dtype)(**at)
    assert value == pytest.approx(float(found.value), rel=10 * close)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, found.grad[name], rtol=10 * close, atol=close)


def source(text: str, **options: bool) -> str:
    return sg.compile(text, **options).program


def test_squares_and_rows_go_alone() -> None:
    text = source(GAUSS)
    assert "total(" not in text and "vdot" not in text  # the sums over rows are there
    assert "np.vdot(" in source(COLUMN) and "np.vdot(" in source(STACK)


def test_one_exponential_serves_the_divergence_and_its_slope() -> None:
    text = source(DIVERGENCE)
    assert text.count("expm1(lv_rows") == 1 and "\nexp = np.exp" not in text
    assert "np.vdot(mu_rows, mu_rows)" in text


@pytest.mark.parametrize(
    "text",
    [
        "x: data[N, D]; m: param[D]\nsum(x - m)",  # exact where the sums are not
        "z: param[N]; y: data[N]\nsum(softplus(z) - y*z)",  # small beside its terms
        "S: param[N, K]\nsum(S - logsumexp(S, axis=1)[:, None])",
    ],
)
def test_small_differences_stay(text: str) -> None:
    at = {"x": np.full((3, 2), 1e8 + 1), "m": np.array([1e8, 1e8]),
          "z": np.array([700.0, 800.0, 1e9]), "y": np.ones(3),
          "S": np.array([[1e9, 0.0], [1e9, 5.0]])}  # fmt: skip
    graph = sg.parse(text)
    at = {n.attrs["name"]: at[n.attrs["name"]] for n in graph.inputs}
    assert sg.compile(graph)(**at)[0] == pytest.approx(float(sg.backprop(graph, at).value))


def test_accurate_sums_stay() -> None:
    assert "np.vdot(" not in source(STACK, accurate=True)
