"""How sums, products, quotients and case distinctions are shortened."""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import reduce

from symgrad.graph import SUMS, Node, factors_of, leaves
from symgrad.ops import const, make, value_of
from symgrad.rewrite import pieces
from symgrad.rewrite.collected import common_product, turned_term
from symgrad.rewrite.constants import multiple_of_pi
from symgrad.rewrite.guards import divided_twice, without_guard
from symgrad.rewrite.named_quotients import ratio
from symgrad.rewrite.signs import positive, unguarded
from symgrad.rewrite.stretched import filled, outer_product, over_outer
from symgrad.rewrite.tidy import (
    decimals,
    exact,
    fit,
    kind,
    number,
    printed,
    tidies,
    tidy,
)
from symgrad.rewrite.turning import flipped

SIZES = ("const", "dim")
ARITHMETIC = ("add", "sub", "mul", "div", "neg", "pow")


def _fold(node: Node) -> Node | None:
    """Compute an operation on numbers, when the result is exact."""
    if any([value_of(a) is None for a in node.args]):
        return None
    with decimals(node.args):
        return folded(node)


def of_numbers(node: Node) -> bool:
    """Say whether a node computes with nothing but numbers."""
    return node.op in ARITHMETIC and all([a.op == "const" for a in node.args])


def folded(node: Node) -> Node | None:
    """Compute an operation on numbers, when the result is exact; None if it has other operands."""
    found = [value_of(a) for a in node.args]
    if any(v is None for v in found):
        return None
    if printed() and any(multiple_of_pi(v) for v in found if v is not None):
        return None  # 2 pi is written so
    numbers = [exact(v) for v in found if v is not None]
    if any(v is None for v in numbers):
        return None
    a, b = (numbers[0] or Fraction(0)), (numbers[-1] or Fraction(0))
    if node.op == "pow":
        small = b.denominator == 1 and abs(b) <= 64 and (a or b > 0)
        return number(a ** int(b)) if small else None
    if node.op == "div":
        return number(a / b) if b and (a / b).denominator == 1 else None
    table: dict[str, Callable[[], Fraction]] = {
        "add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "neg": lambda: -a,
    }  # fmt: skip
    return number(table[node.op]())


def equals(node: Node, value: int) -> bool:
    """Say whether a node is a certain number."""
    return node.op == "const" and node.attrs["value"] == value


# -- elementwise -----------------------------------------------------------------------------


@tidies("add")
def _add(node: Node) -> Node | None:
    a, b = node.args
    if equals(a, 0):
        return fit(b, node.shape)
    if equals(b, 0):
        return fit(a, node.shape)
    if vanishes(a) or vanishes(b):
        return fit(b if vanishes(a) else a, node.shape)
    if kind(b) == "neg":
        return tidy("sub", (a, b.args[0]), {})
    if printed() and b.shape and (value_of(a) or 0) < 0:  # sum(P) - 1
        return tidy("sub", (b, const(-a.attrs["value"])), {})
    if kind(a) == "neg":
        return tidy("sub", (b, a.args[0]), {})
    if kind(a) == kind(b) == "where" and a.args[0] is b.args[0]:
        pairs = zip(a.args[1:], b.args[1:], strict=True)
        return fit(tidy("where", (a.args[0], *(tidy("add", p, {}) for p in pairs)), {}), node.shape)
    if kind(a) == kind(b) == "where":
        joined = pieces.combined((a, b), lambda pair: tidy("add", pair, {}))
        if joined is not None:
            return joined
    for x, y in ((a, b), (b, a)):
        if kind(y) == "where" and x is y.args[0]:  # 1[c] + (u or v) is (1 + u or v)
            first = tidy("add", (const(1), y.args[1]), {})
            return fit(tidy("where", (x, first, y.args[2]), {}), node.shape)
    if a is b:
        return tidy("mul", (const(2), a), {})
    if kind(a) == "transpose" and a.args[0] is b:
        return make("add", b, a)  # A + A^T
    return _fold(node) or turned_term(node) or common_product(node)


def _shown(node: Node) -> bool:
    """Say whether a formula is printed in which a node has no name."""
    return printed() and bool(kind(node))


def vanishes(node: Node) -> bool:
    """Say whether a node is an array of zeros."""
    return node.op == "broadcast" and equals(node.args[0], 0)


@tidies("sub")
def _sub(node: Node) -> Node | None:
    a, b = node.args
    if equals(b, 0) or vanishes(b):
        return fit(a, node.shape)
    if equals(a, 0) or vanishes(a):
        return fit(tidy("neg", (b,), {}), node.shape)
    if a is b:
        return fit(const(0), node.shape)
    if a.op == "neg" and not kind(a) and a.args[0] is b:  # where -b has a name
        return tidy("mul", (const(-2), b), {})
    if kind(b) == "neg":
        return tidy("add", (a, b.args[0]), {})
    lead = value_of(a) if printed() and b.shape and kind(b) not in SUMS else None
    if lead is not None and lead < 0:  # -log(p) - 1
        return make("sub", tidy("neg", (b,), {}), const(-lead))
    if b.op == "sigmoid" and b.args[0].op == "neg" and equals(a, 1) and _shown(b):
        return make("sigmoid", b.args[0].args[0])
    if kind(a) == kind(b) == "where":
        joined = pieces.combined((a, b), lambda pair: tidy("sub", pair, {}))
        if joined is not None:
            return joined
    return _fold(node) or turned_term(node) or common_product(node)


@tidies("neg")
def _neg(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) == "neg":
        return a.args[0]
    if kind(a) == "broadcast":
        return fit(tidy("neg", a.args, {}), node.shape)
    return _fold(node) or flipped(a)


@tidies("mul")
def _mul(node: Node) -> Node | None:
    a, b = node.args
    if a is b and kind(a) == "sign" and printed():
        return fit(const(1), node.shape)
    for x, y in ((a, b), (b, a)):
        if x.dtype == "bool" and printed() and _shares_among(y, x):
            return y
        if x.dtype == "bool" and pieces.divides_by_piece(y, x):
            return fit(tidy("where", (x, y, const(0)), {}), node.shape)
        if equals(x, 0) or vanishes(x):
            return fit(const(0), node.shape)
        if equals(x, 1):
            return fit(y, node.shape)
        if equals(x, -1):
            return fit(tidy("neg", (y,), {}), node.shape)
        below = value_of(x)
        if below is not None and below < 0 and (y.op == "pow" or (printed() and y.shape)):
            # -x^(-3/2)/2, -x x^T/2
            return fit(tidy("neg", (tidy("mul", (const(-below), y), {}),), {}), node.shape)
        if kind(x) == "neg":
            return tidy("neg", (tidy("mul", (x.args[0], y) if x is a else (y, x.args[0]), {}),), {})
        if kind(y) == "where" and kind(x) != "where" and any(equals(v, 0) for v in y.args[1:]):
            c, u, v = y.args
            scaled = [v0 if equals(v0, 0) else tidy("mul", (x, v0), {}) for v0 in (u, v)]
            return fit(tidy("where", (c, scaled[0], scaled[1]), {}), node.shape)
        plain = without_guard(x, y) if kind(y) == "over" else None
        if plain is not None:
            return fit(plain, node.shape)
    if node.args[0].op != "const" and (b.op == "const" or (a.shape and not b.shape)):
        return make("mul", b, a)  # numbers first, then scalars
    if not node.shape:
        return _fold(node) or _with_one_number(node) or _divided(node)
    stretched = (filled(node) or outer_product(node)) if printed() else None
    return stretched or _fold(node) or _with_one_number(node)


def _shares_among(node: Node, mask: Node) -> bool:
    """Say whether shares are 0 where a condition does not hold: softmax of -inf there."""
    if node.op != "softmax" or node.shape != mask.shape:
        return False
    (scores,) = node.args
    return scores.op == "where" and scores.args[0] is mask and value_of(scores.args[2]) == -math.inf


def _divided(node: Node) -> Node | None:
    """Write 1/(1 + s) s as s/(1 + s)."""
    a, b = node.args
    for x, y in ((a, b), (b, a)):
        inverse = kind(x) == "div" and equals(x.args[0], 1)
        if inverse and x.args[1].op not in SIZES and kind(y) not in ("const", "div", "where"):
            return tidy("div", (y, x.args[1]), {})
    return None


def _with_one_number(node: Node) -> Node | None:
    """Join two numbers of a product: 5 (1.5 x), 6 (x/3), 5 (2/x)."""
    number_, other = node.args
    if number_.op != "const" or kind(other) not in ("mul", "div"):
        return None
    a, b = other.args
    if a.op == "const":  # c (d x), c (d/x)
        joined = _fold(make("mul", number_, a))
        return None if joined is None else fit(tidy(other.op, (joined, b), {}), node.shape)
    if other.op == "mul" or value_of(b) is None:
        return None
    with decimals((number_, b)):
        c, d = exact(number_.attrs["value"]), exact(b.attrs["value"])
        if not c or not d:
            return None
        ratio = number(c / d)
    return fit(tidy("mul", (ratio, a), {}), node.shape) if ratio.op == "const" else None


@tidies("div")
def _div(node: Node) -> Node | None:
    a, b = node.args
    if equals(b, 1):
        return a
    if equals(a, 0):
        return fit(a, node.shape)
    if a is b and (printed() or positive(b)):  # a named sum of rows over itself
        return fit(const(1), node.shape)
    if equals(a, -1):
        return tidy("neg", (tidy("div", (const(1), b), {}),), {})
    if kind(a) == "neg":
        return tidy("neg", (tidy("div", (a.args[0], b), {}),), {})
    twice = divided_twice(a, b) if kind(a) == "over" else None
    if twice is not None:
        return fit(twice, node.shape)
    if kind(a) == "over" and printed() and not b.shape and positive(b):  # (x - m)/s/N
        return fit(tidy("over", (a.args[0], tidy("mul", (b, a.args[1]), {})), {}), node.shape)
    rest = (ratio(node) or over_outer(node)) if printed() else _without(a, b)
    if rest is not None:
        return fit(rest, node.shape)
    sure = b.op in ("const", "dim")
    if (kind(a) if sure else a.op) == "where" and any(equals(v, 0) for v in a.args[1:]):
        # inside, so that the branch not taken never meets the quotient: 0/0 would be NaN
        parts = [v if equals(v, 0) else tidy("div", (v, b), {}) for v in a.args[1:]]
        return fit(tidy("where", (a.args[0], *parts), {}), node.shape)
    return _fold(node)


def _without(top: Node, low: Node) -> Node | None:
    """Divide p = s**2 by s, also where p has a name: at s = 0 the quotient would be NaN."""
    factors = factors_of(top, most=8)
    for k, f in enumerate(factors):
        power = value_of(f.args[1]) if f.op == "pow" and f.args[0] is low else None
        if power is not None and power >= 2:
            rest = tidy("pow", (low, const(power - 1)), {})
            return reduce(
                lambda a, c: tidy("mul", (c, a), {}), factors[:k] + factors[k + 1 :], rest
            )
    return None


@tidies("xlogy")
def _xlogy(node: Node) -> Node | None:
    """Multiply plainly by the logarithm of what cannot be 0; that of a number above 0 is finite."""
    a, b = node.args
    declared = b.op == "input" and b.attrs["kind"] == "positive"
    if not declared and not unguarded(node, b):
        return None
    return fit(tidy("mul", (a, make("log", b)), {}), node.shape)


@tidies("xdivy")
def _xdivy(node: Node) -> Node | None:
    """Divide plainly where one of the two cannot be 0; go into the branch of a case."""
    a, b = node.args
    if equals(a, 0) or vanishes(a):
        return fit(const(0), node.shape)
    if _nonzero(a) or unguarded(node, b):
        return fit(tidy("div", (a, b), {}), node.shape)
    if kind(a) == "neg":
        return tidy("neg", (tidy("xdivy", (a.args[0], b), {}),), {})
    if a.dtype == "bool":
        return fit(tidy("where", (a, tidy("div", (const(1), b), {}), const(0)), {}), node.shape)
    if kind(a) == "mul":
        for mask, other in (a.args, a.args[::-1]):
            if mask.dtype == "bool":
                inner = tidy("xdivy", (other, b), {})
                return fit(tidy("where", (mask, inner, const(0)), {}), node.shape)
    if kind(a) == "where" and any(equals(v, 0) for v in a.args[1:]):
        parts = [v if equals(v, 0) else tidy("xdivy", (v, b), {}) for v in a.args[1:]]
        return fit(tidy("where", (a.args[0], *parts), {}), node.shape)
    return None


def _nonzero(node: Node) -> bool:
    """Say whether a value is a product or quotient of numbers other than 0, perhaps repeated."""
    inside = ("mul", "div", "neg", "broadcast")
    factors = leaves(node, lambda n: n.args if n.op in inside else ())
    return all(f.op in ("dim", "exp") or value_of(f) for f in factors)


@tidies("pow")
def _pow(node: Node) -> Node | None:
    a, b = node.args
    if equals(b, 1):
        return fit(a, node.shape)
    if equals(b, 0):
        return fit(const(1), node.shape)
    power = value_of(b)
    if power == 0.5:
        return make("sqrt", a)
    if kind(a) == "sqrt" and power is not None and power > 0 and power % 2 == 0:
        return fit(tidy("pow", (a.args[0], const(int(power) // 2)), {}), node.shape)
    return _fold(node)


@tidies("where")
def _where(node: Node) -> Node | None:
    c, a, b = node.args
    if a is b or value_of(c) is not None:  # a condition that is decided
        return fit(b if equals(c, 0) else a, node.shape)
    if equals(b, 0) and c.op in ("lt", "gt", "le", "ge") and a.dtype == "bool" and a is c:
        return fit(c, node.shape)
    # 1[c] where the other branch repeats the condition
    for k, other in ((1, 0), (2, 1)):
        branch = node.args[k]
        if kind(branch) == "where" and branch.args[0] is c:
            inner = branch.args[1 + other]
            args = (c, inner, b) if k == 1 else (c, a, inner)
            return fit(tidy("where", args, {}), node.shape)
    return pieces.nested(node)
