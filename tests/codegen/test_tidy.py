"""Generated modules as a reviewer reads them: no name is left over, no type changes on the way."""

import ast
import sys
from collections import Counter
from typing import Any, ClassVar

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_module import PROGRAMS, at_random

MORE = {
    "chain": "x: param[n]; a: param; b: param\nsum(softplus(a*x)*tanh(b*x) + silu(x)*exp(-x**2))",
    "tails": "x: param[n]\nsum(gelu_tanh(x) + mish(x)*gelu(x))",
    "products": "u: param[n]; v: data[n]; w: param[n]; s: param\nsum(u*v*w*s)",
    "attention": "Q: param[T, K]; A: param[T, K]; V: param[T, M]; Y: data[T, M]\n"
    "P = softmax(Q @ A.T/sqrt(K))\nmean((P @ V - Y)**2)",
    "norm2": "X: data[N, D]; y: labels[N, C]; W1: param[D, H]; g: param[H]; b: param[H]\n"
    "W2: param[H, C]\nz = X @ W1\nm = mean(z, axis=0)\n"
    "h = relu(g*(z - m)/sqrt(mean((z - m)**2, axis=0) + 1e-5) + b)\ncross_entropy(h @ W2, y)",
    "sums": "x: param[n]; y: labels[n, C]; w: data[C]\n"
    "m[c] = sum(x[i] for i in n if y[i] == c)\nsum(w*m**2)",
}


def left_over(source: str) -> list[str]:
    """List what a module defines and nothing in it reads."""
    tree = ast.parse(source)
    read = Counter(n.id for n in ast.walk(tree) if _named(n, ast.Load))
    found = [name for s in tree.body for name in _defined(s) if not read[name]]
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        own = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
        inside = {n.id for n in own if _named(n, ast.Load)}
        found += [n.id for n in own if n.id not in (*inside, "_", "rows")]
    return [name for name in found if not name.startswith("value")]


def _named(node: ast.AST, context: type[ast.expr_context]) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, context)


def _defined(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [t.id for t in statement.targets if isinstance(t, ast.Name)]
    named = statement.names if isinstance(statement, ast.Import | ast.ImportFrom) else []
    return [(n.asname or n.name).split(".")[0] for n in named]


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", [*PROGRAMS, *MORE])
def test_all_that_a_module_defines_is_read(name: str, style: str) -> None:
    text = {**PROGRAMS, **MORE}[name]
    for accurate in (False, True):
        for dtype in ("float64", "float32"):
            f = sg.compile(text, style=style, accurate=accurate, dtype=dtype)
            assert left_over(f.source) == []


@pytest.mark.parametrize("name", ["net", "norm2", "chain"])
def test_so_is_it_with_threads_and_with_reuse(name: str) -> None:
    text = {**PROGRAMS, **MORE}[name]
    assert left_over(sg.compile(text, reuse=True).source) == []
    assert left_over(sg.compile(text, threads=2).source) == []


def test_a_gradient_has_one_name_in_the_comments_of_both_styles() -> None:
    text = PROGRAMS["net"]
    for style in ("readable", "fast"):
        assert "# ∂loss/∂h = ∂loss/∂s W₂ᵀ" in sg.compile(text, style=style).source


class Spy(np.ndarray):
    """An array that notes when one of another type is made of it."""

    doubles: ClassVar[list[tuple[int, ...]]] = []

    def __array_finalize__(self, made_of: Any) -> None:
        if self.dtype == np.float64 and self.ndim and sys._getframe(1).f_code.co_name in OWN:
            Spy.doubles.append(self.shape)


OWN = ("value_and_grad", "value")
SINGLE = {
    **{k: v for k, v in {**PROGRAMS, **MORE}.items() if k not in ("neuron", "bce", "constant")},
    "lengths": "a: param[n]; b: data[n]; norm(a) + cosine_similarity(a, b)",
}


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", SINGLE)
def test_float32_makes_no_array_of_float64(name: str, style: str, accurate: bool) -> None:
    text = SINGLE[name]
    f = sg.compile(text, dtype="float32", style=style, accurate=accurate)
    space: dict[str, Any] = {}
    exec(f.source, space)
    numpy = type("numpy", (), {"__getattr__": lambda self, name: getattr(np, name)})()
    numpy.asarray = lambda a, *given, **named: np.asarray(a, *given, **named).view(Spy)
    space["np"] = numpy
    Spy.doubles.clear()
    value, _ = space["value_and_grad"](**at_random(text, np.float32))
    assert value.dtype == np.float32 and Spy.doubles == []
