"""Densities over the tails of the normal distribution, for code: rates of failure."""

import math
from functools import partial, reduce

from symgrad.graph import Node
from symgrad.ops import const, make
from symgrad.rewrite.exponents import opposite
from symgrad.rewrite.remainders import power_of, scaled, spelled, terms_of

ROOT = math.sqrt(2 * math.pi)


def mills(top: Node, low: Node) -> Node | None:
    """Write phi(a)/(1 - Phi(a)), whose denominator would round to 0, and its inverse.

    >>> from symgrad.ops import leaf
    >>> a = leaf("a")
    >>> mills(make("normal_pdf", a), make("sub", const(1), make("normal_cdf", a))).op
    'inverse_mills'
    """
    for tails, bells in ((low, top), (top, low)):
        found = [(f, of) for f in scaled_factors(tails) if (of := _tail(f)) is not None]
        if len(found) != 1:
            continue
        tail, (c, a) = found[0]
        scales = [(f, d) for f in scaled_factors(bells) if (d := _density(f, a)) is not None]
        if len(scales) != 1:
            continue
        bell, d = scales[0]
        ratio = make("inverse_mills", a)
        if tails is low:
            ratio = scaled(d / c, ratio)
        else:
            ratio = scaled(c / d, make("div", const(1), ratio))
        above, below = ([f for f in scaled_factors(side) if f not in (tail, bell)]
                        for side in (top, low))  # fmt: skip
        total = reduce(lambda product, f: make("mul", f, product), above, ratio)
        return reduce(partial(make, "div"), below, total)
    return None


def scaled_factors(node: Node) -> list[Node]:
    """List the factors of a product; a quotient with a number is one, too."""
    found: list[Node] = []
    todo = [node]
    while todo:
        part = todo.pop()
        if part.op == "mul":
            todo += part.args[::-1]
        elif part.op == "div" and part.args[1].op in ("const", "sqrt") and not part.args[1].shape:
            todo.append(part.args[0])
            found.append(make("div", const(1), part.args[1]))
        else:
            found.append(part)
    return found


def _tail(node: Node) -> tuple[float, Node] | None:
    """Read c Phi(a), and c (1 - Phi(a)) as c Phi(-a)."""
    found = spelled(node)
    if found is None or len(found[0]) != 1:
        return None
    ((term, c),) = found[0].items()
    if term.op != "normal_cdf" or c == 0:
        return None
    (a,) = term.args
    if found[1] == 0:
        return c, a
    return (-c, opposite(a)) if found[1] == -c else None


def _density(node: Node, a: Node) -> float | None:
    """Say how many times phi(a) a node is: exp(-a**2/2) is it sqrt(2 pi) times."""
    b, scale = None, 1.0
    if node.op == "normal_pdf":
        (b,) = node.args
    elif node.op == "exp":
        found = terms_of(node.args[0])
        if found is not None and not found[1] and list(found[0].values()) == [-0.5]:
            power = power_of(next(iter(found[0])))
            b, scale = (power[0], ROOT) if power is not None and power[1] == 2 else (None, 1)
    if b is None:
        return None
    return scale if b is a or opposite(b) is a or b is opposite(a) else None
