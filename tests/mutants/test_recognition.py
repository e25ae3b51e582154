"""Recognition: by value, it computes what was typed; by name, it becomes what is named."""

import itertools

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import values
from symgrad.graph import Node, line_of, topological
from symgrad.ops import OPS, const, leaf, make, value_of
from symgrad.ops.spec import LETTERS, letters, stands
from symgrad.rewrite import recognise
from symgrad.rewrite.canonical import canonical, squared
from symgrad.rewrite.match import (
    Candidates,
    Rule,
    by_root,
    calm,
    compiled,
    could_match,
    match,
    parse_rule,
    rewrite,
    rows_rules,
)
from symgrad.rewrite.rules import RECOGNITION

SIZES = {"S": (3, 4), "Q": (4, 4), "R": (2, 3, 4), "P": (3, 3, 3), "v": (5,), "u": (4,), "g": (4,),
         "x": (), "z": (), "b": (), "w": ()}  # fmt: skip
DECLARED = "\n".join(
    f"{k}: real[{', '.join(map(str, s))}]" if s else f"{k}: real" for k, s in SIZES.items()
)
DECLARED += "\ny: labels[3, 4]\n"


def settled(text: str) -> Node:
    return recognise(sg.parse(DECLARED + text))[0].output


def same_value(text: str) -> Node:
    """Recognise a text; compare its numbers with those of the text as it was typed."""
    graph = sg.parse(DECLARED + text)
    found, trace = recognise(graph)
    assert found.output.shape == graph.output.shape
    rng = np.random.default_rng(1)
    numbers = {k: rng.uniform(0.2, 1.5, s) for k, s in SIZES.items()} | {"y": np.array([1, 3, 0])}
    for flip in (1, -1):
        at = {n: numbers[n.attrs["name"]] for n in graph.inputs}
        at = {n: v * flip if n.attrs["name"] in "xvSQRP" else v for n, v in at.items()}
        sizes: dict[str, int] = {}
        with np.errstate(all="ignore"):
            typed = values([graph.output], at, sizes)[graph.output]
            result = values([found.output], at, sizes)[found.output]
        np.testing.assert_allclose(result, typed, rtol=1e-9, atol=1e-12)
    for step in trace:
        assert step.line is not None and step.rule and step.before is not step.after
    return found.output


SAME = [
    ("exp(v)/sum(exp(v))", "softmax(v)"),
    ("exp(S)/sum(exp(S))", "softmax(S, axis=None)"),
    ("exp(R)/sum(exp(R))", "softmax(R, axis=None)"),
    ("exp(R)/sum(exp(R), axis=1, keepdims=True)", "softmax(R, axis=1)"),
    ("exp(R)/sum(exp(R), axis=-2, keepdims=True)", "softmax(R, axis=1)"),
    ("exp(R)/sum(exp(R), axis=2, keepdims=True)", "softmax(R)"),
    ("exp(R)/sum(exp(R), axis=0)", "softmax(R, axis=0)"),
    ("exp(R)/sum(exp(R), axis=1)[:, None]", "softmax(R, axis=1)"),
    ("exp(R)/sum(exp(R), axis=(0, 1))", "softmax(R, axis=(0, 1))"),
    ("exp(R)/sum(exp(R), axis=(1, 2), keepdims=True)", "softmax(R, axis=(1, 2))"),
    ("exp(Q)/sum(exp(Q), axis=0)", "softmax(Q, axis=0)"),
    ("exp(Q)/sum(exp(Q), axis=1)[:, None]", "softmax(Q)"),
    ("exp(Q)/sum(exp(Q), axis=0)[None, :]", "softmax(Q, axis=0)"),
    ("softmax(S - max(S, axis=1, keepdims=True))", "softmax(S)"),
    ("softmax(S - max(S, axis=1)[:, None])", "softmax(S)"),
    ("softmax(S - max(S))", "softmax(S)"),
    ("softmax(S - max(S, axis=0), axis=0)", "softmax(S, axis=0)"),
    ("log_softmax(S - max(S), axis=0)", "log_softmax(S, axis=0)"),
    ("log(sum(exp(S)))", "logsumexp(S)"),
    ("log(sum(exp(S), axis=0))", "logsumexp(S, axis=0)"),
    ("log(sum(exp(S), axis=1, keepdims=True))", "logsumexp(S, axis=1, keepdims=True)"),
    ("log(softmax(S, axis=0))", "log_softmax(S, axis=0)"),
    ("log(softmax(S))", "log_softmax(S)"),
    ("log(softmax(S)[arange(3), y])", "log_softmax(S)[arange(3), y]"),
    ("log(softmax(v)[2])", "log_softmax(v)[2]"),
    ("log(softmax(S)[:, 1:3])", "log_softmax(S)[:, 1:3]"),
    ("log(sigmoid(v)[1:3])", "logsigmoid(v)[1:3]"),
    ("log(sigmoid(v)/exp(w))", "logsigmoid(v) - w"),
    ("log(x/exp(w))", "log(x) - w"),
    ("log(exp(w)/x)", "w - log(x)"),
    ("log(sigmoid(x)*exp(w))", "logsigmoid(x) + w"),
    ("S - logsumexp(S, axis=1, keepdims=True)", "log_softmax(S)"),
    ("S - logsumexp(S, axis=0, keepdims=True)", "log_softmax(S, axis=0)"),
    ("S - logsumexp(S, axis=1)[:, None]", "log_softmax(S)"),
    ("R - logsumexp(R, axis=1)[:, None]", "log_softmax(R, axis=1)"),
    ("S - logsumexp(S)", "log_softmax(S, axis=None)"),
    ("v - logsumexp(v)", "log_softmax(v)"),
    ("R - logsumexp(R, axis=(0, 1), keepdims=True)", "log_softmax(R, axis=(0, 1))"),
    ("log(exp(x) + exp(z))", "logaddexp(x, z)"),
    ("log(exp(x) + 1)", "softplus(x)"),
    ("log(exp(v) + exp(x))", "logaddexp(v, x)"),
    ("sqrt(sum(v**2))", "norm(v)"),
    ("sqrt(sum(S**2, axis=1))", "norm(S, axis=1)"),
    ("sqrt(sum(S**2, axis=0, keepdims=True))", "norm(S, axis=0, keepdims=True)"),
    ("norm(v)**2", "sum(v**2)"),
    ("norm(S, axis=1)**2", "sum(S**2, axis=1)"),
    ("x*sigmoid(b*x)", "swish(x, b)"),
    ("x*sigmoid(x*b)", "swish(x, b)"),
    ("sigmoid(b*x)*x", "swish(x, b)"),
    ("x*sigmoid(-(b*x))", "swish(x, -b)"),
    ("v*sigmoid(b*v)", "swish(v, b)"),
    ("tanh(z)*sigmoid(b*tanh(z))", "swish(tanh(z), b)"),
    ("tanh(z)*sigmoid(-(tanh(z)*b))", "swish(tanh(z), -b)"),
    ("x**0.5", "sqrt(x)"),
    ("x**(1/2)", "sqrt(x)"),
    ("x**(4/2)", "x**2.0"),
    ("-(-x)", "x"),
    ("-(x*(-z))", "x*z"),
    ("(-x)*z", "-(x*z)"),
    ("x*(-z)", "-(x*z)"),
    ("x/(-z)", "-(x/z)"),
    ("(-x)/z", "-(x/z)"),
    ("-((-2)*x)", "2*x"),
    ("-((-0.5)*x)", "0.5*x"),
    ("-sum(-v)", "sum(v)"),
    ("-mean(-S, axis=1)", "mean(S, axis=1)"),
    ("-((-x) - (-z))", "x - z"),
    ("-((-x)*b + (-z)*w)", "x*b + z*w"),
    ("-((-S) @ u)", "S @ u"),
    ("mean(v**2) - mean(v)**2", "var(v)"),
    ("mean(S**2, axis=1) - mean(S, axis=1)**2", "var(S, axis=1)"),
    ("mean(v*v) - mean(v)**2", "var(v)"),
    ("mean(square(v)) - mean(v)**2", "var(v)"),
    ("max(x, 0) + log(1 + exp(-abs(x)))", "softplus(x)"),
    ("log(1 + exp(-abs(x))) + max(x, 0)", "softplus(x)"),
    ("max(x, 0) + z + log(1 + exp(-abs(x)))", "softplus(x) + z"),
    ("max(x, 0) - x*z + log(1 + exp(-abs(x)))", "softplus(x) - x*z"),
    ("z - max(x, 0) - log(1 + exp(-abs(x)))", "-softplus(x) + z"),
    ("max(v, 0) - v*z + log(1 + exp(-abs(v)))", "softplus(v) - v*z"),
    ("sum(S, axis=-1)", "sum(S, axis=1)"),
    ("sum(S, axis=(0, 1))", "sum(S)"),
    ("sum(S, axis=(1,))", "sum(S, axis=1)"),
    ("sum(R, axis=(-1, 0))", "sum(R, axis=(0, 2))"),
    ("softmax(S, axis=1)", "softmax(S)"),
    ("where(1 == 1, x, z)", "x"),
    ("where(1 == 2, x, z)", "z"),
    ("where(1 != 2, x, z)", "x"),
    ("where(1 != 1, x, z)", "z"),
    ("where(0, x, z)", "z"),
    ("where(3, x, z)", "x"),
    ("log(exp(x))", "x"),
    ("log(1/exp(x))", "-x"),
    ("sqrt(x**2)", "abs(x)"),
    ("log(1 - 1/(1 + exp(x)))", "-softplus(-x)"),
    ("log(1/(1 + exp(-x)))", "-softplus(-x)"),
    ("0.5*(1 + tanh(0.5*x))", "sigmoid(x)"),
    ("0.5*(1 + erf(x/sqrt(2)))", "normal_cdf(x)"),
]  # fmt: skip
APART = [
    ("exp(Q)/sum(exp(Q), axis=1)", "softmax"),
    ("exp(Q)/sum(exp(Q), axis=1)[None, :]", "softmax"),
    ("exp(Q)/sum(exp(Q), axis=0)[:, None]", "softmax"),
    ("exp(P)/sum(exp(P), axis=1)", "softmax"),
    ("exp(P)/sum(exp(P), axis=(0, 2))[0]", "softmax"),
    ("exp(P)/sum(exp(P), axis=2)", "softmax"),
    ("exp(x)/sum(exp(v))", "softmax"),
    ("exp(v)/sum(exp(u))", "softmax"),
    ("tanh(v)/sum(tanh(v))", "softmax"),
    ("exp(v)/mean(exp(v))", "softmax"),
    ("softmax(S - max(S, axis=0))", ""),
    ("softmax(S - max(S, axis=0)[None, :])", ""),
    ("softmax(S - max(2*S))", ""),
    ("softmax(S + max(S))", ""),
    ("softmax(S - sum(S))", ""),
    ("log(sum(tanh(S) + 3))", "logsumexp"),
    ("log(sum(exp(x)*z))", "logsumexp"),
    ("log(x + exp(z))", "softplus"),
    ("log(exp(x) - 1)", "softplus"),
    ("log(exp(x) + exp(z) + 0)", ""),
    ("log(exp(2) + exp(3) + 1)", ""),
    ("log(2 + 3*1)", ""),
    ("log(tanh(x)/z)", ""),
    ("log(x*exp(w))", ""),
    ("log(abs(S)[0])", "log_softmax"),
    ("Q - logsumexp(Q, axis=1)", "log_softmax"),
    ("Q - logsumexp(Q, axis=1)[None, :]", "log_softmax"),
    ("Q - logsumexp(Q, axis=0)[:, None]", "log_softmax"),
    ("S - logsumexp(2*S)", "log_softmax"),
    ("Q - logsumexp(Q, axis=0)", ""),
    ("x - logsumexp(v)", "log_softmax"),
    ("v - sum(v)", "log_softmax"),
    ("v - sum(S, axis=1)[0]", "log_softmax"),
    ("sqrt(sum(abs(v)**3))", "norm"),
    ("sqrt(sum(abs(v)))", "norm"),
    ("sqrt(mean(v**2))", "norm"),
    ("sqrt(sum(x**2))", "norm"),
    ("norm(v)**3", "sum"),
    ("x*sigmoid(b*z)", "swish"),
    ("2*sigmoid(2*x)", "swish"),
    ("x*sigmoid(x + b)", "swish"),
    ("x*tanh(b*x)", "swish"),
    ("x**0.25", "sqrt"),
    ("x**(1/4)", "sqrt"),
    ("x**(1/z)", "sqrt"),
    ("-(x + (-z))", ""),
    ("-(x - z)", ""),
    ("-((-x) + z)", ""),
    ("where(2 < 1, x, z)", ""),
    ("where(1 < 2, x, z)", ""),
    ("where(2 >= 1, x, z)", ""),
    ("max(x, 0) + max(z, 0) + log(1 + exp(-abs(x)))", ""),
    ("mean(v**2) - mean(u)**2", "var"),
    ("mean(v**3) - mean(v)**2", "var"),
    ("mean(v**2) - mean(v)**3", "var"),
    ("sum(v**2) - mean(v)**2", "var"),
    ("mean(v**2) - sum(v)**2", "var"),
    ("mean(v**2) - mean(v)", "var"),
    ("mean(Q**2, axis=1) - mean(Q, axis=0)**2", "var"),
    ("max(x, 0) + log(1 + exp(-abs(z)))", ""),
    ("max(x, 0) - log(1 + exp(-abs(x)))", ""),
    ("max(z, 0) + x + log(1 + exp(-abs(x)))", ""),
    ("abs(x) + log(1 + exp(-abs(x)))", ""),
    ("max(x, 0) + log(1 + exp(abs(x)))", ""),
    ("max(x, 0) + log(1 + exp(-x))", ""),
    ("sum(S, axis=(0, 1), keepdims=True)", ""),
    ("sum(R, axis=(0, 1))", ""),
    ("where(x == 1, z, b)", ""),
    ("where(x > 0, z, b)", ""),
    ("where(1 == 1, x, v)", ""),
    ("x*0.5*z/4", ""),
    ("0.25*x*(1 + tanh(x/2))/2", ""),
    ("0.5*(1 + tanh(0.25*x))", "sigmoid"),
    ("(2 + tanh(x/2))/2", "sigmoid"),
    ("x - 1.0*tanh(z)", "tanhshrink"),
    ("log(abs(v)[1:3])", "log_softmax"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "named"), SAME)
def test_what_is_typed_becomes_what_is_named(typed: str, named: str) -> None:
    assert same_value(typed) is settled(named) or sg.parse(DECLARED + typed).output is settled(
        named
    )


HOLDS = [
    ("log(mean(exp(S)))", "logsumexp", "mean"),
    ("log(mean(exp(S), axis=1))", "logsumexp", "mean"),
    ("log(1 + (exp(x) + exp(z)))", "logaddexp", "exp"),
    ("log((exp(b) + exp(x)) + (exp(w) + exp(z)))", "logaddexp", "exp"),
    ("log(exp(x) + 2)", "softplus", "exp"),
    ("log(2 + exp(x))", "softplus", "exp"),
    ("(max(x, 0) + z) + (log(1 + exp(-abs(x))) + w)", "softplus", "abs"),
    ("(z - max(x, 0)) - (log(1 + exp(-abs(x))) + w)", "softplus", "abs"),
    ("log(det(Q @ Q.T + eye(4)))", "logdet", "det"),
    ("log(3 + exp(x) + 2)", "softplus", "exp"),
    ("log(exp(v) + exp(x) + 1)", "logaddexp", "exp"),
]


@pytest.mark.parametrize(("text", "holds", "never"), HOLDS)
def test_what_a_logarithm_becomes(text: str, holds: str, never: str) -> None:
    ops = [n.op for n in topological([same_value(text)])]
    assert holds in ops and never not in ops


@pytest.mark.parametrize(("text", "never"), APART)
def test_what_only_looks_alike_keeps_its_value(text: str, never: str) -> None:
    found = same_value(text)
    assert never not in [n.op for n in topological([found])]


# -- standardisation -------------------------------------------------------------------------

SPREAD = ["var({a}, axis={k}{keep})", "mean(({a} - {m})**2, axis={k}{keep})"]


def standardised(
    a: str, axis: int, keep: bool, spread: str, eps: str, frame: str = "{c}/{r}"
) -> str:
    mark = ", keepdims=True" if keep else ""
    grown = "" if keep or axis == 0 else "[:, None]"
    mean = f"mean({a}, axis={axis}{mark}){grown}"
    inner = spread.format(a=a, k=axis, keep=mark, m=mean)
    root = f"sqrt({eps.format(inner)}){grown}" if not keep else f"sqrt({eps.format(inner)})"
    return frame.format(c=f"({a} - {mean})", r=root)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("spread", SPREAD)
@pytest.mark.parametrize("eps", ["{} + 0.01", "0.01 + {}", "{} + x**2"])
def test_standardisation(axis: int, keep: bool, spread: str, eps: str) -> None:
    found = same_value(standardised("S", axis, keep, spread, eps))
    assert found.op == "standardize" and found.attrs["axis"] == axis
    for frame in ("g*{c}/{r}", "{c}*g/{r}"):
        found = same_value(standardised("S", axis, keep, spread, eps, frame))
        assert found.op == "mul" and "standardize" in [n.op for n in found.args]


@pytest.mark.parametrize(
    "text",
    [
        "(S - mean(S, axis=0))/sqrt(var(S, axis=0))",
        "(S - mean(S, axis=0))/(var(S, axis=0) + 0.01)",
        "(Q - mean(Q, axis=0))/sqrt(var(Q, axis=1) + 0.01)",
        "(S - mean(2*S, axis=0))/sqrt(var(S, axis=0) + 0.01)",
        "(S - mean(S, axis=0))/sqrt(var(2*S, axis=0) + 0.01)",
        "(S - sum(S, axis=0))/sqrt(var(S, axis=0) + 0.01)",
        "(S - mean(S, axis=0))/sqrt(mean((S - 1)**2, axis=0) + 0.01)",
        "(S - mean(S, axis=0))/sqrt(mean(abs(S - mean(S, axis=0))**3, axis=0) + 0.01)",
        "(S - mean(S, axis=0))/sqrt(var(S, axis=0)*1.5)",
        "(S - mean(S, axis=0))/sqrt(mean((S - mean(S, axis=0))**4, axis=0) + 0.01)",
        "(S - mean(S, axis=0))/sqrt(var(S, axis=0) + u**2)",
        "(S + mean(S, axis=0))/sqrt(var(S, axis=0) + 0.01)",
        "(S - mean(S, axis=0))/exp(var(S, axis=0) + 0.01)",
        "g*(S - mean(S, axis=0))/(1 + abs(x))",
        "(x - mean(x))/sqrt(var(v) + 0.01)",
    ],
)
def test_what_is_no_standardisation(text: str) -> None:
    assert "standardize" not in [n.op for n in topological([same_value(text)])]


# -- rules -----------------------------------------------------------------------------------


def test_the_rules_of_no_operator() -> None:
    """They apply to what they are for, and both sides are the same number."""
    x = sg.parse("x").output
    own = [r for r in RECOGNITION if r.name != "double angle"]  # which a doctest adds
    for rule in own:
        assert rule.place.startswith("line ") and compiled(rule.before).op in ("log", "sqrt")
        typed = sg.parse(rule.before.replace("(a", "(x").replace("-a", "-x")).output
        result = rewrite(rule, typed)
        assert result is not None and x in topological([result])
        for number in (-0.7, 0.3, 2.5):
            found = values([typed, result], {x: np.float64(number)}, {})
            assert float(found[typed]) == pytest.approx(float(found[result]), rel=1e-12)
    assert [r.name for r in own] == [
        "log of exp", "root of a square", "log of 1/a", "1 - sigmoid", "log sigmoid of -a",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "wrong: sin(a) -> cos(a)",
            r"the rule 'wrong' is not true: at a = \S+ its sides are \S+ and \S+$",
        ),
        ("wrong: a + b -> a - b", r"at a = \S+, b = \S+ its sides"),
        (
            "never: log(-a**2 - 1) -> a",
            "the rule 'never' could not be tried: no point gives numbers",
        ),
        ("half: abs(a) -> a", "is not true: at a = -"),
        ("odd: sin(a) -> cos(b)", r"at a = \S+, b = \S+ its sides"),
        ("near: tan(a) -> (1 + 1e-7)*sin(a)/cos(a)", "is not true"),
        ("big: sqrt(a**2) -> a", "is not true"),
    ],
)
def test_rules_that_do_not_hold_are_refused(text: str, words: str, registries: None) -> None:
    before = list(RECOGNITION)
    with np.errstate(all="ignore"), pytest.raises(sg.UsageError, match=words):
        sg.rule(text)
    assert before == RECOGNITION


def test_a_rule_must_come_to_an_end(registries: None) -> None:
    with pytest.raises(sg.UsageError, match="the rule 'grow' applies to its own result") as caught:
        sg.rule("grow: sin(a) -> sin(a)*1.0")
    assert "write what it gives in other operators" in str(caught.value)


def test_rules_that_hold_for_positive_numbers_can_be_tried(registries: None) -> None:
    names = LETTERS[:7]
    logs = " + ".join(f"log({a})" for a in names)
    with np.errstate(all="ignore"):
        assert sg.rule(f"logs: {logs} -> log({'*'.join(names)})") is RECOGNITION[-1]


def test_rules_that_hold_are_added(registries: None) -> None:
    with np.errstate(all="ignore"):
        for text in (
            "a: sin(a)**2 + cos(a)**2 -> 1",
            "log(a*b) -> log(a) + log(b)",
            "b: a + 1e-12 -> a",
        ):
            assert sg.rule(text) is RECOGNITION[-1]
        sg.rule("nothing: sin(a)**2 + cos(a)**2 - 1 -> 0")
        RECOGNITION.pop()
    assert RECOGNITION[-3].name == "a" and settled("sin(x)**2 + cos(x)**2").attrs == {"value": 1}
    assert RECOGNITION[-2] == Rule("log(a*b)", "log(a*b)", "log(a) + log(b)", RECOGNITION[-2].place)


def test_a_rule_says_where_it_stands() -> None:
    import inspect

    frame = inspect.currentframe()
    assert frame
    rule = parse_rule(" name :  a + b  ->  b + a ")
    assert rule == Rule("name", "a + b", "b + a", f"line {frame.f_lineno - 1}")
    assert Rule("name", "a", "b").place == ""
    assert parse_rule("a -> b").name == "a" and parse_rule(": a -> b").name == "a"
    with pytest.raises(sg.ParseError, match="a rule reads  before -> after; this one is 'a => b'"):
        parse_rule("a => b")
    with pytest.raises(sg.ParseError) as caught:
        parse_rule("x" * 500)
    assert "'" + "x" * 80 + "'" in str(caught.value)
    for text in ("a -> b +", "a + -> b"):
        with pytest.raises(sg.SymgradError):
            parse_rule(text)


def test_patterns_match_in_either_order() -> None:
    x, y, z = leaf("x"), leaf("y"), leaf("z")
    for op in ("add", "mul", "eq", "ne"):
        mark = {"add": "+", "mul": "*", "eq": "==", "ne": "!="}[op]
        for args in ((make("exp", x), y), (y, make("exp", x))):
            assert match(compiled(f"exp(a) {mark} b"), make(op, *args)) == {"a": x, "b": y}
    for op, mark in (("sub", "-"), ("div", "/"), ("lt", "<")):
        assert match(compiled(f"exp(a) {mark} b"), make(op, y, make("exp", x))) is None
    both = make("mul", make("add", x, y), make("add", y, make("exp", z)))
    assert match(compiled("(a + b)*(exp(c) + b)"), both) == {"a": x, "b": y, "c": z}
    assert match(compiled("(a + b)*(exp(c) + a)"), both) == {"a": y, "b": x, "c": z}
    assert match(compiled("(a + b)*(exp(c) + c)"), both) is None
    assert match(compiled("a + a"), make("add", x, y)) is None


def test_numbers_match_their_spellings() -> None:
    x = leaf("x")
    for text, typed, found in (
        ("a/2", "0.5*x", True), ("a/2", "x*0.5", True), ("a/2", "x/2", True), ("a/4",
        "0.25*x", True),
        ("a/4", "x*0.25", True), ("a/4", "0.5*x", False), ("a/2", "0.25*x", False), ("a/3",
        "x*0.3333333333333333", False),
        ("a*sqrt(2/pi)", f"x*{(2 / np.pi) ** 0.5!r}", True), ("a*sqrt(2/pi)", "x*0.8", False),
        ("a**2", "x**2.0", True), ("a**2", "x**3", False), ("a**2", "x**y", False), ("a*b/2",
        "x*0.5", False),
        ("log(a + 1)", "log(1 + x)", True), ("a - 1", "1 - x", False), ("max(a, 0)",
        "max(x, 0)", True),
    ):  # fmt: skip
        result = match(compiled(text), sg.parse(typed).output)
        assert (result is not None) is found, (text, typed)
        assert not found or result == {"a": x}


def test_operators_match_with_their_settings() -> None:
    matrix = sg.parse("S: real[2, 3]\nsum(S, axis=1)").output
    assert match(make("sum", leaf("a", (2, 3)), axis=1, keepdims=False), matrix) is not None
    assert match(make("sum", leaf("a", (2, 3)), axis=0, keepdims=False), matrix) is None


def test_candidates_are_all_rules_that_match() -> None:
    """Nothing that matches is left out by the quick look at operators."""
    rules = [*RECOGNITION, *rows_rules()]
    table = Candidates(by_root(rules))
    texts = [r.before for r in rules] + [t for t, _ in SAME if not set("SQRPvuy[") & set(t)]
    few = 0
    for text in texts:
        for letter, name in zip("abc", "uvw", strict=True):
            import re

            text = re.sub(rf"\b{letter}\b", name, text)
        for node in sg.parse(
            DECLARED.replace("v: real[5]", "v: real").replace("u: real[4]", "u: real") + text
        ).order():
            kept = table.of(node)
            assert kept == table.of(node)  # as remembered
            below = tuple(a.op for a in node.args)
            for rule in rules:
                if match(compiled(rule.before), node) is not None:
                    assert rule in kept and could_match(rule, node.op, below)
            few += len(kept) < len(table.by_root.get(node.op, ())) / 2
    assert few > 100


def test_what_could_match() -> None:
    for before, op, below, found in (
        ("log(exp(a))", "log", ("exp",), True), ("log(exp(a))", "log", ("const",), False),
        ("a + exp(b)", "add", ("exp", "sin"), True), ("a + exp(b)", "add", ("sin", "exp"), True),
        ("a + exp(b)", "add", ("sin", "cos"), False), ("a - exp(b)", "sub", ("exp", "sin"), False),
        ("exp(a)/2", "div", ("exp", "const"), True), ("exp(a)/2", "mul", ("exp", "const"), True),
        ("exp(a)/2", "mul", ("const", "exp"), True), ("exp(a)/2", "mul", ("exp", "exp"), False),
        ("a/b", "div", ("exp",), False), ("tanh(a/2)", "tanh", ("mul",), True), ("tanh(a/2)",
        "tanh", ("add",), False),
        ("tanh(a/3)", "tanh", ("mul",), False), ("tanh(a/4)", "tanh", ("mul",), True),
        ("a*sqrt(2/pi)", "mul", ("sin", "const"), True), ("a*sqrt(2/pi)", "mul", ("sin",
        "sqrt"), True),
        ("a*sqrt(b)", "mul", ("sin", "const"), False),
    ):  # fmt: skip
        assert could_match(Rule("", before, "a"), op, below) is found, (before, op, below)


def test_tables_of_rules() -> None:
    rules = [Rule("1", "a/2", "a"), Rule("2", "a/3", "a"), Rule("3", "a*b", "a"), Rule("4",
    "exp(a)/4", "a"),
             Rule("5", "a/b", "a")]  # fmt: skip
    table = {op: [r.name for r in found] for op, found in by_root(rules).items()}
    assert table == {"div": ["1", "2", "4", "5"], "mul": ["1", "3", "4"]}
    assert calm(["input", "const", "add", "sub", "mul", "sin", "cos", "tanh"]) and calm([])
    for op in ("exp", "log", "where", "div", "pow", "sqrt", "abs", "sum"):
        assert not calm(["add", op])
    asked = []

    def quiet(op: str, below: tuple[str, ...]) -> bool:
        asked.append((op, below))
        return op != "tan"

    found = Candidates(by_root(rules), quiet)
    x = leaf("x")
    assert (
        found.quiet(make("sin", x))
        and not found.quiet(make("tan", x))
        and not found.quiet(make("mul", x, x))
    )
    assert found.quiet(make("sin", leaf("y"))) and asked.count(("sin", ("input",))) == 1
    assert found.of(make("sin", x)) == () and found.of(make("mul", x, x)) == (rules[2],)
    assert not Candidates({}).quiet(make("sin", x))


def test_a_rewrite_keeps_the_shape() -> None:
    graph = sg.parse("v: real[3]\nx*exp(v)")
    assert rewrite(Rule("", "a*exp(b)", "a"), graph.output) is None
    assert rewrite(Rule("", "a*exp(b)", "b"), graph.output) is sg.parse("v: real[3]\nv").output
    assert rewrite(Rule("", "a*exp(b)", "b @ a"), graph.output) is None  # no product with a number
    assert rewrite(Rule("", "log(a)", "a"), graph.output) is None


def test_rules_of_rows() -> None:
    printed = rows_rules()
    for mode in ("printed", "readable", "fast", "accurate"):
        pairs = {(r.name, r.before) for r in rows_rules(mode)}
        for row in OPS.values():
            for typed in row.recognise:  # but for what the mode writes by its formula
                left_out = row.hidden and mode == "printed"
                left_out |= typed == row.formula and not stands(row, mode)
                assert ((row.name, typed) in pairs) is not left_out, (mode, row.name, typed)
    named = {r.name for r in printed}
    assert "sigmoid" in named and all(r.place for r in printed)
    first = next(k for k, r in enumerate(printed) if " as " in r.name)
    assert all(" as " in r.name for r in printed[first:]) and not any(
        " as " in r.name for r in printed[:first]
    )
    for rule in printed:
        if " as " in rule.name:
            assert rule.name == f"{rule.before} as {rule.after}"
        else:
            assert compiled(rule.after).op == rule.name


# -- spellings -------------------------------------------------------------------------------


def test_a_usual_spelling_stays() -> None:
    for text in ("x + z", "x*z", "-x", "-(x*z)", "x**2", "sum(S, axis=1)", "softmax(S)", "sum(S)",
        "x/z",
                 "x - z", "where(x > 0, x, z)", "sqrt(x)", "sum(S, axis=1, keepdims=True)",
                 "sum(S, axis=(0, 1), keepdims=True)", "softmax(S, axis=(0, 1))",
                 "softmax(S, axis=0)",
                 "cumsum(S, axis=0)"):  # fmt: skip
        assert canonical(sg.parse(DECLARED + text).output) is None, text
    matrix = leaf("S", (3, 4))
    assert canonical(make("softmax", matrix, axis=(1,))) is None
    assert canonical(make("softmax", matrix, axis=1)) is make("softmax", matrix, axis=-1)
    for text, usual in SAME:
        node = canonical(settled(usual))
        assert node is None or node is settled(usual), (text, usual)


def test_a_sign_is_looked_for_so_deep() -> None:
    x, y = leaf("x"), leaf("y")
    layers = {
        "sum": lambda n: make("mean", n, axis=None, keepdims=False),
        "product": lambda n: make("mul", y, n),
        "quotient": lambda n: make("div", n, y),
        "difference": lambda n: make("sub", n, make("neg", y)),
    }
    for layer in layers.values():
        for depth, found in ((1, True), (8, True), (9, False), (12, False)):
            node = make("neg", x)
            for _ in range(depth):
                node = layer(node)
            assert (canonical(make("neg", node)) is not None) is found, depth


def test_a_condition_between_numbers_is_settled() -> None:
    x, z, v = leaf("x"), leaf("z"), leaf("v", (3,))
    for number, taken in ((0, z), (1, x), (3, x), (-1, x), (0.5, x)):
        assert canonical(make("where", const(number), x, z)) is taken
    assert canonical(make("where", const(1), x, v)) is None
    for op, one, other in (("eq", 1, x), ("eq", 2, z), ("ne", 1, z), ("ne", 2, x)):
        assert one and canonical(make("where", make(op, const(1), const(one)), x, z)) is other
    for op in ("lt", "eq", "ne"):
        assert canonical(make("where", make(op, x, const(1)), x, z)) is None
        assert canonical(make("where", make(op, const(1), x), x, z)) is None
    assert canonical(make("where", make("lt", const(1), const(2)), x, z)) is None


@pytest.mark.parametrize(
    "text",
    [
        "max(x, 0) + max(x, 0) + log(1 + exp(-abs(x)))",
        "max(x, 0) + z + max(x, 0) + log(1 + exp(-abs(x)))",
        "log(1 + exp(-abs(x))) + log(1 + exp(-abs(x))) + max(x, 0)",
    ],
)
def test_of_equal_terms_one_is_joined(text: str) -> None:
    same_value(text)


@pytest.mark.parametrize("mode", ["printed", "readable", "fast", "accurate"])
def test_every_row_keeps_its_value_in_every_mode(mode: str) -> None:
    """Definitions are silent, and leave no factor 1 behind."""
    for row in OPS.values():
        if row.shape != "elementwise" or not row.formula or row.hidden:
            continue
        graph = sg.parse(f"{row.name}({', '.join(letters(row))})")
        found, trace = recognise(graph, mode)
        at = {n: np.float64(0.4 + 0.2 * k) for k, n in enumerate(graph.inputs)}
        pair = [values([g.output], at, {})[g.output] for g in (graph, found)]
        assert float(pair[1]) == pytest.approx(float(pair[0]), rel=1e-9), row.name
        assert not {"definition", "spelling"} & {t.rule for t in trace}
        for node in found.order():
            assert not (node.op == "mul" and 1 in [value_of(a) for a in node.args]), row.name
            assert not (node.op == "add" and 0 in [value_of(a) for a in node.args]), row.name


def test_squares() -> None:
    x, y = leaf("x"), leaf("y")
    for node in (make("pow", x, sg.parse("2").output), make("square", x), make("mul", x, x)):
        assert squared(node) is x
    for node in (make("mul", x, y), make("pow", x, sg.parse("3").output), make("exp", x), x):
        assert squared(node) is None


def test_long_sums_are_not_searched() -> None:
    """max(z, 0) and log(1 + exp(-|z|)) meet among eight terms; in more they stay as they are."""
    for count, found in ((2, True), (5, True), (20, False)):
        others = " + ".join(f"t{k}" for k in range(count))
        ops = [
            n.op
            for n in topological(
                [recognise(sg.parse(f"log(1 + exp(-abs(z))) + {others} + max(z, 0)"))[0].output]
            )
        ]
        assert ("abs" not in ops) is found, count


def test_trace_and_notes() -> None:
    graph, trace = recognise(sg.parse("a = sqrt(x**2)\nb = log(exp(z)) + sqrt(w**2)\nc = a*b"))
    assert [(t.rule, t.line) for t in trace] == [
        ("root of a square", 1), ("log of exp", 2), ("root of a square", 2)]  # fmt: skip
    assert graph.notes == ("recognised root of a square (line 1)", "recognised log of exp (line 2)",
                           "recognised root of a square (line 2)")  # fmt: skip
    assert graph.names["a"].op == "abs" and [n for n in graph.names if n in "abc"] == [
        "a",
        "b",
        "c",
    ]
    typed = sg.parse("x: real[N]\nk: real\nsum(x)", shapes={"x": (5,)})
    found = recognise(typed)[0]
    assert (found.source, found.dims, found.dtype) == (typed.source, typed.dims, typed.dtype)
    assert found.inputs == typed.inputs


def test_names_and_places_are_those_of_what_was_recognised() -> None:
    typed = sg.parse("a = 1/(1 + exp(-x))\nb = log(1 + exp(z))\nc = a*(b + 2)")
    graph = recognise(typed)[0]
    assert [graph.names[n].op for n in "abc"] == ["sigmoid", "softplus", "mul"]
    assert line_of(graph.spans, graph.output) == 3
    assert line_of(graph.spans, graph.names["a"]) == 1
    assert line_of(graph.spans, graph.names["b"]) == 2
    unused = recognise(sg.parse("a = exp(x)\nx + z"))[0]
    assert all(node is not None for node in unused.names.values())


def test_quotients_are_safe_in_code() -> None:
    for mode in ("readable", "fast", "accurate"):
        for text, at, number in (
            ("exp(x)/exp(z)", (800.0, 790.0), np.exp(10.0)),
            ("exp(v)/sum(exp(v))", (np.array([1e4, 1e4]),), np.array([0.5, 0.5])),
        ):
            graph = sg.parse(text, shapes={"v": (2,)} if "v" in text else None)
            found = recognise(graph, mode)[0]
            point = dict(zip(graph.inputs, map(np.asarray, at), strict=True))
            result = values([found.output], point, {})[found.output]
            np.testing.assert_allclose(result, number, rtol=1e-12)


def test_logarithms_of_many_terms_are_short() -> None:
    for text in (
        "log(exp(x) + exp(z) + 1)",
        "log(1 + exp(x) + exp(z))",
        "log(exp(w) + 1 + exp(z))",
    ):
        ops = [n.op for n in topological([recognise(sg.parse(text))[0].output])]
        assert sorted(ops) == ["input", "input", "logaddexp", "softplus"]
    for text, ops in (("x - log(exp(x) + exp(z))", {"input", "sub", "softplus", "neg"}),
                      ("log(exp(x) + exp(z)) - x", {"input", "sub", "softplus"}),
                      ("-x + log(exp(x) + exp(z))", {"input", "sub", "softplus"})):  # fmt: skip
        assert {n.op for n in topological([same_value(text)])} == ops


def test_code_knows_more_than_print() -> None:
    graph = sg.parse("a = exp(x) - 1")
    printed, _ = recognise(graph)
    code, _ = recognise(graph, "readable")
    for mode in ("printed", "readable", "fast", "accurate"):
        at = {n: np.float64(0.3) for n in graph.inputs}
        found = recognise(graph, mode)[0]
        assert float(values([found.output], at, {})[found.output]) == pytest.approx(
            float(np.expm1(0.3))
        )
    assert printed.output.op == "sub" or printed.output.op == code.output.op


def test_every_pair_of_functions_keeps_its_value() -> None:
    """A function of a function, alone and in a quotient."""
    functions = ("exp", "log", "sqrt", "abs", "tanh", "sigmoid", "softplus", "relu", "square")
    for f, g in itertools.product(functions, repeat=2):
        same_value(f"{f}({g}(z) + 0.5)")
        same_value(f"{f}({g}(z)/{f}(w))")
