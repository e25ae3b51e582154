"""Functions of exp(v) that vanish with it: their logarithms, roots and quotients, for code.

f(u) = c u^n + … at u = 0, and so log f(exp(v)) is log(c) + n v as soon as exp(v) is below the last
digit; far out exp(v) is 0 in floats, and its logarithm is not finite any more.
"""

import math
from collections.abc import Iterator

from symgrad.graph import Node, rebuild
from symgrad.ops import const, make, remake, value_of
from symgrad.parse import written
from symgrad.rewrite.remainders import plus, times
from symgrad.rewrite.series import MOST, expandable, series_of

FAR = -40  # exp(v) does not count beside 1 from here on, and its square is a number in float32
STOP = FAR - 1  # where the branch that is not taken stays: beyond the edge it has no slope
FEW = 6  # terms of a series, of which one is read
WRITTEN = {  # by exp(v)
    "softplus": "log1p(exp(a))",
    "sigmoid": "exp(a)/(1 + exp(a))",
    "asinh_exp": "asinh(exp(a))",
    "arctan_exp": "arctan(exp(a))",
}


def log_of_vanishing(inner: Node) -> Node | None:
    """Write log(tanh(exp(v))) so that it is v far below 0.

    >>> from symgrad.ops import leaf
    >>> log_of_vanishing(make("tanh", make("exp", leaf("x")))).op
    'where'
    """
    for v, n, c, safe in _found(inner):
        if n in (1, 2) and c > 0:
            return _case(v, plus(math.log(c), times(n, v)), make("log", safe))
    return None


def power_of_vanishing(node: Node) -> Node | None:
    """Write sqrt(softplus(v)), whose slope is 0/0 where it vanishes, as exp(v/2) there."""
    power = 0.5 if node.op == "sqrt" else value_of(node.args[1])
    if power is None or not 0 < power < 1 or node.args[0].op == "exp":
        return None
    for v, n, c, safe in _found(node.args[0]):
        if n in (1, 2) and c > 0:
            far = make("mul", const(c**power), make("exp", make("mul", const(n * power), v)))
            return _case(v, far, make(node.op, safe, *node.args[1:]))
    return None


def quotient_of_vanishing(node: Node) -> Node | None:
    """Write softplus(v)/exp(v), which is 0/0 far below 0, by its limit there.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x"); y = make("div", make("sigmoid", x), make("softplus", x))
    >>> quotient_of_vanishing(y).op
    'where'
    """
    if not any(a.op in WRITTEN or _calls(a) for a in node.args):
        return None
    for v, n, c, safe in _found(node):
        if 0 <= n <= 2 and _is_open(node, v):
            far = times(abs(c), make("exp", times(n, v))) if n else const(abs(c))
            return _case(v, far if c > 0 else make("neg", far), safe)
    return None


def _calls(node: Node) -> bool:
    """Say whether a function is applied to something that is no input."""
    return node.op in ("tanh", "erf", "log1p", "sinh", "sin", "expm1", "arctan", "asinh")


def _case(v: Node, far: Node, near: Node) -> Node:
    return make("where", make("lt", v, const(FAR)), far, near)


def _is_open(node: Node, v: Node) -> bool:
    """Say whether a quotient is 0/0 far below 0, a product infinity times 0."""
    edges = _exponents(node)[1]
    powers = [found[0] if (found := _at_zero(a, v, edges)) is not None else 0 for a in node.args]
    return powers[1] > 0 if node.op == "div" else min(powers) < 0


def _found(node: Node) -> Iterator[tuple[Node, int, float, Node]]:
    """List v, exponent and coefficient of the first term in exp(v), and the node for v > STOP."""
    exponents, edges = _exponents(node)
    for v in exponents:
        start = _at_zero(node, v, edges)
        if start is not None:
            bounded = make("maximum", v, const(STOP))
            yield v, *start, rebuild([node], remake, {**edges, v: bounded})[node]


def _exponents(node: Node) -> tuple[list[Node], dict[Node, Node]]:
    """List values v of which only the exponential stands in a node, and what stands in any.

    The latter are the edges of what is looked at: a program may have 10^5 operators below them.
    """
    found: dict[Node, None] = {}
    edges: dict[Node, Node] = {}
    todo, seen = [node], 0
    while todo and seen < MOST:
        part = todo.pop()
        seen += 1
        if part.op == "exp" or part.op in WRITTEN:
            (v,) = part.args
            v = v.args[0] if v.op == "neg" else v
            edges[v] = v
            if v.op not in ("maximum", "const") and v.shape == node.shape:
                found[v] = None
        else:
            todo += part.args
    return (list(found), edges) if not todo else ([], edges)


def _at_zero(node: Node, v: Node, edges: dict[Node, Node]) -> tuple[int, float] | None:
    """Give exponent and coefficient of the first term of a series in exp(v)."""
    u = make("exp", v)
    turned = make("exp", make("neg", v))

    def change(part: Node, args: tuple[Node, ...]) -> Node:
        if part is turned:
            return make("div", const(1), u)
        return written(WRITTEN[part.op], args) if part.op in WRITTEN else remake(part, args)

    opened = rebuild([node], change, edges.copy())[node]
    if opened.shape != v.shape or not expandable(opened, u):
        return None
    found = series_of(opened, u, FEW)
    return None if found is None else (found[0], float(found[1][0]))
