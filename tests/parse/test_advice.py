"""What NumPy, PyTorch, MATLAB and the blackboard write is answered with what can be typed here.

The part of a hint that is to be typed is read with the same declarations: it has to be accepted.
"""

import math
import warnings

import numpy as np
import pytest

import symgrad as sg

DECLARED = (
    "x: real[N]; u: real[N]; q: real[3]; r: real[3]; f: real[M]; p: real[N]; t: real[N]\n"
    "X: data[N, D]; W: param[D, H]; A: real[K, K]; B: real[N, D, H]; S: real[N, C]\n"
    "y: labels[N, C]; o: onehot[N, C]; w: real[C]; z: real; s: real[5]\n"
)
ADVICE = [
    # what is typed, and what its hint says to type
    ("norm(x, 1)", "sum(abs(x))"), ("norm(x, 2)", "norm(x)"), ("norm(X, 'fro')", "norm(X)"),
    ("norm(x, ord=1)", "sum(abs(x))"), ("norm(x, inf)", "max(abs(x))"),
    ("norm(x, -inf)", "min(abs(x))"), ("norm(x, p=3)", "sum(abs(x)**3)**(1/3)"),
    ("norm(2*x + u, 1)", "sum(abs(2*x + u))"), ("norm(z, 1)", "abs(z)"),
    ("norm(X, ord=1)", "max(sum(abs(X), axis=0))"), ("norm(X, inf)", "max(sum(abs(X), axis=1))"),
    ("norm(X, 2)", "norm(X)"), ("norm(X, ord=1, axis=1)", "sum(abs(X), axis=1)"),
    ("norm(X, p=2, dim=1)", "norm(X, axis=1)"), ("norm(X[0], 1)", "sum(abs(X[0]))"),
    ("np.linalg.norm(x, 1)", "sum(abs(x))"), ("x.norm(p=1)", "sum(abs(x))"),
    ("sum(norm(X[i], 1) for i in N)", "sum(abs(X[i]))"),
    ("A^-1", "inv(A)"), ("A^(-1)", "inv(A)"), ("A^2", "A @ A"), ("A^T", "A.T"), ("X^-1", "X**-1"),
    ("(X.T @ X)^-1 @ X.T", "inv(X.T @ X)"), ("x^-1", "x**-1"), ("x[3]^2", "x[3]**2"),
    ("2*sin(z)^(-1)", "sin(z)**(-1)"),
    ("arctan2(x, u)", "arctan(x/u)"), ("np.arctan2(x, u)", "arctan(x/u)"),
    ("cbrt(x)", "sign(x)*abs(x)**(1/3)"), ("erfc(x)", "1 - erf(x)"), ("Phi(x)", "normal_cdf(x)"),
    ("arctanh(x)", "(log1p(x) - log1p(-x))/2"), ("atanh(x)", "(log1p(x) - log1p(-x))/2"),
    ("acosh(x)", "log(x + sqrt(x**2 - 1))"), ("coth(x)", "1/tanh(x)"), ("sech(x)", "1/cosh(x)"),
    ("slogdet(A)[1]", "logdet(A)"), ("np.linalg.slogdet(A)[1]", "logdet(A)"),
    ("logit(p)", "log(p/(1 - p))"), ("logit(2*p)", "log((2*p)/(1 - (2*p)))"),
    ("hypot(x + 1, u)", "sqrt((x + 1)**2 + u**2)"), ("log10(x + 1)", "log(x + 1)/log(10)"),
    ("ceil(x)", "-floor(-x)"), ("round(x)", "floor(x + 0.5)"),
    ("trunc(x)", "sign(x)*floor(abs(x))"),
    ("A.var(ddof=1)", "sum((A - mean(A))**2)/(K*K - 1)"),
    ("var(x, ddof=1)", "sum((x - mean(x))**2)/(N - 1)"),
    ("x.var(unbiased=True)", "sum((x - mean(x))**2)/(N - 1)"),
    ("std(s, ddof=1)", "sqrt(sum((s - mean(s))**2)/(5 - 1))"),
    ("var(X, axis=0, ddof=1)", "var(X, axis=0)*N/(N - 1)"), ("var(x, ddof=0)", "var(x)"),
    ("X.std(axis=1, ddof=1)", "std(X, axis=1)*sqrt(D/(D - 1))"),
    ("B.transpose(0, 2, 1)", "transpose(B, (0, 2, 1))"),
    ("B.permute(2, 0, 1)", "transpose(B, (2, 0, 1))"),
    ("B.transpose(1, 2)", "transpose(B, (0, 2, 1))"),
    ("transpose(X, 0, 1)", "X.T"), ("np.transpose(B, axes=(0, 2, 1))", "transpose(B, (0, 2, 1))"),
    ("np.swapaxes(B, 0, -1)", "transpose(B, (2, 1, 0))"), ("x.reshape(N, 1)", "reshape(x, (N, 1))"),
    ("X W", "X @ W"), ("relu(X W)", "X @ W"), ("X W + 1", "X @ W"), ("x X", "x @ X"),
    ("X X.T", "X @ X.T"), ("x u", "x @ u"), ("X S", "X.T @ S"), ("z x", "z*x"), ("A A", "A @ A"),
    ("sum_{i} x_i", "sum(x[i] for i in N)"), ("sum_{i=1}^{N} x_i", "sum(x[i] for i in N)"),
    ("2*sum_i s_i", "sum(s[i] for i in 5)"), (r"\sum_{j=1}^n w_j", "sum(w[j] for j in C)"),
    ("layer_norm(X, (D,))", "layer_norm(X)"), ("F.layer_norm(X, (D,))", "layer_norm(X)"),
    ("clip(x, 0)", "max(x, 0)"), ("clip(x, None, 1)", "min(x, 1)"), ("x.clamp(min=0)", "max(x, 0)"),
    ("np.clip(x, 0, None)", "max(x, 0)"), ("clamp(x, 0, 1)", "clip(x, 0, 1)"),
    ("clip(x, a_min=0, a_max=1)", "clip(x, 0, 1)"), ("max([x, u])", "max(x, u)"),
    ("sum((x, u))", "sum(stack((x, u)))"), ("np.exp(np.log(x))", "exp(log(x))"),
    ("f[K-1]", "f[K-1:K][0]"), ("S[0, y]", "S[0, :]"),
    ("all(x > 0)", "min(where(x > 0, 1, 0))"), ("any(x > 0)", "max(where(x > 0, 1, 0))"),
    ("ravel(X)", "reshape(X, (-1,))"), ("X.ravel()", "reshape(X, (-1,))"),
    ("pinv(X)", "inv(X.T @ X) @ X.T"), ("lstsq(X, x)", "solve(X.T @ X, X.T @ x)"),
    ("matrix_power(A, 3)", "A @ A @ A"), ("matrix_power(A, -1)", "inv(A)"),
    ("cat((x, u))", "concatenate((x, u))"), ("sum(x_i for i in N)", "x[i]"),
    ("mse(p, t, weight=u)", "mean(u*mse(p, t, reduction='none'))"),
    ("bce(p, t, weight=u, reduction='sum')", "sum(u*bce(p, t, reduction='none'))"),
    ("cross_entropy(S, y, weight=w)", "sum(w[y]*cross_entropy(S, y, reduction='none'))/sum(w[y])"),
    ("cross_entropy(S, o, weight=w)", "-mean(o*log_softmax(S) @ w)"),
    ("cross_entropy(S, y, label_smoothing=0.1)",
     "(1 - 0.1)*cross_entropy(S, y) - 0.1*mean(log_softmax(S))"),
    ("bce(p, t, label_smoothing=0.1)", "bce(p, (1 - 0.1)*t + 0.1/2)"),
    ("cross_entropy(S, y, ignore_index=0)",
     "sum((y != 0)*cross_entropy(S, y, reduction='none'))/sum(y != 0)"),
    ("bce_with_logits(p, t, pos_weight=3)", "mean(3*t*softplus(-p) + (1 - t)*softplus(p))"),
    ("bce(p, t, from_logits=True)", "bce_with_logits(p, t)"),
]  # fmt: skip


def refused(text: str) -> sg.SymgradError:
    with warnings.catch_warnings():
        warnings.simplefilter("error", sg.SymgradWarning)
        with pytest.raises(sg.SymgradError) as caught:
            sg.parse(text)
    return caught.value


@pytest.mark.parametrize(("typed", "instead"), ADVICE, ids=[a[0] for a in ADVICE])
def test_a_hint_can_be_typed(typed: str, instead: str) -> None:
    hint = refused(DECLARED + typed).hint
    assert instead in hint and "activation" not in hint
    inner = "[i]" in instead and " for " not in instead
    sg.parse(DECLARED + (f"sum({instead} for i in N)" if inner else instead))


@pytest.mark.parametrize(("typed", "declaration", "instead"), [
    ("dropout(X, 0.5)", "mask: binary[N, D]", "X*mask/0.5"),
    ("dropout(x, p=0.2)", "mask: binary[N]", "x*mask/0.8"),
    ("F.dropout(x + 1, 0.1)", "mask: binary[N]", "(x + 1)*mask/0.9"),
    ("one_hot(y, C)", "y: onehot[N, C]", "y"), ("phi(x)", "phi: function", "phi(x)"),
    ("sum_{i} v_i", "v: real[N]", "sum(v[i] for i in N)"),
    ("sum(g[i] for i in n)", "x: real[n]", "x"),
])  # fmt: skip
def test_a_hint_that_declares_can_be_typed(typed: str, declaration: str, instead: str) -> None:
    hint = refused(typed if "g[" in typed else DECLARED + typed).hint
    assert declaration in hint and instead in hint
    name = declaration.split(":")[0]
    lines = [part for part in DECLARED.replace("\n", ";").split(";") if part]
    others = [part for part in lines if part.split(":")[0].strip() != name]
    sg.parse("\n".join([*(o.strip() for o in others), declaration, instead]))


ALIKE = ("sort", "expm", "svd", "median", "eigvals", "cholesky", "topk", "tile", "repeat", "kron",
         "gather", "cross", "cov", "cumprod")  # fmt: skip


@pytest.mark.parametrize("name", ALIKE)
def test_nothing_is_offered_that_only_looks_alike(name: str) -> None:
    hint = refused(f"{DECLARED}{name}(A)").hint
    assert "did you mean" not in hint and "activation" not in hint
    assert "the language" in hint or hint.startswith("write ")
    assert "did you mean 'tanh'" in refused("tahn(x)").hint


def test_templates_of_several_names_can_be_typed() -> None:
    at = "Q: real[N, D]; V: real[N, D]; a: real[3]; b: real[3]; A: real[N, N]; S: real[N, C]\n"
    at += "y: labels[N, C]; X: data[N, D]; F: real[K, L]\n"
    for name, typed in [
        ("cross", "stack((a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]))"),
        ("gather", "S[arange(N), y]"),
    ]:  # fmt: skip
        assert typed in refused(f"{name}(h, g)").hint
        sg.parse(at + typed)
    assert "Z = X - mean(X, axis=0)" in refused("cov(X)").hint
    sg.parse(at + "Z = X - mean(X, axis=0)\nZ.T @ Z/N")
    sg.parse(at + "reshape(einsum('ij,kl->ikjl', X, F), (N*K, D*L))")


def value(text: str, **at: object) -> float:
    return float(sg.backprop(text, at).value)


def test_the_advice_has_the_value_that_is_meant() -> None:
    for z in (-8.0, -0.3, 2.0):
        assert value("sign(z)*abs(z)**(1/3)", z=z) == pytest.approx(
            math.copysign(abs(z) ** (1 / 3), z)
        )
    assert value("(log1p(z) - log1p(-z))/2", z=0.3) == pytest.approx(math.atanh(0.3), rel=1e-15)
    assert value("log(z + sqrt(z**2 - 1))", z=3.0) == pytest.approx(math.acosh(3.0))
    rng = np.random.default_rng(0)
    s, y, w = rng.normal(size=(4, 3)), np.array([0, 2, 1, 2]), np.array([1.0, 2.0, 0.5])
    logs = s - np.log(np.exp(s).sum(1, keepdims=True))
    smooth = 0.9 * np.eye(3)[y] + 0.1 / 3
    at = {"S": s, "y": y, "w": w}
    head = "S: real[N, C]; y: labels[N, C]; w: real[C]\n"
    assert value(f"{head}(1 - 0.1)*cross_entropy(S, y) - 0.1*mean(log_softmax(S)) + 0*sum(w)",
                 **at) == pytest.approx(-(smooth * logs).sum(1).mean())  # fmt: skip
    each = -logs[np.arange(4), y]
    typed = "sum(w[y]*cross_entropy(S, y, reduction='none'))/sum(w[y])"
    assert value(head + typed, **at) == pytest.approx((w[y] * each).sum() / w[y].sum())


def warned(text: str) -> str:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        sg.parse(DECLARED + text)
    return " ".join(str(f.message) for f in found)


def test_what_is_read_and_seldom_meant_is_warned_of() -> None:
    assert "line 4: norm(X, 1) is a norm along axis 1" in warned("norm(X, 1)")
    assert "sum(abs(X))" in warned("norm(X, 1)") and "sum(x != 0)" in warned("norm(x, 0)")
    assert "write inv(A) for the inverse, 1/A" in warned("sum(A**-1)")
    assert "inv(A)" in warned("h = A*2\nA**-1")
    for text in ("norm(X, axis=1)", "norm(X, 0)", "norm(X, -1)", "norm(x)", "norm(X, (0, 1))",
                 "norm(x, axis=0)", "norm(x, None)", "1/A", "A**2", "x**-1", "X**-1", "inv(A)",
                 "sum(A[i, j]**-1 for i in K for j in K)", "A**-2"):  # fmt: skip
        assert not warned(text), text


def test_a_loss_has_the_name_that_it_has_in_pytorch() -> None:
    for text in ("binary_cross_entropy_with_logits(p, t)", "bce_with_logits(p, t)"):
        assert sg.parse(DECLARED + text).output.op == "bce_with_logits"
    hint = refused(DECLARED + "F.binary_cross_entropy_with_logits(p, t)").hint
    assert hint == "write binary_cross_entropy_with_logits(p, t)"


@pytest.mark.parametrize(("typed", "hint"), [
    ("x: real[N]\nsum(x[i] for i in enumerate(x))", "for i in N  or  for i in range(1, N)"),
    ("sum(x[i] for i in range(N-1))", "a dimension is declared with an input:  x: real[N]"),
    ("sum(x[i] for i in n)", "a dimension is declared with an input:  x: real[n]"),
    ("x: real[N]\nsum(x[i] for i in n)", "dimensions: N"),
])  # fmt: skip
def test_a_range_names_the_dimensions_or_says_how_one_is_declared(typed: str, hint: str) -> None:
    said = refused(typed).hint
    assert hint in said and "none is" not in said


def test_an_entry_is_not_taken_for_a_number_of_its_own() -> None:
    assert "write X[i, j]" in refused(DECLARED + "mean(X_ij for i in N for j in D)").hint
    assert "write X[i, j]" in refused(DECLARED + "L[i, j] = X_i_j").hint
    for text in ("sum(x_0*x[i] for i in N)", "sum(z_i*x[i] for i in N)", "x_i = 2; sum(x_i*x[i] "
                 "for i in N)", "x_i: real; sum(x_i*x[i] for i in N)", "x_i*sum(x)"):  # fmt: skip
        sg.parse(DECLARED + text)
