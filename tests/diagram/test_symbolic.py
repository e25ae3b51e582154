"""Symbols on the edges: what they say is true, short, and the same every time."""

from typing import Any

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import Label, Scene
from symgrad.diagram.cards import Numbers
from symgrad.diagram.compose import Options, compose
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import draw
from symgrad.diagram.style import theme_named
from symgrad.diagram.symbolic import MODES, Symbols, space, symbol_card
from symgrad.diagram.tensor import Matrices
from symgrad.evaluate import values
from tests.diagram.test_grouping import ALL, AT_LAYERS, LAYERS, NEURON, W3

NETWORK = """X: data[N, D]; Y: onehot[N, C]
W1: param[D, H]; b1: param[H]; W2: param[H, C]; b2: param[C]
Z1 = X @ W1 + b1
A1 = relu(Z1)
Z2 = A1 @ W2 + b2
L = cross_entropy(Z2, Y)"""
PROGRAM = ("q = x + y\nf = q*z", {"x": -2, "y": 5, "z": -4})


def symbols(
    text: str,
    at: dict[str, Any] | None = None,
    mode: str = "symbols",
    collapse: tuple[str, ...] = (),
    theme: str = "light",
) -> Symbols:
    graph = sg.parse(text)
    result = None if at is None else sg.backprop(graph, at)
    drawing = draw(graph, result, collapse)
    look = theme_named(theme)
    arrays = any(n.shape for n in drawing.nodes)
    plain = Matrices(Decimals(), look, drawing) if arrays else Numbers(Decimals(), look.marks)
    return Symbols(graph, drawing, look, mode, plain)


def scene(shown: Symbols) -> Scene:
    return compose(shown.drawing, shown, Options(shown.theme), None, symbol_card)


def said(shown: Symbols) -> dict[str, str]:
    """Map letters to the right side of their gradient, } and { within it written as a stroke."""
    found = {}
    for node in shown.drawing.nodes:
        if node.id in shown.asked:
            text = shown.equation(node).partition(" = ")[2].replace(r"{\partial} ", "d")
            found[node.letter] = text.replace(r"\dfrac", "").replace(r"\,", "").replace("}{", "/")
    return found


def test_the_chain_rule_gate_by_gate() -> None:
    assert said(symbols(W3)) == {
        "w0": "x_{0} {df/da}", "x0": "w_{0} {df/da}", "a": "{df/dc}",
        "w1": "x_{1} {df/db}", "x1": "w_{1} {df/db}", "b": "{df/dc}",
        "c": "{df/dd}", "w2": "{df/dd}", "d": "{-/df/dg}", "g": "h {df/dh}",
        "h": "{df/dm}", "m": r"{-/1/m^{2}}", "f": "1",
    }  # fmt: skip


def test_whole_arrays_in_matrix_form() -> None:
    found = said(symbols(NETWORK, collapse=("Z1", "Z2")))
    assert found["W1"] == r"X^{\top} {dL/dZ_{1}}"
    assert found["A1"] == r"{dL/dZ_{2}} W_{2}^{\top}"
    assert found["b1"] == r"\sum_{i} {dL/dZ_{1}}"
    assert found["Z1"] == r"{dL/dA_{1}} \odot \mathbb{1}[A_{1} > 0]"
    assert r"\operatorname{softmax}(Z_{2}) - Y" in found["Z2"]
    assert "X" not in found and "Y" not in found  # nobody asks for the gradient of data


def test_a_sigmoid_by_hand_has_the_derivative_of_a_sigmoid() -> None:
    found = said(symbols("z = w*x\np = 1/(1 + exp(-z))\nL = p**2", collapse=("p",)))
    assert found["z"] == "p (1 - p) {dL/dp}" and found["p"] == "2 p"


def test_a_short_closed_form_speaks_of_the_letters_of_the_picture() -> None:
    found = said(symbols("s: real[K]; y: label[K]; L = -log(softmax(s)[y])"))
    assert found["s"] == "a - e_{y}"


@pytest.mark.parametrize("name", ALL)
def test_local_times_upstream_is_what_flows_back(name: str) -> None:
    """Every product that is printed is evaluated, and compared with the edge's contribution."""
    text, at, collapse, _ = ALL[name]
    shown = symbols(text, at, collapse=collapse)
    nodes = shown.drawing.nodes
    checked = 0
    for edge in shown.drawing.edges:
        product = shown.product(edge) if edge.grad is not None else None
        if product is None:
            continue
        known = {n: np.asarray(nodes[k].value, float)[()] for n, k in product.values.items()}
        known |= {n: nodes[edge.target].grad for n in product.upstream}
        number = values([product.node], known, {})[product.node]
        assert np.allclose(number, edge.grad, rtol=1e-9, atol=1e-12), (name, edge)
        checked += 1
    assert checked >= len([e for e in shown.drawing.edges if e.grad is not None]) * 3 // 4


def labels(drawn: Scene, role: str) -> list[str]:
    items = [i for g in drawn.groups for i in g.items if isinstance(i, Label)]
    return [i.outline.text for i in items if i.role == role]


def test_symbols_alone_show_no_number() -> None:
    drawn = scene(symbols(*PROGRAM))
    assert labels(drawn, "value") == ["x", "y", "q", "z", "f"]
    assert not any(c.isdigit() for text in labels(drawn, "gradient")[:-1] for c in text)
    assert len(labels(drawn, "gradient")) == 5


def test_both_shows_symbol_and_number() -> None:
    drawn = scene(symbols(*PROGRAM, mode="both"))
    assert "q = 3.00" in labels(drawn, "value")
    below = labels(drawn, "gradient")
    assert r"\dfrac{{\partial} f}{{\partial} q} = z = {-}4.00" in below
    many = scene(symbols(W3, NEURON, mode="both"))  # the number stands below its equation
    assert labels(many, "gradient").count("= 0.20") == 5


def test_branches_carry_their_terms() -> None:
    drawn = scene(symbols("(x + y)*(y*z)", {"x": 1, "y": 2, "z": 3}))
    branch = [
        i.outline.text for g in drawn.groups if g.role == "edge" for i in g.items
        if isinstance(i, Label)
    ]  # fmt: skip
    assert branch == [
        r"\dfrac{{\partial} f}{{\partial} a}", r"z \,\dfrac{{\partial} f}{{\partial} b}",
    ]  # fmt: skip
    total = r"\dfrac{{\partial} f}{{\partial} a} + z \,\dfrac{{\partial} f}{{\partial} b}"
    assert any(text.endswith(total) for text in labels(drawn, "gradient"))


def test_without_numbers_the_gradients_of_the_parameters_are_shown() -> None:
    shown = symbols("w: param; L = (w*x - t)**2", mode="both")
    assert "w" in said(shown) and "x" not in said(shown) and not shown.both
    assert symbols("X: data[3]; tanh(X)").asked == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("collapse", [(), ("all",)])
def test_labels_overlap_nothing(mode: str, collapse: tuple[str, ...]) -> None:
    for text, at in ((W3, NEURON), (LAYERS, AT_LAYERS)):
        drawn = scene(symbols(text, at, mode, collapse))
        items = [i for g in drawn.groups for i in g.items if isinstance(i, Label)]
        boxes = [i.extent() for i in items if i.role not in ("symbol", "entry")]
        for k, a in enumerate(boxes):
            for b in boxes[:k]:
                assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def test_mono_marks_gradients_by_an_arrow() -> None:
    drawn = scene(symbols(*PROGRAM, theme="mono"))
    assert all(text.startswith(r"{\leftarrow}") for text in labels(drawn, "gradient"))
    assert not any("leftarrow" in text for text in labels(drawn, "value"))


def test_spaces_of_arrays() -> None:
    assert space(("N", 2)) == r"\mathbb{R}^{N\times 2}"
    assert space(("N - 1", "D")) == r"\mathbb{R}^{(N - 1)\times D}"
