"""Brackets that stay, plain signs, known sums, directions, and calls as people write them."""

import re

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.evaluate import bind, values

BEALE = "L = (1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2"
SHOWN = {
    # brackets of several sums stay
    (BEALE, "x"): "2(2.625 + x y³ − x)(y³ − 1) + 2(2.25 + x y² − x)(y² − 1) + "
    "2(1.5 + x y − x)(y − 1)",
    ("L = (x + 2*y - 7)**2 + (2*x + y - 5)**2", "x"): "2(5x + 4y − 17)",
    ("L = (x - 1.5 - x*y)**2", "x"): "2(x − 1.5 − x y)(1 − y)",
    ("L = (x - (a + b))**2", "x"): "2(x − a − b)",
    # sums that are known
    (
        "z: param[C]\nt: onehot[C]\np = softmax(z)\nL = -sum(t*log(p)) - beta*entropy(p)",
        "z",
    ): "β p ⊙ (log(p) − log(p)ᵀ p) + p − t",
    (
        "z: param[N, C]\nt: onehot[N, C]\np = softmax(z)\nL = -sum(t*log(p)) - beta*entropy(p)",
        "z",
    ): "β p ⊙ (log(p) − Σⱼ(log(p) ⊙ p)) + p − t",
    ("z: param[C]\nn: data[C]\np = softmax(z)\nL = -sum(n*log(p))", "z"): "Σ(n) p − n",
    ("z: param[N, C]\nn: data[N, C]\np = softmax(z)\nL = -sum(n*log(p))", "z"): "p ⊙ Σⱼ(n) − n",
    # guards, and one fraction
    ("x: param[N]\nL = std(x)", "x"): "(x − mean(x))/(N L)",
    ("x: param[N]\nstd(x)", "x"): "(x − mean(x))/(N std(x))",
    ("x: param[N, D]\nL = sum(std(x, axis=0))", "x"): "(x − meanᵢ(x))/(N stdᵢ(x))",
    ("x: param[N]\ns = std(x)\nL = s**3", "x"): "3s(x − mean(x))/N",
    ("x: param[N]\nL = std(x)**2", "x"): "2(x − mean(x))/N",
    ("x: param[N]\nL = mean(x)/std(x)", "x"): "(L mean(x) + std(x) − L x)/(N std(x)²)",
    # products of positive numbers
    ("x: positive[N]\nL = prod(x)", "x"): "L/x",
    ("x: param[N]\nL = prod(x)", "x"): "∏_{j≠i} xⱼ",
    ("x: positive[N]\nprod(x)", "x"): "∏_{j≠i} xⱼ",
    # directions
    ("x: param[D]\nt: data[D]\nu = x/norm(x)\nL = sum((u - t)**2)", "x"): "2(tᵀ u u − t)/‖x‖",
    ("x: param[D]\nu = x/norm(x)\nL = sum((u + x)**2)", "x"): "2(u + x) + 2(x − xᵀ u u)/‖x‖",
    ("x: param[D]\ny: data[D]\nu = x/norm(y)\nL = sum((u - y)**2)", "x"): "2(u − y)/‖y‖",
    # parts put into zeros take up the difference that was typed; N - 1 is above 0
    (
        "x: param[N]\nL = mean((x[i+1] - x[i])**2 for i in N-1)",
        "x",
    ): "2(t₁ e[1:] − t₁ e[:-1])/(N − 1)",
    ("x: param[N]\nL = sum(abs(x[i+1] - x[i]) for i in N-1)", "x"): "t₁ e[1:] − t₁ e[:-1]",
    (
        "X: param[T, K]\nA: data[K, K]\nL = sum(sum((X[t+1] - A @ X[t])**2) for t in T-1)",
        "X",
    ): "2(t₁ e[1:, :] − t₁ A e[:-1, :])",
    ("x: param[N]\nL = sum(x**2)/(1 - N)", "x"): "2x/(1 − N)",
    ("p: param\nL = 3*p - p**3", "p"): "3(1 − p²)",
    # calls
    ("x: param[N]\nL = sum(swish(x))", "x"): "swish(x) + σ(x) ⊙ (1 − swish(x))",
    ("y = swish(x, 2)\nL = y**2", "x"): "2y(2y + σ(2x)(1 − 2y))",
}


@pytest.mark.parametrize(("text", "wrt"), SHOWN)
def test_how_gradients_are_printed(text: str, wrt: str) -> None:
    assert sg.gradient(text, wrt)[wrt].unicode() == SHOWN[text, wrt]


@pytest.mark.parametrize(("text", "wrt"), SHOWN)
def test_they_are_the_gradients(text: str, wrt: str) -> None:
    graph, F = sg.parse(text), sg.gradient(text, wrt)[wrt]
    for seed in range(2):
        at = point(graph, seed)
        known, sizes = bind(graph, at)
        got = values([F.node], known, sizes)[F.node]
        np.testing.assert_allclose(
            got, sg.backprop(text, at, wrt=wrt).grad[wrt], rtol=1e-8, atol=1e-10
        )
    assert F.steps()


def test_usual_values_of_operands_are_left_out_in_definitions() -> None:
    assert "swish(x)" in str(sg.gradient("y = swish(x)\nL = y**2", "x")["x"])
    assert "swish(x, 2)" in str(sg.gradient("y = swish(x, 2)\nL = y**2", "x")["x"])
    (F,) = sg.gradient("x: param[N]\nL = sum(swish(x))").values()
    assert r"swish}(x) +" in F.latex()


@pytest.mark.parametrize(
    ("text", "of", "form"),
    [
        ("v = V*s/(K + s + s**2/J)", "V", "s/(K + s + s²/J)"),
        ("P = K/(1 + (K - N)/N*exp(-r*t))", "N", "K²t₁/((K − N) t₁ + N)²"),
        ("Q = A/n*(A/P)**(2/3)*sqrt(S)", "A", "5Q/(3A)"),
        ("L = A*(A/P)**(2/3)", "A", "5(A/P)^(2/3)/3"),
        ("p = k/l*(x/l)**(k - 1)*exp(-(x/l)**k)", "l", "k(t₁ − 1) p/l"),
        ("r = f*(D + r0)/(D - f)", "f", "D(D + r₀)/(D − f)²"),
    ],
)
def test_laws_of_nature_as_in_a_book(text: str, of: str, form: str) -> None:
    names = dict.fromkeys(re.findall(r"[A-Za-z]\w*", text.partition("=")[2]))
    kinds = [f"{name}: positive" for name in names if name not in ("exp", "sqrt")]
    program = "\n".join([*kinds, text])
    assert sg.gradient(program)[of].unicode() == form
    at = {name: 0.3 + 0.1 * k for k, name in enumerate(names) if name not in ("exp", "sqrt")}
    assert sg.check(program, at)
