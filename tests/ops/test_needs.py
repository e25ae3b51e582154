"""Numbers of which an operator makes no sense are refused where they are typed."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.ops import OPS, const, leaf
from symgrad.ops.faults import unmet

SHAPES = {"v": (4,), "S": (2, 3), "Y": (2, 3)}
REFUSED = [
    ("huber(x, 1, delta=-1)", "huber(p, t, delta) needs 0 < delta < inf; delta is -1"),
    ("huber(x, 1, 0)", "delta is 0"),
    ("huber(x, 1, nan)", "delta is nan"),
    ("d = -2\nhuber(x, 1, d)", "(line 2, column 1)"),
    ("smooth_l1(x, 1, beta=0)", "beta is 0"),
    ("clip(x, 1, 0)", "needs b <= c; b is 1, c is 0"),
    ("clip(x, inf, -inf)", "b is inf, c is -inf"),
    ("clip(x, nan, 1)", "b is nan"),
    ("leaky_relu(x, a=nan)", "a is nan"),
    ("elu(x, -1)", "a is -1"),
    ("celu(x, 0)", "0 < a < inf"),
    ("softplus(x, beta=0)", "beta is 0"),
    ("softmax(v, beta=inf)", "beta is inf"),
    ("swish(x, beta=nan)", "beta is nan"),
    ("hardshrink(x, lam=-1)", "lam is -1"),
    ("softshrink(x, lam=-1)", "lam is -1"),
    ("svm(S, y, delta=-1)", "delta is -1"),
    ("multi_margin(S, y, -1)", "margin is -1"),
    ("bce(x, 2)", "b is 2"),
    ("hinge(x, 0)", "y == 1 or y == -1; y is 0"),
    ("dropout(x, 1.5)", "mask == 0 or mask == 1; mask is 1.5"),
    ("dropout(x, mask, p=1)", "0 <= p < 1; p is 1"),
    ("dropout(x, mask, p='a')", "p is 'a'"),
    ("layer_norm(v, eps=-1)", "eps is -1"),
    ("batch_norm(S, eps=1)", "eps is 1"),
]  # fmt: skip
TAKEN = ["huber(x, 1, 2)", "huber(x, 1, d)", "clip(x, 1, 1)", "clip(x, a, 0)", "clip(x, -inf, 0)",
         "leaky_relu(x, -1)", "elu(x, 0)", "softmax(v, beta=0)", "svm(S, y, 0)", "bce(x, 0.5)",
         "hinge(x, -1)", "dropout(x, 1, p=0)", "layer_norm(v, eps=0)"]  # fmt: skip


def parsed(text: str) -> sg.Graph:
    given = {k: v for k, v in SHAPES.items() if k in text}
    if "y" in text and "S" in text:
        given["y"] = [0, 1]  # type: ignore[assignment]
    return sg.parse(text, given)


@pytest.mark.parametrize(("text", "part"), REFUSED)
def test_refused(text: str, part: str) -> None:
    with pytest.raises(sg.ParseError) as caught:
        parsed(text)
    assert part in str(caught.value) and caught.value.line


@pytest.mark.parametrize("text", TAKEN)
def test_taken(text: str) -> None:
    parsed(text)


def test_the_default_of_every_row_meets_its_needs() -> None:
    for row in OPS.values():
        low, high = row.arity if isinstance(row.arity, tuple) else (row.arity, row.arity)
        count = max(high, len(row.operands)) if high < 100 else low
        names = [leaf(f"x{k}") for k in range(count - len(row.defaults))]
        assert not unmet(row, [*names, *map(const, row.defaults)], row.params), row.name


TARGETS = [
    ("s: param[N, C]; v: real[N]; {}(s, v)", "v: labels[N, C]"),
    ("s: param[C]; v: real; {}(s, v)", "v: label[C]"),
    ("s: param[N, C]; v: real[N, 1]; {}(s, v)", "v[:, 0]"),
    ("s: param[N, C]; t: data[N]; {}(s, 2*t)", "labels are declared"),
]


@pytest.mark.parametrize("loss", ["cross_entropy", "nll", "svm", "multi_margin"])
@pytest.mark.parametrize(("text", "hint"), TARGETS)
def test_targets_that_are_none_are_refused_when_they_are_typed(
    loss: str, text: str, hint: str
) -> None:
    with pytest.raises((sg.ParseError, sg.ShapeError)) as caught:
        sg.parse(text.format(loss))
    assert hint in str(caught.value) and caught.value.line == 1


def test_soft_targets_are_real_rows() -> None:
    at = {"s": np.array([[1.0, 2.0]]), "v": np.array([[1.5, 3.0]])}
    text = "s: param[N, C]; v: real[N, C]; cross_entropy(s, v)"
    expected = sg.backprop(text, at, wrt=("s", "v"))
    for style in ("fast", "readable"):
        value, grads = sg.compile(text, ("s", "v"), style=style)(**at)
        assert np.allclose(value, expected.value)
        assert all(np.allclose(grads[k], expected.grad[k]) for k in at)
