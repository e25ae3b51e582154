"""Write exponentials otherwise in single precision, where that costs less.

exp(-u) = 2**(-u log2 e): the constant takes the place of the sign. Rounding the exponent costs
digits of large results, so this is done only where the result is at most 1, or goes into 1/(1 + e).
There 1 + exp(u) = 2 + expm1(u) keeps all digits, too.
"""

from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, Users, having, rebuild, topological, unchanged
from symgrad.graph.walk import consumers
from symgrad.ops import const, make, remake, value_of

LOG2_E = 1.4426950408889634
FAR = 6  # so many operators are looked at, to see that an exponent is never positive


def exponentials(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str, costs: Costs
) -> dict[Node, Node]:
    """Map every node to its image, with exponentials as powers of two or by expm1 if cheaper.

    >>> from symgrad.ops import leaf
    >>> e = make("exp", make("neg", make("abs", leaf("x", ("N",)))))
    >>> exponentials([e], {}, False, "float32", Costs(exp2=(0.7, 0.2)))[e].op
    'pow'
    """
    order = topological(roots)
    plain = costs.entry("exp", dtype)
    gain, less = plain - costs.entry("exp2", dtype), plain - costs.entry("expm1", dtype)
    if accurate or dtype != "float32" or max(gain, less) <= 0:
        return unchanged(order)
    users = consumers(order)
    tops = dict.fromkeys(roots)
    arrays = [n for n in having(order, "exp") if n.shape and n.args[0].dtype == "float"]
    inside = dict.fromkeys(n for n in arrays if less > gain and _below_one(n, users, tops))
    totals = {total: k for n in inside for total, k in users[n]}  # 1 + e; which operand e is
    others = dict.fromkeys(n for n in arrays if gain > 0 and n not in inside)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in totals:
            k = totals[node]
            count(fired, "1 + exp(u) as 2 + expm1(u)", node)
            shifted = const((value_of(node.args[1 - k]) or 0) + 1)
            return make("add", shifted, make("expm1", args[k].args[0]))
        if node in others:
            factor, rest = _factored(args[0])
            free = rest is not args[0] or gain > costs.entry("multiply", dtype)
            if free and (_nonpositive(node.args[0], FAR) or _below_one(node, users, tops)):
                count(fired, "exponentials by powers of two", node)
                return make("pow", const(2), make("mul", const(factor * LOG2_E), rest))
        return remake(node, args)

    return rebuild(roots, change)


def _factored(node: Node) -> tuple[float, Node]:
    """Take signs and constants out of a product."""
    factor = 1.0
    while True:
        if node.op == "neg":
            factor, node = -factor, node.args[0]
            continue
        number = value_of(node.args[0]) if node.op == "mul" and node.args[1].shape else None
        if number is None or not 1e-3 < abs(factor * number) < 1e3:
            return factor, node
        factor, node = factor * number, node.args[1]


def _below_one(node: Node, users: Users, tops: dict[Node, None]) -> bool:
    """Say whether all that is made of an exponential e is a quotient over 1 + e, or over more."""
    for total, _ in users[node]:
        if total.op != "add" or not any((value_of(a) or 0) >= 1 for a in total.args):
            return False
        if total in tops or any(u.op != "div" or k != 1 for u, k in users[total]):
            return False
    return node not in tops


def _nonpositive(node: Node, far: int) -> bool:
    """Say whether an array is known to have no positive entry."""
    if far == 0:
        return False
    if node.op == "neg":
        return _nonnegative(node.args[0], far - 1)
    if node.op == "minimum":
        return any(_nonpositive(a, far - 1) for a in node.args)
    if node.op == "sub":
        a, b = node.args
        largest = b.args[0] if b.op == "expand" else b
        if largest.op == "amax":
            return largest.args[0] is a
        return _nonpositive(a, far - 1) and _nonnegative(b, far - 1)
    if node.op == "mul":
        return any(
            _nonpositive(a, far - 1) and _nonnegative(b, far - 1)
            for a, b in (node.args, node.args[::-1])
        )
    value = value_of(node)
    return value is not None and value <= 0


def _nonnegative(node: Node, far: int) -> bool:
    """Say whether an array is known to have no negative entry."""
    if far == 0:
        return False
    if node.op in ("abs", "exp", "square", "sqrt", "softplus"):
        return True
    if node.op == "mul" and node.args[0] is node.args[1]:
        return True
    if node.op in ("mul", "add", "div"):
        return all(_nonnegative(a, far - 1) for a in node.args)
    if node.op in ("log1p", "sum", "amax"):
        return _nonnegative(node.args[0], far - 1)
    if node.op == "maximum":
        return any(_nonnegative(a, far - 1) for a in node.args)
    value = value_of(node)
    return value is not None and value >= 0
