"""Products over an axis by their logarithms: likelihoods, geometric means, products of densities.

A product of 1,000 probabilities is 0 in floats, its logarithm is not: log Π x = Σ log x. Where
entries may be negative the product of their signs stays, so that an even number of them gives a
real logarithm and an odd number NaN; the slope is 1/x in both cases, for signs are `held`,
constants to derivatives.
"""

from collections.abc import Callable
from typing import NamedTuple

from symgrad.graph import Node, Signed, leaves, over_and_under, rebuild, topological
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.exponents import logarithm, signed_sum
from symgrad.rewrite.factor_signs import a_sign, sign_of, signs_over_axes
from symgrad.rewrite.peaks import DENSITIES
from symgrad.rewrite.signs import nonnegative, positive
from symgrad.rewrite.tidy import fit

DEEP = 12  # operators that are taken apart inside one another
MANY = 24  # parts of a sum that are looked through
ADDED = ("add", "sub", "neg", "sum", "mean", "expand", "broadcast", "transpose")
LINEAR = ("add", "sub", "neg", "mul", "sum", "mean", "matmul", "expand", "broadcast", "transpose")


class Apart(NamedTuple):
    """The logarithm of |x|, and a value with the sign of x; None where x is known to be >= 0."""

    log: Node
    sign: Node | None


def log_of_product(node: Node) -> Node | None:
    """Write log(prod(x)) as sum(log(x)), so too with factors, divisors and powers of products.

    >>> from symgrad.ops import leaf
    >>> p = make("abs", leaf("p", ("N",)))
    >>> log_of_product(make("log", make("prod", p, axis=None, keepdims=False))).op
    'sum'
    """
    return _logarithm(node) if _holds(node.args[0], _a_product) else None


def _logarithm(node: Node) -> Node | None:
    """Write the logarithm of a product by those of its factors."""
    found = _apart(node.args[0])
    result = found.log
    if found.sign is not None and node.op != "logabs":
        result = make("add", result, make("held", make("log", sign_of(found.sign))))
    if node.op == "log2":
        result = make("div", result, make("log", const(2)))
    return result if result.shape == node.shape else None


def safe_log_of_product(node: Node) -> Node | None:
    """Write log(prod(p**y)) as sum(y log|p|), 0 where y and p are: for code."""
    found = log_of_product(node)
    return None if found is None else rebuild([found], _weighed)[found]


def log_of_powers(node: Node) -> Node | None:
    """Write log(x**a exp(-x)/s**a), with any exponents, as a log x - x - a log s: for code.

    >>> from symgrad.ops import leaf
    >>> log_of_powers(make("log", make("pow", make("exp", leaf("x")), leaf("a")))).op
    'mul'
    """
    (inner,) = node.args
    factors = [n for n, _ in _factors(inner)]
    powers = {n: make("mul", n.args[1], make("log", n.args[0])) for n in factors
              if (_any_power(n) or _far_power(n)) and _of_positive(n)}  # fmt: skip
    if not powers and not _holds(inner, _any_power):
        return None
    images = dict(zip(factors, factors, strict=True))
    images |= {n: make("exp", log) for n, log in powers.items()}
    found = _logarithm(make(node.op, rebuild([inner], remake, images)[inner]))
    return None if found is None else rebuild([found], _with_slope)[found]


def of_exponentials(node: Node) -> Node | None:
    """Write prod(a*exp(u)) as exp(sum(u + log a)): one factor may overflow, or all together."""
    return _of_logarithms(node, lambda f: f.op in DENSITIES)


def _of_logarithms(node: Node, chosen: Callable[[Node], bool]) -> Node | None:
    """Write a product with such factors as an exponential of a sum.

    Entries that may be 0 stay a product, whose slope is not 0/0 there.
    """
    (x,) = node.args
    factors = _factors(x)
    if not x.shape or not any(chosen(f) for f, _ in factors):
        return None
    zeros: list[Signed] = [
        (f, b) for f, b in factors if not (b or chosen(f)) and f.shape == x.shape and _may_vanish(f)
    ]
    others = _quotient([p for p in factors if p not in zeros])
    kept = _quotient(zeros)
    assert others is not None
    result = _times_sign(_over_axes(_apart(others), node), None)
    return result if kept is None else make("mul", make("prod", kept, **node.attrs), result)


def log_of_mixture(node: Node) -> Node | None:
    """Write log(a prod(p**x) + b prod(q**x)) with exponentials of sums; so too over an axis.

    The largest of these is taken off (`logspace`, `peaks`): no likelihood vanishes.
    """
    (inner,) = node.args
    elementwise = _with_exponentials(inner)
    if elementwise is not None:
        return make(node.op, elementwise)
    products = [n for n in leaves(node.args[0], _summed, MANY) if _a_product(n)]
    found = [(n, _of_logarithms(n, _weighs)) for n in products]
    changed = {n: image for n, image in found if image is not None and image.shape == n.shape}
    changed = {n: rebuild([image], _by_rows)[image] for n, image in changed.items()}
    if not changed or node.args[0] in changed:
        return None
    return make(node.op, rebuild([node.args[0]], remake, changed)[node.args[0]])


def _with_exponentials(total: Node) -> Node | None:
    """Write powers beside exponentials in the terms of a sum, l**k exp(-l), as exponentials too."""
    changed: dict[Node, Node] = {}
    for term in leaves(total, lambda n: n.args if n.op in ADDED else (), MANY):
        sides = term.args if _over_rows(term) else (term,)
        factors = [f for side in sides for f, _ in _factors(side)]
        if not any(f.op in DENSITIES for f in factors):
            continue
        powers = {n: _exponential(n) for n in factors if _any_power(n) and _of_positive(n)}
        if len(sides) > 1 and powers:  # exponents of both are added up, not one after the other
            image = make("mul", *(rebuild(sides, remake, powers)[side] for side in sides))
            changed[term] = make("sum", image, axis=1, keepdims=False)
        changed |= powers
    changed = {n: image for n, image in changed.items() if image.shape == n.shape}
    return rebuild([total], remake, changed)[total] if changed else None


def _over_rows(node: Node) -> bool:
    return node.op == "matmul" and [len(a.shape) for a in node.args] == [2, 1]


def _exponential(power: Node) -> Node:
    """Write b**c as exp(c log(b)), the logarithm of 0 as a large number."""
    base, exponent = power.args
    log = make("log", base) if positive(base) else make("grounded", make("log_size", base))
    return make("exp", make("mul", exponent, log))


def _weighs(factor: Node) -> bool:
    """Say whether a factor is a density, or a power such as p**x."""
    return factor.op in DENSITIES or (factor.op == "pow" and value_of(factor.args[1]) is None)


def _summed(node: Node) -> tuple[Node, ...]:
    """Give what a node is a sum of, or a product."""
    if node.op == "div" or (node.op == "where" and value_of(node.args[2]) == 0):
        return node.args[:1] if node.op == "div" else node.args[1:2]
    return node.args if node.op in LINEAR else ()


def _may_vanish(node: Node) -> bool:
    return node.op not in (*DENSITIES, "const") and not positive(node)


def power_of_product(node: Node) -> Node | None:
    """Write prod(x)**(1/N), the geometric mean, as exp(sum(log(x))/N)."""
    base, exponent = node.args
    if not _a_product(base) or exponent.shape or not _fraction(exponent):
        return None
    found = _apart(base)
    over, under = exponent.args if exponent.op == "div" else (exponent, const(1))
    log = found.log if value_of(over) == 1 else make("mul", over, found.log)
    log = log if value_of(under) == 1 else make("div", log, under)
    return _times_sign(Apart(log, found.sign), exponent)


def _times_sign(found: Apart, exponent: Node | None) -> Node:
    size = make("exp", found.log)
    if found.sign is None:
        return size
    sign = sign_of(found.sign)
    return make("mul", make("held", make("pow", sign, exponent) if exponent else sign), size)


def _fraction(exponent: Node) -> bool:
    """Say whether a power undoes part of a product: 1/3, or a number over that of entries."""
    number = value_of(exponent)
    if number is not None:
        return 0 < abs(number) < 1
    return any(under and f.op in ("dim", "counted") for f, under in _factors(exponent))


def _holds(node: Node, test: Callable[[Node], bool]) -> bool:
    """Say whether a factor, or what it is a power of, is such a value."""

    def inside(n: Node) -> tuple[Node, ...]:
        if test(n):
            return ()
        return n.args[:1] if n.op in ("neg", "abs", "pow", "sqrt") else n.args * (n.op in FACTORS)

    return any(map(test, leaves(node, inside, DEEP)))


def _any_power(node: Node) -> bool:
    """Say whether a node is a power with an exponent that is no number; those of signs stay."""
    return node.op == "pow" and value_of(node.args[1]) is None and not a_sign(node)


def _far_power(node: Node) -> bool:
    """Say whether a power of what is above 0 may well overflow or vanish, and costs a logarithm."""
    number = value_of(node.args[1]) if node.op == "pow" else None
    far = number is not None and abs(number) > (8 if float(number).is_integer() else 1)
    return far and positive(node.args[0])


FACTORS = ("mul", "div")


def _a_product(node: Node) -> bool:
    """Say whether a node is a product of more than signs."""
    return node.op == "prod" and bool(node.args[0].shape) and not a_sign(node.args[0])


def _apart(node: Node, depth: int = DEEP) -> Apart:
    """Take a product apart into logarithms; what is none is one logarithm."""
    if depth and node.op in ("mul", "div", "neg"):
        return _of_factors(node, depth - 1)
    if depth and node.op == "prod" and node.args[0].shape:
        return _over_axes(_apart(node.args[0], depth - 1), node)
    if depth and node.op in ("pow", "sqrt"):
        found = _of_power(node, depth - 1)
        if found is not None:
            return found
    if node.op in DENSITIES:
        return Apart(logarithm(node) or make("log", node), None)
    if node.op == "abs" and _holds(node.args[0], _a_product):
        return Apart(_apart(node.args[0], depth).log, None)
    if nonnegative(node):
        return Apart(make("log", node), None)
    return Apart(make("logabs", node), node)


def _over_axes(found: Apart, node: Node) -> Apart:
    """Take a product over axes apart: the sum of logarithms, the product of signs."""
    (x,) = node.args
    sign = None if found.sign is None else signs_over_axes(sign_of(found.sign), node)
    return Apart(make("sum", fit(found.log, x.shape), **node.attrs), sign)


def _factors(node: Node) -> list[Signed]:
    return leaves((node, False), over_and_under, DEEP)


def _of_factors(node: Node, depth: int) -> Apart:
    """Add the logarithms of factors; plain ones of the full shape have one together."""
    if node.op == "neg":
        inner = _apart(node.args[0], depth)
        return Apart(inner.log, const(-1) if inner.sign is None else make("neg", inner.sign))
    factors = _factors(node)
    plain = [p for p in factors if p[0].op not in OPENED and p[0].shape == node.shape]
    signs: list[Signed] = [p for p in plain if not nonnegative(p[0])]
    together = _quotient(plain)
    logs: list[Signed] = [] if together is None else [(_apart(together, 0).log, False)]
    for factor, under in factors:
        if (factor, under) not in plain and value_of(factor) != 1:
            inner = _apart(factor, depth)
            logs.append((inner.log, under))
            signs += [] if inner.sign is None else [(inner.sign, under)]
    return Apart(signed_sum(logs) or const(0), _quotient(signs))


OPENED = (*DENSITIES, "prod", "pow", "sqrt", "neg", "abs", "sigmoid", "softmax", "const")


def _quotient(factors: list[Signed]) -> Node | None:
    """Multiply factors, and divide by those below the line; None of none."""
    result: Node | None = None
    for factor, under in sorted(factors, key=lambda p: p[1]):
        if result is None:
            result = make("div", const(1), factor) if under else factor
        else:
            result = make("div" if under else "mul", result, factor)
    return result


def _of_power(node: Node, depth: int) -> Apart | None:
    """log|b**c| = c log|b|; the sign of an odd power is that of its base."""
    base, exponent = (node.args[0], const(0.5)) if node.op == "sqrt" else node.args
    found, number = _apart(base, depth), value_of(exponent)
    log = make("mul", exponent, found.log)
    if log.shape != node.shape or (number is not None and not number):
        return None
    if number is not None and float(number).is_integer():
        return Apart(log, found.sign if number % 2 else None)
    sign = None if found.sign is None else make("pow", sign_of(found.sign), exponent)
    return Apart(log, sign)


def _weighed(node: Node, args: tuple[Node, ...]) -> Node:
    """Write c log|b| so that it is 0 where c is, also where b is."""
    if not _of_weight(node):
        return remake(node, args)
    c, b = args[0], args[1].args[0]
    product = make("mul", c, make("log_size", b))
    return make("where", make("eq", c, const(0)), const(0), product)


def _of_positive(power: Node) -> bool:
    """Say whether a power has a base that is not below 0: where the exponent is fitted, too."""
    return nonnegative(power.args[0]) or _fitted(power)


def _fitted(power: Node) -> bool:
    inputs = (n for n in topological(power.args[1:]) if n.op == "input")
    return any(n.attrs["kind"] == "param" for n in inputs)


def _with_slope(node: Node, args: tuple[Node, ...]) -> Node:
    """Write c log|b| for `coded`, which makes it 0 where c is, with the slope log|b| in c."""
    return make("log", make("abs", *args)) if node.op == "logabs" else remake(node, args)


def _by_rows(node: Node, args: tuple[Node, ...]) -> Node:
    """Write c log|b| for c of more axes by logarithms of b alone, which end at a large number."""
    b = args[1].args[0] if _of_weight(node) else None
    rows = b.args[0] if b is not None and b.op == "expand" else b
    if b is None or rows is None or len(rows.shape) >= len(args[0].shape):
        return _weighed(node, args)
    size = make("grounded", make("log_size", rows))
    return make("mul", args[0], size if rows is b else make("expand", size, **b.attrs))


def _of_weight(node: Node) -> bool:
    """Say whether a node is the logarithm of a power with an exponent that may be 0."""
    return node.op == "mul" and node.args[1].op == "logabs" and value_of(node.args[0]) is None
