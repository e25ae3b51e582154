"""Lower a derived program to what is computed: formulas in place of operators without a template,
and the spellings that keep their digits in place of those that cancel.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from symgrad.graph import Node, topological
from symgrad.ops import OPS, make, value_of
from symgrad.ops.spec import Op
from symgrad.parse import formula
from symgrad.rewrite.exponents import product
from symgrad.rewrite.match import Candidates, Rule, by_root, parse_rule, rewrite
from symgrad.rewrite.numbers import remade

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
    parse_rule("1 - tanh(a)**2 -> 4*sigmoid(2*a)*sigmoid(-(2*a))"),
    parse_rule("1 - tanh(a) -> 2*sigmoid(-(2*a))"),
    parse_rule("1 + tanh(a) -> 2*sigmoid(2*a)"),
    parse_rule("1 - erf(a) -> 2*normal_cdf(-(a*sqrt(2)))"),
    parse_rule("1 - normal_cdf(a) -> normal_cdf(-a)"),
    parse_rule("cosh(a) - 1 -> 2*sinh(a/2)**2"),
]
# fmt: on


@lru_cache(maxsize=2)
def _by_root(mode: str) -> Candidates:
    return Candidates(by_root([*DIGITS, *(TAILS if mode == "accurate" else COSTS)]))


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
    return opened(roots, lambda node: _opened(node, mode))


def opened(roots: Iterable[Node], instead: Callable[[Node], Node | None]) -> dict[Node, Node]:
    """Map every node below `roots` to its image; `instead` gives an equal node, or None.

    The nodes that `instead` brings along are mapped in their turn, operands first.
    """
    memo: dict[Node, Node] = {}
    todo = [*reversed(topological(roots))]
    while todo:
        node = todo[-1]
        if node in memo:
            todo.pop()
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
            todo += reversed(topological([inner], stop=lambda n: n in memo))
    return memo


def _stepwise(node: Node) -> Node | None:
    """Divide by b**2 as by b and by b: the square may overflow where the quotient does not."""
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
    if len(found) < 2 or len(dict.fromkeys(found)) == len(found):
        return None
    for factor in found:
        top = make("div", top, factor)
    return top if top.shape == node.shape else None


def _opened(node: Node, mode: str) -> Node | None:
    """Give the equal node that is to be computed instead; None if the node itself is."""
    for rule in _by_root(mode).of(node):
        after = rewrite(rule, node)
        if after is not None and after is not node:
            return after
    if node.op == "mul":
        return product(node)
    if node.op == "div":
        return _stepwise(node)
    row = OPS.get(node.op)
    if row is not None and row.formula and not _written(row, mode):
        return formula(node)
    return None
