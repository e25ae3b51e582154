"""The recipes: one line adds an activation, a loss or a rule, and every view follows."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import opdocs
from symgrad.ops import ALIASES, OPS


def test_an_activation_is_one_line(registries: None, exact: Any) -> None:
    import mpmath

    sg.activation("wavy", "a*sin(a) + tanh(a)")
    formula = sg.gradient("wavy(x)")["x"]
    at = mpmath.mpf("0.7")
    true = mpmath.diff(lambda v: exact.apply("wavy", [v]), at)
    assert eval(formula.numpy(), {"np": np, "x": 0.7}) == pytest.approx(float(true), rel=1e-14)
    assert "\\cos" in formula.latex() and "cos" in formula.unicode()
    value, grads = sg.compile("wavy(x)")(x=0.7)
    assert value == pytest.approx(float(exact.apply("wavy", [at])), rel=1e-15)
    assert grads["x"] == pytest.approx(float(true), rel=1e-14)
    assert sg.backprop("wavy(x)", {"x": 0.7}).grad["x"] == pytest.approx(float(true), rel=1e-14)
    f = sg.compile("X: data[N, D]\nW: param[D, H]\nsum(wavy(X @ W))")
    assert f(X=np.ones((2, 3)), W=np.full((3, 4), 0.1))[1]["W"].shape == (3, 4)
    svg = sg.diagram("wavy(x)", at={"x": 0.7}).to_svg()
    assert "data-grad" in svg and sg.parse("wavy(x)").output.op == "wavy"
    assert "wavy(a)" in opdocs.listing() and "`a*sin(a) + tanh(a)`" in opdocs.table()
    assert "a*sin(a) + tanh(a)" in opdocs.page("wavy")
    with pytest.raises(sg.NameClashError):
        sg.activation("wavy", "a")
    with pytest.raises(sg.ParseError, match="did you mean 'wavy'"):
        sg.parse("wavi(x)")


def test_a_loss_is_one_line(registries: None) -> None:
    sg.loss("quartic", "(a - b)**4")
    formula = sg.gradient("quartic(p, t)", "p")["p"]
    assert formula.unicode() == "4(p − t)³"
    P, T = np.array([[1.0, 2], [3, 5]]), np.zeros((2, 2))
    for reduction, scale in (("mean", 1), ("sum", 4)):
        text = f"p: param[N, D]\nt: data[N, D]\nquartic(p, t, reduction='{reduction}')"
        value, grads = sg.compile(text)(p=P, t=T)
        assert value == scale * np.mean(P**4) and np.allclose(grads["p"], scale * P**3)
    none, _ = sg.compile("p: param[N, D]\nt: data[N, D]\nquartic(p, t, reduction='none')", wrt=[])(
        p=P, t=T
    )
    assert np.array_equal(none, P**4)
    assert sg.parse("quartic_loss(p, t)").output is sg.parse("quartic(p, t)").output
    assert "data-grad" in sg.diagram("quartic(p, t)", at={"p": 1, "t": 0}).to_svg()
    assert "quartic(a, b" in opdocs.listing()


def test_a_rule_is_one_line(registries: None) -> None:
    before = sg.gradient("sin(x)**2 + cos(x)**2 + x")["x"]
    sg.rule("Pythagoras: sin(a)**2 + cos(a)**2 -> 1 + 0*a")
    after = sg.gradient("sin(x)**2 + cos(x)**2 + x")["x"]
    assert after.unicode() == "1" and "recognised Pythagoras (line 1)" in after.notes
    assert before.notes == ()
    assert sg.compile("sin(x)**2 + cos(x)**2 + x")(x=2.0) == (3.0, {"x": 1.0})


def test_an_output_format_is_one_file() -> None:
    from symgrad.diagram import export

    folder = Path(export.__file__).parent
    files = sorted(p.stem for p in folder.glob("*.py") if p.stem != "__init__")
    assert (
        sorted(export.formats()) == [f".{name}" for name in files]
        or sorted(export.formats()) == files
    )


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "a +",
        "tahn(a)",
        "a.real",
        "__import__('os')",
        "9**9**9",
        "b",
        "a\nb",
        "a @ a",
        "lambda",
        "x",
        "(" * 500,
    ],
)
def test_a_wrong_formula_is_refused(formula: str, registries: None) -> None:
    with pytest.raises(sg.SymgradError):
        sg.activation("wrong_one", formula)
    assert "wrong_one" not in OPS


@pytest.mark.parametrize(
    "name",
    [
        "relu",
        "mae",
        "max",
        "two words",
        "",
        "1a",
        "lambda",
        "__x__",
        "mse_loss",
        "sum",
        "arange",
        "zeros_like",
        "np.exp",
        3,
    ],
)
def test_a_wrong_name_is_refused(name: Any, registries: None) -> None:
    before = dict(OPS), dict(ALIASES)
    with pytest.raises(sg.SymgradError):
        sg.activation(name, "2*a")
    assert (dict(OPS), dict(ALIASES)) == before


def test_the_registries_are_left_as_found() -> None:
    assert not {"wavy", "quartic", "wrong_one"} & set(OPS)


def test_one_operator_one_place() -> None:
    """Rows are made in ops/ only, and say where."""
    package = Path(sg.__file__).parent
    for row in OPS.values():
        if row.source == "the user":
            continue
        file, _, line = row.place.partition(":")
        assert (package / file).is_file(), row.place
        lines = (package / file).read_text(encoding="utf-8").splitlines()
        assert re.search(rf'"{row.name}"', lines[int(line) - 1]), row.place
