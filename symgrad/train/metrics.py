"""How good predictions are: one dictionary of plain numbers for every kind of task.

What a prediction means follows from the task (labels, onehot, binary, sign, multilabel, values)
and its scale (scores, logit, probability, margin, value). Definitions: Manning, Raghavan, Schütze,
Introduction to Information Retrieval, chapters 8 and 13; the area under the curve is the share of
pairs that are in the right order, ties counting half (Hanley and McNeil 1982). What is not defined
(the precision of a class that is never predicted) is 0; the area with one class only is NaN.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from symgrad.errors import DataError, ShapeError, UsageError, near
from symgrad.evaluate import apply
from symgrad.ops import leaf, make
from symgrad.shapes import text

TASKS = ("labels", "onehot", "binary", "sign", "multilabel", "values")
SCALES = ("scores", "logit", "probability", "margin", "value")
CHOICE, PAIR = ("labels", "onehot"), ("binary", "sign")
WIDEST = 40  # classes of a table that fits a terminal

Array = Any  # a NumPy array
Classes = int | Sequence[Any] | None


def measure(
    task: str, prediction: Any, target: Any, classes: Classes = None, scale: str = "scores"
) -> dict[str, Any]:
    """Compare predictions with targets.

    Scores of classes have the last axis; each place of the others is an answer, as in (N, T, C)
    for sequences. For classes: accuracy, balanced_accuracy (the mean recall of the classes that
    occur), precision, recall, f1 (one number per class) and confusion (rows are true, columns
    predicted); for two classes also auc. For multilabel, classes are labels: accuracy counts
    single answers, exact counts rows that are right throughout, confusion has one table per
    label. For values: r2 (the mean over columns), mse, mae, rmse. `classes` is their number or
    their names; names are
    given back under "classes". Raises DataError or ShapeError where the arrays do not fit.

    >>> found = measure("labels", [[2.0, 1.0], [0.0, 3.0], [5.0, 4.0]], [0, 1, 1])
    >>> round(found["accuracy"], 3), found["confusion"]
    (0.667, [[1, 0], [1, 1]])
    >>> measure("values", [1.0, 2.0, 4.0], [1.0, 2.0, 3.0], scale="value")["r2"]
    0.5
    """
    return measure_blocks(task, [(prediction, target)], classes, scale)


def measure_blocks(
    task: str, blocks: Iterable[tuple[Any, Any]], classes: Classes = None, scale: str = "scores"
) -> dict[str, Any]:
    """Do what `measure` does with pairs of predictions and targets, a block of rows each.

    Where one of several classes is chosen, only counts are kept of a block.

    >>> blocks = [([[2.0, 1.0], [0.0, 3.0]], [0, 1]), ([[5.0, 4.0]], [1])]
    >>> measure_blocks("labels", blocks)["confusion"]
    [[1, 0], [1, 1]]
    """
    if task in CHOICE:
        found = _classes(sum(_confused(task, scale, *block) for block in blocks))
    else:
        columns = (list(column) for column in zip(*blocks, strict=True))
        one = (column[0] if len(column) == 1 else np.concatenate(column) for column in columns)
        guess, truth = _pair(task, scale, *one)
        if task == "values":
            return _values(guess, truth)
        answer = _picked(task, scale, guess)
        if task == "multilabel":
            found = _labels(answer, _told(task, truth))
        else:
            right = _told(task, truth)
            found = _classes(confusion(answer, right, 2)) | {"auc": _area(guess, right == 1)}
    return found | _named(len(found["recall"]), classes)


def _confused(task: str, scale: str, prediction: Any, target: Any) -> Array:
    guess, truth = _pair(task, scale, prediction, target)
    count = guess.shape[-1]
    return confusion(_picked(task, scale, guess), _told(task, truth, count), count)


def _named(width: int, classes: Classes) -> dict[str, list[str]]:
    """Check the number of classes, and give their names back."""
    names = [] if classes is None or isinstance(classes, int) else [str(c) for c in classes]
    if classes is not None and (classes if isinstance(classes, int) else len(names)) != width:
        raise DataError(f"classes= names {classes if isinstance(classes, int) else len(names)} "
                        f"classes; the prediction has {width}")  # fmt: skip
    return {"classes": names} if names else {}


def predicted(task: str, scale: str, prediction: Any) -> Array:
    """Give what is predicted: class indices, 0 or 1 per label, or the values themselves.

    Of two classes the second wins above 0, or above 1/2 where the prediction is a probability or,
    for targets 0 and 1, a value. For `sign` the classes are −1 and 1, with the indices 0 and 1.

    >>> predicted("labels", "scores", [[1.0, 3.0], [2.0, 0.0]]).tolist()
    [1, 0]
    """
    return _picked(task, scale, _prediction(task, scale, prediction))


class NoProbabilities(UsageError, AttributeError):
    """A model was asked for probabilities that it does not have; to `hasattr` it has no method."""


def probabilities(task: str, scale: str, prediction: Any) -> Array:
    """Give probabilities: of each class, of the second class, or of each label.

    Raises NoProbabilities for values and margins, which say nothing about them.

    >>> probabilities("binary", "logit", [0.0, 1e4, -1e4]).tolist()
    [0.5, 1.0, 0.0]
    """
    guess = _prediction(task, scale, prediction)
    probable(task, scale)
    if scale == "probability":
        return guess
    node = make("softmax" if task in CHOICE else "sigmoid", leaf("s", guess.shape))
    with np.errstate(all="ignore"):
        return np.asarray(apply(node, [guess], {}))


def probable(task: str, scale: str) -> None:
    """Raise NoProbabilities where a prediction is neither a score, a logit nor a probability."""
    if task == "values" or scale in ("margin", "value"):
        what = "values" if task == "values" else f"{scale}s"
        raise NoProbabilities(
            f"a prediction of {what} has no probabilities",
            hint="use cross_entropy, bce or bce_with_logits as the loss",
        )


def confusion(answer: Any, right: Any, count: int) -> Array:
    """Count how often class i was taken for class j: rows are true, columns predicted.

    >>> confusion([0, 1, 1], [0, 1, 0], 2).tolist()
    [[1, 1], [0, 1]]
    """
    pairs = np.asarray(right) * count + np.asarray(answer)
    return np.bincount(pairs.ravel(), minlength=count * count).reshape(count, count)


def table(confusion: Any, classes: Classes = None) -> str:
    r"""Write a confusion matrix for a terminal: rows are true, columns predicted.

    >>> print(table([[12, 1], [0, 7]], ["cat", "dog"]))
    true \ predicted  cat  dog
    cat                12    1
    dog                 .    7
    """
    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ShapeError(f"a confusion matrix is square, not {text(counts.shape)}")
    own = classes is None or isinstance(classes, int)
    names = [str(c) for c in (range(len(counts)) if own else classes)]  # type: ignore[union-attr]
    if len(names) != len(counts):
        raise DataError(f"{len(names)} names for {len(counts)} classes")
    if len(names) > WIDEST:
        return _worst(counts, names)
    head = "true \\ predicted"
    left = max(len(head), *map(len, names)) if names else len(head)
    widths = [max(len(n), *(len(str(v)) for v in column)) for n, column in
              zip(names, counts.T.tolist(), strict=True)]  # fmt: skip
    lines = [[head, *names]]
    lines += [[n, *(str(v) if v else "." for v in row)]
              for n, row in zip(names, counts.tolist(), strict=True)]  # fmt: skip
    return "\n".join(
        first.ljust(left) + "".join(f"  {v.rjust(w)}" for v, w in zip(rest, widths, strict=True))
        for first, *rest in lines
    )


def _worst(counts: Array, names: list[str], shown: int = 10) -> str:
    """List the most frequent confusions of many classes."""
    off = counts - np.diag(np.diag(counts))
    order = np.argsort(-off, axis=None, kind="stable")[:shown]
    rows, columns = np.unravel_index(order, off.shape)
    lines = [f"{names[i]} taken for {names[j]}: {off[i, j]} times"
             for i, j in zip(rows, columns, strict=True) if off[i, j]]  # fmt: skip
    return "\n".join([f"{len(names)} classes, {np.trace(counts)} of {counts.sum()} right", *lines])


# -- what was given -------------------------------------------------------------------------------


def _known(task: str, scale: str) -> None:
    for what, given, known in (("task", task, TASKS), ("scale", scale, SCALES)):
        if given not in known:
            raise UsageError(f"unknown {what} {given!r}",
                             hint=near(given, known) + f"known are {', '.join(known)}")  # fmt: skip


def _prediction(task: str, scale: str, prediction: Any) -> Array:
    _known(task, scale)
    array = np.asarray(prediction)
    if array.dtype.kind not in "fiub":
        raise DataError(f"a prediction has the dtype {array.dtype}; numbers are expected")
    array = array.astype(np.float64)
    rank = {"labels": 2, "onehot": 2, "multilabel": 2, "binary": 1, "sign": 1}.get(task)
    if task in PAIR and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    longer = task in CHOICE and array.ndim > 2  # a sequence of answers in each row
    if (rank is not None and array.ndim != rank and not longer) or not array.ndim:
        wanted = {1: "(N,)", 2: "(N, C)"}.get(rank or 0, "(N,) or (N, D)")
        raise ShapeError(f"a prediction of {task} is {wanted}, not {text(array.shape)}")
    if not len(array):
        raise DataError("there are no rows to measure or predict")
    if np.isnan(array).any():
        row = int(np.argmax(np.isnan(array).reshape(len(array), -1).any(axis=1)))
        raise DataError(f"the prediction holds NaN, first in row {row}")
    return array


def _pair(task: str, scale: str, prediction: Any, target: Any) -> tuple[Array, Array]:
    """Bring prediction and target to one shape; (N,) against (N, 1) is the same."""
    guess, truth = _prediction(task, scale, prediction), np.asarray(target)
    if truth.dtype.kind not in "fiub":
        raise DataError(f"a target has the dtype {truth.dtype}; numbers are expected")
    wanted = guess.shape[:-1] if task == "labels" else guess.shape
    column = wanted[1:] == (1,)
    if truth.shape == (*wanted, 1) or (column and truth.shape == wanted[:1]):
        truth = truth.reshape(wanted)
    if truth.shape != wanted:
        raise ShapeError(f"the prediction is {text(guess.shape)}, so a target of {task} is "
                         f"{text(wanted)}, not {text(truth.shape)}")  # fmt: skip
    if not np.isfinite(truth).all():
        raise DataError("the target holds NaN or an infinity")
    return guess, truth


def _picked(task: str, scale: str, guess: Array) -> Array:
    if task == "values":
        return guess
    if task in CHOICE:
        return guess.argmax(axis=-1)
    halfway = scale == "probability" or (scale == "value" and task != "sign")
    return (guess > (0.5 if halfway else 0.0)).astype(np.int64)


def _told(task: str, truth: Array, count: int = 2) -> Array:
    """Give the true classes as indices."""
    if task == "onehot":
        return truth.argmax(axis=-1)
    if task in ("sign", "multilabel"):
        low = -1 if task == "sign" or truth.min() < 0 else 0
        if not np.isin(truth, (low, 1)).all():
            raise DataError(f"a target of {task} is {low} or 1")
        return (truth > 0).astype(np.int64)
    if task == "binary" and (truth >= 0).all() and (truth <= 1).all():
        return (truth > 0.5).astype(np.int64)  # a target may be a probability
    whole = truth.astype(np.int64)
    bad = (whole != truth) | (whole < 0) | (whole >= count)
    if bad.any():
        k = int(np.argmax(bad))
        raise DataError(f"the target {truth.flat[k]} at index {k} is outside 0 … {count - 1}")
    return whole


# -- the numbers ----------------------------------------------------------------------------------


def _ratio(above: Any, below: Any) -> Array:
    """Divide, and give 0 where there is nothing to divide by."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.zeros(below.shape), where=below != 0)


def _rates(hits: Array, actual: Array, claimed: Array) -> dict[str, list[float]]:
    return {
        "precision": _ratio(hits, claimed).tolist(),
        "recall": _ratio(hits, actual).tolist(),
        "f1": _ratio(2 * hits, actual + claimed).tolist(),
    }


def _classes(counts: Array) -> dict[str, Any]:
    hits, actual, claimed = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    return {
        "accuracy": float(hits.sum() / counts.sum()),
        "balanced_accuracy": float(_ratio(hits, actual)[actual > 0].mean()),
        **_rates(hits, actual, claimed),
        "confusion": counts.tolist(),
    }


def _labels(answer: Array, right: Array) -> dict[str, Any]:
    hits = (answer * right).sum(axis=0)
    actual, claimed = right.sum(axis=0), answer.sum(axis=0)
    tables = [confusion(a, r, 2).tolist() for a, r in zip(answer.T, right.T, strict=True)]
    return {
        "accuracy": float((answer == right).mean()),
        "exact": float((answer == right).all(axis=1).mean()),
        **_rates(hits, actual, claimed),
        "confusion": tables,
    }


def _area(score: Array, positive: Array) -> float:
    """Compute the area under the curve from mean ranks: U/(n₁ n₀)."""
    n = int(positive.sum())
    m = len(positive) - n
    if not n or not m:
        return float("nan")
    _, place, many = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(many) - (many - 1) / 2)[place]  # from 1; ties share their mean
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def _values(guess: Array, truth: Array) -> dict[str, Any]:
    error = guess - truth
    with np.errstate(over="ignore", invalid="ignore"):
        mse = float(np.mean(error**2))
        left = np.sum(error**2, axis=0)
        spread = np.sum((truth - truth.mean(axis=0)) ** 2, axis=0)
    # a target that does not vary: 1 if it is met, else 0
    r2 = np.where(spread > 0, 1 - _ratio(left, spread), np.where(left > 0, 0.0, 1.0))
    return {
        "r2": float(np.mean(r2)),
        "mse": mse,
        "mae": float(np.mean(np.abs(error))),
        "rmse": mse**0.5,
    }
