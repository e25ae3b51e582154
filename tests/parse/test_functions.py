"""Abstract functions: declared, applied, bound; what is refused, and what travels with a graph."""

import pickle
import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.graph import from_graphml, from_json, to_graphml, to_json
from symgrad.ops import OPS, leaf, make

P, C, U = sg.ParseError, sg.NameClashError, sg.UsageError
NEURON = "phi: function\nnet = w*x + b\ny = phi(net)\nE = (y - d)**2/2"
AT = {"w": 0.3, "x": -1.2, "b": 0.1, "d": 0.7}


def test_it_is_no_input_but_the_graph_remembers_it() -> None:
    g = sg.parse(NEURON)
    assert [n.attrs["name"] for n in g.inputs] == ["w", "x", "b", "d"]
    assert g.functions == ("phi",) and "phi" not in g.names
    assert list(sg.gradient(g)) == ["w", "x", "b", "d"]
    bound = sg.parse(g, functions={"phi": "tanh"})
    assert bound.functions == () and sg.compile(bound).inputs == ("w", "x", "b", "d")
    with pytest.raises(U, match="'phi' is no name of this program"):
        sg.gradient(g, "phi")


def test_all_of_them_are_one_row() -> None:
    g = sg.parse("phi: function; psi: function; phi(psi(x)) + psi(x)")
    assert g.functions == ("phi", "psi")
    found = [n for n in g.order() if n.op == "apply"]
    assert [(n.attrs["name"], n.attrs["order"]) for n in found] == [("psi", 0), ("phi", 0)]
    assert OPS["apply"].hidden


def test_one_that_is_not_used_is_remembered_too() -> None:
    g = sg.parse("phi: function; psi: function; phi(x)")
    assert g.functions == ("phi", "psi")
    assert sg.parse(g, functions={"psi": "exp"}).functions == ("phi",)


def test_it_applies_to_every_entry() -> None:
    g = sg.parse("X: data[N, D]; w: param[D]; phi: function; phi(X @ w)")
    assert g.output.shape == ("N",)
    text = "phi: function; s: real[N, C]; L[i] = sum(phi(s[i,j]) for j in C); mean(L[i] for i in N)"
    bound = sg.parse(text, functions={"phi": "tanh"})
    assert (
        bound.output is sg.parse(text.replace("phi: function; ", "").replace("phi", "tanh")).output
    )


def test_declared_names_win_over_operators() -> None:
    g = sg.parse("tanh: function; sum: function; x: real[3]; y = tanh(sum(x)); y @ y")
    assert g.functions == ("tanh", "sum")
    assert {n.op for n in g.order()} == {"input", "apply", "matmul"}
    bound = sg.parse(g, functions={"tanh": "tanh", "sum": "exp"})
    assert bound.output is sg.parse("x: real[3]; y = tanh(exp(x)); y @ y").output


def test_an_index_of_its_name_is_an_index() -> None:
    g = sg.parse("phi: function; x: real[N]; sum(phi*x[phi] for phi in N)")
    assert g.output is sg.parse("x: real[N]; sum(i*x[i] for i in N)").output
    with pytest.raises(P, match="'phi' is a variable here"):
        sg.parse("phi: function; x: real[N]; sum(phi(x[phi]) for phi in N)")


def test_names_given_by_symgrad_do_not_collide() -> None:
    g = sg.parse("phi: function; u_2: function; u = x; u = phi(u); u_2(u) + gelu(x)")
    assert list(g.names) == ["x", "u", "u_3"]
    assert "phi" not in sg.gradient(g, "x")["x"].where


REFUSED: list[tuple[str, type[Exception], int, int, str]] = [
    # text, class, line, column, parts of the message
    ("phi: function[N]; phi(x)", P, 1, 15, "'phi' has no dimensions.*applies it to every entry"),
    ("phi: function; y = phi", P, 1, 20, "'phi' is declared as a function.*phi\\(x\\)"),
    ("tanh: function; x + tanh", P, 1, 21, "'tanh' is declared as a function"),
    ("phi: function; phi*(x)", P, 1, 16, "needs an argument"),
    ("phi: function\nphi()", P, 2, 1, "takes one argument, not 0"),
    ("phi: function\nphi(x, y)", P, 2, 1, "takes one argument, not 2"),
    ("phi: function; phi(x, a=1)", P, 1, 16, "takes one argument, not 2"),
    ("phi: function; phi(a=x)", P, 1, 16, "one plain argument"),
    ("phi: function; phi(*x)", P, 1, 16, "one plain argument"),
    ("phi: function; x: real[N]; phi(x[i] for i in N)", P, 1, 28, "one plain argument"),
    ("phi: function; phi = x", C, 1, 16, "the function 'phi' is assigned on line 1"),
    ("phi: function\nx: real[N]\nphi[i] = x[i]", C, 3, 1, "'phi' is assigned on line 3"),
    ("phi: function; phi: param; x", C, 1, 16, "declared twice"),
    ("phi: param; phi: function; x", C, 1, 13, "declared twice"),
    ("phi: function = tanh; x", P, 1, 17, "cannot be given a value"),
    ("apply(x)", P, 1, 1, "unknown function 'apply'"),
    ("x: nonsense; x", P, 1, 4, "kinds are .*function"),
    ("phi: function", P, 1, 1, "no value"),
]


@pytest.mark.parametrize(("text", "kind", "line", "column", "part"), REFUSED)
def test_what_is_refused(
    text: str, kind: type[sg.SymgradError], line: int, column: int, part: str
) -> None:
    with pytest.raises(kind) as caught:
        sg.parse(text)
    assert type(caught.value) is kind
    assert re.search(part, str(caught.value), re.DOTALL), str(caught.value)
    assert (caught.value.line or 0, caught.value.column or 0) == (line, column)


@pytest.mark.parametrize("value", [(3,), np.ones(3), 2.0])
def test_it_is_not_given_in_shapes(value: Any) -> None:
    with pytest.raises(C, match="'phi' is declared as a function and given in shapes="):
        sg.parse("phi: function; phi(x)", shapes={"phi": value})


@pytest.mark.parametrize(
    "call",
    [
        lambda: sg.backprop(NEURON, AT),
        lambda: sg.check(NEURON),
        lambda: sg.check(NEURON, AT),
        lambda: sg.compile(NEURON),
        lambda: sg.compile(NEURON, wrt=[]),
        lambda: sg.compile("phi: function; x: real[N]; sum(phi(x))", dtype="float32"),
        lambda: sg.gradient(NEURON, "w")["w"].numpy(),
        lambda: sg.diagram(NEURON, at=AT),
    ],
)
def test_there_are_no_numbers_until_it_is_bound(call: Any) -> None:
    with pytest.raises(U, match="the function 'phi' is abstract") as caught:
        call()
    assert 'functions={"phi": "tanh"}' in caught.value.hint
    assert "--functions phi=tanh" in caught.value.hint


def test_it_is_no_place_for_a_number() -> None:
    with pytest.raises(sg.DataError, match="'phi' is not an input") as caught:
        sg.backprop(NEURON, {**AT, "phi": 1})
    assert "functions=" in caught.value.hint
    with pytest.raises(sg.SymgradError, match="phi"):
        sg.backprop(NEURON, {**AT, "phi": np.tanh})


# -- binding ---------------------------------------------------------------------------------

BINDINGS = {  # what phi is bound to, and the same typed out
    "tanh": "tanh(net)",
    "sigmoid": "sigmoid(net)",
    "leaky_relu": "leaky_relu(net)",
    "swish": "swish(net)",
    "atan": "arctan(net)",
    "a*sigmoid(a)": "net*sigmoid(net)",
    "leaky_relu(a, 0.2)": "leaky_relu(net, 0.2)",
    "where(a > 0, a, 0.1*a)": "where(net > 0, net, 0.1*net)",
    " a**2 + pi ": "net**2 + pi",
    "a": "net",
}


@pytest.mark.parametrize("definition", BINDINGS)
def test_a_bound_graph_has_the_operator_itself(definition: str) -> None:
    typed = sg.parse(
        NEURON.replace("phi: function\n", "").replace("phi(net)", BINDINGS[definition])
    )
    for source in (NEURON, sg.parse(NEURON)):
        bound = sg.parse(source, functions={"phi": definition})
        assert bound.output is typed.output and dict(bound.names) == dict(typed.names)
        assert bound.source == NEURON
        assert sg.check(bound, AT)


def test_several_are_bound_one_after_the_other() -> None:
    g = sg.parse("f: function; g: function; h: function; f(g(h(x)))")
    some = sg.parse(g, functions={"g": "exp"})
    assert some.functions == ("f", "h")
    all_ = sg.parse(some, functions={"f": "tanh", "h": "sin"})
    assert all_.output is sg.parse("tanh(exp(sin(x)))").output


def test_a_constant_has_the_shape_of_what_it_is_applied_to() -> None:
    bound = sg.parse("phi: function; x: param[3]; sum(phi(x))", functions={"phi": "3"})
    value, grads = sg.compile(bound)(x=np.ones(3))
    assert value == 9 and grads["x"].tolist() == [0, 0, 0]


def test_an_a_of_the_program_is_not_the_a_of_the_formula() -> None:
    bound = sg.parse("phi: function; phi(a*x) + a", functions={"phi": "a**2 + a"})
    assert bound.output is sg.parse("(a*x)**2 + a*x + a").output


def test_derivatives_are_bound_too() -> None:
    first = sg.gradient("phi: function; phi(2*x)")["x"].graph
    assert first.functions == ("phi",)
    bound = sg.parse(first, functions={"phi": "a**3"})
    value, grads = sg.compile(bound)(x=0.5)
    assert value == pytest.approx(2 * 3 * 1.0**2) and grads["x"] == pytest.approx(2 * 6 * 1.0 * 2)
    constant = sg.parse("x: real[3]; phi: function; L = sum(phi(x))")
    slope = sg.parse(sg.gradient(constant)["x"].graph, functions={"phi": "2*a"})
    assert sg.compile(slope, wrt=[])(x=np.zeros(3))[0].tolist() == [2, 2, 2]


WRONG: list[tuple[Any, type[Exception], str]] = [
    ({"psi": "tanh"}, U, "'psi', which is no function of this program.*functions are phi"),
    ({"x": "tanh"}, U, "'x', which is no function"),
    ({"phi": "tahn"}, P, "functions= for 'phi': unknown function 'tahn'.*did you mean 'tanh'"),
    ({"phi": "apply"}, P, "unknown function 'apply'"),
    ({"phi": "prelu"}, P, "prelu takes 2 operands, not 1"),
    ({"phi": "where"}, P, "where takes 3 operands, not 1"),
    ({"phi": "maximum"}, P, "maximum takes 2 operands, not 1"),
    ({"phi": "softmax"}, P, "softmax is not elementwise"),
    ({"phi": "max"}, P, "max is not elementwise"),
    ({"phi": "sum(a)"}, P, "sum is not elementwise"),
    ({"phi": "a/norm(a)"}, P, "norm is not elementwise"),
    ({"phi": "a @ a"}, P, "matmul is not elementwise"),
    ({"phi": "zeros_like(a)"}, P, "not elementwise"),
    ({"phi": "a*b"}, P, "unknown name 'b'.*a formula in a"),
    ({"phi": "x"}, P, "unknown function 'x'"),
    ({"phi": "a*("}, P, "never closed"),
    ({"phi": "a; a"}, P, "one expression"),
    ({"phi": "b = a"}, P, "one expression"),
    ({"phi": ""}, P, "one expression"),
    ({"phi": "__import__('os')"}, P, "unknown function '__import__'"),
    ({"phi": "(" * 200 + "a" + ")" * 200}, P, "nested"),
    ({"phi": np.tanh}, U, "a value of the type ufunc.*an operator of one variable"),
    ({"phi": None}, U, "a value of the type NoneType"),
    ("tanh", U, "a mapping from names"),
]


@pytest.mark.parametrize(("functions", "kind", "part"), WRONG)
def test_wrong_bindings(functions: Any, kind: type[sg.SymgradError], part: str) -> None:
    with pytest.raises(kind) as caught:
        sg.parse("phi: function; phi(x)", functions=functions)
    assert type(caught.value) is kind
    assert re.search(part, str(caught.value), re.DOTALL), str(caught.value)


def test_a_program_without_functions_says_how_to_declare_one() -> None:
    with pytest.raises(U, match="declare it:  phi: function"):
        sg.parse("tanh(x)", functions={"phi": "tanh"})
    assert sg.parse("tanh(x)", functions={}).output.op == "tanh"


# -- exchange --------------------------------------------------------------------------------


def test_it_travels() -> None:
    g = sg.parse("psi: function; " + NEURON.replace("\n", "; "))
    slope = sg.gradient(g, "w")["w"].graph
    for graph in (g, slope):
        twins = (
            from_json(to_json(graph)), sg.from_json(to_json(graph)),
            from_graphml(to_graphml(graph)), pickle.loads(pickle.dumps(graph)),
        )  # fmt: skip
        for twin in twins:
            assert twin.output is graph.output and twin.functions == graph.functions
    assert g.functions == ("psi", "phi")
    node = pickle.loads(pickle.dumps(slope.output))
    assert node is slope.output


def test_a_graph_from_an_older_version_has_no_functions() -> None:
    text = to_json(sg.parse("x*y"))
    older = text.replace(', \\"functions\\": []', "")
    assert older != text and from_json(older).functions == ()


@pytest.mark.parametrize(
    ("name", "order"),
    [("for", 0), ("a b", 0), ("", 0), (3, 0), ("phi", -1), ("phi", 0.5), ("phi", True), ("f", "1")],
)
def test_what_is_read_is_checked(name: Any, order: Any) -> None:
    graph = sg.Graph.of([make("apply", leaf("x"), name=name, order=order)])
    said = r"(no|not the) name|not the order of a derivative"
    with pytest.raises(sg.SymgradError, match=said):
        sg.from_json(to_json(graph))


def test_an_apply_without_a_name_is_refused() -> None:
    text = to_json(sg.parse("phi: function; phi(x)"))
    spoilt = text.replace(r"\"name\": \"phi\", ", "")
    assert spoilt != text
    with pytest.raises(sg.DataError, match="not a symgrad graph"):
        sg.from_json(spoilt)
