"""Slopes that are a multiple of a named value: of Y = A K^a N^b the slope in K is a Y/K.

Exponentials answer in their own value by their rule. A power, a root, or a product with an
exponential in it is looked for here: what a slope divided by the named value leaves over is
shorter than the slope, or it is not used.
"""

from collections.abc import Callable, Collection

from symgrad.graph import Node, having, rebuild, topological
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.cost import Prices
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.signs import positive
from symgrad.rewrite.tidy import tidy

GAIN = 2  # operations that the name must save: 1/(2 sqrt(x)) stays
MOST = 40  # nodes of a definition or a slope that is looked at
LOOKED = 6  # named values

Shorten = Callable[[Node, Collection[Node]], Node]


def multiple_of_name(root: Node, named: Collection[Node], shorten: Shorten) -> Node:
    """Write a number as a named value times what is left, where that is shorter.

    `shorten` simplifies with other values as names.
    """
    if root.shape or root in named or not arithmetic(root):
        return root
    prices = Prices(named)
    best, size = root, prices.of(root)[0] - GAIN
    if size < 1:
        return root
    below = topological([root], stop=lambda n: n in named and n is not root)
    bases = _bases(root, named)
    known = {**_divisors(root, named), **bases}  # what may be divided by: L/x would be NaN at 0
    for value in [n for n in named if not n.shape and arithmetic(n) and n is not root][-LOOKED:]:
        own = _bases(value, named)
        if len(below) > MOST or not own or not bases.keys() & own.keys():
            continue
        others = {n: None for n in named if n is not value}
        rest = shorten(make("div", root, value), others)
        found = _times(value, rest)
        whole = shorten(found, named)
        for option in (found, whole):
            price = prices.of(option)[0]
            new = _divisors(option, named).keys() - known.keys() - own.keys()
            if (
                price <= size
                and not new
                and value in topological([option], stop=named.__contains__)
            ):
                best, size = option, price - 1
    return best


def powers_of_names(root: Node, named: Collection[Node], shorten: Shorten) -> Node:
    """Write powers of what a named value is a power of by that value, where that is shorter.

    Of R = (x^2 + y^2)^(1/3) the slope has R^(-2), of n = sum(x^p)^(1/p) it has n^(1 - p).
    """
    order = topological([root], stop=named.__contains__)
    powers = [n for n in order if n not in named and _general_power(n) is not None]
    known: dict[Node, list[tuple[Node, Node]]] = {}
    for value in named if powers else ():
        if (found := _general_power(value)) is not None:
            for base in dict.fromkeys((found[0], shorten(found[0], {}))):  # as slopes have it
                known.setdefault(base, []).append((found[1], value))
    prices = Prices(named)
    for node in powers:
        base, exponent = _general_power(node) or (node, node)
        for own, value in known.get(base, ()):
            power = shorten(make("div", exponent, own), named)
            number = value_of(power)
            if number is None:
                plain = prices.of(power) < prices.of(exponent)
            else:
                plain = float(number).is_integer()
            if not plain or root in topological([value]):
                continue
            image = {**{n: n for n in named}, node: tidy("pow", (value, power), {})}
            whole = shorten(rebuild([root], remake, image)[root], named)
            if prices.of(whole) < prices.of(root):
                return powers_of_names(whole, named, shorten)
    return root


def _general_power(node: Node) -> tuple[Node, Node] | None:
    """Read a root or a power as base and exponent; None for others, and for whole exponents."""
    if node.op == "sqrt":
        return node.args[0], const(0.5)
    if node.op != "pow" or node.args[1].shape:
        return None
    base, exponent = node.args
    number = value_of(exponent)
    return None if number is not None and float(number).is_integer() else (base, exponent)


def _bases(root: Node, named: Collection[Node]) -> dict[Node, None]:
    """List what stands in roots and general powers that are factors, and exponentials."""
    found: dict[Node, None] = {}
    todo, seen = [root], 0
    while todo and seen < MOST:
        node = todo.pop()
        seen += 1
        if node in named and node is not root:
            continue
        if node.op in ("mul", "div", "neg"):
            todo += node.args
        elif node.op == "sqrt":
            found[node.args[0]] = None
        elif node.op == "exp":
            found[node] = None
        elif node.op == "pow":
            number = value_of(node.args[1])
            if number is None or not float(number).is_integer():
                found[node.args[0]] = None
            todo.append(node.args[0])
    return found


def _divisors(root: Node, named: Collection[Node]) -> dict[Node, None]:
    """List what a value divides by, without powers and roots."""
    order = topological([root], stop=lambda n: n in named and n is not root)
    todo = [n.args[1] for n in having(order, "div") if (n is root or n not in named)]
    found: dict[Node, None] = {}
    while todo:
        node = todo.pop()
        if node.op in ("mul", "neg") and node not in named:
            todo += node.args
        elif node.op in ("pow", "sqrt") and node not in named:
            todo.append(node.args[0])
        elif value_of(node) is None and not positive(node):
            found[node] = None
    return found


def _times(value: Node, rest: Node) -> Node:
    """Multiply above the line: a Y/K, not Y (a/K)."""
    if rest.op == "neg":
        return tidy("neg", (_times(value, rest.args[0]),), {})
    if rest.op == "div":
        return tidy("div", (_times(value, rest.args[0]), rest.args[1]), {})
    sums = rest.op in ("add", "sub")
    return tidy("mul", (value, rest) if sums else (rest, value), {})
