"""Sums and products as lists: what is equal up to order and brackets has one key."""

from fractions import Fraction
from itertools import count
from typing import NamedTuple

from symgrad.graph import SUMS, Node, summands
from symgrad.ops import const, make, value_of
from symgrad.rewrite.tidy import exact, number

ONE = Fraction(1)
MAX_POWER = 4
MANY = 50_000
_KEYS: dict[Node, str] = {}
_SHORT: dict[str, str] = {}
_COUNT = count()


class Product(NamedTuple):
    """Hold a number and the factors above and below a fraction."""

    number: Fraction
    top: tuple[Node, ...]
    low: tuple[Node, ...]


def terms(node: Node) -> list[tuple[Fraction, Node]]:
    """Split a sum into its terms, with signs; a term of a smaller shape is spread by the sum."""
    listed = []
    for term, less in summands(node):
        found = factors(term)
        if not found.top and not found.low:
            term = const(1)
        elif found.number != ONE:
            term = quotient(Product(ONE, found.top, found.low))
        listed.append((-found.number if less else found.number, term))
    return listed


def factors(node: Node) -> Product:
    """Split a product into a number and factors; whole powers are repeated factors."""
    value = value_of(node)
    if value is not None and (fixed := exact(value)) is not None:
        return Product(fixed, (), ())
    if node.op == "neg":
        inner = factors(node.args[0])
        return Product(-inner.number, inner.top, inner.low)
    if node.op in ("mul", "div"):
        a, b = (factors(x) for x in node.args)
        if node.op == "div":
            if not b.number:
                return Product(ONE, (node,), ())
            b = Product(1 / b.number, b.low, b.top)
        return Product(a.number * b.number, a.top + b.top, a.low + b.low)
    power = value_of(node.args[1]) if node.op == "pow" else None
    if power is not None and 2 <= abs(power) <= MAX_POWER and float(power).is_integer():
        inner, k = factors(node.args[0]), int(abs(power))
        top, low = inner.top * k, inner.low * k
        if power > 0:
            return Product(inner.number**k, top, low)
        if inner.number:
            return Product(1 / inner.number**k, low, top)
    return Product(ONE, (node,), ())


def key(node: Node) -> str:
    """Give a short text that only nodes have that are equal up to order, brackets and signs."""
    stack = [node]
    while stack:
        top = stack[-1]
        waiting = [a for a in top.args if a not in _KEYS]
        if top in _KEYS:
            stack.pop()
        elif waiting:
            stack += waiting
        else:
            text = _key(top)
            if text not in _SHORT:
                _SHORT[text] = f"#{next(_COUNT)}"
            _KEYS[top] = _SHORT[text]
            stack.pop()
    return _KEYS[node]


def forget() -> None:
    """Drop the keys that were given, when there are many; they are never given again."""
    if len(_KEYS) > MANY:
        _KEYS.clear()
        _SHORT.clear()


def _key(node: Node) -> str:
    if node.op in SUMS:
        parts = terms(node)
        if len(parts) > 1:
            merged = sorted(f"{c}*{key(t) if t is not node else 'self'}" for c, t in parts)
            return f"({' + '.join(merged)})"
    if node.op in ("neg", "mul", "div", "pow", "const"):
        found = factors(node)
        if found.top != (node,):
            top = "·".join(sorted(key(f) for f in found.top))
            low = "·".join(sorted(key(f) for f in found.low))
            return f"[{found.number} {top} / {low}]"
    if node.op in ("input", "dim", "const"):
        return f"{node.op}:{node.attrs.get('name', node.attrs.get('value'))}"
    attrs = ",".join(f"{k}={v}" for k, v in node.attrs.items())
    return f"{node.op}<{attrs}>({', '.join(key(a) for a in node.args)})"


def quotient(found: Product) -> Node:
    """Write a product as a fraction."""
    above = product(list(found.top))
    below = product(list(found.low))
    c = found.number
    if abs(c.numerator) != 1 or above is None:
        lead = number(Fraction(abs(c.numerator)))
        above = lead if above is None else make("mul", lead, above)
    if c.denominator != 1:
        under = number(Fraction(c.denominator))
        below = under if below is None else make("mul", under, below)
    node = above if below is None else make("div", above, below)
    return make("neg", node) if c < 0 else node


def product(nodes: list[Node]) -> Node | None:
    """Multiply; equal factors are written as a power."""
    counted: dict[Node, int] = {}
    for node in nodes:
        counted[node] = counted.get(node, 0) + 1
    result: Node | None = None
    for node, k in counted.items():
        part = node if k == 1 else make("pow", node, const(k))
        result = part if result is None else make("mul", result, part)
    return result


def total(parts: list[tuple[Fraction, Node]]) -> Node:
    """Add terms up, one with a plus sign first if there is one."""
    parts = [_signed(c, t) for c, t in parts if c]
    if not parts:
        return const(0)
    first = next((k for k, (c, _) in enumerate(parts) if c > 0), 0)
    parts.insert(0, parts.pop(first))
    result = scaled(*parts[0])
    for c, t in parts[1:]:
        result = make("add" if c > 0 else "sub", result, scaled(abs(c), t))
    return result


def _signed(c: Fraction, node: Node) -> tuple[Fraction, Node]:
    """Move the number of a term, and its sign, to the front."""
    found = factors(node)
    if found.number == 1 or not found.number:
        return c, node
    return c * found.number, quotient(Product(ONE, found.top, found.low))


def scaled(c: Fraction, node: Node) -> Node:
    """Multiply by a number."""
    if c == 1:
        return node
    found = factors(node)
    return quotient(Product(c * found.number, found.top, found.low))


def is_one(node: Node) -> bool:
    """Say whether a node is the number 1."""
    return value_of(node) == 1
