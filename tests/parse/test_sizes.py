"""Long, deep and large programs: each works, or meets a limit that says where and what to do."""

import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.dims import MAX_SUM, plus, proper, terms
from symgrad.graph import to_graphml, to_json
from symgrad.parse.limits import MAX_DEPTH, MAX_TOKEN

COUNT = 3000


def lines(*parts: str, first: str = "x: param") -> str:
    return "\n".join([first, *parts])


def chain(count: int, kind: str = "param") -> str:
    steps = (f"v{k + 1} = sin(v{k})*0.5 + v{k}" for k in range(count))
    return lines("v0 = x", *steps, f"L = sum(v{count})", first=f"x: {kind}")


# -- what works -------------------------------------------------------------------------------

LONG: dict[str, tuple[str, int]] = {
    "terms": ("y = " + " + ".join(f"x{k}" for k in range(COUNT)), 2 * COUNT - 1),
    "equal terms": ("y = " + " + ".join(["x"] * COUNT), COUNT),
    "factors": ("y = " + "*".join(f"x{k}" for k in range(COUNT)), 2 * COUNT - 1),
    "lines": (lines(*(f"v{k} = x*{k + 2}" for k in range(COUNT)), "y = x"), 1),
    "deep lines": ("h = x\n" + "h = tanh(h)\n" * COUNT, COUNT + 1),
    "declarations": ("\n".join(f"x{k}: real[N{k}, 3]" for k in range(COUNT)) + "\n2*3", COUNT + 3),
    "pieces": ("; ".join(f"v{k} = x*{k + 2}" for k in range(COUNT)), 3),
    "declared pieces": ("; ".join(f"x{k}: param" for k in range(COUNT)) + "; y = x0*x1", COUNT + 1),
    "with parameters": (lines(*["x2 = mean(x, axis=0)"] * COUNT, first="x: param[3]"), 2),
    "arguments": ("y = max(" + ", ".join(f"α{k}" for k in range(COUNT)) + ")", 2 * COUNT - 1),
    "newlines": ("y = x*x" + "\n" * 2_500_000 + "z = y*x", 3),
    "blanks": ("y = x*" + " " * 2_500_000 + "x", 2),
    "comments": ("# a note\n" * 250_000 + "y = x*x", 2),
    "powers": ("y = " + "x**" * 150 + "x", 151),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", LONG)
def test_long_programs_are_read(name: str) -> None:
    text, count = LONG[name]
    assert len(sg.parse(text).order()) == count


@pytest.mark.no_cover
def test_places_in_long_lines() -> None:
    """Many nodes on one line, some of them behind letters of several bytes."""
    text = "é = x; y = " + " + ".join(f"sin(é*{k})" for k in range(2, 1000)) + "; z = y*3"
    g = sg.parse(text)
    place = g.spans[g.output]
    assert text[place.column - 1 : place.end - 1] == "y*3"
    product = next(n for n in g.order() if n.op == "mul")
    assert text[g.spans[product].column - 1 : g.spans[product].end - 1] == "é*2"
    g = sg.parse("y = max(" + ", ".join(f"αβ{k}" for k in range(1000)) + ")")
    assert g.source[g.spans[g.inputs[500]].column - 1 :].startswith("αβ500,")


@pytest.mark.no_cover
def test_long_programs_travel() -> None:
    for text in (LONG["terms"][0][:4000] + "0", chain(200)):
        g = sg.parse(text)
        assert sg.from_json(to_json(g)).output is g.output
        assert sg.from_graphml(to_graphml(g)).output is g.output
        assert pickle.loads(pickle.dumps(g)).output is g.output
        assert len(g.edges) == sum(len(n.args) for n in g.order())


@pytest.mark.no_cover
def test_long_programs_are_differentiated() -> None:
    """Towers of powers and many lines of arrays: no walk through all that is below each node."""
    assert len(sg.gradient("y = " + "x**" * 150 + "x")["x"].graph.order()) > 150
    value, grads = sg.compile(chain(500, "param[N]"))(x=np.zeros(2))
    assert value == 0 and np.allclose(grads["x"] / 1.5**500, 1)


# -- what meets a limit -----------------------------------------------------------------------

LIMITS: dict[str, tuple[str, int, int]] = {
    "digits": ("y = x*" + "9" * 1_000_000, 1, 7),
    "name": ("y = 1\nz = x*" + "a" * 1_000_000, 2, 7),
    "text": ("y = sum(x, axis='" + "a" * 1_000_000 + "')", 1, 17),
    "brackets": ("y = " + "(" * 100_000 + "x" + ")" * 100_000, 1, MAX_DEPTH + 5),
    "signs": ("z = x\ny = " + "-" * 100_000 + "x", 2, 1),
    "both signs": ("y = " + "+-" * 200_000 + "x", 1, 1),
    "powers": ("y = " + "x**" * 50_000 + "x", 1, 1),
    "transposes": ("X: param[2, 2]\ny = sum(X" + ".T" * 50_000 + ")", 2, 1),
    "array": ("x: param[1000000, 1000000]\nsum(x)", 1, 4),
    "spread": ("x: param[1000000]\nsum(x[:, None]*x)", 2, 5),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", LIMITS)
def test_what_is_too_large_is_said_with_its_place(name: str) -> None:
    text, line, column = LIMITS[name]
    with pytest.raises(sg.LimitError) as caught:
        sg.parse(text)
    assert caught.value.span is not None and caught.value.hint
    assert (caught.value.span.line, caught.value.span.column) == (line, column)
    assert len(str(caught.value)) < 600


def test_a_name_has_so_many_characters() -> None:
    assert sg.parse("a" * MAX_TOKEN).output.op == "input"
    with pytest.raises(sg.LimitError, match=f"the limit is {MAX_TOKEN}"):
        sg.parse("a" * (MAX_TOKEN + 1))


def test_graphml_is_for_graphs_of_moderate_size(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = import_module("symgrad.graph.exchange")
    g = sg.parse(chain(4))
    text = to_graphml(g)
    monkeypatch.setattr(exchange, "MAX_GRAPHML", len(text) - 1)
    with pytest.raises(sg.DataError, match="too long"):
        sg.from_graphml(text)
    monkeypatch.setattr(exchange, "MOST_GRAPHML", len(g.order()) - 1)
    with pytest.raises(sg.LimitError, match="the limit is"):
        to_graphml(g)


STAGES: list[tuple[str, str, Callable[[sg.Graph], Any]]] = [
    ("formula.derivation", "MOST_FORMULA", lambda g: sg.gradient(g)),
    ("formula.derivation", "MOST_FORMULA", lambda g: sg.check(g)),
    ("formula.jacobians", "MOST_JACOBIAN", lambda g: sg.hessian(g, "x")),
    ("formula.jacobians", "MOST_JACOBIAN", lambda g: sg.jacobian(g, "x")),
    ("formula.steps", "MOST_STEPS", lambda g: sg.gradient(g)["x"].steps()),
    ("formula.equality.judge", "MOST_EQUAL", lambda g: sg.equal(g, g)),
    ("formula.equality.judge", "MOST_EQUAL", lambda g: sg.gradient(g)["x"].equals("x")),
    ("diagram.views", "MOST_DRAWN", lambda g: sg.diagram(g, at={"x": 1})),
]


@pytest.mark.parametrize(("module", "limit", "stage"), STAGES)
def test_each_stage_has_a_limit(
    module: str, limit: str, stage: Callable[[sg.Graph], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is met at once, and the line is where the program gets too long."""
    g = sg.parse(chain(4))
    monkeypatch.setattr(import_module(f"symgrad.{module}"), limit, len(g.order()))
    stage(g)
    monkeypatch.setattr(import_module(f"symgrad.{module}"), limit, 5)
    with pytest.raises(sg.LimitError, match="the limit is 5") as caught:
        stage(g)
    assert caught.value.span == g.spans[g.order()[5]] and caught.value.hint


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_modules_of_arrays_have_a_limit(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build = import_module("symgrad.codegen.build")
    g = sg.parse(chain(4, "param[N]"))
    monkeypatch.setitem(build.LONGEST, style, (5, *build.LONGEST[style][1:]))
    with pytest.raises(sg.LimitError, match="the limit is 5"):
        sg.compile(g, style=style)


# -- sizes ------------------------------------------------------------------------------------

OUTER = "a: data[A]\nb: data[B]\nc: data[C]\ny = sum(einsum('a,b,c->abc', a, b, c))"
ARRAYS = {k: np.ones(4000) for k in "abc"}


@pytest.mark.parametrize(
    "stage",
    [
        lambda: sg.parse(OUTER, ARRAYS),
        lambda: sg.compile(OUTER)(**ARRAYS),
        lambda: sg.compile(OUTER, style="readable")(**ARRAYS),
        lambda: sg.backprop(OUTER, ARRAYS),
        lambda: sg.check(OUTER, ARRAYS),
    ],
)
def test_sizes_are_multiplied_before_anything_is_made(stage: Callable[[], Any]) -> None:
    with pytest.raises(sg.LimitError) as caught:
        stage()
    assert f"{4000**3} entries, more than" in caught.value.message
    assert caught.value.span is not None and caught.value.span.line == 4


def test_a_size_is_a_sum_of_so_many() -> None:
    names = [f"N{k}" for k in range(MAX_SUM + 1)]
    assert len(terms(plus(*names[:-1]))) == MAX_SUM
    with pytest.raises(sg.LimitError, match=f"the limit is {MAX_SUM}"):
        plus(*names)
    declared = "\n".join(f"x{k}: param[{n}]" for k, n in enumerate(names))
    listed = ", ".join(f"x{k}" for k in range(len(names)))
    with pytest.raises(sg.LimitError, match="is a sum of") as caught:
        sg.parse(f"{declared}\nsum(concatenate([{listed}]))")
    assert caught.value.span is not None and caught.value.span.line == len(names) + 1


@pytest.mark.parametrize(
    "size",
    [
        " + ".join(["N"] * 50_000),
        " + ".join(f"N{k}" for k in range(50_000)),
        "(" * 5000 + "N" + ")//2" * 5000,
        "9" * 100_000 + "*N",
        "N//" + "9" * 100_000,
        "(" * 5000,
    ],
)
def test_what_is_no_size_is_told_at_once(size: str) -> None:
    assert not proper(size)
