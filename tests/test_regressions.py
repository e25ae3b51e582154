"""Mistakes that users met once: each stays mended."""

import math

import numpy as np
import pytest

import symgrad as sg


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
        ("x: param[N]; L = sum((x[i] - x[j])**2 for i in N for j in N)", "x", "x[:, None]"),
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
