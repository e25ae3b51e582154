"""Write logarithms, products, powers and roots of what is made of exponentials anew, for code."""

import math
from functools import partial, reduce

from symgrad.graph import Node, above_line, factors_of, leaves, over_and_under, rebuild
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite import remainders
from symgrad.rewrite.exponents import (
    DEEP,
    TERMS,
    alive,
    logarithm,
    may_overflow,
    opposite,
    terms,
)
from symgrad.rewrite.receding import log_of_vanishing
from symgrad.rewrite.signs import nonnegative
from symgrad.shapes import axes_of


def log(node: Node) -> Node | None:
    """Take the logarithm of a quantity made of exponentials, or of one such factor."""
    inner = node.args[0]
    if inner.op == "const":
        return None
    result = logarithm(inner) if alive(inner) else _of_exprel(inner)
    if result is None and inner.op in ("mul", "div"):
        a, b = inner.args
        for known in (a, b):
            if known.op == "const" or (logarithm(known) or _of_exprel(known)) is None:
                continue
            parts = [make("log", a), make("log", b)]
            result = make("sub" if inner.op == "div" else "add", *parts)
            break
    if result is None:
        result = _of_even_ratio(inner) or remainders.log_of_difference(inner, logarithm)
    if result is None:
        result = shifted(inner) or log_of_vanishing(inner)
    if result is None:
        return _log_of_power(node)
    if node.op == "log2":
        result = make("div", result, make("log", const(2)))
    return result if result.shape == node.shape and result is not node else None


def _of_exprel(node: Node) -> Node | None:
    """Write log((exp(a) - 1)/a) without overflow, and its opposite; where a > 0 it needs that."""
    if node.op not in ("exprel", "bernoulli") or nonnegative(opposite(node.args[0])):
        return None
    (a,) = node.args
    high = make("div", make("add", a, make("abs", a)), const(2))
    result = make("add", high, make("log", make("exprel", make("neg", make("abs", a)))))
    return result if node.op == "exprel" else make("neg", result)


def _of_even_ratio(inner: Node) -> Node | None:
    """Write log(c sinh(a)/a) as log(c) + |a| + log((1 - exp(-2|a|))/(2|a|)), and its opposite."""
    sides: tuple[list[Node], list[Node]] = ([], [])
    for factor, under in leaves((inner, False), over_and_under):
        if factor.op == "csch":
            factor, under = make("sinh", *factor.args), not under
        sides[under].append(factor)
    for below, (tops, lows) in enumerate((sides, sides[::-1])):
        for s in tops:
            if s.op != "sinh" or s.args[0] not in lows:
                continue
            size = make("abs", s.args[0])
            ratio = make("exprel", make("neg", make("mul", const(2), size)))
            total = make("add", size, make("log", ratio))
            tops.remove(s)
            lows.remove(s.args[0])
            rest = reduce(
                partial(make, "div"), sides[1], reduce(partial(make, "mul"), sides[0], const(1))
            )
            total = make("neg", total) if below else total
            return make("add", make("log", rest), total) if tops or lows else total
    return None


def log1p(node: Node) -> Node | None:
    """Take the logarithm of 1 + a where that is such a quantity; else log1p is the best form."""
    return remainders.log_of_difference(make("add", const(1), node.args[0]), logarithm)


def product_of(node: Node) -> list[Node]:
    """List the factors above the line of a product."""
    return leaves(node, lambda n: above_line(n) if n.op != "neg" else ())


SAME = ("sum", "mean", "cumsum", "expand", "broadcast", "transpose", "reshape", "pick", "slice")
LINEAR = 6  # operators between a logarithm and the exponential in whose sums it is taken


def shifted(node: Node) -> Node | None:
    """Write log(A exp(u)) as c + log(A exp(u - c)), with a number c that is 0 unless u is large.

    >>> from symgrad.ops import leaf
    >>> s, R = leaf("s", ("N",)), leaf("R", ("N", "N"))
    >>> shifted(make("matmul", R, make("exp", s))).args[0].op
    'exp_shift'
    """
    found = _by_rows(node) or _less(node, 0)
    return None if found is None else make("add", found[0], make("log", found[1]))


def _by_rows(node: Node) -> tuple[Node, Node] | None:
    """Take the largest exponent off each sum of w exp(u), which is a constant to derivatives."""
    inside = node.args[0] if node.args else node
    axes: tuple[int, ...] = (1,)
    if node.op == "matmul" and len(inside.shape) == 2 and len(node.args[1].shape) == 1:
        # beside the exponential there may be rows and signs, but no masks
        factors = product_of(inside)
        if sum(f.shape == inside.shape and f.op != "held" for f in factors) > 1:
            return None
    elif node.op in ("sum", "mean") and inside.shape and not node.attrs["keepdims"]:
        factors, axes = product_of(inside), axes_of(node.attrs["axis"], len(inside.shape))
    else:
        return None
    e = next((f for f in factors if f.op == "exp" and f.shape == inside.shape), None)
    if e is None:
        return None
    (u,) = e.args
    top = make("held", make("amax", u, axis=axes if len(axes) > 1 else axes[0]))
    spread = make("expand", top, axes=axes) if top.shape else top
    lower = make("exp_less", u, make("grounded", spread))
    changed = rebuild([inside], remake, {e: lower})[inside]
    return top, make(node.op, changed, *node.args[1:], **node.attrs)


def _less(node: Node, depth: int) -> tuple[Node, Node] | None:
    """Take c off the exponent of an exponential in which sums and products are linear."""
    if node.op == "exp":
        (u,) = node.args
        if not u.shape or (u.op == "sub" and u.args[1].op == "exp_shift"):
            return None
        c = make("exp_shift", u)
        return c, make("exp", make("sub", u, c))
    places: tuple[int, ...] = (0, 1) if node.op in ("mul", "matmul") else ()
    if node.op in SAME or node.op == "div":
        places = (0,)
    elif node.op == "where" and value_of(node.args[2]) == 0:
        places = (1,)
    for k in places if depth < LINEAR else ():
        found = _less(node.args[k], depth + 1)
        if found is not None:
            args = [found[1] if j == k else a for j, a in enumerate(node.args)]
            return found[0], make(node.op, *args, **node.attrs)
    return None


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
    if not node.shape and not all(a.op in ("exp", "mul", "sigmoid", "pow") for a in node.args):
        return None  # what could be joined within one factor has been
    factors = factors_of(node, most=DEEP)
    place = next((j for j, f in enumerate(factors) if f.op == "exp"), None)
    if place is None:
        return None
    for k, other in enumerate(factors):
        if k == place:
            continue
        joined = _joined(factors[place].args[0], other)
        if joined is None:
            continue
        rest = [f for j, f in enumerate(factors) if j not in (k, place)]
        for factor in rest:
            joined = make("mul", factor, joined)
        return joined
    return None


def _joined(exponent: Node, other: Node) -> Node | None:
    if other.op == "pow" and other.args[0].op == "sigmoid" and other.args[1].op == "const":
        u, n = opposite(other.args[0].args[0]), other.args[1].attrs["value"]
        if n > 0 and value_of(remainders.apart(exponent, remainders.times(n, u))) == 0:
            return make("pow", make("sigmoid", u), const(n))  # exp(2a)*sigmoid(-a)**2
        return make("exp", make("sub", exponent, make("mul", const(n), make("softplus", u))))
    if other.op not in ("exp", "sigmoid"):
        return None
    inner = other.args[0]
    if other.op == "exp":
        return make("exp", make("add", exponent, inner))
    if inner is opposite(exponent) or opposite(inner) is exponent:
        return make("sigmoid", exponent)
    return make("exp", make("sub", exponent, make("softplus", make("neg", inner))))


def power(node: Node) -> Node | None:
    """exp(a)**c = exp(c*a); a root of 1 + exp(a), or of a sigmoid, whose slope would be 0*inf."""
    base, exponent = node.args
    if base.op == "exp":
        return make("exp", make("mul", exponent, base.args[0]))
    share = base.args[0] if base.op == "pick" else base
    small = share.op in ("sigmoid", "cosh", "softmax") or _large(base)
    if (value_of(exponent) or 0) >= 1 or not small:
        return None
    logs = logarithm(base) if alive(base) else None
    return None if logs is None else make("exp", make("mul", exponent, logs))


def _large(node: Node) -> bool:
    return node.op == "add" and any(map(may_overflow, terms(node, TERMS)))


def root(node: Node) -> Node | None:
    """sqrt(sigmoid(a)*sigmoid(b)) = exp of half the logarithm, whose gradient stays finite."""
    inner = node.args[0]
    positive = ("mul", "div", "exp", "sigmoid", "softmax", "pow", "cosh")
    if inner.op not in positive and not _large(inner):
        return None
    found = logarithm(inner) if alive(inner) else None
    if found is None:
        return None
    if found.op == "softplus":
        return make("exp_root", *found.args)
    if found.op == "add" and found.args[1].op == "softplus" and value_of(found.args[0]) is not None:
        level = math.exp(found.args[0].attrs["value"] / 2)
        return make("mul", const(level), make("exp_root", *found.args[1].args))
    return make("exp", make("div", found, const(2)))
