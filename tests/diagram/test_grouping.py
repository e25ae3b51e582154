"""Collapsing and expanding: the numbers on what is left are those of the whole graph."""

import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram.expanding import expanded
from symgrad.diagram.from_graph import Drawing, draw
from symgrad.diagram.gates import DOT, gate
from symgrad.diagram.lettering import letters
from symgrad.diagram.speaking import operator
from symgrad.errors import UsageError
from symgrad.graph import Graph
from symgrad.ops import OPS, leaf, make

ROOM = np.random.default_rng(3)
NEURON = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
W3 = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
W6 = "p = 1/(1 + exp(-(w*x + b)))\nL = -(y*log(p) + (1 - y)*log(1 - p))"
AT6 = {"w": 0.5, "x": 2, "b": -0.3, "y": 1}
SOFTMAX = "s: real[3]; t: data[3]\nm = max(s)\ne = exp(s - m)\np = e/sum(e)\nL = sum(t*p)"
AT_SOFTMAX = {"s": [0.3, -1.0, 2.0], "t": [1.0, 2.0, -1.0]}
LAYERS = """X: data[4, 2]; Y: binary[4, 1]
W1: param[2, 3]; b1: param[3]; W2: param[3, 1]; b2: param[1]
Z = X @ W1 + b1
H = Z/(1 + exp(-Z))
P = 1/(1 + exp(-(H @ W2 + b2)))
L = -sum(Y*log(P) + (1 - Y)*log(1 - P))/4 + 0.1*sum(W1**2)"""
AT_LAYERS = {
    "X": ROOM.normal(size=(4, 2)), "Y": np.array([[0.0], [1], [1], [0]]),
    "W1": ROOM.normal(size=(2, 3)), "b1": ROOM.normal(size=3),
    "W2": ROOM.normal(size=(3, 1)), "b2": ROOM.normal(size=1),
}  # fmt: skip
LSE = "s: real[3]\nz = 2*s\nL = log(sum(exp(z)))"
AT_LSE = {"s": [0.3, -1.0, 2.0]}

# name: program, point, what is collapsed, the gates that are left
CASES: dict[str, tuple[str, dict[str, Any], tuple[str, ...], list[str]]] = {
    "W3": (W3, NEURON, ("sigmoid",), [r"\times", r"\times", "+", "+", r"\sigma"]),
    "W6": (W6, AT6, ("sigmoid", "bce"), [r"\times", "+", r"\sigma", r"\mathrm{BCE}"]),
    "W6, loss": (
        W6, AT6, ("bce",),
        [r"\times", "+", r"\times{-}1", r"\exp", "+1", r"1/(\cdot)", r"\mathrm{BCE}"],
    ),
    "W6, lines": (W6, AT6, ("all",), ["p", "L"]),
    "softmax": (SOFTMAX, AT_SOFTMAX, ("softmax",), [r"\mathrm{softmax}", r"\times", r"\Sigma"]),
    "softmax, lines": (SOFTMAX, AT_SOFTMAX, ("lines",), ["m", "e", "p", "L"]),
    "log-sum-exp": (LSE, AT_LSE, ("logsumexp",), [r"\times2", r"\mathrm{lse}"]),
    "layers": (LAYERS, AT_LAYERS, ("all",), ["Z", "H", "P", "L"]),
    "layers, one": (LAYERS, AT_LAYERS, ("Z", "silu", "sigmoid"), []),
}  # fmt: skip


def random_program(seed: int) -> tuple[str, dict[str, float], tuple[str, ...]]:
    rng = random.Random(seed)
    names = [f"x{i}" for i in range(3)]
    at = {name: rng.uniform(-2, 2) for name in names}
    lines = []
    for i in range(rng.randint(4, 12)):
        a, b, c = (rng.choice(names[-5:]) for _ in range(3))
        forms = (
            f"{a}*{b} - {c}", f"tanh({a} + 1)*{b} + {b}**2", f"1/(1 + exp(-({a} + {b})))",
            f"log(1 + exp({a}))*{a}", f"maximum({a}, {b}*{c}) + exp(-{a}*{a})",
        )  # fmt: skip
        lines.append(f"h{i} = {rng.choice(forms)}")
        names.append(f"h{i}")
    text = "\n".join([*lines, f"L = {' + '.join(names)}"])
    chosen = tuple(n for n in names[3:] if rng.random() < 0.6)
    return text, at, chosen


RANDOM = {f"random {k}": (*random_program(k), []) for k in range(12)}
ALL = {**CASES, **RANDOM}


def both(name: str) -> tuple[Drawing, Drawing]:
    text, at, collapse, _ = ALL[name]
    graph = sg.parse(text)
    result = sg.backprop(graph, at)
    return draw(graph, result), draw(graph, result, collapse)


def symbols(text: str | Graph, collapse: Iterable[str] = ()) -> list[str]:
    return [n.symbol for n in draw(sg.parse(text), None, collapse).nodes if n.kind == "gate"]


@pytest.mark.parametrize("name", CASES)
def test_the_gates_that_are_left(name: str) -> None:
    text, _, collapse, expected = CASES[name]
    if expected:
        assert symbols(text, collapse) == expected


@pytest.mark.parametrize("name", ALL)
def test_values_and_gradients_stay_those_of_the_one_result(name: str) -> None:
    whole, collapsed = both(name)
    before = {n.node: n for n in whole.nodes}
    for node in collapsed.nodes:
        if node.kind != "constant":
            assert node.value is before[node.node].value or np.array_equal(
                node.value, before[node.node].value
            )
            assert np.array_equal(node.grad, before[node.node].grad)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ALL)
def test_contributions_still_add_up(name: str) -> None:
    whole, collapsed = both(name)
    for node in collapsed.nodes:
        edges = [e for e in collapsed.edges if e.source == node.id and e.grad is not None]
        if not edges or node.grad is None:
            continue
        total = sum(e.grad for e in edges)  # type: ignore[misc]
        assert np.allclose(total, node.grad, rtol=1e-14, atol=1e-14)
        if len(edges) == 1:  # bit for bit: the shares are added in the order of backpropagation
            assert np.array_equal(edges[0].grad, node.grad)  # type: ignore[arg-type]
        old = next(n for n in whole.nodes if n.node is node.node)
        before = sum(e.grad for e in whole.edges if e.source == old.id and e.grad is not None)
        assert np.allclose(total, before, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("terms", [("1e16*x", "-1e16*x", "x"), ("x", "1e16*x", "-1e16*x")])
def test_shares_are_added_in_the_order_of_backpropagation(terms: tuple[str, ...]) -> None:
    graph = sg.parse(f"L = {' + '.join(terms)}")
    drawing = draw(graph, sg.backprop(graph, {"x": 1.0}), "all")
    assert len(drawing.edges) == 1 and len(drawing.edges[0].uses) == 3
    assert drawing.edges[0].grad == drawing.nodes[0].grad


@pytest.mark.parametrize("name", ALL)
def test_every_node_belongs_to_one_gate_and_every_use_to_one_edge(name: str) -> None:
    text, _, collapse, _ = ALL[name]
    graph = sg.parse(text)
    drawing = draw(graph, None, collapse)
    members = [m for n in drawing.nodes if n.kind != "constant" for m in n.members]
    assert len(members) == len(dict.fromkeys(members))
    assert set(members) == {n for n in graph.order() if n.op not in ("const", "dim")}
    owner = {m: n.id for n in drawing.nodes for m in n.members if n.kind != "constant"}
    across = [
        (n, k)
        for n in graph.order()
        for k, a in enumerate(n.args)
        if a.op not in ("const", "dim") and owner[a] != owner[n]
    ]
    uses = [use for e in drawing.edges for use in e.uses if use[0].args[use[1]].op != "const"]
    assert sorted(map(repr, uses)) == sorted(map(repr, across)) and len(set(uses)) == len(uses)
    for edge in drawing.edges:
        node = drawing.nodes[edge.source].node
        assert all(owner[c] == edge.target and c.args[k] is node for c, k in edge.uses)
    pairs = [
        (e.source, e.target) for e in drawing.edges if len(drawing.nodes[e.target].members) > 1
    ]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(
    ("text", "name", "symbol"),
    [
        ("z = u*v; f = exp(z)/(1 + exp(z))", "sigmoid", r"\sigma"),
        ("f = log(1 + exp(u))", "softplus", r"\mathrm{softplus}"),
        ("f = (exp(u) - exp(-u))/(exp(u) + exp(-u))", "tanh", r"\tanh"),
        ("f = maximum(0, u)", "relu", r"\mathrm{ReLU}"),
        ("f = where(u > 0, u, 0.2*u)", "leaky_relu", r"\mathrm{LReLU}_{0.2}"),
        ("z = u*v; f = z/2*(1 + erf(z/sqrt(2)))", "gelu", r"\mathrm{GELU}"),
        ("p = u*v; L = -y*log(p) - (1 - y)*log(1 - p)", "bce", r"\mathrm{BCE}"),
        ("p = u*v; L = -y*log(p) - (1 - y)*log(1 - p)", "binary_cross_entropy", r"\mathrm{BCE}"),
        ("p = u*v; L = (t - p)**2", "mse", r"\mathrm{MSE}"),
        ("X: data[N, D]; w: param[D]; t: data[N]; L = sum((X@w - t)**2)/N", "mse",
         r"\mathrm{MSE}"),
        ("X: data[N, D]; w: param[D]; t: data[N]; L = sum((X@w - t)**2)/D", "cross_entropy", None),
        ("X: data[N, D]; w: param[D]; t: data[N]; p = X@w; L = sum((p - t)**2)/N", "mse",
         r"\mathrm{MSE}"),
        ("s: real[K]; p = exp(s)/sum(exp(s)); L = sum(p*p)", "softmax", r"\mathrm{softmax}"),
        ("f = 1/(1 + exp(-u - v))", "sigmoid", r"\sigma(-\cdot)"),
        ("f = 1/(1 + exp(-u*v))", "sigmoid", r"\sigma(u v)"),
        ("f = 1/(1 + exp(-u*v)) + tanh(-u)", "sigmoid", r"\sigma(-\cdot)"),
        ("f = 1/(1 + exp(-(u*v)*(w*x)))", "sigmoid", r"\sigma(\ldots)"),
    ],
)  # fmt: skip
def test_what_is_spelled_out_by_hand_is_found(text: str, name: str, symbol: str | None) -> None:
    if symbol is None:
        with pytest.raises(UsageError, match="does not spell out"):
            symbols(text, [name])
    else:
        assert symbol in symbols(text, [name])


def test_what_is_used_outside_stays_outside() -> None:
    text = "u = w*x\ne = exp(-u)\nz = e + w*w\nL = 1/(1 + e) + z + e"
    assert r"\exp" in symbols(text, ["z"])
    drawing = draw(sg.parse("q = 3*(a*b + c)\nL = q*(a*b)"), None, ["q"])
    assert [n.symbol for n in drawing.nodes if n.kind == "gate"] == [r"\times", "q", r"\times"]
    with pytest.raises(UsageError, match="'e' is also used outside it"):
        symbols("e = exp(-z)\nL = e/(1 + e)*tanh(1/(1 + e))*e", ["softplus", "sigmoid"][1:])


def test_a_line_that_is_a_mere_name_is_no_gate() -> None:
    assert symbols("u = x\nc = 2\nL = c*tanh(u)", ["all"]) == ["L"]
    drawing = draw(sg.parse("score_of_model = tanh(w*x)\nL = score_of_model**2"), None, "all")
    assert r"\mathrm{score\_of\_model}" in [n.symbol for n in drawing.nodes]
    shown = [(n.key, n.name) for n in drawing.nodes if n.kind == "gate"]
    assert shown == [("score_of_model", ""), ("L", "")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sigmiod", "did you mean 'sigmoid'"),
        ("hh", "did you mean 'h'"),
        ("x", "is an input"),
        ("softmax", "does not spell out 'softmax'"),
        ("standardize", "neither a line of this program nor an operator"),
        ("", "neither a line"),
    ],
)
def test_unknown_names_are_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        symbols("h = tanh(w*x)\nL = h**2", [name])


def test_a_gate_that_is_there_already_needs_no_collapsing() -> None:
    assert symbols("f = sigmoid(x*y)", "sigmoid") == [r"\times", r"\sigma"]


def test_hostile_names_of_lines_stay_text() -> None:
    x = leaf("x")
    for name in ("</g>", r"\input{a}", "a" * 5000, "<script>", "\u202e"):
        node = make("tanh", make("exp", x))
        graph = Graph.of([node], names={"x": x, name: node})
        found = draw(graph, None, [name]).nodes[-1]
        assert found.symbol.startswith(r"\mathrm{") and len(found.symbol) < 400
        assert r"\input" not in found.symbol


# -- expanding -----------------------------------------------------------------------------------


def test_an_expanded_network_has_the_same_gradients() -> None:
    graph = sg.parse("y_hat = sigmoid(w*x + b)\nL = bce(y_hat, y)")
    at = {"w": 0.5, "x": 2, "b": -0.3, "y": 1}
    plain, opened = sg.backprop(graph, at), sg.backprop(expanded(graph, ["sigmoid", "bce"]), at)
    assert list(opened.graph.names) == list(graph.names)
    assert "log" in [n.op for n in opened.graph.order()]
    for name in ("w", "b", "x", "y_hat", "L"):
        assert opened.grad[name] == pytest.approx(plain.grad[name], rel=1e-14)
    assert symbols(expanded(sg.parse("sigmoid(z)"), "sigmoid")) == [
        r"\times{-}1", r"\exp", "+1", "1/x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "op", [r.name for r in OPS.values() if r.formula and r.arity == 1 and not r.hidden]
)
def test_everything_expands_to_primitives(op: str) -> None:
    x = leaf("x", (4,) if OPS[op].shape != "elementwise" else ())
    output = make(op, x)
    total = make("sum", output) if output.shape else output
    graph = Graph.of([total], names={"x": x})
    opened = expanded(graph, "all")
    assert not [n.op for n in opened.order() if n.op in OPS and OPS[n.op].formula]
    at = {"x": np.array([0.3, 0.9, 0.1, 0.6]) if x.shape else 0.3}
    one, other = sg.backprop(graph, at), sg.backprop(opened, at)
    assert other.value == pytest.approx(one.value, rel=1e-12)
    assert other.grad["x"] == pytest.approx(one.grad["x"], rel=1e-10, abs=1e-12)


def test_a_definition_within_a_definition_is_expanded_if_asked_for() -> None:
    graph = sg.parse("L = bce_with_logits(z, y)")
    assert "softplus" in [n.op for n in expanded(graph, "bce_with_logits").order()]
    opened = expanded(graph, ["bce_with_logits", "softplus"])
    assert "softplus" not in [n.op for n in opened.order()]


@pytest.mark.parametrize(
    ("name", "said"),
    [("exp", "is a primitive"), ("softmx", "did you mean 'softmax'"), ("relu", "does not use")],
)
def test_what_cannot_be_expanded_is_refused(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        expanded(sg.parse("exp(sigmoid(x))"), [name])


# -- symbols, letters, words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain", "dotted", "spoken"),
    [
        ("v**2", "x^{2}", r"(\cdot)^{2}", "square"),
        ("1/v", "1/x", r"1/(\cdot)", "reciprocal"),
        ("v**0.5", r"\sqrt{x}", r"\sqrt{\cdot}", "square root"),
        ("2**v", "2^{x}", r"2^{(\cdot)}", "2 to the power"),
        ("1 - v", "1-x", r"1-(\cdot)", "1 minus"),
        ("v - 3", "-3", "-3", "minus 3"),
        ("v + (-3)", "-3", "-3", "minus 3"),
        ("v > 0", r"x>0", r"(\cdot)>0", "greater than 0"),
        ("0 < v", r"0<x", r"0<(\cdot)", "greater than 0"),
        ("maximum(0, v)", r"\mathrm{max}(0,x)", r"\mathrm{max}(0,\cdot)", "larger of it and 0"),
        ("-v", r"\times{-}1", r"\times{-}1", "times minus 1"),
        ("v*w", r"\times", r"\times", "times"),
        ("exp(v)", r"\exp", r"\exp", "exponential"),
    ],
)  # fmt: skip
def test_gates_speak_of_x_unless_it_is_a_name(
    text: str, plain: str, dotted: str, spoken: str
) -> None:
    node = sg.parse(text).output
    assert gate(node).symbol == plain and gate(node, DOT).symbol == dotted
    assert gate(node).spoken == spoken
    if node.dtype == "float":
        assert symbols(text)[-1] == plain and symbols(f"x = 2\nu = {text}\nu*x")[0] == dotted


@pytest.mark.parametrize("op", [r.name for r in OPS.values() if not r.hidden])
def test_operators_are_read_out_in_plain_words(op: str) -> None:
    said = operator(op)
    assert said and all(word.isalnum() for word in said.split()), said


@pytest.mark.parametrize("seed", range(6))
def test_letters_clash_with_nothing(seed: int) -> None:
    text, _, _ = random_program(seed)
    graph = sg.parse(f"a = x0*x1\nb: data[N]\nc1 = sum(b)\n{text}\nL + tanh(a) + exp(c1)*2")
    found = letters(graph, graph.order())
    assert len(set(found.values())) == len(found)
    invented = [name for node, name in found.items() if graph.name(node) is None]
    taken = [*graph.names, *(n.attrs["name"] for n in graph.inputs), "N"]
    assert not set(invented) & set(taken) and "e" not in invented and "c_1" not in invented
    assert found[graph.output] == "f"


def test_letters_go_on_with_numbers() -> None:
    chain = sg.parse("+".join(f"tanh({k}*u)" for k in range(2, 30)))
    found = [*letters(chain, chain.order()).values()]
    assert len(set(found)) == len(found) and "a_1" in found and "a_2" in found
