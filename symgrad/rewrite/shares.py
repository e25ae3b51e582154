"""Quotients of what is made of exponentials, for code: a share of a sum is a softmax or sigmoid."""

import math
from functools import partial, reduce
from typing import Any

from symgrad.graph import SUMS, Node, leaves, summands
from symgrad.ops import const, make, value_of
from symgrad.rewrite import peaks
from symgrad.rewrite.exponents import (
    TERMS,
    alive,
    from_last,
    logarithm,
    may_overflow,
    opposite,
    terms,
    together,
)
from symgrad.rewrite.mills import mills, scaled_factors
from symgrad.rewrite.remainders import apart, plus, power_of, scaled, spelled, times
from symgrad.rewrite.weighted_shares import weighted_share
from symgrad.shapes import axes_of

DIVISORS = ("exp", "cosh", "add", "sum", "pow", "pick", "slice", "expand", "sqrt", "exp_root")


def half_tangent(node: Node) -> Node | None:
    """(exp(a) - exp(b))/(exp(a) + exp(b)) = tanh((a - b)/2), a number being exp of its logarithm.

    >>> from symgrad.ops import leaf
    >>> e = make("exp", leaf("x"))
    >>> half_tangent(make("div", make("sub", e, const(1)), make("add", const(1), e))).op
    'tanh'
    """
    top, low = _exponents(node.args[0]), _exponents(node.args[1])
    for share, other in (node.args, node.args[::-1]) if node.op == "mul" else ():
        if share.op == "sigmoid":  # 1/(1 + exp(-a)), as it is read first
            top, low = _exponents(other), {const(0): 1, opposite(share.args[0]): 1}
    if top is None or low is None or len(low) != 2 or top.keys() != low.keys():
        return None
    (a, c), (b, d) = low.items()
    ratio = top[a] / c
    if not (c > 0 < d and ratio == -top[b] / d):
        return None
    if ratio < 0:
        (a, c), (b, d) = (b, d), (a, c)
    u, v = (plus(math.log(n), e) for e, n in ((a, c), (b, d)))
    return times(abs(ratio), make("tanh", _half(apart(u, v))))


def distributed(node: Node) -> Node | None:
    """(c exp(a) + d) sigmoid(-a) = c sigmoid(a) + d sigmoid(-a), else infinity times 0.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x"); e = make("exp", x)
    >>> distributed(make("mul", make("add", e, x), make("sigmoid", make("neg", x)))).op
    'add'
    """
    for share, other in (node.args, node.args[::-1]):
        base, n = power_of(share) or (share, 1)
        if base.op != "sigmoid":
            continue
        factors = scaled_factors(other)
        for f in factors:
            total, m = power_of(f) or (f, 1)
            if m != n or total.op not in ("add", "sub") or not _rises(total, *base.args):
                continue
            image = half_tangent(make("mul", total, base))
            if image is not None:
                image = image if n == 1 else make("pow", image, const(n))
            elif n == 1:
                image = make(total.op, *(make("mul", t, share) for t in total.args))
            else:
                continue
            rest = [other for other in factors if other is not f]
            return reduce(lambda product, r: make("mul", r, product), rest, image)
    return None


def _rises(total: Node, argument: Node) -> bool:
    """Say whether a term of a sum has the factor exp(-argument), which may overflow."""
    found = (peaks.split(t.args[0] if t.op == "neg" else t) for t in total.args)
    exponents = [pair[1] for pair in found if pair is not None]
    return any(value_of(apart(u, opposite(argument))) == 0 for u in exponents)


def arctangent(node: Node) -> Node | None:
    """arctan(c exp(a)) = arctan(exp(a + log(c))), whose slope is finite."""
    parts = _exponents(node.args[0]) if node.args[0].op in ("mul", "div") else None
    if parts is None or len(parts) != 1:
        return None
    ((a, c),) = parts.items()
    return make("arctan_exp", plus(math.log(c), a)) if c > 0 else None


def _half(node: Node) -> Node:
    c = value_of(node.args[0]) if node.op == "mul" else None
    return make("div", node, const(2)) if c is None else times(c / 2, node.args[1])


def _exponents(node: Node) -> dict[Node, float] | None:
    """List the exponents of a sum of exponentials with their coefficients; 0 for its number."""
    if node.op not in ("add", "sub", "neg", "expm1", "mul"):
        return None
    found = spelled(node)
    if found is None or any(n.op != "exp" for n in found[0]):
        return None
    listed = {n.args[0]: c for n, c in found[0].items()}
    return {**listed, const(0): found[1]} if found[1] else listed


def quotient(node: Node) -> Node | None:
    """Divide by a sum of exponentials: exp(a)/(exp(a) + exp(b)) = sigmoid(a - b)."""
    top, low = node.args
    if top.op == "matmul" and (found := _averaged(top, low)) is not None:
        return found
    found = _over_difference(top, low) or mills(top, low) or _over_powers(top, low)
    if found is not None:
        return found
    if low.op == "mul" and low.args[0] is low.args[1] and low.args[0].op == "add":
        return make("div", top, make("pow", low.args[0], const(2))) if alive(low) else None
    if low.op == "mul":
        return _by_parts(top, low)
    if low.op not in DIVISORS or (low.op == "sqrt" and not alive(low)):
        return None
    whole = logarithm(low)
    if whole is None:
        return _saturating(top, low) or _weighed(top, low) or weighted_share(top, low)
    if top.op in SUMS and _exponential_term(top):
        parts = [make("div", part, low) for part in top.args]
        return make(top.op, *parts)
    if top.op == "sum" and low.op == "sum" and top.attrs == low.attrs:
        return _weighted(top, low) or weighted_share(top, low)
    exponents, others = _factors(top)
    exponent = reduce(partial(make, "add"), exponents) if exponents else None
    share = _share(exponent, low, whole)
    for factor in others:
        share = make("mul", factor, share) if value_of(factor) != 1 else share
    return share


def _by_parts(top: Node, low: Node) -> Node | None:
    """Divide by s (1 + exp(u))**2: by what is made of exponentials, and by the rest after it.

    >>> from symgrad.ops import leaf
    >>> e = make("exp", leaf("x"))
    >>> low = make("mul", leaf("s"), make("add", const(1), e))
    >>> quotient(make("div", e, low)).args[0].op
    'sigmoid'
    """
    factors = leaves(low, lambda n: n.args if n.op == "mul" else ())
    inner = [f for f in factors if _of_exponentials(f)]
    if not inner:
        return None
    rest = [f for f in factors if f not in inner]
    found = quotient(make("div", top, inner[0])) if len(inner) == 1 else _over_all(top, inner)
    return None if found is None else reduce(partial(make, "div"), rest, found)


def _of_exponentials(factor: Node) -> bool:
    """Say whether a factor, or what it is a power of, is a sum of exponentials or one of them."""
    base, _ = power_of(factor) or (factor, 1)
    return base.op == "expm1" or (base.op in (*DIVISORS, "sub") and alive(base))


def _over_all(top: Node, inner: list[Node]) -> Node | None:
    """Divide by several sums of exponentials at once, by the logarithm of their product."""
    logs = [logarithm(f) for f in inner]
    exponents, others = _factors(top)
    if None in logs or (top.op in SUMS and _exponential_term(top)):
        return None
    whole = reduce(partial(make, "add"), [n for n in logs if n is not None])
    above = reduce(partial(make, "add"), exponents, const(0))
    share = make("exp", make("sub", above, whole) if exponents else make("neg", whole))
    return reduce(lambda product, f: make("mul", f, product), others, share)


def _over_difference(top: Node, low: Node) -> Node | None:
    """Divide by c exp(u) - k: 1/(exp(v) - 1) is bose(v), exp(v)/(exp(v) - 1) is -bose(-v)."""
    below = _exponents(low)
    if below is None or list(below)[1:] != [const(0)]:
        return None
    (u, c), (_, k) = below.items()
    if c * k > 0:
        return None
    v = plus(math.log(abs(c / k)), u)
    if top.op == "neg":
        turned = _over_difference(top.args[0], low)
        return None if turned is None else make("neg", turned)
    above = _exponents(top)
    if above is not None and above.keys() == below.keys() and k != 0:
        # (s exp(u) + t)/(c exp(u) + k) = s/c + (t - s k/c)/(c exp(u) + k)
        s, t = above.values()
        scale = (t - s * k / c) / -k
        return make("add", const(s / c), scaled(scale, make("bose", v))) if scale else None
    for f in scaled_factors(top) if top.op == "mul" else ():
        if (known := _exponents(f)) is not None and known.keys() == below.keys():
            rest = [other for other in scaled_factors(top) if other is not f]
            return reduce(lambda total, r: make("mul", r, total), rest, make("div", f, low))
    exponents, others = _factors(top)
    if above is not None and top.op != "mul":
        return None
    share, by = make("bose", v), -1 / k
    if exponents:
        if len(exponents) > 1 or value_of(apart(exponents[0], u)) != 0:
            return None
        share, by = make("bose", opposite(v)), -1 / c
    for j, factor in enumerate(others):
        if (left := _less_one(factor, *share.args)) is not None:
            share, others[j] = make("bernoulli", *share.args), left  # v/(exp(v) - 1), finite at 0
            break
    for factor in others:
        share = make("mul", factor, share) if value_of(factor) != 1 else share
    return scaled(by, share)


def _over_powers(top: Node, low: Node) -> Node | None:
    """Divide by (exp(u) - 1)**2 in steps."""
    power = power_of(low)
    base, n = power or (low, 0)
    found = _over_difference(top, base) if power is not None else None
    for _ in range(n - 1):
        found = None if found is None else _over_difference(found, base) or make("div", found, base)
    return found


def _less_one(factor: Node, v: Node) -> Node | None:
    """Write factor/v for v, -v, and whole powers of them; None for others."""
    base, n = power_of(factor) or (factor, 1)
    sign = 1 if base is v else -1 if opposite(base) is v or base is opposite(v) else 0
    if not sign:
        return None
    if n == 1:
        return const(sign)
    return scaled(sign, base if n == 2 else make("pow", base, const(n - 1)))


def _saturating(top: Node, low: Node) -> Node | None:
    """Divide by a + b exp(c), a and b of any sign: the slope is in the value, nothing overflows."""
    listed = terms(low, TERMS)
    rising = [t for t in listed if may_overflow(t)]
    plain = [t for t in listed if t not in rising]
    if low.op != "add" or not rising or not plain:
        return None
    if top.op in SUMS and _exponential_term(top):
        return make(top.op, *(make("div", part, low) for part in top.args))
    exponents, factors = _factors(top)
    above = reduce(partial(make, "add"), exponents) if exponents else None
    if len(rising) > 1:
        return peaks.quotient(factors, above, low)
    logs, others = _factors(rising[0])
    c = reduce(partial(make, "add"), logs)
    a, b = reduce(partial(make, "add"), plain), reduce(partial(make, "mul"), others, const(1))
    if above is None:
        result = make("saturating", a, b, c)
    elif value_of(apart(above, c)) == 0:
        result = make("saturating", b, a, opposite(c))
    else:
        return peaks.quotient(factors, above, low)
    for factor in factors:
        result = make("mul", factor, result) if value_of(factor) != 1 else result
    return result


def _weighed(top: Node, low: Node) -> Node | None:
    """Divide by p exp(a) + q exp(b), which may vanish, with p and q of any sign."""
    if low.op != "add" or any(peaks.split(t) is None for t in from_last(low)):
        return None
    exponents, factors = _factors(top)
    if not exponents:
        return None
    return peaks.quotient(factors, reduce(partial(make, "add"), exponents), low)


def _factors(node: Node) -> tuple[list[Node], list[Node]]:
    """Split a product into the logarithms of its exponentials and its other factors."""

    def parts(node: Node) -> tuple[Node, ...]:
        turned = node.op == "neg" and node.args[0].op == "mul"  # -2*x
        return (const(-1), *node.args) if turned else node.args if node.op == "mul" else ()

    logs: list[Node] = []
    others: list[Node] = []
    for factor in leaves(node, parts):
        found = logarithm(factor) if factor.op not in ("const", "sigmoid", "softmax") else None
        (others if found is None else logs).append(factor if found is None else found)
    return logs, others


def _exponential_term(node: Node) -> bool:
    """Say whether a sum has a term that may overflow; x - m alone is not divided term by term.

    x and m may be large and close to each other: their difference keeps its digits, that of
    x*exp(-a) and m*exp(-a) does not.
    """
    return any(_factors(term)[0] for term, _ in summands(node))


def _share(exponent: Node | None, low: Node, whole: Node) -> Node:
    """Write exp(exponent)/low; one of the terms of low gives a sigmoid."""
    parts = terms(low) if low.op == "add" else []
    logs = [t for t in map(logarithm, parts) if t is not None]
    if len(logs) < len(parts):  # 1 + tanh(a) has a logarithm as a whole
        logs = []
    c = next((t for t in parts if t.op == "const"), None)
    if exponent is None and c is not None and logs:  # 1/(3 + exp(a)) = sigmoid(log(3) - a)/3
        return make("div", _share(logarithm(c), low, whole), c)
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
