"""What cancels in the words of the program: sums over themselves, signs, shares, masks."""

import pytest

import symgrad as sg

PROGRAMS = {
    "a sum of rows over itself": (
        "P: positive[N, M]; r = sum(P, axis=1); "
        "L = -sum(P[i,j]*log(P[i,j]/r[i]) for i in N for j in M)", "P", "−log(P/r)"),
    "both margins": (
        "P: positive[N, M]; r = sum(P, axis=1); c = sum(P, axis=0); "
        "L = sum(P[i,j]*log(P[i,j]/(r[i]*c[j])) for i in N for j in M)", "P", "log(P/(r cᵀ)) − 1"),
    "a sign over a size": (
        "u: real[D]; w: real[D]; d = 1 + u@w; L = -log(abs(d))", "u", "−w/d"),
    "powers of shares": (
        "p: simplex[K]; q: simplex[K]; a: positive; S = sum(p**a*q**(1 - a)); L = log(S)/(a - 1)",
        "q", "−(p/q)^a/S"),
    "sums of sums": (
        "t: positive[N]; d: binary[N]; l: positive; k: positive; "
        "L = sum((t/l)**k) - sum(d*(log(k/l) + (k - 1)*log(t/l)))", "l", "k Σ(d − (t/l)^k)/l"),
    "a difference of vectors": (
        "W: real[D, D]; x: real[D]; y: real[D]; t: real; z = (1 - t)*x + t*y; r = W@z - (y - x); "
        "L = sum(r**2)/2", "t", "rᵀ W (y − x)"),
    "a difference that is taken apart": (
        "a: real; b: real; t: real; k: positive; n: positive; p = sigmoid(a + b*t); "
        "L = -k*log(p) - (n - k)*log(1 - p)", "b", "(p n − k) t"),
    "masked shares": (
        "s: real[N]; L = sum(logsumexp(s[j] for j in N if j >= i) - s[i] for i in N)", "s",
        "Σᵢ(P) − 1"),
    "a sine has no name": (
        "y: real[N]; t: real[N]; A: real; w: real; f: real; r = y - A*cos(w*t + f); L = r@r/2",
        "f", "A rᵀ sin(w t + f)"),
    "the entropy of shares": ("p: simplex[K]; L = -sum(p*log(p))", "p", "−log(p) − 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_closed_form(name: str) -> None:
    text, wrt, expected = PROGRAMS[name]
    assert sg.gradient(text, wrt)[wrt].unicode() == expected
    assert sg.check(text, wrt=wrt)


def test_a_sigmoid_is_no_function_of_its_own_name() -> None:
    """As sigma = sigma(u) it would read as a function of a function."""
    text = "t: real; a: real; b: real; c: real; P = sigmoid(a*(t - b)) - sigmoid(a*(t - c))"
    found = str(sg.gradient(text + "; L = -log(P)", "a")["a"])
    assert "s = σ(a(t − c))" in found and "σ = " not in found
