"""The other libraries: each spells every workload's loss in its own idiom.

A peer is a class. Its constructor imports the library for a dtype and warms it up; `losses` maps a
workload's name to loss(parameters, data); `build` returns a function of no arguments that answers
the value and the gradients, finished. A new peer is a class here and a line in PEERS.
"""

import os
from collections.abc import Callable
from typing import Any

Run = Callable[[], tuple[Any, dict[str, Any]]]
Values = dict[str, Any]


class Autograd:
    """HIPS autograd: traces NumPy at every call."""

    def __init__(self, dtype: str) -> None:
        import autograd
        import autograd.numpy as np

        self.np, self.value_and_grad = np, autograd.value_and_grad
        self.value_and_grad(lambda p: np.tanh(p["w"]).sum())({"w": np.ones(3)})
        names = ("neuron", "regression", "classifier", "softmax")
        self.losses = {name: getattr(self, name) for name in names}

    def neuron(self, p: Values, data: Values) -> Any:
        return 1 / (1 + self.np.exp(-(p["w0"] * p["x0"] + p["w1"] * p["x1"] + p["w2"])))

    def regression(self, p: Values, data: Values) -> Any:
        h = 1 / (1 + self.np.exp(-(data["x"] @ p["w1"])))
        return self.np.sum((h @ p["w2"] - data["y"]) ** 2)

    def cross_entropy(self, s: Any, t: Any) -> Any:
        np = self.np
        s = s - np.max(s, axis=1, keepdims=True)
        return np.mean(np.log(np.sum(np.exp(s), axis=1)) - s[np.arange(len(t)), t])

    def classifier(self, p: Values, data: Values) -> Any:
        np = self.np
        h = np.maximum(data["X"] @ p["W1"] + p["b1"], 0)
        loss = self.cross_entropy(h @ p["W2"] + p["b2"], data["t"])
        return loss + data["lam"] * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))

    def softmax(self, p: Values, data: Values) -> Any:
        loss = self.cross_entropy(data["X"] @ p["W"] + p["b"], data["t"])
        return loss + data["lam"] * self.np.sum(p["W"] ** 2)

    def build(self, name: str, params: Values, data: Values) -> Run:
        both = self.value_and_grad(self.losses[name])
        return lambda: both(params, data)


class Jax:
    """JAX: traced once, compiled by XLA for the CPU."""

    def __init__(self, dtype: str) -> None:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        import jax

        jax.config.update("jax_enable_x64", dtype == "float64")
        self.jax, self.np = jax, jax.numpy
        jax.jit(jax.value_and_grad(lambda p: self.np.tanh(p["w"]).sum()))({"w": self.np.ones(3)})
        names = ("neuron", "regression", "classifier", "softmax")
        self.losses = {name: getattr(self, name) for name in names}

    def neuron(self, p: Values, data: Values) -> Any:
        return self.jax.nn.sigmoid(p["w0"] * p["x0"] + p["w1"] * p["x1"] + p["w2"])

    def regression(self, p: Values, data: Values) -> Any:
        h = self.jax.nn.sigmoid(data["x"] @ p["w1"])
        return ((h @ p["w2"] - data["y"]) ** 2).sum()

    def cross_entropy(self, s: Any, t: Any) -> Any:
        log_p = self.jax.nn.log_softmax(s)
        return -log_p[self.np.arange(len(t)), t].mean()

    def classifier(self, p: Values, data: Values) -> Any:
        h = self.jax.nn.relu(data["X"] @ p["W1"] + p["b1"])
        loss = self.cross_entropy(h @ p["W2"] + p["b2"], data["t"])
        return loss + data["lam"] * ((p["W1"] ** 2).sum() + (p["W2"] ** 2).sum())

    def softmax(self, p: Values, data: Values) -> Any:
        loss = self.cross_entropy(data["X"] @ p["W"] + p["b"], data["t"])
        return loss + data["lam"] * (p["W"] ** 2).sum()

    def build(self, name: str, params: Values, data: Values) -> Run:
        both = self.jax.jit(self.jax.value_and_grad(self.losses[name]))
        params, data = self.jax.device_put((params, data))
        return lambda: self.jax.block_until_ready(both(params, data))


class Torch:
    """PyTorch, eager: a tape at every call."""

    def __init__(self, dtype: str) -> None:
        import torch

        torch.set_num_threads(1)
        torch.set_default_dtype(getattr(torch, dtype))
        self.torch = torch
        torch.tanh(torch.ones(3, requires_grad=True)).sum().backward()
        names = ("neuron", "regression", "classifier", "softmax")
        self.losses = {name: getattr(self, name) for name in names}

    def neuron(self, p: Values, data: Values) -> Any:
        return self.torch.sigmoid(p["w0"] * p["x0"] + p["w1"] * p["x1"] + p["w2"])

    def regression(self, p: Values, data: Values) -> Any:
        h = self.torch.sigmoid(data["x"] @ p["w1"])
        return ((h @ p["w2"] - data["y"]) ** 2).sum()

    def classifier(self, p: Values, data: Values) -> Any:
        h = self.torch.relu(data["X"] @ p["W1"] + p["b1"])
        loss = self.torch.nn.functional.cross_entropy(h @ p["W2"] + p["b2"], data["t"])
        return loss + data["lam"] * ((p["W1"] ** 2).sum() + (p["W2"] ** 2).sum())

    def softmax(self, p: Values, data: Values) -> Any:
        scores = data["X"] @ p["W"] + p["b"]
        loss = self.torch.nn.functional.cross_entropy(scores, data["t"])
        return loss + data["lam"] * (p["W"] ** 2).sum()

    def build(self, name: str, params: Values, data: Values) -> Run:
        torch, loss = self.torch, self.losses[name]
        data = {key: torch.as_tensor(value) for key, value in data.items()}
        tensors = {k: torch.as_tensor(v).clone().requires_grad_() for k, v in params.items()}
        leaves = list(tensors.values())

        def run() -> tuple[Any, dict[str, Any]]:
            value = loss(tensors, data)
            return value.detach(), dict(
                zip(tensors, torch.autograd.grad(value, leaves), strict=True)
            )

        return run


PEERS: dict[str, type[Autograd] | type[Jax] | type[Torch]] = {
    "autograd": Autograd,
    "jax": Jax,
    "torch": Torch,
}
