"""The truth agrees with backpropagation at ordinary points and with closed forms far out."""

import math
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import symgrad as sg
from symgrad.autodiff import exact
from symgrad.autodiff.exact import ulps, value_and_gradient
from symgrad.errors import DataError, NotDifferentiableError, UsageError
from symgrad.ops import OPS
from symgrad.ops.spec import bounds

RNG = np.random.default_rng(5)
MATRIX = RNG.uniform(0.2, 0.9, (3, 3))
AT: dict[str, Any] = {
    "A": MATRIX, "B": RNG.uniform(0.2, 0.9, (3, 3)), "T": RNG.uniform(0.2, 0.9, (2, 3, 3)),
    "v": RNG.uniform(0.2, 0.9, 3), "w": RNG.uniform(0.2, 0.9, 2), "k": np.array([0, 2, 2, 1]),
    "y": np.array([2, 0, 1]), "P": MATRIX / np.sum(MATRIX, axis=1, keepdims=True),
    "s": np.sign(RNG.normal(size=(3, 3))), "m": np.array([1.0, 0.0, 1.0]),
}  # fmt: skip
KINDS = {
    "A": "real[3, 3]", "B": "real[3, 3]", "T": "real[2, 3, 3]", "v": "real[3]", "w": "real[2]",
    "k": "labels[4, 3]", "y": "labels[3, 3]", "P": "real[3, 3]", "s": "sign[3, 3]", "m": "data[3]",
}  # fmt: skip
ARRAYS = """
sum((A @ B)**2) + sum((A @ v)**3) + sum((v @ A)**2) + v @ v
sum((T @ B)**2) + sum((T @ v)**2) + sum((B @ T)**3) + sum((v @ T)**2)
sum(outer(v, w)**2) + sum(transpose(A)*B) + sum(A.T*B) + sum(transpose(T, (2, 0, 1))[0]**2)
sum(convolve(v, w)**2) + sum(convolve(v, w, mode='same')**3) + sum(correlate(v, w)**2)
sum(convolve(w, v)**3) + sum(convolve(v, w, mode='valid')**2)
trace(A)**2 + det(A)**2 + logdet(A) + sum(inv(A)**2) + sum(eye(3)*A) + sum(det(T))
sum(solve(A, v)**2) + sum(solve(A, B)**2) + sum(diag(v) @ A) + sum(diag(A)**2)
sum(solve(T, B)**2) + sum(inv(T)**2) + sum(trace(T)**2) + sum(logdet(T))
sum(cumsum(A, axis=0)**2) + sum(cumsum(v)**2) + sum(reshape(A, (9,))**3) + prod(v)
sum(concatenate((A, 2*A), axis=1)**3) + sum(stack((v, v**2), axis=1)**2) + sum(prod(A, axis=1)**2)
sum(take(A, k, axis=0)**2) + sum(A[1:, ::2]**2) + A[0, 1]**2 + sum((A[:, None]*A[None])**2)
sum(A[arange(3), y]**2) + sum(arange(3)*v) + sum(take(A, k, axis=1)**3) + A[-1, 0] + sum(v[::-1]*v)
sum(einsum('ij,jk->k', A, B)**2) + sum(einsum('ij->j', A)**2) + einsum('i,ij,j->', v, A, v)
max(A) + sum(min(B, axis=0)**2) + sum(max(A, axis=(0, 1), keepdims=True)*B) + sum(max(T, axis=0)**2)
sum(std(A, axis=0)) + sum(var(A, axis=1)**2) + norm(A) + sum(norm(A, axis=1)**3) + mean(A)**2
logsumexp(A) + sum(softmax(A)**2) + sum(log_softmax(A, axis=0)**2) + sum(softmax(A, axis=0)**3)
cross_entropy(A, y) + cross_entropy(A, P) + nll(log_softmax(A), y) + svm(A, y) + multi_margin(A, y)
kl_div(log_softmax(A), P) + multilabel_hinge(A, s) + multilabel_soft_margin(A, P)
entropy(P) + cross_entropy_of(P, softmax(A)) + kl(P, softmax(A)) + cosine_similarity(v, v*v)
sum(batch_norm(A)**3) + sum(layer_norm(A)**3) + sum(rms_norm(A)**3) + sum(dropout(v, m)**2)
sum(where(A > 0.5, A**2, B)) + sum(A*(A <= B)) + sum(A*(A == A)) + sum(A*(A >= B))
sum(zeros_like(A) + ones_like(A)*A) + sum(-A/B) + sum(A*(A != B)) + sum(sign(A)) + sum(A*(A < B))
sum(sum(A[i+a, 0]*w[a] for a in 2)**2 for i in 2)
sum(A[i+a, 2*b]*w[a]*w[b] for i in 2 for a in 2 for b in 2)
sum(max(A[i+a, j+b]*w[a] for a in 2 for b in 2)*A[i, j] for i in range(2) for j in range(2))
sum(sum(A[i, j]*B[j, l] for j in 3) for i in 3 for l in 3) + sum(A[i, i]**2 for i in 3)
""".strip().split("\n")
SCALARS = [
    row for row in OPS.values()
    if not row.hidden and (row.shape == "elementwise" or row.reduction) and row.name != "zero_one"
]  # fmt: skip
ROWS = ("cross_entropy", "nll", "svm", "multi_margin", "multilabel_hinge", "kl_div",
        "multilabel_soft_margin")  # fmt: skip


def program(text: str) -> str:
    used = [name for name in KINDS if name in {c for c in text if c.isalpha()}]
    return "\n".join([*(f"{name}: {KINDS[name]}" for name in used), text])


def given(text: str) -> dict[str, Any]:
    return {n.attrs["name"]: AT[n.attrs["name"]] for n in sg.parse(text).inputs}


def compare(text: str, at: dict[str, Any]) -> None:
    graph = sg.parse(text)
    expected = sg.backprop(graph, at)
    value, grads = value_and_gradient(graph, at)
    assert float(value) == pytest.approx(float(expected.value), rel=1e-13, abs=1e-14)
    assert list(grads) == list(expected.grad)
    for name, gradient in grads.items():
        found = np.asarray(gradient, dtype=float)
        assert found.shape == np.shape(at[name])
        assert np.allclose(found, expected.grad[name], rtol=1e-11, atol=1e-13), name


@pytest.mark.parametrize("row", [r for r in SCALARS if r.name not in ROWS], ids=lambda r: r.name)
def test_elementwise_operators_and_losses(row: Any) -> None:
    letters = "abcdefgh"[: bounds(row)[1]]
    at = dict(zip(letters, (0.375, 0.625, 0.75), strict=False))
    compare(f"{row.name}({', '.join(letters)})", at)


@pytest.mark.parametrize("text", ARRAYS, ids=range(len(ARRAYS)))
def test_arrays(text: str) -> None:
    compare(program(text), given(program(text)))


def test_every_operator_is_compared() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.SymgradWarning)
        seen = {n.op for text in ARRAYS for n in sg.parse(program(text)).order()}
    seen |= {row.name for row in SCALARS} | {"zero_one"}  # zero_one: made of comparisons
    assert [r.name for r in OPS.values() if not r.hidden and r.name not in seen] == []


@pytest.mark.parametrize(
    ("text", "x", "value", "slope"),
    [
        ("log(1+exp(x))", -1e4, "exp(-1e4)", "exp(-1e4)"),
        ("log(1/(1+exp(-x)))", -1e4, "-1e4 - log1p(exp(-1e4))", "1 - exp(-1e4)"),
        ("-log(1-sigmoid(x))", 1e4, "1e4 + exp(-1e4)", "1 - exp(-1e4)"),
        ("log(1-tanh(x)**2)", 1e4, "log(4) - 2e4", "-2"),
        ("tanh(x)", 300.0, "1 - 2*exp(-600)", "4*exp(-600)"),
        ("(1-cos(x))/x**2", 1e-12, "0.5 - 1e-24/24", "-1e-12/12"),
        ("(1+erf(x/sqrt(2)))/2", -38.0, "erfc(38/sqrt(2))/2", "exp(-722)/sqrt(2*pi)"),
        ("(1+x)**2-1", 1e-300, "2e-300", "2"),
        ("1/(1+exp(-x**2))", 1000.0, "1 - exp(-1e6)", "2000*exp(-1e6)"),
        ("exp(2*x)-2*exp(x)+1", 1e-20, "1e-40", "2e-20"),
    ],
)
def test_closed_forms(text: str, x: float, value: str, slope: str) -> None:
    got, grads = value_and_gradient(sg.parse(text), {"x": x})
    with mpmath.workdps(500):
        names = {k: getattr(mpmath, k) for k in ("exp", "log", "log1p", "erfc", "sqrt", "pi")}
        for found, expression in ((got, value), (grads["x"], slope)):
            true = eval(expression, names)
            assert abs(found - true) <= abs(true) * mpf("1e-13"), text


def test_digits_are_as_many_as_asked_for() -> None:
    for text, x in (("log(1+exp(x))", -30), ("tanh(x)", 100), ("1-tanh(x)**2", 50)):
        graph = sg.parse(text)
        few, many = (value_and_gradient(graph, {"x": x}, digits=d) for d in (40, 400))
        with mpmath.workdps(500):
            for a, b in ((few[0], many[0]), (few[1]["x"], many[1]["x"])):
                assert abs(a - b) <= abs(b) * mpf(10) ** -40


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("max(x, 0)", {"x": 0}, {"x": 0}),
        ("abs(x)", {"x": 0}, {"x": 0}),
        ("max(x, y)", {"x": 1, "y": 1}, {"x": 0, "y": 1}),
        ("elu(x)", {"x": 0}, {"x": 1}),
        ("relu6(x)", {"x": 6}, {"x": 0}),
        ("clip(x, -1, 1)", {"x": 1}, {"x": 0}),
        ("sqrt(x**2)", {"x": 0}, {"x": 0}),
        ("sqrt(x)", {"x": 0}, {"x": math.inf}),
        ("where(x > 0, log(x), 2*x)", {"x": 0}, {"x": 2}),
        ("x**0", {"x": 0}, {"x": 0}),
        ("x**1", {"x": 0}, {"x": 1}),
        ("0**x", {"x": 2}, {"x": 0}),
        ("t*log(x)", {"t": 0, "x": 0}, {"t": -math.inf, "x": 0}),
    ],
)
def test_conventions(text: str, at: dict[str, float], expected: dict[str, float]) -> None:
    _, grads = value_and_gradient(sg.parse(text), at)
    assert {name: float(g) for name, g in grads.items()} == expected


def test_ties_and_constant_columns() -> None:
    graph = sg.parse("x: real[3]\nmax(x) + norm(0*x) + std(0*x)")
    value, grads = value_and_gradient(graph, {"x": [1.0, 2.0, 2.0]})
    assert float(value) == 2 and [float(g) for g in grads["x"]] == [0, 1, 0]


def test_refusals() -> None:
    with pytest.raises(UsageError, match="no input"):
        value_and_gradient(sg.parse("h = x*x\nh*h"), {"x": 1}, "h")
    with pytest.raises(NotDifferentiableError):
        value_and_gradient(sg.parse("x: real[2]\nx*x"), {"x": [1.0, 2.0]})
    with pytest.raises(DataError):
        value_and_gradient(sg.parse("x*x"), {})
    with pytest.raises(exact.LimitError):
        value_and_gradient(sg.parse("log(1-sigmoid(x))"), {"x": 1e300})
    value, grads = value_and_gradient(sg.parse("x: real[2]\nx*x"), {"x": [1.0, 2.0]}, wrt=[])
    assert [float(v) for v in value] == [1, 4] and grads == {}


def test_ulps() -> None:
    assert float(ulps(1 + 2**-52, mpf(1))) == 1
    assert float(ulps(np.float32(1 + 2**-23), mpf(1), np.float32)) == 1
    assert float(ulps(5e-324, mpf(0))) == float(ulps(0.0, mpf(2) ** -1074)) == 1
    assert float(ulps(math.inf, mpf("1e400"))) == float(ulps(math.nan, mpf("nan"))) == 0
    for got, true in ((math.nan, "1"), (math.inf, "1"), (-math.inf, "1e400"), (math.nan, "1e400")):
        assert float(ulps(got, mpf(true))) == math.inf
    assert ulps(np.array([1.0, 2.0]), np.array([mpf(1), mpf(2)])).tolist() == [0, 0]
