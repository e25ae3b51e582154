"""Time an epoch of training: python tests/benchmarks/run.py --training

Every contestant trains the same network on the digits of scikit-learn (1,437 rows of 64 pixels) in
batches of 64 rows, in a new order in each epoch. Before it is timed, its loss over all rows after
one epoch from the same start, in the same order, agrees with that of `sg.train`.
"""

import contextlib
import gc
import io
import statistics
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from typing import Any

import numpy as np
import tables

import symgrad as sg
from symgrad.train.data import load
from symgrad.train.functions import Network
from symgrad.train.module import write
from symgrad.train.run import Run
from symgrad.train.settings import Settings

ROWS, BATCH, SEED = 1437, 64, 0
TOLERANCE = {"float64": 1e-9, "float32": 1e-3}
EARLY = 1e-3  # scikit-learn adds Adam's ε at another place: parity is in tests/train/test_parity.py
BAR = 0.7  # of the fastest other library
clock = time.process_time


@dataclass(frozen=True)
class Task:
    """Say what is trained: the sizes of the layers, and how."""

    sizes: tuple[int, ...]
    solver: str
    dtype: str = "float64"

    @property
    def name(self) -> str:
        """Name the row of the table."""
        short = "" if self.dtype == "float64" else f" {self.dtype}"
        return "-".join(map(str, self.sizes)) + f" {self.solver}{short}"

    @property
    def rate(self) -> float:
        """The learning rate."""
        return 0.001 if self.solver == "adam" else 0.1

    def text(self) -> str:
        """Write the network in symgrad's language."""
        last = len(self.sizes) - 1
        lines = ["X: data[N, D0];  t: labels[N, C]"]
        for k in range(1, last + 1):
            after = "C" if k == last else f"D{k}"
            lines.append(f"W{k}: param[D{k - 1}, {after}];  b{k}: param[{after}]")
        lines += [f"h{k} = relu({'X' if k == 1 else f'h{k - 1}'} @ W{k} + b{k})"
                  for k in range(1, last)]  # fmt: skip
        lines.append(f"cross_entropy(h{last - 1} @ W{last} + b{last}, t)")
        return "\n".join(lines)

    def hidden(self) -> dict[str, int]:
        """Give the sizes that the data do not say."""
        return {f"D{k}": n for k, n in enumerate(self.sizes[:-1]) if k}

    def start(self) -> dict[str, np.ndarray]:
        """Draw the weights that all begin with."""
        rng, found = np.random.default_rng(SEED), {}
        for k, (a, b) in enumerate(pairwise(self.sizes), 1):
            found[f"W{k}"] = (rng.uniform(-1, 1, (a, b)) * np.sqrt(6 / (a + b))).astype(self.dtype)
            found[f"b{k}"] = np.zeros(b, self.dtype)
        return found

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Load rows and labels."""
        from sklearn.datasets import load_digits

        X, t = load_digits(return_X_y=True)
        return (X[:ROWS] / 16).astype(self.dtype), t[:ROWS]

    def loss(self, weights: list[np.ndarray]) -> float:
        """Compute the loss over all rows."""
        X, t = self.data()
        for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            X = np.maximum(X @ W + b, 0)
        scores = X @ weights[-2] + weights[-1]
        scores = scores - scores.max(axis=1, keepdims=True)
        own = scores[np.arange(ROWS), t]
        return float(np.mean(np.log(np.exp(scores).sum(axis=1)) - own))


TASKS = tuple(
    Task(sizes, solver)
    for sizes in ((64, 64, 10), (64, 100, 10), (64, 100, 50, 10))
    for solver in ("adam", "gd")
) + tuple(Task((64, 64, 10), solver, "float32") for solver in ("adam", "gd"))


def order(epoch: int = 0) -> np.ndarray:
    """Draw the order of an epoch as `sg.train` does."""
    return np.random.default_rng((SEED, 1, epoch)).permutation(ROWS)


class Ours:
    """The loop of `sg.train`: a whole run, timed from one record to the next."""

    def __init__(self, task: Task) -> None:
        self.task, self.graph = task, sg.parse(task.text())
        self.networks: dict[int, Network] = {}
        self.times(10)

    def run(self, epochs: int) -> Run:
        """Prepare a run; what was compiled for an earlier one of the same length is used again."""
        task = self.task
        settings = Settings(optimizer=task.solver, rate=task.rate, epochs=epochs, batch=BATCH,
                            seed=SEED, initial=task.start(), values=task.hidden(),
                            dtype=task.dtype)  # fmt: skip
        network = self.networks.setdefault(epochs, Network(self.graph, settings))
        data = load(task.data(), self.graph, network.roles, standardise=False)
        return Run(self.graph, data, settings, network=network)

    def first(self) -> list[np.ndarray]:
        """Give W and b of each layer after one epoch."""
        run = self.run(1)
        return list(run.layout.views(run.go().vector).values())

    def times(self, epochs: int) -> list[float]:
        """Time epochs."""
        run = self.run(epochs + 1)
        seen: list[float] = []
        run.observers.append(lambda *_: seen.append(clock()))
        run.go()
        return [b - a for a, b in pairwise(seen)]


class Generated:
    """The module that `symgrad code --train` writes."""

    style = "readable"

    def __init__(self, task: Task) -> None:
        text = write(sg.parse(task.text()), optimizer=task.solver, rate=task.rate, batch=BATCH,
                     seed=SEED, style=self.style, dtype=task.dtype,
                     given=task.hidden())  # fmt: skip
        self.module = types.ModuleType("trained")
        exec(compile(text, "trained.py", "exec"), self.module.__dict__)
        X, t = task.data()
        self.data = {"X": X, "t": t}
        self.module.__dict__["initialise"] = lambda *_: task.start()
        self.times(1)

    def train(self, epochs: int) -> dict[str, Any]:
        """Train quietly."""
        held, sizes = {k: v[:1] for k, v in self.data.items()}, {"D0": 64, "C": 10, "N": ROWS}
        with contextlib.redirect_stdout(io.StringIO()):
            found: dict[str, Any] = self.module.train(self.data, held, sizes, epochs=epochs)
        return found

    def first(self) -> list[np.ndarray]:
        """Give W and b of each layer after one epoch."""
        return list(self.train(1).values())

    def times(self, epochs: int) -> list[float]:
        """Time epochs, of which some print a line."""
        start = clock()
        self.train(epochs)
        return [(clock() - start) / epochs]


class GeneratedFast(Generated):
    """The same module with `--style fast`."""

    style = "fast"


class Sklearn:
    """scikit-learn's MLPClassifier, timed from one epoch's end to the next."""

    def __init__(self, task: Task) -> None:
        from sklearn.neural_network import MLPClassifier

        class Begun(MLPClassifier):
            def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> Any:
                k = len(self.coefs_) + 1
                begun = task.start()
                return begun[f"W{k}"], begun[f"b{k}"]

            def _update_no_improvement_count(self, *given: Any) -> None:
                self.seen = [*getattr(self, "seen", []), clock()]
                super()._update_no_improvement_count(*given)

        self.task, self.kind, self.data = task, Begun, task.data()

    def fitted(self, epochs: int, data: Any, **more: Any) -> Any:
        """Train for some epochs."""
        import warnings

        solver = {"solver": "adam"} if self.task.solver == "adam" else {
            "solver": "sgd", "momentum": 0.0}  # fmt: skip
        model = self.kind(self.task.sizes[1:-1], alpha=0.0, batch_size=BATCH, random_state=SEED,
                          learning_rate_init=self.task.rate, max_iter=epochs,
                          n_iter_no_change=10**6, **solver, **more)  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged
            return model.fit(*data)

    def first(self) -> list[np.ndarray]:
        """Give W and b of each layer after one epoch."""
        X, t = self.data
        model = self.fitted(1, (X[order()], t[order()]), shuffle=False)
        return [w for pair in zip(model.coefs_, model.intercepts_, strict=True) for w in pair]

    def times(self, epochs: int) -> list[float]:
        """Time epochs."""
        return [b - a for a, b in pairwise(self.fitted(epochs + 1, self.data).seen)]


class Torch:
    """A loop of PyTorch as fast as a plain one gets.

    Without modules and DataLoader, the rows in their order once an epoch, the optimiser fused into
    one kernel: the best of 24 ways that were tried.
    """

    compiled = False

    def __init__(self, task: Task) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch, self.task = torch, task
        self.data = [torch.as_tensor(a) for a in task.data()]
        functional = torch.nn.functional

        def loss(weights: list[Any], X: Any, t: Any) -> Any:
            for W, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
                X = torch.relu(functional.linear(X, W, b))
            return functional.cross_entropy(functional.linear(X, weights[-2], weights[-1]), t)

        self.loss: Callable[..., Any] = torch.compile(loss) if self.compiled else loss
        self.times(2)

    def begun(self) -> tuple[list[Any], Any]:
        """Make the weights, as torch stores them, and the optimiser."""
        torch, start = self.torch, self.task.start().values()
        weights = [torch.as_tensor(w.T.copy()).requires_grad_() for w in start]
        kind = torch.optim.Adam if self.task.solver == "adam" else torch.optim.SGD
        return weights, kind(weights, lr=self.task.rate, fused=True)

    def epoch(self, weights: list[Any], optimizer: Any, rows: Any) -> float:
        """Train on all rows once."""
        (X, t), loss_of, total = [a[rows] for a in self.data], self.loss, 0.0
        for k in range(0, ROWS, BATCH):
            part = t[k : k + BATCH]
            loss = loss_of(weights, X[k : k + BATCH], part)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        return total / ROWS

    def first(self) -> list[np.ndarray]:
        """Give W and b of each layer after one epoch."""
        weights, optimizer = self.begun()
        self.epoch(weights, optimizer, self.torch.as_tensor(order()))
        return [w.detach().numpy().T for w in weights]

    def times(self, epochs: int) -> list[float]:
        """Time epochs."""
        weights, optimizer = self.begun()
        seen = [clock()]
        for _ in range(epochs):
            self.epoch(weights, optimizer, self.torch.randperm(ROWS))
            seen.append(clock())
        return [b - a for a, b in pairwise(seen)]


class TorchCompiled(Torch):
    """The same loop with network and loss through torch.compile."""

    compiled = True


KINDS: dict[str, Any] = {
    "sg.train": Ours, "module": Generated, "module, fast": GeneratedFast,
    "sklearn": Sklearn, "torch": Torch, "torch compiled": TorchCompiled,
}  # fmt: skip
OTHERS = ("sklearn", "torch", "torch compiled")


def entered(task: Task, names: list[str]) -> dict[str, Any]:
    """Build the contestants that can be, and compare their loss after an epoch."""
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = KINDS[name](task)
            got, expected = (task.loss(k.first()) for k in (found[name], found["sg.train"]))
        except ImportError as error:
            print(f"{name}: {error}")
            continue
        early = EARLY if name == "sklearn" and task.solver == "adam" else 0
        if not abs(got / expected - 1) < max(TOLERANCE[task.dtype], early):
            raise AssertionError(f"{task.name}: {name}: loss {got} after an epoch, not {expected}")
    return found


def measured(task: Task, names: list[str], rounds: int, epochs: int) -> dict[str, float]:
    """Give the median of each contestant's seconds per epoch, measured in turns."""
    contestants = entered(task, names)
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    gc.collect()
    for _ in range(rounds):
        for name, contestant in contestants.items():
            seen[name] += contestant.times(epochs)
    return {name: statistics.median(times) for name, times in seen.items()}


def report(rounds: int, quick: bool = False) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Measure all tasks; give the lines of the table, and the numbers."""
    found: dict[str, dict[str, float]] = {}
    tasks = TASKS[:2] if quick else TASKS
    for task in tasks:
        found[task.name] = measured(task, list(KINDS), rounds, 3 if quick else 10)
        said = "  ".join(f"{k} {1e3 * v:.2f}" for k, v in found[task.name].items())
        print(f"{task.name}: ms per epoch: {said}", flush=True)
    return shown(found), found


def versions() -> list[str]:
    """Name the libraries that are there."""
    names = {"scikit-learn": "scikit-learn", "torch": "PyTorch"}
    return [f"{names[row.metadata['Name']]} {row.version}" for row in metadata.distributions()
            if row.metadata["Name"] in names]  # fmt: skip


def shown(found: dict[str, dict[str, float]]) -> list[str]:
    """Write milliseconds per epoch, and the ratio to the fastest other library."""
    names = [k for k in KINDS if any(k in row for row in found.values())]
    lines = []
    for name, row in found.items():
        others = [row[k] for k in OTHERS if k in row]
        cells = [f"{1e3 * row[k]:.2f}" if k in row else "" for k in names]
        ratio = row["sg.train"] / min(others) if others else None
        lines.append([name, *cells, tables.marked(ratio, BAR)])
    header = ["network", *(f"{k} ms" for k in names), "sg.train / fastest other"]
    return [f"milliseconds per epoch, medians; the ratio is to be at most {BAR}", "",
            *tables.table(header, lines)]  # fmt: skip
