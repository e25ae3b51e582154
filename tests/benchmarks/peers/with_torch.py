"""PyTorch: eager, with a tape at every call, and compiled by TorchInductor."""

from collections.abc import Callable
from typing import Any

from peers.kit import Kit, Loss, Names, Run, Values


class Torch(Kit):
    """Spell losses over torch and torch.nn.functional; eager."""

    distribution = "torch"

    def __init__(self, dtype: str) -> None:
        import torch

        torch.set_num_threads(1)
        torch.set_default_dtype(getattr(torch, dtype))
        self.torch, self.np = torch, torch
        self.functional = torch.nn.functional
        self.relu, self.sigmoid, self.silu = torch.relu, torch.sigmoid, self.functional.silu
        self.softplus, self.mse = self.functional.softplus, self.functional.mse_loss
        self.cross_entropy = self.functional.cross_entropy
        self.bce_with_logits = self.functional.binary_cross_entropy_with_logits
        torch.tanh(torch.ones(3, requires_grad=True)).sum().backward()

    def affine(self, x: Any, W: Any, b: Any) -> Any:
        return self.torch.addmm(b, x, W)

    def squared_error(self, p: Any, t: Any) -> Any:
        return self.functional.mse_loss(p, t, reduction="sum")

    def softmax(self, s: Any) -> Any:
        return self.torch.softmax(s, 1)

    def svm(self, s: Any, y: Any) -> Any:
        """Undo the division by the number of classes."""
        return s.shape[1] * self.functional.multi_margin_loss(s, y)

    def batch_norm(self, z: Any, gamma: Any, beta: Any, eps: float) -> Any:
        norm = self.functional.batch_norm
        return norm(z, None, None, gamma, beta, training=True, eps=eps)

    def layer_norm(self, z: Any, gamma: Any, beta: Any, eps: float) -> Any:
        return self.functional.layer_norm(z, gamma.shape, gamma, beta, eps)

    def rms_norm(self, z: Any, gamma: Any, eps: float) -> Any:
        return self.functional.rms_norm(z, gamma.shape, gamma, eps)

    def conv(self, x: Any, k: Any) -> Any:
        return self.functional.conv2d(x[:, None], k[None, None])[:, 0]

    def compiled(self, value: Callable[..., Any]) -> Callable[..., Any]:
        """Leave the function as it is."""
        return value

    def build(self, loss: Loss, params: Values, data: Values) -> Run:
        torch = self.torch
        constants = {name: v for name, v in data.items() if isinstance(v, float)}
        arrays = {k: torch.as_tensor(v) for k, v in data.items() if k not in constants}
        tensors = {k: torch.tensor(v).requires_grad_() for k, v in params.items()}
        leaves = list(tensors.values())

        def named(p: Values, d: Values) -> Any:
            return loss(self, Names(**p, **d, **constants))

        value = self.compiled(named)

        def run() -> tuple[Any, Values]:
            y = value(tensors, arrays)
            grads = torch.autograd.grad(y, leaves)
            return y.detach(), dict(zip(tensors, grads, strict=True))

        return run


class TorchCompiled(Torch):
    """Compile the loss and its backward pass with torch.compile."""

    def __init__(self, dtype: str) -> None:
        super().__init__(dtype)
        torch = self.torch
        torch.compile(lambda x: torch.tanh(x).sum())(torch.ones(3, requires_grad=True)).backward()

    def compiled(self, value: Callable[..., Any]) -> Callable[..., Any]:
        """Compile it for these shapes; forget other workloads, so that none is a recompilation."""
        self.torch._dynamo.reset()
        return self.torch.compile(value, dynamic=False, fullgraph=True)
