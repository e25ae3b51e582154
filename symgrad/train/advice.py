"""Advice from the graph alone: what will not train well, where it stands, and what to do instead.

Each rule looks at the network for one mistake, and is silent where it is not sure.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symgrad.errors import SymgradError
from symgrad.graph import Graph, Node, line_of
from symgrad.train.initial import choices
from symgrad.train.layers import Feeds, Layers
from symgrad.train.outputs import about_outputs
from symgrad.train.roles import Roles, roles
from symgrad.train.surroundings import Advice, Surroundings
from symgrad.train.uses import use

DEEP = 4  # hidden layers that saturate, from which on it is worth a word
FAMILIES = ("he", "glorot", "lecun")
SLOPES = np.linspace(-8, 8, 3201)


def advice(
    graph: Graph,
    found: Roles | None = None,
    scheme: Any = None,
    data: Mapping[str, Any] | None = None,
) -> list[Advice]:
    """List what will not train well, by line.

    `scheme` is the initialisation that was asked for, `data` the arrays of the features; both may
    be left out, as may the roles, which are found if they can be.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; y: data[N, C]; W: param[D, H]; V: param[H, C]; mse(X @ W @ V, y)")
    >>> print(advice(g)[0])
    line 1 (W, V): two linear layers make one: nothing bends the signal between W and V; put an \
activation between them, relu(…) say, or write one product
    """
    net = _surroundings(graph, found)
    rules = (
        _collapsing(net),
        _saturating(net),
        _exploding(net),
        _useless_biases(net),
        _dropout(net),
        about_outputs(net),
        _without_influence(net),
        _initialisation(net, scheme),
        _positive(net, data),
    )
    said = dict.fromkeys(a for rule in rules for a in rule)
    return sorted(said, key=lambda a: a.line or 0)


def _surroundings(graph: Graph, found: Roles | None) -> Surroundings:
    if found is None:
        try:
            found = roles(graph)
        except SymgradError:
            found = None  # no batch or no parameter: the rules that need neither remain
    return Surroundings(graph, Layers(graph), found)


def _weights(net: Surroundings) -> dict[str, tuple[Node, Feeds]]:
    """Map each weight to the product that it is part of, and to what that feeds."""
    result = {}
    for node in net.walk.flow.weights:
        part = use(net.walk, node)
        if part.role == "weight" and part.node is not None:
            result[str(node.attrs["name"])] = part.node, net.walk.feeds(part.node)
    return result


def _collapsing(net: Surroundings) -> Iterator[Advice]:
    """Find two products with weights with nothing between them but sums and constants."""
    for node in net.order:
        first = net.weight_of(node)
        if not first:
            continue
        end = net.onward(node)
        second = net.weight_of(end) if end is not None else ""
        if end is not None and second:
            yield Advice(
                "two linear layers make one",
                net.line(end),
                f"{first}, {second}" if first != second else first,
                f"nothing bends the signal between {first} and {second}",
                "put an activation between them, relu(…) say, or write one product",
            )


def _saturating(net: Surroundings) -> Iterator[Advice]:
    """Find a weight whose gradient has to pass many saturating layers, on every way."""
    if any(net.normalises(n) for n in net.order):
        return
    bent: dict[Node, Feeds] = {}
    for _, feeds in _weights(net).values():
        if feeds.node is not None and feeds.behaviour.kind == "bounded" and feeds.begin is not None:
            bent[feeds.node] = feeds
    passed = net.fewest(bent)
    weights = {k: passed.get(node, 0) for k, (node, _) in _weights(net).items()}
    worst = max(weights, key=weights.__getitem__, default="")
    count = weights.get(worst, 0) - (net.prediction in bent)
    if not worst or count < DEEP:
        return
    hidden = [f for f in bent.values() if f.node is not net.prediction]
    slopes = [_steepest(net, f) for f in hidden]
    steepest = max(slopes)
    shrinks = f"{steepest:.3g}^{count} = {steepest**count:.2g}"
    limit = f"at most {shrinks}" if steepest < 0.999 else "1 only where it is 0, far less elsewhere"
    labels = ", ".join(dict.fromkeys(f.label for f in hidden))
    yield Advice(
        "the gradient vanishes",
        net.line(_weights(net)[worst][0]),
        worst,
        f"{count} layers of {labels} lie between {worst} and the loss, each multiplies the "
        f"gradient by |f′| ≤ {steepest:.3g}: {limit}",
        "use relu in the hidden layers, residual sums (h + …), or batch_norm",
    )


def _steepest(net: Surroundings, feeds: Feeds) -> float:
    """Give the largest slope of an activation."""
    assert feeds.node is not None and feeds.begin is not None
    try:
        with np.errstate(all="ignore"):
            y = net.walk.curve(feeds.begin, feeds.node, SLOPES)
    except SymgradError:
        return 1.0
    return round(float(np.nanmax(np.abs(np.diff(y) / np.diff(SLOPES)))), 4)


def _exploding(net: Surroundings) -> Iterator[Advice]:
    """Find a hidden activation that grows faster than its argument."""
    for name, (_, feeds) in _weights(net).items():
        if feeds.behaviour.kind != "steep" or feeds.output or feeds.node is None:
            continue
        end = net.onward(feeds.node)
        if end is not None and net.weight_of(end):
            yield Advice(
                "the activation explodes",
                net.line(feeds.node),
                net.called(feeds.node) or name,
                f"{feeds.label} grows faster than its argument, so large values become larger "
                "from layer to layer, and their gradients too",
                "use relu, or a function that grows no faster than x",
            )


def _useless_biases(net: Surroundings) -> Iterator[Advice]:
    """Find biases that a normalisation over the batch takes out again."""
    for node in net.walk.flow.weights:
        part = use(net.walk, node)
        if part.role != "bias" or part.node is None:
            continue
        end = net.onward(part.node)
        if end is not None and net.normalises(end, batch=True):
            name = str(node.attrs["name"])
            yield Advice(
                "a bias without effect",
                net.line(part.node),
                name,
                f"the normalisation that follows subtracts the mean over the batch, and {name} "
                "with it",
                f"leave {name} out; the normalisation has a shift of its own, beta",
            )


def _dropout(net: Surroundings) -> Iterator[Advice]:
    """Find dropout in front of a batch normalisation, and at the output."""
    for node in net.order:
        if node.op != "dropout":
            continue
        end = net.onward(node)
        if end is not None and net.normalises(end, batch=True):
            yield Advice(
                "dropout before batch_norm",
                net.line(node),
                net.called(node) or "dropout",
                "the variance that is normalised is another one in training than later, when no "
                "unit is dropped",
                "drop behind the normalisation and the activation",
            )
        elif node is net.prediction or net.reaches(node):
            yield Advice(
                "dropout at the output",
                net.line(node),
                net.called(node) or "dropout",
                "it sets predictions themselves to 0",
                "drop hidden units only",
            )


def _without_influence(net: Surroundings) -> Iterator[Advice]:
    """Find parameters on which the loss does not depend, or only through steps."""
    live = net.differentiable()
    for node in net.graph.inputs:
        if node.attrs["kind"] != "param" or node in live:
            continue
        name = str(node.attrs["name"])
        below = node in net.below
        why = (
            "its gradient is zero almost everywhere" if below else "the loss does not depend on it"
        )
        yield Advice(
            "a parameter without influence",
            line_of(net.graph.spans, node),
            name,
            why,
            "sign, floor and comparisons pass no gradient"
            if below
            else f"use {name} or leave it out",
        )


def _initialisation(net: Surroundings, scheme: Any) -> Iterator[Advice]:
    """Compare the initialisation that was asked for with what the activations need."""
    if scheme is None or scheme == "auto":
        return
    names = [str(n.attrs["name"]) for n in net.graph.inputs if n.attrs["kind"] == "param"]
    wanted = choices(net.graph, names)
    for name, asked in choices(net.graph, names, scheme).items():
        best = wanted[name]
        if best.role != "weight" or asked.scheme in ("given", best.scheme, "orthogonal"):
            continue
        family = asked.scheme.removesuffix("_uniform")
        if best.kind not in ("rectifier", "bounded", "selfnormal") or family == best.scheme:
            continue
        if family in FAMILIES:
            why = f"{name} {best.why}; with {asked.scheme} the signal shrinks or grows from layer "
            why += "to layer"
        elif family in ("zeros", "ones", "constant"):
            why = "all units of the layer start alike, get the same gradient, and stay alike"
        elif asked.template.startswith("rng") and asked.why in ("asked for: normal",
                                                                "asked for: uniform"):  # fmt: skip
            why = f"its variance does not fall with fan_in; {name} {best.why}"
        else:
            continue
        yield Advice("the initialisation does not fit", best.line, name, why,
                     f"leave it to be chosen, or ask for {best.scheme}")  # fmt: skip


def _positive(net: Surroundings, data: Mapping[str, Any] | None) -> Iterator[Advice]:
    """Find features that have one sign throughout."""
    for name in net.roles.features if net.roles and data else ():
        array = np.asarray(data[name]) if data and name in data else np.zeros(0)
        if array.dtype.kind == "f" and array.size and np.all(array >= 0) and np.any(array > 0):
            yield Advice(
                "all inputs are positive",
                None,
                name,
                "for one example the gradients of all weights of a unit have the same sign, so "
                "updates go in a zigzag",
                f"subtract the mean of {name} (standardise it)",
            )
