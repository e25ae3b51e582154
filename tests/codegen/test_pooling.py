"""Max pooling: maxima over windows are maxima of arrays, slopes go to the first largest entry."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg

POOL = """
F: param[N, P, I, J]
S[n, p, i, j] = max(F[n, p, 2*i+k, 2*j+l] for k in range(2) for l in range(2))
sum(S**2)
"""
NETWORK = """
X: data[N, H, V]; K: param[3, 3]; L: param[3, 3]
A[n, i, j] = sum(K[k, l]*X[n, i+k, j+l] for k in 3 for l in 3)
S[n, i, j] = max(A[n, 2*i+k, 2*j+l] for k in range(2) for l in range(2))
B[n, i, j] = sum(L[k, l]*S[n, i+k, j+l] for k in 3 for l in 3)
mean(B**2)
"""

CONVOLUTION = """
X: data[N, C, H, W]; K: param[F, C, 3, 3]; b: param[F]
A[n, f, i, j] = relu(sum(X[n, c, i+k, j+l]*K[f, c, k, l] for c in C for k in 3 for l in 3) + b[f])
S[n, f, i, j] = max(A[n, f, 2*i+k, 2*j+l] for k in 2 for l in 2)
sum(S**2)
"""


def by_hand(F: Any) -> tuple[Any, Any]:
    """Pool entry by entry; of ties the first one takes the slope."""
    total, slope = 0.0, np.zeros_like(F)
    for n, p, i, j in np.ndindex(*F.shape[:2], F.shape[2] // 2, F.shape[3] // 2):
        window = F[n, p, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        k, m = np.unravel_index(np.argmax(window), (2, 2))
        total += window[k, m] ** 2
        slope[n, p, 2 * i + k, 2 * j + m] += 2 * window[k, m]
    return total, slope


@pytest.mark.parametrize("options", [{}, {"accurate": True}, {"style": "fast"}], ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 6, 8), (1, 1, 2, 2), (2, 2, 7, 5)], ids=str)
def test_pooling_with_ties(options: dict[str, Any], shape: tuple[int, ...]) -> None:
    f = sg.compile(POOL, **{"style": "readable", **options})
    F = np.round(np.random.default_rng(0).normal(size=shape))
    value, slope = by_hand(F)
    for _ in range(2):
        found, grads = f(F=F)
        assert found == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(grads["F"], slope, rtol=1e-13)


def test_no_reduction_along_short_axes() -> None:
    for style in ("readable", "fast"):
        body = sg.compile(POOL, style=style).source.split("def value_and_grad")[1]
        assert " pooled(F" in body and " unpooled(" in body
        assert "np.max(" not in body and "maximum.reduce" not in body and "windows(" not in body


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize(("step", "gap"), [(1, 1), (2, 1), (3, 1), (1, 2), (3, 2), (4, 1)])
@pytest.mark.parametrize("kind", ["max", "min"])
def test_windows_that_overlap_or_leave_gaps(style: str, step: int, gap: int, kind: str) -> None:
    places = f"{step}*i + {gap}*a, j + b"
    x = np.round(2 * np.random.default_rng(step).normal(size=(400, 9)))
    rows = (len(x) - 2 * gap - 1) // step + 1
    t = np.random.default_rng(gap).normal(size=(rows, 8))
    total, slope = 0.0, np.zeros_like(x)
    for i, j in np.ndindex(*t.shape):
        window = x[step * i : step * i + 2 * gap + 1 : gap, j : j + 2]
        best = np.argmax(window if kind == "max" else -window)
        k, m = np.unravel_index(best, window.shape)
        total += window[k, m] * t[i, j]
        slope[step * i + gap * k, j + m] += t[i, j]
    text = f"x: param[400, 9]; t: data[{rows}, 8]\n"
    text += f"p[i, j] = {kind}(x[{places}] for a in 3 for b in 2)\nsum(p*t)"
    value, grads = sg.compile(text, style=style)(x=x, t=t)
    assert value == pytest.approx(total, rel=1e-12)
    np.testing.assert_allclose(grads["x"], slope, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_pooling_of_large_arrays_goes_by_rows(style: str) -> None:
    F = np.round(np.random.default_rng(0).normal(size=(40, 3, 40, 42)))
    value, grads = sg.compile(POOL, style=style)(F=F)
    windows = F.reshape(40, 3, 20, 2, 21, 2).swapaxes(3, 4).reshape(40, 3, 20, 21, 4)
    first = np.argmax(windows, axis=-1)[..., None] == np.arange(4)
    slope = (2 * windows * first).reshape(40, 3, 20, 21, 2, 2).swapaxes(3, 4).reshape(F.shape)
    assert value == pytest.approx(np.sum(np.max(windows, axis=-1) ** 2), rel=1e-12)
    np.testing.assert_array_equal(grads["F"], slope)


def test_a_convolution_leaves_axes_in_their_order() -> None:
    body = sg.compile(CONVOLUTION, style="fast").source.split("def value_and_grad")[1]
    assert (
        "pooled(buf0" in body
        and "(2, 3), (2, 2), (1, 1), (2, 2))" in body
        and "transpose((0, 3, 1, 2))" not in body
    )
    last = CONVOLUTION.replace("X[n, c, i+k, j+l]", "X[n, i+k, j+l, c]")
    last = last.replace("X: data[N, C, H, W]", "X: data[N, H, W, C]")
    body = sg.compile(last, style="fast").source.split("def value_and_grad")[1]
    assert "pooled(buf1, (1, 2)" in body and "transpose((0, 3, 1, 2))" not in body


def test_a_gradient_is_the_callers_where_windows_lie_side_by_side() -> None:
    f = sg.compile("x: param[N]\ny[i] = max(x[3*i+k] for k in 3)\nsum(y**2)", style="fast")
    x = np.arange(6.0)
    first = f(x=x)[1]["x"]
    kept = first.copy()
    f(x=-x)
    np.testing.assert_array_equal(first, kept)


def test_sizes_of_the_check_are_as_large_as_windows_after_windows_want() -> None:
    source = sg.compile(NETWORK).source
    namespace: dict[str, Any] = {"__name__": "module"}
    exec(source, namespace)
    assert namespace["check"]() == 0
