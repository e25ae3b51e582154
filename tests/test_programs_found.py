"""What random programs against PyTorch and JAX have found wrong, in the smallest form of each."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import exact

WAYS = [{"style": "readable"}, {"style": "fast"}, {"accurate": True}]


def agree(text: str, wrt: list[str], **at: object) -> None:
    """Compare every way to the gradients with mpmath."""
    graph = sg.parse(text)
    value, grads = exact.value_and_gradient(graph, at, wrt, 20)
    passes = sg.backprop(graph, at, wrt)
    found = [(passes.value, passes.grad), *(sg.compile(graph, wrt, **way)(**at) for way in WAYS)]
    for number, parts in found:
        np.testing.assert_allclose(float(number), float(value), rtol=1e-12, atol=1e-12)
        for name in wrt:
            assert np.asarray(parts[name]).dtype == float
            want = np.vectorize(float, otypes=[float])(grads[name])
            np.testing.assert_allclose(parts[name], want, rtol=1e-11, atol=1e-12)


rng = np.random.default_rng(0)
A, B, C = rng.normal(size=(2, 2)), rng.normal(size=(2, 4)), rng.normal(size=(2, 3))
HOT = [0.0, 1.0, 0.0]
FOUND = {
    "a returned diagonal is no view of a buffer": (
        "w: real[H, H]; s: real[H]; x: param[H, D]\nT = -prelu(diag(s), w)\n"
        "I = logaddexp(mean(exp(-((x[i,j])**2)**2) for i in H for j in D), w)\n"
        "sum(tanh(T)) + mean(I**2)/2", "w s x", {"w": A, "s": [0.5, -0.3], "x": B}),
    "a number within a statement reads its array in time": (
        "s: data[4]\nh = max((log_softmax(log_softmax(s, axis=0), axis=0))[-2], e)\n"
        "c = minimum((s**4)[-3], e)\n(q + h)*c", "s e q",
        {"s": [-1.0, 3.0, -1.0, 3.0], "e": 1.0, "q": 113.0}),
    "a part of an array is not computed again, nor by another name": (
        "q: real[N]; s: real[N]; np: real[N]\ne = min(s*s, np)[1]\n"
        "w = stack((minimum(tanh(e), 2), e), axis=-1)\nmean(w**2)/2", "s np",
        {"q": [1.0, 2.0, 3.0], "s": [0.5, 0.25, 0.25], "np": [0.3, 0.2, 0.1]}),
    "the norm of a number": ("a = stack((s, norm(.5), s), -1)\nsum(a*a) + norm(s)", "s",
                             {"s": -2.0}),
    "a condition between numbers alone": (
        "z: real[2]\nu = 0 - .5\nt = (u - 0.001 <= u)*u\nt*sum(z)", "z", {"z": [1.0, 2.0]}),
    "0 log 0 in bits": ("t: onehot[3]; f: real[3]\nkl(t, softmax(f), base=2)", "f",
                        {"t": HOT, "f": [0.1, 0.2, 0.3]}),
    "0 log 0 to base 10": ("t: onehot[3]; f: real[3]\nkl(t, softmax(f), base=10)", "f",
                           {"t": HOT, "f": [0.1, 0.2, 0.3]}),
    "0 log 0 in nats": ("t: onehot[3]; f: positive[3]\nkl(t, f)", "f",
                        {"t": HOT, "f": [0.1, 0.2, 0.3]}),
    "a transpose that moves nothing": (
        "x: real[2, 3]; w: param[3, 4]\nsum(tanh(transpose(x, (0, 1)) @ w))", "x w",
        {"x": C, "w": rng.normal(size=(3, 4))}),
    "axes counted from the end": (
        "x: real[2, 3]; w: param[2, 4]\nsum(tanh(transpose(x, (-1, 0)) @ w))", "x w",
        {"x": C, "w": B}),
    "the root of what is cut off at 0": ("x: real[3]; w: real[3]\nsum(w*sqrt(relu(x)))", "x w",
                                         {"x": [-1.0, -2.0, 4.0], "w": [1.0, 2.0, 3.0]}),
    "the same of a value with two uses": (
        "x: real[3]; w: real[3]\nh = relu(x)\nsum(w*sqrt(h)) + sum(h)", "x w",
        {"x": [-1.0, -2.0, 4.0], "w": [1.0, 2.0, 3.0]}),
    "a part that two sums need is kept": (
        "x: real[H, 1]\nr = max(b, x)[:, ::2]\ng = softsign(x/x)**x\nsum(hardswish(r)**2) + sum(g)",
        "x b", {"x": [[0.5], [1.5]], "b": 1.0}),
    "a column of ones is not its own transpose": (
        "a: param[D, D]; s: param[D, H]\nb = ones_like(mean(s, axis=1, keepdims=True))\n"
        "sum(tanh(a @ b))", "a", {"a": A, "s": B}),
    "the size of an array of numbers is a whole number": (
        "g: real[N]; f: real[2]\nz = zeros_like(g)[-2]\nsum(where(z*z - 2*z + 2 <= f, f, 3))", "f",
        {"g": [1.0, 2.0, 3.0], "f": [1.0, 2.5]}),
    "the variance as a difference of products": (
        "v: real[3]\nmean(v**2) - mean(v)*mean(v)", "v", {"v": [1.0, 2.0, 4.0]}),
    "a number less an expanded log-sum-exp": (
        "X: real[2, 3]; R: real[3, 1]\nsum(R*(1 - logsumexp(X, axis=-2)[:, None]))", "X",
        {"X": C, "R": [[1.0], [2.0], [3.0]]}),
    "a slope that is a condition is a number": (
        "m: param; x: data[3]\nsum(x) + (m - 2 < m)*m", "m", {"m": 1.0, "x": [1.0, 2.0, 3.0]}),
    "a condition between numbers as a factor and as a condition": (
        "B: param[2, 2]\nsum((0.9 >= 3/4)*((0.5 <= 3/4)*B))", "B", {"B": A}),
}  # fmt: skip


@pytest.mark.parametrize("what", FOUND)
def test_found(what: str) -> None:
    text, wrt, at = FOUND[what]
    agree(text, wrt.split(), **at)


def test_the_variance_keeps_its_digits() -> None:
    value, grads = sg.compile("v: real[3]\nmean(v**2) - mean(v)*mean(v)")(v=[1e8, 1e8 + 1, 1e8 + 2])
    assert float(value) == pytest.approx(2 / 3, rel=1e-9)
    np.testing.assert_allclose(grads["v"], [-2 / 3, 0, 2 / 3], atol=1e-9)


@pytest.mark.parametrize("text", [
    "sum(((x - m)*s - h)**2)", "sum(((x - m)/s - b)/g)", "sum(1/(1 + ((x - m)/s)**2))",
    "mean(((x - m)/s + b)*h)", "sum(1/(1 + (1 - (x - m)/s)**2))", "sum((x - m)*(h*s - m*s)/1e8)",
])  # fmt: skip
def test_differences_stay_together(text: str) -> None:
    """Both share eight digits; multiplied out, sums lose them."""
    at = {"x": 1e8 + np.array([0.25, -1.5, 2.0]), "m": 1e8 + 0.5, "s": 1.75, "b": 0.5, "g": 0.75,
          "h": [0.5, 1.0, -2.0]}  # fmt: skip
    graph = sg.parse(f"x: real[3]; h: real[3]\n{text}")
    at = {n.attrs["name"]: at[n.attrs["name"]] for n in graph.inputs}
    _, truth = exact.value_and_gradient(graph, at, list(at), 20)
    for way in WAYS:
        _, grads = sg.compile(graph, list(at), **way)(**at)
        for name in at:
            want = np.vectorize(float, otypes=[float])(truth[name])
            np.testing.assert_allclose(grads[name], want, rtol=1e-13, atol=1e-13)


def test_a_scalar_in_a_line_that_leads_nowhere_is_an_input() -> None:
    graph = sg.parse("y: real\na = u*2\nL = y**2 + k")
    assert [n.attrs["name"] for n in graph.inputs] == ["y", "u", "k"]
    value, grads = sg.compile(graph)(y=2.0, u=1.0, k=1.0)
    assert (value, grads) == (5.0, {"y": 4.0, "u": 0.0, "k": 1.0})


def test_sizes_may_be_named_and_given_as_numbers() -> None:
    text = "x: real[N]; w: param[H]; q: param[2, 3]\nE = convolve(x, w, mode='valid')\n"
    graph = sg.parse(text + "mean((where(E > 0, sqrt(E), 0) @ q)**2)", {"x": (3,), "w": (2,)})
    _, grads = sg.compile(graph)(x=[1, 2, 3], w=[1, 0.5], q=np.ones((2, 3)))
    assert grads["q"].shape == (2, 3)
    twice = ("e: param[1, 1]; g: param[4, D]; E: real[D, D]; A: data[1, H]\n"
             "w = min(where(g < E, rms_norm(g), E))\n"
             "t = matmul(concatenate([e, e, A], 1), g)\nsum(t**2) + w")  # fmt: skip
    at = {"e": [[1.0]], "g": np.eye(4), "E": np.ones((4, 4)), "A": [[1.0, 2.0]]}
    for way in WAYS:
        assert sg.compile(twice, **way)(**at)[1]["g"].shape == (4, 4)


def test_rows_are_picked_by_a_range_of_the_size_that_a_name_stands_for() -> None:
    text = "s: real[N, C]; y: labels[N, C]; mean(s[arange(3), y])"
    value, _ = sg.compile(text)(s=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], y=[0, 1, 0])
    assert value == 10 / 3


@pytest.mark.parametrize("text", [
    "x: real[N]; g: real[H]; sum(rms_norm(x, g))",
    "x: real[N, H]; g: real[N]; sum(layer_norm(x, g))",
])  # fmt: skip
def test_scales_that_do_not_fit_are_refused_where_they_stand(text: str) -> None:
    with pytest.raises(sg.ShapeError, match="dimensions") as caught:
        sg.parse(text)
    assert caught.value.line == 1 and "norm" in str(caught.value)


def test_rules_that_undo_each_other_are_refused(registries: None) -> None:
    sg.rule("there: sin(a)**2 -> 1 - cos(a)**2")
    with pytest.raises(sg.UsageError, match="'back' undoes 'there'"):
        sg.rule("back: 1 - cos(a)**2 -> sin(a)**2")
    assert str(sg.gradient("sin(x)**2")["x"]).endswith("2cos(x) sin(x)")


def test_the_truth_knows_which_score_is_the_largest() -> None:
    graph = sg.parse("s: real[N, C]; y: labels[N, C]; zero_one(s, y)")
    at = {"s": [[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]], "y": [0, 0]}
    assert exact.value_and_gradient(graph, at, [])[0] == 0.5


def test_a_named_condition_is_one_in_formulas() -> None:
    text = (
        "W: param[2,2]; t = clip(W - log(sum(exp(W), axis=0, keepdims=True)), 0, 0.9); logsumexp(t)"
    )
    formula = sg.gradient(text)["W"]
    space = {
        "np": np,
        "W": A,
        "softmax": lambda a, axis: np.exp(a) / np.exp(a).sum(axis, keepdims=True),
    }
    for name, part in formula.where.items():
        space[name] = eval(part.numpy(), {}, space)
    want = sg.backprop(text, {"W": A}).grad["W"]
    np.testing.assert_allclose(eval(formula.numpy(), {}, space), want, atol=1e-14)


@pytest.mark.parametrize("word", ["ii,i->i", "ii,ij->j", "ij,jj->i", "ii,jj->", "ii->", "ii->i"])
def test_einsum_takes_diagonals(word: str) -> None:
    groups = word.split("->")[0].split(",")
    at = {f"a{k}": 1 + np.arange(3.0 ** len(g)).reshape([3] * len(g)) for k, g in enumerate(groups)}
    given = "; ".join(f"{name}: real{list(a.shape)}" for name, a in at.items())
    text = f"{given}\nsum(einsum('{word}', {', '.join(at)})**2)"
    value, _ = sg.compile(text)(**at)
    assert value == np.sum(np.einsum(word, *at.values()) ** 2)
    agree(text, list(at), **at)


@pytest.mark.parametrize("word", ["ii->i", "ii->"])
def test_einsum_takes_no_diagonal_of_a_vector(word: str) -> None:
    with pytest.raises(sg.ShapeError, match="einsum of b"):
        sg.parse(f"b: real[N]\nsum(einsum('{word}', b))")


@pytest.mark.parametrize("way", WAYS)
def test_equal_numbers_are_their_mean(way: dict[str, object]) -> None:
    """A sum times 1/49 is not 49 times the number over 49: columns of one number spread."""
    text = "x: real[N, D]; w: real[N, D]; sum(w*batch_norm(x))"
    at = {"x": np.full((49, 3), 1.1e8), "w": np.arange(147.0).reshape(49, 3)}
    value, grads = sg.compile(text, ["x"], **way)(**at)
    assert value == 0
    want = (at["w"] - at["w"].mean(0)) / np.sqrt(1e-5)
    np.testing.assert_allclose(grads["x"], want, rtol=1e-12)
