"""Numbers of a product are one number, 7.5 √x, and powers are those of a named value, 1/R²."""

import pytest

import symgrad as sg


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("x: positive; 5*x**1.5", "7.5√x"),
        ("x: real; 5*x**(4/3)", "20x^(1/3)/3"),
        ("x: real; 3*x**(1/3)", "x^(−2/3)"),
        ("x: real; 5*sin(x)**2.5", "12.5sin(x)^(3/2) cos(x)"),
        ("x: real; (x**2 + 1)**(1/3)", "2x(x² + 1)^(−2/3)/3"),
        ("x: real; y: real; y*(x**2 + 1)**(2/3)", "4y x(x² + 1)^(−1/3)/3"),
        ("x: real[N]; 0.25*sum(abs(x)**1.5)", "(0.375√|x|) ⊙ sign(x)"),
        ("z: real[N]; y = relu(z); sum(y**2/2)", "y"),
        ("z: real; y = relu(z); 0.5*y**2", "y"),
    ],
)
def test_formulas(text: str, want: str) -> None:
    found = sg.gradient(text)
    name = "z" if "z" in found else "x"
    assert str(found[name]).split("\n")[0].split(" = ")[1] == want


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_code_multiplies_by_one_number(style: str) -> None:
    source = sg.compile("x: real[N]; 5*sum(sin(x)**2.5)", style=style).source
    assert "12.5" in source and "2.5 *" not in source.replace("12.5 *", "")


def test_a_multiple_of_pi_stays_one() -> None:
    assert "π" in str(sg.gradient("r: real; 4/3*pi*r**3")["r"])


@pytest.mark.parametrize(
    ("text", "wrt", "want"),
    [
        ("x: real; y: real; R = (x**2 + y**2)**(1/3); R*x", "y", "2x y/(3R²)"),
        ("x: real; y: real; R = (x**2 + y**2)**0.25; log(R)*x", "y", "x y/(2R⁴)"),
        ("x: positive[N]; p: positive; n = sum(x**p)**(1/p); 2*n", "x", "2(n/x)^(1 − p)"),
        ("a: positive; r: positive; K: positive; Y = (a*K**r + 1)**(1/r)", "K",
         "a(Y/K)^(1 − r)"),
        # no whole power of q: (1 + x²)^(−1/4) stays
        ("x: real; q = (1 + x**2)**(3/4); q*x", "x", "q + 3x²(1 + x²)^(−0.25)/2"),
        ("x: real; q = sqrt(1 + x**2); q*x", "x", "q + x²/q"),
    ],
)  # fmt: skip
def test_powers_of_named_values(text: str, wrt: str, want: str) -> None:
    formula = sg.gradient(text)[wrt]
    assert str(formula).split("\n")[0].split(" = ")[1] == want
    assert sg.check(text)
