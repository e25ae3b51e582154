"""What the index form prints in LaTeX reads back to the same numbers."""

import numpy as np
import pytest
from programs import PROGRAMS, at_point

import symgrad as sg
from symgrad.evaluate import values
from symgrad.formula import Formula, hessians, jacobians
from symgrad.formula.names import distinct, latex_name
from symgrad.formula.reading.entries import indices, read_entry
from symgrad.graph import Node
from symgrad.indexed import index
from symgrad.indexed.numbers import value
from symgrad.indexed.symbols import below
from symgrad.ops import leaf

SECOND = [
    "z: real[K]; p = softmax(z)",
    "X: real[N, D]; W: real[D, H]; Y = tanh(X@W)",
    "x: real[N]; y = x[1:] - x[:-1]",
    "x: real[N]; y = x/norm(x)",
    "X: real[N, D]; Y = X**2",
    "X: data[N, D]; w: real[D]; y: binary[N]; p = sigmoid(X@w); L = bce(p, y)",
]


def read_back(F: Formula, known: dict[Node, object], sizes: dict[str, int]) -> None:
    text = F.latex("index")  # which chooses the letters
    shown = distinct(F.index_names.values())
    names = {shown[name]: n for n, name in F.index_names.items()}
    assert F.derivation
    for node in F.derivation.graph.inputs:
        names.setdefault(latex_name(node.attrs["name"]), node)
    letters = F.index.letters.chosen
    places = indices(letters)
    free = [places[letters[k]] for k in F.index.free]
    want = np.asarray(values([F.node], known, sizes)[F.node], dtype=float)
    for root in read_entry(text, names, places):
        bases = dict.fromkeys(n.args[0] for n in below(root) if n.op == "entry")
        got = value(root, free, values(bases, known, sizes), sizes)
        np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-10, err_msg=text)


@pytest.mark.parametrize("text", PROGRAMS)
def test_gradients(text: str) -> None:
    graph = sg.parse(text)
    known, sizes = at_point(graph, 0)
    for F in sg.gradient(graph).values():
        read_back(F, known, dict(sizes))


@pytest.mark.parametrize("text", SECOND)
def test_jacobians_and_hessians(text: str) -> None:
    graph = sg.parse(text)
    known, sizes = at_point(graph, 0)
    found = [*jacobians(graph).values()]
    if not graph.output.shape:
        found += hessians(graph).values()
    for F in found:
        read_back(F, known, dict(sizes))


def test_delta_and_a_variable_of_that_name() -> None:
    i, j = index("i", "N"), index("j", "N")
    d = leaf("delta", ("N",))
    places = {"i": i, "j": j}
    assert read_entry(r"\delta_{ij}", {r"\delta": d}, places)[0].op == "eq"
    assert read_entry(r"\delta_{i}", {r"\delta": d}, places)[0].args[0] is d


@pytest.mark.parametrize("text", [
    r"x_{k}", r"\sum_{k} x_{k}", r"x_{ij}", r"x_{i} +", r"\sum x", r"x_{i} = ",
])  # fmt: skip
def test_errors_have_a_place(text: str) -> None:
    with pytest.raises(sg.ParseError) as error:
        read_entry(text, {"x": leaf("x", ("N",))}, {"i": index("i", "N"), "j": index("j", "N")})
    assert error.value.lineno == 1
