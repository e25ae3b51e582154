"""Slopes of parts that lie side by side are one array: the gates of one product of matrices."""

import numpy as np
import pytest

import symgrad as sg

GATES = """
x: data[N, D]; c: data[N, H]; W: param[D, G]; t: data[N, H]
z = x @ W
i = sigmoid(z[:, :H]); f = sigmoid(z[:, H:2*H]); g = tanh(z[:, 2*H:3*H])
sum((f*c + i*g - t)**2)
"""

PRINTED = [
    ("z: param[6]; sum(exp(z[:2])*z[2:4]*z[4:])", "z",
     "[z[4:] ⊙ z[2:4] ⊙ t₁; z[4:] ⊙ t₁; t₁ ⊙ z[2:4]]"),
    ("z: param[N]; q: data[M]; sum(q*exp(z[:M])*z[M:2*M])", "z",
     "[q ⊙ z[M:2 M] ⊙ t₁; q ⊙ t₁; 𝟎]"),
    ("z: param[N, 4]; sum(z[:, :2]*z[:, 2:]**2)", "z", "[z[:, 2:]², 2z[:, :2] ⊙ z[:, 2:]]"),
    ("z: param[N, 4]; sum(z[:, 2:]**2 - exp(z[:, :2]))", "z", "[−exp(z[:, :2]), 2z[:, 2:]]"),
    ("z: param[N]; sum(z[:-1]**2) + sum(exp(z[-1:]))", "z", "[2z[:-1]; exp(z[-1:])]"),
    # what does not adjoin, or leaves numbers of zeros beside it, stays a sum
    ("z: param[6]; sum(z[:2]**2) + sum(exp(z[2:4]))", "z", "exp(z[2:4]) e[2:4] + 2z[:2] e[:2]"),
    ("x: param[N]; sum(exp(x[1:]) + x[:-1]**2)", "x", "2x[:-1] e[:-1] + exp(x[1:]) e[1:]"),
    ("z: param[6]; sum(z[::2]**2) + sum(exp(z[1::2]))", "z",
     "exp(z[1::2]) e[1::2] + 2z[::2] e[::2]"),
]  # fmt: skip


@pytest.mark.parametrize("text, name, printed", PRINTED)
def test_printed(text: str, name: str, printed: str) -> None:
    found = str(sg.gradient(text)[name]).split("\n")[0]
    assert found.split(" = ", 1)[1] == printed


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("rows", [5, 3000])
def test_gates(rows: int, style: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    f = sg.compile(GATES, style=style, dtype=dtype)
    for width in (3 * 4, 3 * 4 + 2):
        x, c, t = (rng.normal(size=(rows, k)).astype(dtype) for k in (7, 4, 4))
        W = rng.normal(size=(7, width)).astype(dtype)
        z = x @ W
        i, g = 1/(1 + np.exp(-z[:, :4])), np.tanh(z[:, 8:12])  # fmt: skip
        o = 1 / (1 + np.exp(-z[:, 4:8]))
        d = 2 * (o * c + i * g - t)
        slopes = [d * g * i * (1 - i), d * c * o * (1 - o), d * i * (1 - g * g), 0 * z[:, 12:]]
        expected = x.T @ np.concatenate(slopes, axis=1)
        value, grads = f(x=x, c=c, W=W, t=t)
        tolerance = 1e-12 if dtype == "float64" else 1e-5
        assert np.isclose(value, np.sum(d * d) / 4, rtol=tolerance)
        assert np.allclose(grads["W"], expected, rtol=0, atol=tolerance * abs(expected).max())


def test_no_zeros_are_added() -> None:
    sized = GATES.replace("D", "7").replace("G", "12").replace("2*H:3*H", "8:")
    sized = sized.replace("H:2*H", "4:8").replace("H", "4")
    source = sg.compile(sized, style="readable").program
    assert source.count("np.concatenate(") == 1 and "unslice" not in source


def test_rows_of_what_stands_side_by_side_are_made_in_the_loop() -> None:
    text = "x: data[N, 2]; h: data[N, 3]; W: param[5, M]; z = concatenate((exp(x), sin(h)), axis=1)"
    f = sg.compile(text + "; sum(tanh(z @ W))", style="fast")
    assert "axis=1, out=" in f.program
    rng = np.random.default_rng(1)
    x, h, W = rng.normal(size=(9, 2)), rng.normal(size=(9, 3)), rng.normal(size=(5, 4))
    both = np.concatenate((np.exp(x), np.sin(h)), axis=1)
    value, grads = f(x=x, h=h, W=W)
    assert np.isclose(value, np.sum(np.tanh(both @ W)))
    assert np.allclose(grads["W"], both.T @ (1 - np.tanh(both @ W) ** 2))
