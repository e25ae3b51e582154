"""Logarithms of differences: of what is left of 1, of two exponentials, of two probabilities.

log(1 - tanh(a)**2) = -2 log cosh(a); log(exp(a) - exp(b)) = a + log(1 - exp(b - a)) for a > b;
sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)). None of it rounds to log(0).
"""

import math
from collections.abc import Callable

from symgrad.graph import Node
from symgrad.ops import const, make, value_of

Logarithm = Callable[[Node], Node | None]
MOST = 16  # terms that are looked through
POWERS = 6  # 1 - p**n is (1 - p)(1 + p + … ) up to here
ROOT2 = math.sqrt(2)
FAR = (-40, 7)  # 1 - exp(-exp(v)) is exp(v) below, 1 above


def terms_of(node: Node) -> tuple[dict[Node, float], float] | None:
    """List a sum's terms with their coefficients, and its number; None if it has too many.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x")
    >>> terms_of(make("sub", const(1), make("mul", const(2), x))) == ({x: -2}, 1)
    True
    """
    found: dict[Node, float] = {}
    number: float = 0
    todo: list[tuple[Node, float]] = [(node, 1)]
    while todo and len(found) + len(todo) <= MOST:
        term, c = todo.pop()
        if (value := value_of(term)) is not None:
            number += c * value
        elif term.op in ("add", "sub"):
            todo += [(term.args[1], c if term.op == "add" else -c), (term.args[0], c)]
        elif term.op == "neg":
            todo.append((term.args[0], -c))
        elif term.op == "mul" and (of := _multiple(term)) is not None:
            todo.append((of[1], c * of[0]))
        elif term.op == "div" and (by := value_of(term.args[1])):
            todo.append((term.args[0], c / by))
        else:
            found[term] = found.get(term, 0) + c
    return None if todo else ({t: c for t, c in found.items() if c}, number)


def _multiple(node: Node) -> tuple[float, Node] | None:
    for c, other in (node.args, node.args[::-1]):
        if (value := value_of(c)) is not None:
            return value, other
    return None


def apart(a: Node, b: Node) -> Node:
    """Write a - b without what both have: (x + h)/s - (x - h)/s is 2h/s, exactly.

    >>> from symgrad.ops import leaf
    >>> x, h = leaf("x"), leaf("h")
    >>> apart(make("sub", h, x), make("neg", x)) is h
    True
    """
    if a is b:
        return const(0)
    if a.op == b.op == "neg":
        return apart(b.args[0], a.args[0])
    if a.op == b.op == "div" and a.args[1] is b.args[1]:
        return make("div", apart(a.args[0], b.args[0]), a.args[1])
    if a.op == b.op == "mul":
        for k in (0, 1):
            for j in (0, 1):
                if a.args[k] is b.args[j]:
                    return make("mul", a.args[k], apart(a.args[1 - k], b.args[1 - j]))
    left, right = terms_of(a), terms_of(b)
    if left is None or right is None:
        return make("sub", a, b)
    if not (any(n in right[0] for n in left[0]) or (left[1] and right[1])):
        return make("sub", a, b)
    rest = {n: left[0].get(n, 0) - right[0].get(n, 0) for n in (*left[0], *right[0])}
    return _total({n: c for n, c in rest.items() if c}, left[1] - right[1])


def _total(terms: dict[Node, float], number: float) -> Node:
    """Write a sum, positive terms first."""
    total: Node | None = None
    listed = [(times(abs(c), n), c) for n, c in terms.items()]
    listed += [(const(abs(number)), number)] if number else []
    for term, c in sorted(listed, key=lambda t: t[1] < 0):
        if total is None:
            total = term if c > 0 else make("neg", term)
        else:
            total = make("add" if c > 0 else "sub", total, term)
    return const(0) if total is None else total


def times(c: float, node: Node) -> Node:
    """Write c*node, c > 0."""
    if c == 1:
        return node
    return make("mul", const(int(c) if float(c).is_integer() else c), node)


def scaled(c: float, node: Node) -> Node:
    """Write c*x, or -(|c|*x)."""
    return make("neg", times(-c, node)) if c < 0 else times(c, node)


def plus(number: float, node: Node) -> Node:
    """Write node + number."""
    return make("add", const(number), node) if number else node


def log1mexp(u: Node) -> Node:
    """Write log(1 - exp(-u)); of a tiny u = c exp(v), or c softplus(v), it is v + log(c)."""
    part, c = u, 1.0
    while part.op in ("mul", "div") and (of := _scaled(part)) is not None and of[0] > 0:
        part, c = of[1], c * of[0]
    if part.op not in ("exp", "softplus"):
        return make("log1mexp", u)
    v = part.args[0]
    low, high = const(FAR[0] - 1), const(FAR[1])  # at an edge there is no slope
    inside = make("clip", v, low, high)
    if part.op == "softplus":
        inside = make("maximum", v, low)
    near = make("log1mexp", times(c, make(part.op, inside)))
    return make("where", make("lt", v, const(FAR[0])), plus(math.log(c), v), near)


def _scaled(node: Node) -> tuple[float, Node] | None:
    """Give the number and the other factor of a product or quotient with a number."""
    if node.op == "mul":
        return _multiple(node)
    by = value_of(node.args[1])
    return (1 / by, node.args[0]) if by else None


def sure(node: Node, logarithm: Logarithm) -> Node | None:
    """Write the logarithm of a sum that is positive whatever its operands are: 1 + tanh(a)."""
    found = spelled(node)
    if found is None:
        return None
    terms, number = found
    if len(terms) == 1:
        ((a, c),) = terms.items()
        if number == 0 < c and a is not node:
            inner = logarithm(a)
            return None if inner is None else plus(math.log(c), inner)
        if number > 0 > c == -number:
            inner = _complement(a)
            return None if inner is None else plus(math.log(number), inner)
    if len(terms) == 2 and not number:
        (a, c), (b, d) = sorted(terms.items(), key=lambda t: -t[1])
        power = power_of(b)
        if c == -d > 0 and power is not None and power[0] is a and power[1] > 1:
            first, rest = logarithm(a), _complement(_raised(a, power[1] - 1))
            if first is not None and rest is not None:
                return plus(math.log(c), make("add", first, rest))
    return None


def log_of_difference(node: Node, logarithm: Logarithm) -> Node | None:
    """Write the logarithm of a difference, which is NaN wherever that is not positive.

    >>> from symgrad.ops import leaf
    >>> log_of_difference(make("sub", make("exp", leaf("x")), const(1)), lambda n: None).op
    'add'
    """
    result = sure(node, logarithm)
    found = spelled(node) if result is None else None
    if found is None:
        return result
    terms, number = found
    if len(terms) == 1 and number:
        ((a, c),) = terms.items()
        if a.op != "exp" or (number > 0) == (c > 0):
            return None
        level = math.log(abs(number))
        v = plus(math.log(abs(c)) - level, a.args[0])  # |number| (exp(v) - 1), or its negative
        if number < 0:
            return plus(level, make("add", v, log1mexp(v)))
        return plus(level, log1mexp(_minus(v)))
    if len(terms) != 2 or number:
        return None
    (a, c), (b, d) = sorted(terms.items(), key=lambda t: -t[1])
    if not c > 0 > d:
        return None
    if c == -d and a.op == b.op and a.op in BETWEEN:
        return plus(math.log(c), BETWEEN[a.op](a.args[0], b.args[0]))
    logs = logarithm(a), logarithm(b)
    if logs[0] is None or logs[1] is None:
        return None
    first, second = plus(math.log(c), logs[0]), plus(math.log(-d), logs[1])
    return make("add", first, log1mexp(apart(first, second)))


def spelled(node: Node) -> tuple[dict[Node, float], float] | None:
    """List the terms with tanh and erf written by probabilities, sinh by exponentials."""
    found = terms_of(node)
    if found is None:
        return None
    terms, number = dict[Node, float](), found[1]
    for term, c in found[0].items():
        for image, factor in _images(term):
            if image is None:
                number += c * factor
            else:
                terms[image] = terms.get(image, 0) + c * factor
    return {t: c for t, c in terms.items() if c}, number


def _images(term: Node) -> list[tuple[Node | None, float]]:
    if term.op == "tanh":
        return [(make("sigmoid", times(2, term.args[0])), 2), (None, -1)]
    if term.op == "erf":
        return [(normal(term.args[0]), 2), (None, -1)]
    if term.op == "expm1":
        return [(make("exp", term.args[0]), 1), (None, -1)]
    if term.op == "sinh":
        u = term.args[0]
        return [(make("exp", u), 0.5), (make("exp", _minus(u)), -0.5)]
    return [(term, 1)]


def normal(a: Node) -> Node:
    """Write (1 + erf(a))/2 as Phi(a sqrt(2)); erf(x/sqrt(2)) gives Phi(x).

    >>> from symgrad.ops import leaf
    >>> x = leaf("x")
    >>> normal(make("div", x, make("sqrt", const(2)))) is make("normal_cdf", x)
    True
    """
    if a.op == "neg" and a.args[0].op == "div":
        return make("normal_cdf", make("neg", *normal(a.args[0]).args))
    if a.op == "div":
        low = a.args[1]
        number = value_of(low.args[0] if low.op == "sqrt" else low)
        if number is not None and math.isclose(number, 2 if low.op == "sqrt" else ROOT2):
            return make("normal_cdf", a.args[0])
    return make("normal_cdf", make("mul", const(ROOT2), a))


def _minus(node: Node) -> Node:
    if node.op == "sub":
        return make("sub", node.args[1], node.args[0])
    return node.args[0] if node.op == "neg" else make("neg", node)


def power_of(node: Node) -> tuple[Node, int] | None:
    """Give base and exponent of a whole power.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x")
    >>> power_of(make("mul", x, x)) == (x, 2)
    True
    """
    if node.op == "square":
        return node.args[0], 2
    if node.op == "mul" and node.args[0] is node.args[1]:
        return node.args[0], 2
    power = value_of(node.args[1]) if node.op == "pow" else None
    if power is None or not 2 <= power <= POWERS or power != int(power):
        return None
    return node.args[0], int(power)


def _raised(a: Node, n: int) -> Node:
    return a if n == 1 else make("pow", a, const(n))


def _complement(a: Node) -> Node | None:
    """Write log(1 - a) of a probability and of its powers."""
    if a.op == "sigmoid":
        return make("neg", make("softplus", *a.args))
    if a.op == "normal_cdf":
        return make("log_normal_cdf", _minus(a.args[0]))
    power = power_of(a)
    if power is None:
        return _others(a)
    base, n = power
    if base.op == "tanh" and n == 2:
        return make("mul", const(-2), make("logcosh", *base.args))
    if base.op == "erf" and n == 2:
        sides = (normal(base.args[0]).args[0], normal(_minus(base.args[0])).args[0])
        logs = [make("log_normal_cdf", side) for side in sides]
        return plus(math.log(4), make("add", *logs))
    return _less_power(base.args[0], n) if base.op == "sigmoid" else None


def _others(a: Node) -> Node | None:
    """Write log(1 - softmax(z)[k]) by the sum of the other exponentials."""
    entry = a.args[0] if a.op == "exp" else a
    if entry.op not in ("pick", "slice"):
        return None
    shares = entry.args[0]
    if shares.op != ("softmax" if entry is a else "log_softmax"):
        return None
    z, rank = shares.args[0], len(shares.shape)
    if shares.attrs["axis"] not in (-1, rank - 1):
        return None
    if entry.op == "pick":
        labels = entry.args[1]
        place = make("expand", labels, axes=(rank - 1,)) if labels.shape else labels
    else:
        *before, last = entry.attrs["key"]
        if len(before) != rank - 1 or any(part != (0, "end") for part in before):
            return None
        if len(last) != 2 or last[1] is not None or last[0] < 0:
            return None
        place = const(last[0])
    left_out = make("eq", make("arange", size=z.shape[-1]), place)
    others = make("logsumexp", make("where", left_out, const(-math.inf), z), axis=-1)
    return make("sub", others, make("logsumexp", z, axis=-1))


def _less_power(u: Node, n: int) -> Node:
    """Write log(1 - p**n) of p = sigmoid(u): from 1 - p, or for p < 1/2 from the logarithm of p."""
    p = make("sigmoid", u)
    total = p  # p (1 + p (…))
    for _ in range(n - 2):
        total = make("mul", p, plus(1, total))
    high = make("sub", make("log1p", total), make("softplus", u))
    low = make("log1mexp", times(n, make("softplus", _minus(u))))
    return make("where", make("gt", u, const(0)), high, low)


def _between_sigmoids(a: Node, b: Node) -> Node:
    parts = make("softplus", _minus(a)), make("softplus", b)
    return make("sub", log1mexp(apart(a, b)), make("add", *parts))


BETWEEN: dict[str, Callable[[Node, Node], Node]] = {
    "sigmoid": _between_sigmoids,
    "normal_cdf": lambda a, b: make("log_normal_between", a, b),
}
