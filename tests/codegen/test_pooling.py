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
        assert "amax(" in body and "np.max(" not in body and "maximum.reduce" not in body


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
