"""Sums, products and quotients in their shortest form, as people write them."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import values
from symgrad.graph import Node, topological
from symgrad.ops import const, leaf, make
from symgrad.rewrite.dangers import MANY, dangerous, risky
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.simplify import simplify

DECLARED = "x: real\ny: real\nz: real\nA: real[3, 4]\nB: real[3, 4]\n"
SHORT = [
    ("(x > 0)*exp(z)*y", "y*exp(z)*(x > 0)"),
    ("1/2 - x/2", "(1 - x) / 2"),
    ("x/3 + y/3 - z/3", "((x + y) - z) / 3"),
    ("-x/2 - y**2/2", "((-x) - (y ** 2)) / 2"),
    ("-2*exp(x) - 2", "2 * (-exp(x) - 1)"),
    ("-x/3 - 1/3", "((-x) - 1) / 3"),
    ("1/x + 1/(1 - x)", "1 / (x * (1 - x))"),
    ("x/y + z/(1 + y)", "(x / y) + (z / (1 + y))"),
    ("x**2/y - 1/y", "((x ** 2) - 1) / y"),
    ("(1 - x)*(1 + x)*y", "(1 - (x ** 2)) * y"),
    ("(1 - x)**2*(1 + x)**2", "(1 - (x ** 2)) ** 2"),
    ("200000*x**2*0.134145 + 200000", "(26829 * (x ** 2)) + 200000"),
    ("3000*x + 1500*y + 4500", "1500 * ((3 + (2 * x)) + y)"),
    ("x - 1", "x - 1"),
    ("-x - y + 1", "(1 - x) - y"),
    ("-x - y - z", "((-x) - y) - z"),
    ("1 - x - y", "(1 - x) - y"),
    ("x*y - z*y - y", "((x - 1) - z) * y"),
    ("(x - y)*(z - 1)*(-1)", "(x - y) * (1 - z)"),
    ("-(x - y)*exp(z)", "(y - x) * exp(z)"),
    ("-(x - y)*(x + y)", "(y - x) * (x + y)"),
    ("-2*(x - y)/(z - 1)", "(2 * (x - y)) / (1 - z)"),
    ("x**3*y/(x*y**2)", "(x ** 2) / y"),
    ("exp(x)*x*2*y", "((2 * x) * y) * exp(x)"),
    ("exp(x)*(x > 0)*y", "(y * exp(x)) * (x > 0)"),
    ("y - (x > 0)*y", "y * (x <= 0)"),
    ("1 - (x > 0)", "1 - (x > 0)"),
    ("(1 - (x > 0))*y*z + z*(x > 0)", "z * where(x > 0, 1, y)"),
    ("((x > 0) - 1)*y", "-(y * (x <= 0))"),
    ("(x == y)*z - z", "-(z * (x != y))"),
    ("sigmoid(x)*(1 - sigmoid(x))", "sigmoid(x) * (1 - sigmoid(x))"),
    ("(1 - sigmoid(x))*y", "y * sigmoid(-x)"),
    ("(sigmoid(x) - 1)*y", "(sigmoid(x) - 1) * y"),
    ("y*(1 - sigmoid(x)) + z*(1 - sigmoid(x))", "(y + z) * sigmoid(-x)"),
    ("(1 + sigmoid(x))*y", "(1 + sigmoid(x)) * y"),
    ("-1 - sigmoid(x)", "(-1) - sigmoid(x)"),
    ("tanh(x)*tanh(x)*y - y", "y * ((tanh(x) ** 2) - 1)"),
    ("x*tanh(y)*3*sigmoid(z)*2", "((6 * x) * sigmoid(z)) * tanh(y)"),
    ("sigmoid(z)*x*y + y*x", "((1 + sigmoid(z)) * x) * y"),
    ("x**2 + 2*x*y + y**2", "(x + y) ** 2"),
    ("x**2 - y**2", "(x - y) * (x + y)"),
    ("x**3 - x", "(x ** 3) - x"),
    ("x**4*2 + 4*x**2 + 2", "2 * ((1 + (x ** 2)) ** 2)"),
    ("where(x > 0, y, z)*2", "2 * where(x > 0, y, z)"),
    ("where(x > 0, y, 0)*z + where(x > 0, z, 0)*y", "((2 * z) * y) * (x > 0)"),
    ("where(x > 0, x*y, y)*3", "(3 * y) * where(x > 0, x, 1)"),
    ("where(x > 0, exp(y), z) + where(x > 0, 0, 1)", "where(x > 0, exp(y), z + 1)"),
    ("where(x > 0, 1/y, 0)*z", "where(x > 0, z / y, 0)"),
    ("x*y*(1/x)*(1/y)*z", "z"),
    ("(x + y)*(x + z) - x*x", "((x + y) * (x + z)) - (x ** 2)"),
    ("(x + y)/(2*x + 2*y)", "1 / 2"),
    ("(2*x - 2*y)/(y - x)", "(-2)"),
    ("(x - y)/(y - x)*exp(z)", "-exp(z)"),
    ("-(x/2) + 1/2", "(1 - x) / 2"),
    ("x/2 - y/2 + z/4", "((2 * (x - y)) + z) / 4"),
    ("1/(x*y) - 1/(y*z)", "(1 / (x * y)) - (1 / (y * z))"),
    ("x*exp(y) + y*exp(y) - exp(y)", "((x + y) - 1) * exp(y)"),
    ("-exp(x)/(1 + exp(x))**2", "-(exp(x) / ((1 + exp(x)) ** 2))"),
    ("x/(x*x + 1) - y/(x*x + 1)", "(x - y) / (1 + (x ** 2))"),
    ("1 - 1/(1 + x)", "x / (1 + x)"),
    ("x**2/2 - x*y + y**2/2", "((x - y) ** 2) / 2"),
    ("0.5*x + 0.25*y", "(0.5 * x) + (0.25 * y)"),
    ("1.5*x*y - 0.5*x*z", "(x * ((3 * y) - z)) / 2"),
    ("2*x*(y - z) - 3*(z - y)", "(3 + (2 * x)) * (y - z)"),
    ("(z - y)*x + (y - z)*x**2", "((z - y) * x) * (1 - x)"),
    ("(x*y + z)/(x*y - z)", "((x * y) + z) / ((x * y) - z)"),
    ("(x - 1)*(y - 1)", "(1 - x) * (1 - y)"),
    ("(1 - x)*(y - 1)*(z - 1)", "((1 - x) * (1 - y)) * (1 - z)"),
    ("-(1 - x)*(y - 1)*z", "((1 - x) * (1 - y)) * z"),
    ("y**5/x**2*x**3", "(y ** 5) * x"),
    ("(A*x - B*x)/x", "A - B"),
    ("A*B/2 - A/2", "(A * (B - 1)) / 2"),
    ("(A - B)*(-2)*x", "(2 * x) * (B - A)"),
    ("sum(A*x - B*x)*(-1/2)", "(x * sum(B - A)) / 2"),
    ("x*log(y) - z*log(y)", "(x - z) * log(y)"),
    ("x/sqrt(y)*2/sqrt(y)", "(2 * x) / y"),
    ("sqrt(x)*sqrt(x)*y", "y * x"),
    ("abs(x)*y/abs(x)", "y"),
    ("x**2*1200 - 2400*y + 1200", "1200 * ((1 + (x ** 2)) - (2 * y))"),
]  # fmt: skip


def typed(text: str) -> Node:
    return sg.parse(DECLARED + text).output


@pytest.mark.parametrize(("text", "short"), SHORT)
def test_the_shortest_form(text: str, short: str) -> None:
    node, wanted = typed(text), typed(short)
    found = simplify([node])[node]
    assert found is wanted
    rng = np.random.default_rng(2)
    for _ in range(3):
        at = {n: rng.uniform(0.1, 2.0, n.shape) for n in topological([node, found])
              if n.op == "input"}  # fmt: skip
        numbers = values([node, found], at, {})
        np.testing.assert_allclose(numbers[found], numbers[node], rtol=1e-9, atol=1e-12)


def test_two_conditions_on_a_number_are_an_interval() -> None:
    found = simplify([typed("(x > 0)*(x < 1)*y*2")])[typed("(x > 0)*(x < 1)*y*2")]
    assert found.op == "mul" and found.args[0] is typed("2*y")
    assert found.args[1] is make("both", typed("0 < x"), typed("x < 1"))


RISKS = [
    ("x*y", False), ("x/y", True), ("x/2", False), ("exp(x)", True), ("exp(-abs(x))", False),
    ("exp(-x**2)", True), ("exp(min(x, 0))", False), ("exp(min(x, 1))", True),
    ("exp(max(x, 0))", True), ("expm1(-softplus(x))", False), ("exp(-square(x))", False),
    ("exp(-x)", True), ("expm1(x)", True), ("log(x)", True), ("log1p(x)", True),
    ("log(-abs(x))", True), ("log2(x)", True), ("sqrt(x)", True), ("sinh(x)", True),
    ("cosh(x)", True), ("tan(x)", True), ("sin(x)", False), ("tanh(x)", False),
    ("x**2", False), ("x**3", False), ("x**1", False), ("x**0.5", True), ("x**-1", True),
    ("x**1.5", True), ("x**y", True), ("abs(x)", False), ("x", False), ("3", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "risk"), RISKS)
def test_what_may_be_infinite_where_it_is_not_taken(text: str, risk: bool) -> None:
    node = typed(text)
    assert dangerous(node) is risk and risky(node) is risk
    assert risky(make("sin", make("add", node, leaf("z")))) is risk
    case = make("where", typed("x > 0"), typed("y*z"), node)
    assert arithmetic(case) is not risk
    assert arithmetic(make("where", typed("x > 0"), node, typed("y*z"))) is not risk


def test_what_belongs_to_a_rational_part() -> None:
    for text, found in (("x + y", True), ("x - y", True), ("x*y", True), ("x/y", True),
                        ("-x", True), ("x**6", True), ("x**7", False), ("x**-6", True),
                        ("x**-7", False), ("x**0.5", False), ("x**2.0", True), ("x**y", False),
                        ("exp(x)", False), ("x", False), ("sum(A)", False),
                        ("A @ B.T", False)):  # fmt: skip
        assert arithmetic(typed(text)) is found, text
    assert arithmetic(make("both", typed("x > 0"), typed("y > 0")))


def test_quotients_that_are_zero_at_zero_may_be_infinite_elsewhere() -> None:
    x, y = leaf("x"), leaf("y")
    for op in ("xdivy", "xlogy"):
        assert dangerous(make(op, x, y)) and not dangerous(make(op, x, const(2))), op


def test_long_branches_are_risky_unseen() -> None:
    node, count = leaf("x"), 1  # x, then one number and one sum a step
    while count + 2 <= MANY:
        node, count = make("add", node, const(count)), count + 2
    assert not risky(node) and risky(make("add", make("sin", node), make("cos", node)))


NAMED = [  # a named sum, what is typed, and what is written with the name
    ("x + y", "x + y - z", "(x + y) - z"),
    ("x + y", "-(x + y) + z", "z - (x + y)"),
    ("x + y", "(x + y)*z - (x + y)*exp(z)", "(x + y)*(z - exp(z))"),
    ("x + y", "(x + y) + z + (x + y)", "2*(x + y) + z"),
    ("x + y", "z - ((x + y) + (x + y))", "z - 2*(x + y)"),
    ("sigmoid(x)", "sigmoid(x)*y - y", "(sigmoid(x) - 1)*y"),
    ("sigmoid(x)", "y - y*sigmoid(x)", "y*(1 - sigmoid(x))"),
    ("x > 0", "y - y*(x > 0)", "y - y*(x > 0)"),
    ("exp(x)", "abs(y)*exp(x)*z*y", "exp(x)*z*y*abs(y)"),
]


@pytest.mark.parametrize(("name", "text", "short"), NAMED)
def test_what_has_a_name_is_written_as_one(name: str, text: str, short: str) -> None:
    node = typed(text)
    found = simplify([node], [typed(name)])[node]
    assert found is typed(short) and typed(name) in topological([found])
