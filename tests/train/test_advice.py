"""Advice from the graph: each mistake is named with its line, healthy networks are left alone."""

from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad import cli
from symgrad.train.advice import advice

EXAMPLES = Path(__file__).parents[2] / "examples"
ONE = "X: data[N, D]; y: {}; W: param[D, C]; w: param[D]\n"
TWO = "X: data[N, D]; y: labels[N, C]; W: param[D, H]; V: param[H, C]; b: param[H]\n"
NORM = TWO + "g: param[H]; c: param[H]; m: binary[N, H]\n"


def deep(act: str, count: int, line: str = "h{1} = {0}(h{2} @ W{2})") -> str:
    weights = "; ".join(f"W{i}: param[D, D]" for i in range(count))
    layers = "\n".join(line.format(act, i + 1, i) for i in range(count))
    return (f"X: data[N, D]; y: labels[N, C]; V: param[D, C]; {weights}\nh0 = X\n{layers}\n"
            f"cross_entropy(h{count} @ V, y)")  # fmt: skip


HEALTHY = [
    (EXAMPLES / "04_digits.sg").read_text(encoding="utf-8"),
    (EXAMPLES / "03_two_layer.sg").read_text(encoding="utf-8"),
    (EXAMPLES / "01_neuron.sg").read_text(encoding="utf-8"),
    TWO.replace("b: param[H]", "g: param[H]; c: param[H]")
    + "cross_entropy(relu(batch_norm(X @ W, g, c)) @ V, y)",
    NORM + "cross_entropy(dropout(relu(layer_norm(X @ W + b, g, c)), m) @ V, y)",
    "X: data[N, D]; y: labels[N, C]; W: param[D, H]; A: param[H, H]; B: param[H, H]\n"
    "V: param[H, C]\n"
    "h = X @ W\nh = h + relu(h @ A) @ B\nh = h + relu(h @ B) @ A\ncross_entropy(h @ V, y)",
    "X: data[N, D]; y: binary[N]; w: param[D]; b: param\nbce(sigmoid(X @ w + b), y)",
    "X: data[N, D]; y: data[N]; W: param[D, H]; U: param[D, H]; v: param[H]\n"
    "mse(maximum(X @ W, X @ U) @ v, y)",
    "X: data[N, D]; y: sign[N]; w: param[D]\nhinge(X @ w, y)",
    "X: data[N, D]; y: labels[N, C]; W: param[D, C]\np = softmax(X @ W)\ncross_entropy(log(p), y)",
    "X: data[N, D]; y: data[N]; w: param[D]\nmse(softplus(X @ w), y)",
    "X: data[N, D]; W: param[D, H]; b: param[H]\nmse(sigmoid(X @ W + b) @ W.T, X)",
    deep("relu", 6),
    deep("tanh", 3),
    deep("tanh", 6, "h{1} = h{2} + {0}(h{2} @ W{2})"),
]


@pytest.mark.parametrize("text", HEALTHY)
def test_healthy_networks_are_left_alone(text: str) -> None:
    assert [str(a) for a in advice(sg.parse(text))] == []


@pytest.mark.parametrize(
    ("text", "what", "line", "name"),
    [
        (TWO + "cross_entropy((X @ W + b) @ V, y)", "two linear layers make one", 2, "W, V"),
        (deep("sigmoid", 5), "the gradient vanishes", 3, "W0"),
        (deep("tanh", 4), "the gradient vanishes", 3, "W0"),
        (TWO + "h = (X @ W + b)**2\ncross_entropy(h @ V, y)", "the activation explodes", 2, "h"),
        (ONE.format("onehot[N, C]") + "p = softmax(X @ W)\nmse(p, y) + sum(w)",
         "softmax with a squared error", 2, "p"),
        (ONE.format("binary[N]") + "p = 1/(1 + exp(-(X @ w)))\nmean((p - y)**2) + sum(W)",
         "sigmoid with a squared error", 2, "p"),
        (ONE.format("labels[N, C]") + "p = softmax(X @ W)\ncross_entropy(p, y) + sum(w)",
         "softmax before cross_entropy", 3, "p"),
        (ONE.format("data[N]") + "p = relu(X @ w)\nmse(p, y) + sum(W)",
         "the output cannot reach every target", 2, "p"),
        (ONE.format("data[N]") + "p = tanh(X @ w)\nmse(p, y) + sum(W)",
         "the output cannot reach every target", 2, "p"),
        (ONE.format("onehot[N, C]") + "p = sigmoid(X @ W)\nbce(p, y) + sum(w)",
         "sigmoid for one class of several", 2, "p"),
        (NORM.replace("; b: param[H]", "")
         + "h = relu(batch_norm(dropout(X @ W, m), g, c))\ncross_entropy(h @ V, y)",
         "dropout before batch_norm", 3, "h"),
        (ONE.format("labels[N, C]") + "m: binary[N, C]\ns = dropout(X @ W, m)\n"
         "cross_entropy(s, y) + sum(w)", "dropout at the output", 3, "s"),
        (NORM + "h = relu(batch_norm(X @ W + b, g, c))\ncross_entropy(dropout(h, m) @ V, y)",
         "a bias without effect", 3, "b"),
        (TWO + "z = X @ W + b\nh = relu((z - mean(z, 0))/sqrt(var(z, 0) + 1e-5))\n"
         "cross_entropy(h @ V, y)", "a bias without effect", 2, "b"),
        (ONE.format("data[N]") + "mse(X @ w, y)", "a parameter without influence", 1, "W"),
        (ONE.format("data[N]") + "mse(X @ w, y) + sum(sign(W))",
         "a parameter without influence", 1, "W"),
        (ONE.format("binary[N]") + "hinge(X @ w, y) + sum(W)",
         "labels that do not fit the loss", 2, "y"),
        (ONE.format("sign[N]") + "bce_with_logits(X @ w, y) + sum(W)",
         "labels that do not fit the loss", 2, "y"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(text: str, what: str, line: int, name: str) -> None:
    found = advice(sg.parse(text))
    assert [(a.what, *a.where) for a in found] == [(what, line, name)]
    assert found[0].why and found[0].hint and what in str(found[0])


def test_the_bound_of_the_slopes_is_said() -> None:
    assert "|f′| ≤ 0.25: at most 0.25^5 = 0.00098" in advice(sg.parse(deep("sigmoid", 5)))[0].why


@pytest.mark.parametrize(
    ("scheme", "silent"),
    [("auto", True), ("he", True), ("he_uniform", True), ("orthogonal", True),
     ("normal(0.01)", True),
     ("glorot", False), ("lecun", False), ("normal", False), ("zeros", False)],
)  # fmt: skip
def test_an_initialisation_is_compared_with_the_activation(scheme: str, silent: bool) -> None:
    found = advice(sg.parse(HEALTHY[0]), scheme=scheme)
    assert [a.where for a in found] == ([] if silent else [(7, "W1")])


def test_positive_inputs_are_pointed_out_if_data_are_given() -> None:
    graph = sg.parse(HEALTHY[0])
    assert advice(graph, data={"X": np.ones((3, 2))})[0].what == "all inputs are positive"
    assert advice(graph, data={"X": np.array([[1.0, -1.0]])}) == []


def test_check_prints_advice_and_keeps_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", TWO + "cross_entropy((X @ W + b) @ V, y)"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("advice: line 2 (W, V): two linear layers make one: ")
    assert cli.main(["check", HEALTHY[0]]) == 0
    assert "advice" not in capsys.readouterr().out
