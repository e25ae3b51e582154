"""What is declared beside a shape: data that break it are refused; empty and single batches."""

import itertools
import pickle
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg

SIGN = "y: sign[N]\ns: param[N]\nhinge(s, y)"
BINARY = "y: binary[N]\ns: param[N]\nbce_with_logits(s, y)"
ONEHOT = "y: onehot[N, C]\ns: param[N, C]\ncross_entropy(s, y)"
SIMPLEX = ONEHOT.replace("onehot", "simplex")
SYMMETRIC = "y: symmetric[D, D]\ns: param[D]\ns @ y @ s"
POSITIVE = "y: positive[N]\ns: param[N]\nsum(log(y)*s)"
NUMBER = "y: positive\ns: param\nlog(y)*s"
NUMBERS = "y: sign\ns: param\nhinge(s, y)"
rng = np.random.default_rng(0)
FOUR, ROWS, TWO = rng.normal(size=4), rng.normal(size=(4, 2)), np.array([1.0, 2.0])
HOT = np.eye(2)[[0, 1, 1, 0]]
FACTS: list[
    tuple[str, Any, Any, Any, str]
] = [  # program, s, what fits, what does not, what is said
    (SIGN, FOUR, [1, -1, -1, 1], [0, 1, 1, 0], "2*y - 1"),
    (SIGN, FOUR, [1, -1, -1, 1.001], [1, -1, 2, 1], "the entry at index 2 is 2"),
    (SIGN, FOUR, [1, 1, 1, 1], [1, -1, np.nan, 1], "at index 2 is nan"),
    (BINARY, FOUR, [0, 1, 1, 0], [1, -1, 1, -1], "(y + 1)/2"),
    (BINARY, FOUR, [False, True, True, False], [0, 0.5, 1, 0], "the entry at index 1 is 0.5"),
    (BINARY, FOUR, [1e-3, 1, 1, 0], [0, 2, 1, 0], "y: data[N]"),
    (BINARY, FOUR, [0, 1, 1, 0], [0, 1, np.inf, 0], "the entry at index 2 is inf"),
    (BINARY, FOUR, [0, 1, 1, 0], [0, 1e200, 1, 0], "the entry at index 1 is 1e+200"),
    (SIGN, FOUR, [1, -1, -1, 1], [1, -1e200, 1, 1], "the entry at index 1 is -1e+200"),
    (SIMPLEX, ROWS, HOT, np.tile([np.inf, -np.inf], (4, 1)), "with the sum nan"),
    (ONEHOT, ROWS, HOT, np.ones((4, 2)), "the row at index 0 is [1, 1], with the sum 2"),
    (ONEHOT, ROWS, HOT.astype(bool), np.full((4, 2), 0.5), "y: simplex[N, C]"),
    (ONEHOT, ROWS, HOT.astype(int), HOT * [[1], [1], [0], [1]], "at index 2"),
    (SIMPLEX, ROWS, np.full((4, 2), 0.5), np.full((4, 2), 0.6), "sum 1.2"),
    (SIMPLEX, ROWS, HOT, np.tile([1.5, -0.5], (4, 1)), "[1.5, -0.5]"),
    (SYMMETRIC, TWO, [[1, 2], [2, 3]], [[1, 2], [4, 3]], "the entry at [0, 1] is 2, the one at"),
    (SYMMETRIC, TWO, [[1e9, 2], [2, 3]], [[1, 2], [-2, 3]], "(y + y.T)/2"),
    (POSITIVE, TWO, [1, 2], [1, -2], "the entry at index 1 is -2"),
    (POSITIVE, TWO, [1e-300, np.nan], [0, 1], "y: real[N]"),
    (NUMBER, 2.0, 3.0, -1.0, "above 0; it is -1"),
    (NUMBER, 2.0, 3, 0, "above 0; it is 0"),
    (NUMBERS, 2.0, -1.0, 0.0, "2*y - 1"),
    (NUMBERS, 2.0, 1, 0.5, "it is 0.5"),
]


@pytest.mark.parametrize(
    ("program", "s", "good", "wrong"),
    [
        (SIGN, FOUR, np.array([1, -1, 1, 1], np.int8), np.array([1, 127, -127, 1], np.int8)),
        (SIGN, FOUR, np.ones(4, np.uint8), np.array([1, 255, 1, 1], np.uint8)),
        (SIMPLEX, ROWS, HOT.astype(bool), np.ones((4, 2), bool)),
        (BINARY, FOUR, np.ones(4, bool), np.full(4, 255, np.uint8)),
    ],
)
def test_bytes_and_truth_values_are_numbers(program: str, s: Any, good: Any, wrong: Any) -> None:
    """127² and 255² are 1 in a byte, and a sum of truth values is at most 1."""
    f = sg.compile(program)
    assert f(s=s, y=good)[0] == f(s=s, y=good.copy())[0] == f(s=s, y=good.astype(float))[0]
    f(s=s, y=good)
    with pytest.raises(sg.DataError, match="is declared"):
        f(s=s, y=wrong)


@pytest.mark.parametrize("body", ["correlate(x, w)", "convolve(x, w)"])
def test_nothing_slides_along_nothing(body: str) -> None:
    text = f"x: data[N]; w: param[K]; sum({body}**2)"
    for style in ("fast", "readable"):
        f = sg.compile(text, style=style)
        with pytest.raises(sg.DataError, match=r"of nothing: the shape \(K,\) has no entries"):
            f(x=TWO, w=[])
    f = sg.compile("x: data[N]; w: param[K]; y[i] = sum(w[k]*x[i+k] for k in K); sum(y**2)")
    with pytest.raises(sg.DataError, match="empty: K = 0"):
        f(x=TWO, w=[])


@pytest.mark.parametrize(("program", "s", "good", "wrong", "part"), FACTS)
def test_data_that_break_a_declaration_are_refused(
    program: str, s: Any, good: Any, wrong: Any, part: str
) -> None:
    good, wrong = (v if np.ndim(v) == 0 else np.asarray(v, float) for v in (good, wrong))
    sg.backprop(sg.parse(program), {"s": s, "y": good})
    with pytest.raises(sg.DataError) as caught:
        sg.backprop(sg.parse(program), {"s": s, "y": wrong})
    assert part in str(caught.value) and "(line 1, column 1)" in str(caught.value)
    for f in (sg.compile(program), sg.compile(program, style="readable", dtype="float32")):
        first = f(s=s, y=good)
        for k in range(3):  # a call that goes straight to the program looks, too
            with pytest.raises(sg.DataError) as caught:
                f(s=s, y=wrong if k else np.copy(wrong)[()])
            assert part in str(caught.value)
            again = f(s=s, y=good if k else np.copy(good)[()])
            assert np.array_equal(again[0], first[0], equal_nan=True)
        with pytest.raises(sg.DataError):
            pickle.loads(pickle.dumps(f))(s=s, y=wrong)


def test_many_inputs_are_looked_at_too() -> None:
    names = [f"x{k}" for k in range(70)]
    f = sg.compile("y: sign[N]\n" + "".join(f"{n}: param\n" for n in names)
                   + f"sum(y)*({' + '.join(names)})")  # fmt: skip
    g = sg.compile("y: sign\n" + "".join(f"{n}: param\n" for n in names)
                   + f"y*({' + '.join(names)})")  # fmt: skip
    given = dict.fromkeys(names, 1.0)
    for _ in range(2):
        assert f(y=np.array([1.0, 1.0]), **given)[0] == 140 and g(y=1.0, **given)[0] == 70
        for wrong, call in ((np.array([0.0, 1.0]), f), (0.0, g)):
            with pytest.raises(sg.DataError, match="declared sign"):
                call(y=wrong, **given)


EMPTY = {
    "sum(X**2)": 0.0, "sum(relu(X @ W))": 0.0, "sum(softmax(X @ W))": 0.0, "norm(X)": 0.0,
    "sum(max(X, axis=1))": 0.0, "sum(mean(X, axis=1))": 0.0, "prod(1 + X)": 1.0,
    "sum(X.T @ X)": 0.0, "N*sum(W)": 0.0, "sum(X)/(N + 1)": 0.0, "min(W) + sum(X)": 1.0,
    "sum(batch_norm(X, 1, 0, mean(W), 1))": 0.0, "mse(X, 2*X, reduction='sum')": 0.0,
    "mean(X)": "mean of nothing", "max(X)": "max of nothing", "sum(var(X, axis=0))": "of nothing",
    "logsumexp(X)": "of nothing", "mse(X, 2*X)": "mse of nothing", "sum(batch_norm(X))": "nothing",
    "sum(X)/N": "division by 0", "sum(X)*(1/(2*N))": "division by 0", "sum(X)*N**-1": "by 0",
    "sum(min(X, axis=0))": "min of nothing", "std(X)": "std of nothing",
}  # fmt: skip


@pytest.mark.parametrize("program", EMPTY)
def test_a_batch_of_nothing_and_of_one(program: str) -> None:
    text = f"X: param[N, D]\nW: param[D, C]\n{program}"
    nothing, one, W = np.ones((0, 3)), np.ones((1, 3)), np.ones((3, 2))
    ways = [lambda X: (lambda b: (b.value, dict(b.grad)))(sg.backprop(text, {"X": X, "W": W})),
            lambda X: sg.compile(text)(X=X, W=W),
            lambda X: sg.compile(text, style="readable")(X=X, W=W)]  # fmt: skip
    expected = EMPTY[program]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", sg.SymgradWarning)
        for way in ways:
            if isinstance(expected, str):
                with pytest.raises(sg.DataError, match=expected):
                    way(nothing)
            else:
                value, grads = way(nothing)
                assert value == expected and grads["X"].shape == (0, 3)
                assert grads["W"].shape == (3, 2)
            assert np.isfinite(way(one)[0]) and way(one)[1]["X"].shape == (1, 3)


def test_standardising_one_row_is_warned_about() -> None:
    text, one = "X: param[N, D]\nsum(batch_norm(X)**2)", {"X": np.ones((1, 3))}
    for call in (lambda: sg.backprop(text, one), lambda: sg.compile(text)(**one)):
        with pytest.warns(sg.SymgradWarning, match="one entry is standardised"):
            call()


def test_whole_numbers_do_not_wrap_round() -> None:
    for text, x, value in (
        ("sum(x*x)", [2**40, 1], 2.0**80 + 1),
        ("prod(x)", [2**31, 2**31, 4], 2.0**64),
        ("x @ x", [2**32, 1], 2.0**64 + 1),
        ("sum(abs(x))", [-(2**63), 0], 2.0**63),
        ("sum(cumsum(x))", [2**62, 2**62], 3 * 2.0**62),
        ("norm(x)", [3, 4], 5.0),
        ("sum(x**-1)", [1, 2], 1.5),
    ):
        assert sg.backprop(text, {"x": x}, wrt=[]).value == value
        f = sg.compile(sg.parse(text, {"x": x}), wrt=[])
        assert f(x=np.array(x))[0] == value == f(x=x)[0]


@pytest.mark.parametrize("loss", ["cross_entropy", "nll", "svm", "multi_margin", "zero_one"])
@pytest.mark.parametrize("wrong", [[0, -1], [0, 2], [-1, 0], np.array([0, 255], np.uint8)])
@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
def test_undeclared_labels_are_looked_at(loss: str, wrong: Any) -> None:
    scores = [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(sg.DataError, match="outside 0 … 1"):
        sg.backprop(f"{loss}(s, y)", {"s": scores, "y": wrong}, wrt=[])
    f = sg.compile(sg.parse(f"{loss}(s, y)", {"s": scores, "y": [0, 1]}), wrt=[])
    for _ in range(2):
        f(s=np.array(scores), y=np.array([0, 1]))
        with pytest.raises(sg.DataError, match="outside 0 … 1"):
            f(s=np.array(scores), y=np.array(wrong))


ALIKE = ("sum(x*y)", "sum(x + y)", "x @ y", "sum(x - y) + sum(x)", "sum(x*x)/2 + sum(y)", "x",
         "x + 0", "1*x", "x[1:]", "maximum(x, x)", "outer(x, y).T")  # fmt: skip


@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_share_nothing_and_keep_their_type(style: str, dtype: str) -> None:
    x, y = (rng.normal(size=5).astype(dtype) for _ in "xy")
    before = x.copy(), y.copy()
    for text in ALIKE:
        wrt = None if text[:3] in ("sum", "x @") else []
        f = sg.compile(f"x: param[N]\ny: param[N]\n{text}", wrt, dtype, style)
        one, two, three = f(x=x, y=y), f(x=x, y=y), f(x=x, y=x)
        results = [r for v, g in (one, two, three) for r in (v, *g.values())]
        assert all(r.dtype == dtype for r in results)
        for a, b in itertools.combinations([*results, x, y], 2):
            assert not np.shares_memory(a, b), text
        assert np.array_equal(x, before[0]) and np.array_equal(y, before[1])


def test_eight_threads_with_right_and_wrong_data() -> None:
    f = sg.compile("X: data[N, D]\nW: param[D, H]\nY: onehot[N, H]\ncross_entropy(tanh(X @ W), Y)")
    data = [{"X": rng.normal(size=(8 + k % 3, 4)), "W": rng.normal(size=(4, 3)),
             "Y": np.eye(3)[rng.integers(0, 3, 8 + k % 3)]} for k in range(8)]  # fmt: skip
    expected = [f(**d) for d in data]
    lost: list[int] = []

    def work(k: int) -> None:
        for turn in range(60):
            value, grads = f(**{**data[k], "Y": data[k]["Y"].copy() if turn % 2 else data[k]["Y"]})
            same = value == expected[k][0] and np.array_equal(grads["W"], expected[k][1]["W"])
            try:
                f(**{**data[k], "Y": 2 * data[k]["Y"]})
                same = False
            except sg.DataError:
                pass
            lost.extend([] if same else [k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not lost


def test_data_in_shapes_are_checked_as_those_of_a_call() -> None:
    for program, s, good, wrong, part in FACTS:
        if np.ndim(good) or not isinstance(good, float):  # a float is a scalar, as everywhere
            sg.parse(program, {"y": np.asarray(good, float), "s": np.asarray(s)})
        with pytest.raises(sg.DataError) as caught:
            sg.parse(program, {"y": np.asarray(wrong, float), "s": np.asarray(s)})
        assert part in str(caught.value) and caught.value.line == 1


def test_labels_in_shapes() -> None:
    many, one = "s: param[N, C]; y: labels[N, C]; ", "s: param[C]; y: label[C]; "
    loss, S = "cross_entropy(s, y)", np.zeros((2, 3))
    for good in ([0, 2], [0.0, 2.0], [True, False], np.array([1, 2], np.uint8)):
        sg.parse(many + loss, {"y": good, "s": S})
    for scalar in (2, 2.0, True, np.int8(1), np.array(1)):
        sg.parse(one + loss, {"y": scalar, "s": S[0]})
    wrong: list[tuple[str, Any, Any, str]] = [
        (many, [0, 3], S, "label 3 at index 1 of 'y' is outside 0 … 2, as C = 3"),
        (many, [0, -1], S, "label -1 at index 1"),
        (many, [0, 1.5], S, "whole numbers; the one at index 1 is 1.5"),
        (many, [0, np.nan], S, "is nan"),
        (one, 3, S[0], "label 3 of 'y' is outside"),
        (one, 0.5, S[0], "it is 0.5"),
    ]
    for text, y, scores, part in wrong:
        for given in ({"y": y, "s": scores}, {"s": scores, "y": y}):
            with pytest.raises(sg.DataError) as caught:
                sg.parse(text + loss, given)
            assert part in str(caught.value) and caught.value.line == 1
    sg.parse(many + loss, {"y": (2,), "s": (2, 3)})  # shapes: there is nothing to look at


@pytest.mark.parametrize(("program", "y", "part"), [
    ("hinge(s, y)", [0, 1], "2*y - 1  makes signs of 0 and 1"),
    ("s: param[N]\ny: data[N]\nsoft_margin(s, y)", [1, 0], "'y' at index 1 is 0"),
    ("squared_margin(s, y)", [1, 3], "needs y == 1 or y == -1; 'y' at index 1 is 3"),
    ("bce_with_logits(s, y)", [-1, 1], "(y + 1)/2  makes 0 and 1 of signs"),
    ("bce(sigmoid(s), y)", [0.5, 1.5], "needs 0 <= b <= 1; 'y' at index 1 is 1.5"),
])  # fmt: skip
def test_targets_that_are_not_what_a_loss_needs_are_warned_of(
    program: str, y: list[float], part: str
) -> None:
    at = {"s": np.array([1.0, 2.0]), "y": np.array(y, float)}
    g = sg.parse(program, at)
    ways = [lambda: sg.backprop(g, at), lambda: sg.compile(g)(**at),
            lambda: sg.compile(g, style="readable")(**at)]  # fmt: skip
    for way in ways:
        with pytest.warns(sg.SymgradWarning) as caught:
            way()
        assert part in str(caught[0].message)
        at["y"] = np.array([1.0, 1.0])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            way()
        at["y"] = np.array(y, float)


def test_what_no_array_can_be_made_of_is_named_where_it_stands() -> None:
    values: tuple[tuple[Any, str], ...] = (
        (np.array([None, 1]), "dtype object"), ("ab", "the text 'ab'"), (None, "is None"),
    )  # fmt: skip
    for value, part in values:
        with pytest.raises(sg.DataError) as caught:
            sg.backprop("a*2\nsum(a*b)", {"a": [1.0], "b": value})
        assert part in str(caught.value) and (caught.value.line, caught.value.column) == (2, 7)
