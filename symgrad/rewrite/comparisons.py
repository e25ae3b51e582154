"""How conditions are shortened: 1 - y f > 0 is y f < 1, q r > (q - 1) r is r > 0."""

import operator
from fractions import Fraction

from symgrad.graph import SUMS, Node, topological
from symgrad.ops import const, value_of
from symgrad.ops.spec import MIRRORED
from symgrad.rewrite.cases import interval, usual
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.normal import multiple
from symgrad.rewrite.tidy import exact, fit, kept, kind, tidies, tidy

DECIDE = {"gt": operator.gt, "lt": operator.lt, "ge": operator.ge, "le": operator.le}
STRICT = ("gt", "lt")
SMALL = 12  # sides of more operations are not compared with each other
LONGEST = 8  # digits of a bound, beyond which the condition stays as it was typed


@tidies("gt")
@tidies("lt")
@tidies("ge")
@tidies("le")
def _compare(node: Node) -> Node | None:
    """Decide a > a and 1 > 2; bring numbers to the right; look through idle maxima."""
    a, b = node.args
    if a is b:
        return fit(const(0 if node.op in STRICT else 1), node.shape)
    left, bound = value_of(a), value_of(b)
    if left is not None and bound is not None:
        return fit(const(int(DECIDE[node.op](left, bound))), node.shape)
    if bound is None:
        turned = usual(node)
        return turned if turned is not node else _difference(node)
    found = _through(node, bound)
    if found is not None:
        return found
    limit = exact(bound)
    return None if limit is None else _solved(node, limit)


def _through(node: Node, bound: float) -> Node | None:
    """Write max(x, c) > d as x > d for numbers c <= d; a named maximum stays."""
    a, b = node.args
    op = kind(a)
    if op not in ("relu", "maximum", "minimum"):
        return None
    edge = 0.0 if op == "relu" else value_of(a.args[1])
    if edge is None:
        return None
    # max(x, c) > d and max(x, c) <= d need c <= d, the other two c < d; a minimum mirrors them
    upper = node.op in ("gt", "le")
    if op == "minimum":
        fits = edge > bound if upper else edge >= bound
    else:
        fits = edge <= bound if upper else edge < bound
    return tidy(node.op, (a.args[0], b), {}) if fits else None


def _solved(node: Node, limit: Fraction) -> Node | None:
    """Bring a number to the right side: 0.2 x + 0.5 > 0 is x > -2.5."""
    a = node.args[0]
    op = kind(a)
    if op == "neg":
        return _against(node, a.args[0], -limit, True)
    if op == "exp" and limit == 1:
        return _against(node, a.args[0], Fraction(0), False)
    if op == "mul" and not limit:
        for factor, rest in (a.args, a.args[::-1]):
            if _positive(factor) and rest.shape == a.shape:
                return _against(node, rest, limit, False)
    if op not in ("add", "sub", "mul", "div"):
        return None
    first, second = (value_of(v) for v in a.args)
    known = second if first is None else first
    number = exact(known) if known is not None else None
    if not number:
        return _pair(node, a) if op == "sub" and not limit else None
    rest = a.args[1] if first is not None else a.args[0]
    if op in ("add", "sub"):
        # s - s_y + 1 > 0 is what people write
        if kind(rest) in ("add", "sub") or (op == "sub" and first is None and limit):
            return None
        turned = op == "sub" and first is not None
        value = number - limit if turned else limit - number if op == "add" else limit + number
        return _against(node, rest, value, turned)
    if op == "div" and first is not None:
        return None
    return _against(node, rest, limit * number if op == "div" else limit / number, number < 0)


def _positive(node: Node) -> bool:
    """Know that a value is above 0: a fact, or an exponential."""
    return node.op == "exp" or (node.op == "input" and node.attrs["kind"] == "positive")


def _pair(node: Node, difference: Node) -> Node | None:
    """Write m - d > 0 as m > d; longer sums stay on one side."""
    if any(kind(v) in SUMS for v in difference.args):
        return None
    return fit(tidy(node.op, difference.args, {}), node.shape)


def _against(node: Node, rest: Node, limit: Fraction, turned: bool) -> Node | None:
    """Compare what is left with a number, if that is short."""
    value = float(limit)
    if Fraction(repr(value)) != limit or len(repr(value)) > LONGEST:
        return None
    side = const(int(limit) if limit.denominator == 1 else value)
    op = MIRRORED[node.op] if turned else node.op
    return fit(tidy(op, (rest, side), {}), node.shape)


def _difference(node: Node) -> Node | None:
    """Compare with 0 where both sides are multiples of one value, up to a number."""
    a, b = node.args
    named = kept()
    sides = [topological([v], stop=lambda n: n in named or not arithmetic(n)) for v in (a, b)]
    if max(map(len, sides)) > SMALL or all(len(side) == 1 for side in sides):
        return None
    if not any(n in sides[1] and n.op != "const" for n in sides[0]):
        return None
    found = multiple(tidy("sub", (a, b), {}), named)
    if found is None:
        return None
    op = node.op if found[0] > 0 else MIRRORED[node.op]
    return fit(tidy(op, (found[1], const(0)), {}), node.shape)


@tidies("ne")
def _holds(node: Node) -> Node | None:
    """Know that a condition differs from 0 where it holds; a product of two, where both do."""
    a, b = node.args
    if value_of(b) != 0 or a.shape != node.shape:
        return None
    if a.dtype == "bool":
        return a
    if kind(a) == "mul" and all(v.dtype == "bool" for v in a.args):
        return tidy("both", a.args, {})
    return None


@tidies("both")
def _both(node: Node) -> Node | None:
    """Write x > 0 and x < 6 as 0 < x < 6."""
    masks = [usual(a) for a in node.args]
    (whole, *rest) = interval(masks)
    return None if rest else whole
