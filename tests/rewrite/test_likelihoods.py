"""Products over an axis under a logarithm, a root, or of exponentials: nothing vanishes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

import symgrad as sg

RNG = np.random.default_rng(0)
MANY = 2000
X = RNG.normal(size=(MANY, 3))
W = RNG.normal(size=3)
Y = (RNG.random(MANY) < 0.5) * 1.0
FAR = 10 * RNG.normal(size=(50, 200))
MEANS, WIDTHS = RNG.normal(size=(3, 200)), 1 + 0.1 * RNG.normal(size=(3, 200))
SHARES = np.array([0.2, 0.3, 0.5])
BITS = (RNG.random((6, 1200)) < 0.5) * 1.0
CHANCES = 0.1 + 0.8 * RNG.random((3, 1200))

# what is typed, and the same with sums of logarithms
TWINS: dict[str, tuple[str, str, Mapping[str, Any]]] = {
    "probabilities": (
        "p: param[N]; -log(prod(p))",
        "p: param[N]; -sum(log(p))",
        {"p": np.full(1100, 0.5)},
    ),
    "an index": (
        "p: param[N]; log(prod(p[i]**2 for i in N))",
        "p: param[N]; 2*sum(log(abs(p)))",
        {"p": X[:, 0] / 10},
    ),
    "an axis": (
        "P: param[N,D]; w: data[D]; sum(w*log(prod(P, axis=0)))",
        "P: param[N,D]; w: data[D]; sum(w*sum(log(P), axis=0))",
        {"P": abs(X) / 10, "w": W},
    ),
    "kept axes": (
        "P: param[N,D]; sum(P*log2(prod(P, axis=0, keepdims=True)))",
        "P: param[N,D]; sum(P*sum(log(P), axis=0, keepdims=True))/log(2)",
        {"P": abs(X) / 10},
    ),
    "logistic": (
        "X: data[N,D]; y: data[N]; w: param[D]; -log(prod(sigmoid(y*(X @ w))))",
        "X: data[N,D]; y: data[N]; w: param[D]; sum(softplus(-y*(X @ w)))",
        {"X": 100 * X, "y": 2 * Y - 1, "w": W},
    ),
    "Bernoulli, logits": (
        "X: data[N,D]; y: binary[N]; w: param[D]; p = sigmoid(X @ w)\n"
        "-log(prod(p**y*(1 - p)**(1 - y)))",
        "X: data[N,D]; y: binary[N]; w: param[D]; sum(softplus(X @ w) - y*(X @ w))",
        {"X": 100 * X, "y": Y, "w": W},
    ),
    "Bernoulli, one number": (
        "y: binary[N]; p: param; -log(prod(p**y*(1 - p)**(1 - y)))",
        "y: binary[N]; p: param; -sum(y*log(p) + (1 - y)*log(1 - p))",
        {"y": Y, "p": 0.3},
    ),
    "normal": (
        "x: data[N]; mu: param; s: param\n"
        "-log(prod(exp(-(x - mu)**2/(2*s**2))/(s*sqrt(2*pi))))",
        "x: data[N]; mu: param; s: param\nsum((x - mu)**2/(2*s**2) + log(s) + log(2*pi)/2)",
        {"x": X[:, 0], "mu": 0.1, "s": 1.2},
    ),
    "categorical": (
        "X: data[N,D]; W: param[D,C]; Y: onehot[N,C]; -log(prod(softmax(X @ W)**Y))",
        "X: data[N,D]; W: param[D,C]; Y: onehot[N,C]; -sum(Y*log_softmax(X @ W))",
        {"X": 100 * X, "W": np.stack([W, -W], 1), "Y": np.stack([Y, 1 - Y], 1)},
    ),
    "exponential": (
        "x: data[N]; r: param; log(prod(r*exp(-r*x[i]) for i in N))",
        "x: data[N]; r: param; sum(log(r) - r*x)",
        {"x": abs(X[:, 0]), "r": 1.2},
    ),
    "a ratio": (
        "p: param[N]; q: param[N]; log(3*prod(p)/prod(q)**2)",
        "p: param[N]; q: param[N]; log(3) + sum(log(abs(p)) - 2*log(abs(q)))",
        {"p": X[:, 0] * np.prod(np.sign(X[:, 0])), "q": X[:, 1]},
    ),
    "a geometric mean": (
        "p: param[N]; prod(p)**(1/N)",
        "p: param[N]; exp(mean(log(p)))",
        {"p": abs(X[:, 0]) / 10},
    ),
    "a mixture": (
        "X: data[N,D]; m: param[K,D]; q: param[K]; -sum(log(sum(q[k]*prod("
        "exp(-(X[n,d] - m[k,d])**2/2) for d in D) for k in K)) for n in N)",
        "X: data[N,D]; m: param[K,D]; q: param[K]; -sum(logsumexp(log(q) - "
        "sum((X[:, None, :] - m)**2, axis=2)/2, axis=1))",
        {"X": FAR, "m": MEANS, "q": SHARES},
    ),
    "a mixture with widths": (
        "X: data[N,D]; m: param[K,D]; s: param[K,D]; q: param[K]; -sum(log(sum(q[k]*prod("
        "exp(-((X[n,d] - m[k,d])/s[k,d])**2/2)/(s[k,d]*sqrt(2*pi)) for d in D) for k in K)) "
        "for n in N)",
        "X: data[N,D]; m: param[K,D]; s: param[K,D]; q: param[K]; -sum(logsumexp(log(q) - "
        "sum(((X[:, None, :] - m)/s)**2/2 + log(s) + log(2*pi)/2, axis=2), axis=1))",
        {"X": FAR, "m": MEANS, "s": WIDTHS, "q": SHARES},
    ),
    "a mixture of Bernoullis": (
        "X: binary[N,D]; P: param[K,D]; q: param[K]; -sum(log(sum(q[k]*prod("
        "P[k,d]**X[n,d]*(1 - P[k,d])**(1 - X[n,d]) for d in D) for k in K)) for n in N)",
        "X: binary[N,D]; P: param[K,D]; q: param[K]; -sum(logsumexp(log(q) + "
        "X @ log(P).T + (1 - X) @ log(1 - P).T, axis=1))",
        {"X": BITS, "P": CHANCES, "q": SHARES},
    ),
    "two Bernoullis": (
        "X: binary[N,D]; p: param[D]; q: param[D]; a: param; -sum(log("
        "a*prod(p**X*(1 - p)**(1 - X), axis=1) + (1 - a)*prod(q**X*(1 - q)**(1 - X), axis=1)))",
        "X: binary[N,D]; p: param[D]; q: param[D]; a: param; -sum(logaddexp("
        "log(a) + X @ log(p) + (1 - X) @ log(1 - p), "
        "log(1 - a) + X @ log(q) + (1 - X) @ log(1 - q)))",
        {"X": BITS, "p": CHANCES[0], "q": CHANCES[1], "a": 0.3},
    ),
    "a categorical mixture": (
        "X: real[N,D]; P: param[K,D]; q: param[K]; "
        "-sum(log(mean(q*prod(P**X[:, None, :], axis=2), axis=1)))",
        "X: real[N,D]; P: param[K,D]; q: param[K]; "
        "-sum(logsumexp(log(q) + X @ log(P).T, axis=1) - log(K))",
        {"X": BITS, "P": CHANCES, "q": SHARES},
    ),
}  # fmt: skip


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", TWINS)
def test_it_is_computed_by_logarithms(name: str, style: str, accurate: bool) -> None:
    typed, twin, at = TWINS[name]
    value, grads = sg.compile(typed, style=style, accurate=accurate)(**at)
    true, slopes = sg.compile(twin, accurate=True)(**at)
    np.testing.assert_allclose(value, true, rtol=1e-11)
    for key, slope in slopes.items():
        scale = float(np.max(np.abs(slope)))
        np.testing.assert_allclose(grads[key], slope, rtol=1e-10, atol=1e-12 * scale)


SIGNS = {  # entries whose product is no number where there is an odd number of negative ones
    "log(prod(p))": lambda p: (np.log(np.prod(p)), 1 / p),
    "log(-3*prod(p))": lambda p: (np.log(-3 * np.prod(p)), 1 / p),
    "log(abs(prod(p)))": lambda p: (np.log(abs(np.prod(p))), 1 / p),
    "log(prod(p**3*exp(p)))": lambda p: (np.log(np.prod(p**3 * np.exp(p))), 3 / p + 1),
    "log(prod(p)**2)": lambda p: (np.log(np.prod(p) ** 2), 2 / p),
    "prod(p)**(1/3)": lambda p: (np.prod(p) ** (1 / 3), np.prod(p) ** (1 / 3) / (3 * p)),
    "prod(p*exp(p))": lambda p: (np.prod(p * np.exp(p)), np.prod(p * np.exp(p)) * (1 + 1 / p)),
}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text", SIGNS)
def test_negative_entries_keep_their_meaning(text: str, style: str) -> None:
    f = sg.compile(f"p: param[N]; {text}", style=style)
    for negative in range(4):
        p = np.array([0.5, 1.5, 0.7, 2.5]) * np.where(np.arange(4) < negative, -1, 1)
        with np.errstate(invalid="ignore"):
            (value, grads), (true, slope) = f(p=p), SIGNS[text](p)
        np.testing.assert_allclose(value, true, rtol=1e-12)
        if not np.isnan(true):
            np.testing.assert_allclose(grads["p"], slope, rtol=1e-12)


def test_a_zero_has_the_logarithm_of_zero() -> None:
    with np.errstate(divide="ignore"):
        assert sg.compile("p: param[N]; log(prod(p))")(p=np.array([0.5, 0.0, 2]))[0] == -np.inf
        assert sg.compile("p: param[N]; prod(p)**(1/N)", wrt=[])(p=np.array([0.5, 0.0]))[0] == 0


HARD = {  # probabilities that are 0 and 1, and right: 0 log 0 is 0
    "y: binary[N]; p: param[N]; -log(prod(p**y*(1 - p)**(1 - y)))": ([0.0, 1, 1], [1.0, -1, -2]),
    "y: binary[N]; p: positive[N]; -log(prod(p**y))": ([0.0, 1, 1], [0.0, -1, -2]),
    "y: binary[N]; p: param[N]; -log(2*prod(p**y*(1 - p)**(1 - y)) + 3*prod(p**y)*0)": (
        [0.0, 1, 1], [1.0, -1, -2]),
}  # fmt: skip


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text", HARD)
def test_certain_probabilities(text: str, style: str, accurate: bool) -> None:
    y, slopes = HARD[text]
    p = np.array([1e-300 if "positive" in text else 0.0, 1, 0.5])
    value, grads = sg.compile(text, style=style, accurate=accurate)(y=np.array(y), p=p)
    np.testing.assert_allclose(value, np.log(2) - np.log(2) * ("2*prod" in text), atol=1e-15)
    np.testing.assert_allclose(grads["p"], slopes, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_mixture_of_certain_probabilities(style: str, dtype: str) -> None:
    text = TWINS["a mixture of Bernoullis"][0]
    X = np.array([[0.0, 1, 1, 0], [0, 1, 0, 1], [0, 1, 0, 0]])
    P = np.array([[0.0, 1, 0.3, 0.6], [0.2, 0.7, 0.4, 0.5]])
    q = np.array([0.4, 0.6])
    f = sg.compile(text, style=style, dtype=dtype)
    value, grads = f(X=X, P=P, q=q)
    terms = q * np.prod(np.where(X[:, None] > 0, P, 1 - P), axis=2)
    shares = terms / terms.sum(axis=1, keepdims=True)
    sides = np.where(X[:, None] > 0, 1 / np.maximum(P, 1e-9), -1 / np.maximum(1 - P, 1e-9))
    eps = 64 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(value, -np.log(terms.sum(axis=1)).sum(), rtol=eps)
    slopes = -(shares[:, :, None] * sides).sum(axis=0)
    np.testing.assert_allclose(grads["P"], slopes, rtol=eps, atol=eps)
    np.testing.assert_allclose(grads["q"], -(shares / q).sum(axis=0), rtol=eps)
    only = f(X=np.array([[1.0, 1, 0, 0]]), P=P, q=q)[0]  # it has no chance in the first component
    np.testing.assert_allclose(only, -np.log(0.6 * 0.2 * 0.7 * 0.6 * 0.5), rtol=eps)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_signs_of_a_mixture(style: str) -> None:
    f = sg.compile("y: binary[N]; p: param[N]; log(4 + prod(p**y))", style=style)
    y = np.array([1.0, 1, 0, 1])
    for negative in range(4):
        p = np.array([0.5, 1.5, 0.7, 2.5]) * np.where(np.arange(4) < negative, -1, 1)
        whole = np.prod(p**y)
        value, grads = f(y=y, p=p)
        np.testing.assert_allclose(value, np.log(4 + whole), rtol=1e-14)
        np.testing.assert_allclose(grads["p"], y * whole / p / (4 + whole), rtol=1e-14)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_entries_that_are_zero_have_the_slope_of_the_others(style: str) -> None:
    f = sg.compile("p: param[N]; prod(p*exp(-p))", style=style)
    value, grads = f(p=np.array([0.0, 2.0, 3.0]))
    assert value == 0
    np.testing.assert_allclose(grads["p"], [6 * np.exp(-5), 0, 0], rtol=1e-14)


def test_a_number_that_is_the_same_in_every_factor() -> None:
    f = sg.compile("x: data[N]; s: param; log(prod(exp(x)/s))")
    at = np.array([0.1, 0.2])
    np.testing.assert_allclose(f(x=at, s=-2.0)[0], 0.3 - 2 * np.log(2))
    with np.errstate(invalid="ignore"):
        assert np.isnan(f(x=at[:1], s=-2.0)[0])


PRINTED = {
    "p: param[N]; -log(prod(p))": {"p": "−1/p"},
    "p: param[N]; y: data[N]; log(prod(p**y))": {"p": "y/p"},
    "X: data[N,D]; y: binary[N]; w: param[D]; p = sigmoid(X @ w)\n"
    "-log(prod(p**y*(1 - p)**(1 - y)))": {"w": "Xᵀ(p − y)"},
    "x: data[N]; r: param; log(prod(r*exp(-r*x[i]) for i in N))": {"r": "N/r − Σ(x)"},
    "x: data[N]; mu: param; s: param\nlog(prod(exp(-(x - mu)**2/(2*s**2))/(s*sqrt(2*pi))))": {
        "mu": "Σ(x − μ)/s²", "s": "Σ((x − μ)²)/s³ − N/s"},
}  # fmt: skip


@pytest.mark.parametrize("text", PRINTED)
def test_it_is_printed_as_in_textbooks(text: str) -> None:
    found = sg.gradient(sg.parse(text))
    assert {name: formula.unicode() for name, formula in found.items()} == PRINTED[text]


def test_notes_say_what_was_recognised() -> None:
    assert "recognised log of a product (line 1)" in sg.compile("p: param[N]; log(prod(p))").notes
    notes = sg.compile("x: param[N]; prod(exp(-x**2))").notes
    assert "recognised product of exponentials (line 1)" in notes


def test_what_is_no_likelihood_stays_a_product() -> None:
    assert "np.log" not in sg.compile("p: param[N]; prod(p)**2", style="readable").program
    assert "np.log" not in sg.compile("p: param[N]; prod(sigmoid(p))", style="readable").program
