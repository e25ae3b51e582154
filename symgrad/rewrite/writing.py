"""Write a product of factors as people do: 2 a b / (3 c), names first, indicators last."""

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from symgrad.graph import SUMS, Node, Signed, leaves, over_and_under
from symgrad.ops import const, make, value_of
from symgrad.rewrite.named_quotients import ratios
from symgrad.rewrite.powers import joined_powers
from symgrad.rewrite.tidy import TWELFTHS, number, printed, rank, typed_parts, writes_decimals

EIGHTHS = 8  # parts that are written as fractions, though typed as decimals
FINITE = (5, 10)  # a number alone with such a denominator is typed 0.1, not 1/10


@dataclass(slots=True)
class Factor:
    """Hold one factor of a product: where it stands, its two orientations, its power."""

    place: tuple[int, int, bool]
    node: Node
    other: Node | None
    power: int
    sign: int


def fraction(value: Any) -> Fraction:
    """Read a coefficient of SymPy's field."""
    return Fraction(int(value.numerator), int(value.denominator))


def listed(factors: list[Factor], chained: bool = False) -> list[Node]:
    """Order factors as people do; inputs as the program has them, or all as the chain rule has."""
    ordered = sorted(factors, key=lambda f: f.place)
    places = [k for k, f in enumerate(ordered) if f.node.op == "input" and not chained]
    chosen = sorted((ordered[k] for k in places), key=lambda f: rank(f.node))
    for k, factor in zip(places, chosen, strict=True):
        ordered[k] = factor
    return [f.node if f.power == 1 else make("pow", f.node, const(f.power)) for f in ordered]


def assemble(coefficient: Fraction, top: list[Node], low: list[Node]) -> Node:
    """Write coefficient * product(top) / product(low) as people do: 2 a b / (3 c)."""
    negative = coefficient < 0
    size = abs(coefficient)
    if not top and not low and (size.denominator in FINITE or size in typed_parts()):
        return const(float(coefficient))
    above, below = joined_powers(*(ratios(top, low) if printed() else (top, low)))
    if _decimal(size):
        lead, under = size, 1
    else:
        lead, under = Fraction(size.numerator), size.denominator
    if under != 1:
        below.insert(0, const(under))
    scalars = [n for n in above if not n.shape]
    others = [n for n in above if n.shape]
    if lead != 1 or not above:
        scalars.insert(0, number(lead))
    if not others:
        node = _times(scalars)
        node = make("div", node, _times(below)) if below else node
    else:
        thin = [n for n in below if not n.shape]
        if len(thin) < len(below):  # one fraction: 2 a b/(N c)
            node = make("div", _times([*scalars, *others]), _times(below))
        elif scalars and thin:
            node = make("mul", make("div", _times(scalars), _times(thin)), _times(others))
        elif scalars:
            node = make("mul", _times(scalars), _times(others))
        else:
            node = _times(others)
            node = make("div", node, _times(thin)) if thin else node
    return make("neg", node) if negative else node


def _decimal(value: Fraction) -> bool:
    """Say whether a coefficient is better written as a decimal number (0.02, not 1/50)."""
    d = value.denominator
    if d <= TWELFTHS:
        return d == 1 or (d % 5 == 0 and writes_decimals())
    return True


def halved(node: Node) -> bool:
    """Say whether a printed product begins with a number such as 0.5, typed for a fraction.

    >>> from symgrad.ops import const, leaf, make
    >>> from symgrad.rewrite.tidy import keeping
    >>> with keeping((), {}, printed=True):
    ...     [halved(make("mul", const(v), leaf("x"))) for v in (0.5, 0.1, 2)]
    [True, False, False]
    """
    node = node.args[0] if node.op == "neg" else node
    value = value_of(node.args[0]) if node.op == "mul" and printed() else None
    return isinstance(value, float) and 0 < value < 1 and (value * EIGHTHS).is_integer()


def scattered(root: Node, named: Collection[Node]) -> int:
    """Count the products that have several numbers apart from one another: 3 (2 x).

    >>> from symgrad.ops import const, leaf, make
    >>> twice = make("mul", const(2), leaf("x"))
    >>> scattered(make("mul", const(3), twice), ())
    1
    """

    def inside(factor: Signed) -> tuple[Signed, ...]:
        whole = factor[0] in named and factor[0] is not root
        return () if whole else over_and_under(factor)

    found, todo = 0, [root]
    while todo:
        term = todo.pop()
        factors = leaves((term, False), inside)
        numbers = [under for f, under in factors if f.op == "const"]
        found += numbers.count(False) > 1 or numbers.count(True) > 1
        if len(factors) > 1:
            todo += [f for f, _ in factors]
        elif term.op in SUMS and (term is root or term not in named):
            todo += term.args
    return found


def _times(nodes: list[Node]) -> Node:
    result = nodes[0]
    for node in nodes[1:]:
        result = make("mul", result, node)
    return result
