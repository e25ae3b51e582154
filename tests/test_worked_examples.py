"""The worked examples of the lectures: numbers, closed forms, accuracy of the generated code."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import symgrad as sg

NEURON = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
AT_NEURON = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
NEURON_GRADS = {
    "w0": -0.1966119, "x0": 0.3932239, "w1": -0.3932239, "x1": -0.5898358, "w2": 0.1966119,
}  # fmt: skip
SCORES = [3.2, 5.1, -1.7]
FOLDED = "y: binary\nz: real\ny_hat = sigmoid(z)\nL = bce(y_hat, y)"
BY_HAND = (
    "y: binary\nz: real\ny_hat = 1/(1 + exp(-z))\nL = -(y*log(y_hat) + (1 - y)*log(1 - y_hat))"
)
SOFTMAX = "s: real[3]\ny: label[3]\np = softmax(s)\nL = -log(p[y])"
SVM = "s: real[3]\ny: label[3]\nL = svm(s, y)"
LINEAR_SVM = (
    "x: data[D]\ny: label[C]\nW: param[D, C]\ns = x @ W\nR = sum(W**2)\nL = svm(s, y)\nloss = L + R"
)


@dataclass(frozen=True)
class Example:
    """A program at a point: its value, gradients and intermediate values."""

    text: str
    at: dict[str, Any]
    value: float
    grads: dict[str, Any]
    values: dict[str, Any]
    digits: int = 7


def example(text: str, at: dict[str, Any], value: float, grads: dict[str, Any],
            values: dict[str, Any] | None = None, digits: int = 7) -> Example:  # fmt: skip
    return Example(text, at, value, grads, values or {}, digits)


HOT = np.eye(3)[0]
P8 = np.exp(SCORES) / np.exp(SCORES).sum()
EXAMPLES = {
    "W1": example("q = x + y\nf = q*z", {"x": -2, "y": 5, "z": -4}, -12,
                  {"x": -4, "y": -4, "z": 3, "q": -4}, {"q": 3}),
    "W2": example("f = x*(y - z)", {"x": -2, "y": 7, "z": 4}, -6, {"x": 3, "y": -2, "z": 2}),
    "W3": example(NEURON, AT_NEURON, 0.7310586, NEURON_GRADS),
    "W3-staged": example(
        "a = w0*x0\nb = w1*x1\nc = a + b\nd = c + w2\nn = -d\ne = exp(n)\nu = 1 + e\nf = 1/u",
        AT_NEURON, 0.7310586,
        {**NEURON_GRADS, "u": -0.5344466, "e": -0.5344466, "n": -0.1966119, "d": 0.1966119},
        {"a": -2, "b": 6, "c": 4, "d": 1, "n": -1, "e": 0.3678794, "u": 1.3678794},
    ),
    "W4": example("z = w0*x0 + w1*x1 + w2\nf = sigmoid(z)", AT_NEURON, 0.7310586,
                  {**NEURON_GRADS, "z": 0.1966119}, {"z": 1}),
    "W5": example("x = t**2\ny = 3*t\nL = x*y", {"t": 2}, 24, {"t": 36, "x": 6, "y": 4},
                  {"x": 4, "y": 6}),
    "W6": example(FOLDED, {"z": 0.3, "y": 1}, 0.5543552444685271,
                  {"z": -0.4255574831883410, "y_hat": -1 / 0.5744425168116590}),
    "W6-hand": example(BY_HAND, {"z": 0.3, "y": 1}, 0.5543552444685271,
                       {"z": -0.4255574831883410, "y_hat": -1 / 0.5744425168116590}),
    "W8": example(SOFTMAX, {"s": SCORES, "y": 0}, 2.0404, {"s": P8 - HOT}, {"p": P8}, 4),
    "W9": example(SVM, {"s": SCORES, "y": 0}, 2.9, {"s": [-1, 1, 0]}),
    "W9-linear": example(
        LINEAR_SVM, {"x": [1.0, 2.0], "y": 0, "W": [[0.2, 0.1, 0.3], [0.5, -0.3, 0.4]]},
        0.9 + 0.64, {"W": [[-0.6, 0.2, 1.6], [-1.0, -0.6, 2.8]],
                     "R": 1, "L": 1}, {"s": [1.2, -0.5, 1.1]},
    ),
    "W14-1": example("s: real[2]\nsum(softmax(s, beta=5)*s)", {"s": [1.0, 1.1]},
                     1.0 + 0.1 * 0.6224593, {}, digits=6),
    "W16-hinge-on": example("s: real[3]\ny: label[3]\nsvm(s, y)", {"s": [10, 9, 9], "y": 0}, 0,
                            {"s": [0, 0, 0]}),
    "W16-hinge-off": example("s: real[3]\ny: label[3]\nsvm(s, y)", {"s": [10, -10, -10], "y": 0},
                             0, {"s": [0, 0, 0]}),
    "W16-ce-on": example("s: real[3]\ny: label[3]\ncross_entropy(s, y)", {"s": [10, 9, 9], "y": 0},
                         0.5514, {}, digits=4),
    "W16-ce-off": example("s: real[3]\ny: label[3]\ncross_entropy(s, y)",
                          {"s": [10, -10, -10], "y": 0}, 4.1223072448771157e-09, {}, digits=11),
    "W17": example("A: data[4, 3]\nr: param[3]\nS = A + r\nL = sum(S**2)/2",
                   {"A": np.arange(1, 13).reshape(4, 3), "r": [100, 200, 300]},
                   np.sum((np.arange(1, 13).reshape(4, 3) + np.array([100, 200, 300])) ** 2) / 2,
                   {"r": [422, 826, 1230]}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_numbers(name: str) -> None:
    e = EXAMPLES[name]
    tolerance = 0.51 * 10.0**-e.digits
    passes = sg.backprop(e.text, e.at, wrt=[*e.grads] or None)
    graph = sg.parse(e.text)
    wrt = [n for n in e.grads if n in [i.attrs["name"] for i in graph.inputs]]
    value, grads = sg.compile(graph, wrt=wrt)(**{
        k: np.array(v, dtype=float) if isinstance(v, list) else v for k, v in e.at.items()
    })  # fmt: skip
    assert abs(float(passes.value) - e.value) < tolerance
    assert abs(float(value) - e.value) < tolerance
    for key, true in e.grads.items():
        np.testing.assert_allclose(passes.grad[key], true, rtol=0, atol=tolerance)
        if key in wrt:
            np.testing.assert_allclose(grads[key], true, rtol=0, atol=tolerance)
    for key, true in e.values.items():
        np.testing.assert_allclose(passes.values[graph.names[key]], true, rtol=0, atol=tolerance)
    named = [n for n in e.grads if n not in wrt]
    if named:
        _, more = sg.compile(graph, wrt=named)(**e.at)
        for key in named:
            np.testing.assert_allclose(more[key], e.grads[key], rtol=0, atol=tolerance)


def test_every_primitive_of_the_neuron_is_a_node_of_its_own() -> None:
    passes = sg.backprop(NEURON, AT_NEURON)
    shown = [round(float(passes.values[n]), 7) for n in passes.graph.order() if n.args]
    assert shown == [-2, 6, 4, 1, -1, 0.3678794, 1.3678794, 0.7310586]
    backwards = [round(float(passes.grads[n]), 7) for n in reversed(passes.graph.order()) if n.args]
    assert backwards[:5] == [1, -0.5344466, -0.5344466, -0.1966119, 0.1966119]


def test_the_gate_has_the_local_gradient_of_the_lecture() -> None:
    passes = sg.backprop(EXAMPLES["W4"].text, AT_NEURON)
    assert round(float(passes.local[passes.graph.output, 0]), 7) == 0.1966119


def test_branches_of_a_fork_add_up() -> None:
    passes = sg.backprop("x = t**2\ny = 3*t\nL = x*y", {"t": 2})
    names = passes.graph.names
    shares = [
        float(v) for (n, _), v in passes.contributions.items() if n in (names["x"], names["y"])
    ]
    assert sorted(shares) == [12, 24] and float(passes.grad["t"]) == 36


def test_nobody_computes_what_nobody_asked_for() -> None:
    source = sg.compile(f"{NEURON}", wrt=["w0"]).source
    assert "grad_x0" not in source and "grad_w1" not in source
    passes = sg.backprop(NEURON, AT_NEURON, wrt=["w0"])
    assert list(passes.grad) == ["w0"]
    inputs = {n.attrs["name"]: n for n in passes.graph.inputs}
    assert inputs["x0"] not in passes.grads and inputs["w0"] in passes.grads


CLOSED = {  # program -> wrt: (unicode, LaTeX), the forms that a lecturer puts on a slide
    "W1 q": (
        EXAMPLES["W1"].text,
        {"x": ("z", "z"), "y": ("z", "z"), "z": ("q", "q"), "q": ("z", "z")},
    ),
    "W1": ("f = (x + y)*z", {"x": ("z", "z"), "y": ("z", "z"), "z": ("x + y", "x + y")}),
    "W2": (EXAMPLES["W2"].text, {"x": ("y − z", "y - z"), "y": ("x", "x"), "z": ("−x", "-x")}),
    "W3": (
        NEURON,
        {
            "w0": ("f(1 − f) x₀", r"f\, (1 - f) x_{0}"),
            "x1": ("f(1 − f) w₁", r"f\, (1 - f) w_{1}"),
            "w2": ("f(1 − f)", r"f\, (1 - f)"),
        },
    ),
    "W4": (EXAMPLES["W4"].text, {"z": ("f(1 − f)", r"f\, (1 - f)")}),
    "W6": (
        FOLDED,
        {
            "z": ("ŷ − y", r"\hat{y} - y"),
            "y_hat": ("(1 − y)/(1 − ŷ) − y/ŷ", r"\frac{1 - y}{1 - \hat{y}} - \frac{y}{\hat{y}}"),
        },
    ),
    "W6 by hand": (
        BY_HAND,
        {
            "z": ("ŷ − y", r"\hat{y} - y"),
            "y_hat": ("(1 − y)/(1 − ŷ) − y/ŷ", r"\frac{1 - y}{1 - \hat{y}} - \frac{y}{\hat{y}}"),
        },
    ),
    "W8": (SOFTMAX, {"s": ("p − e_y", "p - e_{y}")}),
    "W8 scores": (
        "s: real[3]\ny: label[3]\nL = cross_entropy(s, y)",
        {"s": ("p − e_y", "p - e_{y}")},
    ),
    "W8 one-hot": (
        "s: real[3]\ny: onehot[3]\np = softmax(s)\nL = -sum(y*log(p))",
        {"s": ("p − y", "p - y")},
    ),
    "W8 typed": (
        "s: real[C]\ny: onehot[C]\np = exp(s)/sum(exp(s))\nL = -sum(y*log(p))",
        {"s": ("p − y", "p - y")},
    ),
    "W9 R": ("W: param[D, C]\nR = sum(W**2)", {"W": ("2W", "2 W")}),
    "CE batch": (
        "X: data[N, D]\nW: param[D, C]\nY: onehot[N, C]\nL = cross_entropy(X @ W, Y)",
        {"W": ("Xᵀ(P − Y)/N", r"\frac{1}{N} X^{\top} (P - Y)")},
    ),
    "logistic": (
        "y: sign\nf: real\nL = log(1 + exp(-y*f))",
        {"f": ("−y σ(−y f)", r"-y \sigma(-y f)")},
    ),
    "hinge": ("y: sign\nf: real\nL = max(0, 1 - y*f)", {"f": ("−y·1[y f < 1]", None)}),
    "squared margin": ("y: sign\nf: real\nL = (1 - y*f)**2", {"f": ("2y(y f − 1)", None)}),
    "mse": (
        "p: real[N]\nt: real[N]\nL = mse(p, t)",
        {"p": ("2(p − t)/N", r"\frac{2}{N}\, (p - t)")},
    ),
    "half square": ("s: real[K]\ny: real[K]\nL = sum((s - y)**2)/2", {"s": ("s − y", "s - y")}),
    "l1": ("s: real[K]\ny: real[K]\nL = sum(abs(s - y))", {"s": ("sign(s − y)", None)}),
    "BCE logit": (
        "y: binary\nz: real\nL = bce_with_logits(z, y)",
        {"z": ("σ(z) − y", r"\sigma(z) - y")},
    ),
    "multi-label": (
        "f: real[C]\ny: binary[C]\nL = sum(bce_with_logits(f, y, reduction='none'))",
        {"f": ("σ(f) − y", r"\sigma(f) - y")},
    ),
    "relu": ("relu(x)", {"x": ("1[x > 0]", None)}),
    "sigmoid": ("a = sigmoid(x)", {"x": ("a(1 − a)", r"a\, (1 - a)")}),
    "tanh": ("a = tanh(x)", {"x": ("1 − a²", "1 - a^{2}")}),
    "square": ("x**2", {"x": ("2x", "2 x")}),
    "softplus": ("softplus(x)", {"x": ("σ(x)", r"\sigma(x)")}),
    "logsigmoid": ("log(1/(1 + exp(-x)))", {"x": ("σ(−x)", r"\sigma(-x)")}),
    "logsumexp": (
        "s: real[K]\nlog(sum(exp(s)))",
        {"s": ("softmax(s)", r"\operatorname{softmax}(s)")},
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name: str) -> None:
    text, forms = CLOSED[name]
    formulas = sg.gradient(text, wrt=list(forms))
    for key, (plain, latex) in forms.items():
        assert formulas[key].unicode() == plain
        if latex is not None:
            assert formulas[key].latex() == latex


def test_all_closed_forms_as_golden(golden: Callable[[str, str], None]) -> None:
    blocks = []
    for name, (text, forms) in CLOSED.items():
        lines = [f"# {name}", *("    " + line for line in text.split("\n"))]
        for formula in sg.gradient(text, wrt=list(forms)).values():
            where = [f"{n} = {f.unicode()}" for n, f in formula.where.items()]
            lines += [f"{formula.head} = {formula.unicode()}   [{', '.join(where)}]",
                      f"{formula.latex_head} = {formula.latex()}", formula.numpy()]  # fmt: skip
        blocks.append("\n".join(lines))
    golden("closed_forms.txt", "\n\n".join(blocks) + "\n")


def test_folded_and_expanded_are_the_same_formula() -> None:
    folded, by_hand = (sg.gradient(t, wrt="z")["z"] for t in (FOLDED, BY_HAND))
    assert folded.node is by_hand.node
    assert folded.numpy() == by_hand.numpy() == "y_hat - y"
    assert {k: f.numpy() for k, f in by_hand.where.items()} == {"y_hat": "sigmoid(z)"}


def test_temperature() -> None:
    for beta, expected in ((1, 0.475), (2, 0.450), (5, 0.378), (100, 4.5e-05)):
        p, _ = sg.compile(f"s: real[2]\nsoftmax(s, beta={beta})", wrt=[])(s=np.array([1.0, 1.1]))
        assert abs(p[0] - expected) < (5e-4 if beta < 100 else 5e-7) and abs(p.sum() - 1) < 1e-15


def exact_cases() -> list[str]:
    """List the examples of numbers alone; arrays are checked in tests/ops and tests/codegen."""
    return [name for name, e in EXAMPLES.items() if not any(np.ndim(v) for v in e.at.values())]


@pytest.mark.parametrize("name", exact_cases())
def test_64_eps_of_the_truth(name: str, exact: Any) -> None:
    """Value and gradients of the generated code against 50 digits."""
    import mpmath

    e = EXAMPLES[name]
    graph = sg.parse(e.text)
    at = {k: mpmath.mpf(v) for k, v in e.at.items()}
    value, grads = sg.compile(graph)(**e.at)
    true = exact.node(graph.output, at)
    assert abs(value - float(true)) <= 64 * 2.0**-52 * max(1, abs(true))
    for key, got in grads.items():

        def along(v: Any, key: str = key) -> Any:
            return exact.node(graph.output, {**at, key: v})

        slope = mpmath.diff(along, at[key])
        assert abs(got - float(slope)) <= 64 * 2.0**-52 * max(1, abs(slope)), key


STABLE = [  # typed by hand or named: value and gradient at |z| = 1e4 stay finite and right
    ("log(1/(1 + exp(-x)))", lambda x: min(x, 0.0), lambda x: float(x < 0)),
    ("log(sigmoid(x))", lambda x: min(x, 0.0), lambda x: float(x < 0)),
    ("logsigmoid(x)", lambda x: min(x, 0.0), lambda x: float(x < 0)),
    ("log(1 + exp(x))", lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("softplus(x)", lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("-log(1 - sigmoid(x))", lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("-log(1 - 1/(1 + exp(-x)))", lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("log(exp(x) + exp(0))", lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("-(1*log(sigmoid(x)) + (1 - 1)*log(1 - sigmoid(x)))", lambda x: max(-x, 0.0),
     lambda x: -float(x < 0)),
    ("bce(sigmoid(x), 1)", lambda x: max(-x, 0.0), lambda x: -float(x < 0)),
    ("bce(1/(1 + exp(-x)), 0)", lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("bce_with_logits(x, 1)", lambda x: max(-x, 0.0), lambda x: -float(x < 0)),
    ("soft_margin(x, -1)", lambda x: max(x, 0.0), lambda x: float(x > 0)),
    ("1/(1 + exp(-x))", lambda x: float(x > 0), lambda x: 0.0),
    ("exp(x)/(1 + exp(x))", lambda x: float(x > 0), lambda x: 0.0),
    ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", lambda x: float(np.sign(x)), lambda x: 0.0),
    ("tanh(x)", lambda x: float(np.sign(x)), lambda x: 0.0),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("text", "value", "slope"), STABLE, ids=[s[0] for s in STABLE])
def test_nothing_overflows_at_1e4(
    text: str, value: Callable[[float], float], slope: Callable[[float], float], dtype: str
) -> None:
    scalar = sg.compile(text)
    inner = text.replace("exp", "@").replace("x", "z").replace("@", "exp")
    array = sg.compile(f"z: param[K]\nsum({inner})".replace("maz", "max"), dtype=dtype)
    for x in (-1e4, -1e3, 1e3, 1e4):
        got, grads = scalar(x=x)
        assert got == value(x) and grads["x"] == slope(x)
        got, grads = array(z=np.array([x], dtype=dtype))
        assert got == value(x) and grads["z"].tolist() == [slope(x)]
        assert got.dtype == grads["z"].dtype == dtype
        formula = sg.gradient(text)["x"]
        assert np.isfinite(sg.compile(formula.graph, wrt=[])(x=x)[0])


ROWS = [
    "-log(softmax(Z)[arange(N), y])", "cross_entropy(Z, y, reduction='none')",
    "logsumexp(Z, axis=1) - Z[arange(N), y]", "-log_softmax(Z)[arange(N), y]",
    "log(sum(exp(Z), axis=1)) - Z[arange(N), y]",
    "-log((exp(Z)/sum(exp(Z), axis=1, keepdims=True))[arange(N), y])",
    "nll(log(softmax(Z)), y, reduction='none')",
    "-log((exp(Z - max(Z, axis=1)[:, None])/sum(exp(Z - max(Z, axis=1)[:, None]), axis=1)[:, None])"
    "[arange(N), y])",
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", ROWS)
def test_cross_entropy_however_typed(text: str, dtype: str) -> None:
    f = sg.compile(f"Z: param[N, C]\ny: labels[N, C]\nL = mean({text})", dtype=dtype)
    Z = np.array([[1e4, 0, 0], [0, -1e4, 1e4]], dtype=dtype)
    value, grads = f(Z=Z, y=np.array([1, 0]))
    assert value == 1e4 and value.dtype == dtype
    assert grads["Z"].tolist() == [[0.5, -0.5, 0], [-0.5, 0, 0.5]] and grads["Z"].dtype == dtype


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_entropies_with_hard_targets(dtype: str) -> None:
    f = sg.compile("Z: param[N, C]\nT: onehot[N, C]\nL = -sum(T*log(softmax(Z)))", dtype=dtype)
    value, grads = f(Z=np.array([[1e4, 0.0]], dtype=dtype), T=np.array([[1, 0]], dtype=dtype))
    assert value == 0 and grads["Z"].tolist() == [[0, 0]]


def test_the_examples_survive_exchange() -> None:
    from symgrad.graph import from_graphml, from_json, to_graphml, to_json

    for e in EXAMPLES.values():
        graph = sg.parse(e.text)
        assert json.loads(to_json(graph))
        assert from_json(to_json(graph)).order() == graph.order()
        assert from_graphml(to_graphml(graph)).order() == graph.order()


def test_softmax_with_inverse_temperature() -> None:
    """W14: the larger beta, the nearer to the maximum."""
    f = sg.compile("s: real[2]\nbeta: real\nsoftmax(s, beta=beta)", wrt=[])
    expected = {1: [0.475, 0.525], 2: [0.450, 0.550], 5: [0.378, 0.622], 100: [4.5e-05, 0.99995]}
    for beta, shares in expected.items():
        value, _ = f(s=np.array([1, 1.1]), beta=float(beta))
        rounding = {"atol": 5e-4, "rtol": 0} if beta < 100 else {"rtol": 0.01}
        np.testing.assert_allclose(value, shares, **rounding)


def test_entropy_in_bits() -> None:
    """W15: bits per symbol, entropy, a pair of coins, H(p, q) = H(p) + KL(p || q)."""
    p = np.array([0.80, 0.15, 0.05])
    bits, _ = sg.compile("p: real[K]\n-log2(p)", wrt=[])(p=p)
    assert bits.round(2).tolist() == [0.32, 2.74, 4.32]
    entropy = sg.compile("p: simplex[K]\nentropy(p, base=2)", wrt=[])
    assert round(float(entropy(p=p)[0]), 3) == 0.884
    assert entropy(p=np.full(4, 0.25))[0] == 2
    q = np.array([0.5, 0.25, 0.25])
    both = "p: simplex[K]\nq: simplex[K]\n"
    cross, _ = sg.compile(both + "cross_entropy_of(p, q, base=2)", wrt=[])(p=p, q=q)
    kl, _ = sg.compile(both + "kl(p, q, base=2)", wrt=[])(p=p, q=q)
    assert cross == pytest.approx(entropy(p=p)[0] + kl, rel=1e-15) and kl > 0
    hard = np.array([0.0, 1.0, 0.0])
    assert entropy(p=hard)[0] == 0


def test_broadcasting_a_row() -> None:
    """W17: the gradient of a row is the column sums of what flows back."""
    text = "A: real[4, 3]\nr: param[3]\nG: data[4, 3]\nsum(G*(A + r))"
    A, G = np.arange(1.0, 13).reshape(4, 3), np.arange(12.0).reshape(4, 3)
    passes = sg.backprop(text, {"A": A, "r": [100, 200, 300], "G": G}, wrt=["r"])
    assert passes.grad["r"].tolist() == G.sum(axis=0).tolist()
    assert sg.gradient(text, "r")["r"].unicode() == "Σᵢ(G)"


def test_attention_written_out() -> None:
    text = (
        "Q: param[N, D]\nK: param[M, D]\nV: param[M, E]\nW: data[N, E]\n"
        "A = softmax(Q @ K.T/sqrt(D))\nloss = sum(W*(A @ V))"
    )
    rng = np.random.default_rng(0)
    at = {"Q": rng.normal(size=(3, 4)), "K": rng.normal(size=(5, 4)), "V": rng.normal(size=(5, 2)),
          "W": rng.normal(size=(3, 2))}  # fmt: skip
    assert sg.check(text, at)
    assert sg.gradient(text)["V"].unicode() == "Aᵀ W"
    value, grads = sg.compile(text)(**{**at, "Q": 1e6 * at["Q"]})
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in grads.values())
