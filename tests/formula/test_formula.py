"""Formulas: names, notations, steps, second derivatives, what can and cannot be asked for."""

import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import helpers
from symgrad.formula import report
from symgrad.formula.names import distinct, latex_name, plain_name

PROGRAMS = {
    "product": "(x + y)*z",
    "neuron": "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))",
    "bce": "y: binary\nz: real\ny_hat = sigmoid(z)\nL = bce(y_hat, y)",
    "fork": "x = t**2\ny = 3*t\nL = x*y",
    "softmax": "s: real[C]\ny: label[C]\np = softmax(s)\nL = -log(p[y])",
    "linear": "X: data[N, D]\nY: onehot[N, C]\nW: param[D, C]\nb: param[C]\n"
    "L = cross_entropy(X @ W + b, Y)",
    "two layers": "x: data[N, D_in]\ny: data[N, D_out]\nw1: param[D_in, H]\nw2: param[H, D_out]\n"
    "h = sigmoid(x @ w1)\ny_pred = h @ w2\nloss = sum((y_pred - y)**2)",
    "relu net": "X: data[N, D]\nt: labels[N, C]\nW1: param[D, H]\nb1: param[H]\n"
    "W2: param[H, C]\nb2: param[C]\n"
    "h = relu(X @ W1 + b1)\ns = h @ W2 + b2\n"
    "loss = cross_entropy(s, t) + lam*(sum(W1**2) + sum(W2**2))",
    "svm": "X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\nS = X @ W\nL = svm(S, y)",
    "norm": "x: param[K]\neps: positive\nm = mean(x)\nv = var(x)\n"
    "u = (x - m)/sqrt(v + eps)\nL = sum(u*c)",
    "tanh chain": "h = tanh(w*x)\nh = tanh(w*h)\nL = (h - t)**2",
    "activation": "gelu(x)*mish(x) + softsign(x)",
    "mse": "mean((p - t)**2)",
    "constant": "x: param\n3 + 0*x",
}


def evaluate(formula: sg.Formula, at: dict[str, Any]) -> Any:
    space: dict[str, Any] = {"np": np}
    for helper in helpers().values():
        exec(helper, space)
    space = {
        k: v for k, v in space.items() if k in ("np", "sigmoid", "softmax", "erf", "log_softmax")
    }
    space.update(at)
    for name, part in formula.where.items():
        assert set(part.where) <= set(formula.where)
        space[name] = eval(part.numpy(), dict(space))
    return eval(formula.numpy(), dict(space))


@pytest.mark.parametrize("name", PROGRAMS)
def test_where_is_complete_and_in_order(name: str) -> None:
    from symgrad.autodiff import point

    graph = sg.parse(PROGRAMS[name])
    at = point(graph)
    sizes: dict[str, Any] = {}
    for node in graph.inputs:
        for d, size in zip(node.shape, np.shape(at[node.attrs["name"]]), strict=True):
            sizes.setdefault(str(d), size)
    passes = sg.backprop(graph, at)
    for key, formula in sg.gradient(graph).items():
        got = np.broadcast_to(evaluate(formula, {**sizes, **at}), np.shape(passes.grad[key]))
        np.testing.assert_allclose(got, passes.grad[key], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("detail", [1, 2, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_last_step_is_the_printed_formula(name: str, detail: int) -> None:
    for formula in sg.gradient(PROGRAMS[name]).values():
        steps = formula.steps(detail)
        assert steps[-1].after == formula.unicode()
        assert steps[-1].before == formula.head
        assert all(s.rule and s.before and s.after and s.why for s in steps)
        assert all(s.latex_before and s.latex_after for s in steps)
        for s in steps:
            assert s.latex_after.count("{") == s.latex_after.count("}")
            assert "\0" not in s.after + s.before
        assert len(formula.steps(1)) <= len(formula.steps(2)) <= len(formula.steps(3))


def test_steps_as_golden(golden: Callable[[str, str], None]) -> None:
    parts = []
    for name in ("product", "bce", "fork", "two layers"):
        for formula in sg.gradient(PROGRAMS[name]).values():
            parts.append(f"# {name}: {formula.wrt}\n" + report.steps(formula, "unicode", 2))
    golden("steps.txt", "\n\n".join(parts) + "\n")


def test_all_notations_as_golden(golden: Callable[[str, str], None]) -> None:
    parts = []
    for name, text in PROGRAMS.items():
        formulas = sg.gradient(text).values()
        for to in ("unicode", "latex", "numpy", "markdown"):
            parts.append(f"# {name}, {to}\n" + report.results(formulas, to))
    golden("notations.txt", "\n\n".join(parts) + "\n")


@pytest.mark.parametrize("detail", [0, 4, "2", None])
def test_a_detail_that_is_none(detail: Any) -> None:
    formula = sg.gradient("x*y")["x"]
    with pytest.raises(sg.UsageError, match="detail"):
        formula.steps(detail)
    with pytest.raises(sg.UsageError, match="form"):
        formula.latex(form="nonsense")
    with pytest.raises(sg.UsageError, match="only a gradient has steps"):
        sg.gradient(PROGRAMS["softmax"])["s"].where["p"].steps()


def test_a_formula_shows_itself() -> None:
    formula = sg.gradient("q = x + y\nf = q*z")["x"]
    assert repr(formula) == "<Formula ∂f/∂x = z>" and str(formula) == "∂f/∂x = z"
    assert formula._repr_latex_() == r"$\displaystyle \frac{\partial f}{\partial x} = z$"
    assert (formula.of, formula.wrt, formula.shape, formula.head) == ("f", "x", (), "∂f/∂x")
    softmax = sg.gradient(PROGRAMS["softmax"])["s"]
    assert str(softmax).startswith("∂L/∂s = p − e_y") and "p = softmax(s)" in str(softmax)
    assert softmax.where["p"].head == "p" and softmax.where["p"].latex_head == "p"


COUNTS = [("(x + y)*z", "z", 1), ("(x + y)*z", "x", 0), ("x**2", "x", 1), ("mse(p, t)", "p", 2),
          ("sigmoid(x)", "x", 3), ("y_hat = sigmoid(z)\nbce(y_hat, y)", "z", 1)]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "count"), COUNTS)
def test_operations_are_counted(text: str, name: str, count: int) -> None:
    assert sg.gradient(text, name)[name].count_ops() == count


SECOND = [
    "sin(x)*exp(x)",
    "x**5",
    "tanh(x)",
    "sigmoid(x)",
    "softplus(x)",
    "log(x**2 + 1)",
    "gelu(x)",
    "x*x*x*x",
    "1/(1 + x**2)",
    "exp(-x**2)",
    "mish(x)",
    "silu(x)",
    "sqrt(x**2 + 1)",
    "log(1 + exp(x))",
    "arctan(x)",
    "a = sin(x)\nb = a*x\na*b + b**2",
    "elu(x)",
    "logsigmoid(x)",
    "x**1.5",
    "2**x",
    "softsign(x)",
    "erf(x)",
]


@pytest.mark.parametrize("text", SECOND)
def test_a_gradient_of_a_gradient(text: str, exact: Any) -> None:
    first = sg.gradient(text, "x")["x"]
    second = sg.gradient(first.graph, "x")["x"]
    third = sg.gradient(second.graph, "x")["x"]
    output = sg.parse(text).output
    for x in (0.3, 1.7):
        for order, formula in ((2, second), (3, third)):
            true = float(mpmath.diff(lambda v: exact.node(output, {"x": v}), mpmath.mpf(x), order))
            assert sg.compile(formula.graph, wrt=[])(x=x)[0] == pytest.approx(
                true, rel=1e-10, abs=1e-10
            )
            assert float(evaluate(formula, {"x": x})) == pytest.approx(true, rel=1e-10, abs=1e-10)


def test_second_derivatives_of_arrays() -> None:
    """The Hessian of a softmax cross-entropy times a vector, against differences."""
    text = "x: param[3]\ny: label[3]\ncross_entropy(x, y)"
    first = sg.gradient(text)["x"]
    g = sg.parse("x: param[3]\ny: label[3]\nv: data[3]\np = softmax(x)\nsum((p - v)*v)")
    assert first.unicode() == "p − e_y"
    hv = sg.compile(g, wrt="x")
    x, v = np.array([0.1, 0.5, -1.0]), np.array([1.0, -2.0, 0.5])
    p = np.exp(x) / np.exp(x).sum()
    _, grads = hv(x=x, y=0, v=v)
    np.testing.assert_allclose(grads["x"], (np.diag(p) - np.outer(p, p)) @ v, rtol=1e-13)


def test_the_graph_of_a_formula_is_a_graph() -> None:
    formula = sg.gradient(PROGRAMS["two layers"])["w1"]
    assert isinstance(formula.graph, sg.Graph) and formula.graph.output is formula.node
    formula.graph.check()
    assert formula.node.shape == ("D_in", "H")


def test_zero_for_what_is_not_used() -> None:
    formulas = sg.gradient("u: param\nv: param[3]\nM: param[N, 3]\nx: data[N]\nu*2")
    assert [f.unicode() for f in formulas.values()] == ["2", "𝟎", "𝟎"]
    assert [f.shape for f in formulas.values()] == [(), (3,), ("N", 3)]
    f = sg.compile("u: param\nv: param[3]\nM: param[N, 3]\nx: data[N]\nu*2")
    _, grads = f(u=1, v=np.ones(3), M=np.ones((4, 3)), x=np.ones(4))
    assert [g.shape for g in map(np.asarray, grads.values())] == [(), (3,), (4, 3)]
    assert not grads["v"].any() and not grads["M"].any()


ASKED: list[tuple[str, Any, type[Exception], str]] = [
    ("x*y", "q", sg.UsageError, "'q' is no name"),
    ("x*y", ["x", "q"], sg.UsageError, "'q' is no name"),
    ("S: real[3]\ny: label[3]\nS[y]", "y", sg.NotDifferentiableError, "labels"),
    ("c = x > 0\nx*c", "c", sg.NotDifferentiableError, "labels or conditions"),
    ("v: real[3]\nv*2", None, sg.NotDifferentiableError, "shape (3,)"),
    ("v: real[3]\nq = v*2", "v", sg.NotDifferentiableError, "sum(q)"),
]


@pytest.mark.parametrize(("text", "wrt", "kind", "part"), ASKED)
@pytest.mark.parametrize("verb", ["gradient", "compile", "backprop", "check"])
def test_what_cannot_be_asked_for(
    text: str, wrt: Any, kind: type[Exception], part: str, verb: str
) -> None:
    from symgrad.autodiff import point

    calls: dict[str, Callable[[], Any]] = {
        "gradient": lambda: sg.gradient(text, wrt),
        "compile": lambda: sg.compile(text, wrt),
        "backprop": lambda: sg.backprop(text, point(sg.parse(text)), wrt),
        "check": lambda: sg.check(text, wrt=wrt),
    }
    with pytest.raises(kind) as caught:
        calls[verb]()
    assert type(caught.value) is kind and part in str(caught.value)


def test_wrt_of_nothing_and_of_intermediates() -> None:
    assert sg.gradient("x*y", []) == {}
    formulas = sg.gradient("q = x + y\nf = q**2", ["q", "x", "f"])
    assert [f.unicode() for f in formulas.values()] == ["2q", "2q", "1"]
    assert list(formulas) == ["q", "x", "f"]
    assert sg.gradient("q = x + y\nf = q**2", "q")["q"].head == "∂f/∂q"


TYPESET = [
    ("x", "x", "x"),
    ("W1", "W_{1}", "W₁"),
    ("x_hat", r"\hat{x}", "x̂"),
    ("sigma2", r"\sigma^{2}", "σ²"),
    ("lam", r"\lambda", "λ"),
    ("alpha", r"\alpha", "α"),
    ("dL_dW", r"\mathrm{dL\_dW}", "dL_dW"),
]


@pytest.mark.parametrize(("name", "latex", "plain"), TYPESET)
def test_names_are_typeset(name: str, latex: str, plain: str) -> None:
    assert latex_name(name) == latex and plain_name(name) == plain


def test_different_names_look_different() -> None:
    names = [
        "x1",
        "x_1",
        "x__1",
        "X",
        "x",
        "lam",
        "λ",
        "x_hat",
        "xhat",
        "sigma2",
        "sigma_2",
        "σ2",
        "_x",
        "x_",
        "e",
        "pi",
        "loss",
        "a_b",
        "ab",
        "alpha",
        "α",
    ]
    assert len(set(distinct(names).values())) == len(names)
    text = "x1*x_1*x__1*X*x"
    formulas = sg.gradient(text)
    for shown in (formulas["x1"].latex(), formulas["x1"].numpy()):
        assert len(set(re.split(r" \\, | \* |\\, | (?![_{])", shown))) >= 4


HOSTILE = [
    "x_",
    "_x",
    "a__b",
    "x_y_z",
    "hat",
    "x_hat_hat",
    "Ω",
    "dL_dx",
    "frac",
    "left",
    "end",
    "input",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_never_commands(name: str) -> None:
    latex = latex_name(name)
    assert latex.count("{") == latex.count("}")
    assert ("_" not in re.sub(r"\\_|_\{", "", latex) and f"\\{name}" != latex) or name == "Ω"
    if name in ("frac", "left", "end", "input"):
        assert f"\\{name}" not in latex


def test_readable_brackets() -> None:
    shown = [
        ("a - (b - c)", "a"),
        ("a*(b + c)", "b"),
        ("a/(b*c)", "a"),
        ("(a*b)**2", "a"),
        ("a**(b + 1)", "a"),
        ("-(a + b)*c", "c"),
        ("a/(b/c)", "a"),
        ("exp(-(a + b))", "a"),
        ("(-a)**2", "a"),
        ("a - -b*a", "b"),
    ]
    at = {"a": 1.3, "b": 0.7, "c": 2.1}
    for text, name in shown:
        formula = sg.gradient(text, name)[name]
        used = {n.attrs["name"]: at[n.attrs["name"]] for n in sg.parse(text).inputs}
        expected = sg.backprop(text, used).grad[name]
        readable = formula.unicode().translate(str.maketrans("²³⁴⁻¹", "23411"))
        assert float(evaluate(formula, used)) == pytest.approx(float(expected)), readable


def test_swell_stays_linear() -> None:
    lines = ["a0 = x"] + [f"a{k + 1} = a{k}*a{k}" for k in range(60)]
    source = sg.compile("\n".join(lines)).source
    assert len(source) < 40_000
    formula = sg.gradient("\n".join(lines))["x"]
    assert len(formula.unicode()) < 10_000 and len(formula.latex()) < 10_000
    product = "*".join(f"x{k}" for k in range(100))
    f = sg.compile("p = " + product)
    assert f(**{f"x{k}": 1.0 for k in range(100)})[0] == 1


@pytest.mark.parametrize(("program", "wrt", "text", "where"), [
    ("np: data[4, 3]; B: param[3]; h = tanh(np @ B); sum(h**2)", "B", "2 * (np_.T @ delta)",
     ["h", "delta"]),
    ("sigmoid: real; x: param; softplus(x)*sigmoid", "x", "sigmoid_ * sigmoid(x)", []),
    ("x: param; np = exp(x); np*sin(np)", "x", "np_ * (np_ * np.cos(np_) + np.sin(np_))", ["np_"]),
    ("np*x", "x", "np_", []),
    ("np: param; np_: data; np**2*np_", "np", "2 * np__ * np_", []),
])  # fmt: skip
def test_variables_hide_no_function_of_the_text(
    program: str, wrt: str, text: str, where: list[str]
) -> None:
    found = sg.gradient(program, wrt)[wrt]
    assert found.numpy() == text and list(found.where) == where
    inputs = [n.attrs["name"] for n in sg.parse(program).inputs]
    shapes = {"np": (4, 3), "B": (3,)} if "B" in inputs else {}
    rng = np.random.default_rng(0)
    at = {k: rng.uniform(0.5, 1, shapes.get(k, ())) for k in inputs}
    space: dict[str, Any] = {"np": np, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
    space |= {k if k not in space else k + "_" * (1 + (f"{k}_" in at)): v for k, v in at.items()}
    for name, part in found.where.items():
        space[name] = eval(part.numpy(), space)
    assert np.allclose(eval(text, space), sg.backprop(program, at).grad[wrt])
