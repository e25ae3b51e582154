"""Derivations of equalities: every line follows, and docs/derivations.md is up to date."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

import symgrad as sg
from symgrad.formula.equality.chain import DIRECT, Line, neighbours
from symgrad.formula.equality.decide import prove
from symgrad.formula.equality.flat import key
from symgrad.formula.equality.hints import agree
from symgrad.graph import Graph

ROOT = Path(__file__).parents[2]


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_derivations", ROOT / "examples" / "make_derivations.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MAKER = maker()
CLAIMS = MAKER.IDENTITIES
MORE = [
    ("", "prelu(x, 0.25)", "max(0.25*x, x)"),
    ("", "abs(x)", "max(x, -x)"),
    ("", "silu(x)", "x*(1 + tanh(x/2))/2"),
    ("", "log(1/(1 + exp(-x)))", "-softplus(-x)"),
    ("x: real[C]", "logsumexp(x)", "max(x) + logsumexp(x - max(x))"),
    ("p: real[N]; t: real[N]", "mse(p, t)", "(p @ p - 2*p @ t + t @ t)/N"),
    ("s: real[N, C]; c: real[N]", "softmax(s + c[:, None])", "softmax(s)"),
    ("W1: real[H, D]; W2: real[C, H]; W3: real[K, C]; x: real[D]", "W3 @ (W2 @ (W1 @ x))",
     "(W3 @ W2 @ W1) @ x"),
]  # fmt: skip


def steps(declared: str, left: str, right: str) -> tuple[Line, ...]:
    found = sg.equal("; ".join(filter(None, (declared, left))), right, steps=True)
    assert found.proved
    return found.steps


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.title)
def test_every_line_follows(claim: tuple[str, str, str, str, str]) -> None:
    _, _, declared, left, right = claim
    check(declared, left, right)


@pytest.mark.parametrize(("declared", "left", "right"), MORE)
def test_more_derivations(declared: str, left: str, right: str) -> None:
    check(declared, left, right)


def check(declared: str, left: str, right: str) -> None:
    lines = steps(declared, left, right)
    ends = [sg.parse("\n".join((declared, side))).output for side in (left, right)]
    assert [lines[0].node, lines[-1].node] == ends
    assert len(lines) > 1 and DIRECT not in [line.rule for line in lines]
    for a, b in pairwise(lines):
        assert agree(a.node, b.node, Graph.of([a.node, b.node])), (a.text, b.text)
        proof = prove(a.node, b.node, {}, {})
        assert proof is None or not proof.almost
        assert b.rule and key(a.node) != key(b.node)


def test_where_no_path_is_found_nothing_is_made_up() -> None:
    found = sg.equal("x: real; erf(x)*0 + sinc(x)", "sin(pi*x)/(pi*x)*(1 + 0*erf(x))", steps=True)
    assert found.proved
    assert [line.rule for line in found.steps] in ([], ["", DIRECT]) or len(found.steps) > 2
    assert sg.equal("x", "2*x", steps=True).steps == ()


PROGRAMS = [
    "tanh(x)*exp(x + y)/(1 + exp(-x))",
    "log(x*y/(1 + x))",
    "(x + y)**2*(x - y)/(x + y)",
    "softmax(s)[0]*sum(s + 1)",
    "bce(sigmoid(x), y)",
    "max(x, y) - min(0.5*x, x)",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_law_keeps_the_value(program: str) -> None:
    root = sg.parse(f"s: real[2]\n{program}").output
    seen = {root: "as it was typed"}
    for _ in range(2):  # laws, and laws of what they have made
        for node in list(seen):
            for image, law in neighbours(node, known=True):
                seen.setdefault(image, law.name)
    for node, name in list(seen.items())[:120]:
        assert agree(root, node, Graph.of([root, node]), 4), (name, node)
    assert len(seen) > 1


def test_notations() -> None:
    found = sg.equal("tanh(x)", "2*sigmoid(2*x) - 1", steps=True)
    assert str(found).startswith("  tanh(x)\n= (exp(x) − exp(−x))/(exp(x) + exp(−x))")
    assert found.latex().startswith("\\begin{align*}\n\\tanh(x) &= \\frac{")
    assert found.markdown().startswith("$$\n\\begin{aligned}\n\\tanh(x) &= ")
    assert r"\text{multiply above and below by $e^{-x}$}" in found.latex()


def test_associativity_is_visible() -> None:
    found = sg.equal("A: real[N, N]; x: real[N]; A @ (A @ x)", "(A @ A) @ x", steps=True)
    assert [line.text for line in found.steps] == ["A (A x)", "(A A) x"]


def test_the_committed_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "derivations.md").read_bytes()
    assert written == MAKER.page().encode(), "run: python examples/make_derivations.py"
