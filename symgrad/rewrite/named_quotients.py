"""Quotients of functions that are functions of their own, as in books: sin u/cos u is tan u.

For formulas that are printed; code has its own way to divide what may overflow.
"""

from symgrad.graph import Node
from symgrad.ops import const, make, value_of
from symgrad.rewrite.signs import nonnegative
from symgrad.rewrite.tidy import kind, tidy

QUOTIENTS = {("sin", "cos"): "tan", ("sinh", "cosh"): "tanh"}
Factors = list[Node]


def ratio(node: Node) -> Node | None:
    """Write one quotient by the function that it is; None if it is none.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x"); e = make("exp", x)
    >>> ratio(make("div", make("sin", x), make("cos", x))).op
    'tan'
    >>> ratio(make("div", e, make("add", const(1), e))).op
    'sigmoid'
    """
    above, below = ratios([node.args[0]], [node.args[1]])
    return above[0] if len(above) == 1 and not below else None


def ratios(top: Factors, low: Factors) -> tuple[Factors, Factors]:
    """Put functions for the quotients among the factors above and below a line."""
    above, below = list(top), list(low)
    for under in low:
        base, power = _power(under)
        for over in above:
            factor, times = _power(over)
            found = _function(factor, base) if times == power else None
            if found is not None:
                above[above.index(over)] = _raised(found, power)
                below.remove(under)
                break
    return _opposed(above), below


def _function(top: Node, low: Node) -> Node | None:
    """Give tan u for sin u over cos u, sigma(u) for exp(u) over 1 + exp(u)."""
    name = QUOTIENTS.get((kind(top), kind(low)))
    if name and top.args == low.args:
        return make(name, *top.args)
    if kind(top) == "sign" and low.op == "abs" and top.args == low.args:
        return make("div", const(1), *top.args)
    if kind(top) == "exp" and kind(low) == "add":
        one, other = low.args if low.args[1] is top else low.args[::-1]
        if other is top and value_of(one) == 1:
            return make("sigmoid", *top.args)
    return None


def _opposed(factors: Factors) -> Factors:
    """Join powers of opposite exponents: p^(a - 1) q^(1 - a) is (q/p)^(1 - a)."""
    powers = [n for n in factors if kind(n) == "pow" and value_of(n.args[1]) is None]
    for k, first in enumerate(powers):
        for second in powers[:k]:
            a, b = first.args[1], second.args[1]
            if not (nonnegative(first.args[0]) and nonnegative(second.args[0])):
                continue
            if b.op == "neg" and b.args[0] is a:
                first, second, a, b = second, first, b, a
            if a.op == "neg" and a.args[0] is b:  # p^a q^(-a) is (p/q)^a
                joined = make("pow", make("div", second.args[0], first.args[0]), b)
                rest = [n for n in factors if n is not first]
                return [joined if n is second else n for n in rest]
            if kind(a) == "sub" and tidy("sub", a.args[::-1], {}) is b:
                up, down = (first, second) if value_of(a.args[0]) is not None else (second, first)
                joined = make("pow", make("div", up.args[0], down.args[0]), up.args[1])
                rest = [n for n in factors if n is not second]
                return [joined if n is first else n for n in rest]
    return factors


def _power(node: Node) -> tuple[Node, int]:
    """Read a factor as a base and a whole exponent."""
    exponent = value_of(node.args[1]) if kind(node) == "pow" else None
    whole = exponent is not None and float(exponent).is_integer()
    return (node.args[0], int(exponent)) if whole and exponent is not None else (node, 1)


def _raised(node: Node, power: int) -> Node:
    return node if power == 1 else make("pow", node, const(power))
