"""Recognition for code only: forms that neither overflow nor give NaN; what is printed stays.

Products with a logarithm are 0 where the factor is 0; roots of sums of squares are norms, whose
gradient at 0 is 0 and whose squares do not overflow; quantities made of exponentials are computed
from their logarithms (`exponents`).
"""

from collections.abc import Callable

from symgrad.dims import times
from symgrad.errors import SymgradError
from symgrad.evaluate import LOGS
from symgrad.graph import SUMS, Node, nearby
from symgrad.ops import const, count, make, value_of
from symgrad.rewrite import logspace
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.capped import gated
from symgrad.rewrite.complements import beside_small, left_of_share
from symgrad.rewrite.contraction import entries_of_product
from symgrad.rewrite.dangers import opaque, overflows, risky
from symgrad.rewrite.entropies import of_masked_scores
from symgrad.rewrite.likelihoods import (
    log_of_mixture,
    log_of_powers,
    power_of_product,
    safe_log_of_product,
)
from symgrad.rewrite.onesided import beside_clipped
from symgrad.rewrite.power_shares import share_of_powers
from symgrad.rewrite.receding import power_of_vanishing, quotient_of_vanishing
from symgrad.rewrite.roots import norm_of_order, root_of_power, root_of_product, side
from symgrad.rewrite.shares import arctangent, distributed, half_tangent, quotient
from symgrad.rewrite.signs import nonnegative, positive
from symgrad.rewrite.sliding import added, filtered, pooled
from symgrad.rewrite.summed import several_operands, sum_of_several
from symgrad.shapes import axes_of

Recogniser = Callable[[Node], Node | None]
MANY = 400  # terms that are looked through
FEW = 64  # nodes of a factor
POSITIVE = ("exp", "sigmoid", "softmax", "softplus", "cosh")


def _safely(rule: Recogniser) -> Recogniser:
    """Leave a node as it is where the new form would not have its shape."""

    def apply(node: Node) -> Node | None:
        try:
            result = rule(node)
        except SymgradError:
            return None
        return result if result is not None and result.shape == node.shape else None

    return apply


def _xlogy(node: Node) -> Node | None:
    """Write a log(b) so that it is 0 where a is 0; so too a (log(b) - c)/d."""
    a, b = node.args
    if node.op == "matmul" and not len(a.shape) == len(b.shape) == 1:
        return None
    for factor, other in ((a, b), (b, a)):
        if factor.op in ("const", "dim", *LOGS) or not _vanishing(other) or positive(factor):
            continue
        if other.op in LOGS:
            result = _weighed(factor, other)
        elif other.op == "div":  # (log(p) - log(q))/log(2)
            result = make("div", make("mul", factor, other.args[0]), other.args[1])
        else:
            result = make(other.op, *[make("mul", factor, part) for part in other.args])
        return make("sum", result) if node.op == "matmul" else result
    return None


def _vanishing(node: Node) -> bool:
    """Say whether a logarithm, a sum or a quotient with one is infinite where a value is 0."""
    if node.op in LOGS:
        return _infinite(node)
    if node.op == "div":
        return _holds_log(node.args[0])
    return node.op in SUMS and _holds_log(node)


def _weighed(factor: Node, log: Node) -> Node:
    (b,) = log.args
    if log.op == "log1p":
        return make("xlog1py", factor, b)
    if b.op == "div" and (rest := _left_of(*b.args)) is not None:
        result = make("neg", make("xlog1py", factor, rest))
    elif b.op == "div":
        result = make("sub", *(make("xlogy", factor, part) for part in b.args))
    else:
        result = make("xlogy", factor, b)
    return make("div", result, make("log", const(2))) if log.op == "log2" else result


def _left_of(top: Node, low: Node) -> Node | None:
    """Give b/a of a share a/(a + b): log(1 + b/a) has digits that log(a) - log(a + b) has not."""
    sure = positive(top) or (top.op == "input" and not top.shape and top.attrs["kind"] == "param")
    if low.op != "add" or top not in low.args or not sure:
        return None
    return make("div", low.args[1] if low.args[0] is top else low.args[0], top)


def _holds_log(node: Node) -> bool:
    """Say whether a term of a sum is a logarithm that may be infinite."""
    todo = [node]
    seen: dict[Node, None] = {}
    while todo and len(seen) < MANY:
        term = todo.pop()
        if term in seen:
            continue
        seen[term] = None
        if term.op in SUMS:
            todo += term.args
        elif term.op in LOGS and term.args[0].op not in (*POSITIVE, "add") and _infinite(term):
            return True
    return False


def _infinite(log: Node) -> bool:
    """Say whether a logarithm may be that of 0."""
    (a,) = log.args
    if log.op == "log1p":
        return not nonnegative(a) and (value_of(a) or -1) <= -1
    return not positive(a)


def _root(node: Node) -> Node | None:
    """Write roots of squares as |a|, hypot(a, b), norms, root mean squares, deviations."""
    inner = node.args[0]
    single = squared(inner)
    if single is not None:
        return make("abs", single)
    if inner.op in ("sum", "mean") and inner.args[0].shape:
        base = squared(inner.args[0])
        if base is None or base.shape != inner.args[0].shape:
            return None
        norm = make("norm", base, **inner.attrs)
        if inner.op == "sum":
            return norm
        size = count(base.shape, axes_of(inner.attrs["axis"], len(base.shape)))
        return make("div", norm, make("sqrt", size))
    if inner.op == "matmul" and inner.args[0] is inner.args[1] and not inner.shape:
        return make("norm", inner.args[0])
    if inner.op == "var":
        return make("std", inner.args[0], **inner.attrs)
    return _hypotenuse(inner)


def _hypotenuse(inner: Node) -> Node | None:
    """Write sqrt(a**2 + b**2) and sqrt(a**2 + 4) so that the squares do not overflow."""
    if inner.op != "add":
        return None
    for left, right in (inner.args, inner.args[::-1]):
        a = side(left) if left.op != "exp" else None
        if a is None:
            continue
        b = side(right)
        number = value_of(right)
        if b is None and number is not None and number > 0:
            b = const(float(number) ** 0.5)
        return None if b is None else make("hypot", a, b)
    return None


def _inverse_sinh(node: Node) -> Node | None:
    """Write log(a + hypot(a, 1)) as asinh(a)."""
    inner = node.args[0]
    if inner.op != "add":
        return None
    for a, root in (inner.args, inner.args[::-1]):
        if root.op == "hypot" and root.args[0] is a and value_of(root.args[1]) == 1:
            return make("asinh", a)
    return None


def _divided(node: Node) -> Node | None:
    """Write sin(a)/a as sinc, whose derivative at 0 is 0."""
    top, low = node.args
    if top.op == "sub" and value_of(top.args[0]) == 1 and top.args[1].op == "cos":
        a = top.args[1].args[0]  # (1 - cos(a))/a**2 is half the square of sin(a/2)/(a/2)
        if squared(low) is a:
            half = make("sinc", make("div", a, const(6.283185307179586)))
            return make("div", make("square", half), const(2))
    if top.op == "sin" and top.args[0] is low:
        return make("sinc", make("div", low, const(3.141592653589793)))
    return None


def _angle(node: Node) -> Node | None:
    """Write arctan(b/a), whose slopes are finite at a = 0, as one function of both."""
    (ratio,) = node.args
    if ratio.op != "div" or ratio.args[1].op in ("const", "dim") or positive(ratio.args[1]):
        return None
    return make("arctan_ratio", *ratio.args)


def _complement(node: Node) -> Node | None:
    """Write 1 - sigmoid(a) as sigmoid(-a), which is not 0 where sigmoid(a) rounds to 1."""
    one, p = node.args
    if value_of(one) == 1 and p.op == "sigmoid":
        return make("sigmoid", p.args[0].args[0] if p.args[0].op == "neg" else make("neg", *p.args))
    return None


def _masked(node: Node) -> Node | None:
    """Write 1[c] times what may be infinite as a case: infinity times 0 is no number."""
    for mask, other in (node.args, node.args[::-1]):
        if mask.dtype == "bool":
            case: tuple[Node, ...] = (mask, const(1), const(0))
        elif mask.op == "where" and {value_of(v) for v in mask.args[1:]} == {0, 1}:
            case = mask.args
        else:
            continue
        if other.dtype != "bool" and (risky(other) or _far_out(other)):
            parts = [const(0) if value_of(v) == 0 else other for v in case[1:]]
            return make("where", case[0], *parts)
    return None


def _far_out(factor: Node) -> bool:
    """Say whether a power in a factor may overflow, as of x in 1[|x| <= 1] (1 - x**2)**2."""
    return any(n.op == "pow" and overflows(n) for n in nearby([factor], opaque, FEW))


def _below_one_another(node: Node) -> Node | None:
    """Put all rows of a stack of scores below one another: a table is quicker than its layers."""
    scores, labels = node.args
    if scores.op != "log_softmax" or len(labels.shape) < 2 or scores.attrs["axis"] not in (
        -1, len(labels.shape)
    ) or scores.shape[:-1] != labels.shape:  # fmt: skip
        return None
    (a,), rows = scores.args, times(*labels.shape)
    table = make("log_softmax", make("reshape", a, shape=(rows, a.shape[-1])), axis=-1)
    picked = make("pick", table, make("reshape", labels, shape=(rows,)))
    return make("reshape", picked, shape=labels.shape)


E = logspace
GATED = ("mish", "gelu", "gelu_tanh", "silu")
CODED: dict[str, list[tuple[str, Recogniser]]] = {
    "mul": [
        ("hyperbolic tangent", _safely(half_tangent)),
        ("product of exponentials", _safely(E.product)),
        ("product with a share", _safely(distributed)),
        ("0 log 0", _safely(_xlogy)),
        ("0 log 0 of masked scores", _safely(of_masked_scores)),
        ("case", _safely(_masked)),
        ("limit of a quotient", _safely(quotient_of_vanishing)),
    ],
    "matmul": [("0 log 0", _safely(_xlogy)), ("weights that slide", filtered)],
    "log": [
        ("asinh", _inverse_sinh),
        ("log of a product", _safely(safe_log_of_product)),
        ("log of powers", _safely(log_of_powers)),
        ("log of a mixture", _safely(log_of_mixture)),
        ("logarithm of exponentials", _safely(E.log)),
    ],
    "log2": [
        ("log of powers", _safely(log_of_powers)),
        ("logarithm of exponentials", _safely(E.log)),
    ],
    "log1p": [("logarithm of exponentials", _safely(E.log1p))],
    "div": [
        ("hyperbolic tangent", _safely(half_tangent)),
        ("quotient of exponentials", _safely(quotient)),
        ("sinc", _safely(_divided)),
        ("share of powers", _safely(share_of_powers)),
        ("limit of a quotient", _safely(quotient_of_vanishing)),
    ],
    "pow": [
        ("root of a power", _safely(root_of_power)),
        ("norm", _safely(norm_of_order)),
        ("power of a product", _safely(power_of_product)),
        ("power of an exponential", _safely(E.power)),
        ("power of what vanishes", _safely(power_of_vanishing)),
    ],
    "sqrt": [
        ("root of a power", _safely(root_of_power)),
        ("norm", _safely(_root)),
        ("root of a product", _safely(root_of_product)),
        ("root of exponentials", _safely(E.root)),
        ("power of what vanishes", _safely(power_of_vanishing)),
    ],
    "arctan": [
        ("arctangent of an exponential", _safely(arctangent)),
        ("angle", _safely(_angle)),
    ],
    "add": [("a small number beside 1", _safely(beside_small))],
    "sub": [
        ("1 - sigmoid", _safely(_complement)),
        ("what is left of 1", _safely(left_of_share)),
    ],
    "minimum": [("clipped multiple", _safely(beside_clipped))],
    "maximum": [("clipped multiple", _safely(beside_clipped))],
    "sum": [
        ("weights that slide", filtered),
        ("sums of windows", added),
        ("sum of a product of several arrays", _safely(sum_of_several)),
    ],
    "mean": [("sums of windows", added)],
    "amax": [("pooling", pooled)],
    "amin": [("pooling", pooled)],
    "einsum": [("einsum of several arrays", _safely(several_operands))],
    "pick": [
        ("entries of a product", entries_of_product),
        ("scores of a stack", _safely(_below_one_another)),
    ],
    **{op: [("upper end", _safely(gated))] for op in GATED},
}
