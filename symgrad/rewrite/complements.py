"""What is left of 1, for code: 1 - a/(a + b), and 1 - p + 1e-12, which must not be 1 in floats.

A number that is typed beside 1 - p keeps a logarithm finite where p = 1. In one number with the 1
it would have few digits, or none.
"""

from symgrad.graph import Node
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.exponents import opposite
from symgrad.rewrite.remainders import terms_of
from symgrad.rewrite.tidy import kind

SMALL = 0.01  # beside it
BETWEEN = ("clip", "relu", "maximum", "minimum", "mul", "div")  # it and what is left of 1


def left_of_share(node: Node) -> Node | None:
    """Write 1 - a/(a + b), which rounds to 0, as b/(a + b).

    >>> from symgrad.ops import const, leaf
    >>> a, b = leaf("a"), leaf("b")
    >>> p = make("div", a, make("add", a, b))
    >>> left_of_share(make("sub", const(1), p)).args[0] is b
    True
    """
    one, share = node.args
    if value_of(one) != 1 or not (node.shape or kind(share)):
        return None  # K and 1 - K of a filter have one division
    if share.op in ("mul", "saturating"):
        return _left_of_exponentials(share)
    if share.op != "div" or share.args[1].op != "add":
        return None
    top, low = share.args
    for mine, other in (low.args, low.args[::-1]):
        if _same(mine, top):
            return make("div", other, low)
    return None


def _same(a: Node, b: Node) -> bool:
    """Say whether two values are one, also 1 and 1.0."""
    return a is b or (value_of(a) is not None and value_of(a) == value_of(b))


def _left_of_exponentials(share: Node) -> Node | None:
    """Write 1 - a/(a + b exp(c)) as b/(b + a exp(-c))."""
    parts = share.args if share.op == "mul" else (const(1), share)
    for factor, part in (parts, parts[::-1]):
        if part.op == "saturating":
            a, b, c = part.args
            if _same(a, factor):
                rest = make("saturating", b, a, opposite(c))
                return rest if value_of(b) == 1 else make("mul", b, rest)
    return None


def beside_small(node: Node) -> Node | None:
    """Keep 1 - p together in 1 - p + 1e-12; 1 - tanh(a)**2 is 1/cosh(a)**2 there.

    >>> from symgrad.ops import const, leaf
    >>> rest = make("sub", const(1), leaf("p"))
    >>> beside_small(make("add", rest, const(1e-12))).args[0].op
    'as_is'
    """
    for small, rest in (node.args, node.args[::-1]):
        number = value_of(small)
        if number and abs(number) < SMALL:
            if (hyperbolic := _hyperbolic(rest)) is not None:
                return make("add", hyperbolic, small)
            found = terms_of(rest) if rest.op in ("add", "sub") else None
            if found is not None and found[0] and abs(number) < SMALL * abs(found[1]):
                return make("add", make("as_is", rest), small)
    return None


def _hyperbolic(rest: Node) -> Node | None:
    """Write 1 - tanh(a)**2, perhaps clipped, by the hyperbolic cosine."""
    if rest.op == "sub" and value_of(rest.args[0]) == 1:
        base = squared(rest.args[1])
        return make("sech_squared", *base.args) if base and base.op == "tanh" else None
    if rest.op not in BETWEEN:
        return None
    changed = [_hyperbolic(a) for a in rest.args]
    if not any(changed):
        return None
    return remake(rest, tuple(b or a for a, b in zip(rest.args, changed, strict=True)))
