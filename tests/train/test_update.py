"""Clipping of gradients: by norm, in place, far out."""

from typing import Any

import numpy as np
import pytest

from symgrad.errors import UsageError
from symgrad.train.update import clip_norm, norm


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_clipping(dtype: str) -> None:
    g = np.array([3.0, -4.0], dtype)
    assert clip_norm(g, 10) == 5.0 and g.tolist() == [3, -4]
    assert clip_norm(g, 2.5) == 5.0 and g.tolist() == [1.5, -2] and g.dtype == dtype
    assert norm(np.zeros(0, dtype)) == 0.0 == clip_norm(np.zeros(3, dtype), 1.0)


def test_norms_far_out() -> None:
    assert norm(np.full(4, 1e30, "f4")) == pytest.approx(2e30)
    assert norm(np.full(4, 1e-30, "f4")) == pytest.approx(2e-30)
    assert norm(np.full(4, 1e-200)) == pytest.approx(2e-200)
    for wrong in (np.nan, np.inf, -np.inf):
        g = np.array([1.0, wrong])
        assert not np.isfinite(clip_norm(g, 1.0)) and g[0] == 1.0
    g = np.full(4, 1e30, "f4")
    clip_norm(g, 1.0)
    np.testing.assert_allclose(g, 0.5, rtol=1e-6)


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), True, "1", None])
def test_limits_that_cannot_be(limit: Any) -> None:
    with pytest.raises(UsageError, match="clipped to a number above 0"):
        clip_norm(np.ones(2), limit)
