"""A model while it is trained, and when it is used: dropout, batch statistics, penalties.

What is averaged over the batch on the way to the prediction (by `batch_norm`, or typed out as a
mean or variance over the first axis) is a statistic: in training it is the batch's own, and a
moving average of it takes its place afterwards. Dropout is left out then.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symgrad.errors import Span, UsageError
from symgrad.graph import Graph, Node, depends, rebuild, topological
from symgrad.ops import OPS, const, leaf, make, remake
from symgrad.parse.rows import written
from symgrad.shapes import Shape, axes_of
from symgrad.train.layers import Layers
from symgrad.train.roles import Roles
from symgrad.train.uses import use

WEIGHED = ("weight", "rows")


@dataclass(frozen=True, slots=True)
class Statistic:
    """Name a value that is averaged over the batch, and the input that stands for it later."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Mask:
    """Describe a mask of dropout: entries are 1 with probability `keep`, else 0."""

    name: str
    shape: Shape
    keep: float


@dataclass(frozen=True, slots=True)
class Modes:
    """Hold the graphs of a model.

    `train` computes the loss with its penalties, and has every statistic among its names;
    `test` the prediction and `loss` the loss, with moving statistics as inputs and no dropout;
    among the names of `loss` the prediction is called `answer`. `sampled` is the prediction with
    moving statistics and with dropout (Monte Carlo dropout; Gal and Ghahramani 2016).
    """

    train: Graph
    test: Graph
    loss: Graph
    sampled: Graph
    answer: str
    statistics: tuple[Statistic, ...]
    masks: tuple[Mask, ...]


def modes(graph: Graph, roles: Roles, l1: float = 0.0, l2: float = 0.0) -> Modes:
    """Make the graphs for training and for use.

    `l1` and `l2` weigh Σ|w| and Σw² of all weights (what the signal is multiplied by; biases and
    scales go free), which are added to the loss of training only.

    >>> from symgrad.parse import parse
    >>> from symgrad.train.roles import roles
    >>> g = parse("X: data[N, D]; y: data[N]; w: param[D]; g: param[D]; b: param[D];"
    ...           "m: binary[N, D]; h = dropout(batch_norm(X, g, b), m, p=0.2); mse(h @ w, y)")
    >>> made = modes(g, roles(g))
    >>> made.statistics[0].name, made.masks[0].keep, [n.attrs["name"] for n in made.test.inputs]
    ('X_mean', 0.8, ['X', 'w', 'g', 'b', 'X_mean', 'X_var'])
    """
    found = _statistics(graph, roles)
    names = _named(graph, found)
    answer = _free("answer", graph)
    named = {**graph.names, answer: roles.prediction}
    return Modes(
        train=_trained(graph, roles, names, l1, l2),
        test=_tested(graph, roles.prediction, graph.names, names),
        loss=_tested(graph, graph.output, named, names, also=(roles.prediction,)),
        sampled=_tested(graph, roles.prediction, graph.names, names, dropout=True),
        answer=answer,
        statistics=tuple(Statistic(name, node.shape) for node, name in names.items()),
        masks=_masks(graph, roles),
    )


def undropped(graph: Graph) -> Graph:
    """Leave dropout out of a graph, which is otherwise that of training."""
    return _tested(graph, graph.output, graph.names, {})


def _statistics(graph: Graph, roles: Roles) -> list[Node]:
    """List what is averaged over the batch below the prediction, in order."""
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    order = topological([roles.prediction])
    seen = depends(order, [inputs[k] for k in roles.features])
    found: dict[Node, None] = {}
    for node in order:
        if node.op == "batch_norm":
            x = node.args[0]
            found.update(dict.fromkeys(_moments(x)))
        elif node in seen and _over_batch(node, roles.batch):
            found[node] = None
    return list(found)


def _moments(x: Node) -> tuple[Node, Node]:
    """Make the mean and the variance of a value over the batch."""
    return (make("mean", x, axis=0, keepdims=True), make("var", x, axis=0, keepdims=True))


def _over_batch(node: Node, batch: str) -> bool:
    """Say whether a node averages over the examples (and over nothing that it keeps)."""
    if node.op == "div":  # a sum over the examples alone, divided by their number
        above, below = node.args
        return below.op == "dim" and below.attrs["name"] == batch and _summed(above, batch)
    if node.op not in ("mean", "var", "std") or node.args[0].shape[:1] != (batch,):
        return False
    return 0 in axes_of(node.attrs.get("axis"), len(node.args[0].shape))


def _summed(node: Node, batch: str) -> bool:
    """Say whether a node is the sum over the examples, and over nothing else."""
    if node.op != "sum" or node.args[0].shape[:1] != (batch,):
        return False
    return tuple(axes_of(node.attrs.get("axis"), len(node.args[0].shape))) == (0,)


def _named(graph: Graph, found: list[Node]) -> dict[Node, str]:
    """Name each statistic after the value that is averaged: X_mean, h_var."""
    taken = _taken(graph)
    names: dict[Node, str] = {}
    for k, node in enumerate(found):
        own = graph.name(node)
        inner, op = (node.args[0].args[0], "mean") if node.op == "div" else (node.args[0], node.op)
        base = own or f"{graph.name(inner) or f'z{k // 2 + 1}'}_{op}"
        name, n = (f"{own}_average" if own else base), 2
        while name in taken:
            name, n = f"{base}_{n}", n + 1
        taken.add(name)
        names[node] = name
    return names


def _taken(graph: Graph) -> set[str]:
    return {*graph.names, *(n.attrs["name"] for n in graph.inputs), *graph.dims}


def _free(name: str, graph: Graph) -> str:
    taken = _taken(graph)
    while name in taken:
        name += "_"
    return name


def _trained(
    graph: Graph, roles: Roles, statistics: Mapping[Node, str], l1: float, l2: float
) -> Graph:
    """Add the penalties to the loss; make the statistics named values of the graph."""
    loss = graph.output
    weights = _weights(graph, roles) if l1 or l2 else []
    for weight, size in ((l1, _absolute), (l2, _squared)):
        if weight and weights:
            total = size(weights[0])
            for w in weights[1:]:
                total = make("add", total, size(w))
            loss = make("add", loss, make("mul", const(weight), total))
    extra = {name: node for node, name in statistics.items()}
    return _graph(graph, [*statistics, loss], {**graph.names, **extra}, whole=True)


def _weights(graph: Graph, roles: Roles) -> list[Node]:
    """List what the penalties weigh: parameters by which the signal is multiplied, no biases."""
    walk = Layers(graph)
    found = [n for n in graph.inputs
             if n.attrs["name"] in roles.params and use(walk, n).role in WEIGHED]  # fmt: skip
    if not found:
        raise UsageError("l1 and l2 weigh weights, and the model has none that could be told",
                         hint="write the penalty into the loss:  + lam*sum(w**2)")  # fmt: skip
    return found


def _absolute(w: Node) -> Node:
    return make("sum", make("abs", w), axis=None, keepdims=False)


def _squared(w: Node) -> Node:
    return make("sum", make("pow", w, const(2)), axis=None, keepdims=False)


def _tested(
    graph: Graph,
    root: Node,
    names: Mapping[str, Node],
    statistics: Mapping[Node, str],
    dropout: bool = False,
    also: tuple[Node, ...] = (),
) -> Graph:
    """Rebuild what is below a node, and others, with moving statistics and without dropout."""
    stand_ins = {node: leaf(name, node.shape, "data") for node, name in statistics.items()}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in stand_ins:
            return stand_ins[node]
        if node.op == "dropout" and not dropout:
            return args[0]
        if node.op == "batch_norm" and stand_ins:
            given = (stand_ins[m] for m in _moments(node.args[0]))
            return written(OPS["batch_norm"].typed, (*args, *given), dict(node.attrs))
        return remake(node, args)

    image = rebuild([*also, root], change)
    outputs = [image[n] for n in (*also, root)]
    order = topological(outputs)
    kept = dict.fromkeys(order)
    found = {k: image[n] for k, n in names.items() if n in image and image[n] in kept}
    return _graph(graph, outputs, found, image.get)


def _graph(
    graph: Graph,
    outputs: list[Node],
    names: Mapping[str, Node],
    image: Callable[[Node], Node | None] = lambda n: n,
    whole: bool = False,
) -> Graph:
    """Make a graph with the lines of another one, and with its unused inputs if `whole`."""
    spans: dict[Node, Span] = {}
    for node in graph.order():
        there = image(node)
        if there is not None and node in graph.spans:
            spans.setdefault(there, graph.spans[node])
    return Graph.of(outputs, names=names, spans=spans, dims=graph.dims, source=graph.source,
                    extra_inputs=graph.inputs if whole else (), dtype=graph.dtype)  # fmt: skip


def _masks(graph: Graph, roles: Roles) -> tuple[Mask, ...]:
    """Describe the mask of every dropout; one mask that is used twice is drawn once."""
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    kept: dict[str, float] = {}
    for node in graph.order():
        if node.op == "dropout" and node.args[1].op == "input":
            kept.setdefault(node.args[1].attrs["name"], 1.0 - float(node.attrs["p"]))
    return tuple(Mask(k, inputs[k].shape, kept[k]) for k in roles.masks)
