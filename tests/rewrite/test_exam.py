"""Answers as an examiner expects them: functions by their names, one quotient, one power."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.evaluate import bind, helpers, values

SHOWN = {
    # quotients of functions are functions of their own
    ("x: param\nL = -log(cos(x))", "x"): "tan(x)",
    ("x: param\nL = log(0.5*exp(x) + 0.5)", "x"): "σ(x)",
    ("x: param\nL = log((1 + exp(x))/(1 + exp(x - 1)))", "x"): "σ(x) − σ(x − 1)",
    ("x: param\nL = x + log(1 + exp(-x))", "x"): "σ(x)",
    ("m: param\nJ: positive\nL = J*m**2/2 - log(2*cosh(J*m))", "m"): "J(m − tanh(J m))",
    ("p: positive[K]\nq: positive[K]\na: positive\nL = sum(p**a*q**(1 - a))", "p"):
        "a(q/p)^(1 − a)",
    ("x: positive[N]\nk: positive\nl: param\nL = N*k*log(l) + sum((x/l)**k)", "l"):
        "k(N − Σ((x/l)^k))/l",
    # the output is written out where its name hides what cancels
    ("x: positive\nm: positive\nl: positive\nL = l*(x - m)**2/(2*m**2*x)", "m"): "l(m − x)/m³",
    ("x: param\nL = x**2*exp(-x)", "x"): "x(2 − x) exp(−x)",
    ("t: param\nx = t**2\ny = 3*t\nL = x*y", "t"): "3x + 2y t",
    # names of quotients and of sums are found, whatever axes are called
    ("X: param[N, D]\nG: data[N, D]\ns = sqrt(mean(X**2, axis=1, keepdims=True))\nY = X/s\n"
     "L = sum(G*Y)", "X"): "(D G − Y ⊙ Σⱼ(G ⊙ Y))/(D s)",
    ("x: param[N]\nu: data[N]\nmu = mean(x)\ns = std(x)\nz = (x - mu)/s\nL = u@z", "x"):
        "(N u − L z − Σ(u))/(N s)",
    ("q: param[N]\na: real\nb: real\nL = sum(q*(a - b*sum(q)))", "q"): "(a − 2b Σ(q))·𝟏",
    ("z: param[K]\nt: data[K]\np = softmax(z)\nq = sum(t*p)\nL = q**2", "z"): "2q(t − q) ⊙ p",
    # p e_y is p_y e_y
    ("z: param[K]\ny: label[K]\np = softmax(z)\nL = p[y]**2", "z"): "2L(e_y − p)",
    ("z: param[K]\ny: label[K]\nq: positive\np = softmax(z)\nL = (1 - p[y]**q)/q", "z"):
        "p[y]^q(p − e_y)",
    # what was typed: an order, the direction of a difference, a sum under a power
    ("n: positive\nk: positive\np: param\nL = k*log(p) + (n - k)*log(1 - p)", "p"):
        "k/p − (n − k)/(1 − p)",
    ("x: param\na: real\nb: real\nL = a*x**2 + b*x", "x"): "2a x + b",
    ("s: positive\nV: positive\nK: positive\nv = V*s/(K + s)", "s"): "V K/(K + s)²",
    ("d: positive\ny: binary\nm: scalar\nL = y*d**2 + (1 - y)*maximum(0, m - d)**2", "d"):
        "2(y d − (1 − y) ReLU(m − d))",
    ("r: param\nc: positive\nL = where(abs(r) <= c, c**2/6*(1 - (1 - (r/c)**2)**3), c**2/6)", "r"):
        "{r(1 − (r/c)²)² if |r| ≤ c, else 0}",
    ("P: positive[N, M]\nr = sum(P, axis=1)\nL = sum(P*log(P)) - sum(r*log(r))", "P"):
        "log(P) − log(r)",
    ("X: real[N, D]\nw: param[D]\nn: real[N]\nk: real[N]\np = sigmoid(X@w)\n"
     "L = -sum(k*log(p) + (n - k)*log(1 - p))", "w"): "Xᵀ(p ⊙ n − k)",
    # inner products begin with the plain vector
    ("a: real[N]\nX: param[N, D]\nb: real[D]\nL = log(a@X@b)", "X"): "a bᵀ/(aᵀ X b)",
    ("A: real[D, D]\nx: param[D]\nL = log(x@A@x)",
     "x"): "(A + Aᵀ) x/(xᵀ A x)",
    ("A: symmetric[D, D]\nB: symmetric[D, D]\nx: param[D]\nr = (x@A@x)/(x@B@x)", "x"):
        "2(A x − r B x)/(xᵀ B x)",
    ("g: param[D]\nL = (norm(g) - 1)**2", "g"): "2(‖g‖ − 1) g/‖g‖",
}  # fmt: skip


@pytest.mark.parametrize("case", SHOWN, ids=lambda case: case[0].splitlines()[-1])
def test_answers_of_an_exam(case: tuple[str, str]) -> None:
    program, of = case
    formula = sg.gradient(program, of)[of]
    assert formula.unicode() == SHOWN[case]
    graph = sg.parse(program)
    at = point(graph, seed=1)
    assert sg.check(graph, at)
    known, sizes = bind(graph, at)
    space = {"np": np, **sizes, **at}
    for source in helpers().values():
        exec(source, space)
    for name, part in formula.where.items():
        space[name] = eval(part.numpy(), space)
    expected = values([formula.node], known, sizes)[formula.node]
    assert np.allclose(eval(formula.numpy(), space), expected)
