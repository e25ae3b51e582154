"""Metrics: worked by hand, and in agreement with scikit-learn where it is installed."""

import json
import math
from typing import Any

import numpy as np
import pytest

from symgrad.errors import DataError, ShapeError, UsageError
from symgrad.train.metrics import TASKS, measure, predicted, probabilities, table

RNG = np.random.default_rng(0)


def plain(value: Any) -> bool:
    """Say whether a result is made of Python's own numbers, texts and lists."""
    if isinstance(value, dict):
        return all(type(k) is str and plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(plain, value))
    return type(value) in (int, float, str)


def test_classes_by_hand() -> None:
    scores = np.eye(3)[[0, 0, 1, 1, 1, 0]]
    found = measure("labels", scores, [0, 0, 0, 1, 1, 2], ["a", "b", "c"])
    assert found["confusion"] == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found["precision"] == pytest.approx([2 / 3, 2 / 3, 0])
    assert found["recall"] == pytest.approx([2 / 3, 1, 0])
    assert found["f1"] == pytest.approx([2 / 3, 4 / 5, 0])
    assert found["classes"] == ["a", "b", "c"]
    assert plain(found)
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("task", "scale", "prediction", "target"),
    [
        ("binary", "logit", [-1.0, 2.0, 0.5, -3.0], [0, 1, 0, 1]),
        ("binary", "scores", [[-1.0], [2.0], [0.5], [-3.0]], [0, 1, 0, 1]),
        ("binary", "margin", [-1.0, 2.0, 0.5, -3.0], [[0], [1], [0], [1]]),
        ("binary", "probability", [0.2, 0.9, 0.6, 0.1], [False, True, False, True]),
        ("binary", "value", [0.2, 0.9, 0.6, 0.1], [0.0, 1.0, 0.0, 1.0]),
        ("sign", "value", [-0.2, 0.2, 0.1, -0.3], [-1, 1, -1, 1]),
        ("sign", "probability", [0.2, 0.9, 0.6, 0.1], [-1, 1, -1, 1]),
    ],
)
def test_two_classes(task: str, scale: str, prediction: Any, target: Any) -> None:
    found = measure(task, prediction, target, scale=scale)
    assert found["confusion"] == [[1, 1], [1, 1]]
    assert found["accuracy"] == 0.5
    assert found["auc"] == 0.5
    assert predicted(task, scale, prediction).tolist() == [0, 1, 1, 0]
    assert plain(found)


def test_ties_count_half_in_the_area() -> None:
    assert measure("binary", [0.0, 0.0, 0.0], [0, 1, 1], scale="logit")["auc"] == 0.5
    assert measure("binary", [1.0, 1.0, 2.0], [0, 1, 1], scale="logit")["auc"] == 0.75
    assert measure("binary", [1.0, np.inf], [0, 1], scale="logit")["auc"] == 1.0
    assert math.isnan(measure("binary", [1.0, 2.0], [1, 1], scale="logit")["auc"])


def test_values_by_hand() -> None:
    found = measure("values", [[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0], scale="value")
    assert found == {"r2": 0.5, "mse": 1 / 3, "mae": 1 / 3, "rmse": (1 / 3) ** 0.5}
    assert measure("values", [1.0, 1.0], [1.0, 1.0])["r2"] == 1.0
    assert measure("values", [1.0, 2.0], [1.0, 1.0])["r2"] == 0.0
    assert measure("values", [1e200], [-1e200])["mse"] == math.inf
    assert plain(found)


def test_multilabel_by_hand() -> None:
    found = measure("multilabel", [[1.0, -1], [1, 1], [-1, -1]], [[1, 0], [0, 1], [0, 1]])
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["exact"] == pytest.approx(1 / 3)
    assert found["confusion"] == [[[1, 1], [0, 1]], [[1, 0], [1, 1]]]
    assert found["recall"] == [1.0, 0.5]
    signs = measure("multilabel", [[1.0, -1], [1, 1], [-1, -1]], [[1, -1], [-1, 1], [-1, 1]])
    assert signs == found
    assert plain(found)


def test_probabilities_are_stable() -> None:
    p = probabilities("labels", "scores", [[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]])
    assert p.tolist() == [[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]
    p = probabilities("multilabel", "logit", np.array([[1e4, -1e4, 0.0]], np.float32))
    assert p.tolist() == [[1.0, 0.0, 0.5]]
    assert probabilities("binary", "logit", [[2.0]])[0] == 1 / (1 + math.exp(-2))
    assert probabilities("binary", "probability", [0.3]).tolist() == [0.3]
    for task, scale in (("values", "value"), ("sign", "margin"), ("binary", "value")):
        with pytest.raises(UsageError, match="no probabilities"):
            probabilities(task, scale, [1.0])


def test_table_aligns() -> None:
    assert table([[10, 0], [2, 5]]) == (
        "true \\ predicted   0  1\n"
        "0                 10  .\n"
        "1                  2  5"
    )  # fmt: skip
    big = np.eye(50, dtype=int)
    big[3, 7] = 4
    assert table(big) == "50 classes, 50 of 54 right\n3 taken for 7: 4 times"
    with pytest.raises(DataError, match="1 names for 2 classes"):
        table([[1, 0], [0, 1]], ["a"])
    with pytest.raises(ShapeError, match="is square"):
        table([1, 2])


@pytest.mark.parametrize(
    ("task", "prediction", "target", "error", "said"),
    [
        ("labels", [[1.0, 2.0]], [2], DataError, "target 2 at index 0 is outside 0 … 1"),
        ("labels", [[1.0, 2.0]], [-1], DataError, "outside 0 … 1"),
        ("labels", [[1.0, 2.0]], [0.5], DataError, "target 0.5 at index 0"),
        ("labels", [[1.0, 2.0]], [0, 1], ShapeError, r"is \(1,\), not \(2,\)"),
        ("labels", [1.0, 2.0], [0, 1], ShapeError, r"is \(N, C\), not \(2,\)"),
        ("onehot", [[1.0, 2.0]], [1], ShapeError, r"is \(1, 2\), not \(1,\)"),
        ("binary", [[1.0, 2.0]], [1], ShapeError, r"is \(N,\), not \(1, 2\)"),
        ("sign", [1.0, 2.0], [0, 1], DataError, "a target of sign is -1 or 1"),
        ("multilabel", [[1.0, 2.0]], [[0, 2]], DataError, "is 0 or 1"),
        ("values", [1.0], ["a"], DataError, "dtype <U1"),
        ("values", ["a"], [1.0], DataError, "dtype <U1"),
        ("values", [1.0, np.nan], [1.0, 2.0], DataError, "NaN, first in row 1"),
        ("values", [1.0, 2.0], [1.0, np.nan], DataError, "target holds NaN"),
        ("values", [], [], DataError, "no rows"),
        ("values", 1.0, 1.0, ShapeError, r"\(N,\) or \(N, D\)"),
        ("values", [[1.0, 2.0]], 1.0, ShapeError, r"\(1, 2\), not \(\)"),
        ("label", [1.0], [1.0], UsageError, "did you mean 'labels'"),
    ],
)
def test_what_does_not_fit_is_told(
    task: str, prediction: Any, target: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        measure(task, prediction, target)


def test_the_number_of_classes_is_checked() -> None:
    with pytest.raises(DataError, match="names 3 classes; the prediction has 2"):
        measure("labels", [[1.0, 2.0]], [0], ["a", "b", "c"])
    with pytest.raises(DataError, match="names 3 classes"):
        measure("labels", [[1.0, 2.0]], [0], 3)
    with pytest.raises(UsageError, match="did you mean 'logit'"):
        measure("labels", [[1.0, 2.0]], [0], scale="logits")


# -- against scikit-learn --------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_agreement_with_scikit_learn(task: str) -> None:
    theirs = pytest.importorskip("sklearn.metrics")
    n, c = 200, 5
    if task == "values":
        truth, guess = RNG.normal(size=(n, 3)), RNG.normal(size=(n, 3))
        found = measure(task, guess, truth, scale="value")
        assert found["r2"] == pytest.approx(theirs.r2_score(truth, guess), rel=1e-12)
        assert found["mse"] == pytest.approx(theirs.mean_squared_error(truth, guess), rel=1e-12)
        assert found["mae"] == pytest.approx(theirs.mean_absolute_error(truth, guess), rel=1e-12)
        assert found["rmse"] == found["mse"] ** 0.5
        return
    if task in ("labels", "onehot"):
        right = RNG.integers(0, c - 1, n)  # the last class never occurs
        guess = RNG.normal(size=(n, c)) + 2 * np.eye(c)[right]
        truth = right if task == "labels" else np.eye(c)[right]
    elif task == "multilabel":
        right = truth = RNG.integers(0, 2, (n, c))
        guess = RNG.normal(size=(n, c)) + right
    else:
        right = RNG.integers(0, 2, n)
        truth = right if task == "binary" else 2 * right - 1
        guess = np.round(RNG.normal(size=n) + right, 1)  # with ties
    found = measure(task, guess, truth)
    answer = predicted(task, "scores", guess)
    many = {"labels": list(range(c)), "average": None, "zero_division": 0}
    many = many if task in ("labels", "onehot") else {"average": None, "zero_division": 0}
    rates = theirs.precision_recall_fscore_support(right, answer, **many)
    for name, expected in zip(("precision", "recall", "f1"), rates, strict=False):
        assert found[name] == pytest.approx(expected.tolist(), rel=1e-12)
    if task == "multilabel":
        assert found["confusion"] == theirs.multilabel_confusion_matrix(right, answer).tolist()
        assert found["exact"] == pytest.approx(theirs.accuracy_score(right, answer))
        assert found["accuracy"] == pytest.approx(1 - theirs.hamming_loss(right, answer))
        return
    labels = list(range(c)) if task in ("labels", "onehot") else [0, 1]
    expected = theirs.confusion_matrix(right, answer, labels=labels)
    assert found["confusion"] == expected.tolist()
    assert found["accuracy"] == pytest.approx(theirs.accuracy_score(right, answer))
    balanced = theirs.balanced_accuracy_score(right, answer)
    assert found["balanced_accuracy"] == pytest.approx(balanced, rel=1e-12)
    if task in ("binary", "sign"):
        assert found["auc"] == pytest.approx(theirs.roc_auc_score(right, guess), rel=1e-12)


def test_sequences_count_each_answer() -> None:
    rng = np.random.default_rng(0)
    scores, right = rng.normal(size=(5, 7, 3)), rng.integers(3, size=(5, 7))
    found = measure("labels", scores, right)
    flat = measure("labels", scores.reshape(-1, 3), right.ravel())
    assert found == flat
    assert measure("onehot", scores, np.eye(3)[right]) == flat
    assert predicted("labels", "scores", scores).shape == (5, 7)
    assert np.allclose(probabilities("labels", "scores", scores).sum(axis=-1), 1)
    with pytest.raises(ShapeError, match=r"\(5, 7\), not \(5,\)"):
        measure("labels", scores, right[:, 0])
