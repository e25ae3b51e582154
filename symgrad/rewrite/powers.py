"""Put the powers of one base in a product together: x^(k - 1)/x^k is 1/x, x x^(k - 1) is x^k."""

from fractions import Fraction
from functools import reduce

from symgrad.graph import Node, topological
from symgrad.ops import const, make, value_of
from symgrad.rewrite.tidy import exact, kept, kind, number, rank

Split = tuple[Node, Node]  # a base and its exponent
HALF = Fraction(1, 2)
MAX_POWER = 6  # of a sum that is multiplied out


def joined_powers(top: list[Node], low: list[Node]) -> tuple[list[Node], list[Node]]:
    """Join the powers of one base among the factors above and below a line.

    An exponent at least is no whole number.

    >>> from symgrad.ops import leaf
    >>> x, k = leaf("x"), leaf("k")
    >>> less = make("pow", x, make("sub", k, const(1)))
    >>> joined_powers([k, less], [make("pow", x, k)]) == ([k], [x])
    True
    """
    above, below = [[_split(n) for n in side] for side in (top, low)]
    bases = [base for base, _ in (*above, *below)]
    for base in dict.fromkeys(bases):
        powers = [[e for b, e in side if b is base] for side in (above, below)]
        if not _is_mixed(*powers):
            continue
        total, under = _total(powers[0], powers[1])
        place = next((k for k, (b, _) in enumerate(above) if b is base), len(above))
        above, below = ([s for s in side if s[0] is not base] for side in (above, below))
        if under:
            below.append((base, total))
        elif value_of(total) != 0:
            above.insert(place, (base, total))
    return [_power(*s) for s in above], [_power(*s) for s in below]


def _is_mixed(above: list[Node], below: list[Node]) -> bool:
    """Say whether powers are to be joined; x sqrt(x) stays, which costs less than x^(3/2)."""
    general = [_is_general(e) for e in (*above, *below)]
    if any(_rational(e) != HALF for e, g in zip((*above, *below), general, strict=True) if g):
        return len(general) > 1
    return any(general) and bool(above) and bool(below)


def _split(node: Node) -> Split:
    """Read a factor as a base and its exponent."""
    op = kind(node)
    if op == "sqrt":
        return node.args[0], const(0.5)
    if op != "pow":
        return node, const(1)
    base, power = node.args
    times = _rational(power)
    if times is not None and kind(base) == "sqrt" and not base.args[0].args:
        return base.args[0], number(times / 2)
    if times is not None and times.denominator == 1 and kind(base) == "pow":  # (x^n)^2 is x^(2 n)
        inner = _rational(base.args[1])
        whole = number(inner * times) if inner is not None else make("mul", power, base.args[1])
        return base.args[0], whole
    return base, power


def _rational(node: Node) -> Fraction | None:
    """Read an exponent that is a number."""
    if node.op == "neg":
        inner = _rational(node.args[0])
        return None if inner is None else -inner
    parts = [value_of(a) for a in (node.args if node.op == "div" else (node,))]
    numbers = [exact(p) for p in parts if p is not None]
    if len(numbers) < len(parts) or None in numbers or numbers[-1] == 0:
        return None
    return reduce(lambda a, b: a / b, numbers)  # type: ignore[operator]


def _is_general(power: Node) -> bool:
    """Say whether an exponent is no whole number, or too large to be multiplied out."""
    value = _rational(power)
    return value is None or value.denominator > 1 or abs(value) > MAX_POWER


def _total(above: list[Node], below: list[Node]) -> tuple[Node, bool]:
    """Add exponents, and say whether the power stands below the line."""
    numbers = [_rational(e) for e in (*above, *below)]
    if None not in numbers:
        signs = [1] * len(above) + [-1] * len(below)
        found = sum((s * n for s, n in zip(signs, numbers, strict=True) if n is not None),
                    Fraction(0))  # fmt: skip
        return number(abs(found)), found < 0
    from symgrad.rewrite.normal import normal

    above, below = sorted(above, key=_place), sorted(below, key=_place)
    total = reduce(lambda a, b: make("add", a, b), above) if above else const(0)
    total = normal(reduce(lambda a, b: make("sub", a, b), below, total), kept())
    return (total.args[0], True) if total.op == "neg" else (total, False)


def _place(exponent: Node) -> list[int]:
    """Order exponents as the program has what is in them: x^(a + b - 1), whatever came first."""
    return [rank(n) for n in topological([exponent]) if n.op == "input"]


def _power(base: Node, exponent: Node) -> Node:
    value = _rational(exponent)
    if value == 1:
        return base
    return make("sqrt", base) if value == HALF else make("pow", base, exponent)


def norm_of_squares(node: Node) -> Node | None:
    """Write sqrt(sum(a**2)) as norm(a), whose gradient at 0 is 0."""
    total = node.args[0]
    if total.op != "sum" or total.args[0].op != "pow" or not total.args[0].shape:
        return None
    base, power = total.args[0].args
    if value_of(power) != 2:
        return None
    return make("norm", base, **total.attrs)
