"""Whatever a public function is called with: an answer, or an error that says what to do.

Every argument of every verb is replaced in turn by each of a list of odd values.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.arguments import called, checked
from symgrad.graph import to_graphml, to_json

PROGRAM = "X: data[N, D]; w: param[D]; t: data[N]; h = X @ w; loss = mean((h - t)**2)"
AT: dict[str, Any] = {"X": [[1.0, 2], [3, 4]], "w": [0.1, 0.2], "t": [1.0, 0]}
SMALL = "(x + y)*z"
POINT = {"x": 1, "y": 2, "z": 3}
WITH_V = "z: real[K]; v: real[K]; L = sum(exp(z))"
# fmt: off
ODD: list[Any] = [
    None, True, -1, 2**70, 1.5, float("nan"), 1j, "", "nonsense", "\0", "x" * 400, "\ud800", b"b",
    [], [None], [["X"]], {}, {1: 2}, {None: None}, {"w": None}, {"x y": 1}, {"": (2,)},
    {"X": (-1, 2)}, {"X": ((), 2)}, {"X": (10**30,)}, range(3), object(), len, int, np.array("w"),
    np.array([1.0, 2]), np.zeros(0), ..., slice(1), np.dtype("f4"), warnings, (i for i in "w"),
]
# fmt: on
Call = tuple[Callable[..., Any], dict[str, Any]]


def calls() -> dict[str, Call]:
    """List the verbs and methods, each with arguments that it takes."""
    g = sg.parse(PROGRAM)
    formula, drawn = sg.gradient(PROGRAM, "w")["w"], sg.diagram(SMALL, POINT, steps=True)
    drawing = {"g": SMALL, "at": POINT, "wrt": None, "steps": False, "view": "auto",
               "theme": "light", "collapse": (), "expand": (), "renderer": "scene", "title": "",
               "digits": 2, "blank": "", "symbols": "", "remarks": (), "align": "compact",
               "fold": "auto", "sample": 0}  # fmt: skip
    return {
        "parse": (sg.parse, {"text": PROGRAM, "shapes": None, "functions": None}),
        "gradient": (sg.gradient, {"g": PROGRAM, "wrt": "w"}),
        "jacobian": (sg.jacobian, {"g": "z: real[K]; softmax(z)", "wrt": "z"}),
        "hessian": (sg.hessian, {"g": PROGRAM, "wrt": "w"}),
        "jvp": (sg.jvp, {"g": WITH_V, "wrt": "z", "v": "v"}),
        "hvp": (sg.hvp, {"g": WITH_V, "wrt": "z", "v": "v"}),
        "backprop": (sg.backprop, {"g": PROGRAM, "at": AT, "wrt": None}),
        "diagram": (sg.diagram, drawing),
        "compile": (sg.compile, {"g": SMALL, "wrt": None, "dtype": None, "style": "fast",
                                 "accurate": False, "reuse": False, "threads": 1, "blas": "numpy"}),
        "check": (sg.check, {"g": SMALL, "at": POINT, "wrt": None, "tolerance": 1e-6}),
        "equal": (sg.equal, {"left": "x*x", "right": "x**2", "shapes": None, "steps": False}),
        "from_json": (sg.from_json, {"text": to_json(g)}),
        "from_graphml": (sg.from_graphml, {"text": to_graphml(g)}),
        "theme": (sg.theme, {"base": "light", "colours": {"value": "#112233"}, "name": "own"}),
        "latex": (formula.latex, {"form": "matrix", "notation": None}),
        "unicode": (formula.unicode, {"form": "matrix", "notation": None}),
        "steps": (formula.steps, {"detail": 2, "staged": None, "at": None, "notation": None}),
        "notation": (sg.Notation.read, {"text": "loss=E"}),
        "plot": (sg.plot, {"sources": "tanh", "span": (-1, 1)}),
        "png": (drawn.to_png, {"width": 100, "frame": 1}),
        "svg": (drawn.to_svg, {"frame": 1}),
        "paths": (drawn.paths, {"path": "x.svg"}),
    }  # fmt: skip


CALLS = calls()


@pytest.mark.parametrize("name", CALLS)
def test_odd_arguments_are_refused_by_symgrad(name: str) -> None:
    call, given = CALLS[name]
    call(**given)
    for key in given:
        for value in ODD:
            try:
                call(**{**given, key: value})
            except (sg.SymgradError, sg.SymgradWarning) as error:
                assert str(error).strip(), (key, value)


@pytest.mark.parametrize("save", [
    sg.diagram(SMALL).save, sg.from_json, lambda path: sg.Estimator.load(path),
])  # fmt: skip
def test_paths_that_no_file_can_have(save: Callable[[Any], Any], tmp_path: Path) -> None:
    for path in (None, 3, "", "\0.svg", "\ud800.svg", str(tmp_path / ("a" * 300 + ".svg")), [1]):
        with pytest.raises(sg.SymgradError):
            save(path)
    assert not list(tmp_path.iterdir())


def test_calls_by_place() -> None:
    f = sg.compile(PROGRAM)
    flat = f.flat(X=AT["X"], t=AT["t"])
    wrong: list[tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any], str]] = [
        (f, (1,), {}, "f(X=…, w=…, t=…)"),
        (f.flat, (1,), {}, "f.flat(X=…, t=…)"),
        (f.per_example, (1,), AT, "f.per_example(X=…"),
        (f.summary, (1,), {}, "f.summary("),
        (flat.start, ([1, 2],), {}, "flat.start(w=…)"),
        (f.hvp, (), AT, 'f.hvp({"W": V}, W=W, X=X)'),
        (f.hvp, ({"w": [1, 0]}, 2), AT, "by place"),
    ]
    for call, places, named, hint in wrong:
        with pytest.raises(sg.UsageError) as caught:
            call(*places, **named)
        assert hint in str(caught.value) and isinstance(caught.value, TypeError)


def test_the_message_names_the_call_the_value_and_the_kind() -> None:
    def verb(a: str, b: "int", *, c: bool = False, **rest: float) -> None:
        checked(verb, locals())

    verb("x", "anything, as the annotation is quoted", c=np.True_, more="what ** collects")  # type: ignore[arg-type]
    for given, part in (({"a": 3}, r"verb\(a=…\) is an int; a text is expected"),
                        ({"a": "", "c": []}, "True or False")):  # fmt: skip
        with pytest.raises(sg.UsageError, match=part):
            verb(b=1, **given)
    assert called(np.ones(3)) == "an array" and called(np.float64(2)) == "np.float64(2.0)"
    assert len(called("x" * 999)) < 100


def test_where_a_check_is_not_finite() -> None:
    said = str(sg.check("a = x - 1\nlog(a)", {"x": 1.0}))
    assert "NOT FINITE" in said and "log(0)" in said and "line 2" in said and "DIFFERS" not in said
    assert "x has NaN" in str(sg.check("x*y", {"x": np.nan, "y": 1}))
    assert "beside the point" in str(sg.check("log(x)", {"x": 1e-30}))
    near = sg.check("log(x)", {"x": 1e-4})  # steps are shortened until they stay above 0
    assert near.ok and near.finite and not near.cause
