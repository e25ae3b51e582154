"""The loop of training, step by step against one that is spelled out, and runs that are stopped."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.train import checkpoint, functions
from symgrad.train.data import load
from symgrad.train.estimator import Estimator
from symgrad.train.functions import Network
from symgrad.train.loop import DROPOUT, ORDER
from symgrad.train.optimizers import OPTIMIZERS, optimizer
from symgrad.train.run import Run
from symgrad.train.schedules import schedule
from symgrad.train.settings import Settings

ROWS, BATCH, EPOCHS = 50, 16, 4  # the last batch of an epoch has 2 rows
CLASSIFIER = """
X: data[N, D];  y: labels[N, C]
W1: param[D, H];  b1: param[H]
W2: param[H, C];  b2: param[C]
h = tanh(X @ W1 + b1)
loss = cross_entropy(h @ W2 + b2, y)
"""
DEEP = """
X: data[N, D];  y: labels[N, C];  m: binary[N, H]
W1: param[D, H];  g: param[H];  b: param[H]
W2: param[H, C];  b2: param[C];  s: param
h = dropout(relu(batch_norm(X @ W1, g, b)), m, p=0.25)
loss = cross_entropy(exp(s) * h @ W2 + b2, y)
"""


@pytest.fixture(autouse=True, scope="module")
def compiled_once() -> Iterator[None]:
    """Compile each program once: the runs here are of a few models, with many settings."""
    kept: dict[Any, Any] = {}
    build = functions.build

    def once(graph: Any, wrt: Any, dtype: str, style: str, **options: Any) -> Any:
        key = (graph.outputs, tuple(graph.names.items()), tuple(graph.inputs), tuple(wrt), dtype,
               style, tuple(options.items()))  # fmt: skip
        if key not in kept:
            kept[key] = build(graph, wrt, dtype, style, **options)
        return kept[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(functions, "build", once)
        yield


def rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, 3))
    return X, (X[:, 0] + 0.5 * rng.standard_normal(ROWS) > 0).astype(int) + (X[:, 1] > 1)


def values(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((ROWS, 3))
    return X, X @ [1.0, -2.0, 0.5] + 0.3 + 0.1 * rng.standard_normal(ROWS)


def trained(model: Any = CLASSIFIER, data: Any = None, **settings: Any) -> Estimator:
    settings = {"batch": BATCH, "epochs": EPOCHS, "optimizer": "gd", "rate": 0.3} | settings
    if isinstance(model, str) and "H]" in model:
        settings["values"] = {"H": 5} | settings.get("values", {})
    return sg.train(model, rows() if data is None else data, progress=False, **settings)


def batches(seed: int = 0, shuffle: bool = True, batch: int = BATCH) -> Iterator[np.ndarray]:
    """Give the rows of each step as the documentation says that they are drawn."""
    for epoch in range(EPOCHS):
        order = np.arange(ROWS)
        if shuffle:
            order = np.random.default_rng((seed, ORDER, epoch)).permutation(ROWS)
        for k in range(0, ROWS, batch):
            yield order[k : k + batch]


def by_hand(
    text: str,
    data: dict[str, np.ndarray],
    start: dict[str, Any],
    steps: Iterator[np.ndarray],
    change: Callable[[int, dict[str, Any]], dict[str, Any]] = lambda k, g: g,
    more: Callable[[int, int], dict[str, Any]] = lambda k, n: {},
    rate: float = 0.3,
) -> tuple[dict[str, Any], list[tuple[int, float]]]:
    """Descend with the gradient of the text as it is; give parameters, and rows and loss a step."""
    function = sg.compile(sg.parse(text), wrt=list(start), style="readable")
    params = {k: np.array(v, float) for k, v in start.items()}
    seen = []
    for k, index in enumerate(steps):
        part = {name: array[index] for name, array in data.items()}
        given = {n: v if v.shape else float(v) for n, v in params.items()}
        value, found = function(**part, **given, **more(k, len(index)))
        found = change(k, found)
        params = {name: params[name] - rate * found[name] for name in params}
        seen.append((len(index), float(value)))
    return params, seen


def begun(model: str = CLASSIFIER, data: Any = None, **settings: Any) -> dict[str, Any]:
    """Give the parameters that training starts with."""
    settings = Settings(values={"H": 5} if "H]" in model else {}, **settings)
    graph = sg.parse(model)
    network = Network(graph, settings)
    run = Run(graph, load(data or rows(), graph, network.roles), settings, network=network)
    return run.layout.views(run.start().vector)


def close(made: Estimator, expected: dict[str, Any], rtol: float = 1e-10) -> None:
    assert set(made.params_) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(made.params_[name], value, rtol, 1e-12, err_msg=name)


def epochs_of(seen: list[tuple[int, float]]) -> list[float]:
    """Average the losses of the steps over the rows of each epoch."""
    per = len(seen) // EPOCHS
    parts = [seen[k * per : (k + 1) * per] for k in range(EPOCHS)]
    return [sum(n * v for n, v in part) / sum(n for n, _ in part) for part in parts]


# -- steps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 16, 49, 64, None])
@pytest.mark.parametrize("shuffle", [True, False])
def test_batches(batch: int | None, shuffle: bool) -> None:
    X, y = rows()
    whole = batch is None or batch >= ROWS
    steps = batches(3, shuffle and not whole, min(batch or ROWS, ROWS))
    expected, seen = by_hand(CLASSIFIER, {"X": X, "y": y}, begun(seed=3), steps)
    made = trained(batch=batch, shuffle=shuffle, seed=3)
    close(made, expected)
    np.testing.assert_allclose(made.loss_curve_, epochs_of(seen), rtol=1e-10)
    assert [r["step"] for r in made.history_] == [
        (k + 1) * -(-ROWS // min(batch or ROWS, ROWS)) for k in range(EPOCHS)
    ]


def test_data_are_not_changed_and_not_kept_in_order() -> None:
    X, y = rows()
    before = X.copy(), y.copy()
    trained(data=(X, y))
    assert np.array_equal(X, before[0]) and np.array_equal(y, before[1])


def test_clip() -> None:
    limit, norms = 0.05, []

    def clipped(k: int, found: dict[str, Any]) -> dict[str, Any]:
        size = np.sqrt(sum(np.sum(np.square(g)) for g in found.values()))
        norms.append(size)
        return {n: g * min(1, limit / size) for n, g in found.items()}

    X, y = rows()
    expected, _ = by_hand(CLASSIFIER, {"X": X, "y": y}, begun(), batches(), clipped)
    made = trained(clip=limit)
    close(made, expected)
    per = len(norms) // EPOCHS
    np.testing.assert_allclose([r["gradient"] for r in made.history_], norms[per - 1 :: per])
    assert max(norms) > limit


def test_penalties_spare_biases() -> None:
    X, y = rows()
    text = CLASSIFIER + "loss + 0.02*(sum(abs(W1)) + sum(abs(W2))) + 0.01*(sum(W1**2) + sum(W2**2))"
    expected, seen = by_hand(text, {"X": X, "y": y}, begun(), batches())
    made = trained(l1=0.02, l2=0.01)
    close(made, expected)
    np.testing.assert_allclose(made.loss_curve_, epochs_of(seen), rtol=1e-10)
    assert made.metrics_["train_loss"] < made.loss_curve_[-1]  # the loss in use has no penalty


@pytest.mark.parametrize("how", ["cosine(warmup=3)", "step(every=5)", "one_cycle", "inverse_sqrt"])
def test_schedules(how: str) -> None:
    X, y = rows()
    factors = [schedule(how).factor(k, 16) for k in range(16)]
    expected, _ = by_hand(
        CLASSIFIER, {"X": X, "y": y}, begun(), batches(),
        lambda k, g: {n: factors[k] * v for n, v in g.items()},
    )  # fmt: skip
    made = trained(schedule=how)
    close(made, expected)
    assert [r["rate"] for r in made.history_] == [0.3 * factors[k] for k in (3, 7, 11, 15)]


def test_plateau_looks_at_the_validation_loss() -> None:
    how = "plateau(factor=0.5, patience=0, threshold=0.5)"
    made = trained(schedule=how, validation=0.3, epochs=8)
    plateau = schedule(how)
    state, rates = plateau.begin(), []
    for record in made.history_:
        rates.append(0.3 * state["factor"])
        state = plateau.observe(state, record["validation_loss"])
    assert [r["rate"] for r in made.history_] == rates and rates[-1] < 0.1


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_optimisers(name: str) -> None:
    """All parameters are one vector to an optimiser: the same as each by itself."""
    X, y = rows()
    text = optimizer(name, rate=0.02)
    states: dict[str, Any] = {}

    def stepped(k: int, found: dict[str, Any]) -> dict[str, Any]:
        moved = {}
        for n, g in found.items():
            w = now[n].reshape(-1).copy()
            new, states[n] = text.pure(w, np.ravel(g).astype(float),
                                       states.get(n) or text.start(w.size))  # fmt: skip
            moved[n] = now[n] - new.reshape(now[n].shape)
            now[n] = new.reshape(now[n].shape)
        return moved

    now = {k: np.array(v) for k, v in begun().items()}
    expected, _ = by_hand(CLASSIFIER, {"X": X, "y": y}, begun(), batches(), stepped, rate=1.0)
    close(trained(optimizer=name, rate=0.02), expected, 1e-8)


def test_the_rate_of_the_optimiser_is_the_usual_one() -> None:
    a, b = trained(optimizer="gd(rate=0.1)", rate=None), trained(optimizer="gd", rate=0.1)
    assert (a.params_["W1"] == b.params_["W1"]).all()


def test_float32() -> None:
    made = trained(DEEP, optimizer="adam", rate=0.01, dtype="float32", l2=0.01, clip=1.0)
    assert {k: v.dtype.name for k, v in (made.params_ | made.statistics_).items()} == dict.fromkeys(
        [*made.params_, "z1_mean", "z1_var"], "float32"
    )
    state = made.run_.go()
    assert {v.dtype.name for v in state.optimizer.values() if isinstance(v, np.ndarray)} == {
        "float32"
    }
    assert made.decision_function(rows()[0]).dtype == np.float32
    double = trained(DEEP, optimizer="adam", rate=0.01, l2=0.01, clip=1.0)
    np.testing.assert_allclose(made.params_["W1"], double.params_["W1"], rtol=1e-3, atol=1e-4)


# -- dropout and statistics ----------------------------------------------------------------------


def test_masks_follow_from_seed_and_step() -> None:
    X, y = rows()
    text = CLASSIFIER.replace("h @ W2", "dropout(h, m, p=0.25) @ W2") + "m: binary[N, H]"

    def mask(k: int, n: int) -> dict[str, Any]:
        drawn = np.random.default_rng((7, DROPOUT, k)).random((n, 5), dtype=np.float32)
        return {"m": (drawn < 0.75).astype(float)}

    begins = begun(text, seed=7)
    expected, seen = by_hand(text, {"X": X, "y": y}, begins, batches(7), more=mask)
    made = trained(text, seed=7)
    close(made, expected)
    np.testing.assert_allclose(made.loss_curve_, epochs_of(seen), rtol=1e-10)
    # in use, nothing is dropped
    h = np.tanh(X @ made.params_["W1"] + made.params_["b1"])
    np.testing.assert_allclose(made.decision_function(X),
                               h @ made.params_["W2"] + made.params_["b2"], rtol=1e-10)  # fmt: skip


@pytest.mark.parametrize("averaging", [0.99, 0.5, 0.0])
def test_moving_statistics(averaging: float) -> None:
    X, y = values()
    text = "X: data[N, D]; y: data[N]; g: param[D]; b: param[D]; w: param[D];" \
           "mse(batch_norm(X, g, b) @ w, y)"  # fmt: skip
    mean = var = None
    for index in batches():
        new = X[index].mean(axis=0), X[index].var(axis=0)
        mean = new[0] if mean is None else averaging * mean + (1 - averaging) * new[0]
        var = new[1] if var is None else averaging * var + (1 - averaging) * new[1]
    made = trained(text, (X, y), averaging=averaging, rate=0.01)
    np.testing.assert_allclose(np.ravel(made.statistics_["X_mean"]), mean, rtol=1e-12)
    np.testing.assert_allclose(np.ravel(made.statistics_["X_var"]), var, rtol=1e-12)
    p = made.params_
    expected = ((X - mean) / np.sqrt(var + 1e-5) * p["g"] + p["b"]) @ p["w"]
    np.testing.assert_allclose(made.predict(X), expected, rtol=1e-9)


def test_statistics_of_all_rows() -> None:
    made = trained(DEEP, statistics="whole", validation=0.2, rate=0.05)
    X = made.run_.data.batch(made.run_.train)["X"] @ made.params_["W1"]
    np.testing.assert_allclose(np.ravel(made.statistics_["z1_mean"]), X.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(np.ravel(made.statistics_["z1_var"]), X.var(axis=0), rtol=1e-10)


def test_statistics_of_sorted_rows() -> None:
    """Blocks of rows are random: sorted ones would hide how far apart classes are."""
    X = np.sort(np.random.default_rng(0).standard_normal((9000, 1)), axis=0)
    text = "X: data[N, D]; y: data[N]; g: param[D]; b: param[D]; w: param[D];" \
           "mse(batch_norm(X, g, b) @ w, y)"  # fmt: skip
    made = trained(text, (X, X[:, 0]), statistics="whole", batch=3000, epochs=1)
    assert made.statistics_["X_var"].item() == pytest.approx(X.var(), rel=0.01)


# -- parts of the data ---------------------------------------------------------------------------


def test_parts_are_disjoint_and_not_trained_on() -> None:
    made = trained(validation=0.2, test=0.3)
    run = made.run_
    every = np.concatenate([run.train, run.validation, run.test])
    assert sorted(every) == list(range(ROWS))
    X, y = rows()
    X[run.validation] = X[run.test] = 17.0  # what is held out does not matter
    again = trained(data=(X, y), validation=0.2, test=0.3)
    assert all((made.params_[k] == again.params_[k]).all() for k in made.params_)
    assert made.metrics_["test_rows"] == len(run.test) == 15


def test_only_training_rows_are_standardised_by() -> None:
    X, y = rows()
    made = trained(data=(X * 100, y), standardise=True, test=0.3)
    part = made.transform_.parts["X"]
    np.testing.assert_allclose(part.shift, (X * 100)[made.run_.train].mean(axis=0))


def test_early_stopping_goes_back_to_the_best() -> None:
    X, y = rows()
    X = np.hstack([X, np.random.default_rng(1).standard_normal((ROWS, 20))])
    made = trained(data=(X, y), validation=0.4, epochs=200, patience=6, rate=0.8)
    losses = [r["validation_loss"] for r in made.history_]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 6 < 200
    assert made.metrics_["validation_loss"] == pytest.approx(losses[best], rel=1e-12)
    until = trained(data=(X, y), validation=0.4, epochs=best + 1, rate=0.8)
    assert all((made.params_[k] == until.params_[k]).all() for k in until.params_)


def test_history() -> None:
    seen: list[dict[str, Any]] = []
    estimator = Estimator(CLASSIFIER, epochs=3, batch=BATCH, validation=0.2, values={"H": 5})
    estimator.run(rows(), observe=(lambda run, record: seen.append(record),))
    assert seen == estimator.history_ and estimator.n_iter_ == 3
    assert list(seen[0]) == ["epoch", "step", "loss", "rate", "gradient", "validation_loss",
                             "validation_accuracy", "seconds"]  # fmt: skip
    assert [r["epoch"] for r in seen] == [1, 2, 3] and [r["step"] for r in seen] == [3, 6, 9]
    assert estimator.loss_curve_ == [r["loss"] for r in seen]


def test_metrics_are_json_where_one_is_undefined(tmp_path: Path) -> None:
    """The area under the curve of one class is NaN, which JSON does not have."""
    X, _ = rows()
    text = "X: data[N, D]; y: binary[N]; w: param[D]; bce(sigmoid(X @ w), y)"
    made = trained(text, (X, np.arange(ROWS) == 0), test=0.1, out=tmp_path)
    assert np.isnan(made.metrics_["test_auc"])
    kept = json.loads((tmp_path / "metrics.json").read_text(), parse_constant=pytest.fail)
    assert kept["test_auc"] == "NaN"


def test_what_is_looked_at_is_spread_over_sorted_rows() -> None:
    X = np.arange(3000.0)[:, None] / 3000
    text = "X: data[N, D]; y: binary[N]; w: param[D]; bce(sigmoid(X @ w), y)"
    watching = trained(text, (X, X[:, 0] > 0.5), epochs=1, standardise=False).run_.watching
    seen = watching.batch(100)
    assert len(seen["X"]) == 100 and seen["y"].mean() == pytest.approx(0.5, abs=0.02)
    assert len(watching.batch(4000)["X"]) == 3000


@pytest.mark.parametrize("close", [0.0, 1e-3])
def test_one_row_may_have_no_loss(close: float) -> None:
    """That the first row is met already, or nearly, does not make the others an explosion."""
    X, y = values()
    start = X[0] * (y[0] - close) / (X[0] @ X[0])
    text = "X: data[N, D]; y: data[N]; w: param[D]; mean((X @ w - y)**2)"
    made = trained(text, (X, y), batch=1, shuffle=False, rate=0.01, initial={"w": start})
    assert made.n_iter_ == EPOCHS and made.loss_curve_[0] > 1e4 * close**2


def test_a_loss_below_zero_may_rise() -> None:
    X, y = values()
    text = "X: data[N, D]; y: data[N]; w: param[D]; s: param; mean(s + (X @ w - y)**2*exp(-2*s))"
    start = {"w": np.array([1.0, -2.0, 0.5]), "s": -1.0}
    made = trained(text, (X, y), initial=start, rate=0.3, optimizer="adam", epochs=30)
    assert min(made.loss_curve_) < 0 < max(made.loss_curve_[3:])


def test_an_optimiser_that_overflows(tmp_path: Path) -> None:
    X, y = values()
    text = "X: data[N, D]; y: data[N]; w: param[D]; mse(X @ w, y)"
    with pytest.raises(sg.DivergenceError, match="the state 'v' of adam is not finite at step 4"):
        trained(text, (X * 1e12, y * 1e12), optimizer="adam", dtype="float32", out=tmp_path)
    arrays, _ = checkpoint.load(tmp_path / "checkpoint.npz")
    assert all(np.isfinite(v).all() for v in arrays.values())


# -- models --------------------------------------------------------------------------------------


def test_several_features_and_constants() -> None:
    text = "A: data[N, D]; B: data[N, E]; t: data[N]; u: param[D]; v: param[E];" \
           "K: data[D, D]; mse(A @ K @ u + B @ v, t)"  # fmt: skip
    rng = np.random.default_rng(0)
    data = {"A": rng.standard_normal((ROWS, 3)), "B": rng.standard_normal((ROWS, 2)),
            "t": rng.standard_normal(ROWS)}  # fmt: skip
    K = np.diag([1.0, 2.0, 3.0])
    start = {"u": np.zeros(3), "v": np.ones(2)}
    expected, _ = by_hand(text, data, start, batches(), more=lambda k, n: {"K": K}, rate=0.05)
    made = trained(text, {**data, "K": K}, initial=start, rate=0.05)
    close(made, expected)
    answer = made.predict({"A": data["A"], "B": data["B"]})
    np.testing.assert_allclose(answer, data["A"] @ K @ expected["u"] + data["B"] @ expected["v"])


def test_what_only_the_loss_takes_is_not_asked_for_in_use() -> None:
    X, y = values()
    text = "X: data[N, D]; y: data[N]; c: data[N]; w: param[D]; mean(c*(X @ w - y)**2)"
    c = np.linspace(0, 1, ROWS)
    start = {"w": np.ones(3)}
    expected, _ = by_hand(text, {"X": X, "y": y, "c": c}, start, batches(), rate=0.1)
    made = trained(text, {"X": X, "y": y, "c": c}, initial=start, rate=0.1)
    close(made, expected)
    np.testing.assert_allclose(made.predict(X), X @ expected["w"])


def test_constants_are_asked_for_and_belong_to_a_run(tmp_path: Path) -> None:
    X, y = values()
    text = "X: data[N, D]; y: data[N]; K: data[D, D]; w: param[D]; mse(X @ K @ w, y)"
    with pytest.raises(sg.DataError, match="no values for 'K'"):
        trained(text, (X, y))
    data = {"X": X, "y": y, "K": np.eye(3)}
    trained(text, data, out=tmp_path, rate=0.01)
    with pytest.raises(sg.UsageError, match="another data"):
        trained(text, {**data, "K": 2 * np.eye(3)}, out=tmp_path, rate=0.01, resume=True)


def test_functions_that_are_bound_belong_to_a_run(tmp_path: Path) -> None:
    text = "phi: function\n" + CLASSIFIER.replace("tanh(", "phi(")
    made = trained(sg.parse(text, functions={"phi": "tanh"}), out=tmp_path, values={"H": 5})
    again = Estimator.load(tmp_path)
    assert (again.decision_function(rows()[0]) == made.decision_function(rows()[0])).all()
    with pytest.raises(sg.UsageError, match="another model"):
        trained(sg.parse(text, functions={"phi": "sin"}), out=tmp_path, values={"H": 5},
                resume=True)  # fmt: skip


def test_settings_and_a_sum() -> None:
    """A loss that is a sum over the rows is taken as it is."""
    X, y = values()
    text = "X: data[N, D]; y: data[N]; w: param[D]; b: param;" \
           "sum((X @ w + b - y)**2) + lam*sum(w**2)"  # fmt: skip
    start = {"w": np.ones(3), "b": 0.5}
    expected, seen = by_hand(text, {"X": X, "y": y}, start, batches(), rate=0.003,
                             more=lambda k, n: {"lam": 2.0})  # fmt: skip
    made = trained(text, (X, y), initial=start, rate=0.003, values={"lam": 2.0})
    close(made, expected)
    np.testing.assert_allclose(made.loss_curve_, epochs_of(seen), rtol=1e-10)


def test_labels_that_are_texts() -> None:
    X, y = rows()
    words = np.array(["ash", "birch", "oak"])
    made, plain = trained(data=(X, words[y])), trained(data=(X, y))
    assert (made.params_["W1"] == plain.params_["W1"]).all()
    assert list(made.classes_) == list(words)
    assert (made.predict(X) == words[plain.predict(X)]).all()
    assert made.score(X, words[y]) == plain.score(X, y) == made.metrics_["train_accuracy"]


# -- runs that are stopped -----------------------------------------------------------------------


class Stopped(Exception):
    """Stands for whatever ends a process."""


STOPPING: dict[str, dict[str, Any]] = {
    **{name: {"optimizer": name, "rate": 0.02} for name in OPTIMIZERS},
    "plateau": {"schedule": "plateau(factor=0.5, patience=0, threshold=0.5)", "rate": 0.2},
    "one_cycle": {"schedule": "one_cycle(warmup=0.1)", "optimizer": "nadam"},
    "patience": {"patience": 2, "rate": 0.9, "optimizer": "momentum"},
    "whole": {"statistics": "whole", "patience": 3, "averaging": 0.5},
    "float32": {"dtype": "float32", "optimizer": "adam", "clip": 0.2, "l1": 0.01},
    "watched": {"watch": True, "optimizer": "adam", "rate": 0.02},
    "one batch": {"batch": None, "optimizer": "rmsprop", "shuffle": False},
}


def stopped(folder: Path, after: int, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    """Train, and end when the checkpoint has been written so often."""
    count, save = 0, Run.save

    def saved(run: Run, state: Any) -> None:
        nonlocal count
        if count == after:
            raise Stopped
        save(run, state)
        count += 1

    with monkeypatch.context() as patched:
        patched.setattr(Run, "save", saved)
        with pytest.raises(Stopped):
            trained(DEEP, out=folder, seconds=0, validation=0.2, **settings)


def contents(folder: Path) -> tuple[dict[str, bytes], dict[str, Any], list[Any]]:
    """Read what a run has kept, without times."""
    arrays, state = checkpoint.load(folder / "checkpoint.npz")
    lines = [json.loads(s) for s in (folder / "log.jsonl").read_text().splitlines()]
    for record in [*lines, *state["history"]]:
        record.pop("seconds", None)
        record.pop("time", None)
    return {k: v.tobytes() for k, v in arrays.items()}, state, lines


@pytest.mark.parametrize("name", list(STOPPING))
def test_resuming(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = STOPPING[name]
    whole = trained(DEEP, out=tmp_path / "whole", validation=0.2, **settings)
    expected = contents(tmp_path / "whole")
    per = whole.run_.loop.per_epoch
    middle = 1 if per == 1 else per + 2
    for after in (middle,) if name in OPTIMIZERS else (per, middle):
        folder = tmp_path / str(after)
        stopped(folder, after, monkeypatch, **settings)
        made = trained(DEEP, out=folder, resume=True, validation=0.2, **settings)
        assert contents(folder) == expected
        assert all((made.params_[k] == v).all() for k, v in whole.params_.items())
        assert all((made.statistics_[k] == v).all() for k, v in whole.statistics_.items())
        assert made.metrics_ == whole.metrics_


def test_stopped_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(DEEP, out=tmp_path / "whole", validation=0.2, optimizer="adam")
    for resume in (False, True, True):
        stopped(tmp_path / "parts", 3, monkeypatch, optimizer="adam", resume=resume)
    trained(DEEP, out=tmp_path / "parts", validation=0.2, optimizer="adam", resume=True)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_an_observer_that_fails(tmp_path: Path) -> None:
    def observe(run: Run, record: dict[str, Any]) -> None:
        if record["epoch"] == 2:
            raise Stopped

    settings = {"values": {"H": 5}, "batch": BATCH, "epochs": EPOCHS, "rate": 0.01}
    with pytest.raises(Stopped):
        Estimator(DEEP, **settings).run(rows(), tmp_path / "a", observe=(observe,), seconds=0)
    made = Estimator(DEEP, **settings).run(rows(), tmp_path / "a", resume=True)
    Estimator(DEEP, **settings).run(rows(), tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert [r["epoch"] for r in made.history_] == [1, 2, 3, 4]


@pytest.mark.parametrize("settings", [{}, {"patience": 3, "rate": 0.9}, {"statistics": "whole"}])
def test_more_epochs(tmp_path: Path, settings: dict[str, Any]) -> None:
    """A run that has ended can be made longer, as if it had been asked for at once."""
    trained(DEEP, out=tmp_path / "a", validation=0.2, epochs=3, **settings)
    longer = {"epochs": 6, "validation": 0.2, **settings}
    made = trained(DEEP, out=tmp_path / "a", resume=True, **longer)
    whole = trained(DEEP, out=tmp_path / "b", **longer)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert made.metrics_ == whole.metrics_


def test_resuming_what_has_ended(tmp_path: Path) -> None:
    first = trained(DEEP, out=tmp_path, validation=0.2, patience=2, rate=0.9)
    kept = contents(tmp_path)
    again = trained(DEEP, out=tmp_path, validation=0.2, patience=2, rate=0.9, resume=True)
    assert contents(tmp_path) == kept and again.metrics_ == first.metrics_
    assert (again.params_["W1"] == first.params_["W1"]).all()


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[3])
from symgrad.train.run import Run
from test_loop import DEEP, trained
save, left = Run.save, [int(sys.argv[2])]
def saved(run, state):
    save(run, state)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
Run.save = saved
trained(DEEP, out=sys.argv[1], seconds=0, optimizer="adam", rate=0.02)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_run_that_is_killed(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(folder), "6", str(Path(__file__).parent)]
    ended = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "1"}, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert checkpoint.load(folder / "checkpoint.npz").state["state"]["position"] == 2
    trained(DEEP, out=folder, resume=True, optimizer="adam", rate=0.02)
    trained(DEEP, out=tmp_path / "whole", optimizer="adam", rate=0.02)
    assert contents(folder) == contents(tmp_path / "whole")
