"""What forward code has computed of scores is taken, not computed anew from another spelling."""

import numpy as np
import pytest

import symgrad as sg

MIXTURE = """
X: data[N, D]; t: data[N]; A: param[D, K]; M: param[D, K]; S: param[D, K]
m = X @ M; s = X @ S; u = (t[:, None] - m)*exp(-s)
-mean(logsumexp(log_softmax(X @ A) - u**2/2 - s - log(2*pi)/2, axis=1))
"""
CLIPPED = """
X: data[N, D]; a: labels[N, K]; old: data[N]; A: data[N]; V: param[D, K]
l = log_softmax(X @ V)
ratio = exp(l[arange(N), a] - old)
-mean(minimum(ratio*A, clip(ratio, 0.8, 1.2)*A))
"""


def differences(f, given, name, h=1e-6):
    found = np.empty_like(given[name])
    for k in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[k] = h
        up, down = (f(**{**given, name: given[name] + s * step})[0] for s in (1, -1))
        found[k] = (up - down) / (2 * h)
    return found


def mixture():
    r = np.random.default_rng(0)
    given = {"X": r.normal(size=(6, 3)), "t": r.normal(size=6)}
    return given | {k: r.normal(size=(3, 4)) for k in "AMS"}


def clipped():
    r = np.random.default_rng(1)
    given = {"X": r.normal(size=(9, 3)), "a": r.integers(4, size=9), "A": r.normal(size=9)}
    return given | {"old": r.normal(size=9) - 1.5, "V": r.normal(size=(3, 4))}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("text, given", [(MIXTURE, mixture()), (CLIPPED, clipped())])
def test_gradients(text, given, style):
    f = sg.compile(text, style=style)
    _, grads = f(**given)
    for name, grad in grads.items():
        assert np.allclose(grad, differences(f, given, name), atol=1e-7)


def test_the_scores_of_logsumexp_are_made_once():
    """The normal form of the slope's scores had halves of a sum; it was a second logsumexp."""
    source = sg.compile(MIXTURE, style="readable").program
    body = source[source.index("def value_and_grad") :]
    assert body.count(" max_along(") == 4  # of two tables, with their formulas
    assert body.count("np.exp(") == 3


def test_sums_of_rows_that_are_known_are_no_pass():
    """The rows of ∂f/∂l = v e_a sum to v, whatever name it has."""
    source = sg.compile(CLIPPED, style="readable").program
    assert "keepdims" not in source[source.index("def value_and_grad") :]


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_one_minus_sigma_is_the_other_sigma(style):
    f = sg.compile("z: param[N]; t: data[N]; p = sigmoid(z); "
                   "-mean(t*(1 - p)**2*log(p) + (1 - t)*p**2*log(1 - p))", style=style)  # fmt: skip
    z = np.array([40.0, -40.0, 0.5])
    _, grads = f(z=z, t=np.array([1.0, 0.0, 1.0]))
    q = np.exp(-40.0)
    assert np.allclose(grads["z"][:2] * 3 / q**3, [-3, 3], rtol=1e-9)


def test_matrices_are_added_before_they_are_transposed():
    source = sg.compile("A: data[N, D]; B: data[N, D]; W: param[D, K]; "
                        "sum(exp(A @ W - B @ W))", style="fast").program  # fmt: skip
    assert "A.T" not in source[source.index("def value_and_grad") :]


FOCAL = """X: data[N, D]; W: param[D, C]; y: labels[N, C]; p = softmax(X @ W); q = p[arange(N), y]
-mean((1 - q)**2*log(q))"""


def test_the_entry_at_a_label_is_no_pass_over_the_row():
    text = sg.compile(FOCAL, style="readable").program
    text = text[text.index("Returns") :]
    assert "np.sum(" not in text and text.count("[np.arange(N), y]") == 2
    graph = sg.parse(FOCAL)
    rng = np.random.default_rng(0)
    at = {"X": rng.normal(size=(9, 4)), "W": rng.normal(size=(4, 3)), "y": rng.integers(0, 3, 9)}
    found = sg.backprop(graph, at)
    for style in ("readable", "fast"):
        value, gradients = sg.compile(graph, style=style)(**at)
        assert value == pytest.approx(float(found.value), rel=1e-12)
        np.testing.assert_allclose(gradients["W"], found.grad["W"], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("classes", "lines"), [("C", 1), ("N", 0)])
def test_a_cross_entropy_has_the_lines_of_a_book(classes: str, lines: int) -> None:
    """Log P and P = exp(log P) for a few classes; of pairs of samples no table is made twice."""
    text = (
        f"X: data[N, D]; W: param[D, {classes}]; y: labels[N, {classes}]\ncross_entropy(X @ W, y)"
    )
    program = sg.compile(text, style="readable").program
    assert program.count("P = np.exp(log_P)  ") == lines
    assert program.split("def value_and_grad")[1].count("np.exp(") == 1
