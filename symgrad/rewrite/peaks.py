"""Sums of exponentials from the largest exponent, entry by entry, for code.

sum c_k exp(u_k) = exp(M) sum c_k exp(u_k - M) with M = max u_k. M is a constant to derivatives,
because the sum does not depend on it: the slopes share the exponentials of the value, no
exponential is above 1, and the coefficients may have any sign.
"""

import math
from collections.abc import Iterable
from functools import partial, reduce

from symgrad.graph import (
    Node,
    consumers,
    having,
    leaves,
    over_and_under,
    rebuild,
    summands,
    topological,
    unchanged,
)
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.exponents import logarithm
from symgrad.rewrite.signs import nonnegative

Term = tuple[Node | None, Node]  # a coefficient, None for 1, and an exponent
MOST = 16  # terms
MILD = 30  # a number in an exponent that may as well be a factor
DENSITIES = ("exp", "gaussian", "normal_pdf")


def lifted(roots: Iterable[Node], named: Iterable[Node], accurate: bool) -> dict[Node, Node]:
    """Write logarithms of sums of exponentials with a largest exponent that is taken off.

    With `accurate` log(exp(a) + exp(b)) stays: it keeps more digits near 0.

    >>> from symgrad.ops import leaf
    >>> a, b = leaf("a", ("N",)), leaf("b", ("N",))
    >>> y = make("logaddexp", a, b)
    >>> lifted([y], (), False)[y].op, lifted([y], (), True)[y].op
    ('add', 'logaddexp')
    """
    roots = tuple(roots)
    order = topological(roots)
    if not having(order, *LOGS):
        return unchanged(order)
    users, kept = consumers(order), dict.fromkeys([*roots, *named])
    inside = {n: None for n in having(order, "logaddexp") if len(users[n]) == 1 and n not in kept
              and users[n][0][0].op == "logaddexp"}  # fmt: skip

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op in ("log", "log1p"):
            alone = node.shape or len(users[node.args[0]]) == 1
            return (_of_mixture(fresh) if alone else None) or fresh
        if node.op in LOGS and node.shape and not accurate and node not in inside:
            return _of_exponentials(fresh) or fresh
        return fresh

    return rebuild(roots, change)


LOGS = ("log", "log1p", "logaddexp", "logsumexp")


def _of_exponentials(node: Node) -> Node | None:
    """Write log(exp(a) + exp(b) + …); where all are -inf, so is it, and the slopes are 0."""
    found: list[Node] = []
    if node.op == "logaddexp":
        todo = [*node.args]
        for part in todo:  # which grows
            if part.op == "logaddexp":
                todo += part.args
            else:
                found.append(part)
    elif _of_stack(node):
        found = [a.args[0] if a.op == "broadcast" else a for a in node.args[0].args]
    if not 1 < len(found) <= MOST:
        return None
    numbers, rests = zip(*map(_number, found), strict=True)
    least = min(numbers)
    listed = [(_factor(c - least), u) for c, u in zip(numbers, rests, strict=True)]
    top = peak(rests)
    if any(map(_finite, found)):
        total = _lowered(listed, top)
    else:
        total = make("counted", _lowered(listed, make("grounded", top)))
    result = make("add", top, make("log", total))
    if least:
        result = make("add", const(least), result)
    return result if result.shape == node.shape else None


def _number(exponent: Node) -> tuple[float, Node]:
    """Split log(2) + u, so that the differences of exponents keep their digits."""
    if exponent.op in ("add", "sub"):
        for k, a in enumerate(exponent.args):
            c, other = value_of(a), exponent.args[1 - k]
            if c is not None and abs(c) < MILD and (exponent.op == "add" or k == 1):
                return (c if exponent.op == "add" else -c), other
    return 0, exponent


def _factor(log: float) -> Node | None:
    """Write exp(log), None for 1."""
    whole = math.exp(log)
    near = round(whole)
    whole = near if near and math.isclose(whole, near, rel_tol=1e-15) else whole
    return None if whole == 1 else const(whole)


def _of_stack(node: Node) -> bool:
    """Say whether the members of a stack are added up."""
    stack = node.args[0]
    along = stack.op == "stack" and stack.attrs["axis"] == 0 and node.attrs["axis"] in (0, (0,))
    return along and not node.attrs["keepdims"]


def _of_mixture(node: Node) -> Node | None:
    """Write log(p exp(a) + q exp(b)), with p and q of any sign."""
    total = node.args[0] if node.op == "log" else make("add", const(1), *node.args)
    factor = 1.0
    while total.op in ("mul", "div") and (c := value_of(total.args[total.op == "div"])):
        factor *= c if total.op == "mul" else 1 / c
        total = total.args[total.op == "mul"]
    listed = _terms(total) if factor > 0 else None
    if listed is None:
        return None
    top = peak(u for _, u in listed)
    if top.op != "peak":
        return None
    place, level = _plain_number(listed)
    if level:  # log(3 + p exp(a)) = M + log(3) + log1p(exp(-M) - 1 + …)
        rest = [(_over(c, level), u) for k, (c, u) in enumerate(listed) if k != place]
        less = make("add", make("expm1", make("neg", top)), _lowered(rest, top))
        log, factor = make("log1p", less), factor * level
    else:
        log = make("log", _lowered(listed, top))
    result = make("add", top, log)
    if factor != 1:
        result = make("add", const(math.log(factor)), result)
    return result if result.shape == node.shape else None


def quotient(factors: list[Node], above: Node | None, low: Node) -> Node | None:
    """Write f exp(a)/(p exp(b) + q exp(c) + …) with the largest exponent of the sum taken off."""
    listed = _terms(low)
    if listed is None:
        return None
    top = peak(u for _, u in listed)
    share = make("div", make("exp_less", const(0) if above is None else above, top),
                 _lowered(listed, top))  # fmt: skip
    for factor in factors:
        share = make("mul", factor, share) if value_of(factor) != 1 else share
    return share


CURVED = ("pow", "square", "abs", "softplus", "exp", "sigmoid", "tanh", "logcosh", "norm", "dim")


def _finite(exponent: Node) -> bool:
    """Say whether an exponent is above -inf, as that of a density; entries of inputs may be."""
    todo = [exponent]
    for part in todo:  # which grows
        if part.op in ("add", "sub", "mul", "neg") and len(todo) < MOST:
            todo += part.args
        elif part.op in ("div", "expand", "broadcast") and len(todo) < MOST:
            todo.append(part.args[0])
        elif part.shape and part.op not in CURVED:
            return False
    return True


def _plain_number(listed: list[Term]) -> tuple[int, float]:
    """Give the place of a number above 0 among the terms, and the number; 0 if there is none."""
    for k, (c, u) in enumerate(listed):
        value = value_of(c) if c is not None and u.op == "const" else None
        if value is not None and value > 0:
            return k, value
    return 0, 0


def _over(c: Node | None, level: float) -> Node | None:
    if level == 1:
        return c
    return make("div", const(1) if c is None else c, const(level))


def _terms(total: Node) -> list[Term] | None:
    """List the terms of a sum, if an exponential among them may overflow, or all may vanish."""
    listed: list[Term] = []
    found = summands(total, most=MOST + 1)
    for part, less in found if len(found) <= MOST else ():
        c, u = _masked(*(split(part) or (part, const(0))))
        if less:
            c = const(-1) if c is None else make("neg", c)
        listed.append((c, u))
    plain = any(u.op == "const" for _, u in listed)
    rising = [u for _, u in listed if u.op != "const" and not nonnegative(_opposite(u))]
    if len(listed) < 2 or (plain and not rising):
        return None
    return listed


def _masked(c: Node | None, u: Node) -> Term:
    """Write 1[k] exp(u) as exp(-inf) where k does not hold: its exponent is no largest one then."""
    factors = [] if c is None else leaves(c, lambda n: n.args if n.op == "mul" else ())
    masks = [f for f in factors if f.dtype == "bool"]
    for mask in masks:
        u = make("where", mask, u, const(-math.inf))
    rest = [f for f in factors if f not in masks]
    return (reduce(partial(make, "mul"), rest) if rest else None, u) if masks else (c, u)


def _opposite(u: Node) -> Node:
    return u.args[0] if u.op == "neg" else make("neg", u)


def peak(exponents: Iterable[Node]) -> Node:
    """Write the largest of exponents, a constant to derivatives; a single one is held for one."""
    distinct = list(dict.fromkeys(exponents))
    return reduce(partial(make, "peak"), distinct) if len(distinct) > 1 else make("held", *distinct)


def _lowered(listed: list[Term], top: Node) -> Node:
    """Write sum c_k exp(u_k - top)."""
    total: Node | None = None
    for c, u in listed:
        term = make("exp_less", u, top)
        term = term if c is None else make("mul", c, term)
        total = term if total is None else make("add", total, term)
    assert total is not None
    return total


def split(term: Node) -> Term | None:
    """Split a term into its coefficient and the exponent of its factors exp(a), if it has one.

    >>> from symgrad.ops import leaf
    >>> c, u = split(make("div", make("exp", leaf("x")), leaf("s")))
    >>> c.op, u.op
    ('div', 'input')
    """
    above: list[Node] = []
    below: list[Node] = []
    exponent: Node | None = None
    for factor, under in leaves((term, False), over_and_under):
        if factor.op in DENSITIES and (u := logarithm(factor)) is not None:
            if exponent is None:
                exponent = make("neg", u) if under else u
            else:
                exponent = make("sub" if under else "add", exponent, u)
        else:
            (below if under else above).append(factor)
    if exponent is None:
        return None
    c = reduce(partial(make, "mul"), above) if above else None
    if below:
        c = make("div", const(1) if c is None else c, reduce(partial(make, "mul"), below))
    return c, exponent
