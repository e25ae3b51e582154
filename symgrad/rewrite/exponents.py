"""Compute with logarithms where exponentials would overflow: recognition for code.

A positive quantity that is made of exponentials has a logarithm that can be written without
them: log(exp(a)*sigmoid(b)) = a - softplus(-b). Logarithms, quotients and products of such
quantities are computed from their logarithms; what is printed stays as it was typed.
"""

import math
from collections.abc import Callable

from symgrad.graph import Node
from symgrad.ops import const, count, make, value_of
from symgrad.rewrite.depths import Depths
from symgrad.shapes import axes_of

DEEP = 12  # nested quantities of more levels are left as they are
NESTED = 4  # levels that a sum counts: sums of quotients of sums, step after step, are numbers
SOFTENED = 6  # what is made of more of these inside one another is a recursion of such steps
SOFT = ("exp", "softplus", "sigmoid", "softmax", "log_softmax", "logaddexp", "logsumexp")
_soft = Depths(SOFT, (*SOFT, "add", "sub", "mul", "div", "neg", "stack", "broadcast", "pick"))


def logarithm(node: Node, depth: int = 0) -> Node | None:
    """Write the logarithm of a positive quantity made of exponentials; None if it is not one.

    >>> from symgrad.ops import leaf
    >>> logarithm(make("exp", leaf("x"))).op
    'input'
    """
    if node.op == "const":
        value = node.attrs["value"]
        return const(math.log(value)) if 0 < value < math.inf else None
    rule = LOGARITHMS.get(node.op)
    return rule(node, depth + 1) if rule is not None and depth < DEEP else None


def minus_softplus(argument: Node) -> Node:
    """Write log(1/(1 + exp(a)))."""
    return make("neg", make("softplus", argument))


def _difference(node: Node, depth: int) -> Node | None:
    """log(1 - sigmoid(a)) = -softplus(a)."""
    a, b = node.args
    if value_of(a) == 1 and b.op == "sigmoid":
        return minus_softplus(b.args[0])
    return None


def _both(parts: tuple[Node, ...], depth: int) -> tuple[Node, Node] | None:
    """Give the logarithms of two quantities; None if one has none."""
    a, b = (logarithm(part, depth) for part in parts)
    return None if a is None or b is None else (a, b)


def _product(node: Node, depth: int) -> Node | None:
    for c, factor in (node.args, node.args[::-1]) if node.op == "mul" else ():
        if zero_or_one(c):
            return _only(_condition(c), factor, node, depth)
    pair = _both(node.args, depth)
    return None if pair is None else make("sub" if node.op == "div" else "add", *pair)


def _power(node: Node, depth: int) -> Node | None:
    inner, power = logarithm(node.args[0], depth), node.args[1]
    return make("mul", power, inner) if inner is not None and power.op == "const" else None


def _root(node: Node, depth: int) -> Node | None:
    inner = logarithm(node.args[0], depth)
    return None if inner is None else make("div", inner, const(2))


def _sum(node: Node, depth: int) -> Node | None:
    if _soft(node) > SOFTENED:
        return None
    parts = [logarithm(t, depth + NESTED) for t in terms(node)]
    if any(p is None for p in parts) or all(p is not None and p.op == "const" for p in parts):
        return None
    return together([p for p in parts if p is not None], node)


def _reduction(node: Node, depth: int) -> Node | None:
    inner = logarithm(node.args[0], depth + NESTED)
    if inner is None or inner.op == "const" or not node.args[0].shape:
        return None
    total = make("logsumexp", inner, **node.attrs)
    if node.op == "sum":
        return total
    shape = node.args[0].shape
    return make("sub", total, make("log", count(shape, axes_of(node.attrs["axis"], len(shape)))))


def _part(node: Node, depth: int) -> Node | None:
    inner = logarithm(node.args[0], depth)
    if inner is None or inner.shape != node.args[0].shape:
        return None
    return make(node.op, inner, *node.args[1:], **node.attrs)


def _case(node: Node, depth: int) -> Node | None:
    if value_of(node.args[2]) == 0:
        return _only(node.args[0], node.args[1], node, depth)
    pair = _both(node.args[1:], depth)
    return None if pair is None else make("where", node.args[0], *pair)


def _only(c: Node, factor: Node, like: Node, depth: int) -> Node | None:
    """log(0) is -inf: a term that a sum leaves out. A row for all rows is not spread for that."""
    inner = logarithm(factor, depth)
    if inner is None or not like.shape or factor.shape != like.shape or factor.op == "expand":
        return None
    return make("where", c, inner, const(-math.inf))


def zero_or_one(node: Node) -> bool:
    """Say whether an array holds zeros and ones: a condition, a declared mask, 1 - eye(N)."""
    if node.dtype == "bool" or node.op == "eye":
        return True
    if node.op == "sub":
        return value_of(node.args[0]) == 1 and zero_or_one(node.args[1])
    return node.op == "input" and node.attrs["kind"] in ("binary", "onehot")


def _condition(mask: Node) -> Node:
    return mask if mask.dtype == "bool" else make("gt", mask, const(0))


def _inner(node: Node, depth: int) -> Node | None:
    """log(sum(a*b)) of vectors, where both have logarithms."""
    if any(len(a.shape) != 1 for a in node.args):
        return None
    pair = _both(node.args, depth + NESTED)
    return None if pair is None else make("logsumexp", make("add", *pair))


LOGARITHMS: dict[str, Callable[[Node, int], Node | None]] = {
    "exp": lambda n, depth: n.args[0],
    "gaussian": lambda n, depth: make("neg", make("pow", n.args[0], const(2))),
    "sigmoid": lambda n, depth: minus_softplus(make("neg", n.args[0])),
    "softmax": lambda n, depth: make("log_softmax", n.args[0], **n.attrs),
    "cosh": lambda n, depth: make("logcosh", n.args[0]),
    "sub": _difference,
    "mul": _product,
    "div": _product,
    "pow": _power,
    "sqrt": _root,
    "where": _case,
    "add": _sum,
    "sum": _reduction,
    "matmul": _inner,
    "mean": _reduction,
    "pick": _part,
    "slice": _part,
    "expand": _part,
    "transpose": _part,
}


def alive(node: Node) -> bool:
    """Say whether exponentials are in it: the root of 2/pi stays a root."""
    level = [node]
    for _ in range(DEEP):
        if any(n.op in ("exp", "gaussian", "sigmoid", "softmax", "cosh") for n in level):
            return True
        level = list(dict.fromkeys(a for n in level if n.op in LOGARITHMS for a in n.args))
    return False


def terms(node: Node) -> list[Node]:
    """List the terms of a sum, left to right."""
    found: list[Node] = []
    todo = [node]
    while todo:
        term = todo.pop()
        if term.op == "add":
            todo += [term.args[1], term.args[0]]
        else:
            found.append(term)
    return found


def together(logs: list[Node], like: Node) -> Node:
    """Write log(exp(a) + exp(b) + …), from the largest."""
    first, rest = logs[0], logs[1:]
    if len(logs) == 1:
        return first
    if len(logs) == 2:
        a, b = (first, rest[0]) if rest[0].op == "const" else (rest[0], first)
        if b.op != "const":
            return make("logaddexp", first, rest[0])
        if not b.attrs["value"]:
            return make("softplus", a)
        return make("add", b, make("softplus", make("sub", a, b)))
    wide = [n if n.shape == like.shape else make("broadcast", n, shape=like.shape) for n in logs]
    return make("logsumexp", make("stack", *wide, axis=0), axis=0)


# -- what is written anew --------------------------------------------------------------------


def log(node: Node) -> Node | None:
    """Take the logarithm of a quantity made of exponentials, or of one such factor."""
    inner = node.args[0]
    if inner.op == "const":
        return None
    result = logarithm(inner) if alive(inner) else None
    if result is None and inner.op in ("mul", "div"):
        a, b = inner.args
        for known in (a, b):
            if known.op == "const" or logarithm(known) is None:
                continue
            parts = [make("log", a), make("log", b)]
            result = make("sub" if inner.op == "div" else "add", *parts)
            break
    if result is None:
        return _log_of_power(node)
    if node.op == "log2":
        result = make("div", result, make("log", const(2)))
    return result if result.shape == node.shape and result is not node else None


def _log_of_power(node: Node) -> Node | None:
    """log(a**2) = 2 log|a|, log(a**3) = 3 log(a), log(sqrt(a)) = log(a)/2."""
    inner = node.args[0]
    if node.op != "log":
        return None
    if inner.op == "sqrt":
        return make("div", make("log", inner.args[0]), const(2))
    if inner.op == "mul" and inner.args[0] is inner.args[1]:
        return make("mul", const(2), make("logabs", inner.args[0]))
    power = value_of(inner.args[1]) if inner.op == "pow" else None
    if power is None or power == 0 or not math.isfinite(power):
        return None
    even = float(power).is_integer() and int(power) % 2 == 0
    return make("mul", const(power), make("logabs" if even else "log", inner.args[0]))


def product(node: Node) -> Node | None:
    """exp(a)*exp(b) = exp(a + b), and exp(a)*sigmoid(-a) = sigmoid(a): infinity times 0."""
    if not any(a.op in ("exp", "mul") for a in node.args):
        return None
    if not node.shape and not all(a.op in ("exp", "mul", "sigmoid") for a in node.args):
        return None  # what could be joined within one factor has been
    factors: list[Node] = []
    todo = [node]
    while todo:
        factor = todo.pop()
        if factor.op == "mul" and len(factors) + len(todo) < DEEP:
            todo += [factor.args[1], factor.args[0]]
        else:
            factors.append(factor)
    place = next((j for j, f in enumerate(factors) if f.op == "exp"), None)
    if place is None:
        return None
    for k, other in enumerate(factors):
        if k == place or other.op not in ("exp", "sigmoid"):
            continue
        joined = _joined(factors[place].args[0], other)
        rest = [f for j, f in enumerate(factors) if j not in (k, place)]
        for factor in rest:
            joined = make("mul", factor, joined)
        return joined
    return None


def _joined(exponent: Node, other: Node) -> Node:
    inner = other.args[0]
    if other.op == "exp":
        return make("exp", make("add", exponent, inner))
    if inner is opposite(exponent) or opposite(inner) is exponent:
        return make("sigmoid", exponent)
    return make("exp", make("sub", exponent, make("softplus", make("neg", inner))))


def opposite(node: Node) -> Node:
    """Write -a without a sign, where one is there to be taken away."""
    if node.op == "sub":
        return make("sub", node.args[1], node.args[0])
    return node.args[0] if node.op == "neg" else make("neg", node)


def power(node: Node) -> Node | None:
    """exp(a)**c = exp(c*a)."""
    base, exponent = node.args
    return make("exp", make("mul", exponent, base.args[0])) if base.op == "exp" else None


def root(node: Node) -> Node | None:
    """sqrt(sigmoid(a)*sigmoid(b)) = exp of half the logarithm, whose gradient stays finite."""
    inner = node.args[0]
    if inner.op not in ("mul", "div", "exp", "sigmoid", "pow"):
        return None
    found = logarithm(inner) if alive(inner) else None
    return None if found is None else make("exp", make("div", found, const(2)))
