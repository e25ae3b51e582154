"""Sums in groups, unit vectors and logarithms of what has a name, as papers print them."""

import pytest

import symgrad as sg


def shown(text: str, name: str) -> str:
    """Print a gradient, without the names it uses."""
    return str(sg.gradient(text, [name])[name]).split("\n", maxsplit=1)[0].split(" = ", 1)[1]


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("p = softmax(z); L = -log(p[0])", "p − e₀"),
        ("L = logsumexp(z) - z[1]", "p − e₁"),
        ("L = -log(exp(z[0])/sum(exp(z)))", "p − e₀"),
        ("L = softmax(z)[0]", "p ⊙ (e₀ − L)"),
        ("L = z[0]*z[12]", "z[0] e₁₂ + z[12] e₀"),
        ("L = z[-1]**2", "2z[-1] e[-1]"),
        ("L = sum(z[1:]**2)", "2z[1:] e[1:]"),
    ],
)
def test_what_stands_at_one_place_is_a_unit_vector(text, printed):
    """An entry's gradient is a number times e_k, and inner products with e_k are entries."""
    assert shown("z: real[K]; " + text, "z") == printed


def test_a_unit_vector_is_typeset_without_a_one():
    """The LaTeX of e_0 has no factor."""
    assert sg.gradient("z: real[K]; -log(softmax(z)[0])")["z"].latex().endswith("p - e_{0}")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("y: sign; z: real; g: real; p = sigmoid(y*z); L = -(1-p)**g*log(p)",
         "y(1 − p)^g(p + p g log(p) − 1)"),
        ("t: real; z: real; p = sigmoid(z); L = -t*(1-p)**2*log(p) - (1-t)*p**2*log(1-p)",
         "t(1 − p)²(p + 2p log(p) − 1) + (1 − t) p²(p − 2(1 − p) log(1 − p))"),
        ("z: real; y: binary; a: real; g: real; p = sigmoid(z)\n"
         "L = -a*y*(1-p)**g*log(p) - (1-a)*(1-y)*p**g*log(1-p)",
         "(1 − a)(1 − y)(p + (p − 1) g log(1 − p)) p^g + a y(p + p g log(p) − 1)(1 − p)^g"),
        # the program speaks of softplus itself, or has no name for sigma(z)
        ("z: real; p = sigmoid(z); L = softplus(z)*p", "L(1 − p) + p²"),
        ("z: real; L = softplus(z)**2", "2σ(z) softplus(z)"),
    ],
)  # fmt: skip
def test_logarithms_of_what_has_a_name(text, printed):
    """Where p = sigma(z) has a name, the formula says log p, not softplus(-z)."""
    assert shown(text, "z") == printed


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("x: real; a: real; b: real; L = a*x**2 + b*x + 3", "2a x + b"),
        ("x: real; y: real; L = x**3*y + 2*x*y", "y(2 + 3x²)"),
        ("f: function; g: function; x: real; L = f(g(x))*x", "f(g(x)) + x f′(g(x)) g′(x)"),
    ],
)
def test_what_is_short_stays(text, printed):
    """Polynomials are not nested, and the chain rule goes term by term."""
    assert shown(text, "x") == printed


def test_what_was_typed_as_a_decimal_stays_one():
    """3 + 2 x y - 2 x is 2 (1.5 + x y - x), and 21/8 is 2.625."""
    beale = "(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2"
    assert shown("x: real; y: real; L = (1.5 - x + x*y)**2", "y") == "2x(1.5 + x y − x)"
    assert shown(f"x: real; y: real; L = {beale}", "y") == (
        "6x(2.625 + x y³ − x) y² + 4x(2.25 + x y² − x) y + 2x(1.5 + x y − x)"
    )
    assert shown("x: real; 1/x**1.5", "x") == "−3/(2x^(5/2))"
