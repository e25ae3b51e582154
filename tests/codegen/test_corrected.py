"""Products with W + A B take its parts where W has no slope: X W + (X A) B."""

import numpy as np
import pytest

import symgrad as sg

HEAD = "X: data[N, D]; T: data[N, E]; W: real[D, E]; A: param[D, R]; B: param[R, E]; c: real\n"
TURNED = HEAD.replace("W: real[D, E]", "W: real[E, D]")
RIGHT = [
    HEAD + "mse(X @ (W + A @ B), T)",
    HEAD + "mse(X @ (A @ B + W), T)",
    HEAD + "mse(X @ (W - c*(A @ B)), T)",
    HEAD + "mse(X @ (W + c/R*A @ B), T)",
    HEAD + "mse(X @ (2*W + (A @ B)/c), T)",
    HEAD + "mse(X @ -(W + A @ B - W/c), T)",
    HEAD + "M = W + A @ B\nmse(X @ M, T)",
    TURNED + "mse(X @ (W + (A @ B).T).T, T)",
    TURNED + "mse(X @ (W - B.T @ A.T).T, T)",
    HEAD + "mse((W + A @ B).T @ X.T, T.T)",
    HEAD + "mse(X[0] @ (W + A @ B), T[0])",
    HEAD + "mse((W + A @ B).T @ X[0], T[0])",
]
SIZES = {"X": (6, 5), "T": (6, 4), "A": (5, 2), "B": (2, 4), "c": ()}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text", RIGHT)
def test_neither_the_matrix_nor_its_slope_is_made(text: str, style: str) -> None:
    chance = np.random.default_rng(2)
    shapes = SIZES | {"W": (4, 5) if text.startswith(TURNED) else (5, 4)}
    at = {name: chance.normal(size=shape) for name, shape in shapes.items()}
    truth = sg.backprop(text, at, wrt=["A", "B"])
    f = sg.compile(text, wrt=["A", "B"], style=style)
    value, grads = f(**at)
    np.testing.assert_allclose(value, truth.value, rtol=1e-12)
    for name in ("A", "B"):
        np.testing.assert_allclose(grads[name], truth.grad[name], rtol=1e-10, atol=1e-12)
    whole = ("A @ B", "A.dot(B", "B.T @ A.T", "B.T.dot(A.T")
    assert not any(product in f.program for product in whole)


@pytest.mark.parametrize(
    "text",
    [
        HEAD.replace("W: real", "W: param") + "mse(X @ (W + A @ B), T)",  # its slope is there
        HEAD + "M = W + A @ B\nmse(X @ M, T) + sum(M**2)",  # the matrix is
        "X: data[500, 9]; W: real[9, 9]; A: param[9, 8]; B: param[8, 9]\nsum((X @ (W + A @ B))**2)",
    ],
)
def test_the_matrix_is_made_where_that_is_cheaper(text: str) -> None:
    assert "A @ B" in sg.compile(text, style="readable").program
