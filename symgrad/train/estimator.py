"""A trained model in scikit-learn's shape: fit, predict, score, parameters that can be set.

It needs no scikit-learn; where that is installed, it works in a Pipeline and in cross-validation.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from inspect import signature
from os import PathLike
from typing import Any, Self

import numpy as np

from symgrad.errors import DataError, UsageError, near
from symgrad.files import named
from symgrad.graph import Graph, from_json
from symgrad.ops import verify
from symgrad.parse import filed, parse
from symgrad.train import checkpoint, convention, metrics
from symgrad.train.checkpoint import LAST
from symgrad.train.comparing import column
from symgrad.train.data import Dataset, Transform, load
from symgrad.train.functions import Array, Network
from symgrad.train.keeping import define, part, text_of
from symgrad.train.loop import SAMPLES
from symgrad.train.numbers import of_dims
from symgrad.train.roles import Roles, shiftable
from symgrad.train.roles import roles as roles_of
from symgrad.train.run import Run
from symgrad.train.settings import NAMES, Settings, chosen
from symgrad.train.whole import same_rows

TASKS = {"values": "regressor"}  # all others are classifiers


class Estimator:
    """Train a model and use it, as scikit-learn's estimators do.

    `model` is a program or a graph, whose last line is the loss; the other arguments are those of
    `Settings`. After `fit` there are `params_` (the parameters by name), `statistics_` (moving
    averages of batch statistics), `classes_`, `n_features_in_`, `n_iter_` (epochs), `loss_curve_`,
    `history_` (a record for each epoch), `metrics_` and `notes_`.

    >>> X, y = np.arange(8.0).reshape(-1, 1), np.arange(8.0) * 2 + 1
    >>> model = "x: data[N, 1]; t: data[N]; w: param[1]; b: param; mse(x @ w + b, t)"
    >>> m = Estimator(model, optimizer="gd", rate=0.04, epochs=1000, batch=None).fit(X, y)
    >>> m.predict([[10.0]]).round(3).tolist(), round(m.score(X, y), 6)
    ([21.0], 1.0)
    """

    model: str | Graph
    _read: tuple[str, Graph]

    def __init__(
        self,
        model: str | Graph,
        *,
        optimizer: str = "adam",
        rate: float | None = None,
        epochs: int | None = None,
        batch: int | None = 64,
        schedule: str = "constant",
        seed: int = 0,
        shuffle: bool = True,
        initial: Any = "auto",
        l1: float = 0.0,
        l2: float = 0.0,
        clip: float | None = None,
        validation: float = 0.0,
        test: float = 0.0,
        patience: int | None = None,
        standardise: Any = "auto",
        averaging: float = 0.99,
        statistics: str = "moving",
        dtype: str = "float64",
        target: str | None = None,
        predict: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        given = dict(locals())
        for name in PARAMETERS:
            setattr(self, _attribute(name), given[name])

    # -- parameters of scikit-learn's kind ----------------------------------------------------

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the arguments that the estimator was made with."""
        return {name: getattr(self, _attribute(name)) for name in PARAMETERS}

    def set_params(self, **params: Any) -> Self:
        """Change arguments; raise `UsageError` for one that is not known."""
        for name, value in params.items():
            if name not in PARAMETERS:
                raise UsageError(f"{name!r} is no setting", hint=near(name, PARAMETERS).strip())
            setattr(self, _attribute(name), value)
        return self

    def settings(self) -> Settings:
        """Check the settings."""
        given = {k: v for k, v in self.get_params().items() if k != "model"}
        return chosen({**given, "values": dict(given["values"] or {})})

    @property
    def graph(self) -> Graph:
        """Give the graph of the model."""
        if isinstance(self.model, str) and self.model.endswith(".sg") and "\n" not in self.model:
            raise UsageError(f"a model is given as text, not by the name of a file: {self.model}",
                             hint=filed.hint(self.model))  # fmt: skip
        if isinstance(self.model, Graph):
            return self.model
        if not hasattr(self, "_read") or self._read[0] != self.model:
            self._read = self.model, parse(self.model)  # each reading warns anew
        return self._read[1]

    # -- fitting ------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train on data: arrays X and y, or anything that `load` reads. Settings are checked first.

        Training begins anew with each call.
        """
        return self.run(X if y is None else (X, y))

    def run(
        self,
        data: Any,
        out: str | PathLike[str] | None = None,
        resume: bool = False,
        observe: tuple[Callable[[Run, dict[str, Any]], None], ...] = (),
        **options: Any,
    ) -> Self:
        """Train, keeping checkpoint, log and metrics in a folder; `observe` is told each epoch.

        `options` are those of `load` and of `Run`.
        """
        settings, graph = self.settings(), self.graph
        aimed, settings = column(graph, settings)
        network = Network(graph, settings)
        own = {k: options.pop(k) for k in ("seconds", "watch") if k in options}
        options.setdefault("standardise_target", shiftable(graph, network.roles) and "auto")
        dataset = load(data, graph, network.roles, target=aimed, seed=settings.seed,
                       standardise=settings.standardise, sizes=of_dims(graph, settings.values),
                       **options)  # fmt: skip
        run = Run(graph, dataset, settings, out, network, **own)
        run.observers += observe
        state = run.go(resume)
        self.network_, self.run_ = network, run
        self.sizes_, self.fixed_ = run.sizes, run.fixed
        self.__dict__.pop("_parameters", None)
        self.params_ = {k: v.copy() for k, v in run.layout.views(state.vector).items()}
        self.statistics_ = dict(state.statistics)
        self._learned(run, run.data)
        return self

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a trained model from a checkpoint, or from the folder of a run, to be used."""
        file = named(path) / LAST if named(path).is_dir() else named(path)
        arrays, kept = checkpoint.load(file)
        said = {k: v for k, v in kept["identity"]["settings"].items() if k in PARAMETERS}
        define(kept["definitions"])
        graph = from_json(kept["identity"]["model"])
        verify(graph.order())
        made = cls(text_of(graph), **said)
        made.params_, made.statistics_ = part(arrays, "param/"), part(arrays, "average/")
        made.sizes_ = kept["sizes"]
        made.fixed_ = {k: np.asarray(v, made.settings().dtype) if isinstance(v, list) else v
                       for k, v in kept["fixed"].items()}  # fmt: skip
        made.history_, made.metrics_, made.notes_ = kept["history"], {}, []
        made._described(Transform.from_json(kept["transform"]))
        return made

    def _learned(self, run: Run, data: Dataset) -> None:
        """Keep what a run has learned."""
        self.history_, self.metrics_, self.notes_ = run.history, run.metrics, run.notes
        self._described(data.transform)

    def _described(self, transform: Transform) -> None:
        """Set what the data say: classes, features, and what was done to both."""
        self.transform_ = transform
        self.loss_curve_ = [record["loss"] for record in self.history_]
        self.n_iter_ = len(self.history_)
        if transform.classes is not None:
            self.classes_ = np.asarray(transform.labels(np.arange(len(transform.classes))))
        self.__dict__.pop("feature_names_in_", None)  # of an earlier fit
        first = next(iter(transform.parts.values()))
        self.n_features_in_ = int(np.prod(first.row, dtype=np.int64))
        if first.columns is not None:
            self.feature_names_in_ = np.asarray(first.columns.names, dtype=object)

    # -- use ----------------------------------------------------------------------------------

    def decision_function(self, X: Any) -> Array:
        """Compute what the model predicts: scores, logits, probabilities or values.

        Of two classes it is by how much the second is ahead, (N,), as scikit-learn has it.
        """
        answer, task = self._raw(X), self._network().roles.task
        two = task in metrics.CHOICE and answer.ndim == 2 and answer.shape[1] == 2
        return answer[:, 1] - answer[:, 0] if two else answer

    def _raw(self, X: Any) -> Array:
        return self._through(self._network().prediction, X)

    def predict(self, X: Any) -> Array:
        """Predict labels in the words of the training data, or values in their units."""
        roles, answer = self._network().roles, self._raw(X)
        if roles.task == "values":
            return self._network().restored(self.transform_, answer)
        found = metrics.predicted(roles.task, roles.scale, answer)
        named = roles.task != "multilabel" and self.transform_.classes is not None
        return self.transform_.labels(found) if named else found

    @property
    def predict_proba(self) -> Callable[[Any], Array]:
        """Compute the probability of each class, (N, C); of each label for multilabel models.

        There is no such method, as scikit-learn expects, where the loss gives no probabilities.
        """
        found = self.network_.roles if hasattr(self, "network_") else self._roles()
        metrics.probable(found.task, found.scale)
        return self._probabilities

    def _probabilities(self, X: Any) -> Array:
        roles = self._network().roles
        found = metrics.probabilities(roles.task, roles.scale, self._raw(X))
        if roles.task in ("binary", "sign"):
            return np.stack([1 - found, found], axis=1)
        return found

    def uncertainty(self, X: Any, samples: int = 100, seed: int = 0) -> tuple[Array, Array]:
        """Predict `samples` times with dropout; give mean and standard deviation.

        Of probabilities where the model has them, of the prediction otherwise. Raises
        `UsageError` for a model without dropout. Source: Gal and Ghahramani 2016.
        """
        network = self._network()
        if not network.modes.masks:
            raise UsageError(
                "the model has no dropout, so it is certain of everything",
                hint="h = dropout(relu(z), mask, p=0.2), with mask: data[N, H]",
            )
        if samples < 2:
            raise UsageError(f"samples={samples}: at least 2 give a deviation")
        roles, total, square = network.roles, 0.0, 0.0
        for k in range(samples):
            answer = self._through(network.sampled, X, (seed, SAMPLES, k))
            if roles.scale in ("scores", "logit", "probability"):
                answer = metrics.probabilities(roles.task, roles.scale, answer)
            elif roles.task == "values":
                answer = network.restored(self.transform_, answer)
            step = answer - total
            total = total + step / (k + 1)
            square = square + step * (answer - total)  # Welford: no large squares are subtracted
        return np.asarray(total), np.sqrt(np.asarray(square) / (samples - 1))

    def score(self, X: Any, y: Any = None) -> float:
        """Compute the accuracy, or R² of values: of X and y, or of a source as `fit` takes it."""
        network = self._network()
        task, aim = network.roles.task, network.aim
        if aim is None:
            raise UsageError("the model has no target to compare its predictions with")
        data = load(X if y is None else (X, y), network.graph, network.roles,
                    transform=self.transform_, sizes=of_dims(network.graph, self.settings().values),
                    seed=self.settings().seed)  # fmt: skip
        same_rows(network.whole, network.roles, self.sizes_, data.rows)
        blocks = network.blocks(data.rows)
        rows = ((part, data.batch(np.arange(data.rows)[part])) for part in blocks)
        restore = self.transform_.restore
        pairs = ((restore(self._answer(network.prediction, given), aim), restore(given[aim], aim))
                 for _, given in rows)  # fmt: skip
        found = metrics.measure_blocks(task, pairs, data.classes, network.roles.scale)
        return float(found["r2" if task == "values" else "accuracy"])

    def _through(self, function: Any, X: Any, key: tuple[int, ...] = ()) -> Array:
        """Send rows through a compiled function, block by block."""
        network = self._network()
        asked = [n.attrs["name"] for n in network.modes.test.inputs]  # not the weights of rows
        every = self.transform_.parts  # they count the rows where parameters alone are asked for
        parts = {k: p for k, p in every.items() if k in asked} or every
        inputs = replace(self.transform_, parts=parts).apply(X, network.settings.dtype)
        count = len(next(iter(inputs.values())))
        same_rows(network.whole, network.roles, self.sizes_, count)
        answers = []
        for block in network.blocks(count, pairs=True):
            rows = {k: v[block] for k, v in inputs.items()}
            answers.append(self._answer(function, rows, (*key, block.start) if key else ()))
        return np.concatenate(answers)

    def _answer(self, function: Any, rows: Mapping[str, Any], key: tuple[int, ...] = ()) -> Array:
        """Send one block through a compiled function; a key draws the masks of dropout."""
        network = self._network()
        count = len(next(iter(rows.values())))
        sizes = {**self.sizes_, network.roles.batch: count}
        masks = network.masks(sizes, key) if key else {}
        given = network.given(function, rows, self._parameters, self.statistics_, masks,
                              self.fixed_)  # fmt: skip
        return np.asarray(function(**given)[0])

    @cached_property
    def _parameters(self) -> dict[str, Any]:
        return {k: v if v.shape else float(v) for k, v in self.params_.items()}

    def _network(self) -> Network:
        if not hasattr(self, "params_"):
            raise DataError("the model is not trained yet", hint="call fit(X, y) first")
        if not hasattr(self, "network_"):  # it has come from a pickle
            graph = self.graph
            self.network_ = Network(graph, column(graph, self.settings())[1])
        return self.network_

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the data and what can be compiled again."""
        return {k: v for k, v in vars(self).items()
                if k not in ("network_", "run_", "_parameters", "_read")}  # fmt: skip

    # -- scikit-learn -------------------------------------------------------------------------

    @property
    def _estimator_type(self) -> str:
        return TASKS.get(self._roles().task, "classifier")

    def _roles(self) -> Roles:
        graph = self.graph
        settings = column(graph, self.settings())[1]
        return roles_of(graph, settings.target, settings.predict)

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether `fit` has run."""
        return hasattr(self, "params_")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what kind of estimator this is."""
        return convention.tags(self._estimator_type)

    def __repr__(self) -> str:
        usual = {k: p.default for k, p in signature(type(self).__init__).parameters.items()}
        said = [f"{k}={v!r}" for k, v in self.get_params().items()
                if k != "model" and v is not usual[k] and v != usual[k] and v != {}]  # fmt: skip
        return f"Estimator({', '.join([repr(self.model), *said])})"


def _attribute(name: str) -> str:
    """Name the attribute of a setting: `predict` is a method."""
    return f"{name}_line" if name == "predict" else name


PARAMETERS = ("model", *(n for n in NAMES))
