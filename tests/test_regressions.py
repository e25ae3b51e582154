"""Mistakes that users met once: each stays mended."""

import math
import re
import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.evaluate import bind, values
from symgrad.ops import make


def test_a_nan_is_no_agreement() -> None:
    assert not sg.check("abs(x)*log(y)", at={"x": 0, "y": -1})
    assert not sg.check("x: param[3]; L = sum(sin(x)/0)")
    assert sg.check("x: param[3]; L = sum(log(x))")  # a point is found where it has a value


@pytest.mark.parametrize("text", ["log(abs(z))", "sqrt(abs(z))", "abs(z)/z", "sign(z)/z"])
def test_the_numpy_fallback_of_sign(text: str) -> None:
    value, grads = sg.compile(text)(z=0.0)
    assert isinstance(value, float) and isinstance(grads["z"], float)


def test_steps_of_an_input_that_the_output_does_not_use() -> None:
    formula = sg.gradient("x: param[3]; y: param[2]; L = sum(x**2)")["y"]
    assert [s.rule for s in formula.steps()] == ["independent"]
    assert formula.steps()[-1].after == formula.unicode()


def test_a_false_rule_is_refused() -> None:
    with pytest.raises(sg.SymgradError, match="not true"):
        sg.rule("log(a) -> 3*a")


def test_labels_of_other_classes_are_refused() -> None:
    with pytest.raises(sg.ShapeError, match="5 classes"):
        sg.parse("S: param[3,4]; y: labels[3,5]; cross_entropy(S, y)")


def test_a_square_in_a_name_is_bracketed_before_a_power() -> None:
    found = sg.gradient("alpha*x_hat**2/sigma2")["sigma2"]
    assert "}^{2}^{2}" not in found.latex() and "²²" not in found.unicode()


@pytest.mark.parametrize(
    ("text", "wrt", "shown"),
    [
        ("X: param[N, D]; L = sum(mean(X, axis=0)**2)", "X", "meanᵢ(X)"),
        ("W: param[N, D]; L = sum(sqrt(sum(W**2, axis=1)))", "W", "‖W‖ⱼ"),
        ("x: param[N]; L = sum(tanh(x[i] - x[j])**2 for i in N for j in N)", "x", "x 𝟏ᵀ"),
        ("x: param[N]; L = sum(x[i]*x[j] for i in N for j in N if i < j)", "x", "1[i < j]"),
    ],
)
def test_axes_that_matter_are_printed(text: str, wrt: str, shown: str) -> None:
    assert shown in str(sg.gradient(text)[wrt])


def test_a_shield_stops_at_a_sum() -> None:
    text = "S: param[2, 2]; t = 1/((S - max(S))**2 + 1); loss = sum(t)"
    S = np.array([[0.1, 0.5], [-0.3, 0.2]])
    _, grads = sg.compile(text)(S=S)
    np.testing.assert_allclose(grads["S"], sg.backprop(text, {"S": S}).grad["S"], rtol=1e-13)


def test_batch_normalisation_has_its_compact_gradient() -> None:
    text = """
    x: param[m, D]
    g: real[m, D]
    mu = mean(x, axis=0)
    v = mean((x - mu)**2, axis=0)
    x_hat = (x - mu)/sqrt(v + eps)
    L = sum(g*x_hat)
    """
    found = sg.gradient(text)["x"]
    assert found.count_ops() <= 12 and "x_hat" in found.where
    assert sg.check(text)


def test_values_at_the_edge_of_a_half_power() -> None:
    assert sg.gradient("x**(1/2)")["x"].unicode() == "1/(2√x)"
    assert math.isinf(sg.compile("x**0.5")(x=0.0)[1]["x"])


@pytest.mark.parametrize("text", ["log(exp(x) + exp(y))", "logaddexp(x, y)"])
def test_a_smooth_function_has_no_kink_where_its_arguments_meet(text: str) -> None:
    value, grads = sg.compile(text)(x=3.0, y=3.0)
    assert value == pytest.approx(3 + math.log(2))
    assert grads == {"x": 0.5, "y": 0.5}


@pytest.mark.parametrize("x", [1e4, -1e4, 400.0, -400.0])
@pytest.mark.parametrize(
    "text",
    [
        "1/(1 + exp(-x))**2",
        "exp(-x)/(1 + exp(-x))**2",
        "(1 - exp(-2*x))/(1 + exp(-2*x))",
        "log(2 + exp(x))",
        "log(exp(x) + exp(2*x) + 1)",
        "log(cosh(x))",
    ],
)
def test_exponentials_typed_by_hand_stay_finite(text: str, x: float) -> None:
    value, grads = sg.compile(text)(x=x)
    assert math.isfinite(value) and math.isfinite(grads["x"])


REPEATED = ["exp(x)*exp(x)*sigmoid(y)", "exp(x)*exp(x)*exp(y)", "sigmoid(x)/(1 + exp(x))*exp(x)**2"]


@pytest.mark.parametrize("text", REPEATED)
@pytest.mark.parametrize("accurate", [False, True])
def test_a_factor_that_stands_twice_is_kept(text: str, accurate: bool) -> None:
    at = {"x": 0.7, "y": -0.4} if "y" in text else {"x": 0.7}
    passes = sg.backprop(text, at)
    value, grads = sg.compile(text, accurate=accurate)(**at)
    assert value == pytest.approx(float(passes.value), rel=1e-14)
    for name, grad in grads.items():
        assert grad == pytest.approx(float(passes.grad[name]), rel=1e-13)


@pytest.mark.parametrize("accurate", [False, True])
def test_the_stable_cross_entropy_typed_out_is_smooth(accurate: bool) -> None:
    """max(z, 0) and log(1 + exp(-|z|)) have kinks at 0 that cancel: the slope is 1/2 - y."""
    text = "max(z, 0) - z*y + log(1 + exp(-abs(z)))"
    value, grads = sg.compile(text, accurate=accurate)(z=0.0, y=1.0)
    assert grads["z"] == -0.5 and value == pytest.approx(np.log(2))
    assert sg.gradient(text, "z")["z"].unicode() == "σ(z) − y"


def test_a_number_is_not_an_array() -> None:
    for text in ("x: real[N]\nb: real\nsum(x)*b", "b: real\nb*2"):
        given = {"x": np.ones(3)} if "x" in text else {}
        with pytest.raises(sg.ShapeError, match="'b' is"):
            sg.compile(text, wrt=[])(b=np.ones(3), **given)


def test_masked_entries_are_refused() -> None:
    masked = np.ma.MaskedArray([1.0, 2.0], mask=[False, True])
    with pytest.raises(sg.DataError, match="masked"):
        sg.compile("x: real[N]\nsum(x)")(x=masked)


def test_division_by_a_choice_that_is_zero() -> None:
    for text in ("1/relu(x)", "1/(2*relu(x))", "relu(x)**(-1)", "1/max(x, 0)"):
        assert sg.compile(text, wrt=[])(x=-1.0)[0] == np.inf


WEAK = ["sum(b*sigmoid(0))", "sum(b)*gelu(1)", "sum(outer(arange(N), b))",
        "sum(log(exp(b) + exp(b)))",
        "sum(convolve(b, arange(3)))", "mean(b)", "sum(b*arange(N))"]  # fmt: skip


@pytest.mark.parametrize("text", WEAK)
def test_float32_stays_float32(text: str) -> None:
    f = sg.compile("b: param[N]\n" + text, dtype="float32")
    value, grads = f(b=np.ones(4, dtype=np.float32))
    assert value.dtype == grads["b"].dtype == np.float32


def test_zero_times_the_logarithm_of_zero_as_written() -> None:
    passes = sg.backprop("p: real[K]\n-sum(p*log(p))", {"p": [0.0, 1.0]})
    assert passes.value == 0
    assert sg.compile("(1 - y)*log1p(-p)", wrt=["p"])(y=1.0, p=1.0)[0] == 0


def test_the_second_derivative_of_a_product() -> None:
    """The gradient of the sum of the gradient of x1 x2 x3 is x2 + x3, x1 + x3, x1 + x2."""
    once = sg.gradient("x: real[K]\nprod(x)")["x"].graph
    twice = sg.Graph.of([make("sum", once.output)])
    assert sg.compile(twice)(x=np.array([1.0, 2, 3]))[1]["x"].tolist() == [5, 4, 3]


def test_a_formula_with_a_maximum_over_two_axes_needs_numpy_only() -> None:
    text = "A: real[N, M, K]\nW: real[M]\nsum(W*max(A, axis=(0, 2)))"
    at = {"A": np.random.default_rng(0).normal(size=(2, 3, 4)), "W": np.arange(3.0)}
    formula = sg.gradient(text, "A")["A"].numpy()
    got = eval(formula, {"np": np, "N": 2, "M": 3, "K": 4, **at})
    np.testing.assert_array_equal(got, sg.backprop(text, at).grad["A"])


@pytest.mark.parametrize(
    "text", ["mean(X)", "max(X)", "logsumexp(X)", "cross_entropy(X, y)", "mse(X, 0)"]
)
def test_an_average_of_nothing_is_refused(text: str) -> None:
    f = sg.compile(f"X: param[N, C]\ny: labels[N, C]\n{text}")
    given = {"y": np.zeros(0, dtype=int)} if "y" in f.inputs else {}
    with pytest.raises(sg.DataError, match="of nothing"):
        f(X=np.zeros((0, 3)), **given)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_branch_not_taken_is_quiet_beside_labels(dtype: str) -> None:
    """Programs with labels run over NumPy, which computes both branches."""
    source = sg.compile("y: label[3]; x: param; where(y == 1, log(x), 2*x)", dtype=dtype).source
    space: dict[str, Any] = {"__name__": "module"}
    exec(source, space)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert space["value_and_grad"](y=0, x=-1.0)[0] == -2


def test_the_branch_not_taken_is_quiet_in_float32() -> None:
    value, grads = sg.compile("where(x > 0, log(x), 0)", dtype="float32")(x=-1.0)
    assert value == 0 and grads["x"] == 0


def test_an_index_may_be_compared_before_it_indexes() -> None:
    text = "S: real[N, N]\na[i,j] = where(j <= i, S[i,j], -inf)\nsoftmax(a)"
    value, _ = sg.compile(text, wrt=[])(S=np.zeros((2, 2)))
    assert value.tolist() == [[1, 0], [0.5, 0.5]]


def test_a_cross_entropy_typed_as_a_case() -> None:
    f = sg.compile("z: param[N]\ny: binary[N]\np = sigmoid(z)\nsum(-log(where(y == 1, p, 1 - p)))")
    value, grads = f(z=np.array([1000.0, -1000.0]), y=np.array([0.0, 1.0]))
    assert value == 2000 and grads["z"].tolist() == [1, -1]


@pytest.mark.parametrize(("text", "wrt", "at", "expected"), [
    # thresholds of two variables that share a number
    ("x: real; y: real; L = where(y > 1, 5*x, where(x > 1, 3*x, where(x > 0, 2*x, x)))", "x",
     {"x": -2.0, "y": 1.5}, 5.0),
    ("x: real; y: real; w: real; L = w*((x > 0) - (x <= -1)*(y > 0))", "w",
     {"x": -2.0, "y": 1.0, "w": 1.0}, -1.0),
    ("x: real; L = where(x > 0, x, relu(where(x > -1, 0, -x)))", "x", {"x": -2.0}, -1.0),
])  # fmt: skip
def test_pieces_of_two_variables(
    text: str, wrt: str, at: dict[str, float], expected: float
) -> None:
    _, grads = sg.compile(text, wrt)(**at)
    assert grads[wrt] == expected == sg.backprop(text, at, wrt).grad[wrt]


def test_a_condition_between_numbers() -> None:
    value, grads = sg.compile("x: real[N]; L = sum(where(1, -x, 0))")(x=[1.0, 2.0])
    assert value == -3.0 and grads["x"].tolist() == [-1.0, -1.0]


@pytest.mark.parametrize("text", [
    "S: symmetric[D, D]; L = -logdet(S)", "y: sign[N]; L = sum(y**4)",
    "t: simplex[K]; L = sum(t)**2",
])  # fmt: skip
def test_a_fact_does_not_change_second_derivatives_in_the_variable(text: str) -> None:
    plain = re.sub("symmetric|sign|simplex", "real", text)
    name = text[0]
    graph = sg.parse(text)
    known, sizes = bind(graph, point(graph, 3))
    declared, free = sg.hessian(text, name), sg.hessian(plain, name)
    renamed = {n: known[m] for n in sg.parse(plain).inputs for m in known
               if n.attrs["name"] == m.attrs["name"]}  # fmt: skip
    got = values([declared.node], known, sizes)[declared.node]
    want = values([free.node], renamed, sizes)[free.node]
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("text", "printed"), [
    ("0.01*w**2", "0.02w"), ("0.1*w**2", "0.2w"), ("w**2/10", "w/5"), ("0.5*w**2", "w"),
    ("1e-3*abs(w) + 5e-4*w**2", "0.001(w + sign(w))"),
])  # fmt: skip
def test_typed_decimals_stay_decimals(text: str, printed: str) -> None:
    assert sg.gradient(text, "w")["w"].unicode() == printed


def test_products_typed_with_indices_are_products_of_matrices() -> None:
    text = "X: data[N, D]; W: param[C, D]; s[i,j] = sum(W[j,k]*X[i,k] for k in D); L = sum(s**2)"
    assert str(sg.gradient(text)["W"]) == "∂L/∂W = 2sᵀ X\n  where s = X Wᵀ"
