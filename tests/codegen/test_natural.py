"""Products of stacks in the order in which they are stored, and weights that slide, of channels."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_memory import peak

CONVOLVED = """x: param[N, C, H, V]; w: param[F, C, 3, 2]; b: param[F]; t: data[N, F, H - 2, V - 1]
y[n, f, i, j] = tanh(sum(x[n, c, i+k, j+l]*w[f, c, k, l] for c in C for k in 3 for l in 2) + b[f])
mean((y - t)**2)"""
GATED = """x: param[N, C, T]; A: param[C, C, 2]; B: param[C, C, 2]; V: param[C, C]
a[n, f, i] = tanh(sum(x[n, c, i + 2*k]*A[f, c, k] for c in C for k in 2))
s[n, f, i] = sigmoid(sum(x[n, c, i + 2*k]*B[f, c, k] for c in C for k in 2))
y[n, f, i] = sum(V[f, c]*a[n, c, i]*s[n, c, i] for c in C) + x[n, f, i+2]
mean(y**2)"""
ONE = """x: param[C, T]; w: param[F, C, 3]
y[f, i] = sum(x[c, i+k]*w[f, c, k] for c in C for k in 3)
sum(sin(y))"""
LAST = """x: param[N, T, C]; w: param[3, C, F]
y[n, i, f] = sum(x[n, i+k, c]*w[k, c, f] for c in C for k in 3)
sum(sin(y))"""
INNER = """X: param[N, C, T]; Y: param[N, F, T]; A: data[C, F]
sum(A.T*einsum("nct,nft->fc", X, Y)**2)"""
DEPTHWISE = """x: param[N, C, H, V]; D: param[C, 3, 2]; P: param[F, C]; b: param[F]
d[n, c, i, j] = sum(x[n, c, i+k, j+l]*D[c, k, l] for k in 3 for l in 2)
y[n, f, i, j] = relu(sum(d[n, c, i, j]*P[f, c] for c in C) + b[f])
mean(y**2)"""
CAUSAL = """x: param[N, T, C]; w: param[4, C]; b: param[C]
y[n, i, c] = silu(sum(x[n, i + 2*k, c]*w[k, c] for k in 4) + b[c])
mean(y**2)"""
BACKWARDS = """x: param[N, C, T]; w: param[C, 3]
y[n, c, i] = sum(x[n, c, i + 2 - k]*w[c, k] for k in 3 if i + 2 - k < T)
sum(y[:, :, :T-2]**3)"""
PROGRAMS = {"convolved": CONVOLVED, "gated": GATED, "one": ONE, "last": LAST, "inner": INNER,
            "depthwise": DEPTHWISE, "causal": CAUSAL, "backwards": BACKWARDS}  # fmt: skip
SIZES = {"N": 3, "C": 2, "H": 6, "V": 5, "F": 4, "T": 9}


def point(text: str, **sizes: int) -> dict[str, Any]:
    graph, rng = sg.parse(text), np.random.default_rng(1)
    known = {**SIZES, **sizes}
    shapes = {
        n.attrs["name"]: tuple(eval(d, known.copy()) if isinstance(d, str) else d for d in n.shape)
        for n in graph.inputs
    }
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("options", [{}, {"accurate": True}, {"style": "readable"}], ids=str)
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients(name: str, n: int, options: dict[str, Any]) -> None:
    text = PROGRAMS[name]
    at = point(text, N=n)
    found = sg.backprop(text, at)
    f = sg.compile(text, **options)
    for _ in range(2):
        value, grads = f(**at)
        assert value == pytest.approx(float(found.value), rel=1e-11)
        for key, slope in grads.items():
            np.testing.assert_allclose(slope, found.grad[key], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["convolved", "gated"])
def test_no_axes_are_moved_but_those_of_windows_for_a_product(name: str) -> None:
    text = sg.compile(PROGRAMS[name]).program
    lines = text[text.index("held = ") :].split("\n")
    moved = [k for k in lines if "transpose" in k and not k.strip().startswith("#")]
    products = [k for k in moved if "transpose((0, 2, 1))" in k and "_products" in k]
    windows = [k for k in moved if "reshape(t_" in k]
    back = [k for k in moved if "overlapped(" in k]
    assert len(windows) == 1 and len(moved) == len({*products, *windows, *back})


def test_the_slope_of_weights_holds_a_few_products_of_many() -> None:
    n, c = 300, 24
    text = 'x: data[N, C, T]; W: param[C, C]\nsum(einsum("dc,nct->ndt", W, x)**3)'
    at = {"x": np.ones((n, c, 5)), "W": np.eye(c)}
    f = sg.compile(text)
    assert "added_products(" in f.program
    assert peak(f, at) < 3.5 * at["x"].nbytes + 70_000  # all products are 2.8 MB
    agree = sg.compile(text, style="readable")(**at)[1]["W"]
    np.testing.assert_allclose(f(**at)[1]["W"], agree, rtol=1e-12)


@pytest.mark.parametrize("name", ["depthwise", "causal"])
def test_weights_of_channels_slide(name: str) -> None:
    for style in ("fast", "readable"):
        body = sg.compile(PROGRAMS[name], style=style).program.split("def value_and_grad")[1]
        assert "filtered(x" in body and "smeared(" in body and "tapped(" in body
        assert "windows(" not in body


def test_rows_of_weights_that_slide_stay_in_the_cache() -> None:
    """Large arrays go some rows at a time, also where each has weights of its own."""
    for text in (CAUSAL, CAUSAL.replace("x[n, i + 2*k, c]*w[k, c]", "x[n, i + 2*k, c]*w[k, n]")):
        text = text.replace("w: param[4, C]", "w: param[4, N]") if "w[k, n]" in text else text
        at = point(text, N=40, T=120, C=16)
        f = sg.compile(text)
        expected = sg.backprop(text, at)
        for key, slope in f(**at)[1].items():
            np.testing.assert_allclose(slope, expected.grad[key], rtol=1e-9, atol=1e-12)


def test_sizes_of_weights_that_slide_are_checked() -> None:
    from symgrad.ops import leaf, make

    x = leaf("x", ("N", "C", "T"))
    assert make("filtered", x, leaf("w", ("C", 1, 3)), along="2:1:1").shape == ("N", "C", "T - 2")
    for shape in (("F", 1, 3), ("C", 3, 3), ("N", "N", "C", 1, 3)):
        with pytest.raises(sg.SymgradError, match="do not slide"):
            make("filtered", x, leaf("w", shape), along="2:1:1")


@pytest.mark.parametrize("name", ["convolved", "depthwise"])
def test_what_is_computed_of_a_product_takes_its_place(name: str) -> None:
    text = sg.compile(PROGRAMS[name]).program
    body = text[text.index("held = ") :]
    assert "add(buf0_rows, b[:, None], buf0_rows)" in body  # with the axes of places joined
    assert "axis=(1, 2), out=grad_b" not in body and "axis=(0, 2, 3)" not in body
