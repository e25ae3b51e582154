"""The functions of the language by PyTorch, in float64; gradients by its autograd."""

from typing import Any

import numpy as np

from tests.programs.peer import Peer, attach
from tests.programs.reading import run


class Torch(Peer):
    """Torch's own functions wherever it has them in float64.

    Its hardsigmoid is left out: the slope is a sixth rounded to float32.
    """

    name = "torch"

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.xp = self.torch = torch
        self.f = torch.nn.functional

    def gradient(self, program: Any, at: dict[str, Any], wrt: list[str]) -> tuple[Any, Any]:
        """Give the value, and the gradients in the inputs named."""
        given = {n: self.torch.tensor(np.asarray(v)) for n, v in at.items()}
        for n in wrt:
            given[n].requires_grad_(True)
        value = self.number(run(program.text, self.space(program.sizes), given))
        if wrt and value.requires_grad:
            value.backward()
        zeros = {n: np.zeros(np.shape(at[n])) for n in wrt}
        grads = {n: zeros[n] if given[n].grad is None else given[n].grad.numpy() for n in wrt}
        return value.detach().numpy(), grads

    def number(self, v: Any) -> Any:
        if isinstance(v, self.torch.Tensor):
            return v if v.dtype == self.torch.float64 else v.to(self.torch.float64)
        return self.torch.tensor(np.asarray(v, dtype=np.float64))

    def indicator(self, c: Any) -> Any:
        return c.to(self.torch.float64) if isinstance(c, self.torch.Tensor) else self.number(c)

    def turned(self, x: Any) -> Any:
        return x.permute(*range(x.ndim)[::-1])

    def entry(self, x: Any, key: tuple[Any, ...]) -> Any:
        for axis, k in enumerate(key):  # torch has no negative steps
            if isinstance(k, slice) and (k.step or 1) < 0:
                places = range(x.shape[axis])[k]
                x = self.torch.index_select(x, axis, self.torch.tensor(list(places)))
        return x[tuple(slice(None) if isinstance(k, slice) and (k.step or 1) < 0 else k
                       for k in key)]  # fmt: skip

    def plain(self, x: Any) -> Any:
        return x.detach().numpy()

    def gelu_tanh(self, x: Any) -> Any:
        return self.f.gelu(self.number(x), approximate="tanh")

    def sum(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if isinstance(x, list):
            x, axis = self.stack(x or [0.0]), None
        x = self.number(x)
        axis = tuple(range(x.ndim)) if axis is None else axis
        return self.torch.sum(x, dim=axis, keepdim=keepdims) if x.ndim else x

    def greatest(self, x: Any, axis: Any, keepdims: bool) -> Any:
        return self.torch.amax(x, dim=() if axis is None else axis, keepdim=keepdims)

    def prod(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = self.number(x)
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        places = [a % x.ndim for a in axes]
        left = [n for k, n in enumerate(x.shape) if k not in places]
        for k in places:
            x = self.torch.prod(x, dim=k, keepdim=True)
        return x if keepdims else x.reshape(left)

    def logsumexp(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        x = self.number(x)
        axis = tuple(range(x.ndim)) if axis is None else axis
        return self.torch.logsumexp(x, dim=axis, keepdim=keepdims)

    def softmax(self, x: Any, axis: int = -1, beta: Any = 1) -> Any:
        return self.f.softmax(self.number(x) * beta, dim=axis)

    def log_softmax(self, x: Any, axis: int = -1) -> Any:
        return self.f.log_softmax(self.number(x), dim=axis)

    def cumsum(self, x: Any, axis: int = -1) -> Any:
        return self.torch.cumsum(self.number(x), dim=axis)

    def hot(self, s: Any, y: Any) -> Any:
        if y.ndim < s.ndim:
            return self.f.one_hot(y, s.shape[-1]).to(self.torch.float64)
        return self.number(y)

    def cross_entropy(self, s: Any, y: Any, reduction: str = "mean") -> Any:
        if y.ndim < s.ndim or s.ndim == 2:
            return self.f.cross_entropy(s, y, reduction=reduction)
        return super().cross_entropy(s, y, reduction)

    def transpose(self, x: Any, axes: Any = None) -> Any:
        return x.permute(*(axes or range(x.ndim)[::-1]))

    def stack(self, parts: Any, axis: int = 0) -> Any:
        return self.torch.stack([self.number(p) for p in parts], dim=axis)

    def take(self, x: Any, k: Any, axis: int = 0) -> Any:
        return self.torch.index_select(x, axis, k)

    def solve(self, a: Any, b: Any) -> Any:
        return self.torch.linalg.solve(a, b)

    def inv(self, a: Any) -> Any:
        return self.torch.linalg.inv(a)

    def det(self, a: Any) -> Any:
        return self.torch.linalg.det(a)

    def logdet(self, a: Any) -> Any:
        return self.torch.linalg.slogdet(a)[1]


attach(
    Torch,
    {
        "abs": "torch.abs",
        "asinh": "torch.asinh",
        "arctan": "torch.atan",
        "erf": "torch.erf",
        "sigmoid": "torch.sigmoid",
        "relu": "f.relu",
        "logsigmoid": "f.logsigmoid",
        "relu6": "f.relu6",
        "selu": "f.selu",
        "hardtanh": "f.hardtanh",
        "hardswish": "f.hardswish",
        "tanhshrink": "f.tanhshrink",
        "gelu": "f.gelu",
        "silu": "f.silu",
        "softsign": "f.softsign",
        "mish": "f.mish",
        "sinc": "torch.sinc",
    },
)
