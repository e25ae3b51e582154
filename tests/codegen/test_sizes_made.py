"""What is too large is asked of the arrays that a call makes, not of those that are written."""

import pickle

import numpy as np
import pytest

import symgrad as sg
from symgrad.parse import sizes

RUNNING = "x: param[N]; S[i] = sum(x[j] for j in N if j <= i); mean(S**2)"
PAIRS = "x: param[N]; sum((x[i] - x[j])**2 for i in N for j in N)"
WHOLE = "x: param[N]; exp(x[:, None] - x)[0, 0]"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a memory of a million entries."""
    monkeypatch.setattr(sizes, "memory", lambda: 8 * 10**6)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("text", "style"), ((RUNNING, "readable"), (RUNNING, "fast"), (PAIRS, "fast"))
)
def test_arrays_that_no_call_makes_need_no_memory(text: str, style: str) -> None:
    f = sg.compile(text, style=style)
    x = np.linspace(0, 1, 3000)
    running = np.cumsum(x)
    true = np.mean(running**2) if text == RUNNING else 2 * (3000 * np.sum(x**2) - np.sum(x) ** 2)
    for g in (f, pickle.loads(pickle.dumps(f))):
        np.testing.assert_allclose(g(x=x)[0], true, rtol=1e-10)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("text", "style"), ((PAIRS, "readable"), (WHOLE, "readable"), (WHOLE, "fast"))
)
def test_arrays_that_are_made_are_refused(text: str, style: str) -> None:
    f = sg.compile(text, style=style)
    for g in (f, pickle.loads(pickle.dumps(f))):
        with pytest.raises(sg.LimitError, match=r"array \(N, N\), has 9000000 .*line 1, column"):
            g(x=np.ones(3000))
        g(x=np.ones(100))


@pytest.mark.usefixtures("small")
def test_rows_of_tiles_are_arrays_too() -> None:
    text = "x: param[N]; sum(tanh(x[i]*x[j]*x[k])**2 for i in N for j in N for k in N)"
    f = sg.compile(text, style="fast")
    with pytest.raises(sg.LimitError, match="entries"):
        f(x=np.ones(2000))


def test_what_goes_through_tiles_has_the_limit_of_the_language() -> None:
    f = sg.compile(PAIRS, style="fast")
    with pytest.raises(sg.LimitError, match=r"\(N, N\), has 40000000000 .*the limit, 10000000000"):
        f(x=np.ones(200_000))
