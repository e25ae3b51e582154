"""The loss curves of training: scikit-learn's MLPClassifier and PyTorch, to rounding.

The curves of torch_curves.json were recorded by `python tests/train/test_parity.py` in an
environment that has PyTorch; where PyTorch can be imported, the tests run it too.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.train import optimizers

RECORDED = Path(__file__).with_name("torch_curves.json")
EPOCHS, BATCH, HIDDEN = 20, 64, 64
NETWORK = """
X: data[N, D];  t: labels[N, C]
W1: param[D, H];  b1: param[H]
W2: param[H, C];  b2: param[C]
loss = cross_entropy(relu(X @ W1 + b1) @ W2 + b2, t)
"""
# scikit-learn's ε is added before the bias of v is corrected: Kingma and Ba 2015, end of section 2
EARLY = "m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g**2; " \
        "w = w - rate*sqrt(1 - beta2**t)/(1 - beta1**t)*m/(sqrt(v) + eps)"  # fmt: skip
ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}

# name -> our optimiser, rate, scikit-learn's arguments, PyTorch's class and arguments
CASES: dict[str, tuple[str, float, dict[str, Any], tuple[str, dict[str, Any]] | None]] = {
    "gd": ("gd", 0.1, {"solver": "sgd", "momentum": 0.0}, ("SGD", {})),
    "momentum": ("momentum(mu=0.9)", 0.02,
                 {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
                 ("SGD", {"momentum": 0.9})),
    "nesterov": ("nesterov(mu=0.9)", 0.02, {"solver": "sgd", "momentum": 0.9},
                 ("SGD", {"momentum": 0.9, "nesterov": True})),
    "adam": ("adam", 0.001, {}, ("Adam", {})),
    "adam, ε early": ("adam_early", 0.001, {"solver": "adam"}, None),
}  # fmt: skip
WITH_TORCH = [name for name, case in CASES.items() if case[3]]
WITH_SKLEARN = [name for name, case in CASES.items() if case[2]]


def digits(rows: int = 1437) -> tuple[np.ndarray, np.ndarray]:
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_digits

    X, t = load_digits(return_X_y=True)
    return X[:rows] / 16, t[:rows]


def start(sizes: tuple[int, ...] = (64, HIDDEN, 10)) -> dict[str, np.ndarray]:
    """Draw the weights that all begin with."""
    rng, found = np.random.default_rng(0), {}
    for k, (a, b) in enumerate(pairwise(sizes), 1):
        found[f"W{k}"] = rng.uniform(-1, 1, (a, b)) * np.sqrt(6 / (a + b))
        found[f"b{k}"] = rng.uniform(-0.1, 0.1, b)
    return found


def ours(data: Any, name: str, rate: float, epochs: int = EPOCHS, **more: Any) -> list[float]:
    settings = {"batch": BATCH, "shuffle": False, "initial": start(), **more}
    made = sg.train(NETWORK, data, optimizer=name, rate=rate, epochs=epochs, progress=False,
                    standardise=False, values={"H": HIDDEN}, **settings)  # fmt: skip
    return made.loss_curve_


def theirs(data: Any, rate: float, begun: Any = None, **given: Any) -> list[float]:
    """Train scikit-learn's network from given weights."""
    pytest.importorskip("sklearn")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    weights = begun or start()

    class Begun(MLPClassifier):
        def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> Any:
            k = len(self.coefs_) + 1
            assert weights[f"W{k}"].shape == (fan_in, fan_out)
            return weights[f"W{k}"].astype(dtype), weights[f"b{k}"].astype(dtype)

    settings = {"alpha": 0.0, "batch_size": BATCH, "shuffle": False, "max_iter": EPOCHS, **given}
    model = Begun((HIDDEN,), learning_rate_init=rate, n_iter_no_change=10**6, **settings)
    with pytest.warns(ConvergenceWarning):
        model.fit(*data)
    return model.loss_curve_


def torch_curve(data: Any, rate: float, which: str, settings: dict[str, Any]) -> list[float]:
    """Train the same network in PyTorch."""
    import torch

    X, t = torch.tensor(data[0]), torch.tensor(data[1])
    begun = {k: torch.tensor(v).requires_grad_() for k, v in start().items()}
    W1, b1, W2, b2 = begun.values()
    optimizer = getattr(torch.optim, which)([W1, b1, W2, b2], lr=rate, **settings)
    curve = []
    for _ in range(EPOCHS):
        total = 0.0
        for k in range(0, len(X), BATCH):
            scores = torch.relu(X[k : k + BATCH] @ W1 + b1) @ W2 + b2
            loss = torch.nn.functional.cross_entropy(scores, t[k : k + BATCH])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += float(loss.detach()) * len(scores)
        curve.append(total / len(X))
    return curve


@pytest.fixture(autouse=True)
def _early() -> Iterator[None]:
    """Add the Adam of scikit-learn to the table, for as long as a test runs."""
    optimizers.register("adam_early", EARLY, rate=0.001, **ADAM)
    yield
    del optimizers.OPTIMIZERS["adam_early"]


@pytest.mark.parametrize("name", WITH_SKLEARN)
def test_scikit_learn(name: str) -> None:
    own, rate, arguments, _ = CASES[name]
    expected = theirs(digits(), rate, **arguments)
    assert expected[-1] < 0.6 * expected[0]
    np.testing.assert_allclose(ours(digits(), own, rate), expected, rtol=1e-9)


def test_scikit_learn_weight_decay() -> None:
    """Its penalty α/2 Σw² is divided by the rows of a batch: here all batches are full."""
    data, alpha = digits(22 * BATCH), 0.5
    expected = theirs(data, 0.1, solver="sgd", momentum=0.0, alpha=alpha)
    found = ours(data, "gd", 0.1, l2=alpha / 2 / BATCH)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert abs(found[-1] / ours(data, "gd", 0.1)[-1] - 1) > 0.01


def test_scikit_learn_order() -> None:
    """The order of the rows is the data's: another one gives another curve."""
    X, t = digits()
    expected = theirs((X[::-1], t[::-1]), 0.1, solver="sgd", momentum=0.0)
    np.testing.assert_allclose(ours((X[::-1], t[::-1]), "gd", 0.1), expected, rtol=1e-9)
    assert not np.allclose(ours((X, t), "gd", 0.1), expected, rtol=1e-4)


@pytest.mark.parametrize("name", WITH_TORCH)
def test_torch_recorded(name: str) -> None:
    own, rate, _, _ = CASES[name]
    expected = json.loads(RECORDED.read_text())[name]
    assert len(expected) == EPOCHS
    np.testing.assert_allclose(ours(digits(), own, rate), expected, rtol=1e-9)


@pytest.mark.parametrize("name", WITH_TORCH)
def test_torch(name: str) -> None:
    pytest.importorskip("torch")
    own, rate, _, torch_s = CASES[name]
    assert torch_s is not None
    expected = torch_curve(digits(), rate, *torch_s)
    np.testing.assert_allclose(ours(digits(), own, rate), expected, rtol=1e-9)


if __name__ == "__main__":
    curves = {n: torch_curve(digits(), CASES[n][1], *CASES[n][3]) for n in WITH_TORCH}  # type: ignore[misc]
    RECORDED.write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
