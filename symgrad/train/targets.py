"""What a model aims at: which of its inputs is the target, and whether a prediction answers it."""

from collections.abc import Iterable, Mapping

from symgrad.dims import Dim, evaluated
from symgrad.errors import UsageError, near
from symgrad.graph import Graph, Node, consumers, depends, topological
from symgrad.ops import OPS

TARGETS = ("label", "labels", "onehot", "simplex", "sign", "binary")
CONTRACTED = ("matmul", "einsum", "outer", "correlate", "convolve")
LOGARITHMS = ("log", "log_softmax", "logsigmoid", "softplus")
Inputs = Mapping[str, Node]


def targets(
    graph: Graph, rest: Inputs, target: str | None, predict: str | None = None
) -> tuple[str, ...]:
    """Choose what is aimed at: named, of a kind that says so, or next to the loss.

    What a line that is asked for by `predict` depends on is no target, nor is what a model gives
    back, such as the X of an autoencoder, and the noise on the way.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; e: data[N, K]; W: param[D, K]; V: param[K, D];"
    ...           "mse((X @ W + e) @ V, X)")
    >>> targets(g, {n.attrs["name"]: n for n in g.inputs[:2]}, None)
    ()
    """
    if target is not None:
        if target not in rest:
            known = f"there are {', '.join(rest) or 'none'}"
            raise UsageError(f"target={target!r} is no input that comes with the data",
                             hint=near(target, tuple(rest)) + known)  # fmt: skip
        return (target,)
    shaped = {k: n for k, n in rest.items() if n.shape or n.dtype == "int"}
    line = graph.names.get(predict or "")
    asked = dict.fromkeys(topological([] if line is None else [line]))
    back = _given_back(graph) if len(shaped) > 1 else []
    no = {*_looked_up(graph, shaped), *back, *(k for k, n in shaped.items() if n in asked)}
    kept = {k: n for k, n in shaped.items() if k not in no}
    found = tuple(k for k, n in kept.items() if n.attrs["kind"] in TARGETS)
    return found if found or len(shaped) < 2 else _guessed(graph, kept, shaped)


def fits(dims: Mapping[str, int], task: str, prediction: Node, target: Node) -> bool:
    """Say whether a prediction has the shape of an answer to a target; (N, 1) is as good as (N,).

    >>> from symgrad.ops import leaf
    >>> fits({}, "values", leaf("K", ("N", "N")), leaf("y", ("N",)))
    False
    """

    def shape(given: Iterable[Dim]) -> tuple[Dim, ...]:
        known = tuple(evaluated(d, dims) or d for d in given)
        return known[:-1] if len(known) > 1 and known[-1] == 1 else known

    if task != "labels":
        return shape(prediction.shape) == shape(target.shape)
    of = (target.attrs["classes"],) if "classes" in target.attrs else prediction.shape[-1:]
    return shape(prediction.shape) == shape((*target.shape, *of))


def comparisons(graph: Graph) -> list[Node]:
    """List the differences and the losses, and y log p, of which a likelihood is made."""

    def compares(n: Node) -> bool:
        inner = (a.args[0] if a.op == "neg" else a for a in n.args)
        likely = n.op == "mul" and any(a.op in LOGARITHMS for a in inner)
        return likely or n.op == "sub" or (n.op in OPS and bool(OPS[n.op].reduction))

    return [n for n in graph.order() if compares(n)]


def _guessed(graph: Graph, shaped: Inputs, data: Inputs) -> tuple[str, ...]:
    """Take the second operand of a loss, what is subtracted, or what a learned value meets."""
    losses = [n for n in graph.order() if n.op in OPS and OPS[n.op].reduction]
    seconds = [n.args[1] for n in losses if len(n.args) > 1]
    named = tuple(k for k, n in shaped.items() if n in seconds)
    if named:
        return named
    chosen = _subtracted(graph, shaped) or _meeting(graph, shaped, data)
    if not chosen:
        return ()
    far = _distances(graph)  # weights of rows lie nearer to the loss
    return (min(chosen, key=lambda k: far.get(shaped[k], len(far))),)


def learned_from(graph: Graph) -> dict[Node, None]:
    """Collect the parameters, and what is computed from them."""
    params = [n for n in graph.inputs if n.attrs["kind"] == "param"]
    return depends(graph.order(), params)


def _given_back(graph: Graph) -> list[str]:
    """List what is compared with a function of its own alone, and the inputs of that function."""
    order, learned, compared = graph.order(), learned_from(graph), comparisons(graph)
    data = {n.attrs["name"]: n for n in graph.inputs if n not in learned}
    images, answers = [], []
    for name, node in data.items():
        others = [a for n in compared if node in n.args for a in n.args if a in learned]
        own = depends(order, [node]) if others else {}
        if any(a not in own for a in others):
            answers.append(node)
        elif others and _fed(graph, name, data):
            images += [node, *others]
    return [n.attrs["name"] for n in topological(images) if n.op == "input" and n not in answers]


def _fed(graph: Graph, name: str, data: Inputs) -> bool:
    """Say whether an input is multiplied by a matrix of parameters, or convolved with one."""
    order, learned = graph.order(), learned_from(graph)
    given, own = depends(order, data.values()), depends(order, [data[name]])
    return any(
        n.op in CONTRACTED
        and any(a in own and a not in learned for a in n.args)
        and any(a in learned and a not in given for a in n.args)
        for n in order
    )


def _meeting(graph: Graph, shaped: Inputs, data: Inputs) -> list[str]:
    """List the inputs that meet what is learned about others; if none do, those that feed nothing.

    In exp(z) - y z the target y meets z = X w; X meets parameters alone.
    """
    order, learned = graph.order(), learned_from(graph)
    given = depends(order, data.values())
    found = []
    for name, node in shaped.items():
        own = depends(order, [node])
        if any(
            any(a in own and a not in learned for a in n.args)
            and any(a in learned and a in given and a not in own for a in n.args)
            for n in order
        ):
            found.append(name)
    return found or [k for k in shaped if not _fed(graph, k, data)]


def _subtracted(graph: Graph, shaped: Inputs) -> list[str]:
    """List the inputs from which something learned is subtracted, or that are from it."""
    order, learned = graph.order(), learned_from(graph)
    met = {a: b for n in order if n.op == "sub" for a, b in (n.args, n.args[::-1]) if b in learned}
    return [k for k, n in shaped.items() if n in met]


def _looked_up(graph: Graph, shaped: Inputs) -> list[str]:
    """List the whole numbers that pick from parameters alone, as the words of a text do."""
    order, users = graph.order(), consumers(graph.order())
    given = depends(order, shaped.values())
    return [
        k for k, n in shaped.items()
        if n.dtype == "int" and users[n]
        and all(not any(a in given for a in u.args if a is not n) and len(u.args) > 1
                for u, _ in users[n])
    ]  # fmt: skip


def _distances(graph: Graph) -> dict[Node, int]:
    """Count the operators on the longest way from each node to the loss."""
    far = {graph.output: 0}
    for node in reversed(topological([graph.output])):
        for arg in node.args:
            far[arg] = max(far.get(arg, 0), far[node] + 1)
    return far
