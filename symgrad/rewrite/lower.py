"""Lower a derived program to what is computed: formulas in place of operators without a template,
and the spellings that keep their digits in place of those that cancel.
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache, partial, reduce

from symgrad.graph import Node, rebuild, topological
from symgrad.ops import OPS, const, make, remake, value_of
from symgrad.ops.spec import Op
from symgrad.parse import formula
from symgrad.parse.rows import written
from symgrad.rewrite.logspace import product
from symgrad.rewrite.match import Candidates, Rule, by_root, parse_rule, rewrite
from symgrad.rewrite.numbers import remade
from symgrad.rewrite.remainders import normal
from symgrad.shapes import Shape

_E = "exp(-abs(a))"
_SIDE = "(1 + sign(a))/2 - b"  # of a probability b: from 1 where a > 0, from 0 where a < 0
_SLOPE = f"{_SIDE} - sign(a)*({_E}/(1 + {_E}))"
# fmt: off
DIGITS: list[Rule] = [
    parse_rule("log(1 + a) -> log1p(a)"),
    parse_rule("log(1 - a) -> log1p(-a)"),
    parse_rule("xlogy(b, 1 - a) -> xlog1py(b, -a)"),
    parse_rule("xlogy(b, 1 + a) -> xlog1py(b, a)"),
    parse_rule("softplus(-a) - softplus(a) -> -a"),
    parse_rule("softplus(a) - softplus(-a) -> a"),
    parse_rule("exp(a) - 1 -> expm1(a)"),
    parse_rule("1 - exp(a) -> -expm1(a)"),
    parse_rule("1 - cos(a) -> 2*sin(a/2)**2"),
    parse_rule("cos(a) - 1 -> -2*sin(a/2)**2"),
    parse_rule("sqrt(1 + a) - 1 -> a/(sqrt(1 + a) + 1)"),
    parse_rule("1 - sqrt(1 - a) -> a/(sqrt(1 - a) + 1)"),
]
COSTS: list[Rule] = [  # one logarithm for two; exact for targets 0 and 1: the difference is 0
    parse_rule("b*softplus(-a) + (1 - b)*softplus(a) -> maximum(a, 0) - a*b + log1p(exp(-abs(a)))"),
]
TAILS: list[Rule] = [  # with accurate=True, where a difference would lose the digits of its tail
    parse_rule("1 - sigmoid(a) -> sigmoid(-a)"),
    parse_rule("1 - tanh(a)**2 -> (1/cosh(a))**2"),
    parse_rule("1 - tanh(a) -> 2*sigmoid(-(2*a))"),
    parse_rule("1 + tanh(a) -> 2*sigmoid(2*a)"),
    parse_rule("1 - normal_cdf(a) -> normal_cdf(-a)"),
    parse_rule("cosh(a) - 1 -> 2*sinh(a/2)**2"),
    parse_rule(f"b*softplus(-a) + (1 - b)*softplus(a) -> a*({_SIDE}) + log1p({_E})"),
    parse_rule(f"(1 - b)*sigmoid(a) - b*sigmoid(-a) -> {_SLOPE}"),
    parse_rule(f"c*(1 - b)*sigmoid(a) - c*b*sigmoid(-a) -> c*({_SLOPE})"),
    parse_rule("c*softplus(-a) - c*softplus(a) -> -(c*a)"),
    parse_rule("-a - b*(c - d) -> b*(d - c) - a"),  # the same bits, without the pass for a sign
]
# fmt: on


@lru_cache(maxsize=2)
def _by_root(mode: str) -> Candidates:
    rules = by_root([*DIGITS, *(TAILS if mode == "accurate" else COSTS)])
    return Candidates(rules, lambda op, below: _still(op, below, mode))


def _still(op: str, below: tuple[str, ...], mode: str) -> bool:
    """Say of an operation on numbers, by the operators of its operands, that it stays as it is."""
    if op == "mul":
        return mode != "accurate" and not all(n in ("exp", "mul", "sigmoid") for n in below)
    if op == "div":
        return below[1] not in ("mul", "pow")
    row = OPS.get(op)
    return row is None or not row.formula or _written(row, mode)


def _written(row: Op, mode: str) -> bool:
    """Say whether a row has a template in this mode."""
    return bool(row.numpy or (mode == "accurate" and row.precise))


def lower(roots: Iterable[Node], mode: str = "code") -> dict[Node, Node]:
    """Map every node below `roots` to what computes it.

    >>> from symgrad.ops import leaf, make
    >>> x = leaf("x"); y = make("silu", x)
    >>> lower([y])[y].op
    'mul'
    """
    still, order = _by_root(mode).quiet, topological(roots)
    for node in order:
        if node.shape or not still(node):
            inner = _opened(node, mode)
            if inner is not None and inner is not node:
                break
    else:  # nothing is to be written in another way, as in most long programs
        return dict(zip(order, order, strict=True))
    return opened(roots, lambda n: None if not n.shape and still(n) else _opened(n, mode))


def tails(roots: Iterable[Node]) -> dict[Node, Node]:
    """Take one exponential for sigmoids and softplus of the same; one for softmax and its kin.

    Each form keeps all its digits. What stands alone, or is a number, stays as it is.

    >>> from symgrad.ops import leaf, make
    >>> a = leaf("a", ("N",)); s = make("sigmoid", a); t = make("softplus", a)
    >>> tails([make("mul", s, t)])[s].op, tails([s])[s].op
    ('div', 'sigmoid')
    """
    order = topological(roots)
    met: dict[Tail, list[str]] = {}
    for node in order:
        if node.shape and (of := _tail(node)) is not None:
            met.setdefault(of[0], []).append(of[1])

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "pick" and node.args[0].op in ("log_softmax", "softmax_rest"):
            deep = 1 if node.args[0].op == "log_softmax" else DEEP
            return _entry(args[0], args[1], args[0].shape, deep)
        of = _tail(node) if node.op in TOGETHER else None
        sides = met.get(of[0], []) if of is not None else []
        if of is None or len(sides) < 2:
            return remake(node, args)
        both = any(side != of[1] for side in sides)
        turned = both and of[1] == "-"
        operand = args[0].args[0] if turned else args[0]
        return written(TOGETHER[node.op][turned if both else -1], [operand], node.attrs)

    return rebuild(roots, change)


def _entry(table: Node, labels: Node, whole: Shape, deep: int) -> Node:
    """Give the entries at labels of what columns are added to, without the whole of it."""
    opened = deep and table.shape == whole and table.op in ("add", "sub", "div")
    if opened and any(a.shape == (*whole[:-1], 1) for a in table.args):
        return make(table.op, *(_entry(a, labels, whole, deep - 1) for a in table.args))
    if table.shape == whole:
        return make("pick", table, labels)
    return make("reshape", table, shape=whole[:-1]) if table.shape else table


Tail = tuple[Node, int | tuple[int, ...] | None]
FAR = 40  # beyond it a sigmoid is 1
DEEP = 4  # sums and quotients in one another that entries are taken of
_F, _Z = f"exp(minimum(a, {FAR}))", "(a - amax(a, axis, True))"
_TOP = f"floor(exp({_Z}))"  # 1 for the largest, else 0
_REST = f"sum(exp({_Z}) - {_TOP}, axis, True)"  # without the largest: they count 1 exactly
_TIES = f"sum({_TOP}, axis, True)"
TOGETHER = {  # of a and of -a where both are needed, and of one alone
    "sigmoid": (
        f"maximum({_E}, a >= 0)/(1 + {_E})", f"maximum({_E}, a <= 0)/(1 + {_E})",
        f"{_F}/(1 + {_F})",
    ),
    "softplus": (
        f"maximum(a, 0) + log1p({_E})", f"log1p({_E}) - minimum(a, 0)",
        f"maximum(a, {FAR}) - {FAR} + log1p({_F})",
    ),
    "softmax": (f"exp({_Z})/({_REST} + {_TIES})",),
    "log_softmax": (f"{_Z} - log1p({_REST} + ({_TIES} - 1))",),
    "softmax_rest": (f"({_REST} + ({_TIES} - exp({_Z})))/({_REST} + {_TIES})",),
}  # fmt: skip


def _tail(node: Node) -> tuple[Tail, str] | None:
    """Give the a and the side of it that a node is made of: a, -a or |a|; of softmax the axis."""
    if "axis" in node.attrs:
        return ((node.args[0], node.attrs["axis"]), "+") if node.op in TOGETHER else None
    if node.op not in TOGETHER and node.op != "exp":
        return None
    inner, side = node.args[0], "+"
    if node.op == "exp" and inner.op == "minimum" and value_of(inner.args[1]) == FAR:
        inner = inner.args[0]
    elif node.op == "exp" and not (inner.op == "neg" and inner.args[0].op == "abs"):
        return None
    if inner.op == "neg":
        inner, side = inner.args[0], "-"
    if inner.op == "abs" and node.op == "exp":
        return (inner.args[0], None), "abs"
    return (inner, None), side


def opened(roots: Iterable[Node], instead: Callable[[Node], Node | None]) -> dict[Node, Node]:
    """Map every node below `roots` to its image; `instead` gives an equal node, or None.

    The nodes that `instead` brings along are mapped in their turn, operands first.
    """
    memo: dict[Node, Node] = {}
    todo = [*reversed(topological(roots))]
    while todo:
        node = todo.pop()
        if node in memo:
            continue
        fresh = remade(node, tuple([memo[a] for a in node.args])) if node.args else node
        inner = instead(fresh)
        if inner is None or inner is fresh:
            memo[node] = memo[fresh] = fresh
        elif inner in memo:
            memo[node] = memo[fresh] = memo[inner]
        else:  # the formula's nodes are lowered before the operator that they stand for
            for operand in fresh.args:
                memo.setdefault(operand, operand)
            todo.append(node)
            todo += reversed(topological([inner], stop=lambda n: n in memo))
    return memo


def _stepwise(node: Node) -> Node | None:
    """Divide by 2 b**2 as by 2 b and by b: the square may overflow where the quotient does not.

    A square is divided before it is taken, a**2/(2 b**2) is (a/b)**2/2, which slopes in a, and in
    an array b, have too.
    """
    top, low = node.args
    todo, found = [low], []
    while todo:
        factor = todo.pop()
        power = value_of(factor.args[1]) if factor.op == "pow" else None
        if factor.op == "mul":
            todo += [factor.args[1], factor.args[0]]
        elif power in (2, 3) and factor.args[0].op not in ("const", "dim"):
            found += [factor.args[0]] * int(power)
        else:
            found.append(factor)
    sizes = [f for f in found if f.op in ("const", "dim")]
    others = [f for f in found if f not in sizes]
    if len(dict.fromkeys(others)) == len(others):
        return None
    twice = next((f for f in others if f.shape and others.count(f) > 1), None)
    if twice is not None and top.op == "pow" and top.shape and value_of(top.args[1]) == 2:
        top = make("pow", make("div", top.args[0], twice), const(2))
        for _ in range(2):
            others.remove(twice)
    first = [*sizes, *others[:1]]
    for factor in ([reduce(partial(make, "mul"), first)] if first else []) + others[1:]:
        top = make("div", top, factor)
    return top if top.shape == node.shape else None


def _of_numbers(node: Node) -> Node | None:
    """Write c*(d*a) as (c*d)*a where c*d is exact: it is rounded once then, not twice."""
    for c, rest in (node.args, node.args[::-1]):
        first = value_of(c)
        for d, a in (rest.args, rest.args[::-1]) if first is not None and rest.op == "mul" else ():
            second = value_of(d)
            if first is None or second is None or not 0 < abs(first * second) < 2**24:
                continue
            whole = float(first).is_integer() and float(second).is_integer()
            if whole or 0.5 in (abs(math.frexp(first)[0]), abs(math.frexp(second)[0])):
                return make("mul", const(first * second), a)
    return None


def _normal_of_erf(node: Node) -> Node | None:
    """Write 1 + erf(a) and 1 - erf(a) by the normal distribution, which has a tail."""
    for one, erf in (node.args, node.args[::-1])[: 1 + (node.op == "add")]:
        if value_of(one) == 1 and erf.op == "erf":
            (a,) = erf.args
            return make("mul", const(2), normal(a if node.op == "add" else make("neg", a)))
    return None


def _opened(node: Node, mode: str) -> Node | None:
    """Give the equal node that is to be computed instead; None if the node itself is."""
    for rule in _by_root(mode).of(node):
        after = rewrite(rule, node)
        if after is not None and after is not node:
            return after
    if node.op in ("add", "sub") and node.shape:
        return _normal_of_erf(node)
    if node.op == "mul":
        return (_of_numbers(node) if mode == "accurate" else None) or product(node)
    if node.op == "div":
        return _stepwise(node)
    row = OPS.get(node.op)
    if row is not None and row.formula and not _written(row, mode):
        return formula(node)
    return None
