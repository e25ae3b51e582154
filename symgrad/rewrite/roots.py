"""Roots of powers and of sums of powers, for code: |x| for (x**4)**(1/4), norms of any order.

The powers overflow or vanish where the root does not, and the slope at 0 is 0 times infinity.
"""

import math
from collections.abc import Iterable

from symgrad.graph import Node, factors_of, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.signs import nonnegative, positive
from symgrad.shapes import axes_of


def root_of_power(node: Node) -> Node | None:
    """Write (a**4)**(1/4) as |a|, sqrt(a**4) as a**2, (|a|**3)**(1/2) as |a|**1.5.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x"); root_of_power(make("sqrt", make("pow", x, const(4)))).op
    'pow'
    """
    base, q = _split(node)
    inner, n = _split(base)
    if q is None or n is None:
        return None
    even = n % 2 == 0
    if n <= 0 or not 0 < q < 1 or not (even or inner.op == "abs"):
        return None
    power = n * q
    near = round(power)
    if near and math.isclose(power, near, rel_tol=1e-15):
        power = near
    a = inner.args[0] if inner.op == "abs" else inner
    if power % 2 == 0:
        return make("pow", a, const(power))
    size = make("abs", a)
    return size if power == 1 else make("pow", size, const(power))


def root_of_product(node: Node) -> Node | None:
    """Write sqrt(p q) of values that may be 0, not below it, as sqrt(p) sqrt(q): 0/0 is no slope.

    >>> from symgrad.ops import leaf
    >>> p, q = leaf("p", ("N",), "simplex"), make("softmax", leaf("z", ("N",)), axis=-1)
    >>> root_of_product(make("sqrt", make("mul", p, q))).op
    'mul'
    """
    (inner,) = node.args
    if inner.op != "mul" or any(positive(a) or not nonnegative(a) for a in inner.args):
        return None
    return make("mul", *(make("sqrt", a) for a in inner.args))


def with_own_slopes(roots: Iterable[Node], mode: str = "code") -> dict[Node, Node]:
    """Map nodes on to images: powers whose slopes are multiples of them, finite where these are 0.

    |a|**p with p < 1 has the slope p |a|**p/a, 0 at 0 as that of |a| is; (a/b)**c has -c (a/b)**c/b
    in b, also where a is 0 and c < 1. Where no normal form cancels terms, a/(a + b) has its slope,
    b/(a + b)**2, too.

    >>> from symgrad.ops import leaf
    >>> y = make("sqrt", make("abs", leaf("x")))
    >>> with_own_slopes([y])[y].op
    'known_slope'
    """
    order = topological(roots)
    accurate = mode == "accurate" and having(order, "div")
    powers = (n for n in having(order, "pow") if n.args[0].op in ("div", "mul"))
    if not accurate and not having(order, "abs") and not any(powers):
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = remake(node, args)
        return _of_ratio(image) or _of_size(image) or (accurate and _of_share(image)) or image

    return rebuild(order, change)


def _of_size(node: Node) -> Node | None:
    base, p = _split(node)
    if base.op != "abs" or (p is not None and not 0 < p < 1):
        return None
    (a,) = base.args
    if p is None:
        return make("size_power", a, node.args[1]) if node.op == "pow" else None
    slope = make("xdivy", node, make("mul", const(2), a) if p == 0.5 else a)
    return make("known_slope", a, node, slope if p == 0.5 else make("mul", const(p), slope))


def _of_share(node: Node) -> Node | None:
    """Write c a/(a + b) as a multiple of a share."""
    if node.op != "div" or node.args[1].op != "add":
        return None
    top, low = node.args
    number = top.args[1] if top.op == "div" and value_of(top.args[1]) else None
    factors = factors_of(top if number is None else top.args[0])
    for mine, other in (low.args, low.args[::-1]):
        if value_of(mine) is None and factors.count(mine) == 1:
            found = make("share", mine, other, low)
            for factor in factors:
                found = found if factor is mine else make("mul", factor, found)
            found = found if number is None else make("div", found, number)
            return found if found.shape == node.shape else None
    return None


def _of_ratio(node: Node) -> Node | None:
    if node.op != "pow" or node.args[0].op not in ("div", "mul"):
        return None
    (a, b), p = node.args[0].args, node.args[1]
    number = value_of(p)
    if number is not None and float(number).is_integer():
        return None
    if node.args[0].op == "div":
        return None if b.op in ("const", "dim") else make("ratio_power", a, b, p)
    for factor, size in ((a, b), (b, a)):
        if size.op == "exp":
            return make("scaled_power", factor, *size.args, p)
    return None


def _split(node: Node) -> tuple[Node, float | None]:
    """Give base and exponent of a power with a number for its exponent."""
    if node.op == "sqrt":
        return node.args[0], 0.5
    if (base := squared(node)) is not None:
        return base, 2
    return (node.args[0], value_of(node.args[1])) if node.op == "pow" else (node, None)


def norm_of_order(node: Node) -> Node | None:
    """Write sum(|a|**p)**(1/p) with the largest |a| taken out, a constant to derivatives.

    It is exact to take it for one, because the norm does not depend on it.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",)); total = make("sum", make("pow", make("abs", x), const(3)))
    >>> norm_of_order(make("pow", total, const(1 / 3))).op
    'mul'
    """
    total, power = node.args
    if total.op != "sum" or total.args[0].op != "pow" or not total.args[0].shape:
        return None
    base, p = total.args[0].args
    order = value_of(p)
    if not _inverse(power, p) or (order is not None and order < 1):
        return None
    if base.op != "abs" and (order is None or order % 2):
        return None
    size = base if base.op == "abs" else make("abs", base)
    top = make("held", make("amax", size, **total.attrs))
    spread = top
    if not total.attrs["keepdims"] and top.shape:
        spread = make("expand", top, axes=axes_of(total.attrs["axis"], len(size.shape)))
    shares = make("pow", make("over", base, spread), p)
    result = make(
        "mul", top, make("pow", make("counted", make("sum", shares, **total.attrs)), power)
    )
    return result if result.shape == node.shape else None


def _inverse(power: Node, p: Node) -> bool:
    """Say whether one exponent is 1 over the other."""
    if power.op == "div" and value_of(power.args[0]) == 1 and power.args[1] is p:
        return True
    a, b = value_of(power), value_of(p)
    return a is not None and b is not None and b != 2 and math.isclose(a * b, 1, rel_tol=1e-15)


def side(node: Node) -> Node | None:
    """Give what a term of a sum is the square of: x of x**2, x**2 of x**4, exp(k) of exp(2*k)."""
    a = squared(node)
    if a is not None:
        return a
    power = value_of(node.args[1]) if node.op == "pow" else None
    if power is not None and power > 2 and power % 2 == 0:
        return make("pow", node.args[0], const(power // 2))
    if node.op == "exp":
        u = node.args[0]
        c = value_of(u.args[0]) if u.op == "mul" else None
        if c is None:
            return make("exp", make("div", u, const(2)))
        return make("exp", u.args[1] if c == 2 else make("mul", const(c / 2), u.args[1]))
    return None
