"""The public verbs: what they accept, return and refuse."""

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import shapes
from symgrad.files import replace
from symgrad.shapes import Bindings


def test_every_verb_takes_text_or_a_graph() -> None:
    text = "w: param\nloss = (w*x - t)**2"
    g = sg.parse(text)
    assert sg.parse(g) is g
    at = {"w": 2.0, "x": 3.0, "t": 5.0}
    for source in (text, g):
        assert sg.gradient(source)["w"].numpy() == sg.gradient(text)["w"].numpy()
        assert sg.backprop(source, at).grad["w"] == 6
        assert sg.compile(source)(**at) == (1.0, {"w": 6.0})
        assert sg.check(source, at).ok
        assert "data-grad" in sg.diagram(source, at=at).to_svg()


def test_backprop_answers_by_name_and_node() -> None:
    b = sg.backprop("q = x + y\nf = q*z", {"x": -2, "y": 5, "z": -4}, wrt=["x", "q"])
    g = b.graph
    assert b.value == -12 and dict(b.grad) == {"x": -4.0, "q": -4.0}
    assert b.grad[g.names["q"]] == -4 and b.grads[g.output] == 1
    assert b.local[g.output, 0] == -4 and b.values[g.output] == -12
    assert b.contributions[g.output, 0] == -4
    assert len(b.local) == len(list(b.local))
    for key in ("z", "nonsense"):
        with pytest.raises(KeyError):
            b.grad[key]
    with pytest.raises(KeyError):
        b.local[g.output, 7]
    assert len(b.grad) == 2 and list(b.grad) == ["x", "q"]


def test_local_derivatives_of_arrays() -> None:
    b = sg.backprop("x: real[3]\nsum(relu(x)*2)", {"x": [-1.0, 0.5, 2.0]})
    for (node, k), share in b.contributions.items():
        assert np.isfinite(b.local[node, k]).all()
        assert np.shape(share) == np.shape(b.values[node.args[k]])
    relu = next(n for n in b.graph.order() if n.op == "relu")
    assert b.local[relu, 0].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        ({}, sg.DataError),
        ({"x": 1}, sg.DataError),
        ({"x": 1, "y": 2, "q": 3}, sg.DataError),
        (None, sg.UsageError),
        ([1, 2], sg.UsageError),
        ({"x": "a", "y": 1}, sg.DataError),
        ({"x": [1, 2], "y": 1}, sg.ShapeError),
        ({"x": None, "y": 1}, sg.DataError),
        ({"x": 1j, "y": 1}, sg.DataError),
        ({"x": [[1], [2, 3]], "y": 1}, sg.DataError),
    ],
)
def test_bad_points(at: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        sg.backprop("x: real\ny: real\nx*y", at)
    assert type(caught.value) is kind


def test_check_is_a_certificate() -> None:
    certificate = sg.check("x: param[3]\nW: param[2, 3]\nsum(tanh(W @ x)**2)")
    assert certificate and certificate.ok and [r.name for r in certificate.rows] == ["x", "W"]
    assert str(certificate).count("ok") == 2 and certificate.rows[0].evaluations == 12
    large = sg.check("x: param[30, 20]\nsum(sin(x)**2)")
    assert large.ok and large.rows[0].evaluations == 100
    assert not sg.check("floor(x*1000)", {"x": 0.1})
    assert not sg.check("x: param[30, 20]\nsum(floor(x*1000))")


def test_points_suit_their_kinds() -> None:
    from symgrad.autodiff import point

    g = sg.parse(
        "X: data[N, D]\ny: labels[N, C]\nT: onehot[N, C]\nP: simplex[N, C]\nz: sign[N]\n"
        "b: binary[N]\n"
        "p: positive[D]\nA: symmetric[D, D]\nl: label[4]\nsum(X)",
        shapes={"k": np.array([0, 1])},
    )
    at = point(g)
    n, c = at["T"].shape
    assert (
        at["X"].shape == (n, at["p"].size)
        and at["y"].shape == (n,)
        and 0 <= at["y"].min() <= at["y"].max() < c
    )
    assert (at["T"].sum(axis=1) == 1).all() and np.allclose(at["P"].sum(axis=1), 1)
    assert set(np.abs(at["z"])) == {1} and set(at["b"]) <= {0, 1} and (at["p"] > 0).all()
    assert (at["A"] == at["A"].T).all() and 0 <= at["l"] < 4 and at["k"].shape == (2,)
    assert point(g, 1)["X"].tolist() != at["X"].tolist()
    sg.backprop(g, at)


def test_public_errors_are_errors() -> None:
    for name in sg.__all__:
        value = getattr(sg, name)
        if name.endswith("Error"):
            assert issubclass(value, sg.SymgradError)
    assert issubclass(sg.SymgradWarning, UserWarning)
    with pytest.raises(AttributeError):
        sg.nonsense  # noqa: B018


def test_graphs_and_functions_travel() -> None:
    g = sg.parse("x*y")
    assert pickle.loads(pickle.dumps(g)).output is g.output
    assert pickle.loads(pickle.dumps(sg.compile(g)))(x=2, y=3) == (6.0, {"x": 3.0, "y": 2.0})


def test_shapes() -> None:
    assert shapes.broadcast([(3, 1), (4,), ()]) == (3, 4)
    assert shapes.broadcast([("N", 1), (1, "D")]) == ("N", "D")
    sizes = Bindings()
    assert shapes.broadcast([("N",), (3,)], sizes.bind) == ("N",) and sizes == {"N": 3}
    with pytest.raises(sg.ShapeError, match="both 3 and 4"):
        shapes.broadcast([("N",), (4,)], sizes.bind)
    for given in ([(3,), (4,)], [("N",), ("M",)]):
        with pytest.raises(sg.ShapeError, match="differ"):
            shapes.broadcast(given)
    assert shapes.reduced((2, 3, 4), (0, -1), False) == (3,) and shapes.reduced(
        (2, 3), None, True
    ) == (1, 1)
    assert shapes.product(("N", "D"), ("D", 3)) == ("N", 3) and shapes.product((3,), (3,)) == ()
    assert shapes.expanded((2, 3), (0, 2)) == (1, 2, 1, 3)
    assert shapes.summed_axes((4, 2, 3), (2, 1)) == ((0, 2), True)
    assert shapes.spelled("... n, n m -> ... m", [(5, 2, 3), (3, 4)]) == (5, 2, 4)
    with pytest.raises(sg.ShapeError, match="a shape like"):
        shapes.spelled("n, m -> n m", [(2, 3), (3,)])
    assert shapes.fits((2, 3), ("N", 3), Bindings()) and not shapes.fits((2,), ("N", 3), Bindings())
    for axis in (3, -4, (0, 5)):
        with pytest.raises(sg.ShapeError, match="out of range"):
            shapes.axes_of(axis, 3)


def test_files_are_replaced_whole(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    target = tmp_path / "a.txt"
    assert replace(target, "old") == target and replace(str(target), b"new") == target
    assert target.read_text() == "new"

    def fail(*_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(sg.DataError, match="no space"):
        replace(target, "half")
    monkeypatch.undo()
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(sg.DataError, match="no space"):
        replace(target, "half")
    assert target.read_text() == "new" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_no_warnings_in_everyday_use() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = sg.parse("X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\nL = cross_entropy(X @ W, y)")
        sg.gradient(g)["W"].steps()
        sg.compile(g)(X=np.ones((2, 3)), y=np.array([0, 1]), W=np.zeros((3, 2)))


def test_the_module_runs() -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "symgrad", "derive", "x*y"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONIOENCODING": "utf-8", "PATH": ""},
    )
    assert (done.returncode, done.stdout) == (0, "∂f/∂x = y\n∂f/∂y = x\n")


@pytest.mark.parametrize(
    "text", ["a + (b + c)", "(a + b) + c", "a + (b - c)", "a + (b + (c + b))", "h = b + c\na + h"]
)
def test_sums_are_taken_in_the_order_in_which_they_are_typed(text: str) -> None:
    at = {"a": 1e16, "b": 1.0, "c": 1.0}
    h = at["b"] + at["c"]
    truth = eval(text.split("\n")[-1], {**at, "h": h})
    ways = [sg.compile(text, style=s)(**at)[0] for s in ("fast", "readable")]
    declared = "a: data[N]; b: data[N]; c: data[N]\n" + text
    full = {k: np.full(3, v) for k, v in at.items()}
    ways += [sg.compile(declared, [], style=s)(**full)[0][0] for s in ("fast", "readable")]
    assert [*ways, sg.backprop(text, at).value] == [truth] * 5
