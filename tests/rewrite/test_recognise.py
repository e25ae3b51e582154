"""What is typed by hand becomes the identical node as the named operator, and nothing else does."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.graph import Node
from symgrad.rewrite import recognise
from symgrad.rewrite.match import compiled, match, parse_rule, rewrite, rows_rules
from symgrad.rewrite.rules import RECOGNITION

DECLARED = "S: real[N, C]\nv: real[K]\nT: onehot[N, C]\ny: labels[N, C]\nt: binary[K]\n"


def settled(text: str) -> Node:
    return recognise(sg.parse(DECLARED + text))[0].output


SAME = [
    ("1/(1 + exp(-x))", "sigmoid(x)"),
    ("exp(x)/(1 + exp(x))", "sigmoid(x)"),
    ("exp(x)/(exp(x) + 1)", "sigmoid(x)"),
    ("1/(exp(-x) + 1)", "sigmoid(x)"),
    ("(1 + exp(-x))**(-1)", "sigmoid(x)"),
    ("1/(1 + 1/exp(x))", "sigmoid(x)"),
    ("(1 + tanh(x/2))/2", "sigmoid(x)"),
    ("1/(1 + exp(-(w*x + b)))", "sigmoid(w*x + b)"),
    ("(exp(x) - exp(-x))/(exp(x) + exp(-x))", "tanh(x)"),
    ("2*sigmoid(2*x) - 1", "tanh(x)"),
    ("(exp(2*x) - 1)/(exp(2*x) + 1)", "tanh(x)"),
    ("2/(1 + exp(-2*x)) - 1", "tanh(x)"),
    ("log(1 + exp(x))", "softplus(x)"),
    ("log(exp(x) + 1)", "softplus(x)"),
    ("log1p(exp(x))", "softplus(x)"),
    ("log(sigmoid(x))", "logsigmoid(x)"),
    ("log(1/(1 + exp(-x)))", "logsigmoid(x)"),
    ("log(1 - sigmoid(x))", "-softplus(x)"),
    ("log(1 - 1/(1 + exp(-x)))", "-softplus(x)"),
    ("max(x, 0)", "relu(x)"),
    ("max(0, x)", "relu(x)"),
    ("x*sigmoid(x)", "silu(x)"),
    ("x/(1 + exp(-x))", "silu(x)"),
    ("log(exp(x))", "x"),
    ("exp(v)/sum(exp(v))", "softmax(v)"),
    ("softmax(v - max(v))", "softmax(v)"),
    ("exp(v - max(v))/sum(exp(v - max(v)))", "softmax(v)"),
    ("exp(S)/sum(exp(S), axis=1, keepdims=True)", "softmax(S)"),
    ("exp(S)/sum(exp(S), axis=-1)[:, None]", "softmax(S)"),
    ("exp(S)/sum(exp(S), axis=0)", "softmax(S, axis=0)"),
    ("exp(S)/sum(exp(S), axis=0, keepdims=True)", "softmax(S, axis=0)"),
    ("log(sum(exp(v)))", "logsumexp(v)"),
    ("log(sum(exp(S), axis=1))", "logsumexp(S, axis=1)"),
    ("log(softmax(S))", "log_softmax(S)"),
    ("S - logsumexp(S, axis=1, keepdims=True)", "log_softmax(S)"),
    ("S - log(sum(exp(S), axis=1))[:, None]", "log_softmax(S)"),
    ("log(exp(S)/sum(exp(S), axis=1, keepdims=True))", "log_softmax(S)"),
    ("log_softmax(S - max(S, axis=1)[:, None])", "log_softmax(S)"),
    ("log(softmax(S)[arange(N), y])", "log_softmax(S)[arange(N), y]"),
    ("bce(sigmoid(v), t)", "bce_with_logits(v, t)"),
    ("bce(1/(1 + exp(-v)), t)", "bce_with_logits(v, t)"),
    ("-mean(log(softmax(S)[arange(N), y]))", "cross_entropy(S, y)"),
    ("maximum(v, 0)", "relu(v)"),
]


@pytest.mark.parametrize(("typed", "named"), SAME)
def test_typed_by_hand_is_the_named_operator(typed: str, named: str) -> None:
    left, right = settled(typed), settled(named)
    if left is not right:  # the same after the normal form, which orders sums and products
        graphs = [sg.gradient(DECLARED + f"sum({t})") for t in (typed, named)]
        assert [f.node for f in graphs[0].values()] == [f.node for f in graphs[1].values()]


DIFFERENT = [
    ("exp(S)/sum(exp(S + 1), axis=1, keepdims=True)", "softmax"),
    ("exp(v)/sum(exp(2*v))", "softmax"),
    ("log(1 + exp(x)*2)", "softplus"),
    ("1/(1 + exp(-x)*3)", "sigmoid"),
    ("1/(2 + exp(-x))", "sigmoid"),
    ("2/(1 + exp(-x))", "tanh"),
    ("exp(x)/(1 + exp(y_))", ""),
    ("exp(x)/(1 - exp(x))", "sigmoid"),
    ("log(sum(exp(v)*2))", "logsumexp"),
    ("log(mean(exp(v)*2))", "logsumexp"),
    ("exp(S)/sum(exp(S), axis=1)[0]", "softmax"),
    ("exp(v)/max(exp(v))", "softmax"),
    ("S - logsumexp(S, axis=0)[:, None][0]", "log_softmax"),
    ("v - logsumexp(2*v)", "log_softmax"),
    ("softmax(v - min(v))", ""),
    ("max(x, 1)", "relu"),
    ("(exp(x) - exp(-x))/(exp(x) + exp(-2*x))", "tanh"),
    ("(exp(x) + exp(-x))/(exp(x) + exp(-x))", "tanh"),
    ("log(1 - exp(x))", "softplus"),
    ("log(1 + exp(x)) + exp(x)", ""),
    ("min(x, 0)", "relu"),
    ("exp(S)/sum(exp(S), axis=0)[:, None][:3, 0]", "softmax"),
]


def ops_of(node: Node) -> list[str]:
    from symgrad.graph import topological

    return [n.op for n in topological([node])]


@pytest.mark.parametrize(
    ("text", "never"), [d for d in DIFFERENT if "[0]" not in d[0] and ":3" not in d[0]]
)
def test_what_only_looks_alike_is_left_alone(text: str, never: str) -> None:
    assert never not in ops_of(settled(text))
    rng = np.random.default_rng(0)
    graph = sg.parse(
        DECLARED.replace("real[N, C]", "real[3, 4]").replace("real[K]", "real[5]") + f"sum({text})"
    )
    at: dict[str, Any] = {
        "S": rng.normal(size=(3, 4)),
        "v": rng.normal(size=5),
        "x": -0.4,
        "y_": 0.3,
        "T": np.eye(3, 4),
        "y": np.array([0, 1, 2]),
        "t": np.ones(5),
    }
    at = {n.attrs["name"]: at[n.attrs["name"]] for n in graph.inputs}
    value, grads = sg.compile(graph)(**at)
    passes = sg.backprop(graph, at)
    assert value == pytest.approx(float(passes.value), rel=1e-12)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, passes.grad[name], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "rule", [*RECOGNITION, *rows_rules()], ids=lambda r: f"{r.name}: {r.before}"
)
def test_every_rule_keeps_the_value(rule: Any, exact: Any) -> None:
    """Both sides at random points, to 50 digits; a rule that is wrong anywhere fails here."""
    import mpmath

    before, after = compiled(rule.before), compiled(rule.after)
    rng = np.random.default_rng(3)
    for _ in range(8):
        at = {k: mpmath.mpf(float(v)) for k, v in zip("abcd", rng.uniform(-2, 2, 4), strict=True)}
        assert mpmath.almosteq(exact.node(before, at), exact.node(after, at), 1e-40)


@pytest.mark.parametrize(
    "rule", [*RECOGNITION, *rows_rules()], ids=lambda r: f"{r.name}: {r.before}"
)
def test_every_rule_applies_to_its_own_left_side(rule: Any) -> None:
    text = rule.before
    for letter, name in zip("ab", "uw", strict=True):
        import re

        text = re.sub(rf"\b{letter}\b", name, text)
    result = rewrite(rule, sg.parse(text).output)
    assert (result is not None and result.op == compiled(rule.after).op) or result.op == "input"


def test_the_trace_says_what_was_recognised_and_where() -> None:
    graph, trace = recognise(sg.parse("a = 1/(1 + exp(-x))\nb = log(1 + exp(a))"))
    assert [(r.rule, r.line) for r in trace] == [("sigmoid", 1), ("softplus", 2)]
    assert graph.notes == ("recognised sigmoid (line 1)", "recognised softplus (line 2)")
    assert trace[0].before is sg.parse("1/(1 + exp(-x))").output
    assert sg.gradient("x*y")["x"].notes == ()


def test_matching() -> None:
    x, y = sg.parse("x").output, sg.parse("y").output
    found = match(compiled("a*b + a"), sg.parse("x*y + x").output)
    assert found == {"a": x, "b": y}
    assert match(compiled("a*b + a"), sg.parse("x + y*x").output) == {"a": x, "b": y}
    assert match(compiled("a*b + a"), sg.parse("y*y + x").output) is None
    assert match(compiled("a - 1"), sg.parse("x - 1.0").output) == {"a": x}
    assert match(compiled("a - 1"), sg.parse("x - 2").output) is None


@pytest.mark.parametrize(
    "text",
    [
        "a + b",
        "a -> b -> c",
        "",
        "a -> ",
        "-> a",
        "a +* -> b",
        "f: a -> __import__('os')",
        "exp(a) -> a.__class__",
        "a -> unknown(a)",
    ],
)
def test_a_wrong_rule_is_refused(text: str, registries: None) -> None:
    before = len(RECOGNITION)
    with pytest.raises(sg.SymgradError):
        sg.rule(text)
    assert len(RECOGNITION) == before


def test_rules_have_names_and_places() -> None:
    rule = parse_rule("mine: exp(a)*exp(b) -> exp(a + b)")
    assert (rule.name, rule.before, rule.after) == ("mine", "exp(a)*exp(b)", "exp(a + b)")
    assert parse_rule("log(exp(a)) -> a").name == "log(exp(a))"
    assert all(r.place for r in rows_rules())
