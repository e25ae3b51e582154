"""The export to SymPy has the numbers of the formula, entry by entry."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import HealthCheck, given, settings
from sympy.printing.pycode import PythonCodePrinter

import symgrad as sg
from symgrad.autodiff import point
from symgrad.cli import main
from symgrad.errors import SymgradError, UsageError
from symgrad.evaluate import bind, values
from symgrad.formula.sympy import export
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS, Op, const, leaf, make
from tests.formula.test_formula import PROGRAMS
from tests.ops import test_joining, test_matrices
from tests.ops.test_rows import sample
from tests.programs import Program, programs
from tests.rewrite.test_random_programs import DECLARED, ONCE_WRONG

WITHOUT = ("inv", "det", "logdet", "solve")  # no form that speaks of entries
SERIES = (
    "secant_curve",
    "secant_slope",  # its numbers are those of a series, for three operands that belong together
    "counted",  # of sums that are at least 1
    "power_series",  # a list of numbers, for code
    "exp_shift",  # any number would do; code takes one by the range of its floats
)


def name_of(row: Op) -> str:
    return row.name


class Printer(PythonCodePrinter):  # type: ignore[misc]
    """Write products over an index too."""

    def _print_Product(self, product: Any) -> str:
        loops = (
            f"for {self._print(k)} in range({self._print(low)}, {self._print(high)} + 1)"
            for k, low, high in product.limits
        )
        return f"math.prod({self._print(product.function)} {' '.join(loops)})"


def entry(expression: Any, at: Mapping[str, Any], place: Mapping[str, int]) -> float:
    """Evaluate an expression; `at` has the inputs and sizes, `place` the free indices."""
    known: dict[Any, Any] = {b: at[str(b.label)] for b in expression.atoms(sympy.IndexedBase)}
    labels = {str(b.label) for b in known}
    for symbol in expression.free_symbols:
        if isinstance(symbol, sympy.Idx):
            known[symbol] = place[str(symbol)]
        elif isinstance(symbol, sympy.Symbol) and str(symbol) not in labels:
            known[symbol] = at[str(symbol)]
    function = sympy.lambdify(
        list(known), expression, modules=[{"math": math}, "math"], printer=Printer
    )
    return float(function(*known.values()))


def exported(node: Node, names: Mapping[Node, str], graph: Graph) -> None:
    """Compare entries with the reference evaluator; operators without entries have to say so."""
    names = {n: t for n, t in names.items() if n is not node}
    below = topological([node], stop=lambda n: n in names)
    if any(n.op in WITHOUT and n not in names for n in below):
        with pytest.raises(UsageError, match="no form in SymPy"):
            export(node, names)
        return
    try:
        known, sizes = bind(graph, point(graph))
        with np.errstate(all="ignore"):
            numbers = values([node, *names], known, sizes)
    except (SymgradError, ValueError):  # no numbers fit
        return
    true = np.asarray(numbers[node], dtype=float)
    if not np.all(np.isfinite(true)):
        return
    try:
        expression = export(node, names)
    except UsageError as error:
        assert "unknown size" in error.message
        return
    at: dict[str, Any] = {**sizes, **{t: numbers[n] for n, t in names.items()}}
    for n in below:
        if n.op == "input":
            value = numbers[n]
            at[n.attrs["name"]] = float(value) if n.dtype == "float" and not n.shape else value
    assert not expression.free_symbols & {sympy.Symbol("None")}
    for place in itertools.islice(itertools.product(*map(range, true.shape)), 0, 40, 3):
        got = entry(sympy.sympify(expression), at, dict(zip("ijkl", place, strict=False)))
        assert got == pytest.approx(true[place], rel=1e-9, abs=1e-11), expression


def gradients(text: "str | Graph") -> None:
    graph = sg.parse(text) if isinstance(text, str) else text
    for formula in sg.gradient(graph).values():
        for part in (formula, *formula.where.values()):
            exported(part.node, part.names.view(part.node), graph)


@pytest.mark.parametrize("row", [r for r in OPS.values() if r.name not in SERIES], ids=name_of)
def test_rows(row: Op) -> None:
    node = sample(row)
    if not any(n.op == "apply" for n in topological([node])):
        exported(node, {}, Graph.of([node]))


@pytest.mark.parametrize("row", [r for r in OPS.values() if r.name not in SERIES], ids=name_of)
def test_gradients_of_rows(row: Op) -> None:
    node = sample(row)
    if node.dtype == "float" and not row.zero and node.op != "apply":
        loss = make("sum", make("mul", node, node)) if node.shape else make("mul", node, node)
        gradients(Graph.of([loss]))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str) -> None:
    gradients(PROGRAMS[name])


@pytest.mark.parametrize("text", [t for t, _ in test_joining.VALUES])
def test_arrays(text: str) -> None:
    graph = sg.parse(test_joining.declared(test_joining.used(text)) + text)
    exported(graph.output, {}, graph)


@pytest.mark.parametrize("text", [t for t, _ in test_matrices.VALUES])
def test_square_matrices(text: str) -> None:
    graph = sg.parse(test_matrices.DECLARED + text)
    exported(graph.output, {}, graph)


@pytest.mark.parametrize("text", ONCE_WRONG)
def test_programs_that_once_disagreed(text: str) -> None:
    gradients(DECLARED + text)


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@settings(
    max_examples=15, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck), print_blob=False,
)  # fmt: skip
@given(programs(nasty=False, scalar=True))
def test_random_programs(drawn: Program) -> None:
    gradients(drawn.text)


SHOWN = [
    ("x*sigmoid(w)", "x", "1/(1 + exp(-w))"),
    ("relu(w*x)", "w", "x*Piecewise((1, w*x > 0), (0, True))"),
    ("x**0.5", "x", "1/(2*sqrt(x))"),
    ("A: real[N, D]; x: param[D]; sum(A@x)", "x", "Sum(A[k, i], (k, 0, N - 1))"),
    ("z: param[C]; y: label[C]; p = softmax(z); -log(p[y])", "z", "-KroneckerDelta(y, i) + p[i]"),
    ("phi: function; phi(w*x)", "w", "x*Subs(Derivative(phi(_x), _x), _x, w*x)"),
    ("phi: function; y = phi(x)", "x", "Derivative(phi(x), x)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "expected"), SHOWN)
def test_what_is_written(text: str, wrt: str, expected: str) -> None:
    assert str(sg.gradient(text, wrt)[wrt].sympy()) == expected


def test_symbols_are_plain_and_sizes_can_be_put_in() -> None:
    x, w = sympy.symbols("x w")
    assert sg.gradient("x**2*w", "x")["x"].sympy() == 2 * x * w
    total = sg.gradient("X: data[N, D]; w: param[D]; sum((X@w)**2)")["w"].sympy()
    sizes = {s: n for s in total.free_symbols for n in (2,) if str(s) in ("N", "D")}
    X, w_ = sympy.IndexedBase("X"), sympy.IndexedBase("w")
    first = total.subs(sizes).subs(sympy.Idx("i"), 0).doit()
    expected = sum(2 * X[n, 0] * sum(X[n, d] * w_[d] for d in (0, 1)) for n in (0, 1))
    assert sympy.expand(first - expected) == 0


def test_indices_avoid_names() -> None:
    formula = sg.gradient("k: real[N]; i: param[N]; sum(k*i**2)")["i"]
    assert str(formula.sympy()) == "2*i[i_]*k[i_]"


def test_cases_inside_sums_of_sums() -> None:
    """SymPy's own rearranging pulls cases out of inner sums, whatever they speak of."""
    for text in (
        "X: param[2, 3]; sum(log(sum(where(X > 0, X, 1), axis=1)))",
        "X: param[2, 3]; sum(sum(where(X > 0, X, 1), axis=1)**2/3)",
        "X: param[2, 3]; sum(X[:, 0]*sum(where(X > 0, X, 1), axis=1) + 1)",
    ):
        graph = sg.parse(text)
        exported(graph.output, {}, graph)


def test_deep_formulas() -> None:
    node = leaf("x")
    for _ in range(3000):
        node = make("add", node, const(1))
    assert export(node, {}) == sympy.Symbol("x") + 3000


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    program = "X: data[N, D]; w: param[D]; L = mean(softplus(X@w))"
    assert main(["derive", program, "--to", "sympy"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("grad_w[i] = Sum(X[k, i]/(1 + exp(-Sum(X[k, l]*w[l], (l, 0, D - 1))))")
