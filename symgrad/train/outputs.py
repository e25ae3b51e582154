"""Advice about the last step: whether output, loss and target belong together."""

from collections.abc import Iterator

from symgrad.graph import Graph, Node
from symgrad.ops import OPS, value_of
from symgrad.rewrite import recognise
from symgrad.train.behaviour import BELL
from symgrad.train.roles import SIGNS, ZERO_ONE
from symgrad.train.surroundings import Advice, Surroundings

# A loss that applies a function itself, and what its first operand must not be.
TWICE = {"cross_entropy": ("softmax", "sigmoid"), "bce_with_logits": ("sigmoid",),
         "multilabel_soft_margin": ("sigmoid",), "soft_margin": ("sigmoid",)}  # fmt: skip
EXACT = ("binary", "onehot", "simplex")


def about_outputs(net: Surroundings) -> Iterator[Advice]:
    """Look at every loss, and at the prediction."""
    for node in net.graph.order():
        row = OPS.get(node.op)
        if row is not None and row.reduction and len(node.args) > 1 and node in net.below:
            yield from _twice(net, node)
            yield from _labels(net, node)
    if net.roles and net.roles.targets and net.prediction is not None:
        op = known_as(net.prediction)
        yield from _squared(net, net.prediction, op)
        yield from _range(net, net.prediction, op)


def known_as(node: Node) -> str:
    """Name the operator that computes a value, also where it is typed out.

    >>> from symgrad.parse import parse
    >>> known_as(parse("1/(1 + exp(-z))").output)
    'sigmoid'
    """
    return recognise(Graph.of([node]))[0].output.op


def _twice(net: Surroundings, loss: Node) -> Iterator[Advice]:
    """Find a loss of scores that is given probabilities."""
    given = known_as(loss.args[0]) if loss.op in (*TWICE, "nll") else ""
    if given in TWICE.get(loss.op, ()):
        other = {"softmax": "nll(log(p), y)", "sigmoid": "bce(p, y)"}[given]
        yield Advice(
            f"{given} before {loss.op}",
            net.line(loss),
            net.called(loss.args[0]) or net.called(loss) or "loss",
            f"{loss.op} takes scores, and squashes them itself; behind {given} it is done twice, "
            "and the gradient is small everywhere",
            f"leave {given} out; of probabilities the loss is {other}",
        )
    elif loss.op == "nll" and given in ("softmax", "sigmoid"):
        yield Advice(
            f"{given} before nll",
            net.line(loss),
            net.called(loss.args[0]) or net.called(loss) or "loss",
            "nll takes logarithms of probabilities",
            "write cross_entropy(scores, y), or nll(log_softmax(scores), y)",
        )


def _labels(net: Surroundings, loss: Node) -> Iterator[Advice]:
    """Find labels 0/1 in a loss for ±1, and the other way round."""
    target = loss.args[1]
    kind = target.attrs["kind"] if target.op == "input" else ""
    name = str(target.attrs["name"]) if target.op == "input" else ""
    if loss.op in SIGNS and kind in ("binary", "onehot"):
        why = f"{loss.op} is about labels −1 and 1, {name} holds 0 and 1: a 0 teaches nothing"
        hint = f"declare {name}: sign, or write {loss.op}(s, 2*{name} - 1)"
    elif loss.op in (*ZERO_ONE, "cross_entropy", "nll") and kind == "sign":
        why = f"{loss.op} is about labels 0 and 1, {name} holds −1 and 1"
        hint = f"declare {name}: binary, or write ({name} + 1)/2; for −1 and 1 there is soft_margin"
    else:
        return
    yield Advice("labels that do not fit the loss", net.line(loss), name, why, hint)


def _squared(net: Surroundings, prediction: Node, op: str) -> Iterator[Advice]:
    """Find probabilities whose squared distance from labels is taken."""
    target = net.roles.targets[0] if net.roles else ""
    kinds = {n.attrs["name"]: n.attrs["kind"] for n in net.graph.inputs}
    labels = op == "softmax" or (op == "sigmoid" and kinds.get(target) in EXACT)
    if not labels or not _squares(net, prediction):
        return
    better = "cross_entropy(scores, y)" if op == "softmax" else "bce(p, y)"
    yield Advice(
        f"{op} with a squared error",
        net.line(prediction),
        net.called(prediction) or "the prediction",
        f"the gradient has the factor p(1 − p) of the {op}: an answer that is wrong and certain "
        "hardly learns",
        f"use {better}; its gradient is p − y",
    )


def _squares(net: Surroundings, prediction: Node) -> bool:
    """Say whether a loss is the squared distance of the prediction from something."""
    for user in net.users(prediction):
        if user.op in ("mse", "squared_margin"):
            return True
        if user.op != "sub":
            continue
        for after in net.users(user):
            twice = after.op == "mul" and after.args[0] is after.args[1]
            power = after.op == "pow" and value_of(after.args[1]) == 2
            if twice or power or after.op in ("square", "norm"):
                return True
    return False


def _range(net: Surroundings, prediction: Node, op: str) -> Iterator[Advice]:
    """Find an output that cannot reach the target, or classes that do not exclude each other."""
    assert net.roles is not None
    inputs = {n.attrs["name"]: n for n in net.graph.inputs}
    target = inputs[net.roles.targets[0]]
    kind = target.attrs["kind"]
    name = net.called(prediction) or "the prediction"
    if op == "sigmoid" and net.roles.task in ("onehot", "labels"):
        size = target.attrs.get("classes", target.shape[-1] if target.shape else 0)
        if size != 2:
            yield Advice(
                "sigmoid for one class of several", net.line(prediction), name,
                "its outputs are independent, the classes are not: exactly one is right",
                "give the scores to cross_entropy(scores, y), which is a softmax",
            )  # fmt: skip
        return
    if net.roles.task != "values" or kind not in ("data", "real"):
        return
    reach = _reach(net, prediction)
    if reach:
        yield Advice(
            "the output cannot reach every target", net.line(prediction), name,
            f"its values are {reach}; {target.attrs['name']} is declared as data of any size",
            "leave the output linear, or scale the targets",
        )  # fmt: skip


def _reach(net: Surroundings, prediction: Node) -> str:
    """Say which values an output activation has, if it clips or has two bounds of both signs."""
    if not prediction.args or OPS[prediction.op].shape != "elementwise":
        return ""
    begin = next((a for a in prediction.args if net.walk.flow.flows(a)), None)
    flowing = [a for a in prediction.args if net.walk.flow.flows(a)]
    if begin is None or len(flowing) != 1:
        return ""
    found = net.walk.function(begin, prediction)
    values = net.walk.curve(begin, prediction, BELL) if found.kind != "other" else None
    if values is None:
        return ""
    low, high = float(values.min()), float(values.max())
    if found.kind == "rectifier" and values[0] == low == values[len(values) // 4]:
        return f"at least {low:g}"
    if found.kind == "bounded" and low < -0.05 and high < 9:
        return f"between {low:.3g} and {high:.3g}"
    return ""
