"""Code computes nothing for a and for -a alike, and has no sign that another could take."""

import pytest

import symgrad as sg

X = "X: data[N, D]; w: param[D]; "


def body(text: str) -> str:
    code = sg.compile(text, style="readable").program
    return code[code.index("def value_and_grad") : code.index("    return L")]


def test_even_functions_of_opposites_are_computed_once() -> None:
    """Log-likelihoods of a probit model have the tails of z and of -z: one exponential."""
    text = X + "y: binary[N]; P = 0.5*(1 + erf(X@w/sqrt(2))); "
    code = body(text + "L = -mean(y*log(P) + (1 - y)*log(1 - P))")
    assert code.count("normal_tail(") == 1
    assert code.count("np.exp(") == 1


def test_a_quadratic_form_of_a_negative_is_multiplied_once() -> None:
    text = "A: data[D, D]; R: symmetric[D, D]; K: param[D, D]; x: data[D]; u = -K@x; "
    code = body(text + "s = A@x + u; v = -K@s; L = u@R@u + v@R@v + s@s")
    assert code.count("R @") == 2
    assert "+ -" not in code and "- -" not in code


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("a: param; b: real; s: binary; E = 1/(1 + 10**((b - a)/400)); "
         "L = -s*log(E) - (1 - s)*log(1 - E)", "0.0 - "),
        ("a: param; b: real; s: binary; E = 1/(1 + 10**((b - a)/400)); "
         "L = -s*log(E) - (1 - s)*log(1 - E)", "- -"),
    ],
)  # fmt: skip
def test_no_sign_stands_twice(text: str, never: str) -> None:
    code = sg.compile(text, style="readable").program
    assert never not in code[code.index("def _value_and_grad") : code.index("return L")]


def test_comments_lead_with_the_sign() -> None:
    code = body("t: data[N]; k: param; s: param; L = sum(s*exp(-k*t)*t)")
    assert "exp(−k t)" in code and "(−k)" not in code
