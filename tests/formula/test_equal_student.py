"""A student's formula beside the gradient: the verdict, the point, the hint."""

import math
import warnings

import numpy as np
import pytest

import symgrad as sg
from symgrad.cli import main

CLASSIFIER = """X: data[N, D]
Y: onehot[N, C]
W: param[D, C]
S = X @ W
loss = cross_entropy(S, Y)"""
LABELLED = """X: data[N, D]; y: labels[N, C]
W1: param[D, H]; b1: param[H]; W2: param[H, C]; b2: param[C]
h = relu(X @ W1 + b1)
s = h @ W2 + b2
loss = cross_entropy(s, y)"""
SQUARES = "X: data[N, D]; w: param[D]; y: data[N]; L = sum((X @ w - y)**2)"
NEURON = "p = sigmoid(w*x); L = (p - y)**2"
LOGIT = "z: real; y: data; L = bce(sigmoid(z), y)"
NORMALISED = """x: param[m, D]; gamma: param[D]; beta: param[D]; T: data[m, D]
mu = mean(x, axis=0)
sigma2 = mean((x - mu)**2, axis=0)
x_hat = (x - mu)/sqrt(sigma2 + 0.00001)
y = gamma*x_hat + beta
L = sum((y - T)**2)/2"""
STAGED = """dy = y - T; d = dy*gamma
v = sum(d*(x - mu)*(-1/2)*(sigma2 + 0.00001)**(-3/2), axis=0)
u = sum(-d/sqrt(sigma2 + 0.00001), axis=0) + v*sum(-2*(x - mu), axis=0)/m
d/sqrt(sigma2 + 0.00001) + v*2*(x - mu)/m + u/m"""
RIGHT = [
    (CLASSIFIER, "W", "X.T @ (P - Y)/N"),
    (CLASSIFIER, "W", "X.T @ (softmax(X @ W) - Y)/N"),
    (CLASSIFIER, "W", "D_[k, j] = sum(X[i, k]*(P[i, j] - Y[i, j]) for i in N); D_/N"),
    (LABELLED, "W2", "h.T @ (P - e_y)/N"),
    (LABELLED, "W2", "h.T @ (softmax(s) - (arange(C) == y[:, None]))/N"),
    (LABELLED, "W1", "d = (P - e_y)/N; X.T @ ((d @ W2.T)*(X @ W1 + b1 > 0))"),
    (LABELLED, "b1", "sum(((P - e_y) @ W2.T)*(h > 0), axis=0)/N"),
    (SQUARES, "w", "2*X.T @ (X @ w - y)"),
    (SQUARES, "w", "2*X.T @ X @ w - 2*X.T @ y"),
    (SQUARES, "w", "2*(X @ w - y) @ X"),
    (NEURON, "w", "2*(p - y)*p*(1 - p)*x"),
    (NORMALISED, "x", STAGED),
    (NORMALISED, "gamma", "sum((y - T)*x_hat, axis=0)"),
    ("A: param[n, n]; logdet(A)", "A", "inv(A).T"),
    ("phi: function; w: param; L = (phi(w*x) - t)**2", "w", None),
]
WRONG = [
    (CLASSIFIER, "W", "X.T @ (P - Y)", "the factor 1/N is missing"),
    (CLASSIFIER, "W", "X.T @ (P - Y)", "yours is N times ∂loss/∂W"),
    (CLASSIFIER, "W", "X.T @ (Y - P)/N", "yours has the opposite sign"),
    (CLASSIFIER, "W", "(P - Y).T @ X/N", "yours is the transpose: the numerator layout"),
    (CLASSIFIER, "W", "(P - Y).T @ X", "yours is N times ∂loss/∂W; yours is the transpose"),
    (CLASSIFIER, "W", "X @ (P - Y)/N", "X.T @ (P - Y) / N  is equal to ∂loss/∂W"),
    (CLASSIFIER, "W", "X.T @ (P - Y)/N + 2*W", "the term 2W is too much"),
    (SQUARES, "w", "2*X.T @ (X @ w - y)/N", "it is divided by N, and the loss is not"),
    (SQUARES, "w", "X.T @ (X @ w - y)", "the 2 that a square brings down is missing"),
    (SQUARES, "w", "2*(X @ w - y)[:, None]*X", "the sum of yours over axis 0 is missing"),
    (NEURON, "w", "2*(p - y)*x", "the factor p(1 − p) is missing"),
    (NEURON, "w", "2*(p - y)*p*x", "the factor 1 − p is missing"),
    (NEURON, "w", "4*(p - y)*p*(1 - p)*x", "yours is 2 times ∂L/∂w"),
    (LOGIT, "z", "sigmoid(z) - y**2", "declare  y: binary"),
    ("s: real; y: data; L = log(1 + exp(-y*s))", "s", "sigmoid(s) - (y + 1)/2",
     "they are equal where y is ±1: declare  y: sign"),
    ("A: data[D, D]; x: param[D]; x @ A @ x/2", "x", "A @ x", "declare  A: symmetric[D, D]"),
    ("A: param[n, n]; logdet(A)", "A", "inv(A)", "yours is the transpose"),
    ("x: real[64]; mean(x**2)", "x", "2*x", "yours is 64 times ∂f/∂x"),
    ("x: real[N]; sum(x**2)", "x", "2", "stands for every entry of (N,)"),
]  # fmt: skip


@pytest.mark.parametrize(("program", "wrt", "formula"), RIGHT)
def test_a_right_formula_is_proved(program: str, wrt: str, formula: str | None) -> None:
    F = sg.gradient(program, wrt)[wrt]
    found = sg.equal(F, "2*(phi(w*x) - t)*x*0" if formula is None else formula)
    if formula is None:
        assert not found and found.counterexample is not None and found.counterexample.functions
    else:
        assert found.proved, str(found)


@pytest.mark.parametrize(("program", "wrt", "formula", "hint"), WRONG)
def test_a_wrong_formula_is_refuted_and_the_hint_fits(
    program: str, wrt: str, formula: str, hint: str
) -> None:
    F = sg.gradient(program, wrt)[wrt]
    found = sg.equal(F, formula)
    assert found.verdict == "refuted" and not found
    assert hint in "\n".join(found.hints), str(found)


def test_the_point_shows_the_difference() -> None:
    found = sg.equal(sg.gradient(NEURON, "w")["w"], "2*(p - y)*p*x")
    where = found.counterexample
    assert where is not None and set(where.point) == {"w", "x", "y"}
    w, x, y = (float(where.point[name]) for name in "wxy")
    p = 1 / (1 + math.exp(-w * x))
    assert math.isclose(where.left, 2 * (p - y) * p * (1 - p) * x)
    assert math.isclose(where.right, 2 * (p - y) * p * x)
    assert f"at w = {w:g}" in str(found)


def test_points_suit_the_declarations() -> None:
    found = sg.equal(sg.gradient(CLASSIFIER)["W"], "X.T @ P")
    assert found.counterexample is not None
    rows = np.asarray(found.counterexample.point["Y"])
    assert np.all(rows.sum(axis=1) == 1) and set(rows.ravel()) <= {0.0, 1.0}


def test_a_kink_is_no_refutation_but_is_told() -> None:
    F = sg.gradient("x: real[N]; L = sum(relu(x))", "x")["x"]
    assert sg.equal(F, "x > 0").kinks is None
    found = sg.equal(F, "x >= 0")
    assert found.proved and found.kinks is not None and "except at kinks: at x = [0]" in str(found)
    assert 0 in np.asarray(found.kinks.point["x"])


def test_a_fact_that_was_used_is_told() -> None:
    F = sg.gradient("s: real; y: sign; L = log(1 + exp(-y*s))", "s")["s"]
    found = sg.equal(F, "sigmoid(s) - (y + 1)/2")
    assert found.proved and dict(found.facts) == {"y": "sign"} and "used: y is ±1" in str(found)
    assert not sg.equal(F, "-y*sigmoid(-y*s)").facts


def test_rounding_is_no_difference_and_a_tiny_difference_is_one() -> None:
    assert sg.equal("(x + 1e8)**2 - 1e16 - 2e8*x", "x**2").verdict != "refuted"
    assert sg.equal("log(1 + exp(x)) - x", "log1p(exp(-x))").proved
    assert sg.equal("x", "x + 1e-9").verdict == "refuted"


def test_not_proved_is_said_with_what_it_means() -> None:
    found = sg.equal("x: real[N]; prod(x)", "exp(sum(log(x)))")
    assert found and not found.proved and found.verdict == "not refuted" and found.points == 100
    assert "not proved: equal at 100 random points" in str(found)
    assert "would have been missed with probability 0.006" in str(found)


def test_one_side_that_is_not_defined_everywhere() -> None:
    assert "is not defined everywhere" in str(sg.equal("log(x**2)", "2*log(x)"))
    assert not sg.equal("sqrt(-1 - x**2)", "1")


def test_shapes_that_differ_are_an_answer() -> None:
    F = sg.gradient(CLASSIFIER)["W"]
    assert "has the shape (D, C), yours (N, C)" in str(sg.equal(F, "P - Y"))
    assert "the shapes do not fit" in str(sg.equal(F, "X @ X"))
    assert "the shapes do not fit" in str(sg.equal("x: real[N]; y: real[M]; x", "x + y"))


@pytest.mark.parametrize(
    ("formula", "error"),
    [
        ("X.T @ (P - ", "was never closed"),
        ("Q", "unknown name 'Q'"),
        ("softmx(S)", "unknown function 'softmx'"),
        ("__import__('os')", "unknown function"),
        ("X.__class__", "is not in the language"),
        ("Z: real; Z", "the inputs are those of the program"),
        ("X = 1; X", "the input 'X' is assigned"),
        ("", "the expression is empty"),
        ("[X]", "is not in the language"),
        ("(" * 200 + "X" + ")" * 200, "nested"),
    ],
)
def test_a_broken_formula_is_an_error_as_everywhere(formula: str, error: str) -> None:
    F = sg.gradient(CLASSIFIER)["W"]
    with pytest.raises(sg.SymgradError, match=error.replace("(", r"\(")):
        sg.equal(F, formula)


def test_a_clash_of_inputs() -> None:
    with pytest.raises(sg.NameClashError, match="declared twice, differently"):
        sg.equal("x: real[N]; sum(x)", "x: param[N]; sum(x)")
    with pytest.raises(sg.NameClashError, match="declared differently"):
        sg.equal(sg.parse("x: real[N]; sum(x)"), sg.parse("x: param[N]; sum(x)"))
    assert sg.equal("x: real[N]; sum(x)", "x: real[N]; y: real[N]; sum(x + y - y)").proved


def test_second_derivatives_and_jacobians() -> None:
    H = sg.hessian("w: real[D]; X: data[N, D]; sum(log(1 + exp(X @ w)))", "w")
    assert sg.equal(H, "p = sigmoid(X @ w); X.T @ diag(p*(1 - p)) @ X").proved
    J = sg.jacobian("s: real[C]; softmax(s)", "s")
    assert sg.equal(J, "p = softmax(s); diag(p) - outer(p, p)").proved


def test_large_programs_answer_soon() -> None:
    text = "X: data[64, 300]; W: param[300, 50]; V: param[50, 10]; Y: data[64, 10]\n"
    text += "h = sigmoid(X @ W); p = h @ V; L = sum((p - Y)**2)"
    F = sg.gradient(text, "W")["W"]
    assert sg.equal(F, "X.T @ ((2*(p - Y) @ V.T)*h*(1 - h))").proved
    assert not sg.equal(F, "X.T @ ((2*(p - Y) @ V.T)*h)")


# -- the command line ------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with warnings.catch_warnings():  # `main` sets how they are shown
        code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_exit_codes_of_check_equal(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "derive", SQUARES, "--check-equal", "2*X.T @ (X @ w - y)")
    assert code == 0 and out.startswith("equal, proved")
    code, out, _ = run(capsys, "derive", SQUARES, "--check-equal", "X.T @ (X @ w - y)")
    assert code == 1 and "yours is 1/2 times ∂L/∂w" in out
    code, _, error = run(capsys, "derive", SQUARES, "--check-equal", "2*X.T @ (X @")
    assert code == 1 and error.startswith("ParseError")
    code, _, error = run(capsys, "derive", "w*x + y", "--check-equal", "x")
    assert code == 2 and "name it with --wrt" in error


def test_the_verb_equal(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "equal", "tanh(x)", "2*sigmoid(2*x) - 1", "--steps")
    assert code == 0 and "definition of tanh" in out and "equal, proved" in out
    code, out, _ = run(capsys, "equal", "tanh(x)", "sigmoid(x)")
    assert code == 1 and out.startswith("not equal: at x = ")
    code, out, _ = run(capsys, "equal", "tanh(x)", "2*sigmoid(2*x) - 1", "--steps", "--to", "latex")
    assert code == 0 and out.startswith("\\begin{align*}")
