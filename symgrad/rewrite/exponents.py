"""Compute with logarithms where exponentials would overflow: recognition for code.

A positive quantity that is made of exponentials has a logarithm that can be written without
them: log(exp(a)*sigmoid(b)) = a - softplus(-b). Logarithms, quotients and products of such
quantities are computed from their logarithms; what is printed stays as it was typed.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from symgrad.graph import Node, Signed, leaves, over_and_under
from symgrad.ops import const, count, make, value_of
from symgrad.rewrite import remainders
from symgrad.rewrite.depths import Depths
from symgrad.rewrite.signs import nonnegative
from symgrad.shapes import axes_of

DEEP = 12  # nested quantities of more levels are left as they are
NESTED = 4  # levels that a sum counts: sums of quotients of sums, step after step, are numbers
SOFTENED = 6  # what is made of more of these inside one another is a recursion of such steps
TERMS = 60  # of a sum, among which one that may overflow is looked for
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
    """log(1 - sigmoid(a)) = -softplus(a); in a sum with others, log(0) is no danger."""
    a, b = node.args
    if node.op == "sub" and value_of(a) == 1 and b.op == "sigmoid":
        return minus_softplus(b.args[0])
    return remainders.sure(node, lambda n: logarithm(n, depth)) if depth <= NESTED else None


def _alone(op: str, node: Node, depth: int) -> Node | None:
    """Write a logarithm that costs more than its gain in a sum, whose other terms are not 0."""
    return make(op, *node.args) if depth <= NESTED else None


def _log_density(a: Node) -> Node:
    square = make("div", make("pow", a, const(2)), const(2))
    return make("sub", make("neg", square), const(math.log(2 * math.pi) / 2))


def _both(parts: tuple[Node, ...], depth: int) -> tuple[Node, Node] | None:
    """Give the logarithms of two quantities; None if one has none."""
    a, b = (logarithm(part, depth) for part in parts)
    return None if a is None or b is None else (a, b)


def _product(node: Node, depth: int) -> Node | None:
    for c, factor in (node.args, node.args[::-1]) if node.op == "mul" else ():
        if zero_or_one(c):
            return _only(_condition(c), factor, node, depth)
    logs: list[tuple[Node, bool]] = []
    for factor, under in _factors(node):
        log = logarithm(factor, depth)
        if log is None:
            return None
        logs.append((log, under))
    return _total(logs)


def _factors(node: Node) -> list[tuple[Node, bool]]:
    """List the factors of a product; whether they are below its line."""

    def parts(factor: Signed) -> tuple[Signed, ...]:
        masked = factor[0].op == "mul" and any(map(zero_or_one, factor[0].args))
        return () if masked else over_and_under(factor)

    return leaves((node, False), parts, DEEP + 1)


def _total(logs: list[tuple[Node, bool]]) -> Node:
    """Add up logarithms, numbers apart: these take no pass over an array."""
    number = sum(
        -n.attrs["value"] if less else n.attrs["value"]
        for n, less in logs
        if value_of(n) is not None
    )
    others = [pair for pair in logs if value_of(pair[0]) is None]
    arrays = [pair for pair in others if pair[0].shape]
    scalars = [pair for pair in others if not pair[0].shape]
    total = signed_sum(arrays)
    rest = signed_sum(scalars, number)
    if total is None or rest is None:
        return total or rest or const(0)
    return make(
        "sub" if rest.op == "neg" else "add", total, rest.args[0] if rest.op == "neg" else rest
    )


def signed_sum(parts: Sequence[Signed], number: float = 0) -> Node | None:
    """Write a sum, what is added first; None if it is empty."""
    total: Node | None = None
    if number:
        parts = [*parts, (const(abs(number)), number < 0)]
    for part, less in sorted(parts, key=lambda p: p[1]):
        if total is None:
            total = make("neg", part) if less else part
        elif total.op == "neg" and less:
            total = make("neg", make("add", total.args[0], part))
        else:
            total = make("sub" if less else "add", total, part)
    return total


def _power(node: Node, depth: int) -> Node | None:
    if (base := value_of(node.args[0])) is not None:  # 10**a
        return make("mul", const(math.log(base)), node.args[1]) if 0 < base < math.inf else None
    inner, power = logarithm(node.args[0], depth), node.args[1]
    return make("mul", power, inner) if inner is not None and power.op == "const" else None


def _root(node: Node, depth: int) -> Node | None:
    inner = logarithm(node.args[0], depth)
    value = None if inner is None else value_of(inner)
    if value is not None:
        return const(value / 2)
    return None if inner is None else make("div", inner, const(2))


def _sum(node: Node, depth: int) -> Node | None:
    if _soft(node) > SOFTENED:
        return None
    if (found := _difference(node, depth)) is not None:  # 1 + tanh(a) = 2 sigmoid(2a)
        return found
    parts: list[Node] = []
    for term in from_last(node):
        part = logarithm(term, depth + NESTED)
        if part is None:
            return None
        parts.append(part)
    return None if all(p.op == "const" for p in parts) else together(parts[::-1], node)


def _hypotenuse(node: Node, depth: int) -> Node | None:
    pair = _both(node.args, depth)
    if pair is None:
        return None
    return make("div", together([make("mul", const(2), p) for p in pair], node), const(2))


def _reduction(node: Node, depth: int) -> Node | None:
    inner = logarithm(node.args[0], depth + NESTED)
    if inner is None or inner.op == "const" or not node.args[0].shape:
        return None
    total = make("logsumexp", inner, **node.attrs)
    if node.op == "sum":
        return total
    shape = node.args[0].shape
    return make("sub", total, make("log", count(shape, axes_of(node.attrs["axis"], len(shape)))))


def _multiplied(node: Node, depth: int) -> Node | None:
    inner = logarithm(node.args[0], depth)
    if inner is None or inner.shape != node.args[0].shape or not inner.shape:
        return None
    return make("sum", inner, **node.attrs)


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
    """Say where a mask is 1; that of 1 - eye(N) is i != j, which needs no array."""
    if mask.dtype == "bool":
        return mask
    unit = mask.args[1] if mask.op == "sub" else mask
    if unit.op != "eye":
        return make("gt", mask, const(0))
    places = make("arange", size=unit.attrs["size"])
    return make("eq" if unit is mask else "ne", places, make("expand", places, axes=(1,)))


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
    "normal_cdf": lambda n, depth: _alone("log_normal_cdf", n, depth),
    "normal_pdf": lambda n, depth: _log_density(n.args[0]),
    "sub": _difference,
    "mul": _product,
    "div": _product,
    "pow": _power,
    "sqrt": _root,
    "exp_root": lambda n, depth: make("div", make("softplus", *n.args), const(2)),
    "hypot": _hypotenuse,
    "where": _case,
    "add": _sum,
    "sum": _reduction,
    "prod": _multiplied,
    "matmul": _inner,
    "mean": _reduction,
    "pick": _part,
    "slice": _part,
    "expand": _part,
    "transpose": _part,
}


LIVING = (
    "exp",
    "exp_root",
    "gaussian",
    "sigmoid",
    "softmax",
    "cosh",
    "tanh",
    "erf",
    "normal_cdf",
    "normal_pdf",
)


def alive(node: Node) -> bool:
    """Say whether exponentials are in it: the root of 2/pi stays a root."""
    level = [node]
    for _ in range(DEEP):
        if any(n.op in LIVING or exponential(n) for n in level):
            return True
        level = list(dict.fromkeys(a for n in level if n.op in LOGARITHMS for a in n.args))
    return False


def exponential(node: Node) -> bool:
    """Say whether a node is 10**a."""
    return node.op == "pow" and (value_of(node.args[0]) or 0) > 0


def terms(node: Node, most: int | None = None) -> list[Node]:
    """List the terms of a sum, left to right; a difference is one."""
    return leaves(node, lambda n: n.args if n.op == "add" else (), most)


def from_last(node: Node) -> Iterator[Node]:
    """Give the terms of a sum, right to left: of a sum that grows by steps the last step first."""
    todo = [node]
    while todo:
        part = todo.pop()
        if part.op == "add":
            todo += part.args
        else:
            yield part


def may_overflow(term: Node) -> bool:
    """Say whether a term has a factor exp(a), where a may be large."""
    todo = [term]
    for factor in todo:  # which grows
        if factor.op == "mul":
            todo += factor.args
        if factor.op == "exp" and not nonnegative(opposite(factor.args[0])):
            return True
    return False


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


def opposite(node: Node) -> Node:
    """Write -a without a sign, where one is there to be taken away."""
    if node.op == "sub":
        return make("sub", node.args[1], node.args[0])
    return node.args[0] if node.op == "neg" else make("neg", node)
