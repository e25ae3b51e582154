"""NumPy as compiled functions have it: the same results, by shorter ways."""

import numpy as np
import pytest

from symgrad.codegen.quick import quick

rng = np.random.default_rng(0)
ARRAYS = [rng.normal(size=(4, 5, 6)), rng.normal(size=(4, 5, 6)).transpose(2, 0, 1),
          rng.normal(size=(8, 5, 6))[::2, ::-1], np.zeros((0, 4, 4))]  # fmt: skip


@pytest.mark.parametrize("x", ARRAYS, ids=range(len(ARRAYS)))
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_windows_are_numpys(x: np.ndarray, axis: int, width: int) -> None:
    if x.shape[axis] < width:
        with pytest.raises(ValueError, match="window"):
            quick().lib.stride_tricks.sliding_window_view(x, width, axis)
        return
    found = quick().lib.stride_tricks.sliding_window_view(x, width, axis)
    expected = np.lib.stride_tricks.sliding_window_view(x, width, axis)
    np.testing.assert_array_equal(found, expected)
    assert found.strides == expected.strides and not found.flags.writeable
    assert np.shares_memory(found, x) or not x.size


def test_no_function_looks_for_overrides() -> None:
    made = vars(quick())
    assert not [name for name, f in made.items() if type(f) is type(np.vdot)]
    assert made["copyto"] is np.copyto.__wrapped__
