"""Compile a graph to a function: the generated module, checked and executed."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.codegen import safety
from symgrad.errors import DataError, SymgradWarning
from symgrad.evaluate import check_value, singular
from symgrad.graph import Graph, Node
from symgrad.ops import faults
from symgrad.ops.spec import typed_name
from symgrad.rewrite import Rewrite, summary
from symgrad.shapes import Bindings, Shape, axes_of, fits, text

AVERAGES = (
    "mean",
    "var",
    "std",
    "amax",
    "amin",
    "logsumexp",
    "softmax",
    "log_softmax",
    "batch_norm",
)  # of nothing they are no number


class Compiled:
    """Call a generated function: `value, grads = f(W=..., X=...)`, inputs by name only.

    `source` is the module's text, `inputs` the names that it takes, `wrt` those of the gradients.
    `notes` says what was recognised, `trace` by which rewrites. Returned arrays are fresh.
    Picklable: it travels as its source.
    """

    def __init__(self, graph: Graph, source: str, name: str, parameters: dict[str, str],
                 wrt: tuple[str, ...], dtype: str,
                 trace: tuple[Rewrite, ...] = ()) -> None:  # fmt: skip
        self.trace, self.notes = trace, tuple(summary(trace))
        self.source, self.wrt, self.dtype = source, wrt, dtype
        self.inputs = tuple(parameters)
        self._graph, self._name, self._parameters = graph, name, parameters
        self._nodes = {n.attrs["name"]: n for n in graph.inputs}
        self._arrays = tuple((k, n) for k, n in self._nodes.items() if n.shape or n.dtype == "int")
        self._numbers = tuple((k, n) for k, n in self._nodes.items() if (k, n) not in self._arrays)
        self._assuming = faults.assuming(graph.order())
        self._averages = tuple(
            (n.op, n.args[0].shape)
            for n in graph.order()
            if n.op in AVERAGES or n.attrs.get("reduction") == "mean"
        )
        self._alone = _standardised(trace)
        self._renamed = {k: v for k, v in parameters.items() if k != v}
        space: dict[str, Any] = {}
        code = compile(safety.check(source), "<symgrad>", "exec")
        exec(code, space)  # checked: generated from nodes, imports and calls from a list
        self._function: Callable[..., tuple[Any, dict[str, Any]]] = space[name]

    def __call__(self, /, **inputs: Any) -> tuple[Any, dict[str, Any]]:
        """Compute the value and the gradients by name."""
        if inputs.keys() != self._nodes.keys():
            self._complain(inputs)
        if self._arrays:
            self._check(inputs)
        for name, node in self._numbers:
            if type(inputs[name]) not in (float, int, np.float64, np.float32):
                check_value(node, inputs[name], Bindings())
        if self._renamed:
            inputs = {self._parameters[k]: v for k, v in inputs.items()}
        try:
            return self._function(**inputs)
        except np.linalg.LinAlgError:
            raise singular() from None
        except IndexError as error:
            raise DataError(f"a place that is not there: {error}") from None
        except (TypeError, ValueError):
            self._refuse(inputs)
            raise

    def _refuse(self, inputs: dict[str, Any]) -> None:
        """Say which input is no number, if that is why a call has failed."""
        sizes = Bindings()
        for name, node in self._nodes.items():
            check_value(node, inputs[self._parameters[name]], sizes)

    def _complain(self, inputs: dict[str, Any]) -> None:
        lacking = [k for k in self.inputs if k not in inputs]
        extra = [k for k in inputs if k not in self._nodes]
        if lacking:
            raise DataError(f"no value is given for {', '.join(lacking)}")
        raise DataError(f"no input is called {', '.join(extra)}",
                        hint=f"the inputs are {', '.join(self.inputs) or 'none'}")  # fmt: skip

    def _check(self, inputs: dict[str, Any]) -> None:
        """Check shapes and labels; the dimension names bind anew on every call."""
        sizes = Bindings()
        labels: list[tuple[str, Node]] = []
        for name, node in self._arrays:
            if node.dtype == "int":
                labels.append((name, node))
                continue
            value = inputs[name]
            plain = type(value) is np.ndarray and value.dtype.kind == "f"
            if not plain or not fits(value.shape, node.shape, sizes):
                check_value(node, value, sizes)
        for name, node in labels:
            check_value(node, inputs[name], sizes)
        if self._assuming:
            faults.check(self._assuming, sizes)
        if 0 in sizes.values():
            for op, dims in self._averages:
                if any(sizes.get(str(d), d) == 0 for d in dims):
                    raise DataError(
                        f"{typed_name(op)} of nothing: the shape {text(dims)} has no entries"
                    )
        for along in self._alone:
            if all(sizes.get(str(d), d) == 1 for d in along):
                warnings.warn(
                    "one entry is standardised by its own mean and variance, which gives 0; batch "
                    "normalisation in training needs more samples than one",
                    SymgradWarning,
                    stacklevel=3,
                )

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self._graph, self.source, self._name, self._parameters, self.wrt,
                          self.dtype, self.trace)  # fmt: skip

    def __repr__(self) -> str:
        listed = ", ".join(f"{k} {text(n.shape)}" for k, n in self._nodes.items())
        return f"<compiled function of {listed}; gradients in {', '.join(self.wrt) or 'nothing'}>"


def _standardised(trace: tuple[Rewrite, ...]) -> tuple[Shape, ...]:
    """List the dimensions over which something is standardised."""
    found: dict[Shape, None] = {}
    made = (n for r in trace for n in (r.after, *r.after.args))
    for node in (n for n in made if n.op == "standardize"):
        shape = node.args[0].shape
        found[tuple(shape[k] for k in axes_of(node.attrs["axis"], len(shape)))] = None
    return tuple(found)
