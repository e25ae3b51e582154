"""Products over an axis by their logarithms: likelihoods, geometric means, products of densities.

A product of 1,000 probabilities is 0 in floats, its logarithm is not: log Π x = Σ log x. Where
entries may be negative the product of their signs stays, so that an even number of them gives a
real logarithm and an odd number NaN; the slope is 1/x in both cases, for signs are `held`,
constants to derivatives.
"""

from collections.abc import Callable
from typing import NamedTuple

from symgrad.graph import Node, Signed, leaves, over_and_under, rebuild
from symgrad.ops import const, count, make, remake, value_of
from symgrad.rewrite.exponents import logarithm, signed_sum, zero_or_one
from symgrad.rewrite.peaks import DENSITIES
from symgrad.rewrite.signs import nonnegative, positive
from symgrad.shapes import axes_of

DEEP = 12  # operators that are taken apart inside one another
MANY = 24  # parts of a sum that are looked through
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
    if not _holds_product(node.args[0]):
        return None
    found = _apart(node.args[0])
    result = found.log
    if found.sign is not None and node.op != "logabs":
        result = make("add", result, make("held", make("log", _sign(found.sign))))
    if node.op == "log2":
        result = make("div", result, make("log", const(2)))
    return result if result.shape == node.shape else None


def safe_log_of_product(node: Node) -> Node | None:
    """Write log(prod(p**y)) as sum(y log|p|), 0 where y and p are: for code."""
    found = log_of_product(node)
    return None if found is None else rebuild([found], _weighed)[found]


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
    products = [n for n in leaves(node.args[0], _summed, MANY) if _a_product(n)]
    found = [(n, _of_logarithms(n, _weighs)) for n in products]
    changed = {n: image for n, image in found if image is not None and image.shape == n.shape}
    changed = {n: rebuild([image], _by_rows)[image] for n, image in changed.items()}
    if not changed or node.args[0] in changed:
        return None
    return make(node.op, rebuild([node.args[0]], remake, changed)[node.args[0]])


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
    sign = _sign(found.sign)
    return make("mul", make("held", make("pow", sign, exponent) if exponent else sign), size)


def _fraction(exponent: Node) -> bool:
    """Say whether a power undoes part of a product: 1/3, or a number over that of entries."""
    number = value_of(exponent)
    if number is not None:
        return 0 < abs(number) < 1
    return any(under and f.op in ("dim", "counted") for f, under in _factors(exponent))


def _holds_product(node: Node) -> bool:
    """Say whether a factor is a product over an axis, or a power of one."""

    def inside(n: Node) -> tuple[Node, ...]:
        return n.args[:1] if n.op in ("neg", "abs", "pow", "sqrt") else n.args * (n.op in FACTORS)

    return any(map(_a_product, leaves(node, inside, DEEP)))


FACTORS = ("mul", "div")


def _a_product(node: Node) -> bool:
    """Say whether a node is a product of more than signs."""
    return node.op == "prod" and bool(node.args[0].shape) and not _a_sign(node.args[0])


def _a_sign(node: Node) -> bool:
    """Say whether a value is -1, 0 or 1."""
    if node.op in ("prod", "pow", "broadcast", "as_is"):
        return _a_sign(node.args[0]) or value_of(node.args[0]) == -1
    return node.op == "sign" or (node.op in FACTORS and all(map(_a_sign, node.args)))


def _sign(node: Node) -> Node:
    return node if _a_sign(node) else make("sign", node)


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
    if node.op == "abs" and _holds_product(node.args[0]):
        return Apart(_apart(node.args[0], depth).log, None)
    if nonnegative(node):
        return Apart(make("log", node), None)
    return Apart(make("logabs", node), node)


def _over_axes(found: Apart, node: Node) -> Apart:
    """Take a product over axes apart: the sum of logarithms, the product of signs."""
    (x,) = node.args
    sign = None if found.sign is None else _signs(_sign(found.sign), node)
    return Apart(make("sum", _wide(found.log, x), **node.attrs), sign)


def _signs(sign: Node, like: Node) -> Node:
    """Multiply signs as `like` does its entries: what is the same along an axis has a power."""
    (x,) = like.args
    odd = _negative(sign)
    if odd is not None:
        return make("as_is", make("pow", const(-1), make("sum", _wide(odd, x), **like.attrs)))
    missing = len(x.shape) - len(sign.shape)
    if like.attrs["keepdims"] or sign.shape != x.shape[missing:]:
        return make("prod", _wide(sign, x), **like.attrs)
    axes = axes_of(like.attrs["axis"], len(x.shape))
    own = tuple(a - missing for a in axes if a >= missing)
    if own:
        sign = make("prod", sign, axis=own if len(own) > 1 else own[0], keepdims=False)
    rest = tuple(a for a in axes if a < missing)
    return make("pow", sign, count(x.shape, rest)) if rest else sign


def _negative(sign: Node) -> Node | None:
    """Count the factors below 0 of a product of powers with the exponents 0 or 1."""
    total: Node | None = None
    for power in leaves(sign, lambda n: n.args if n.op == "mul" else (), DEEP):
        if power.op != "pow" or power.args[0].op != "sign" or not _bit(power.args[1]):
            return None
        (base,), bit = power.args[0].args, power.args[1]
        count = make("mul", bit, make("lt", base, const(0)))
        total = count if total is None else make("add", total, count)
    return total


def _bit(exponent: Node) -> bool:
    """Say whether an array holds zeros and ones, also spread along an axis."""
    if exponent.op == "sub" and value_of(exponent.args[0]) == 1:
        return _bit(exponent.args[1])
    if exponent.op in ("expand", "broadcast", "transpose", "reshape"):
        return _bit(exponent.args[0])
    return zero_or_one(exponent)


def _wide(node: Node, like: Node) -> Node:
    return node if node.shape == like.shape else make("broadcast", node, shape=like.shape)


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
    sign = None if found.sign is None else make("pow", _sign(found.sign), exponent)
    return Apart(log, sign)


def _weighed(node: Node, args: tuple[Node, ...]) -> Node:
    """Write c log|b| so that it is 0 where c is, also where b is."""
    if not _of_weight(node):
        return remake(node, args)
    c, b = args[0], args[1].args[0]
    product = make("mul", c, make("log_size", b))
    return make("where", make("eq", c, const(0)), const(0), product)


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
