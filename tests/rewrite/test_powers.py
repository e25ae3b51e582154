"""Powers of one base, computed numbers, roots and magnitudes, as books print them."""

import numpy as np
import pytest

import symgrad as sg

PRINTED = [
    # powers of one base
    ("x: real; 1/x**7", "x", "−7/x⁸"),
    ("x: real; a: real; a/x**12", "x", "−12a/x¹³"),
    ("x: real; n: real; 1/x**n", "x", "−n/x^(1 + n)"),
    ("x: real; 1/(1 + x**2)**10", "x", "−20x/(1 + x²)¹¹"),
    ("x: real; 1/x**1.5", "x", "−3/(2x^(5/2))"),
    ("x: real; k: real; log(x**k)", "x", "k/x"),
    ("x: real; 1/(x*sqrt(x))", "x", "−3/(2x^(5/2))"),
    ("l: real; k: data[N]; -sum(log(l**k*exp(-l)))", "l", "N − Σ(k)/l"),
    ("x: real; a: real; b: real; x**a*x**b", "x", "(a + b) x^(a + b − 1)"),
    ("A: real[D, D]; L = det(A)**(1/D)", "A", "L A⁻ᵀ/D"),
    # sigma(z) has a name, z has none
    ("x: real; w: real; b: real; y: real; p = sigmoid(w*x + b); bce(p, y)", "x", "(p − y) w"),
    ("s: real; t: real; p = sigmoid(s + 1); bce(p, t)", "s", "p − t"),
    ("x: real[D]; A: real[D, H]; v: real[H]; t: real; p = sigmoid(x@A@v); bce(p, t)", "A",
     "(p − t) x vᵀ"),
    ("X: real[N, D]; w: real[D]; t: real[N]; p = sigmoid(2*X@w); bce(p, t)", "w",
     "2Xᵀ(p − t)/N"),
    # norms, signs, a ramp
    ("x: real[N]; norm(x)**4", "x", "4‖x‖²x"),
    ("x: real[N]; log(norm(x))", "x", "x/‖x‖²"),
    ("x: real[N]; a: real[N]; norm(x - a)**3", "x", "3‖x − a‖(x − a)"),
    ("x: real; log(abs(x))", "x", "1/x"),
    ("x: real; abs(x)**2", "x", "2x"),
    ("x: real; abs(x)**3", "x", "3x |x|"),
    ("x: real; x*abs(x)", "x", "2|x|"),
    ("x: real; sign(x)*log(1 + abs(x))", "x", "1/(1 + |x|)"),
    ("z: real[N]; y = relu(z); 0.5*sum(y**2)", "z", "y"),
    ("x: real[N]; min(x)", "x", "e_argmin(x)"),
    ("X: real[N, D]; Y: real[N, D]; sum(min(X + Y, axis=1))", "X", "e_argmin(X + Y)"),
    # numbers
    ("r: real; 4/3*pi*r**3", "r", "4π r²"),
    ("x: real; sin(2*pi*x)", "x", "2π cos(2π x)"),
    ("q: real; e: real; r: real; q/(4*pi*e*r)", "r", "−q/(4π e r²)"),
    ("x: real; x**(1/3)", "x", "x^(−2/3)/3"),
    ("x: real; x**0.7", "x", "0.7x^(−0.3)"),
    ("A: real[D, D]; sum(A**-1)", "A", "−1/A²"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "expected"), PRINTED, ids=[p[0] for p in PRINTED])
def test_as_in_a_book(text, name, expected):
    formula = sg.gradient(text, [name])[name]
    assert str(formula).split(" = ", 1)[1].split("\n")[0] == expected


@pytest.mark.parametrize("text", [p[0] for p in PRINTED], ids=range(len(PRINTED)))
def test_the_printed_formula_and_the_code_are_right(text):
    graph = sg.parse(text)
    rng = np.random.default_rng(1)
    sizes = {"N": 4, "D": 3, "H": 2}
    at = {n.attrs["name"]: rng.uniform(0.5, 2, [sizes[d] for d in n.shape]) for n in graph.inputs}
    if "A" in at and at["A"].shape == (3, 3):
        at["A"] += 3 * np.eye(3)  # of a positive determinant
    found = sg.backprop(graph, at)
    for style in ("readable", "fast"):
        _, gradients = sg.compile(graph, style=style)(**at)
        for name, value in gradients.items():
            np.testing.assert_allclose(value, found.grad[name], rtol=1e-9, atol=1e-12)
    assert sg.check(graph, at=at).ok


@pytest.mark.parametrize("power", [1, 2, 3])
def test_a_norms_gradient_is_zero_at_zero(power):
    f = sg.compile(f"x: param[N]; norm(x)**{power}")
    np.testing.assert_array_equal(f(x=np.zeros(3))[1]["x"], 0)


def test_an_entrywise_reciprocal_is_no_inverse():
    formula = sg.gradient("A: real[D, D]; b: real[D]; b @ A**-1 @ b", ["b"])["b"]
    assert "⁻¹" not in str(formula) and "^{-1}" not in formula.latex()


MATRICES = [
    ("X: real[D, D]; sum((X - X.T)**2)/4", "X", "X − Xᵀ"),
    ("X: real[D, D]; sum((X + X.T)**2)", "X", "4(X + Xᵀ)"),
    ("A: real[D, D]; X: real[D, D]; trace(X.T@A@X) + trace(X@X.T)", "X", "2X + (A + Aᵀ) X"),
    ("a: real[D]; X: real[N, D]; a@inv(X.T@X)@a", "X", "−2X t₁ a aᵀ t₁"),
    ("W: real[D, K]; S: symmetric[D, D]; C = W@W.T + 3*eye(D); logdet(C) + trace(inv(C)@S)", "W",
     "2(C⁻¹ − C⁻¹ S C⁻¹) W"),
    ("X: real[D, K]; A: symmetric[D, D]; L = det(X.T@A@X)", "X", "2L A X (Xᵀ A X)⁻¹"),
    ("A: symmetric[D, D]; S: symmetric[K, K]; U: real[D, K]; sum((A - U@S@U.T)**2)", "U",
     "4(U S Uᵀ − A) U S"),
    ("X: real[D, K]; Y: real[K, D]; norm(X - Y.T)**2", "Y", "2(Y − Xᵀ)"),
    ("V: real[D, K]; x: real[D]; sum((V.T@x)**2 - (V**2).T@(x**2))/2", "V", "x xᵀ V − δ"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "expected"), MATRICES, ids=[m[0] for m in MATRICES])
def test_matrices_as_in_a_book(text, name, expected):
    formula = sg.gradient(text, [name])[name]
    assert str(formula).split(" = ", 1)[1].split("\n")[0] == expected
    rng = np.random.default_rng(1)
    sizes = {"N": 5, "D": 3, "K": 2}
    at = {n.attrs["name"]: rng.normal(size=[sizes[d] for d in n.shape]) for n in
          sg.parse(text).inputs}  # fmt: skip
    for n in sg.parse(text).inputs:
        if n.attrs["kind"] == "symmetric":
            at[n.attrs["name"]] += at[n.attrs["name"]].T
    assert sg.check(text, at=at).ok


WRONG = [  # that had wrong numbers or failed
    "W: param[D, D]; b: param[D]; b @ (W.T + b) @ b",
    "X: param[N, D]; b: param[N]; sum(exp((X.T - b).T))",
    "X: param[D, D]; b: param[D]; Y: param[D, D]; sum((X*b - Y.T).T @ X)",
    "K: param[D, D]; a: param[D]; trace(2*((K + a) @ (K.T + a)))",
    """A: param[N]; C: param[N]; B: param[N, N]; M: data[N, N]
sum(C[m]*A[n]*B[n,m] for m in N for n in N if M[n,m] > 0)""",
    """W: param[D, N]; A: param[D, N]; B: param[N, N]; M: data[N, N]
T[q] = sum(W[q,m]*A[q,n]*B[n,m] for m in N for n in N if M[n,m] > 0)
sum(T**2)""",
    """A: param[D, D]; B: param[D, D]; S: symmetric[D, D]
M = A@B@S@S@S@S@S@S@S@S@S@S@A.T@B.T
sum(A*M.T)""",
    "F: param[D, K]; T = sum(F*F[None, :, :], axis=(1, 2)); sum(T)",
    "A: param[N, D]; v: param[D]; T = sum(v[:, None]*A[:, :, None], axis=0); sum(T)",
    """W: real[N]; A: param[N, D, K]; B: data[N, D, K]; C: param[N, K]
T[m,r] = sum(W[m]*A[m,q,r]*B[m,q,r]*W[m]*C[m,r]**2 for q in D)
sum(T**2)""",
]


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("accurate", [False, True])
def test_what_was_wrong_once(text, style, accurate):
    graph = sg.parse(text)
    rng = np.random.default_rng(3)
    sizes = {"N": 3, "D": 3, "K": 2}
    if "exp((X.T" in text:
        sizes["D"] = 2
    if "data[N, D, K]" in text:
        sizes["D"] = 4
    at = {n.attrs["name"]: rng.normal(size=[sizes[d] for d in n.shape]) for n in graph.inputs}
    if "S" in at:
        at["S"] = (at["S"] + at["S"].T) / 4
    found = sg.backprop(graph, at)
    value, gradients = sg.compile(graph, style=style, accurate=accurate)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-11)
    for name, array in gradients.items():
        scale = 1 + np.abs(found.grad[name]).max()
        np.testing.assert_allclose(array, found.grad[name], atol=1e-11 * scale)
    assert sg.check(graph, at=at).ok


@pytest.mark.parametrize(
    "text", ["tanh(y/(x - y))", "where(x > y, 2 - y/(x - y), 0)", "exp(y/x)*y"]
)
@pytest.mark.parametrize("style", ["fast", "readable"])
def test_nothing_is_divided_by_what_the_program_does_not_divide_by(text, style):
    text = f"x: param[N]; y: param[N]; sum({text})"
    at = {"x": np.array([0.5, 1, 3]), "y": np.array([0.2, 0, 0])}
    found = sg.backprop(text, at)
    _, gradients = sg.compile(text, style=style)(**at)
    for name, array in gradients.items():
        np.testing.assert_allclose(array, found.grad[name], rtol=1e-12)
