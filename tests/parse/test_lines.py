"""A long program is read line by line: the same graph, places and errors as read as a whole."""

import random
import warnings
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.parse import arithmetic

reader = import_module("symgrad.parse.text")

PROGRAMS = [
    "y = sin(x)*2.5 - x**2/3\ny2 = -y**-x  # a note",
    "x: real\ny = x\nz = +y - -3 + (-2)**x",
    "a = 2*3 + pi\nb = a*x; c = b + 1",
    "W: param[D, H]\nx: data[D]\nh = x @ W\nL = sum(tanh(h)**2)",
    "λ = 2*α\nλ**2 + α",
    "y = max(0, x)\nz = min(x, y) + maximum(x, 1.0)",
    "y = where(x > 0, x, -x)\nz = y*y",
    "x = x + 1\nx = x*x\nx",
    "phi: function\ny = phi(x)*phi(y0)",
    "y = (x +\n  z)*2\nw = y",
    "f = x1*x2*x3 - x4/x5/x6 + 1e-3*x7 + .5 + 2.",
    "2**x**y - (a - (b - c)) - -(d)",
    "x: param[N, 3]; b: real ; c:data[ 2 ]\ny = x + b;  z = sum(y)*2; w = z*b - 1",
    "é: param; b: real; y = é*b; z = y - x*é;",
    "W: data[N, D]; t: labels[N, C]\nS: real[N, C]; A: symmetric[D, D]\ncross_entropy(S, t)",
    "a = 1; b = mean(a*x); 2*b; c = b + a\nd = c*b; x",
    "x: data[N]; A: param[3, M]; y: labels[N, 3]\nu = x[0]*x[ 1 ] - A[2, -1]**2; x[-2] + y[0]",
    "x: data[3]\nh = 2*x\nz = -h[0]**h[1] + sin(h[2]) + max(h[0], 1)/3",
    # what is wrong is said alike
    "x: data[3]\ny = x[3]*2", "x: data[3]\ny = x[0, 1]", "x: data[3]\ny = x[0.5]*x[1]",
    "y = x[0] + x[1]",
    "x: data[3, 2]\ny = x[0]*x[1]", "x: data[3]\ny = x[0]*x[a]", "x: data[3]\ny = x[007]*2",
    "y = 2[0]",
    "x: data[3]\ny = x[0", "x: data[3]\ny = x[]", "x: data[3]\ny = x[0,]",
    "x: data[3]\ny = x[0][1]",
    "x: data[3]\ny = x [0] * x[--1]", "x: data[3]\ny = x[+1] - x[- 1]", "N: real\ny = N[0]*2",
    "x: data[3]\ny = x[99999999999999999999]", "x: data[3]; y = x[0](2)", "x: data[3]; y = sin[0]",
    "y = x;; z = y", "x: real; y = x; x: param", "x: real[2]; y = x*z; x = 3", "y = x; z = 007*y",
    "x: real[99999999999]", "x: real[2,]; y = sum(x)", "in: real", "x: real[__N]", "x: real[]",
    "x: real[1e3]", "x: real = 3", "a: real; b: real = a", "y = x; z = None*y; w = z", "x: real y",
    "y = sin(x, z)", "y = foo(x)", "y = x + ", "y = 3x", "y = 0777*x", "y = 1e999*x", "y = None*x",
    "z = y\ny = x", "A: real[2]\nB: real[3]\ny = A*B", "y = x.real", "True = 3", "x(2)",
    "y = 10**400", "y = sin", "y = lambda x: x", "y = x ** ** 2", "sin = 3*x", "y = (x",
    "a = b = x",
    "x: real\nx = 3*y", "y = __z + 1", "y = x if x else 0", "  y = x", "y = not(x)", "y = 1/0",
]  # fmt: skip


def outcome(text: str, long: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    monkeypatch.setattr(reader, "LONG", long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            g = sg.parse(text)
        except sg.SymgradError as error:
            return type(error), str(error), error.span
    return g.output, g.order(), list(g.names.items()), dict(g.spans), g.inputs


@pytest.mark.parametrize("text", PROGRAMS)
def test_both_ways_of_reading_agree(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcome(text, -1, monkeypatch) == outcome(text, 10**9, monkeypatch)


@pytest.mark.parametrize("seed", range(40))
def test_random_lines_are_read_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    r = random.Random(seed)
    pieces = ["x", "y", "zeta", "2", "0.5", "1e3", "+", "-", "*", "/", "**", "(", ")", "sin(",
              "max(", ",", " ", "if", "None", "=", "07", "@",
              "a[", "]", "a[0]", "a[-1]", "a["]  # fmt: skip
    for _ in range(90):
        text = "a: data[2]; u = " + "".join(r.choice(pieces) for _ in range(r.randint(1, 9)))
        assert outcome(text, -1, monkeypatch) == outcome(text, 10**9, monkeypatch)


def test_a_shape_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    lines = import_module("symgrad.parse.lines")

    def counted(code: str) -> Any:
        calls.append(code)
        return arithmetic.shape(code)

    monkeypatch.setattr(lines, "shape", counted)
    g = sg.parse("\n".join(f"x{k + 1} = sin(x{k})*y + {k}.5" for k in range(1000)))
    assert len(calls) == 1 and len(g.order()) == 4 * 1000 + 2


@pytest.mark.no_cover
def test_an_expression_may_have_any_number_of_terms() -> None:
    g = sg.parse("L = " + " + ".join(f"x*{k}.5" for k in range(30_000)))
    assert sum(n.op == "mul" for n in g.order()) == 30_000
    assert g.spans[g.output].column == 5


def test_so_may_one_of_entries() -> None:
    x = sg.compile("x: param[6001]; " + " + ".join(f"x[{i}]*x[{i + 1}]**2" for i in range(6000)),
                   style="fast")  # fmt: skip
    value, grads = x(x=np.full(6001, 2.0))
    assert value == 48000 and grads["x"].tolist() == [4.0] + [12.0] * 5999 + [8.0]
