"""Programs on which two ways to a number once disagreed.

Random ones are in tests/test_random_programs.py.

The value by the reference evaluator against the compiled function, and every gradient by
backpropagation on the graph as written against `Formula.numpy()` and the compiled function.
"""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from tests.programs import Program
from tests.programs.checks import Checks

INPUTS: dict[str, tuple[int, ...]] = {
    "x": (), "y": (), "v": (3,), "w": (3,), "A": (2, 3), "B": (2, 3), "S": (3, 3),
}  # fmt: skip
DECLARED = "".join(f"{n}: param[{', '.join(map(str, s))}]\n" if s else f"{n}: param\n"
                   for n, s in INPUTS.items())  # fmt: skip


def point(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {n: rng.uniform(-1.5, 1.5, s)[()] for n, s in INPUTS.items()}


def agree(text: str, seed: int) -> None:
    c = Checks(Program(text, {n: ("param", s) for n, s in INPUTS.items()}), point(seed))
    c.code("fast")
    c.code("readable")
    c.closed()


ONCE_WRONG = [
    "t0 = log_softmax(A)\nt1 = minimum(t0, t0) + y\nt2 = t0/(A**2 + 1)\n"
    "loss = sum(t0) + sum(t1) + sum(t2)",
    "t0 = 1/((S - max(S))**2 + 1)\nloss = sum(t0)",
    "t0 = norm(B - max(B))\nt1 = log(exp(mish(w/(v**2 + 1))) + exp(v))\nloss = t0 + sum(t1)",
    "t0 = A - max(A)\nt1 = sigmoid(softsign(t0))\nloss = sum(t0) + sum(t1)",
    "t0 = where(A > y, B, w**2)\nt1 = B/sum(t0**2 + 1, axis=1, keepdims=True)/3\n"
    "loss = sum(t0) + sum(t1)",
    "t0 = max(A, axis=(0, 1))*sum(B)\nloss = t0 + A[1, 0]*x",
    "t0 = gelu(sin(w @ w))\nloss = t0",
    "t0 = w[1]\nt1 = log(1 + exp(A)) + t0\nloss = t0 + sum(t1)",
    "t0 = where(x > 0, sqrt(x), y)*sum(where(v > w, log(v - w), v))\nloss = t0",
    "t0 = sum(where(S > 0, sqrt(S), 0)*mean(S, axis=0))\nloss = t0/sum(where(S > 0, 1/S, 1))",
    "t0 = norm(where(v > 0, v**0.5, w))\nt1 = (where(v > 0, v**0.5, w) @ S) @ v\nloss = t0*t1",
]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ONCE_WRONG)
def test_programs_that_once_disagreed(text: str, seed: int) -> None:
    agree(DECLARED + text, seed)


def test_a_wrong_number_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sg.Formula, "numpy", lambda self: "0.123")
    with pytest.raises(AssertionError, match="closed form"):
        agree(DECLARED + "loss = x*y", 0)
