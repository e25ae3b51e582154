"""BLAS keeps to one thread while a small network is trained, and is as before afterwards."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.train.threads import LARGE, few_threads

pools = pytest.importorskip("threadpoolctl")


def counts() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [p["num_threads"] for p in pools.threadpool_info() if p["user_api"] == "blas"]


@pytest.fixture
def _two() -> Any:
    with pools.threadpool_limits(limits=2, user_api="blas"):
        if set(counts()) != {2}:
            pytest.skip("BLAS has one thread here")
        yield


def test_small_products_have_one_thread(_two: None) -> None:
    with few_threads(64, [(128, 128), (128,)]):
        assert set(counts()) == {1}
    assert set(counts()) == {2}
    with few_threads(LARGE, [(2, 2)]), few_threads(64, []):
        assert set(counts()) == {1}


def test_trainings_that_overlap_give_them_back(_two: None) -> None:
    first, second = few_threads(64, [(2, 2)]), few_threads(64, [(2, 2)])
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert set(counts()) == {1}
    second.__exit__(None, None, None)
    assert set(counts()) == {2}


def test_a_run_gives_them_back(_two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from symgrad.train.run import Run

    seen: list[int] = []
    begun = Run._gone
    monkeypatch.setattr(Run, "_gone", lambda run, resume: (seen.extend(counts()),
                                                           begun(run, resume))[1])  # fmt: skip
    line = "x: data[N]; t: data[N]; w: param; mse(w*x, t)"
    sg.train(line, {"x": [1.0, 2.0], "t": [3.0, 6.0]}, epochs=2)
    assert set(seen) == {1} and set(counts()) == {2}
    with pytest.raises(sg.DivergenceError):
        sg.train(line, {"x": [1.0, 2.0], "t": [3.0, 6.0]}, epochs=99, optimizer="gd", rate=1e200)
    assert set(counts()) == {2}
