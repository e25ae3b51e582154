"""Recognition for code only: forms that neither overflow nor give NaN; what is printed stays.

Products with a logarithm are 0 where the factor is 0; roots of sums of squares are norms, whose
gradient at 0 is 0 and whose squares do not overflow; quantities made of exponentials are computed
from their logarithms (`exponents`).
"""

from collections.abc import Callable

from symgrad.graph import Node
from symgrad.ops import const, count, make, value_of
from symgrad.rewrite import exponents
from symgrad.rewrite.forms import risky
from symgrad.shapes import axes_of

Recogniser = Callable[[Node], Node | None]
LOGS = ("log", "log2")
POSITIVE = ("exp", "sigmoid", "softmax", "softplus", "cosh")


def _xlogy(node: Node) -> Node | None:
    """Write a log(b) so that it is 0 where a is 0; so too a (log(b) - c)."""
    a, b = node.args
    if node.op == "matmul" and not len(a.shape) == len(b.shape) == 1:
        return None
    for factor, other in ((a, b), (b, a)):
        if factor.op in ("const", "dim", *LOGS):
            continue
        if other.op in LOGS:
            result = _weighed(factor, other)
        elif other.op in ("add", "sub", "neg") and _holds_log(other):
            parts = [make("mul", factor, part) for part in other.args]
            result = make(other.op, *parts)
        else:
            continue
        return make("sum", result) if node.op == "matmul" else result
    return None


def _weighed(factor: Node, log: Node) -> Node:
    (b,) = log.args
    if b.op == "div":
        result = make("sub", *(make("xlogy", factor, part) for part in b.args))
    else:
        result = make("xlogy", factor, b)
    return make("div", result, make("log", const(2))) if log.op == "log2" else result


def _holds_log(node: Node) -> bool:
    """Say whether a term of a sum is a logarithm that may be infinite."""
    todo = [node]
    while todo:
        term = todo.pop()
        if term.op in ("add", "sub", "neg"):
            todo += term.args
        elif term.op in LOGS and term.args[0].op not in (*POSITIVE, "const", "dim", "add"):
            return True
    return False


def _squared(node: Node) -> Node | None:
    """Give a where the node is a**2 in any spelling."""
    if node.op == "pow" and value_of(node.args[1]) == 2:
        return node.args[0]
    if node.op == "square":
        return node.args[0]
    return node.args[0] if node.op == "mul" and node.args[0] is node.args[1] else None


def _root(node: Node) -> Node | None:
    """Write roots of squares as |a|, hypot(a, b), norms, root mean squares, deviations."""
    inner = node.args[0]
    single = _squared(inner)
    if single is not None:
        return make("abs", single)
    if inner.op in ("sum", "mean") and inner.args[0].shape:
        base = _squared(inner.args[0])
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
        a = _squared(left)
        if a is None:
            continue
        b = _squared(right)
        number = value_of(right)
        if b is None and number is not None and number > 0:
            b = const(float(number) ** 0.5)
        return None if b is None else make("hypot", a, b)
    return None


def _divided(node: Node) -> Node | None:
    """Write sin(a)/a as sinc, whose derivative at 0 is 0."""
    top, low = node.args
    if top.op == "sin" and top.args[0] is low:
        return make("sinc", make("div", low, const(3.141592653589793)))
    return None


def _masked(node: Node) -> Node | None:
    """Write 1[c] times what may be infinite as a case: infinity times 0 is no number."""
    for mask, other in (node.args, node.args[::-1]):
        if mask.dtype == "bool" and other.dtype != "bool" and risky(other):
            return make("where", mask, other, const(0))
    return None


E = exponents
CODED: dict[str, list[tuple[str, Recogniser]]] = {
    "add": [("log-softmax", E.safely(E.difference))],
    "mul": [
        ("product of exponentials", E.safely(E.product)),
        ("0 log 0", E.safely(_xlogy)),
        ("case", E.safely(_masked)),
    ],
    "matmul": [("0 log 0", E.safely(_xlogy))],
    "log": [("logarithm of exponentials", E.safely(E.log))],
    "log2": [("logarithm of exponentials", E.safely(E.log))],
    "div": [("quotient of exponentials", E.safely(E.quotient)), ("sinc", E.safely(_divided))],
    "pow": [("power of an exponential", E.safely(E.power))],
    "sqrt": [("norm", E.safely(_root)), ("root of exponentials", E.safely(E.root))],
    "sub": [("log-softmax", E.safely(E.difference))],
}
