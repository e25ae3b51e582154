"""Programs that read single entries of arrays are programs of numbers."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.entries import entries
from symgrad.codegen.fast.explain import explain

FILTER = "\n".join(
    [
        "y: data[T]; a: param; q: param; r: param; m0: param; P0 = q + 1",
        *(
            f"p{t} = a*m{t}; S{t} = a**2*P{t} + q + r; e{t} = y[{t}] - p{t}\n"
            f"m{t + 1} = p{t} + (S{t} - r)/S{t}*e{t}; P{t + 1} = r*(S{t} - r)/S{t}"
            for t in range(30)
        ),
        " + ".join(f"log(S{t}) + e{t}**2/S{t}" for t in range(30)),
    ]
)
CHAIN = "\n".join(
    ["w: param[80]; s0 = w[0]", *(f"s{k} = tanh(s{k - 1})*w[{k}]" for k in range(1, 80)), "s79"]
)
PROGRAMS = [
    "y: data[T]; a: param; (y[1] - a*y[0])**2",
    "w: param[3]; x: real; t: real; (w[0] + w[1]*x + w[2]*x**2 - t)**2",
    "A: param[2, 2]; x: real; z: real; tanh(A[0, 0]*x + A[0][1]*z)*sigmoid(A[1, 0]*x - A[-1, -1])",
    "w: param[N]; w[0]*exp(w[1]) + log(w[2])",
    "w: param[5]; 2*w[4]",
    "m: param[3]; x: real; exp(m[0]*x) + m[1]*m[0]",
    "v1: param[3]; o0: real; erf(v1[0]*o0)*gelu(v1[1])",
    "y: positive[3]; a: param; log(y[0])*a + y[2]",
    "w: param[3]; where(w[0] > 2, log(w[0] - 2), w[1])",
    CHAIN,
    FILTER,
]  # fmt: skip


def inputs(graph, scale=1.0):
    rng = np.random.default_rng(0)
    sizes = {"T": 33, "N": 6}
    found = {}
    for node in graph.inputs:
        shape = tuple(sizes.get(d, d) for d in node.shape)
        found[node.attrs["name"]] = scale * (np.abs(rng.normal(size=shape)) + 0.1 if shape else 0.7)
    return found


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("accurate", [False, True])
def test_as_backpropagation_computes(text, dtype, style, accurate):
    graph = sg.parse(text)
    f = sg.compile(graph, dtype=dtype, style=style, accurate=accurate)
    assert "def _value_and_grad(m, " in f.program
    at = inputs(graph)
    value, gradients = f(**at)
    found = sg.backprop(graph, at=at, wrt=f.wrt)
    close = 1e-10 if dtype == "float64" else 1e-4
    assert value == pytest.approx(float(found.value), rel=close) and value.dtype == dtype
    assert list(gradients) == list(f.wrt)
    for name in f.wrt:
        assert np.shape(gradients[name]) == np.shape(at[name])
        assert np.asarray(gradients[name]).dtype == dtype
        np.testing.assert_allclose(gradients[name], found.grad[name], rtol=close, atol=close)


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_where_math_raises_numpy_answers(style):
    f = sg.compile("w: param[3]; exp(w[0])*w[1] + log(w[2])", style=style)
    value, gradients = f(w=np.array([1000.0, 1.0, 0.5]))
    assert value == np.inf
    np.testing.assert_array_equal(gradients["w"], [np.inf, np.inf, 2.0])
    value, gradients = f(w=np.array([1.0, 1.0, 0.0]))
    assert value == -np.inf and gradients["w"][2] == np.inf


@pytest.mark.parametrize("style", ["fast", "readable"])
def test_results_are_the_callers_and_arguments_stay(style):
    f = sg.compile("w: param[N]; x: real; w[0]*x + sin(w[1])", style=style)
    w = np.arange(5.0)
    first = f(w=w, x=2.0)[1]["w"]
    again = f(w=w, x=2.0)[1]["w"]
    assert first is not again
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(w, np.arange(5.0))
    assert f(w=[1, 2, 3], x=1)[1]["w"].shape == (3,)


def test_too_few_entries_are_an_error():
    f = sg.compile("y: data[T]; a: param; y[7]*a")
    with pytest.raises(sg.ShapeError, match="does not fit a dimension of 3"):
        f(y=np.ones(3), a=1.0)


@pytest.mark.parametrize(
    "text",
    [
        "y: data[T]; a: param; y[1] - a*sum(y)",  # the whole array is read
        "y: data[T]; a: param; y[-1]*a",  # from the end, wherever that is
        "y: data[T]; a: param; y[5000]*a",  # a list of so many entries for one
        "A: data[N, N]; a: param; A[0, 1]*a",
        "y: data[T]; a: param; u: data[T]; y[1]*a",
        "k: label[3]; y: data[3]; a: param; y[1]*a",
        "y: data[T]; a: param; T*y[0]*a",
        "x: real; x**2",
    ],
)
def test_what_are_no_entries(text):
    assert entries(sg.parse(text)) is None


def test_explain_says_so():
    assert explain(sg.parse(FILTER)).startswith("fast: entries of arrays, as numbers, in Python's")


BESIDE = """y: data[T]; a: param[4]; c: param
e = y[2:] - c - a[0]*y[1:-1] - a[1]*y[:-2] - a[-1]*exp(-y[2:])
sum(e**2)/2 + a[3]*c"""
WHOLES = ["c*sum(a)", "c*sum(a**2)/2", "c*sum(a[1:])"]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("text", [BESIDE, *(BESIDE.replace("a[3]*c", w) for w in WHOLES)])
def test_entries_beside_arrays(text: str, dtype: str) -> None:
    """Slopes of entries that are numbers are one vector, and entries are arrays of no axes."""
    fast = sg.compile(text, style="fast", dtype=dtype)
    at = {"y": np.linspace(-1, 1, 9).astype(dtype), "a": np.arange(1.0, 5).astype(dtype), "c": 0.3}
    for _ in range(2):
        value, grads = fast(**at)
        expected = sg.backprop(sg.parse(text), at)
        near = {"rtol": 1e-12} if dtype == "float64" else {"rtol": 1e-4}
        np.testing.assert_allclose(value, expected.value, **near)
        for name, slope in grads.items():
            np.testing.assert_allclose(slope, expected.grad[name], **near)
        assert grads["a"].dtype == dtype
    listed = "c*sum(" not in text
    assert ("grad_a = np.array([" in fast.program) == listed
    assert "multiply(a[0, ...], " in fast.program and "float(a[" not in fast.program


def test_slopes_of_a_small_filter_are_one_array() -> None:
    taps = " + ".join(f"k[{i}, {j}]*X[{i}:{i - 1 or ''}, {j}:{j - 2 or ''}]"
                      for i in range(2) for j in range(3) if i + j != 1)  # fmt: skip
    text = f"X: data[H, W]; k: param[2, 3]; sum(tanh({taps})**2) - k[1, 1]/2"
    f, rng = sg.compile(text, style="fast"), np.random.default_rng(1)
    assert "grad_k = np.array([[" in f.program and "], [0" in f.program
    at = {"X": rng.normal(size=(6, 5)), "k": rng.normal(size=(2, 3))}
    np.testing.assert_allclose(f(**at)[1]["k"], sg.backprop(sg.parse(text), at).grad["k"], 1e-12)
