"""JAX: traced once, compiled by XLA for the CPU."""

import os
from typing import Any

from peers.kit import Kit, Loss, Names, Run, Values


class Jax(Kit):
    """Spell losses over jax.numpy and jax.nn."""

    distribution = "jax"

    def __init__(self, dtype: str) -> None:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        import jax

        jax.config.update("jax_enable_x64", True)  # arrays of float32 stay what they are
        self.jax, self.np, self.dtype = jax, jax.numpy, dtype
        self.relu, self.sigmoid = jax.nn.relu, jax.nn.sigmoid
        self.softplus, self.silu, self.softmax = jax.nn.softplus, jax.nn.silu, jax.nn.softmax
        jax.jit(jax.value_and_grad(lambda p: self.np.tanh(p["w"]).sum()))({"w": self.np.ones(3)})

    def cross_entropy(self, s: Any, y: Any) -> Any:
        log_p = self.jax.nn.log_softmax(s)
        return -self.np.take_along_axis(log_p, y[:, None], axis=1).mean()

    def conv(self, x: Any, k: Any) -> Any:
        convolve = self.jax.lax.conv_general_dilated
        return convolve(x[:, None], k[None, None], (1, 1), "VALID")[:, 0]

    def build(self, loss: Loss, params: Values, data: Values) -> Run:
        jax = self.jax
        constants = {name: v for name, v in data.items() if isinstance(v, float)}
        arrays = jax.device_put({name: v for name, v in data.items() if name not in constants})
        params = {name: self.np.asarray(v, self.dtype) for name, v in params.items()}

        def value(p: Values, d: Values) -> Any:
            return loss(self, Names(**p, **d, **constants))

        both = jax.jit(jax.value_and_grad(value))
        return lambda: jax.block_until_ready(both(params, arrays))
