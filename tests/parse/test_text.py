"""The language: declarations, names, dimensions, calls and subscripts."""

import ast
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import bind, values
from symgrad.ops import OPS, lookup
from symgrad.parse.calls import known_functions
from symgrad.parse.rows import validate


def evaluate(text: str, **at: Any) -> Any:
    graph = sg.parse(text)
    known, sizes = bind(graph, at)
    return values([graph.output], known, sizes)[graph.output]


@pytest.mark.parametrize("row", OPS.values(), ids=lambda row: row.name)
def test_the_texts_of_rows_are_expressions(row: Any) -> None:
    assert validate(row) == []


def test_a_wrong_row_is_noticed() -> None:
    from symgrad.ops import Op

    assert "invalid syntax" in validate(Op("wrong", formula="a +* b", place="here:1"))[0]


X2 = np.array([[1.0, 2, 3], [4, 5, 6]])
PYTHON = [  # the same text means the same in Python with NumPy
    "A + 1",
    "1 - A",
    "A*A/2",
    "A**2",
    "2**A",
    "-A**2",
    "+A",
    "(-A)**2",
    "2*-3*A",
    "-2**2*A",
    "A.T",
    "A @ A.T",
    "A.T @ A",
    "v @ A.T",
    "A @ v",
    "v @ v",
    "A*v",
    "A[0]",
    "A[-1]",
    "A[1, 2]",
    "A[-1, -3]",
    "A[:, 0]",
    "A[:, -1]",
    "A[0, :]",
    "A[:, None]",
    "A[None]",
    "v[:, None]*v",
    "v[None, :]",
    "A[0:1]",
    "A[:, 1:]",
    "A[:, :2]",
    "A[:, 1:-1]",
    "A[:, -2:]",
    "A[1:, 1]",
    "A[0:5]",
    "v[1:2]",
    "A[:1, 1:][0, 0]",
    "A < 3",
    "(A >= 3)*A",
    "A == 4",
    "A != 4",
    "(1 < A) + 0",
    "3.5e-2*A",
    "0x10*A",
    "1_000*A",
    "A - A - A",
    "A/A/A",
    "2**v**2",
    "v[0]**0.5",
    "A.T.T",
    "v.T",
    "A[:, None, 0]",
    "A[0][1]",
]


@pytest.mark.parametrize("text", PYTHON)
def test_it_means_what_numpy_means(text: str) -> None:
    v = np.array([0.5, 1, 2])
    got = evaluate(f"A: real[2, 3]\nv: real[3]\n{text}", A=X2, v=v)
    expected = np.asarray(eval(text, {"A": X2, "v": v}), dtype=float)
    np.testing.assert_allclose(got, expected, rtol=1e-15)
    assert np.shape(got) == expected.shape


def test_chained_comparisons_and_indicators() -> None:
    assert [evaluate("0 < x < 2", x=x) for x in (-1, 1, 2)] == [False, True, False]
    assert evaluate("(x > 1)*5 + (x <= 1)", x=3) == 5


NAMES = [
    "e",
    "E",
    "I",
    "N",
    "S",
    "Q",
    "O",
    "beta",
    "gamma",
    "zeta",
    "out",
    "self",
    "np",
    "var1",
    "id",
    "list",
    "value",
    "cache",
    "_",
    "_t",
    "t0",
    "match",
    "case",
    "type",
    "λ",
    "α_1",
    "Δ",
    "x_1",
    "x__1",
    "m",
    "args",
    "float",
    "dtype",
    "grad_x",
    "math",
    "print",
]


@pytest.mark.parametrize("name", NAMES)
def test_ordinary_names(name: str) -> None:
    g = sg.parse(f"{name}*2 + 1")
    assert [n.attrs["name"] for n in g.inputs] == [name]
    assert sg.backprop(g, {name: 3}).grad[name] == 2


def test_predefined_numbers_can_be_shadowed() -> None:
    assert evaluate("pi*x", x=1) == np.pi and evaluate("inf*x", x=1) == np.inf
    assert np.isnan(evaluate("nan*x", x=1))
    assert evaluate("pi: real\npi + 1", pi=3) == 4 and evaluate("inf = 3\ninf*x", x=2) == 6


def test_a_function_name_can_be_a_variable() -> None:
    assert evaluate("var: real\nvar + 1", var=2) == 3
    assert evaluate("exp = x\nexp*2", x=2) == 4
    with pytest.raises(sg.ParseError, match="is a variable here"):
        sg.parse("max(max, 3)", shapes={"max": ()})


def test_lines_comments_semicolons_and_indented_programs() -> None:
    assert evaluate("a = x; b = a*2  # twice\n\n\nb + a\n", x=2) == 6
    g = sg.parse("\n    a = x  # first\n    a*y\n")
    assert evaluate("\n    a = x\n    a*y\n", x=2, y=3) == 6
    assert g.spans[g.output].line == 3 and g.spans[g.output].column == 5
    assert evaluate("(x +\n y)", x=1, y=2) == 3
    with pytest.raises(sg.ParseError) as caught:
        sg.parse("\n    a = x\n    tahn(a)\n")
    assert (caught.value.line, caught.value.column) == (3, 5)


def test_names_assigned_again_are_numbered() -> None:
    g = sg.parse("h = x\nh = tanh(h)\nh = h*2\nh + 1")
    assert list(g.names) == ["x", "h", "h_2", "h_3"]
    b = sg.backprop(g, {"x": 0.3}, wrt=["h_2", "x"])
    assert b.grad["h_2"] == 2
    g = sg.parse("h_2 = x\nh = h_2\nh = h*h_2\nh")
    assert len(set(g.names)) == len(g.names) and g.name(g.output) == "h_3"


def test_declared_dimensions_are_numbers() -> None:
    assert evaluate("X: data[N, D]\nsum(X)/N", X=X2) == 10.5
    assert evaluate("X: data[N, D]\nsum(X)/(N*D)", X=X2) == 3.5
    assert evaluate("X: data[N, H]\nH = sum(X)\nH/N", X=X2) == 10.5
    g = sg.parse("X: data[N, D]\nX*2", shapes={"X": (4, 3)})
    assert dict(g.dims) == {"N": 4, "D": 3}


def test_shapes_are_tuples_and_data_are_anything_else() -> None:
    g = sg.parse("x*y + z", shapes={"x": (2, 3), "y": [1.0, 2.0, 3.0], "z": 4.0, "unused": (5,)})
    shapes = {n.attrs["name"]: n.shape for n in g.inputs}
    assert shapes == {"x": (2, 3), "y": (3,), "z": (), "unused": (5,)}
    b = sg.backprop(sg.parse("sum(x)", shapes={"x": (2,), "unused": (5,)}),
                    {"x": [1, 2], "unused": np.ones(5)})  # fmt: skip
    assert b.grad["unused"].tolist() == [0] * 5
    for data, dtype in ((np.zeros(3, np.float32), "float32"), (np.zeros(3), "float64"), (3.0, "")):
        assert sg.parse("x*2", shapes={"x": data}).dtype == dtype


def test_integer_data_are_labels() -> None:
    g = sg.parse("cross_entropy(S, y)", shapes={"S": (2, 3), "y": np.array([0, 2])})
    S = np.arange(6.0).reshape(2, 3)
    b = sg.backprop(g, {"S": S, "y": np.array([0, 2])})
    assert b.grad["S"].shape == (2, 3) and list(b.grad) == ["S"]
    assert b.value == pytest.approx(
        np.mean([np.log(np.exp(S[0]).sum()) - 0, np.log(np.exp(S[1]).sum()) - 5])
    )


def test_kinds() -> None:
    text = (
        "w: param[2]\nX: data[2]\nr: real\ns: scalar\ny: label[3]\nY: labels[2, 3]\nT: onehot[3]\n"
        "P: simplex[3]\nz: sign[2]\nb: binary[2]\np: positive[2]\nA: symmetric[2, 2]\nsum(w)"
    )
    g = sg.parse(text)
    kinds = {n.attrs["name"]: (n.attrs["kind"], n.shape, n.dtype) for n in g.inputs}
    assert kinds["y"] == ("label", (), "int") and kinds["Y"] == ("labels", (2,), "int")
    assert kinds["T"] == ("onehot", (3,), "float") and kinds["A"][1] == (2, 2)
    assert list(sg.gradient(g)) == ["w"]


def test_wrt_none_without_parameters() -> None:
    text = "X: data[2]\nb: binary[2]\nz: sign[2]\nu: real[2]\ny: label[2]\nsum(X*b*z*u) + q + u[y]"
    assert list(sg.gradient(text)) == ["u", "q"]


def test_calls() -> None:
    assert evaluate("max(x, 3)", x=1) == 3 and evaluate("min(x, 3)", x=1) == 1
    assert evaluate("A: real[2, 3]\nmax(A)", A=X2) == 6
    assert evaluate("A: real[2, 3]\nmax(A, axis=1)", A=X2).tolist() == [3, 6]
    assert evaluate("A: real[2, 3]\nsum(A, 0)", A=X2).tolist() == [5, 7, 9]
    assert evaluate("A: real[2, 3]\nsum(A, -1, True)", A=X2).tolist() == [[6], [15]]
    assert (
        evaluate("leaky_relu(x)", x=-1) == -0.01 and evaluate("leaky_relu(x, a=0.5)", x=-1) == -0.5
    )
    assert evaluate("leaky_relu(x=y, a=0.5)", y=-1) == -0.5
    assert (
        evaluate("huber(p, t, 2.0)", p=5, t=0) == evaluate("huber(p, t, delta=2.0)", p=5, t=0) == 8
    )
    assert evaluate("softplus(x, beta=2)", x=0) == pytest.approx(np.log(2) / 2)
    assert evaluate("mse_loss(p, t)", p=3, t=1) == 4
    assert evaluate("A: real[2, 3]\nzeros_like(A) + ones_like(A)", A=X2).tolist() == [[1] * 3] * 2
    assert evaluate("A: real[2, 3]\ntranspose(A)", A=X2).tolist() == X2.T.tolist()
    assert evaluate("A: real[2, 3, 4]\ntranspose(A, (1, 0, 2))", A=np.ones((2, 3, 4))).shape == (
        3,
        2,
        4,
    )
    assert evaluate("A: real[N, 3]\narange(N)*2", A=X2).tolist() == [0, 2]


def test_every_alias_is_its_operator() -> None:
    for name in known_functions():
        if lookup(name) is None:
            continue
        row = lookup(name)
        assert row is OPS[row.name]


def test_the_parser_never_evaluates() -> None:
    """The source of the parser holds no call that could run a user's text."""
    from pathlib import Path

    forbidden = {"eval", "exec", "compile", "sympify", "lambdify", "parse_expr", "__import__"}
    for path in sorted((Path(sg.__file__).parent / "parse").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in forbidden, path.name


def test_spans_point_at_the_source() -> None:
    g = sg.parse("a = x*y\nb = tanh(a) + 1")
    at = {
        n.op: (g.spans[n].line, g.spans[n].column, g.spans[n].end)
        for n in g.order()
        if n in g.spans
    }
    assert at["mul"] == (1, 5, 8) and at["tanh"] == (2, 5, 12) and at["add"] == (2, 5, 16)
