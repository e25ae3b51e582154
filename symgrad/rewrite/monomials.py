"""Products of numbers as monomials: coefficients, and factors with whole exponents."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import gcd

from symgrad.graph import Node
from symgrad.ops import const, make, value_of

MOST = 12  # factors of a product that is taken apart
POWER = 13  # the largest exponent that is


@dataclass(frozen=True, slots=True)
class Monomial:
    """Hold top/low times the product of the powers; a power's base is a node, or stands for one.

    `cost` counts the operations that it takes from its factors: x**k is one, a/x/x are two.
    """

    powers: Mapping[object, int]
    top: float = 1
    low: float = 1
    cost: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        above = sum([1 + (e > 1) for e in self.powers.values() if e > 0])
        below = sum([-e for e in self.powers.values() if e < 0]) + (self.low != 1)
        cost = below + above - (above > 0) + (above > 0 and self.top != 1)
        if self.whole > 1:
            root = Monomial({base: e // self.whole for base, e in self.powers.items()})
            cost = root.cost + 1 + (self.top == -1)
        object.__setattr__(self, "cost", cost)

    @property
    def whole(self) -> int:
        """Give k of what is a power of a product, (x/r)**k, or minus one; else 1."""
        plain = abs(self.top) == self.low == 1 and len(self.powers) > 1
        return gcd(*self.powers.values()) if plain else 1

    def times(self, other: "Monomial", power: int = 1) -> "Monomial":
        """Multiply by a power of another one; what cancels is left out."""
        powers = dict(self.powers)
        for base, e in other.powers.items():
            powers[base] = powers.get(base, 0) + power * e
        top, low = (other.top, other.low) if power > 0 else (other.low, other.top)
        found, size = {base: e for base, e in powers.items() if e}, abs(power)
        return Monomial(found, *_reduced(self.top * top**size, self.low * low**size))

    def holds(self, part: "Monomial") -> int:
        """Say how often a part is a factor; below 0 how often its inverse is one."""
        ratios = []
        for base, e in part.powers.items():
            own = self.powers.get(base, 0)
            ratios.append(int(own / e))  # towards 0
        if all(r > 0 for r in ratios):
            return min(ratios, default=0)
        above = all(e > 0 for e in part.powers.values())
        return max(ratios, default=0) if above and all(r < 0 for r in ratios) else 0

    def common(self, other: "Monomial") -> "Monomial":
        """Give the powers that two products have in common."""
        found = {}
        for base, e in self.powers.items():
            f = other.powers.get(base, 0)
            if e * f > 0:
                found[base] = min(e, f) if e > 0 else max(e, f)
        return Monomial(found, 1, self.low if found and self.low == other.low else 1)


def _reduced(top: float, low: float) -> tuple[float, float]:
    """Divide numbers where that is exact: 6/2 is 3, 1/0.5 is 2; a sign stands above."""
    if low < 0:
        top, low = -top, -low
    if low != 1 and (ratio := top / low) * low == top and float(ratio).is_integer():
        return int(ratio), 1
    return top, low


def monomial(
    node: Node,
    powers_there: Mapping[Node, Collection[Node]],
    atoms: Collection[Node] = (),
) -> Monomial:
    """Take a product apart, but for the `atoms` in it.

    `powers_there` lists the general powers of a base that are computed.

    >>> from symgrad.ops import leaf
    >>> x, y = leaf("x"), leaf("y")
    >>> top = make("mul", const(6), make("mul", x, y))
    >>> found = monomial(make("div", top, make("mul", y, y)), {})
    >>> [n.attrs["name"] for n in found.powers], list(found.powers.values()), found.top
    (['x', 'y'], [1, -1], 6)
    """
    result, todo = Monomial({}), [(node, 1)]
    while todo:
        part, power = todo.pop()
        number = value_of(part)
        if number and abs(number) < 2**53 and abs(power) <= 2:
            result = result.times(Monomial({}, number), power)
        elif (
            not is_product(part, powers_there)
            or len(result.powers) > MOST
            or (part in atoms and part is not node)
        ):
            result = result.times(Monomial({part: 1}), power)
        elif part.op in ("mul", "div"):
            a, b = part.args
            todo += [(b, power if part.op == "mul" else -power), (a, power)]
        elif part.op == "neg":
            result = result.times(Monomial({}, -1), power)
            todo.append((part.args[0], power))
        else:
            base, exponent = _power(part, powers_there)
            todo.append((base, power * exponent))
    return result


def less(whole: Monomial, part: Monomial, base: object) -> Monomial | None:
    """Write a product with a part of it as one factor, `base`."""
    times = whole.holds(part)
    if not times:
        return None
    rest = whole.times(part, -times)
    numbers = (part.top, part.low) != (1, 1)
    if numbers and (rest.low != 1 or (abs(times) > 1 and abs(part.top) != 1)):
        return None  # 1/3 of what is 3 times as much would be rounded twice
    powers = {base: times, **rest.powers} if times > 0 else {**rest.powers, base: times}
    return Monomial(powers, rest.top, rest.low)


def is_product(node: Node, powers_there: Mapping[Node, Collection[Node]]) -> bool:
    """Say whether a node is taken apart: a power is where the exponent is a small whole number."""
    power = node.op == "pow" and _power(node, powers_there)[0] is not node
    return power or node.op in ("mul", "div", "neg", "square")


def _power(node: Node, there: Mapping[Node, Collection[Node]]) -> tuple[Node, int]:
    """Read x**3 as x and 3, x**(2 n) as x**n and 2 if that is there."""
    if node.op == "square":
        return node.args[0], 2
    base, exponent = node.args
    number = value_of(exponent)
    if number is not None and float(number).is_integer() and 0 < abs(number) <= POWER:
        return base, int(number)
    for other in there.get(base, ()):
        own = other.args[1]
        if exponent.op == "neg" and exponent.args[0] is own:
            return other, -1
        if exponent.op == "mul" and own in exponent.args:
            factor = value_of(exponent.args[exponent.args[0] is own])
            if factor is not None and float(factor).is_integer() and 0 < abs(factor) <= POWER:
                return other, int(factor)
    return node, 1


def product(found: Monomial, nodes: Mapping[object, Node]) -> Node:
    """Write a monomial; `nodes` says what its bases are.

    Of many factors some are divided before others are multiplied: x/r x/r, not x**2/r/r, whose
    square may overflow.
    """
    if found.whole > 1:
        root = Monomial({base: e // found.whole for base, e in found.powers.items()})
        power = make("pow", product(root, nodes), const(found.whole))
        return make("neg", power) if found.top == -1 else power
    below = [nodes[base] for base, e in found.powers.items() for _ in range(max(-e, 0))]
    above = _above(found, nodes, len(below) > 1)
    top = 1 if found.top == -1 and above else found.top
    result = const(top) if top != 1 or not above else None
    result = _alternating(result, above, below)
    if found.low != 1:
        result = make("div", result, const(found.low))
    return make("neg", result) if top != found.top else result


def _above(found: Monomial, nodes: Mapping[object, Node], apart: bool) -> list[Node]:
    """List the factors above the line, powers as such or `apart` as their factors."""
    result = []
    for base, e in found.powers.items():
        if e > 1 and not apart:
            result.append(make("pow", nodes[base], const(e)))
        else:
            result += [nodes[base]] * max(e, 0)
    return result


def _alternating(result: Node | None, above: list[Node], below: list[Node]) -> Node:
    """Multiply by two factors, then divide by one, and so on; divide at once before a square."""
    count = 0
    last: Node | None = None
    while above or below:
        if above and not (below and (count > 1 or (above[0] is last and count > 0))):
            last = above.pop(0)
            result = last if result is None else make("mul", result, last)
            count += 1
        else:
            result = make("div", const(1) if result is None else result, below.pop(0))
            count -= 1
    assert result is not None
    return result
