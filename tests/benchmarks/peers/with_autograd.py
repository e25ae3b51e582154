"""HIPS autograd: traces NumPy at every call."""

from typing import Any

from peers.kit import Kit, Loss, Names, Run, Values


class Autograd(Kit):
    """Spell losses over autograd's NumPy."""

    distribution = "autograd"

    def __init__(self, dtype: str) -> None:
        import autograd
        import autograd.numpy
        from autograd.scipy.special import logsumexp

        self.np, self.logsumexp = autograd.numpy, logsumexp
        self.value_and_grad = autograd.value_and_grad
        self.value_and_grad(lambda p: self.np.tanh(p["w"]).sum())({"w": self.np.ones(3)})

    def cross_entropy(self, s: Any, y: Any) -> Any:
        np = self.np
        return np.mean(self.logsumexp(s, axis=1) - s[np.arange(len(y)), y])

    def build(self, loss: Loss, params: Values, data: Values) -> Run:
        both = self.value_and_grad(lambda p: loss(self, Names(**p, **data)))
        return lambda: both(params)
