"""Sums that take a factor up, and products that hold a factor of 0 and 1 already."""

from typing import Any

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
        ("B: binary[N]; E = B*(w - x); sum(E**2)/2", "E"),
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


TWICE = [
    "a: param; x: data[N]; z = a*x*a; sum(z)",
    "a: param; x: data[N]; w: data[N]; z = a*x*a; sum(z*w*x)",
    "t: param[D]; X: data[N, D]; z = X*t*t; sum(z**2)",
    "t: param[D]; X: data[N, D]; m: param[D]; z = t*(X - m)*t; sum(tanh(z))",
    "n: param[N]; X: data[N, D]; z = n[:, None]*X*n[:, None]; sum(z**2)",
    "n: param[D]; X: data[N, D]; m: param[D]; z = exp(n)*(X - m)*exp(n); sum(z**2)",
    "t: param; x: data[N]; z = t*(x*t)*t; sum(sin(z))",
]


def values_of(graph: Any, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    sizes = {"N": 4, "D": 3}
    return {n.attrs["name"]: rng.normal(size=[sizes[str(d)] for d in n.shape])
            for n in graph.inputs}  # fmt: skip


@pytest.mark.parametrize("text", TWICE)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_factor_that_a_product_has_twice_is_taken_up_once(text: str, style: str) -> None:
    graph = sg.parse(text.replace("; ", "\n"))
    at = values_of(graph)
    expected = sg.backprop(graph, at)
    for name, grad in sg.compile(graph, style=style)(**at)[1].items():
        np.testing.assert_allclose(grad, expected.grad[name], rtol=1e-12, atol=1e-12)
    for name, formula in sg.gradient(graph).items():
        assert formula.wrt == name
    assert sg.check(graph, at).ok


@pytest.mark.parametrize("text", ["z = x*exp(s) + 1000; sum(z**2)", "z = 1 + x*exp(s); sum(z**2)"])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_no_difference_is_put_in_that_loses_digits(text: str, style: str) -> None:
    x, s = np.array([1e-9, 2e-9]), np.array([0.1, 0.2])
    f = sg.compile("x: data[N]\ns: param[N]\n" + text.replace("; ", "\n"), style=style)
    z = x * np.exp(s) + (1000 if "1000" in text else 1)
    np.testing.assert_allclose(f(x=x, s=s)[1]["s"], 2 * z * x * np.exp(s), rtol=1e-14)


def test_a_common_factor_of_0_and_1_stays_outside() -> None:
    graph = sg.parse(
        "x: data[N]; w: param[N]; b: binary[N]\nz = (x - w)*b\nsum(z**2) + sum(relu(z))"
    )
    assert sg.gradient(graph, "w")["w"].unicode() == "−b ⊙ (1[z > 0] + 2z)"
