"""A function of one variable: its value and slope on arrays, and exactly at single points."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad.codegen import Compiled, build
from symgrad.errors import UsageError
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS, Op, const, leaf, lookup, make
from symgrad.ops.spec import bounds, remake

ALONE = ("sum", "mean", "amax", "amin")  # of a single number, these are the number
Array = NDArray[np.float64]


@dataclass(eq=False)
class Function:
    """Hold a scalar graph with one scalar input; `row` is the operator that it shows, if one.

    >>> f = of_operator("tanh")
    >>> f.value(np.array([0.0])).tolist(), f.slope(np.array([0.0])).tolist()
    ([0.0], [1.0])
    """

    graph: Graph
    row: Op | None = field(default=None)

    @property
    def node(self) -> Node:
        """Give the value as a node."""
        return self.graph.output

    @cached_property
    def variable(self) -> Node:
        """Give the input."""
        return self.graph.inputs[0]

    @cached_property
    def spread(self) -> Node:
        """Give the same expression over a vector in place of the variable."""
        done: dict[Node, Node] = {self.variable: leaf(self.variable.attrs["name"], ("K",))}
        for n in topological([self.node]):
            if n in done:
                continue
            given = tuple(done[a] for a in n.args)
            if n.op in ALONE and given[0].shape:
                done[n] = given[0]
            elif n.op in OPS and OPS[n.op].reduction:
                done[n] = make(n.op, *given, **{**n.attrs, "reduction": "none"})
            else:
                done[n] = remake(n, given)
        result = done[self.node]
        if result.shape != ("K",):
            raise UsageError("the output is not computed from the input number by number")
        return result

    @cached_property
    def _value(self) -> Compiled:
        return build(Graph.of([self.spread], names={}), [], accurate=True)

    @cached_property
    def _slope(self) -> Compiled:
        name = self.variable.attrs["name"]
        return build(Graph.of([make("sum", self.spread)], names={}), [name], accurate=True)

    def value(self, x: Array) -> Array:
        """Compute f at all entries of x; infinities and NaN come without a warning."""
        with np.errstate(all="ignore"):
            result, _ = self._value(**{self.variable.attrs["name"]: np.ravel(x)})
        return np.asarray(result, dtype=np.float64).reshape(x.shape)

    def slope(self, x: Array) -> Array:
        """Compute f′ at all entries of x; NaN where f is not defined."""
        name = self.variable.attrs["name"]
        with np.errstate(all="ignore"):
            _, grads = self._slope(**{name: np.ravel(x)})
        slope = np.asarray(grads[name], dtype=np.float64).reshape(x.shape)
        return np.where(np.isnan(self.value(x)), np.nan, slope)

    def exact(self, x: float) -> tuple[Any, Any]:
        """Compute f and f′ at one float as mpmath numbers of 50 digits."""
        from symgrad.autodiff import exact

        name = self.variable.attrs["name"]
        value, grads = exact.value_and_gradient(self.graph, {name: x}, [name])
        return value, grads[name]


def one_variable(row: Op) -> bool:
    """Say whether a row is an elementwise function of one number, others having defaults.

    >>> [one_variable(OPS[name]) for name in ("tanh", "leaky_relu", "add", "softmax", "huber")]
    [True, True, False, False, False]
    """
    return (
        row.shape == "elementwise"
        and bounds(row)[1] == 1 + len(row.defaults)
        and row.dtype == "float"
        and not row.params
    )


def of_operator(name: str) -> Function:
    """Make the function x ↦ name(x), further operands at their defaults."""
    row = lookup(name)
    if row is None or not one_variable(row):
        raise UsageError(f"'{name}' is not an operator of one variable")
    x = leaf("x")
    node = make(row.name, x, *(const(v) for v in row.defaults))
    return Function(Graph.of([node], names={"x": x}), row)


def of_graph(graph: Graph) -> Function:
    """Take a program of one scalar input and a scalar output as a function."""
    inputs = graph.inputs
    if len(inputs) != 1 or inputs[0].shape or inputs[0].dtype != "float":
        named = ", ".join(n.attrs["name"] for n in inputs) or "none"
        raise UsageError(
            f"a curve needs one scalar input; the inputs are {named}",
            hint="put numbers in place of the others",
        )
    if graph.output.shape:
        raise UsageError("a curve needs a scalar output", hint="add a mean or a sum")
    return Function(graph)
