"""Factors that meet become one: through what is repeated along an axis, and with a guard at 0."""

import pytest

import symgrad as sg

MACHINE = "x: data[N, D]; V: param[D, K]; y: data[N]\nf = -sum((x**2) @ (V**2), axis=1)/2\n"
VECTORS = "a: param[D]; b: data[D]\n"
WRITTEN = [
    (f"{MACHINE}L = mean((f - y)**2)/2", "V", "(((x²)ᵀ(y − f)) ⊙ V)/N"),  # not 2 … /(2N)
    ("x: data[N, D]; V: param[D, K]; y: data[N, K]\nf = x @ V**2/2 + x @ V\n"
     "L = mean((f - y)**2)/2", "V", "((xᵀ(f − y)) ⊙ (1 + V))/(N K)"),
    (f"{VECTORS}L = 1 - (a @ b)/(norm(a)*norm(b))", "a", "(aᵀ b a − ‖a‖²b)/(‖a‖³‖b‖)"),
    (f"{VECTORS}L = (a @ b)*norm(a)", "a", "aᵀ b(a/‖a‖) + ‖a‖ b"),  # at a = 0 it is 0: guarded
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "formula"), WRITTEN)
def test_factors_are_joined(text: str, name: str, formula: str) -> None:
    found = sg.gradient(sg.parse(text), name)[name]
    assert str(found).split(" = ", 1)[1].split("\n")[0] == formula
    assert sg.check(text)
