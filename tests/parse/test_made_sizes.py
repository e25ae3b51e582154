"""Sizes in declarations that are made of names, W: param[4*H, D + H], and slices between them."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.dimensions import sizes_of
from symgrad.graph import to_json
from symgrad.shapes import Bindings, fits

PROGRAMS = [
    "W: param[2*M, H]\nx: data[2*M]\nL = sum((x @ W)**2)*M",
    "W: param[D+1]\nx: data[N, D]\nL = sum((x @ W[:D] + W[D])**2)/(N*D)",
    "z: param[N, 4*H]\nL = sum(sigmoid(z[:, :H])*tanh(z[:, -2*H:-H]))/H",
    "x: param[2*M]\nP[i] = max(x[2*i], x[2*i+1])\nL = sum(P**2)",
    "W: param[4*H, D + H]\nb: param[4*H]\nx: data[D]\nh: data[H]\nz = W @ concatenate((x, h)) + b\n"
    "i = sigmoid(z[:H])\no = sigmoid(z[2*H:3*H])\nc = i*tanh(z[3*H:])\nL = sum((o*tanh(c))**2)/H",
    "x: param[N + M]\ny: param[N - M]\nm: data[M]\nL = sum(x[:N]**2)/(M+1) + sum(y) + sum(m)",
    "s: param[N + 1]\nx: param[N]\nL = sum((s[i+1] - s[i])*x[i] for i in N)",
    "x: param[2*3]\nL = sum(x[i]*x[i+3] for i in range(3))",
    "a: param[N//2]\nx: data[N]\nL = sum(a[i]*x[2*i + 1] for i in N//2)",
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_programs_with_made_sizes(text: str) -> None:
    assert sg.check(text).ok
    graph = sg.parse(text)
    assert sg.from_json(to_json(graph)).output is graph.output
    assert bool(sg.equal(text, text))
    for F in sg.gradient(text).values():
        assert F.steps() and F.unicode("index") and F.sympy() is not None
    for style in ("readable", "fast"):
        space: dict[str, Any] = {"__name__": "generated"}
        exec(sg.compile(text, style=style).source, space)  # a module of its own
        assert space["check"]() == 0


def test_numbers_that_do_not_fit_are_refused() -> None:
    f = sg.compile(PROGRAMS[0])
    assert float(f(W=np.ones((4, 3)), x=np.ones(4))[0]) == 96
    with pytest.raises(sg.ShapeError, match="'W' is"):
        f(W=np.ones((5, 3)), x=np.ones(5))
    with pytest.raises(sg.ShapeError, match="where M = 2"):
        f(W=np.ones((4, 3)), x=np.ones(6))
    with pytest.raises(sg.ShapeError, match="is declared"):
        sg.parse(PROGRAMS[0], {"W": (4, 3), "x": (6,)})
    assert sg.parse(PROGRAMS[0], {"W": (4, 3)}).dims == {"M": 2, "H": 3}


def test_sizes_that_are_told_later() -> None:
    sizes = Bindings()
    assert fits((5,), ("M + H",), sizes) and not sizes
    assert fits((2,), ("M",), sizes) and sizes == {"M": 2, "H": 3} and sizes["M*H"] == 6
    other = Bindings()
    assert fits((5,), ("M + H",), other) and fits((2,), ("M",), other)
    assert not fits((4,), ("H",), other)
    with pytest.raises(KeyError):
        Bindings()["2*N"]


def test_lines_that_read_sizes_off() -> None:
    inputs = [("W", ("4*H", "D + H - 1"))]
    called = {"D": "D", "H": "H_2"}
    assert sizes_of("D", called, inputs, {}) == [
        "H_2 = W.shape[0] // 4", "D = W.shape[1] - (H_2 - 1)",
    ]  # fmt: skip
    assert sizes_of("H_2", called, inputs, {}) == ["H_2 = W.shape[0] // 4"]
    assert sizes_of("D", called, inputs, {"H": 3}) == ["H_2 = 3", "D = W.shape[1] - (H_2 - 1)"]
    assert sizes_of("N", {"N": "N"}, [("x", ("N - 1",))], {}) == ["N = x.shape[0] + 1"]


def test_ends_that_are_known_from_either_side_are_slices() -> None:
    said = "x: param[N]\nsum({}**2)"
    for typed, short in (("x[1:N-1]", "x[1:-1]"), ("x[:N-2]", "x[:-2]"), ("x[0:N]", "x[:]"),
                         ("x[N-1:N]", "x[-1:]"), ("x[-2:N]", "x[-2:]")):  # fmt: skip
        assert sg.parse(said.format(typed)).output is sg.parse(said.format(short)).output


P = sg.ParseError
REFUSED = [
    ("x: real[2 - N]\nx", P, 9, "out of range"),
    ("x: real[N + M]\nx", P, 1, "how large M is"),
    ("x: real[N//2]\nx", P, 1, "how large N is"),
    ("x: real[N*N]\nx", P, 1, "how large N is"),
    ("x: real[N/2]\nx", P, 9, "not N/2"),
    ("x: real[N**2]\nx", P, 9, "not N**2"),
    ("x: real[2*n()]\nx", P, 9, "not 2*n()"),
    ("y: labels[N, C + 1]\ny", P, 4, "their number is a name"),
    ("z: real[3*H]\nz[-4*H:H]", sg.ShapeError, 3, "does not fit"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "column", "said"), REFUSED)
def test_sizes_that_are_refused(
    text: str, kind: type[sg.SymgradError], column: int, said: str
) -> None:
    with pytest.raises(kind) as caught:
        sg.parse(text)
    assert caught.value.span is not None and caught.value.span.column == column
    assert said in caught.value.message


def test_models_with_made_sizes_are_trained() -> None:
    X = np.random.default_rng(0).normal(size=(120, 3))
    t = X @ [1.0, 2, -1] + 0.5
    text = "X: data[N, D]\nt: data[N]\nw: param[D+1]\nmse(X @ w[:D] + w[D], t)"
    found = sg.train(text, (X, t), epochs=300, rate=0.05, validation=0, test=0)
    assert found.score(X, t) > 0.9
    wide = "X: data[N, D]\nt: data[N]\nW: param[D, 2*H]\nv: param[H]\nz = X @ W\n" + (
        "mse((tanh(z[:, :H])*sigmoid(z[:, H:])) @ v, t)"
    )
    assert sg.train(wide, (X, t), epochs=2, values={"H": 4}).params_["W"].shape == (3, 8)
