"""Sums and means over windows: axis by axis, of arrays, in fast and readable code."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg

view = np.lib.stride_tricks.sliding_window_view


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("kind", ["sum", "mean"])
@pytest.mark.parametrize(("step", "gap", "width"), [
    (1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 1, 4), (1, 1, 7), (1, 2, 6), (2, 1, 2), (3, 1, 5),
    (5, 1, 4), (1, 1, 8), (2, 3, 9),
])  # fmt: skip
def test_windows_are_added_up(style: str, kind: str, step: int, gap: int, width: int) -> None:
    rows = 60 - (gap * (width - 1))
    count = (rows - 1) // step + 1
    text = f"""x: param[60, 9]; t: data[{count}, 7]
y[i, j] = {kind}(x[{step}*i + {gap}*a, j + b] for a in {width} for b in 3)
sum(y*t)"""
    rng = np.random.default_rng(width)
    x, t = rng.normal(size=(60, 9)), rng.normal(size=(count, 7))
    f = sg.compile(text, style=style)
    value, grads = f(x=x, t=t)
    slope, total = np.zeros_like(x), 0.0
    for a in range(width):
        for b in range(3):
            part = np.s_[gap * a : gap * a + step * (count - 1) + 1 : step, b : b + 7]
            total += np.sum(x[part] * t)
            slope[part] += t
    by = 3 * width if kind == "mean" else 1
    assert value == pytest.approx(total / by, rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(grads["x"], slope / by, rtol=1e-10, atol=1e-12)
    assert "box_filter(" in f.source


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_windows_of_a_named_length_in_large_arrays(style: str) -> None:
    text = """x: param[N, T]; w: data[K]; t: data[N, T - K + 1]
y[n, i] = sum(x[n, i + k]**2 for k in K)
sum(y*t) + 0*sum(w)"""
    rng = np.random.default_rng(0)
    x, w, t = rng.normal(size=(90, 700)), rng.normal(size=33), rng.normal(size=(90, 668))
    value, grads = sg.compile(text, style=style)(x=x, w=w, t=t)
    assert value == pytest.approx(np.sum(view(x**2, 33, 1).sum(-1) * t), rel=1e-10)
    slope = np.zeros_like(x)
    for k in range(33):
        slope[:, k : k + 668] += t
    np.testing.assert_allclose(grads["x"], 2 * x * slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("options", [{"style": "readable"}, {"style": "fast"}, {"accurate": True}])
def test_what_is_computed_of_windows_is_computed_before(options: dict[str, Any]) -> None:
    text = """x: param[H, W]; y: data[H, W]
s[i, j] = sum(x[i+a, j+b]*y[i+a, j+b] for a in 5 for b in 5)/25
m[i, j] = mean(x[i+a, j+b]**2 for a in 5 for b in 5)
mean((s - m)**2)"""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 17)), rng.normal(size=(20, 17))
    f = sg.compile(text, **options)
    s, m = (np.mean(view(z, (5, 5)), axis=(2, 3)) for z in (x * y, x * x))
    assert f(x=x, y=y)[0] == pytest.approx(np.mean((s - m) ** 2), rel=1e-10)
    assert sg.check(text, {"x": x, "y": y})
    body = f.source.split("def value_and_grad")[1]
    assert body.count("box_filter(") == 2 and " windows(" not in body


def test_average_pooling_with_channels() -> None:
    text = """x: param[N, C, H, W]
p[n, i, j] = mean(x[n, c, 2*i+a, 2*j+b] for c in C for a in 2 for b in 2)
sum(p**2)"""
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 6))
    p = x.reshape(2, 3, 4, 2, 3, 2).mean(axis=(1, 3, 5))
    for style in ("readable", "fast"):
        value, grads = sg.compile(text, style=style)(x=x)
        assert value == pytest.approx(np.sum(p**2), rel=1e-12)
        slope = np.kron(2 * p / 12, np.ones((1, 2, 2)))[:, None]
        np.testing.assert_allclose(grads["x"], np.broadcast_to(slope, x.shape), rtol=1e-10)


def test_a_window_that_does_not_fit_is_refused() -> None:
    f = sg.compile("x: param[N]\ny[i] = sum(x[i + k] for k in 5)\nsum(y**2)")
    with pytest.raises(sg.ShapeError, match="a window of 5 does not fit into 4 entries"):
        f(x=np.ones(4))


def test_a_convolution_leaves_axes_in_their_order() -> None:
    text = """x: data[N, C, T]; A: param[F, C, 3]
h[n, f, i] = relu(sum(x[n, c, i + k]*A[f, c, k] for c in C for k in 3))
d[n, f, i] = mean(h[n, f, 2*i + k] for k in 2)
sum(d**2)"""
    f = sg.compile(text, style="fast")
    body = f.source.split("def value_and_grad")[1]
    assert "box_filter(" in body and ", (2,), (2,), (1,), (2,))" in body
    assert "windows(x" in body and "transpose((0, 2, 1)), (2,)" not in body
    rng = np.random.default_rng(2)
    at = {"x": rng.normal(size=(3, 2, 14)), "A": rng.normal(size=(4, 2, 3))}
    expected = sg.compile(text, style="readable")(**at)[1]["A"]
    np.testing.assert_allclose(f(**at)[1]["A"], expected, rtol=1e-12)
