"""PyTensor: a symbolic graph, rewritten and compiled to C."""

from typing import Any

from peers.kit import Kit, Loss, Names, Run, Values


class PyTensor(Kit):
    """Spell losses over pytensor.tensor."""

    distribution = "pytensor"

    def __init__(self, dtype: str) -> None:
        import numpy
        import pytensor
        import pytensor.tensor
        from pytensor.tensor.special import log_softmax, softmax

        pytensor.config.floatX = dtype
        self.pytensor, self.np, self.numpy, self.dtype = pytensor, pytensor.tensor, numpy, dtype
        self.sigmoid, self.softplus = self.np.sigmoid, self.np.softplus
        self.softmax, self.log_softmax = lambda s: softmax(s, axis=1), log_softmax
        x = self.np.vector("x")
        pytensor.function([x], self.np.sum(self.np.tanh(x)))(numpy.ones(3, dtype))

    def shape(self, x: Any) -> tuple[int, ...]:
        return tuple(x.type.shape)

    def cross_entropy(self, s: Any, y: Any) -> Any:
        np = self.np
        return -np.mean(self.log_softmax(s, axis=1)[np.arange(y.shape[0]), y])

    def standardized(self, z: Any, axis: int, eps: float) -> Any:
        return super().standardized(z, axis, self.numpy.asarray(eps, self.dtype))

    def variable(self, name: str, value: Any) -> Any:
        """Return a variable of a value's dtype and shape."""
        kind = self.dtype if value.dtype.kind == "f" else str(value.dtype)
        return self.np.tensor(name, dtype=kind, shape=value.shape)

    def build(self, loss: Loss, params: Values, data: Values) -> Run:
        cast = self.numpy.asarray
        constants = {k: cast(v, self.dtype) for k, v in data.items() if isinstance(v, float)}
        values = {k: v for k, v in data.items() if k not in constants}
        values |= {k: cast(v, self.dtype) for k, v in params.items()}
        variables = {name: self.variable(name, value) for name, value in values.items()}
        y = loss(self, Names(**variables, **constants))
        grads = self.np.grad(y, [variables[name] for name in params])
        function = self.pytensor.function(list(variables.values()), [y, *grads])
        function.trust_input = True
        arguments, names = list(values.values()), list(params)

        def run() -> tuple[Any, Values]:
            value, *found = function(*arguments)
            return value, dict(zip(names, found, strict=True))

        return run
