"""Every formula of the table is right as it is typed, or is known to fail."""

import json
from typing import Any

import judge
import mpmath
import numpy as np
import pytest
from cases import CASES, Case

SQUARE = "x**2 overflows beyond 1e154 although what it is used in does not"
PRODUCT = "a product or quotient overflows or underflows before its logarithm or root is taken"
QUOTIENT = "the derivative of a quotient cancels near 0"
DENOMINATOR = "the square of a denominator overflows or underflows in the derivative"
TINY = "the product of two tiny norms underflows"
MIXED = "a mixture of stable and unstable pieces that is not recognised"
ROUNDED = "a rounding error of a large logarithm or exponent is exponentiated"

KNOWN: dict[str, str] = dict.fromkeys((
    "x*exp(-x**2)",
    "x**2*exp(-x**2)",
    "x/(1+x**2)",
    "log(1+x**2)",
    "log1p(x**2)",
    "x**2/x",
    "sqrt(x**2+x)",
    "log(x**2+y**2)",
    "x: real[D]; sqrt(sum(x**2)+1e-12)",
    "x: real[D]; sum((x/sqrt(mean(x**2)+1e-6))[0])",
    "p: real[D]; t: data[D]; sum(log(1+(p-t)**2))",
), SQUARE) | dict.fromkeys((
    "log(x*y)",
    "log(x/y)",
    "log(x**2/y)",
    "sqrt(x*y)",
    "sqrt(x/y)",
    "x: real[D]; log(x[0]*x[1]*x[2])",
), PRODUCT) | dict.fromkeys((
    "x*log(1+1/x)",
    "where(x!=0,(exp(x)-1)/x,1)*where(x<20,1,0)",
), QUOTIENT) | dict.fromkeys((
    "x: real[D]; 3/sum(1/x)",
    "x: real[D]; 1/mean(1/x)",
    "x: real[D]; sum(log(x/sum(x)))",
), DENOMINATOR) | dict.fromkeys((
    "a: real[D]; b: real[D]; sum(a*b)/sqrt(sum(a**2))/sqrt(sum(b**2))",
    "a: real[D]; b: real[D]; sum(a*b)/(sqrt(sum(a**2))*sqrt(sum(b**2)))",
    "a: real[D]; b: real[D]; (a @ b)/(norm(a)*norm(b))",
    "a: real[D]; b: real[D]; 1 - (a @ b)/(norm(a)*norm(b))",
), TINY) | dict.fromkeys((
    "-log(1-(1-sigmoid(a))*(1-sigmoid(b)))",
    "Z: real[N, C]; T: data[N, C]; -mean(log(sum(T*softmax(Z),axis=1)))",
    "Z: real[N, C]; T: data[N, C]; Q = softmax(Z); -sum(T*log(Q) + (1-T)*log(1-Q))",
    "Z: real[N, C]; T: data[N, C]; -sum(log(sum(exp(Z)*T,axis=1)/sum(exp(Z),axis=1)))",
    "Z: real[N, C]; y: labels[N, C]; exp(-mean(log(softmax(Z)[arange(N), y])))",
    "p = sigmoid(z); -log(p*t+(1-p)*(1-t))",
), MIXED) | dict.fromkeys((
    "exp(log(x))",
    "exp(2*log(x))",
    "x**0.3333333333333333",
), ROUNDED)  # fmt: skip
OPERATORS = [case for case in CASES if judge.operator(case)]
KNOWN_ACCURATE: dict[str, str] = {
    "softplus(x, b)": "the derivative in beta is the difference of two terms",
    "celu(a, b)": "the derivative in b is of second order in a near 0, and cancels",
    "mish(a)": "at -1.25 in float32: near the zero of the derivative the dtype is the bound",
}


def outcome(case: Case, accurate: bool, known: dict[str, str]) -> None:
    """Fail if the case does, unless that is known; fail if a known fault is gone."""
    failures = list(judge.run(case, accurate))
    if case.text in known:
        assert failures, f"this works now: take it out of the list ({known[case.text]})"
    else:
        assert not failures, "\n".join(map(str, failures[:5]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_as_typed(case: Case) -> None:
    outcome(case, False, KNOWN)


@pytest.mark.skipif(not judge.ACCURATE, reason="sg.compile knows no accurate=")
@pytest.mark.parametrize("case", OPERATORS, ids=lambda case: case.text)
def test_operators_with_accurate(case: Case) -> None:
    outcome(case, True, KNOWN_ACCURATE)


def test_the_table_is_as_large_as_it_says() -> None:
    texts = [case.text for case in CASES]
    assert len(set(texts)) >= 500
    assert set(KNOWN) | set(KNOWN_ACCURATE) <= set(texts)


@pytest.mark.no_cover
def test_stored_truths_are_true() -> None:
    """The file saves time, no more: what it says can be computed, here for every 40th."""
    kept = judge.stored()
    for key in sorted(kept)[::40]:
        text, _, point = key.rpartition(" @ ")
        at = {name: np.asarray(v) for name, v in json.loads(point).items()}
        expected = judge.write(judge.computed(text, at))
        assert same(kept[key], expected), key


def same(a: Any, b: Any) -> bool:
    """Compare what is stored, to 20 digits."""
    if isinstance(a, str):
        with mpmath.workdps(30):
            x, y = mpmath.mpf(a), mpmath.mpf(b)
            return bool(x == y or abs(x - y) <= abs(y) * mpmath.mpf("1e-20"))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
