"""The certificate of a gradient: differences, complex step, the entry that is wrong, the cost."""

import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import autodiff
from symgrad.autodiff.check import Check, Cost
from symgrad.autodiff.complexstep import ComplexStep
from symgrad.ops import const, make

NET = "X: data[N, D]; y: labels[N, C]; W: param[D, H]; V: param[H, C]\n"
CLASSIFIER = NET + "cross_entropy({}(X @ W) @ V, y)"


@pytest.mark.parametrize(
    "text",
    [
        CLASSIFIER.format("tanh"),
        CLASSIFIER.format("sigmoid"),
        CLASSIFIER.format("softplus"),
        "X: data[N, D]; y: binary[N]; w: param[D]; b: param; bce_with_logits(X @ w + b, y)",
        "X: data[N, D]; y: data[N]; w: param[D]; g: param[D]; b: param[D]\n"
        "mse(tanh(batch_norm(X, g, b)) @ w, y)",
        "X: data[N, D]; w: param[D]; g: param[D]; mean(layer_norm(X*w, g, 0)**3)",
        "A: param[3, 3]; sum(inv(A)) + det(A)",
        "w: param[4]; prod(w) + logsumexp(w) + sum(w**2.0) + sum(cumsum(w))",
        "w: param[4]; var(w) + entropy(softmax(w))",
        'X: data[N, D]; w: param[D, K]; sum(einsum("nd,dk->nk", X, w)**2)',
        "t: labels[N, V]; E: param[V, D]; sum(E[t]**2)",
    ],
)
def test_the_complex_step_is_exact(text: str) -> None:
    certificate = sg.check(text)
    assert certificate.ok
    for row in certificate.rows:
        assert row.exact is not None and row.exact < 1e-14, row
        assert row.steps * 4 == row.evaluations


@pytest.mark.parametrize(
    ("text", "spoiler"),
    [
        ("w: param[3]; sum(relu(w))", "relu"),
        ("w: param[3]; sum(abs(w))", "abs"),
        ("w: param[3]; norm(w)", "norm"),
        ("w: param[3]; sum(maximum(w, 0.1))", "maximum"),
        ("w: param[3]; sum(where(w > 0, w, w**2))", "a comparison"),
        ("w: param[3]; sum(erf(w))", "erf"),
        ("w: param[3]; v: param[2]; sum(correlate(w, v)**2)", "correlate"),
        ("w: param[3]; t: data[3]; huber(w, t)", "huber"),
    ],
)
def test_what_is_not_analytic_is_left_to_differences(text: str, spoiler: str) -> None:
    certificate = sg.check(text)
    assert certificate.ok and certificate.rows[0].exact is None
    assert certificate.rows[0].spoiler == spoiler
    assert f"no complex step through {spoiler}" in str(certificate)


def test_only_the_way_to_the_output_counts() -> None:
    w, v = sg.check(CLASSIFIER.format("relu")).rows
    assert w.exact is None and v.exact is not None
    assert sg.check("x: data[3]; w: param[3]; sum(abs(x)*w**2)").rows[0].exact is not None


def test_the_step_decides_where_differences_are_too_coarse() -> None:
    row = sg.check("w: param; sin(1e6*w)").rows[0]
    assert row.ok and row.error > 1e-3 and row.exact is not None and row.exact < 1e-9


def test_an_overflow_at_complex_points_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ComplexStep, "slope", lambda *given: np.nan)
    row = sg.check("w: param; softplus(w)", {"w": 0.5}).rows[0]
    assert row.ok and row.exact is None and row.spoiler == "an overflow"


def wrong(text: str, place: Any) -> autodiff.Certificate:
    """Certify a gradient to which 0.001 is added at one place."""
    graph = sg.parse(text)
    at = autodiff.point(graph)
    shift = np.zeros_like(at["w"])
    shift[place] = 1e-3
    extended = sg.parse(text + "\nq = shift*w", {"shift": shift})
    shift_node = next(n for n in extended.inputs if n.attrs["name"] == "shift")
    right = sg.gradient(graph)["w"].node
    bad = make("add", right, make("mul", shift_node, const(1)))
    both = sg.Graph.of([graph.output], names=graph.names, extra_inputs=extended.inputs)
    return autodiff.certify(both, {**at, "shift": shift}, {"w": bad}, 1e-6)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("w: param[3, 4]; sum(tanh(w)**2)", (1, 2)),
        ("w: param[3, 4]; sum(relu(w)**2)", (2, 0)),
        ("w: param[30, 40]; sum(tanh(w)**2)", (17, 33)),
        ("w: param[30, 40]; sum(relu(w)**2)", (29, 39)),
    ],
)
def test_the_wrong_entry_is_named(text: str, place: tuple[int, int]) -> None:
    row = wrong(text, place).rows[0]
    assert not row.ok and row.worst == place
    assert row.derived - row.measured == pytest.approx(1e-3, rel=1e-3)
    said = str(row)
    assert said.startswith("DIFFERS") and f"w[{place[0]}, {place[1]}]: derived " in said


def test_a_scalar_has_no_place() -> None:
    row = sg.check("floor(x*1000)", {"x": 0.1}).rows[0]
    assert not row.ok and row.worst == () and "; x: derived 0, measured 1000" in str(row)
    assert not sg.check("x: param[3]; sum(sin(x)/0)")


def test_the_cost_is_said_and_no_part_of_equality() -> None:
    text = CLASSIFIER.format("tanh")
    certificate = sg.check(text)
    assert certificate == sg.check(text)
    assert certificate.cost is not None and certificate.cost.parameters == 16
    said = str(certificate).replace("\n", " ")
    assert re.search(
        r"16 parameters: central differences need 32 evaluations \(\S+ \S+ each, \S+ \S+ in all\), "
        r"backpropagation one forward and one backward pass \(\S+ \S+\): differences take "
        r"\S+ times as long",
        said,
    )
    assert "need 2000 evaluations (1.0 ms each, 2.0 s in all)" in str(Cost(1000, 1e-3, 4e-3))
    assert "differences take 500.0 times" in str(Cost(1000, 1e-3, 4e-3))
    assert str(sg.check("w: param[0]; sum(w**2)")).count("\n") == 0
    assert str(Check("w", 1e-9, 4, True)) == "ok  central differences 1.0e-09 (4 evaluations)"


def test_values_on_the_way_are_not_said_to_be_checked() -> None:
    text = "x: param[N]; q = x**2; sum(q)"
    inner = "q  not checked, a value on the way"
    assert str(sg.check(text, wrt="q")) == inner
    both = sg.check(text, wrt=["q", "x"])
    assert both.ok and [row.name for row in both.rows] == ["x"] and inner in str(both).splitlines()
    assert inner not in str(sg.check(text))
