"""Derivatives with abstract functions: primes, the order of the chain rule, numbers once bound."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.evaluate import apply
from symgrad.formula import report
from symgrad.formula.names import latex_function, plain_function
from symgrad.graph import topological

NET = """\
phi: function
net1 = w1*x1 + b1
u1 = phi(net1)
net = w*u1 + b
y = phi(net)
E = (y - d)**2/2
"""
LAYERS = """\
X: data[N, D]; t: data[N, K]
W1: param[D, H]; b1: param[H]; W2: param[H, K]
phi: function; psi: function
h = phi(X @ W1 + b1)
y = psi(h @ W2)
L = mean((y - t)**2)
"""
CHAIN = "f: function; g: function; h: function; f(g(h(x)))"
FORMS = [
    # program, with respect to, Unicode, LaTeX
    (NET, "w1", "(y − d) φ′(net) w φ′(net₁) x₁",
     r"(y - d) \phi'(\mathrm{net}) w \phi'(\mathrm{net}_{1}) x_{1}"),
    (NET, "w", "(y − d) φ′(net) u₁", r"(y - d) \phi'(\mathrm{net}) u_{1}"),
    (NET, "net", "(y − d) φ′(net)", r"(y - d) \phi'(\mathrm{net})"),
    (NET, "u1", "(y − d) φ′(net) w", r"(y - d) \phi'(\mathrm{net}) w"),
    (NET, "y", "y − d", "y - d"),
    (CHAIN, "x", "f′(g(h(x))) g′(h(x)) h′(x)", "f'(g(h(x))) g'(h(x)) h'(x)"),
    ("psi: function; psi(2*x)", "x", "2ψ′(2x)", r"2 \psi'(2 x)"),
    ("sigma: function; sigma(x)**3", "x", "3σ(x)² σ′(x)", r"3 \sigma(x)^{2} \sigma'(x)"),
    ("f1: function; f1(x)/x", "x", None, r"f_{1}'(x)"),
    ("g_hat: function; g_hat(x)", "x", "ĝ′(x)", r"\hat{g}'(x)"),
    ("act: function; act(x)", "x", "act′(x)", r"\mathrm{act}'(x)"),
    ("sigma2: function; sigma2(x)", "x", "σ₂′(x)", r"\sigma_{2}'(x)"),
    ("φ: function; φ(x)", "x", "φ′(x)", r"\phi'(x)"),
    ("tanh: function; tanh(x)", "x", "tanh′(x)", r"\mathrm{tanh}'(x)"),
    ("phi: function; phi(x/y)", "x", "φ′(x/y)/y", r"\frac{\phi'\bigl(\frac{x}{y}\bigr)}{y}"),
    ("phi: function; phi(phi(x)) - phi(phi(x))", "x", "0", "0"),
    ("phi: function; phi(x)/phi(x)", "x", "0", "0"),
    ("phi: function; x: real[D]; W: param[H, D]; v: param[H]; v @ phi(W @ x)", "v",
     "φ(W x)", r"\phi(W x)"),
    ("phi: function; x: real[D]; W: param[H, D]; v: param[H]; v @ phi(W @ x)", "W",
     "(v ⊙ φ′(W x)) xᵀ", r"(v \odot \phi'(W x))\, x^{\top}"),
    ("phi: function; X: data[N, D]; W: param[D, H]; h = phi(X @ W); sum(h**2)/2", "W",
     "Xᵀ(h ⊙ φ′(X W))", r"X^{\top} (h \odot \phi'(X W))"),
    ("phi: function; x: param[N]; w: param[N]; sum(phi(x)*w)", "x",
     "w ⊙ φ′(x)", r"w \odot \phi'(x)"),
    (LAYERS, "W2", "2hᵀ((y − t) ⊙ ψ′(h W₂))/(N K)", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "plain", "latex"), FORMS)
def test_closed_forms(text: str, wrt: str, plain: str | None, latex: str | None) -> None:
    formula = sg.gradient(text, wrt)[wrt]
    assert plain is None or formula.unicode() == plain
    assert latex is None or latex in formula.latex()
    assert latex is None or plain is None or formula.latex() == latex


@pytest.mark.parametrize("detail", [1, 2, 3])
@pytest.mark.parametrize("text", [NET, CHAIN, LAYERS])
def test_steps_end_with_the_formula(text: str, detail: int) -> None:
    for formula in sg.gradient(text).values():
        steps = formula.steps(detail)
        assert steps[-1].after == formula.unicode()
        assert steps[-1].latex_after == formula.latex()


def test_steps_show_the_chain_rule() -> None:
    shown = report.steps(sg.gradient(NET, "w1")["w1"], "unicode", 1)
    for line in (
        "y = φ(net)",
        "∂E/∂net = ∂E/∂y · φ′(net)",
        "∂E/∂u₁ = ∂E/∂net · w",
        "∂E/∂net₁ = ∂E/∂u₁ · φ′(net₁)",
        "∂E/∂w₁ = (y − d) φ′(net) w φ′(net₁) x₁",
    ):
        assert line in shown


def test_further_derivatives() -> None:
    source: Any = "phi: function; phi(x)"
    plain, latex = [], []
    for _ in range(5):
        formula = sg.gradient(source, "x")["x"]
        plain.append(formula.unicode())
        latex.append(formula.latex())
        source = formula.graph
    assert plain == ["φ′(x)", "φ″(x)", "φ‴(x)", "φ⁽⁴⁾(x)", "φ⁽⁵⁾(x)"]
    assert latex == [r"\phi'(x)", r"\phi''(x)", r"\phi'''(x)", r"\phi^{(4)}(x)", r"\phi^{(5)}(x)"]
    assert plain_function("f", 12) == "f⁽¹²⁾" and latex_function("f", 12) == "f^{(12)}"


def test_a_second_derivative_of_a_chain() -> None:
    second = sg.gradient(sg.gradient("f: function; g: function; f(g(x))", "x")["x"].graph, "x")["x"]
    assert second.unicode() == "f′(g(x)) g″(x) + g′(x)² f″(g(x))"
    assert second.latex() == "f'(g(x)) g''(x) + g'(x)^{2} f''(g(x))"
    third = sg.gradient(sg.gradient(CHAIN, "x")["x"].graph, "x")["x"]
    assert not third.where and third.unicode().startswith("f′(g(h(x))) g′(h(x)) h″(x) + ")


def test_long_chains_are_not_printed_over_and_over() -> None:
    nested = "x"
    for k in range(60):
        nested = f"f{k % 3}({nested})"
    formula = sg.gradient(f"f0: function; f1: function; f2: function; {nested}", "x")["x"]
    assert formula.where and len(str(formula)) < 60 * 60
    assert formula.steps()[-1].after == formula.unicode()


# -- numbers ---------------------------------------------------------------------------------

Function = Callable[[Any], Any]


def sech2(a: Any) -> Any:
    return 1 - np.tanh(a) ** 2


KNOWN: dict[str, list[Function]] = {  # derivatives by order
    "tanh": [np.tanh, sech2, lambda a: -2 * np.tanh(a) * sech2(a)],
    "sin(2*a)": [
        lambda a: np.sin(2 * a),
        lambda a: 2 * np.cos(2 * a),
        lambda a: -4 * np.sin(2 * a),
    ],
    "exp": [np.exp] * 3,
}


def evaluate(formula: sg.Formula, functions: dict[str, str], at: dict[str, Any]) -> Any:
    """Compute an unbound formula with functions and derivatives given from outside."""
    sizes: dict[str, int] = {}
    done: dict[sg.Node, Any] = {}
    for node in topological([formula.node]):
        if node.op == "input":
            done[node] = value = np.asarray(at[node.attrs["name"]], dtype=float)[()]
            sizes.update(zip(map(str, node.shape), np.shape(value), strict=True))
    for node in topological([formula.node]):
        if node.op == "apply":
            orders = KNOWN[functions[node.attrs["name"]]]
            done[node] = orders[node.attrs["order"]](done[node.args[0]])
        elif node not in done:
            done[node] = apply(node, [done[a] for a in node.args], sizes)
    return done[formula.node]


PROGRAMS = {
    "net": (NET, {"phi": "tanh"}),
    "chain": (CHAIN, {"f": "exp", "g": "tanh", "h": "sin(2*a)"}),
    "layers": (LAYERS, {"phi": "tanh", "psi": "sin(2*a)"}),
    "shared": ("phi: function; v: param[4]; s = phi(v); sum(s*s)/sum(phi(s))", {"phi": "tanh"}),
    "mixed": ("phi: function; sigmoid(phi(x))*relu(x*phi(x)) + exp(phi(y) - x)", {"phi": "tanh"}),
    "case": ("phi: function; where(x > y, phi(x*y), phi(-x)**2)", {"phi": "sin(2*a)"}),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_bound_numbers_agree_with_the_unbound_formula(name: str) -> None:
    text, functions = PROGRAMS[name]
    bound = sg.parse(text, functions=functions)
    at = point(bound, seed=3)
    assert sg.check(bound, at)
    _, grads = sg.compile(bound)(**at)
    for key, formula in sg.gradient(text).items():
        got = evaluate(formula, functions, at)
        np.testing.assert_allclose(np.broadcast_to(got, np.shape(at[key])), grads[key], rtol=1e-10)


def test_second_derivatives_agree_too() -> None:
    text, functions = PROGRAMS["chain"]
    first = sg.gradient(text, "x")["x"]
    second = sg.gradient(first.graph, "x")["x"]
    x, h = 0.4, 1e-5
    slope = [evaluate(first, functions, {"x": v}) for v in (x - h, x + h)]
    expected = (slope[1] - slope[0]) / (2 * h)
    assert evaluate(second, functions, {"x": x}) == pytest.approx(expected, rel=1e-8)
    bound = sg.parse(first.graph, functions=functions)
    assert sg.compile(bound)(x=x)[1]["x"] == pytest.approx(expected, rel=1e-8)


# -- pictures --------------------------------------------------------------------------------


def test_it_is_drawn_without_numbers() -> None:
    drawn = sg.diagram(NET)
    gates = [n for n in drawn.drawing.nodes if n.symbol == r"\phi"]
    assert [(n.op, n.name) for n in gates] == [("phi", "u1"), ("phi", "y")]
    assert drawn.to_svg().count('data-op="phi"') == 2
    assert "φ" in drawn.to_dot()
    slope = sg.diagram(sg.gradient("f: function; f(x)", "x")["x"].graph)
    assert slope.drawing.nodes[-1].symbol == "f'" and "f′" in slope.to_dot()
    assert sg.diagram(LAYERS).view == "tensor"


def test_it_is_drawn_with_numbers_once_it_is_bound() -> None:
    at = {"w1": 1, "x1": 2, "b1": 0, "w": -1, "b": 0.5, "d": 0}
    drawn = sg.diagram(sg.parse(NET, functions={"phi": "tanh"}), at=at)
    assert drawn.to_svg().count('data-op="tanh"') == 2
