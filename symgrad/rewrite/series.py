"""Laurent series of an expression of one value u around u = 0, in exact fractions.

A series is a valuation v and coefficients: c0 u^v + c1 u^(v + 1) + … with c0 other than 0. What is
not analytic, or would need more terms than are there, has none.
"""

import math
from collections.abc import Callable
from fractions import Fraction

from symgrad.graph import Node, topological
from symgrad.ops import OPS, const, make, value_of
from symgrad.parse import formula

Coefficients = list[Fraction]
Series = tuple[int, Coefficients]
MOST = 24  # operators of an expression that is expanded
ZERO, ONE = Fraction(0), Fraction(1)


def series_of(root: Node, u: Node, terms: int) -> Series | None:
    """Expand an expression of u alone; None where it has no series.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x"); y = make("div", make("sub", make("exp", x), make("exp", make("neg", x))), x)
    >>> series_of(y, x, 4)
    (0, [Fraction(2, 1), Fraction(0, 1), Fraction(1, 3), Fraction(0, 1)])
    """
    known: dict[Node, Series] = {u: (1, [ONE, *[ZERO] * (terms - 1)])}
    if (square := square_of(u)) is not None:
        known[square] = (2, known[u][1])
    return _expanded(root, known, terms)


def square_of(u: Node) -> Node | None:
    """Write the square of a norm as it is spelled, a sum of squares; None for other values."""
    if u.op != "norm":
        return None
    return make("sum", make("pow", u.args[0], const(2)), **u.attrs)


def _expanded(root: Node, known: dict[Node, Series], terms: int) -> Series | None:
    for node in topological([root], stop=lambda n: n in known):
        if node in known:
            continue
        found = _of(node, known, terms)
        if found is None:
            return None
        known[node] = found
    return known[root]


def _of(node: Node, known: dict[Node, Series], terms: int) -> Series | None:
    """Expand one operator whose operands are expanded."""
    if node.op == "const":
        value = node.attrs["value"]
        exact = [Fraction(value)] if math.isfinite(value) else None
        return None if exact is None else _normed(0, exact + [ZERO] * (terms - 1))
    rule = RULES.get(node.op)
    try:
        if rule is not None:
            return rule(*(known[a] for a in node.args))
        if node.op == "pow":
            return _power(known[node.args[0]], value_of(node.args[1]))
    except (ArithmeticError, ValueError, OverflowError):
        return None
    inner = _definition(node)
    return None if inner is None else _expanded(inner, known, terms)


def _definition(node: Node) -> Node | None:
    """Write an elementwise operator by its formula; sinc(a/pi) as sin(a)/a."""
    if node.op == "sinc":
        (a,) = node.args
        if a.op == "div" and value_of(a.args[1]) == math.pi:
            return make("div", make("sin", a.args[0]), a.args[0])
    return formula(node) if _defined(node) else None


def expandable(root: Node, u: Node) -> bool:
    """Say whether an expression has no operand beside u and numbers, and only known operators.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x"); expandable(make("div", make("sin", x), leaf("y")), x)
    False
    """
    todo, seen = [root], dict.fromkeys(n for n in (u, square_of(u)) if n is not None)
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen[node] = None
        if len(seen) > MOST or node.op in ("input", "dim") or node.shape not in ((), u.shape):
            return False
        if not (node.op in RULES or node.op in ("const", "pow") or _defined(node)):
            return False
        todo += node.args
    return True


def _defined(node: Node) -> bool:
    row = OPS.get(node.op)
    plain = row is not None and row.shape == "elementwise" and row.dtype == "float"
    return plain and bool(row and row.formula) and not node.attrs


# -- arithmetic ------------------------------------------------------------------------------


def _normed(v: int, c: Coefficients) -> Series | None:
    """Leave leading zeros out; None if nothing else is there."""
    lead = next((k for k, value in enumerate(c) if value), None)
    return None if lead is None else (v + lead, c[lead:])


def _sum(a: Series, b: Series, sign: int = 1) -> Series | None:
    low = min(a[0], b[0])
    end = min(a[0] + len(a[1]), b[0] + len(b[1]))
    return _normed(low, [_at(a, k) + sign * _at(b, k) for k in range(low, end)])


def _at(a: Series, k: int) -> Fraction:
    return a[1][k - a[0]] if k >= a[0] else ZERO


def _times(a: Series, b: Series) -> Series:
    return a[0] + b[0], _product(a[1], b[1])


def _product(a: Coefficients, b: Coefficients) -> Coefficients:
    size = min(len(a), len(b))
    return [sum((a[j] * b[k - j] for j in range(k + 1) if a[j]), ZERO) for k in range(size)]


def _over(a: Series, b: Series) -> Series:
    return a[0] - b[0], _quotient(a[1], b[1])


def _quotient(a: Coefficients, b: Coefficients) -> Coefficients:
    found: Coefficients = []
    for k in range(min(len(a), len(b))):
        rest = sum((found[j] * b[k - j] for j in range(k) if found[j]), ZERO)
        found.append((a[k] - rest) / b[0])
    return found


def _power(a: Series, power: float | None) -> Series | None:
    """Expand a**p: (c0 (1 + r))**p by y' (1 + r) = p r' y."""
    if power is None or not math.isfinite(power):
        return None
    p = Fraction(str(power)) if isinstance(power, float) else Fraction(power)
    v, c = a
    if (v * p).denominator != 1:
        return None
    whole = p.denominator == 1
    first = c[0] ** int(p) if whole else Fraction(_root(c[0], p))
    found = [first]
    for k in range(1, len(c)):
        total = sum(((p * j - (k - j)) * c[j] * found[k - j] for j in range(1, k + 1)), ZERO)
        found.append(total / (k * c[0]))
    return int(v * p), found


def _root(c: Fraction, p: Fraction) -> float | Fraction:
    if c == 1:
        return ONE
    return float(c) ** float(p) if c > 0 else 1 // 0


def _constant(a: Series) -> tuple[Fraction, Coefficients]:
    """Split a series without a pole into its constant and the rest, from u on."""
    v, c = a
    if v < 0:
        raise ArithmeticError("a pole")
    whole = [ZERO] * v + c
    return whole[0], [ZERO, *whole[1:]]


def _exponential(g: Coefficients) -> Coefficients:
    """Expand exp(g) with g = 0 at 0, by y' = g' y."""
    found = [ONE]
    for k in range(1, len(g)):
        found.append(sum((j * g[j] * found[k - j] for j in range(1, k + 1) if g[j]), ZERO) / k)
    return found


def _exp(a: Series) -> Series:
    first, rest = _constant(a)
    scale = Fraction(math.exp(first)) if first else ONE
    return 0, [scale * c for c in _exponential(rest)]


def _circular(a: Series, sign: int) -> tuple[Coefficients, Coefficients]:
    """Expand sine and cosine (sign -1), or sinh and cosh, of what is 0 at 0."""
    first, g = _constant(a)
    if first:
        raise ArithmeticError("not at 0")
    sine, cosine = [ZERO], [ONE]
    for k in range(1, len(g)):
        parts = [(j * g[j], k - j) for j in range(1, k + 1) if g[j]]
        sine.append(sum((c * cosine[i] for c, i in parts), ZERO) / k)
        cosine.append(sign * sum((c * sine[i] for c, i in parts), ZERO) / k)
    return sine, cosine


def _integrated(a: Series, slope: Callable[[Coefficients], Coefficients], start: float) -> Series:
    """Expand f(a) with f(0) = start from f'(a), as a function of the coefficients of a."""
    first, g = _constant(a)
    outer = slope([first, *g[1:]])
    inner = [k * c for k, c in enumerate(g)][1:]
    total = _product(outer, inner)
    found = _normed(0, [Fraction(start), *(c / k for k, c in enumerate(total, 1))])
    if found is None:
        raise ArithmeticError("nothing is left")
    return found


def _log(a: Series) -> Series:
    if a[0] or a[1][0] <= 0:
        raise ArithmeticError("a logarithm of 0")
    start = math.log(a[1][0]) if a[1][0] != 1 else 0
    return _integrated(a, lambda c: _quotient([ONE, *[ZERO] * (len(c) - 1)], c), start)


def _zero(a: Series, slope: Callable[[Coefficients], Coefficients]) -> Series:
    if _constant(a)[0]:
        raise ArithmeticError("not at 0")
    return _integrated(a, slope, 0)


def _raised(c: Coefficients, p: float) -> Coefficients:
    """Expand (1 + a**2)**p."""
    square = _product(c, c)
    found = _power((0, [1 + square[0], *square[1:]]), p)
    assert found is not None
    return found[1]


def _bell(c: Coefficients) -> Coefficients:
    scale = Fraction(2 / math.sqrt(math.pi))
    return [scale * v for v in _exponential([-v for v in _product(c, c)])]


def _plain(c: Coefficients) -> Series | None:
    return _normed(0, c)


Rule = Callable[..., Series | None]
RULES: dict[str, Rule] = {
    "add": _sum,
    "sub": lambda a, b: _sum(a, b, -1),
    "neg": lambda a: (a[0], [-c for c in a[1]]),
    "mul": _times,
    "div": _over,
    "square": lambda a: _times(a, a),
    "sqrt": lambda a: _power(a, 0.5),
    "exp": _exp,
    "expm1": lambda a: _sum(_exp(a), (0, [ONE, *[ZERO] * (a[0] + len(a[1]) - 1)]), -1),
    "log": _log,
    "log1p": lambda a: _log(_sum((0, [ONE, *[ZERO] * (a[0] + len(a[1]) - 1)]), a) or a),
    "sin": lambda a: _plain(_circular(a, -1)[0]),
    "cos": lambda a: _plain(_circular(a, -1)[1]),
    "tan": lambda a: _plain(_quotient(*_circular(a, -1))),
    "sinh": lambda a: _plain(_circular(a, 1)[0]),
    "cosh": lambda a: _plain(_circular(a, 1)[1]),
    "tanh": lambda a: _plain(_quotient(*_circular(a, 1))),
    "arctan": lambda a: _zero(a, lambda c: _raised(c, -1)),
    "asinh": lambda a: _zero(a, lambda c: _raised(c, -0.5)),
    "erf": lambda a: _zero(a, _bell),
}
