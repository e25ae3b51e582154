"""Code for programs of papers and courses makes no array, and no function of one, in vain."""

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_unseen import as_backpropagation

EXPECTILE = (
    "X: data[N, D]; y: data[N]; w: param[D]; q: data\nr = y - X @ w\n"
    "loss = mean(where(r > 0, q, 1 - q)*r**2)"
)
SPLINE = (
    "x: param[N]; y: data[N]; l: data\n"
    "loss = sum((x - y)**2) + l*sum((x[2:] - 2*x[1:-1] + x[:-2])**2)"
)
FLOW = (
    "X: data[N, D]; Y: data[N, D]; W: param[D, D]; U: param[D, D]\ns = tanh(X @ W)\n"
    "z = (Y - X @ U)*exp(-s)\nloss = sum(z**2)/(2*N) + sum(s)/N"
)
LATENT = "mu: param[N, K]; lv: param[N, K]\nloss = 0.5*sum(exp(lv) + mu**2 - 1 - lv)/N"
GAMMA = "x: positive[N]; a: data; eta: param[N]\nloss = sum(x*(a*exp(-eta)) + a*eta)"
LIFETIMES = (
    "t: positive[N]; d: binary[N]; lk: param; ls: param\nk = exp(lk)\nz = k*(log(t) - ls)\n"
    "loss = -sum(d*(lk + z - log(t)) - exp(z))"
)
NORMAL = "x: data[N]; m: param[N]; s: param[N]\nloss = sum(log(s**2)/2 + (x - m)**2/(2*s**2))"
CORRELATION = (
    "X: data[N, D]; Y: data[N, K]; a: param[D]; b: param[K]\nu = X @ a\nv = Y @ b\n"
    "loss = -u @ v/(norm(u)*norm(v))"
)
RISK = (
    "X: data[N, D]; w: param[D]; d: binary[N]\ns = X @ w\n"
    "loss = -sum(d[i]*(s[i] - log(sum(exp(s[j]) for j in N if j >= i))) for i in N)/N"
)
SMOOTHED = (
    "X: data[N, D]; W: param[D, K]; y: onehot[N, K]; e: data\nL = log_softmax(X @ W)\n"
    "loss = -sum(((1 - e)*y + e/K)*L)/N"
)
CONTRAST = "Q: param[N, D]; K: param[N, D]\nloss = cross_entropy(Q @ K.T, arange(N))"
TRANSPORT = "C: param[N, M]\nl = logsumexp(C, axis=1)\nloss = sum(l**2)"
CURVE = (
    "t: positive[N]; y: data[N]; a: param; b: param; l: param\nx = t/l\nc = (1 - exp(-x))/x\n"
    "loss = sum((a + b*c - y)**2)"
)
POTENTIAL = "r: positive[N]; e: data; q: param[N]\nloss = sum(4*e*(q**2 - q/r))"
PROTOTYPES = (
    "Z: param[N, D]; C: param[M, D]; y: labels[N, M]\n"
    "d[i,c] = sum((Z[i,k] - C[c,k])**2 for k in D)\nloss = cross_entropy(-d, y)"
)
SCORES = (
    "X: data[N, D]; w: param[D]; y: positive[N]\nm = sigmoid(X @ w)\n"
    "loss = sum((m - y)**2/(m*(1 - m)))"
)
RIDGE = "U: param[N, K]; V: param[N, K]; l: data\nE = U - V\nloss = sum(E**2)/2 + l/2*sum(U**2)"
EVENTS = (
    "t: data[N]; a: param; b: param\nl[i] = 1 + sum(a*exp(-b*(t[i] - t[j])) for j in N if j < i)\n"
    "loss = sum(log(l))"
)
CRITIC = "X: data[N, D]; W: param[D, K]; v: param[K]\nloss = mean(leaky_relu(X @ W, 0.2) @ v)"
FOCAL = "z: param[N]; y: binary[N]; g: data\nloss = sum(softplus(z)*y + g*softplus(-z))"
ATOMS = "r: positive[N]; s: data; e: data\nq = (s/r)**6\nloss = sum(4*e*(q**2 - q))"
VOLATILITY = (
    "y: data[4]; w: param; a: param; b: param; s0 = exp(w)\n"
    "s1 = w**2 + a*y[0]**2 + b*s0; s2 = w**2 + a*y[1]**2 + b*s1; s3 = w**2 + a*y[2]**2 + b*s2\n"
    "s = stack([s0, s1, s2, s3])\nloss = mean(s**2 + y**2/(1 + s**2)) + s @ y + s[1]"
)
PROGRAMS = [EVENTS, CRITIC, FOCAL, ATOMS, VOLATILITY,
            EXPECTILE, SPLINE, FLOW, LATENT, GAMMA, LIFETIMES, NORMAL, CORRELATION, RISK, SMOOTHED,
            CONTRAST, TRANSPORT, CURVE, POTENTIAL, PROTOTYPES, SCORES, RIDGE]  # fmt: skip
SIZES = {"N": 7, "D": 4, "K": 3, "M": 5}


def inputs(graph: sg.Graph) -> dict[str, np.ndarray]:
    """Draw inputs of their kinds."""
    rng, at = np.random.default_rng(1), {}
    for node in graph.inputs:
        kind, shape = node.attrs["kind"], [SIZES.get(d, d) for d in node.shape]
        if kind == "labels":
            value = rng.integers(0, SIZES[str(node.attrs["classes"])], shape)
        elif kind == "onehot":
            value = np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
        elif kind == "binary":
            value = 1.0 * (rng.random(shape) < 0.5)
        else:
            value = rng.random(shape) + 0.5 if kind == "positive" else rng.normal(size=shape)
        at[node.attrs["name"]] = value
    return at


def code(text: str, **options: object) -> str:
    """Give its statements, without the formulas beside them."""
    lines = (line.split("#")[0] for line in written(text, **options).splitlines())
    return "\n".join(lines)


def written(text: str, **options: object) -> str:
    """Give the function of the readable module."""
    return sg.compile(text, style="readable", **options).program.split('    """\n')[-1]


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
@pytest.mark.parametrize("accurate", [False, True])
def test_as_backpropagation_computes(text, accurate):
    graph = sg.parse(text)
    as_backpropagation(graph, inputs(graph), style="readable", accurate=accurate)


def test_a_weighted_square_is_an_inner_product():
    text = written(EXPECTILE)
    assert "np.vdot(t_1 * r, r) / r.size" in text and "** 2" not in text
    assert "2 / N * (r * t_1)" in text  # constants and sizes are one number


def test_a_second_difference_is_taken_once():
    text = code(SPLINE)
    assert text.count("2 * x[1:-1]") == 1


def test_an_exponential_of_a_multiple_is_a_power():
    text = written(FLOW)
    assert text.count("np.exp(") == 1 and "(z * t_1)" in text


def test_beside_an_exponential_there_is_no_other():
    text = written(LATENT)
    assert text.count("np.exp(") == 1 and "expm1" not in text


def test_a_factor_of_all_terms_comes_after_their_sum():
    text = written(GAMMA)
    assert "loss = a * np.sum(t_1 + eta)" in text and "a * (1 - t_1)" in text
    assert "np.sum(q ** 2 - " in written(POTENTIAL)


def test_no_array_is_made_to_turn_a_sign():
    assert "-d" not in written(LIFETIMES)
    assert "-u @" not in written(CORRELATION)


def test_a_square_is_divided_before_it_is_taken():
    for accurate in (False, True):
        text = written(NORMAL, accurate=accurate)
        assert "(x - m) / s" in text and text.count("x - m") == 1
        assert "m - x" not in text and text.count(" ** 2") <= 2


def test_a_number_needs_no_where():
    text = written(CORRELATION)
    assert "np.where" not in text and " or 1)" in text
    assert text.count("u @ v") == 1


def test_what_is_turned_twice_is_not_turned():
    assert code(RISK).count("[::-1]") == 2


def test_soft_labels_are_made_once():
    text = written(SMOOTHED)
    assert text.count("(1 - e) * y") == 1 and "e * K" not in text


@pytest.mark.parametrize("text", [CONTRAST, SMOOTHED, TRANSPORT], ids=range(3))
def test_softmax_takes_no_second_exponential(text):
    for accurate in (False, True):
        assert written(text, accurate=accurate).count("np.exp(") == 1
    assert "softmax(" not in written(text).replace("log_softmax(X", "")


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("op", ["logsumexp", "log_softmax"])
def test_infinite_scores_are_no_trouble(style, op):
    text = f"S: param[N, M]; G: data[N, M]\nL = {op}(S, axis=1)\nloss = sum(exp(S - S))"
    text = text.replace("exp(S - S)", "G[:, 0]*L" if op == "logsumexp" else "where(G > 0, G*L, 0)")
    S = np.array([[0.0, -np.inf, 1.0], [-800.0, 800.0, 0.0]])
    G = np.array([[1.0, 0.0, 1.0], [1.0, 2.0, 3.0]])
    value, grads = sg.compile(text, style=style)(S=S, G=G)
    assert np.isfinite(value) and np.isfinite(grads["S"]).all()
    if op == "logsumexp":
        whole = np.full((1, 3), -np.inf)
        value, grads = sg.compile(text, style=style)(S=whole, G=np.ones((1, 3)))
        assert value == -np.inf and (grads["S"] == 0).all()


def test_secants_share_their_function():
    text = written(CURVE)
    assert text.count("np.expm1(") == 1 and "np.where" not in text
    f = sg.compile(CURVE, style="readable")
    t, h = np.array([1e-300, 1e-9, 0.2, 3.0]), 1e-5
    at = {"t": t, "y": np.zeros(4), "a": 1.0, "b": 2.0}
    up, down = (f(l=1 + step, **at)[0] for step in (h, -h))
    assert f(l=1.0, **at)[1]["l"] == pytest.approx((up - down) / (2 * h), rel=1e-7)


def test_a_label_counts_at_its_place():
    text = written(PROTOTYPES)
    assert "minus_one_hot(" in text and "==" not in text


def test_slopes_take_the_quotients_of_the_value():
    text = written(SCORES)
    assert text.count(" / ") <= 4


def test_a_constant_meets_the_number_beside_it():
    assert "(2 * U)" not in written(RIDGE, accurate=True)


def test_a_case_is_made_once():
    text = written(EVENTS)
    assert text.count("np.exp(") == 1 and "np.vecdot(" in text


def test_rows_that_are_repeated_are_no_array():
    text = written(CRITIC)
    assert "np.outer" not in text and "v / N" in text


def test_softplus_of_both_signs_has_one_logarithm():
    text = written(FOCAL)
    assert text.count("np.log1p(") == 1 and "softplus(" not in code(FOCAL)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_stack_of_numbers_is_numbers(style):
    text = sg.compile(VOLATILITY, style=style).program
    assert "np.stack" not in text and "y[:4].tolist()" in text
    whole = VOLATILITY.replace("y[0]", "sum(cumsum(y))")  # a vector that is needed whole
    assert "y[:4].tolist()" not in sg.compile(whole, style=style).program
