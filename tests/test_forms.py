"""The page of closed forms is what is printed today, every formula is right, and it can be set."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import ziamath

import symgrad as sg
from symgrad.autodiff import bound, point
from symgrad.evaluate import bind, values
from symgrad.formula import Formula
from symgrad.indexed.numbers import value
from symgrad.indexed.symbols import below

ROOT = Path(__file__).parents[1]


def load() -> ModuleType:
    path = ROOT / "examples" / "make_forms.py"
    spec = importlib.util.spec_from_file_location("make_forms", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PAGE = load()
ROWS = [(name, text, wrt) for name, text, wrt in [*PAGE.VECTORS, *PAGE.LOSSES, *PAGE.LAYERS]]
ROWS += [(n, t.partition(" # ")[0], t.partition(" # ")[2] or "x") for n, t in PAGE.ACTIVATIONS]


def test_the_committed_page_is_up_to_date() -> None:
    committed = (ROOT / "docs" / "forms.md").read_text(encoding="utf-8")
    assert committed == PAGE.page(), "run: python examples/make_forms.py"


@pytest.mark.parametrize(("name", "text", "wrt"), ROWS, ids=[r[0] for r in ROWS])
def test_right(name: str, text: str, wrt: str) -> None:
    """The matrix form agrees with differences, the entries with the matrix form."""
    graph = sg.parse(text)
    if graph.functions:
        graph = bound(graph, dict.fromkeys(graph.functions, "tanh"))
    at = point(graph, 1)
    free = {k: np.abs(v) * 0.5 + 0.1 for k, v in at.items() if k in ("p", "q", "alpha", "beta")}
    if "simplex" not in text:
        at.update({k: np.clip(v, 0.1, 0.9) for k, v in free.items() if k in at})
    assert sg.check(graph, at, wrt)
    F = sg.gradient(graph, wrt)[wrt]
    known, sizes = bind(graph, at)
    want = np.asarray(values([F.node], known, sizes)[F.node], dtype=float)
    bases = dict.fromkeys(n.args[0] for n in below(F.index.root) if n.op == "entry")
    got = value(F.index.root, F.index.free, values(bases, known, sizes), sizes)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("kind", ["JACOBIANS", "HESSIANS"])
def test_second_order_rows_are_formulas(kind: str) -> None:
    derive = sg.jacobian if kind == "JACOBIANS" else sg.hessian
    for _, text, wrt in getattr(PAGE, kind):
        F = derive(text, wrt)
        assert isinstance(F, Formula)
        for latex in (F.latex(), F.latex("index"), F.latex_head, F.entry_head()):
            ziamath.Latex(latex).svg()
