"""Recognition that looks at axes, and at what a rule's text cannot say: softmax and its kin."""

import math
from collections.abc import Callable
from typing import Any

from symgrad.graph import Node
from symgrad.ops import const, count, make, value_of
from symgrad.rewrite.chosen import CHOSEN
from symgrad.rewrite.exponents import from_last
from symgrad.rewrite.likelihoods import log_of_product, of_exponentials
from symgrad.rewrite.logits import difference
from symgrad.rewrite.matrices import log_determinant
from symgrad.rewrite.powers import norm_of_squares
from symgrad.rewrite.standardised import standardised
from symgrad.shapes import axes_of


def _softmax(node: Node) -> Node | None:
    """exp(a)/sum(exp(a)) along one axis (or all), the sum kept or re-expanded."""
    top, bottom = node.args
    if top.op != "exp" or node.shape != top.shape:
        return None
    axis = _total_of(bottom, top)
    return None if axis is None else make("softmax", top.args[0], axis=axis[0])


def _total_of(node: Node, what: Node) -> tuple[Any] | None:
    """Say along which axis `node` is the sum of `what`, broadcastable against it."""
    grown: tuple[int, ...] | None = None
    if node.op == "expand":
        grown, node = node.attrs["axes"], node.args[0]
    if node.op != "sum" or node.args[0] is not what:
        return None
    rank = len(what.shape)
    axes = axes_of(node.attrs["axis"], rank)
    leading = axes == tuple(range(len(axes)))  # leading axes broadcast by themselves
    if node.attrs["keepdims"] or grown == axes or len(axes) == rank or (not grown and leading):
        if len(axes) == rank and rank > 1:
            return (None,)
        return (axes[0] if axes[0] != rank - 1 else -1,) if len(axes) == 1 else (axes,)
    return None


def _shifted(node: Node) -> Node | None:
    """softmax(a - max(a)) is softmax(a), and so for log_softmax."""
    inner = node.args[0]
    if inner.op != "sub":
        return None
    a, top = inner.args
    if top.op == "expand":
        top = top.args[0]
    if top.op == "amax" and top.args[0] is a:
        axes = axes_of(top.attrs["axis"], len(a.shape))
        own = axes_of(node.attrs["axis"], len(a.shape))
        if set(own) <= set(axes):
            return make(node.op, a, **node.attrs)
    return None


def _logsumexp(node: Node) -> Node | None:
    """log(sum(exp(a)))."""
    total = node.args[0]
    if total.op not in ("sum", "mean") or total.args[0].op != "exp" or not total.args[0].shape:
        return None
    result, shape = make("logsumexp", total.args[0].args[0], **total.attrs), total.args[0].shape
    size = count(shape, axes_of(total.attrs["axis"], len(shape)))
    return result if total.op == "sum" else make("sub", result, make("log", size))


def _log_of_exponentials(node: Node) -> Node | None:
    """Write log(exp(a) + exp(b) + 2) from the largest exponent."""
    exponents: list[Node] = []
    for term in from_last(node.args[0]):
        if term.op == "exp":
            exponents.append(term.args[0])
        elif (number := value_of(term)) is not None and number > 0:
            exponents.append(const(0) if number == 1 else const(math.log(number)))
        else:
            return None
    if len(exponents) < 2 or all(n.op == "const" for n in exponents):
        return None
    total = exponents.pop()
    for other in exponents[::-1]:
        if total.op == "const":
            total, other = other, total
        if other.op == "const":  # log(exp(a) + c) = log c + softplus(a - log c)
            if other.attrs["value"] == 0:
                total = make("softplus", total)
            else:
                total = make("add", other, make("softplus", make("sub", total, other)))
        else:
            total = make("logaddexp", total, other)
    return total if total.shape == node.shape else None


def _log_softmax(node: Node) -> Node | None:
    """log(softmax(a))."""
    inner = node.args[0]
    found = inner.op == "softmax"
    return make("log_softmax", inner.args[0], axis=inner.attrs["axis"]) if found else None


def _log_pick(node: Node) -> Node | None:
    """log(p[y]) is log(p)[y], so that the logarithm meets the softmax."""
    inner = node.args[0]
    if inner.op in ("pick", "slice", "diag") and inner.args[0].op in ("softmax", "sigmoid"):
        return make(inner.op, make("log", inner.args[0]), *inner.args[1:], **inner.attrs)
    return None


def _log_quotient(node: Node) -> Node | None:
    """log(p/q) is log p - log q where one of them has a stable logarithm."""
    inner = node.args[0]
    stable = ("softmax", "sigmoid", "exp")
    if inner.op == "div" and any(a.op in stable for a in inner.args):
        return make("sub", make("log", inner.args[0]), make("log", inner.args[1]))
    if inner.op == "mul" and all(a.op in stable for a in inner.args):
        return make("add", make("log", inner.args[0]), make("log", inner.args[1]))
    return None


def _minus_lse(node: Node) -> Node | None:
    """Write a - logsumexp(a) as log_softmax(a)."""
    a, subtracted = node.args
    total = subtracted.args[0] if subtracted.op == "expand" else subtracted
    if total.op != "logsumexp" or total.args[0] is not a or node.shape != a.shape:
        return None
    axes = axes_of(total.attrs["axis"], len(a.shape))
    if subtracted is not total and subtracted.attrs["axes"] != axes:
        return None
    if subtracted is total and total.shape and not total.attrs["keepdims"]:
        return None
    axis: Any = axes[0] if len(axes) == 1 else (None if len(axes) == len(a.shape) else axes)
    return make("log_softmax", a, axis=-1 if axis == len(a.shape) - 1 else axis)


def _swish(node: Node) -> Node | None:
    """Write x sigmoid(b x) as swish(x, b); x is no number."""
    for x, share in (node.args, node.args[::-1]):
        if share.op != "sigmoid" or (not x.args and x.op != "input"):
            continue
        inner, sign = share.args[0], 1
        if inner.op == "neg":
            inner, sign = inner.args[0], -1
        if inner.op == "mul" and x in inner.args:
            slope = inner.args[1] if inner.args[0] is x else inner.args[0]
            slope = slope if sign > 0 else make("neg", slope)
            result = make("swish", x, slope)
            return result if result.shape == node.shape else None
    return None


SHAPED: dict[str, list[tuple[str, Callable[[Node], Node | None]]]] = {
    "div": [("softmax", _softmax), ("standardisation", standardised)],
    "softmax": [("softmax shift", _shifted)],
    "log_softmax": [("softmax shift", _shifted)],
    "log": [
        ("log of a product", log_of_product),
        ("log of a sum of exponentials", _log_of_exponentials),
        ("log-sum-exp", _logsumexp),
        ("log-softmax", _log_softmax),
        ("log of a pick", _log_pick),
        ("log of a quotient", _log_quotient),
        ("log determinant", log_determinant),
    ],
    "sub": [("log-softmax", _minus_lse), ("log-softmax", difference)],
    "add": [("log-softmax", difference)],
    "mul": [("swish", _swish)],
    "sqrt": [("norm", norm_of_squares)],
    "sum": CHOSEN,
    "log2": [("log of a product", log_of_product)],
    "logabs": [("log of a product", log_of_product)],
    "prod": [("product of exponentials", of_exponentials)],
}
