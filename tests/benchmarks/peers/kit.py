"""What a peer is: a library's own spelling of a few building blocks, and how it differentiates.

A kit has `np`, the library's namespace of elementary functions, and the blocks below that the
library has its own function for; those that it has none for stand here, over `np`. `build(loss,
params, data)` answers what a round times: a function of no arguments that returns the value and
the gradients, finished. Numbers among the data are constants to every library.
"""

from collections.abc import Callable
from typing import Any

Values = dict[str, Any]
Run = Callable[[], tuple[Any, Values]]
Loss = Callable[[Any, Any], Any]


class Names:
    """Hold values as attributes: a plain class, which torch.compile can look into."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class Kit:
    """Spell blocks over the library's elementary functions `np`."""

    distribution = ""  # its name on the package index
    np: Any

    def shape(self, x: Any) -> tuple[int, ...]:
        """Return the sizes of an array as numbers."""
        return tuple(x.shape)

    def affine(self, x: Any, W: Any, b: Any) -> Any:
        return x @ W + b

    def relu(self, x: Any) -> Any:
        return self.np.maximum(x, 0)

    def squared_error(self, p: Any, t: Any) -> Any:
        return self.np.sum(self.np.square(p - t))

    def mse(self, p: Any, t: Any) -> Any:
        return self.np.mean(self.np.square(p - t))

    def bce_with_logits(self, z: Any, t: Any) -> Any:
        return self.np.mean(self.softplus(z) - z * t)

    def softplus(self, x: Any) -> Any:
        np = self.np
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def silu(self, x: Any) -> Any:
        return x * self.sigmoid(x)

    def sigmoid(self, x: Any) -> Any:
        return 1 / (1 + self.np.exp(-x))

    def softmax(self, s: Any) -> Any:
        np = self.np
        p = np.exp(s - np.max(s, axis=1, keepdims=True))
        return p / np.sum(p, axis=1, keepdims=True)

    def svm(self, s: Any, y: Any) -> Any:
        """Count the own class too, whose margin is 1 and has no gradient, and subtract it."""
        n = self.shape(s)[0]
        own = s[self.np.arange(n), y]
        return self.np.sum(self.np.maximum(s - own[:, None] + 1, 0)) / n - 1

    def standardized(self, z: Any, axis: int, eps: float) -> Any:
        np = self.np
        z = z - np.mean(z, axis=axis, keepdims=True)
        return z / np.sqrt(np.mean(z * z, axis=axis, keepdims=True) + eps)

    def batch_norm(self, z: Any, gamma: Any, beta: Any, eps: float) -> Any:
        return gamma * self.standardized(z, 0, eps) + beta

    def layer_norm(self, z: Any, gamma: Any, beta: Any, eps: float) -> Any:
        return gamma * self.standardized(z, 1, eps) + beta

    def rms_norm(self, z: Any, gamma: Any, eps: float) -> Any:
        np = self.np
        return gamma * (z / np.sqrt(np.mean(z * z, axis=1, keepdims=True) + eps))

    def conv(self, x: Any, k: Any) -> Any:
        """Correlate every picture with a 3 x 3 kernel, by shifted slices."""
        _, rows, columns = self.shape(x)
        return sum(
            k[i, j] * x[:, i : rows - 2 + i, j : columns - 2 + j]
            for i in range(3)
            for j in range(3)
        )
