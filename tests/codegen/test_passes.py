"""Readable code goes through no array twice for what one pass gives."""

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_by_hand_too import code, inputs
from tests.codegen.test_unseen import as_backpropagation

NORMAL = "x: data[N]; mu: param; ls: param\nz = (x - mu)/exp(ls)\nloss = sum(ls + z**2/2)"
SPREADS = "m: param[N]; lv: param[N]; y: data[N]\nloss = 0.5*mean(lv + (y - m)**2*exp(-lv))"
ERRORS = "m: param[N]; P: positive[N]; y: param[N]\nloss = sum((y - m)**2/P)/2"
CONTRAST = (
    "E: param[N, D]; y: binary[N]\nd = norm(E, axis=1)\n"
    "loss = mean(y*d**2 + (1 - y)*maximum(0, 1 - d)**2)"
)
CRITIC = "lp: param[N]; v: param[N]; R: data[N]\nA = R - v\nloss = 0.5*mean(A**2) - mean(lp*A)"
ATOMS = "r: positive[N]; s: data; e: data\nq = (s/r)**6\nloss = sum(4*e*(q**2 - q))"
VARIATION = (
    "u: param[N, D]; l: data\ndx = u[1:, :-1] - u[:-1, :-1]\ndy = u[:-1, 1:] - u[:-1, :-1]\n"
    "loss = sum(u**2) + l*sum(sqrt(dx**2 + dy**2 + 0.01))"
)
ORDERED = (
    "z: param[N]; c: param; y: binary[N]\np = sigmoid(c - z)\n"
    "loss = -sum(y*log(p) + (1 - y)*log(1 - p)*p)"
)
FOCAL = (
    "z: param[N]; y: binary[N]\np = sigmoid(z)\nq = where(y == 1, p, 1 - p)\n"
    "loss = -mean((1 - q)**2*log(q))"
)


@pytest.mark.parametrize(
    ("text", "there", "not_there"),
    [
        (NORMAL, "= z @ z\n", "z @ z / 2"),
        (SPREADS, "t_2 = t_1 * np.exp(-lv)\n    t_3 = t_2 * t_1\n", "** 2"),
        (ERRORS, "t_2 = t_1 / P\n", "** 2 / "),
        (CONTRAST, "grad_E = E * (", "+ E * "),
        (CRITIC, "grad_v = (lp - A) / N", "grad_A"),
        (ATOMS, "grad_r = -6 * q * grad_q / r", "s ** 6"),
        (ORDERED, "p = np.exp(", "sigmoid("),
        (VARIATION, "delta = l / t_", "2 * (delta"),
        (FOCAL, "q = np.exp(", "sigmoid("),
    ],
)
def test_a_pass_less(text: str, there: str, not_there: str) -> None:
    graph = sg.parse(text)
    as_backpropagation(graph, inputs(graph), style="readable")
    as_backpropagation(graph, inputs(graph), style="readable", accurate=True)
    body = "\n".join(line.rstrip() for line in code(text).splitlines())
    assert there in body
    assert not_there not in body


@pytest.mark.parametrize("size", [1e-160, 1.0, 1e160])
def test_a_norm_is_a_number_of_any_size(size: float) -> None:
    f = sg.compile("x: param[N]\nloss = norm(x)", style="readable")
    value, grads = f(x=size * np.array([3.0, 4.0]))
    assert value == pytest.approx(5 * size)
    assert grads["x"] == pytest.approx([0.6, 0.8])


def test_of_two_opposite_conditions_one_is_asked() -> None:
    text = "x: param; s: param; lo: param; hi: param\ns*clip(x, lo, hi)"
    program = sg.compile(text, style="readable").program
    assert "grad_lo = s - t_1" in program and "grad_hi = t_1 - grad_x" in program
    for x in (-3.0, -1.0, 0.5, 2.0, 4.0):
        at = {"x": x, "s": 3.0, "lo": -1.0, "hi": 2.0}
        found, expected = sg.compile(text, style="readable")(**at)[1], sg.backprop(text, at).grad
        assert found == {name: float(expected[name]) for name in found}


def test_accurate_slopes_of_parts_that_adjoin_are_one_array() -> None:
    text = (
        "x: data[N, D]; W: param[D, 3*H]\nz = x @ W\n"
        "loss = sum(sigmoid(z[:, :H])*tanh(z[:, H:2*H])*exp(z[:, 2*H:]))"
    )
    at = {"x": np.linspace(-1, 1, 15).reshape(5, 3), "W": np.linspace(-2, 2, 36).reshape(3, 12)}
    as_backpropagation(sg.parse(text), at, style="readable", accurate=True)
    assert code(text, accurate=True).count("concatenate") == 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_number_is_asked_without_an_array(dtype: str) -> None:
    text = "x: data[N]; s: param; k: data\nloss = k*log(s) + sum(x**2)/s"
    f = sg.compile(text, style="readable", dtype=dtype)
    assert "np.where" not in f.program
    for k, s in ((2.0, 0.5), (0.0, 0.5)):
        value, grads = f(x=np.ones(3, dtype), s=s, k=k)
        assert value == pytest.approx(k * np.log(s) + 3 / s)
        assert grads["s"] == pytest.approx(k / s - 3 / s**2)
        assert np.asarray(value).dtype == np.asarray(grads["s"]).dtype == np.dtype(dtype)


def test_a_contrast_in_both_directions_reads_entries_only() -> None:
    text = "S: param[N, N]\nloss = cross_entropy(S, arange(N)) + cross_entropy(S.T, arange(N))"
    as_backpropagation(
        sg.parse(text), {"S": np.sin(np.arange(25.0)).reshape(5, 5)}, style="readable"
    )
    body = code(text)
    assert "==" not in body and "- np.log(t" in body and ").T[" not in body
