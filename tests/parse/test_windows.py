"""Places that move with several indices, x[i + k]: windows, convolutions, causal and dilated sums.

Values are compared with the same text run by Python, one entry after the other.
"""

import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.targets import source
from symgrad.dims import evaluated
from symgrad.evaluate import bind, helpers, values

Shapes = dict[str, tuple[int, ...]]
VECTORS: Shapes = {"x": (9,), "w": (3,)}
IMAGE: Shapes = {"x": (6, 7), "w": (3, 2)}
STACK: Shapes = {"x": (2, 3, 5, 6), "w": (4, 3, 2, 3)}
HEAD = {1: "x: real[N]; w: param[K]", 2: "x: real[H, W]; w: param[A, B]",
        4: "x: real[N, C, H, V]; w: param[O, C, A, B]"}  # fmt: skip
LINES: list[tuple[str, Shapes]] = [
    ("y[i] = sum(w[k]*x[i+k] for k in K)", VECTORS),
    ("y[i] = sum(w[k]*x[i-k+K-1] for k in K)", VECTORS),
    ("y[i] = sum(w[k]*x[2*i+k] for k in K)", VECTORS),
    ("y[i] = sum(w[k]*x[2*i+3*k] for k in K)", VECTORS),
    ("y[t] = sum(w[k]*x[t+2*k] for k in K)", VECTORS),
    ("y[i] = sum(w[k]*x[i+k] for k in K) + x[i]", VECTORS),
    ("y[i] = max(x[2*i+k] for k in range(2)) + w[0]", {"x": (8,), "w": (3,)}),
    ("y[i] = mean(x[i+k]*w[k] for k in K)", VECTORS),
    ("z = exp(x); y[i] = sum(w[k]*z[i+k]*z[i] for k in K)", VECTORS),
    ("y[i] = sum(w[k]*x[i+j+k]*w[j] for k in K for j in K)", VECTORS),
    ("y[i, j] = sum(w[a, b]*x[i+a, j+b] for a in A for b in B)", IMAGE),
    ("y[i, j] = sum(w[a, b]*x[i-a+A-1, j-b+B-1] for a in A for b in B)", IMAGE),
    ("y[i, j] = sum(w[a, b]*x[i+a, 2*j+b] for a in A for b in B)", IMAGE),
    ("y[j, i] = sum(w[a, b]*x[i+a, j+b] for a in A for b in B)", IMAGE),
    ("y[n, o, i, j] = sum(w[o, c, a, b]*x[n, c, i+a, j+b] for c in C for a in A for b in B)",
     STACK),
    ("y[n, o, i, j] = sum(w[o, c, a, b]*x[n, c, 2*i+a, 2*j+b] for c in C for a in A for b in B)",
     STACK),
    ("y[n, o, i] = sum(w[o, c, a, 0]*x[n, c, i+a, 0] for c in C for a in A)", STACK),
    # a condition that keeps a place on its axis puts zeros around it
    ("y[i] = sum(w[k]*x[i+k] for k in K if i + k < N)", VECTORS),
    ("y[t] = sum(w[k]*x[t-k] for k in K if k <= t)", VECTORS),
    ("y[t] = sum(w[k]*x[t-2*k] for k in K if t - 2*k >= 0)", VECTORS),
    ("y[t] = sum(exp(w[k])*x[t-k]*x[t] for k in K if 0 <= t - k)", VECTORS),
    ("y[i] = sum(w[k]*x[i+k-1] for k in range(3) if 0 <= i + k - 1 < N)", VECTORS),
    ("y[i] = max(w[k]*x[i+k] for k in K if i + k < N)", VECTORS),
    ("y[i] = sum(w[k]*x[i+k] for k in K if i + k < N if k != 1)", VECTORS),
    ("y[t] = sum(w[k]/(5 + t - k)*x[t-k] for k in K if k <= t)", VECTORS),
    ("y[k] = sum(x[t]*x[t+k] for t in N-k)*w[0]", VECTORS),
    ("y[k] = sum(x[t]*x[t-k] for t in range(k, N))*w[0]", VECTORS),
    ("y[t] = sum(w[t-s]*w[s] for s in range(t+1))*x[0]", VECTORS),
    ("y[i, j] = sum(w[a, b]*x[i+a-1, j+b] for a in A for b in B if 0 <= i+a-1 < H if j+b < W)",
     IMAGE),
]  # fmt: skip
WHOLE: list[tuple[str, Shapes]] = [
    ("x: real[T]; w: param[K]; L = sum((x[t] - sum(w[k]*x[t-k] for k in K))**3 "
     "for t in range(K-1, T))", VECTORS),
    ("x: real[T]; w: param[P]; L = sum((x[t] - sum(w[p]*x[t-1-p] for p in P))**2 "
     "for t in range(P, T))/(T - P)", VECTORS),
    ("q: param[T, D]; k: param[T, D]; b: param[2*T-1]; "
     "S[i, j] = sum(q[i, d]*k[j, d] for d in D) + b[i-j+T-1]; L = sum(S**3)",
     {"q": (4, 2), "k": (4, 2), "b": (7,)}),
    ("x: real[2*M-1]; w: param[M, M]; L = sum(w[i, j]*x[i+j] for i in M for j in M)**2",
     {"x": (5,), "w": (3, 3)}),
    ("x: real[N]; L = sum((x[i]-x[i-k])**3 for k in range(1, 4) for i in range(k, N))",
     {"x": (7,)}),
    ("x: real[N]; L = sum(x[t-1]*x[t] for t in N if t >= 1)", {"x": (7,)}),
]  # fmt: skip
PROGRAMS = [(f"{HEAD[len(s['x'])]}; {line}; L = sum(y**3)", s) for line, s in LINES] + WHOLE
RANGE = re.compile(r"for (\w+) in ([A-Z](?:-\w)?)\b")


def looped(program: str, at: dict[str, Any]) -> float:
    """Run a program in Python: a comprehension for each sum, a loop for each definition."""
    graph = sg.parse(program)
    sizes = bind(graph, at)[1]
    space: dict[str, Any] = {**sizes, **at, "exp": np.exp, "mean": lambda g: np.mean([*g])}
    space["sum"] = lambda g: g.sum() if isinstance(g, np.ndarray) else sum(g)
    for line in program.split("; "):
        if ": " in line.partition(" = ")[0]:
            continue
        left, right = line.split(" = ", 1)
        code = RANGE.sub(r"for \1 in range(\2)", right)
        name, _, inside = left.rstrip("]").partition("[")
        if inside:
            shape = [evaluated(d, sizes) or 0 for d in graph.names[name].shape]
            result = np.zeros(shape)
            for place in np.ndindex(*shape):
                here = dict(zip(inside.split(", "), place, strict=True))
                result[place] = eval(code, {**space, **here})
            space[name] = result
        else:
            space[name] = eval(code, space)
    return float(space["L"])


@pytest.mark.parametrize(("program", "shapes"), PROGRAMS, ids=[p for p, _ in PROGRAMS])
def test_value_and_gradients(program: str, shapes: Shapes) -> None:
    rng = np.random.default_rng(5)
    at = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    wrt = list(at)
    passes = sg.backprop(program, at, wrt=wrt)
    np.testing.assert_allclose(passes.value, looped(program, at), rtol=1e-11)
    assert sg.check(program, at, wrt=wrt, tolerance=1e-6).ok
    for style in ("fast", "readable"):
        for accurate in (False, True):
            function = sg.compile(program, wrt=wrt, style=style, accurate=accurate)
            value, grads = function(**at)
            np.testing.assert_allclose(value, passes.value, rtol=1e-11)
            for name in wrt:
                np.testing.assert_allclose(grads[name], passes.grad[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("program", "shapes"), PROGRAMS, ids=[p for p, _ in PROGRAMS])
def test_formulas(program: str, shapes: Shapes) -> None:
    rng = np.random.default_rng(6)
    at = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    wrt = list(at)
    graph = sg.parse(program)
    known, sizes = bind(graph, at)
    space: dict[str, Any] = {"np": np, **at, **sizes}
    for text in helpers().values():
        exec(text, space)
    passes = sg.backprop(program, at, wrt=wrt)
    for name, formula in sg.gradient(program, wrt).items():
        found = values([formula.node], known, sizes)[formula.node]
        np.testing.assert_allclose(found, passes.grad[name], rtol=1e-9, atol=1e-11)
        ours = dict(space)
        for part, inner in formula.where.items():
            ours[part] = eval(inner.numpy(), ours)
        np.testing.assert_allclose(eval(formula.numpy(), ours), passes.grad[name], atol=1e-9)
        # the place of a maximum within its window is a name of its own
        assert "max(" in program or "windows" not in formula.latex() + formula.unicode("index")


PRINTED = [
    (LINES[0][0], "w", "3(x ⋆ y²)", "3 Σₖ x_{j + k}(yₖ)²"),
    (LINES[0][0], "x", "3(y² ∗ w)", "3 Σⱼ (y_{i − j})²wⱼ·1[i ≥ j]·1[i − j < N − K + 1]"),
    (LINES[1][0], "w", "3(x ⋆ y²)[::-1]", "3 Σₖ x_{k − j + K − 1}(yₖ)²"),
    (LINES[4][0], "w", "3 Σₖ x_{k + 2j}(yₖ)²", "3 Σₖ x_{k + 2j}(yₖ)²"),
    (LINES[10][0], "w", "3 Σₙ Σₚ (yₙₚ)² x_{n + k,p + l}", "3 Σₙ Σₚ (yₙₚ)² x_{n + k,p + l}"),
    (LINES[17][0], "w", "3([x; 𝟎] ⋆ y²)", None),
]


@pytest.mark.parametrize(("line", "wrt", "matrix", "entry"), PRINTED)
def test_what_is_printed(line: str, wrt: str, matrix: str, entry: str | None) -> None:
    rank = 2 if "," in line.partition("]")[0] else 1
    formula = sg.gradient(f"{HEAD[rank]}; {line}; L = sum(y**3)", wrt)[wrt]
    assert formula.unicode() == matrix
    assert entry is None or formula.unicode("index") == entry


def body(program: str) -> str:
    """Give the function alone, without its helpers."""
    source = sg.compile(program, wrt=["x", "w"]).source
    return source[source.index("def value_and_grad") : source.index("SHAPES = ")]


def test_nothing_is_gathered() -> None:
    """The code makes no table of places, and none of the numbers in all windows of an image."""
    image = body(f"{HEAD[2]}; {LINES[10][0]}; L = sum(y**3)")
    assert "filtered(x, w" in image and "smeared(" in image and "tapped(" in image
    vector = body(f"{HEAD[1]}; {LINES[0][0]}; L = sum(y**3)")
    assert "np.correlate(x, w" in vector and "windows" not in vector
    stack = body(f"{HEAD[4]}; {LINES[14][0]}; L = sum(y**3)")
    assert "take" not in image + vector + stack and "arange" not in image + vector + stack


def test_lengths_follow_from_the_sizes() -> None:
    graph = sg.parse(f"{HEAD[1]}; {LINES[2][0]}")
    assert graph.output.shape == ("(N - K)//2 + 1",)
    with pytest.raises(sg.SymgradError, match="a window of 5 does not fit into 3 entries"):
        sg.backprop(f"{HEAD[1]}; {LINES[0][0]}; sum(y)", {"x": np.ones(3), "w": np.ones(5)})


X = "x: real[N]\nw: param[K]\n"
REFUSED = [
    ("y[t] = sum(w[k]*x[t-k] for k in K)", "nothing says that t-k is a place", "t-k + K - 1"),
    ("sum(w[k]*x[t-k] for t in N for k in K)", "nothing says that t-k", "for t in range(K - 1, N)"),
    ("sum(w[k]*x[t+k] for t in N for k in K)", "nothing says that t+k", "for t in N - K + 1"),
    ("y[i, j] = x[i-j]", "the range of the index", "use i as an index on the right: x[i]"),
    ("y[i] = sum(w[k]*x[i*k] for k in K)", "the range of the index i", "x[i]"),
]


@pytest.mark.parametrize(("line", "said", "hint"), REFUSED)
def test_places_off_the_axis(line: str, said: str, hint: str) -> None:
    with pytest.raises(sg.SymgradError) as caught:
        sg.parse(X + line)
    assert said in caught.value.message and hint in caught.value.hint


def test_other_readers() -> None:
    """Products with second derivatives, the export to SymPy, steps and JAX have windows, too."""
    program = f"{HEAD[2]}; v: data[A, B]; {LINES[10][0]}; L = sum(y**3)"
    product = sg.hvp(program, "w", "v")
    assert "[(∂²L/∂w²) v]ₖₗ = " in str(product)
    rng = np.random.default_rng(1)
    at = {"x": rng.normal(size=(6, 7)), "w": rng.normal(size=(3, 2)), "v": rng.normal(size=(3, 2))}
    known, sizes = bind(sg.parse(program), at)
    slopes = [sg.backprop(program, {**at, "w": at["w"] + e * at["v"]}, wrt=["w"]).grad["w"]
              for e in (1e-6, -1e-6)]  # fmt: skip
    named = {n: values([n], known, sizes)[n] for n in known}
    found = values([product.node], named, sizes)[product.node]
    np.testing.assert_allclose(found, (slopes[0] - slopes[1]) / 2e-6, rtol=1e-6)
    for name, formula in sg.gradient(program, ["x", "w"]).items():
        assert formula.steps()[-1].after and formula.sympy() is not None, name
    written = source(sg.parse(program), ["x", "w"], target="jax")
    assert "jnp.take(" in written and "sliding" not in written
