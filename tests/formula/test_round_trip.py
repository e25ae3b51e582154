r"""Every LaTeX string reads back to an equal graph: a formula that cannot has lost something.

The operators come from the table, so that a new one is tested by itself.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.errors import LimitError, SymgradError
from symgrad.evaluate import bind, values
from symgrad.formula import latex, plain
from symgrad.formula.names import latex_name
from symgrad.formula.reading.formulas import read_latex
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS, Op, leaf, make
from tests.formula.test_formula import PROGRAMS
from tests.ops import test_joining, test_matrices
from tests.ops.test_rows import sample
from tests.programs import Program, program
from tests.rewrite.test_random_programs import DECLARED, ONCE_WRONG

CORPUS = Path(__file__).parent.parent / "formulas" / "gradients.json"
MAPPED = Mapping[str, Node]


def name_of(row: Op) -> str:
    return row.name


def returns(node: Node, text: str, names: MAPPED, functions: tuple[str, ...] = ()) -> None:
    """Read a text; it has to be the node, or have its shape and its numbers."""
    found = read_latex(text, names, node.shape, functions)
    assert found.shape == node.shape, text
    if found is node:
        return
    assert plain.write(found, {}).count("(") == plain.write(found, {}).count(")")
    if any(n.op == "apply" for n in topological([node])):
        assert latex.write(found, {n: t for t, n in names.items()}) == text
        return
    graph = Graph.of([node])
    try:
        known, sizes = bind(graph, point(graph))
        with np.errstate(all="ignore"):
            both = values([node, found], known, sizes)
    except SymgradError:  # no numbers fit: a window that is wider than a vector
        return
    except ValueError:  # eye(3) + A[D, D]
        return
    np.testing.assert_allclose(both[found], both[node], rtol=1e-10, atol=1e-11, err_msg=text)


def direct(node: Node) -> None:
    """Print a node that has no names but those of inputs, and read it."""
    inputs = [n for n in topological([node]) if n.op == "input"]
    names = {latex_name(n.attrs["name"]): n for n in inputs}
    functions = [n.attrs["name"] for n in topological([node]) if n.op == "apply"]
    returns(node, latex.write(node, {}), names, tuple(functions))


def formulas(text: "str | Graph") -> Iterator[tuple[sg.Formula, Graph]]:
    """Derive, and list the gradients and all that they use."""
    graph = sg.parse(text) if isinstance(text, str) else text
    for formula in sg.gradient(graph).values():
        for part in (formula, *formula.where.values()):
            yield part, graph


def round_trip(text: "str | Graph") -> None:
    for formula, graph in formulas(text):
        typeset = formula.typeset()
        names = {t: n for n, t in typeset.items()}
        returns(formula.node, latex.write(formula.node, typeset), names, graph.functions)


READ = [r for r in OPS.values() if r.name != "counted"]  # of sums that are at least 1


@pytest.mark.parametrize("row", READ, ids=name_of)
def test_rows(row: Op) -> None:
    direct(sample(row))


@pytest.mark.parametrize("row", READ, ids=name_of)
def test_rows_inside_others(row: Op) -> None:
    """What stands in a power, a product, a sum or below a bar needs its brackets."""
    node = sample(row)
    two, x = leaf("x"), leaf("y_", node.shape)
    for outer in (
        make("pow", node, two), make("mul", two, node), make("mul", node, node),
        make("sub", x, node), make("neg", node), make("div", x, node), make("mul", x, node),
        make("sum", make("mul", node, two)), make("exp", make("neg", node)),
    ):  # fmt: skip
        direct(outer)
    if len(node.shape) == 2:
        direct(make("matmul", make("transpose", node), node))
        direct(make("sub", node, make("sum", node, axis=1, keepdims=True)))


@pytest.mark.parametrize("row", READ, ids=name_of)
def test_gradients_of_rows(row: Op) -> None:
    node = sample(row)
    if node.dtype != "float" or row.zero:
        return
    loss = make("sum", make("mul", node, node)) if node.shape else make("mul", node, node)
    round_trip(Graph.of([loss]))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str) -> None:
    round_trip(PROGRAMS[name])


@pytest.mark.parametrize("text", [t for t, _ in test_joining.VALUES])
@pytest.mark.parametrize("named", [True, False])
def test_arrays(text: str, named: bool) -> None:
    try:
        graph = sg.parse(test_joining.declared(test_joining.used(text), named) + text)
    except SymgradError:  # it speaks of N, which is a number now
        return
    direct(graph.output)


@pytest.mark.parametrize("text", [t for t, _ in test_matrices.VALUES])
def test_matrices_and_their_gradients(text: str) -> None:
    direct(sg.parse(test_matrices.DECLARED + text).output)
    if test_matrices.used(text):
        round_trip(test_matrices.DECLARED + f"q = {text}\nL = sum(tanh(q)*q)")


def cases() -> list[Any]:
    if not CORPUS.exists():
        return []
    listed = json.loads(CORPUS.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(c["program"], id=c["id"]) for c in listed]


@pytest.mark.parametrize("text", cases())
def test_textbook_formulas(text: str) -> None:
    try:
        round_trip(text)
    except sg.NotDifferentiableError:  # a Jacobian or a Hessian
        return


@pytest.mark.parametrize("text", ONCE_WRONG)
def test_programs_that_once_disagreed(text: str) -> None:
    round_trip(DECLARED + text)


UNREAD = ("not an index", "nan location")  # a unit vector among others; 0/0 at a norm of 0


def unsaid(p: Program) -> bool:
    """Say whether text leaves open which axis is meant: of three, of length 1, of i and j."""
    shapes = [s for _, s in p.inputs.values()]
    open_ = 1 in p.sizes.values() or any(len(s) > 2 or 1 in s for s in shapes)
    return open_ or "keepdims" in p.text or " if " in p.text


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@pytest.mark.parametrize("first", range(0, 400, 100))
def test_random_programs(first: int) -> None:
    drawn = [program(seed, nasty=False, scalar=True) for seed in range(first, first + 100)]
    for p in drawn:
        if not unsaid(p):
            try:
                round_trip(p.text)
            except Exception as error:
                if not any(part in str(error) for part in UNREAD):
                    raise AssertionError(f"program {p.seed}:\n{p.text}") from error


S: dict[str, Any] = {"S": (3, 3), "A": ("N", "C"), "v": (3,), "u": ("N",), "x": (), "U": ("N", "N")}
AXES = [  # where sizes say the place of a column, it is not written out
    ("S - sum(S, axis=1, keepdims=True)", r"S - \Bigl(\sum_{j} S\Bigr) \mathbf{1}^{\top}"),
    ("S - sum(S, axis=0)", r"S - \sum_{i} S"),
    ("S - sum(S, axis=1)", r"S - \sum_{j} S"),
    ("A - sum(A, axis=1, keepdims=True)", r"A - \sum_{j} A"),
    ("A*u[:, None]", r"A \odot u"),
    ("U*u[:, None]", r"U \odot (u \mathbf{1}^{\top})"),
    ("U*u", r"U \odot u"),
    ("v[:, None] - v", r"v \mathbf{1}^{\top} - v"),
    ("(v[:, None] - v)**2", r"(v \mathbf{1}^{\top} - v)^{2}"),
    ("S @ v", "S v"),
    ("v @ S", r"S^{\top} v"),
    ("v @ S @ v", r"v^{\top} S v"),
    ("S @ (v @ S)", r"S S^{\top} v"),
    ("S.T @ (v @ S.T)", r"S^{\top} S v"),
    ("outer(v, v @ S)", r"v\, v^{\top} S"),
    ("outer(v @ S, v)", r"S^{\top} v\, v^{\top}"),
    ("S*(v @ v)", r"S\, (v^{\top} v)"),
    ("(v @ v)*S", r"v^{\top} v S"),
    ("elu(x, 0.5)", r"\mathrm{ELU}(x, 0.5)"),
    ("elu(x)", r"\mathrm{ELU}(x)"),
    ("2*(3*x)", r"2 \cdot 3 x"),
    ("(x**2)**2", r"(x^{2})^{2}"),
    ("x - -x", "x - (-x)"),
    ("-(-x)", "-(-x)"),
    ("(-x)**2", "(-x)^{2}"),
    ("-x**2", "-x^{2}"),
    ("x/(x/2)", r"\frac{x}{\frac{x}{2}}"),
    ("2*sum(v)*x", r"\Bigl(2 \sum v\Bigr) x"),
    ("sum(v) + x", r"\sum v + x"),
    ("sum(v + x)", r"\sum (v + x)"),
    ("sqrt(x)**3", r"(\sqrt{x})^{3}"),
    ("log(x/2)", r"\log\Bigl(\frac{x}{2}\Bigr)"),
    ("mse(v, v, reduction='sum')", r"\operatorname{mse}_{\mathrm{reduction} = \mathrm{sum}}(v, v)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), AXES)
def test_what_is_said_and_what_is_left_unsaid(text: str, expected: str) -> None:
    head = "".join(f"{n}: real[{', '.join(map(str, d))}]\n" if d else "" for n, d in S.items())
    node = sg.parse(head + text).output
    shown = latex.write(node, {})
    direct(node)
    assert shown == expected


NAMED = [
    ("x1*x_1", ["x_{1}", r"\mathrm{x\_1}"]),
    ("sigma2*sigma**2", [r"\mathrm{sigma2}", r"\sigma"]),
    ("sigma2*mu", [r"\sigma^{2}", r"\mu"]),
    ("e**x + exp(x)", ["e", "x"]),
    ("sigma*(1 - sigma) + sigmoid(sigma)", [r"\sigma"]),
    ("Phi*(1 + x) + gelu(x)", [r"\Phi", "x"]),
    ("i*j + k", ["i", "j", "k"]),
    ("loss_rate*W1*x_hat*dL_dW", [r"\mathrm{loss\_rate}", "W_{1}", r"\hat{x}", r"\mathrm{dL\_dW}"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), NAMED)
def test_names(text: str, shown: list[str]) -> None:
    formula = next(iter(sg.gradient(f"q = {text}\nq*q").values()))
    assert {*shown} <= {*formula.typeset().values()}
    round_trip(f"q = {text}\nq*q")


def test_abstract_functions() -> None:
    round_trip("phi: function\nf: function\ny = phi(w*x)\nL = f(y)*phi(x)")
    node = make("apply", make("mul", leaf("w"), leaf("x")), name="f", order=4)
    assert read_latex("f^{(4)}(w x)", {"w": leaf("w"), "x": leaf("x")}, (), ["f"]) is node


WRONG = [
    ("x + ", 5, "but the formula ends"),
    ("x + zeta", 5, "a name, a number or a bracket is expected"),
    (r"\frac{x}{2", 11, "} is expected"),
    ("(x", 3, ") is expected"),
    ("x)", 2, "the formula ends before this"),
    (r"\sum_{i} x", 10, "axis"),
    (r"\operatorname{nonsense}(x)", 1, "expected"),
    (r"x^{2}^{3}", 6, "no second"),
    (r"e^x", 3, "{ is expected"),
    (r"v\, v", 5, "two columns side by side"),
    (r"v^{\top} S S^{\top} v v", 23, ""),
    (r"\left( x \right) \badcommand", 18, "expected"),
    (r"x[1:", 5, "an index is expected"),
    (r"\begin{cases} x & x > 0", 24, r"\end is expected"),
    ("x\n + ?", 4, "expected"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "part"), WRONG)
def test_errors_say_where(text: str, column: int, part: str) -> None:
    names = {"x": leaf("x"), "v": leaf("v", (3,)), "S": leaf("S", (3, 3))}
    if not part:
        assert read_latex(text, names).shape == (3,)
        return
    with pytest.raises(sg.ParseError) as caught:
        read_latex(text, names)
    assert part in caught.value.message and caught.value.column == column, str(caught.value)
    assert "^" in str(caught.value) and caught.value.hint


def test_sizes_that_nothing_says() -> None:
    with pytest.raises(sg.ParseError, match="how large"):
        read_latex(r"2\, \mathbf{1}", {})
    assert read_latex(r"2\, \mathbf{1}", {}, ("N",)).shape == ("N",)
    with pytest.raises(sg.ParseError, match="has the shape"):
        read_latex("S", {"S": leaf("S", (3, 3))}, (2, 2))


@pytest.mark.no_cover
def test_depth_and_length() -> None:
    x = leaf("x")
    deep = "(" * 20_000 + "x" + ")" * 20_000
    assert read_latex(deep, {"x": x}) is x
    assert read_latex("-(" * 5000 + "x" + ")" * 5000, {"x": x}).op == "neg"
    assert read_latex(" + ".join(["x"] * 20_000), {"x": x}).op == "add"
    with pytest.raises(LimitError, match="characters"):
        read_latex("x" * 2_000_000, {"x": x})


def balanced(text: str) -> bool:
    closing = {"(": ")", "[": "]", "{": "}", "⌊": "⌋"}
    stack: list[str] = []
    for c in text:
        if c in closing:
            stack.append(closing[c])
        elif c in closing.values() and (not stack or stack.pop() != c):
            return False
    return not stack and text.count("|") % 2 == 0


@pytest.mark.parametrize("row", OPS.values(), ids=name_of)
def test_brackets_in_unicode(row: Op) -> None:
    node = sample(row)
    for shown in (node, make("neg", node), make("pow", make("neg", node), leaf("k"))):
        assert balanced(plain.write(shown, {}))
        assert "−−" not in plain.write(shown, {}) and "+ −" not in plain.write(shown, {})
