"""Numbers that data do not give: hidden sizes, settings, penalties that may be left out."""

from typing import Any

import pytest

import symgrad as sg
from symgrad.errors import UsageError
from symgrad.train.numbers import numbers
from symgrad.train.roles import roles

HEAD = "X: data[N, D]; y: data[N]; W: param[D, H]; v: param[H]; p = X @ W @ v; "


def found(loss: str, given: dict[str, Any], sizes: dict[str, int]) -> Any:
    graph = sg.parse(HEAD + loss)
    return numbers(graph, roles(graph), given, sizes)


@pytest.mark.parametrize(
    "loss",
    [
        "mse(p, y) + lam*sum(W**2)",
        "mse(p, y) - lam*sum(v)",
        "mse(p, y) + 0.5*lam*sum(W**2)/N",
        "mse(p, y) + sum(lam*W**2)",
        "mse(p, y) + lam*(sum(W**2) + sum(abs(v)))",
    ],
)
def test_the_weight_of_a_penalty_may_be_left_out(loss: str) -> None:
    sizes, values, notes = found(loss, {}, {"N": 4, "D": 3})
    assert sizes == {"N": 4, "D": 3, "H": 64} and values == {"lam": 0.0}
    assert notes == ["H is not given: 64", "lam is not given: 0, which is no penalty"]


@pytest.mark.parametrize(
    "loss",
    [
        "lam*mse(p, y)",
        "mse(p, y + lam)",
        "mse(p, y) + sum((W - lam)**2)",
        "mse(p, y) + lam*sum(X @ W)",
        "huber(p, y, lam)",
        "mse(p, y) + sum(W**2)/lam",
    ],
)
def test_other_settings_are_asked_for(loss: str) -> None:
    with pytest.raises(UsageError, match="the setting 'lam' has no number"):
        found(loss, {}, {})
    assert found(loss, {"lam": 2, "H": 5}, {}) == ({"H": 5}, {"lam": 2.0}, [])


def test_what_is_given_is_checked() -> None:
    loss = "mse(p, y) + lam*sum(W**2)"
    for given, said in (
        ({"Lam": 1}, "did you mean 'lam'"),
        ({"H": 0}, "whole number from 1"),
        ({"H": 2.5}, "whole number from 1"),
        ({"lam": "x"}, "a finite number"),
        ({"lam": float("inf")}, "a finite number"),
    ):
        with pytest.raises(UsageError, match=said):
            found(loss, given, {})
    with pytest.raises(UsageError, match="the data say D=3"):
        found(loss, {"D": 4}, {"D": 3})
    assert found(loss, {"D": 4}, {})[0] == {"D": 4, "H": 64}
