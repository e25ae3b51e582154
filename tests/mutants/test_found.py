"""What is recognised, by the name that a reader is told, and what must not be."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import values
from symgrad.graph import topological
from symgrad.rewrite import recognise

DECLARED = "S: real[3, 4]\nv: real[5]\nx: real\nz: real\ny: labels[3, 4]\nA: real[3, 3]\n"
TOLD = [
    ("exp(S)/sum(exp(S), axis=1, keepdims=True)", ["softmax"]),
    ("softmax(v - max(v))", ["softmax shift"]),
    ("log_softmax(v - max(v))", ["softmax shift"]),
    ("log(exp(x) + exp(z))", ["log of a sum of exponentials"]),
    ("log(exp(x) + 3)", ["log of a sum of exponentials"]),
    ("log(sum(exp(v)))", ["log-sum-exp"]),
    ("log(softmax(v))", ["log-softmax"]),
    ("log(softmax(v)[2])", ["log of a pick", "log-softmax"]),
    ("v - log(sum(exp(v)))", ["log-sum-exp", "log-softmax"]),
    ("x*sigmoid(2*x)", ["swish"]),
    ("sqrt(sum(v**2))", ["norm"]),
    ("log(det(A))", ["log determinant"]),
    ("(v - mean(v))/sqrt(var(v) + 0.1)", ["standardisation"]),
    ("log(3)", []), ("log(exp(1) + 2)", []), ("sum(S, axis=(0, 1))", []), ("x**0.5", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rules"), TOLD)
def test_the_names_of_what_is_recognised(text: str, rules: list[str]) -> None:
    graph, trace = recognise(sg.parse(DECLARED + text))
    assert [step.rule for step in trace] == rules
    lines = dict.fromkeys(f"recognised {name} (line 7)" for name in rules)
    assert graph.notes == tuple(lines)


def ops(text: str, mode: str = "printed") -> list[str]:
    return [n.op for n in topological([recognise(sg.parse(DECLARED + text), mode)[0].output])]


@pytest.mark.parametrize("mode", ["readable", "fast", "accurate"])
def test_in_code_a_quotient_is_a_softmax_before_one_of_exponentials(mode: str) -> None:
    assert "softmax" in ops("exp(v)/sum(exp(v))", mode)
    assert "div" not in ops("exp(x)/exp(z)", mode)


def test_a_sum_of_one_number_is_that_number() -> None:
    assert ops("log(sum(exp(x)))") == ["input"] and ops("log(mean(exp(x)))") == ["input"]


@pytest.mark.parametrize("spread", ["sum((v - mean(v))**2)", "max((v - mean(v))**2)",
                                    "mean((v - mean(v))**4)", "mean((v - x)**2)",
                                    "prod((v - mean(v))**2)"])  # fmt: skip
def test_only_a_variance_standardises(spread: str) -> None:
    text = f"(v - mean(v))/sqrt({spread} + 0.1)"
    assert "standardize" not in ops(text)
    graph = sg.parse(DECLARED + text)
    found = recognise(graph)[0]
    at = {n: np.linspace(0.1, 1.7, int(np.prod(n.shape, dtype=int))).reshape(n.shape)
          for n in graph.inputs if n.dtype == "float"}  # fmt: skip
    a, b = (values([g.output], at, {})[g.output] for g in (graph, found))
    np.testing.assert_allclose(a, b, rtol=1e-12)


def test_numbers_below_definitions_are_written_where_code_has_no_name_for_them() -> None:
    for text in ("square(x) + 1", "log2(x)*3", "gelu(x) - 2", "mish(z)*x", "mse(x, z)"):
        graph = sg.parse(DECLARED + text)
        for mode in ("printed", "fast", "accurate"):
            found = recognise(graph, mode)[0]
            at = {n: np.float64(0.7 if n.attrs["name"] == "x" else 1.3) for n in graph.inputs
                  if not n.shape and n.dtype == "float"}  # fmt: skip
            a, b = (float(values([g.output], at, {})[g.output]) for g in (graph, found))
            assert a == pytest.approx(b, rel=1e-12), (text, mode)
