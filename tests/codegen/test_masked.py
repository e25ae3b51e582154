"""Conditions on pairs of indices: each is asked once, in the cheapest way, and stays finite."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.fast.costs import DEFAULTS
from symgrad.codegen.fast.texts import executed

STYLES = ("readable", "fast")
SNE = """P: data[N, N]
Y: param[N, D]
w[i,j] = 1/(1 + sum((Y[i,k] - Y[j,k])**2 for k in D))
Z = sum(w[i,j] for i in N for j in N if i != j)
loss = -sum(P[i,j]*log(w[i,j]/Z) for i in N for j in N if i != j)"""
COX = """X: data[N, D]; t: data[N]; e: binary[N]; w: param[D]
s = X @ w
loss = -sum(e[i]*(s[i] - log(sum(exp(s[j]) for j in N if t[j] >= t[i]))) for i in N)/N"""
HAWKES = """t: data[N]; mu: param; a: param; b: param
lam[i] = mu + sum(a*b*exp(-b*(t[i] - t[j])) for j in N if j < i)
loss = -sum(log(lam[i]) for i in N)"""
ATTENTION = """Q: param[N, D]; K: param[N, D]; M: binary[N, N]
s = where(M > 0, Q @ K.T, -inf)
sum(softmax(s)**2)"""
rng = np.random.default_rng(0)


def body(text: str, **options: Any) -> str:
    """Give the statements of a module without its comments."""
    program = sg.compile(text, **options).program
    lines = program[program.index("\ndef value") :].splitlines()
    return "\n".join(line.partition("#")[0].rstrip() for line in lines)


def right(text: str, at: dict[str, Any], **options: Any) -> None:
    """Compare both styles with what is computed node by node, and with differences."""
    passes = sg.backprop(text, at)
    assert sg.check(text, at).ok
    for style in STYLES:
        for accurate in (False, True):
            value, grads = sg.compile(text, style=style, accurate=accurate)(**at)
            np.testing.assert_allclose(value, passes.value, rtol=1e-11)
            for name, found in grads.items():
                np.testing.assert_allclose(found, passes.grad[name], rtol=1e-9, atol=1e-11)


def test_what_stays_away_from_zero_is_not_guarded() -> None:
    """1/(1 + d²) is finite on the diagonal too; a number is not made a matrix to be guarded."""
    text = body(SNE, style="readable")
    assert "w = 1 / t_1" in text and "np.where(M, Z" not in text
    assert "np.where(M, np.where(M" not in text and "np.where(P == 0, 1, np.where(M, w, 1))" in text
    right(SNE, {"P": rng.uniform(size=(9, 9)), "Y": rng.normal(size=(9, 3))})


def test_entries_of_the_diagonal_are_set_one_by_one() -> None:
    text = body(SNE, style="fast")
    assert "] = 0\n" in text and "] = 1\n" in text
    assert "not_equal(" not in text and "kept(M" not in text


@pytest.mark.parametrize("style", STYLES)
def test_a_vector_under_a_mask_is_summed_by_a_product(style: str) -> None:
    text = body(COX, style=style)
    assert text.count("row_sums(") == text.count("column_sums(") == 1 and "kept(" not in text
    at = {"X": rng.normal(size=(9, 2)), "t": rng.integers(0, 5, 9).astype(float),
          "e": rng.integers(0, 2, 9).astype(float), "w": rng.normal(size=2)}  # fmt: skip
    right(COX, at)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("axis", [0, 1])
def test_beyond_the_mask_entries_may_be_infinite(style: str, axis: int) -> None:
    x = "x[None, :]" if axis else "x[:, None]"
    text = f"c: binary[N, N]; x: real[N]; sum(where(c > 0, {x}, 0), axis={axis})"
    c, numbers = np.tri(4), np.array([np.inf, 1.0, np.nan, 3.0])
    found = sg.compile(text, wrt=[], style=style)(c=c, x=numbers)[0]
    assert "sums(" in body(text, wrt=[], style=style)
    spread = numbers[None, :] if axis else numbers[:, None]
    np.testing.assert_array_equal(found, np.where(c > 0, spread, 0).sum(axis=axis))


@pytest.mark.parametrize("style", STYLES)
def test_a_large_mask_is_never_a_matrix_of_numbers(style: str) -> None:
    n = 900
    numbers, c = rng.normal(size=n), rng.integers(0, 2, (n, n)).astype(float)
    for axis in (0, 1):
        x = "x[None, :]" if axis else "x[:, None]"
        text = f"c: binary[N, N]; x: real[N]; sum(where(c > 0, {x}, 0), axis={axis})"
        f = sg.compile(text, wrt=[], style=style)
        found = f(c=c, x=numbers)[0]
        np.testing.assert_allclose(found, c @ numbers if axis else numbers @ c, rtol=1e-11)
        tracemalloc.start()
        f(c=c, x=numbers)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 4 * n * n  # bytes; as numbers it would take 8 an entry, beside the mask


@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 1.0])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_number_is_taken_in_few_places_or_in_many(share: float, dtype: str) -> None:
    space = executed(["select"], DEFAULTS, dtype)
    c, b = rng.random(5000) < share, rng.normal(size=5000).astype(dtype)
    b[::9] = np.nan
    out = np.empty_like(b)
    assert space["select"](c, np.array(1, dtype), b, out) is out
    np.testing.assert_array_equal(out, np.where(c, np.array(1, dtype), b))


def test_factors_of_a_row_come_after_its_sum() -> None:
    text = body(HAWKES, style="readable")
    assert text.count("np.where(np.arange(") == 1  # of the kernel; it serves times its times, too
    right(HAWKES, {"t": np.sort(rng.uniform(size=9)), "mu": 0.5, "a": 0.4, "b": 2.0})


def test_a_row_of_nothing_adds_nothing_whatever_its_factor_is() -> None:
    """No j is before the first i: its sum is 0, and so is its slope, although 1/λ is infinite."""
    text = """t: data[N]; a: param; m: data[N]
lam[i] = sum(exp(-(t[i] - t[j])) for j in N if j < i)
L = sum(m[i]/lam[i]*exp(a*(t[i] - t[j])) for i in N for j in N if j < i)"""
    at = {"t": np.sort(rng.uniform(size=5)), "a": 0.3, "m": rng.normal(size=5)}
    for style in STYLES:
        with np.errstate(divide="ignore", invalid="ignore"):
            value, grads = sg.compile(text, style=style)(**at)
        assert np.isfinite(value) and np.isfinite(grads["a"])


@pytest.mark.parametrize("style", STYLES)
def test_a_masked_softmax_has_its_mask_once(style: str) -> None:
    text = body(ATTENTION, style=style)
    assert "* M" not in text and "multiply(tile" not in text.partition("M_rows")[0]
    at = {"Q": rng.normal(size=(5, 3)), "K": rng.normal(size=(5, 3)), "M": np.tri(5)}
    right(ATTENTION, at)


def test_other_masks_of_a_product_stay() -> None:
    text = "x: param[N]; c: binary[N]; m: binary[N]; sum(softmax(where(c > 0, x, -inf))*x*(m > 0))"
    c, m = np.array([1.0, 1, 0, 1, 0, 1]), np.array([1.0, 0, 1, 1, 1, 0])
    at = {"x": rng.normal(size=6), "c": c, "m": m}
    right(text, at)


def test_rows_under_other_rows_are_the_same_condition_however_they_are_typed() -> None:
    text = """t: data[N]; s: param[N]
sum(log(sum(where(t[None, :] >= t[:, None], exp(s)[None, :], 0), axis=1)))"""
    assert body(text, style="readable").count(">= t") == 1


EVIDENCE = """X: data[N, D]; y: data[N]; a: param; s: param
K = a*X @ X.T + s*eye(N)
0.5*(y @ inv(K) @ y) + 0.5*logdet(K)"""


def test_a_matrix_of_one_column_is_multiplied_as_a_column() -> None:
    text = body(EVIDENCE, style="readable")
    assert "t_1 = t_3 @ y" in text and "np.outer(t_1, " in text and "@ np.outer" not in text
    right(EVIDENCE, {"X": rng.normal(size=(6, 2)), "y": rng.normal(size=6), "a": 0.7, "s": 0.5})


def test_numbers_go_to_the_smallest_factor_of_a_product_of_three() -> None:
    text = """X: data[N, D]; y: data[N]; G: param[D, K]; W: param[D, K]
p = softmax(X @ G)
mean((sum(p*tanh(X @ W), axis=1) - y)**2)"""
    assert "p * t_3[:, None] * (1 - t_1 ** 2)" in body(text, style="readable")
    text = "A: param[N, D]; P: param[N, D]; mean(relu(1 - sum((A - P)**2, axis=1)))"
    assert "= 2 * (" not in body(text, style="readable")


def test_the_logarithm_of_a_number_is_taken_once() -> None:
    text = "e: binary[N]; x: data[N]; k: param; mean(e*log(k) - k*x)"
    code = body(text, style="readable")
    assert "number_log(k)" in code and "np.log(" not in code
    right(text, {"e": np.array([1.0, 0, 1]), "x": np.array([0.5, 1.5, 2.0]), "k": 1.3})
    for style in STYLES:  # 0 log 0 everywhere
        value, _ = sg.compile(text, style=style)(e=np.zeros(3), x=np.ones(3), k=0.0)
        assert value == 0


def test_a_shared_product_is_not_made_again_for_its_sum() -> None:
    text = """X: data[N, D]; T: data[N, K]; W: param[D, K]; b: param[K]
y = relu(X @ W + b)
mean((y - T)**2)"""
    assert "np.where" not in body(text, style="readable")


def test_a_wave_and_its_slope_take_the_same_operand() -> None:
    text = "x: data[N]; p: param; l: param; sum(exp(-2*sin(pi*(x[:, None] - x)/p)**2/l**2)**2)"
    assert body(text, style="readable").count("np.sin(") == 1
    right(text, {"x": rng.uniform(size=5), "p": 0.7, "l": 1.2})


def test_multiples_of_rows_are_added_up_before_they_are_scaled() -> None:
    text = """s: param[N]; y: data[N]
sum(max(0, 1 - (s[i] - s[j])) for i in N for j in N if y[i] > y[j])/N"""
    code = body(text, style="readable")
    assert "np.sum(M, axis=0) / N - np.sum(M, axis=1) / N" in code
    right(text, {"s": rng.normal(size=7), "y": rng.integers(0, 3, 7).astype(float)})


@pytest.mark.parametrize("accurate", [False, True])
def test_rows_are_divided_by_their_lengths_as_numbers(accurate: bool) -> None:
    text = "A: param[N, D]; w: data[N]; sum(relu(norm(A, axis=1) - w)**2)"
    code = body(text, style="readable", accurate=accurate)
    assert "np.where(t_1 == 0, 1, t_1)" in code
    at = {"A": rng.normal(size=(5, 3)), "w": rng.uniform(size=5)}
    at["A"][2] = 0
    assert sg.compile(text)(**at)[1]["A"][2].tolist() == [0, 0, 0]
    right(text, {**at, "A": rng.normal(size=(5, 3))})


def test_two_conditions_are_one_table_of_bits() -> None:
    text = """x: param[N]; y: labels[N, C]
s[i,j] = x[i]*x[j]
w[i] = sum(exp(s[i,j]) for j in N if i != j)
-sum(s[i,j] - log(w[i]) for i in N for j in N if y[i] == y[j] if j != i)"""
    code = body(text, style="readable")
    assert code.count("!= np.arange(N)") == 1
    assert "np.float64) * M" not in code
    right(text, {"x": rng.normal(size=6), "y": rng.integers(0, 2, 6)})


HEADS = """X: data[B, T, D]; W: param[H, D, E]; V: param[H, D, E]; M: binary[T, T]
q = einsum("btd,hde->bhte", X, W)
P = softmax(where(M > 0, einsum("bhte,bhse->bhts", q, q), -inf))
sum(einsum("bhts,bhse->bhte", P, einsum("btd,hde->bhte", X, V))**2)"""


@pytest.mark.parametrize("accurate", [False, True])
def test_einsums_of_two_are_products_of_matrices(accurate: bool) -> None:
    code = body(HEADS, style="readable", accurate=accurate)
    assert "einsum" not in code and "P @ " in code and "* M" not in code
    assert "np.transpose(np.transpose(q, (0, 1, 3, 2)), " not in code
    at = {"X": rng.normal(size=(2, 3, 4)), "W": rng.normal(size=(2, 4, 3)),
          "V": rng.normal(size=(2, 4, 3)), "M": np.tri(3)}  # fmt: skip
    right(HEADS, at)


def test_what_stands_below_two_uses_of_one_transpose_is_made_once() -> None:
    text = """A: param[N, M]; B: param[N, K]; C: param[K, M]; u: data[K, N]
E = tanh(A.T @ B)
sum((E @ u)**2) + sum(E.T*C)"""
    code = body(text, style="readable")
    assert code.count("np.tanh(") == 1 and code.count("A.T @ B") == 1


@pytest.mark.parametrize(
    "words",
    [
        "abij,abjk->abik",
        "baij,abjk->abik",
        "aij,akj->aki",
        "aij,jb->aib",
        "aij,jkb->akib",
        "ij,kjb->kib",
        "aij,aij->a",
        "aij,ajk->ik",
    ],
)
def test_stacks_of_products_are_right(words: str) -> None:
    sizes = {"a": 2, "b": 3, "i": 4, "j": 5, "k": 6}
    one, two = (w for w in words.split("->")[0].split(","))
    shapes = [tuple(sizes[c] for c in w) for w in (one, two)]
    declared = [", ".join(c.upper() for c in w) for w in (one, two)]
    text = f'x: param[{declared[0]}]; y: param[{declared[1]}]; sum(einsum("{words}", x, y)**3)'
    right(text, dict(zip("xy", (rng.normal(size=s) for s in shapes), strict=True)))


# What a condition leaves out fails in a slope that is added up before, or multiplied as a matrix.
ADDED = [
    "S[l, k] = where(b[k] > 0, b[k]**1.5, c[l]); mean(S)",
    "S[k, l] = where(b[k] > 0, b[k]**1.5, c[l]); sum(tanh(S))",
    "S[l] = sum(b[i]**1.5*c[l] for i in N if b[i] > 0); sum(tanh(S))",
    "S[l] = sum(b[i]*log(b[i])*c[l] for i in N if b[i] > 0 if b[i] < 1); sum(tanh(S))",
    "S[l] = sum(a*log(b[i])*c[l] for i in N if b[i] > 0); sum(tanh(S))",
    "S[l, k] = where(b[k] > 0.2, log(b[k])**2, c[l]); logsumexp(S)",
    "S[l, k, m] = where(b[k] > 0.2, sqrt(b[k])*c[m], c[l]); sum(tanh(S))",
    "S[l] = where(a > abs(c[l]), log(a)**2, 0); sum(tanh(S)*b)",
    "S[l, k] = where(b[k] > 0, b[k]**1.5, c[l])*where(b[k] >= 0.2, b[k], 0); mean(S)",
    "S[i] = tanh(sum(log((b[i]**2 - b[j]**2)**2) for j in N if i > j)/9) + c[i]; mean(S)",
    "S[i] = where(b[i] > 0, b[i], where(b[i] < -1, 2, sqrt(-b[i]))); logsumexp(S)",
]


@pytest.mark.parametrize("text", ADDED, ids=range(len(ADDED)))
@pytest.mark.parametrize("how", [{}, {"style": "readable"}, {"accurate": True}])
def test_slopes_of_what_is_left_out_are_0_after_sums(text, how):
    f = sg.compile(f"a: param; b: param[N]; c: param[N]; {text}", **how)
    at = {"a": -0.4, "b": np.array([0.6, -1.5, -0.3, 1.4]), "c": np.array([0.3, -0.7, 1.1, 0.5])}
    _, gradients = f(**at)
    product = f.hvp({n: np.ones_like(at[n]) for n in f.wrt}, **at)
    for name, gradient in gradients.items():
        assert np.isfinite(product[name]).all()
        for k in np.ndindex(np.shape(at[name])):
            step = np.zeros_like(at[name])
            step[k] = 1e-6
            up, down = (f(**at | {name: at[name] + h})[0] for h in (step, -step))
            assert np.asarray(gradient)[k] == pytest.approx((up - down) / 2e-6, abs=1e-6)
