"""Read a graph as a layered network: columns of units, weights between neighbouring columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from symgrad.diagram.from_graph import Array, Result
from symgrad.diagram.layers.find import Unit, find
from symgrad.diagram.layers.flow import Flow
from symgrad.errors import LimitError, UsageError
from symgrad.formula.names import latex_name
from symgrad.graph import Graph, Node

MOST_LAYERS = 40  # drawn neuron by neuron
FIRST, UNKNOWN = (
    6,
    12,
)  # units that stand for a size that is not known: drawn as first ones, dots, last ones


@dataclass(frozen=True, slots=True)
class Neuron:
    """Describe one neuron; numbers are None where there are none.

    `value` is what it gives on, `delta` the gradient before its activation.
    """

    name: str
    value: float | None = None
    delta: float | None = None
    bias: float | None = None
    bias_grad: float | None = None


@dataclass(slots=True)
class Column:
    """Hold the units of one layer; `size` is their number as typeset, `act` the activation."""

    units: list[Neuron]
    act: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """Join unit `source` of a column to unit `target` of the next."""

    source: int
    target: int
    value: float | None = None
    grad: float | None = None


@dataclass(slots=True)
class Network:
    """Hold the columns, the weights behind each column, and the loss."""

    columns: list[Column]
    weights: list[list[Weight]]
    loss: str = ""
    output: str = ""
    value: float | None = None
    grad: float | None = None
    target: tuple[str, ...] = ()
    targets: list[float] = field(default_factory=list)
    samples: int = 0
    penalty: bool = False


def read(graph: Graph, result: Result | None, sample: int) -> Network:
    """Read a network; raise `UsageError` for a graph that is none."""
    flow, units = find(graph)
    layers = [u for u in units if u.kind == "layer"]
    plain = all(u.product is not None and not u.norm for u in layers)
    if not layers or not plain or any(u.kind == "operations" for u in units):
        raise _no_network("its lines are not all affine maps with an activation")
    if len(layers) > MOST_LAYERS:
        raise LimitError(f"a network of {len(layers)} layers is too long to be drawn neuron by "
                         f"neuron; the limit is {MOST_LAYERS}",
                         hint='view="layers" folds layers that repeat')  # fmt: skip
    reader = _Reader(flow, result, sample)
    scalar = not any(u.exit.shape for u in layers)
    network = reader.neurons(layers) if scalar else reader.dense(layers)
    reader.loss(network, units, layers)
    return network


def _no_network(reason: str) -> UsageError:
    return UsageError(
        f"the neuron view needs a network of layers, each fed by the one before; {reason}",
        hint='use view="layers" for cards of any graph, or view="tensor" for its gates',
    )


class _Reader:
    """Read values, gradients and names of one sample."""

    def __init__(self, flow: Flow, result: Result | None, sample: int) -> None:
        self.flow, self.result, self.sample = flow, result, sample
        self.samples = 0
        self.flat = False  # of a batch, each sample has one number

    def array(self, node: Node, left: bool = False) -> Array | None:
        """Give the value of a node for the sample."""
        return self._row(self.result.values.get(node), left) if self.result else None

    def slope(self, node: Node, left: bool = False) -> Array | None:
        """Give the gradient of a node for the sample, if it was asked for."""
        found = self.result.grads.get(node) if self.result else None
        return None if found is None else self._row(found, left)

    def _row(self, found: object, left: bool) -> Array:
        array = np.asarray(found, dtype=float)
        if array.ndim < 2 and not (array.ndim and self.flat):
            return np.atleast_1d(array)
        if array.ndim > 2:
            raise _no_network("its layers have more than two axes")
        rows: Array = array[:, None] if array.ndim == 1 else array.T if left else array
        if not 0 <= self.sample < len(rows):
            raise UsageError(
                f"there is no sample {self.sample}", hint=f"samples are 0 to {len(rows) - 1}"
            )
        self.samples = len(rows)
        return np.asarray(rows[self.sample])

    def dense(self, layers: Sequence[Unit]) -> Network:
        """Read layers of arrays."""
        first = self.flow.sources(_product(layers[0]))
        here = first[0] if len(first) == 1 else None
        if here is None or here not in self.flow.signals:
            raise _no_network("its first layer does not read an input")
        columns = [self._column(here, layers[0].left, None, "x")]
        weights = []
        for number, unit in enumerate(layers, 1):
            product = _product(unit)
            if self.flow.sources(product) != (here,):
                name = self.flow.graph.name(unit.exit) or unit.title
                raise _no_network(f"'{name}' reads something else than the layer before")
            if sum(n.op in ("matmul", "dot") for n in unit.nodes) != 1:
                raise _no_network("a layer adds several products")
            self.flat = len(product.shape) == 1 and len(here.shape) == 2
            usual = "z" if number == len(layers) else f"h{number}" if len(layers) > 2 else "h"
            columns.append(self._column(unit.exit, unit.left, unit, usual))
            matrix = product.args[0 if unit.left else 1]
            sizes = len(columns[-2].units), len(columns[-1].units)
            weights.append(self._matrix(matrix, unit.left, sizes))
            here = unit.exit
        return Network(columns, weights, samples=self.samples)

    def _column(self, node: Node, left: bool, unit: Unit | None, usual: str) -> Column:
        value, delta = self.array(node, left), None
        bias = slope = None
        act = ""
        if unit is not None:
            before = unit.act.args[0] if unit.act is not None else node
            delta = self.slope(before, left)
            act = unit.parts[-1] if unit.act is not None else ""
            bias, slope = self._bias(unit)
        else:
            delta = self.slope(node, left)
        axis = 0 if left and len(node.shape) > 1 else -1
        dim = node.shape[axis] if node.shape and not self.flat else 1
        dim = self.flow.graph.dims.get(str(dim), dim)
        count = len(value) if value is not None else dim if isinstance(dim, int) else UNKNOWN
        known = value is not None or isinstance(dim, int)
        stem = _Stem(self.flow.graph.name(node) or usual)
        units = [
            Neuron(
                stem(k + 1 if known or k < FIRST else f"{dim}-1" if k < count - 1 else str(dim)),
                _at(value, k),
                _at(delta, k),
                _at(bias, k),
                _at(slope, k),
            )
            for k in range(count)
        ]
        return Column(units, act, str(count) if known else str(dim))

    def _bias(self, unit: Unit) -> tuple[Array | None, Array | None]:
        """Find the bias of a layer and its gradient."""
        for node in unit.nodes:
            if node.op not in ("add", "sub"):
                continue
            for k, operand in enumerate(node.args):
                if not self.flow.flows(operand) and self.result is not None:
                    sign = -1.0 if node.op == "sub" and k == 1 else 1.0
                    grad = self.result.grads.get(operand)
                    value = np.ravel(np.asarray(self.result.values[operand], dtype=float))
                    return sign * value, None if grad is None else sign * np.ravel(grad)
        return None, None

    def _matrix(self, node: Node, left: bool, sizes: tuple[int, int]) -> list[Weight]:
        value = grad = None
        if self.result is not None:
            value = np.asarray(self.result.values[node], dtype=float)
            found = self.result.grads.get(node)
            grad = None if found is None else np.asarray(found, dtype=float)
        if left:
            value, grad = (None if a is None else a.T for a in (value, grad))
        tables = [None if a is None else a.reshape(sizes) for a in (value, grad)]
        return [
            Weight(i, j, *(None if t is None else float(t[i, j]) for t in tables))
            for i in range(sizes[0])
            for j in range(sizes[1])
        ]

    def neurons(self, layers: Sequence[Unit]) -> Network:
        """Read layers of single numbers: every unit is a line of the program."""
        depth: dict[Node, int] = {}
        for unit in layers:
            products = [n for n in unit.nodes if n.op == "mul"]
            sources = [self.flow.sources(n)[0] for n in products]
            levels = dict.fromkeys(
                depth.get(s, 0 if s in self.flow.signals else -1) for s in sources
            )
            if len(levels) != 1 or -1 in levels:
                name = self.flow.graph.name(unit.exit) or unit.title
                raise _no_network(f"'{name}' reads something else than the layer before")
            depth[unit.exit] = next(iter(levels)) + 1
        read = [s for u in layers for n in u.nodes if n.op == "mul" for s in self.flow.sources(n)]
        inputs = [n for n in self.flow.signals if n in read]
        levels_ = [inputs, *([] for _ in range(max(depth.values())))]
        for unit in layers:
            levels_[depth[unit.exit]].append(unit.exit)
        owner = {u.exit: u for u in layers}
        columns, weights = [], []
        for number, nodes in enumerate(levels_):
            columns.append(self._single(nodes, owner, number))
            if number:
                weights.append(self._links(levels_[number - 1], nodes, owner))
        return Network(columns, weights)

    def _single(self, nodes: Sequence[Node], owner: dict[Node, Unit], number: int) -> Column:
        units = []
        acts: dict[str, None] = {}
        for k, node in enumerate(nodes):
            unit = owner.get(node)
            bias, slope = self._bias(unit) if unit is not None else (None, None)
            before = unit.act.args[0] if unit is not None and unit.act is not None else node
            if unit is not None and unit.act is not None:
                acts[unit.parts[-1]] = None
            name = self.flow.graph.name(node)
            shown = latex_name(name[:12]) if name else f"z_{{{k + 1}}}"
            numbers = (self.array(node), self.slope(before), bias, slope)
            units.append(Neuron(shown, *(_at(a, 0) for a in numbers)))
        return Column(units, ", ".join(acts), str(len(units)))

    def _links(
        self, before: Sequence[Node], nodes: Sequence[Node], owner: dict[Node, Unit]
    ) -> list[Weight]:
        found = []
        for j, node in enumerate(nodes):
            for product in (n for n in owner[node].nodes if n.op == "mul"):
                source = self.flow.sources(product)[0]
                weight = next(a for a in product.args if a is not source)
                numbers = self.array(weight), self.slope(weight)
                found.append(Weight(before.index(source), j, *(_at(a, 0) for a in numbers)))
        return found

    def loss(self, network: Network, units: Sequence[Unit], layers: Sequence[Unit]) -> None:
        """Read what follows the last layer: a loss with its target."""
        read = dict.fromkeys(n for u in layers for n in u.nodes)
        heads = [u for u in units if u.kind == "loss"]
        network.penalty = any(u.kind == "penalty" for u in units)
        if any(u.kind == "gate" and u.exit.shape for u in units):
            raise _no_network("it joins layers by other gates")
        if not heads:
            return
        alone = len(heads) == 1
        network.loss = heads[0].parts[0] if alone and heads[0].parts else r"\mathrm{loss}"
        last = heads[0].exit if alone else self.flow.graph.output
        network.output = self.flow.graph.name(last) or ""
        value, grad = self.array(last), self.slope(last)
        network.value, network.grad = _at(value, 0), _at(grad, 0)
        inside = dict.fromkeys(n for u in heads for n in u.nodes)
        for node in self.flow.signals:
            users = self.flow.users[node]
            if any(u in inside for u in users) and not any(u in read for u in users):
                network.target += (str(node.attrs["name"]),)
                found = self._target(node)
                network.targets += [] if found is None else [float(v) for v in found]

    def _target(self, node: Node) -> Array | None:
        if self.result is None:
            return None
        array = np.asarray(self.result.values[node], dtype=float)
        if array.ndim == 1 and self.samples and len(array) == self.samples:
            return array[self.sample : self.sample + 1]
        return self._row(array, False)


def _product(unit: Unit) -> Node:
    assert unit.product is not None
    return unit.product


def _at(array: Array | None, k: int) -> float | None:
    return None if array is None else float(array[k if len(array) > 1 else 0])


class _Stem:
    """Name the units of a column: x with an index for X, h with two for h1."""

    def __init__(self, name: str) -> None:
        short = name[:12]
        single = len(short.rstrip("0123456789")) == 1
        self.latex = latex_name(short.lower() if single else short)

    def __call__(self, k: object) -> str:
        if self.latex.endswith("}") and "_{" in self.latex:
            return f"{self.latex[:-1]},{k}}}"
        return f"{self.latex}_{{{k}}}"
