"""The functions of the language by JAX, in float64; gradients by its reverse mode."""

from typing import Any

import numpy as np

from tests.programs.peer import Peer, attach
from tests.programs.reading import run


class Jax(Peer):
    """JAX's own functions wherever it has them."""

    name = "jax"

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        import jax.numpy as jnp

        self.jax, self.xp, self.nn = jax, jnp, jax.nn

    def gradient(self, program: Any, at: dict[str, Any], wrt: list[str]) -> tuple[Any, Any]:
        """Give the value, and the gradients in the inputs named."""
        fixed = {n: self.xp.asarray(v) for n, v in at.items() if n not in wrt}
        space = self.space(program.sizes)

        def f(moving: dict[str, Any]) -> Any:
            return self.number(run(program.text, space, {**fixed, **moving}))

        moving = {n: self.xp.asarray(at[n], dtype=self.xp.float64) for n in wrt}
        if not wrt:
            return np.asarray(f({})), {}
        value, grads = self.jax.value_and_grad(f)(moving)
        return np.asarray(value), {n: np.asarray(g) for n, g in grads.items()}

    def number(self, v: Any) -> Any:
        if isinstance(v, self.jax.Array):
            return v.astype(self.xp.float64) if v.dtype != self.xp.float64 else v
        return self.xp.asarray(v, dtype=self.xp.float64)

    def indicator(self, c: Any) -> Any:
        return self.xp.asarray(c, dtype=self.xp.float64)

    def entry(self, x: Any, key: tuple[Any, ...]) -> Any:
        return x[key]

    def plain(self, x: Any) -> Any:
        return self.jax.lax.stop_gradient(x)

    def hot(self, s: Any, y: Any) -> Any:
        if self.xp.ndim(y) < self.xp.ndim(s):
            return self.nn.one_hot(y, s.shape[-1], dtype=self.xp.float64)
        return self.number(y)

    def zero_one(self, s: Any, y: Any, reduction: str = "mean") -> Any:
        return self.reduced(self.number(self.xp.argmax(s, axis=-1) != y), reduction)

    def leaky_relu(self, x: Any, a: Any = 0.01) -> Any:
        return self.nn.leaky_relu(self.number(x), a)

    def elu(self, x: Any, a: Any = 1) -> Any:
        return self.nn.elu(self.number(x), a)

    def celu(self, x: Any, a: Any = 1) -> Any:
        return self.nn.celu(self.number(x), a)

    def gelu(self, x: Any) -> Any:
        return self.nn.gelu(self.number(x), approximate=False)

    def gelu_tanh(self, x: Any) -> Any:
        return self.nn.gelu(self.number(x), approximate=True)

    def logsumexp(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return self.nn.logsumexp(self.number(x), axis=axis, keepdims=keepdims)

    def softmax(self, x: Any, axis: int = -1, beta: Any = 1) -> Any:
        return self.nn.softmax(self.number(x) * beta, axis=axis)

    def log_softmax(self, x: Any, axis: int = -1) -> Any:
        return self.nn.log_softmax(self.number(x), axis=axis)

    def solve(self, a: Any, b: Any) -> Any:
        return self.xp.linalg.solve(a, b)

    def inv(self, a: Any) -> Any:
        return self.xp.linalg.inv(a)

    def det(self, a: Any) -> Any:
        return self.xp.linalg.det(a)

    def logdet(self, a: Any) -> Any:
        return self.xp.linalg.slogdet(a)[1]


attach(
    Jax,
    {
        "erf": "jax.scipy.special.erf",
        "sigmoid": "nn.sigmoid",
        "relu": "nn.relu",
        "logsigmoid": "nn.log_sigmoid",
        "relu6": "nn.relu6",
        "selu": "nn.selu",
        "hardtanh": "nn.hard_tanh",
        "hardsigmoid": "nn.hard_sigmoid",
        "hardswish": "nn.hard_swish",
        "silu": "nn.silu",
        "softsign": "nn.soft_sign",
        "mish": "nn.mish",
        "sinc": "xp.sinc",
    },
)
