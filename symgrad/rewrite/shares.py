"""Quotients of what is made of exponentials, for code: a share of a sum is a softmax or sigmoid."""

from functools import partial, reduce
from typing import Any

from symgrad.graph import Node
from symgrad.ops import make, value_of
from symgrad.rewrite.exponents import alive, logarithm, opposite, terms, together
from symgrad.shapes import axes_of

DIVISORS = ("exp", "cosh", "add", "sum", "pow", "pick", "slice", "expand")


def quotient(node: Node) -> Node | None:
    """Divide by a sum of exponentials: exp(a)/(exp(a) + exp(b)) = sigmoid(a - b)."""
    top, low = node.args
    if top.op == "matmul" and (found := _averaged(top, low)) is not None:
        return found
    if low.op not in DIVISORS:
        return None
    whole = logarithm(low)
    if whole is None:
        return None
    if top.op in ("add", "sub", "neg") and _exponential_term(top):
        parts = [make("div", part, low) for part in top.args]
        return make(top.op, *parts)
    if top.op == "sum" and low.op == "sum" and top.attrs == low.attrs:
        return _weighted(top, low)
    exponents, others = _factors(top)
    exponent = reduce(partial(make, "add"), exponents) if exponents else None
    share = _share(exponent, low, whole)
    for factor in others:
        share = make("mul", factor, share) if value_of(factor) != 1 else share
    return share


def _factors(node: Node) -> tuple[list[Node], list[Node]]:
    """Split a product into the logarithms of its exponentials and its other factors."""
    logs: list[Node] = []
    others: list[Node] = []
    todo = [node]
    while todo:
        factor = todo.pop()
        if factor.op == "mul":
            todo += [factor.args[1], factor.args[0]]
            continue
        found = logarithm(factor) if factor.op not in ("const", "sigmoid", "softmax") else None
        (others if found is None else logs).append(factor if found is None else found)
    return logs, others


def _exponential_term(node: Node) -> bool:
    """Say whether a sum has a term that may overflow; x - m alone is not divided term by term.

    x and m may be large and close to each other: their difference keeps its digits, that of
    x*exp(-a) and m*exp(-a) does not.
    """
    todo = [node]
    while todo:
        term = todo.pop()
        if term.op in ("add", "sub", "neg"):
            todo += term.args
        elif _factors(term)[0]:
            return True
    return False


def _share(exponent: Node | None, low: Node, whole: Node) -> Node:
    """Write exp(exponent)/low; one of the terms of low gives a sigmoid."""
    parts = terms(low) if low.op == "add" else []
    c = next((t for t in parts if t.op == "const"), None)
    if exponent is None and c is not None:  # 1/(3 + exp(a)) = sigmoid(log(3) - a)/3
        return make("div", _share(logarithm(c), low, whole), c)
    logs = [t for t in map(logarithm, parts) if t is not None]
    if exponent is None or exponent not in logs:
        return make("exp", make("sub", exponent, whole) if exponent else make("neg", whole))
    logs.remove(exponent)
    total = together([make("sub", other, exponent) for other in logs], low)
    return make("sigmoid", opposite(total))


def _weighted(top: Node, low: Node) -> Node | None:
    """sum(s*exp(u))/sum(exp(u)) = sum(s*softmax(u)): an average with weights."""
    inside = low.args[0]
    if inside.op != "exp" or top.args[0].op != "mul":
        return None
    a, b = top.args[0].args
    other = b if a is inside else a if b is inside else None
    if other is None:
        return None
    axes = axes_of(low.attrs["axis"], len(inside.shape))
    axis: Any = axes[0] if len(axes) == 1 else None if len(axes) == len(inside.shape) else axes
    share = make("softmax", inside.args[0], axis=axis)
    return make("sum", make("mul", other, share), **top.attrs)


def _averaged(top: Node, low: Node) -> Node | None:
    """exp(S) @ V over the sums of exp(S) along its rows is softmax(S) @ V."""
    total = low.args[0] if low.op == "expand" else low
    weights = top.args[0]
    if total.op != "sum" or total.args[0] is not weights or not alive(weights):
        return None
    rank = len(weights.shape)
    column = min(rank, len(top.args[1].shape)) > 1  # the sums stand beside rows
    if axes_of(total.attrs["axis"], rank) != (rank - 1,) or column != (low.shape[-1:] == (1,)):
        return None
    logs = logarithm(weights)
    if logs is None or logs.shape != weights.shape:
        return None
    return make("matmul", make("softmax", logs, axis=-1), top.args[1])
