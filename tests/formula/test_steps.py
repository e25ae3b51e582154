"""Derivations: every line true, the last one the answer, factors, reasons, numbers, stages."""

import dataclasses
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.formula import report
from symgrad.formula.notation import Notation
from symgrad.ops import OPS

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))

import make_gallery  # noqa: E402

NET = """\
phi: function
net1 = w1*x1 + b1
u1 = phi(net1)
net = w*u1 + b
y = phi(net)
E = (y - d)**2/2
"""
BATCH_NORM = """\
x: param[m]; gamma: param; beta: param; c: data[m]; eps: positive
mu = mean(x)
sigma2 = mean((x - mu)**2)
x_hat = (x - mu)/sqrt(sigma2 + eps)
y = gamma*x_hat + beta
l = sum(c*y)
"""
BATCHES = """\
X: param[N, D]; gamma: param[D]; beta: param[D]; T: data[N, D]
mu = mean(X, axis=0)
v = mean((X - mu)**2, axis=0)
X_hat = (X - mu)/sqrt(v + 0.001)
Y = gamma*X_hat + beta
L = sum((Y - T)**2)/2
"""
DEEP = """\
X: data[N, D]; t: labels[N, C]
W1: param[D, H]; b1: param[H]; W2: param[H, H]; b2: param[H]; W3: param[H, C]; b3: param[C]
h1 = tanh(X @ W1 + b1)
h2 = relu(h1 @ W2 + b2)
s = h2 @ W3 + b3
loss = cross_entropy(s, t) + lam*sum(W1**2)
"""
PROGRAMS: dict[str, tuple[str, Any]] = {
    "net": (NET, None),
    "batch norm": (BATCH_NORM, None),
    "batches": (BATCHES, None),
    "deep": (DEEP, None),
    "svm": ("X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\nS = X @ W\nL = svm(S, y)", None),
    "hinge": ("y: sign\nf = w*x + b\nL = max(0, 1 - y*f)", ["w", "b", "f"]),
    "logistic": ("y: sign\nf = w*x + b\nL = log(1 + exp(-y*f))", ["w", "b", "f"]),
    "one-hot": ("X: data[N, D]\nY: onehot[N, C]\nW: param[D, C]\nL = cross_entropy(X@W, Y)", None),
    "squares": ("a = x**2\nb = sin(a)*x\nL = b/a + a", None),
    "cases": ("where(x > 1, log(x - 1), where(x > 0, sqrt(x), 2*x))", None),
    "flat": ("x: data[N]; sum(floor(x)*2)", ["x"]),
    "unrelated": ("u: param; v: param; u*2", None),
    "quadratic": ("A: symmetric[D, D]\nx: param[D]\nL = x @ A @ x", None),
    "vector": ("x: data[D]\nW1: param[H, D]\nW2: param[K, H]\nt: data[K]\nh = tanh(W1 @ x)\n"
               "y = W2 @ h\nL = sum((y - t)**2)/2", None),
}  # fmt: skip


@cache
def programs() -> dict[str, tuple[str, Any]]:
    """Collect the programs of the gallery, the worked examples, the examples and this file."""
    found = dict(PROGRAMS)
    for entry in make_gallery.GALLERY:
        found[f"gallery {entry.name}"] = entry.source, entry.wrt and list(entry.wrt)
    for path in sorted((ROOT / "examples").glob("*.sg")):
        found[path.name] = path.read_text(encoding="utf-8"), None
    space: dict[str, Any] = {}
    worked = ROOT / "tests" / "test_worked_examples.py"
    space["__name__"] = "worked"
    sys.modules.setdefault("worked", type(sys)("worked"))
    exec(compile(worked.read_text(encoding="utf-8"), str(worked), "exec"), space)
    for name, example in space["EXAMPLES"].items():
        found[name] = example.text, list(example.grads) or None
    for name, (text, forms) in space["CLOSED"].items():
        found[f"closed {name}"] = text, list(forms)
    return found


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Let losses that warn about their gradient be differentiated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.SymgradWarning)
        yield


@pytest.mark.parametrize("name", programs())
def test_every_line_is_true_and_the_last_one_is_the_answer(name: str) -> None:
    text, wrt = programs()[name]
    for formula in sg.gradient(text, wrt).values():
        for detail in (1, 2, 3):
            steps = formula.steps(detail)
            assert all(step.checked <= 1e-7 for step in steps), formula.wrt
            last = steps[-1]
            assert (last.before, last.after) == (formula.head, formula.unicode())
            assert (last.latex_before, last.latex_after) == (formula.latex_head, formula.latex())
            for step in steps:
                assert step.rule and step.why and "\0" not in step.after + step.latex_marked
                assert step.latex_marked.count("{") == step.latex_marked.count("}")


MUTATIONS = {
    "sigmoid": (("g*y*(1 + y)",), "p = sigmoid(w*x)\nL = (p - y)**2"),
    "tanh": (("g*(1 - y)",), "h = tanh(w*x)\nL = (h - t)**2"),
    "log": (("g/a**2",), "z = w*x\np = sigmoid(z)\nL = -log(p)"),
    "sum": (("spread(g, a, axis, keepdims)/2",), "w: param[N]; L = sum(w**2)"),
    "matmul": ((OPS["matmul"].vjp[0], {**dict(OPS["matmul"].vjp[1] or {}), "22": "2*(a.T @ g)"}),  # type: ignore[arg-type]
               "X: data[N, D]\nw: param[D, K]\nL = sum(tanh(X @ w))"),
}  # fmt: skip


@pytest.mark.parametrize("op", MUTATIONS)
def test_a_wrong_rule_is_found_when_the_line_is_made(op: str, registries: None) -> None:
    rule, text = MUTATIONS[op]
    assert sg.gradient(text, "w")["w"].steps()
    OPS[op] = dataclasses.replace(OPS[op], vjp=rule)
    with pytest.raises(sg.SymgradError, match="this step is not true"):
        sg.gradient(text, "w")["w"].steps()


def test_a_wrong_simplification_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from symgrad.formula.stepping import stages
    from symgrad.ops import const, make

    formula = sg.gradient("p = sigmoid(z)\nL = (p - y)**2", "z")["z"]
    short = stages.Stages.short
    monkeypatch.setattr(
        stages.Stages, "short", lambda self, node: make("add", short(self, node), const(1))
    )
    with pytest.raises(sg.SymgradError, match="∂L/∂p"):
        formula.steps()


def lines(text: str, wrt: str, **options: Any) -> list[str]:
    return [f"{s.before} = {s.after}" for s in sg.gradient(text, wrt)[wrt].steps(**options)]


def test_the_chain_rule_shows_its_factors() -> None:
    steps = sg.gradient("x = t**2\ny = 3*t\nL = x*y", "t")["t"].steps()
    chain = next(s for s in steps if s.before == "∂L/∂t")
    assert chain.rule == "chain rule" and chain.after == "∂L/∂y · 3 + ∂L/∂x · 2t"
    assert [(f.upstream, f.local) for f in chain.factors] == [("∂L/∂y", "3"), ("∂L/∂x", "2t")]
    assert (chain.upstream, chain.local) == ("∂L/∂y, ∂L/∂x", "3, 2t")
    assert chain.latex_marked.startswith(
        r"\textcolor{red}{\frac{\partial L}{\partial y}} \cdot \textcolor{blue}{3} + "
    )
    assert "added up" in chain.why
    weights = sg.gradient(PROGRAMS["one-hot"][0], "W")["W"].steps()
    product = next(s for s in weights if s.before == "∂L/∂W")
    assert product.after.startswith("Xᵀ ∂L/∂") and product.local == "Xᵀ(·)"
    wrapped = r"\textcolor{blue}{X^{\top} \textcolor{red}{\frac{\partial L}{\partial "
    assert product.latex_marked.startswith(wrapped)
    sigmoid = sg.gradient("p = sigmoid(z)\nL = (p - y)**2", "z")["z"].steps()[-2]
    assert sigmoid.after == "∂L/∂p · p(1 − p)" and "σ′ = σ(1 − σ)" in sigmoid.why


def test_reasons_are_the_facts_that_were_used() -> None:
    def rules(kind: str) -> list[str]:
        text = f"X: data[N, D]\nY: {kind}[N, C]\nW: param[D, C]\nL = cross_entropy(X @ W, Y)"
        return [s.rule for s in sg.gradient(text, "W")["W"].steps()]

    assert "the rows of Y sum to 1" in rules("onehot") and "the rows of Y sum to 1" in rules(
        "simplex"
    )
    assert not any("sum to 1" in rule for rule in rules("real"))
    cancelled = sg.gradient("z: real; y: real\np = sigmoid(z)\nL = bce(p, y)", "z")["z"].steps()
    assert [s.rule for s in cancelled][-2:] == ["fill in", "cancel"]
    facts = [s.rule for s in sg.gradient(BATCH_NORM, "x")["x"].steps()]
    assert "deviations from the mean sum to 0" in facts


def test_levels() -> None:
    formula = sg.gradient(PROGRAMS["vector"][0], "W1")["W1"]
    one, two, three = (formula.steps(k) for k in (1, 2, 3))
    assert len(one) < len(two) < len(three)
    assert not any("v₁" in s.after for s in one) and any("v₁" in s.after for s in two)
    assert any("∂h/∂v₁" in s.after for s in three)
    raw = sg.gradient("z: real; y: real\np = sigmoid(z)\nL = bce(p, y)", "z")["z"].steps(3)
    assert "local derivatives" in [s.rule for s in raw]
    for detail in (0, 4, "2", None, True):
        with pytest.raises(sg.UsageError, match="detail"):
            formula.steps(detail)  # type: ignore[arg-type]


def test_batch_normalisation_in_its_six_stages() -> None:
    found = lines(BATCH_NORM, "x")
    for line in (
        "∂l/∂x̂ = ∂l/∂y · γ",
        "∂l/∂σ² = (∂l/∂x̂)ᵀ(μ − x)/(2(σ² + ε)^(3/2))",
        "∂l/∂μ = −Σ(∂l/∂x̂)/√(σ² + ε) + ∂l/∂σ² · 2Σ(μ − x)/m",
        "∂l/∂x = ∂l/∂x̂ · 1/√(σ² + ε) + ∂l/∂σ² · 2(x − μ)/m + ∂l/∂μ · 1/m",
    ):
        assert line in found, line
    assert found[-1] == "∂l/∂x = γ(m c − Σ(c) − x̂(cᵀ x̂))/(m √(σ² + ε))"
    assert "∂l/∂γ = (∂l/∂y)ᵀ x̂" in lines(BATCH_NORM, "gamma")
    assert "∂l/∂β = Σ(∂l/∂y)" in lines(BATCH_NORM, "beta")
    merged = lines(BATCH_NORM, "x", staged=False)
    assert not any(line.startswith("∂l/∂μ") for line in merged) and merged[-1] == found[-1]
    assert any(
        line.startswith("∂L/∂mu") or line.startswith("∂L/∂μ") for line in lines(BATCHES, "X")
    )


def test_stages_are_the_users_names() -> None:
    staged = "u = exp(s)\nq = u + 1\np = u/q\nL = -log(p)"
    heads = [s.before for s in sg.gradient(staged, "s")["s"].steps()]
    assert {"∂L/∂p", "∂L/∂q", "∂L/∂u", "∂L/∂s"} <= set(heads)
    merged = [s.before for s in sg.gradient(staged, "s")["s"].steps(staged=False)]
    assert "∂L/∂q" not in merged


def test_delta_rule() -> None:
    found = lines(NET, "w1", delta=True)
    for line in ("∂E/∂net = δ", "∂E/∂u₁ = δ · w", "∂E/∂net₁ = δ₁", "∂E/∂w₁ = δ₁ · x₁"):
        assert line in found, line
    assert found[-1] == "∂E/∂w₁ = (y − d) φ′(net) w φ′(net₁) x₁"
    named = lines(NET, "w1", delta={"net": "e_out"})
    assert "∂E/∂net = e_out" in named and "∂E/∂u₁ = e_out · w" in named
    with pytest.raises(sg.UsageError, match="no value of this program"):
        lines(NET, "w1", delta={"nets": "delta"})
    with pytest.raises(sg.UsageError, match="cannot be shown"):
        lines(NET, "w1", delta={"net": "a b"})
    hidden = lines(PROGRAMS["vector"][0], "W1", delta=True)
    assert "∂L/∂W₁ = δ₁ xᵀ" in hidden or "∂L/∂W₁ = δ xᵀ" in hidden


# -- numbers ---------------------------------------------------------------------------------


def test_numbers_of_the_lectures() -> None:
    at = {"x": -2, "y": 5, "z": -4}
    q = sg.gradient("q = x + y\nf = q*z", "x")["x"].steps(at=at)
    assert [s.numbers for s in q] == ["= −2 + 5 = 3", "= 3(−4) = −12", "", "= −4", "= (−4)·1 = −4",
                                      "= −4"]  # fmt: skip
    fork = sg.gradient("x = t**2\ny = 3*t\nL = x*y", "t")["t"].steps(at={"t": 2})
    assert [s.numbers for s in fork][-3:] == ["= 4·3 + 6·4 = 36", "= 4·3 + 6(2·2) = 36",
                                              "= 3·4 + 2·6·2 = 36"]  # fmt: skip
    softmax = sg.gradient("s: real[3]\ny: label[3]\nL = cross_entropy(s, y)", "s")["s"]
    last = softmax.steps(at={"s": [3.2, 5.1, -1.7], "y": 0})[-1]
    assert last.numbers.endswith("≈ [−0.87, 0.869, 0.0009679]")
    large = sg.gradient("x: param[40]; L = sum(x**2)", "x")["x"].steps(at={"x": np.ones(40)})
    assert large[-1].numbers == "= [40]" and large[-1].latex_numbers == "= [40]"
    with pytest.raises(sg.DataError, match="no value"):
        softmax.steps(at={"y": 0})


def scalar_gallery() -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        (e.name, e.source, e.at)
        for e in make_gallery.GALLERY
        if e.at and all(isinstance(v, int | float) for v in e.at.values())
    ]


@pytest.mark.parametrize(("name", "text", "at"), scalar_gallery())
def test_printed_arithmetic_closes(name: str, text: str, at: Mapping[str, Any]) -> None:
    """Evaluate what is printed, with the digits that are printed."""
    space = {"σ": lambda v: 1 / (1 + np.exp(-v)), "log": np.log, "exp": np.exp}
    space |= {"max": max, "ReLU": lambda v: max(v, 0.0)}
    shown = 0
    for formula in sg.gradient(text).values():
        for step in formula.steps(3, at=at):
            parts = re.split(r" ?([=≈]) ", " " + step.numbers)[1:]
            if len(parts) != 4 or "bce" in step.numbers or "softplus" in step.numbers:
                continue
            shown += 1
            python = re.sub(r"(?<![\d.])1\[([^\]]*)\]", r"(\1)", parts[1])
            for sign, typed in (("−", "-"), ("·", "*"), ("²", "**2"), ("≥", ">="), ("≤", "<=")):
                python = python.replace(sign, typed)
            python = re.sub(r"(?<=[\d)])\s*(?=\()|(?<=[\d)]) (?=[\dσle])", "*", python)
            value = eval(python, dict(space))
            result = float(parts[3].replace("−", "-"))
            exact = parts[0] == parts[2] == "="
            close = 1e-12 if exact else 3e-3 * max(1, abs(result))
            assert abs(value - result) <= close, step.numbers
    assert shown


# -- layout ----------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_derivations_as_golden(golden: Callable[[str, str], None]) -> None:
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("batch norm", BATCH_NORM, "x", {"detail": 1}),
        ("delta rule", NET, "w1", {"delta": True}),
        ("all details", "z: real; y: binary\np = sigmoid(z)\nL = bce(p, y)", "z", {"detail": 3}),
        ("numbers", "z = w*x + b\np = sigmoid(z)\nL = bce(p, y)", "w",
         {"at": {"w": 0.5, "x": 2, "b": -0.3, "y": 1}}),
        ("one-hot", PROGRAMS["one-hot"][0], "W", {}),
        ("svm", PROGRAMS["svm"][0], "W", {}),
        ("numerator", PROGRAMS["vector"][0], "W1",
         {"notation": Notation(loss="E", layout="numerator", layers="bracket", names={"t": "d"})}),
        ("rows", PROGRAMS["vector"][0], "W1", {"notation": Notation(vectors="row")}),
    ]  # fmt: skip
    parts = []
    for title, text, wrt, options in asked:
        for to in ("unicode", "latex", "markdown"):
            derivation = report.steps(sg.gradient(text, wrt)[wrt], to, **options)
            parts.append(f"# {title}, {to}\n{derivation}")
    golden("derivations.txt", "\n\n".join(parts) + "\n")


@pytest.mark.no_cover
def test_steps_are_fast() -> None:
    formula = sg.gradient(PROGRAMS["vector"][0], "W1")["W1"]
    formula.steps()
    start = time.perf_counter()
    formula.steps()
    assert time.perf_counter() - start < 1
    chain = "\n".join(["h0 = x", *(f"h{k + 1} = tanh(w*h{k})" for k in range(60))])
    start = time.perf_counter()
    steps = sg.gradient(chain, "w")["w"].steps()
    assert time.perf_counter() - start < 20 and len(steps) > 100
