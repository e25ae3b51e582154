"""Read elementwise operations: what each makes of the entries of its operands."""

from collections.abc import Callable
from fractions import Fraction

from symgrad.formula.equality import build, conditions
from symgrad.formula.equality.placed import Images, operands
from symgrad.formula.equality.terms import Poly, number
from symgrad.graph import Node


def power_of(node: Node, images: Images) -> Poly:
    """Read a power; one with a symbol above is an exponential where its base is positive."""
    base, exponent = operands(node, images)
    fixed = exponent.constant
    if fixed is not None:
        return build.power(base, fixed)
    if build.is_positive(base):
        return build.exp(exponent * build.log(base))
    return build.call("pow", (base, exponent))


def _where(c: Poly, a: Poly, b: Poly) -> Poly:
    return c * a + (number(1) - c) * b


def larger(a: Poly, b: Poly) -> Poly:
    """Give the larger one of two."""
    return b + (a - b) * conditions.positive(a - b)


def _not(c: Poly) -> Poly:
    return number(1) - c


def _exponentials(sign: int, divided: bool) -> Callable[[Poly], Poly]:
    """Give cosh, sinh or tanh by exponentials."""

    def made(a: Poly) -> Poly:
        up, down = build.exp(a), build.exp(-a).scaled(Fraction(sign))
        if not divided:
            return (up + down).scaled(Fraction(1, 2))
        return (up + down) * build.inverse(up - down)

    return made


ENTRIES: dict[str, Callable[..., Poly]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a * build.inverse(b),
    "over": lambda a, b: a * build.inverse(b),
    "xdivy": lambda a, b: a * build.inverse(b),
    "neg": lambda a: -a,
    "square": lambda a: a * a,
    "abs": conditions.absolute,
    "sign": lambda a: conditions.positive(a).scaled(Fraction(2)) - number(1) + conditions.zero(a),
    "exp": build.exp,
    "expm1": lambda a: build.exp(a) - number(1),
    "log": build.log,
    "log1p": lambda a: build.log(number(1) + a),
    "sqrt": lambda a: build.power(a, Fraction(1, 2)),
    "sinh": _exponentials(-1, False),
    "cosh": _exponentials(1, False),
    "tanh": _exponentials(-1, True),
    "tan": lambda a: build.entry("sin", a) * build.inverse(build.entry("cos", a)),
    "lt": lambda a, b: conditions.positive(b - a),
    "gt": lambda a, b: conditions.positive(a - b),
    "le": lambda a, b: _not(conditions.positive(a - b)),
    "ge": lambda a, b: _not(conditions.positive(b - a)),
    "eq": lambda a, b: conditions.zero(a - b),
    "ne": lambda a, b: _not(conditions.zero(a - b)),
    "both": lambda a, b: a * b,
    "where": _where,
    "maximum": larger,
    "minimum": lambda a, b: -larger(-a, -b),
}


def entrywise(node: Node, images: Images) -> Poly:
    """Read an elementwise operation."""
    return ENTRIES[node.op](*operands(node, images))
