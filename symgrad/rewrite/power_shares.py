"""Shares of powers, x**n/(k**n + x**n) and 1/(1 + (k/x)**n): Hill functions, for code.

Both powers may overflow, or vanish, where their share does not: it is r/(1 + r) for the power r of
the quotient. Where its divisor is 0 the share has an end, and a number beside 0 shows it.
"""

from symgrad.graph import Node, leaves, rebuild
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.signs import positive


def share_of_powers(node: Node) -> Node | None:
    """Write c x**n/(k**n + x**n) by (x/k)**n, and what a share reads with a divisor beside 0.

    >>> from symgrad.ops import leaf
    >>> x, k, n = leaf("x", ("N",)), leaf("k"), leaf("n"); t = make("pow", x, n)
    >>> share_of_powers(make("div", t, make("add", make("pow", k, n), t))).args[0].op
    'pow'
    """
    top, low = node.args
    if low.op != "add":
        return None
    for mine, other in (low.args, low.args[::-1]):
        if _any_power(mine) and _any_power(other) and mine.args[1] is other.args[1]:
            factors = leaves(top, lambda n: n.args if n.op == "mul" else ())
            if factors.count(mine) == 1 and node.shape:  # of numbers it takes more operations
                share = _share(mine, other)
                for factor in factors:
                    share = share if factor is mine else make("mul", factor, share)
                return share
        if mine.op == "pow" and mine.args[0].op == "div" and value_of(other) is not None:
            return _beside_zero(node, mine)
    return None


def _any_power(node: Node) -> bool:
    return node.op == "pow" and value_of(node.args[1]) is None


def _share(mine: Node, other: Node) -> Node:
    (a, n), b = mine.args, other.args[0]
    if not _moves(b) or (_moves(a) and not positive(a)):
        r = make("pow", make("div", a, _off_zero(b)), n)
        return make("div", r, make("add", const(1), r))
    r = make("pow", make("div", b, _off_zero(a)), n)
    return make("div", const(1), make("add", const(1), r))


def _moves(node: Node) -> bool:
    """Say whether a value may be 0 for an entry, as data may, rather than a parameter."""
    return bool(node.shape) or (node.op == "input" and node.attrs["kind"] != "param")


def _beside_zero(node: Node, power: Node) -> Node | None:
    """Write 1/(1 + (k/x)**n), or (k/x)**n/(1 + (k/x)**n), with a number beside 0 for x."""
    quotient, n = power.args
    a, b = quotient.args
    low = _off_zero(b)
    if low is b:
        return None
    fresh = make("pow", make("div", a, low), n)
    top, total = node.args
    below = remake(total, tuple(fresh if x is power else x for x in total.args))
    return make("div", rebuild([top], remake, {power: fresh})[top], below)


def _off_zero(node: Node) -> Node:
    sure = positive(node) or node.op in ("const", "dim", "off_zero") or not _moves(node)
    return node if sure else make("off_zero", node)
