"""Code for losses of practice is what an engineer writes: no guard, no branch, no pass in vain."""

import numpy as np
import pytest

import symgrad as sg

DISTANCES = (
    "X: data[N, D]; t: data[N]; C: param[M, D]; s: param[M]; w: param[M]\n"
    "d2 = sum(X**2, axis=1)[:, None] + sum(C**2, axis=1) - 2*X @ C.T\n"
    "phi = exp(-exp(s)*d2)\nloss = mse(phi @ w, t)"
)
MACHINE = (
    "X: data[N, D]; V: param[D, K]; y: data[N]\n"
    "f = sum((X @ V)**2 - X**2 @ V**2, axis=1)/2\nloss = mse(f, y)"
)
RISK = "X: data[N, D]; w: param[D]\neta = X @ w\nm = max(eta)\nloss = sum(cumsum(exp(eta - m)))"
BOTH_WAYS = "S: param[N, N]\nloss = mean(logsumexp(S, axis=1)) + mean(logsumexp(S, axis=0))"
HUBER = "X: data[N, D]; y: data[N]; w: param[D]\nloss = huber(X @ w, y, 1.5)"
LIFETIMES = "t: positive[N]; a: param; z: data[N]\nk = exp(a)\nloss = sum(k*log(t) - z*t**k)"
ABILITIES = (
    "p: labels[N, P]; q: labels[N, Q]; t: binary[N]; theta: param[P]; a: param[Q]; b: param[Q]\n"
    "z = exp(a[q])*(theta[p] - b[q])\nloss = bce_with_logits(z, t)"
)
PARTS = (
    "V: positive[M, N]; A: param[M, K]; B: param[K, N]\nW = softplus(A); H = softplus(B)\n"
    "P = W @ H\nloss = sum(V*log(V/P) - V + P)"
)
QUANTILES = "y: data[N]; p: param[N]; q: data\nr = y - p\nloss = mean(max(q*r, (q - 1)*r))"
TRILINEAR = "A: param[N, K]; B: param[K, M]; C: param[M, N]\nloss = trace(A @ B @ C)"
CONTRAST = (
    "A: data[N, D]; B: data[N, D]; W: param[D, K]; y: data[N]\nE = A @ W - B @ W\n"
    "d = sum(E**2, axis=1)\nloss = mean(y*d + (1 - y)*relu(1 - d))"
)
TRANSPORT = (
    "C: param[N, M]; a: data[N]; e: data\nf = a - e*logsumexp(-C/e, axis=1)\n"
    "g = -e*logsumexp((f[:, None] - C)/e, axis=0)\n"
    "loss = sum(exp((f[:, None] + g - C)/e)*C)"
)
DIVERGENCE = (
    "V: positive[N, M]; W: param[N, K]; H: param[K, M]\nR = V/(W @ H)\nloss = sum(R - log(R) - 1)"
)
POLICY = (
    "lp: param[N]; lq: data[N]; A: data[N]\nr = exp(lp - lq)\n"
    "loss = -mean(minimum(r*A, clip(r, 0.8, 1.2)*A))"
)
SPREADS = (
    "X: param[B, P]; u: data[B]\nm = mean(X, axis=1)\nv = var(X, axis=1)\n"
    "loss = sum(u*v/(m**2 + v + 1))"
)
NORMAL = "x: data[N]; mu: param; ls: param\nz = (x - mu)/exp(ls)\nloss = sum(ls + z**2/2)"
RATIO = "R: data[T, D]; w: param[D]\nr = R @ w\nloss = -mean(r)/std(r)"
ATOMS = "r: positive[N]; e: data\nloss = sum(4*e*(1/r**12 - 1/r**6))"
SMOOTH = "x: param[N]; lam: param\nloss = sum(lam*sqrt(x**2 + 0.01))"


def written(text: str) -> str:
    """Give the function of the readable module, of a program whose gradients are right."""
    assert sg.check(text)
    return sg.compile(text, style="readable").program.split('    """\n')[-1]


@pytest.mark.parametrize(
    ("text", "there", "not_there"),
    [
        (DISTANCES, "phi = np.exp(-t_1 * d2)", "np.exp(t_"),  # a definition opens no operand
        (MACHINE, "@ np.vecdot(V, V)", "np.broadcast_to"),
        (RISK, "(np.arange(N) == np.argmax(eta))", "np.where"),
        (BOTH_WAYS, "np.exp(S - ", "softmax("),
        (HUBER, "np.clip(", "np.where"),
        (LIFETIMES, "np.log(t)", "np.where"),
        (SMOOTH, "lam", "np.where"),
        (ABILITIES, "np.log1p(np.exp(-np.abs(z)))", "softplus("),  # z is not opened
        (PARTS, "np.log(V / P)", "np.where"),
        (DIVERGENCE, "(1 - R) / t_1", "grad_R"),
        (POLICY, "-1 / N * t_1", "* A *"),
        (SPREADS, "v = np.vecdot(", "np.var("),
        (NORMAL, "N * ls + t_2 / 2", "np.sum(ls"),
        (RATIO, "np.sqrt(", "np.std("),
        (ATOMS, "((r * r * r) ** 2) ** 2", "r ** 12"),
        (QUANTILES, "((r <= 0) - q) / N", "np.where"),
        (TRILINEAR, "np.vdot(t_1, C.T)", "np.trace"),
        (CONTRAST, "E = t_1 @ W", "A @ W"),
        (TRANSPORT, "np.sum(delta, axis=1) - np.sum(t_", "axis=(1,)"),
    ],
)
def test_readable(text: str, there: str, not_there: str) -> None:
    body = written(text)
    assert there in body
    assert not_there not in body


def test_accurate_logsumexp_and_its_slope_share_exponentials() -> None:
    text = "S: param[N, C]; a: data[N]\nloss = sum(a*logsumexp(S, axis=1))"
    f = sg.compile(text, style="readable", accurate=True)
    assert f.program.count("np.exp(") == 1
    S = np.array([[1e3, 999, 0], [-np.inf, 2, 2], [-50, 0, 0.5]])
    for rows in (S, np.vstack([S, np.full(3, -np.inf)])):
        a = np.arange(1.0, 1 + len(rows))
        value, grads = f(S=rows, a=a)
        top = np.maximum(rows.max(axis=1), -1e300)
        e = np.exp(rows - top[:, None])
        total = np.maximum(e.sum(axis=1), 1)
        logs = rows.max(axis=1) + np.log(total)
        np.testing.assert_allclose(value, np.sum(a * logs), rtol=1e-15)
        np.testing.assert_allclose(grads["S"], a[:, None] * e / total[:, None], rtol=1e-15)


@pytest.mark.parametrize("accurate", [False, True])
def test_constants_do_not_widen_single_precision(accurate: bool) -> None:
    text = "X: data[N, D]; w: param[D]\nmean((X @ w)**2) + D/2*log(2*pi)*sum(w)"
    f = sg.compile(text, style="readable", dtype="float32", accurate=accurate)
    value, grads = f(X=np.ones((3, 2), np.float32), w=np.ones(2, np.float32))
    assert value.dtype == grads["w"].dtype == np.float32


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_recursion_of_exponentials_is_linear(style: str) -> None:
    """Its logarithms are written as sums of exponentials for some steps, not for all."""

    def length(steps: int) -> int:
        text = "y: data[T]\nq: param; r: param\nQ = exp(q); R = exp(r)\nm = 0; P = 1; loss = 0\n"
        for i in range(steps):
            text += f"F = P + R; e = y[{i}] - m\nloss = loss + (log(F) + e**2/F)/2\n"
            text += "k = P/F; m = m + k*e; P = R*k + Q\n"
        return len(sg.compile(text + "loss", style=style).program)

    one, two, three = length(6), length(12), length(18)
    assert three - two < 1.3 * (two - one)


def test_divisors_are_joined_but_for_squares() -> None:
    """A division by 2 A v**2 is one by 2 A v and one by v: v**2 may overflow, 2 A does not."""
    assert "(N * N)" in written("X: param[N, N]\nsum(X**2)/(N*N)")
    body = written("v: positive[N]; t: data[N]\nmean(t/v)/2")
    assert "t / (2 * N * v) / v" in body


def test_an_input_may_be_called_m() -> None:
    assert "c = np.cos(m)" in written("X: data[N]; m: param[N]\nc = cos(m)\nsum(X*c)")
    source = sg.compile("X: data[N]; m: param[N]\nsum((X - m)**2)").program
    assert "def value_and_grad(*, X, m):" in source


@pytest.mark.parametrize("width", [1, 3, 15, 16, 40])
def test_rows_are_added_up_at_their_places(width: int) -> None:
    f = sg.compile("W: param[V, D]; y: labels[N, M, V]\nsum(W[y]**2)", style="readable")
    chance = np.random.default_rng(0)
    table, places = chance.normal(size=(5, width)), chance.integers(0, 5, (7, 2))
    expected = np.zeros_like(table)
    np.add.at(expected, places, 2 * table[places])
    np.testing.assert_allclose(f(W=table, y=places)[1]["W"], expected, rtol=1e-14)


@pytest.mark.parametrize("steps", [5, 8])
def test_a_loop_in_a_tile_has_all_its_lists(steps: int) -> None:
    text = "y: data[T, B]; A: param[S, S]; mu: param[S]; r: param[S]\n"
    text += "la = -((y[0][:, None] - mu)/exp(r))**2/2\n"
    for i in range(1, steps):
        text += (
            f"la = logsumexp(la[:, :, None] + A, axis=1) - ((y[{i}][:, None] - mu)/exp(r))**2/2\n"
        )
    text += "-mean(logsumexp(la, axis=1))"
    chance = np.random.default_rng(0)
    at = {"y": chance.normal(size=(steps, 6)), "A": chance.normal(size=(4, 4)),
          "mu": chance.normal(size=4), "r": chance.normal(size=4)}  # fmt: skip
    fast, plain = (sg.compile(text, style=style)(**at) for style in ("fast", "readable"))
    assert np.isclose(fast[0], plain[0], rtol=1e-13)
    for name, grad in plain[1].items():
        np.testing.assert_allclose(fast[1][name], grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_sums_of_a_product_that_is_there_turned(style: str) -> None:
    text = "A: param[N, K]; B: param[K, N]\nP = A @ B\n"
    text += "loss = sum(P**2) + sum(sum(B.T @ A.T, axis=1)**2)"
    chance = np.random.default_rng(0)
    at = {"A": chance.normal(size=(4, 3)), "B": chance.normal(size=(3, 4))}
    value, grads = sg.compile(text, style=style)(**at)
    product = at["A"] @ at["B"]
    assert np.isclose(value, np.sum(product**2) + np.sum(np.sum(product.T, axis=1) ** 2))
    slope = 2 * product + 2 * np.sum(product, axis=0)
    np.testing.assert_allclose(grads["A"], slope @ at["B"].T, rtol=1e-12)
