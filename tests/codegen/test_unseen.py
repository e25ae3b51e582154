"""What unseen programs showed: one exponential, one inverse, one difference, powers as products."""

import re

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_stacks_and_sums import inputs

MIXTURE = """X: data[N, D]; mu: param[K, D]; a: param[K]
d = sum((X[:, None, :] - mu[None, :, :])**2, 2); -mean(logsumexp(a - d, 1))"""
WEIGHED = "v: data[D]; " + MIXTURE.replace("sum((", "sum(v*(")
HUBER = MIXTURE.replace("sum((", "sum(sqrt(1 + (").replace("**2,", "**2),")  # no distance: a stack
ADDED = MIXTURE.replace("] - mu", "] + mu")
NORMAL = """X: data[N, D]; mu: param[D]; L: param[D, D]; S = L @ L.T + eye(D)
R = X - mu; 0.5*logdet(S) + 0.5*sum(R.T*solve(S, R.T))/N"""
SOLVED = "A: param[D, D]; b: param[D]; sum(solve(A, b/3)**2)"
BOTH = "a: param[N]; b: param[N]; mean(logaddexp(a, b))"
PAIRS = "a: param[N]; b: param[N]; mean(a*softplus(b - a) + softplus(a - b))"
POOLED = "X: data[N, T, D]; A: param[N, T]; v: param[D]; sum(sum(A[:, :, None]*X, axis=1)**2 @ v)"
EXPERTS = 'X: data[N, D]; W: param[K, D, H]; sum(tanh(einsum("nd,kdh->nkh", X, W)))'
POWERS = "x: param[N]; w: param[N]; sum((x + w)**3 + w**4*x**5 + x**6)"
GATED = "X: data[N, D]; W: param[D, H]; sum(gelu_tanh(X @ W)**2)"
PULLS = """x: param[N, D]; W: data[N, N]
sum(W[i,j]*(x[i,d] - x[j,d])**2 for i in N for j in N for d in D)/4"""
STANDARD = """x: param[N, D]; G: data[N, D]; m: param[D]; v: param[D]
sum(G*(x - m)/sqrt(exp(v) + 1))"""
PROGRAMS = [MIXTURE, WEIGHED, HUBER, ADDED, NORMAL, SOLVED, BOTH, PAIRS, POOLED, EXPERTS, POWERS,
            GATED, PULLS, STANDARD]  # fmt: skip
SIZES = {"N": 6, "D": 4, "K": 3, "H": 5, "T": 3}


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("accurate", [False, True])
def test_as_backpropagation_computes(text, style, accurate):
    graph = sg.parse(text)
    as_backpropagation(graph, inputs(graph, SIZES), style=style, accurate=accurate)


def as_backpropagation(graph, at, **options):
    """Compare the value and the slopes of a compiled graph with those of backpropagation."""
    f = sg.compile(graph, **options)
    found = sg.backprop(graph, at)
    value, gradients = f(**at)
    assert value == pytest.approx(float(found.value), rel=1e-11)
    for name in f.wrt:
        scale = np.abs(found.grad[name]).max()
        np.testing.assert_allclose(gradients[name], found.grad[name], atol=1e-10 * scale)


def source(text, **options):
    text = sg.compile(text, **options).program
    return text[text.index("    Returns ") :]


def test_logsumexp_and_its_softmax_share_one_exponential():
    text = source("S: param[N, C]; mean(logsumexp(S, axis=1))")
    assert text.count("exp(tile") == 1 and text.count("np.maximum.reduce(") == 1


def test_the_mixture_subtracts_once():
    assert source(HUBER).count("subtract(X_rows[:, None]") == 1
    assert "subtract(mu[None], X_rows" not in source(HUBER)


def test_a_factor_leaves_a_solution_that_is_there():
    for style in ("readable", "fast"):
        text = source(NORMAL, style=style)  # the inverse serves as the solution
        assert "np.linalg.solve(" not in text and text.count("np.linalg.inv(") == 1
    assert " solve(S, " in source(NORMAL, accurate=True)


EVIDENCE = """X: data[N, D]; y: data[N]; a: param; b: param; A = exp(a)*eye(D) + exp(b)*X.T @ X
m = exp(b)*solve(A, X.T @ y); sum((y - X @ m)**2) + exp(a)*sum(m**2) + logdet(A)"""


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_number_leaves_a_product_of_data(style):
    text = source(EVIDENCE, style=style)
    assert text.count("np.linalg.solve(") == 0 and text.count("np.linalg.inv(") == 1
    assert "@ X.T" not in text and "inv(A).T" not in text  # A is symmetric, X.T @ X is there
    graph = sg.parse(EVIDENCE)
    at = inputs(graph, {"N": 9, "D": 3})
    found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-11)
    for name in "ab":
        assert gradients[name] == pytest.approx(float(found.grad[name]), rel=1e-9)


def test_a_number_stays_in_other_products():
    text = "Q: param[N, D]; K: param[N, D]; c: param; sum(exp((c*Q) @ K.T))"
    found = source(text, style="readable")  # Q @ K.T may be larger
    assert "c * Q @ K.T" in found and found.count("@ K.T") == found.count("np.exp(") == 1
    assert "X.T @ X" in source("X: param[N, D]; c: data; sum(((c*X.T) @ X)**3)", style="readable")


def test_what_is_made_of_symmetric_matrices_entry_by_entry_is_symmetric():
    kernel = "X: data[N, D]; y: data[N]; s: param; K = exp(-s*sum((X[:, None] - X)**2, axis=2))"
    text = source(kernel + "; y @ solve(K + eye(N), y) + logdet(K + eye(N))", style="readable")
    assert ").T" not in text and "solve(" not in text
    typed = kernel.replace("sum((X[:, None] - X)**2, axis=2)", "(q[:, None] + q - 2*X @ X.T)")
    text = source("q: data[N]; " + typed + "; y @ solve(K + eye(N), y)", style="readable")
    assert ").T" not in text and ".T @ y" not in text and text.count("X @ X.T") == 1


def test_logaddexp_is_made_of_cheaper_calls():
    text = "\n".join(line for line in source(BOTH).splitlines() if "# " not in line)
    assert "logaddexp(" not in text and text.count(" log(") == 1 and text.count(" exp(") == 2
    f = sg.compile("a: param[N]; b: param[N]; sum(logaddexp(a, b))")
    inf = np.inf
    a, b = np.array([-inf, 0.0, 800.0, -800.0]), np.array([0.0, -inf, 1.0, -1e308])
    value, gradients = f(a=a, b=b)
    assert value == 0.0
    np.testing.assert_array_equal(gradients["a"], [0, 1, 1, 1])
    np.testing.assert_array_equal(gradients["b"], [1, 0, 0, 0])
    assert f(a=np.array([-inf]), b=np.array([-inf]))[0] == -inf
    assert f(a=np.array([inf]), b=np.array([inf]))[0] == inf


def test_softplus_of_both_signs_share_their_exponential():
    assert source(PAIRS).count("log1p(") == 1


def test_readable_powers_are_products():
    text = source(POWERS, style="readable")
    assert "t_1 * t_1 * t_1" in text and "** 3" not in text and "** 5" not in text
    assert "(w ** 2) ** 2" in text and "x * (x ** 2) ** 2" in text
    assert "** 3" in sg.gradient("x: param[N]; sum(x**4)", "x")["x"].numpy()


def test_the_gate_of_gelu_is_computed_once():
    assert source(GATED, style="readable").count("gelu_gate(") == 2  # and in its comment


def test_readable_sums_of_products_go_to_blas_where_they_are_products_of_matrices():
    assert "np.tensordot(X, W, (1, 1))" in source(EXPERTS, style="readable")
    text = 'X: data[N, D, T]; W: param[K, D]; sum(tanh(einsum("ndt,kd->nkt", X, W)))'
    assert "W @ X" in source(text, style="readable")
    text = 'A: param[N, D]; B: param[N, D]; sum(einsum("nd,nd->n", A, B)**2)'
    assert "tensordot" not in source(text, style="readable")


def test_weighted_rows_are_a_product_of_stacks():
    assert "np.matmul(A[:, None], X" in source(POOLED)


def test_readable_code_makes_a_difference_once_and_no_array_of_products():
    text = source(HUBER, style="readable")
    assert text.count("X[:, None] - mu") == 1 and "mu - X" not in text
    text = source(ADDED, style="readable")
    assert 'np.einsum("abc,abc->ab", t_2, t_2)' in text
    assert 'np.einsum("ab,abc->bc", ' in text
    assert "np.matmul(A[..., None, :], X)[..., 0, :]" in source(POOLED, style="readable")
    text = source("X: data[N, D]; Z: param[K, D]; sum(exp(-sum((X[:, None] - Z)**4, 2)))", wrt=[],
                  style="readable")  # fmt: skip
    assert text.count("X[:, None] - Z") == 1
    assert "np.vdot(x, x)" in source("x: param[N, D]; sum(sum(x**2, 1))", style="readable")


POISSON = (
    """V: data[N, M]; W: param[N, K]; H: param[K, M]; A = exp(W) @ exp(H); sum(A - V*log(A))"""
)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_matrix_of_one_number_is_not_multiplied_by(style):
    text = source(POISSON, style=style)
    assert "np.full(" not in text
    graph = sg.parse(POISSON)
    at = inputs(graph, {"N": 4, "M": 5, "K": 3})
    at["V"] = np.maximum(at["V"], 0)
    found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-11)
    for name in "WH":
        np.testing.assert_allclose(gradients[name], found.grad[name], rtol=1e-9, atol=1e-12)


def test_what_guards_a_logarithm_and_its_slope_is_made_once():
    text = source("V: data[N, M]; A: param[N, M]; sum(V*log(A))", style="readable")
    assert text.count("np.where(V == 0, 1, A)") == 1
    value, gradients = sg.compile("V: data[N]; A: param[N]; sum(V*log(A))", style="readable")(
        V=np.array([0.0, 0, 2, 3]), A=np.array([0.0, -1, 1, 0])
    )
    assert value == -np.inf
    np.testing.assert_array_equal(gradients["A"], [0, 0, 2, np.inf])


OVERLAP = """a: param[N]; b: data[N]; c: data[N]
i = relu(minimum(a, b) - c); u = a + b - i; h = maximum(a, b)
loss = mean(i/u + u/h)"""


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_what_divides_in_any_case_is_not_shielded_in_a_branch(style):
    text = source(OVERLAP, style=style)  # u and h divide in the value too
    assert "u, 1)" not in text and not re.search(r"select\(.*\bc1\b", text)
    at = {"a": np.array([1.0, 3, 2]), "b": np.array([2.0, 1, 4]), "c": np.array([0.5, 2, 3])}
    found, (value, gradients) = sg.backprop(OVERLAP, at), sg.compile(OVERLAP, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-14)
    np.testing.assert_allclose(gradients["a"], found.grad["a"], rtol=1e-13)


def test_what_divides_in_a_branch_only_is_shielded():
    text = "a: param[N]; b: data[N]; mean(where(b > 0, log(a)/b, a)) + mean(log(a))"
    written = source(text, style="readable")
    assert "np.where(M, b, 1)" in written and ", a, 1)" not in written


STREAM = """u: param[H, W]; v: param[H, W]; a: data; e = u*v
sum(e**2) + a*(sum((u[1:] - u[:-1])**2) + sum((v[:, 1:] - v[:, :-1])**2))"""


def test_a_part_that_is_there_is_subtracted():
    text = source(STREAM)
    assert text.count("subtract(grad_") == text.count("add(grad_") == 2 and "buf" not in text
    assert text.count("multiply(") == 6  # u v, 2 e, its products, 2 a times either difference


PINBALL = "X: data[N, D]; y: data[N]; W: param[D, Q]; q: data[Q]; e = y[:, None] - X @ W"


@pytest.mark.parametrize("loss", ["maximum(q*e, (q - 1)*e)", "where(e <= 0, (q - 1)*e, q*e)"])
def test_a_choice_between_q_and_one_less_is_a_difference(loss):
    text = f"{PINBALL}; mean({loss})"
    written = source(text)
    assert "subtract(q, " in written and written.count("select(") == ("where" in loss)
    graph = sg.parse(text)
    at = inputs(graph, {"N": 7, "D": 3, "Q": 4})
    found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-13)
    np.testing.assert_allclose(gradients["W"], found.grad["W"], atol=1e-14)


RANKS = "A: param[N, N]; c: param; r = c*A @ ones_like(A[0]); sum((0.85*A/b @ r)**2)"


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_number_leaves_products_with_vectors(style):
    assert "0.85 / b * t_2" in source(RANKS, style="readable")
    named = source(
        "A: param[N, N]; x: data[N]; c: data; M = c*A; sum((M @ x)**2)", style="readable"
    )
    assert "M = c * A " in named  # a line of the user stays
    graph = sg.parse(RANKS)
    at = inputs(graph, {"N": 5})
    found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-12)
    for name in "Ac":
        np.testing.assert_allclose(gradients[name], found.grad[name], rtol=1e-11)


def test_a_quadratic_form_takes_one_product():
    text = "A: {}[N, N]; x: param[N]; b: data[N]; x @ A @ x/2 - b @ x"
    for style in ("readable", "fast"):
        written = source(text.format("symmetric"), style=style)
        assert written.count("A @ x") + written.count(".dot(x") == 1 and "x @ A" not in written
    written = source("A: data[N, N]; x: param[N]; x @ A @ x", style="readable")
    assert "A.T" not in written and "(A +" not in written  # A + Aᵀ takes longer than A x
    for kind in ("symmetric", "data", "param"):
        graph = sg.parse(text.format(kind))
        at = inputs(graph, {"N": 6})
        at["A"] = at["A"] + at["A"].T
        found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph)(**at)
        assert value == pytest.approx(float(found.value), rel=1e-12)
        for name in gradients:
            np.testing.assert_allclose(gradients[name], found.grad[name], rtol=1e-11, atol=1e-13)


DECAYED = """a: param[N]; b: param; e: data[N]
mean(log(a + 0.9*sigmoid(b)*e) + e/(a + 0.9*sigmoid(b)*e))"""


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_sum_with_decimals_is_taken_where_it_is(style):
    written = source(DECAYED, style="readable")
    assert "10" not in written and "e / t_2 / t_1" in written
    at = {"a": np.array([1.0, 2, 3]), "b": 0.3, "e": np.array([0.5, 2, -1])}
    found, (value, gradients) = sg.backprop(DECAYED, at), sg.compile(DECAYED, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-14)
    for name in "ab":
        np.testing.assert_allclose(gradients[name], found.grad[name], rtol=1e-12)


KERNEL = """D: data[N, M]; a: param[M]; c: param[N]; s: param; y: data[N]
K = exp(-s*D); sum((K @ a - y)**2)/2 - 0.3*(c @ K @ a)"""


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(
    "text", [KERNEL, KERNEL.replace("K = exp(-s*D); ", "").replace("K", "exp(-s*D)")]
)
def test_no_matrix_of_rank_one_is_made_for_a_sum(text, style):
    written = source(text, style=style)
    assert "np.outer(" not in written and "vdot(" not in written
    assert "K = np.exp(" in written or style == "fast" or "K =" not in text
    graph = sg.parse(text)
    at = inputs(graph, {"N": 5, "M": 4})
    found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-12)
    for name in "acs":
        np.testing.assert_allclose(gradients[name], found.grad[name], rtol=1e-10)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_mean_that_is_there_gets_its_axis_back(style):
    text = """A: param[N, D]; B: data[N, D]; m = mean(A, axis=1); c = A - m[:, None]
mean(m**2 + mean(c*B, axis=1) + mean((A - mean(A, axis=1, keepdims=True))**4, axis=1))"""
    written = source(text, style="readable")
    assert written.count("np.mean(A") == 1 and written.count("A - m[:, None]") == 1
    graph = sg.parse(text)
    at = inputs(graph, {"N": 5, "D": 4})
    found, (value, gradients) = sg.backprop(graph, at), sg.compile(graph, style=style)(**at)
    assert value == pytest.approx(float(found.value), rel=1e-12)
    np.testing.assert_allclose(gradients["A"], found.grad["A"], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("text", [PULLS, STANDARD])
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("accurate", [False, True])
def test_no_array_of_one_number_is_made(text, style, accurate):
    program = sg.compile(text, style=style, accurate=accurate).program
    assert "broadcast_to" not in program and "np.full(" not in program


def test_a_likelihood_that_is_there_gives_the_probability() -> None:
    """Of log q = -softplus(-z), q is one exponential; (1 - q)**2 is not taken of q - 1 beside."""
    text = """X: data[N, D]; y: binary[N]; w: param[D]
p = sigmoid(X @ w); q = where(y == 1, p, 1 - p); -mean((1 - q)**2*log(q))"""
    f = sg.compile(text)
    body = f.program.split("def value_and_grad")[1]
    assert len(re.findall(r"\bexp\(", body)) == 2 and "divide(" not in body
    assert len(re.findall(r"subtract\((c1, q|q, c1)", body)) == 1
    rng = np.random.default_rng(0)
    at = {"X": rng.normal(size=(9, 3)), "y": np.arange(9) % 2.0, "w": 30 * rng.normal(size=3)}
    found, expected = f(**at), sg.compile(text, style="readable")(**at)
    assert found[0] == pytest.approx(expected[0])
    assert found[1]["w"] == pytest.approx(expected[1]["w"])
