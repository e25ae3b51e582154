"""Quotients that are 0/0 at one place, as sinh(x)/x or 1/tanh(x) - 1/x at 0: finite, for code.

Near that place value and slope are those of a power series, which loses no digits where the terms
of the quotient cancel. The slope is taken as a whole: no part of it, which may be infinite, flows
back by itself.
"""

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np

from symgrad.autodiff.sweep import sweep
from symgrad.evaluate import values
from symgrad.graph import Node, having, leaves, rebuild, topological, unchanged
from symgrad.ops import const, leaf, make, remake, value_of
from symgrad.rewrite.remainders import power_of
from symgrad.rewrite.series import expandable, series_of, square_of
from symgrad.rewrite.signs import positive

FIRST = 8  # terms that tell whether a place is removable
CANDIDATES = 6
SIMPLE = ((0.25, 44), (0.5, 44), (1.0, 44), (0.125, 44))  # up to where, with how many terms
HIGHER = ((0.5, 44), (0.5, 72), *SIMPLE)  # of zeros of the second order and more
DIGITS = 2.0**-54
POLES = ("csch", "bose")
CARRYING = ("add", "sub", "mul", "neg", "div", "square", "pow")  # infinite if an operand is
FARTHER = (-1e20, -1e8, -900.0, -30.0, -3.0, 3.0, 30.0, 900.0, 1e8, 1e20)  # compared there
NEAR = 2.0**-47
LOWEST = -1e15  # for the logarithm of 0: its multiples are finite, their exponentials 0


def removable(roots: Iterable[Node], mode: str) -> dict[Node, Node]:
    """Map every node to its image: what is 0/0 at u = 0 has a power series in u there.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",)); y = make("div", make("sinh", x), x)
    >>> removable([y], "code")[y].op
    'known_slope'
    """
    roots = tuple(roots)
    order = topological(roots)
    if not any(n.op == "div" or n.op in POLES for n in order):
        return unchanged(order)
    norms = having(order, "norm")
    poles: dict[Node, list[Node]] = {}  # what is infinite at u = 0, and such values u

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        for u in _places(node, poles, norms):
            start = series_of(node, u, FIRST)
            if start is None:
                continue
            if start[0] >= 0:
                return _filled(node, u, image[u], mode) or remake(node, args)
            poles.setdefault(node, []).append(u)
        found = (_by_factor(node) or _beside_factor(node)) if node.op == "div" else None
        if found is not None:
            scale, ratio, u = found
            inner = rebuild([scale, u], remake, image)
            filled = _filled(ratio, u, inner[u], mode)
            if filled is not None:
                result = _multiplied(inner[scale], filled, ratio, u, mode)
                return result if result.shape == node.shape else remake(node, args)
        return remake(node, args)

    image: dict[Node, Node] = {}
    return rebuild(order, change, image)


def _places(node: Node, poles: Mapping[Node, list[Node]], norms: Iterable[Node]) -> list[Node]:
    """List values u at whose 0 an expression of u alone is 0/0 or infinite."""
    tried: list[Node] = []
    if node.op in ("div", *POLES):
        low = node.args[-1]
        if low.op not in ("const", "dim"):
            inner = [*_inner(low), *(n for n in norms if square_of(n) is low)]
            alone = [u for u in inner if _of_one(node, u)]
            tried = [u for u in alone if node.op in POLES or _vanishes(low, u)]
    if node.op in CARRYING and poles:
        others = [u for a in node.args for u in poles.get(a, ()) if u not in tried]
        tried += [u for u in others if _of_one(node, u)]
    return tried


def _by_factor(node: Node) -> tuple[Node, Node, Node] | None:
    """Write f(c w)/w**n as c**n f(u)/u**n with u = c w; b**w is exp(w log(b)).

    Give c**n, the quotient of u and u, where f(u) vanishes with u.
    """
    top, low = node.args
    w, n = power_of(low) or (low, 1)
    if w.op in ("const", "dim", "neg", "mul") or not top.args:
        return None
    top = _with_exponentials(top, w)
    for u in _inner(top):
        if u.op != "mul" or w not in u.args or u.shape != node.shape:
            continue
        c = u.args[1] if u.args[0] is w else u.args[0]
        ratio = make("div", top, make("pow", u, const(n)) if n > 1 else u)
        if value_of(c) is None and expandable(ratio, u) and _vanishes(top, u):
            start = series_of(ratio, u, FIRST)
            if start is not None and start[0] >= 0:
                return make("pow", c, const(n)) if n > 1 else c, ratio, u
    return None


def _beside_factor(node: Node) -> tuple[Node, Node, Node] | None:
    """Take a factor c out of c f(u)/g(u), which is 0/0 at u = 0; c knows nothing of u."""
    top, low = node.args
    for c, rest in (top.args, top.args[::-1]) if top.op == "mul" else ():
        if value_of(c) is not None or rest.op in ("const", "dim", "input") or not rest.args:
            continue
        ratio = make("div", rest, low)
        for u in _places(ratio, {}, ()):
            start = series_of(ratio, u, FIRST)
            if start is not None and start[0] >= 0 and u not in topological([c]):
                return c, ratio, u
    return None


def _multiplied(scale: Node, filled: Node, ratio: Node, u: Node, mode: str) -> Node:
    """Write c f(u)/u; where u = c w, its slope in c is f'(u), whose terms would cancel in parts."""
    top, low = ratio.args
    product = filled.args[0] if filled.op == "known_slope" else filled
    if product.op != "mul" or scale not in product.args or low is not u:
        return make("mul", scale, filled)
    other = product.args[1] if product.args[0] is scale else product.args[0]
    place = leaf("u", u.shape)
    slope = _slope(rebuild([top], remake, {u: place})[top], place, mode)
    if slope is None:
        return make("mul", scale, filled)
    _, value, below = filled.args
    return make("known_slopes", scale, other, make("mul", scale, value),
                rebuild([slope], remake, {place: product})[slope],
                make("mul", scale, make("as_is", make("mul", scale, below))))  # fmt: skip


def _with_exponentials(top: Node, w: Node) -> Node:
    """Write b**w by an exponential."""

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "pow" and args[1] is w and value_of(args[0]) is None:
            log = make("log", args[0])
            log = log if positive(args[0]) else make("maximum", log, const(LOWEST))
            return make("exp", make("mul", w, log))
        return remake(node, args)

    small = leaves(
        top, lambda n: n.args if n.op in ("add", "sub", "mul", "neg") else (), CANDIDATES
    )
    there = any(n.op == "pow" and n.args[1] is w for n in small)
    return rebuild([top], change)[top] if there else top


def _of_one(node: Node, u: Node) -> bool:
    return u.dtype == "float" and u.shape == node.shape and expandable(node, u)


def _vanishes(low: Node, u: Node) -> bool:
    found = series_of(low, u, FIRST)
    return found is not None and found[0] > 0


def _inner(low: Node) -> list[Node]:
    """List what a divisor may be 0 with, from the outside in: x**2, and x."""
    found: dict[Node, None] = {}
    todo = [low]
    while todo and len(found) < CANDIDATES:
        node = todo.pop(0)
        if node.op not in ("const", "dim") and node not in found:
            found[node] = None
            todo += node.args if len(node.args) < 3 else ()
    return list(found)


def _filled(node: Node, u: Node, image: Node, mode: str) -> Node | None:
    """Write a quotient with its power series where |u| is small."""
    place = leaf("u", u.shape)
    instead = {u: place}
    if (square := square_of(u)) is not None:
        instead[square] = make("pow", place, const(2))
    body = rebuild([node], remake, instead)[node]
    found = _expansion(body, place)
    if found is None:
        return None
    terms, near = found
    slope = _slope(body, place, mode)
    close = make("lt", make("abs", image), const(near))
    parts = [
        make("where", close, make("power_series", image, close, terms=terms, order=k),
             rebuild([far], remake, {place: image})[far])
        for k, far in enumerate((body, slope)) if far is not None
    ]  # fmt: skip
    result = make("known_slope", image, *parts) if slope is not None else parts[0]
    return result if result.shape == node.shape else None


@lru_cache(maxsize=256)
def _expansion(body: Node, place: Node) -> tuple[tuple[float, ...], float] | None:
    """Give the coefficients of a power series, and up to where it serves for two derivatives.

    The farther out, the fewer digits have been lost by what is computed beyond: a zero of the
    order n costs n + 1 factors 1/u in the slope.
    """
    start = series_of(body, place, FIRST)
    if start is None or start[0] < 0:
        return None
    known: dict[int, list[float]] = {}
    for near, terms in HIGHER if FIRST - len(start[1]) > 1 else SIMPLE:
        if terms not in known:
            found = series_of(body, place, terms)
            known[terms] = [0.0] * start[0] + [float(c) for c in found[1]] if found else []
        whole = known[terms]
        size = max(map(abs, whole[:4]), default=0) or 1
        rests = [n * n * abs(c) * near ** max(n - 2, 0) for n, c in enumerate(whole)]
        for n in range(2, len(whole) - 4):
            if max(rests[n:]) < DIGITS * size:
                return tuple(whole[:n]), near
    return None


def _slope(body: Node, place: Node, mode: str) -> Node | None:
    """Differentiate an expression of one value; the value itself may stand in its slope.

    The normal form is shorter, but x (1 - tanh(x)**2) has digits far out that it has not. None
    where the slope as a whole is infinity times 0, which its parts may not be.
    """
    from symgrad.rewrite.simplify import simplify

    one = make("broadcast", const(1), shape=place.shape) if place.shape else const(1)
    slope = sweep(body, [place], one, mode=mode).total[place]
    kept = {n: None for n in topological([body]) if n.args and n.op not in ("neg", "mul")}
    plain, short = (simplify([slope], kept, normalise=n)[slope] for n in (False, True))
    far = [_far_out(n, place) for n in (body, plain, short)]
    if any(math.isfinite(y) and not math.isfinite(a) for y, a, _ in zip(*far, strict=True)):
        return None
    alike = all(abs(a - b) <= NEAR * max(1, abs(a)) for _, a, b in zip(*far, strict=True)
                if math.isfinite(a))  # fmt: skip
    return make("as_is", short if alike and mode != "accurate" else plain)


def _far_out(form: Node, place: Node) -> list[float]:
    """Compute an expression of one value at some places."""
    number = leaf("u")
    root = rebuild([form], _of_number, {place: number})[form]
    return [float(values([root], {number: np.float64(x)}, {})[root]) for x in FARTHER]


def _of_number(node: Node, args: tuple[Node, ...]) -> Node:
    return args[0] if node.op == "broadcast" else remake(node, args)
