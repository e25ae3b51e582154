"""Traces, inverses, determinants, systems: values, gradients, closed forms as in textbooks."""

import math
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.rewrite import recognise
from tests.ops.test_arrays import check, evaluate

RNG = np.random.default_rng(3)
A, B, S = RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3))
AT: dict[str, Any] = {
    "A": A, "B": B, "S": S @ S.T + np.eye(3), "M": RNG.normal(size=(3, 2)), "x": RNG.normal(size=3),
    "b": RNG.normal(size=3), "T": RNG.normal(size=(2, 3, 3)), "U": RNG.normal(size=(2, 3, 4)),
}  # fmt: skip
DECLARED = (
    "A: real[D, D]\nB: real[D, D]\nS: symmetric[D, D]\nM: real[D, H]\nx: real[D]\nb: real[D]\n"
    "T: real[P, D, D]\nU: real[P, D, Q]\n"
)
VALUES: list[tuple[str, Any]] = [
    ("trace(A)", np.trace(A)),
    ("trace(A @ B)", np.trace(A @ B)),
    ("trace(T)", np.trace(AT["T"], axis1=-2, axis2=-1)),
    ("diag(x)", np.diag(AT["x"])),
    ("diag(A)", np.diag(A)),
    ("diag(x) @ A", np.diag(AT["x"]) @ A),
    ("eye(D)", np.eye(3)),
    ("eye(3) + A", np.eye(3) + A),
    ("inv(A)", np.linalg.inv(A)),
    ("inv(T)", np.linalg.inv(AT["T"])),
    ("det(A)", np.linalg.det(A)),
    ("det(T)", np.linalg.det(AT["T"])),
    ("logdet(A)", np.log(abs(np.linalg.det(A)))),
    ("logdet(T)", np.log(np.abs(np.linalg.det(AT["T"])))),
    ("log(abs(det(A)))", np.log(abs(np.linalg.det(A)))),
    ("solve(A, x)", np.linalg.solve(A, AT["x"])),
    ("solve(A, M)", np.linalg.solve(A, AT["M"])),
    ("solve(T, U)", np.linalg.solve(AT["T"], AT["U"])),
    ("solve(A, U)", np.linalg.solve(A, AT["U"])),
    ("solve(T, M)", np.linalg.solve(AT["T"], AT["M"])),
]


def used(text: str) -> list[str]:
    return [n for n in AT if n in text.replace("True", "")]


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[t for t, _ in VALUES])
def test_values(text: str, expected: Any) -> None:
    graph = sg.parse(DECLARED + text)
    for value in (evaluate(graph, AT), sg.compile(graph, wrt=[])(**AT)[0]):
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        assert np.shape(value) == np.shape(expected)


@pytest.mark.parametrize("text", [t for t, _ in VALUES if used(t)])
def test_gradients(text: str) -> None:
    numeric = DECLARED.replace("D", "3").replace("H", "2").replace("P", "2").replace("Q", "4")
    check(numeric + text, AT, [n for n in used(text) if n != "S"], tolerance=1e-6)
    names = [n for n in used(text) if n != "S"]
    program = f"{DECLARED}L = sum(tanh({text}))"
    passes = sg.backprop(program, AT, wrt=names)
    for dtype, tolerance in (("float64", 1e-10), ("float32", 3e-3)):
        value, grads = sg.compile(program, wrt=names, dtype=dtype)(**AT)
        assert value.dtype == dtype
        for name in names:
            assert grads[name].dtype == dtype and grads[name].flags.writeable
            scale = 1 + np.abs(passes.grad[name]).max()
            assert np.abs(grads[name] - passes.grad[name]).max() < tolerance * scale


CLOSED = [
    ("trace(A @ B)", "A", "Bᵀ"),
    ("trace(A @ B)", "B", "Aᵀ"),
    ("trace(A.T @ B)", "A", "B"),
    ("trace(A.T @ B)", "B", "A"),
    ("trace(A @ A)", "A", "2Aᵀ"),
    ("trace(A @ B @ A.T)", "A", "A (B + Bᵀ)"),
    ("trace(A)", "A", "𝐈"),
    ("trace(inv(A) @ B)", "A", "−A⁻ᵀ Bᵀ A⁻ᵀ"),
    ("trace(diag(x) @ A)", "x", "diag(A)"),
    ("trace(diag(x) @ A)", "A", "diag(x)"),
    ("x @ inv(A) @ x", "A", "−A⁻ᵀ x xᵀ A⁻ᵀ"),
    ("x @ inv(A) @ x", "x", "(A⁻¹ + A⁻ᵀ) x"),
    ("x @ inv(S) @ x", "x", "2S⁻¹ x"),
    ("x @ inv(S) @ x", "S", "−S⁻¹ x xᵀ S⁻¹"),
    ("logdet(A)", "A", "A⁻ᵀ"),
    ("log(det(A))", "A", "A⁻ᵀ"),
    ("logdet(A.T)", "A", "A⁻ᵀ"),
    ("logdet(inv(A))", "A", "−A⁻ᵀ"),
    ("logdet(S)", "S", "S⁻¹"),
    ("logdet(M.T @ M)", "M", "2M (Mᵀ M)⁻¹"),
    ("logdet(A + lam*eye(D))", "lam", "tr((A + λ 𝐈)⁻¹)"),
    ("3*det(A)", "A", "3det(A) A⁻ᵀ"),
    ("b @ solve(A, x)", "x", "A⁻ᵀ b"),
    ("b @ solve(A, x)", "A", "−A⁻ᵀ b (A⁻¹ x)ᵀ"),
    ("x @ solve(S, x)", "x", "2S⁻¹ x"),
    ("sum(solve(A, M))", "M", "A⁻ᵀ 𝟏"),
    ("trace((X @ M - Y).T @ (X @ M - Y))", "M", "2Xᵀ(X M − Y)"),
    ("sum(diag(A)**2)", "A", "2A ⊙ 𝐈"),
    ("trace(M.T @ A @ M)", "M", "(A + Aᵀ) M"),
    ("-logdet(S)/2 - x @ inv(S) @ x/2", "x", "−S⁻¹ x"),
    ("-logdet(S)/2 - x @ inv(S) @ x/2", "S", "(S⁻¹ x xᵀ S⁻¹ − S⁻¹)/2"),
]


@pytest.mark.parametrize(("text", "wrt", "expected"), CLOSED)
def test_closed_forms(text: str, wrt: str, expected: str) -> None:
    formula = sg.gradient(f"{DECLARED}X: data[N, D]\nY: data[N, H]\n{text}", wrt)[wrt]
    assert formula.unicode() == expected and not formula.where


def test_the_gradient_of_a_determinant_uses_its_value() -> None:
    formula = sg.gradient(DECLARED + "d = det(A)\nd", "A")["A"]
    assert formula.unicode() == "d A⁻ᵀ" and formula.latex() == r"d A^{-\top}"


@pytest.mark.parametrize(
    ("text", "typeset"),
    [
        ("inv(A)", "A^{-1}"),
        ("inv(A).T", r"A^{-\top}"),
        ("inv(A.T)", r"A^{-\top}"),
        ("inv(A + B)", "(A + B)^{-1}"),
        ("det(A)", r"\det(A)"),
        ("logdet(A)", r"\log\det(A)"),
        ("trace(A)", r"\operatorname{tr}(A)"),
        ("diag(x)", r"\operatorname{diag}(x)"),
        ("eye(D)", r"\mathbf{I}"),
        ("solve(A, x)", "A^{-1} x"),
        ("solve(A.T, x + b)", r"A^{-\top} (x + b)"),
        ("x @ A @ b", r"x^{\top} A b"),
    ],
)
def test_typesetting(text: str, typeset: str) -> None:
    from symgrad.formula import latex

    assert latex.write(sg.parse(DECLARED + text).output, {}) == typeset


def test_log_det_does_not_overflow() -> None:
    n = 400
    big = 50 * np.eye(n)
    for text in ("logdet(A)", "log(det(A))", "log(abs(det(A)))"):
        value, grads = sg.compile(f"A: param[N, N]\n{text}")(A=big)
        assert value == pytest.approx(n * math.log(50))
        np.testing.assert_allclose(grads["A"], np.eye(n) / 50)
    assert np.isfinite(sg.compile("A: param[N, N]\nlogdet(A)", dtype="float32")(A=big)[0])


def test_log_det_of_a_negative_determinant() -> None:
    swap = np.array([[0.0, 2], [3, 0]])
    value, grads = sg.compile("A: param[N, N]\nlogdet(A)")(A=swap)
    assert value == pytest.approx(math.log(6))
    np.testing.assert_allclose(grads["A"], np.linalg.inv(swap).T)


def test_what_is_recognised() -> None:
    graph, trace = recognise(sg.parse("A: real[D, D]\nlog(det(A))"))
    assert graph.output.op == "logdet" and trace[0].rule == "log determinant"


@pytest.mark.parametrize("text", ["inv(A)", "solve(A, A)", "det(A)*1", "logdet(A)"])
def test_singular_matrices(text: str) -> None:
    program, at = f"A: param[N, N]\nsum({text})", {"A": np.ones((2, 2))}
    for call in (lambda: sg.compile(program)(**at), lambda: sg.backprop(program, at)):
        with pytest.raises(sg.DataError, match="singular") as caught:
            call()
        assert "eye(N)" in caught.value.hint
    if "det" in text:
        value, _ = sg.compile(program, wrt=[])(**at)
        assert value == (-math.inf if text == "logdet(A)" else 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inv(M)", r"a square matrix is expected, not \(D, H\)"),
        ("inv(x)", r"a square matrix is expected, not \(D,\)"),
        ("det(A @ M)", "square"),
        ("diag(T)", "vector or a square matrix"),
        ("diag(M)", "square"),
        ("solve(A, U[0, 0])", "the matrix has D rows, the right side Q"),
        ("solve(T, x)", "a matrix for a stack of systems"),
        ("solve(M, x)", "square"),
        ("solve(A, 3)", "a vector or a matrix"),
        ("eye(10**3)", "a size is a dimension"),
        ("eye(20000)", "up to 10000"),
        ("eye(x)", "a size is a dimension"),
        ("eye(D, D)", "not the arguments"),
        ("trace(A, 1)", "at most 1"),
    ],
)
def test_what_does_not_fit(text: str, message: str) -> None:
    with pytest.raises(sg.SymgradError, match=message) as caught:
        sg.parse(DECLARED + text)
    assert caught.value.line == 9


def test_names_and_numbers_meet_in_a_square() -> None:
    assert sg.parse("A: real[N, 3]\ninv(A)").dims == {"N": 3}
    with pytest.raises(sg.ShapeError, match="given"):
        sg.compile("A: real[D, D]\ndet(A)", wrt=[])(A=np.ones((2, 3)))


def test_a_unit_matrix_has_no_gradient_and_no_inputs() -> None:
    value, grads = sg.compile("A: param[3, 3]\nsum(eye(3))")(A=A)
    assert value == 3 and not grads["A"].any()
    assert sg.compile("sum(eye(4)*2)", wrt=[])()[0] == 8


def test_ridge_regression_by_its_normal_equations() -> None:
    X, y = RNG.normal(size=(20, 3)), RNG.normal(size=20)
    text = (
        "X: data[N, D]\ny: data[N]\nw = solve(X.T @ X + lam*eye(D), X.T @ y)\nmean((X @ w - y)**2)"
    )
    assert sg.check(text, {"X": X, "y": y, "lam": 0.3}, wrt=["lam", "X", "y"]).ok
