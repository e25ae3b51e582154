"""The JavaScript target agrees with backprop: values, gradients, contributions, locals."""

import importlib.util
import json
import math
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.javascript import MOST, Script, javascript
from symgrad.codegen.javascript.spellings import FUNCTIONS, SPELLINGS, called, literal
from symgrad.ops import OPS
from symgrad.ops.spec import bounds

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
    if bounds(row)[0] - len(row.defaults) == 1
    and (row.shape, row.dtype, row.hidden) == ("elementwise", "float", False)
)


@pytest.mark.parametrize("x", [0.37, -1.3, 0.0, 2.5, 30.0, -45.0, math.nan])
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
        ("A: data[N, N]; sum(inv(A))", "JavaScript has no word for inv"),
        ("X: data[N]; 2*X", "its output is an array"),
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


# -- arrays ----------------------------------------------------------------------------------

Tables = dict[str, dict[str, Any]]


def spelled(value: Any) -> Any:
    """Write a point as the script takes it."""
    array = np.asarray(value, dtype=float)
    entries = array.ravel().tolist()
    return {"s": list(array.shape), "d": entries} if array.shape else entries[0]


def unpacked(found: Any) -> Any:
    if isinstance(found, dict) and set(found) == {"s", "d"}:
        return np.array([float(x) for x in found["d"]]).reshape([int(n) for n in found["s"]])
    return {k: unpacked(x) for k, x in found.items()} if isinstance(found, dict) else float(found)


def arrays_run(cases: list[tuple[str, dict[str, Any]]], folder: Path) -> list[Tables]:
    """Run the scripts of programs with arrays in Node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not here")
    runs = []
    for text, at in cases:
        script = javascript(sg.parse(text))
        assert script.reason == "", (text, script.reason)
        point = json.dumps({k: spelled(v) for k, v in at.items()})
        runs.append(f"(() => {{ {script.source}\nreturn compute({point}); }})()")
    text = '"use strict";\nconst key = (k, x) => (typeof x === "number" ? '
    text += "(Object.is(x, -0) ? '-0' : String(x)) : x);\n"
    text += "console.log(JSON.stringify([" + ",\n".join(runs) + "], key));\n"
    file = folder / "arrays.js"
    file.write_text(text, encoding="utf-8")
    done = subprocess.run([node, str(file)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return [unpacked(one) for one in json.loads(done.stdout)]


def array_differences(text: str, at: dict[str, Any], got: Tables) -> list[str]:
    graph = sg.parse(text)
    b = sg.backprop(graph, at)
    order = graph.order()
    edges = [(n, k) for n in order for k in range(len(n.args))]
    plain = [not n.shape and not any(a.shape for a in n.args) for n, _ in edges]
    tables: dict[str, dict[int, Any]] = {
        "v": {i: b.values[n] for i, n in enumerate(order) if n in b.values},
        "g": {i: b.grads[n] for i, n in enumerate(order) if n in b.grads},
        "c": {i: b.contributions[e] for i, e in enumerate(edges) if e in b.contributions},
        "l": {
            i: b.local[e] for i, e in enumerate(edges) if e in b.contributions and plain[i]
        },
    }  # fmt: skip
    wrong = []
    for name, table in tables.items():
        assert {str(i) for i in table} <= got[name].keys(), (text, name)
        for i, there in table.items():
            here = np.asarray(got[name][str(i)], dtype=float)
            there = np.asarray(there, dtype=float)
            size = np.abs(there[np.isfinite(there)]).max(initial=1.0)
            same = here.shape == there.shape and np.allclose(
                here, there, rtol=1e-12, atol=1e-12 * size, equal_nan=True
            )
            if not same:
                wrong.append(f"{text}: {name}{i} is {here}, not {there}")
    return wrong


GALLERY = Path(__file__).parents[2] / "examples" / "make_gallery.py"
SHAPES = {
    "X": (4, 3), "W": (3, 2), "V": (2, 3), "b": (2,), "c": (3,), "u": (4,), "r": (4, 1),
    "T": (2, 3, 4), "S": (3, 3),
}  # fmt: skip
ROOM = np.random.RandomState(3)
POOL: dict[str, Any] = {name: ROOM.normal(size=size).round(2) for name, size in SHAPES.items()}
POOL |= {"lam": 0.3, "k": [2, 0, 1, 1], "p": [0, 1], "y": np.eye(3)[[2, 0, 1, 1]]}
KINDS = {"k": "labels[4, 3]", "p": "labels[2, 3]", "y": "onehot[4, 3]", "lam": "real"}
PROGRAMS = """\
L = mean((X @ W + b)**2)
L = cross_entropy(X, k)
L = cross_entropy(relu(X @ W) @ V + c, y)
L = sum(softmax(X)*X) + lam*sum(W**2)
P = softmax(X); l[i] = -log(P[i, k[i]]); L = mean(l)
L = nll(log_softmax(X), k)
L = mse(relu(X @ S) @ S + X, y)
L = sum(logsumexp(X, axis=1)**2) + logsumexp(X)
L = sum(max(X, axis=0)*c) + min(X)
L = sum(X.T @ X*S)
L = sum(outer(b, c) * V)
L = u @ X @ c
L = (c @ S) @ c
L = sum(T * X.T[None, :, :]) + mean(T, axis=(0, 2)) @ c
L = sum(X[1:, ::2]**2) + X[0, 0]*X[-1, -1]
L = sum(X[::-1]*X)
L = sum(reshape(X, (3, 4))**3) + norm(X)
L = sum(concatenate((X, r), axis=1)**2) + sum(stack((b, b*b))**2)
L = sum(take(S, k, axis=0)*X)
L = sum(cumsum(X, axis=0)*X)
L = prod(c) + sum(prod(X, axis=1)**2)
L = einsum("ij,jk->", X, W) + sum(einsum("ij,ij->i", X, X)**2)
L = trace(S @ S) + sum(diag(S)*c) + sum(diag(c) @ S)
L = sum(correlate(u, b)**2) + sum(convolve(u, c)*convolve(u, c)) + sum(convolve(u, b, "same")**2)
mu = mean(X, axis=0); s2 = var(X, axis=0); L = sum(((X - mu)/sqrt(s2 + 1e-5))**3)
L = sum(batch_norm(X, c, c)**3) + sum(layer_norm(X)**3) + std(X)
L = sum(where(X > 0, X**2, 0.1*X)) + sum(abs(X)) + sum(clip(X, -0.5, 0.5))
L = bce(sigmoid(X @ c), abs(u)/5) + bce_with_logits(X @ c, abs(u)/5)
L = huber(X, y) + l1(X, y) + svm(X, k) + hinge(u, sign(X @ c))
L = sum(maximum(X @ W, b)) + sum(minimum(X, r)*X)
L = sum(tanh(X/(1 + r**2))) + sum(gelu(X)) + sum(erf(X)) + sum(X/lam)
L = kl(softmax(c), softmax(2*c)) + entropy(softmax(c))
L = sum(sqrt(relu(X))) + sum(exp(-X**2))
L = sum(cosine_similarity(X, y)) + sum(softmax(X, axis=0)*X)
L = sum(T @ X @ W)
L = sum((X @ S)[:, 0]*u) + lam
q = lam*2; L = q*sum(c) + q**2*max(c)
L = sum(relu6(5*X)) + sum(X**2 > 1) + sum(silu(X)*(X > 0))
L = sum(V[:, k]**2)
q[i, j] = sum(W[a, b]*X[i+a, j+b] for a in 3 for b in 2); L = sum(q**3)
q[i, j] = sum(X[i+2*a, 2*j]*c[a] for a in range(2)); L = sum(q**3)
L = sum(swish(X)) + sum(leaky_relu(X)) + sum(elu(X)) + sum(softplus(X))"""


def with_inputs(line: str) -> tuple[str, dict[str, Any]]:
    """Declare what a line of the list uses, and give it numbers."""
    words = dict.fromkeys(re.findall(r"\b\w+\b", line))
    used = [w for w in POOL if w in words]
    sizes = {n: f"real[{', '.join(map(str, s))}]" for n, s in SHAPES.items()} | KINDS
    declared = "; ".join(f"{n}: {sizes[n]}" for n in used)
    return f"{declared}\n{line.replace('; ', chr(10))}", {n: POOL[n] for n in used}


def gallery() -> list[tuple[str, dict[str, Any]]]:
    spec = importlib.util.spec_from_file_location("make_gallery_for_scripts", GALLERY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    residual = {
        "x": POOL["X"], "t": POOL["y"], "W1": POOL["S"], "W2": POOL["S"].T,
    }  # fmt: skip
    return [
        (module.XOR_NET, module.XOR),
        (module.BLOCK, module.BLOCK_AT),
        (module.RESIDUAL, residual),
        ("A: real[N, D]; r: real[D]; L = sum((A + r)**2)", {"A": POOL["X"], "r": POOL["c"]}),
        ("x: data[N]; L = sum(x[1:]*x[:-1])/N", {"x": POOL["u"]}),
    ]


def test_programs_with_arrays(tmp_path: Path) -> None:
    """Values, gradients and what flows along every edge, and the lecture's networks."""
    cases = [with_inputs(line) for line in PROGRAMS.splitlines()] + gallery()
    assert len(cases) >= 45
    found = arrays_run(cases, tmp_path)
    wrong = [
        w for (t, at), got in zip(cases, found, strict=True) for w in array_differences(t, at, got)
    ]
    assert not wrong, "\n".join(wrong[:6])


def test_arrays_without_numbers(tmp_path: Path) -> None:
    """0 times an infinite slope is 0, entry by entry, as in backprop."""
    cases: list[tuple[str, dict[str, Any]]] = [
        ("x: real[3]; sum(where(x > 0, sqrt(x), 0))", {"x": [-4, 0, 4]}),
        ("x: real[3]; sum(sqrt(x**2))", {"x": [0, 1, -1]}),
        ("x: real[2]; sum(log(x))", {"x": [0, -1]}),
        ("x: real[2]; sum(x*log(x))", {"x": [0, 1]}),
    ]
    found = arrays_run(cases, tmp_path)
    wrong = [
        w for (t, at), got in zip(cases, found, strict=True) for w in array_differences(t, at, got)
    ]
    assert not wrong, "\n".join(wrong)


def test_slopes_of_gates_that_switch(tmp_path: Path) -> None:
    (got,) = arrays_run([("x: real[3]; h = relu(x); sum(tanh(h))", {"x": [-1, 2, 9]})], tmp_path)
    relu, tanh = got["s"].values()
    assert relu.tolist() == [0, 1, 1]
    assert tanh.tolist() == pytest.approx([1, 1 - np.tanh(2) ** 2, 1 - np.tanh(9) ** 2])
