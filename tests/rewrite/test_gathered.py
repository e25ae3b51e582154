"""Sums that take a factor up, and products that hold a factor of 0 and 1 already."""

import numpy as np
import pytest

import symgrad as sg

HEAD = "X: data[N, D]; x: data[N]; m: param[D]; s: param[D]; n: param[N]; k: param[N]; a: param; "


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("z = (X - m)*exp(-s); sum(z**2)/(2*N) + sum(s)", "s", "(N − Σᵢ(z²))/N"),
        ("z = (X - m)*exp(s); sum(tanh(z))", "s", "Σᵢ(z ⊙ (1 − tanh(z)²))"),
        ("z = (X - n[:, None])*exp(k)[:, None]; sum(z**2)", "k", "2Σⱼ(z²)"),
        ("z = (x - n)*exp(a); sum(z**3)", "a", "3Σ(z³)"),
        ("z = exp(a)*(n - x); mean(logcosh(z))", "a", "tanh(z)ᵀ z/N"),
        ("z = exp(a)*(n*x); sum(softplus(z))", "a", "σ(z)ᵀ z"),
        # what must stay: the value has another factor, or is made without the sum's
        ("z = (x - n)*exp(a); sum(z) + a", "a", "1 + Σ(z)"),
        ("z = (x - n)*sin(a); sum(tanh(z))", "a", "(x − n)ᵀ δ cos(a)"),
    ],
)
def test_a_named_product_is_completed(text: str, name: str, expected: str) -> None:
    graph = sg.parse((HEAD + text).replace("; ", "\n"))
    assert sg.gradient(graph, name)[name].unicode() == expected
    rng = np.random.default_rng(3)
    sizes = {"N": 4, "D": 3}
    at = {n.attrs["name"]: rng.normal(size=[sizes[str(d)] for d in n.shape]) for n in graph.inputs}
    assert sg.check(graph, at).ok


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("B: binary[N]; E = B*(w - x); sum(E**2)", "2E"),
        ("B: binary[N]; E = -(x - w)*B; sum(E**3)", "3E²"),
        ("E = (x > 0)*(w - x); sum(E**2)", "2E"),
        ("B: sign[N]; E = B*(w - x); sum(E**2)", "2E ⊙ B"),  # 1 or -1 does not go away
        ("B: binary[N]; E = B*(w - x); sum(exp(E))", "exp(E) ⊙ B"),
        ("B: data[N]; E = B*(w - x); sum(E**2)", "2E ⊙ B"),
    ],
)
def test_a_factor_of_0_and_1_counts_once(text: str, expected: str) -> None:
    graph = sg.parse(("x: data[N]; w: param[N]; " + text).replace("; ", "\n"))
    assert sg.gradient(graph, "w")["w"].unicode() == expected
    at = {"x": np.array([1.0, -2.0, 3.0]), "w": np.array([0.5, 0.25, -1.0])}
    if "B:" in text:
        at["B"] = np.array([1.0, 1.0, -1.0] if "sign" in text else [1.0, 0.0, 1.0])
    assert sg.check(graph, at).ok


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("z = (x - m)*t; exp(z)*(m - x)*t", "x", "−t(1 + z) exp(z)"),
        ("z = (x - m)*t; sin(z)*(x - m)", "t", "(x − m)² cos(z)"),  # z/t would divide by t
    ],
)
def test_a_named_product_is_found_inside_an_operand(text: str, name: str, expected: str) -> None:
    graph = sg.parse(("x: param; m: param; t: param; " + text).replace("; ", "\n"))
    assert sg.gradient(graph, name)[name].unicode() == expected
    for t in (0.0, 0.7):
        assert sg.check(graph, {"x": 1.5, "m": 0.5, "t": t}).ok
