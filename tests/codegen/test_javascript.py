"""The JavaScript target agrees with backprop: values, gradients, contributions, locals."""

import json
import math
import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import symgrad as sg
from symgrad.codegen.javascript import MOST, Script, javascript
from symgrad.codegen.spellings import FUNCTIONS, SPELLINGS, called, literal
from symgrad.ops import OPS

CHROMIUM = "/usr/bin/chromium"
Numbers = dict[str, dict[str, float]]
Run = Callable[[list[tuple[str, dict[str, float]]]], list[Numbers]]


def _program(cases: list[tuple[str, dict[str, float]]]) -> str:
    """Write one expression that runs all cases; JSON has no NaN, so numbers travel as text."""
    spelled = "(key, x) => typeof x === 'number' ? (Object.is(x, -0) ? '-0' : String(x)) : x"
    runs = ",\n".join(
        f"(() => {{ {text}\nreturn compute({json.dumps(at)}); }})()" for text, at in cases
    )
    return f"JSON.stringify([{runs}], {spelled})"


def _read(text: str) -> list[Numbers]:
    found: list[dict[str, dict[str, str]]] = json.loads(text)
    return [{k: {i: float(x) for i, x in t.items()} for k, t in one.items()} for one in found]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run scripts in Node or, where there is none, in Chromium."""
    node = shutil.which("node")
    folder = tmp_path_factory.mktemp("javascript")
    if node is not None:

        def in_node(cases: list[tuple[str, dict[str, float]]]) -> list[Numbers]:
            file = folder / "cases.js"
            file.write_text(f'"use strict";\nconsole.log({_program(cases)});\n', encoding="utf-8")
            command = [node, str(file)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
            return _read(done.stdout)

        return in_node
    api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("neither Node nor Chromium is here")

    def in_browser(cases: list[tuple[str, dict[str, float]]]) -> list[Numbers]:
        with api.sync_playwright() as p:
            browser = p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            text = browser.new_page().evaluate(_program(cases))
            browser.close()
        return _read(text)

    return in_browser


def close(ours: float, theirs: float) -> bool:
    if math.isnan(theirs) or math.isinf(theirs):
        return repr(ours) == repr(theirs)
    return abs(ours - theirs) <= 1e-12 * max(abs(theirs), 1e-300) or ours == theirs


def differences(text: str, at: dict[str, float], got: Numbers) -> list[str]:
    """List where the numbers of a script differ from those of backprop."""
    graph = sg.parse(text)
    b = sg.backprop(graph, at)
    order = graph.order()
    edges = [(n, k) for n in order for k in range(len(n.args))]
    tables: dict[str, dict[int, Any]] = {
        "v": {i: b.values[n] for i, n in enumerate(order) if n in b.values},
        "g": {i: b.grads[n] for i, n in enumerate(order) if n in b.grads},
        "c": {i: b.contributions[e] for i, e in enumerate(edges) if e in b.contributions},
        "l": {i: b.local[e] for i, e in enumerate(edges) if e in b.contributions},
    }
    wrong = []
    for name, table in tables.items():
        assert {str(i) for i in table} <= got[name].keys(), (text, name)
        wrong += [
            f"{text}: {name}{i} is {got[name][str(i)]!r}, not {float(x)!r}"
            for i, x in table.items()
            if not close(got[name][str(i)], float(x))
        ]
    return wrong


def agree(run: Run, cases: list[tuple[str, dict[str, float]]]) -> None:
    scripts = [(javascript(sg.parse(text)), at) for text, at in cases]
    assert [s.reason for s, _ in scripts] == [""] * len(cases)
    found = run([(s.source, at) for s, at in scripts])
    wrong = [w for (t, at), got in zip(cases, found, strict=True) for w in differences(t, at, got)]
    assert not wrong, "\n".join(wrong)


WORKED = [
    ("(x + y)*z", {"x": -2, "y": 5, "z": -4}),
    ("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}),
    ("(x + y)*max(y, z)", {"x": 1, "y": 2, "z": 0}),
    ("x*x", {"x": 3}),
    ("x = t**2; y = 3*t; L = x*y", {"t": 2}),
    ("w: param; loss = (w*x - t)**2", {"w": 2, "x": 3, "t": 5}),
    ("z: real; y: binary; L = bce(sigmoid(z), y)", {"z": 0.3, "y": 1}),
]


def test_worked_examples(run: Run) -> None:
    agree(run, [(t, {k: float(v) for k, v in at.items()}) for t, at in WORKED])


UNARY = sorted(
    name
    for name, row in OPS.items()
    if row.arity == 1 and row.shape == "elementwise" and not row.hidden and row.dtype == "float"
)


@pytest.mark.parametrize("x", [0.37, -1.3, 0.0, 2.5, 30.0, -45.0])
def test_every_function_of_the_table(run: Run, x: float) -> None:
    """The table is walked, so a new row is tested too."""
    assert len(UNARY) > 30
    agree(run, [(f"{name}(x)*y", {"x": x, "y": 1.5}) for name in UNARY])


def grown(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.1:
        return draw.choice(["x", "y", "z", "x", "y", "z", "2", "0.5", "(-3)", "1e-3"])
    kind = draw.random()
    if kind < 0.5:
        return f"({grown(draw, depth - 1)} {draw.choice('+-*/')} {grown(draw, depth - 1)})"
    if kind < 0.75:
        one = draw.choice(["exp", "sin", "tanh", "sigmoid", "relu", "sqrt", "log", "gelu", "abs"])
        return f"{one}({grown(draw, depth - 1)})"
    if kind < 0.85:
        return f"({grown(draw, depth - 1)})**{draw.choice(['2', '3', '(-1)', '0.5', 'y'])}"
    two = draw.choice(["max", "min", "logaddexp", "where_"])
    a, b = grown(draw, depth - 1), grown(draw, depth - 1)
    return f"where({a} > {b}, {a}, {b}*x)" if two == "where_" else f"{two}({a}, {b})"


def test_random_programs(run: Run) -> None:
    draw = random.Random(7)
    cases = []
    while len(cases) < 80:
        text = f"f = {grown(draw, 4)} + x*y*z"
        cases.append((text, {n: round(draw.uniform(-3, 3), 2) for n in "xyz"}))
    agree(run, cases)


def test_numbers_that_are_none(run: Run) -> None:
    agree(
        run,
        [
            ("1/x + x*0", {"x": 0.0}),
            ("log(x)*x", {"x": 0.0}),
            ("sqrt(x**2)", {"x": 0.0}),
            ("exp(x)*exp(x)", {"x": 800.0}),
            ("(x - y)/(x - y)", {"x": 1.0, "y": 1.0}),
            ("log(x)", {"x": -1.0}),
            ("where(x > 0, sqrt(x), 0)", {"x": -4.0}),
        ],
    )


def test_a_thousand_gates_in_a_row(run: Run) -> None:
    lines = ["h0 = x"] + [f"h{k + 1} = sin(h{k}) + h{k}*0.5" for k in range(400)]
    agree(run, [("; ".join(lines), {"x": 0.3})])


def test_users_keys(run: Run) -> None:
    """A drawing names its nodes and edges itself; parts of an edge add up."""
    graph = sg.parse("y = x*x; y + x")
    x, y = graph.names["x"] if "x" in graph.names else graph.inputs[0], graph.names["y"]
    script = javascript(graph, None, {7: x, 3: y}, {5: [(y, 0), (y, 1)], 9: [(graph.output, 1)]})
    (got,) = run([(script.source, {"x": 3.0})])
    assert got["v"] == {"7": 3.0, "3": 9.0}
    assert got["g"] == {"7": 7.0, "3": 1.0}
    assert got["c"] == {"5": 6.0, "9": 1.0}
    assert '["x", "real", 7]' in script.source


def test_gates_by_themselves(run: Run) -> None:
    """A gate is a function of the drawn nodes that it uses, constants and inner nodes inside."""
    graph = sg.parse("s = 1/(1 + exp(-x)); s**2 + x")
    x, s, out = graph.inputs[0], graph.names["s"], graph.output
    source = javascript(graph, None, {0: x, 1: s, 2: out.args[0], 3: out}).source
    probe = source + "const kept = compute; compute = (at) => ({v: {1: gates[1]({0: 0}), "
    probe += "2: gates[2]({1: 3}), 3: gates[3]({0: 5, 2: 9})}});"
    (got,) = run([(probe.replace("function compute", "let compute = function"), {"x": 1.0})])
    assert got["v"] == {"1": 0.5, "2": 9.0, "3": 14.0}


def test_wanted_gradients_only() -> None:
    script = javascript(sg.parse("w: param; (w*x)**2"))
    assert "g: {0: g0, 2: g2, 4: g4}" in script.source
    some = javascript(sg.parse("x*y"), "x").source
    assert "g: {0: g0, 2: g2}" in some


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("X: data[N]; sum(X)", "X is an array"),
        ("phi: function; phi(x)", "JavaScript has no word for phi"),
        ("; ".join(f"x{k + 1} = x{k} + 1" for k in range(MOST)), f"it has more than {MOST} nodes"),
    ],
)
def test_what_it_cannot_say_has_a_reason(text: str, why: str) -> None:
    assert javascript(sg.parse(text)) == Script("", why)


def test_nodes_of_another_graph_have_a_reason() -> None:
    other = sg.parse("u + v").output
    assert (
        javascript(sg.parse("x*y"), None, {0: other}).reason == "nodes of another graph are drawn"
    )


def test_nothing_of_the_user_but_names() -> None:
    source = javascript(sg.parse("θ = x*2; naïve = θ + y")).source
    assert source.isascii()
    assert "<" not in source.replace("+(", "") or "</" not in source
    assert source == javascript(sg.parse("θ = x*2; naïve = θ + y")).source


def test_spellings_are_of_operators_that_exist() -> None:
    assert set(SPELLINGS) <= set(OPS)
    words = {w for text in SPELLINGS.values() for w in re.findall(r"(?<![.\w])([a-z]\w+)\(", text)}
    assert words <= FUNCTIONS.keys()
    assert called("nothing") == []
    assert [literal(v) for v in (float("nan"), -0.5, 10**20)] == ["NaN", "(-0.5)", "1e+20"]
