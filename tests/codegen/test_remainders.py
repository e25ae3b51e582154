"""What is left of 1, and quotients of exponentials: finite and right where the truth is."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.exact import value_and_gradient

STYLES: dict[str, dict[str, Any]] = {
    "fast": {"style": "fast"}, "readable": {"style": "readable"}, "accurate": {"accurate": True},
}  # fmt: skip
WIDE = [-800.0, -100.0, -30.0, -8.0, -1.0, -0.3, 0.7, 3.0, 8.0, 30.0, 100.0, 800.0]
ABOVE = [1e-20, 1e-3, 0.7, 3.0, 30.0, 100.0, 800.0]
PAIRS = {"a": [1.0, 31.0, 800.0, -799.0, -30.0, 9.0, 40.0, 800.0, 3.0],
         "b": [0.5, 30.0, 799.0, -800.0, -800.0, 8.0, -40.0, -800.0, -800.0]}  # fmt: skip
MIXED = {"x": [-800.0, -30.0, 0.3, 3.0, 30.0, 800.0, 800.0, -800.0],
         "u": [1.0, 2.0, 3.0, 0.5, 2.0, 2.0, 1e5, 1e-3]}  # fmt: skip
ONE, TWO, BOTH = (
    {"x": WIDE},
    {"x": ABOVE},
    {**MIXED, "y": [1.0, 9.0, -1.0, 4.0, 30.0, 801.0, -5.0, 2.0]},
)
CUTS = {"x": [1.0, 100.0, -100.0, 1.0, 1.0], "m": [0.0, 0.0, 0.0, 50.0, 0.0],
        "s": [1.0, 1.0, 1.0, 0.05, 0.001]}  # fmt: skip
TEXTS: dict[str, dict[str, list[float]]] = {
    # ordinal and discretised likelihoods
    "log(sigmoid(a) - sigmoid(b))": PAIRS,
    "log(1/(1 + exp(-a)) - 1/(1 + exp(-b)))": PAIRS,
    "log(tanh(a) - tanh(b))": PAIRS,
    "log(normal_cdf(a) - normal_cdf(b))": PAIRS,
    "log(erf(a)/2 - erf(b)/2)": {"a": [1.0, 7.0, -6.0, 9.0], "b": [0.5, 6.5, -7.0, -9.0]},
    "log(exp(a) - exp(b))": PAIRS,
    "log2(2*exp(a) - exp(b))": PAIRS,
    "log(sigmoid((x + 0.5 - m)/s) - sigmoid((x - 0.5 - m)/s))": CUTS,
    "log(sigmoid(x + 1) - sigmoid(x - 1))": ONE,
    # what is left of 1
    "log(1 - tanh(x)**2)": ONE,
    "log1p(-tanh(x)**2)": {"x": WIDE[3:9]},
    "log(1 - tanh(x)*tanh(x))": ONE,
    "log(2 - 2*tanh(x))": ONE,
    "log((1 + tanh(x))/(1 - tanh(x)))": ONE,
    "log(1 + sigmoid(x))": ONE,
    "2/(1 + tanh(x))": {"x": WIDE[2:]},
    "1/(1 + erf(x))": {"x": WIDE[3:]},
    "log(1 - sigmoid(x)**2)": {"x": WIDE[2:]},
    "log(1 - sigmoid(x)**3)": {"x": WIDE[3:]},
    "log(sigmoid(x) - sigmoid(x)**2)": ONE,
    "log(1 - erf(x))": {"x": WIDE[4:]},
    "log(1 - erf(x)**2)": ONE,
    "log(normal_cdf(x))": {"x": WIDE[:8]},
    "log(1 - normal_cdf(x))": {"x": WIDE[5:]},
    "log(0.5*(1 + erf(x/sqrt(2))))": {"x": WIDE[:8]},
    "normal_pdf(x)/normal_cdf(x)": {"x": WIDE[:8]},
    "log(0.3*normal_pdf(x) + 0.7*normal_pdf(x/2))": ONE,
    "log(1 - exp(-exp(x)))": {"x": WIDE[:7]},
    # exp(x) - 1
    "log(exp(x) - 1)": TWO,
    "log(expm1(x))": TWO,
    "log(sinh(x))": TWO,
    "log(exp(2*x) - exp(x))": TWO,
    "x/(exp(x) - 1)": ONE,
    "1/(exp(x) - 1)": ONE,
    "3/(1 - 2*exp(-x))": ONE,
    "exp(x)/(exp(x) - 1)": ONE,
    "exp(-x)/(1 - exp(-x))": ONE,
    "(exp(x) + 1)/(exp(x) - 1)": ONE,
    "cosh(x)/sinh(x)": ONE,
    "1/sinh(x)": ONE,
    # powers and quotients
    "(1 - exp(-x))/(1 + exp(-x))": ONE,
    "(2*exp(x) - 2)/(exp(x) + 1)": ONE,
    "1/(1 + exp(-x))**0.5": ONE,
    "exp(2*x)/(1 + exp(x))**2": ONE,
    "sqrt(1 + exp(x))": {"x": WIDE[:-1]},
    "(1 + exp(x))**0.3": {"x": WIDE[:-1]},
    "sqrt(cosh(x))": {"x": WIDE[1:-1]},
    "arctan(exp(x))": ONE,
    "arctan(sinh(x))": ONE,
    "x**2*exp(x)/(exp(x) - 1)**2": ONE,
    "exp(-x)/(1 - exp(-x))**2": ONE,
    "-2*x*exp(x)/(exp(x) - 1)": {"x": [-800.0, -3.0, 1e-5, 2.0, 800.0]},
    "x**2*exp(x)/(1 + exp(x))**2": ONE,
    "x*x*exp(x)/((1 + exp(x))*(1 + exp(x)))": ONE,
    "(exp(x) - 1)**2/(exp(x) + 1)**2": ONE,
    "x*(1 - exp(-2*x))/(1 + exp(-2*x))": ONE,
    "x*(1 - 2*exp(-x))/(1 - exp(-x))": ONE,
    "x*(exp(x) - 2)/(1 + exp(x))": ONE,
    "normal_pdf(x)/(1 - normal_cdf(x))": {"x": [*WIDE[4:10], 100.0]},
    "x*exp(-x**2/2)/sqrt(2*pi)/(1 - 0.5*(1 + erf(x/sqrt(2))))": {"x": [*WIDE[4:10], 100.0]},
    "3*(1 - normal_cdf(x))/normal_pdf(x)": {"x": WIDE[3:10]},
    "arctan(2*exp(x))": ONE,
    "asinh(exp(x))": ONE,
    "tanh(exp(x))": ONE,
    "erf(exp(x)/3)": ONE,
    "sigmoid(1 - exp(x))": ONE,
    "exp(x)*exp(-exp(x))": ONE,
    "log(1 - sqrt(sigmoid(x)))": {"x": WIDE[2:]},
    "log(u + exp(x))": MIXED,
    "exp(x)/(u + exp(x))": MIXED,
    "1/(1 + u*exp(-x))": MIXED,
    "3*exp(x)/(1 + u*exp(x))": MIXED,
    "(exp(x) + u)/(exp(x) + u + 1)": MIXED,
    "exp(x)/(exp(x) + exp(y) + u)": BOTH,
    "u/(exp(x) + exp(y) + u)": BOTH,
}
KINDS = {"u": "positive", "s": "positive"}


def declared(names: Any, axes: str) -> str:
    return " ".join(f"{name}: {KINDS.get(name, 'real')}{axes};" for name in names)


@pytest.fixture(scope="module")
def truth() -> Any:
    """Value and slopes of a text at one point, computed once."""
    known: dict[Any, Any] = {}

    def at(text: str, point: dict[str, float]) -> Any:
        key = text, tuple(point.items())
        if key not in known:
            program = sg.parse(declared(point, "") + text)
            known[key] = value_and_gradient(program, point, list(point), digits=20)
        return known[key]

    return at


def judged(got: Any, true: Any, dtype: str, size: Any) -> bool:
    """Say whether a number is right, as far as it is one of this type.

    A slope whose terms cancel, 1 - sigmoid(x), has the digits of its terms, without `accurate`.
    """
    info = np.finfo(dtype)
    if mpmath.isnan(true) or abs(true) > float(info.max) / 2:
        return True
    near = abs(true) * (1e-11 if dtype == "float64" else 3e-4) + size * float(info.eps) * 8
    return math.isfinite(got) and abs(mpmath.mpf(float(got)) - true) <= near + float(info.tiny) * 4


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", TEXTS)
def test_value_and_slopes_are_right(text: str, how: str, dtype: str, truth: Any) -> None:
    at = TEXTS[text]
    program = f"{declared(at, '[N]')} w: real[N]; sum(w*({text}))"
    f = sg.compile(program, wrt=["w", *at], dtype=dtype, **STYLES[how])
    count = len(next(iter(at.values())))
    _, grads = f(w=np.ones(count), **at)
    number = sg.compile(declared(at, "") + text, wrt=list(at), **STYLES[how])
    for k in range(count):
        point = {n: float(np.dtype(dtype).type(v[k])) for n, v in at.items()}
        value, slopes = truth(text, point)
        plain = dtype == "float64"
        single, own = number(**point) if plain else (grads["w"][k], {n: grads[n][k] for n in at})
        for name, got, also, true in [
            ("value", grads["w"][k], single, value),
            *[(n, grads[n][k], own[n], slopes[n]) for n in at],
        ]:
            size = 1 if name == "value" or how != "accurate" or "u" in at else 0
            size = max(size, abs(true) if name != "value" else 0)
            assert judged(got, true, dtype, size), (name, point, got, float(true))
            assert judged(also, true, dtype, size), (name, point, also, float(true), "number")


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("lo: data[N]; hi: data[N]; f: param[N]; -sum(log(sigmoid(hi - f) - sigmoid(lo - f)))",
         {"lo": [-3.0, -np.inf, -1000.0], "hi": [-2.0, 100.0, np.inf], "f": [100.0, 900.0, 2.0]}),
        ("lo: data[N]; hi: data[N]; f: param[N]; "
         "-sum(log(normal_cdf(hi[i] - f[i]) - normal_cdf(lo[i] - f[i])) for i in N)",
         {"lo": [-3.0, -np.inf, -1000.0], "hi": [-2.0, 100.0, np.inf], "f": [100.0, 140.0, 2.0]}),
        ("c: param[K]; f: param[N]; y: labels[N, K]; "
         "-sum(log(sigmoid(c[y[i]] + 1 - f[i]) - sigmoid(c[y[i]] - f[i])) for i in N)",
         {"c": [-800.0, 0.0, 900.0], "f": [0.0, 1.0, 2.0], "y": [0, 1, 2]}),
    ],
)  # fmt: skip
def test_ordinal_likelihoods(text: str, at: dict[str, Any], how: str) -> None:
    """Cut points may be infinite; index notation is as good as arrays."""
    f = sg.compile(text, **STYLES[how])
    value, grads = f(**at)
    assert math.isfinite(value) and all(np.isfinite(g).all() for g in grads.values())
    step = 1e-4
    for name in grads:
        for k in range(len(at[name])):
            there = np.array(at[name])
            there[k] += step
            back = there.copy()
            back[k] -= 2 * step
            slope = (f(**{**at, name: there})[0] - f(**{**at, name: back})[0]) / (2 * step)
            assert slope == pytest.approx(grads[name][k], rel=1e-5, abs=1e-6)


SURE = {"Z": [[1000.0, 0.0, 1.0], [0.0, 1.0, 2.0], [-40.0, 3.0, 2.0]], "y": [0, 1, 1]}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    "body",
    [
        "-mean(log(1 - softmax(Z)[arange(N), y]))",
        "-sum(log(1 - exp(Z[i,y[i]])/sum(exp(Z[i,j]) for j in C)) for i in N)",
        "P = softmax(Z); -sum(log(1 - P[:, 1]))",
        "log(1 - softmax(Z[0])[0])",
    ],
)
def test_what_the_other_classes_have(body: str, how: str, dtype: str) -> None:
    """1 - p of a class that is certain is the share of the others; it does not round to 0."""
    text = f"Z: param[N, C]; y: labels[N, C]; {body}"
    value, slopes = value_and_gradient(sg.parse(text), SURE, ["Z"])
    found, grads = sg.compile(text, wrt="Z", dtype=dtype, **STYLES[how])(**SURE)
    near = 1e-12 if dtype == "float64" else 1e-6
    assert found == pytest.approx(float(value), rel=near)
    np.testing.assert_allclose(grads["Z"], slopes["Z"].astype(float), rtol=near * 10, atol=near)


RISK = "s: param[N]; t: data[N]; d: data[N]; "
COX = {
    "conditions": RISK
    + "-sum(d[i]*(s[i] - log(sum(exp(s[j]) for j in N if t[j] >= t[i]))) for i in N)",
    "shares": RISK
    + "-sum(d[i]*log(exp(s[i])/sum(exp(s[j]) for j in N if t[j] >= t[i])) for i in N)",
    "mask": RISK + "R = t[None, :] >= t[:, None]; -sum(d*(s - log(R @ exp(s))))",
    "running": "s: param[N]; d: data[N]; sum(d*(s - log(cumsum(exp(s)))))",
    "weights": "s: param[N]; A: data[N, N]; sum(log(A @ exp(s)))",
}


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("name", COX)
def test_sums_of_exponentials_over_risk_sets(name: str, how: str) -> None:
    """Scores may be large, and 1000 apart; the exponentials are still N, not N squared."""
    at = {"s": [0.0, 1000.0, -300.0, 5.0], "t": [1.0, 2.0, 3.0, 2.5], "d": [1.0, 1.0, 0.0, 1.0],
          "A": np.triu(np.ones((4, 4))) + 0.5}  # fmt: skip
    names = [n.attrs["name"] for n in sg.parse(COX[name]).inputs]
    f = sg.compile(COX[name], wrt="s", **STYLES[how])
    for moved in (0.0, 2000.0, -200.0):
        point = {n: at[n] for n in names} | {"s": [s + moved for s in at["s"]]}
        value, slopes = value_and_gradient(sg.parse(COX[name]), point, ["s"])
        found, grads = f(**point)
        assert found == pytest.approx(float(value), rel=1e-12)
        np.testing.assert_allclose(grads["s"], slopes["s"].astype(float), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("name", COX)
def test_risk_sets_in_single_precision(name: str, how: str) -> None:
    """Scores that are 160 apart, and all far below 0."""
    at = {"s": [-150.0, 10.0, -102.0, -145.0], "t": [1.0, 2.0, 3.0, 2.5], "d": [1.0] * 4,
          "A": np.triu(np.ones((4, 4))) + 0.5}  # fmt: skip
    names = [n.attrs["name"] for n in sg.parse(COX[name]).inputs]
    f = sg.compile(COX[name], wrt="s", dtype="float32", **STYLES[how])
    for moved in (0.0, -300.0):
        point = {n: at[n] for n in names} | {"s": [s + moved for s in at["s"]]}
        value, slopes = value_and_gradient(sg.parse(COX[name]), point, ["s"])
        found, grads = f(**point)
        assert found == pytest.approx(float(value), rel=1e-5)
        np.testing.assert_allclose(grads["s"], slopes["s"].astype(float), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_ordinary_scores_are_not_moved(style: str) -> None:
    """Nothing is taken off them, so no digit is lost; -inf and NaN stay what they are."""
    f = sg.compile("s: param[N]; R: data[N, N]; sum(log(R @ exp(s)))", wrt="s", style=style)
    R, s = np.array([[1.0, 2.0], [0.5, 0.25]]), np.array([3.3, -1.7])
    value, grads = f(s=s, R=R)
    assert value == np.sum(np.log(R @ np.exp(s)))
    np.testing.assert_allclose(grads["s"], R.T @ (1 / (R @ np.exp(s))) * np.exp(s), rtol=1e-15)
    assert f(s=[-np.inf, 0.0], R=R)[0] == pytest.approx(math.log(0.5))
    assert np.isnan(f(s=[np.nan, 0.0], R=R)[0]) and f(s=[np.inf, 0.0], R=R)[0] == np.inf


@pytest.mark.parametrize("how", STYLES)
def test_probit_regression_far_from_its_targets(how: str) -> None:
    text = ("X: data[N, D]; w: param[D]; y: binary[N]; p = normal_cdf(X @ w); "
            "-mean(y*log(p) + (1 - y)*log(1 - p))")  # fmt: skip
    value, grads = sg.compile(text, **STYLES[how])(X=[[50.0], [1.0], [-2.0]], w=[1.0], y=[0, 1, 1])
    with mpmath.workdps(30):
        terms = [mpmath.log(mpmath.ncdf(z)) for z in (-50, 1, -2)]
        far, near, back = (mpmath.npdf(z) / mpmath.ncdf(z) for z in (-50, 1, -2))
        slope = (50 * far - near + 2 * back) / 3
    assert value == pytest.approx(float(-sum(terms) / 3), rel=1e-13)
    assert grads["w"][0] == pytest.approx(float(slope), rel=1e-13)


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    "case",
    [
        "where(x > 0, where(y > 0, x*log(x/y), 0), 0)",
        "where(y > 0, where(x > 0, x*log(x/y), 0), 0)",
        "where(x > 0, x*log(x/where(y > 0, y, 1)), 0)",
        "where(x > 0, log(1 - exp(-x)), 0)",
        "where(x > 0, log(exp(x) - 1), -y)",
    ],
)
def test_branches_not_taken_give_no_nan(case: str, how: str) -> None:
    at = {"x": [0.0, 1.0, 0.0, -1.0, 2.0, -2.0, 0.5], "y": [0.0, 2.0, 1.0, 1.0, -1.0, -2.0, 0.0]}
    program = f"x: param[N]; y: param[N]; sum({case})"
    true = value_and_gradient(sg.parse(program), at)
    value, grads = sg.compile(program, **STYLES[how])(**at)
    assert value == pytest.approx(float(true[0]), rel=1e-12)
    for name, slope in true[1].items():
        np.testing.assert_allclose(grads[name], slope.astype(float), rtol=1e-12)


@pytest.mark.parametrize("how", STYLES)
def test_a_filter_of_two_conditions(how: str) -> None:
    text = "x: param[N]; y: param[N]; sum(x[i]*log(x[i]/y[i]) for i in N if y[i] > 0 if x[i] > 0)"
    _, grads = sg.compile(text, **STYLES[how])(x=[0.0, 1.0, -1.0, 2.0], y=[0.0, 2.0, 1.0, -1.0])
    np.testing.assert_allclose(grads["x"], [0, 1 - math.log(2), 0, 0], rtol=1e-14)


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize(
    "body",
    [
        "sum(x[i]*log(x[i]/y[j]) for i in N if x[i] > 0 for j in N if y[j] > 0)",
        "sum(sum(x[i]*log(x[i]/y[j]) for j in N if y[j] > 0 if x[i] > 0) for i in N)",
    ],
)
def test_conditions_of_two_indices(body: str, how: str) -> None:
    """What fails for one index alone is left out behind the sum over the other one."""
    at = {"x": [0.0, 1.0, -1.0, 2.0, 0.5], "y": [0.0, 2.0, 1.0, -1.0, 0.25]}
    program = f"x: param[N]; y: param[N]; {body}"
    true = value_and_gradient(sg.parse(program), at)
    value, grads = sg.compile(program, **STYLES[how])(**at)
    assert value == pytest.approx(float(true[0]), rel=1e-12)
    for name, slope in true[1].items():
        np.testing.assert_allclose(grads[name], slope.astype(float), rtol=1e-12)


CURVES: dict[str, tuple[Any, float]] = {
    "(exp(x) - 1)/x": (lambda x: mpmath.expm1(x) / x, 1 / 3),
    "log(1 + x)/x": (lambda x: mpmath.log(1 + x) / x, 2 / 3),
    "tanh(x)/x": (lambda x: mpmath.tanh(x) / x, -2 / 3),
    "x/(exp(x) - 1)": (lambda x: x / mpmath.expm1(x), 1 / 6),
}


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", CURVES)
def test_quotients_have_a_curvature_at_0(text: str, how: str) -> None:
    near = [1e-9, -1e-5, 1e-3, 0.1, 0.2499, 0.2501, -0.3, 0.5001, 2.0]
    f = sg.compile(f"x: param[N]; sum({text})", **STYLES[how])
    number = sg.compile(f"x: param; {text}", **STYLES[how])
    true, at_0 = CURVES[text]
    found = f.hvp({"x": np.ones(len(near) + 1)}, x=[0.0, *near])["x"]
    assert found[0] == pytest.approx(at_0) == number.hvp({"x": 1.0}, x=0.0)["x"]
    with mpmath.workdps(50):
        expected = [float(mpmath.diff(true, mpmath.mpf(x), 2)) for x in near]
    np.testing.assert_allclose(found[1:], expected, rtol=2e-13)


@pytest.mark.parametrize("how", STYLES)
@pytest.mark.parametrize("text", ["log(normal_cdf(x) - normal_cdf(y))", "log(exp(x) - exp(y))",
                                  "log(sigmoid(x) - sigmoid(y))"])  # fmt: skip
def test_the_curvature_is_right(text: str, how: str) -> None:
    """What is made keeps its digits when it is differentiated again."""
    f = sg.compile(f"x: real; y: real; {text}", **STYLES[how])
    at, step = {"x": -3.0, "y": -3.75}, 1e-5
    moved = [f(x=at["x"] + d, y=at["y"])[1] for d in (step, -step)]
    for name, found in zip(("x", "y"), (0, 1), strict=True):
        expected = (moved[0][name] - moved[1][name]) / (2 * step)
        assert f.hvp({"x": 1.0, "y": 0.0}, **at)[name] == pytest.approx(expected, rel=1e-7), found


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_the_lower_tail_of_a_number_keeps_its_digits(style: str) -> None:
    f = sg.compile("x: real; 1/normal_cdf(x)", style=style)
    with mpmath.workdps(30):
        for x in (-30.0, -8.0, -1.0, 2.0):
            value, grads = f(x=x)
            true = 1 / mpmath.ncdf(x)
            assert value == pytest.approx(float(true), rel=1e-12)
            assert grads["x"] == pytest.approx(float(-mpmath.npdf(x) * true**2), rel=1e-12)


UNTOUCHED = {
    "log(1 - tanh(x)**2 + 1e-6)": "tanh",  # the number keeps it from 0: nothing to gain
    "log(0.01 + 0.98*normal_cdf(x))": "= normal_cdf(",
    "log1p(x)": "log1p",
    "log(x - y)": "x - y",
    "sqrt(1 + exp(-x**2))": "sqrt",  # its exponential is below 1
    "x/(y + exp(-x**2))": "np.exp(-(x ** 2))",
}


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_cannot_overflow_is_computed_as_typed(text: str) -> None:
    source = sg.compile(f"x: param[N]; y: param[N]; sum({text})", style="readable").program
    body = source[source.index("np.asarray(x, dtype") :]
    assert UNTOUCHED[text] in body
    assert not any(word in body for word in ("softplus", "logaddexp", "normal_tail", "np.abs"))


def test_products_of_two_negative_differences_stay() -> None:
    """log((e**a - e**b)(e**c - e**d)) is finite where both are negative."""
    text = "a: real; b: real; log((exp(a) - exp(b))*(exp(2*a) - exp(2*b)))"
    found = sg.compile(text)(a=0.0, b=1.0)[0]
    assert found == pytest.approx(math.log((math.e - 1) * (math.e**2 - 1)))


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("log(1 - tanh(x)**2)", "−2tanh(x)"),
        ("log(sigmoid(x + 1) - sigmoid(x - 1))", "σ(1 − x) − σ(x + 1)"),
        ("x/(exp(x) - 1)", "(exp(x) − 1 − x exp(x))/(1 − exp(x))²"),
        ("exp(x)/(x**2 + exp(x))", "x(x − 2) exp(x)/(x² + exp(x))²"),
    ],
)
def test_what_is_printed_stays_as_it_was_typed(text: str, slope: str) -> None:
    assert sg.gradient(f"x: real; {text}")["x"].unicode() == slope
