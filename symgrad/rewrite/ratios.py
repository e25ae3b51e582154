"""Quotients of arrays for code: a square is divided before it is taken, sums are divided once.

The normal density has (x - m)**2/(2 s**2): of z = (x - m)/s it is z**2/2, with the slopes z/s and
-z**2/s, and no square of a large number.
"""

from collections.abc import Collection, Iterable

from symgrad.graph import Graph, Node, factors_of, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of


def squared_ratios(graph: Graph) -> Graph:
    """Write a**2/(c b**2) as (a/b)**2/c for an array b.

    >>> from symgrad.parse import parse
    >>> squared_ratios(parse("x: real[N]; s: real[N]; x**2/(2*s**2)")).output.args[0].op
    'pow'
    """
    if not any(n.op == "div" and _squared(n.args[0]) is not None for n in graph.order()):
        return graph
    image: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = ratio_squared(fresh, image[node.args[1]]) if node.op == "div" else None
        return fresh if found is None or found.shape != node.shape else found

    rebuild(graph.outputs, change, image)
    return graph.mapped(image)


def ratio_squared(quotient: Node, low: Node) -> Node | None:
    """Write one quotient of squares as a square; None for another one."""
    base = _squared(quotient.args[0])
    if base is None:
        return None
    factors = factors_of(low)
    for k, factor in enumerate(factors):
        other = _squared(factor)
        if other is not None and other.shape == quotient.shape:
            found = make("pow", make("div", base, other), const(2))
            for rest in factors[:k] + factors[k + 1 :]:
                found = make("div", found, rest)
            return found
    return None


def _squared(node: Node) -> Node | None:
    """Give the array of which a node is the square."""
    square = node.op == "pow" and node.shape and value_of(node.args[1]) == 2
    return node.args[0] if square else None


def in_powers(order: Iterable[Node]) -> dict[Node, None]:
    """List quotients a/b whose powers stand in a sum that is divided by, or of which log is taken.

    Slopes of 1/(1 + (a/b)**4) take a/b as it is: over one denominator they have (a**4 + b**4)**2,
    which may overflow or vanish where the ratio is an ordinary number.

    >>> from symgrad.parse import parse
    >>> [n.op for n in in_powers(parse("1/(1 + (x/s)**2)").order())]
    ['div']
    """
    sums = dict.fromkeys(a for n in order for a in _read(n) if a.op == "add")
    terms = (f for total in sums for a in total.args for f in (a, *a.args))
    bases = (f.args[0] for f in terms if f.op == "pow" and _grows(f.args[1]))
    return {b: None for b in bases if b.op == "div" and b.args[1].op not in ("const", "dim")}


def _read(node: Node) -> tuple[Node, ...]:
    """Give the operand that may not be 0, or infinite where the result is not."""
    return node.args[-1:] if node.op in ("div", "log") else ()


def _grows(exponent: Node) -> bool:
    number = value_of(exponent)
    return number is None or number >= 2


def one_quotient(roots: Iterable[Node], kept: Collection[Node] = ()) -> dict[Node, Node]:
    """Write a/s - b/s as (a - b)/s for an array s, in slopes a s + b s as (a + b) s, too.

    What is `kept`, or read twice, stays.

    >>> from symgrad.ops import leaf
    >>> a, b, s = (leaf(name, ("N",)) for name in "abs")
    >>> total = make("add", make("div", a, s), make("div", b, s))
    >>> one_quotient([total])[total].op
    'div'
    """
    roots = tuple(roots)
    order = topological(roots)
    sums = {n: s for n in having(order, "add", "sub") if (s := _over(n)) is not None}
    typed = dict.fromkeys(topological(roots[:1]))
    sums |= {n: s for n in order if n not in typed and (s := _times(n)) is not None}
    if not sums:
        return unchanged(order)
    alone = read_once(order, [*roots, *kept])
    images: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in sums or any(a not in alone for a in node.args):
            return remake(node, args)
        s, parts = sums[node], [_without(a, sums[node]) for a in node.args]
        both = (make(node.op, *(images[p] for p in parts)), images[s])
        found = make(node.args[0].op, *both[:: -1 if node.args[0].args[0] is s else 1])
        return found if found.shape == node.shape else remake(node, args)

    return rebuild(roots, change, images, only=("add", "sub"))


def _over(total: Node) -> Node | None:
    """Give the array by which both terms of a sum are divided entry by entry."""
    (op, below), (other, same) = ((n.op, n.args[-1:]) for n in total.args)
    whole = op == other == "div" and below == same and below[0].shape == total.shape != ()
    return below[0] if whole else None


def _times(total: Node) -> Node | None:
    """Give the array by which both terms of a sum are multiplied."""
    if total.op not in ("add", "sub") or any(n.op != "mul" for n in total.args):
        return None
    factors = (s for s in total.args[0].args if s in total.args[1].args)
    return next((s for s in factors if s.shape and s.dtype == "float"), None)


def _without(product: Node, factor: Node) -> Node:
    """Give the other factor, or what is divided."""
    return product.args[product.args[0] is factor and product.op == "mul"]
