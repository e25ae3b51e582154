"""Programs of many steps: their text is read and written in linear time, and at any depth.

What is counted is nodes that are walked over, which a busy machine does not change.
"""

import sys
from types import FrameType
from typing import Any

import pytest

import symgrad as sg
from symgrad.graph import walk

STEPS = {
    "gates": "h{n} = sigmoid(a*h{k} + x[{k}])*h{k} + (1 - sigmoid(a*h{k} + x[{k}]))*tanh(b*h{k})",
    "logarithms": "h{n} = log(1 + h{k}**2) + a*x[{k}]",
    "relative": "h{n} = h{k} + a*log(a/h{k}) + x[{k}]",
    "limits": "h{n} = max(a*h{k} + x[{k}], 0)",
    "cases": "h{n} = where(h{k} > x[{k}], a*h{k}, b*h{k})",
    "fractions": "h{n} = h{k}/sqrt(h{k}**2 + a**2) + x[{k}]",
    "mixtures": "h{n} = h{k} + log(a*exp(-x[{k}]**2) + (1 - a)*exp(-(x[{k}] - b)**2))",
}


def program(step: str, count: int, every: bool) -> str:
    lines = ["x: data[N]", "a: param; b: param", "h0 = 0.5*a"]
    lines += [step.format(k=k, n=k + 1) for k in range(count)]
    if every:
        terms = (f"log(h{k}) + x[{k - 1}]**2/h{k}" for k in range(1, count + 1))
        return "\n".join([*lines, f"loss = {' + '.join(terms)}"])
    return "\n".join([*lines, f"loss = h{count}**2"])


def walked(text: str) -> int:
    """Count the nodes that are walked over while a text is compiled."""
    count, code = 0, walk.topological.__code__

    def note(frame: FrameType, event: str, answer: Any) -> None:
        nonlocal count
        if event == "return" and frame.f_code is code and answer is not None:
            count += len(answer)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        sg.compile(text, style="fast")
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("every", [False, True], ids=["last", "every"])
@pytest.mark.parametrize("name", STEPS)
def test_compiling_takes_linear_time(name: str, every: bool) -> None:
    some, more = (walked(program(STEPS[name], k, every)) for k in (80, 320))
    assert more < 5 * some, (some, more)


@pytest.mark.parametrize(
    "step, every",
    [
        ("h{n} = h{k}*(1 - h{k})*a + x[{k}]", True),
        ("h{n} = h{k}**2/(1 + h{k}**2) + a*x[{k}]", False),
    ],
)
def test_any_number_of_steps(step: str, every: bool) -> None:
    at = {"x": [0.125] * 300, "a": 0.75, "b": 0.5}
    text = program(step, 300, every) + " + b"
    value, grads = sg.compile(text, style="fast")(**at)
    known, right = sg.compile(text, style="readable")(**at)
    assert value == pytest.approx(known, rel=1e-12)
    assert grads == pytest.approx(right, rel=1e-9)


def test_a_product_with_the_hessian_of_many_steps() -> None:
    at = {"x": [0.125] * 400, "a": 0.75, "b": 0.5}
    text = program("h{n} = sin(h{k})*a + x[{k}]", 400, every=False) + " + b*a"
    along = {"a": 1.0, "b": -2.0}
    found = sg.compile(text, style="readable").hvp(along, **at)
    assert found == pytest.approx(sg.compile(text, style="fast").hvp(along, **at), rel=1e-9)
