"""Gradients of numbers share products with one another and with the value."""

import math
import random

import mpmath
import pytest

import symgrad as sg
from symgrad.codegen.plan import plan
from symgrad.graph import Node, topological
from symgrad.ops import const, leaf, make
from symgrad.parse import parse
from symgrad.rewrite.cost import operations
from symgrad.rewrite.guards import bare_numbers
from symgrad.rewrite.monomials import Monomial, monomial, product
from symgrad.rewrite.shared_products import shared_products


def declared(names: str, text: str) -> str:
    return "\n".join([*(f"{name}: positive" for name in names.split()), text])


LAWS = {  # and how many operations value and gradients may take
    "gravity": (declared("G m M r", "F = G*m*M/r**2"), 13),
    "cobb-douglas": (declared("A a b K N", "Y = A*K**a*N**b"), 13),
    "hill": (declared("K n x", "y = x**n/(K**n + x**n)"), 14),
    "nernst": (declared("R T z F a b", "E = R*T/(z*F)*log(a/b)"), 16),
    "beam": (declared("w z R", "v = w*sqrt(1 + (z/R)**2)"), 8),
    "lorentz": (declared("c", "v: real; g = 1/sqrt(1 - v**2/c**2)"), 12),
    "ces": (declared("a r K N", "Y = (a*K**r + (1 - a)*N**r)**(1/r)"), 28),
    "discount": (declared("c r n", "P = c/(1 + r)**n"), 10),
    "lens": (declared("f u", "v = 1/(1/f - 1/u)"), 10),
    "van der Waals": (declared("n R T V a b", "p = n*R*T/(V - n*b) - a*n**2/V**2"), 30),
    "arrhenius": (declared("A E R T", "k = A*exp(-E/(R*T))"), 10),
    "planck": (declared("x", "B = x**3/(exp(x) - 1)"), 8),
    "bose": (declared("E k", "n = 1/(exp(E/k) - 1)"), 8),
    "lennard-jones": (declared("e s r", "U = 4*e*((s/r)**12 - (s/r)**6)"), 17),
    "black-scholes": (
        declared(
            "S K s T",
            "r: real; d1 = (log(S/K) + (r + s**2/2)*T)/(s*sqrt(T)); d2 = d1 - s*sqrt(T)\n"
            "C = S*0.5*(1 + erf(d1/sqrt(2))) - K*exp(-r*T)*0.5*(1 + erf(d2/sqrt(2)))",
        ),
        68,
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_cheap_and_right(law: str) -> None:
    text, most = LAWS[law]
    graph = parse(text)
    found = plan(graph, None, plain=True)
    assert operations([found.value, *found.grads.values()]) <= most
    rng = random.Random(law)
    plain = sg.compile(text, accurate=True, style="readable")
    for style in ("readable", "fast"):
        f = sg.compile(text, style=style)
        for _ in range(20):
            at = {n.attrs["name"]: rng.uniform(0.2, 1.5) for n in graph.inputs}
            at |= {"V": 5.0} if "V" in at else {}
            at |= {"v": 0.7 * at["c"]} if law == "lorentz" else {}
            (value, grads), (true, slopes) = f(**at), plain(**at)
            assert value == pytest.approx(true, rel=1e-13)
            for name, slope in slopes.items():
                assert grads[name] == pytest.approx(slope, rel=1e-11, abs=1e-12), (name, at)


def numbers(root: Node, at: dict[Node, float]) -> float:
    known: dict[Node, float] = dict(at)
    apply = {
        "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b, "neg": lambda a: -a, "pow": lambda a, b: a**b,
    }  # fmt: skip
    for node in topological([root]):
        if node.op == "const":
            known[node] = node.attrs["value"]
        elif node not in known:
            known[node] = apply[node.op](*(known[a] for a in node.args))
    return known[root]


def grown(rng: random.Random, leaves: list[Node]) -> Node:
    """Make a product, with sums for some of its factors."""
    node = rng.choice(leaves)
    for _ in range(rng.randint(2, 7)):
        other = rng.choice([*leaves, const(2), const(-3), const(0.5)])
        op = rng.choice(["mul", "mul", "mul", "div", "div", "neg", "add", "sub", "pow"])
        if op == "neg":
            node = make("neg", node)
        elif op == "pow":
            node = make("mul", other, make("pow", node, const(rng.choice([2, 3, -1]))))
        else:
            node = make(op, *((node, other) if other.op == "const" else (other, node)))
    return node


def test_random_products_keep_their_values() -> None:
    rng = random.Random(7)
    leaves = [leaf(name) for name in "abcd"]
    fewer = 0
    for _ in range(300):
        value = make("div", make("mul", *leaves[:2]), leaves[2])
        roots = [value, *(grown(rng, [*leaves, value]) for _ in range(rng.randint(2, 5)))]
        images = shared_products(roots, ())
        assert operations([images[r] for r in roots]) <= operations(roots)
        fewer += any(images[r] is not r for r in roots)
        assert images[value] is value  # it is computed as it is typed
        at = {n: rng.uniform(0.5, 2) for n in leaves}
        for root in roots:
            try:
                expected = numbers(root, at)
            except ZeroDivisionError:
                continue
            if 1e-3 < abs(expected) < 1e3:  # no difference of equals is divided by
                assert numbers(images[root], at) == pytest.approx(expected, rel=1e-9)
    assert fewer > 120


def test_a_product_of_squares_does_not_overflow() -> None:
    x, r = leaf("x"), leaf("r")
    found = product(Monomial({x: 2, r: -2}), {x: x, r: r})
    assert numbers(found, {x: 1e200, r: 1e200}) == 1


def test_numbers_of_a_monomial() -> None:
    x = leaf("x")
    half = monomial(make("div", make("mul", const(-1), x), const(2)), {})
    assert (half.top, half.low, half.cost) == (-1, 2, 2)
    assert half.times(half).powers == {x: 2}
    r = leaf("r")
    square = Monomial({x: 2, r: -2}, -1)
    assert (square.whole, square.cost) == (2, 3)
    assert numbers(product(square, {x: x, r: r}), {x: 3.0, r: 2.0}) == -2.25
    assert not half.times(half, -1).powers
    assert half.times(half, -1).top == half.times(half, -1).low == 1


def test_the_value_and_a_slope_in_use_have_their_names() -> None:
    source = sg.compile(LAWS["lorentz"][0], style="readable").program
    assert "g = 1 / m.sqrt(" in source
    assert "grad_c = -(t_1 * grad_v)" in source
    assert "∂g/∂c = −t₁∂g/∂v" in source


def test_guards_that_are_in_vain_are_left_out() -> None:
    beam = sg.compile(LAWS["beam"][0], style="readable").program
    assert " if " not in beam
    assert " if " not in sg.compile(LAWS["discount"][0], style="readable").program
    bearing = sg.compile("x: real; y: real; arctan(y/x)", style="readable")
    assert " if " in bearing.program
    assert bearing(x=0.0, y=2.0)[1] == {"x": -0.5, "y": 0.0}


def test_a_guard_stays_where_the_power_of_a_large_number_vanishes() -> None:
    f = sg.compile("x: real; n: positive; (1 + x**2)**(-n)", style="readable")
    value, grads = f(x=1e200, n=2.0)
    assert (value, grads["n"]) == (0.0, 0.0)
    x = leaf("x")
    power = make("add", const(1), make("mul", x, x))
    kept = make("xlogy", leaf("y"), power)
    assert bare_numbers([kept])[kept] is kept


@pytest.mark.parametrize(
    "x", [-800.0, -30.0, -1.0, -0.26, -0.2, 1e-9, 0.2, 0.26, 3.0, 50.0, 699.0, 750.0]
)
def test_the_slope_of_bernoulli_as_a_number(x: float) -> None:
    _, grads = sg.compile("x: real; x/(exp(x) - 1)", style="readable")(x=x)
    with mpmath.workdps(50):
        y = mpmath.mpf(x)
        true = 1 / mpmath.expm1(y) - y * mpmath.exp(y) / mpmath.expm1(y) ** 2
    assert grads["x"] == pytest.approx(float(true), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("x", [1e-12, 1e-3, 0.3, 2.8, 30.0, 700.0])
def test_planck_keeps_its_digits(x: float) -> None:
    _, grads = sg.compile(LAWS["planck"][0], style="readable")(x=x)
    with mpmath.workdps(50):
        true = mpmath.diff(lambda y: y**3 / mpmath.expm1(y), mpmath.mpf(x))
    assert grads["x"] == pytest.approx(float(true), rel=1e-13)


def test_the_slope_of_erf_is_one_exponential() -> None:
    f = sg.compile("x: real; erf(x)", style="readable")
    for x in (-5.0, -0.3, 0.0, 1.0, 4.0):
        true = 2 / math.sqrt(math.pi) * math.exp(-x * x)
        assert f(x=x)[1]["x"] == pytest.approx(true, rel=1e-14)
    assert "exp(log(2/√π) − x²)" in f.program
    assert "\\frac{2" in sg.gradient("x: real; erf(x)")["x"].latex()


def test_one_row_of_a_table_is_set() -> None:
    text = "E: real[V, D]; k: label[V]; u: real[D]; u@E[k]"
    for style in ("readable", "fast"):
        f = sg.compile(text, style=style)
        assert "np.add.at" not in f.program
        _, grads = f(E=[[1.0, 2.0], [3.0, 4.0]], k=1, u=[5.0, 6.0])
        assert grads["E"].tolist() == [[0, 0], [5, 6]]
