"""Gradients of single examples: all at once, and one by one."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.codegen.batched import Mixed, images

X, Y = "X: data[N, D]; ", "y: labels[N, C]; "
MEANS = {
    "linear": X + "t: data[N]; w: param[D]; b: param; mean((X @ w + b - t)**2)",
    "several outputs": X + "T: data[N, K]; W: param[D, K]; mean((sigmoid(X @ W) - T)**2)",
    "softmax": X + Y + "W: param[D, C]; b: param[C]; cross_entropy(X @ W + b, y)",
    "network": X + Y + "W1: param[D, H]; b1: param[H]; W2: param[H, C]; b2: param[C]; "
    "h = tanh(X @ W1 + b1); s = h @ W2 + b2; "
    "loss = cross_entropy(s, y) + lam*(sum(W1**2) + sum(W2**2))",
    "one-hot": X + "Y: onehot[N, C]; W: param[D, C]; cross_entropy(relu(X) @ W, Y)",
    "normalised rows": X + Y + "W: param[D, H]; g: param[H]; b: param[H]; V: param[H, C]; "
    "cross_entropy(relu(layer_norm(X @ W, g, b)) @ V, y)",
    "margins": X + Y + "W: param[D, C]; svm(X @ W, y, 2.5)",
    "logistic": X + "y: sign[N]; w: param[D]; b: param; mean(softplus(-y*(X @ w + b)))",
    "quadratic": X + "A: param[D, D]; sum((X @ A)*X)/N",
    "scales": X + "w: param[D]; s: param; mean(sum((X*w)**2, axis=1, keepdims=True))*s**2",
    "residual": X + "W: param[D, D]; V: param[D, D]; h = X + tanh(X @ W); mean((h + h @ V)**2)",
    "alone": X + "w: param[D]; u: param[3]; mean(X @ w) + sum(u**2)",
    "largest": X + "W: param[D, H]; mean(max(X @ W, axis=1)) + mean(logsumexp(X @ W, axis=1))",
}
SUMS = {
    "sum": X + "t: data[N]; w: param[D]; sum((X @ w - t)**2)",
    "columns": "X: data[D, N]; t: data[N]; W: param[H, D]; v: param[H]; "
    "sum((v @ tanh(W @ X) - t)**2)",
    "picked": X + Y + "W: param[D, C]; sum((X @ W)[i, y[i]] for i in N)",
}
LOOPS = {  # the rows of X stand in the slices, or in something that is not known row by row
    "slices": X + "w: param[D]; mean((X[:, 1:]*w[1:])**2)",
    "side by side": X + "w: param[D]; v: param[D]; mean((concatenate([X*w, X*v], axis=1))**2)",
}


def both_ways(text: str, **options: Any) -> tuple[Any, Any, Any, bool]:
    """Give the gradients of examples as they come, one by one, and of the batch."""
    graph = sg.parse(text)
    f = sg.compile(graph, **options)
    at = point(graph, seed=2)
    found = f.per_example(**at)
    at_once = f._examples is not None and f._examples.function is not None
    one_by_one = {k: [] for k in f.wrt}
    kept = {n.attrs["name"]: n.shape.index("N") for n in graph.inputs if "N" in n.shape}
    count = max(np.shape(at[k])[axis] for k, axis in kept.items())
    for n in range(count):
        row = {k: np.take(at[k], [n], axis=axis) for k, axis in kept.items()}
        for key, grad in f(**{**at, **row})[1].items():
            one_by_one[key].append(grad)
    return found, one_by_one, f(**at)[1], at_once


@pytest.mark.parametrize("name", [*MEANS, *SUMS, *LOOPS])
def test_every_example_has_the_gradient_of_a_batch_of_one(name: str) -> None:
    found, one_by_one, whole, at_once = both_ways({**MEANS, **SUMS, **LOOPS}[name])
    assert at_once == (name not in LOOPS)
    assert list(found) == list(whole)
    for key, grads in found.items():
        assert grads.shape == (len(one_by_one[key]), *np.shape(whole[key]))
        assert grads.flags.writeable and grads.dtype == np.float64
        np.testing.assert_allclose(grads, one_by_one[key], rtol=1e-11, atol=1e-13)
        total = np.sum(grads, axis=0) / (1 if name in SUMS else len(grads))
        np.testing.assert_allclose(total, whole[key], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("options", [{"dtype": "float32"}, {"accurate": True}])
def test_in_every_kind_of_code(options: dict[str, Any]) -> None:
    found, one_by_one, _, at_once = both_ways(MEANS["network"], **options)
    assert at_once
    for key, grads in found.items():
        assert grads.dtype == options.get("dtype", "float64")
        np.testing.assert_allclose(grads, one_by_one[key], atol=1e-5)


def test_the_code_of_an_affine_layer_is_the_product_of_each_example() -> None:
    f = sg.compile(MEANS["network"])
    f.per_example(**point(f.graph))
    assert f._examples is not None and f._examples.function is not None
    source = f._examples.function.program
    assert "h[:, :, None] * grad_s[:, None]" in source and "/ N" not in source
    assert "grad_b1 = delta.copy()" in source


def test_when_examples_are_mixed() -> None:
    for text in ("sum((X @ X.T @ (X @ w))**2)", "sum(softmax(X @ w)**2)", "sum(cumsum(X @ w)**2)"):
        graph = sg.parse(X + "w: param[D]; " + text)
        gradient = sg.gradient(graph)["w"].node
        with pytest.raises(Mixed):
            images([gradient], "N")
    f = sg.compile(X + "g: param[D]; b: param[D]; mean(batch_norm(X, g, b)**2)")
    with pytest.raises(sg.UsageError, match="mixes the examples"):
        f.per_example(X=np.ones((4, 3)), g=np.ones(3), b=np.ones(3))


@pytest.mark.parametrize(
    ("text", "wrt", "part"),
    [
        ("w*x", None, "no dimension"),
        ("X: data[5, 3]; w: param[3]; mean(X @ w)", None, "no dimension"),
        (
            "X: data[N, D]; Z: data[M, D]; w: param[D]; sum(X @ w) + sum(Z @ w)",
            None,
            "N .of X., M .of Z.",
        ),
        ("S: real[N, D]; Z: real[M]; w: param[D]; sum(S @ w) + sum(Z)", ["w"], "N .of S., M .of"),
        ("X: data[N, D]; w: param[D]; z = X @ w; sum(z)", ["z"], "'z' is an intermediate"),
        ("X: data[N, D]; sum(X)", [], "nothing to differentiate"),
        (
            "K: symmetric[N, N]; y: data[N]; s: param; y @ solve(K + exp(s)*eye(N), y)",
            None,
            "'K' has N twice",
        ),
        (
            "x: param[N]; y: labels[N, C]; w: data[C]; m[c] = sum(x[i] for i in N if y[i] == c); "
            "sum(w*m**2)",
            None,
            "no dimension",
        ),
    ],
)
def test_programs_without_examples(text: str, wrt: list[str] | None, part: str) -> None:
    f = sg.compile(text, wrt=wrt)
    with pytest.raises(sg.UsageError, match=part):
        f.per_example(**point(f.graph))


W = X + "w: param[D]; u = X @ w; "
PAIRS = X + "W: param[D, K]; Z = X @ W; "


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (PAIRS + "mean(sum((Z[i,k] - Z[j,k])**2 for k in K) for i in N for j in N)", "mixes"),
        (PAIRS + "S = Z @ Z.T; L = -mean(log_softmax(S)[i,i] for i in N)", "'S' mixes"),
        (PAIRS + "sum(exp(-sum((Z[i,k] - Z[j,k])**2 for k in K)) for i in N for j in N)", "mixes"),
        (W + "y: sign[N]; sum(log(1 + exp(u[j] - u[i])) for i in N for j in N if y[i] > y[j])",
         "mixes"),
        (W + "var(u)", "mixes"),
        (W + "sum(u)**2", "mixes"),
        (W + "L = sqrt(mean(u**2))", "'‖u‖' mixes"),
        (W + "m: data[N]; sum(m*u**2)/sum(m)", "mixes"),
        (W + "c = u - mean(u); sum(c**2)", "'c' mixes"),
        (W + "logsumexp(u)", "mixes"),
        (W + "max(abs(u))", "mixes"),
        (W + "sum((u[1:] - u[:-1])**2)", "mixes"),
    ],
)  # fmt: skip
def test_a_loss_that_is_no_sum_over_examples(text: str, part: str) -> None:
    """Neither the sum nor the mean of gradients of single examples would be its gradient."""
    f = sg.compile(text)
    with pytest.raises(sg.UsageError, match=part):
        f.per_example(**point(f.graph))


@pytest.mark.parametrize(
    "text",
    [
        W + "t: data[N]; r = u - t; L = r @ r/N + lam*sum(w**2)",
        W + "t: data[N]; norm(u - t)**2",
        W + "t: data[N]; s: param; sum((u - t)**2)/(2*exp(2*s)) + N*s",
        W + "m: data[N]; -(m @ logsigmoid(u))*exp(sum(w))",
        X + Y + "E: param[C, D]; sum((X - E[y])**2)",
        X + "S: data[N, 3]; W: param[D, 3]; trace((X @ W - S).T @ (X @ W - S))/2",
        X + "c: data[K, D]; w: param[K]; sum(exp(-sum((X[i,d] - c[k,d])**2 for d in D))*w[k] "
        "for i in N for k in K)",
    ],
)
def test_a_loss_that_is_a_sum_in_other_words(text: str) -> None:
    f = sg.compile(text)
    at = point(f.graph, seed=3)
    found, whole = f.per_example(**at), f(**at)[1]
    for key, grads in found.items():
        both = np.sum(grads, axis=0), np.mean(grads, axis=0)
        near = [np.allclose(g, whole[key], rtol=1e-10, atol=1e-12) for g in both]
        assert any(near), key


def test_data_are_checked() -> None:
    f = sg.compile(MEANS["softmax"])
    good = {"X": np.ones((2, 3)), "y": [0, 1], "W": np.ones((3, 2)), "b": np.ones(2)}
    for change, kind in (({"y": [0, 2]}, sg.DataError), ({"W": np.ones((2, 2))}, sg.ShapeError)):
        with pytest.raises(kind):
            f.per_example(**{**good, **change})
    with pytest.raises(sg.DataError, match="no value is given for b"):
        f.per_example(**{k: v for k, v in good.items() if k != "b"})
    f = sg.compile(LOOPS["slices"])
    with pytest.raises(sg.ShapeError):
        f.per_example(X=np.ones((2, 3)), w=np.ones(4))
    assert f.per_example(X=[[1, 2], [3, 4]], w=[1, 1])["w"].tolist() == [[0, 8], [0, 32]]


def test_a_mask_is_no_batch() -> None:
    """What is only real is an array like any other, unless nothing is called data."""
    text = """X: data[B, T, E]; M: real[T, T]; W: param[E, E]
S = X @ W @ transpose(X, (0, 2, 1)) + M
mean(softmax(S, axis=-1)**2)"""
    f = sg.compile(text)
    rng = np.random.default_rng(1)
    at = {
        "X": rng.normal(size=(3, 4, 2)),
        "M": rng.normal(size=(4, 4)),
        "W": rng.normal(size=(2, 2)),
    }
    found = f.per_example(**at)["W"]
    assert found.shape == (3, 2, 2)
    np.testing.assert_allclose(found.mean(0), f(**at)[1]["W"], rtol=1e-12)
    one = {**at, "X": at["X"][1:2]}
    np.testing.assert_allclose(found[1], f(**one)[1]["W"], rtol=1e-12)
    f = sg.compile("S: real[N, D]; w: param[D]; sum((S @ w)**2)", "w")
    assert f.per_example(S=np.ones((3, 2)), w=np.ones(2))["w"].shape == (3, 2)
