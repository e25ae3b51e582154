"""What the inputs of a model are for."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import values
from symgrad.graph import topological
from symgrad.train.roles import roles

CASES = {
    # program: features, targets, masks, settings, what predicts, task, scale
    "X: data[N, D]; t: labels[N, C]; W: param[D, C]; s = X @ W\n"
    "cross_entropy(s, t) + lam*sum(W**2)":
        ("X", "t", "", "lam", "s", "labels", "scores"),
    "x: data[N, D]; y: data[N, K]; w: param[D, K]; p = x @ w; sum((p - y)**2)":
        ("x", "y", "", "", "p", "values", "value"),
    "X: data[N, D]; y: labels[N, C]; W: param[D, C]; s = X @ W\n"
    "L[i] = sum(max(0, s[i,j] - s[i,y[i]] + 1) for j in C if j != y[i])\nmean(L[i] for i in N)":
        ("X", "y", "", "", "s", "labels", "margin"),
    "X: data[N, D]; y: binary[N]; w: param[D]; p = sigmoid(X @ w)\n"
    "mean(-(y*log(p) + (1 - y)*log(1 - p)))":
        ("X", "y", "", "", "p", "binary", "probability"),
    "X: data[N, D]; y: data[N]; w: param[D]; p = sigmoid(X @ w); bce(p, y)":
        ("X", "y", "", "", "p", "binary", "probability"),
    "X: data[N, D]; y: labels[N, C]; W: param[D, C]; e = exp(X @ W)\n"
    "p = e/sum(e, axis=1, keepdims=True)\n"
    "-mean(log(p[arange(N), y]))":
        ("X", "y", "", "", "p", "labels", "probability"),
    "X: data[N, D]; y: sign[N]; w: param[D]; f = X @ w; mean(max(0, 1 - y*f))":
        ("X", "y", "", "", "f", "sign", "margin"),
    "X: data[N, D]; y: sign[N]; w: param[D]; f = X @ w; mean(log(1 + exp(-y*f)))":
        ("X", "y", "", "", "f", "sign", "logit"),
    "X: data[N, D]; W: param[D, H]; V: param[H, D]; r = tanh(X @ W) @ V; mse(r, X)":
        ("X", "", "", "", "r", "values", "value"),
    "X: data[N, D]; y: data[N]; w: param[D]; s: param; m = X @ w\n"
    "r = (y - m)/exp(s); mean(r**2)/2 + s":
        ("X", "y", "", "", "m", "values", "value"),
    "X: data[N, D]; y: binary[N]; w: param[D]; m: binary[N, D]\n"
    "z = dropout(X, m) @ w; bce_with_logits(z, y)":
        ("X", "y", "m", "", "z", "binary", "logit"),
    "X: data[N, D]; Y: onehot[N, C]; W: param[D, C]; P = softmax(X @ W); -sum(Y*log(P))/N":
        ("X", "Y", "", "", "P", "onehot", "probability"),
    "X: data[N, D]; Y: binary[N, K]; W: param[D, K]; Z = X @ W; bce_with_logits(Z, Y)":
        ("X", "Y", "", "", "Z", "multilabel", "logit"),
    "X: data[N, D]; y: binary[N]; w: param[D]; p = X @ w; mse(p, y)":
        ("X", "y", "", "", "p", "binary", "value"),
    "X: data[N, D]; y: sign[N]; w: param[D]; p = X @ w; mse(p, y)":
        ("X", "y", "", "", "p", "sign", "margin"),
    "X: data[N, D]; y: data[N]; w: param[D]; p = X @ w; huber(p, y, d)":
        ("X", "y", "", "d", "p", "values", "value"),
    # weights of rows lie nearer to the loss than the target
    "X: data[N, D]; y: data[N]; c: data[N]; w: param[D]; p = X @ w; mean(c*(p - y)**2)":
        ("X c", "y", "", "", "p", "values", "value"),
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_roles(text: str) -> None:
    features, targets, masks, settings, line, task, scale = CASES[text]
    g = sg.parse(text)
    found = roles(g)
    assert (" ".join(found.features), " ".join(found.targets)) == (features, targets)
    assert (" ".join(found.masks), " ".join(found.settings)) == (masks, settings)
    assert found.batch == "N"
    assert g.names[line] is found.prediction
    assert (found.task, found.scale) == (task, scale)


def test_two_feature_inputs_and_a_constant() -> None:
    g = sg.parse("A: data[N, D]; B: data[N, E]; K: data[E, D]; y: data[N]; w: param[D]\n"
                 "p = (A + B @ K) @ w; mse(p, y)")  # fmt: skip
    found = roles(g)
    assert (found.features, found.targets, found.constants) == (("A", "B"), ("y",), ("K",))


def test_a_target_and_a_line_can_be_named() -> None:
    text = "a: data[N]; b: data[N]; w: param; q = w*a; r = q + 1; mean((r*b - q)**2)"
    g = sg.parse(text)
    found = roles(g, target="a", predict="q")
    assert found.targets == ("a",) and found.prediction is g.names["q"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x*y", "there is nothing to train"),
        ("x: data[3]; w: param[3]; sum(x*w)", "'x' is declared with 3 rows"),
        ("w: param; c: real; (w - c)**2", "the model has no batch"),
        ("X: data[D, N]; y: data[N]; w: param[D]; mse(w @ X, y)", "are not its rows"),
    ],
)
def test_models_that_cannot_be_trained(text: str, said: str) -> None:
    with pytest.raises(sg.UsageError, match=said) as caught:
        roles(sg.parse(text))
    assert caught.value.hint


def test_unknown_names() -> None:
    g = sg.parse("X: data[N, D]; y: data[N]; w: param[D]; p = X @ w; mse(p, y)")
    with pytest.raises(sg.UsageError, match="target='Y'"):
        roles(g, target="Y")
    with pytest.raises(sg.UsageError, match="predict='q'"):
        roles(g, predict="q")


def test_what_a_residual_has_beside_the_product_belongs_to_the_prediction() -> None:
    for text in ("y - X @ w - b", "X @ w - y + b", "(y - X @ w) - b - c", "b + (X @ w - y)"):
        g = sg.parse(
            f"X: data[N, D]; y: data[N]; w: param[D]; b: param; c: param; mean(({text})**2)"
        )
        rest = [n.attrs["name"] for n in topological([roles(g).prediction]) if n.op == "input"]
        assert set(rest) == {"X", "w", *(k for k in "bc" if k in text)}, text
        at = {"X": [[1.0, 2.0]], "w": [3.0, 4.0], "b": 5.0, "c": 6.0}
        known = {n: np.asarray(at[n.attrs["name"]]) for n in g.inputs if n.attrs["name"] != "y"}
        value = values([roles(g).prediction], known, {"N": 1, "D": 2})[roles(g).prediction]
        assert value == [16.0 + 6 * ("c" in text)], text


def test_numbers_that_pick_parameters_are_features() -> None:
    g = sg.parse("x: labels[N, V]; y: data[N]; w: param[V]; mse(w[x], y)")
    assert (roles(g).features, roles(g).targets) == (("x",), ("y",))
    g = sg.parse("x: labels[N, V]; y: labels[N, C]; E: param[V, D]; W: param[D, C]\n"
                 "cross_entropy(E[x] @ W, y)")  # fmt: skip
    assert (roles(g).features, roles(g).targets) == (("x",), ("y",))


def test_a_prediction_has_a_row_for_each_example() -> None:
    text = "X: data[N, D]; y: data[N]; w: param[D]; q = sum(w**2); mse(X @ w, y) + q"
    with pytest.raises(sg.UsageError, match=r"'q' has the shape \(\); it has no row"):
        roles(sg.parse(text), predict="q")
