"""Shares of sums of exponentials with weights of any sign, M exp(Z)/sum(M exp(Z)), for code.

A weight that may be 0 or negative has no logarithm. Taken from its row's largest where the weight
is not 0, no exponent overflows, and the share is the same; to derivatives the largest is a
constant.
"""

import math
from functools import partial, reduce

from symgrad.graph import Node, factors_of
from symgrad.ops import const, make
from symgrad.rewrite.signs import positive
from symgrad.shapes import axes_of

BEYOND = 80  # exp(80) is finite in float32


def weighted_share(top: Node, low: Node) -> Node | None:
    """Divide w exp(u), or a sum of such, by a sum of v exp(u) along axes.

    >>> from symgrad.ops import leaf
    >>> m, z = leaf("m", ("N",)), leaf("z", ("N",))
    >>> product = make("mul", m, make("exp", z))
    >>> weighted_share(product, make("sum", product)).op
    'div'
    """
    total = low.args[0] if low.op == "expand" else low
    if total.op != "sum" or total.args[0].op != "mul":
        return None
    whole = total.args[0]
    found = [f for f in factors_of(whole) if f.op == "exp" and f.shape == whole.shape]
    above = top.args[0] if top.op == "sum" and top.attrs == total.attrs else top
    if len(found) != 1 or factors_of(above).count(found[0]) != 1:
        return None
    ((u,), axes) = found[0].args, axes_of(total.attrs["axis"], len(whole.shape))
    axis = axes if len(axes) > 1 else axes[0]
    weights = [f for f in factors_of(whole) if f.shape and f is not found[0] and not positive(f)]
    largest = make("amax", u, axis=axis, keepdims=True)
    if weights:  # exp of one with weight 0 has to stay finite, too
        counted = make("amax", reduce(_unless_zero, weights, u), axis=axis, keepdims=True)
        largest = make("maximum", counted, make("sub", largest, const(BEYOND)))
    less = make("exp_less", u, make("held", largest))

    def shifted(product: Node) -> Node:
        factors = [less if f is found[0] else f for f in factors_of(product)]
        return reduce(partial(make, "mul"), factors)

    divisor = make("sum", shifted(whole), **total.attrs)
    divisor = divisor if low is total else make("expand", divisor, **low.attrs)
    over = shifted(above)
    over = over if above is top else make("sum", over, **top.attrs)
    return make("div", over, divisor)


def _unless_zero(exponent: Node, weight: Node) -> Node:
    """Leave exponents out that a weight of 0 leaves out."""
    return make("where", make("ne", weight, const(0)), exponent, const(-math.inf))
