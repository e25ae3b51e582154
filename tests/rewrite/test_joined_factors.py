"""Factors that meet become one, powers and sums are joined, conditions lose what sides share."""

import pytest

import symgrad as sg

MACHINE = "x: data[N, D]; V: param[D, K]; y: data[N]\nf = -sum((x**2) @ (V**2), axis=1)/2\n"
VECTORS = "a: param[D]; b: data[D]\n"
WRITTEN = [
    (f"{MACHINE}L = mean((f - y)**2)/2", "V", "(V ⊙ ((x²)ᵀ(y − f)))/N"),  # not 2 … /(2N)
    ("x: data[N, D]; V: param[D, K]; y: data[N, K]\nf = x @ V**2/2 + x @ V\n"
     "L = mean((f - y)**2)/2", "V", "((xᵀ(f − y)) ⊙ (1 + V))/(N K)"),
    (f"{VECTORS}L = 1 - (a @ b)/(norm(a)*norm(b))", "a", "(aᵀ b a − ‖a‖²b)/(‖a‖³‖b‖)"),
    (f"{VECTORS}L = (a @ b)*norm(a)", "a", "aᵀ b a/‖a‖ + ‖a‖ b"),  # at a = 0 it is 0: guarded
    ("z: param; y: binary; g: scalar\np = sigmoid(z)\nL = -y*(1 - p)**g*log(p)", "z",
     "y(1 − p)^g(p + p g log(p) − 1)"),
    ("p: param; g: positive\nL = -(1 - p)**g*log(p)", "p",  # no division by 1 - p
     "g log(p)(1 − p)^(g − 1) − (1 − p)^g/p"),
    ("x: param; k: positive; s: positive\nL = (k - 1)*log(x/s) - (x/s)**k", "x",
     "(k − 1 − k(x/s)^k)/x"),
    ("X: data[N, D]; y: data[N]; w: param[D]; r: scalar\n"
     "L = sum(max(r*(y - X @ w), (r - 1)*(y - X @ w)))", "w", "Xᵀ {−r if y > X w, else 1 − r}"),
    ("z: param[K]; y: label[K]; e: scalar\n"
     "L = (1 - e)*cross_entropy(z, y) - e*mean(log_softmax(z))", "z", "p − (1 − e) e_y − e/K"),
    ("x: param[D]\nL = logsumexp(x, axis=0) - sum(softmax(x)*x)", "x", "p ⊙ (xᵀ p − x)"),
    ("w: param[D]; X: data[N, D]; y: data[N]; c: positive\n"
     "L = c**2/2*sum(log(1 + ((y - X @ w)/c)**2))", "w", "c² Xᵀ((X w − y)/(c² + (y − X w)²))"),
    ("x: param[N]; y: data[N]\nu = x - mean(x)\nv = y - mean(y)\nL = (u @ v)/sqrt(u @ u)", "x",
     "(√(uᵀ u) v − L u)/(uᵀ u)"),  # both sum to 0
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "formula"), WRITTEN)
def test_factors_are_joined(text: str, name: str, formula: str) -> None:
    found = sg.gradient(sg.parse(text), name)[name]
    assert str(found).split(" = ", 1)[1].split("\n")[0] == formula
    assert sg.check(text)


def test_one_logarithm_has_one_spelling_in_all_formulas() -> None:
    found = sg.gradient(
        sg.parse("m: param[K]; a: param[K]\nL = -logsumexp(log_softmax(a) - m**2)"), ["m", "a"]
    )
    texts = [str(found[name].where["p_2"]).split("\n")[0] for name in ("m", "a")]
    assert texts == ["p₂ = softmax(log(p) − m²)"] * 2
